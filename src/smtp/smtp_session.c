/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/smtp_int.h"
#include "smtp/smtp_recent.h"
#include "wire/smtp_reply.h"

const struct smtp_reply smtp_ok = { 250, "2.0.0", "ok" };
const struct smtp_reply smtp_limit = { 452, "4.3.1", "not enough room at the moment" };

static const struct smtp_reply
	early = { 554, "5.5.0", "wait for the greeting before you talk", .close = true },
	too_long = { 500, "5.5.2", "line too long" },
	too_many = { 421, "4.7.0", "too many errors", .close = true },
	too_much = { 421, "4.7.0", "too many commands", .close = true },
	late = { 421, "4.4.2", "you took too long", .close = true },
	leaving = { 421, "4.3.2", "this server is going down, please come back",
		.close = true };

enum session_step
smtp_late(struct smtp_session *s)
{
	s->base.why = "too slow";
	return smtp_answer(s, &late);
}

static void
put(struct smtp_session *s, const struct smtp_reply *r)
{
	BUF_AUTO b = BUF(8 * 1024);

	if (r->put != NULL)
		r->put(s, &b);
	else
		smtp_put_reply(&b, r->code, r->esc, str_of(r->text));
	conn_write(s->base.io->conn, buf_str(&b));
}

enum session_step
smtp_answer(struct smtp_session *s, const struct smtp_reply *r)
{
	put(s, r);
	session_patience(&s->base, s->conf->smtp.command_timeout);
	if (r->close && s->base.why == NULL)
		s->base.why = r->text;
	if (r->close)
		return STEP_CLOSE;
	if (r->code >= 500 && ++s->errors >= s->conf->smtp.max_errors) {
		s->base.why = too_many.text;
		put(s, &too_many);
		return STEP_CLOSE;
	}
	return STEP_GO;
}

void
smtp_forget_mail(struct smtp_session *s)
{
	struct arena *mem = s->txn.mem;

	smtp_spool_drop(s);
	arena_reset(mem);
	s->txn = (struct smtp_txn){ .mem = mem };
	if (s->state != SMTP_NEW)
		s->state = SMTP_READY;
}

/* ---- phases ---- */

static void
put_greeting(struct smtp_session *s, struct buf *b)
{
	buf_addf(b, "220 " STR_FMT " ESMTP Gatepost\r\n",
		STR_ARG(s->conf->server.hostname));
}

/* RFC 5321 4.3.1; doc/greeting.md */
static enum session_step
phase_greet(void *session)
{
	static const struct smtp_reply greeting = { 220, .put = put_greeting };
	struct smtp_session *s = session;
	uint8_t key[SMTP_RECENT_KEY];
	str bytes, client = smtp_recent_client(&s->base.io->peer, key);

	if (s->base.draining)
		return smtp_answer(s, &leaving);
	switch (conn_bytes(s->base.io->conn, &bytes)) {
	case CONN_OK:
	case CONN_LONG:
		return smtp_answer(s, &early);
	case CONN_CLOSED:
		return session_gone(&s->base);
	case CONN_QUIET:
	case CONN_FULL:
		break;
	}
	if (!s->base.late && s->base.until_ms > clock_ms() &&
		smtp_recent_times(s->gate->known, client, clock_ms()) == 0)
		return session_wait_for(&s->base, PARK_READ);
	s->base.phase = smtp_phase_command;
	s->base.late = false; /* the delay is over, that is all */
	return smtp_answer(s, &greeting);
}

static enum session_step
one_line(struct smtp_session *s, str line)
{
	if (++s->commands > s->conf->smtp.max_commands)
		return smtp_answer(s, &too_much);
	struct smtp_reply r = smtp_dispatch(s, line);
	return r.code == 0 ? STEP_GO : smtp_answer(s, &r);
}

enum session_step
smtp_phase_command(void *session)
{
	struct smtp_session *s = session;
	enum session_step step;
	bool long_line;
	str line;

	if (s->base.late)
		return smtp_late(s);
	if (s->base.draining && s->state <= SMTP_READY)
		return smtp_answer(s, &leaving);
	if (session_had_turn(&s->base, SESSION_TURN))
		return session_wait_for(&s->base, PARK_READ);
	step = session_line(&s->base, SMTP_LINE_MOST, &line, &long_line);
	if (step != STEP_GO)
		return step;
	return long_line ? smtp_answer(s, &too_long) : one_line(s, line);
}

/* RFC 3207 4.2: as if nothing had been said */
enum session_step
smtp_phase_secured(void *session)
{
	struct smtp_session *s = session;

	smtp_forget_mail(s);
	arena_reset(s->mem);
	s->helo = STR("");
	s->state = SMTP_NEW;
	s->esmtp = false;
	s->base.phase = smtp_phase_command;
	session_patience(&s->base, s->conf->smtp.command_timeout);
	return STEP_GO;
}

/* ---- the kind ---- */

static void *
open_session(struct session_io *io, void *arg)
{
	struct smtp_session *s = session_new(
		io, sizeof(*s), phase_greet, io->conf->smtp.greet_delay);

	s->gate = arg;
	s->conf = io->conf;
	s->mem = arena_new(SMTP_SESSION_MEM);
	s->ask_mem = arena_new(SMTP_ASK_MEM);
	s->txn.mem = arena_new(SMTP_TXN_MEM);
	s->spool.file.fd = -1;
	return s;
}

static void
close_session(void *session)
{
	struct smtp_session *s = session;
	uint32_t refused = s->unknown + s->relay + s->other;
	BUF_AUTO about = BUF(SMTP_SESSION_MEM);

	if (refused > 0 || s->errors > 0)
		buf_addf(&about,
			" helo=" STR_FMT " unknown=%u relay=%u other=%u errors=%llu",
			STR_ARG(s->helo), s->unknown, s->relay, s->other,
			(unsigned long long)s->errors);
	buf_addf(&about, " messages=%llu", (unsigned long long)s->messages);
	smtp_ask_free(s);
	smtp_verdict_wait(s);
	smtp_spool_drop(s);
	arena_free(&s->txn.mem);
	arena_free(&s->ask_mem);
	arena_free(&s->mem);
	session_free(&s->base, refused > 0 || s->errors > 0, buf_str(&about));
}

const struct session_kind smtp_kind = {
	.name = "smtp",
	.busy = "421 4.7.0 too many connections, please come back later\r\n",
	.open = open_session,
	.run = session_run,
	.close = close_session,
};
