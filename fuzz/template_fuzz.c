/* SPDX-License-Identifier: ISC */
/* A page that compiles, filled with what is hostile, has neither markup nor links of a stranger's. */
#include "say/ui.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct template_file f[] = { { "a.html", { (const char *)data, size } },
		{ "b.html", STR_INIT("<p title=\"{{x}}\">{{x}}{{=ca_check}}</p>") } };
	ARENA_AUTO mem = arena_new(64 * 1024);
	BUF_AUTO out = BUF(256 * 1024);
	static struct sentences *s;
	struct templates *t = NULL;
	struct scope *scope = scope_new(mem);

	if (s == NULL && sentences_new(ui_texts, ui_ntexts, &s, NULL) != RC_OK)
		abort();
	if (templates_new(f, 2, s, &t, NULL) != RC_OK)
		return 0;
	scope_set(scope, "x", STR("\"'><x-evil>&\xff\n> "));
	scope_set(scope, "x_url", size % 2 ? STR("javascript:x-evil") : STR("/x"));
	scope_set(scope_row(scope, "rows"), "x", STR("<x-evil y='\""));
	scope_set(scope_row(scope, "rows"), "y", STR("\" onclick=\"x-evil"));
	scope_set(scope, "hostname", STR("<x-evil>"));
	if (template_put(t, "a.html", 0, scope, &out, NULL) == RC_OK &&
		str_find((str){ (const char *)data, size }, STR("x-evil")) == size &&
		(str_find(buf_str(&out), STR("<x-evil")) < out.len ||
			str_find(buf_str(&out), STR("=\"javascript:x-evil")) < out.len))
		abort();
	templates_free(&t);
	return 0;
}
