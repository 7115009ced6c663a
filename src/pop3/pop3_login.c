/* SPDX-License-Identifier: ISC */
/*
 * USER and PASS, and AUTH (RFC 5034).  Who somebody is may take a hash to find
 * out: an errand.  An answer that the guard holds back is given after a pause in which the
 * session is parked.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "pop3/pop3_int.h"
#include "wire/base64.h"

struct pop3_login {
	struct logins *logins;
	struct login_want want;
	struct login *exchange; /* NULL: USER and PASS */
	str user;
	struct buf in, out; /* in: the password, too */
	struct login_answer answer;
};

static const struct pop3_reply
	in_clear = { .text = "no passwords in clear: use STLS first", .bad = true },
	no_user = { .text = "say USER first", .bad = true },
	too_busy = { .code = "SYS/TEMP", .text = "too many logins at the moment" },
	wrong = { .code = "AUTH", .text = "wrong name or password", .bad = true },
	not_spoken = { .text = "that is not how this mechanism is spoken", .bad = true },
	cancelled = { .text = "cancelled", .bad = true },
	unknown = { .text = "no such mechanism here", .bad = true },
	later = { .code = "SYS/TEMP",
		.text = "the directory cannot be asked at the moment" },
	in_use = { .code = "IN-USE", .text = "another session has this mailbox" },
	no_drop = { .code = "SYS/TEMP",
		.text = "the mailbox cannot be opened at the moment" };

bool
pop3_may_log_in(const struct pop3_session *s)
{
	return conn_is_tls(s->io->conn) ||
	       (s->conf->server.plain_loopback && ip_is_loopback(&s->io->peer));
}

static struct login_want
wanted(const struct pop3_session *s)
{
	struct login_want w = {
		.door = DOOR_POP3, .peer = s->io->peer, .tls = conn_is_tls(s->io->conn)
	};

	w.has_binding = w.tls && conn_exporter(s->io->conn, w.binding);
	return w;
}

void
pop3_put_mechanisms(const struct pop3_session *s, struct buf *b)
{
	struct login_want w = wanted(s);

	login_mechanisms(&w, b);
}

static struct pop3_login *
begin(struct pop3_session *s)
{
	struct pop3_login *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->logins = s->house->logins;
	l->want = wanted(s);
	l->user = str_of(s->user);
	l->in = BUF(LOGIN_STEP_MOST);
	l->out = BUF(LOGIN_STEP_MOST);
	s->login = l;
	return l;
}

void
pop3_login_end(struct pop3_session *s)
{
	struct pop3_login *l = s->login;

	if (l == NULL)
		return;
	s->login = NULL;
	s->user[0] = '\0';
	login_free(&l->exchange);
	if (l->in.data != NULL)
		wipe(l->in.data, l->in.cap);
	buf_free(&l->in);
	buf_free(&l->out);
	free(l);
}

static enum pop3_step
end_with(struct pop3_session *s, const struct pop3_reply *r)
{
	enum pop3_step step;

	s->phase = pop3_phase_command;
	step = pop3_answer(s, r); /* its text may be the login's */
	pop3_login_end(s);
	return step;
}

/* ---- how it ends ---- */

static void
put_welcome(const struct pop3_session *s, struct buf *b)
{
	buf_addf(b, "+OK %zu messages (%" PRIu64 " octets)\r\n", s->drop.left,
		s->drop.bytes);
}

static enum pop3_step
come_in(struct pop3_session *s)
{
	static const struct pop3_reply welcome = { .ok = true, .put = put_welcome };
	struct err err = { 0 };
	enum rc rc;

	s->account = s->login->answer.account;
	rc = pop3_drop_open(s, &err);
	if (rc == RC_LIMIT)
		return end_with(s, &in_use);
	if (rc != RC_OK) {
		log_error("msg=\"a mailbox could not be opened\" door=pop3 why=\"%s\"",
			err.text);
		return end_with(s, &no_drop);
	}
	s->state = POP3_IN;
	return end_with(s, &welcome);
}

static pop3_phase phase_listen;

static enum pop3_step
go_on(struct pop3_session *s)
{
	struct pop3_login *l = s->login;
	BUF_AUTO b = BUF(POP3_AUTH_MOST);

	buf_addz(&b, "+ ");
	base64_put(&b, buf_str(&l->out));
	buf_addz(&b, "\r\n");
	conn_write(s->io->conn, buf_str(&b));
	s->phase = phase_listen;
	return STEP_GO;
}

static enum pop3_step
told(struct pop3_session *s)
{
	struct login_answer *a = &s->login->answer;
	struct pop3_reply r = { .text = a->sentence, .bad = true };

	switch (a->says) {
	case LOGIN_MORE:
		return go_on(s);
	case LOGIN_OK:
		return come_in(s);
	case LOGIN_WRONG:
		return end_with(s, &wrong);
	case LOGIN_BAD:
		return end_with(s, &not_spoken);
	case LOGIN_BLOCKED:
		r.code = "SYS/TEMP";
		return end_with(s, &r);
	case LOGIN_DISABLED:
		r.code = "AUTH";
		return end_with(s, &r);
	case LOGIN_LATER:
		break;
	}
	return end_with(s, &later);
}

/* ---- the errand ---- */

static void
step(void *arg)
{
	struct pop3_login *l = arg;

	buf_clear(&l->out);
	if (l->exchange != NULL)
		login_step(l->exchange, buf_str(&l->in), &l->out, &l->answer);
	else
		login_plain(l->logins, &l->want, l->user, buf_str(&l->in), &l->answer);
}

static enum pop3_step
phase_ask(struct pop3_session *s)
{
	uint64_t now = clock_ms(), at;

	s->late = false; /* of the errand and of the pause, not of the client */
	if (errand_busy(&s->errand) && !errand_done(&s->errand))
		return pop3_wait(s, PARK_NOTHING, now + POP3_LOGIN_MS);
	at = s->login->answer.answer_ms;
	if (at > now)
		return pop3_wait(s, PARK_NOTHING, at);
	return told(s);
}

static enum pop3_step
phase_start(struct pop3_session *s)
{
	if (!errand_start(&s->errand, s->house->hashes, s->io, step, s->login))
		return end_with(s, &too_busy);
	s->phase = phase_ask;
	return STEP_GO;
}

/* ---- AUTH ---- */

static enum pop3_step
heard(struct pop3_session *s, str line)
{
	struct pop3_login *l = s->login;

	if (str_eq(line, STR("*")))
		return end_with(s, &cancelled);
	buf_clear(&l->in);
	if (base64_get(line, &l->in) != RC_OK || !buf_ok(&l->in))
		return end_with(s, &not_spoken);
	s->phase = phase_start;
	return STEP_GO;
}

static enum pop3_step
phase_listen(struct pop3_session *s)
{
	str line;

	if (s->late || s->draining)
		return s->late ? pop3_late(s) : end_with(s, &cancelled);
	switch (conn_line(s->io->conn, POP3_AUTH_MOST, &line)) {
	case CONN_OK:
		return heard(s, line);
	case CONN_LONG:
		return end_with(s, &not_spoken);
	case CONN_QUIET:
	case CONN_FULL:
		return pop3_wait(s, conn_want(s->io->conn), s->idle_until_ms);
	case CONN_CLOSED:
		break;
	}
	return pop3_gone(s);
}

struct pop3_reply
pop3_auth(struct pop3_session *s, const struct pop3_cmd *c)
{
	struct pop3_login *l;

	if (!pop3_may_log_in(s))
		return in_clear;
	l = begin(s);
	if (login_begin(l->logins, &l->want, c->args[0], &l->exchange, NULL) != RC_OK) {
		pop3_login_end(s);
		return unknown;
	}
	/* RFC 5034 4: "=" is an initial response that is empty */
	if (c->nargs == 2 && !str_eq(c->args[1], STR("=")) &&
		(base64_get(c->args[1], &l->in) != RC_OK || !buf_ok(&l->in))) {
		pop3_login_end(s);
		return not_spoken;
	}
	return (struct pop3_reply){ .ok = true, .next = phase_start };
}

/* ---- USER and PASS ---- */

struct pop3_reply
pop3_user(struct pop3_session *s, const struct pop3_cmd *c)
{
	if (!pop3_may_log_in(s))
		return in_clear;
	/* one that does not fit is nobody's; PASS will say so */
	if (!str_z(str_trim(c->rest), s->user, sizeof(s->user)))
		(void)str_z(STR("?"), s->user, sizeof(s->user));
	return (struct pop3_reply){ .ok = true, .text = "and the password?" };
}

struct pop3_reply
pop3_pass(struct pop3_session *s, const struct pop3_cmd *c)
{
	if (!pop3_may_log_in(s))
		return in_clear;
	if (s->user[0] == '\0')
		return no_user;
	buf_add(&begin(s)->in, c->rest);
	return (struct pop3_reply){ .ok = true, .next = phase_start };
}
