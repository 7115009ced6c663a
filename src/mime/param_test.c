/* SPDX-License-Identifier: ISC */
#include "mime/param.h"

#include "base/buf.h"
#include "test/test.h"

enum { MEM = 256 * 1024 };

/* value|name=value|... as IMAP shows it, then as people see it. */
static void
assert_value(const char *raw, const char *imap, const char *people)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(4096);
	struct mime_value v;

	assert_int_equal(mime_value_parse(str_of(raw), NULL, mem, &v), RC_OK);
	buf_add(&b, v.value);
	for (size_t i = 0; i < v.n; i++)
		if (v.params[i].name.len > 0)
			buf_addf(&b, "|" STR_FMT "=" STR_FMT, STR_ARG(v.params[i].name),
				STR_ARG(v.params[i].value));
	assert_string_equal(buf_z(&b), imap);
	buf_clear(&b);
	for (size_t i = 0; i < v.n; i++)
		buf_addf(&b, "%s" STR_FMT "=" STR_FMT, i > 0 ? "|" : "",
			STR_ARG(v.params[i].plain_name), STR_ARG(v.params[i].text));
	assert_string_equal(buf_z(&b), people);
}

TEST(imap_shows_parameters_as_dovecot_does_and_people_see_their_text)
{
	static const struct {
		const char *raw, *imap, *people;
	} cases[] = {
		{ "", "", "" },
		{ " text/plain", "text/plain", "" },
		{ "text/plain; charset=utf-8", "text/plain|charset=utf-8",
			"charset=utf-8" },
		{ "(a;b) text (c) / plain (d) ; a=b", "text/plain|a=b", "a=b" },
		{ "x/y;\r\n\ta=\"b \\\"c\\\"\r\n d\"; e = f", "x/y|a=b \"c\" d|e=f",
			"a=b \"c\" d|e=f" },
		/* unquoted: IMAP shows a token, people see all of it */
		{ "x/y; name=my file.exe", "x/y|name=my", "name=my file.exe" },
		{ "x/y; boundary=a=b", "x/y|boundary=a", "boundary=a=b" },
		{ "x/y; n==?utf-8?q?a?=", "x/y|n==?utf-8?q?a?=", "n=a" },
		/* only forgiving readers see these */
		{ "x/y; name=\"open", "x/y", "name=open" },
		{ "x/y;; name=z; a=b", "x/y|a=b", "a=b|name=z" },
		{ "x/y name=z; a=b", "x/y name=z|a=b", "a=b|name=z" },
		/* RFC 2231 */
		{ "x/y; n*1=b; n*0=a; m=c", "x/y|m=c|n=ab", "m=c|n=ab" },
		{ "x/y; n*=utf-8'en'%c3%a4", "x/y|n*=utf-8'en'%c3%a4", "n=\xc3\xa4" },
		{ "x/y; n*0*=utf-8''%c3; n*1*=%a4; n*2=\"%.exe\"",
			"x/y|n*=utf-8''%c3%a4%25.exe", "n=\xc3\xa4%.exe" },
		{ "x/y; n*0=a; n*2=b", "x/y|n*0=a|n*2=b", "n=ab|n*2=b" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_value(cases[i].raw, cases[i].imap, cases[i].people);
}

TEST(two_values_are_a_conflict_but_a_fallback_name_is_none)
{
	static const struct {
		const char *raw;
		bool conflict;
	} cases[] = {
		{ "x/y; boundary=a; boundary=b", true },
		{ "x/y; a=b; a=b", false },
		{ "x/y; n*0=a; n*2=b", true },
		{ "x/y; n*1=a; n*0=b", true },
		{ "attachment; filename=a; filename*=utf-8''b", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		struct mime_value v;

		assert_int_equal(
			mime_value_parse(str_of(cases[i].raw), NULL, mem, &v), RC_OK);
		assert_int_equal(
			(v.odd & MIME_ODD(PARAM_CONFLICT)) != 0, cases[i].conflict);
	}
}

TEST(a_type_is_two_tokens)
{
	str type, subtype;

	assert_int_equal(mime_type_split(STR("text/plain"), &type, &subtype), RC_OK);
	assert_true(str_eq(type, STR("text")) && str_eq(subtype, STR("plain")));
	assert_int_equal(mime_type_split(STR("text"), &type, &subtype), RC_BAD);
	assert_int_equal(mime_type_split(STR("text/"), &type, &subtype), RC_BAD);
	assert_int_equal(mime_type_split(STR("text/plain x"), &type, &subtype), RC_BAD);
}

TEST(no_field_has_more_parameters_than_there_is_room_for)
{
	ARENA_AUTO mem = arena_new(1024 * 1024);
	BUF_AUTO b = BUF(64 * 1024);
	struct mime_value v;

	buf_addz(&b, "x/y");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "; p%d=%d", i, i);
	assert_int_equal(mime_value_parse(buf_str(&b), NULL, mem, &v), RC_OK);
	assert_int_equal(v.n, PARAM_MOST);
	assert_true(v.odd & MIME_ODD(PARAM_CONFLICT));
}
