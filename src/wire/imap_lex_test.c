/* SPDX-License-Identifier: ISC */
#include "wire/imap_lex.h"

#include "base/buf.h"
#include "test/test.h"

enum { MEM = 1024 * 1024 };

typedef bool lex_str(struct imap_lex *x, str *out);

struct string_case {
	str in;
	bool utf8;
	const char *out; /* NULL: refused */
	size_t at; /* where it stops */
};

static void
try_strings(lex_str *lex, const struct string_case *cases, size_t n)
{
	struct arena *mem = arena_new(MEM);

	for (size_t i = 0; i < n; i++) {
		struct imap_lex x = imap_lex(cases[i].in, cases[i].utf8, mem);
		bool ok;
		str s;

		ok = lex(&x, &s);
		if (ok != (cases[i].out != NULL))
			fail_msg("case %zu: " STR_FMT, i, STR_ARG(cases[i].in));
		assert_int_equal(x.at, ok ? cases[i].at : 0);
		assert_true(ok == (x.why == NULL));
		if (ok) {
			assert_int_equal(s.len, strlen(cases[i].out));
			assert_memory_equal(s.ptr, cases[i].out, s.len);
		}
	}
	arena_free(&mem);
}

#define TRY(lex, cases) try_strings(lex, cases, sizeof(cases) / sizeof((cases)[0]))

TEST(a_mailbox_or_password_is_read_however_a_client_writes_it)
{
	static const struct string_case cases[] = {
		{ STR_INIT("INBOX"), false, "INBOX", 5 },
		{ STR_INIT("a]b c"), false, "a]b", 3 },
		{ STR_INIT("foo}~+-&/.,:;=?^_`|!#$'<>@[ "), false,
			"foo}~+-&/.,:;=?^_`|!#$'<>@[", 27 },
		{ STR_INIT("\"\""), false, "", 2 },
		{ STR_INIT("\"a b\" x"), false, "a b", 5 },
		{ STR_INIT("\"a\\\"b\\\\\""), false, "a\"b\\", 8 },
		{ STR_INIT("\"(){%*]\t\""), false, "(){%*]\t", 9 },
		{ STR_INIT("\"\xc3\xa9\""), true, "\xc3\xa9", 4 },
		{ STR_INIT("{5}\r\nhello x"), false, "hello", 10 },
		{ STR_INIT("{5+}\r\nhello"), false, "hello", 11 },
		{ STR_INIT("~{5}\r\nhello"), false, "hello", 11 },
		{ STR_INIT("{0}\r\n"), false, "", 5 },
		{ STR_INIT("{0005}\r\na\r\nbc"), false, "a\r\nbc", 13 },
		{ STR_INIT("{2}\r\n\xc3\xa9"), false, "\xc3\xa9", 7 },
		{ STR_INIT("NIL"), false, "NIL", 3 },
		{ STR_INIT("\"\xc3\xa9\""), false, NULL },
		{ STR_INIT("\"\xc3\""), true, NULL },
		{ STR_INIT("\"\xed\xa0\x80\""), true, NULL },
		{ STR_INIT("\xc3\xa9"), true, NULL },
		{ STR_INIT(""), false, NULL },
		{ STR_INIT(" a"), false, NULL },
		{ STR_INIT("(a"), false, NULL },
		{ STR_INIT("*"), false, NULL },
		{ STR_INIT("\x7f"), false, NULL },
		{ STR_INIT("\0"), false, NULL },
		{ STR_INIT("\""), false, NULL },
		{ STR_INIT("\"a"), false, NULL },
		{ STR_INIT("\"a\\"), false, NULL },
		{ STR_INIT("\"a\\\""), false, NULL },
		{ STR_INIT("\"a\\n\""), false, NULL },
		{ STR_INIT("\"a\rb\""), false, NULL },
		{ STR_INIT("\"a\nb\""), false, NULL },
		{ STR_INIT("\"a\0b\""), false, NULL },
		{ STR_INIT("{6}\r\nhello"), false, NULL },
		{ STR_INIT("{5}\nhello"), false, NULL },
		{ STR_INIT("{5} hello"), false, NULL },
		{ STR_INIT("{}\r\nhello"), false, NULL },
		{ STR_INIT("{-1}\r\nhello"), false, NULL },
		{ STR_INIT("{5-}\r\nhello"), false, NULL },
		{ STR_INIT("{18446744073709551615}\r\nhello"), false, NULL },
		{ STR_INIT("{9223372036854775807}\r\nhello"), false, NULL },
		{ STR_INIT("{3}\r\na\0b"), false, NULL },
	};

	TRY(lex_astring, cases);
}

TEST(a_literal_that_was_cut_off_is_not_read_past_its_end)
{
	struct imap_lex x = imap_lex(str_first(STR("{6}\r\nhello!"), 10), false, NULL);
	str s;

	assert_false(lex_string(&x, &s));
	assert_string_equal(x.why, "a literal");
}

TEST(words_end_where_the_grammar_ends_them)
{
	static const struct string_case atoms[] = {
		{ STR_INIT("FETCH 1"), false, "FETCH", 5 },
		{ STR_INIT("$Junk)"), false, "$Junk", 5 },
		{ STR_INIT("a]"), false, "a", 1 },
		{ STR_INIT("a\\"), false, "a", 1 },
		{ STR_INIT("]"), false, NULL },
		{ STR_INIT("\"a\""), false, NULL },
		{ STR_INIT("{1}\r\na"), false, NULL },
	};
	static const struct string_case tags[] = {
		{ STR_INIT("a]1 NOOP"), false, "a]1", 3 },
		{ STR_INIT("A.b-_:/ "), false, "A.b-_:/", 7 },
		{ STR_INIT("a+b"), false, "a", 1 },
		{ STR_INIT("+"), false, NULL },
		{ STR_INIT("\"a\""), false, NULL },
	};
	static const struct string_case patterns[] = {
		{ STR_INIT("% x"), false, "%", 1 },
		{ STR_INIT("INBOX/*"), false, "INBOX/*", 7 },
		{ STR_INIT("\"*\""), false, "*", 3 },
		{ STR_INIT("a]%)"), false, "a]%", 3 },
		{ STR_INIT("(*)"), false, NULL },
		{ STR_INIT(""), false, NULL },
	};
	static const struct string_case strings[] = {
		{ STR_INIT("a"), false, NULL },
		{ STR_INIT("\"a\""), false, "a", 3 },
	};

	TRY(lex_atom, atoms);
	TRY(lex_tag, tags);
	TRY(lex_list_mailbox, patterns);
	TRY(lex_string, strings);
}

TEST(nil_is_not_the_text_nil)
{
	struct arena *mem = arena_new(MEM);
	struct imap_lex x = imap_lex(STR("nil \"NIL\" NILS"), false, mem);
	bool nil;
	str s;

	assert_true(lex_nstring(&x, &s, &nil) && nil && s.len == 0);
	assert_true(lex_sp(&x));
	assert_true(lex_nstring(&x, &s, &nil) && !nil && str_eq(s, STR("NIL")));
	assert_true(lex_sp(&x));
	assert_false(lex_nstring(&x, &s, &nil));
	assert_int_equal(x.at, 10);
	assert_string_equal(x.why, "a string or NIL");
	arena_free(&mem);
}

TEST(a_word_is_a_whole_word)
{
	struct imap_lex x = imap_lex(STR("return(Returned"), false, NULL);

	assert_false(lex_word(&x, STR("RET")));
	assert_true(lex_word(&x, STR("RETURN")));
	assert_null(x.why);
	assert_true(lex_peek(&x, '(') && !lex_peek(&x, ')'));
	assert_false(lex_char(&x, ')'));
	assert_true(lex_char(&x, '('));
	assert_false(lex_word(&x, STR("RETURN")));
	assert_false(lex_end(&x));
	assert_true(lex_word(&x, STR("RETURNED")));
	assert_true(lex_end(&x) && !lex_peek(&x, '\0') && !lex_sp(&x));
}

TEST(what_was_wanted_is_said_of_the_place_where_it_failed)
{
	struct arena *mem = arena_new(MEM);
	struct imap_lex x = imap_lex(STR("A 0"), false, mem);
	uint32_t n;
	str s;

	assert_false(lex_nz_number(&x, &n));
	assert_string_equal(x.why, "a number");
	assert_true(lex_atom(&x, &s) && lex_sp(&x));
	assert_false(lex_nz_number(&x, &n) || lex_char(&x, '('));
	assert_string_equal(x.why, "a number from 1");
	arena_free(&mem);
}

TEST(numbers_are_whole_and_within_their_bounds)
{
	static const struct {
		str in;
		bool n, nz, wide;
		uint64_t is;
	} cases[] = {
		{ STR_INIT("0"), true, false, true, 0 },
		{ STR_INIT("1"), true, true, true, 1 },
		{ STR_INIT("007"), true, false, true, 7 },
		{ STR_INIT("4294967295"), true, true, true, 4294967295 },
		{ STR_INIT("4294967296"), false, false, true, 4294967296 },
		{ STR_INIT("9223372036854775807"), false, false, true, INT64_MAX },
		{ STR_INIT("9223372036854775808"), false, false, false, 0 },
		{ STR_INIT("99999999999999999999999"), false, false, false, 0 },
		{ STR_INIT(""), false, false, false, 0 },
		{ STR_INIT("-1"), false, false, false, 0 },
		{ STR_INIT("+1"), false, false, false, 0 },
		{ STR_INIT("a"), false, false, false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, NULL), y = x, z = x;
		uint32_t n = 0, nz = 0;
		uint64_t wide = 0;

		assert_int_equal(lex_number(&x, &n), cases[i].n);
		assert_int_equal(lex_nz_number(&y, &nz), cases[i].nz);
		assert_int_equal(lex_number64(&z, &wide), cases[i].wide);
		assert_true(!cases[i].n || (n == cases[i].is && lex_end(&x)));
		assert_true(!cases[i].nz || (nz == cases[i].is && lex_end(&y)));
		assert_true(!cases[i].wide || (wide == cases[i].is && lex_end(&z)));
	}
}

TEST(flags_are_those_that_can_be_kept_each_once)
{
	static const struct {
		str in;
		bool bare, ok;
		unsigned marks;
		const char *keywords;
		size_t at;
	} cases[] = {
		{ STR_INIT("()"), false, true, 0, "", 2 },
		{ STR_INIT("(\\Seen)"), false, true, IMAP_SEEN, "", 7 },
		{ STR_INIT("(\\seen \\ANSWERED \\Flagged \\Deleted \\Draft)"), false,
			true, 31, "", 42 },
		{ STR_INIT("(b a \\Seen B $Forwarded a)"), false, true, IMAP_SEEN,
			"$Forwarded a b", 26 },
		{ STR_INIT("\\Deleted"), true, true, IMAP_DELETED, "", 8 },
		{ STR_INIT("\\Deleted x y"), true, true, IMAP_DELETED, "x y", 12 },
		{ STR_INIT("(\\Deleted)"), true, true, IMAP_DELETED, "", 10 },
		{ STR_INIT("\\Deleted"), false, false },
		{ STR_INIT(""), true, false },
		{ STR_INIT("(\\Recent)"), false, false },
		{ STR_INIT("(\\*)"), false, false },
		{ STR_INIT("(\\SeenX)"), false, false },
		{ STR_INIT("(\\)"), false, false },
		{ STR_INIT("(\\Junk)"), false, false },
		{ STR_INIT("(a"), false, false },
		{ STR_INIT("(a "), false, false },
		{ STR_INIT("( a)"), false, false },
		{ STR_INIT("(a  b)"), false, false },
		{ STR_INIT("(\"a\")"), false, false },
		{ STR_INIT("(a]b)"), false, false },
	};
	struct arena *mem = arena_new(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, mem);
		struct imap_flags f;

		bool ok = lex_flags(&x, cases[i].bare, &f);
		if (ok != cases[i].ok)
			fail_msg(STR_FMT, STR_ARG(cases[i].in));
		assert_int_equal(x.at, ok ? cases[i].at : 0);
		if (ok) {
			assert_int_equal(f.marks, cases[i].marks);
			assert_true(str_eq(f.keywords, str_of(cases[i].keywords)));
		}
	}
	arena_free(&mem);
}

TEST(keywords_are_not_endless)
{
	BUF_AUTO b = BUF(MEM);
	struct arena *mem = arena_new(MEM);
	struct imap_flags f;

	for (unsigned i = 0; i < IMAP_KEYWORDS_MOST; i++)
		buf_addf(&b, "%ck%u", i == 0 ? '(' : ' ', i);
	size_t fits = b.len;
	buf_addc(&b, ')');
	struct imap_lex x = imap_lex(buf_str(&b), false, mem);
	assert_true(lex_flags(&x, false, &f));

	b.len = fits;
	buf_addz(&b, " more)");
	x = imap_lex(buf_str(&b), false, mem);
	assert_false(lex_flags(&x, false, &f));
	assert_string_equal(x.why, "a shorter list of shorter keywords");

	buf_clear(&b);
	buf_addc(&b, '(');
	for (unsigned i = 0; i <= IMAP_KEYWORD_MOST; i++)
		buf_addc(&b, 'k');
	buf_addc(&b, ')');
	x = imap_lex(buf_str(&b), false, mem);
	assert_false(lex_flags(&x, false, &f));
	arena_free(&mem);
}

TEST(dates_that_do_not_exist_are_refused)
{
	static const struct {
		str in;
		bool ok;
		int64_t days;
	} cases[] = {
		{ STR_INIT("1-Jan-1970"), true, 0 },
		{ STR_INIT("01-jan-1970"), true, 0 },
		{ STR_INIT("\"1-Feb-1994\""), true, 8797 },
		{ STR_INIT("1-Feb-1994"), true, 8797 },
		{ STR_INIT("31-DEC-1969"), true, -1 },
		{ STR_INIT("29-Feb-2000"), true, 11016 },
		{ STR_INIT("29-Feb-2024"), true, 19782 },
		{ STR_INIT("1-Mar-2024"), true, 19783 },
		{ STR_INIT("31-Dec-9999"), true, 2932896 },
		{ STR_INIT("1-Jan-0000"), true, -719528 },
		{ STR_INIT("29-Feb-1900"), false, 0 },
		{ STR_INIT("29-Feb-2023"), false, 0 },
		{ STR_INIT("31-Feb-2000"), false, 0 },
		{ STR_INIT("31-Apr-2000"), false, 0 },
		{ STR_INIT("0-Jan-2000"), false, 0 },
		{ STR_INIT("32-Jan-2000"), false, 0 },
		{ STR_INIT("1-January-2000"), false, 0 },
		{ STR_INIT("1-Foo-2000"), false, 0 },
		{ STR_INIT("1-Jan-200"), false, 0 },
		{ STR_INIT("1 Jan 2000"), false, 0 },
		{ STR_INIT("\"1-Feb-1994"), false, 0 },
		{ STR_INIT("-1-Feb-1994"), false, 0 },
		{ STR_INIT(""), false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, NULL);
		int64_t days = 0;

		if (lex_date(&x, &days) != cases[i].ok || days != cases[i].days)
			fail_msg(STR_FMT ": %lld", STR_ARG(cases[i].in), (long long)days);
		assert_int_equal(x.at, cases[i].ok ? cases[i].in.len : 0);
	}
}

TEST(the_date_of_a_copied_message_stays_its_date)
{
	static const struct {
		str in;
		bool ok;
		uint64_t s;
	} cases[] = {
		{ STR_INIT("\"17-Jul-1996 02:44:25 -0700\""), true, 837596665 },
		{ STR_INIT("\" 1-Feb-1994 21:52:25 -0800\""), true, 760168345 },
		{ STR_INIT("\"01-Feb-1994 21:52:25 -0800\""), true, 760168345 },
		{ STR_INIT("\"01-Jan-1970 00:00:00 +0000\""), true, 0 },
		{ STR_INIT("\"31-Dec-1969 23:59:59 +0000\""), true, 0 },
		{ STR_INIT("\"01-Jan-1970 00:30:00 +0100\""), true, 0 },
		{ STR_INIT("\"31-Dec-2016 23:59:60 +0000\""), true, 1483228799 },
		{ STR_INIT("\"01-Jan-2000 05:30:00 +0530\""), true, 946684800 },
		{ STR_INIT("\"31-Feb-1994 21:52:25 -0800\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 24:00:00 -0800\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 23:60:00 -0800\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 23:00:61 -0800\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 23:00:00 0800\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 23:00:00 +080\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 23:00:00 GMT\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 23:00:00\""), false, 0 },
		{ STR_INIT("\"01-Feb-1994 23:00:00 +0000"), false, 0 },
		{ STR_INIT("01-Feb-1994 23:00:00 +0000"), false, 0 },
		{ STR_INIT("\"01-Feb-1994  3:00:00 +0000\""), false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, NULL);
		uint64_t ms = 0;

		if (lex_date_time(&x, &ms) != cases[i].ok || ms != cases[i].s * 1000)
			fail_msg(STR_FMT ": %llu", STR_ARG(cases[i].in),
				(unsigned long long)ms);
		assert_int_equal(x.at, cases[i].ok ? cases[i].in.len : 0);
	}
}

TEST(a_literal_is_announced_only_at_the_end_of_a_line)
{
	static const struct {
		str line;
		enum rc rc;
		struct imap_literal is;
	} cases[] = {
		{ STR_INIT("a LOGIN {5}"), RC_OK, { 5, true, false } },
		{ STR_INIT("a LOGIN {5+}"), RC_OK, { 5, false, false } },
		{ STR_INIT("a APPEND x ~{5}"), RC_OK, { 5, true, true } },
		{ STR_INIT("a APPEND x ~{5+}"), RC_OK, { 5, false, true } },
		{ STR_INIT("{0}"), RC_OK, { 0, true, false } },
		{ STR_INIT("{007}"), RC_OK, { 7, true, false } },
		{ STR_INIT("{9223372036854775807}"), RC_OK, { INT64_MAX, true, false } },
		{ STR_INIT("x({1}"), RC_OK, { 1, true, false } },
		{ STR_INIT("{9223372036854775808}"), RC_BAD },
		{ STR_INIT("{99999999999999999999999999}"), RC_BAD },
		{ STR_INIT("{}"), RC_BAD },
		{ STR_INIT("{+}"), RC_BAD },
		{ STR_INIT("{-1}"), RC_BAD },
		{ STR_INIT("{5++}"), RC_BAD },
		{ STR_INIT("{a}"), RC_BAD },
		{ STR_INIT(""), RC_NONE },
		{ STR_INIT("}"), RC_NONE },
		{ STR_INIT("a NOOP"), RC_NONE },
		{ STR_INIT("a LOGIN {5} "), RC_NONE },
		{ STR_INIT("a LOGIN \"{5}\""), RC_NONE },
		{ STR_INIT("a LOGIN x y}"), RC_NONE },
		{ STR_INIT("a LOGIN \"{5\" y}"), RC_NONE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_literal l = { 0 };

		if (imap_line_literal(cases[i].line, &l) != cases[i].rc)
			fail_msg(STR_FMT, STR_ARG(cases[i].line));
		assert_true(l.bytes == cases[i].is.bytes);
		assert_int_equal(l.wait, cases[i].is.wait);
		assert_int_equal(l.binary, cases[i].is.binary);
	}
}
