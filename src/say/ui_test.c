/* SPDX-License-Identifier: ISC */
#include "say/say_int.h"
#include "say/ui.h"
#include "test/test.h"

TEST(every_page_and_letter_is_sound_in_every_language)
{
	struct sentences *s = NULL;
	struct templates *t = NULL;
	struct err err = { 0 };

	if (sentences_new(ui_texts, ui_ntexts, &s, &err) != RC_OK ||
		templates_new(ui_pages, ui_npages, s, &t, &err) != RC_OK)
		fail_msg("%s", err.text);
	templates_free(&t);
	sentences_free(&s);
}
