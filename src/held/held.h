/* SPDX-License-Identifier: ISC */
/*
 * held: the originals of refused messages, encrypted, for a while.
 *
 * data/held/ID is one file: a header in the clear (magic, id, time, size, client
 * network, a keyed hash of the digest, wrapped key) and, sealed with crypto/seal.h,
 * the digest, the message's packed facts and then the whole spooled file with its
 * trace block.  gate has only the public
 * key: it can write what it cannot read again.  house has the private one.
 *
 * The file is on disk under its name when held_put() returns RC_OK, before any reply
 * promises it.  A message with the same digest as one held within HELD_SAME_MS is
 * not kept a second time: *as names the file that is there.
 */
#pragma once

#include "base/err.h"
#include "base/ids.h"
#include "base/ip.h"
#include "crypto/seal.h"

enum {
	HELD_SAME_MS = 24 * 3600 * 1000,	/* or half of keep_ms, if that is less */
	HELD_FILES = 100 * 1000,		/* at most; each costs gate 200 bytes of memory */
};

/* ---- gate ---- */

struct held;

struct held_limits {		/* [held] in the settings */
	uint64_t keep_ms;
	uint64_t all_bytes, network_bytes;	/* of one network (IPv4 /24, IPv6 /48) */
	uint64_t min_free;	/* of the file system; below it nothing is held */
};

/* dir stays the caller's. */
struct held *held_open(int dir, const uint8_t public_key[SEAL_PUBLIC],
	const struct held_limits *l);
/* Reads what is in the folder, while others hold already: until it returns duplicates of
 * what is there may be kept again, and caps count less.  Once; a file costs 10 µs, or a
 * seek where the machine has just started. */
enum rc held_load(struct held *h, uint64_t wall_ms, struct err *err) MUST_CHECK;
void held_close(struct held **hp);
void held_set_limits(struct held *h, const struct held_limits *l);

struct held_item {
	struct msg_id id;
	uint64_t wall_ms;
	struct ip client;
	uint8_t digest[32];	/* of the message as received */
	int fd;			/* the spooled file */
	uint64_t size;		/* of all of it, trace block included */
	str facts;		/* packed; "" if it could not be scanned */
};

/* RC_NONE: a cap is reached, and err says which.  RC_LIMIT, RC_TEMP: the disk.
 * Any thread; blocks for the disk. */
enum rc held_put(struct held *h, const struct held_item *what, struct msg_id *as,
	struct err *err) MUST_CHECK;
struct held_sum {
	unsigned files;
	uint64_t bytes;		/* on the disk */
};

struct held_sum held_sum(struct held *h);
/* Once a minute: what house has removed or is past keep_ms is not counted any more. */
void held_minute(struct held *h, uint64_t wall_ms);

/* ---- house, and the command line ---- */

struct held_about {
	struct msg_id id;
	uint64_t wall_ms, size;	/* size 0: the file is damaged (held_each) */
	uint8_t digest[32];	/* as received; zeros from held_each: it is sealed */
};

/* Decrypts: the facts into *facts (malloc'd, with *len), the file into `out` from its
 * start.  RC_NONE: not there (any more).  RC_BAD: damaged, or not for this key. */
enum rc held_get(int dir, const char *id, const uint8_t private_key[SEAL_PRIVATE], int out,
	struct held_about *about, char **facts, size_t *len, struct err *err) MUST_CHECK;
/* The header alone; for each file there is (stops when fn returns false). */
typedef bool held_fn(const struct held_about *about, void *arg);
enum rc held_each(int dir, held_fn *fn, void *arg, struct err *err) MUST_CHECK;
enum rc held_remove(int dir, const char *id, struct err *err);
