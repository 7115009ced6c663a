/* SPDX-License-Identifier: ISC */
/*
 * letters: which mail of our own about refusals is due, and under which id: tables of the register
 * (refusals.h).  An id is written down, synced, with what its letter is about before it is given out, and
 * the same letter is given out until a record with JREC_NOTICE and that id has been entered: so it
 * comes once.  Composing and sending is deliver/letters.h.  Any thread.
 */
#pragma once

#include "held/appeals.h"

enum letter_kind {
	LETTER_APPEAL = 1, /* the sender has spoken */
	LETTER_DAILY, /* what was refused for one account */
};

enum {
	LETTER_ABOUT = 100, /* refusals that one tells of; `more` counts the rest of a day's */
	LETTERS_HOUR =
		10, /* about appeals in an hour, to each address; the rest waits for a place */
	LETTERS_WAITED_MS = 10 * 60 * 1000, /* what waited longer comes in one letter */
};

struct letter_about {
	struct msg_id id;
	uint32_t n;
	enum decider_role role;
};

struct letter {
	struct msg_id message;
	enum letter_kind kind;
	str address; /* of the account it goes to */
	uint64_t made_ms;
	size_t n;
	uint64_t more;
	struct letter_about about[LETTER_ABOUT];
};

/* RC_NONE: nothing is due. */
enum rc letters_next(struct refusals *r, uint64_t wall_ms, struct arena *mem,
	struct letter *out, struct err *err) MUST_CHECK;
/* Nobody is there to get it, or nothing is left to say: it counts as sent. */
enum rc letters_drop(
	struct refusals *r, const struct msg_id *message, struct err *err) MUST_CHECK;
/* It has room for the first `keep` only (> 0): the rest waits for the next one, again. */
enum rc letters_put_back(struct refusals *r, const struct letter *l, size_t keep,
	struct err *err) MUST_CHECK;
/* Makes the pages behind links, with one sync; again with the same is well. */
enum rc deciders_put(struct refusals *r, const struct decider d[], size_t n,
	struct err *err) MUST_CHECK;

/* One sentence for each that is not true: an appeal has its refusal, and the other way round; a letter that is
 * told of is there; where a server is running, none is stuck. */
enum rc letters_audit(struct refusals *r, uint64_t wall_ms, bool running,
	void (*breach)(str sentence, void *arg), void *arg, struct err *err) MUST_CHECK;

/* The daily letters: refusals of the time after *from_ms up to *to_ms are to be told, if it is time
 * (RC_NONE: it is not): a day after the last ones, with a little of their time, since a refusal is entered
 * later than it was made; the first time nothing older than a day. */
enum rc letters_daily_due(struct refusals *r, uint64_t wall_ms, uint64_t *from_ms,
	uint64_t *to_ms, struct err *err) MUST_CHECK;
/* All of them at once: rows[i] is told to rows[i].address, but not again; then the next are due a day
 * after to_ms. */
enum rc letters_daily_put(struct refusals *r, const struct decider rows[], size_t n,
	uint64_t to_ms, struct err *err) MUST_CHECK;
