/* SPDX-License-Identifier: ISC */
#include "deliver/letters.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "deliver/appeal.h"
#include "deliver/own_mail.h"
#include "filter/said.h"

enum {
	MEM = 64 * 1024 * 1024,
	TEXT = 384 * 1024,
	LETTERS_ROUND = 20, /* sent in one call */
	NOTE_LINES = 200,
	URL = 400,
};

struct writing {
	const struct letters_want *w;
	const struct letter *l;
	struct arena *mem;
	struct account to;
	struct decider pages[LETTER_ABOUT]; /* behind its links */
	size_t npages;
	struct err *err;
};

/* ---- tokens ---- */

void
decider_token(const uint8_t key[TOKEN_KEY], const struct decider *d, char out[27])
{
	uint8_t mac[SHA256_BYTES];
	BUF_AUTO what = BUF(1024);

	buf_addf(&what, "decider %s.%u %d ", d->id.text, d->n, d->role);
	buf_add(&what, d->address);
	hmac_sha256((str){ (const char *)key, TOKEN_KEY }, buf_str(&what), mac);
	ids_base32(mac, 16, out);
	wipe(mac, sizeof(mac));
}

static str
keep(struct writing *x, str s)
{
	str out;

	return arena_copy(x->mem, s, &out) == RC_OK ? out : STR("");
}

/* Notes its page, and gives its address. */
static void
put_link(struct writing *x, struct scope *to, const struct letter_about *a)
{
	struct decider *d = &x->pages[x->npages++];
	char token[27], base[320], url[URL];
	str stem;

	*d = (struct decider){
		.id = a->id, .n = a->n, .address = x->to.address, .role = a->role
	};
	decider_token(x->w->token_key, d, token);
	sha256(str_of(token), d->token);
	conf_link_base(x->w->conf, base);
	stem = str_first(str_of(base), strlen(base) - 3); /* "/r/" */
	(void)snprintf(url, sizeof(url), STR_FMT "/d/%s", STR_ARG(stem), token);
	scope_set(to, "decide_url", keep(x, str_of(url)));
	wipe(token, sizeof(token));
	wipe(url, sizeof(url));
}

/* ---- what is said ---- */

static str
defanged(struct writing *x, str s)
{
	BUF_AUTO b = BUF(4 * APPEAL_NOTE);

	letters_defang(s, &b);
	return keep(x, buf_str(&b));
}

static void
put_note(struct writing *x, struct scope *to, const struct appeal *a)
{
	str left = a->note, line;
	size_t n = 0;

	while (n++ < NOTE_LINES && str_cut(&left, '\n', &line))
		scope_set(scope_row(to, "note_lines"), "line", defanged(x, line));
	scope_set(to, "contact", defanged(x, a->contact));
	scope_set(to, "subject", defanged(x, a->subject));
	scope_time(to, "appealed_at", a->time_ms);
}

/* A catch-all's recipients are a stranger's words as well. */
static enum rc
put_recipients(struct writing *x, struct scope *to, const struct refusal *f,
	const struct letter_about *a)
{
	enum { SHOWN = 20 };
	const struct decider d = { .address = x->to.address, .role = a->role };
	str *seen;
	size_t n;
	enum rc rc = appeal_sees(x->w->directory, &d, f, x->mem, &seen, &n, x->err);

	for (size_t i = 0; rc == RC_OK && i < n && i < SHOWN; i++)
		scope_set(scope_row(to, "recipients"), "address",
			seen[i].ptr[0] == '"' ? defanged(x, seen[i]) : seen[i]);
	return rc;
}

/* RC_NONE: nothing is left to say about it. */
static enum rc
load_about(struct writing *x, const struct letter_about *a, struct refusal *f,
	struct appeal *said)
{
	const struct refusal key = { .id = a->id, .n = a->n };
	char name[REFUSAL_NAME];
	enum rc rc;

	refusal_name(&key, name);
	rc = refusals_find(x->w->refusals, str_of(name), x->mem, f, x->err);
	if (rc != RC_OK)
		return rc;
	if (f->expires_ms <= clock_wall_ms() || f->state == REFUSAL_RELEASED ||
		(x->l->kind == LETTER_APPEAL && f->state == REFUSAL_DISMISSED))
		return RC_NONE;
	rc = appeals_get(x->w->refusals, f, x->mem, said, x->err);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
put_about(struct writing *x, struct scope *to, const struct letter_about *a,
	const struct refusal *f, const struct appeal *said)
{
	enum rc rc = put_recipients(x, to, f, a);

	said_refusal(to, x->mem, f);
	scope_set(to, "sender", defanged(x, f->sender));
	put_note(x, to, said);
	scope_flag(to, a->role == DECIDER_POSTMASTER ? "postmaster" : "recipient", true);
	put_link(x, to, a);
	return rc;
}

/* ---- a letter ---- */

/* list NULL: it is about one, and the page is its.  RC_NONE: nothing is left to say. */
static enum rc
put_rows(struct writing *x, struct scope *top, const char *list, size_t *said)
{
	for (size_t i = 0; i < x->l->n; i++) {
		const struct letter_about *a = &x->l->about[i];
		struct refusal *f = arena_new_of(x->mem, struct refusal);
		struct appeal appeal = { .note = STR("") };
		enum rc rc;

		if (f == NULL)
			return err_set(x->err, RC_LIMIT, "a letter is too long");
		rc = load_about(x, a, f, &appeal);
		if (rc == RC_NONE)
			continue;
		if (rc == RC_OK)
			rc = put_about(x, list == NULL ? top : scope_row(top, list), a, f,
				&appeal);
		if (rc != RC_OK)
			return rc;
		++*said;
	}
	return *said > 0 ? RC_OK : RC_NONE;
}

static unsigned
language_of(const struct letters_want *w)
{
	str tags[SENTENCES_LANGUAGES];
	size_t n = sentences_tags(w->sentences, tags);

	for (size_t i = 0; i < n; i++)
		if (str_ieq(tags[i], w->conf->web.language))
			return (unsigned)i;
	return 0;
}

static enum rc
compose(struct writing *x, struct buf *subject, struct buf *text)
{
	bool daily = x->l->kind == LETTER_DAILY, alone = !daily && x->l->n == 1;
	struct scope *top = scope_new(x->mem);
	BUF_AUTO page = BUF(TEXT);
	size_t said = 0;
	str left, line;
	enum rc rc;

	scope_set(top, "hostname", x->w->conf->server.hostname);
	scope_set(top, "address", x->to.address);
	rc = put_rows(x, top, alone ? NULL : daily ? "refusals" : "appeals", &said);
	scope_number(top, "count", said + x->l->more);
	scope_number(top, "more", x->l->more);
	if (rc == RC_OK && !scope_ok(top))
		rc = err_set(x->err, RC_LIMIT, "a letter is too long");
	if (rc == RC_OK)
		rc = template_put(x->w->templates,
			daily   ? "daily.txt"
			: alone ? "appeal.txt"
				: "appeals.txt",
			language_of(x->w), top, &page, x->err);
	if (rc != RC_OK)
		return rc;
	left = buf_str(&page);
	while (str_cut(&left, '\n', &line) && str_empty(line))
		;
	buf_add(subject, str_trim(line));
	buf_add(text, left.len > 0 && left.ptr[0] == '\n' ? str_skip(left, 1) : left);
	return RC_OK;
}

static enum rc
find_account(struct writing *x)
{
	return account_find(x->w->directory, x->l->address, x->mem, &x->to, x->err);
}

/* RC_NONE: there is nobody, or nothing to say. */
static enum rc
write_letter(struct writing *x)
{
	BUF_AUTO subject = BUF(4096);
	BUF_AUTO text = BUF(2 * TEXT);
	enum rc rc = find_account(x);

	if (rc == RC_OK)
		rc = compose(x, &subject, &text);
	if (rc != RC_OK)
		return rc;
	const struct own_mail m = { .hostname = x->w->conf->server.hostname,
		.to = &x->to,
		.id = x->l->message,
		.made_ms = x->l->made_ms,
		.subject = buf_str(&subject),
		.text = buf_str(&text),
		.reason = STR("a letter of our own") };

	if (!buf_ok(&subject) || !buf_ok(&text))
		return err_set(x->err, RC_LIMIT, "a letter is too long");
	rc = deciders_put(x->w->refusals, x->pages, x->npages, x->err);
	return rc == RC_OK ? own_mail_deliver(x->w->own, &m, x->err) : rc;
}

/* One that is too long would hold up all others for ever: it goes with half of it, and
 * what is too long alone is told to the log. */
static enum rc
write_what_fits(const struct letters_want *w, struct letter *l, struct err *err)
{
	while (true) {
		ARENA_AUTO mem = arena_new(MEM);
		struct writing x = { .w = w, .l = l, .mem = mem, .err = err };
		enum rc rc = write_letter(&x);

		if (rc != RC_LIMIT)
			return rc;
		if (l->n <= 1) {
			log_error(
				"msg=\"a letter about a refusal cannot be written\" id=%s refusal=%s why=\"%s\"",
				l->message.text, l->about[0].id.text, err->text);
			return RC_NONE;
		}
		l->n /= 2;
		l->more = 0;
		rc = letters_put_back(w->refusals, l, l->n, err);
		if (rc != RC_OK)
			return rc;
	}
}

static enum rc
send_one(const struct letters_want *w, struct letter *l, struct err *err)
{
	ARENA_AUTO mem = arena_new(MEM);
	LOCK_AUTO turn = lock_take(own_turn(w->own));
	/* it may have been sent by whom we waited for, or by the process before */
	enum rc rc = own_settle(w->own, err);

	if (rc == RC_OK)
		rc = letters_next(w->refusals, clock_wall_ms(), mem, l, err);
	if (rc != RC_OK)
		return rc;
	rc = write_what_fits(w, l, err);
	if (rc == RC_NONE) {
		log_info(
			"msg=\"a letter was not written: there is nobody for it, or nothing to say\" id=%s",
			l->message.text);
		rc = letters_drop(w->refusals, &l->message, err);
	}
	return rc;
}

enum rc
letters_send(const struct letters_want *w, bool *more, struct err *err)
{
	struct letter *l = calloc(1, sizeof(*l));
	struct err why = { 0 };
	/* the one does not hold up the other */
	enum rc daily = letters_daily(w, &why), rc = RC_OK;

	if (l == NULL)
		abort();
	for (unsigned i = 0; i < LETTERS_ROUND && rc == RC_OK; i++) {
		ARENA_AUTO mem = arena_new(MEM);

		/* quick when nothing is due: without the turn */
		rc = letters_next(w->refusals, clock_wall_ms(), mem, l, err);
		if (rc == RC_OK)
			rc = send_one(w, l, err);
	}
	free(l);
	*more = rc == RC_OK;
	if (rc == RC_OK || rc == RC_NONE)
		return daily == RC_OK ? RC_OK : err_set(err, daily, "%s", why.text);
	return rc;
}
