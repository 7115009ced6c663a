/* SPDX-License-Identifier: ISC */
/* What clients do that mean no good, or are where they should not be any more. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/thread.h"
#include "imap/imap_world.h"
#include "store/mailbox.h"
#include "test/test.h"
#include "wire/imap_lex.h"

static struct world w;

TEST(a_line_that_fills_a_command_leaves_no_room_for_a_literal)
{
	static const char head[] = "a LOGIN ", tail[] = " {400000}\r\n";
	char line[IMAP_LOGIN_MOST + 2];
	struct client c;

	world_open(&w, "");
	c = client_open(&w);
	memset(line, 'x', sizeof(line));
	memcpy(line, head, sizeof(head) - 1);
	memcpy(line + sizeof(line) - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
	client_send(&c, (str){ line, sizeof(line) });
	TALK(&c, "S~ a BAD [TOOBIG] ", "C: b NOOP", "S~ b OK ");
	client_close(&c);
	world_close(&w);
}

TEST(who_selected_a_mailbox_that_is_deleted_is_told_once)
{
	struct client a, b;

	world_open(&w, "");
	a = client_in(&w, "anna");
	b = client_in(&w, "anna");
	TALK(&a, "C: a CREATE x", "S~ a OK ", "C: b SELECT x", "S* b OK ", "C: c IDLE",
		"S~ + ");
	TALK(&b, "C: a DELETE x", "S~ a OK ");
	TALK(&a, "S~ * BYE ", "S~ c NO ", "S: (the end)");
	client_close(&a);
	client_close(&b);
	world_close(&w);
}

TEST(who_is_shut_out_is_out_at_the_next_command)
{
	struct client a, b;
	struct err err;
	uint64_t id;

	world_open(&w, "");
	a = client_in(&w, "anna");
	b = client_in(&w, "berta");
	TALK(&a, "C: a NOOP", "S~ a OK ");
	assert_int_equal(
		account_disable(w.house.directory, STR("anna@x.test"), true, &err),
		RC_OK);
	logins_forget(w.house.logins);
	TALK(&a, "C: b SELECT INBOX", "S~ * BYE ", "S: (the end)");
	TALK(&b, "C: a NOOP", "S~ a OK ");
	assert_int_equal(
		account_remove(w.house.directory, STR("berta@x.test"), &id, &err), RC_OK);
	logins_forget(w.house.logins);
	TALK(&b, "C: b CREATE new", "S~ * BYE ", "S: (the end)");
	client_close(&a);
	client_close(&b);
	world_close(&w);
}

TEST(two_appends_at_once_do_not_share_the_room_of_one)
{
	static char body[3000];
	struct client a, b;
	struct err err;

	world_open(&w, "");
	assert_int_equal(
		account_quota(w.house.directory, STR("anna@x.test"), true, 5000, &err),
		RC_OK);
	memset(body, 'x', sizeof(body));
	a = client_in(&w, "anna");
	b = client_in(&w, "anna");
	TALK(&a, "C: a APPEND INBOX {3000}", "S~ + ");
	TALK(&b, "C: a APPEND INBOX {3000}", "S~ + ");
	client_send(&a, (str){ body, sizeof(body) });
	TALK(&a, "C: ", "S~ a OK ");
	client_send(&b, (str){ body, sizeof(body) });
	TALK(&b, "C: ", "S~ a NO [OVERQUOTA] ");
	client_close(&a);
	client_close(&b);
	world_close(&w);
}

/* Both as if the client sent on without waiting (LITERAL+). */
TEST(what_follows_a_line_that_is_too_long_is_no_command)
{
	static char line[70000];
	static const char tail[] = " {17+}\r\n\r\nb CREATE evil\r\n";
	struct client c;

	world_open(&w, "");
	c = client_in(&w, "anna");
	memset(line, 'x', sizeof(line));
	memcpy(line, "a SEARCH TEXT ", 14);
	memcpy(line + sizeof(line) - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
	client_send(&c, (str){ line, sizeof(line) });
	TALK(&c, "S~ * BYE ", "S: (the end)");
	client_close(&c);
	world_close(&w);
}

/* RFC 9051 2.2 wants CRLF; an LF alone ends nothing, but nobody is left to wonder. */
TEST(who_ends_lines_with_lf_alone_is_told_so_once)
{
	struct client c;

	world_open(&w, "");
	c = client_open(&w);
	client_send(&c, STR("a NOOP\n"));
	TALK(&c, "S: * BAD lines end with CRLF, and this one with LF alone");
	client_send(&c, STR("b NOOP\n"));
	TALK(&c, "C: c NOOP", "S~ a BAD ", "C> d NOOP\n");
	TALK(&c, "S~ * BAD lines end ", "C: e NOOP", "S~ d BAD ", "C: f NOOP",
		"S~ f OK ");
	client_close(&c);
	world_close(&w);
}

TEST(what_is_thrown_away_has_an_end)
{
	static char junk[1000000], line[60000];
	static const char tail[] = " {9000000000+}\r\n";
	struct client c;

	world_open(&w, "");
	c = client_in(&w, "anna");
	memset(junk, 'x', sizeof(junk));
	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
	client_send(&c, STR("a NOOP {1000000+}\r\n"));
	client_send(&c, (str){ junk, sizeof(junk) });
	client_send(&c, (str){ line, sizeof(line) });
	TALK(&c, "S~ * BYE ", "S: (the end)");
	client_close(&c);
	world_close(&w);
}

/* ---- errands that take long ---- */

struct blocking {
	struct work work; /* first */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool end;
};

static void
block(struct work *work)
{
	struct blocking *k = (struct blocking *)(void *)work;
	LOCK_AUTO held = lock_take(&k->lock);

	while (!k->end)
		(void)pthread_cond_wait(&k->changed, &k->lock);
}

static void
unblock(struct blocking *k)
{
	LOCK_AUTO held = lock_take(&k->lock);

	k->end = true;
	(void)pthread_cond_broadcast(&k->changed);
}

TEST(nothing_is_said_in_the_middle_of_an_answer)
{
	struct blocking k[2] = { 0 };
	struct client a, b;
	str line;

	world_open(&w, "");
	w.house.progress_ms = 20;
	world_deliver(&w, w.anna,
		STR("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
		    "\r\naGVsbG8=\r\n"));
	a = client_in(&w, "anna");
	b = client_in(&w, "anna");
	TALK(&a, "C: a SELECT INBOX", "S* a OK ");
	TALK(&b, "C: a SELECT INBOX", "S* a OK ");
	for (size_t i = 0; i < 2; i++) {
		k[i].work.run = block;
		(void)pthread_mutex_init(&k[i].lock, NULL);
		(void)pthread_cond_init(&k[i].changed, NULL);
		assert_true(pool_give(w.house.errands, &k[i].work));
	}
	/* the first part has left when the second has to be waited for */
	TALK(&a, "C: b FETCH 1 (BODY.PEEK[TEXT] BINARY.PEEK[1])",
		"S: * 1 FETCH (BODY[TEXT] {10}", "S: aGVsbG8=");
	TALK(&b, "C: b SEARCH TEXT nowhere", "S* * OK [INPROGRESS (\"b\"",
		"S* * OK [INPROGRESS (\"b\"", "S* * OK [INPROGRESS (\"b\"");
	for (size_t i = 0; i < 2; i++)
		unblock(&k[i]);
	line = client_line(&a);
	assert_true(str_starts(line, STR(" BINARY[1] {5}")));
	TALK(&a, "S: hello)", "S~ b OK ");
	TALK(&b, "S* * SEARCH", "S~ b OK ");
	client_close(&a);
	client_close(&b);
	world_close(&w);
	for (size_t i = 0; i < 2; i++) {
		(void)pthread_mutex_destroy(&k[i].lock);
		(void)pthread_cond_destroy(&k[i].changed);
	}
}
