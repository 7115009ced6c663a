/* SPDX-License-Identifier: ISC */
#include "wire/smtp_path.h"
#include "test/test.h"

static enum rc
read_path(str text, unsigned allow, struct smtp_path *p)
{
	str rest = text;
	enum rc rc = smtp_path_read(&rest, allow, p);

	return rc == RC_OK && rest.len > 0 ? RC_BAD : rc;
}

TEST(addresses_that_people_have_are_taken)
{
	static const struct {
		str path;
		const char *plain;
	} cases[] = {
		{ STR_INIT("<a@example.com>"), "a@example.com" },
		{ STR_INIT("<first.last+tag@sub.example.com>"),
			"first.last+tag@sub.example.com" },
		{ STR_INIT("<!#$%&'*+-/=?^_`{|}~@a.b>"), "!#$%&'*+-/=?^_`{|}~@a.b" },
		{ STR_INIT("<\"a b\"@example.com>"), "a b@example.com" },
		{ STR_INIT("<\"a\\\"b\\\\c\"@example.com>"), "a\"b\\c@example.com" },
		{ STR_INIT("<\"a@b\"@example.com>"), "a@b@example.com" },
		{ STR_INIT("<\"<>\"@example.com>"), "<>@example.com" },
		{ STR_INIT("<@one.example,@two.example:joe@example.com>"),
			"joe@example.com" },
		{ STR_INIT("<a@[192.0.2.1]>"), "a@[192.0.2.1]" },
		{ STR_INIT("<a@[IPv6:2001:db8::1]>"), "a@[IPv6:2001:db8::1]" },
		{ STR_INIT("<a@under_score.example>"), "a@under_score.example" },
		{ STR_INIT("<a@localhost>"), "a@localhost" },
		{ STR_INIT("<a@1.2.3>"), "a@1.2.3" },
		{ STR_INIT("<Postmaster>"), "postmaster" },
		{ STR_INIT("<POSTMASTER@example.com>"), "POSTMASTER@example.com" },
		{ STR_INIT("<>"), "" },
	};
	struct smtp_path p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_path(cases[i].path,
					 SMTP_ALLOW_NULL | SMTP_ALLOW_POSTMASTER, &p),
			RC_OK);
		assert_string_equal(p.plain, cases[i].plain);
		assert_int_equal(p.plain_len, strlen(p.plain));
		assert_false(p.utf8);
	}
}

TEST(what_is_no_address_is_refused)
{
	static const str cases[] = {
		STR_INIT(""),
		STR_INIT("<"),
		STR_INIT(">"),
		STR_INIT("a@b.c"),
		STR_INIT("<a@b.c"),
		STR_INIT("<a>"),
		STR_INIT("<@b.c>"),
		STR_INIT("<a@>"),
		STR_INIT("<.a@b.c>"),
		STR_INIT("<a.@b.c>"),
		STR_INIT("<a..b@b.c>"),
		STR_INIT("<a b@b.c>"),
		STR_INIT("<a@b..c>"),
		STR_INIT("<a@.b>"),
		STR_INIT("<a@b.>"),
		STR_INIT("<a@-b.c>"),
		STR_INIT("<a@b-.c>"),
		STR_INIT("<a@b c>"),
		STR_INIT("<a@b@c>"),
		STR_INIT("<\"a\"b@c.d>"),
		STR_INIT("<\"a@c.d>"),
		STR_INIT("<\"\"@c.d>"),
		STR_INIT("<\"a\\\"@c.d>"),
		STR_INIT("<\"a\tb\"@c.d>"),
		STR_INIT("<a@[1.2.3]>"),
		STR_INIT("<a@[1.2.3.4>"),
		STR_INIT("<a@[IPv6:1.2.3.4]>"),
		STR_INIT("<a@[::1]>"),
		STR_INIT("<a@[tag:x]>"),
		STR_INIT("<@a.b>"),
		STR_INIT("<@a.b:>"),
		STR_INIT("<@a.b,:c@d.e>"),
		STR_INIT("<@a.b,c.d:c@d.e>"),
		STR_INIT("<a(x)@b.c>"),
		STR_INIT("<a@b.c >"),
		STR_INIT("< a@b.c>"),
		STR_INIT("<Postmaster>"),
		STR_INIT("<>"),
		STR_INIT("<a@b.c>>"),
		STR_INIT("<a\0b@c.d>"),
		STR_INIT("<@a.b:>"),
		STR_INIT("<\xff@b.c>"),
		STR_INIT("<\xc3@b.c>"),
		STR_INIT("<\xc0\xafz@b.c>"),
		STR_INIT("<\xed\xa0\x80@b.c>"),
		STR_INIT("<\xc2\x85@b.c>"),
		STR_INIT("<a@\xf4\x90\x80\x80>"),
	};
	struct smtp_path p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(read_path(cases[i], 0, &p), RC_BAD);
}

TEST(an_address_in_utf8_says_so)
{
	struct smtp_path p;

	assert_int_equal(read_path(STR("<jörg@example.com>"), 0, &p), RC_OK);
	assert_true(p.utf8);
	assert_int_equal(read_path(STR("<\"用 户\"@例え.jp>"), 0, &p), RC_OK);
	assert_true(p.utf8);
	assert_string_equal(p.plain, "用 户@例え.jp");
	assert_int_equal(read_path(STR("<a@bücher.example>"), 0, &p), RC_OK);
	assert_true(p.utf8);
	assert_true(str_eq(p.domain, STR("bücher.example")));
}

TEST(a_path_over_256_octets_is_too_long)
{
	char text[400] = "<";
	struct smtp_path p;

	memset(text + 1, 'a', 256);
	memcpy(text + 244, "@example.com", 12); /* 1 + 243 + 12, then ">" is 257 */
	text[256] = '>';
	assert_int_equal(read_path((str){ text, 257 }, 0, &p), RC_LIMIT);
	memmove(text + 1, text + 2, 255);
	assert_int_equal(read_path((str){ text, 256 }, 0, &p), RC_OK);
	assert_int_equal(p.plain_len, 254);
}

TEST(a_label_has_at_most_63_octets_and_a_domain_255)
{
	char d[300];

	memset(d, 'a', sizeof(d));
	assert_true(smtp_is_domain((str){ d, 63 }));
	assert_false(smtp_is_domain((str){ d, 64 }));
	for (size_t i = 50; i < sizeof(d); i += 51)
		d[i] = '.';
	assert_true(smtp_is_domain((str){ d, 254 }));
	assert_false(smtp_is_domain((str){ d, 256 }));
}
