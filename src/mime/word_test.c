/* SPDX-License-Identifier: ISC */
#include "mime/word.h"

#include "base/buf.h"
#include "test/test.h"

static struct charsets *cs;

__attribute__((destructor)) static void
done(void)
{
	charsets_free(&cs);
}

static const char *
shown(const char *in, struct charsets *with, struct arena *mem, uint64_t *odd)
{
	str out;

	assert_int_equal(mime_words(str_of(in), with, 1000, mem, &out, odd), RC_OK);
	return out.ptr;
}

TEST(subjects_can_be_read)
{
	static const struct {
		const char *in, *want;
		uint64_t odd;
	} cases[] = {
		{ "plain", "plain", 0 },
		{ "", "", 0 },
		/* RFC 2047 8 */
		{ "(=?ISO-8859-1?Q?a?=)", "(a)", 0 },
		{ "(=?ISO-8859-1?Q?a?= b)", "(a b)", 0 },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)", 0 },
		{ "(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)", 0 },
		{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)", 0 },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)", 0 },
		{ "=?utf-8?B?R3LDvMOfZQ==?= an =?UTF-8?q?alle_=C3=A4?=",
			"Gr\xc3\xbc\xc3\x9f"
			"e an alle \xc3\xa4",
			0 },
		{ "=?iso-8859-1?Q?=E9?= =?utf-8?Q?=C3=A9?=", "\xc3\xa9\xc3\xa9", 0 },
		{ "=?koi8-r?B?0NLJ18XU?=",
			"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 0 },
		/* RFC 2231 5 */
		{ "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore", 0 },
		/* without blanks around, one character in two words */
		{ "x=?utf-8?q?=C3?==?utf-8?q?=A4?=y", "x\xc3\xa4y", 0 },
		{ "=?utf-8?B?w6?= =?utf-8?B?Q=?=", "\xc3\xa4", 0 },
		{ "=?utf-8?B?ww==?= =?utf-8?Q?=A4?=", "\xc3\xa4", 0 },
		/* padding left away twice: two groups */
		{ "=?utf-8?B?YQ?= =?utf-8?B?Yg?=", "ab", MIME_ODD(BAD_WORD) },
		{ "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac", 0 },
		/* blanks and signs inside */
		{ "=?utf-8?Q?a b=?c?=", "=?utf-8?Q?a b=?c?=", MIME_ODD(BAD_WORD) },
		{ "=?utf-8?Q?a b=3D=?=", "a b==", MIME_ODD(BAD_WORD) },
		/* a word in a word */
		{ "=?utf-8?Q?=?utf-8?Q?abc?=?=", "=?utf-8?Q?abc?=", MIME_ODD(BAD_WORD) },
		/* none */
		{ "=?utf-8?X?open?=", "=?utf-8?X?open?=", MIME_ODD(BAD_WORD) },
		{ "=?utf-8?Q?open", "=?utf-8?Q?open", MIME_ODD(BAD_WORD) },
		{ "a =? b =?= ?=", "a =? b =?= ?=", 0 },
		{ "=?nonesuch?Q?=E4?=", "\xc3\xa4", MIME_ODD(UNKNOWN_CHARSET) },
		/* raw 8-bit, which may begin like a byte order mark */
		{ "Gr\xfc\xdf"
		  "e",
			"Gr\xc3\xbc\xc3\x9f"
			"e",
			0 },
		{ "Gr\xc3\xbc", "Gr\xc3\xbc", 0 },
		{ "\xff\xfeH\xe4", "\xc3\xbf\xc3\xbeH\xc3\xa4", 0 },
		/* control characters */
		{ "a\tb\r\n c=?utf-8?Q?=00=0D=0Ad=C2=85?=", "a b  c d", 0 },
	};

	if (cs == NULL)
		cs = charsets_new();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(8 * 1024);
		uint64_t odd = 0;

		assert_string_equal(shown(cases[i].in, cs, mem, &odd), cases[i].want);
		if (odd != cases[i].odd)
			fail_msg("oddities of %s", cases[i].in);
	}
}

TEST(without_tables_the_common_charsets_are_read)
{
	static const char *const cases[][2] = {
		{ "=?iso-8859-1?Q?=E9?= =?utf-8?Q?=C3=A9?=", "\xc3\xa9\xc3\xa9" },
		{ "=?koi8-r?B?xA==?= x", "=?koi8-r?B?xA==?= x" },
		{ "Gr\xfc\xdf", "Gr\xc3\xbc\xc3\x9f" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(8 * 1024);
		uint64_t odd = 0;

		assert_string_equal(shown(cases[i][0], NULL, mem, &odd), cases[i][1]);
	}
}

TEST(a_subject_of_a_million_beginnings_is_no_work)
{
	ARENA_AUTO mem = arena_new(64 * 1024);
	BUF_AUTO in = BUF(16 * 1024 * 1024);
	uint64_t odd = 0;
	str out;

	for (unsigned i = 0; i < 1000000; i++)
		buf_addz(&in, i % 2 ? "=?a?B?" : "=?utf-8?B?Y?=");
	assert_int_equal(mime_words(buf_str(&in), NULL, 1000, mem, &out, &odd), RC_OK);
	assert_true(out.len <= 1000);
}

TEST(a_cut_subject_is_not_cut_within_a_character)
{
	ARENA_AUTO mem = arena_new(8 * 1024);
	uint64_t odd = 0;
	str out;

	assert_int_equal(
		mime_words(STR("a\xc3\xa4\xc3\xa4"), NULL, 4, mem, &out, &odd), RC_OK);
	assert_string_equal(out.ptr, "a\xc3\xa4");
}
