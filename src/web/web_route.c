/* SPDX-License-Identifier: ISC */
/* Which handler a path has, and in which language it answers. */
#include "web/web_int.h"

const struct web_route web_routes[] = {
	{ "/r/", "", true, true, web_refusal_get, NULL },
	{ "/r/", "/appeal", true, true, web_appeal_get, web_appeal_post },
	{ "/d/", "", true, true, web_decide_get, web_decide_post },
	{ "/ui/", "", true, false, web_static_get, NULL },
	{ "/", NULL, false, false, web_static_home, NULL },
	{ "/ca", NULL, false, false, web_ca_get, NULL },
	{ "/ca.crt", NULL, false, false, web_ca_crt_get, NULL },
	{ "/robots.txt", NULL, false, false, web_static_robots, NULL },
	{ "/favicon.ico", NULL, false, false, web_static_icon, NULL },
	{ .head = NULL },
};

const struct web_route web_plain_routes[] = {
	{ "/.well-known/acme-challenge/", "", true, true, web_plain_acme, NULL },
	{ "/", NULL, true, false, web_plain_other, NULL }, /* whatever follows */
	{ .head = NULL },
};

static bool
matches(const struct web_route *r, str path, str *part)
{
	str head = str_of(r->head), tail = str_of(r->tail);

	if (!r->open)
		return str_eq(path, head);
	if (!str_starts(path, head))
		return false;
	*part = str_skip(path, head.len);
	if (r->tail == NULL)
		return true;
	if (part->len <= tail.len || !str_eq(str_skip(*part, part->len - tail.len), tail))
		return false;
	part->len -= tail.len;
	return memchr(part->ptr, '/', part->len) == NULL;
}

unsigned
web_route(struct web_session *s)
{
	bool posts = s->q->method == HTTP_POST;

	for (const struct web_route *r = s->routes; r->head != NULL; r++) {
		if (!matches(r, s->q->path, &s->part))
			continue;
		s->route = r;
		if ((posts ? r->post : r->get) != NULL)
			return 0;
		s->answer.allow = r->post != NULL ? "GET, HEAD, POST" : "GET, HEAD";
		return 405;
	}
	return 404;
}

void
web_pick_language(struct web_session *s)
{
	struct http_form query;
	str tags[SENTENCES_LANGUAGES];
	size_t n;

	if (s->plain)
		return;
	n = sentences_tags(s->house->sentences, tags);
	s->language = (unsigned)http_language(
		http_get(s->q, STR("Accept-Language")), tags, n);
	if (http_form_parse(s->q->query, s->mem, &query) != RC_OK)
		return;
	str wanted = http_form_get(&query, STR("lang"));
	for (size_t i = 0; i < n; i++)
		if (str_ieq(wanted, tags[i])) {
			s->language = (unsigned)i;
			s->chosen = tags[i];
		}
}
