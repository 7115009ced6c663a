/* SPDX-License-Identifier: ISC */
/* Infected samples for abuse@ (smtp_sample.h). */
#include "smtp/smtp_world.h"
#include "test/test.h"

#define HELLO      "S: 220", "C: EHLO client.example", "S: 250 PRDR"
#define FROM       "C: MAIL FROM:<s@sender.example>", "S: 250"
#define SENT(text) "C: DATA", "S: 354", "C: " text, "C: ."

TEST(abuse_takes_a_sample_and_nobody_else_does)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_open(&w);
	TALK(&c, HELLO, FROM, "C: RCPT TO:<abuse@example.test>", "S: 250",
		SENT("VIRUS ATTACHED"), "S: 250 2.6.0");
	TALK(&c, FROM, "C: RCPT TO:<abuse@example.test>", "S: 250", SENT("VIRUS"),
		"S: 550 5.7.1 https://");
	TALK(&c, FROM, "C: RCPT TO:<alice@example.test>", "S: 250",
		SENT("VIRUS ATTACHED"), "S: 550 5.7.1 https://");
	assert_int_equal(world_files(&w), 1);
	client_close(&c);
	world_close(&w);
}

TEST(with_prdr_a_sample_is_abuses_alone)
{
	struct world w;
	struct jrec_message m;
	ARENA_AUTO mem = arena_new(1 << 20);

	world_open(&w, "");
	struct client c = client_open(&w);
	TALK(&c, HELLO, "C: MAIL FROM:<s@sender.example> PRDR", "S: 250",
		"C: RCPT TO:<abuse@example.test>", "S: 250",
		"C: RCPT TO:<alice@example.test>", "S: 250", SENT("VIRUS ATTACHED"),
		"S: 353", "S: 250", "S: 550 5.7.1 https://", "S: 250");
	assert_true(world_record(&w, 0, mem, &m));
	assert_int_equal(m.rcpts[0].answer, JREC_DELIVERED);
	assert_int_equal(m.rcpts[1].answer, JREC_REFUSED);
	client_close(&c);
	world_close(&w);
}

#define BOTH \
	"C: RCPT TO:<abuse@example.test>", "S: 250", "C: RCPT TO:<alice@example.test>"

TEST(without_prdr_it_is_taken_in_parts_and_never_given_to_others)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_open(&w);
	TALK(&c, HELLO, FROM, BOTH, "S: 250", SENT("VIRUS ATTACHED"), "S: 451 4.5.3");
	TALK(&c, FROM, BOTH, "S: 452 4.5.3", SENT("VIRUS ATTACHED"), "S: 250 2.6.0");
	TALK(&c, FROM, "C: RCPT TO:<alice@example.test>", "S: 250",
		SENT("VIRUS ATTACHED"), "S: 550 5.7.1");
	client_close(&c);
	world_close(&w);
}

TEST(who_cannot_be_split_for_ever_is_refused_for_all_in_the_end)
{
	enum { OFTEN = 8 };
	struct world w;
	str data = STR("");
	bool taken = false;

	world_open(&w, "");
	struct client c = client_open(&w);
	TALK(&c, HELLO);
	for (int i = 0; i < OFTEN; i++) {
		TALK(&c, FROM, "C: RCPT TO:<alice@example.test>", "S: 250",
			"C: RCPT TO:<abuse@example.test>");
		taken = str_starts(client_reply(&c), STR("250"));
		TALK(&c, "C: DATA", "S: 354", "C: VIRUS ATTACHED", "C: .");
		data = client_reply(&c);
		assert_false(str_starts(data, STR("250")));
	}
	assert_true(taken);
	assert_true(str_starts(data, STR("550 5.7.1 https://")));
	assert_int_equal(world_files(&w), 0);
	client_close(&c);
	world_close(&w);
}

TEST(samples_of_one_network_are_counted)
{
	struct world w;

	world_open(&w, "[filter]\nabuse_samples = 2");
	struct client c = client_open(&w);
	TALK(&c, HELLO);
	for (int i = 0; i < 2; i++)
		TALK(&c, FROM, "C: RCPT TO:<abuse@example.test>", "S: 250",
			SENT("VIRUS ATTACHED"), "S: 250 2.6.0");
	TALK(&c, FROM, "C: RCPT TO:<abuse@example.test>", "S: 250",
		SENT("VIRUS ATTACHED"), "S: 451 4.7.1");
	/* with others the answer is one for all */
	TALK(&c, FROM, BOTH, "S: 250", SENT("VIRUS ATTACHED"), "S: 451 4.7.1");
	/* what is no sample is not counted */
	TALK(&c, FROM, "C: RCPT TO:<abuse@example.test>", "S: 250", SENT("SCORE=1"),
		"S: 250 2.6.0");
	client_close(&c);
	world_close(&w);
}
