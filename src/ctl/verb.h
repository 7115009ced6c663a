/* SPDX-License-Identifier: ISC */
/*
 * verb: the command line's words.
 *
 * A verb is one function and one row; help and gatepost(8) come from the rows.
 * It runs where the data is: in house, when a server runs (the words and
 * standard input travel over the control socket, output comes back), otherwise
 * in the command itself, which became the data's owner and took the lock.  So
 * it reads words and writes buffers, and opens nothing outside the data folder.
 *
 * VERB_LOCAL rows run in the command itself always (init, serve, check, backup).
 */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "deliver/apply.h"
#include "deliver/own.h"
#include "directory/directory.h"
#include "held/refusals.h"
#include "ledger/ledger.h"
#include "store/search.h"
#include "store/store.h"

struct verb_io {
	const struct conf *conf;
	const char *conf_path;
	int data;			/* the data folder */
	struct directory *directory;
	struct store *store;
	struct ledger *ledger;
	struct refusals *refusals;
	struct search *search;		/* inside house; else NULL: verb_search() opens it */
	struct apply *apply;		/* inside house; else NULL */
	struct own *own;		/* inside house; else NULL */
	str who;			/* who calls, for what is written down about it */
	const uint8_t *held_key;	/* opens held originals: SEAL_PRIVATE bytes; NULL: missing */
	bool running;			/* inside house, a server is up */
	str input;			/* standard input or --from-file, at most 64 MiB */
	bool json;			/* --json was given (and taken out of the words) */
	/* Output: sent on whenever it is large; never fails at the call. */
	void (*out)(struct verb_io *io, str bytes);
	void *arg;
	struct arena *mem;
	struct err err;			/* the sentence for standard error */
	void (*changed_accounts)(struct verb_io *io);	/* store/directory changes to push */
};

enum verb_exit { VERB_DONE = 0, VERB_FAILED = 1, VERB_USAGE = 2 };

enum verb_flag {
	VERB_LOCAL = 1,			/* runs in the command itself */
	VERB_INPUT = 2,			/* wants standard input when --password-stdin or "-" */
	VERB_NO_CONF = 4,		/* runs before there are settings (init) */
};

struct verb {
	const char *words;		/* "account add" */
	const char *usage;		/* "ADDRESS [--password-stdin] [--quota SIZE]" */
	const char *doc;		/* one sentence */
	unsigned flags;
	enum verb_exit (*run)(struct verb_io *io, int argc, char **argv);	/* after the words */
};

extern const struct verb verbs[];	/* ended by words NULL */

/* The row whose words these begin with (longest), and how many words they were. */
const struct verb *verb_find(int argc, char **argv, int *used);
/* "account add: usage: …" into io->err; returns VERB_USAGE. */
enum verb_exit verb_usage(struct verb_io *io, const struct verb *v);
enum verb_exit verb_fail(struct verb_io *io, enum rc rc);	/* io->err is set; VERB_FAILED */
void verb_printf(struct verb_io *io, const char *fmt, ...) PRINTF(2, 3);
void verb_json(struct verb_io *io, json_t *value);	/* one line; steals the reference */
/* Takes "--name VALUE" out of the words; NULL when it is not there. */
const char *verb_option(int *argc, char **argv, const char *name);
bool verb_switch(int *argc, char **argv, const char *name);
