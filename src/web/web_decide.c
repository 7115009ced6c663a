/* SPDX-License-Identifier: ISC */
/* /d/TOKEN: one refusal, for one who may decide about it. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/web_form.h"

enum { SIZE_TEXT = 32 };

static bool
find(struct web_session *s, struct decider *d, struct refusal *f)
{
	struct err err = { 0 };
	enum rc rc;

	if (!web_may_guess(s))
		return false;
	rc = deciders_find(s->house->refusals, s->part, s->mem, d, f, &err);
	if (rc == RC_NONE)
		web_guessed_wrong(s);
	else if (rc != RC_OK)
		web_failed(s, "who decides could not be looked up", &err);
	return rc == RC_OK;
}

/* "820 bytes" are too small to be worth a word of their own. */
static str
size_text(struct web_session *s, uint64_t size)
{
	char text[SIZE_TEXT];

	if (size < 1000 * 1000)
		(void)snprintf(text, sizeof(text), "%" PRIu64 " KB", (size + 999) / 1000);
	else
		(void)snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64 " MB",
			size / 1000000, size / 100000 % 10);
	return web_keep(s, str_of(text));
}

static bool
is_undecided(const struct refusal *f)
{
	return f->state == REFUSAL_OPEN || f->state == REFUSAL_APPEALED;
}

static bool
put_recipients(struct web_session *s, struct scope *to, const struct decider *d,
	const struct refusal *f)
{
	struct directory *directory = s->house->appeals.release.directory;
	struct err err = { 0 };
	str *seen;
	size_t n;

	if (appeal_sees(directory, d, f, s->mem, &seen, &n, &err) != RC_OK) {
		web_failed(s, "who decides could not be looked up", &err);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		scope_set(scope_row(to, "recipients"), "address", seen[i]);
	return true;
}

static bool
may(const struct web_session *s, const struct decider *d, const struct refusal *f,
	bool uphold)
{
	struct directory *directory = s->house->appeals.release.directory;

	return is_undecided(f) &&
	       appeal_may_decide(directory, d, f, uphold, NULL) == RC_OK;
}

static void
put_message(struct web_session *s, struct scope *to, const struct decider *d,
	const struct refusal *f)
{
	bool postmaster = d->role == DECIDER_POSTMASTER;
	struct appeal a = { 0 };
	bool spoken = appeals_get(s->house->refusals, f, s->mem, &a, NULL) == RC_OK;

	scope_flag(to, "postmaster", postmaster);
	scope_flag(to, "recipient", !postmaster);
	scope_flag(to, "may_release", f->held && may(s, d, f, true));
	scope_flag(to, "may_dismiss", may(s, d, f, false));
	scope_set(to, "sender", f->sender);
	scope_set(to, "client", f->client);
	scope_set(to, "helo", f->helo);
	scope_set(to, "size", size_text(s, f->size));
	scope_set(to, "findings", postmaster ? f->findings : STR(""));
	/* one recipient does not learn of another */
	scope_set(to, "decided_by",
		postmaster || str_ieq(f->decided_by, d->address) ? f->decided_by
								 : STR(""));
	scope_flag(to, "has_appeal", spoken);
	scope_set(to, "subject", spoken ? a.subject : STR(""));
	scope_set(to, "note", spoken ? a.note : STR(""));
	scope_set(to, "contact", spoken ? a.contact : STR(""));
}

void
web_decide_get(struct web_session *s)
{
	str path = web_path(s, "/d/", s->part, "");
	struct decider d;
	struct refusal f;
	struct scope *scope;

	if (!find(s, &d, &f))
		return;
	scope = web_scope(s, path);
	web_put_refusal(s, scope, &f);
	put_message(s, scope, &d, &f);
	if (!put_recipients(s, scope, &d, &f))
		return;
	scope_set(scope, "decide_url", web_url(s, "/d/", s->part, ""));
	scope_set(scope, "form_token", web_form_token(s, path));
	web_page(s, 200, "decide.html", scope);
}

static void
say_end(struct web_session *s, const struct refusal *f, const char *end)
{
	struct scope *scope = web_scope(s, web_path(s, "/d/", s->part, ""));

	web_put_refusal(s, scope, f);
	scope_flag(scope, end, true);
	scope_set(scope, "page_url", web_url(s, "/d/", s->part, ""));
	web_page(s, strcmp(end, "forbidden") == 0 ? 403 : 200, "decided.html", scope);
}

/* Why it cannot be. */
static const char *
reason(const struct web_session *s, const struct decider *d, const struct refusal *f,
	bool uphold)
{
	if (!is_undecided(f))
		return "otherwise";
	return may(s, d, f, uphold) ? "gone" : "forbidden";
}

static void
decide(struct web_session *s, const struct decider *d, struct refusal *f, bool uphold)
{
	char name[REFUSAL_NAME], client[IP_TEXT];
	const char *end = "done";
	struct decider again;
	struct err err = { 0 };
	const struct appeal_house house = web_appeals(s);
	enum rc rc = appeal_decide(&house, s->part, uphold, s->mem, f, &err);

	if (rc != RC_OK && rc != RC_BAD && rc != RC_NONE) {
		web_failed(s, "a decision could not be carried out", &err);
		return;
	}
	if (rc != RC_OK) {
		if (!find(s, &again, f))
			return;
		end = reason(s, d, f, uphold);
	}
	refusal_name(f, name);
	ip_text(&s->base.io->peer, client);
	log_info("msg=\"decision\" refusal=%s wanted=%s by=\"" STR_FMT
		 "\" client=%s end=%s",
		name, uphold ? "release" : "dismiss", STR_ARG(d->address), client, end);
	say_end(s, f, end);
}

void
web_decide_post(struct web_session *s)
{
	str page = web_url(s, "/d/", s->part, ""), decision;
	struct http_form form;
	struct decider d;
	struct refusal f;

	if (http_form_parse(buf_str(&s->body), s->mem, &form) != RC_OK) {
		web_error(s, 400, page);
		return;
	}
	decision = http_form_get(&form, STR("decision"));
	bool uphold = str_eq(decision, STR("release"));
	if (!web_form_good(s, &form, web_path(s, "/d/", s->part, "")))
		web_error(s, 403, page);
	else if (!uphold && !str_eq(decision, STR("dismiss")))
		web_error(s, 400, page);
	else if (find(s, &d, &f))
		decide(s, &d, &f, uphold);
}
