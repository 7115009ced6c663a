/* SPDX-License-Identifier: ISC */
#include "ctl/shown.h"

#include "test/test.h"

static void
shows(str in, const char *want)
{
	for (size_t cut = 0; cut <= in.len; cut++) {
		BUF_AUTO out = BUF(1024);
		struct shown s = { 0 };

		shown_add(&s, str_first(in, cut), &out);
		shown_add(&s, str_skip(in, cut), &out);
		shown_end(&s, &out);
		assert_string_equal(buf_z(&out), want);
	}
}

TEST(what_a_sender_wrote_does_not_work_the_terminal)
{
	shows(STR("\x1b]0;title\a \x1b[2J\r\b\0\x7f"), "?]0;title? ?[2J????");
	shows(STR("over\rwritten \r\r\n \r\x1b \r"), "over?written ?\r\n ?? ?");
	shows(STR("\xc2\x9b"
		  "2J \xc2\x80 \xc2\x9f"),
		"?2J ? ?");
	shows(STR("\x9b"
		  "2J \xc0\x9b \xe0\x82\x9b \xf8\x9b"),
		"?2J ?? ??? ??");
	shows(STR("\xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x1b[ \xe2\x82"), "??? ???? ??[ ??");
}

TEST(text_in_any_language_is_shown_as_it_is)
{
	shows(STR("three\n\tlines\r\n ~"), "three\n\tlines\r\n ~");
	shows(STR("Gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\x90\x9f \xc2\xa0 \xdf\xbf"),
		"Gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\x90\x9f \xc2\xa0 \xdf\xbf");
}
