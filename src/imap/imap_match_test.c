/* SPDX-License-Identifier: ISC */
#include "imap/imap_match.h"

#include <stdlib.h>

#include "test/test.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DAY_S = DAY_MS / 1000 };

static const uint32_t saved[] = { 2, 5, 6 };
static const struct match_with with = {
	.count = 9, .last_uid = 90, .nsaved = 3, .saved = saved, .now_ms = 1000 * 1000
};

static struct match *
made(struct imap_search *program, struct arena *mem)
{
	struct match *m;
	struct err err = { 0 };

	assert_int_equal(match_new(program, &with, mem, &m, &err), RC_OK);
	assert_int_equal(match_fold(m, &err), RC_OK);
	return m;
}

static enum tri
matches(struct imap_search key, const struct view_row *row, size_t seq)
{
	ARENA_AUTO mem = arena_new(1 << 20);

	return match_row(made(&key, mem), &(struct match_row){ .row = row, .seq = seq });
}

#define KEY(...)           ((struct imap_search){ __VA_ARGS__ })
#define YES(row, seq, ...) assert_int_equal(matches(KEY(__VA_ARGS__), row, seq), TRI_YES)
#define NO(row, seq, ...)  assert_int_equal(matches(KEY(__VA_ARGS__), row, seq), TRI_NO)
#define MAYBE(row, seq, ...) \
	assert_int_equal(matches(KEY(__VA_ARGS__), row, seq), TRI_MAYBE)

TEST(what_a_row_says_is_found_by_it)
{
	struct view_row r = { .uid = 5,
		.flags = STORE_SEEN,
		.keywords = STR("$Forwarded bar foo"),
		.modseq = 77,
		.id = { "01ARZ3NDEKTSV4RRFFQ6" },
		.size = 1000,
		.received_ms = 900 * 1000,
		.saved_ms = (uint64_t)3 * DAY_MS,
		.thread = 12 };

	YES(&r, 3, .key = KEY_ALL);
	NO(&r, 3, .key = KEY_NEVER);
	YES(&r, 3, .key = KEY_FLAG, .flag = IMAP_SEEN);
	NO(&r, 3, .key = KEY_FLAG, .flag = IMAP_DELETED);
	YES(&r, 3, .key = KEY_KEYWORD, .text = STR("FOO"));
	YES(&r, 3, .key = KEY_KEYWORD, .text = STR("$forwarded"));
	NO(&r, 3, .key = KEY_KEYWORD, .text = STR("fo"));
	NO(&r, 3, .key = KEY_KEYWORD, .text = STR("fooo"));
	YES(&r, 3, .key = KEY_MODSEQ, .number = 77);
	NO(&r, 3, .key = KEY_MODSEQ, .number = 78);
	YES(&r, 3, .key = KEY_LARGER, .number = 999);
	NO(&r, 3, .key = KEY_LARGER, .number = 1000);
	YES(&r, 3, .key = KEY_SMALLER, .number = 1001);
	NO(&r, 3, .key = KEY_SMALLER, .number = 1000);
	/* RFC 5032: both at the second itself */
	YES(&r, 3, .key = KEY_YOUNGER, .number = 100);
	YES(&r, 3, .key = KEY_OLDER, .number = 100);
	NO(&r, 3, .key = KEY_YOUNGER, .number = 99);
	NO(&r, 3, .key = KEY_OLDER, .number = 101);
	YES(&r, 3, .key = KEY_EMAILID, .text = STR("M01ARZ3NDEKTSV4RRFFQ6"));
	NO(&r, 3, .key = KEY_EMAILID, .text = STR("01ARZ3NDEKTSV4RRFFQ6"));
	NO(&r, 3, .key = KEY_EMAILID, .text = STR("m01ARZ3NDEKTSV4RRFFQ6"));
	YES(&r, 3, .key = KEY_THREADID, .text = STR("T12"));
	NO(&r, 3, .key = KEY_THREADID, .text = STR("T012"));
	NO(&r, 3, .key = KEY_THREADID, .text = STR("T1"));
	NO(&r, 3, .key = KEY_THREADID, .text = STR("T"));
	YES(&r, 3, .key = KEY_SAVEDON, .days = 3);
	NO(&r, 3, .key = KEY_SAVEDBEFORE, .days = 3);
	YES(&r, 3, .key = KEY_SAVEDSINCE, .days = 3);
	YES(&r, 3, .key = KEY_SAVEDATESUPPORTED);
	YES(&r, 3, .key = KEY_OLD);
	NO(&r, 3, .key = KEY_RECENT);
}

TEST(days_are_those_that_internaldate_shows)
{
	struct view_row r = { .uid = 1, .received_ms = (uint64_t)10 * DAY_MS };

	for (int last = 0; last < 2; last++) {
		NO(&r, 1, .key = KEY_BEFORE, .days = 10);
		YES(&r, 1, .key = KEY_BEFORE, .days = 11);
		YES(&r, 1, .key = KEY_ON, .days = 10);
		NO(&r, 1, .key = KEY_ON, .days = 9);
		YES(&r, 1, .key = KEY_SINCE, .days = 10);
		NO(&r, 1, .key = KEY_SINCE, .days = 11);
		r.received_ms = (uint64_t)11 * DAY_MS - 1;
	}
}

/* Date's day is as written: from the moment alone it is one of three. */
TEST(the_day_in_date_counts_whatever_its_zone)
{
	struct view_row r = { .uid = 1, .sent_s = (int64_t)10 * DAY_S + 1 };
	struct match_row ask = { .row = &r, .knows_sent_day = true, .sent_day = 11 };
	ARENA_AUTO mem = arena_new(1 << 20);
	struct imap_search on = KEY(.key = KEY_SENTON, .days = 11);

	MAYBE(&r, 1, .key = KEY_SENTON, .days = 11);
	MAYBE(&r, 1, .key = KEY_SENTON, .days = 9);
	NO(&r, 1, .key = KEY_SENTON, .days = 8);
	YES(&r, 1, .key = KEY_SENTBEFORE, .days = 12);
	MAYBE(&r, 1, .key = KEY_SENTBEFORE, .days = 11);
	NO(&r, 1, .key = KEY_SENTBEFORE, .days = 9);
	YES(&r, 1, .key = KEY_SENTSINCE, .days = 9);
	MAYBE(&r, 1, .key = KEY_SENTSINCE, .days = 11);
	NO(&r, 1, .key = KEY_SENTSINCE, .days = 12);
	struct match *m = made(&on, mem);
	assert_true(match_asks_sent_day(m));
	assert_int_equal(match_row(m, &ask), TRI_YES);
	/* before 1970, and none */
	r.sent_s = -1;
	YES(&r, 1, .key = KEY_SENTBEFORE, .days = 1);
	NO(&r, 1, .key = KEY_SENTSINCE, .days = 1);
	r.sent_s = INT64_MIN;
	NO(&r, 1, .key = KEY_SENTBEFORE, .days = 100000);
	NO(&r, 1, .key = KEY_SENTSINCE, .days = -100000);
}

TEST(sets_are_of_numbers_or_of_uids_and_may_be_the_saved_ones)
{
	struct imap_range some[] = { { 7, 8 }, { 3, 3 } },
			  star[] = { { IMAP_STAR, IMAP_STAR } };
	struct imap_set set = { .n = 2, .at = some }, last = { .n = 1, .at = star };
	struct view_row r = { .uid = 8 };

	YES(&r, 3, .key = KEY_SEQ, .set = set);
	NO(&r, 4, .key = KEY_SEQ, .set = set);
	YES(&r, 4, .key = KEY_UID, .set = set);
	r.uid = 9;
	NO(&r, 4, .key = KEY_UID, .set = set);
	NO(&r, 4, .key = KEY_SEQ, .set = last);
	YES(&r, 9, .key = KEY_SEQ,
		.set = { .n = 1,
			.at = (struct imap_range[]){ { IMAP_STAR, IMAP_STAR } } });
	r.uid = 5;
	YES(&r, 4, .key = KEY_SEQ, .set = { .saved = true });
	YES(&r, 4, .key = KEY_UID, .set = { .saved = true });
	r.uid = 4;
	NO(&r, 5, .key = KEY_SEQ, .set = { .saved = true });
}

TEST(an_empty_text_is_in_every_message_and_a_field_is_there_or_not)
{
	struct view_row r = { .uid = 1 };

	YES(&r, 1, .key = KEY_BODY);
	YES(&r, 1, .key = KEY_TEXT);
	MAYBE(&r, 1, .key = KEY_HEADER, .field = STR("Subject"));
	NO(&r, 1, .key = KEY_HEADER, .text = STR("x"));
	MAYBE(&r, 1, .key = KEY_BODY, .text = STR("x"));
}

TEST(a_text_is_looked_for_once_however_often_it_is_named)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	struct imap_search keys[] = {
		KEY(.key = KEY_TEXT, .text = STR("Hello")),
		KEY(.key = KEY_BODY, .text = STR("hello")),
		KEY(.key = KEY_TEXT, .text = STR("HELLO")),
		KEY(.key = KEY_HEADER, .field = STR("Subject"), .text = STR("hello")),
		KEY(.key = KEY_HEADER, .field = STR("SUBJECT"), .text = STR("Hello")),
		KEY(.key = KEY_KEYWORD, .text = STR("hello")),
	};
	struct imap_search all = KEY(.key = KEY_AND, .first = keys);
	const struct search_key *got;
	size_t at = 0, n = 0;

	for (size_t i = 0; i + 1 < sizeof(keys) / sizeof(keys[0]); i++)
		keys[i].next = &keys[i + 1];
	struct match *m = made(&all, mem);
	while (match_text(m, &at) != NULL)
		n++;
	assert_int_equal(n, 5);
	assert_int_equal(match_keys(m, &got), 3);
	assert_true(got[0].head && got[0].text);
	assert_true(!got[1].head && got[1].text);
	assert_true(got[2].head && !got[2].text);
	assert_true(str_eq(got[0].what, got[2].what));
}

/* ---- against the same, slowly ---- */

enum { NODES = 40 };

struct random_program {
	struct imap_search nodes[NODES];
	size_t n;
	char texts[NODES][4];
	unsigned *seed;
};

static unsigned
dice(struct random_program *p, unsigned sides)
{
	return (unsigned)rand_r(p->seed) % sides;
}

static struct imap_search *
grow(struct random_program *p, unsigned depth)
{
	struct imap_search *k = &p->nodes[p->n];
	size_t i = p->n++;
	unsigned what = dice(p, 10);

	*k = KEY(.key = KEY_TEXT);
	p->texts[i][0] = (char)('a' + dice(p, 6));
	p->texts[i][1] = '\0';
	k->text = str_of(p->texts[i]);
	if (what < 3 || depth == 0 || p->n + 5 > NODES) {
		k->key = what % 2 == 0 ? KEY_TEXT : KEY_FLAG;
		k->flag = 1u << dice(p, 5);
		return k;
	}
	k->key = what < 5 ? KEY_NOT : what < 8 ? KEY_AND : KEY_OR;
	struct imap_search **last = &k->first;
	size_t children = what < 5 ? 1 : dice(p, 4);
	for (size_t c = 0; c < children && p->n + 5 <= NODES; c++) {
		*last = grow(p, depth - 1);
		last = &(*last)->next;
	}
	if (k->key == KEY_NOT && k->first == NULL)
		k->key = KEY_ALL;
	return k;
}

/* texts: a bit for each letter. */
static bool
slowly(const struct imap_search *k, unsigned flags, unsigned texts)
{
	bool v = k->key == KEY_AND;

	if (k->key == KEY_TEXT)
		return (texts >> (k->text.ptr[0] - 'a') & 1) != 0;
	if (k->key == KEY_FLAG)
		return (flags & k->flag) != 0;
	if (k->key == KEY_NOT)
		return !slowly(k->first, flags, texts);
	if (k->key == KEY_ALL)
		return true;
	for (const struct imap_search *c = k->first; c != NULL; c = c->next)
		v = k->key == KEY_AND ? v && slowly(c, flags, texts)
				      : v || slowly(c, flags, texts);
	return v;
}

/* MAYBE is never wrong: when nothing is open the answer is that of logic, and an answer that is given
 * while something is open stays the same whatever that turns out to be. */
TEST(a_search_is_answered_as_logic_says)
{
	unsigned seed = 11;

	for (int round = 0; round < 3000; round++) {
		ARENA_AUTO mem = arena_new(1 << 20);
		struct random_program p = { .seed = &seed };
		struct imap_search *program = grow(&p, 8);
		struct match *m = made(program, mem);
		const struct search_key *keys;
		size_t nkeys = match_keys(m, &keys);
		unsigned texts = dice(&p, 64), open = dice(&p, 64);
		struct view_row row = { .uid = 1, .flags = dice(&p, 32) };
		uint8_t says[8];
		struct match_row ask = { .row = &row, .texts = says };

		assert_true(nkeys <= 6);
		for (int pass = 0; pass < 2; pass++) {
			for (size_t k = 0; k < nkeys; k++) {
				/* titlecase: 'A' */
				unsigned bit = (unsigned)(keys[k].what.ptr[0] | 32) - 'a';

				says[k] = (texts >> bit & 1) != 0 ? TRI_YES : TRI_NO;
				if (pass == 1 && (open >> bit & 1) != 0)
					says[k] = TRI_MAYBE;
			}
			enum tri got = match_row(m, &ask);
			bool want = slowly(program, row.flags, texts);
			if (pass == 0)
				assert_int_equal(got, want ? TRI_YES : TRI_NO);
			else if (got != TRI_MAYBE)
				assert_int_equal(got == TRI_YES, want);
		}
	}
}

TEST(a_search_as_deep_as_it_can_be_costs_no_stack)
{
	enum { DEEP = 100000 };
	ARENA_AUTO mem = arena_new(1 << 26);
	struct imap_search *k = arena_array(mem, DEEP, sizeof(*k));
	struct view_row row = { .uid = 1 };

	for (size_t i = 0; i < DEEP; i++)
		k[i] = KEY(.key = i % 2 == 0 ? KEY_NOT : KEY_OR, .first = &k[i + 1]);
	k[DEEP - 1] = KEY(.key = KEY_ALL);
	assert_int_equal(
		match_row(made(k, mem), &(struct match_row){ .row = &row }), TRI_YES);
}
