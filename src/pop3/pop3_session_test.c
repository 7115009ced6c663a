/* SPDX-License-Identifier: ISC */
#include <gsasl.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "pop3/pop3_world.h"
#include "store/change.h"
#include "test/test.h"
#include "wire/base64.h"

#define ONE "Subject: one\r\n\r\nfirst\r\n.dot\r\n..\r\nlast\r\n"
#define TWO "Subject: two\r\n\r\nbody\r\n"

static void
two_mails(struct world *w)
{
	world_open(w, "");
	world_deliver(w, w->anna, STR(ONE));
	world_deliver(w, w->anna, STR(TWO));
}

/* RFC 1939 10's example, with what this server says */
TEST(mail_is_fetched_as_in_the_standard)
{
	struct world w;

	two_mails(&w);
	struct client c = client_open(&w);
	TALK(&c, "C: USER anna@x.test", "S~ +OK", "C: PASS secret",
		"S: +OK 2 messages (61 octets)", "C: STAT", "S: +OK 2 61", "C: LIST",
		"S~ +OK", "S: 1 39", "S: 2 22", "S: .", "C: LIST 2", "S: +OK 2 22",
		"C: RETR 1", "S: +OK 39 octets", "S: Subject: one", "S: ", "S: first",
		"S: ..dot", "S: ...", "S: last", "S: .", "C: DELE 1", "S~ +OK", "C: STAT",
		"S: +OK 1 22", "C: LIST", "S~ +OK", "S: 2 22", "S: .", "C: LIST 1",
		"S~ -ERR", "C: RETR 1", "S~ -ERR", "C: DELE 1", "S~ -ERR", "C: LIST 3",
		"S~ -ERR", "C: LIST 0", "S~ -ERR", "C: RETR 2", "S: +OK 22 octets",
		"S: Subject: two", "S: ", "S: body", "S: .", "C: NOOP", "S~ +OK",
		"C: QUIT", "S~ +OK", "S: (the end)");
	client_close(&c);
	assert_int_equal(world_flags(&w, w.anna, 1), ~0U);
	assert_int_equal(world_flags(&w, w.anna, 2), STORE_SEEN);
	world_close(&w);
}

TEST(what_was_deleted_stays_unless_quit_was_said)
{
	struct world w;

	two_mails(&w);
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: DELE 1", "S~ +OK", "C: DELE 2", "S~ +OK", "C: STAT", "S: +OK 0 0");
	client_close(&c);
	/* the lock goes when the server has seen the end */
	do {
		c = client_open(&w);
		TALK(&c, "C: USER anna@x.test", "S~ +OK", "C: PASS secret");
		str line = client_line(&c);
		if (str_starts(line, STR("+OK")))
			break;
		assert_true(str_starts(line, STR("-ERR [IN-USE]")));
		client_close(&c);
	} while (true);
	TALK(&c, "C: DELE 1", "S~ +OK", "C: DELE 2", "S~ +OK", "C: RSET", "S~ +OK",
		"C: STAT", "S: +OK 2 61", "C: DELE 2", "S~ +OK", "C: QUIT", "S~ +OK",
		"S: (the end)");
	client_close(&c);
	assert_int_equal(world_flags(&w, w.anna, 1), 0);
	assert_int_equal(world_flags(&w, w.anna, 2), ~0U);
	world_close(&w);
}

TEST(one_session_at_a_time_has_the_maildrop)
{
	struct world w;

	two_mails(&w);
	struct client a = client_in(&w, "anna"), b = client_in(&w, "berta");
	struct client c = client_open(&w);
	TALK(&c, "C: USER anna@x.test", "S~ +OK", "C: PASS secret", "S~ -ERR [IN-USE] ",
		"C: USER anna@x.test", "S~ +OK");
	TALK(&a, "C: QUIT", "S~ +OK", "S: (the end)");
	TALK(&c, "C: PASS secret", "S~ +OK 2 messages", "C: QUIT", "S~ +OK");
	TALK(&b, "C: STAT", "S: +OK 0 0", "C: LIST", "S~ +OK", "S: .", "C: UIDL",
		"S~ +OK", "S: .", "C: QUIT", "S~ +OK");
	client_close(&a);
	client_close(&b);
	client_close(&c);
	world_close(&w);
}

TEST(names_of_messages_stay_the_same_for_ever)
{
	char first[100], second[100];
	struct world w;

	two_mails(&w);
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: UIDL", "S~ +OK", "S~ 1 ");
	assert_true(str_z(client_line(&c), first, sizeof(first)));
	TALK(&c, "S: .", "C: DELE 1", "S~ +OK", "C: UIDL 1", "S~ -ERR", "C: QUIT",
		"S~ +OK");
	client_close(&c);
	world_deliver(&w, w.anna, STR(ONE));
	c = client_in(&w, "anna");
	TALK(&c, "C: UIDL 1");
	assert_true(str_z(client_line(&c), second, sizeof(second)));
	assert_string_equal(second + 6, first + 2);
	assert_true(strlen(first) <= 2 + 70);
	TALK(&c, "C: UIDL 2");
	assert_true(str_z(client_line(&c), second, sizeof(second)));
	assert_string_not_equal(second + 6, first + 2);
	client_close(&c);
	world_close(&w);
}

TEST(a_top_shows_the_head_and_as_many_lines)
{
	struct world w;

	two_mails(&w);
	world_deliver(&w, w.anna, STR("Subject: no body\r\n"));
	world_deliver(&w, w.anna, STR("A: bare\nB: lines\n\n.x\ny\r\r\nz"));
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: TOP 1 0", "S~ +OK", "S: Subject: one", "S: ", "S: .", "C: TOP 1 2",
		"S~ +OK", "S: Subject: one", "S: ", "S: first", "S: ..dot", "S: .",
		"C: TOP 2 99", "S~ +OK", "S: Subject: two", "S: ", "S: body", "S: .",
		"C: TOP 3 5", "S~ +OK", "S: Subject: no body", "S: .", "C: TOP 4 1",
		"S~ +OK", "S: A: bare", "S: B: lines", "S: ", "S: ..x", "S: .",
		"C: RETR 4", "S~ +OK", "S: A: bare", "S: B: lines", "S: ", "S: ..x",
		"S: y\r", "S: z", "S: .", "C: TOP 1", "S~ -ERR", "C: TOP 1 -1", "S~ -ERR",
		"C: TOP 9 1", "S~ -ERR", "C: QUIT", "S~ +OK", "S: (the end)");
	client_close(&c);
	/* only what was fetched whole has been read */
	assert_int_equal(world_flags(&w, w.anna, 1), 0);
	assert_int_equal(world_flags(&w, w.anna, 4), STORE_SEEN);
	world_close(&w);
}

/* Lines of lengths that meet the ends of pieces everywhere, dots in front of most. */
TEST(a_large_message_arrives_as_it_is_however_slowly_it_is_read)
{
	BUF_AUTO mail = BUF(8 << 20);
	BUF_AUTO got = BUF(8 << 20);
	struct world w;
	str line;

	buf_addz(&mail, "Subject: large\r\n\r\n");
	for (size_t i = 0; mail.len < 3 << 20; i++) {
		for (size_t k = 0; k < i % 97; k++)
			buf_addc(&mail, '.');
		buf_addz(&mail, i % 3 == 0 ? "\r\n" : "x\r\n");
	}
	world_open(&w, "");
	world_deliver(&w, w.anna, buf_str(&mail));
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: RETR 1", "C: RETR 1", "C: DELE 1", "C: QUIT");
	for (int round = 0; round < 2; round++) {
		buf_clear(&got);
		TALK(&c, "S~ +OK ");
		while (!str_eq(line = client_line(&c), STR("."))) {
			assert_false(str_eq(line, STR("(the end)")));
			buf_add(&got, str_skip(line, line.len > 0 && line.ptr[0] == '.'));
			buf_addz(&got, "\r\n");
		}
		assert_int_equal(got.len, mail.len);
		assert_memory_equal(got.data, mail.data, mail.len);
	}
	TALK(&c, "S~ +OK", "S~ +OK", "S: (the end)");
	client_close(&c);
	assert_int_equal(world_flags(&w, w.anna, 1), ~0U);
	world_close(&w);
}

TEST(a_message_that_another_program_removed_is_said_to_be_gone)
{
	uint32_t uid = 1, gone;
	size_t n;
	uint64_t modseq;
	struct world w;

	two_mails(&w);
	struct client c = client_in(&w, "anna");
	assert_int_equal(change_expunge(w.house.store, (struct store_place){ w.anna, 1 },
				 &uid, 1, &gone, &n, &modseq, NULL),
		RC_OK);
	TALK(&c, "C: RETR 1", "S~ -ERR", "C: STAT", "S: +OK 2 61", "C: DELE 1", "S~ +OK",
		"C: RETR 2", "S~ +OK", "S~ Subject", "S: ", "S: body", "S: .", "C: QUIT",
		"S~ +OK");
	client_close(&c);
	world_close(&w);
}

TEST(more_messages_than_go_in_one_change_are_listed_and_removed)
{
	enum { MANY = CHANGE_MOST + 76 };
	struct world w;
	char line[40];

	world_open(&w, "");
	world_deliver_many(&w, w.anna, STR(TWO), MANY);
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: LIST", "S~ +OK");
	for (int i = 1; i <= MANY; i++) {
		(void)snprintf(line, sizeof(line), "S: %d 22", i);
		TALK(&c, line);
	}
	TALK(&c, "S: .");
	for (int i = 1; i <= MANY; i++) {
		if (i == 1050) /* not this one */
			continue;
		(void)snprintf(line, sizeof(line), "C: DELE %d", i);
		TALK(&c, line);
	}
	for (int i = 1; i < MANY; i++)
		TALK(&c, "S: +OK it goes at QUIT");
	TALK(&c, "C: QUIT", "S~ +OK", "S: (the end)");
	client_close(&c);
	c = client_in(&w, "anna");
	TALK(&c, "C: STAT", "S: +OK 1 22", "C: QUIT", "S~ +OK");
	client_close(&c);
	world_close(&w);
}

/* ---- who may come in ---- */

#define CAPA_COMMON                                                          \
	"S~ +OK", "S: TOP", "S: UIDL", "S: RESP-CODES", "S: AUTH-RESP-CODE", \
		"S: PIPELINING", "S: UTF8 USER", "S: EXPIRE NEVER",          \
		"S: IMPLEMENTATION Gatepost"

TEST(no_password_goes_in_clear)
{
	struct world w;

	world_open(&w, "plain_loopback = no");
	struct client c = client_open(&w);
	TALK(&c, "C: CAPA", CAPA_COMMON, "S: STLS", "S: .", "C: USER anna@x.test",
		"S~ -ERR", "C: PASS secret", "S~ -ERR", "C: AUTH PLAIN", "S~ -ERR",
		"C: STAT", "S~ -ERR", "C: UTF8", "S~ +OK");
	/* what is said behind STLS in clear was never said (RFC 2595 4) */
	client_send(&c, STR("STLS\r\nQUIT\r\nUSER anna@x.test\r\n"));
	TALK(&c, "S~ +OK");
	client_tls(&c);
	TALK(&c, "C: PASS secret", "S~ -ERR", "C: CAPA", CAPA_COMMON, "S: USER",
		"S: SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN", "S: .", "C: STLS",
		"S~ -ERR", "C: USER anna@x.test", "S~ +OK", "C: PASS secret", "S~ +OK 0 ",
		"C: STLS", "S~ -ERR", "C: QUIT", "S~ +OK");
	client_close(&c);
	world_close(&w);
}

TEST(commands_that_are_none_are_refused_and_too_many_end_it)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_open(&w);
	TALK(&c, "C: STAT", "S~ -ERR", "C: APOP x y", "S~ -ERR", "C: ", "S~ -ERR",
		"C: USER", "S~ -ERR", "C: PASS x", "S~ -ERR", "C: NOOP x", "S~ -ERR",
		"C: capa", CAPA_COMMON, "S: USER", "S: SASL SCRAM-SHA-256 PLAIN",
		"S: STLS", "S: .", "C: AUTH", "S~ -ERR", "C: AUTH LOGIN", "S~ -ERR",
		"C: AUTH PLAIN ???", "S~ -ERR", "C: AUTH PLAIN", "S: + ", "C: *",
		"S~ -ERR", "C: AUTH PLAIN", "S: + ", "C: AA", "S~ -ERR",
		"C: AUTH PLAIN =", "S: + ",
		"C: AGFubmFAeC50ZXN0AHNlY3JldA==", "S~ +OK 0 messages",
		"C: USER anna@x.test", "S~ -ERR", "C: AUTH PLAIN", "S~ -ERR", "C: QUIT x",
		"S~ -ERR", "C: LIST 1 2", "S~ -ERR");
	/* fifteen so far that were no commands or no logins */
	for (int i = 0; i < 4; i++)
		TALK(&c, "C: WHAT", "S: -ERR no such command");
	TALK(&c, "C: WHAT", "S: -ERR no such command", "S: -ERR too many errors",
		"S: (the end)");
	client_close(&c);
	world_close(&w);
}

TEST(a_wrong_password_is_told_with_its_code_and_guessing_ends)
{
	struct world w;

	world_open(
		&w, "plain_loopback = yes\n[login]\nslow_after = 100\nblock_after = 3\n");
	struct client c = client_open(&w);
	for (int i = 0; i < 3; i++)
		TALK(&c, "C: USER anna@x.test", "S~ +OK", "C: PASS a secret ",
			"S: -ERR [AUTH] wrong name or password");
	TALK(&c, "C: USER berta@x.test", "S~ +OK", "C: PASS secret",
		"S: -ERR [SYS/TEMP] too many failed logins; try again in 15 minutes",
		"C: QUIT", "S~ +OK");
	client_close(&c);
	world_close(&w);
}

TEST(commands_may_come_all_at_once)
{
	struct world w;

	two_mails(&w);
	struct client c = client_open(&w);
	client_send(&c, STR("USER anna@x.test\r\nPASS secret\r\nSTAT\r\nRETR 2\r\n"
			    "DELE 2\r\nQUIT\r\nNOOP\r\n"));
	TALK(&c, "S~ +OK", "S~ +OK 2 ", "S: +OK 2 61", "S: +OK 22 octets",
		"S: Subject: two", "S: ", "S: body", "S: .", "S~ +OK", "S~ +OK",
		"S: (the end)");
	client_close(&c);
	world_close(&w);
}

/* ---- SCRAM, by gsasl, bound to the connection ---- */

struct binding {
	uint8_t bytes[32];
};

static int
on_client(Gsasl *all, Gsasl_session *s, Gsasl_property what)
{
	struct binding *binding = gsasl_session_hook_get(s);
	BUF_AUTO b = BUF(100);

	(void)all;
	switch ((int)what) {
	case GSASL_AUTHID:
		return gsasl_property_set(s, what, "anna@x.test");
	case GSASL_PASSWORD:
		return gsasl_property_set(s, what, "secret");
	case GSASL_CB_TLS_EXPORTER:
		if (binding == NULL)
			return GSASL_NO_CALLBACK;
		base64_put(&b, (str){ (const char *)binding->bytes, 32 });
		return gsasl_property_set(s, what, buf_z(&b));
	default:
		return GSASL_NO_CALLBACK;
	}
}

static void
log_in_with(struct client *c, const char *mechanism, struct binding *binding)
{
	BUF_AUTO line = BUF(10000);
	BUF_AUTO in = BUF(10000);
	Gsasl *all = NULL;
	Gsasl_session *s = NULL;
	str got;

	assert_int_equal(gsasl_init(&all), GSASL_OK);
	gsasl_callback_set(all, on_client);
	assert_int_equal(gsasl_client_start(all, mechanism, &s), GSASL_OK);
	gsasl_session_hook_set(s, binding);
	buf_addf(&line, "AUTH %s\r\n", mechanism);
	client_send(c, buf_str(&line));
	while (str_starts(got = client_line(c), STR("+ "))) {
		char *said = NULL;
		size_t len = 0;

		buf_clear(&in);
		assert_int_equal(base64_get(str_skip(got, 2), &in), RC_OK);
		int r = gsasl_step(s, in.data, in.len, &said, &len);
		if (r != GSASL_OK && r != GSASL_NEEDS_MORE)
			fail_msg("%s: %s", mechanism, gsasl_strerror(r));
		buf_clear(&line);
		base64_put(&line, (str){ said, len });
		buf_addz(&line, "\r\n");
		client_send(c, buf_str(&line));
		gsasl_free(said);
	}
	if (!str_starts(got, STR("+OK 0 messages")))
		fail_msg(STR_FMT, STR_ARG(got));
	gsasl_finish(s);
	gsasl_done(all);
}

TEST(a_login_with_scram_is_bound_to_its_connection)
{
	static const char *const names[] = { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256",
		"PLAIN" };
	struct world w;

	world_open(&w, "plain_loopback = no");
	for (size_t i = 0; i < 3; i++) {
		struct client c = client_open(&w);
		struct binding binding;

		TALK(&c, "C: STLS", "S~ +OK");
		client_tls(&c);
		assert_int_equal(SSL_export_keying_material(c.ssl, binding.bytes, 32,
					 "EXPORTER-Channel-Binding", 24,
					 (const unsigned char *)"", 0, 1),
			1);
		log_in_with(&c, names[i], i == 0 ? &binding : NULL);
		TALK(&c, "C: STAT", "S: +OK 0 0", "C: QUIT", "S~ +OK");
		client_close(&c);
	}
	world_close(&w);
}

TEST(who_is_there_when_the_server_goes_is_told)
{
	struct world w;

	two_mails(&w);
	struct client a = client_in(&w, "anna"), b = client_open(&w);
	TALK(&a, "C: DELE 1", "S~ +OK");
	TALK(&b, "C: AUTH PLAIN", "S: + ");
	assert_true(service_drain(w.service, UINT64_MAX));
	TALK(&a, "S~ -ERR [SYS/TEMP] ", "S: (the end)");
	TALK(&b, "S~ -ERR ", "S~ -ERR [SYS/TEMP] ", "S: (the end)");
	client_close(&a);
	client_close(&b);
	assert_int_equal(world_flags(&w, w.anna, 1), 0);
	world_close(&w);
}
