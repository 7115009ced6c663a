/* SPDX-License-Identifier: ISC */
/*
 * LOGIN and AUTHENTICATE (RFC 9051 6.2.2, 6.2.3).  What it takes to know somebody may
 * wait for a hash, so each step is an errand; an answer that the guard delays is given
 * after a pause in which the session is parked.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "imap/imap_int.h"
#include "wire/base64.h"

enum stage { STAGE_STEP, STAGE_SAID, STAGE_LISTEN };

struct imap_login {
	struct logins *logins;
	struct login_want want;
	struct login *login; /* NULL: LOGIN's user and password */
	struct login_answer answer;
	uint64_t round; /* of the directory, before it was asked */
	enum stage stage;
	str user, password; /* in the command */
	struct buf in, out;
};

void
imap_login_want(const struct imap_session *s, struct login_want *w)
{
	*w = (struct login_want){
		.door = DOOR_IMAP, .peer = s->io->peer, .tls = conn_is_tls(s->io->conn)
	};
	w->has_binding = w->tls && conn_exporter(s->io->conn, w->binding);
}

void
imap_login_clear(struct imap_session *s)
{
	struct imap_login *l = s->logging_in;

	if (l == NULL)
		return;
	s->logging_in = NULL;
	login_free(&l->login);
	if (l->in.data != NULL)
		wipe(l->in.data, l->in.cap);
	buf_free(&l->in);
	buf_free(&l->out);
	wipe(l, sizeof(*l));
	free(l);
}

/* The password is in the command. */
static void
end_login(struct imap_session *s)
{
	if (s->in.data != NULL)
		wipe(s->in.data, s->in.cap);
	imap_login_clear(s);
}

static struct imap_login *
open_login(struct imap_session *s)
{
	struct imap_login *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->logins = s->house->logins;
	imap_login_want(s, &l->want);
	l->in = BUF(LOGIN_STEP_MOST);
	l->out = BUF(LOGIN_STEP_MOST);
	s->logging_in = l;
	s->cmd.end = end_login;
	return l;
}

/* ---- on an errand's thread ---- */

static void
step(void *arg)
{
	struct imap_login *l = arg;

	buf_clear(&l->out);
	if (l->login != NULL)
		login_step(l->login, buf_str(&l->in), &l->out, &l->answer);
	else
		login_plain(l->logins, &l->want, l->user, l->password, &l->answer);
}

/* ---- on the session's ---- */

static enum imap_did
start_step(struct imap_session *s)
{
	struct imap_login *l = s->logging_in;

	l->stage = STAGE_SAID;
	l->round = logins_round(l->logins);
	if (!errand_start(&s->errand, s->house->hashes, s->io, step, l))
		return imap_no(s, "UNAVAILABLE",
			"too many logins at the moment, try again later");
	return IMAP_WAIT;
}

static enum imap_did
logged_in(struct imap_session *s)
{
	const struct login_answer *a = &s->logging_in->answer;
	BUF_AUTO b = BUF(2000);
	str code;

	s->state = IMAP_AUTH;
	s->account = a->account;
	s->round = s->logging_in->round;
	(void)str_z(str_first(str_of(a->address), sizeof(s->address) - 1), s->address,
		sizeof(s->address));
	s->until_ms = clock_ms() + s->conf->imap.idle_timeout;
	buf_addz(&b, "CAPABILITY ");
	imap_put_capabilities(s, &b);
	if (arena_copy(s->cmd.mem, buf_str(&b), &code) != RC_OK)
		return imap_ok(s, NULL, "welcome");
	return imap_ok(s, code.ptr, "welcome");
}

static enum imap_did
sentence(struct imap_session *s, const char *code)
{
	str text;

	if (arena_copy(s->cmd.mem, str_of(s->logging_in->answer.sentence), &text) !=
		RC_OK)
		text = STR("no");
	return imap_no(s, code, text.ptr);
}

/* Cheap as long as nothing in the directory has changed. */
bool
imap_still_allowed(struct imap_session *s)
{
	ARENA_AUTO mem = arena_new(4096);
	uint64_t round = logins_round(s->house->logins);
	struct account a;

	if (s->state == IMAP_NEW || round == s->round)
		return true;
	enum rc rc = account_by_id(s->house->directory, s->account, mem, &a, NULL);
	if (rc == RC_NONE || (rc == RC_OK && a.disabled))
		return false;
	if (rc == RC_OK) /* else it is asked again */
		s->round = round;
	return true;
}

static enum imap_did
go_on(struct imap_session *s)
{
	struct imap_login *l = s->logging_in;

	buf_addz(&s->out, "+ ");
	base64_put(&s->out, buf_str(&l->out));
	buf_addz(&s->out, "\r\n");
	l->stage = STAGE_LISTEN;
	return IMAP_MORE;
}

static enum imap_did
said(struct imap_session *s)
{
	switch (s->logging_in->answer.says) {
	case LOGIN_MORE:
		return go_on(s);
	case LOGIN_OK:
		return logged_in(s);
	case LOGIN_WRONG:
		return imap_no(s, "AUTHENTICATIONFAILED", "wrong name or password");
	case LOGIN_BAD:
		return imap_badz(s,
			"that is not how this mechanism is spoken, or it was cancelled");
	case LOGIN_BLOCKED:
		return sentence(s, "LIMIT");
	case LOGIN_DISABLED:
		return sentence(s, "AUTHORIZATIONFAILED");
	case LOGIN_LATER:
		break;
	}
	return imap_no(s, "UNAVAILABLE", "the directory cannot be asked at the moment");
}

/* What the guard delays is told later than it is known. */
static enum imap_did
answer(struct imap_session *s)
{
	uint64_t at = s->logging_in->answer.answer_ms;

	if (at > clock_ms()) {
		s->wake_ms = at;
		return IMAP_WAIT;
	}
	return said(s);
}

static enum imap_did
listen_on(struct imap_session *s)
{
	struct imap_login *l = s->logging_in;
	str line;

	switch (imap_line(s, &line)) {
	case CONN_OK:
		break;
	case CONN_QUIET:
	case CONN_FULL:
		return IMAP_READ;
	case CONN_LONG:
		return imap_badz(s, "that line is too long");
	case CONN_CLOSED:
		return imap_lost(s);
	}
	if (str_eq(line, STR("*")))
		return imap_badz(s, "cancelled");
	buf_clear(&l->in);
	if (base64_get(line, &l->in) != RC_OK || !buf_ok(&l->in))
		return imap_badz(s, "that is not base64");
	return start_step(s);
}

static enum imap_did
run_login(struct imap_session *s)
{
	switch (s->logging_in->stage) {
	case STAGE_STEP:
		return start_step(s);
	case STAGE_SAID:
		return answer(s);
	case STAGE_LISTEN:
		break;
	}
	return listen_on(s);
}

static enum imap_did
not_in_clear(struct imap_session *s)
{
	return imap_no(s, "PRIVACYREQUIRED", "no passwords in clear: use TLS");
}

enum imap_did
cmd_login(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	str user, password;

	if (s->logging_in != NULL)
		return run_login(s);
	if (!lex_sp(x) || !lex_astring(x, &user) || !lex_sp(x) ||
		!lex_astring(x, &password) || !lex_end(x))
		return imap_bad(s);
	if (!imap_may_log_in(s))
		return not_in_clear(s);
	struct imap_login *l = open_login(s);
	l->user = user;
	l->password = password;
	return run_login(s);
}

/* RFC 4959: "=" is a response that is empty, with which none of our mechanisms begins. */
static enum imap_did
initial(struct imap_session *s, str text)
{
	struct imap_login *l = s->logging_in;

	if (str_eq(text, STR("=")) || base64_get(text, &l->in) != RC_OK ||
		!buf_ok(&l->in))
		return imap_badz(s, "that is no beginning of this mechanism");
	return start_step(s);
}

enum imap_did
cmd_authenticate(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	str mechanism, first = { 0 };
	struct err err = { 0 };

	if (s->logging_in != NULL)
		return run_login(s);
	if (!lex_sp(x) || !lex_atom(x, &mechanism))
		return imap_bad(s);
	if (lex_sp(x)) {
		first = str_skip(x->all, x->at);
		x->at = x->all.len;
	}
	if (!lex_end(x))
		return imap_bad(s);
	if (!imap_may_log_in(s))
		return not_in_clear(s);
	struct imap_login *l = open_login(s);
	if (login_begin(l->logins, &l->want, mechanism, &l->login, &err) != RC_OK)
		return imap_no(s, "CANNOT", "that mechanism is not offered here");
	if (first.len > 0)
		return initial(s, first);
	/* all mechanisms of ours begin with the client's words */
	return go_on(s);
}
