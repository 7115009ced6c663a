/* SPDX-License-Identifier: ISC */
/* CREATE, DELETE, RENAME, SUBSCRIBE, quotas. */
#include "imap/imap_world.h"
#include "test/test.h"

static struct world w;

TEST(mailboxes_are_made_named_and_deleted)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	TALK(&c, "C: A003 CREATE owatagusiam/", "S~ A003 OK [MAILBOXID (F",
		"C: A004 CREATE owatagusiam/blurdybloop", "S~ A004 OK [MAILBOXID (",
		"C: a CREATE owatagusiam", "S~ a NO [ALREADYEXISTS] ",
		"C: a CREATE iNbOx", "S~ a NO [ALREADYEXISTS] ", "C: a CREATE a//b",
		"S~ a NO [CANNOT] ", "C: a CREATE \"\"", "S~ a NO [CANNOT] ",
		"C: a CREATE \"a*b\"", "S~ a NO [CANNOT] ", "C: a CREATE", "S~ a BAD ",
		"C: a CREATE a b", "S~ a BAD ", "C: a DELETE inbox", "S~ a NO [CANNOT] ",
		"C: a DELETE nix", "S~ a NO [NONEXISTENT] ", "C: a RENAME nix nox",
		"S~ a NO [NONEXISTENT] ", "C: a RENAME owatagusiam owatagusiam/x",
		"S~ a NO [CANNOT] ", "C: a RENAME owatagusiam Sent",
		"S~ a NO [ALREADYEXISTS] ", "C: a RENAME owatagusiam zap", "S~ a OK ",
		"C: a LIST \"\" z*", "S: * LIST (\\HasChildren) \"/\" zap",
		"S: * LIST (\\HasNoChildren) \"/\" zap/blurdybloop", "S~ a OK ",
		"C: a RENAME zap", "S~ a BAD ", "C: a SUBSCRIBE zap x", "S~ a BAD ");
	client_close(&c);
	world_close(&w);
}

/* RFC 3501 6.3.5 */
TEST(renaming_inbox_leaves_an_empty_one_behind)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	world_deliver(&w, w.anna, STR("Subject: one\r\n\r\nhello\r\n"));
	TALK(&c, "C: Z434 RENAME INBOX old-mail", "S~ Z434 OK ",
		"C: a STATUS old-mail (MESSAGES UNSEEN)",
		"S: * STATUS old-mail (MESSAGES 1 UNSEEN 1)", "S~ a OK ",
		"C: a STATUS INBOX (MESSAGES)", "S: * STATUS INBOX (MESSAGES 0)",
		"S~ a OK ", "C: a SELECT old-mail", "S* * 1 EXISTS", "S* a OK ",
		"C: b FETCH 1 (FLAGS BODY[TEXT])", "S* hello", "S* b OK ");
	client_close(&c);
	world_close(&w);
}

/* RFC 6154 5.3 */
TEST(a_mailbox_can_be_made_for_a_use_that_none_has)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	TALK(&c, "C: t1 CREATE MySent (USE (\\Sent))", "S~ t1 NO [USEATTR] ",
		"C: t1 DELETE Sent", "S~ t1 OK ", "C: t1 CREATE MySent (USE (\\sent))",
		"S~ t1 OK ", "C: t2 LIST (SPECIAL-USE) \"\" M*",
		"S: * LIST (\\HasNoChildren \\Sent) \"/\" MySent", "S~ t2 OK ",
		"C: t3 CREATE Everything (USE (\\All))", "S~ t3 NO [USEATTR] ",
		"C: t4 CREATE Two (USE (\\Trash \\Sent))", "S~ t4 NO [USEATTR] ",
		"C: t5 CREATE None (USE ())", "S~ t5 OK ", "C: t6 CREATE x (USE \\Sent)",
		"S~ t6 BAD ", "C: t6 CREATE x (USE (Sent))", "S~ t6 BAD ",
		"C: t6 CREATE x (FOO)", "S~ t6 BAD ", "C: t7 LIST \"\" x", "S~ t7 OK ");
	client_close(&c);
	world_close(&w);
}

TEST(names_of_any_language_go_in_and_out_as_the_client_writes_them)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");

	TALK(&c, "C: a CREATE \"M&APw-ll/&U,BTFw-\"", "S~ a OK ", "C: a LIST \"\" M*",
		"S: * LIST (\\HasNoChildren) \"/\" M&APw-ll/&U,BTFw-", "S~ a OK ",
		"C: a LIST \"\" \"M&APw-ll/%\"",
		"S: * LIST (\\HasNoChildren) \"/\" M&APw-ll/&U,BTFw-", "S~ a OK ",
		"C: a CREATE \"M\xc3\xbcll\"", "S~ a ", "C: a CREATE \"bad&U\"",
		"S~ a NO [CANNOT] ", "C: b ENABLE IMAP4rev2", "S* b OK ",
		"C: c LIST \"\" M*/%",
		"S: * LIST (\\HasNoChildren) \"/\" \"M\xc3\xbcll/\xe5\x8f\xb0\xe5\x8c\x97\"",
		"S~ c OK ",
		/* decomposed: RFC 9051 6.3.9.7 */
		"C: d CREATE \"Mu\xcc\x88he\"",
		"S: * LIST () \"/\" \"M\xc3\xbche\" (\"OLDNAME\" (\"Mu\xcc\x88he\"))",
		"S~ d OK ", "C: e LIST \"\" \"Mu\xcc\x88%\"",
		"S: * LIST (\\HasNoChildren) \"/\" \"M\xc3\xbche\"", "S* e OK ",
		"C: f CREATE inbox/x",
		"S: * LIST () \"/\" INBOX/x (\"OLDNAME\" (inbox/x))", "S~ f OK ",
		"C: g DELETE inbox/x",
		"S: * LIST (\\NonExistent) \"/\" INBOX/x (\"OLDNAME\" (inbox/x))",
		"S~ g OK ");
	client_close(&c);
	world_close(&w);
}

TEST(a_mailbox_deleted_under_its_own_session_is_closed)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna"), d = client_in(&w, "anna");

	TALK(&c, "C: a CREATE x", "S~ a OK ", "C: b SELECT x", "S* b OK ",
		"C: c DELETE x", "S~ c OK ", "C: d FETCH 1 FLAGS", "S~ d BAD ",
		"C: e CREATE x", "S~ e OK ", "C: f SELECT x", "S* f OK ");
	TALK(&d, "C: a RENAME x y", "S~ a OK ");
	TALK(&c, "C: g NOOP", "S* g OK ", "C: h STATUS y (MESSAGES)",
		"S: * STATUS y (MESSAGES 0)", "S~ h OK ", "C: i APPEND y {21+}",
		"C: Subject: one", "C: ", "C: hello", "S* i OK ");
	client_close(&c);
	client_close(&d);
	world_close(&w);
}

TEST(quotas_are_told_and_not_set)
{
	world_open(&w, "");
	struct client c = client_in(&w, "anna");
	struct err err = { 0 };

	TALK(&c, "C: a GETQUOTAROOT INBOX", "S~ * QUOTAROOT INBOX", "S* a OK ",
		"C: a GETQUOTA nonsense", "S~ a NO [NONEXISTENT] ",
		"C: a SETQUOTA \"\" (STORAGE 512)", "S~ a NO [NOPERM] ",
		"C: a SETQUOTA \"\"", "S~ a BAD ", "C: a GETQUOTA", "S~ a BAD ",
		"C: a GETQUOTAROOT", "S~ a BAD ", "C: a SETQUOTA \"\" ()",
		"S~ a NO [NOPERM] ", "C: a SETQUOTA \"\" (A)", "S~ a BAD ");
	assert_int_equal(
		account_quota(w.house.directory, STR("anna@x.test"), true, 1 << 20, &err),
		RC_OK);
	world_deliver(&w, w.anna, STR("Subject: one\r\n\r\nhello\r\n"));
	TALK(&c, "C: b GETQUOTAROOT \"not yet\"", "S: * QUOTAROOT \"not yet\" \"\"",
		"S: * QUOTA \"\" (STORAGE 2 1024 MESSAGE 1 4294967295)", "S~ b OK ",
		"C: c GETQUOTA \"\"",
		"S: * QUOTA \"\" (STORAGE 2 1024 MESSAGE 1 4294967295)", "S~ c OK ");
	assert_int_equal(
		account_quota(w.house.directory, STR("anna@x.test"), true, 0, &err),
		RC_OK);
	TALK(&c, "C: b GETQUOTAROOT INBOX", "S: * QUOTAROOT INBOX", "S~ b OK ",
		"C: c GETQUOTA \"\"", "S~ c NO [NONEXISTENT] ");
	client_close(&c);
	world_close(&w);
}
