/* SPDX-License-Identifier: ISC */
#include "deliver/notice.h"

#include <stdlib.h>

#include "base/clock.h"
#include "deliver/own_mail.h"

enum { TEXT = 256 * 1024, MEM = 1024 * 1024, SENDER = 320, SUBJECT = 100 };

/* An address as its client gave it, in a line of ours. */
static void
put_plain(struct buf *b, str s)
{
	s = str_first(s, SENDER);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		buf_addc(b, (unsigned char)c < ' ' || c == 0x7f ? '?' : c);
	}
}

static str
subject_of(const struct notice *n, char out[SUBJECT])
{
	uint64_t all = n->n + n->more;

	if (all == 1)
		return STR("A message stopped the scanner twice and was refused");
	(void)snprintf(out, SUBJECT,
		"%llu messages stopped the scanner twice and were refused",
		(unsigned long long)all);
	return str_of(out);
}

static void
put_body(const struct notice *n, struct buf *b)
{
	char when[CLOCK_TEXT];

	buf_addz(b,
		n->n + n->more == 1
			? "A message could not be read by our checks: it stopped the scanner"
			  " twice.\nIt was refused with a link.\n\n"
			: "These messages could not be read by our checks: each stopped the"
			  " scanner twice.\nThey were refused with a link.\n\n");
	for (size_t i = 0; i < n->n; i++) {
		const struct notice_about *a = &n->about[i];

		clock_text(a->time_ms, when);
		buf_addf(b, "%s, from <", when);
		put_plain(b, a->sender);
		buf_addz(b, ">, client ");
		put_plain(b, a->client);
		buf_addf(b, "\n  %s %s\n", a->held ? "held as" : "not kept:", a->name);
	}
	if (n->more > 0)
		buf_addf(b, "and %llu more\n", (unsigned long long)n->more);
	buf_addf(b,
		"\nMore about one: gatepost refusal show %s\nWhat stops a scanner may be "
		"an attack on it, or a fault in Gatepost.\n",
		n->about[0].name);
}

static enum rc
write_letter(const struct notice_want *w, const struct notice *n, struct arena *mem,
	struct err *err)
{
	BUF_AUTO text = BUF(TEXT);
	char subject[SUBJECT];
	struct account to;
	uint64_t id;
	/* of no domain of ours: the first domain's postmaster is its heir */
	enum rc rc = account_heir(w->directory, STR("postmaster@invalid"), &id, err);

	if (rc == RC_OK)
		rc = account_by_id(w->directory, id, mem, &to, err);
	if (rc != RC_OK)
		return rc;
	put_body(n, &text);
	const struct own_mail m = { .hostname = w->hostname,
		.to = &to,
		.id = n->message,
		.made_ms = n->made_ms,
		.subject = subject_of(n, subject),
		.text = buf_str(&text),
		.reason = STR("a notice of our own") };

	return buf_ok(&text) ? own_mail_deliver(w->own, &m, err)
			     : err_set(err, RC_LIMIT, "a notice is too long");
}

enum rc
notice_send(const struct notice_want *w, struct err *err)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct notice *n = calloc(1, sizeof(*n));
	enum rc rc;

	if (n == NULL)
		abort();
	rc = refusals_notice(w->refusals, clock_wall_ms(), mem, n, err);
	if (rc == RC_OK) {
		LOCK_AUTO turn = lock_take(own_turn(w->own));

		/* It may have been sent by whom we waited for, or by the process before. */
		rc = own_settle(w->own, err);
		arena_reset(mem);
		if (rc == RC_OK)
			rc = refusals_notice(w->refusals, clock_wall_ms(), mem, n, err);
		if (rc == RC_OK)
			rc = write_letter(w, n, mem, err);
	}
	free(n);
	return rc == RC_NONE ? RC_OK : rc;
}
