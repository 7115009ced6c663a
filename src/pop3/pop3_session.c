/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "pop3/pop3_int.h"

static const struct pop3_reply
	too_long = { .text = "that line is too long", .bad = true },
	too_many = { .text = "too many errors", .close = true },
	late = { .text = "you took too long", .close = true },
	/* RFC 3206 5: AUTH is for logins */
	shut_out = { .text = "this account was disabled or removed, or has another "
			     "password",
		.close = true },
	leaving = { .code = "SYS/TEMP",
		.text = "this server is going down, please come back",
		.close = true };

enum pop3_step
pop3_wait(struct pop3_session *s, unsigned want, uint64_t until_ms)
{
	s->want = want;
	s->until_ms = until_ms;
	return STEP_PARK;
}

enum pop3_step
pop3_late(struct pop3_session *s)
{
	return pop3_answer(s, &late);
}

enum pop3_step
pop3_gone(struct pop3_session *s)
{
	s->why = conn_why(s->io->conn);
	return STEP_CLOSE;
}

static void
put(struct pop3_session *s, const struct pop3_reply *r)
{
	BUF_AUTO b = BUF(4096);

	if (r->put != NULL)
		r->put(s, &b);
	else if (r->code != NULL)
		buf_addf(&b, "%s [%s] %s\r\n", r->ok ? "+OK" : "-ERR", r->code, r->text);
	else if (r->text != NULL)
		buf_addf(&b, "%s %s\r\n", r->ok ? "+OK" : "-ERR", r->text);
	conn_write(s->io->conn, buf_str(&b));
}

/* What was answered is heard, if the peer wants to. */
static enum pop3_step
phase_last(struct pop3_session *s)
{
	if (conn_flush(s->io->conn) != CONN_FULL || clock_ms() >= s->until_ms)
		return STEP_CLOSE;
	return pop3_wait(s, PARK_WRITE, s->until_ms);
}

enum pop3_step
pop3_answer(struct pop3_session *s, const struct pop3_reply *r)
{
	put(s, r);
	if (s->state == POP3_IN)
		s->idle_until_ms = clock_ms() + POP3_IDLE_MS;
	if (r->next != NULL)
		s->phase = r->next;
	if (r->close) {
		s->why = r->text;
		s->until_ms = clock_ms() + POP3_LAST_MS;
		s->phase = phase_last;
		return STEP_GO;
	}
	if (r->bad && ++s->errors >= POP3_ERRORS)
		return pop3_answer(s, &too_many);
	return STEP_GO;
}

/* ---- phases ---- */

/* RFC 1939 4, without the timestamp of APOP */
static enum pop3_step
phase_greet(struct pop3_session *s)
{
	static const struct pop3_reply greeting = { .ok = true, .text = "Gatepost POP3" };

	s->phase = pop3_phase_command;
	return pop3_answer(s, s->draining ? &leaving : &greeting);
}

static size_t
line_most(const struct pop3_session *s)
{
	return s->state == POP3_NEW ? POP3_AUTH_MOST : POP3_LINE_MOST;
}

enum pop3_step
pop3_phase_command(struct pop3_session *s)
{
	struct pop3_reply r;
	str line;

	if (!pass_valid(&s->pass))
		return pop3_answer(s, &shut_out);
	if (s->draining)
		return pop3_answer(s, &leaving);
	if (s->late)
		return pop3_late(s);
	if (++s->turn > POP3_TURN)
		return pop3_wait(s, PARK_READ, s->idle_until_ms);
	switch (conn_line(s->io->conn, line_most(s), &line)) {
	case CONN_OK:
		r = pop3_dispatch(s, line);
		return pop3_answer(s, &r);
	case CONN_LONG:
		return pop3_answer(s, &too_long);
	case CONN_QUIET:
	case CONN_FULL:
		return pop3_wait(s, conn_want(s->io->conn), s->idle_until_ms);
	case CONN_CLOSED:
		break;
	}
	return pop3_gone(s);
}

/* Its room first, then a piece; a peer that does not read costs no thread. */
enum pop3_step
pop3_phase_send(struct pop3_session *s)
{
	BUF_AUTO b = BUF(POP3_ROOM);
	bool more = true;

	if (s->late)
		return pop3_late(s);
	if (conn_room(s->io->conn) < POP3_ROOM) {
		enum conn_got got = conn_flush(s->io->conn);

		if (got == CONN_CLOSED)
			return pop3_gone(s);
		if (conn_room(s->io->conn) < POP3_ROOM)
			return pop3_wait(s, PARK_WRITE, clock_ms() + POP3_IDLE_MS);
	}
	if (++s->turn > POP3_TURN)
		return pop3_wait(s, PARK_WRITE, clock_ms() + POP3_IDLE_MS);
	more = s->send.more(s, &b);
	if (s->send.failed) {
		s->why = "a message could not be read";
		return STEP_CLOSE;
	}
	conn_write(s->io->conn, buf_str(&b));
	if (more)
		return STEP_GO;
	pop3_send_end(s);
	s->idle_until_ms = clock_ms() + POP3_IDLE_MS;
	s->phase = pop3_phase_command;
	return STEP_GO;
}

static enum pop3_step
phase_handshake(struct pop3_session *s)
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
		return pop3_wait(s, conn_want(s->io->conn), s->until_ms);
	case CONN_LONG:
	case CONN_CLOSED:
		return pop3_gone(s);
	}
	/* RFC 2595 4: as if nothing had been said; RFC 6856 2.1 */
	s->user[0] = '\0';
	s->utf8 = false;
	s->phase = pop3_phase_command;
	return STEP_GO;
}

/* The +OK goes out in clear, then nothing does; what came in clear is thrown away. */
enum pop3_step
pop3_phase_stls(struct pop3_session *s)
{
	if (s->late)
		return pop3_late(s);
	switch (conn_flush(s->io->conn)) {
	case CONN_OK:
		break;
	case CONN_FULL:
	case CONN_QUIET:
		return pop3_wait(s, PARK_WRITE, s->idle_until_ms);
	case CONN_LONG:
	case CONN_CLOSED:
		return pop3_gone(s);
	}
	conn_start_tls(s->io->conn, s->io->tls);
	s->until_ms = clock_ms() + s->conf->tls.handshake_timeout;
	s->phase = phase_handshake;
	return STEP_GO;
}

/* ---- the kind ---- */

static void *
open_session(struct session_io *io, void *arg)
{
	struct pop3_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->io = io;
	s->house = arg;
	s->conf = io->conf;
	s->phase = phase_greet;
	s->state = POP3_NEW;
	s->send.fd = -1;
	s->idle_until_ms = clock_ms() + ENTRY_MS;
	conn_secret(io->conn, true);
	return s;
}

static void
close_session(void *session)
{
	struct pop3_session *s = session;
	char client[IP_TEXT];

	errand_wait(&s->errand);
	ip_text(&s->io->peer, client);
	log_debug("msg=\"end\" door=pop3 client=%s retrieved=%" PRIu64 " deleted=%" PRIu64
		  " why=\"%s\"",
		client, s->retrieved, s->deleted, s->why == NULL ? "" : s->why);
	pop3_login_end(s);
	pass_return(&s->pass);
	pop3_send_end(s);
	pop3_drop_close(s);
	free(s);
}

static enum session_next
run_session(void *session, enum park_why why, struct session_wait *wait)
{
	struct pop3_session *s = session;
	enum pop3_step step;

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

const struct session_kind pop3_kind = {
	.name = "pop3",
	.busy = "-ERR [SYS/TEMP] too many connections, please come back later\r\n",
	.open = open_session,
	.run = run_session,
	.close = close_session,
};

const struct session_kind pop3s_kind = {
	.name = "pop3s",
	.busy = "-ERR [SYS/TEMP] too many connections, please come back later\r\n",
	.tls_at_once = true,
	.open = open_session,
	.run = run_session,
	.close = close_session,
};
