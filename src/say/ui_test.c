/* SPDX-License-Identifier: ISC */
#include "say/samples.h"
#include "say/say_int.h"
#include "test/test.h"

static struct sentences *all_sentences;
static struct templates *all_templates;

static void
begin(void)
{
	struct err err = { 0 };

	if (sentences_new(ui_texts, ui_ntexts, &all_sentences, &err) != RC_OK ||
		templates_new(ui_pages, ui_npages, all_sentences, &all_templates, &err) !=
			RC_OK)
		fail_msg("%s", err.text);
}

static void
end(void)
{
	templates_free(&all_templates);
	sentences_free(&all_sentences);
}

TEST(every_page_and_letter_is_sound_in_every_language)
{
	str tags[SENTENCES_LANGUAGES];
	struct err err = { 0 };

	begin();
	for (const struct sample *p = samples; p->name != NULL; p++) {
		for (unsigned l = 0; l < sentences_tags(all_sentences, tags); l++) {
			BUF_AUTO out = BUF(256 * 1024);

			if (sample_put(p, all_sentences, all_templates, l, &out, &err) !=
				RC_OK)
				fail_msg("%s: %s", p->name, err.text);
			assert_true(str_find(buf_str(&out), STR("{")) == out.len);
			assert_true(say_is_text(p->file) ||
				    str_starts(buf_str(&out), STR("<!doctype html>\n")));
		}
	}
	end();
}
