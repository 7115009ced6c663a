/* SPDX-License-Identifier: ISC */
/* Half of the bytes are English, half another language; what is read can be said. */
#include "say/ui.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str all = { (const char *)data, size }, english, tags[SENTENCES_LANGUAGES];
	struct template_file page = { "a.html", STR("{{=a}}{{b}}") };
	ARENA_AUTO mem = arena_new(16 * 1024);
	BUF_AUTO out = BUF(16 * 1024);
	struct scope *scope = scope_new(mem);
	struct sentences *s = NULL;
	struct templates *t = NULL;

	(void)str_cut(&all, '\0', &english);
	if (sentences_new((struct sentences_file[]){ { "en", english }, { "xx", all } },
		    2, &s, NULL) != RC_OK)
		return 0;
	scope_number(scope, "n", size);
	scope_say(scope, "b", STR("b"));
	for (unsigned l = 0; l < sentences_tags(s, tags); l++) {
		sentence_time(s, l, size * 86400000, &out);
		if (templates_new(&page, 1, s, &t, NULL) == RC_OK)
			(void)(template_put(t, "a.html", l, scope, &out, NULL) == RC_OK);
		templates_free(&t);
	}
	sentences_free(&s);
	return 0;
}
