/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "db/db.h"
#include "imap/imap_world.h"
#include "store/change.h"
#include "test/test.h"

#define MESSAGE "Subject: one\r\n\r\ntext\r\n"

static struct world w;

static struct client
begin(unsigned messages)
{
	struct client c;

	world_open(&w, "");
	for (unsigned i = 0; i < messages; i++)
		world_deliver(&w, w.anna, STR(MESSAGE));
	c = client_in(&w, "anna");
	TALK(&c, "C: x CREATE Box", "S~ x OK", "C: s SELECT INBOX", "S* s OK ");
	return c;
}

static void
end(struct client *c)
{
	client_close(c);
	world_close(&w);
}

TEST(copies_have_the_flags_and_new_uids)
{
	struct client c = begin(3);

	TALK(&c, "C: a STORE 2 FLAGS (\\Flagged $Work)", "S* a OK ", "C: b COPY 2:3 Nope",
		"S~ b NO [TRYCREATE] ", "C: c COPY 2:3 Box", "S~ c OK [COPYUID ",
		"C: d UID COPY 1,3,99 Box", "S~ d OK [COPYUID ", "C: e UID COPY 99 Box",
		"S: e OK there are no such messages", "C: f COPY 9 Box", "S~ f BAD ",
		"C: s SELECT Box", "S* s OK ", "C: g FETCH 1:* (UID FLAGS)",
		"S: * 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent $Work))",
		"S: * 2 FETCH (UID 2 FLAGS (\\Recent))", "S~ * 3 FETCH (UID 3 ",
		"S~ * 4 FETCH (UID 4 ", "S~ g OK ");
	end(&c);
}

TEST(moved_messages_are_there_and_no_longer_here)
{
	struct client c = begin(4);
	char wanted[80];

	TALK(&c, "C: t STATUS Box (UIDVALIDITY)");
	str line = client_line(&c);
	size_t at = str_find(line, STR("UIDVALIDITY "));
	(void)snprintf(wanted, sizeof(wanted),
		"S: * OK [COPYUID " STR_FMT " 2:3 1:2] moved",
		STR_ARG(str_first(str_skip(line, at + 12), line.len - at - 13)));
	TALK(&c, "S~ t OK ", "C: a MOVE 2:3 Box", wanted, "S: * 3 EXPUNGE",
		"S: * 2 EXPUNGE", "S: a OK MOVE completed", "C: b ENABLE QRESYNC",
		"S* b OK ", "C: c UID MOVE 4 Box", "S~ * OK [COPYUID ", "S: * VANISHED 4",
		"S* c OK [HIGHESTMODSEQ ", "C: d UID MOVE 4 Box",
		"S: d OK there are no such messages", "C: e MOVE 1 Nope",
		"S~ e NO [TRYCREATE] ", "C: s SELECT Box", "S* s OK ",
		"C: f FETCH 1:* UID", "S: * 1 FETCH (UID 1)", "S: * 2 FETCH (UID 2)",
		"S: * 3 FETCH (UID 3)", "S~ f OK ");
	end(&c);
}

TEST(only_what_is_marked_is_expunged)
{
	struct client c = begin(4);

	TALK(&c, "C: a STORE 1,3:4 +FLAGS.SILENT (\\Deleted)", "S~ a OK ",
		"C: b UID EXPUNGE 2:3", "S: * 3 EXPUNGE", "S* b OK ", "C: c EXPUNGE",
		"S: * 3 EXPUNGE", "S: * 1 EXPUNGE", "S* c OK ", "C: d EXPUNGE",
		"S~ d OK ", "C: e FETCH 1:* UID", "S: * 1 FETCH (UID 2)", "S~ e OK ",
		"C: f EXAMINE INBOX", "S* f OK ", "C: g EXPUNGE", "S~ g NO ",
		"C: h MOVE 1 Box", "S~ h NO ");
	end(&c);
}

/* COPY is all or nothing: with a number whose message is gone, nothing. */
TEST(a_copy_of_a_message_that_is_gone_copies_none)
{
	struct client c = begin(3), d = client_in(&w, "anna");

	TALK(&d, "C: s SELECT INBOX", "S* s OK ",
		"C: a STORE 2 +FLAGS.SILENT (\\Deleted)", "S~ a OK ", "C: b EXPUNGE",
		"S* b OK ");
	TALK(&c, "C: a COPY 1:3 Box", "S: * 2 EXPUNGE", "S* a NO [EXPUNGEISSUED] ",
		"C: b STATUS Box (MESSAGES)", "S~ * STATUS Box (MESSAGES 0)", "S~ b OK ");
	client_close(&d);
	end(&c);
}

/* More than one transaction takes; the client is told of every message all the same. */
TEST(thousands_of_messages_are_copied_stored_moved_and_expunged)
{
	struct client c = begin(40);
	char wanted[100];

	for (int n = 40; n < 2560; n *= 2) {
		(void)snprintf(wanted, sizeof(wanted), "S* * %d EXISTS", 2 * n);
		TALK(&c, "C: a COPY 1:* INBOX", wanted, "S* a OK [COPYUID ");
	}
	TALK(&c, "C: b STORE 1:* +FLAGS (\\Deleted)");
	for (int i = 1; i <= 2560; i++) {
		(void)snprintf(wanted, sizeof(wanted), "* %d FETCH (FLAGS (\\Deleted", i);
		str got = client_line(&c);
		if (!str_starts(got, str_of(wanted)))
			fail_msg("message %d: " STR_FMT, i, STR_ARG(got));
	}
	TALK(&c, "S~ b OK ", "C: c MOVE 1:2000 Box", "S~ * OK [COPYUID ",
		"S: * 2000 EXPUNGE", "S* c OK ", "C: d EXPUNGE", "S: * 560 EXPUNGE",
		"S* d OK ", "C: e STATUS Box (MESSAGES)",
		"S~ * STATUS Box (MESSAGES 2000)", "S~ e OK ",
		"C: f STATUS INBOX (MESSAGES)", "S~ * STATUS INBOX (MESSAGES 0)",
		"S~ f OK ");
	end(&c);
}

/* Others have their turn in between: who had nothing to do but look is not held up. */
TEST(a_large_mailbox_is_expunged_closed_and_renamed_in_turns)
{
	struct client c = begin(40), d;

	for (int n = 40; n < 5120; n *= 2)
		TALK(&c, "C: a COPY 1:* INBOX", "S* a OK [COPYUID ");
	TALK(&c, "C: b STORE 1:2000 +FLAGS.SILENT (\\Deleted)", "S~ b OK ",
		"C: c UID EXPUNGE 1:1500", "S* * 1 EXPUNGE", "S~ c OK EXPUNGE completed",
		"C: d CLOSE", "S: d OK closed", "C: e STATUS INBOX (MESSAGES)",
		"S~ * STATUS INBOX (MESSAGES 3120)", "S~ e OK ");
	d = client_in(&w, "anna");
	TALK(&d, "C: s SELECT INBOX", "S* s OK ");
	TALK(&c, "C: f RENAME INBOX Box", "S~ f NO [ALREADYEXISTS] ",
		"C: g RENAME INBOX Old", "S: g OK renamed", "C: h STATUS Old (MESSAGES)",
		"S~ * STATUS Old (MESSAGES 3120)", "S~ h OK ",
		"C: i STATUS INBOX (MESSAGES)", "S~ * STATUS INBOX (MESSAGES 0)",
		"S~ i OK ");
	TALK(&d, "C: n NOOP", "S* * 1 EXPUNGE", "S* n OK ");
	client_close(&d);
	end(&c);
}

/* What the index says is changed behind the server's back. */
static void
index_says(const char *sql)
{
	struct db *db;
	struct err err = { 0 };
	char path[32];

	(void)snprintf(
		path, sizeof(path), "index/%u.db", (unsigned)(w.anna % STORE_SHARDS));
	assert_int_equal(db_open(&(struct db_want){ .dirfd = w.data,
					 .path = path,
					 .sync = DB_SYNC_NORMAL,
					 .cache_bytes = 65536 },
				 &db, NULL),
		RC_OK);
	if (db_exec(db, sql, &err) != RC_OK)
		fail_msg("%s", err.text);
	db_close(&db);
}

TEST(what_would_be_one_message_too_many_is_refused)
{
	struct client c = begin(2);

	index_says("UPDATE mailbox SET messages = 999999 WHERE mailbox_id = 1");
	TALK(&c, "C: a COPY 1:2 INBOX", "S~ a NO [LIMIT] ", "C: b APPEND INBOX {5+}",
		"C: hello", "S* b OK ", "C: c COPY 1 INBOX", "S~ c NO [LIMIT] ",
		"C: d APPEND INBOX {5+}", "C: hello", "S~ d NO [LIMIT] ",
		"C: e COPY 1 Box", "S~ e OK ", "C: f MOVE 1 Box", "S* f OK ",
		"C: g APPEND INBOX {5+}", "C: hello", "S* g OK ",
		"C: h UID REPLACE 2 INBOX {5+}", "C: hello", "S* h OK ");
	end(&c);
}

/* Billions of UIDs are a few ranges. */
TEST(what_left_before_the_memory_of_the_store_is_told_as_ranges)
{
	struct client c;

	world_open(&w, "");
	for (unsigned i = 0; i < 3; i++)
		world_deliver(&w, w.anna, STR(MESSAGE));
	index_says(
		"UPDATE mailbox SET uidnext = 4294967290, uidvalidity = 5"
		" WHERE mailbox_id = 1;"
		"DELETE FROM mailbox_email WHERE mailbox_id = 1 AND uid = 2;"
		"REPLACE INTO expunged_known SELECT account_id, 1, 0, 1000 FROM account");
	c = client_in(&w, "anna");
	TALK(&c, "C: e ENABLE QRESYNC", "S* e OK ",
		"C: b SELECT INBOX (QRESYNC (5 1000))", "S* * 2 EXISTS", "S* * 2 FETCH ",
		"S~ b OK ",
		"C: c SELECT INBOX (QRESYNC (5 999 1:9,4000000000:4000000001))",
		"S* * VANISHED (EARLIER) 2,4:9,4000000000:4000000001", "S* c OK ",
		"C: d UID FETCH 1:* FLAGS (CHANGEDSINCE 999 VANISHED)",
		"S: * VANISHED (EARLIER) 2,4:4294967289", "S~ * 1 FETCH ",
		"S~ * 2 FETCH ", "S~ d OK ");
	end(&c);
}

/* RFC 9051 9: INTERNALDATE is never NIL. */
TEST(mail_from_before_1970_has_a_date)
{
	struct client c = begin(0);

	TALK(&c, "C: a APPEND INBOX \" 1-Feb-1960 00:00:00 +0000\" {5+}", "C: hello",
		"S* a OK ", "C: b FETCH 1 INTERNALDATE",
		"S: * 1 FETCH (INTERNALDATE \"01-Jan-1970 00:00:00 +0000\")", "S~ b OK ");
	end(&c);
}

/* More than is ever written at once: the session used to end. */
TEST(what_others_changed_in_a_large_mailbox_is_told_in_pieces)
{
	struct client c = begin(1), d = client_in(&w, "anna");
	BUF_AUTO b = BUF(4096);
	char wanted[40];
	int n;

	for (n = 1; n < 16384; n *= 2)
		TALK(&c, "C: a COPY 1:* INBOX", "S* a OK [COPYUID ");
	TALK(&d, "C: s SELECT INBOX", "S* s OK ");
	buf_addz(&b, "st STORE 1:* +FLAGS.SILENT (");
	for (int i = 0; i < 63; i++)
		buf_addf(&b, "%skeyword%022d", i > 0 ? " " : "", i);
	buf_addz(&b, ")\r\n");
	client_send(&c, buf_str(&b));
	TALK(&c, "S* st OK ");
	client_send(&d, STR("n NOOP\r\n"));
	for (int i = 1; i <= n; i++) {
		(void)snprintf(wanted, sizeof(wanted), "* %d FETCH (FLAGS (", i);
		str line = client_line(&d);

		if (!str_starts(line, str_of(wanted)))
			fail_msg("message %d: %.100s", i, line.ptr);
	}
	TALK(&d, "S: n OK as you like");
	client_close(&d);
	end(&c);
}
