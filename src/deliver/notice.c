/* SPDX-License-Identifier: ISC */
#include "deliver/notice.h"

#include <stdlib.h>

#include "base/clock.h"
#include "wire/facts.h"
#include "wire/smtp_trace.h"

enum { TEXT = 256 * 1024, MEM = 1024 * 1024, ADDRESS = 640, SENDER = 320 };

struct letter {
	const struct notice_want *w;
	const struct notice *about;
	struct arena *mem;
	struct account to;
	char subject[100], date[CLOCK_TEXT + 8], message_id[400];
	struct buf text; /* after the trace block */
	size_t body_at, body_lines;
	struct err *err;
};

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

static void
put_head(struct letter *l)
{
	const struct notice *n = l->about;
	uint64_t all = n->n + n->more;
	struct buf *b = &l->text;

	clock_mail_date(n->made_ms, l->date);
	(void)snprintf(l->message_id, sizeof(l->message_id), "%s@" STR_FMT,
		n->message.text,
		(int)(l->w->hostname.len < 300 ? l->w->hostname.len : 300),
		l->w->hostname.ptr);
	if (all == 1)
		(void)snprintf(l->subject, sizeof(l->subject),
			"A message stopped the scanner twice and was refused");
	else
		(void)snprintf(l->subject, sizeof(l->subject),
			"%llu messages stopped the scanner twice and were refused",
			(unsigned long long)all);
	buf_addf(b, "From: Gatepost <" STR_FMT ">\r\nTo: <" STR_FMT ">\r\n",
		STR_ARG(l->to.address), STR_ARG(l->to.address));
	buf_addf(b, "Subject: %s\r\nDate: %s\r\nMessage-ID: <%s>\r\n", l->subject,
		l->date, l->message_id);
	/* RFC 3834 5 */
	buf_addz(b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: 8bit\r\n\r\n");
	l->body_at = b->len;
}

static void
put_body(struct letter *l)
{
	const struct notice *n = l->about;
	struct buf *b = &l->text;
	char when[CLOCK_TEXT];

	buf_addz(b,
		n->n + n->more == 1
			? "A message could not be read by our checks: it stopped the scanner"
			  " twice.\r\nIt was refused with a link.\r\n\r\n"
			: "These messages could not be read by our checks: each stopped the"
			  " scanner twice.\r\nThey were refused with a link.\r\n\r\n");
	for (size_t i = 0; i < n->n; i++) {
		const struct notice_about *a = &n->about[i];

		clock_text(a->time_ms, when);
		buf_addf(b, "%s, from <", when);
		put_plain(b, a->sender);
		buf_addz(b, ">, client ");
		put_plain(b, a->client);
		buf_addf(
			b, "\r\n  %s %s\r\n", a->held ? "held as" : "not kept:", a->name);
	}
	if (n->more > 0)
		buf_addf(b, "and %llu more\r\n", (unsigned long long)n->more);
	buf_addf(b,
		"\r\nMore about one: gatepost refusal show %s\r\nWhat stops a scanner may be "
		"an attack on it, or a fault in Gatepost.\r\n",
		n->about[0].name);
	for (size_t i = l->body_at; i < b->len; i++)
		l->body_lines += b->data[i] == '\n';
}

/* RFC 9051 7.5.2 */
static struct fact_list
list_of(struct letter *l, str name)
{
	struct fact_list list = { .n = 1,
		.at = arena_new_of(l->mem, struct fact_address) };
	str left = l->to.address, local;

	if (list.at == NULL)
		return (struct fact_list){ 0 };
	(void)str_cut(&left, '@', &local);
	*list.at = (struct fact_address){ .name = name, .mailbox = local, .host = left };
	return list;
}

static void
pack_facts(struct letter *l, struct buf *out)
{
	struct fact_param charset = { STR("charset"), STR("utf-8") };
	struct fact_part part = { .kind = FACT_LEAF,
		.body_at = (uint32_t)l->body_at,
		.end = (uint32_t)l->text.len,
		.body_lines = (uint32_t)l->body_lines,
		.type = STR("text"),
		.subtype = STR("plain"),
		.encoding = STR("8bit"),
		.nparams = 1,
		.params = &charset,
		.text = true };
	struct facts f = { .header_bytes = (uint32_t)l->body_at,
		.date_s = (int64_t)(l->about->made_ms / 1000),
		.structure = { .n = 1, .parts = &part },
		.known_preview = true,
		.preview = str_of(l->subject) };
	struct fact_list us = list_of(l, STR("Gatepost"));

	for (size_t i = 0; i < l->body_at; i++)
		part.header_lines += l->text.data[i] == '\n';
	f.envelope = (struct fact_envelope){ .date = str_of(l->date),
		.subject = str_of(l->subject),
		.from = us,
		.sender = us,
		.reply_to = us,
		.to = list_of(l, (str){ 0 }) };
	(void)!arena_copy(l->mem, str_of(l->message_id), &f.envelope.message_id);
	facts_pack(out, &f);
}

static enum rc
write_file(struct letter *l, int fd)
{
	char block[TRACE_BLOCK];
	struct smtp_trace t = { .helo = l->w->hostname,
		.hostname = l->w->hostname,
		.id = msg_id_str(&l->about->message),
		.esmtp = true,
		.wall_ms = l->about->made_ms };
	enum rc rc;

	(void)ip_parse(STR("127.0.0.1"), &t.client);
	smtp_trace_block(&t, block);
	rc = fs_append(fd, (str){ block, sizeof(block) }, l->err);
	return rc == RC_OK ? fs_append(fd, buf_str(&l->text), l->err) : rc;
}

static enum rc
deliver(struct letter *l)
{
	BUF_AUTO facts = BUF(FACTS_MOST);
	int incoming = own_incoming(l->w->own);
	struct fs_spool file = { .fd = -1 };
	struct jrec_rcpt rcpt = { .address = l->to.address,
		.answer = JREC_DELIVERED,
		.code = 250,
		.enhanced = STR("2.0.0"),
		.reason = STR("a notice of our own"),
		.ntargets = 1,
		.targets = &l->to.id };
	struct jrec_message m = { .id = l->about->message,
		.time_ms = l->about->made_ms,
		.helo = l->w->hostname,
		.flags = JREC_NOTICE,
		.nrcpts = 1,
		.rcpts = &rcpt };
	enum rc rc;

	(void)ip_parse(STR("127.0.0.1"), &m.client);
	pack_facts(l, &facts);
	m.facts = buf_str(&facts);
	rc = fs_spool_open(incoming, 0660, &file, l->err);
	if (rc == RC_OK)
		rc = write_file(l, file.fd);
	if (rc == RC_OK)
		rc = own_deliver(l->w->own, &file, &m, l->err);
	fs_spool_drop(incoming, &file);
	return rc;
}

static enum rc
write_letter(const struct notice_want *w, const struct notice *n, struct arena *mem,
	struct err *err)
{
	struct letter l = {
		.w = w, .about = n, .mem = mem, .text = BUF(TEXT), .err = err
	};
	uint64_t id;
	/* of no domain of ours: the first domain's postmaster is its heir */
	enum rc rc = account_heir(w->directory, STR("postmaster@invalid"), &id, err);

	if (rc == RC_OK)
		rc = account_by_id(w->directory, id, mem, &l.to, err);
	if (rc == RC_OK) {
		put_head(&l);
		put_body(&l);
		rc = buf_ok(&l.text) ? deliver(&l)
				     : err_set(err, RC_LIMIT, "a notice is too long");
	}
	buf_free(&l.text);
	return rc;
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
