/* SPDX-License-Identifier: ISC */
/* Who is shut out, and what is left of passwords. */
#include "pop3/pop3_world.h"
#include "test/memory.h"
#include "test/test.h"

#define OUT                                                                      \
	"S: -ERR this account was disabled or removed, or has another password", \
		"S: (the end)"

static struct world w;

TEST(who_is_shut_out_fetches_no_more_mail)
{
	struct client a, b;
	struct err err;
	uint64_t id;

	world_open(&w, "");
	world_deliver(&w, w.anna, STR("Subject: one\r\n\r\n"));
	a = client_in(&w, "anna");
	b = client_in(&w, "berta");
	TALK(&a, "C: STAT", "S~ +OK 1 ");
	assert_int_equal(
		account_disable(w.people.directory, STR("anna@x.test"), true, &err),
		RC_OK);
	TALK(&a, OUT);
	TALK(&b, "C: STAT", "S~ +OK 0 ");
	assert_int_equal(
		account_remove(w.people.directory, STR("berta@x.test"), &id, &err),
		RC_OK);
	TALK(&b, OUT);
	client_close(&a);
	client_close(&b);
	world_close(&w);
}

TEST(another_password_ends_the_session_and_opens_the_next)
{
	struct client a, b;
	struct err err;

	world_open(&w, "");
	a = client_in(&w, "anna");
	assert_int_equal(account_password(w.people.directory, STR("anna@x.test"),
				 STR("another"), &err),
		RC_OK);
	TALK(&a, OUT);
	client_close(&a);
	b = client_open(&w);
	TALK(&b, "C: USER anna@x.test", "S~ +OK", "C: PASS another", "S~ +OK ", "C: NOOP",
		"S~ +OK", "C: QUIT", "S~ +OK");
	client_close(&b);
	world_close(&w);
}

TEST(a_password_is_nowhere_once_it_was_looked_at)
{
	static const char nobody[] = "\0anna@x.test"; /* and a NUL */
	struct secret s = secret_new(), plain;
	char shown[SECRET_CHARS];
	struct client c;
	struct err err;

	world_open(&w, "");
	secret_show(&s, shown);
	assert_int_equal(account_password(w.people.directory, STR("anna@x.test"),
				 (str){ shown, s.len }, &err),
		RC_OK);
	secret_wiped(shown, sizeof(shown));
	plain = secret_base64(&s, nobody, sizeof(nobody));
	c = client_open(&w);
	client_secret(&c, "PASS ", &s, "\r\n");
	client_secret(&c, "PASSWORD ", &s, "\r\n");
	TALK(&c, "S~ -ERR", "S~ -ERR", "C: CAPA", "S~ +OK");
	while (!str_eq(client_line(&c), STR(".")))
		continue;
	assert_false(secret_in_memory(&s));
	TALK(&c, "C: AUTH PLAIN", "S: + ");
	client_secret(&c, "", &plain, "\r\n");
	TALK(&c, "S~ +OK ", "C: NOOP", "S~ +OK");
	assert_false(secret_in_memory(&plain));
	TALK(&c, "C: QUIT", "S~ +OK", "S: (the end)");
	client_close(&c);
	c = client_open(&w);
	TALK(&c, "C: USER anna@x.test", "S~ +OK");
	client_secret(&c, "PASS ", &s, "\r\n");
	TALK(&c, "S~ +OK ", "C: NOOP", "S~ +OK");
	assert_false(secret_in_memory(&s));
	client_close(&c);
	world_close(&w);
}
