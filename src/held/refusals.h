/* SPDX-License-Identifier: ISC */
/*
 * refusals: the register of content refusals: one row for each link that was given.
 *
 * data/refusals.db, house's.  Rows come from the journals, idempotently, as the ledger's
 * do (refusals_enter); what people decide is written here directly and synced.  Rows
 * live as long as the link: keep_ms after the refusal, then row and held file go
 * (the file when no live row names it).
 *
 * A refusal's name is ID.N: the message's id and the number of the answer in it (N = 1
 * unless PRDR gave several links).  ID alone names all of them.  A token is only
 * kept as its SHA-256.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ids.h"
#include "journal/journal.h"

struct refusals;

enum refusal_state {
	REFUSAL_OPEN = 1,
	REFUSAL_APPEALED,	/* the sender has spoken (the page behind the link) */
	REFUSAL_RELEASED,	/* the original was delivered, once */
	REFUSAL_DISMISSED,	/* the appeal was looked at and turned down */
};

struct refusal {
	struct msg_id id;
	uint32_t n;
	enum refusal_state state;
	uint64_t time_ms, expires_ms, decided_ms;
	str client, helo, sender;
	str findings, reason;	/* as in the ledger */
	int32_t score;
	uint64_t size;
	bool virus;		/* refused for a virus: every release is the postmaster's own risk */
	bool held;		/* the original is there */
	struct msg_id held_as, release_id;	/* "" if none */
	str decided_by;
	size_t nrcpts;
	str *rcpts;		/* whom this answer was for */
};

struct refusals_want {
	int data;
	uint64_t keep_ms;
	bool read_only;
};

enum rc refusals_open(const struct refusals_want *w, struct refusals **out, struct err *err)
	MUST_CHECK;
void refusals_close(struct refusals **rp);

/* Refused recipients with a token become rows; records with JREC_RELEASED mark theirs.
 * Not synced: refusals_checkpoint() does that and writes down how far it is. */
enum rc refusals_enter(struct refusals *r, const char *journal, const struct journal_item *items,
	size_t n, struct err *err) MUST_CHECK;
enum rc refusals_applied(struct refusals *r, const char *journal, uint64_t *seq, struct err *err)
	MUST_CHECK;
enum rc refusals_checkpoint(struct refusals *r, struct err *err) MUST_CHECK;

/* Newest first.  state 0: all. */
typedef enum rc refusal_fn(const struct refusal *f, void *arg, struct err *err);
enum rc refusals_each(struct refusals *r, enum refusal_state state, refusal_fn *fn, void *arg,
	struct err *err) MUST_CHECK;
/* "ID" (if it is the only one: RC_BAD otherwise) or "ID.N".  RC_NONE: none. */
enum rc refusals_find(struct refusals *r, str name, struct arena *mem, struct refusal *out,
	struct err *err) MUST_CHECK;
/* By the token of a link, for the page behind it. */
enum rc refusals_by_token(struct refusals *r, str token, struct arena *mem, struct refusal *out,
	struct err *err) MUST_CHECK;

/* Synced when they return.  Somebody is about to see or release the original. */
enum rc refusals_opened(struct refusals *r, const struct refusal *f, str who, str why,
	struct err *err) MUST_CHECK;
enum rc refusals_dismiss(struct refusals *r, const struct refusal *f, str who, struct err *err)
	MUST_CHECK;
/* The id under which the original is to be delivered: the same one however often it is
 * asked for, so that a release that was cut off and begun again gives one copy. */
enum rc refusals_release_id(struct refusals *r, const struct refusal *f, str who,
	struct msg_id *id, struct err *err) MUST_CHECK;
/* Removes rows past their time and held files that no row names. */
enum rc refusals_expire(struct refusals *r, int held_dir, uint64_t wall_ms, struct err *err)
	MUST_CHECK;
