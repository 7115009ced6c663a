/* SPDX-License-Identifier: ISC */
/*
 * The session: runs a command that imap_gather.c has gathered, answers, and tells what else has
 * changed.  Commands are in files of their own; what they may do is in imap_int.h.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "imap/imap_gather.h"
#include "imap/imap_int.h"
#include "wire/imap_structure.h"

enum {
	OUT_ENOUGH = 64 * 1024, /* then it is sent */
	OUT_MOST = 32 * 1024 * 1024, /* of one item; a body is written in pieces */
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

enum session_step
imap_send(struct imap_session *s)
{
	size_t before = s->out.len;
	enum session_step step;

	if (!buf_ok(&s->out)) {
		s->base.why = "an answer that is too long";
		return STEP_CLOSE;
	}
	if (s->base.late && before > 0) {
		s->base.why = "does not read what it asked for";
		return STEP_CLOSE;
	}
	step = session_pour(&s->base, &s->out);
	if (s->out.len < before) {
		s->said_ms = clock_ms();
		imap_heard(s);
	}
	/* what it now waits for has as long as that */
	return step == STEP_PARK ? session_wait(&s->base) : step;
}

void
imap_heard(struct imap_session *s)
{
	if (s->state != IMAP_NEW)
		session_patience(&s->base, s->conf->imap.idle_timeout);
}

/* As far as the peer takes it; why it ends was known before. */
static enum session_step
end_with(struct imap_session *s, const char *why)
{
	(void)session_pour(&s->base, &s->out);
	s->base.why = why;
	return STEP_CLOSE;
}

enum session_step
imap_bye(struct imap_session *s, const char *text)
{
	buf_addf(&s->out, "* BYE %s\r\n", text);
	return end_with(s, text);
}

/* ---- a command's life ---- */

/* Until somebody is in every word may be a password. */
void
imap_forget_command(struct imap_session *s)
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
	imap_forget_command(s);
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

static enum session_step
wait_for_it(struct imap_session *s)
{
	uint64_t now = clock_ms();

	say_progress(s);
	if (imap_send(s) == STEP_CLOSE)
		return STEP_CLOSE;
	if (errand_busy(&s->errand))
		return session_pause(&s->base, now + progress_ms(s));
	return s->wake_ms <= now ? STEP_GO : session_pause(&s->base, s->wake_ms);
}

enum session_step
imap_at_command(void *session)
{
	struct imap_session *s = session;
	enum session_step step;

	/* an errand that was started is never left behind */
	if (errand_busy(&s->errand) && !errand_done(&s->errand))
		return wait_for_it(s);
	if (s->wake_ms > clock_ms())
		return wait_for_it(s);
	s->wake_ms = 0;
	if (imap_full(s) && (step = imap_send(s)) != STEP_GO)
		return step;
	switch (s->cmd.is->run(s)) {
	case IMAP_DONE:
		s->base.phase = imap_at_answer;
		return STEP_GO;
	case IMAP_MORE:
		step = imap_send(s);
		/* others on this thread have their turn first */
		return step == STEP_GO ? session_wait_for(&s->base, PARK_WRITE) : step;
	case IMAP_WAIT:
		return wait_for_it(s);
	case IMAP_READ:
		break;
	}
	return imap_read_on(s);
}

void
imap_put_reply(struct imap_session *s, str tag)
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
static enum session_step
after_answer(struct imap_session *s)
{
	void (*then)(struct imap_session *) = s->cmd.then;

	end_command(s);
	s->base.phase = imap_gather;
	if (then != NULL)
		then(s);
	return STEP_GO;
}

enum session_step
imap_at_answer(void *session)
{
	struct imap_session *s = session;
	struct err err = { 0 };
	bool still = (s->cmd.is->flags & CMD_STILL) != 0 && !s->cmd.uid;
	enum session_step step;

	if (!s->cmd.answered) {
		if (s->box.view != NULL && imap_sync(s, still, &err) != RC_OK)
			log_warn(
				"msg=\"changes could not be told\" why=\"%s\"", err.text);
		if (s->box.telling) {
			step = imap_send(s);
			return step == STEP_GO ? session_wait_for(&s->base, PARK_WRITE)
					       : step;
		}
		imap_put_reply(s, s->cmd.tag);
		s->reply.close = s->reply.close || s->dead;
		s->cmd.answered = true;
		s->bad = s->reply.how == IMAP_BAD ? s->bad + 1 : 0;
	}
	if (s->reply.close || s->bad > IMAP_BAD_MOST) {
		if (!s->reply.close)
			return imap_bye(s, "too many commands that are none");
		return end_with(s, s->base.why);
	}
	/* with more commands waiting, their answers share a packet */
	if (s->cmd.then == NULL && conn_buffered(s->io->conn) > 0 && !imap_full(s))
		return after_answer(s);
	step = imap_send(s);
	return step == STEP_GO ? after_answer(s) : step;
}

/* ---- the beginning ---- */

void
imap_then_tls(struct imap_session *s)
{
	(void)session_starttls(&s->base, imap_gather);
}

static enum session_step
at_greeting(void *session)
{
	struct imap_session *s = session;

	s->base.phase = imap_gather;
	if (s->base.draining)
		return STEP_GO;
	buf_addz(&s->out, "* OK [CAPABILITY ");
	imap_put_capabilities(s, &s->out);
	buf_addf(
		&s->out, "] " STR_FMT " Gatepost\r\n", STR_ARG(s->conf->server.hostname));
	return imap_send(s);
}

static void *
open_session(struct session_io *io, void *arg)
{
	struct imap_session *s = session_new(io, sizeof(*s), at_greeting, ENTRY_MS);

	s->io = io;
	s->house = arg;
	s->conf = io->conf;
	s->state = IMAP_NEW;
	s->out = BUF(OUT_MOST);
	s->secret = true;
	conn_secret(io->conn, true);
	return s;
}

static void
close_session(void *session)
{
	struct imap_session *s = session;
	BUF_AUTO about = BUF(sizeof(s->address) + 10);

	errand_wait(&s->errand);
	end_command(s);
	imap_unselect(s);
	pass_return(&s->pass);
	if (s->state != IMAP_NEW)
		buf_addf(&about, " user=\"%s\"", s->address);
	buf_free(&s->out);
	session_free(&s->base, s->state != IMAP_NEW, buf_str(&about));
}

const struct session_kind imap_kind = {
	.name = "imap",
	.busy = "* BYE [UNAVAILABLE] too many connections, please come back later\r\n",
	.open = open_session,
	.run = session_run,
	.close = close_session,
};

const struct session_kind imaps_kind = {
	.name = "imaps",
	.busy = "",
	.tls_at_once = true,
	.open = open_session,
	.run = session_run,
	.close = close_session,
};
