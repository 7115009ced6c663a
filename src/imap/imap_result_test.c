/* SPDX-License-Identifier: ISC */
#include "imap/imap_result.h"

#include "test/test.h"

static const uint32_t ten[] = { 2, 10, 11, 12, 13, 14, 15, 21 };
static const uint64_t modseqs[] = { 50, 9, 9, 9, 99, 9, 9, 70 };

static void
is(struct result r, const char *want)
{
	/* in one piece, and in the smallest ones */
	for (int pieces = 0; pieces < 2; pieces++) {
		struct result one = r;
		BUF_AUTO b = BUF(1 << 16);
		size_t enough = pieces == 0 ? SIZE_MAX : 1;

		while (!result_put(&one, &b, enough))
			enough = b.len + 1;
		assert_string_equal(buf_z(&b), want);
	}
}

#define FOUND .tag = STR("A282"), .n = 8, .numbers = ten, .form = RESULT_ESEARCH

TEST(a_search_answers_as_the_rfcs_show)
{
	is((struct result){ FOUND, .wants = RETURN_MIN | RETURN_COUNT },
		"* ESEARCH (TAG \"A282\") MIN 2 COUNT 8\r\n");
	is((struct result){ FOUND, .wants = RETURN_ALL },
		"* ESEARCH (TAG \"A282\") ALL 2,10:15,21\r\n");
	is((struct result){ FOUND, .wants = RETURN_MIN | RETURN_MAX, .uid = true },
		"* ESEARCH (TAG \"A282\") UID MIN 2 MAX 21\r\n");
	is((struct result){ FOUND, .wants = RETURN_SAVE }, "");
	is((struct result){ FOUND, .wants = RETURN_SAVE | RETURN_MIN },
		"* ESEARCH (TAG \"A282\") MIN 2\r\n");
	is((struct result){ .form = RESULT_SEARCH, .n = 3, .numbers = ten },
		"* SEARCH 2 10 11\r\n");
}

TEST(a_search_that_finds_nothing_is_answered_all_the_same)
{
	struct result r = { .tag = STR("A284"), .form = RESULT_ESEARCH };

	r.modseqs = modseqs;
	r.wants = RETURN_ALL;
	is(r, "* ESEARCH (TAG \"A284\")\r\n");
	r.wants = RETURN_MIN | RETURN_MAX | RETURN_COUNT;
	is(r, "* ESEARCH (TAG \"A284\") COUNT 0\r\n");
	r.form = RESULT_SEARCH;
	is(r, "* SEARCH\r\n");
	r.form = RESULT_SORT;
	is(r, "* SORT\r\n");
}

TEST(a_page_of_a_search_is_the_page_that_was_asked_for)
{
	struct result r = { FOUND, .wants = RETURN_PARTIAL, .uid = true };

	r.partial_from = 1;
	r.partial_to = 3;
	is(r, "* ESEARCH (TAG \"A282\") UID PARTIAL (1:3 2,10:11)\r\n");
	r.partial_from = 3;
	r.partial_to = 1;
	is(r, "* ESEARCH (TAG \"A282\") UID PARTIAL (3:1 2,10:11)\r\n");
	r.partial_from = -1;
	r.partial_to = -3;
	is(r, "* ESEARCH (TAG \"A282\") UID PARTIAL (-1:-3 14:15,21)\r\n");
	r.partial_from = -100;
	r.partial_to = -7;
	is(r, "* ESEARCH (TAG \"A282\") UID PARTIAL (-100:-7 2,10)\r\n");
	r.partial_from = 7;
	r.partial_to = 4294967295;
	is(r, "* ESEARCH (TAG \"A282\") UID PARTIAL (7:4294967295 15,21)\r\n");
	r.partial_from = 9;
	r.partial_to = 12;
	is(r, "* ESEARCH (TAG \"A282\") UID PARTIAL (9:12 NIL)\r\n");
	r.partial_from = r.partial_to = -9;
	is(r, "* ESEARCH (TAG \"A282\") UID PARTIAL (-9:-9 NIL)\r\n");
}

/* RFC 7162 3.1.5, RFC 4731 3.2 */
TEST(a_client_that_resynchronises_is_told_the_modseq_it_has_seen)
{
	struct result r = { FOUND, .modseqs = modseqs };

	r.wants = RETURN_MIN;
	is(r, "* ESEARCH (TAG \"A282\") MIN 2 MODSEQ 50\r\n");
	r.wants = RETURN_MAX;
	is(r, "* ESEARCH (TAG \"A282\") MAX 21 MODSEQ 70\r\n");
	r.wants = RETURN_MIN | RETURN_MAX;
	is(r, "* ESEARCH (TAG \"A282\") MIN 2 MAX 21 MODSEQ 70\r\n");
	r.wants = RETURN_MIN | RETURN_COUNT;
	is(r, "* ESEARCH (TAG \"A282\") MIN 2 COUNT 8 MODSEQ 99\r\n");
	r.wants = RETURN_ALL;
	is(r, "* ESEARCH (TAG \"A282\") ALL 2,10:15,21 MODSEQ 99\r\n");
	r.form = RESULT_SEARCH;
	is(r, "* SEARCH 2 10 11 12 13 14 15 21 (MODSEQ 99)\r\n");
	r.form = RESULT_SORT;
	is(r, "* SORT 2 10 11 12 13 14 15 21 (MODSEQ 99)\r\n");
}

/* RFC 5267 3.2, 3.3 */
TEST(a_sorted_set_keeps_its_order)
{
	static const uint32_t sorted[] = { 23765, 23764, 23763, 23761, 1, 2, 3, 9 };

	is((struct result){ .tag = STR("E01"),
		   .n = 8,
		   .numbers = sorted,
		   .form = RESULT_ESEARCH,
		   .wants = RETURN_ALL | RETURN_MIN | RETURN_MAX,
		   .uid = true },
		"* ESEARCH (TAG \"E01\") UID MIN 23765 MAX 9 "
		"ALL 23765,23764,23763,23761,1:3,9\r\n");
}

static void
chosen(unsigned wants, size_t n, size_t from, size_t to, bool min, bool max)
{
	struct result_part p = result_chosen(wants | RETURN_SAVE, 2, 4, n);

	assert_int_equal(p.from, from);
	assert_int_equal(p.to, to);
	assert_int_equal(p.min, min);
	assert_int_equal(p.max, max);
}

/* RFC 5182 2.4, RFC 9394 3.2: table 1 */
TEST(the_saved_result_is_what_was_returned)
{
	chosen(0, 8, 0, 8, false, false);
	chosen(RETURN_MIN, 8, 0, 0, true, false);
	chosen(RETURN_MAX, 8, 0, 0, false, true);
	chosen(RETURN_MIN | RETURN_MAX, 8, 0, 0, true, true);
	chosen(RETURN_MIN | RETURN_MAX, 0, 0, 0, false, false);
	chosen(RETURN_ALL, 8, 0, 8, false, false);
	chosen(RETURN_COUNT | RETURN_MIN, 8, 0, 8, false, false);
	chosen(RETURN_PARTIAL, 8, 1, 4, false, false);
	chosen(RETURN_PARTIAL | RETURN_MIN, 8, 1, 4, true, false);
	chosen(RETURN_PARTIAL | RETURN_MIN | RETURN_MAX, 8, 1, 4, true, true);
	chosen(RETURN_PARTIAL | RETURN_COUNT | RETURN_MAX, 8, 0, 8, false, false);
}
