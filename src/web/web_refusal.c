/* SPDX-License-Identifier: ISC */
/* /r/TOKEN: the page behind the link in a refusal, for somebody who has never heard of us. */
#include "base/clock.h"
#include "web/web_form.h"

void
web_refusal_page(struct web_session *s, unsigned status, const struct refusal *f,
	const struct web_typed *t)
{
	str path = web_path(s, "/r/", s->part, "");
	struct scope *scope = web_scope(s, path);

	web_put_refusal(s, scope, f);
	scope_flag(scope, "may_appeal", web_may_appeal(s, f));
	scope_set(scope, "appeal_url", web_url(s, "/r/", s->part, "/appeal"));
	scope_set(scope, "form_token", web_form_token(s, path));
	scope_set(scope, "stamp", web_stamp(s, clock_wall_ms()));
	scope_number(scope, "bits", s->conf->web.work);
	scope_set(scope, "js_url", str_of(ui_url("appeal.js")));
	scope_set(scope, "note", t->note);
	scope_set(scope, "contact", t->contact);
	scope_flag(scope, "note_long", t->note_long);
	scope_flag(scope, "contact_long", t->contact_long);
	web_page(s, status, "refusal.html", scope);
}

void
web_refusal_get(struct web_session *s)
{
	static const struct web_typed nothing = { 0 };
	struct refusal f;

	if (web_find_refusal(s, &f))
		web_refusal_page(s, 200, &f, &nothing);
}
