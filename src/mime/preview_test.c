/* SPDX-License-Identifier: ISC */
#include "mime/preview.h"

#include "base/buf.h"
#include "mime/utf8.h"
#include "test/test.h"

TEST(the_list_shows_what_was_written_and_not_what_was_quoted)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "\r\n\r\n  Hello \t there,\r\n\r\nhow are you?\r\n",
			"Hello there, how are you?" },
		{ "On Monday Joe wrote:\n\n> one\n> two\n\nYes.\n-- \nJim\n", "Yes." },
		{ "-----\nNews\n=====\nof today", "News of today" },
		{ "Am Montag:\nnichts", "Am Montag: nichts" },
		{ "> all\n> quoted\n", "> all > quoted" },
		{ "a\xc2\xa0\xe2\x80\x8b\xc2\xa0z\x01\x7f", "a z" },
		{ "-- \nJim", "-- Jim" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(8 * 1024);
		str out;

		assert_int_equal(mime_preview(str_of(cases[i].text), mem, &out), RC_OK);
		assert_string_equal(out.ptr, cases[i].want);
	}
}

TEST(a_preview_is_cut_between_characters)
{
	ARENA_AUTO mem = arena_new(8 * 1024);
	BUF_AUTO in = BUF(8 * 1024);
	str out;

	for (unsigned i = 0; i < 1000; i++)
		buf_addz(&in, "\xf0\x9f\x98\x80");
	assert_int_equal(mime_preview(buf_str(&in), mem, &out), RC_OK);
	assert_int_equal(out.len, PREVIEW_BYTES);
	assert_true(utf8_valid(out));
}
