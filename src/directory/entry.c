/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "base/secret.h"
#include "directory/login_int.h"
#include "wire/base64.h"

enum stage { STAGE_STEP, STAGE_ASKED, STAGE_LISTEN, STAGE_OVER };

enum { USER_MOST = 1024 }; /* of a name; longer ones are nobody's */

struct entry {
	struct entry_want want;
	struct login_want as;
	struct login *login; /* NULL: a name and a password */
	struct login_answer answer;
	enum stage stage;
	enum entry_end end;
	struct buf user, in, out; /* in: what was said, or the password */
};

bool
entry_allowed(const struct session_io *io)
{
	return conn_is_tls(io->conn) ||
	       (io->conf->server.plain_loopback && ip_is_loopback(&io->peer));
}

static struct login_want
as_login(const struct session_io *io, enum login_door door)
{
	struct login_want w = {
		.door = door, .peer = io->peer, .tls = conn_is_tls(io->conn)
	};

	w.has_binding = w.tls && conn_exporter(io->conn, w.binding);
	return w;
}

void
entry_mechanisms(const struct session_io *io, enum login_door door, struct buf *out)
{
	struct login_want w = as_login(io, door);

	login_mechanisms(&w, out);
}

static struct entry *
begin(const struct entry_want *w)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		abort();
	e->want = *w;
	e->as = as_login(w->io, w->door);
	e->in = secret_buf(LOGIN_STEP_MOST);
	e->out = BUF(LOGIN_STEP_MOST);
	return e;
}

/* What does not fit is longer than any password, and as wrong. */
struct entry *
entry_user(const struct entry_want *w, str user, str password)
{
	struct entry *e = begin(w);

	e->user = BUF(USER_MOST);
	buf_add(&e->user, str_first(user, USER_MOST));
	buf_add(&e->in, str_first(password, LOGIN_STEP_MOST));
	return e;
}

enum rc
entry_sasl(const struct entry_want *w, str mechanism, struct entry **out)
{
	struct entry *e = begin(w);
	enum rc rc = login_begin(w->logins, &e->as, mechanism, &e->login, NULL);

	if (rc != RC_OK) {
		entry_free(&e);
		return rc;
	}
	*out = e;
	return RC_OK;
}

void
entry_free(struct entry **ep)
{
	struct entry *e = *ep;

	if (e == NULL)
		return;
	*ep = NULL;
	login_free(&e->login);
	secret_buf_free(&e->in);
	buf_free(&e->user);
	buf_free(&e->out);
	secret_wipe(e, sizeof(*e));
	free(e);
}

/* On an errand's thread. */
static void
step(void *arg)
{
	struct entry *e = arg;

	buf_clear(&e->out);
	if (e->login != NULL)
		login_step(e->login, buf_str(&e->in), &e->out, &e->answer);
	else
		login_plain(e->want.logins, &e->as, buf_str(&e->user), buf_str(&e->in),
			&e->answer);
	secret_buf_clear(&e->in);
}

static enum entry_did
over(struct entry *e, enum entry_end end)
{
	e->stage = STAGE_OVER;
	e->end = end;
	return ENTRY_OVER;
}

static enum entry_did
answered(struct entry *e)
{
	switch (e->answer.says) {
	case LOGIN_MORE:
		e->stage = STAGE_LISTEN;
		return ENTRY_SAY;
	case LOGIN_OK:
		return over(e, ENTRY_IN);
	case LOGIN_WRONG:
		return over(e, ENTRY_WRONG);
	case LOGIN_BAD:
		return over(e, ENTRY_BAD);
	case LOGIN_BLOCKED:
		return over(e, ENTRY_BLOCKED);
	case LOGIN_DISABLED:
		return over(e, ENTRY_DISABLED);
	case LOGIN_LATER:
		break;
	}
	return over(e, ENTRY_LATER);
}

enum entry_did
entry_go_on(struct entry *e, uint64_t *again_ms)
{
	*again_ms = 0;
	switch (e->stage) {
	case STAGE_STEP:
		e->stage = STAGE_ASKED;
		return errand_start(e->want.errand, e->want.hashes, e->want.io, step, e)
			       ? ENTRY_WAIT
			       : over(e, ENTRY_BUSY);
	case STAGE_ASKED:
		if (errand_busy(e->want.errand) && !errand_done(e->want.errand))
			return ENTRY_WAIT;
		/* what the guard delays is told later than it is known */
		if (e->answer.answer_ms > clock_ms()) {
			*again_ms = e->answer.answer_ms;
			return ENTRY_WAIT;
		}
		return answered(e);
	case STAGE_LISTEN:
		return ENTRY_LISTEN;
	case STAGE_OVER:
		break;
	}
	return ENTRY_OVER;
}

void
entry_words(struct entry *e, struct buf *b)
{
	buf_addz(b, "+ ");
	base64_put(b, buf_str(&e->out));
	buf_addz(b, "\r\n");
}

void
entry_heard(struct entry *e, str line)
{
	e->stage = STAGE_STEP;
	secret_buf_clear(&e->in);
	if (str_eq(line, STR("*")))
		(void)over(e, ENTRY_CANCELLED);
	else if (base64_get(line, &e->in) != RC_OK || !buf_ok(&e->in))
		(void)over(e, ENTRY_NO_BASE64);
}

enum entry_end
entry_end(const struct entry *e)
{
	return e->end;
}

const char *
entry_sentence(const struct entry *e)
{
	return e->answer.sentence;
}

const char *
entry_address(const struct entry *e)
{
	return e->answer.address;
}

void
pass_take(struct pass *p, const struct session_io *io, const struct entry *e)
{
	pass_enter(p, io, e->want.logins, &e->answer);
}
