/* SPDX-License-Identifier: ISC */
/* Heads of answers, pages and errors. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/web_int.h"
#include "wire/http_put.h"

/* What every answer has: pages are nobody's frame, load nothing from elsewhere, and tell nobody
 * where they were linked from. */
static const struct {
	const char *name, *value;
} always[] = {
	{ "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
		"form-action 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'" },
	{ "X-Frame-Options", "DENY" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "X-Robots-Tag", "noindex, nofollow" },
	{ "Permissions-Policy",
		"camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

static void
put_cookie(const struct web_session *s, struct buf *b)
{
	if (s->cookie[0] != '\0')
		buf_addf(b,
			"Set-Cookie: __Host-gatepost=%s; Path=/; Secure; HttpOnly; "
			"SameSite=Strict\r\n",
			s->cookie);
}

static void
put_if(struct buf *b, const char *name, const char *value)
{
	if (value != NULL)
		http_put_field(b, name, str_of(value));
}

static void
put_language(const struct web_session *s, struct buf *b)
{
	str tags[SENTENCES_LANGUAGES];

	if (s->plain || s->answer.english)
		return;
	if (s->language < sentences_tags(s->house->sentences, tags))
		http_put_field(b, "Content-Language", tags[s->language]);
	http_put_field(b, "Vary", STR("Accept-Language, Cookie"));
}

void
web_put_head(const struct web_session *s, struct buf *b)
{
	const struct web_answer *a = &s->answer;

	http_put_status(b, a->status, clock_wall_ms());
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		http_put_field(b, always[i].name, str_of(always[i].value));
	/* 30 days: longer than that a certificate is not ours alone to keep good */
	if (!s->plain && !atomic_load(&s->house->own_ca))
		http_put_field(b, "Strict-Transport-Security", STR("max-age=2592000"));
	http_put_field(
		b, "Cache-Control", str_of(a->cache == NULL ? "no-store" : a->cache));
	put_if(b, "Content-Type", a->type);
	put_language(s, b);
	put_if(b, "Allow", a->allow);
	if (a->etag.len > 0)
		http_put_field(b, "ETag", a->etag);
	if (a->location.len > 0)
		http_put_field(b, "Location", a->location);
	if (a->retry_s > 0)
		http_put_number(b, "Retry-After", a->retry_s);
	put_cookie(s, b);
	if (a->status != 304)
		http_put_number(b, "Content-Length", a->body.len);
	if (s->closing)
		http_put_field(b, "Connection", STR("close"));
	http_put_end(b);
}

str
web_keep(struct web_session *s, str text)
{
	str out = STR("");

	if (arena_copy(s->mem, text, &out) != RC_OK)
		s->full = true;
	return out;
}

static str
make_url(struct web_session *s, const char *head, str token, const char *tail, str lang)
{
	BUF_AUTO b = BUF(HTTP_LINE_MOST);

	buf_addz(&b, head);
	http_put_path(&b, token);
	buf_addz(&b, tail);
	if (lang.len > 0) {
		buf_addz(&b, "?lang=");
		http_put_path(&b, lang);
	}
	return web_keep(s, buf_str(&b));
}

str
web_path(struct web_session *s, const char *head, str token, const char *tail)
{
	return make_url(s, head, token, tail, STR(""));
}

str
web_url(struct web_session *s, const char *head, str token, const char *tail)
{
	return make_url(s, head, token, tail, s->chosen);
}

static void
put_languages(struct web_session *s, struct scope *scope, str path)
{
	str tags[SENTENCES_LANGUAGES];
	size_t n = sentences_tags(s->house->sentences, tags);

	for (unsigned i = 0; i < n; i++) {
		struct scope *row = scope_row(scope, "languages");

		scope_set(row, "tag", tags[i]);
		scope_set(row, "name", sentences_name(s->house->sentences, i));
		scope_set(row, "lang_url", make_url(s, "", path, "", tags[i]));
		scope_flag(row, "here", i == s->language);
	}
}

struct scope *
web_scope(struct web_session *s, str path)
{
	struct scope *scope = scope_new(s->mem);

	scope_set(scope, "hostname", s->conf->server.hostname);
	scope_set(scope, "css_url", str_of(ui_url("page.css")));
	scope_set(scope, "icon_url", str_of(ui_url("gate.svg")));
	if (path.len > 0)
		put_languages(s, scope, path);
	return scope;
}

static void
begin(struct web_session *s, unsigned status, const char *type)
{
	const char *allow = s->answer.allow;
	uint64_t retry_s = s->answer.retry_s;

	buf_free(&s->answer.page);
	s->answer = (struct web_answer){ .status = status,
		.type = type,
		.allow = allow,
		.retry_s = retry_s,
		.page = BUF(WEB_PAGE) };
}

void
web_text(struct web_session *s, unsigned status, str text)
{
	begin(s, status, "text/plain; charset=utf-8");
	s->answer.body = text;
	s->answer.english = true;
}

void
web_page(struct web_session *s, unsigned status, const char *file,
	const struct scope *scope)
{
	struct err err = { 0 };

	begin(s, status, "text/html; charset=utf-8");
	if (scope_ok(scope) && !s->full &&
		template_put(s->house->templates, file, s->language, scope,
			&s->answer.page, &err) == RC_OK) {
		s->answer.body = buf_str(&s->answer.page);
		return;
	}
	log_error("msg=\"a page could not be made\" page=%s why=\"%s\"", file,
		err.text[0] == '\0' ? "too large" : err.text);
	web_text(s, 500, STR("This page could not be made.  Please come back later.\n"));
}

/* The flag of error.html. */
static const char *
error_flag(unsigned status)
{
	static const struct {
		unsigned status;
		const char *flag;
	} flags[] = {
		{ 403, "e403" },
		{ 404, "e404" },
		{ 405, "e405" },
		{ 413, "e413" },
		{ 429, "e429" },
		{ 500, "e500" },
		{ 503, "e503" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].status == status)
			return flags[i].flag;
	return "e400";
}

void
web_error(struct web_session *s, unsigned status, str page_url)
{
	struct scope *scope;
	char client[IP_TEXT];

	ip_text(&s->base.io->peer, client);
	log_debug("msg=\"refused\" door=%s client=%s status=%u",
		s->plain ? "http" : "https", client, status);
	/* RFC 9110 15.5.6: of a method that is spoken nowhere here */
	if (status == 405 && s->answer.allow == NULL)
		s->answer.allow = s->plain ? "GET, HEAD" : "GET, HEAD, POST";
	if (s->plain) {
		web_text(s, status, str_of(http_reason(status)));
		return;
	}
	if (status == 503 && s->answer.retry_s == 0)
		s->answer.retry_s = 60;
	scope = web_scope(s, STR(""));
	scope_number(scope, "status", status);
	scope_flag(scope, error_flag(status), true);
	scope_set(scope, "page_url", page_url);
	web_page(s, status, "error.html", scope);
}

void
web_failed(struct web_session *s, const char *what, const struct err *err)
{
	log_error("msg=\"%s\" door=https why=\"%s\"", what, err->text);
	web_error(s, 503, STR(""));
}

void
web_redirect(struct web_session *s, unsigned status, str to)
{
	begin(s, status, NULL);
	s->answer.location = to;
	s->answer.english = true;
}
