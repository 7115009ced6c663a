/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_hold.h"

#include "smtp/smtp_world.h"
#include "test/test.h"
#include "wire/smtp_reply.h"

#define HELLO      "S: 220", "C: EHLO client.example", "S: 250 PRDR"
#define MAIL       "C: MAIL FROM:<s@sender.example>", "S: 250"
#define MAIL_PRDR  "C: MAIL FROM:<s@sender.example> PRDR", "S: 250"
#define RCPT(rcpt) "C: RCPT TO:<" rcpt ">", "S: 250 2.1.5"
#define DATA(...)  "C: DATA", "S: 354", __VA_ARGS__, "C: ."
#define LINK       "S: 550 5.7.1 https://mx.example.test:20443/r/"

struct scene {
	struct world w;
	struct client c;
	struct arena *mem;
	struct jrec_message m;
};

static void
scene_open(struct scene *s)
{
	world_open(&s->w, "");
	s->c = client_open(&s->w);
	s->mem = arena_new(1 << 20);
	TALK(&s->c, HELLO);
}

static void
scene_close(struct scene *s)
{
	client_close(&s->c);
	arena_free(&s->mem);
	world_close(&s->w);
}

static void
record(struct scene *s, size_t n)
{
	assert_true(world_record(&s->w, n, s->mem, &s->m));
}

static bool
count_one(const struct held_about *about, void *arg)
{
	(void)about;
	++*(unsigned *)arg;
	return true;
}

static unsigned
held_files(struct scene *s)
{
	unsigned n = 0;

	assert_int_equal(held_each(s->w.held_dir, count_one, &n, NULL), RC_OK);
	return n;
}

TEST(a_refused_message_can_be_had_again_as_it_was_sent)
{
	struct scene s;
	struct held_about about;
	size_t nfacts = 0;

	scene_open(&s);
	TALK(&s.c, MAIL, RCPT("alice@example.test"),
		DATA("C: Subject: hi", "C: X-Gatepost-Score: 0", "C: ", "C: VIRUS"));
	str reply = client_reply(&s.c);
	assert_true(str_starts(reply, STR("550 5.7.1 https://")));
	assert_int_equal(str_find(reply, STR("could not be kept")), reply.len);
	record(&s, 0);
	assert_string_equal(s.m.held.text, s.m.id.text);
	char *text = world_original(&s.w, &s.m.held, &about, &nfacts);
	assert_non_null(text);
	assert_true(str_starts(str_of(text), STR("Return-Path: <s@sender.example>\r\n")));
	assert_non_null(strstr(text, "for <alice@example.test>"));
	assert_string_equal(text + TRACE_BLOCK,
		"Subject: hi\r\nX-xatepost-Score: 0\r\n\r\nVIRUS\r\n");
	assert_true(nfacts > 0);
	assert_memory_equal(about.digest, s.m.digest, 32);
	free(text);
	/* what is told about it in the clear is in the held file alone */
	assert_int_equal(s.m.facts.len, 0);
	assert_int_equal(world_files(&s.w), 0);
	scene_close(&s);
}

TEST(the_message_of_a_campaign_is_written_once)
{
	char first[MSG_ID_LEN + 1] = "";
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < 5; i++) {
		TALK(&s.c, MAIL, RCPT("alice@example.test"), DATA("C: VIRUS"), LINK);
		record(&s, i);
		if (i == 0)
			memcpy(first, s.m.held.text, sizeof(first));
		assert_string_equal(s.m.held.text, first);
	}
	assert_int_equal(held_files(&s), 1);
	scene_close(&s);
}

TEST(what_some_take_and_some_refuse_is_delivered_and_held)
{
	struct scene s;
	struct held_about about;
	size_t nfacts;

	scene_open(&s);
	TALK(&s.c, MAIL_PRDR, RCPT("strict@example.test"), RCPT("lax@example.test"),
		DATA("C: SCORE=3"), "S: 353", LINK, "S: 250 2.6.0", "S: 250 2.6.0");
	record(&s, 0);
	char *held = world_original(&s.w, &s.m.held, &about, &nfacts);
	char *file = world_file(&s.w, &s.m.id);
	assert_non_null(held);
	assert_string_equal(held, file);
	assert_true(s.m.facts.len > 0); /* for who got it */
	free(held);
	free(file);
	scene_close(&s);
}

TEST(what_is_refused_unread_is_held_without_facts)
{
	struct scene s;
	struct held_about about;
	size_t nfacts = 1;

	scene_open(&s);
	TALK(&s.c, MAIL, RCPT("alice@example.test"), DATA("C: TOO MUCH"), LINK);
	record(&s, 0);
	char *text = world_original(&s.w, &s.m.held, &about, &nfacts);
	assert_string_equal(text + TRACE_BLOCK, "TOO MUCH\r\n");
	assert_int_equal(nfacts, 0);
	free(text);
	scene_close(&s);
}

TEST(answers_without_a_link_hold_nothing)
{
	struct scene s;

	scene_open(&s);
	TALK(&s.c, MAIL, RCPT("alice@example.test"), DATA("C: fine"), "S: 250", MAIL,
		RCPT("alice@example.test"), DATA("C: TEMP"), "S: 451", MAIL,
		RCPT("strict@example.test"), RCPT("lax@example.test"), DATA("C: SCORE=3"),
		"S: 451 4.5.3");
	client_send(&s.c, STR("MAIL FROM:<s@sender.example>\r\n"
			      "RCPT TO:<alice@example.test>\r\nDATA\r\n"));
	TALK(&s.c, "S: 250", "S: 250", "S: 354");
	client_send(&s.c, STR("VIRUS\nbare\r\n.\r\n"));
	TALK(&s.c, "S: 550 5.6.0");
	for (size_t i = 0; i < 4; i++) {
		record(&s, i);
		assert_string_equal(s.m.held.text, "");
	}
	assert_int_equal(held_files(&s), 0);
	scene_close(&s);
}

TEST(a_message_that_cannot_be_held_is_refused_and_the_sender_knows)
{
	const struct held_limits none = { .keep_ms = 1 };
	struct scene s;

	scene_open(&s);
	held_set_limits(s.w.gate.held, &none);
	TALK(&s.c, MAIL, RCPT("alice@example.test"), DATA("C: VIRUS"));
	str reply = client_reply(&s.c);
	assert_true(str_starts(reply, STR("550 5.7.1 https://")));
	assert_true(str_find(reply, STR(" because (its original could not be kept) (")) <
		    reply.len);
	record(&s, 0);
	assert_string_equal(s.m.held.text, "");
	assert_true(s.m.rcpts[0].has_token);
	assert_true(str_eq(
		s.m.rcpts[0].reason, STR("because (its original could not be kept)")));
	/* what others are delivered is the same whether it is held or not */
	TALK(&s.c, MAIL_PRDR, RCPT("strict@example.test"), RCPT("lax@example.test"),
		DATA("C: SCORE=3"), "S: 353");
	reply = client_reply(&s.c);
	assert_true(str_find(reply, STR("could not be kept")) < reply.len);
	TALK(&s.c, "S: 250 2.6.0", "S: 250 2.6.0");
	assert_int_equal(world_files(&s.w), 1);
	scene_close(&s);
}

TEST(the_longest_refusal_still_says_that_nothing_is_kept)
{
	char settings[400], host[254], reason[FILTER_REASON + 1];
	struct smtp_gate gate = { .held = NULL };
	struct fs_spool file = { .fd = -1 };
	struct smtp_rcpt r = {
		.answer = JREC_REFUSED, .code = 550, .esc = "5.7.1", .has_token = true
	};
	BUF_AUTO line = BUF(2 * SMTP_REPLY_MOST);
	char link[SMTP_LINK];

	for (size_t i = 0; i < sizeof(host) - 1; i++)
		host[i] = i % 50 == 49 ? '.' : 'h';
	host[sizeof(host) - 1] = '\0';
	memset(reason, 'r', FILTER_REASON);
	reason[FILTER_REASON] = '\0';
	r.reason = str_of(reason);
	token_make(&r.token);
	(void)snprintf(
		settings, sizeof(settings), "hostname = %s\nport_offset = 20000\n", host);
	struct smtp_verdict v = { .gate = &gate,
		.file = &file,
		.rcpts = &r,
		.nrcpts = 1,
		.id = ids_message(5),
		.mem = arena_new(SMTP_VERDICT_MEM) };
	assert_int_equal(conf_parse(str_of(settings), "test", &v.conf, NULL), RC_OK);
	smtp_hold(&v);
	assert_true(v.unheld.text[0] != '\0');
	smtp_verdict_link(&v, &r.token, link);
	smtp_put_refusal(&line, r.code, r.esc, str_of(link), r.reason, msg_id_str(&v.id));
	assert_int_equal(line.len, SMTP_REPLY_MOST);
	assert_true(str_find(buf_str(&line), str_of(r.token.text)) < line.len);
	assert_true(str_find(buf_str(&line),
			    STR("r (its original could not be kept) (")) < line.len);
	assert_true(str_find(buf_str(&line), str_of(v.id.text)) < line.len);
	arena_free(&v.mem);
	conf_drop(&v.conf);
}
