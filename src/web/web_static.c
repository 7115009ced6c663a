/* SPDX-License-Identifier: ISC */
/* /ui/NAME, and what is asked of every server. */
#include "web/web_int.h"

static void
send_asset(struct web_session *s, const struct ui_asset *a, const char *cache)
{
	BUF_AUTO etag = BUF(HTTP_LINE_MOST);

	buf_addf(&etag, "\"%s\"", a->name);
	str kept = web_keep(s, buf_str(&etag));
	if (str_eq(http_get(s->q, STR("If-None-Match")), kept))
		web_text(s, 304, STR(""));
	else
		web_text(s, 200, a->data);
	s->answer.type = s->answer.status == 304 ? NULL : a->type;
	s->answer.etag = kept;
	s->answer.cache = cache;
}

void
web_static_get(struct web_session *s)
{
	for (const struct ui_asset *a = ui_assets; a->name != NULL; a++)
		if (str_eq(s->part, str_of(a->name))) {
			send_asset(s, a, "public, max-age=31536000, immutable");
			return;
		}
	web_error(s, 404, STR(""));
}

void
web_static_icon(struct web_session *s)
{
	for (const struct ui_asset *a = ui_assets; a->name != NULL; a++)
		if (strcmp(a->plain, "gate.svg") == 0) {
			send_asset(s, a, "public, max-age=86400");
			return;
		}
	web_error(s, 404, STR(""));
}

void
web_static_robots(struct web_session *s)
{
	web_text(s, 200, STR("User-agent: *\nDisallow: /\n"));
}

void
web_static_home(struct web_session *s)
{
	web_page(s, 200, "home.html", web_scope(s, STR("/")));
}
