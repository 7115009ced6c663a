/* SPDX-License-Identifier: ISC */
/*
 * login_sasl: exchanges: PLAIN here, SCRAM by gsasl.  (What gsasl is given it copies and does not
 * wipe; with SCRAM it never sees a password.)  It asks back for what it needs; what it is told of an account
 * that has no SCRAM keys (or that is not there) is made of its name and the
 * instance's secret, so that it is the same whenever somebody asks (RFC 5802 9).
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "directory/login_int.h"

enum { BASE64_MOST = 64 };

struct mechanism {
	const char *name;
	bool bound, plain;
};

static const struct mechanism mechanisms[] = {
	{ "SCRAM-SHA-256-PLUS", .bound = true },
	{ "SCRAM-SHA-256" },
	{ "PLAIN", .plain = true },
};

struct login {
	struct logins *logins;
	struct login_want want;
	const struct mechanism *mechanism;
	Gsasl_session *session;
	struct arena *mem;
	struct attempt attempt; /* SCRAM's; row NULL: its name is not known yet */
	bool spoke; /* the client did */
	bool over; /* `answer` says how ... */
	bool last; /* ... once the client has heard us out */
	bool for_another, keys; /* keys: they were asked for: a proof is being checked */
	struct login_answer answer;
};

void
login_mechanisms(const struct login_want *w, struct buf *out)
{
	const char *blank = "";

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (mechanisms[i].bound && !w->has_binding)
			continue;
		buf_addf(out, "%s%s", blank, mechanisms[i].name);
		blank = " ";
	}
}

/* ---- what gsasl asks for ---- */

static void
set_base64(Gsasl_session *s, Gsasl_property what, const void *bytes, size_t len)
{
	char text[BASE64_MOST + 1];

	(void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	if (gsasl_property_set(s, what, text) != GSASL_OK)
		abort();
	wipe(text, sizeof(text));
}

static void
set_keys(Gsasl_session *session, const struct scram *s)
{
	char count[16];

	(void)snprintf(count, sizeof(count), "%u", s->iterations);
	if (gsasl_property_set(session, GSASL_SCRAM_ITER, count) != GSASL_OK)
		abort();
	set_base64(session, GSASL_SCRAM_SALT, s->salt, sizeof(s->salt));
	set_base64(session, GSASL_SCRAM_STOREDKEY, s->stored_key, sizeof(s->stored_key));
	set_base64(session, GSASL_SCRAM_SERVERKEY, s->server_key, sizeof(s->server_key));
}

static bool
load_secret(struct logins *l, uint8_t out[LOGIN_SECRET])
{
	uint8_t secret[LOGIN_SECRET];
	struct err err;
	{
		LOCK_AUTO held = lock_take(&l->lock);

		if (l->has_secret) {
			memcpy(out, l->secret, LOGIN_SECRET);
			return true;
		}
	}
	/* without the lock: a change calls logins_forget() */
	if (directory_secret(l->directory, "scram", secret, &err) != RC_OK) {
		log_error("msg=\"no secret for made-up salts\" why=\"%s\"", err.text);
		return false;
	}
	LOCK_AUTO held = lock_take(&l->lock);
	memcpy(l->secret, secret, LOGIN_SECRET);
	l->has_secret = true;
	memcpy(out, secret, LOGIN_SECRET);
	wipe(secret, sizeof(secret));
	return true;
}

/* A verifier that nothing fits, with a salt that stays. */
static void
make_up(const uint8_t secret[LOGIN_SECRET], str name, struct scram *out)
{
	uint8_t made[32];

	hmac_sha256((str){ (const char *)secret, LOGIN_SECRET }, name, made);
	memcpy(out->salt, made, sizeof(out->salt));
	out->iterations = SCRAM_ITERATIONS;
	ids_random(out->stored_key, sizeof(out->stored_key));
	ids_random(out->server_key, sizeof(out->server_key));
}

/* The name is known now: whose keys?  False: over. */
static bool
begin_scram(struct login *g)
{
	const char *user = gsasl_property_fast(g->session, GSASL_AUTHID);
	const char *other = gsasl_property_fast(g->session, GSASL_AUTHZID);
	struct attempt *t = &g->attempt;
	uint8_t secret[LOGIN_SECRET];
	struct scram made;

	*t = (struct attempt){ .logins = g->logins,
		.want = &g->want,
		.how = g->mechanism->name,
		.mem = g->mem };
	/* our own: gsasl's may be gone when its outcome is told */
	if (arena_copy(g->mem, str_first(str_of(user), LOGIN_NAME + 1), &t->user) !=
		RC_OK)
		t->user = (str){ 0 };
	if (!attempt_begin(t, &g->answer))
		return false;
	g->for_another = !login_same_name(str_of(other), t->user);
	/* also for those who have keys: whether this works must tell nothing */
	if (!load_secret(g->logins, secret)) {
		attempt_end(t, LOGIN_LATER, NULL, &g->answer);
		return false;
	}
	make_up(secret, t->row->name, &made);
	wipe(secret, sizeof(secret));
	set_keys(g->session, t->row->has_scram ? &t->row->scram : &made);
	return true;
}

static int
on_scram(struct login *g, Gsasl_property what)
{
	if (g->over)
		return GSASL_AUTHENTICATION_ERROR;
	if (g->attempt.row == NULL)
		g->over = !begin_scram(g);
	if (!g->over && what == GSASL_SCRAM_SERVERKEY && !g->keys) {
		g->keys = true;
		g->over = attempt_blocked(&g->attempt, &g->answer);
	}
	return g->over ? GSASL_AUTHENTICATION_ERROR : GSASL_OK;
}

static int
on_question(Gsasl *all, Gsasl_session *session, Gsasl_property what)
{
	struct login *g = gsasl_session_hook_get(session);

	(void)all;
	switch ((int)what) {
	case GSASL_SCRAM_ITER:
	case GSASL_SCRAM_SALT:
	case GSASL_SCRAM_STOREDKEY:
	case GSASL_SCRAM_SERVERKEY:
		return on_scram(g, what);
	case GSASL_CB_TLS_EXPORTER:
		if (!g->want.has_binding)
			return GSASL_NO_CALLBACK;
		set_base64(session, what, g->want.binding, LOGIN_BINDING);
		return GSASL_OK;
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* ---- an exchange ---- */

enum rc
login_begin(struct logins *l, const struct login_want *w, str mechanism,
	struct login **out, struct err *err)
{
	const struct mechanism *m = NULL;

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (str_ieq(mechanism, str_of(mechanisms[i].name)) &&
			(w->has_binding || !mechanisms[i].bound))
			m = &mechanisms[i];
	if (m == NULL)
		return err_set(err, RC_BAD, "no such mechanism here");
	struct login *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	g->logins = l;
	g->want = *w;
	g->mechanism = m;
	g->mem = arena_new(WORK_BYTES);
	*out = g;
	if (m->plain)
		return RC_OK;
	if (gsasl_server_start(l->gsasl, m->name, &g->session) != GSASL_OK)
		abort(); /* it is there, or memory is not */
	gsasl_session_hook_set(g->session, g);
	return RC_OK;
}

void
login_free(struct login **gp)
{
	struct login *g = *gp;

	if (g == NULL)
		return;
	*gp = NULL;
	if (g->session != NULL)
		gsasl_finish(g->session);
	if (g->attempt.row != NULL)
		wipe(g->attempt.row, sizeof(*g->attempt.row));
	arena_free(&g->mem);
	wipe(g, sizeof(*g));
	free(g);
}

static void
end_scram(struct login *g, int said)
{
	struct attempt *t = &g->attempt;

	if (said == GSASL_OK && !g->for_another && t->row->account != 0 &&
		t->row->has_scram)
		attempt_end(t, t->row->disabled ? LOGIN_DISABLED : LOGIN_OK,
			t->row->disabled ? "this account is disabled" : NULL, &g->answer);
	else
		attempt_end(t, LOGIN_WRONG, NULL, &g->answer);
}

/* Not the mechanism's language, before or after a name was said. */
static void
end_bad(struct login *g)
{
	struct attempt t = { .logins = g->logins,
		.want = &g->want,
		.how = g->mechanism->name,
		.user = g->attempt.user };

	attempt_end(&t, LOGIN_BAD, NULL, &g->answer);
}

static void
tell(struct login *g, int said)
{
	if (g->over)
		return;
	g->over = true;
	if (g->attempt.row != NULL &&
		(said == GSASL_OK || said == GSASL_AUTHENTICATION_ERROR))
		end_scram(g, said);
	else
		end_bad(g);
}

/* The name of the binding, if the mechanism has one, and only then (RFC 5802 5.1, 6):
 * gsasl does not look until the end. */
static bool
binding_fits(struct login *g, str in)
{
	bool first = !g->spoke && !str_empty(in);

	g->spoke = g->spoke || first;
	if (!first)
		return true;
	return g->mechanism->bound ? str_starts(in, STR("p=tls-exporter,"))
				   : !str_starts(in, STR("p"));
}

/* No door of ours has room for the server's last words in its yes: they are a step more, which
 * the client answers with nothing (RFC 9051 6.2.2, RFC 5034 4, RFC 4954 4). */
static void
say(struct login *g, str words, struct buf *out, struct login_answer *a)
{
	*a = g->answer;
	if (a->says == LOGIN_OK && !str_empty(words)) {
		g->last = true;
		*a = (struct login_answer){ .says = LOGIN_MORE,
			.answer_ms = g->answer.answer_ms };
	}
	if (a->says == LOGIN_MORE)
		buf_add(out, words);
}

/* RFC 4616 2: [authzid] NUL authcid NUL passwd */
static void
plain_step(struct login *g, str in, struct login_answer *a)
{
	str other, user, password = in;

	if (str_empty(in) && !g->spoke) { /* the client has not begun */
		g->spoke = true;
		*a = (struct login_answer){ .says = LOGIN_MORE };
		return;
	}
	g->over = true;
	if (in.len <= LOGIN_STEP_MOST && memchr(in.ptr, 0, in.len) != NULL &&
		str_cut(&password, '\0', &other) && str_cut(&password, '\0', &user) &&
		!str_empty(user) && !str_empty(password) &&
		memchr(password.ptr, 0, password.len) == NULL)
		login_try(g->logins, &g->want, g->mechanism->name, other, user, password,
			&g->answer);
	else
		end_bad(g);
	*a = g->answer;
}

void
login_step(struct login *g, str in, struct buf *out, struct login_answer *a)
{
	char *said = NULL;
	size_t len = 0;
	int r;

	if (g->over) {
		*a = (struct login_answer){ .says = LOGIN_BAD };
		if (g->last && str_empty(in))
			*a = g->answer;
		g->last = false;
		return;
	}
	if (g->mechanism->plain) {
		plain_step(g, in, a);
		return;
	}
	if (in.len > LOGIN_STEP_MOST || !binding_fits(g, in))
		r = GSASL_MECHANISM_PARSE_ERROR;
	else
		r = gsasl_step(
			g->session, in.len == 0 ? "" : in.ptr, in.len, &said, &len);
	if (!g->over && r == GSASL_NEEDS_MORE)
		g->answer = (struct login_answer){ .says = LOGIN_MORE };
	else
		tell(g, r);
	say(g, (str){ said, len }, out, a);
	gsasl_free(said);
}

void
logins_set_up(struct logins *l)
{
	if (gsasl_init(&l->gsasl) != GSASL_OK)
		abort();
	gsasl_callback_set(l->gsasl, on_question);
}
