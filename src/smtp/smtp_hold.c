/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_hold.h"

#include <string.h>

#include "held/held.h"
#include "smtp/smtp_store.h"
#include "wire/smtp_reply.h"

static const char not_kept[] = " (its original could not be kept)";

static bool
has_link(const struct smtp_verdict *v)
{
	for (const struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next)
		if (r->has_token)
			return true;
	return false;
}

static enum rc
finish_file(struct smtp_verdict *v)
{
	struct err before = v->err;
	enum rc rc = smtp_finish_file(v);

	if (rc != RC_OK)
		v->unheld = v->err;
	v->err = before;
	return rc;
}

static enum rc
hold(struct smtp_verdict *v)
{
	struct held_item what = { .id = v->id,
		.wall_ms = v->wall_ms,
		.client = v->client,
		.fd = v->file->fd,
		.size = TRACE_BLOCK + v->size,
		.facts = v->scanned.packed };

	if (v->gate->held == NULL)
		return err_set(&v->unheld, RC_NONE, "there is no key to seal it with");
	enum rc rc = finish_file(v);
	if (rc != RC_OK)
		return rc;
	memcpy(what.digest, v->digest, sizeof(what.digest));
	return held_put(v->gate->held, &what, &v->held, &v->unheld);
}

/* How long a reason may be in r's reply. */
static size_t
reason_room(const struct smtp_verdict *v, const struct smtp_rcpt *r)
{
	BUF_AUTO line = BUF(2 * SMTP_REPLY_MOST);
	char link[SMTP_LINK];

	smtp_verdict_link(v, &r->token, link);
	smtp_put_refusal(
		&line, r->code, r->esc, str_of(link), STR(""), msg_id_str(&v->id));
	return line.len < SMTP_REPLY_MOST ? SMTP_REPLY_MOST - line.len : 0;
}

static str
with_note(struct smtp_verdict *v, const struct smtp_rcpt *r)
{
	size_t room = reason_room(v, r), note = sizeof(not_kept) - 1;
	str begin = str_first(r->reason, room > note ? room - note : 0);
	BUF_AUTO b = BUF(SMTP_REPLY_MOST);
	str out;

	buf_add(&b, begin);
	buf_addz(&b, not_kept);
	/* without memory at least the note */
	return arena_copy(v->mem, buf_str(&b), &out) == RC_OK ? out
							      : str_of(not_kept + 1);
}

static void
say_so(struct smtp_verdict *v)
{
	str from = { 0 }, to = { 0 }; /* most have the same reason */

	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next) {
		if (!r->has_token)
			continue;
		if (r->reason.ptr != from.ptr || r->reason.len != from.len) {
			from = r->reason;
			to = with_note(v, r);
		}
		r->reason = to;
	}
}

void
smtp_hold(struct smtp_verdict *v)
{
	if (has_link(v) && hold(v) != RC_OK) {
		v->held = (struct msg_id){ "" };
		say_so(v);
	}
}
