/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "imap/imap_world.h"
#include "store/change.h"
#include "store/items.h"
#include "store/view.h"
#include "test/test.h"

#define PLAIN                                      \
	"From: Anna A <a@b.test>\r\n"              \
	"Subject: one\r\n"                         \
	"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\n" \
	"\r\n"                                     \
	"first line\r\n"                           \
	"second line\r\n"

#define INNER "Subject: inner\r\n\r\ninner text\r\n"

#define MULTI                                             \
	"From: a@b.test\r\n"                              \
	"MIME-Version: 1.0\r\n"                           \
	"Content-Type: multipart/mixed; boundary=xx\r\n"  \
	"\r\n"                                            \
	"--xx\r\n"                                        \
	"Content-Type: text/plain\r\n"                    \
	"Content-Transfer-Encoding: quoted-printable\r\n" \
	"\r\n"                                            \
	"caf=C3=A9\r\n"                                   \
	"--xx\r\n"                                        \
	"Content-Type: message/rfc822\r\n"                \
	"\r\n" INNER "\r\n"                               \
	"--xx\r\n"                                        \
	"Content-Type: application/x-thing\r\n"           \
	"Content-Transfer-Encoding: base64\r\n"           \
	"\r\n"                                            \
	"aABp\r\n"                                        \
	"--xx\r\n"                                        \
	"Content-Type: application/x-thing\r\n"           \
	"Content-Transfer-Encoding: x-none\r\n"           \
	"\r\n"                                            \
	"abc\r\n"                                         \
	"--xx--\r\n"

static struct world w;

static struct client
begin(const char *message)
{
	struct client c;

	world_open(&w, "");
	world_deliver(&w, w.anna, str_of(message));
	c = client_in(&w, "anna");
	TALK(&c, "C: s SELECT INBOX", "S* s OK ");
	return c;
}

static void
end(struct client *c)
{
	client_close(c);
	world_close(&w);
}

/* As records of before were: nothing is known of it but that it is there. */
static void
deliver_unknown(str message)
{
	struct store_apply a = { .seq = ++w.delivered,
		.what = { .account = w.anna,
			.size = message.len,
			.received_ms = clock_wall_ms(),
			.id = ids_message(clock_wall_ms()) } };
	struct fs_spool file;

	assert_int_equal(fs_spool_open(w.incoming, 0660, &file, NULL), RC_OK);
	assert_int_equal(fs_pwrite(file.fd, message, 0, NULL), RC_OK);
	assert_int_equal(
		fs_spool_publish(w.incoming, &file, a.what.id.text, NULL), RC_OK);
	fs_spool_drop(w.incoming, &file);
	assert_int_equal(store_deliver(w.house.store, "gate", &a, 1, a.seq, NULL), RC_OK);
}

TEST(what_the_index_knows_is_told_without_the_file)
{
	struct client c = begin(PLAIN);

	TALK(&c, "C: a FETCH 1 FLAGS", "S: * 1 FETCH (FLAGS (\\Recent))", "S~ a OK ",
		"C: b UID FETCH 1:* (RFC822.SIZE)",
		"S: * 1 FETCH (UID 1 RFC822.SIZE 1128)", "S~ b OK ",
		"C: c FETCH 1 ENVELOPE",
		"S: * 1 FETCH (ENVELOPE (\"Mon, 7 Feb 1994 21:52:25 -0800\" \"one\""
		" ((\"Anna A\" NIL \"a\" \"b.test\")) ((\"Anna A\" NIL \"a\" \"b.test\"))"
		" ((\"Anna A\" NIL \"a\" \"b.test\")) NIL NIL NIL NIL NIL))",
		"S~ c OK ", "C: d FETCH * BODYSTRUCTURE",
		"S: * 1 FETCH (BODYSTRUCTURE (\"text\" \"plain\" (\"charset\""
		" \"us-ascii\") NIL NIL \"7bit\" 25 2 NIL NIL NIL NIL))",
		"S~ d OK ", "C: e FETCH 1 (BODY PREVIEW)",
		"S: * 1 FETCH (BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL"
		" NIL \"7bit\" 25 2) PREVIEW \"first line second line\")",
		"S~ e OK ", "C: f FETCH 1 (SAVEDATE INTERNALDATE)",
		"S~ * 1 FETCH (INTERNALDATE \"", "S~ f OK ",
		"C: g FETCH 1 (EMAILID THREADID)", "S~ * 1 FETCH (EMAILID (M", "S~ g OK ",
		"C: h FETCH 1 MODSEQ", "S~ * OK [HIGHESTMODSEQ ",
		"S~ * 1 FETCH (MODSEQ (", "S~ h OK ");
	end(&c);
}

TEST(a_command_that_is_wrong_is_bad_and_changes_nothing)
{
	struct client c = begin(PLAIN);

	TALK(&c, "C: a FETCH 2 BODY[]", "S~ a BAD ", "C: b FETCH 1 BODY[", "S~ b BAD ",
		"C: c FETCH 1 FLAGS (PARTIAL 1:2)", "S~ c BAD ",
		"C: d UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)", "S~ d BAD ",
		"C: e FETCH 0 FLAGS", "S~ e BAD ", "C: f FETCH 1", "S~ f BAD ",
		"C: g UID FETCH 99 FLAGS", "S~ g OK ", "C: h FETCH 1 FLAGS",
		"S: * 1 FETCH (FLAGS (\\Recent))", "S~ h OK ");
	end(&c);
}

TEST(header_fields_come_from_index_or_file_alike)
{
	struct client c = begin(PLAIN);

	TALK(&c, "C: a FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject From)]",
		"S: * 1 FETCH (BODY[HEADER.FIELDS (Subject From)] {41}",
		"S: From: Anna A <a@b.test>", "S: Subject: one", "S: ", "S: )",
		"S~ a OK ", "C: b FETCH 1 BODY.PEEK[HEADER.FIELDS (Return-Path)]",
		"S~ * 1 FETCH (BODY[HEADER.FIELDS (Return-Path)] {",
		"S: Return-Path: <x@y.test>", "S: ", "S: )", "S~ b OK ",
		"C: c FETCH 1 BODY.PEEK[HEADER.FIELDS (Nope)]",
		"S~ * 1 FETCH (BODY[HEADER.FIELDS (Nope)] {2}", "S: ", "S: )", "S~ c OK ",
		"C: d FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (Date From X-Gatepost-Pad)]",
		"S~ * 1 FETCH (BODY[HEADER.FIELDS.NOT (Date From X-Gatepost-Pad)] {",
		"S: Return-Path: <x@y.test>", "S: Received: from y.test by mx.x.test",
		"S: Subject: one", "S: ", "S: )", "S~ d OK ",
		"C: e FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]<3.4>",
		"S: * 1 FETCH (BODY[HEADER.FIELDS (Subject)]<3> {4}", "S: ject)",
		"S~ e OK ");
	end(&c);
}

TEST(the_whole_file_is_the_message_and_its_header_has_the_trace_block)
{
	struct client c = begin(PLAIN);

	TALK(&c, "C: a FETCH 1 BODY.PEEK[]", "S: * 1 FETCH (BODY[] {1128}",
		"S: Return-Path: <x@y.test>", "S: Received: from y.test by mx.x.test",
		"S~ X-Gatepost-Pad: ", "S: From: Anna A <a@b.test>", "S: Subject: one",
		"S~ Date: ", "S: ", "S: first line", "S: second line", "S: )", "S~ a OK ",
		"C: b FETCH 1 RFC822.HEADER", "S: * 1 FETCH (RFC822.HEADER {1103}",
		"S* Subject: one", "S~ Date", "S: ", "S: )", "S~ b OK ",
		"C: c FETCH 1 BODY.PEEK[TEXT]<0.5>", "S: * 1 FETCH (BODY[TEXT]<0> {5}",
		"S: first)", "S~ c OK ", "C: d FETCH 1 BODY.PEEK[1]",
		"S: * 1 FETCH (BODY[1] {25}", "S: first line", "S: second line", "S: )",
		"S~ d OK ", "C: e FETCH 1 BODY.PEEK[]<5000.10>",
		"S: * 1 FETCH (BODY[]<5000> {0}", "S: )", "S~ e OK ",
		"C: f FETCH 1 (BODY.PEEK[2] UID)", "S: * 1 FETCH (UID 1 BODY[2] \"\")",
		"S~ f OK ");
	end(&c);
}

TEST(parts_are_found_where_they_are)
{
	struct client c = begin(MULTI);

	TALK(&c, "C: a FETCH 1 BODY.PEEK[1]", "S: * 1 FETCH (BODY[1] {9}",
		"S: caf=C3=A9)", "S~ a OK ", "C: b FETCH 1 BODY.PEEK[2.1]",
		"S: * 1 FETCH (BODY[2.1] {12}", "S: inner text", "S: )", "S~ b OK ",
		"C: c FETCH 1 BODY.PEEK[2.HEADER]", "S: * 1 FETCH (BODY[2.HEADER] {18}",
		"S: Subject: inner", "S: ", "S: )", "S~ c OK ",
		"C: d FETCH 1 BODY.PEEK[2.HEADER.FIELDS (subject)]",
		"S~ * 1 FETCH (BODY[2.HEADER.FIELDS (subject)] {18}", "S: Subject: inner",
		"S: ", "S: )", "S~ d OK ", "C: e FETCH 1 BODY.PEEK[2.MIME]",
		"S: * 1 FETCH (BODY[2.MIME] {32}", "S: Content-Type: message/rfc822",
		"S: ", "S: )", "S~ e OK ",
		"C: f FETCH 1 (BODY.PEEK[9] BODY.PEEK[1.TEXT])",
		"S: * 1 FETCH (BODY[9] \"\" BODY[1.TEXT] \"\")", "S~ f OK ");
	end(&c);
}

TEST(binary_parts_are_decoded)
{
	struct client c = begin(MULTI);

	TALK(&c, "C: a FETCH 1 BINARY.PEEK[1]", "S: * 1 FETCH (BINARY[1] {5}",
		"S: caf\303\251)", "S~ a OK ",
		"C: b FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2])",
		"S: * 1 FETCH (BINARY.SIZE[1] 5 BINARY.SIZE[2] 30)", "S~ b OK ",
		"C: c FETCH 1 BINARY.PEEK[3]", "S~ * 1 FETCH (BINARY[3] ~{3}", "S~ h",
		"S~ c OK ", "C: d FETCH 1 BINARY.PEEK[3]<2.5>",
		"S: * 1 FETCH (BINARY[3]<2> {1}", "S: i)", "S~ d OK ",
		"C: e FETCH 1 (BINARY.PEEK[4] FLAGS)", "S: * 1 FETCH (FLAGS (\\Recent))",
		"S~ e NO [UNKNOWN-CTE] ", "C: f FETCH 1 BINARY.SIZE[9]",
		"S: * 1 FETCH (BINARY.SIZE[9] 0)", "S~ f OK ");
	end(&c);
}

TEST(a_message_that_was_read_is_seen_and_one_that_was_peeked_at_is_not)
{
	struct client c = begin(PLAIN);

	TALK(&c, "C: a FETCH 1 (BODY.PEEK[]<0.1> BINARY.SIZE[1])", "S* a OK ",
		"C: b FETCH 1 FLAGS", "S: * 1 FETCH (FLAGS (\\Recent))", "S~ b OK ",
		"C: x EXAMINE INBOX", "S* x OK ", "C: c FETCH 1 BODY[TEXT]<0.1>",
		"S~ * 1 FETCH (BODY[TEXT]<0> {1}", "S: f)", "S~ c OK ",
		"C: y SELECT INBOX", "S* y OK ", "C: d FETCH 1 BODY[TEXT]<0.1>",
		"S: * 1 FETCH (FLAGS (\\Seen) BODY[TEXT]<0> {1}", "S: f)", "S~ d OK ",
		"C: e FETCH 1 BODY[TEXT]<0.1>", "S: * 1 FETCH (BODY[TEXT]<0> {1}",
		"S: f)", "S~ e OK ", "C: f NOOP", "S~ f OK ");
	end(&c);
}

/* The client waits until the producer must have filled every buffer. */
TEST(a_long_body_is_given_whole_to_a_slow_reader)
{
	enum { LINES = 100000 };
	BUF_AUTO m = BUF(1 << 24);
	char line[80];

	buf_addz(&m, "Subject: long\r\n\r\n");
	for (int i = 0; i < LINES; i++)
		buf_addf(&m, "line %07d of a long message\r\n", i);
	struct client c = begin(buf_z(&m));
	TALK(&c, "C: a FETCH 1 (BODY[TEXT] FLAGS)", "C: b NOOP",
		"S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {3200000}");
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof(line), "line %07d of a long message", i);
		str got = client_line(&c);
		if (!str_eq(got, str_of(line)))
			fail_msg("line %d is \"" STR_FMT "\"", i, STR_ARG(got));
	}
	TALK(&c, "S: )", "S~ a OK ", "S~ b OK ");
	end(&c);
}

TEST(facts_that_nobody_knows_are_asked_of_a_scanner)
{
	struct client c = begin(PLAIN);

	deliver_unknown(STR(MULTI));
	deliver_unknown(STR(PLAIN));
	TALK(&c, "C: n NOOP", "S* n OK ", "C: a FETCH 2:3 PREVIEW (LAZY)",
		"S: * 2 FETCH (PREVIEW NIL)", "S: * 3 FETCH (PREVIEW NIL)", "S~ a OK ",
		"C: b FETCH 3 (BODY PREVIEW)",
		"S: * 3 FETCH (BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL"
		" NIL \"7bit\" 25 2) PREVIEW \"first line second line\")",
		"S~ b OK ", "C: c FETCH 3 PREVIEW (LAZY)",
		"S: * 3 FETCH (PREVIEW \"first line second line\")", "S~ c OK ",
		"C: d FETCH 2 (BODY.PEEK[2.1] ENVELOPE)",
		"S~ * 2 FETCH (ENVELOPE (NIL NIL ((NIL NIL \"a\" \"b.test\"))",
		"S: inner text", "S: )", "S~ d OK ");
	end(&c);
}

static str
kept(uint32_t uid, enum store_item item, struct arena *mem)
{
	struct view *v = NULL;
	struct view_row row;
	str text = { 0 };

	assert_int_equal(view_open(w.house.store, w.anna, 1, &v, NULL), RC_OK);
	view_rows(v, &uid, 1, &row);
	const struct msg_id *const ids[] = { &row.id };
	assert_int_equal(
		store_items(w.house.store, w.anna, ids, 1, item, mem, &text, NULL),
		RC_OK);
	view_close(&v);
	return text;
}

#define PLAIN_STRUCTURE                                                            \
	"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 25 2 NIL" \
	" NIL NIL NIL)"

/* What a scanner has told just now is not kept: the row may say something else. */
TEST(what_was_made_of_the_index_for_one_client_is_copied_for_the_next)
{
	struct client c = begin(MULTI);
	ARENA_AUTO mem = arena_new(1 << 20);

	deliver_unknown(STR(PLAIN));
	TALK(&c, "C: n NOOP", "S* n OK ", "C: a FETCH 2 BODYSTRUCTURE",
		"S: * 2 FETCH (BODYSTRUCTURE " PLAIN_STRUCTURE ")", "S~ a OK ");
	assert_int_equal(kept(2, STORE_ITEM_STRUCTURE, mem).len, 0);
	for (int i = 0; i < 2; i++) {
		TALK(&c, "C: b FETCH 2 BODYSTRUCTURE",
			"S: * 2 FETCH (BODYSTRUCTURE " PLAIN_STRUCTURE ")", "S~ b OK ",
			"C: c FETCH 1:2 (ENVELOPE BODY)",
			"S~ * 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL \"a\" \"b.test\"))",
			"S~ * 2 FETCH (ENVELOPE (\"Mon, 7 Feb 1994 21:52:25 -0800\" \"one\"",
			"S~ c OK ");
		assert_int_equal(
			str_find(kept(2, STORE_ITEM_ENVELOPE, mem), STR("(\"Mon, 7")), 0);
	}
	assert_true(str_eq(kept(2, STORE_ITEM_STRUCTURE, mem), STR(PLAIN_STRUCTURE)));
	end(&c);
}

/* More parts than the index keeps: the client gets an answer, and all of the text. */
TEST(a_structure_beyond_all_limits_is_one_part)
{
	BUF_AUTO m = BUF(1 << 20);

	buf_addz(&m, "Content-Type: multipart/mixed; boundary=x\r\n\r\n");
	for (int i = 0; i < FACTS_PARTS + 1; i++)
		buf_addz(&m, "--x\r\n\r\na\r\n");
	buf_addz(&m, "--x--\r\n");
	struct client c = begin(buf_z(&m));
	TALK(&c, "C: a FETCH 1 BODY",
		"S: * 1 FETCH (BODY (\"application\" \"octet-stream\" NIL NIL NIL"
		" \"binary\" 10017))",
		"S~ a OK ", "C: b FETCH 1 BODY.PEEK[1]<0.5>",
		"S: * 1 FETCH (BODY[1]<0> {5}", "S: --x", "S: )", "S~ b OK ",
		"C: c FETCH 1 BODY", "S~ * 1 FETCH (BODY (\"application\"", "S~ c OK ");
	end(&c);
}

TEST(a_client_that_comes_back_hears_what_changed_and_what_is_gone)
{
	struct client c = begin(PLAIN);
	char now[80], before[80], some[80];

	world_deliver(&w, w.anna, STR(PLAIN));
	world_deliver(&w, w.anna, STR(PLAIN));
	TALK(&c, "C: n NOOP", "S* n OK ", "C: e ENABLE QRESYNC", "S* e OK ",
		"C: m FETCH 3 MODSEQ");
	str line = client_line(&c),
	    modseq = str_skip(line, strlen("* 3 FETCH (MODSEQ ("));
	modseq.len -= 2;
	(void)snprintf(now, sizeof(now),
		"C: a UID FETCH 1:* (FLAGS) (CHANGEDSINCE " STR_FMT ")", STR_ARG(modseq));
	(void)snprintf(before, sizeof(before),
		"C: j UID FETCH 1:* (FLAGS) (CHANGEDSINCE " STR_FMT " VANISHED)",
		STR_ARG(modseq));
	(void)snprintf(some, sizeof(some),
		"C: k UID FETCH 1:2 (FLAGS) (CHANGEDSINCE " STR_FMT " VANISHED)",
		STR_ARG(modseq));
	TALK(&c, "S~ m OK ", now, "S~ a OK ", "C: b STORE 2 +FLAGS.SILENT (\\Flagged)",
		"S~ * 2 FETCH (UID 2 MODSEQ (", "S~ b OK ");
	TALK(&c, "C: f UID FETCH 1:* (FLAGS) (PARTIAL -1:-2)",
		"S: * 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))",
		"S: * 3 FETCH (UID 3 FLAGS (\\Recent))", "S~ f OK ",
		"C: g UID FETCH 1:* (FLAGS) (PARTIAL 7:9)", "S~ g OK ",
		"C: h STORE 3 +FLAGS.SILENT (\\Deleted)", "S* h OK ",
		"C: i UID EXPUNGE 3", "S: * VANISHED 3", "S* i OK [HIGHESTMODSEQ ",
		before, "S: * VANISHED (EARLIER) 3",
		"S~ * 2 FETCH (UID 2 FLAGS (\\Flagged", "S~ j OK ", some,
		"S~ * 2 FETCH (UID 2 ", "S~ k OK ");
	end(&c);
}

TEST(a_message_that_another_session_expunged_is_not_another_message)
{
	struct client c = begin(PLAIN), d;

	world_deliver(&w, w.anna, STR(MULTI));
	TALK(&c, "C: n NOOP", "S* n OK ");
	d = client_in(&w, "anna");
	TALK(&d, "C: s SELECT INBOX", "S* s OK ", "C: a STORE 1 +FLAGS (\\Deleted)",
		"S* a OK ", "C: b EXPUNGE", "S: * 1 EXPUNGE", "S* b OK ");
	TALK(&c, "C: a FETCH 1:2 (UID BODY.PEEK[1])", "S: * 2 FETCH (UID 2 BODY[1] {9}",
		"S: caf=C3=A9)", "S~ a OK [EXPUNGEISSUED] ", "C: b FETCH 1 BODY.PEEK[]",
		"S~ b NO [EXPUNGEISSUED] ", "C: e FETCH 2 BODY[1]<0.1>",
		"S: * 2 FETCH (FLAGS (\\Seen \\Recent) BODY[1]<0> {1}", "S: c)",
		"S~ e OK ", "C: f STORE 1 +FLAGS (\\Seen)", "S~ f NO [EXPUNGEISSUED] ",
		"C: g UID FETCH 1 FLAGS", "S: * 1 EXPUNGE", "S* g OK ",
		"C: h FETCH 1 UID", "S: * 1 FETCH (UID 2)", "S~ h OK ");
	client_close(&d);
	end(&c);
}

TEST(with_imap4rev2_nothing_is_recent_and_a_saved_result_is_a_set)
{
	struct client c = begin(PLAIN);

	TALK(&c, "C: e ENABLE IMAP4rev2", "S* e OK ", "C: a FETCH 1 FLAGS",
		"S: * 1 FETCH (FLAGS ())", "S~ a OK ", "C: b SEARCH RETURN (SAVE) ALL",
		"S* b OK ", "C: c FETCH $ (RFC822.SIZE)",
		"S: * 1 FETCH (RFC822.SIZE 1128)", "S~ c OK ",
		"C: d STORE $ +FLAGS (\\Seen)", "S: * 1 FETCH (UID 1 FLAGS (\\Seen))",
		"S~ d OK ", "C: f COPY $ INBOX", "S* f OK [COPYUID ",
		"C: g UID MOVE $ INBOX", "S~ * OK [COPYUID ", "S: * 1 EXPUNGE",
		"S* g OK ", "C: h FETCH $ FLAGS", "S~ h OK ");
	end(&c);
}
