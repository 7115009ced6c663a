/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/smtp_int.h"
#include "smtp/smtp_recent.h"
#include "wire/smtp_reply.h"

enum { COMMANDS_A_TURN = 64 }; /* then others go first */

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

enum smtp_step
session_wait(struct smtp_session *s, unsigned want, uint64_t until_ms)
{
	s->want = want;
	s->until_ms = until_ms;
	return STEP_PARK;
}

enum smtp_step
session_late(struct smtp_session *s)
{
	s->why = "too slow";
	return session_answer(s, &late);
}

enum smtp_step
session_gone(struct smtp_session *s)
{
	s->why = conn_why(s->io->conn);
	return STEP_CLOSE;
}

static void
put(struct smtp_session *s, const struct smtp_reply *r)
{
	BUF_AUTO b = BUF(8 * 1024);

	if (r->put != NULL)
		r->put(s, &b);
	else
		smtp_put_reply(&b, r->code, r->esc, str_of(r->text));
	conn_write(s->io->conn, buf_str(&b));
}

enum smtp_step
session_answer(struct smtp_session *s, const struct smtp_reply *r)
{
	put(s, r);
	s->idle_until_ms = clock_ms() + s->conf->smtp.command_timeout;
	if (r->close && s->why == NULL)
		s->why = r->text;
	if (r->close)
		return STEP_CLOSE;
	if (r->code >= 500 && ++s->errors >= s->conf->smtp.max_errors) {
		s->why = too_many.text;
		put(s, &too_many);
		return STEP_CLOSE;
	}
	return STEP_GO;
}

void
session_forget_mail(struct smtp_session *s)
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
static enum smtp_step
phase_greet(struct smtp_session *s)
{
	static const struct smtp_reply greeting = { 220, .put = put_greeting };
	uint8_t key[SMTP_RECENT_KEY];
	str bytes, client = smtp_recent_client(&s->io->peer, key);

	if (s->draining)
		return session_answer(s, &leaving);
	switch (conn_bytes(s->io->conn, &bytes)) {
	case CONN_OK:
	case CONN_LONG:
		return session_answer(s, &early);
	case CONN_CLOSED:
		return session_gone(s);
	case CONN_QUIET:
	case CONN_FULL:
		break;
	}
	if (!s->late && s->idle_until_ms > clock_ms() &&
		smtp_recent_times(s->gate->known, client, clock_ms()) == 0)
		return session_wait(s, PARK_READ, s->idle_until_ms);
	s->phase = phase_command;
	s->late = false;
	return session_answer(s, &greeting);
}

static enum smtp_step
one_line(struct smtp_session *s, str line)
{
	if (++s->commands > s->conf->smtp.max_commands)
		return session_answer(s, &too_much);
	struct smtp_reply r = smtp_dispatch(s, line);
	return r.code == 0 ? STEP_GO : session_answer(s, &r);
}

enum smtp_step
phase_command(struct smtp_session *s)
{
	str line;

	if (s->late)
		return session_late(s);
	if (s->draining && s->state <= SMTP_READY)
		return session_answer(s, &leaving);
	if (++s->turn > COMMANDS_A_TURN)
		return session_wait(s, PARK_READ, s->idle_until_ms);
	switch (conn_line(s->io->conn, SMTP_LINE_MOST, &line)) {
	case CONN_OK:
		return one_line(s, line);
	case CONN_LONG:
		return session_answer(s, &too_long);
	case CONN_QUIET:
	case CONN_FULL:
		break;
	case CONN_CLOSED:
		return session_gone(s);
	}
	return session_wait(s, conn_want(s->io->conn), s->idle_until_ms);
}

static enum smtp_step
phase_handshake(struct smtp_session *s)
{
	if (s->late) {
		s->why = "too slow in the handshake";
		return STEP_CLOSE;
	}
	switch (conn_handshake(s->io->conn)) {
	case CONN_OK:
		break;
	case CONN_QUIET:
	case CONN_FULL:
		return session_wait(s, conn_want(s->io->conn), s->idle_until_ms);
	case CONN_LONG:
	case CONN_CLOSED:
		return session_gone(s);
	}
	/* RFC 3207 4.2: as if nothing had been said */
	session_forget_mail(s);
	arena_reset(s->mem);
	s->helo = STR("");
	s->state = SMTP_NEW;
	s->esmtp = false;
	s->phase = phase_command;
	s->idle_until_ms = clock_ms() + s->conf->smtp.command_timeout;
	return STEP_GO;
}

/* The 220 goes out in clear, then nothing does. */
enum smtp_step
phase_starttls(struct smtp_session *s)
{
	if (s->late)
		return session_late(s);
	switch (conn_flush(s->io->conn)) {
	case CONN_OK:
		break;
	case CONN_FULL:
	case CONN_QUIET:
		return session_wait(s, PARK_WRITE, s->idle_until_ms);
	case CONN_LONG:
	case CONN_CLOSED:
		return session_gone(s);
	}
	conn_start_tls(s->io->conn, s->io->tls);
	s->idle_until_ms = clock_ms() + s->conf->tls.handshake_timeout;
	s->phase = phase_handshake;
	return STEP_GO;
}

/* ---- the kind ---- */

static void *
open_session(struct session_io *io, void *arg)
{
	struct smtp_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->io = io;
	s->gate = arg;
	s->conf = io->conf;
	s->phase = phase_greet;
	s->mem = arena_new(SMTP_SESSION_MEM);
	s->ask_mem = arena_new(SMTP_ASK_MEM);
	s->txn.mem = arena_new(SMTP_TXN_MEM);
	s->spool.file.fd = -1;
	s->idle_until_ms = clock_ms() + s->conf->smtp.greet_delay;
	return s;
}

static void
log_end(const struct smtp_session *s)
{
	char ip[IP_TEXT];
	uint32_t refused = s->unknown + s->relay + s->other;

	ip_text(&s->io->peer, ip);
	if (refused > 0 || s->errors > 0)
		log_info("smtp end client=%s helo=" STR_FMT
			 " unknown=%u relay=%u other=%u "
			 "errors=%llu messages=%llu: %s",
			ip, STR_ARG(s->helo), s->unknown, s->relay, s->other,
			(unsigned long long)s->errors, (unsigned long long)s->messages,
			s->why == NULL ? "" : s->why);
	else
		log_debug("smtp end client=%s messages=%llu: %s", ip,
			(unsigned long long)s->messages, s->why == NULL ? "" : s->why);
}

static void
close_session(void *session)
{
	struct smtp_session *s = session;

	log_end(s);
	smtp_ask_free(s);
	smtp_verdict_wait(s);
	smtp_spool_drop(s);
	arena_free(&s->txn.mem);
	arena_free(&s->ask_mem);
	arena_free(&s->mem);
	free(s);
}

static enum session_next
run_session(void *session, enum park_why why, struct session_wait *wait)
{
	struct smtp_session *s = session;
	enum smtp_step step;

	s->late = why == PARK_LATE;
	s->draining = s->draining || why == PARK_SHAKEN;
	s->turn = 0;
	do
		step = s->phase(s);
	while (step == STEP_GO);
	if (step == STEP_CLOSE)
		return SESSION_CLOSE;
	*wait = (struct session_wait){ .want = s->want, .until_ms = s->until_ms };
	return SESSION_PARK;
}

const struct session_kind smtp_kind = {
	.name = "smtp",
	.busy = "421 4.7.0 too many connections, please come back later\r\n",
	.open = open_session,
	.run = run_session,
	.close = close_session,
};
