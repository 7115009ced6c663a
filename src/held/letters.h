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
	LETTER_ABOUT = 100, /* refusals that one tells of; `more` counts the rest */
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
/* Makes (token's SHA-256 in) the page behind a link; again with the same is well. */
enum rc deciders_put(struct refusals *r, const struct decider *d,
	const uint8_t token_hash[32], struct err *err) MUST_CHECK;

/* The daily letters: refusals of the time after *from_ms up to *to_ms are to be told, if it is time
 * (RC_NONE: it is not): a day after the last ones; the first time nothing older than a day. */
enum rc letters_daily_due(struct refusals *r, uint64_t wall_ms, uint64_t *from_ms,
	uint64_t *to_ms, struct err *err) MUST_CHECK;
/* All of them at once: rows[i] is told to rows[i].address; then the next are due a day after to_ms. */
enum rc letters_daily_put(struct refusals *r, const struct decider rows[], size_t n,
	uint64_t to_ms, struct err *err) MUST_CHECK;
