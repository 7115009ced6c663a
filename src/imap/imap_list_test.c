/* SPDX-License-Identifier: ISC */
/* LIST, LSUB, STATUS, NAMESPACE; RFC 9051's and RFC 3501's own examples among it. */
#include "imap/imap_world.h"
#include "test/test.h"

static struct world w;

/* An account with no mailbox but INBOX, and nothing subscribed. */
static struct client
bare(void)
{
	struct client c = client_in(&w, "anna");

	TALK(&c, "C: . DELETE Archive", "S* . OK ", "C: . DELETE Drafts", "S* . OK ",
		"C: . DELETE Junk", "S* . OK ", "C: . DELETE Sent", "S* . OK ",
		"C: . DELETE Trash", "S* . OK ", "C: . UNSUBSCRIBE Archive", "S* . OK ",
		"C: . UNSUBSCRIBE Drafts", "S* . OK ", "C: . UNSUBSCRIBE Junk",
		"S* . OK ", "C: . UNSUBSCRIBE Sent", "S* . OK ", "C: . UNSUBSCRIBE Trash",
		"S* . OK ", "C: . UNSUBSCRIBE INBOX", "S* . OK ");
	return c;
}

static void
make(struct client *c, const char *const names[], const char *command)
{
	for (; *names != NULL; names++) {
		BUF_AUTO b = BUF(1000);

		buf_addf(&b, "C: m %s \"%s\"", command, *names);
		TALK(c, buf_z(&b), "S~ m OK ");
	}
}

#define MAKE(c, ...) make((c), (const char *const[]){ __VA_ARGS__, NULL }, "CREATE")
#define SUBSCRIBE(c, ...) \
	make((c), (const char *const[]){ __VA_ARGS__, NULL }, "SUBSCRIBE")

TEST(a_new_account_shows_its_mailboxes_and_what_they_are_for)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	TALK(&c, "C: a LIST \"\" *",
		"S: * LIST (\\HasNoChildren \\Archive) \"/\" Archive",
		"S: * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts",
		"S: * LIST (\\HasNoChildren) \"/\" INBOX",
		"S: * LIST (\\HasNoChildren \\Junk) \"/\" Junk",
		"S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent",
		"S: * LIST (\\HasNoChildren \\Trash) \"/\" Trash", "S~ a OK ",
		"C: b LIST \"\" \"\"", "S: * LIST (\\Noselect) \"/\" \"\"", "S~ b OK ",
		"C: c LIST \"\" inbox", "S: * LIST (\\HasNoChildren) \"/\" INBOX",
		"S~ c OK ", "C: d NAMESPACE", "S: * NAMESPACE ((\"\" \"/\")) NIL NIL",
		"S~ d OK ", "C: e LIST (SPECIAL-USE) \"\" %a%",
		"S: * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts",
		"S: * LIST (\\HasNoChildren \\Trash) \"/\" Trash", "S~ e OK ",
		"C: f LIST () \"\" (In% S%) RETURN (SUBSCRIBED SPECIAL-USE)",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" INBOX",
		"S: * LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" Sent", "S~ f OK ",
		"C: g LSUB \"\" S%", "S: * LSUB () \"/\" Sent", "S~ g OK ");
	client_close(&c);
	world_close(&w);
}

TEST(lists_that_are_written_wrongly_are_told_so)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	TALK(&c, "C: a LIST", "S~ a BAD ", "C: a LIST \"\"", "S~ a BAD ",
		"C: a LIST \"\" * x", "S~ a BAD ", "C: a LIST (RECURSIVEMATCH) \"\" *",
		"S~ a BAD ", "C: a LIST (REMOTE RECURSIVEMATCH) \"\" *", "S~ a BAD ",
		"C: a LIST (NONSENSE) \"\" *", "S~ a BAD ",
		"C: a LIST \"\" * RETURN (NONSENSE)", "S~ a BAD ",
		"C: a LIST \"\" * RETURN (STATUS)", "S~ a BAD ",
		"C: a LIST \"\" * RETURN (STATUS ())", "S~ a BAD ",
		"C: a LIST \"\" * RETURN (STATUS (NONSENSE))", "S~ a BAD ",
		"C: a LIST \"\" ()", "S~ a BAD ", "C: a LSUB (SUBSCRIBED) \"\" *",
		"S~ a BAD ", "C: a LSUB \"\" (a b)", "S~ a BAD ", "C: a STATUS INBOX",
		"S~ a BAD ", "C: a STATUS INBOX ()", "S~ a BAD ",
		"C: a STATUS INBOX (MESSAGES", "S~ a BAD ",
		"C: a STATUS INBOX (MESSAGES  UNSEEN)", "S~ a BAD ", "C: a NAMESPACE x",
		"S~ a BAD ", "C: a LIST \"\" \"&&&\"", "S~ a OK ",
		"C: a LIST () \"\" \"\"", "S~ a OK ");
	client_close(&c);
	world_close(&w);
}

TEST(levels_without_a_mailbox_are_told_where_the_client_looks_at_levels)
{
	world_open(&w, "");
	struct client c = bare();

	/* RFC 9051 6.3.5, the second example */
	MAKE(&c, "blurdybloop", "foo", "foo/bar");
	TALK(&c, "C: a DELETE foo", "S~ a OK ", "C: a LIST \"\" *",
		"S: * LIST (\\HasNoChildren) \"/\" INBOX",
		"S: * LIST (\\HasNoChildren) \"/\" blurdybloop",
		"S: * LIST (\\HasNoChildren) \"/\" foo/bar", "S~ a OK ",
		"C: b LIST \"\" f%", "S: * LIST (\\Noselect \\HasChildren) \"/\" foo",
		"S~ b OK ", "C: c LIST \"\" f% RETURN (CHILDREN)",
		"S: * LIST (\\NonExistent \\HasChildren) \"/\" foo", "S~ c OK ",
		"C: c LIST \"\" foo", "S: * LIST (\\Noselect \\HasChildren) \"/\" foo",
		"S~ c OK ", "C: c LIST \"\" f*",
		"S: * LIST (\\HasNoChildren) \"/\" foo/bar", "S~ c OK ",
		"C: c LSUB \"\" \"\"", "S~ c OK ", "C: d LIST \"foo/\" %",
		"S: * LIST (\\HasNoChildren) \"/\" foo/bar", "S~ d OK ",
		"C: e DELETE foo", "S~ e NO [HASCHILDREN] ", "C: f DELETE foo/bar",
		"S~ f OK ", "C: g LIST \"\" f%", "S~ g OK ", "C: h DELETE foo",
		"S~ h NO [NONEXISTENT] ", "C: i ENABLE IMAP4rev2", "S* i OK ",
		"C: j CREATE x/y/z", "S~ j OK ", "C: k LIST x/ %",
		"S: * LIST (\\NonExistent \\HasChildren) \"/\" x/y", "S~ k OK ");
	client_close(&c);
	world_close(&w);
}

/* RFC 9051 6.3.9.8, examples 1 to 6, but for \Marked, \NoInferiors and what is remote */
TEST(subscribed_names_are_listed_also_where_their_mailbox_is_gone)
{
	world_open(&w, "");
	struct client c = bare();

	MAKE(&c, "Fruit", "Fruit/Apple", "Fruit/Banana", "Tofu", "Vegetable",
		"Vegetable/Broccoli", "Vegetable/Corn");
	SUBSCRIBE(&c, "inbox", "Fruit/Banana", "Fruit/Peach", "Vegetable",
		"Vegetable/Broccoli");
	TALK(&c, "C: A02 LIST (SUBSCRIBED) \"\" \"*\"",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" Fruit/Banana",
		"S: * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" Fruit/Peach",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" INBOX",
		"S: * LIST (\\HasChildren \\Subscribed) \"/\" Vegetable",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" Vegetable/Broccoli",
		"S~ A02 OK ", "C: A03 LIST () \"\" \"%\" RETURN (CHILDREN)",
		"S: * LIST (\\HasChildren) \"/\" Fruit",
		"S: * LIST (\\HasNoChildren) \"/\" INBOX",
		"S: * LIST (\\HasNoChildren) \"/\" Tofu",
		"S: * LIST (\\HasChildren) \"/\" Vegetable", "S~ A03 OK ",
		"C: A06 LIST (REMOTE) \"\" \"F*\" RETURN (SUBSCRIBED)",
		"S: * LIST (\\HasChildren) \"/\" Fruit",
		"S: * LIST (\\HasNoChildren) \"/\" Fruit/Apple",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" Fruit/Banana",
		"S~ A06 OK ");
	/* RFC 3501 6.3.9: a level is \Noselect where what is below it is subscribed */
	TALK(&c, "C: b LSUB \"\" *", "S: * LSUB () \"/\" Fruit/Banana",
		"S: * LSUB () \"/\" Fruit/Peach", "S: * LSUB () \"/\" INBOX",
		"S: * LSUB () \"/\" Vegetable", "S: * LSUB () \"/\" Vegetable/Broccoli",
		"S~ b OK ", "C: c LSUB \"\" %", "S: * LSUB (\\Noselect) \"/\" Fruit",
		"S: * LSUB () \"/\" INBOX", "S: * LSUB () \"/\" Vegetable", "S~ c OK ");
	client_close(&c);
	world_close(&w);
}

/* examples 7 and 8 */
TEST(parents_of_what_is_subscribed_are_found_without_walking)
{
	world_open(&w, "");
	struct client c = bare();

	MAKE(&c, "Foo", "Foo/Bar", "Foo/Baz", "Moo");
	SUBSCRIBE(&c, "Foo/Baz");
	TALK(&c, "C: C02 LIST (SUBSCRIBED) \"\" \"%\"", "S~ C02 OK ",
		"C: C04 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"",
		"S: * LIST (\\HasChildren) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))",
		"S~ C04 OK ", "C: d SUBSCRIBE Foo", "S~ d OK ",
		"C: C04 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"",
		"S: * LIST (\\HasChildren \\Subscribed) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))",
		"S~ C04 OK ", "C: d UNSUBSCRIBE Foo", "S~ d OK ", "C: d DELETE Foo",
		"S~ d OK ", "C: C04 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"",
		"S: * LIST (\\NonExistent \\HasChildren) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))",
		"S~ C04 OK ", "C: d UNSUBSCRIBE Foo/Baz", "S~ d OK ",
		"C: C04 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"", "S~ C04 OK ",
		"C: d DELETE Foo/Bar", "S~ d OK ", "C: d DELETE Foo/Baz", "S~ d OK ",
		"C: d DELETE Moo", "S~ d OK ");
	MAKE(&c, "foo2", "foo2/bar1", "foo2/bar2", "baz2", "baz2/bar2", "baz2/bar22",
		"baz2/bar222", "eps2", "eps2/mamba", "qux2/bar2");
	SUBSCRIBE(&c, "foo2/bar1", "foo2/bar2", "baz2/bar2", "baz2/bar22", "baz2/bar222",
		"eps2", "eps2/mamba", "qux2/bar2");
	TALK(&c, "C: D03 LIST (RECURSIVEMATCH SUBSCRIBED) \"\" \"*2\"",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" baz2/bar2",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" baz2/bar22",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" baz2/bar222",
		"S: * LIST (\\HasChildren \\Subscribed) \"/\" eps2 (\"CHILDINFO\" (\"SUBSCRIBED\"))",
		"S: * LIST (\\HasChildren) \"/\" foo2 (\"CHILDINFO\" (\"SUBSCRIBED\"))",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" foo2/bar2",
		"S: * LIST (\\HasNoChildren \\Subscribed) \"/\" qux2/bar2", "S~ D03 OK ");
	/* example 9 */
	TALK(&c, "C: d CREATE foo", "S~ d OK ", "C: d SUBSCRIBE foo/bar", "S~ d OK ",
		"C: a1 LIST \"\" (\"foo\")", "S: * LIST (\\HasNoChildren) \"/\" foo",
		"S~ a1 OK ", "C: a2 LIST (SUBSCRIBED) \"\" \"foo/*\"",
		"S: * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" foo/bar",
		"S~ a2 OK ",
		"C: a3 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" foo RETURN (CHILDREN)",
		"S: * LIST (\\HasNoChildren) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))",
		"S~ a3 OK ");
	client_close(&c);
	world_close(&w);
}

TEST(status_tells_what_there_is_without_selecting)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	world_deliver(&w, w.anna, STR("Subject: one\r\n\r\nhello\r\n"));
	world_deliver(&w, w.anna, STR("Subject: two\r\n\r\nhello\r\n"));
	TALK(&c, "C: a STATUS inbox (MESSAGES UIDNEXT UNSEEN RECENT)",
		"S: * STATUS INBOX (MESSAGES 2 UIDNEXT 3 UNSEEN 2 RECENT 2)", "S~ a OK ",
		"C: b STATUS INBOX (SIZE DELETED DELETED-STORAGE MAILBOXID APPENDLIMIT)",
		"S: * STATUS INBOX (DELETED 0 DELETED-STORAGE 0 SIZE 2094 MAILBOXID (F1) APPENDLIMIT 67108864)",
		"S~ b OK ", "C: c SELECT INBOX", "S* c OK ",
		"C: d STORE 2 +FLAGS (\\Deleted \\Seen)", "S* d OK ",
		"C: e STATUS INBOX (DELETED DELETED-STORAGE UNSEEN RECENT)",
		"S: * STATUS INBOX (UNSEEN 1 RECENT 0 DELETED 1 DELETED-STORAGE 1047)",
		"S~ e OK ", "C: f STATUS nowhere (MESSAGES)", "S~ f NO [NONEXISTENT] ",
		"C: g LIST \"\" (IN% Sent nix) RETURN (STATUS (MESSAGES SIZE))",
		"S: * LIST (\\HasNoChildren) \"/\" INBOX",
		"S: * STATUS INBOX (MESSAGES 2 SIZE 2094)",
		"S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent",
		"S: * STATUS Sent (MESSAGES 0 SIZE 0)", "S~ g OK ",
		"C: h ENABLE IMAP4rev2", "S* h OK ", "C: i STATUS INBOX (RECENT)",
		"S~ i BAD ", "C: j STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)",
		"S* * STATUS INBOX (UIDVALIDITY ", "S* j OK ");
	client_close(&c);
	world_close(&w);
}

TEST(thousands_of_mailboxes_are_all_listed)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	for (unsigned i = 0; i < 300; i++) {
		BUF_AUTO b = BUF(200);

		buf_addf(&b, "C: m CREATE a-rather-long-name-of-a-mailbox/level-%u/%u",
			i % 7, i);
		TALK(&c, buf_z(&b), "S~ m OK ");
	}
	TALK(&c, "C: a LIST \"\" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT SIZE))",
		"S* * LIST (\\HasNoChildren) \"/\" a-rather-long-name-of-a-mailbox/level-6/97",
		"S~ * STATUS a-rather-long-name-of-a-mailbox/level-6/97 (MESSAGES 0 ",
		"S* a OK ", "C: b LIST \"\" *%*%*%*%*a%*%*%*0", "S* b OK ");
	client_close(&c);
	world_close(&w);
}
