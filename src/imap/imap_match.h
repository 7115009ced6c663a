/* SPDX-License-Identifier: ISC */
/*
 * imap_match: does a message match a search program (RFC 9051 6.4.4)?
 *
 * A program is compiled once, from the parser's tree to a line of steps, so that nothing
 * recurses, however deep a client nests, and is then asked for each message.  The answer has three
 * values: what is not known yet (texts; days near a boundary) is MAYBE, and so is
 * what depends on it.  Who is told MAYBE finds more out and asks again.
 *
 * Pure: no I/O, no session.  A struct match lives in the arena it was made in; any thread, one
 * at a time.
 */
#pragma once

#include "base/arena.h"
#include "store/search.h"
#include "store/view.h"
#include "wire/imap_search.h"

enum tri { TRI_NO, TRI_MAYBE, TRI_YES };	/* NOT is 2 - x, AND the least, OR the greatest */

enum { MATCH_KEYS = 1000 };	/* different texts in one program */

struct match;

/* What a program's words refer to. */
struct match_with {
	size_t count;		/* messages that the client knows */
	uint32_t last_uid;	/* of them; 0: none */
	size_t nsaved;		/* '$' (RFC 5182), ascending */
	const uint32_t *saved;
	uint64_t now_ms;	/* wall clock, for WITHIN (RFC 5032) */
};

/* Resolves the program's sets (once only).  RC_LIMIT: the arena is full. */
enum rc match_new(struct imap_search *program, const struct match_with *with,
	struct arena *mem, struct match **out, struct err *err) MUST_CHECK;
/* Its texts, one after the other, to be made UTF-8 in place; *at is 0 at first; NULL: no more. */
str *match_text(struct match *m, size_t *at);
/* Now they are: RC_LIMIT: too many. */
enum rc match_fold(struct match *m, struct err *err) MUST_CHECK;
/* The texts, folded, each once. */
size_t match_keys(const struct match *m, const struct search_key **out);
/* What can match at all lies here: [*from, *to] of the list. */
void match_range(const struct match *m, const struct view_list *l, size_t *from, size_t *to);
/* What it costs to ask: of keys and groups. */
size_t match_steps(const struct match *m);
bool match_asks_sent_day(const struct match *m);

struct match_row {
	const struct view_row *row;
	size_t seq;
	bool recent;
	bool knows_sent_day;
	int64_t sent_day;	/* as written in Date, whatever the zone: days since 1970 */
	const uint8_t *texts;	/* enum tri of each key; NULL: MAYBE, all of them */
};

enum tri match_row(struct match *m, const struct match_row *r);
