/* SPDX-License-Identifier: ISC */
/* /r/TOKEN/appeal: "this was not spam". */
#include "base/clock.h"
#include "base/log.h"
#include "web/web_form.h"

enum { MANY_RETRY_S = 3600 };

static const char *const ends[] = {
	[APPEAL_TAKEN] = "taken",
	[APPEAL_AGAIN] = "again",
	[APPEAL_DECIDED] = "decided",
	[APPEAL_GONE] = "gone",
	[APPEAL_MANY] = "many",
};

static unsigned
status_of(enum appeal_end end)
{
	if (end == APPEAL_MANY)
		return 429;
	return end == APPEAL_GONE ? 410 : 200;
}

static void
log_appeal(const struct web_session *s, const struct refusal *f, enum appeal_end end)
{
	char name[REFUSAL_NAME], client[IP_TEXT];

	refusal_name(f, name);
	ip_text(&s->base.io->peer, client);
	log_info("msg=\"appeal\" refusal=%s client=%s end=%s", name, client, ends[end]);
}

static void
say_end(struct web_session *s, enum appeal_end end, bool contact)
{
	struct refusal f;
	struct scope *scope;

	/* as it is now */
	if (!web_find_refusal(s, &f))
		return;
	log_appeal(s, &f, end);
	scope = web_scope(s, web_path(s, "/r/", s->part, ""));
	web_put_refusal(s, scope, &f);
	scope_flag(scope, ends[end], true);
	scope_flag(scope, "contact_given", contact);
	scope_set(scope, "page_url", web_url(s, "/r/", s->part, ""));
	if (end == APPEAL_MANY)
		s->answer.retry_s = MANY_RETRY_S;
	web_page(s, status_of(end), "appealed.html", scope);
}

/* The second step: what was typed comes again in hidden fields. */
static void
ask_again(struct web_session *s, const struct web_typed *t, bool early,
	uint64_t not_before_ms)
{
	str path = web_path(s, "/r/", s->part, "");
	struct scope *scope = web_scope(s, path);
	uint64_t now = clock_wall_ms(),
		 left_ms = not_before_ms > now ? not_before_ms - now : 0;

	scope_set(scope, "appeal_url", web_url(s, "/r/", s->part, "/appeal"));
	scope_set(scope, "form_token", web_form_token(s, path));
	scope_set(scope, "stamp", web_stamp_wait(s, not_before_ms));
	scope_number(scope, "seconds", (left_ms + 999) / 1000);
	scope_set(scope, "note", t->note);
	scope_set(scope, "contact", t->contact);
	scope_flag(scope, "early", early);
	web_page(s, 200, "appeal_wait.html", scope);
}

/* One line, whatever was sent; blanks around are nobody's words. */
static str
tidy(struct web_session *s, str text, bool one_line)
{
	char *copy = arena_alloc(s->mem, text.len + 1);
	size_t n = text.len, at = 0;

	if (copy == NULL)
		return STR("");
	for (size_t i = 0; i < n; i++)
		copy[i] = one_line && text.ptr[i] == '\n' ? ' ' : text.ptr[i];
	while (n > 0 && strchr(" \t\n", copy[n - 1]) != NULL)
		n--;
	while (at < n && strchr(" \t\n", copy[at]) != NULL)
		at++;
	return (str){ copy + at, n - at };
}

static enum appeal_end
cannot_be(const struct refusal *f)
{
	if (f->state == REFUSAL_APPEALED)
		return APPEAL_AGAIN;
	return f->state == REFUSAL_OPEN ? APPEAL_GONE : APPEAL_DECIDED;
}

static void
make(struct web_session *s, const struct refusal *f, const struct web_typed *t)
{
	struct appeal_house house = web_appeals(s);
	struct appeal a = { .time_ms = clock_wall_ms(),
		.note = t->note,
		.contact = t->contact,
		.client = s->base.io->peer };
	str tags[SENTENCES_LANGUAGES];
	struct err err = { 0 };
	enum appeal_end end;

	if (s->language < sentences_tags(s->house->sentences, tags))
		a.language = tags[s->language];
	if (appeal_make(&house, f, &a, &end, &err) != RC_OK)
		web_failed(s, "an appeal could not be taken", &err);
	else
		say_end(s, end, t->contact.len > 0);
}

static void
take(struct web_session *s, const struct http_form *form, const struct refusal *f)
{
	struct web_typed t = { .note = tidy(s, http_form_get(form, STR("note")), false),
		.contact = tidy(s, http_form_get(form, STR("contact")), true) };
	uint64_t now = clock_wall_ms(), not_before_ms = now + s->conf->web.wait;
	enum web_work work;

	t.note_long = t.note.len > APPEAL_NOTE;
	t.contact_long = t.contact.len > APPEAL_CONTACT;
	if (f->state != REFUSAL_OPEN || !f->held) {
		say_end(s, cannot_be(f), t.contact.len > 0);
		return;
	}
	if (t.note_long || t.contact_long) {
		web_refusal_page(s, 400, f, &t);
		return;
	}
	work = web_work(s, form, now, &not_before_ms);
	if (work != WORK_DONE)
		ask_again(s, &t, work == WORK_EARLY, not_before_ms);
	else
		make(s, f, &t);
}

void
web_appeal_post(struct web_session *s)
{
	str page = web_url(s, "/r/", s->part, "");
	struct http_form form;
	struct refusal f;

	if (http_form_parse(buf_str(&s->body), s->mem, &form) != RC_OK)
		web_error(s, 400, page);
	else if (!web_form_good(s, &form, web_path(s, "/r/", s->part, "")))
		web_error(s, 403, page);
	else if (web_find_refusal(s, &f))
		take(s, &form, &f);
}

/* Who loads the answer to an appeal anew by its address. */
void
web_appeal_get(struct web_session *s)
{
	web_redirect(s, 303, web_url(s, "/r/", s->part, ""));
}
