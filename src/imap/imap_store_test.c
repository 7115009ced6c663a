/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "imap/imap_world.h"
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

TEST(flags_are_set_added_and_removed)
{
	struct client c = begin(2);

	TALK(&c, "C: a STORE 1 FLAGS (\\Seen $Work)",
		"S: * 1 FETCH (FLAGS (\\Seen \\Recent $Work))", "S~ a OK ",
		"C: b STORE 1:2 +FLAGS \\Flagged",
		"S: * 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent $Work))",
		"S: * 2 FETCH (FLAGS (\\Flagged \\Recent))", "S~ b OK ",
		"C: c UID STORE 2 -FLAGS (\\Flagged)",
		"S: * 2 FETCH (UID 2 FLAGS (\\Recent))", "S~ c OK ",
		"C: d STORE 1 FLAGS.SILENT ()", "S~ d OK ", "C: e NOOP", "S~ e OK ",
		"C: f FETCH 1 FLAGS", "S: * 1 FETCH (FLAGS (\\Recent))", "S~ f OK ",
		"C: g STORE 3 FLAGS ()", "S~ g BAD ", "C: h STORE 1 FLAG ()",
		"S~ h BAD FLAGS", "C: i STORE 1 FLAGS (\\Recent)", "S~ i BAD ",
		"C: j UID STORE 9 FLAGS ()", "S~ j OK ");
	end(&c);
}

TEST(another_session_hears_of_flags_and_its_own_once)
{
	struct client c = begin(1), d = client_in(&w, "anna");

	TALK(&d, "C: s SELECT INBOX", "S* s OK ", "C: a STORE 1 +FLAGS (\\Answered)",
		"S: * 1 FETCH (FLAGS (\\Answered))", "S~ a OK ");
	TALK(&c, "C: a STORE 1 +FLAGS.SILENT (\\Seen)",
		"S: * 1 FETCH (FLAGS (\\Answered \\Seen \\Recent))", "S~ a OK ",
		"C: b NOOP", "S~ b OK ");
	TALK(&d, "C: b NOOP", "S: * 1 FETCH (FLAGS (\\Answered \\Seen))", "S~ b OK ");
	client_close(&d);
	end(&c);
}

TEST(a_conditional_store_leaves_what_others_changed)
{
	struct client c = begin(3);

	TALK(&c,
		"C: a STORE 2 (UNCHANGEDSINCE 9000000000000000000) +FLAGS.SILENT (\\Flagged)",
		"S~ * OK [HIGHESTMODSEQ ", "S~ * 2 FETCH (UID 2 MODSEQ (", "S~ a OK ",
		"C: b STORE 1:3 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Seen)",
		"S~ b OK [MODIFIED 1:3] ",
		"C: c UID STORE 1,3 (UNCHANGEDSINCE 9000000000000000000) +FLAGS (\\Seen)",
		"S~ * 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ (",
		"S~ * 3 FETCH (UID 3 FLAGS (\\Seen \\Recent) MODSEQ (", "S~ c OK ",
		"C: d STORE 1 (UNCHANGED 1) FLAGS ()", "S~ d BAD ", "C: e EXAMINE INBOX",
		"S* e OK ", "C: f STORE 1 FLAGS ()", "S~ f NO ");
	end(&c);
}

/* RFC 7162 3.1: from such a STORE on the client is told modseqs. */
TEST(a_conditional_store_that_is_refused_is_aware_of_modseqs_all_the_same)
{
	struct client c = begin(1);

	TALK(&c, "C: a EXAMINE INBOX", "S* a OK ",
		"C: b STORE 1 (UNCHANGEDSINCE 5) +FLAGS (\\Seen)",
		"S~ * OK [HIGHESTMODSEQ ", "S~ b NO [CANNOT] ", "C: c FETCH 1 (FLAGS)",
		"S~ * 1 FETCH (FLAGS (", "S~ c OK ", "C: d SELECT INBOX", "S* d OK ",
		"C: e STORE 1 +FLAGS (\\Seen)", "S~ * 1 FETCH (UID 1 FLAGS (\\Seen",
		"S~ e OK ");
	end(&c);
}
