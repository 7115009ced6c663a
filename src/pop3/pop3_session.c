/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

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

enum session_step
pop3_late(struct pop3_session *s)
{
	return pop3_answer(s, &late);
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
	conn_write(s->base.io->conn, buf_str(&b));
}

enum session_step
pop3_answer(struct pop3_session *s, const struct pop3_reply *r)
{
	put(s, r);
	if (s->state == POP3_IN)
		session_patience(&s->base, POP3_IDLE_MS);
	if (r->next != NULL)
		s->base.phase = r->next;
	if (r->close)
		return session_last_words(&s->base, r->text, POP3_LAST_MS);
	if (r->bad && ++s->errors >= POP3_ERRORS)
		return pop3_answer(s, &too_many);
	return STEP_GO;
}

/* ---- phases ---- */

/* RFC 1939 4, without the timestamp of APOP */
static enum session_step
phase_greet(void *session)
{
	static const struct pop3_reply greeting = { .ok = true, .text = "Gatepost POP3" };
	struct pop3_session *s = session;

	s->base.phase = pop3_phase_command;
	return pop3_answer(s, s->base.draining ? &leaving : &greeting);
}

static size_t
line_most(const struct pop3_session *s)
{
	return s->state == POP3_NEW ? POP3_AUTH_MOST : POP3_LINE_MOST;
}

enum session_step
pop3_phase_command(void *session)
{
	struct pop3_session *s = session;
	enum session_step step;
	bool long_line;
	str line;

	if (!pass_valid(&s->pass))
		return pop3_answer(s, &shut_out);
	if (s->base.draining)
		return pop3_answer(s, &leaving);
	if (s->base.late)
		return pop3_late(s);
	if (session_had_turn(&s->base, SESSION_TURN))
		return session_wait_for(&s->base, PARK_READ);
	step = session_line(&s->base, line_most(s), &line, &long_line);
	if (step != STEP_GO)
		return step;
	if (long_line)
		return pop3_answer(s, &too_long);
	struct pop3_reply r = pop3_dispatch(s, line);
	return pop3_answer(s, &r);
}

/* Its room first, then a piece; a peer that does not read costs no thread. */
enum session_step
pop3_phase_send(void *session)
{
	struct pop3_session *s = session;
	BUF_AUTO b = BUF(POP3_ROOM);
	enum session_step step;

	if (s->base.late)
		return pop3_late(s);
	session_patience(&s->base, POP3_IDLE_MS);
	step = session_room(&s->base, POP3_ROOM);
	if (step != STEP_GO)
		return step;
	if (session_had_turn(&s->base, SESSION_TURN))
		return session_wait_for(&s->base, PARK_WRITE);
	bool more = s->send.more(s, &b);
	if (s->send.failed) {
		s->base.why = "a message could not be read";
		return STEP_CLOSE;
	}
	conn_write(s->base.io->conn, buf_str(&b));
	if (more)
		return STEP_GO;
	pop3_send_end(s);
	s->base.phase = pop3_phase_command;
	return STEP_GO;
}

/* RFC 2595 4: as if nothing had been said; RFC 6856 2.1 */
enum session_step
pop3_phase_secured(void *session)
{
	struct pop3_session *s = session;

	s->user[0] = '\0';
	s->utf8 = false;
	s->base.phase = pop3_phase_command;
	return STEP_GO;
}

/* ---- the kind ---- */

static void *
open_session(struct session_io *io, void *arg)
{
	struct pop3_session *s = session_new(io, sizeof(*s), phase_greet, ENTRY_MS);

	s->house = arg;
	s->conf = io->conf;
	s->state = POP3_NEW;
	s->send.fd = -1;
	conn_secret(io->conn, true);
	return s;
}

static void
close_session(void *session)
{
	struct pop3_session *s = session;
	BUF_AUTO about = BUF(100);

	errand_wait(&s->errand);
	buf_addf(&about, " retrieved=%" PRIu64 " deleted=%" PRIu64, s->retrieved,
		s->deleted);
	pop3_login_end(s);
	pass_return(&s->pass);
	pop3_send_end(s);
	pop3_drop_close(s);
	session_free(&s->base, false, buf_str(&about));
}

const struct session_kind pop3_kind = {
	.name = "pop3",
	.busy = "-ERR [SYS/TEMP] too many connections, please come back later\r\n",
	.open = open_session,
	.run = session_run,
	.close = close_session,
};

const struct session_kind pop3s_kind = {
	.name = "pop3s",
	.busy = "-ERR [SYS/TEMP] too many connections, please come back later\r\n",
	.tls_at_once = true,
	.open = open_session,
	.run = session_run,
	.close = close_session,
};
