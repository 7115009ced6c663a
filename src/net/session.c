/* SPDX-License-Identifier: ISC */
#include "net/session.h"

#include <stdlib.h>

#include "base/log.h"

enum {
	POUR = 64 * 1024, /* at once: half of what a connection buffers, or less */
	PATIENCE_MS = 1000,
};

void *
session_new(
	struct session_io *io, size_t size, session_phase *first, uint64_t patience_ms)
{
	struct session *s = calloc(1, size);

	if (s == NULL)
		abort();
	s->io = io;
	s->phase = first;
	session_patience(s, patience_ms);
	return s;
}

void
session_free(struct session *s, bool notable, str about)
{
	const char *why = s->why == NULL ? "" : s->why, *door = s->io->kind->name;
	char client[IP_TEXT];

	ip_text(&s->io->peer, client);
	if (notable)
		log_info("msg=\"end\" door=%s client=%s" STR_FMT " why=\"%s\"", door,
			client, STR_ARG(about), why);
	else
		log_debug("msg=\"end\" door=%s client=%s" STR_FMT " why=\"%s\"", door,
			client, STR_ARG(about), why);
	free(s);
}

enum session_next
session_run(void *session, enum park_why why, struct session_wait *wait)
{
	struct session *s = session;
	enum session_step step;

	s->late = why == PARK_LATE && s->want != PARK_NOTHING;
	s->draining = s->draining || why == PARK_SHAKEN;
	s->turn = 0;
	do
		step = s->phase(s);
	while (step == STEP_GO);
	if (step == STEP_CLOSE)
		return SESSION_CLOSE;
	*wait = (struct session_wait){ .want = s->want, .until_ms = s->park_ms };
	return SESSION_PARK;
}

/* ---- parking ---- */

enum session_step
session_wait_for(struct session *s, unsigned want)
{
	s->want = want;
	s->park_ms = s->until_ms;
	return STEP_PARK;
}

enum session_step
session_wait(struct session *s)
{
	return session_wait_for(s, conn_want(s->io->conn));
}

enum session_step
session_pause(struct session *s, uint64_t until_ms)
{
	s->want = PARK_NOTHING;
	s->park_ms = until_ms;
	return STEP_PARK;
}

enum session_step
session_await(struct session *s, uint64_t deadline_ms)
{
	uint64_t now = clock_ms();

	return session_pause(s, (deadline_ms > now ? deadline_ms : now) + PATIENCE_MS);
}

bool
session_had_turn(struct session *s, unsigned most)
{
	return ++s->turn > most;
}

/* ---- reading and writing ---- */

enum session_step
session_gone(struct session *s)
{
	s->why = conn_why(s->io->conn);
	return STEP_CLOSE;
}

/* A step for what a connection said. */
static enum session_step
step_of(struct session *s, enum conn_got got)
{
	switch (got) {
	case CONN_OK:
	case CONN_LONG:
		return STEP_GO;
	case CONN_QUIET:
	case CONN_FULL:
		return session_wait(s);
	case CONN_CLOSED:
		break;
	}
	return session_gone(s);
}

enum session_step
session_line(struct session *s, size_t most, str *line, bool *too_long)
{
	enum conn_got got = conn_line(s->io->conn, most, line);

	*too_long = got == CONN_LONG;
	return step_of(s, got);
}

enum session_step
session_bytes(struct session *s, str *bytes)
{
	return step_of(s, conn_bytes(s->io->conn, bytes));
}

enum session_step
session_flush(struct session *s)
{
	return step_of(s, conn_flush(s->io->conn));
}

enum session_step
session_room(struct session *s, size_t n)
{
	enum conn_got got = CONN_OK;

	if (conn_room(s->io->conn) < n)
		got = conn_flush(s->io->conn);
	return conn_room(s->io->conn) >= n && got != CONN_CLOSED ? STEP_GO
								 : step_of(s, got);
}

enum session_step
session_pour(struct session *s, struct buf *out)
{
	struct conn *c = s->io->conn;
	enum conn_got got = CONN_OK;

	while (out->len > 0 && got == CONN_OK) {
		str some = str_first(buf_str(out), POUR);

		if (conn_room(c) < 2 * some.len && (got = conn_flush(c)) != CONN_OK)
			break;
		conn_write(c, some);
		buf_drop(out, some.len);
	}
	if (out->len == 0)
		buf_free(out);
	return step_of(s, got == CONN_OK ? conn_flush(c) : got);
}

/* ---- the end ---- */

static enum session_step
phase_last(void *session)
{
	struct session *s = session;

	if (s->late || conn_flush(s->io->conn) != CONN_FULL)
		return STEP_CLOSE;
	return session_wait_for(s, PARK_WRITE);
}

enum session_step
session_last_words(struct session *s, const char *why, uint64_t ms)
{
	s->why = why;
	s->late = false;
	session_patience(s, ms);
	s->phase = phase_last;
	return STEP_GO;
}

/* ---- STARTTLS ---- */

static enum session_step
phase_handshake(void *session)
{
	struct session *s = session;
	enum session_step step;

	if (s->late) {
		s->why = "too slow in the handshake";
		return STEP_CLOSE;
	}
	step = step_of(s, conn_handshake(s->io->conn));
	if (step != STEP_GO)
		return step;
	s->until_ms = s->after_ms;
	s->phase = s->then;
	return STEP_GO;
}

static enum session_step
phase_starttls(void *session)
{
	struct session *s = session;
	enum session_step step;

	if (s->late) {
		s->why = "does not read the answer to STARTTLS";
		return STEP_CLOSE;
	}
	step = session_flush(s);
	if (step != STEP_GO)
		return step;
	conn_start_tls(s->io->conn, s->io->tls);
	s->after_ms = s->until_ms;
	session_patience(s, s->io->conf->tls.handshake_timeout);
	s->phase = phase_handshake;
	return STEP_GO;
}

enum session_step
session_starttls(struct session *s, session_phase *next)
{
	s->then = next;
	s->phase = phase_starttls;
	return STEP_GO;
}
