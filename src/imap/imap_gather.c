/* SPDX-License-Identifier: ISC */
/*
 * From bytes to a command: lines and literals until it is whole, or refused.  What is too long is
 * thrown away as it comes, up to a limit; what nobody can tell the end of ends the session.
 */
#include "base/clock.h"
#include "base/secret.h"
#include "imap/imap_gather.h"
#include "imap/imap_int.h"

enum { THROWN_MOST = 1024 * 1024 }; /* of a command that is too long */

/* Whoever waits for the client has told it all. */
enum session_step
imap_read_on(struct imap_session *s)
{
	unsigned want = conn_want(s->io->conn);

	conn_ack(s->io->conn);
	enum session_step step = imap_send(s);
	return step == STEP_GO ? session_wait_for(&s->base, want) : step;
}

static enum session_step
park_to_read(struct imap_session *s)
{
	unsigned want = conn_want(s->io->conn);

	if (s->in.len > 0)
		return imap_read_on(s);
	enum session_step step = imap_send(s);
	return step == STEP_GO ? session_wait_for(&s->base, want) : step;
}

enum conn_got
imap_line(struct imap_session *s, str *line)
{
	enum conn_got got = conn_line(s->io->conn, IMAP_LOGIN_MOST, line);

	if (got == CONN_OK)
		imap_heard(s);
	if (got == CONN_QUIET || got == CONN_FULL)
		return s->base.late ? CONN_CLOSED : CONN_QUIET;
	return got;
}

/* BAD for what is not even a command: with the tag if there is one. */
static enum session_step
refuse(struct imap_session *s, str tag, const char *text)
{
	s->reply = (struct imap_reply){ .how = IMAP_BAD, .text = text };
	imap_put_reply(s, str_empty(tag) ? STR("*") : tag);
	imap_forget_command(s);
	if (++s->bad > IMAP_BAD_MOST)
		return imap_bye(s, "too many commands that are none");
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
static enum session_step
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
	s->base.phase = imap_at_command;
	if ((w->is->flags & CMD_WRITES) != 0 && s->box.read_only) {
		(void)imap_no(s, "CANNOT", "the mailbox was opened for reading only");
		s->base.phase = imap_at_answer;
	}
	return STEP_GO;
}

/* The reply to a command of which the rest is thrown away as it comes. */
static enum session_step
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
static enum session_step
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
		return imap_bye(s, "that is too long for a command");
	if (l->wait)
		buf_addz(&s->out, "+ go on\r\n");
	s->literal_left = l->bytes;
	return l->wait ? imap_send(s) : STEP_GO;
}

static enum session_step
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
		return imap_bye(
			s, "a literal's length was expected"); /* who knows what comes */
	if (s->too_much != NULL)
		return too_much(s);
	if (rc == RC_BAD) {
		s->too_much = "a literal's length was expected";
		return too_much(s);
	}
	return begin(s);
}

static enum session_step
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
	return got == CONN_CLOSED ? session_gone(&s->base) : park_to_read(s);
}

/* RFC 9051 2.2: lines end with CRLF.  Who sends an LF alone and waits is told why nothing
 * comes; without a tag, for it is not known to be a command (7.1.3). */
static void
tell_bare_lf(struct imap_session *s)
{
	if (s->bare_lf || !conn_bare_lf(s->io->conn))
		return;
	s->bare_lf = true;
	buf_add(&s->out,
		STR("* BAD lines end with CRLF, and this one with LF alone\r\n"));
}

static enum session_step
gather_line(struct imap_session *s)
{
	str line;

	if (s->in.data == NULL)
		s->in = s->secret ? secret_buf(IMAP_LOGIN_MOST + 2)
				  : BUF(IMAP_COMMAND_MOST + 2);
	switch (conn_line(s->io->conn, IMAP_LINE_MOST - 2, &line)) {
	case CONN_OK:
		imap_heard(s);
		s->bare_lf = false;
		return take_line(s, line);
	case CONN_LONG:
		/* a literal may follow, and be a stranger's words */
		if (conn_long_end(s->io->conn) == '}')
			return imap_bye(s, "that line is too long");
		if (s->in.len == 0)
			buf_add(&s->in, line); /* its tag, for the answer */
		s->too_much = "[TOOBIG] that line is too long";
		return too_much(s);
	case CONN_QUIET:
		tell_bare_lf(s);
		break;
	case CONN_FULL:
		break;
	case CONN_CLOSED:
		return session_gone(&s->base);
	}
	if (s->in.len == 0)
		secret_buf_free(&s->in);
	return park_to_read(s);
}

enum session_step
imap_gather(void *session)
{
	struct imap_session *s = session;
	enum session_step step;

	if (s->base.late)
		return imap_bye(s, s->state == IMAP_NEW ? "you took too long to log in"
							: "you were silent for too long");
	if (!pass_valid(&s->pass))
		return imap_bye(s, imap_shut_out);
	if (s->base.draining && s->in.len == 0)
		return imap_bye(s, "this server is going down, please come back");
	if (session_had_turn(&s->base, SESSION_TURN)) {
		step = imap_send(s);
		return step == STEP_GO ? session_wait_for(&s->base, PARK_READ) : step;
	}
	/* before anybody waits for the client it gets what was written */
	if (s->out.len > 0 && (conn_buffered(s->io->conn) == 0 || imap_full(s)) &&
		(step = imap_send(s)) != STEP_GO)
		return step;
	if (s->literal_left > 0) {
		step = take_literal(s);
		if (step != STEP_GO)
			return step;
	}
	return gather_line(s);
}
