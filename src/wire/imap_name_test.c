/* SPDX-License-Identifier: ISC */
#include "wire/imap_name.h"
#include "test/test.h"

enum { MEM = 1024 * 1024 };

TEST(names_of_older_clients_are_those_of_newer_ones)
{
	static const struct {
		str utf7, utf8;
	} cases[] = {
		/* RFC 3501 5.1.3 and RFC 2152's examples in its form */
		{ STR_INIT("~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
			STR_INIT("~peter/mail/台北/日本語") },
		{ STR_INIT("Entw&APw-rfe"), STR_INIT("Entwürfe") },
		{ STR_INIT("A&ImIDkQ-."), STR_INIT("A\xe2\x89\xa2\xce\x91.") },
		{ STR_INIT("Hi Mom -&Jjo--!"), STR_INIT("Hi Mom -\xe2\x98\xba-!") },
		{ STR_INIT("Tom &- Jerry"), STR_INIT("Tom & Jerry") },
		{ STR_INIT("&-&-"), STR_INIT("&&") },
		{ STR_INIT("&2D3eAA-"), STR_INIT("\xf0\x9f\x98\x80") },
		{ STR_INIT("&2D3eAADp-x"), STR_INIT("\xf0\x9f\x98\x80\xc3\xa9x") },
		{ STR_INIT("&AOk-&-"), STR_INIT("\xc3\xa9&") },
		{ STR_INIT(""), STR_INIT("") },
	};
	struct arena *mem = arena_new(MEM);
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		str s;

		if (imap_utf7_in(cases[i].utf7, mem, &s) != RC_OK ||
			!str_eq(s, cases[i].utf8))
			fail_msg(STR_FMT, STR_ARG(cases[i].utf7));
		buf_clear(&b);
		imap_put_utf7(&b, cases[i].utf8);
		assert_true(str_eq(buf_str(&b), cases[i].utf7));
	}
	arena_free(&mem);
}

TEST(a_name_cannot_be_written_in_two_ways)
{
	static const str cases[] = {
		STR_INIT("&Jjo!"), /* RFC 3501 5.1.3: no end */
		STR_INIT("&U,BTFw-&ZeVnLIqe-"), /* there too: one shift would do */
		STR_INIT("&"),
		STR_INIT("&Jjo"),
		STR_INIT("a&b"),
		STR_INIT("&AGE-"), /* an 'a' */
		STR_INIT("&ACY-"), /* an '&' */
		STR_INIT("&AOkAYQ-"), /* "éa" */
		STR_INIT("&AOk=-"),
		STR_INIT("&AOk/-"),
		STR_INIT("&AO-"),
		STR_INIT("&A-"),
		STR_INIT("&AOkA-"), /* more letters than bits */
		STR_INIT("&AOl-"), /* bits behind the last */
		STR_INIT("&2D0-"),
		STR_INIT("&3gA-"), /* halves of pairs */
		STR_INIT("&2D0AYQ-"),
		STR_INIT("&2D3YPQ-"),
		STR_INIT("&3gDYPQ-"),
		STR_INIT("\xc3\xa9"),
		STR_INIT("a\tb"),
		STR_INIT("\x7f"),
		STR_INIT("a\0b"),
	};
	struct arena *mem = arena_new(MEM);
	str s;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (imap_utf7_in(cases[i], mem, &s) != RC_BAD)
			fail_msg(STR_FMT, STR_ARG(cases[i]));
	arena_free(&mem);
}

TEST(names_are_kept_in_one_form)
{
	static const struct {
		str in;
		bool utf8;
		const char *out; /* NULL: refused */
		bool folder;
	} cases[] = {
		{ STR_INIT("INBOX"), true, "INBOX", false },
		{ STR_INIT("inBox"), false, "INBOX", false },
		{ STR_INIT("inbox/Sub"), false, "INBOX/Sub", false },
		{ STR_INIT("inboxes"), false, "inboxes", false },
		{ STR_INIT("a/inbox"), false, "a/inbox", false },
		{ STR_INIT("a b/c"), false, "a b/c", false },
		{ STR_INIT("a/b/"), false, "a/b", true },
		{ STR_INIT("Entw&APw-rfe"), false, "Entw\xc3\xbcrfe", false },
		{ STR_INIT("Entw&APw-rfe"), true, "Entw&APw-rfe", false },
		{ STR_INIT("Entwu\xcc\x88rfe"), true, "Entw\xc3\xbcrfe", false },
		{ STR_INIT("Entwu&Awg-rfe"), false, "Entw\xc3\xbcrfe", false },
		{ STR_INIT("Entw\xc3\xbcrfe"), false, NULL, false },
		{ STR_INIT("\xff"), true, NULL, false },
		{ STR_INIT("&"), false, NULL, false },
		{ STR_INIT(""), true, NULL, false },
		{ STR_INIT("/"), true, NULL, false },
		{ STR_INIT("/a"), true, NULL, false },
		{ STR_INIT("a//b"), true, NULL, false },
		{ STR_INIT("a//"), true, NULL, false },
		{ STR_INIT("a*"), true, NULL, false },
		{ STR_INIT("a%b"), true, NULL, false },
		{ STR_INIT("a\rb"), true, NULL, false },
		{ STR_INIT("a\0b"), true, NULL, false },
		{ STR_INIT("a\x7f"), true, NULL, false },
		{ STR_INIT("a\xc2\x85"), true, NULL, false },
		{ STR_INIT("a\xe2\x80\xa8"), true, NULL, false },
		{ STR_INIT("&AAA-"), false, NULL, false },
		{ STR_INIT("&AA0ACg-"), false, NULL, false },
	};
	struct arena *mem = arena_new(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };
		bool folder = false;
		str s;

		enum rc rc = imap_name_in(
			cases[i].in, cases[i].utf8, mem, &s, &folder, &err);
		if (rc != (cases[i].out == NULL ? RC_BAD : RC_OK))
			fail_msg(STR_FMT ": %s", STR_ARG(cases[i].in), err.text);
		if (rc != RC_OK) {
			assert_string_not_equal(err.text, "");
			continue;
		}
		assert_true(str_eq(s, str_of(cases[i].out)));
		assert_int_equal(folder, cases[i].folder);
		/* what was kept is taken again as it is */
		assert_int_equal(imap_name_in(s, true, mem, &s, NULL, &err), RC_OK);
		assert_true(str_eq(s, str_of(cases[i].out)));
	}
	arena_free(&mem);
}

TEST(names_have_a_length_and_levels_that_can_be_kept)
{
	struct arena *mem = arena_new(MEM);
	BUF_AUTO b = BUF(MEM);
	struct err err;
	str s;

	for (int i = 0; i < MAILBOX_NAME_MOST; i++)
		buf_addc(&b, 'n');
	assert_int_equal(imap_name_in(buf_str(&b), true, mem, &s, NULL, &err), RC_OK);
	buf_addc(&b, 'n');
	assert_int_equal(imap_name_in(buf_str(&b), true, mem, &s, NULL, &err), RC_BAD);

	buf_clear(&b);
	for (int i = 1; i < MAILBOX_LEVELS_MOST; i++)
		buf_add(&b, STR("l/"));
	buf_addc(&b, 'l');
	assert_int_equal(imap_name_in(buf_str(&b), true, mem, &s, NULL, &err), RC_OK);
	buf_add(&b, STR("/l"));
	assert_int_equal(imap_name_in(buf_str(&b), true, mem, &s, NULL, &err), RC_BAD);
	assert_int_equal(imap_name_in(STR("a/"), true, mem, &s, NULL, &err), RC_BAD);
	arena_free(&mem);
}

TEST(names_are_told_as_the_client_can_read_them)
{
	static const struct {
		str name;
		const char *utf7, *utf8;
	} cases[] = {
		{ STR_INIT("INBOX"), "INBOX", "INBOX" },
		{ STR_INIT("a b"), "\"a b\"", "\"a b\"" },
		{ STR_INIT("a\"\\"), "\"a\\\"\\\\\"", "\"a\\\"\\\\\"" },
		{ STR_INIT("a&b"), "a&-b", "a&b" },
		{ STR_INIT("Entw\xc3\xbcrfe \"\\"), "\"Entw&APw-rfe \\\"\\\\\"",
			"\"Entw\xc3\xbcrfe \\\"\\\\\"" },
		{ STR_INIT(""), "\"\"", "\"\"" },
		{ STR_INIT("NIL"), "\"NIL\"", "\"NIL\"" },
		{ STR_INIT("a]"), "a]", "a]" },
	};
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		imap_put_name(&b, cases[i].name, false);
		assert_string_equal(buf_z(&b), cases[i].utf7);
		buf_clear(&b);
		imap_put_name(&b, cases[i].name, true);
		assert_string_equal(buf_z(&b), cases[i].utf8);
	}
}

TEST(a_list_shows_the_mailboxes_that_were_asked_for)
{
	static const struct {
		str pattern, name;
		bool is;
	} cases[] = {
		{ STR_INIT("*"), STR_INIT("a/b/c"), true },
		{ STR_INIT("%"), STR_INIT("a"), true },
		{ STR_INIT("%"), STR_INIT("a/b"), false },
		{ STR_INIT("%/%"), STR_INIT("a/b"), true },
		{ STR_INIT("%/%"), STR_INIT("a"), false },
		{ STR_INIT("a/%"), STR_INIT("a/b"), true },
		{ STR_INIT("a/%"), STR_INIT("a/b/c"), false },
		{ STR_INIT("a/*"), STR_INIT("a/b/c"), true },
		{ STR_INIT("a/*"), STR_INIT("a"), false },
		{ STR_INIT("a*"), STR_INIT("a"), true },
		{ STR_INIT("a"), STR_INIT("A"), false },
		{ STR_INIT(""), STR_INIT("a"), false },
		{ STR_INIT(""), STR_INIT(""), true },
		{ STR_INIT("%*"), STR_INIT("a/b"), true },
		{ STR_INIT("*%"), STR_INIT("a/b"), true },
		{ STR_INIT("%%"), STR_INIT("a/b"), false },
		{ STR_INIT("*b%d"), STR_INIT("ab/b/bcd"), true },
		{ STR_INIT("*b%d"), STR_INIT("ab/b/bc/d"), false },
		{ STR_INIT("a%c%e"), STR_INIT("abcde"), true },
		{ STR_INIT("a%c%e"), STR_INIT("abc/e"), false },
		{ STR_INIT("a*c%e"), STR_INIT("abc/c/ce"), true },
		{ STR_INIT("inbox"), STR_INIT("INBOX"), true },
		{ STR_INIT("InB%"), STR_INIT("INBOX"), true },
		{ STR_INIT("*x"), STR_INIT("INBOX"), true },
		{ STR_INIT("inbox/%"), STR_INIT("INBOX/a"), true },
		{ STR_INIT("inbox/A"), STR_INIT("INBOX/a"), false },
		{ STR_INIT("inboxes"), STR_INIT("INBOXES"), false },
		{ STR_INIT("caf\xc3\xa9"), STR_INIT("caf\xc3\xa9"), true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (imap_list_match(cases[i].pattern, cases[i].name) != cases[i].is)
			fail_msg(STR_FMT " " STR_FMT, STR_ARG(cases[i].pattern),
				STR_ARG(cases[i].name));
}

/* With backtracking this would not end. */
TEST(a_pattern_cannot_keep_the_server_busy)
{
	BUF_AUTO pattern = BUF(MEM);
	BUF_AUTO name = BUF(MEM);

	for (int i = 0; i < MAILBOX_NAME_MOST; i++)
		buf_addc(&name, 'a');
	for (int i = 0; i < MAILBOX_NAME_MOST - 1; i++)
		buf_add(&pattern, STR("%*a"));
	buf_add(&pattern, STR("b"));
	assert_false(imap_list_match(buf_str(&pattern), buf_str(&name)));
	pattern.data[pattern.len - 1] = '*';
	assert_true(imap_list_match(buf_str(&pattern), buf_str(&name)));
	for (int i = 0; i < 100 * 1000; i++)
		buf_add(&pattern, STR("%*"));
	assert_true(imap_list_match(buf_str(&pattern), buf_str(&name)));
}
