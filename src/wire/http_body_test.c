/* SPDX-License-Identifier: ISC */
#include "wire/http_body.h"

#include "test/test.h"

/* In pieces of `step`; what was eaten is compared where the end is reached. */
static enum rc
read_chunks(str in, size_t step, size_t limit, const char *want, size_t want_left)
{
	struct http_chunks c = { 0 };
	BUF_AUTO out = BUF(limit);
	enum rc rc = RC_OK;
	size_t eaten;

	while (rc == RC_OK && in.len > 0) {
		rc = http_chunks_read(&c, str_first(in, step), &eaten, &out);
		assert_true(eaten > 0 || rc != RC_OK);
		in = str_skip(in, eaten);
	}
	if (rc == RC_NONE) {
		assert_string_equal(buf_z(&out), want);
		assert_int_equal(in.len, want_left);
	}
	return rc;
}

TEST(bodies_in_chunks_are_put_together)
{
	static const str in = STR_INIT("4\r\nWiki\r\n5;a=b;c=\"d e\"\r\npedia\r\n"
				       "0000000e\r\n in\r\n\r\nchunks.\r\n"
				       "0\r\nA: b\r\nC:\r\n\r\nGET");

	for (size_t step = 1; step <= in.len; step++)
		assert_int_equal(
			read_chunks(in, step, 100, "Wikipedia in\r\n\r\nchunks.", 3),
			RC_NONE);
	assert_int_equal(read_chunks(STR("0\r\n\r\n"), 9, 0, "", 0), RC_NONE);
	assert_int_equal(
		read_chunks(STR("A\r\n0123456789\r\n00\r\n\r\n"), 3, 10, "0123456789", 0),
		RC_NONE);
}

TEST(chunks_that_two_programs_read_differently_are_refused)
{
	static const str cases[] = { STR_INIT("\r\n"), STR_INIT(" 4\r\nWiki\r\n"),
		STR_INIT("4 \r\nWiki\r\n"), STR_INIT("4\nWiki\r\n"),
		STR_INIT("4\rXWiki\r\n"), STR_INIT("+4\r\nWiki\r\n"),
		STR_INIT("0x4\r\nWiki\r\n"), STR_INIT("-1\r\n"), STR_INIT("g\r\n"),
		STR_INIT("000000004\r\nWiki\r\n"), STR_INIT("4;a\nb\r\nWiki\r\n"),
		STR_INIT("4;a\rb\r\nWiki\r\n"), STR_INIT("4;\0\r\nWiki\r\n"),
		STR_INIT("4\r\nWikiX"), STR_INIT("4\r\nWiki\n"), STR_INIT("4\r\nWiki\rX"),
		STR_INIT("4\r\nWiki0\r\n\r\n"), STR_INIT("0\r\n\n"), STR_INIT("0\r\n\rX"),
		STR_INIT("0\r\nA\r\n\r\n"), STR_INIT("0\r\nA : b\r\n\r\n"),
		STR_INIT("0\r\n: b\r\n\r\n"), STR_INIT("0\r\nA: b\r\n c\r\n\r\n"),
		STR_INIT("0\r\nA: b\n\r\n"), STR_INIT("0\r\nA: b\rc\r\n\r\n"),
		STR_INIT("0\r\nA: b\x7f\r\n\r\n") };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_chunks(cases[i], 1, 100, "", 0), RC_BAD);
		assert_int_equal(read_chunks(cases[i], 100, 100, "", 0), RC_BAD);
	}
}

TEST(chunks_have_limits)
{
	BUF_AUTO b = BUF(4000);

	assert_int_equal(read_chunks(STR("5\r\n"), 3, 4, "", 0), RC_OK);
	/* as soon as it is known */
	assert_int_equal(read_chunks(STR("5\r\nx"), 4, 4, "", 0), RC_LIMIT);
	assert_int_equal(read_chunks(STR("FFFFFFFF\r\nx"), 20, 1000, "", 0), RC_LIMIT);
	assert_int_equal(read_chunks(STR("2\r\nab\r\n3\r\nx"), 20, 4, "", 0), RC_LIMIT);
	buf_addz(&b, "1");
	for (size_t i = 0; i < HTTP_CHUNK_EXTRA; i++)
		buf_addc(&b, ';');
	buf_addz(&b, "\r\na\r\n0\r\n");
	size_t end = b.len;
	buf_addz(&b, "\r\n");
	assert_int_equal(read_chunks(buf_str(&b), 7, 10, "a", 0), RC_NONE);
	b.len = end;
	buf_addz(&b, "A: b\r\n\r\n");
	assert_int_equal(read_chunks(buf_str(&b), 7, 10, "a", 0), RC_BAD);
}

static void
check_form(str body, size_t n, const char *const pairs[])
{
	ARENA_AUTO mem = arena_new(1000);
	struct http_form f;

	assert_int_equal(http_form_parse(body, mem, &f), RC_OK);
	assert_int_equal(f.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(str_eq(f.at[i].name, str_of(pairs[2 * i])));
		assert_true(str_eq(f.at[i].value, str_of(pairs[2 * i + 1])));
	}
}

TEST(forms_are_decoded)
{
	check_form(STR(""), 0, NULL);
	check_form(STR("&&"), 0, NULL);
	check_form(STR("a=b"), 1, (const char *const[]){ "a", "b" });
	check_form(STR("a=b&c=d+e&f"), 3,
		(const char *const[]){ "a", "b", "c", "d e", "f", "" });
	check_form(STR("a=b=c&=d&"), 2, (const char *const[]){ "a", "b=c", "", "d" });
	check_form(STR("%61=%C3%A4%2b%26%3d&\xc3\xa4=\xe2\x82\xac"), 2,
		(const char *const[]){ "a", "\xc3\xa4+&=", "\xc3\xa4", "\xe2\x82\xac" });
	check_form(STR("a=1%0d%0a2%0D3%0A4%09%0d"), 1,
		(const char *const[]){ "a", "1\n2\n3\n4\t\n" });
	check_form(STR("a=%C2%A0"), 1, (const char *const[]){ "a", "\xc2\xa0" });
}

TEST(forms_that_are_none_are_refused)
{
	static const str cases[] = { STR_INIT("a=%"), STR_INIT("a=%4"), STR_INIT("a=%4g"),
		STR_INIT("%=b"), STR_INIT("a=%00"), STR_INIT("a=\0"), STR_INIT("%00=a"),
		STR_INIT("a%0a=b"), STR_INIT("a%09=b"), STR_INIT("a=%01"),
		STR_INIT("a=%1b[31m"), STR_INIT("a=%7f"), STR_INIT("a=%FF"),
		STR_INIT("a=\xc3"), STR_INIT("a=%C3"), STR_INIT("a=%C2%9B"),
		STR_INIT("a=%C0%80"), STR_INIT("a=%ED%A0%80"), STR_INIT("a=%C3&b=%A4") };
	ARENA_AUTO mem = arena_new(10000);
	struct http_form f;
	BUF_AUTO b = BUF(1000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(http_form_parse(cases[i], mem, &f), RC_BAD);
	for (size_t i = 0; i < HTTP_PAIRS; i++)
		buf_addz(&b, "a=b&");
	assert_int_equal(http_form_parse(buf_str(&b), mem, &f), RC_OK);
	buf_addz(&b, "a");
	assert_int_equal(http_form_parse(buf_str(&b), mem, &f), RC_LIMIT);
	ARENA_AUTO tiny = arena_new(16);
	assert_int_equal(http_form_parse(buf_str(&b), tiny, &f), RC_LIMIT);
}

TEST(a_field_that_comes_twice_counts_as_none)
{
	ARENA_AUTO mem = arena_new(1000);
	struct http_form f;

	assert_int_equal(http_form_parse(STR("a=1&b=2&a=3"), mem, &f), RC_OK);
	assert_true(str_eq(http_form_get(&f, STR("b")), STR("2")));
	assert_true(str_empty(http_form_get(&f, STR("a"))));
	assert_true(str_empty(http_form_get(&f, STR("c"))));
}
