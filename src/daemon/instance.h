/* SPDX-License-Identifier: ISC */
/*
 * instance: the folder of one Gatepost: its settings, folders, owners, lock.
 *
 *	DIR/gatepost.conf   settings
 *	DIR/keys/           ca.crt ca.key, tls/NAME.crt tls/NAME.key (pair.h), held.key
 *			    held.pub, acme/ (acme.h)
 *	DIR/data/           see the table of folders in instance.c
 *	DIR/run/            control (socket), lock
 *
 * Everything is reached through descriptors that are opened here, because the
 * processes cannot traverse the folders above once they gave up their rights.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "crypto/seal.h"

/* Whose is it?  Without root all are the one who started it. */
struct owners {
	bool switching;			/* started as root: each process its own user */
	uid_t manager, gate, house, scanner;
	uid_t acme;			/* runs uacme; 0 with switching: there is no such user */
	gid_t group;
};

struct instance {
	const char *conf_path;		/* as given */
	const struct conf *conf;
	struct owners owners;
	int dir, data, keys, run;	/* folders; -1 when not open */
	int lock;			/* run/lock, held while open; -1 */
};

#define INSTANCE_NONE	((struct instance){ .dir = -1, .data = -1, .keys = -1, .run = -1, .lock = -1 })

/* Reads the settings (and sets the clock to `[test] now`), opens the folders.
 * conf_path must stay. */
enum rc instance_open(const char *conf_path, struct instance *in, struct err *err) MUST_CHECK;
void instance_close(struct instance *in);

/* RC_LIMIT: a server, or a verb, has it. */
enum rc instance_lock(struct instance *in, struct err *err) MUST_CHECK;
/* The same, but waits until until_ms where the owner is dead and its children
 * are just dying (one that waits for the disk cannot die before). */
enum rc instance_lock_wait(struct instance *in, uint64_t until_ms, struct err *err) MUST_CHECK;

/* The users named by [sandbox], when root asks; RC_NONE says which is missing. */
enum rc owners_find(const struct conf *conf, struct owners *out, struct err *err) MUST_CHECK;
/* For good: real, effective and saved ids, and no other groups. */
enum rc owners_become(uid_t uid, gid_t gid, struct err *err) MUST_CHECK;
/* Root becomes the owner of the mailboxes, so that what a verb makes is his. */
enum rc instance_become_owner(const struct instance *in, struct err *err) MUST_CHECK;

/* Makes the folders below data/ with their owners and modes. */
enum rc instance_make_folders(int data, const struct owners *o, struct err *err) MUST_CHECK;
/* Each folder that is missing, not ours or open to others: one sentence. */
typedef void instance_wrong_fn(const char *sentence, void *arg);
void instance_check_folders(const struct instance *in, instance_wrong_fn *fn, void *arg);

/* Certificates and keys of keys/tls/, packed for the gate (setup.h); each pair
 * is checked.  RC_BAD names the file. */
enum rc instance_pack_keys(const struct instance *in, struct buf *out, struct err *err)
	MUST_CHECK;
/* Makes hostname's certificate anew when it is of our own CA and ends within
 * a month, or does not name link_host (unless a better pair does).  RC_NONE: there was nothing to do. */
enum rc instance_renew_cert(const struct instance *in, struct err *err) MUST_CHECK;
/* What refused originals are sealed with (held/held.h), to be wiped.  One may be
 * missing: without the public one nothing is held, without the private one nothing
 * can be released here. */
struct held_keys {
	bool has_public, has_private;
	uint8_t public_key[SEAL_PUBLIC], private_key[SEAL_PRIVATE];
};

/* RC_BAD: damaged, or they do not belong together. */
enum rc instance_held_keys(const struct instance *in, struct held_keys *out, struct err *err)
	MUST_CHECK;
/* Makes them in a folder (of this instance) that has none, or the public one where
 * only the private one is.  RC_NONE: there was nothing to do. */
enum rc held_keys_make(int keys, struct err *err) MUST_CHECK;
enum rc instance_make_held_keys(const struct instance *in, struct err *err) MUST_CHECK;

/* For each NAME.crt in keys/tls/, by name. */
typedef enum rc instance_pair_fn(const char *name, str cert, str key, void *arg,
	struct err *err);
enum rc instance_each_pair(const struct instance *in, instance_pair_fn *fn, void *arg,
	struct err *err) MUST_CHECK;
