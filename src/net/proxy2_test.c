/* SPDX-License-Identifier: ISC */
#include "net/proxy2.h"
#include "test/test.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define V4  "\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x00\x19"
#define V6                                             \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"   \
	"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01" \
	"\x9c\x40\x00\x19"

static enum rc
parse(str s, size_t *used, char from[IP_TEXT], char to[IP_TEXT])
{
	struct ip a, b;

	assert_true(
		ip_parse(STR("203.0.113.9"), &a) && ip_parse(STR("203.0.113.10"), &b));
	enum rc rc = proxy2_parse(s, used, &a, &b);
	ip_text(&a, from);
	ip_text(&b, to);
	return rc;
}

TEST(proxy_headers_table)
{
	static const struct {
		str in;
		enum rc rc;
		size_t used;
		const char *from, *to;
	} cases[] = {
		{ STR_INIT(SIG "\x21\x11\0\x0c" V4), RC_OK, 28, "192.0.2.1",
			"198.51.100.2" },
		{ STR_INIT(SIG "\x21\x11\0\x0f" V4 "\4\0\0EHLO"), RC_OK, 31, "192.0.2.1",
			"198.51.100.2" },
		{ STR_INIT(SIG "\x21\x21\0\x24" V6), RC_OK, 52, "2001:db8::1",
			"192.0.2.1" },
		{ STR_INIT(SIG "\x20\0\0\0"), RC_OK, 16, "203.0.113.9", "203.0.113.10" },
		{ STR_INIT(SIG "\x20\x11\0\x0c" V4), RC_OK, 28, "203.0.113.9",
			"203.0.113.10" },
		{ STR_INIT(SIG "\x21\0\0\0"), RC_OK, 16, "203.0.113.9", "203.0.113.10" },
		{ STR_INIT(SIG "\x21\x12\0\x0c" V4), RC_OK, 28, "203.0.113.9",
			"203.0.113.10" },
		{ STR_INIT(SIG "\x21\x11\0\x0b" V4), RC_BAD, 0, NULL, NULL },
		{ STR_INIT(SIG "\x21\x21\0\x0c" V4), RC_BAD, 0, NULL, NULL },
		{ STR_INIT(SIG "\x11\x11\0\x0c" V4), RC_BAD, 0, NULL, NULL },
		{ STR_INIT(SIG "\x22\x11\0\x0c" V4), RC_BAD, 0, NULL, NULL },
		{ STR_INIT(SIG "\x21\x11\4\1" V4), RC_BAD, 0, NULL, NULL },
		{ STR_INIT("PROXY TCP4 192.0.2.1"), RC_BAD, 0, NULL, NULL },
		{ STR_INIT("EHLO x\r\n"), RC_BAD, 0, NULL, NULL },
		{ STR_INIT(""), RC_NONE, 0, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char from[IP_TEXT], to[IP_TEXT];
		size_t used = 0;

		assert_int_equal(parse(cases[i].in, &used, from, to), cases[i].rc);
		if (cases[i].rc != RC_OK)
			continue;
		assert_int_equal(used, cases[i].used);
		assert_string_equal(from, cases[i].from);
		assert_string_equal(to, cases[i].to);
	}
}

TEST(half_a_header_is_waited_for)
{
	str whole = STR(SIG "\x21\x11\0\x0c" V4);
	char from[IP_TEXT], to[IP_TEXT];
	size_t used;

	for (size_t n = 0; n < whole.len; n++)
		assert_int_equal(parse(str_first(whole, n), &used, from, to), RC_NONE);
}
