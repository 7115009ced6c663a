/* SPDX-License-Identifier: ISC */
#include "wire/imap_put.h"
#include "test/test.h"

enum { MEM = 64 * 1024 };

TEST(strings_come_out_as_they_went_in)
{
	static const struct {
		str in;
		const char *out;
	} cases[] = {
		{ STR_INIT("From"), "From" },
		{ STR_INIT(""), "\"\"" },
		{ STR_INIT("nil"), "\"nil\"" },
		{ STR_INIT("a b"), "\"a b\"" },
		{ STR_INIT("a\"b"), "\"a\\\"b\"" },
		{ STR_INIT("x]"), "x]" },
		{ STR_INIT("(x)"), "\"(x)\"" },
		{ STR_INIT("%"), "\"%\"" },
		{ STR_INIT("\xc3\xa9"), "{2}\r\n\xc3\xa9" },
		{ STR_INIT("a\r\nb OK"), "{7}\r\na\r\nb OK" },
		{ STR_INIT("a\nb"), "{3}\r\na\nb" },
	};
	struct arena *mem = arena_new(MEM);
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		str s;

		buf_clear(&b);
		imap_put_astring(&b, cases[i].in);
		assert_string_equal(buf_z(&b), cases[i].out);
		struct imap_lex x = imap_lex(buf_str(&b), false, mem);
		assert_true(lex_astring(&x, &s) && lex_end(&x) && str_eq(s, cases[i].in));
	}
	arena_free(&mem);
}

TEST(flags_are_told)
{
	static const struct {
		unsigned flags;
		bool recent;
		str keywords;
		const char *out;
	} cases[] = {
		{ 0, false, STR_INIT(""), "()" },
		{ 0, true, STR_INIT(""), "(\\Recent)" },
		{ 0, false, STR_INIT("a b"), "(a b)" },
		{ IMAP_SEEN, false, STR_INIT(""), "(\\Seen)" },
		{ IMAP_SEEN | IMAP_DELETED, true, STR_INIT("$Junk"),
			"(\\Deleted \\Seen \\Recent $Junk)" },
		{ 31, true, STR_INIT("x"),
			"(\\Answered \\Flagged \\Deleted \\Seen \\Draft \\Recent x)" },
	};
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		imap_put_flags(&b, cases[i].flags, cases[i].recent, cases[i].keywords);
		assert_string_equal(buf_z(&b), cases[i].out);
	}
}

TEST(dates_are_told)
{
	static const struct {
		uint64_t s;
		const char *out;
	} cases[] = {
		{ 0, "\"01-Jan-1970 00:00:00 +0000\"" },
		{ 837571465, "\"17-Jul-1996 02:44:25 +0000\"" },
		{ 951782400, "\"29-Feb-2000 00:00:00 +0000\"" },
		{ 951868799, "\"29-Feb-2000 23:59:59 +0000\"" },
		{ 951868800, "\"01-Mar-2000 00:00:00 +0000\"" },
		{ 4107542400, "\"01-Mar-2100 00:00:00 +0000\"" },
		{ 253402300799, "\"31-Dec-9999 23:59:59 +0000\"" },
		{ 253402300800, "\"31-Dec-9999 00:00:00 +0000\"" },
	};
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		imap_put_date_time(&b, cases[i].s * 1000 + 999);
		assert_string_equal(buf_z(&b), cases[i].out);
	}
	/* each day is another, and read again the same */
	for (uint64_t day = 0; day < 60000; day++) {
		uint64_t ms = 0;

		buf_clear(&b);
		imap_put_date_time(&b, day * 86400000);
		struct imap_lex x = imap_lex(buf_str(&b), false, NULL);
		assert_true(lex_date_time(&x, &ms) && ms == day * 86400000);
	}
}
