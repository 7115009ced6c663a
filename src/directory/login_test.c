/* SPDX-License-Identifier: ISC */
#include "directory/login.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/ids.h"
#include "crypto/digest.h"
#include "directory/login_int.h"
#include "test/test.h"

struct fixture {
	int data;
	const struct conf *conf;
	struct directory *d;
	struct logins *l;
	struct login_want want;
	struct err err;
};

#define ok(call)                                          \
	do {                                              \
		enum rc ok_rc = (call);                   \
		if (ok_rc != RC_OK)                       \
			fail_msg("%s: %d", #call, ok_rc); \
	} while (0)

static void
on_changed(void *arg)
{
	struct fixture *f = arg;

	if (f->l != NULL)
		logins_forget(f->l);
}

static void
open_all(struct fixture *f)
{
	struct directory_want w = {
		.data = f->data, .conf = f->conf, .changed = on_changed, .arg = f
	};

	ok(directory_open(&w, &f->d, &f->err));
	f->l = logins_new(f->d, f->conf);
}

static void
close_all(struct fixture *f)
{
	logins_free(&f->l);
	directory_close(&f->d);
}

static void
add(struct fixture *f, const char *address, const char *password)
{
	struct account_new a = { .address = str_of(address),
		.password = str_of(password) };

	ok(account_add(f->d, &a, NULL, &f->err));
}

static void
set_up(struct fixture *f, const char *settings)
{
	char text[500];

	*f = (struct fixture){ .data = -1, .want = { .door = DOOR_IMAP, .tls = true } };
	(void)snprintf(text, sizeof(text), "hostname = mx.example.test\n%s", settings);
	ok(fs_open_dir(AT_FDCWD, test_folder(), &f->data, &f->err));
	ok(conf_parse(str_of(text), "test", &f->conf, &f->err));
	assert_true(ip_parse(STR("192.0.2.1"), &f->want.peer));
	open_all(f);
	ok(domain_add(f->d, STR("a.test"), &f->err));
	add(f, "alice@a.test", "correct horse");
	add(f, "empty@a.test", "");
}

static void
tear_down(struct fixture *f)
{
	close_all(f);
	conf_drop(&f->conf);
	fs_close(&f->data);
}

#define FIXTURE __attribute__((cleanup(tear_down))) struct fixture

static struct login_answer
plain(struct fixture *f, const char *user, const char *password)
{
	struct login_answer a;

	login_plain(f->l, &f->want, str_of(user), str_of(password), &a);
	return a;
}

static enum login_says
says(struct fixture *f, const char *user, const char *password)
{
	return plain(f, user, password).says;
}

TEST(the_right_password_opens_and_no_other_does)
{
	FIXTURE f;

	set_up(&f, "");
	struct login_answer a = plain(&f, "ALICE@A.Test", "correct horse");
	assert_int_equal(a.says, LOGIN_OK);
	assert_string_equal(a.address, "alice@a.test");
	assert_true(a.account != 0);
	assert_int_equal(a.answer_ms, 0);
	f.want.peer.bytes[3] = 2;
	assert_int_equal(says(&f, "alice@a.test", "correct horsf"), LOGIN_WRONG);
	assert_int_equal(says(&f, "alice", "correct horse"), LOGIN_WRONG);
	assert_int_equal(says(&f, "alice+x@a.test", "correct horse"), LOGIN_WRONG);
	f.want.peer.bytes[3] = 3;
	assert_int_equal(says(&f, "empty@a.test", ""), LOGIN_WRONG);
	assert_int_equal(says(&f, "", ""), LOGIN_WRONG);
	assert_int_equal(says(&f, "abuse@a.test", "correct horse"), LOGIN_WRONG);
}

/* ---- exchanges, with gsasl at the other end ---- */

struct client {
	const char *mechanism, *user, *other, *password;
	const uint8_t *binding;
	char salt[64]; /* what it was told */
};

static int
on_client(Gsasl *all, Gsasl_session *s, Gsasl_property what)
{
	const struct client *c = gsasl_session_hook_get(s);
	char text[64];

	(void)all;
	switch ((int)what) {
	case GSASL_AUTHID:
		return gsasl_property_set(s, what, c->user);
	case GSASL_AUTHZID:
		return c->other == NULL ? GSASL_NO_CALLBACK
					: gsasl_property_set(s, what, c->other);
	case GSASL_PASSWORD:
		return gsasl_property_set(s, what, c->password);
	case GSASL_CB_TLS_EXPORTER:
		if (c->binding == NULL)
			return GSASL_NO_CALLBACK;
		(void)EVP_EncodeBlock((unsigned char *)text, c->binding, LOGIN_BINDING);
		return gsasl_property_set(s, what, text);
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* The whole exchange; *trusts: what the client thinks of the server. */
static struct login_answer
exchange(struct fixture *f, struct client *c, bool *trusts)
{
	struct login_answer a = { .says = LOGIN_BAD };
	BUF_AUTO out = BUF(LOGIN_STEP_MOST);
	Gsasl_session *s = NULL;
	Gsasl *all = NULL;
	struct login *g;
	char *said = NULL;
	size_t len = 0;
	int r = GSASL_NEEDS_MORE;

	assert_int_equal(gsasl_init(&all), GSASL_OK);
	gsasl_callback_set(all, on_client);
	assert_int_equal(gsasl_client_start(all, c->mechanism, &s), GSASL_OK);
	gsasl_session_hook_set(s, c);
	ok(login_begin(f->l, &f->want, str_of(c->mechanism), &g, &f->err));
	login_step(g, (str){ 0 }, &out, &a);
	assert_int_equal(a.says, LOGIN_MORE);
	while (a.says == LOGIN_MORE) {
		r = gsasl_step(s, out.data, out.len, &said, &len);
		if (r != GSASL_OK && r != GSASL_NEEDS_MORE)
			fail_msg("client: %s", gsasl_strerror(r));
		buf_clear(&out);
		login_step(g, (str){ said, len }, &out, &a);
		gsasl_free(said);
		const char *salt = strstr(buf_z(&out), "s=");
		if (salt != NULL)
			(void)str_z(
				str_first(str_of(salt), 26), c->salt, sizeof(c->salt));
	}
	if (a.says == LOGIN_OK && r == GSASL_NEEDS_MORE) {
		r = gsasl_step(s, out.data, out.len, &said, &len);
		gsasl_free(said);
	}
	*trusts = r == GSASL_OK;
	gsasl_finish(s);
	gsasl_done(all);
	login_free(&g);
	return a;
}

TEST(a_login_by_any_mechanism_is_the_same_login)
{
	static const char *const names[] = { "PLAIN", "SCRAM-SHA-256",
		"SCRAM-SHA-256-PLUS" };
	FIXTURE f;

	set_up(&f, "");
	f.want.has_binding = true;
	memset(f.want.binding, 7, LOGIN_BINDING);
	for (size_t i = 0; i < 3; i++) {
		struct client c = { names[i], "Alice@A.test", NULL, "correct horse", NULL,
			"" };
		struct login_answer a;
		bool trusts;

		if (i == 2)
			c.binding = f.want.binding;
		a = exchange(&f, &c, &trusts);
		assert_int_equal(a.says, LOGIN_OK);
		assert_string_equal(a.address, "alice@a.test");
		assert_true(trusts);
		c.password = "wrong horse";
		assert_int_equal(exchange(&f, &c, &trusts).says, LOGIN_WRONG);
		c.password = "correct horse";
		c.other = "empty@a.test";
		assert_int_equal(exchange(&f, &c, &trusts).says, LOGIN_WRONG);
		c.other = "alice@A.TEST";
		assert_int_equal(exchange(&f, &c, &trusts).says, LOGIN_OK);
	}
}
