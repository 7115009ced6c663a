/* SPDX-License-Identifier: ISC */
#include "mime/msgid.h"

#include "base/buf.h"
#include "mime/utf8.h"
#include "test/test.h"

TEST(threads_find_the_ids_that_replies_name)
{
	static const struct {
		const char *value, *want;
		size_t most;
	} cases[] = {
		{ "<a@x> <b@x>", "a@x b@x", 10 },
		{ "<a@x><b@x>\t<c@x>", "b@x c@x", 2 },
		{ "Message from Joe <joe of \"Mon\" <a@x>", "a@x", 10 },
		{ "<very-long- id@x>", "very-long-id@x", 10 },
		{ "a@x b@x", "a@x b@x", 10 },
		{ "hello there", "", 10 },
		{ "<a@x", "", 10 },
		{ "<> <  > <a@x>", "a@x", 10 },
		{ "", "", 10 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(64 * 1024);
		BUF_AUTO b = BUF(4096);
		struct msgid_list l;

		assert_int_equal(
			msgid_parse(str_of(cases[i].value), cases[i].most, mem, &l),
			RC_OK);
		for (size_t k = 0; k < l.n; k++)
			buf_addf(&b, "%s" STR_FMT, k > 0 ? " " : "", STR_ARG(l.at[k]));
		assert_string_equal(buf_z(&b), cases[i].want);
	}
}

TEST(utf8_table)
{
	static const struct {
		str s;
		bool want;
	} cases[] = {
		{ STR_INIT(""), true },
		{ STR_INIT("plain ascii, long enough"), true },
		{ STR_INIT("12345678\xc3\xa4"), true },
		{ STR_INIT("\xe2\x82\xac"), true },
		{ STR_INIT("\xf0\x9f\x98\x80"), true },
		{ STR_INIT("\xc0\x80"), false },
		{ STR_INIT("\xe0\x80\xaf"), false },
		{ STR_INIT("\xed\xa0\x80"), false },
		{ STR_INIT("\xf4\x90\x80\x80"), false },
		{ STR_INIT("\xc3"), false },
		{ STR_INIT("a\xe4"), false },
		{ STR_INIT("\xe2\x82"), false },
		{ STR_INIT("\xf5\x80\x80\x80"), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(utf8_valid(cases[i].s), cases[i].want);
}
