/* SPDX-License-Identifier: ISC */
#include "deliver/own_mail.h"

#include "base/arena.h"
#include "base/clock.h"
#include "wire/base64.h"
#include "wire/facts.h"
#include "wire/smtp_trace.h"

enum { TEXT = 512 * 1024, MEM = 64 * 1024, WORD_BYTES = 42, PREVIEW = 200 };

struct writing {
	const struct own_mail *w;
	struct own *own;
	struct arena *mem;
	char date[CLOCK_TEXT + 8], message_id[400];
	struct buf subject; /* as it stands in the header, folded */
	struct buf text; /* after the trace block */
	size_t body_at, body_lines;
	struct err *err;
};

/* ---- the header ---- */

/* As many bytes as fit into an encoded word, whole characters only. */
static size_t
word_bytes(str left)
{
	size_t n = left.len < WORD_BYTES ? left.len : WORD_BYTES;

	while (n > 1 && n < left.len && ((unsigned char)left.ptr[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* RFC 2047 2: words of at most 75 characters, one a line. */
static void
put_words(struct buf *b, str subject)
{
	for (size_t n; subject.len > 0; subject = str_skip(subject, n)) {
		n = word_bytes(subject);
		buf_addz(b, "=?utf-8?B?");
		base64_put(b, str_first(subject, n));
		buf_addz(b, n < subject.len ? "?=\r\n " : "?=");
	}
}

static void
put_subject(struct writing *l)
{
	str s = l->w->subject;

	if (str_printable(s) == s.len && !str_has_8bit(s) && s.len <= 900)
		buf_add(&l->subject, s);
	else
		put_words(&l->subject, s);
}

static str
domain_of(str address)
{
	str local;

	(void)str_cut(&address, '@', &local);
	return address;
}

static void
put_head(struct writing *l)
{
	const struct own_mail *w = l->w;
	struct buf *b = &l->text;

	clock_mail_date(w->made_ms, l->date);
	(void)snprintf(l->message_id, sizeof(l->message_id), "%s@" STR_FMT, w->id.text,
		(int)(w->hostname.len < 300 ? w->hostname.len : 300), w->hostname.ptr);
	put_subject(l);
	buf_addf(b,
		"From: Gatepost <postmaster@" STR_FMT ">\r\nTo: <" STR_FMT
		">\r\nSubject: ",
		STR_ARG(domain_of(w->to->address)), STR_ARG(w->to->address));
	buf_add(b, buf_str(&l->subject));
	buf_addf(b, "\r\nDate: %s\r\nMessage-ID: <%s>\r\n", l->date, l->message_id);
	/* RFC 3834 5 */
	buf_addz(b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: 8bit\r\n\r\n");
	l->body_at = b->len;
}

static void
put_body(struct writing *l)
{
	str left = l->w->text, line;

	while (str_cut(&left, '\n', &line)) {
		buf_add(&l->text, line);
		buf_addz(&l->text, "\r\n");
		l->body_lines++;
	}
}

/* ---- what the scanner would say of it ---- */

/* RFC 9051 7.5.2 */
static struct fact_list
list_of(struct writing *l, str name, str local)
{
	struct fact_list list = { .n = 1,
		.at = arena_new_of(l->mem, struct fact_address) };

	if (list.at == NULL)
		return (struct fact_list){ 0 };
	*list.at = (struct fact_address){
		.name = name, .mailbox = local, .host = domain_of(l->w->to->address)
	};
	return list;
}

/* RFC 8970: how its text begins, on one line. */
static str
preview_of(struct writing *l)
{
	size_t n = l->w->text.len < PREVIEW ? l->w->text.len : PREVIEW;
	str out = { 0 };
	char *text;

	while (n > 0 && n < l->w->text.len &&
		((unsigned char)l->w->text.ptr[n] & 0xc0) == 0x80)
		n--;
	if ((text = arena_alloc(l->mem, n + 1)) == NULL)
		return out;
	for (size_t i = 0; i < n; i++) {
		char c = l->w->text.ptr[i];

		text[i] = c == '\n' ? ' ' : c;
	}
	return (str){ text, n };
}

static void
pack_facts(struct writing *l, struct buf *out)
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
		.date_s = (int64_t)(l->w->made_ms / 1000),
		.structure = { .n = 1, .parts = &part },
		.known_preview = true,
		.preview = preview_of(l) };
	str rest = l->w->to->address, local;
	struct fact_list us = list_of(l, STR("Gatepost"), STR("postmaster"));

	(void)str_cut(&rest, '@', &local);
	for (size_t i = 0; i < l->body_at; i++)
		part.header_lines += l->text.data[i] == '\n';
	f.envelope = (struct fact_envelope){ .date = str_of(l->date),
		.subject = buf_str(&l->subject),
		.from = us,
		.sender = us,
		.reply_to = us,
		.to = list_of(l, (str){ 0 }, local) };
	(void)!arena_copy(l->mem, str_of(l->message_id), &f.envelope.message_id);
	facts_pack(out, &f);
}

static enum rc
write_file(struct writing *l, int fd)
{
	char block[TRACE_BLOCK];
	struct smtp_trace t = { .helo = l->w->hostname,
		.hostname = l->w->hostname,
		.id = msg_id_str(&l->w->id),
		.esmtp = true,
		.wall_ms = l->w->made_ms };
	enum rc rc;

	(void)ip_parse(STR("127.0.0.1"), &t.client);
	smtp_trace_block(&t, block);
	rc = fs_append(fd, (str){ block, sizeof(block) }, l->err);
	return rc == RC_OK ? fs_append(fd, buf_str(&l->text), l->err) : rc;
}

static enum rc
deliver(struct writing *l)
{
	BUF_AUTO facts = BUF(FACTS_MOST);
	int incoming = own_incoming(l->own);
	struct fs_spool file = { .fd = -1 };
	uint64_t target = l->w->to->id;
	struct jrec_rcpt rcpt = { .address = l->w->to->address,
		.answer = JREC_DELIVERED,
		.code = 250,
		.enhanced = STR("2.0.0"),
		.reason = l->w->reason,
		.ntargets = 1,
		.targets = &target };
	struct jrec_message m = { .id = l->w->id,
		.time_ms = l->w->made_ms,
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
		rc = own_deliver(l->own, &file, &m, l->err);
	fs_spool_drop(incoming, &file);
	return rc;
}

enum rc
own_mail_deliver(struct own *own, const struct own_mail *m, struct err *err)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct writing l = { .w = m,
		.own = own,
		.mem = mem,
		.subject = BUF(TEXT),
		.text = BUF(TEXT),
		.err = err };
	enum rc rc;

	put_head(&l);
	put_body(&l);
	rc = buf_ok(&l.text) && buf_ok(&l.subject)
		     ? deliver(&l)
		     : err_set(err, RC_LIMIT, "a mail of our own is too long");
	buf_free(&l.text);
	buf_free(&l.subject);
	return rc;
}
