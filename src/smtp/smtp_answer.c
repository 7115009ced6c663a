/* SPDX-License-Identifier: ISC */
/*
 * From the last byte of a message to the last reply: the verdict is given to
 * its pool and waited for, parked; then its answers are written, and when our
 * kernel has them the journal gets its "answered" mark, unless the peer had hung
 * up before.
 */
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "smtp/smtp_int.h"
#include "smtp/smtp_recent.h"
#include "wire/smtp_reply.h"

/* ---- the verdict's memory ---- */

struct smtp_verdict *
smtp_verdict_new(struct smtp_session *s)
{
	struct smtp_verdict *v = calloc(1, sizeof(*v));
	struct smtp_txn *t = &s->txn;

	if (v == NULL)
		abort();
	v->work.run = smtp_verdict_run;
	v->gate = s->gate;
	v->service = s->base.io->service;
	v->number = s->base.io->number;
	v->conf = s->conf;
	v->id = s->spool.id;
	v->wall_ms = s->spool.wall_ms;
	v->client = s->base.io->peer;
	v->helo = s->helo;
	v->from = t->from;
	v->from_plain = t->from_plain;
	v->tls_version = str_of(conn_tls_version(s->base.io->conn));
	v->tls_cipher = str_of(conn_tls_cipher(s->base.io->conn));
	v->esmtp = s->esmtp;
	v->utf8 = t->utf8;
	v->prdr = t->prdr && t->nrcpts > 1;
	v->file = &s->spool.file;
	v->rcpts = t->first;
	v->nrcpts = t->nrcpts;
	return v;
}

void
smtp_verdict_free(struct smtp_verdict **vp)
{
	struct smtp_verdict *v = *vp;

	if (v == NULL)
		return;
	scanned_clear(&v->scanned);
	arena_free(&v->mem);
	free(v);
	*vp = NULL;
}

/* ---- the replies ---- */

void
smtp_verdict_link(
	const struct smtp_verdict *v, const struct token *t, char out[SMTP_LINK])
{
	conf_link_base(v->conf, out);
	size_t n = strlen(out);
	(void)snprintf(out + n, SMTP_LINK - n, "%s", t->text);
}

/* One answer, for a recipient or for all. */
static void
put_answer(const struct smtp_verdict *v, const struct smtp_rcpt *r, struct buf *b)
{
	char link[SMTP_LINK] = "";

	if (r->answer == JREC_DELIVERED) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s accepted", v->answered.text);
		smtp_put_reply(b, r->code, r->esc, str_of(text));
		return;
	}
	if (r->has_token)
		smtp_verdict_link(v, &r->token, link);
	smtp_put_refusal(b, r->code, r->esc, str_of(link), r->reason, msg_id_str(&v->id));
}

static void
put_final(const struct smtp_verdict *v, struct buf *b)
{
	char text[100];

	(void)snprintf(text, sizeof(text), "%s accepted for %zu of %zu", v->answered.text,
		v->delivered, v->nrcpts);
	smtp_put_reply(b, 250, "2.6.0", str_of(text));
}

/* draft-hall-prdr: 353, an answer for each accepted RCPT in their order, and the
 * last, which is 250 because answers differ only where somebody accepted. */
static bool
next_reply(struct smtp_verdict *v, struct buf *b)
{
	unsigned n = v->replies++;

	if (!v->per_rcpt) {
		if (n == 0)
			put_answer(v, v->rcpts, b);
		return n == 0;
	}
	if (n == 0) {
		smtp_put_reply(
			b, 353, NULL, STR("PRDR: an answer for each recipient follows"));
		v->next_reply = v->rcpts;
		return true;
	}
	if (v->next_reply != NULL) {
		put_answer(v, v->next_reply, b);
		v->next_reply = v->next_reply->next;
		return true;
	}
	if (n == v->nrcpts + 1)
		put_final(v, b);
	return n == v->nrcpts + 1;
}

/* ---- phases ---- */

static void
log_message(const struct smtp_verdict *v)
{
	enum { FINDINGS_LOGGED = 200 };
	const struct smtp_rcpt *r = v->rcpts;
	char ip[IP_TEXT], held[sizeof(v->unheld.text) + 16] = "";

	ip_text(&v->client, ip);
	if (v->held.text[0] != '\0')
		(void)snprintf(held, sizeof(held), " held=%s", v->held.text);
	else if (v->unheld.text[0] != '\0')
		(void)snprintf(held, sizeof(held), " held=no (%s)", v->unheld.text);
	log_info("smtp message id=%s client=%s from=<" STR_FMT "> to=<" STR_FMT
		 ">%s rcpts=%zu delivered=%zu size=%llu code=%u findings=" STR_FMT
		 "%s%s%s%s%s",
		v->answered.text, ip, STR_ARG(v->from), STR_ARG(r->address),
		v->nrcpts > 1 ? ",..." : "", v->nrcpts, v->delivered,
		(unsigned long long)v->size, v->per_rcpt ? 353 : r->code,
		STR_ARG(str_first(v->listed, FINDINGS_LOGGED)), held,
		v->again ? " again" : "", v->committed ? "" : " unrecorded",
		v->err.text[0] == '\0' ? "" : ": ", v->err.text);
}

static enum session_step
transaction_over(struct smtp_session *s)
{
	struct smtp_verdict *v = s->verdict;

	/* What was said is said: from now on the same bytes are a new message.  Who had
	 * hung up was told nothing and will send them again. */
	if (v->committed && !v->unheard) {
		struct jrec_answered a = { .id = v->answered };
		BUF_AUTO b = BUF(256);

		jrec_put_answered(&b, &a);
		journal_note(s->gate->journal, JREC_ANSWERED, buf_str(&b));
		once_answered(s->gate->once, &v->answered);
	}
	s->messages++;
	if (v->delivered > 0) {
		uint8_t key[SMTP_RECENT_KEY];

		(void)smtp_recent_note(s->gate->known,
			smtp_recent_client(&s->base.io->peer, key), clock_ms());
		s->commands = s->txn.commands;
	}
	smtp_forget_mail(s);
	s->base.phase = smtp_phase_command;
	session_patience(&s->base, s->conf->smtp.command_timeout);
	return STEP_GO;
}

/* Replies to a thousand recipients are more than a connection buffers. */
static enum session_step
phase_replies(void *session)
{
	struct smtp_session *s = session;
	struct conn *c = s->base.io->conn;
	bool more = true;

	if (s->base.late)
		return smtp_late(s);
	while (more) {
		BUF_AUTO b = BUF(2 * SMTP_REPLY_MOST);

		while (more && conn_room(c) > 2 * SMTP_REPLY_MOST) {
			buf_clear(&b);
			more = next_reply(s->verdict, &b);
			conn_write(c, buf_str(&b));
		}
		enum session_step step = session_flush(&s->base);
		if (step != STEP_GO)
			return step;
	}
	return transaction_over(s);
}

static enum session_step
begin_replies(struct smtp_session *s)
{
	struct conn *c = s->base.io->conn;

	/* who closed behind more commands may still listen */
	s->verdict->unheard = conn_hung_up(c) && conn_buffered(c) == 0 &&
			      (conn_is_tls(c) || !conn_spoke(c));
	log_message(s->verdict);
	session_patience(&s->base, s->conf->smtp.command_timeout);
	s->base.phase = phase_replies;
	return STEP_GO;
}

/* Everything it waits for has a deadline; until it is done its memory is not
 * ours, so neither lateness nor a drain ends the session. */
static enum session_step
phase_verdict(void *session)
{
	struct smtp_session *s = session;

	if (!atomic_load_explicit(&s->verdict->done, memory_order_acquire))
		return session_await(&s->base, s->verdict->until_ms);
	return begin_replies(s);
}

static struct smtp_preset
preset_of(const struct smtp_session *s)
{
	static const struct smtp_preset
		large = { 552, "5.3.4", "the message is larger than this server takes" },
		full = { 452, "4.3.1", "not enough room at the moment" },
		broken = { 451, "4.3.0", "the message cannot be kept at the moment" },
		newline = { 550, "5.6.0",
			"the message holds a CR or LF that is not part of a "
			"CRLF, see RFC 5321 2.3.8" };
	const struct smtp_spool *p = &s->spool;

	if (p->too_large)
		return large;
	if ((p->text.bare_cr || p->text.bare_lf) && !p->text.normalize && !p->binary)
		return newline;
	if (p->failed != RC_OK)
		return p->failed == RC_LIMIT ? full : broken;
	return (struct smtp_preset){ 0 };
}

enum session_step
smtp_received(struct smtp_session *s)
{
	struct smtp_verdict *v = s->verdict;

	v->preset = preset_of(s);
	v->size = s->spool.size;
	sha256_done(s->spool.digest, v->digest);
	v->mem = arena_new(SMTP_VERDICT_MEM);
	v->until_ms = clock_ms() + s->conf->smtp.verdict_timeout;
	s->base.phase = phase_verdict;
	if (pool_give(s->gate->verdicts, &v->work))
		return STEP_GO;
	smtp_verdict_busy(v);
	return begin_replies(s);
}

/* Only when the process ends is a session closed with a verdict under way. */
void
smtp_verdict_wait(struct smtp_session *s)
{
	static const struct timespec a_while = { .tv_nsec = 1000 * 1000 };

	while (s->base.phase == phase_verdict &&
		!atomic_load_explicit(&s->verdict->done, memory_order_acquire))
		(void)nanosleep(&a_while, NULL);
}
