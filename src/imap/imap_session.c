/* SPDX-License-Identifier: ISC */
/*
 * The session: gathers a command, runs it, answers, and tells what else has changed.
 * Commands are in files of their own; what they may do is in imap_int.h.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "imap/imap_int.h"
#include "wire/imap_structure.h"

enum {
	OUT_ENOUGH = 64 * 1024, /* then it is sent */
	OUT_MOST = 16 * 1024 * 1024, /* of one item; a body is written in pieces */
	THROWN_MOST = 1024 * 1024, /* of a command that is too long */
	PROGRESS_MS = 10 * 1000, /* RFC 9585; unless house says otherwise */
};

const char imap_shut_out[] =
	"this account was disabled or removed, or has another password";

bool
imap_full(struct imap_session *s)
{
	return s->out.len >= OUT_ENOUGH;
}

/* ---- parking ---- */

static enum imap_step
park(struct imap_session *s, unsigned want)
{
	s->want = want;
	return STEP_PARK;
}

/* What was written goes to the connection as far as it takes it. */
static enum conn_got
pour(struct imap_session *s)
{
	struct conn *c = s->io->conn;
	enum conn_got got = CONN_OK;

	while (s->out.len > 0 && got == CONN_OK) {
		str some = str_first(buf_str(&s->out), OUT_ENOUGH);

		if (conn_room(c) < 2 * some.len && (got = conn_flush(c)) != CONN_OK)
			break;
		conn_write(c, some);
		buf_drop(&s->out, some.len);
		s->said_ms = clock_ms();
		if (s->state != IMAP_NEW)
			s->until_ms = s->said_ms + s->conf->imap.idle_timeout;
	}
	if (s->out.len == 0)
		buf_free(&s->out);
	return got == CONN_OK ? conn_flush(c) : got;
}

static enum imap_step
gone(struct imap_session *s)
{
	s->why = conn_why(s->io->conn);
	return STEP_CLOSE;
}

/* STEP_GO: all of it has left. */
static enum imap_step
send_out(struct imap_session *s)
{
	if (!buf_ok(&s->out)) {
		s->why = "an answer that is too long";
		return STEP_CLOSE;
	}
	if (s->late && s->out.len > 0) {
		s->why = "does not read what it asked for";
		return STEP_CLOSE;
	}
	switch (pour(s)) {
	case CONN_OK:
		return STEP_GO;
	case CONN_FULL:
	case CONN_QUIET:
		return park(s, PARK_WRITE);
	case CONN_LONG:
	case CONN_CLOSED:
		break;
	}
	return gone(s);
}

static enum imap_step
bye(struct imap_session *s, const char *text)
{
	buf_addf(&s->out, "* BYE %s\r\n", text);
	s->why = text;
	(void)pour(s);
	return STEP_CLOSE;
}

/* ---- a command's life ---- */

static enum imap_step at_command(struct imap_session *s);
static enum imap_step at_answer(struct imap_session *s);
static enum imap_step gather(struct imap_session *s);
static enum imap_step at_handshake(struct imap_session *s);

/* Until somebody is in every word may be a password. */
static void
forget_command(struct imap_session *s)
{
	if (s->secret) {
		secret_arena_free(&s->cmd.mem);
		secret_buf_free(&s->in);
		s->secret = s->state == IMAP_NEW;
		conn_secret(s->io->conn, s->secret);
	}
	arena_free(&s->cmd.mem);
	buf_free(&s->in);
	s->cmd = (struct imap_work){ 0 };
	s->line_at = 0;
}

static void
end_command(struct imap_session *s)
{
	if (s->cmd.end != NULL)
		s->cmd.end(s);
	forget_command(s);
}

static uint64_t
progress_ms(const struct imap_session *s)
{
	return s->house->progress_ms == 0 ? PROGRESS_MS : s->house->progress_ms;
}

/* Who is told "wait" again and again by a long command hears that it is going on. */
static void
say_progress(struct imap_session *s)
{
	uint64_t now = clock_ms();

	if (now < s->said_ms + progress_ms(s) || s->out.len > 0 || s->state == IMAP_NEW ||
		s->cmd.within)
		return;
	buf_addz(&s->out, "* OK [INPROGRESS (");
	imap_put_string(&s->out, s->cmd.tag);
	buf_addz(&s->out, " NIL NIL)] working on it\r\n");
	s->said_ms = now;
}

static enum imap_step
wait_for_it(struct imap_session *s)
{
	uint64_t now = clock_ms();

	say_progress(s);
	if (send_out(s) == STEP_CLOSE)
		return STEP_CLOSE;
	if (!errand_busy(&s->errand) && s->wake_ms <= now)
		return STEP_GO;
	s->late = false;
	return park(s, PARK_NOTHING);
}

static enum imap_step
at_command(struct imap_session *s)
{
	enum imap_step step;

	/* an errand that was started is never left behind */
	if (errand_busy(&s->errand) && !errand_done(&s->errand))
		return wait_for_it(s);
	if (s->wake_ms > clock_ms())
		return wait_for_it(s);
	s->wake_ms = 0;
	if (imap_full(s) && (step = send_out(s)) != STEP_GO)
		return step;
	switch (s->cmd.is->run(s)) {
	case IMAP_DONE:
		s->phase = at_answer;
		return STEP_GO;
	case IMAP_MORE:
		step = send_out(s);
		/* others on this thread have their turn first */
		return step == STEP_GO ? park(s, PARK_WRITE) : step;
	case IMAP_WAIT:
		return wait_for_it(s);
	case IMAP_READ:
		break;
	}
	conn_ack(s->io->conn);
	step = send_out(s);
	return step == STEP_GO ? park(s, conn_want(s->io->conn)) : step;
}

static void
put_reply(struct imap_session *s, str tag)
{
	static const char *const words[] = {
		[IMAP_OK] = " OK ", [IMAP_NO] = " NO ", [IMAP_BAD] = " BAD "
	};
	struct buf *b = &s->out;

	buf_add(b, tag);
	buf_addz(b, words[s->reply.how]);
	if (s->reply.code != NULL)
		buf_addf(b, "[%s] ", s->reply.code);
	buf_addz(b, s->reply.text);
	buf_addz(b, "\r\n");
}

/* Answers that change what the connection is come after the reply has left. */
static enum imap_step
after_answer(struct imap_session *s)
{
	void (*then)(struct imap_session *) = s->cmd.then;

	end_command(s);
	s->phase = gather;
	if (then != NULL)
		then(s);
	return STEP_GO;
}

static enum imap_step
at_answer(struct imap_session *s)
{
	struct err err = { 0 };
	bool still = (s->cmd.is->flags & CMD_STILL) != 0 && !s->cmd.uid;
	enum imap_step step;

	if (!s->cmd.answered) {
		if (s->box.view != NULL && imap_sync(s, still, &err) != RC_OK)
			log_warn(
				"msg=\"changes could not be told\" why=\"%s\"", err.text);
		put_reply(s, s->cmd.tag);
		s->reply.close = s->reply.close || s->dead;
		s->cmd.answered = true;
		s->bad = s->reply.how == IMAP_BAD ? s->bad + 1 : 0;
	}
	if (s->reply.close || s->bad > IMAP_BAD_MOST) {
		if (!s->reply.close)
			return bye(s, "too many commands that are none");
		(void)pour(s);
		return STEP_CLOSE;
	}
	/* with more commands waiting, their answers share a packet */
	if (s->cmd.then == NULL && conn_buffered(s->io->conn) > 0 && !imap_full(s))
		return after_answer(s);
	step = send_out(s);
	return step == STEP_GO ? after_answer(s) : step;
}

/* ---- from bytes to a command ---- */

/* Whoever waits for the client has told it all. */
static enum imap_step
park_to_read(struct imap_session *s)
{
	unsigned want = conn_want(s->io->conn);
	enum imap_step step = send_out(s);

	if (s->in.len > 0)
		conn_ack(s->io->conn);
	return step == STEP_GO ? park(s, want) : step;
}

enum conn_got
imap_line(struct imap_session *s, str *line)
{
	enum conn_got got = conn_line(s->io->conn, IMAP_LOGIN_MOST, line);

	if (got == CONN_OK && s->state != IMAP_NEW)
		s->until_ms = clock_ms() + s->conf->imap.idle_timeout;
	if (got == CONN_QUIET || got == CONN_FULL)
		return s->late ? CONN_CLOSED : CONN_QUIET;
	return got;
}

/* BAD for what is not even a command: with the tag if there is one. */
static enum imap_step
refuse(struct imap_session *s, str tag, const char *text)
{
	s->reply = (struct imap_reply){ .how = IMAP_BAD, .text = text };
	put_reply(s, str_empty(tag) ? STR("*") : tag);
	forget_command(s);
	if (++s->bad > IMAP_BAD_MOST)
		return bye(s, "too many commands that are none");
	return STEP_GO;
}

static const struct imap_command *
find_command(str name)
{
	for (const struct imap_command *c = imap_commands; c->name != NULL; c++)
		if (str_ieq(name, str_of(c->name)))
			return c;
	return NULL;
}

/* RFC 9051 2.2.1: the tag, then the name; then the command is on its own. */
static enum imap_step
begin(struct imap_session *s)
{
	struct imap_work *w = &s->cmd;
	str name;

	w->mem = arena_new(IMAP_COMMAND_MEM);
	w->x = imap_lex(buf_str(&s->in), imap_utf8(s), w->mem);
	if (!lex_tag(&w->x, &w->tag))
		return refuse(s, STR(""), "a command begins with a tag and a blank");
	if (!lex_sp(&w->x))
		return refuse(
			s, w->tag, "a blank and the name of a command were expected");
	if (!lex_atom(&w->x, &name))
		return refuse(s, w->tag, "the name of a command was expected");
	if (str_ieq(name, STR("UID"))) {
		w->uid = true;
		if (!lex_sp(&w->x) || !lex_atom(&w->x, &name))
			return refuse(s, w->tag, "UID what?");
	}
	w->name = name;
	w->is = find_command(name);
	if (w->is == NULL || (w->uid && (w->is->flags & CMD_UID) == 0))
		return refuse(s, w->tag, "no such command");
	if ((w->is->states & s->state) == 0)
		return refuse(s, w->tag,
			s->state == IMAP_NEW    ? "log in first"
			: s->state == IMAP_AUTH ? "not now: no mailbox is selected"
						: "not now");
	s->said_ms = clock_ms();
	s->phase = at_command;
	if ((w->is->flags & CMD_WRITES) != 0 && s->box.read_only) {
		(void)imap_no(s, "CANNOT", "the mailbox was opened for reading only");
		s->phase = at_answer;
	}
	return STEP_GO;
}

/* The reply to a command of which the rest is thrown away as it comes. */
static enum imap_step
too_much(struct imap_session *s)
{
	const char *why = s->too_much;
	str tag = STR("");

	s->cmd.mem = arena_new(IMAP_LINE_MOST);
	struct imap_lex x = imap_lex(buf_str(&s->in), true, s->cmd.mem);
	s->too_much = NULL;
	s->thrown = 0;
	if (!lex_tag(&x, &tag))
		tag = STR("");
	return refuse(s, tag, why);
}

static size_t
command_most(const struct imap_session *s)
{
	return s->state == IMAP_NEW ? IMAP_LOGIN_MOST : IMAP_COMMAND_MOST;
}

/* A literal was announced at the end of the line that now ends the buffer. */
static enum imap_step
take_announcement(struct imap_session *s, const struct imap_literal *l)
{
	if (s->too_much == NULL && imap_append_wants(s, buf_str(&s->in)))
		return begin(s);
	buf_addz(&s->in, "\r\n");
	if (s->too_much == NULL &&
		(s->in.len > command_most(s) || l->bytes > command_most(s) - s->in.len)) {
		s->too_much = "[TOOBIG] that is too long for a command";
		if (l->wait)
			return too_much(s);
	}
	if (s->too_much != NULL && (l->wait || s->thrown > THROWN_MOST ||
					   l->bytes > THROWN_MOST - s->thrown))
		return bye(s, "that is too long for a command");
	if (l->wait)
		buf_addz(&s->out, "+ go on\r\n");
	s->literal_left = l->bytes;
	return l->wait ? send_out(s) : STEP_GO;
}

static enum imap_step
take_line(struct imap_session *s, str line)
{
	struct imap_literal l;
	enum rc rc = imap_line_literal(line, &l);

	if (s->too_much != NULL) {
		s->thrown += line.len;
	} else if (line.len > command_most(s) - s->in.len) {
		/* its tag, for the answer */
		buf_add(&s->in, str_first(line, s->in.len == 0 ? 100 : 0));
		s->too_much = "[TOOBIG] that is too long for a command";
	} else {
		s->line_at = s->in.len;
		buf_add(&s->in, line);
	}
	if (rc == RC_OK)
		return take_announcement(s, &l);
	if (rc == RC_BAD && line.len > 2 && line.ptr[line.len - 2] == '+')
		return bye(
			s, "a literal's length was expected"); /* who knows what comes */
	if (s->too_much != NULL)
		return too_much(s);
	if (rc == RC_BAD) {
		s->too_much = "a literal's length was expected";
		return too_much(s);
	}
	return begin(s);
}

static enum imap_step
take_literal(struct imap_session *s)
{
	enum conn_got got = CONN_OK;
	str some;

	while (s->literal_left > 0 && (got = conn_bytes(s->io->conn, &some)) == CONN_OK) {
		if (some.len > s->literal_left)
			some.len = (size_t)s->literal_left;
		if (s->too_much == NULL)
			buf_add(&s->in, some);
		else
			s->thrown += some.len;
		s->literal_left -= some.len;
		conn_eat(s->io->conn, some.len);
	}
	if (s->literal_left == 0)
		return STEP_GO;
	return got == CONN_CLOSED ? gone(s) : park_to_read(s);
}

static enum imap_step
gather_line(struct imap_session *s)
{
	str line;

	if (s->in.data == NULL)
		s->in = s->secret ? secret_buf(IMAP_LOGIN_MOST + 2)
				  : BUF(IMAP_COMMAND_MOST + 2);
	switch (conn_line(s->io->conn, IMAP_LINE_MOST - 2, &line)) {
	case CONN_OK:
		if (s->state != IMAP_NEW)
			s->until_ms = clock_ms() + s->conf->imap.idle_timeout;
		return take_line(s, line);
	case CONN_LONG:
		/* a literal may follow, and be a stranger's words */
		if (conn_long_end(s->io->conn) == '}')
			return bye(s, "that line is too long");
		if (s->in.len == 0)
			buf_add(&s->in, line); /* its tag, for the answer */
		s->too_much = "[TOOBIG] that line is too long";
		return too_much(s);
	case CONN_QUIET:
	case CONN_FULL:
		break;
	case CONN_CLOSED:
		return gone(s);
	}
	if (s->in.len == 0)
		secret_buf_free(&s->in);
	return park_to_read(s);
}

static enum imap_step
gather(struct imap_session *s)
{
	enum imap_step step;

	if (s->late)
		return bye(s, s->state == IMAP_NEW ? "you took too long to log in"
						   : "you were silent for too long");
	if (!pass_valid(&s->pass))
		return bye(s, imap_shut_out);
	if (s->draining && s->in.len == 0)
		return bye(s, "this server is going down, please come back");
	if (++s->turn > IMAP_TURN) {
		step = send_out(s);
		return step == STEP_GO ? park(s, PARK_READ) : step;
	}
	/* before anybody waits for the client it gets what was written */
	if (s->out.len > 0 && (conn_buffered(s->io->conn) == 0 || imap_full(s)) &&
		(step = send_out(s)) != STEP_GO)
		return step;
	if (s->literal_left > 0) {
		step = take_literal(s);
		if (step != STEP_GO)
			return step;
	}
	return gather_line(s);
}

/* ---- the beginning ---- */

static enum imap_step
at_handshake(struct imap_session *s)
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
		return park(s, conn_want(s->io->conn));
	case CONN_LONG:
	case CONN_CLOSED:
		return gone(s);
	}
	s->phase = gather;
	return STEP_GO;
}

void
imap_then_tls(struct imap_session *s)
{
	conn_start_tls(s->io->conn, s->io->tls);
	s->phase = at_handshake;
}

static enum imap_step
at_greeting(struct imap_session *s)
{
	s->phase = gather;
	if (s->draining)
		return STEP_GO;
	buf_addz(&s->out, "* OK [CAPABILITY ");
	imap_put_capabilities(s, &s->out);
	buf_addf(
		&s->out, "] " STR_FMT " Gatepost\r\n", STR_ARG(s->conf->server.hostname));
	return send_out(s);
}

static void *
open_session(struct session_io *io, void *arg)
{
	struct imap_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->io = io;
	s->house = arg;
	s->conf = io->conf;
	s->state = IMAP_NEW;
	s->phase = at_greeting;
	s->out = BUF(OUT_MOST);
	s->until_ms = clock_ms() + ENTRY_MS;
	s->secret = true;
	conn_secret(io->conn, true);
	return s;
}

static void
close_session(void *session)
{
	struct imap_session *s = session;
	char ip[IP_TEXT];

	errand_wait(&s->errand);
	end_command(s);
	imap_unselect(s);
	pass_return(&s->pass);
	ip_text(&s->io->peer, ip);
	if (s->state != IMAP_NEW)
		log_info("imap end client=%s user=\"%s\": %s", ip, s->address,
			s->why == NULL ? "" : s->why);
	else
		log_debug("imap end client=%s: %s", ip, s->why == NULL ? "" : s->why);
	buf_free(&s->out);
	free(s);
}

static enum session_next
run_session(void *session, enum park_why why, struct session_wait *wait)
{
	struct imap_session *s = session;
	enum imap_step step;

	s->late = why == PARK_LATE && clock_ms() >= s->until_ms;
	s->draining = s->draining || why == PARK_SHAKEN;
	s->turn = 0;
	s->out.limit = OUT_MOST;
	do
		step = s->phase(s);
	while (step == STEP_GO);
	if (step == STEP_CLOSE)
		return SESSION_CLOSE;
	wait->want = s->want;
	wait->until_ms = s->until_ms;
	if (s->want == PARK_NOTHING)
		wait->until_ms = errand_busy(&s->errand) ? clock_ms() + progress_ms(s)
							 : s->wake_ms;
	return SESSION_PARK;
}

const struct session_kind imap_kind = {
	.name = "imap",
	.busy = "* BYE [UNAVAILABLE] too many connections, please come back later\r\n",
	.open = open_session,
	.run = run_session,
	.close = close_session,
};

const struct session_kind imaps_kind = {
	.name = "imaps",
	.busy = "",
	.tls_at_once = true,
	.open = open_session,
	.run = run_session,
	.close = close_session,
};
