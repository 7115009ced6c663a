/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "imap/imap_world.h"
#include "test/test.h"

#define MESSAGE                                                \
	"From: Fred Foobar <foobar@Blurdybloop.example>\r\n"   \
	"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\n"             \
	"Subject: afternoon meeting\r\n"                       \
	"To: anna@x.test\r\n"                                  \
	"Message-Id: <B27397-0100000@Blurdybloop.example>\r\n" \
	"\r\n"                                                 \
	"Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n"

static struct world w;

TEST(who_says_the_right_password_gets_in)
{
	world_open(&w, "");
	struct client c = client_open(&w);
	TALK(&c, "C: a SELECT INBOX", "S~ a BAD log in first",
		"C: b LOGIN anna@x.test wrong", "S~ b NO [AUTHENTICATIONFAILED] ",
		"C: c LOGIN nobody@x.test secret", "S~ c NO [AUTHENTICATIONFAILED] ",
		"C: d LOGIN {11}", "S~ + ", "C: anna@x.test {6+}", "C: secret",
		"S~ d OK [CAPABILITY ", "C: e LOGIN anna@x.test secret",
		"S~ e BAD not now", "C: f LOGOUT", "S~ * BYE ", "S~ f OK ",
		"S: (the end)");
	client_close(&c);
	/* AGFubmFAeC50ZXN0AHNlY3JldA==: \0anna@x.test\0secret */
	c = client_open(&w);
	TALK(&c, "C: a AUTHENTICATE PLAIN AGFubmFAeC50ZXN0AHNlY3JldA==", "S~ a OK ");
	client_close(&c);
	c = client_open(&w);
	TALK(&c, "C: a AUTHENTICATE PLAIN", "S: + ", "C: *", "S~ a BAD ",
		"C: b AUTHENTICATE PLAIN", "S: + ", "C: not base64", "S~ b BAD ",
		"C: e AUTHENTICATE PLAIN =", "S~ e BAD ", "C: c AUTHENTICATE PLAIN",
		"S: + ", "C: AGFubmFAeC50ZXN0AHNlY3JldA==", "S~ c OK ");
	client_close(&c);
	world_close(&w);
}

TEST(a_command_that_is_none_is_told_so)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: ", "S~ * BAD ", "C: a", "S~ a BAD ", "C: a FROBNICATE",
		"S~ a BAD no such", "C: a UID NOOP", "S~ a BAD no such", "C: a UID",
		"S~ a BAD ", "C: a NOOP really", "S~ a BAD ",
		"C: a NOOP {99999999999999999999}", "S~ a BAD ", "C: b NOOP", "S~ b OK ");
	client_close(&c);
	world_close(&w);
}

TEST(a_literal_bomb_is_refused_and_the_session_goes_on)
{
	world_open(&w, "");
	struct client c = client_open(&w);
	TALK(&c, "C: a LOGIN {1000000}", "S~ a BAD [TOOBIG] ", "C: b LOGIN {20000+}");
	char *junk = calloc(1, 20000);
	memset(junk, 'x', 20000);
	client_send(&c, (str){ junk, 20000 });
	TALK(&c, "C:  secret", "S~ b BAD [TOOBIG] ", "C: c NOOP", "S~ c OK ",
		"C: d LOGIN {4000000000+}", "S~ * BYE ", "S: (the end)");
	client_close(&c);
	free(junk);
	world_close(&w);
}

TEST(who_idles_hears_of_a_delivery)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: a SELECT INBOX", "S~ * FLAGS (", "S~ * OK [PERMANENTFLAGS (",
		"S: * 0 EXISTS", "S: * 0 RECENT", "S* a OK [READ-WRITE] ", "C: b IDLE",
		"S~ + ");
	world_deliver(&w, w.anna, STR(MESSAGE));
	TALK(&c, "S: * 1 EXISTS", "S: * 1 RECENT", "C: DONE", "S~ b OK ");
	client_close(&c);
	world_close(&w);
}

TEST(what_one_session_marks_the_other_sees)
{
	world_open(&w, "");
	world_deliver(&w, w.anna, STR(MESSAGE));
	world_deliver(&w, w.anna, STR(MESSAGE));
	struct client a = client_in(&w, "anna"), b = client_in(&w, "anna");
	TALK(&a, "C: a SELECT INBOX", "S* a OK ");
	TALK(&b, "C: a SELECT INBOX", "S* a OK ", "C: b IDLE", "S~ + ");
	TALK(&a, "C: b STORE 1 +FLAGS (\\Deleted)",
		"S: * 1 FETCH (FLAGS (\\Deleted \\Recent))", "S~ b OK ");
	TALK(&b, "S~ * 1 FETCH (FLAGS (\\Deleted", "C: DONE", "S~ b OK ");
	TALK(&a, "C: c EXPUNGE", "S: * 1 EXPUNGE", "S~ c OK ");
	TALK(&b, "C: c FETCH 1:2 UID", "S: * 2 FETCH (UID 2)", "S~ c ", "C: d NOOP",
		"S: * 1 EXPUNGE", "S~ d OK ", "C: e FETCH 1 UID", "S: * 1 FETCH (UID 2)",
		"S~ e OK ");
	client_close(&a);
	client_close(&b);
	world_close(&w);
}

TEST(compression_is_offered_once)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: a COMPRESS LZMA", "S~ a BAD ", "C: b COMPRESS DEFLATE", "S~ b OK ");
	client_close(&c);
	world_close(&w);
}

/* RFC 6855 3: no CHARSET then; SORT and THREAD have to name one, which is UTF-8.  RFC 9051
 * 6.4.4 alone goes on taking it. */
TEST(a_charset_is_refused_once_all_is_utf8)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: a ENABLE IMAP4rev2", "S* a OK ", "C: b SELECT INBOX", "S* b OK ",
		"C: c SEARCH CHARSET UTF-8 ALL", "S* c OK ", "C: d UNSELECT", "S~ d OK ",
		"C: e ENABLE UTF8=ACCEPT", "S* e OK ", "C: f SELECT INBOX", "S* f OK ",
		"C: g SEARCH CHARSET UTF-8 ALL", "S~ g BAD ",
		"C: h UID SEARCH RETURN (COUNT) CHARSET US-ASCII ALL", "S~ h BAD ",
		"C: i SEARCH ALL", "S* i OK ", "C: j SORT (DATE) UTF-8 ALL", "S* j OK ",
		"C: k SORT (DATE) ISO-8859-1 TEXT x", "S~ k BAD ",
		"C: l THREAD REFERENCES UTF-8 ALL", "S* l OK ");
	client_close(&c);
	world_close(&w);
}
