/* SPDX-License-Identifier: ISC */
/* Who comes in, who is shut out, and what is left of passwords. */
#include <stdio.h>

#include "imap/imap_world.h"
#include "test/memory.h"
#include "test/test.h"

#define OUT "S: * BYE this account was disabled or removed, or has another password"

static struct world w;

TEST(who_is_shut_out_hears_nothing_more_while_it_idles)
{
	struct client a, b;
	struct err err;

	world_open(&w, "");
	a = client_in(&w, "anna");
	b = client_in(&w, "berta");
	TALK(&a, "C: a SELECT INBOX", "S* a OK ", "C: b IDLE", "S~ + ");
	TALK(&b, "C: a SELECT INBOX", "S* a OK ", "C: b IDLE", "S~ + ");
	assert_int_equal(
		account_disable(w.house.directory, STR("anna@x.test"), true, &err),
		RC_OK);
	world_deliver(&w, w.anna, STR("Subject: not for you\r\n\r\n"));
	world_deliver(&w, w.berta, STR("Subject: hello\r\n\r\n"));
	TALK(&a, OUT, "S~ b NO [AUTHORIZATIONFAILED] ", "S: (the end)");
	TALK(&b, "S: * 1 EXISTS", "S: * 1 RECENT", "C: DONE", "S~ b OK ");
	client_close(&a);
	client_close(&b);
	world_close(&w);
}

TEST(who_is_shut_out_is_told_between_commands)
{
	struct client a, b, c;
	struct err err;
	uint64_t id;

	world_open(&w, "");
	a = client_in(&w, "anna");
	b = client_in(&w, "berta");
	c = client_open(&w);
	TALK(&c, "C: a NOOP", "S~ a OK ");
	assert_int_equal(account_password(w.house.directory, STR("anna@x.test"),
				 STR("another"), &err),
		RC_OK);
	TALK(&a, OUT, "S: (the end)");
	TALK(&b, "C: a NOOP", "S~ a OK ");
	assert_int_equal(
		account_remove(w.house.directory, STR("berta@x.test"), &id, &err), RC_OK);
	TALK(&b, OUT, "S: (the end)");
	TALK(&c, "C: b LOGIN anna@x.test another", "S~ b OK ", "C: c NOOP", "S~ c OK ");
	client_close(&a);
	client_close(&b);
	client_close(&c);
	world_close(&w);
}

TEST(an_app_password_lives_and_ends_by_itself)
{
	struct directory *d;
	char app[32], line[100];
	struct client c;
	struct err err;

	world_open(&w, "");
	d = w.house.directory;
	assert_int_equal(app_password_add(d, STR("anna@x.test"), STR("phone"), DOOR_ALL,
				 app, &err),
		RC_OK);
	c = client_open(&w);
	(void)snprintf(line, sizeof(line), "C: a LOGIN anna@x.test %s", app);
	TALK(&c, line, "S~ a OK ");
	assert_int_equal(
		account_password(d, STR("anna@x.test"), STR("another"), &err), RC_OK);
	assert_int_equal(
		account_quota(d, STR("anna@x.test"), true, 1 << 30, &err), RC_OK);
	TALK(&c, "C: b NOOP", "S~ b OK ", "C: c IDLE", "S~ + ");
	assert_int_equal(
		app_password_revoke(d, STR("anna@x.test"), STR("phone"), &err), RC_OK);
	TALK(&c, OUT, "S~ c NO ", "S: (the end)");
	client_close(&c);
	world_close(&w);
}

/* ---- what is left of passwords ---- */

static struct secret
new_password(void)
{
	struct secret s = secret_new();
	char plain[SECRET_CHARS];
	struct err err;

	secret_show(&s, plain);
	assert_true(secret_in_memory(&s)); /* it can be found */
	assert_int_equal(account_password(w.house.directory, STR("anna@x.test"),
				 (str){ plain, s.len }, &err),
		RC_OK);
	secret_wiped(plain, sizeof(plain));
	assert_false(secret_in_memory(&s));
	return s;
}

TEST(a_password_is_nowhere_once_it_was_looked_at)
{
	static const char nobody[] = "\0anna@x.test"; /* and a NUL */
	struct secret s, plain;
	struct client c;

	world_open(&w, "");
	s = new_password();
	plain = secret_base64(&s, nobody, sizeof(nobody));
	c = client_open(&w);
	client_secret(&c, "a LOGIM anna@x.test ", &s, "\r\n");
	client_secret(&c, "b LOGIN anna@x.test ", &s, " at once\r\n");
	client_secret(&c, "c LOGIN \"berta@x.test\" \"", &s, "\"\r\n");
	TALK(&c, "S~ a BAD ", "S~ b BAD ", "S~ c NO ", "C: d NOOP", "S~ d OK ");
	assert_false(secret_in_memory(&s));
	client_secret(&c, "e AUTHENTICATE NTLM ", &plain, "\r\n");
	TALK(&c, "S~ e NO ", "C: f NOOP", "S~ f OK ");
	assert_false(secret_in_memory(&plain));
	TALK(&c, "C: g LOGIN anna@x.test {56}", "S~ + ");
	client_secret(&c, "", &s, "\r\n");
	TALK(&c, "S~ g OK ", "C: h NOOP", "S~ h OK ");
	assert_false(secret_in_memory(&s));
	client_close(&c);
	world_close(&w);
}

TEST(a_password_in_base64_is_nowhere_once_it_was_looked_at)
{
	static const char nobody[] = "\0anna@x.test";
	struct secret s, plain;
	struct client c, d;

	world_open(&w, "");
	s = new_password();
	plain = secret_base64(&s, nobody, sizeof(nobody));
	c = client_open(&w);
	client_secret(&c, "a AUTHENTICATE PLAIN ", &plain, "\r\n");
	TALK(&c, "S~ a OK ", "C: b NOOP", "S~ b OK ");
	d = client_open(&w);
	TALK(&d, "C: a AUTHENTICATE PLAIN", "S: + ");
	client_secret(&d, "", &plain, "\r\n");
	TALK(&d, "S~ a OK ", "C: b NOOP", "S~ b OK ");
	assert_false(secret_in_memory(&plain));
	assert_false(secret_in_memory(&s));
	client_close(&c);
	client_close(&d);
	world_close(&w);
}
