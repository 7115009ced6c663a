/* SPDX-License-Identifier: ISC */
#include "mime/decode.h"

#include "base/buf.h"
#include "test/test.h"

static enum rc
to_buf(str piece, void *arg)
{
	buf_add(arg, piece);
	return RC_OK;
}

static void
decodes(enum mime_encoding how, const char *in, str want, uint64_t want_odd)
{
	BUF_AUTO out = BUF(4096);
	uint64_t odd = 0;

	assert_int_equal(mime_decode(how, str_of(in), 4096, to_buf, &out, &odd), RC_OK);
	if (!str_eq(buf_str(&out), want) || odd != want_odd)
		fail_msg("%s gave '%s', %llx", in, buf_z(&out), (unsigned long long)odd);
}

enum { NO = 0 };

static const uint64_t BAD64 = MIME_ODD(BAD_BASE64);

TEST(base64_is_read_as_clients_read_it)
{
	static const struct {
		const char *in, *want, *strict, *joined;
		bool bad;
	} cases[] = {
		{ "QUJDRA==", "ABCD", "ABCD", "ABCD", false },
		{ "QUJD\r\nREVG\r\n", "ABCDEF", "ABCDEF", "ABCDEF", false },
		{ "QU JD\t\r\n\r\nRA = =\r\n", "ABCD", "ABCD", "ABCD", false },
		{ "", "", "", "", false },
		/* missing padding, or too much */
		{ "QUJDRA", "ABCD", "ABCD", "ABCD", true },
		{ "QUJDRA=", "ABCD", "ABCD", "ABCD", true },
		{ "QUJDREU", "ABCDE", "ABCDE", "ABCDE", true },
		{ "QUJDR", "ABC", "ABC", "ABC", true },
		{ "QUJD=", "ABC", "ABC", "ABC", true },
		{ "QUJD====", "ABC", "ABC", "ABC", true },
		/* behind the padding */
		{ "QQ==QUJD", "AABC", "A", "A\x04\x14\x24", true },
		{ "QUI=QUJD", "ABABC", "AB", "AB\x10\x50\x90", true },
		{ "=QUJD", "ABC", "ABC", "ABC", true },
		{ "Q=UJD", "ABC", "ABC", "ABC", true },
		{ "QUJD\r\nQQ==\r\nfooter!\r\n", NULL, "ABCA", NULL, true },
		/* foreign bytes, letters of URLs */
		{ "Q!U*J\x80"
		  "D",
			"ABC", "ABC", "ABC", true },
		{ "Pz8_", "???", "??", "??", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t odd = cases[i].bad ? BAD64 : 0;

		if (cases[i].want != NULL)
			decodes(MIME_BASE64, cases[i].in, str_of(cases[i].want), odd);
		decodes(MIME_BASE64_STRICT, cases[i].in, str_of(cases[i].strict), odd);
		if (cases[i].joined != NULL && cases[i].in[0] != '\0') {
			BUF_AUTO out = BUF(100);

			assert_int_equal(
				mime_decode(MIME_BASE64_JOINED, str_of(cases[i].in), 100,
					to_buf, &out, &odd),
				RC_OK);
			assert_string_equal(buf_z(&out), cases[i].joined);
		}
	}
}

TEST(quoted_printable_is_read_as_clients_read_it)
{
	static const struct {
		const char *in, *want;
		uint64_t odd;
	} cases[] = {
		{ "a=20b=3D=e4", "a b=\xe4", 0 },
		{ "soft=\r\nly =\nand=\rnot\r\n", "softly andnot\r\n", 0 },
		{ "blanks \t \r\nat ends\t\nof lines ", "blanks\r\nat ends\nof lines",
			0 },
		{ "soft= \t\r\nblank", "softblank", MIME_ODD(BAD_QP) },
		{ "a=XY=4=", "a=XY=4", MIME_ODD(BAD_QP) },
		{ "==41=", "=A", MIME_ODD(BAD_QP) },
		{ "= a", "= a", MIME_ODD(BAD_QP) },
		{ "r\xe4w", "r\xe4w", MIME_ODD(UNENCODED) },
		{ "", "", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		decodes(MIME_QP, cases[i].in, str_of(cases[i].want), cases[i].odd);
}

TEST(files_in_texts_are_found_and_decoded)
{
	static const char text[] = "Hello,\r\n"
				   "begin 644 a b.txt\r\n#0V%T\r\n`\r\nend\r\n"
				   "begin with love\r\n"
				   "begin-base64 755 c.bin\n4pyT\nQQ==\n====\n"
				   "=ybegin line=128 size=3 name=d e.f\r\n"
				   "=ypart begin=1 end=3\r\nkl=}\r\n=yend size=3\r\n"
				   "begin 600 open\n#0V%T\n";
	static const struct {
		enum mime_encoding how;
		const char *name, *content;
		bool whole;
	} want[] = {
		{ MIME_UUENCODE, "a b.txt", "Cat", true },
		{ MIME_BASE64, "c.bin",
			"\xe2\x9c\x93"
			"A",
			true },
		{ MIME_YENC, "d e.f", "AB\x13", true },
		{ MIME_UUENCODE, "open", "Cat", false },
	};
	struct mime_embedded e;
	size_t at = 0, n = 0;

	for (; mime_embedded_next(str_of(text), &at, &e); n++) {
		BUF_AUTO out = BUF(100);
		uint64_t odd = 0;

		assert_true(n < 4);
		assert_int_equal(e.how, want[n].how);
		assert_true(str_eq(e.name, str_of(want[n].name)));
		assert_int_equal(e.whole, want[n].whole);
		assert_int_equal(
			mime_decode(e.how, e.body, 100, to_buf, &out, &odd), RC_OK);
		assert_string_equal(buf_z(&out), want[n].content);
		assert_int_equal(odd, 0);
	}
	assert_int_equal(n, 4);
}

TEST(damaged_uuencode_gives_what_is_left_of_it)
{
	/* blanks at the line's end were lost; a checksum; foreign lines */
	decodes(MIME_UUENCODE, "begin 644 x\n#\n#0V%T!\nend\nnot this", STR("\0\0\0Cat"),
		MIME_ODD(BAD_EMBEDDED));
	decodes(MIME_UUENCODE, "text before\nbegin 644 x\n#0V%T\nlower case\n\nend\n",
		STR("Cat"), MIME_ODD(BAD_EMBEDDED));
	decodes(MIME_UUENCODE, "#0V%T\n", STR("Cat"), NO);
}

TEST(binhex_gives_the_data_fork)
{
	static const char in[] = "(This file must be converted with BinHex 4.0)\n\n"
				 ":\"@%ZG(Kd!&4&@&4dG(Kd!*!&$3#3\"Q'3#T!!BQ-!!!:\n";
	struct mime_embedded e;
	size_t at = 0;

	assert_true(mime_embedded_next(str_of(in), &at, &e));
	assert_int_equal(e.how, MIME_BINHEX);
	assert_true(e.whole);
	BUF_AUTO out = BUF(100);
	uint64_t odd = 0;
	assert_int_equal(mime_decode(e.how, e.body, 100, to_buf, &out, &odd), RC_OK);
	assert_string_equal(buf_z(&out), "aaaaaaaaaa\x90"
					 "bc");
	assert_int_equal(odd, 0);
	decodes(MIME_BINHEX, ":\"@%ZG(Kd!&4&@&4dG(K:", STR(""), MIME_ODD(BAD_EMBEDDED));
}

TEST(a_million_beginnings_are_no_work)
{
	BUF_AUTO in = BUF(64 * 1024 * 1024);
	struct mime_embedded e;
	size_t at = 0, n = 0, all = 0;

	for (unsigned i = 0; i < 250000; i++)
		buf_addz(&in, "begin 644 x\n=ybegin x\nbegin-base64 1 x\n"
			      "(This file must be converted with BinHex\n");
	for (; mime_embedded_next(buf_str(&in), &at, &e); n++)
		all += e.body.len;
	assert_int_equal(n, 1000000);
	assert_true(all < 4 * in.len);
}

TEST(what_comes_out_has_a_limit)
{
	BUF_AUTO out = BUF(4096);
	BUF_AUTO in = BUF(1024 * 1024);
	uint64_t odd = 0;

	for (unsigned i = 0; i < 10000; i++)
		buf_addz(&in, "QUJDQUJDQUJDQUJD\n");
	assert_int_equal(mime_decode(MIME_BASE64, buf_str(&in), 1000, to_buf, &out, &odd),
		RC_LIMIT);
	assert_int_equal(out.len, 1000);
	buf_clear(&out);
	assert_int_equal(
		mime_decode(MIME_IDENTITY, STR("abc"), 3, to_buf, &out, &odd), RC_OK);
	assert_int_equal(
		mime_decode(MIME_IDENTITY, STR("abc"), 2, to_buf, &out, &odd), RC_LIMIT);
}

TEST(encodings_are_known_whatever_stands_beside_them)
{
	static const struct {
		const char *raw;
		enum mime_encoding how;
		bool bad;
	} cases[] = {
		{ " base64\r\n", MIME_BASE64, false },
		{ "BASE64", MIME_BASE64, false },
		{ "\r\n\tQuoted-Printable", MIME_QP, false },
		{ "7bit", MIME_IDENTITY, false },
		{ "", MIME_IDENTITY, false },
		{ "x-uuencode", MIME_UUENCODE, false },
		{ "mac-binhex40", MIME_BINHEX, false },
		{ "x-yenc", MIME_YENC, false },
		{ "(x) base64 (y (z))", MIME_BASE64, true },
		{ "\"base64\"", MIME_BASE64, true },
		{ "base64; x=y", MIME_BASE64, true },
		{ "base64 quoted-printable", MIME_BASE64, true },
		{ "base64,", MIME_BASE64, true },
		{ "foo", MIME_IDENTITY, true },
		{ "7-bit", MIME_IDENTITY, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t odd = 0;

		assert_int_equal(
			mime_encoding_read(str_of(cases[i].raw), &odd), cases[i].how);
		assert_int_equal(odd, cases[i].bad ? MIME_ODD(BAD_ENCODING) : 0);
	}
	for (unsigned i = 0; i < MIME_ENCODINGS; i++)
		assert_true(mime_encoding_name(i).len > 0);
}
