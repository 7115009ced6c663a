/* SPDX-License-Identifier: ISC */
#include "wire/pop3.h"

#include "base/buf.h"
#include "test/test.h"

TEST(command_lines_are_taken_apart)
{
	static const struct {
		str line;
		size_t n;
		const char *word, *first, *second, *rest;
	} cases[] = {
		/* RFC 1939 10 */
		{ STR_INIT("STAT"), 0, "STAT", "", "", "" },
		{ STR_INIT("APOP mrose c4c9334bac560ecc979e58001b3e22fb"), 2, "APOP",
			"mrose", "c4c9334bac560ecc979e58001b3e22fb",
			"mrose c4c9334bac560ecc979e58001b3e22fb" },
		{ STR_INIT("RETR 1"), 1, "RETR", "1", "", "1" },
		{ STR_INIT("TOP 1 10"), 2, "TOP", "1", "10", "1 10" },
		{ STR_INIT("TOP 1 10 3"), 2, "TOP", "1", "10 3", "1 10 3" },
		{ STR_INIT("top  1   10"), 2, "top", "1", "10", " 1   10" },
		{ STR_INIT("PASS a b  c "), 2, "PASS", "a", "b  c ", "a b  c " },
		{ STR_INIT("PASS  x"), 1, "PASS", "x", "", " x" },
		{ STR_INIT("USER p\xc3\xa9ter"), 1, "USER", "p\xc3\xa9ter", "",
			"p\xc3\xa9ter" },
		{ STR_INIT("QUIT "), 0, "QUIT", "", "", "" },
		/* RFC 5034 4 */
		{ STR_INIT("AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q="), 2, "AUTH", "PLAIN",
			"dGVzdAB0ZXN0AHRlc3Q=", "PLAIN dGVzdAB0ZXN0AHRlc3Q=" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pop3_cmd c;

		assert_int_equal(pop3_parse(cases[i].line, &c), RC_OK);
		assert_int_equal(c.nargs, cases[i].n);
		assert_true(str_eq(c.word, str_of(cases[i].word)));
		assert_true(str_eq(c.args[0], str_of(cases[i].first)));
		assert_true(str_eq(c.args[1], str_of(cases[i].second)));
		assert_true(str_eq(c.rest, str_of(cases[i].rest)));
	}
}

TEST(what_is_no_command_line_is_refused)
{
	static const str cases[] = { STR_INIT(""), STR_INIT(" "), STR_INIT(" STAT"),
		STR_INIT("STAT\r"), STR_INIT("ST\0AT"), STR_INIT("PASS a\tb"),
		STR_INIT("\x7f"), STR_INIT("ST\xc3\xa4T") };
	struct pop3_cmd c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(pop3_parse(cases[i], &c), RC_BAD);
}

TEST(long_lines_are_only_taken_with_a_response_in_them)
{
	BUF_AUTO b = BUF(POP3_AUTH_MOST + 1);
	struct pop3_cmd c;

	buf_addz(&b, "PASS ");
	while (b.len < POP3_LINE_MOST)
		buf_addc(&b, 'x');
	assert_int_equal(pop3_parse(buf_str(&b), &c), RC_OK);
	buf_addc(&b, 'x');
	assert_int_equal(pop3_parse(buf_str(&b), &c), RC_BAD);
	buf_clear(&b);
	buf_addz(&b, "auth PLAIN ");
	while (b.len < POP3_AUTH_MOST)
		buf_addc(&b, 'x');
	assert_int_equal(pop3_parse(buf_str(&b), &c), RC_OK);
	buf_addc(&b, 'x');
	assert_int_equal(pop3_parse(buf_str(&b), &c), RC_BAD);
}

TEST(message_numbers_begin_with_one)
{
	uint32_t n;

	assert_true(pop3_number(STR("1"), &n) && n == 1);
	assert_true(pop3_number(STR("4294967295"), &n) && n == UINT32_MAX);
	assert_false(pop3_number(STR("0"), &n));
	assert_false(pop3_number(STR("4294967296"), &n));
	assert_false(pop3_number(STR("-1"), &n));
	assert_false(pop3_number(STR("1 2"), &n));
	assert_false(pop3_number(STR(""), &n));
}
