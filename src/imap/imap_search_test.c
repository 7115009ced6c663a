/* SPDX-License-Identifier: ISC */
/* SEARCH, SORT and THREAD as clients see them; no full text: a scanner reads the messages. */
#include "imap/imap_world.h"
#include "test/test.h"

static void
append(struct client *c, const char *flags, const char *date, const char *message)
{
	char line[300];

	(void)snprintf(line, sizeof(line), "C: ap APPEND INBOX (%s) \"%s\" {%zu+}", flags,
		date, strlen(message));
	client_talk(c, (const char *const[]){ line, NULL });
	client_send(c, str_of(message));
	TALK(c, "C: ", "S* ap OK ");
}

static struct client
with_mail(struct world *w)
{
	struct client c = client_in(w, "anna");

	append(&c, "\\Seen", " 1-Feb-1994 21:52:25 -0800",
		"From: Fred Foobar <foobar@blurdybloop.example>\r\n"
		"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nSubject: afternoon meeting\r\n"
		"To: mooch@owatagu.siam.edu.example\r\nMessage-Id: <1@x.test>\r\n\r\n"
		"Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n");
	append(&c, "\\Flagged $Work", " 3-Feb-1994 00:00:01 +0000",
		"From: Joe <joe@owatagu.siam.edu.example>\r\n"
		"Date: Tue, 8 Feb 1994 01:52:25 +0900\r\nSubject: Re: afternoon meeting\r\n"
		"To: foobar@blurdybloop.example\r\nMessage-Id: <2@x.test>\r\n"
		"References: <1@x.test>\r\n\r\nYes, in the K\xc3\xbc"
		"che.\r\n");
	append(&c, "\\Deleted \\Draft", "17-Jul-1996 02:44:25 -0700",
		"From: =?utf-8?q?J=C3=B6rg?= <anna@x.test>\r\n"
		"Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\nX-Empty:\r\n"
		"Content-Type: text/plain; charset=koi8-r\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n8NLJ18XU\r\n");
	TALK(&c, "C: s SELECT INBOX", "S* s OK ");
	return c;
}

/* "S: " of what is found by it, and that it is done */
static void
finds(struct client *c, const char *what, const char *found)
{
	char command[2000], answer[500];

	(void)snprintf(command, sizeof(command), "C: f SEARCH %s", what);
	(void)snprintf(answer, sizeof(answer), "S: * SEARCH%s", found);
	client_talk(c, (const char *const[]){ command, answer, "S~ f OK ", NULL });
}

TEST(a_search_finds_what_rows_say)
{
	struct world w;

	world_open(&w, "");
	struct client c = with_mail(&w);
	finds(&c, "ALL", " 1 2 3");
	finds(&c, "NOT ALL", "");
	finds(&c, "SEEN", " 1");
	finds(&c, "UNSEEN", " 2 3");
	finds(&c, "FLAGGED KEYWORD $work", " 2");
	finds(&c, "UNKEYWORD $Work", " 1 3");
	finds(&c, "OR DELETED SEEN", " 1 3");
	finds(&c, "NOT (OR DELETED SEEN)", " 2");
	finds(&c, "2:*", " 2 3");
	finds(&c, "9:* 1:2", "");
	finds(&c, "*", " 3");
	finds(&c, "UID 2", " 2");
	finds(&c, "BEFORE 3-Feb-1994", " 1");
	finds(&c, "ON 2-Feb-1994", " 1");
	finds(&c, "SINCE 3-Feb-1994", " 2 3");
	finds(&c, "SENTON 7-Feb-1994", " 1");
	finds(&c, "SENTON 8-Feb-1994", " 2");
	finds(&c, "SENTBEFORE 8-Feb-1994", " 1");
	finds(&c, "SENTSINCE 8-Feb-1994", " 2");
	finds(&c, "NOT SENTSINCE 8-Feb-1994", " 1 3");
	finds(&c, "OLDER 100", " 1 2 3");
	finds(&c, "YOUNGER 100", "");
	finds(&c, "LARGER 100 SMALLER 200", " 3");
	finds(&c, "SAVEDATESUPPORTED", " 1 2 3");
	client_close(&c);
	world_close(&w);
}

TEST(a_search_finds_texts_wherever_they_hide)
{
	struct world w;

	world_open(&w, "");
	struct client c = with_mail(&w);
	finds(&c, "BODY tomorrow", " 1");
	finds(&c, "BODY \"MEET AT 3\"", " 1");
	finds(&c, "BODY omorro", " 1");
	finds(&c, "BODY Foobar", "");
	finds(&c, "TEXT Foobar", " 1 2");
	finds(&c, "TEXT eferences", " 2");
	finds(&c, "TEXT \"ences: <1\"", " 2");
	finds(&c, "FROM foobar", " 1");
	finds(&c, "TO foobar", " 2");
	finds(&c, "SUBJECT \"noon meet\"", " 1 2");
	finds(&c, "SUBJECT Re:", " 2");
	finds(&c, "HEADER Message-ID 2@x", " 2");
	finds(&c, "HEADER X-Empty \"\"", " 3");
	finds(&c, "HEADER x-none \"\"", "");
	finds(&c, "SUBJECT \"\"", " 1 2 3");
	finds(&c, "TEXT \"\"", " 1 2 3");
	finds(&c, "NOT BODY tomorrow", " 2 3");
	finds(&c, "SEEN NOT BODY tomorrow", "");
	finds(&c, "OR SEEN BODY nowhere", " 1");
	finds(&c, "OR (BODY nowhere) (NOT (TEXT foobar))", " 3");
	/* UTF-8, decoded, whatever the case */
	finds(&c,
		"CHARSET UTF-8 SUBJECT {7+}\r\nGR\xc3\x9c\xc3\x9f"
		"E",
		" 3");
	finds(&c, "FROM {5+}\r\nJ\xc3\x96RG", " 3");
	finds(&c,
		"BODY {4+}\r\nk\xc3\xbc"
		"c",
		" 2");
	/* and other charsets: KOI8-R, windows-1251 */
	finds(&c, "CHARSET KOI8-R BODY {6+}\r\n\xd0\xd2\xc9\xd7\xc5\xd4", " 3");
	finds(&c, "CHARSET windows-1251 BODY {6+}\r\n\xcf\xd0\xc8\xc2\xc5\xd2", " 3");
	finds(&c, "CHARSET US-ASCII BODY tomorrow", " 1");
	TALK(&c, "C: b SEARCH CHARSET X-NONE ALL",
		"S~ b NO [BADCHARSET (US-ASCII UTF-8)] ",
		"C: b SEARCH CHARSET US-ASCII BODY {1+}", "C> \xfc\r\n", "S~ b BAD ",
		"C: b SEARCH BODY {1+}", "C> \xfc\r\n", "S~ b BAD ");
	client_close(&c);
	world_close(&w);
}

TEST(an_extended_search_says_just_what_was_asked)
{
	struct world w;

	world_open(&w, "");
	struct client c = with_mail(&w);
	TALK(&c, "C: a SEARCH RETURN (MIN COUNT) UNSEEN",
		"S: * ESEARCH (TAG \"a\") MIN 2 COUNT 2", "S~ a OK ",
		"C: b UID SEARCH RETURN () ALL", "S: * ESEARCH (TAG \"b\") UID ALL 1:3",
		"S~ b OK ", "C: c SEARCH RETURN (PARTIAL -1:-2) ALL",
		"S: * ESEARCH (TAG \"c\") PARTIAL (-1:-2 2:3)", "S~ c OK ",
		"C: d SEARCH RETURN (MIN) 3:1", "S: * ESEARCH (TAG \"d\") MIN 1",
		"S~ d OK ", "C: e SEARCH RETURN (ALL) NOT ALL",
		"S: * ESEARCH (TAG \"e\")", "S~ e OK ");
	TALK(&c, "C: x ENABLE IMAP4rev2", "S* x OK ", "C: f SEARCH SEEN",
		"S: * ESEARCH (TAG \"f\") ALL 1", "S~ f OK ", "C: g SEARCH NOT ALL",
		"S: * ESEARCH (TAG \"g\")", "S~ g OK ");
	client_close(&c);
	world_close(&w);
}

TEST(what_a_search_saved_is_there_for_the_next)
{
	struct world w;

	world_open(&w, "");
	struct client c = with_mail(&w);
	TALK(&c, "C: a SEARCH $", "S: * SEARCH", "S~ a OK ",
		"C: a SEARCH RETURN (SAVE) UNSEEN", "S~ a OK ", "C: b SEARCH $",
		"S: * SEARCH 2 3", "S~ b OK ", "C: c SEARCH UID $ DELETED",
		"S: * SEARCH 3", "S~ c OK ", "C: d SEARCH OR $ 1", "S: * SEARCH 1 2 3",
		"S~ d OK ", "C: e SEARCH RETURN (SAVE MIN MAX) ALL",
		"S: * ESEARCH (TAG \"e\") MIN 1 MAX 3", "S~ e OK ", "C: f SEARCH $",
		"S: * SEARCH 1 3", "S~ f OK ");
	/* a search that fails with NO leaves nothing, one that is BAD leaves it alone */
	TALK(&c, "C: g SEARCH RETURN (SAVE) NONSENSE", "S~ g BAD ", "C: h SEARCH $",
		"S: * SEARCH 1 3", "S~ h OK ",
		"C: i SEARCH RETURN (SAVE) CHARSET X-Y ALL", "S~ i NO [BADCHARSET",
		"C: j SEARCH $", "S: * SEARCH", "S~ j OK ",
		"C: k SORT RETURN (SAVE MAX) (REVERSE ARRIVAL) UTF-8 ALL",
		"S: * ESEARCH (TAG \"k\") MAX 1", "S~ k OK ", "C: l FETCH $ UID",
		"S: * 1 FETCH (UID 1)", "S~ l OK ");
	client_close(&c);
	world_close(&w);
}

TEST(mail_is_sorted_by_the_server)
{
	struct world w;

	world_open(&w, "");
	struct client c = with_mail(&w);
	TALK(&c, "C: a SORT (SUBJECT) UTF-8 ALL", "S: * SORT 1 2 3", "S~ a OK ",
		"C: b SORT (SUBJECT REVERSE DATE) UTF-8 ALL", "S: * SORT 1 2 3",
		"S~ b OK ", "C: c UID SORT (DATE) UTF-8 ALL", "S: * SORT 2 1 3",
		"S~ c OK ", "C: d SORT (REVERSE ARRIVAL) US-ASCII NOT SEEN",
		"S: * SORT 3 2", "S~ d OK ", "C: e SORT (FROM) UTF-8 ALL",
		"S: * SORT 3 1 2", "S~ e OK ", "C: f SORT (DISPLAYFROM) UTF-8 ALL",
		"S: * SORT 1 2 3", "S~ f OK ", "C: g SORT (TO) UTF-8 ALL",
		"S: * SORT 3 2 1", "S~ g OK ", "C: h SORT (SIZE) UTF-8 BODY nowhere",
		"S: * SORT", "S~ h OK ", "C: i SORT RETURN (ALL COUNT) (DATE) UTF-8 ALL",
		"S: * ESEARCH (TAG \"i\") COUNT 3 ALL 2,1,3", "S~ i OK ");
	client_close(&c);
	world_close(&w);
}

TEST(mail_is_threaded_by_the_server)
{
	struct world w;

	world_open(&w, "");
	struct client c = with_mail(&w);
	TALK(&c, "C: a THREAD REFERENCES UTF-8 ALL", "S: * THREAD (1 2)(3)", "S~ a OK ",
		"C: b UID THREAD ORDEREDSUBJECT UTF-8 ALL", "S: * THREAD (2 1)(3)",
		"S~ b OK ", "C: c THREAD REFERENCES UTF-8 NOT ALL", "S: * THREAD",
		"S~ c OK ", "C: d THREAD REFS UTF-8 ALL", "S~ d BAD ");
	client_close(&c);
	world_close(&w);
}

TEST(a_client_that_asks_for_modseqs_gets_them)
{
	struct world w;

	world_open(&w, "");
	struct client c = with_mail(&w);
	TALK(&c, "C: a STORE 2 +FLAGS.SILENT (\\Seen)", "S* a OK ",
		"C: b SEARCH RETURN (COUNT) MODSEQ 999999999999999999",
		"S~ * OK [HIGHESTMODSEQ ", "S: * ESEARCH (TAG \"b\") COUNT 0", "S~ b OK ",
		"C: c SEARCH MODSEQ 1", "S~ * SEARCH 1 2 3 (MODSEQ ", "S~ c OK ",
		"C: d SEARCH RETURN (MAX) MODSEQ 1",
		"S~ * ESEARCH (TAG \"d\") MAX 3 MODSEQ ", "S~ d OK ");
	client_close(&c);
	world_close(&w);
}

/* The trace block in front of what came in is part of the header that clients see. */
TEST(delivered_mail_is_searched_with_the_header_that_is_shown)
{
	struct world w;

	world_open(&w, "");
	world_deliver(&w, w.anna, STR("From: a@b.test\r\nSubject: one\r\n\r\nbody\r\n"));
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: s SELECT INBOX", "S* s OK ");
	finds(&c, "HEADER Return-Path x@y.test", " 1");
	finds(&c, "HEADER Received mx.x.test", " 1");
	finds(&c, "SUBJECT one", " 1");
	finds(&c, "BODY from", "");
	client_close(&c);
	world_close(&w);
}

/* ---- more than one slice ---- */

static void
append_many(struct client *c, unsigned from, unsigned to)
{
	BUF_AUTO b = BUF(1 << 20);
	char message[300];

	buf_addz(&b, "ap APPEND INBOX");
	for (unsigned i = from; i < to; i++) {
		int n = snprintf(message, sizeof(message),
			"From: u%u@x.test\r\nSubject: %s%u\r\nMessage-Id: <%u@x.test>\r\n%s%u"
			"@x.test>\r\n\r\nnumber n%uth\r\n",
			i % 7, i % 3 == 0 ? "Re: s" : "s", i % 50, i,
			i % 2 == 0 ? "X: <" : "References: <", i - 1, i);

		buf_addf(&b, " {%d+}\r\n%s", n, message);
	}
	buf_addz(&b, "\r\n");
	client_send(c, buf_str(&b));
	TALK(c, "S* ap OK ");
}

TEST(every_message_is_looked_at_in_a_large_mailbox)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_in(&w, "anna");
	for (unsigned i = 0; i < 600; i += 100)
		append_many(&c, i + 1, i + 101);
	TALK(&c, "C: s SELECT INBOX", "S* s OK ");
	finds(&c, "BODY n1th", " 1");
	finds(&c, "BODY n257th", " 257");
	finds(&c, "BODY n600th", " 600");
	finds(&c, "OR BODY n256th BODY n512th", " 256 512");
	finds(&c, "300:310 NOT BODY n305th NOT (SUBJECT s1)",
		" 300 302 303 304 306 307 308 309");
	TALK(&c, "C: a SEARCH RETURN (COUNT MAX) FROM u3@",
		"S~ * ESEARCH (TAG \"a\") MAX 598 COUNT 86", "S~ a OK ",
		"C: b SEARCH RETURN (ALL) SUBJECT s",
		"S: * ESEARCH (TAG \"b\") ALL 1:600", "S~ b OK ");
	client_close(&c);
	world_close(&w);
}

/* Who hangs up in the middle of a search leaves nothing behind. */
TEST(a_client_may_leave_while_messages_are_read_for_it)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_in(&w, "anna");
	append_many(&c, 1, 101);
	TALK(&c, "C: s SELECT INBOX", "S* s OK ");
	for (int i = 0; i < 3; i++) {
		struct client d = client_in(&w, "anna");

		TALK(&d, "C: s SELECT INBOX", "S* s OK ", "C: x SEARCH TEXT nowhere");
		client_close(&d);
	}
	finds(&c, "BODY n7th", " 7");
	client_close(&c);
	world_close(&w);
}

/* ---- full text ---- */

static enum rc
enter(const struct store_message *m, void *arg, struct err *err)
{
	struct world *w = arg;
	struct search_doc doc = { .id = m->id,
		.modseq = m->modseq,
		.head = STR("Subject: as entered\n"),
		.text = STR("wordsofindex and others") };
	struct search_news news = { .account = w->anna, .list = &doc, .n = 1 };

	return m->uid > 2 ? RC_OK : search_add(w->house.search, &news, 1, err);
}

TEST(full_text_is_asked_first_and_messages_only_where_it_does_not_know)
{
	struct world w;
	struct err err = { 0 };

	world_open(&w, "");
	struct client c = with_mail(&w);
	const struct search_want want = { .data = w.data, .cache_bytes = 65536 };
	assert_int_equal(search_open(&want, &w.house.search, &err), RC_OK);
	assert_int_equal(
		store_messages(w.house.store, w.anna, STR("INBOX"), 0, enter, &w, &err),
		RC_OK);
	/* the third is not in it */
	finds(&c, "BODY ordsofindex", " 1 2");
	finds(&c, "SUBJECT entered", " 1 2");
	finds(&c, "BODY tomorrow", "");
	finds(&c, "NOT TEXT entered", " 3");
	finds(&c, "SUBJECT \"Gr\"", " 3");
	/* of several words it knows only where they are not */
	finds(&c, "BODY \"wordsofindex and\"", "");
	finds(&c, "BODY \"at 3:30 tomorrow\"", "");
	/* the same message twice */
	TALK(&c, "C: cp COPY 1:3 INBOX", "S* cp OK ");
	finds(&c, "BODY wordsofindex", " 1 2 4 5");
	finds(&c, "HEADER X-Empty \"\"", " 3 6");
	client_close(&c);
	world_close(&w);
	search_close(&w.house.search);
}

TEST(a_search_for_too_much_is_refused_and_not_held)
{
	struct world w;
	BUF_AUTO b = BUF(1 << 16);

	world_open(&w, "");
	struct client c = with_mail(&w);
	buf_addz(&b, "a SEARCH RETURN (SAVE)");
	for (int i = 0; i < 1500; i++)
		buf_addf(&b, " TEXT t%d", i);
	buf_addz(&b, "\r\n");
	TALK(&c, "C: s SEARCH RETURN (SAVE) ALL", "S~ s OK ");
	client_send(&c, buf_str(&b));
	TALK(&c, "S~ a NO [LIMIT] ", "C: b SEARCH $", "S: * SEARCH", "S~ b OK ");
	client_close(&c);
	world_close(&w);
}

/* ---- messages of which nothing is known yet ---- */

static void
deliver_unscanned(struct world *w, str message)
{
	struct store_apply a = { .seq = ++w->delivered,
		.what = { .account = w->anna,
			.size = message.len,
			.id = ids_message(1000000),
			.received_ms = 1000000 } };
	struct fs_spool file;
	struct err err = { 0 };

	assert_int_equal(fs_spool_open(w->incoming, 0660, &file, &err), RC_OK);
	assert_int_equal(fs_pwrite(file.fd, message, 0, &err), RC_OK);
	assert_int_equal(
		fs_spool_publish(w->incoming, &file, a.what.id.text, &err), RC_OK);
	fs_spool_drop(w->incoming, &file);
	assert_int_equal(
		store_deliver(w->house.store, "gate", &a, 1, a.seq, &err), RC_OK);
}

TEST(mail_from_a_backup_is_sorted_like_any_other)
{
	struct world w;

	world_open(&w, "");
	deliver_unscanned(&w, STR("Subject: zebra\r\nMessage-ID: <z@x>\r\n\r\nx\r\n"));
	deliver_unscanned(&w,
		STR("Subject: Re: ape\r\nReferences: <z@x>\r\nMessage-ID: <a@x>\r\n\r\nx\r\n"));
	struct client c = client_in(&w, "anna");
	TALK(&c, "C: s SELECT INBOX", "S* s OK ", "C: a SORT (SUBJECT) UTF-8 ALL",
		"S: * SORT 2 1", "S~ a OK ", "C: b THREAD REFERENCES UTF-8 ALL",
		"S: * THREAD (1 2)", "S~ b OK ");
	client_close(&c);
	world_close(&w);
}
