/* SPDX-License-Identifier: ISC */
#include "mime/charset.h"

#include "mime/utf8.h"
#include "test/test.h"

#define WIDE MIME_ODD(WIDE_CHARSET)
#define BAD  MIME_ODD(BAD_CHARSET)

/* Texts as Python's codecs encode them. */
static const struct {
	const char *name;
	str bytes;
	const char *want;
	uint64_t odd;
} texts[] = {
	{ "utf-8",
		STR_INIT("Gr\xc3\xbc\xc3\x9f"
			 "e \xe2\x82\xac"),
		"Gr\xc3\xbc\xc3\x9f"
		"e \xe2\x82\xac",
		0 },
	{ "UTF8", STR_INIT("\xc3\xa9"), "\xc3\xa9", 0 },
	{ "iso-8859-1",
		STR_INIT("Gr\xfc\xdf"
			 "e"),
		"Gr\xc3\xbc\xc3\x9f"
		"e",
		0 },
	{ "ISO_8859-1:1987", STR_INIT("\x80 \x93x\x94"),
		"\xe2\x82\xac \xe2\x80\x9cx\xe2\x80\x9d", 0 },
	{ "us-ascii", STR_INIT("abc"), "abc", 0 },
	{ "windows-1251", STR_INIT("\xcf\xf0\xe8\xe2\xe5\xf2"),
		"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 0 },
	{ "koi8-r", STR_INIT("\xf0\xd2\xc9\xd7\xc5\xd4"),
		"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 0 },
	{ "koi8-u", STR_INIT("\xb7\xd6\xc1\xcb"), "\xd0\x87\xd0\xb6\xd0\xb0\xd0\xba", 0 },
	{ "iso-8859-2",
		STR_INIT("\xa3\xf3"
			 "d\xbc"),
		"\xc5\x81\xc3\xb3"
		"d\xc5\xba",
		0 },
	{ "iso-8859-5", STR_INIT("\xbf\xe0\xd8\xd2\xd5\xe2"),
		"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 0 },
	{ "iso-8859-7", STR_INIT("\xc3\xe5\xe9\xdc"), "\xce\x93\xce\xb5\xce\xb9\xce\xac",
		0 },
	{ "iso-8859-9", STR_INIT("\xfd\xf0\xfe"), "\xc4\xb1\xc4\x9f\xc5\x9f", 0 },
	{ "iso-8859-15", STR_INIT("\xa4"), "\xe2\x82\xac", 0 },
	{ "windows-1250",
		STR_INIT("\xa3\xf3"
			 "d\x9f"),
		"\xc5\x81\xc3\xb3"
		"d\xc5\xba",
		0 },
	{ "windows-1255", STR_INIT("\xf9\xec\xe5\xed"),
		"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", 0 },
	{ "windows-1256", STR_INIT("\xd3\xe1\xc7\xe3"),
		"\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85", 0 },
	{ "windows-874", STR_INIT("\xca\xc7\xd1\xca\xb4\xd5"),
		"\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5",
		0 },
	{ "tis-620", STR_INIT("\xca\xc7\xd1\xca\xb4\xd5"),
		"\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5",
		0 },
	{ "macintosh", STR_INIT("\x8e\xc3"), "\xc3\xa9\xe2\x88\x9a", 0 },
	{ "ibm866", STR_INIT("\x8f\xe0\xa8\xa2\xa5\xe2"),
		"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 0 },
	{ "cp437", STR_INIT("\x82\xdb"), "\xc3\xa9\xe2\x96\x88", 0 },
	{ "gb2312", STR_INIT("\xd6\xd0\xce\xc4"), "\xe4\xb8\xad\xe6\x96\x87", 0 },
	{ "gbk",
		STR_INIT("\xd6\xd0\xce\xc4\xe9"
			 "F"),
		"\xe4\xb8\xad\xe6\x96\x87\xe9\x95\x95", 0 },
	{ "gb18030",
		STR_INIT("\xd6\xd0\xce\xc4\xe9"
			 "F\x95"
			 "2\x82"
			 "6\x81"
			 "0\x8b"
			 "7"),
		"\xe4\xb8\xad\xe6\x96\x87\xe9\x95\x95\xf0\xa0\x80\x80\xc3\xbf", 0 },
	{ "hz-gb-2312", STR_INIT("~{VPND~} a~~b"), "\xe4\xb8\xad\xe6\x96\x87 a~b", 0 },
	{ "big5", STR_INIT("\xa4\xa4\xa4\xe5\xb4\xfa\xb8\xd5"),
		"\xe4\xb8\xad\xe6\x96\x87\xe6\xb8\xac\xe8\xa9\xa6", 0 },
	{ "big5-hkscs", STR_INIT("\x92w"), "\xe3\x90\xb5", 0 },
	{ "shift_jis", STR_INIT("\x93\xfa\x96{\x8c\xea\xb1\xb2\x87@"),
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xef\xbd\xb1\xef\xbd\xb2\xe2\x91\xa0",
		0 },
	{ "cp932", STR_INIT("\x87\x8a"), "\xe3\x88\xb1", 0 },
	{ "euc-jp", STR_INIT("\xc6\xfc\xcb\xdc\xb8\xec\x8e\xb1\x8f\xb0\xa1"),
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xef\xbd\xb1\xe4\xb8\x82", 0 },
	{ "iso-2022-jp", STR_INIT("\x1b$BF|K\x5c\x1b(B abc"),
		"\xe6\x97\xa5\xe6\x9c\xac abc", 0 },
	{ "iso-2022-jp-1", STR_INIT("\x1b$(D0!\x1b(B"), "\xe4\xb8\x82", 0 },
	{ "cp50221", STR_INIT("\x1b$BF|K\x5c\x1b(B"), "\xe6\x97\xa5\xe6\x9c\xac", 0 },
	{ "ks_c_5601-1987",
		STR_INIT("\xc7\xd1\xb1\xb9\xbe\xee\x8c"
			 "c"),
		"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4\xeb\x98\xa0", 0 },
	{ "euc-kr", STR_INIT("\xc7\xd1\xb1\xb9\xbe\xee"),
		"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4", 0 },
	{ "iso-2022-kr", STR_INIT("\x1b$)C\x0eGQ19>n\x0f"),
		"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4", 0 },
	{ "johab",
		STR_INIT("\xd0"
			 "e\x8a\x82\xb4\xe1"),
		"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4", 0 },
	{ "utf-7", STR_INIT("+ZeVnLA +- a +2D3eAA--"),
		"\xe6\x97\xa5\xe6\x9c\xac + a \xf0\x9f\x98\x80-", WIDE },
	{ "utf-16",
		STR_INIT("\xff\xfe"
			 "a\x00\xe9\x00=\xd8\x00\xde"),
		"a\xc3\xa9\xf0\x9f\x98\x80", WIDE },
	{ "utf-16be",
		STR_INIT("\x00"
			 "a\x00\xe9\xd8=\xde\x00"),
		"a\xc3\xa9\xf0\x9f\x98\x80", WIDE },
	{ "UTF-16LE", STR_INIT("a\x00\xe9\x00=\xd8\x00\xde"), "a\xc3\xa9\xf0\x9f\x98\x80",
		WIDE },
	{ "utf-32",
		STR_INIT("\xff\xfe\x00\x00"
			 "a\x00\x00\x00\xe9\x00\x00\x00\x00\xf6\x01\x00"),
		"a\xc3\xa9\xf0\x9f\x98\x80", WIDE },
	{ "utf-32le", STR_INIT("a\x00\x00\x00\xe9\x00\x00\x00\x00\xf6\x01\x00"),
		"a\xc3\xa9\xf0\x9f\x98\x80", WIDE },
	{ "ibm037", STR_INIT("\xc8\x85\x93\x93\x96"), "Hello", WIDE },
	{ "johab", STR_INIT("\xd9\x37"), "\xc2\xa8", 0 },
	/* a mark wins over a name */
	{ "utf-8",
		STR_INIT("\xff\xfe"
			 "a\0"),
		"a", WIDE | MIME_ODD(CHARSET_CONFLICT) },
	{ "utf-16", STR_INIT("\xfe\xff\0a"), "a", WIDE },
	{ "", STR_INIT("\xef\xbb\xbf\xc3\xa4"), "\xc3\xa4", 0 },
	{ "iso-8859-1", STR_INIT("\xef\xbb\xbf\xc3\xa4"), "\xc3\xa4",
		MIME_ODD(CHARSET_CONFLICT) },
	/* without a name, with an unknown one, with the wrong one */
	{ "", STR_INIT("\xc3\xa4"), "\xc3\xa4", 0 },
	{ "", STR_INIT("\xe4"), "\xc3\xa4", 0 },
	{ "x-unknown", STR_INIT("\xe4"), "\xc3\xa4", MIME_ODD(UNKNOWN_CHARSET) },
	{ "us-ascii", STR_INIT("\xc3\xa4"), "\xc3\xa4", BAD },
	{ "us-ascii", STR_INIT("\xe4"), "\xc3\xa4", BAD },
	/* what does not exist */
	{ "utf-8", STR_INIT("a\xe4z"), "a\xef\xbf\xbdz", BAD },
	{ "utf-8",
		STR_INIT("\xe2\x82"
			 "z"),
		"\xef\xbf\xbdz", BAD },
	{ "utf-8", STR_INIT("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd", BAD },
	{ "windows-1252", STR_INIT("\x81"), "\xef\xbf\xbd", BAD },
	{ "shift_jis", STR_INIT("\x81"), "\xef\xbf\xbd", BAD },
	{ "shift_jis", STR_INIT("\xfc<b>"), "\xef\xbf\xbd<b>", BAD },
	{ "gb18030", STR_INIT("\x81\x30\xff"),
		"\xef\xbf\xbd"
		"0\xef\xbf\xbd",
		BAD },
	{ "utf-16le", STR_INIT("a\0b"), "a\xef\xbf\xbd", BAD | WIDE },
	{ "utf-16be", STR_INIT("\xd8\0\0a"),
		"\xef\xbf\xbd"
		"a",
		BAD | WIDE },
	{ "utf-32be", STR_INIT("\x7f\xff\xff\xff"), "\xef\xbf\xbd", BAD | WIDE },
	{ "utf-7", STR_INIT("+2D0-a"),
		"\xef\xbf\xbd"
		"a",
		BAD | WIDE },
	{ "iso-2022-jp", STR_INIT("\x1bxa"), "\xef\xbf\xbdxa", BAD },
};

static struct charsets *cs;

__attribute__((destructor)) static void
done(void)
{
	charsets_free(&cs);
}

TEST(texts_of_the_world_can_be_read)
{
	if (cs == NULL)
		cs = charsets_new();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		BUF_AUTO out = BUF(1000);
		uint64_t odd = 0;

		charset_to_utf8(cs, str_of(texts[i].name), texts[i].bytes, &out, &odd);
		if (strcmp(buf_z(&out), texts[i].want) != 0 || odd != texts[i].odd)
			fail_msg("%zu %s: '%s' %llx", i, texts[i].name, buf_z(&out),
				(unsigned long long)odd);
	}
}

TEST(names_are_known_as_clients_know_them)
{
	static const char *const names[][2] = {
		{ "ISO-8859-1", "windows-1252" },
		{ "iso8859_1", "windows-1252" },
		{ "Latin-1", "windows-1252" },
		{ "GB2312", "gb18030" },
		{ "KS_C_5601-1987", "euc-kr" },
		{ "Shift-JIS", "shift_jis" },
		{ "csISO2022JP", "iso-2022-jp" },
		{ "big5", "big5-hkscs" },
		{ "utf8", "utf-8" },
		{ "unicode-1-1-utf-7", "utf-7" },
		{ "ANSI_X3.4-1968", "us-ascii" },
		{ "", "" },
		{ "-", "" },
		{ "nonesuch", "" },
		{ "8859", "windows-1252" },
		{ "1 2", "" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		str name = charset_canonical(str_of(names[i][0]));

		if (!str_eq(name, str_of(names[i][1])))
			fail_msg("%s", names[i][0]);
		assert_int_equal(charset_known(str_of(names[i][0])), name.len > 0);
	}
}

TEST(a_text_is_cut_at_the_limit_and_not_within_a_character)
{
	static const char *const names[] = { "utf-8", "windows-1251", "utf-16le" };

	if (cs == NULL)
		cs = charsets_new();
	for (size_t i = 0; i < 3; i++) {
		BUF_AUTO in = BUF(100000);
		BUF_AUTO out = BUF(9999);
		uint64_t odd = 0;

		for (unsigned k = 0; k < 10000; k++)
			buf_addz(&in, i == 0 ? "\xd0\xb4" : i == 1 ? "\xe4" : "\x34\x04");
		charset_to_utf8(cs, str_of(names[i]), buf_str(&in), &out, &odd);
		assert_int_equal(out.len, 9998);
		assert_false(buf_ok(&out));
		assert_true(utf8_valid(buf_str(&out)));
	}
}
