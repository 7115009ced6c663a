/* SPDX-License-Identifier: ISC */
/*
 * refusals: the register of content refusals: one row for each link that was given.
 *
 * data/refusals.db, house's.  Rows come from the journals, idempotently, as the ledger's
 * do (refusals_enter); what people decide is written here directly and synced.  Rows
 * live as long as the link: keep_ms after the refusal (a day at least, so that the page
 * behind it can explain), then they go; the held file goes when no row needs it.
 *
 * A refusal's name is ID.N: the message's id and the number of the answer in it (N = 1
 * unless PRDR gave several links).  ID alone names it if it is the only one.  A token
 * is only kept as its SHA-256.
 *
 * Any thread; one lock.  Strings given out are in the caller's arena.
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

enum { REFUSAL_NAME = 32, REFUSAL_WHO = 100, NOTICE_ABOUT = 100 };

struct refusal {
	struct msg_id id;
	uint32_t n;
	enum refusal_state state;
	uint64_t time_ms, expires_ms, decided_ms;
	uint64_t held_until_ms;
	str client, helo, sender;
	str findings, reason;	/* as in the ledger */
	int32_t score;
	uint64_t size;
	bool virus;		/* refused for a virus: every release is the postmaster's own risk */
	bool held;		/* the original was kept, and its time is not over */
	struct msg_id held_as, release_id;	/* "" if none; release_id: also of one begun */
	str decided_by;
	size_t nrcpts;
	str *rcpts;		/* whom this answer was for */
};

/* "ID.N" */
void refusal_name(const struct refusal *f, char out[REFUSAL_NAME]);
const char *refusal_state_name(enum refusal_state s);	/* "open", … */

struct refusals_want {
	int data;		/* the data folder; must stay open */
	uint64_t keep_ms;
	bool read_only;		/* RC_NONE at opening when there is none yet */
};

enum rc refusals_open(const struct refusals_want *w, struct refusals **out, struct err *err)
	MUST_CHECK;
void refusals_close(struct refusals **rp);
void refusals_set_keep(struct refusals *r, uint64_t keep_ms);

/* Refused recipients with a token become rows; records with JREC_RELEASED mark theirs,
 * those with JREC_NOTICE their notice.  Not synced: refusals_checkpoint() does that and
 * writes down how far it is. */
enum rc refusals_enter(struct refusals *r, const char *journal, const struct journal_item *items,
	size_t n, struct err *err) MUST_CHECK;
enum rc refusals_applied(struct refusals *r, const char *journal, uint64_t *seq, struct err *err)
	MUST_CHECK;
enum rc refusals_checkpoint(struct refusals *r, struct err *err) MUST_CHECK;

/* Newest first; state 0: all.  fn runs without the lock; what it is given lives until it
 * returns. */
typedef enum rc refusal_fn(const struct refusal *f, void *arg, struct err *err);
enum rc refusals_each(struct refusals *r, enum refusal_state state, refusal_fn *fn, void *arg,
	struct err *err) MUST_CHECK;
/* Those of one message, by n. */
enum rc refusals_of(struct refusals *r, const struct msg_id *id, refusal_fn *fn, void *arg,
	struct err *err) MUST_CHECK;
/* "ID" (if it is the only one: RC_BAD otherwise) or "ID.N".  RC_NONE: none. */
enum rc refusals_find(struct refusals *r, str name, struct arena *mem, struct refusal *out,
	struct err *err) MUST_CHECK;
/* By the token of a link, for the page behind it. */
enum rc refusals_by_token(struct refusals *r, str token, struct arena *mem, struct refusal *out,
	struct err *err) MUST_CHECK;
/* Is there a row that needs this file of held/ now? */
enum rc refusals_need(struct refusals *r, const struct msg_id *held, uint64_t wall_ms,
	bool *out, struct err *err) MUST_CHECK;
/* Who saw it, oldest first. */
typedef enum rc refusal_opened_fn(uint64_t time_ms, str who, str why, void *arg,
	struct err *err);
enum rc refusals_openings(struct refusals *r, const struct refusal *f, refusal_opened_fn *fn,
	void *arg, struct err *err) MUST_CHECK;

/* Synced when they return.  Somebody is about to see or release the original. */
enum rc refusals_opened(struct refusals *r, const struct refusal *f, str who, str why,
	struct err *err) MUST_CHECK;
enum rc refusals_dismiss(struct refusals *r, const struct refusal *f, str who, struct err *err)
	MUST_CHECK;
/* The id under which the original is to be delivered: the same one however often it is
 * asked for, so that a release that was cut off and begun again gives one copy. */
enum rc refusals_release_id(struct refusals *r, const struct refusal *f, str who,
	struct msg_id *id, struct err *err) MUST_CHECK;
/* Removes rows past their time and held files that no row needs.  For who has just
 * applied all of gate's journal: a record that waits may name an old file. */
enum rc refusals_expire(struct refusals *r, int held_dir, uint64_t wall_ms, struct err *err)
	MUST_CHECK;
/* Rows of refusals newer than this have not gone. */
enum rc refusals_expired(struct refusals *r, uint64_t *time_ms, struct err *err) MUST_CHECK;
/* When a file of held/ without a row is left over from a crash, not on its way. */
uint64_t refusals_orphan_ms(const struct refusals *r);

/*
 * What the postmaster is to be told: that a message stopped the scanner twice.  The id
 * of the mail is written down, synced, before it is given out, and the same one is given
 * out until a record with JREC_NOTICE and it has been entered: so it comes once.
 * At most one an hour; what happens meanwhile is in the next.
 */
struct notice_about {
	char name[REFUSAL_NAME];
	uint64_t time_ms;
	str client, sender;
	bool held;
};

struct notice {
	struct msg_id message;
	uint64_t made_ms;
	size_t n;
	uint64_t more;		/* not in about[] */
	struct notice_about about[NOTICE_ABOUT];
};

/* RC_NONE: nothing is due. */
enum rc refusals_notice(struct refusals *r, uint64_t wall_ms, struct arena *mem,
	struct notice *out, struct err *err) MUST_CHECK;

enum rc refusals_check(struct refusals *r, struct err *err) MUST_CHECK;	/* RC_PERM: unsound */
enum rc refusals_copy(struct refusals *r, int dirfd, struct err *err) MUST_CHECK;
