/* SPDX-License-Identifier: ISC */
#include <sched.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "smtp/smtp_world.h"
#include "test/test.h"
#include "wire/smtp_reply.h"

#define HELLO "S: 220 mx.example.test ESMTP", "C: EHLO client.example", "S: 250 PRDR"
#define TO(rcpt)                                                              \
	"C: MAIL FROM:<s@sender.example>", "S: 250", "C: RCPT TO:<" rcpt ">", \
		"S: 250 2.1.5"

static struct client
hello(struct world *w)
{
	struct client c = client_open(w);

	TALK(&c, HELLO);
	return c;
}

TEST(a_message_is_taken_and_kept_as_it_was_sent)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, TO("bob@example.test"), "C: DATA", "S: 354", "C: Subject: hi",
		"C: ", "C: ..dot", "C: .", "S: 250 2.6.0 ", "C: QUIT", "S: 221");
	client_close(&c);
	assert_true(world_record(&w, 0, mem, &m));
	assert_int_equal(m.nrcpts, 1);
	assert_int_equal(m.rcpts[0].answer, JREC_DELIVERED);
	assert_int_equal(m.rcpts[0].ntargets, 1);
	assert_true(str_eq(m.rcpts[0].address, STR("bob@example.test")));
	assert_true(str_eq(m.from, STR("s@sender.example")));
	char *text = world_file(&w, &m.id);
	assert_non_null(text);
	assert_int_equal(strlen(text), m.size);
	assert_true(str_starts(
		str_of(text), STR("Return-Path: <s@sender.example>\r\n"
				  "Received: from client.example ([127.0.0.1])\r\n")));
	assert_non_null(strstr(text, "X-Gatepost-Score: 0.000"));
	assert_non_null(strstr(text, "for <bob@example.test>"));
	assert_string_equal(text + TRACE_BLOCK, "Subject: hi\r\n\r\n.dot\r\n");
	uint8_t digest[32];
	sha256(str_of(text + TRACE_BLOCK), digest);
	assert_memory_equal(digest, m.digest, 32);
	free(text);
	world_close(&w);
}

/* RFC 5321 D.1, D.2, 4.1.1 and this server's own ways */
TEST(dialogues_read_as_in_the_standard)
{
	struct world w;

	world_open(&w, "max_errors = 100");
	struct client c = client_open(&w);
	TALK(&c, "S: 220 mx.example.test", "C: MAIL FROM:<a@b.c>", "S: 503 5.5.1",
		"C: EHLO bar.com", "S: 250 PRDR", "C: MAIL FROM:<Smith@bar.com>",
		"S: 250 2.1.0", "C: RCPT TO:<alice@example.test>", "S: 250 2.1.5",
		"C: RCPT TO:<Green@example.test>", "S: 550 5.1.1",
		"C: RCPT TO:<Brown@other.example>", "S: 550 5.7.1",
		"C: RCPT TO:<full@example.test>", "S: 452 4.2.2",
		"C: RCPT TO:<disabled@example.test>", "S: 550 5.2.1",
		"C: RCPT TO:<later@example.test>", "S: 451 4.3.0",
		"C: RCPT TO:<Postmaster>", "S: 250 2.1.5",
		"C: RCPT TO:<@relay.example:alice@example.test>", "S: 250 2.1.5",
		"C: RCPT TO:<a@b.c> X=1", "S: 555 5.5.4", "C: MAIL FROM:<x@y.z>",
		"S: 503 5.5.1", "C: RSET", "S: 250 2.0.0",
		"C: RCPT TO:<alice@example.test>", "S: 503 5.5.1", "C: DATA",
		"S: 503 5.5.1", "C: VRFY alice", "S: 252", "C: EXPN all", "S: 502",
		"C: HELP", "S: 214 2.0.0", "C: AUTH PLAIN", "S: 503", "C: STARTTLS x",
		"S: 501", "C: NOOP anything", "S: 250", "C: RSET x", "S: 501", "C: EHLO",
		"S: 501", "C: TURN", "S: 500 5.5.2", "C: MAIL FROM:<ä@b.c>",
		"S: 553 5.6.7", "C: MAIL FROM:<ä@b.c> SMTPUTF8", "S: 250",
		"C: EHLO again", "S: 250 PRDR", "C: MAIL FROM:<a@b.c> SIZE=99999999999",
		"S: 552 5.3.4", "C: HELO old", "S: 250 mx.example.test", "C: noop",
		"S: 250", "C: QUIT", "S: 221 2.0.0");
	assert_true(str_empty(client_reply(&c)));
	client_close(&c);
	world_close(&w);
}

TEST(ehlo_says_what_there_is_and_nothing_else)
{
	struct world w;

	world_open(&w, "max_recipients = 500\nmax_size = 50M");
	struct client c = client_open(&w);
	TALK(&c, "S: 220", "C: EHLO x");
	str reply = client_reply(&c);
	assert_true(str_eq(reply,
		STR("250-mx.example.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
		    "250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n"
		    "250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-LIMITS MAILMAX=1000 RCPTMAX=500\r\n"
		    "250 PRDR\r\n")));
	client_close(&c);
	world_close(&w);
}

TEST(a_pipelined_group_is_answered_in_order)
{
	struct world w;

	world_open(&w, "");
	struct client c = hello(&w);
	client_send(&c,
		STR("MAIL FROM:<a@b.c>\r\nRCPT TO:<bob@example.test>\r\n"
		    "RCPT TO:<nobody@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"));
	TALK(&c, "S: 250 2.1.0", "S: 250 2.1.5", "S: 550 5.1.1", "S: 250 2.1.5",
		"S: 354");
	client_send(&c, STR("\r\nx\r\n.\r\nMAIL FROM:<>\r\nNOOP\r\nQUIT\r\n"));
	TALK(&c, "S: 250 2.6.0", "S: 250 2.1.0", "S: 250 2.0.0", "S: 221");
	client_close(&c);
	world_close(&w);
}

TEST(commands_sent_behind_one_that_must_be_last_are_refused)
{
	static const str groups[] = {
		STR_INIT("EHLO x\r\nMAIL FROM:<a@b.c>\r\n"),
		STR_INIT("DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"),
	};
	struct world w;

	world_open(&w, "");
	for (size_t i = 0; i < 2; i++) {
		struct client c = client_open(&w);

		TALK(&c, "S: 220");
		if (i == 1)
			TALK(&c, "C: EHLO x", "S: 250", TO("alice@example.test"));
		client_send(&c, groups[i]);
		TALK(&c, "S: 503 5.5.0");
		assert_true(str_empty(client_reply(&c)));
		client_close(&c);
	}
	assert_int_equal(world_files(&w), 0);
	world_close(&w);
}

TEST(starttls_forgets_all_that_was_said_in_clear)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: STARTTLS", "S: 220");
	client_tls(&c);
	TALK(&c, "C: RCPT TO:<alice@example.test>", "S: 503", "C: EHLO again",
		"S: 250 PRDR", "C: STARTTLS", "S: 503", TO("alice@example.test"),
		"C: DATA", "S: 354", "C: x", "C: .", "S: 250 2.6.0");
	client_close(&c);
	assert_true(world_record(&w, 0, mem, &m));
	assert_true((m.flags & JREC_TLS) != 0);
	assert_true(str_eq(m.helo, STR("again")));
	char *text = world_file(&w, &m.id);
	assert_non_null(strstr(text, "with ESMTPS\r\n"));
	assert_non_null(strstr(text, "\t(TLS"));
	free(text);
	world_close(&w);
}

TEST(commands_injected_before_the_handshake_are_refused)
{
	struct world w;

	world_open(&w, "");
	struct client c = hello(&w);
	client_send(&c, STR("STARTTLS\r\nMAIL FROM:<evil@b.c>\r\n"));
	TALK(&c, "S: 503 5.5.0");
	assert_true(str_empty(client_reply(&c)));
	client_close(&c);
	world_close(&w);
}

TEST(who_talks_before_the_greeting_is_refused)
{
	struct world w;

	world_open(&w, "greet_delay = 5s");
	struct client c = client_open(&w);
	TALK(&c, "C: EHLO early", "S: 554 5.5.0");
	assert_true(str_empty(client_reply(&c)));
	client_close(&c);
	world_close(&w);
}

TEST(nothing_but_crlf_dot_crlf_ends_a_message)
{
	static const str ends[] = { STR_INIT("\n.\n"), STR_INIT("\n.\r\n"),
		STR_INIT("\r.\r"), STR_INIT("\r\n.\n"), STR_INIT("\r\n.\r"),
		STR_INIT("\r.\r\n"), STR_INIT("\r\n\0.\r\n"), STR_INIT("\r\n.\0\r\n"),
		STR_INIT("\n\n.\r\n") };
	struct world w;

	world_open(&w, "");
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct client c = hello(&w);

		TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354");
		client_send(&c, STR("Subject: outer\r\n\r\nx"));
		client_send(&c, ends[i]);
		client_send(&c,
			STR("MAIL FROM:<evil@b.c>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
			    "Subject: inner\r\n\r\ny\r\n.\r\nNOOP\r\n"));
		if (memchr(ends[i].ptr, 0, ends[i].len) == NULL)
			TALK(&c, "S: 550 5.6.0");
		else
			TALK(&c, "S: 250 2.6.0"); /* NUL is text */
		TALK(&c, "S: 250 2.0.0 ok", "C: QUIT", "S: 221");
		client_close(&c);
	}
	world_close(&w);
}

TEST(bare_newlines_can_be_normalized)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "bare_newline = normalize");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354");
	client_send(&c, STR("a: b\n\nc\rd\r\n.\r\n"));
	TALK(&c, "S: 250 2.6.0");
	client_close(&c);
	assert_true(world_record(&w, 0, mem, &m));
	char *text = world_file(&w, &m.id);
	assert_string_equal(text + TRACE_BLOCK, "a: b\r\n\r\nc\r\nd\r\n");
	free(text);
	world_close(&w);
}

TEST(chunks_make_a_message)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	struct client c = hello(&w);
	/* RFC 3030 4.1, and a chunk without recipients is eaten */
	client_send(&c, STR("BDAT 6\r\nNOOP\r\n"));
	TALK(&c, "S: 503 5.5.1", TO("alice@example.test"));
	client_send(&c,
		STR("BDAT 9\r\n.\r\nA: b\r\nBDAT 0\r\nBDAT 4 LAST\r\n\r\nx\rNOOP\r\n"));
	TALK(&c, "S: 250 2.0.0", "S: 250 2.0.0", "S: 550 5.6.0", "S: 250");
	TALK(&c, "C: MAIL FROM:<a@b.c> BODY=BINARYMIME", "S: 250",
		"C: RCPT TO:<alice@example.test>", "S: 250", "C: DATA", "S: 503 5.5.1");
	client_send(&c, STR("BDAT 9\r\n.\r\nA: b\r\nBDAT 4 LAST\r\n\n\0x\r"));
	TALK(&c, "S: 250 2.0.0", "S: 250 2.6.0");
	assert_true(world_record(&w, 1, mem, &m));
	char *text = world_file(&w, &m.id);
	assert_memory_equal(text + TRACE_BLOCK, ".\r\nA: b\r\n\n\0x\r", 13);
	assert_int_equal(m.size, TRACE_BLOCK + 13);
	free(text);
	/* state between chunks */
	TALK(&c, TO("alice@example.test"));
	client_send(&c, STR("BDAT 1\r\nx"));
	TALK(&c, "S: 250", "C: DATA", "S: 503", "C: RCPT TO:<alice@example.test>",
		"S: 503", "C: MAIL FROM:<>", "S: 503", "C: NOOP", "S: 250", "C: RSET",
		"S: 250", "C: BDAT x", "S: 501 5.5.4");
	assert_true(str_empty(client_reply(&c)));
	client_close(&c);
	world_close(&w);
}

TEST(a_refusal_carries_its_link_first_and_its_id_last)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);
	char want[200];

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: SCORE=9", "C: .");
	str reply = client_reply(&c);
	assert_true(world_record(&w, 0, mem, &m));
	assert_true(str_starts(reply, STR("550 5.7.1 https://mx.example.test:20443/r/")));
	(void)snprintf(want, sizeof(want), " because (%s)\r\n", m.id.text);
	assert_int_equal(str_find(reply, str_of(want)), reply.len - strlen(want));
	assert_true(m.rcpts[0].has_token);
	assert_int_equal(m.rcpts[0].score, 9000);
	assert_int_equal(m.rcpts[0].answer, JREC_REFUSED);
	assert_int_equal(world_files(&w), 0);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: TEMP", "C: .",
		"S: 451 4.3.0", TO("alice@example.test"), "C: DATA", "S: 354", "C: FULL",
		"C: .", "S: 452 4.3.1");
	assert_true(world_record(&w, 2, mem, &m));
	assert_int_equal(m.rcpts[0].answer, JREC_NOT_NOW);
	client_close(&c);
	world_close(&w);
}

#define KILLS "C: DATA", "S: 354", "C: KILLS", "C: ."

TEST(a_message_that_cost_two_scanners_is_refused_and_costs_no_third)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	unsigned before = world_scans;
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), KILLS, "S: 451 4.3.0",
		TO("alice@example.test"), "C: DATA", "S: 354", "C: another", "C: .",
		"S: 250", TO("bob@example.test"), KILLS, "S: 550 5.7.1 https://",
		TO("alice@example.test"), KILLS, "S: 550 5.7.1 https://");
	assert_int_equal(world_scans - before, 3);
	assert_true(world_record(&w, 0, mem, &m));
	assert_int_equal(m.rcpts[0].answer, JREC_NOT_NOW);
	assert_true(world_record(&w, 2, mem, &m));
	assert_int_equal(m.rcpts[0].answer, JREC_REFUSED);
	assert_true(m.rcpts[0].has_token);
	assert_true(str_starts(m.findings, STR("SCANNER_LOST=")));
	assert_int_equal(world_files(&w), 1);
	client_close(&c);
	world_close(&w);
}

TEST(a_message_that_was_scanned_well_is_no_killer)
{
	struct world w;

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), KILLS, "S: 451 4.3.0");
	world_calm = true;
	TALK(&c, TO("alice@example.test"), KILLS, "S: 250");
	world_calm = false;
	TALK(&c, TO("alice@example.test"), KILLS, "S: 451 4.3.0");
	client_close(&c);
	world_close(&w);
}

TEST(a_message_past_the_scanners_limits_is_refused_with_a_link)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: TOO MUCH", "C: .",
		"S: 550 5.7.1 https://");
	assert_true(world_record(&w, 0, mem, &m));
	assert_true(str_starts(m.findings, STR("UNREADABLE=")));
	client_close(&c);
	world_close(&w);
}

TEST(a_message_in_circles_is_refused_without_a_link)
{
	struct world w;

	world_open(&w, "max_received = 5");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: Received: a",
		"C: Received: a", "C: Received: a", "C: Received: a", "C: Received: a",
		"C: Received: a", "C: ", "C: .", "S: 554 5.4.6 too many Received");
	client_close(&c);
	world_close(&w);
}

TEST(fields_that_claim_to_be_ours_are_renamed)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);
	uint8_t digest[32];

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: Subject: x",
		"C: X-Gatepost-Score: -100", "C: Authentication-Results: us",
		"C: ", "C: .", "S: 250");
	client_close(&c);
	assert_true(world_record(&w, 0, mem, &m));
	char *text = world_file(&w, &m.id);
	assert_string_equal(text + TRACE_BLOCK, "Subject: x\r\nX-xatepost-Score: -100\r\n"
						"xuthentication-Results: us\r\n\r\n");
	sha256(str_of(text + TRACE_BLOCK), digest);
	assert_memory_equal(digest, m.digest, 32);
	free(text);
	world_close(&w);
}

TEST(a_lying_scanner_changes_nothing_but_the_names_of_such_fields)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: Subject: LIES of a",
		"C: ", "C: .", "S: 250", TO("alice@example.test"), "C: DATA", "S: 354",
		"C: LIES", "C: a-b", "C: .", "S: 250");
	client_close(&c);
	assert_true(world_record(&w, 0, mem, &m));
	char *text = world_file(&w, &m.id);
	assert_string_equal(text + TRACE_BLOCK, "Subject: LIES of a\r\n\r\n");
	free(text);
	assert_true(world_record(&w, 1, mem, &m));
	text = world_file(&w, &m.id);
	assert_string_equal(text + TRACE_BLOCK, "LIES\r\na-b\r\n");
	free(text);
	world_close(&w);
}

#define BOTH                                                                           \
	"C: RCPT TO:<strict@example.test>", "S: 250", "C: RCPT TO:<lax@example.test>", \
		"S: 250"
#define MAIL_PRDR "C: MAIL FROM:<s@sender.example> PRDR", "S: 250"

TEST(with_prdr_each_recipient_gets_its_own_answer)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, MAIL_PRDR, BOTH, "C: RCPT TO:<strict@example.test>", "S: 250", "C: DATA",
		"S: 354", "C: SCORE=9", "C: .", "S: 353 ", "S: 550 5.7.1 https://",
		"S: 250 2.6.0", "S: 550 5.7.1 https://", "S: 250 2.6.0");
	assert_true(world_record(&w, 0, mem, &m));
	assert_true(
		m.rcpts[0].has_token && !m.rcpts[1].has_token && m.rcpts[2].has_token);
	assert_int_equal(m.rcpts[1].answer, JREC_DELIVERED);
	/* the same for all: one reply */
	TALK(&c, MAIL_PRDR, BOTH, "C: DATA", "S: 354", "C: VIRUS", "C: .", "S: 550 5.7.1",
		MAIL_PRDR, BOTH, "C: DATA", "S: 354", "C: x", "C: .", "S: 250 2.6.0",
		MAIL_PRDR, "C: RCPT TO:<strict@example.test>", "S: 250", "C: DATA",
		"S: 354", "C: SCORE=9", "C: .", "S: 550 5.7.1", "C: NOOP", "S: 250");
	client_close(&c);
	world_close(&w);
}

#define MAIL_PLAIN "C: MAIL FROM:<s@sender.example>", "S: 250"
#define NINE       "C: DATA", "S: 354", "C: SCORE=9", "C: ."

TEST(without_prdr_recipients_are_taken_apart_in_three_attempts)
{
	struct world w;

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, MAIL_PLAIN, BOTH, NINE, "S: 451 4.5.3", MAIL_PLAIN,
		"C: RCPT TO:<strict@example.test>", "S: 250",
		"C: RCPT TO:<lax@example.test>", "S: 452 4.5.3", NINE,
		"S: 550 5.7.1 https://", MAIL_PLAIN, "C: RCPT TO:<lax@example.test>",
		"S: 250", NINE, "S: 250 2.6.0");
	assert_int_equal(world_files(&w), 1);
	client_close(&c);
	world_close(&w);
}

TEST(who_never_splits_is_served_by_the_most_lenient_verdict)
{
	struct world w;

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, MAIL_PLAIN, BOTH, NINE, "S: 451 4.5.3");
	for (int i = 0; i < 3; i++)
		TALK(&c, MAIL_PLAIN, "C: RCPT TO:<strict@example.test>", "S: 250",
			"C: RCPT TO:<lax@example.test>", "S: 452 4.5.3", "C: RSET",
			"S: 250");
	TALK(&c, MAIL_PLAIN, BOTH, NINE, "S: 250 2.6.0");
	client_close(&c);
	world_close(&w);
}

TEST(a_message_answered_once_may_be_sent_again)
{
	struct world w;

	world_open(&w, "");
	struct client c = hello(&w);
	for (int i = 0; i < 2; i++)
		TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: x", "C: .",
			"S: 250");
	assert_int_equal(world_files(&w), 2);
	TALK(&c, "C: QUIT", "S: 221");
	client_close(&c);
	/* unsynced marks reach the file when the committer has time */
	for (uint64_t until = clock_ms() + 10000;
		world_count(&w, JREC_ANSWERED) < 2 && clock_ms() < until;)
		(void)sched_yield();
	assert_int_equal(world_count(&w, JREC_ANSWERED), 2);
	world_close(&w);
}

TEST(a_message_that_was_never_answered_gives_no_second_copy)
{
	struct jrec_pending p = { .id = ids_message(1) };
	const str rcpt = STR("alice@example.test");
	struct world w;
	uint8_t digest[32];
	char want[100];
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	sha256(STR("x\r\n"), digest);
	p.time_ms = clock_wall_ms();
	once_key(STR("s@sender.example"), &rcpt, 1, digest, p.once);
	once_add(w.gate.once, &p);
	struct client c = hello(&w);
	(void)snprintf(want, sizeof(want), "S: 250 2.6.0 %s accepted", p.id.text);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: x", "C: .", want);
	assert_int_equal(world_files(&w), 0);
	assert_true(world_record(&w, 0, mem, &m));
	assert_true((m.flags & JREC_AGAIN) != 0);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354", "C: x", "C: .", "S: 250");
	assert_int_equal(world_files(&w), 1);
	client_close(&c);
	world_close(&w);
}

TEST(a_message_over_the_size_is_read_to_its_end)
{
	struct world w;

	world_open(&w, "max_size = 1024");
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"), "C: DATA", "S: 354");
	for (int i = 0; i < 3000; i++)
		client_send(&c, STR("0123456789012345678901234567890123456789\r\n"));
	TALK(&c, "C: .", "S: 552 5.3.4", "C: NOOP", "S: 250");
	TALK(&c, TO("alice@example.test"));
	client_send(&c, STR("BDAT 2000 LAST\r\n"));
	for (int i = 0; i < 200; i++)
		client_send(&c, STR("01234567\r\n"));
	TALK(&c, "S: 552 5.3.4", "C: NOOP", "S: 250");
	assert_int_equal(world_files(&w), 0);
	client_close(&c);
	world_close(&w);
}

TEST(a_fault_of_ours_is_the_answer_to_every_chunk)
{
	struct world w;

	world_open(&w, "");
	w.gate.incoming = -1; /* nothing can be spooled */
	struct client c = hello(&w);
	TALK(&c, TO("alice@example.test"));
	client_send(&c, STR("BDAT 3\r\nabcBDAT 2 LAST\r\nde"));
	TALK(&c, "S: 451", "S: 451", "C: RSET", "S: 250", "C: BDAT 0 LAST", "S: 503");
	client_close(&c);
	world_close(&w);
}

TEST(too_many_errors_end_a_session)
{
	struct world w;

	world_open(&w, "max_errors = 3");
	struct client c = hello(&w);
	TALK(&c, "C: MAIL FROM:<a@b.c>", "S: 250", "C: RCPT TO:<u1@example.test>",
		"S: 550", "C: RCPT TO:<u2@example.test>", "S: 550", "C: NONSENSE",
		"S: 500", "S: 421 4.7.0");
	assert_true(str_empty(client_reply(&c)));
	client_close(&c);
	smtp_gate_minute(&w.gate, clock_wall_ms() + 120000);
	world_close(&w);
}

TEST(a_silent_client_is_told_so_and_left)
{
	struct world w;

	world_open(&w, "command_timeout = 1s\ndata_timeout = 1s");
	struct client d = hello(&w);
	TALK(&d, TO("alice@example.test"), "C: DATA", "S: 354");
	struct client c = client_open(&w);
	TALK(&c, "S: 220", "S: 421 4.4.2");
	TALK(&d, "S: 421 4.4.2");
	assert_true(str_empty(client_reply(&c)));
	assert_int_equal(world_files(&w), 0);
	client_close(&c);
	client_close(&d);
	world_close(&w);
}

TEST(a_drain_lets_a_message_finish_and_sends_idle_clients_home)
{
	struct world w;

	world_open(&w, "");
	struct client idle = hello(&w), busy = hello(&w);
	TALK(&busy, TO("alice@example.test"), "C: DATA", "S: 354");
	(void)service_drain(w.gate.service, clock_ms());
	TALK(&idle, "S: 421 4.3.2");
	TALK(&busy, "C: x", "C: .", "S: 250 2.6.0", "S: 421 4.3.2");
	client_close(&idle);
	client_close(&busy);
	world_close(&w);
}

TEST(more_recipients_than_there_may_be_get_452)
{
	struct world w;

	world_open(&w, "max_recipients = 100");
	struct client c = hello(&w);
	TALK(&c, "C: MAIL FROM:<a@b.c>", "S: 250");
	for (int i = 0; i < 100; i++)
		TALK(&c, "C: RCPT TO:<alice@example.test>", "S: 250");
	TALK(&c, "C: RCPT TO:<alice@example.test>", "S: 452 4.5.3");
	client_close(&c);
	world_close(&w);
}

TEST(a_thousand_answers_reach_a_client_that_reads)
{
	struct world w;

	world_open(&w, "");
	struct client c = hello(&w);
	TALK(&c, MAIL_PRDR);
	for (int i = 0; i < 1000; i++)
		TALK(&c,
			i % 2 ? "C: RCPT TO:<lax@example.test>"
			      : "C: RCPT TO:<strict@example.test>",
			"S: 250");
	TALK(&c, NINE, "S: 353");
	for (int i = 0; i < 1000; i++)
		TALK(&c, i % 2 ? "S: 250 2.6.0" : "S: 550 5.7.1 https://");
	TALK(&c, "S: 250 2.6.0", "C: QUIT", "S: 221");
	client_close(&c);
	world_close(&w);
}
