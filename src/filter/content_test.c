/* SPDX-License-Identifier: ISC */
/* Checks of what the scanner found in a message. */
#include "filter/checks/checks.h"
#include "mime/odd.h"
#include "test/test.h"

static struct findings
look_at(struct arena *mem, const struct content *c)
{
	static const struct facts facts;
	struct evidence e = { .fd = -1, .facts = &facts, .content = c };
	struct findings f = { .mem = mem };

	assert_int_equal(filter_look(&e, &f, NULL), RC_OK);
	return f;
}

static const struct finding *
find(const struct findings *f, const struct check *c)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].check == c)
			return &f->at[i];
	return NULL;
}

/* A message with one leaf. */
static struct findings
look_at_leaf(struct arena *mem, struct content_leaf leaf)
{
	struct content c = { .nleaves = 1, .leaves = &leaf };

	return look_at(mem, &c);
}

TEST(dangerous_files_are_found_by_name_and_by_what_they_are)
{
	static const struct {
		const char *name, *type;
		uint32_t flags;
		const struct check *found;
	} cases[] = {
		{ "setup.exe", "", 0, &check_dangerous_file },
		{ "SETUP.ExE", "", 0, &check_dangerous_file },
		{ "setup.exe. . ", "", 0, &check_dangerous_file },
		{ "dir.pdf/setup.scr", "", 0, &check_dangerous_file },
		{ "report.pdf", "exe", 0, &check_dangerous_file },
		{ "", "elf", 0, &check_dangerous_file },
		{ "a.iso", "iso", 0, &check_dangerous_file },
		{ "a/b\\run.js", "", LEAF_MEMBER, &check_dangerous_member },
		{ "x", "exe", LEAF_MEMBER | LEAF_ENCRYPTED, &check_dangerous_member },
		{ "report.pdf", "pdf", LEAF_ATTACHED, NULL },
		{ "exe", "", 0, NULL },
		{ "a.exe.txt", "", 0, NULL },
		{ "js/readme.txt", "", LEAF_MEMBER, NULL },
		{ "", "", 0, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(4096);
		struct findings f = look_at_leaf(
			mem, (struct content_leaf){ .name = str_of(cases[i].name),
				     .true_type = str_of(cases[i].type),
				     .flags = cases[i].flags });

		assert_int_equal(find(&f, &check_dangerous_file) != NULL ||
					 find(&f, &check_dangerous_member) != NULL,
			cases[i].found != NULL);
		if (cases[i].found != NULL && find(&f, cases[i].found) == NULL)
			fail_msg("%s", cases[i].name);
	}
}

TEST(a_finding_names_our_word_and_not_the_messages)
{
	ARENA_AUTO mem = arena_new(4096);
	struct findings f = look_at_leaf(
		mem, (struct content_leaf){ .name = STR("My Secret.EXE") });

	assert_int_equal(f.n, 1);
	assert_true(str_eq(f.at[0].detail, STR("exe")));
}

TEST(attachments_that_hide_what_they_are_count)
{
	static const struct {
		struct content_leaf leaf;
		const struct check *found;
	} cases[] = {
		{ { .name = STR_INIT("photo\xe2\x80\xaegpj.txt") }, &check_name_hides },
		{ { .name = STR_INIT("bill.pdf              .txt") }, &check_name_hides },
		{ { .odd = MIME_ODD(NAME_CONFLICT) }, &check_name_hides },
		{ { .odd = MIME_ODD(TYPE_CONFLICT) }, &check_type_conflict },
		{ { .flags = LEAF_ENCRYPTED | LEAF_UNOPENED }, &check_encrypted_archive },
		{ { .flags = LEAF_UNOPENED }, &check_unopened_archive },
		{ { .odd = MIME_ODD(ARCHIVE_BAD) }, &check_unopened_archive },
		{ { .true_type = STR_INIT("docx-macros") }, &check_macros },
		{ { .flags = LEAF_MEMBER, .name = STR_INIT("xl/vbaProject.bin") },
			&check_macros },
		{ { .true_type = STR_INIT("docx"), .name = STR_INIT("a b c.docx") },
			NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(4096);
		struct findings f = look_at_leaf(mem, cases[i].leaf);

		assert_int_equal(f.n, cases[i].found != NULL);
		if (f.n > 0)
			assert_ptr_equal(f.at[0].check, cases[i].found);
	}
}

TEST(what_lies_only_in_an_attached_message_is_marked)
{
	ARENA_AUTO mem = arena_new(4096);
	struct content_leaf leaves[] = {
		{ .name = STR("a.exe"), .flags = LEAF_IN_MESSAGE },
		{ .name = STR("b.exe"), .flags = LEAF_IN_MESSAGE },
		{ .name = STR("c.js") },
	};
	struct content c = { .nleaves = 2, .leaves = leaves };
	struct findings f = look_at(mem, &c);

	assert_int_equal(f.n, 1);
	assert_true(f.at[0].inside);
	c.nleaves = 3;
	f = look_at(mem, &c);
	assert_int_equal(f.n, 1);
	assert_false(f.at[0].inside);
	assert_true(str_eq(f.at[0].detail, STR("js")));
}

TEST(oddities_count_once_each_and_honest_clumsiness_little)
{
	ARENA_AUTO mem = arena_new(16 * 1024);
	struct content c = { .odd = ~(uint64_t)0 };
	struct findings f = look_at(mem, &c);
	const uint64_t honest = MIME_ODD(NO_MIME_VERSION) | MIME_ODD(UNCLOSED) |
				MIME_ODD(PREAMBLE) | MIME_ODD(EPILOGUE) |
				MIME_ODD(BAD_BASE64) | MIME_ODD(BAD_QP) |
				MIME_ODD(UNENCODED) | MIME_ODD(UNKNOWN_CHARSET) |
				MIME_ODD(TNEF) | MIME_ODD(EMBEDDED);
	struct policy_of usual = { 5000, false };

	assert_int_equal(f.n, ODDITIES);
	assert_int_equal(filter_judge(&f, &usual).what, VERDICT_REFUSE);
	c.odd = honest;
	f = look_at(mem, &c);
	assert_true(filter_judge(&f, &usual).score <= 500);
}

TEST(links_that_do_not_lead_where_they_say_are_found)
{
	static const struct {
		const char *text, *url;
		const struct check *found;
	} cases[] = {
		{ "https://bank.example/login", "https://evil.test/bank.example",
			&check_link_text },
		{ " www.bank.example ", "http://www.bank.example.evil.test/",
			&check_link_text },
		{ "WWW.Bank.example", "https://click.bank.example/x?1", NULL },
		{ "https://www.bank.co.uk", "https://mail.bank.co.uk/", NULL },
		{ "https://bank.co.uk", "https://evil.co.uk/", &check_link_text },
		{ "www.t.co", "https://t.co/x", NULL },
		{ "https://t.co/x", "https://www.t.co/x", NULL },
		{ "click here", "https://evil.test/", NULL },
		{ "report.pdf", "https://files.test/", NULL },
		{ "see www.bank.example for more", "https://evil.test/", NULL },
		{ "mail@bank.example", "mailto:mail@bank.example", NULL },
		{ "https://a.test:8443/", "https://a.test/", NULL },
		{ "x", "http://192.0.2.1/a", &check_link_address },
		{ "x", "http:\\\\3221225985\\a", &check_link_address },
		{ "x", "https://0xc0000201/", &check_link_address },
		{ "x", "https://[2001:db8::1]:80/", &check_link_address },
		{ "x", "https://bank.example@evil.test/", &check_link_userinfo },
		{ "x", "https://evil.test/@bank.example", NULL },
		{ "x", "https://www.xn--bnk-5la.example/", &check_link_punycode },
		{ "", "", NULL },
		{ "x", "http://", NULL },
		{ "x", "https:", NULL },
		{ "http://", "http://x.test", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(4096);
		struct content_link link = { .url = str_of(cases[i].url),
			.text = str_of(cases[i].text) };
		struct content c = { .nlinks = 1, .links = &link };
		struct findings f = look_at(mem, &c);

		if (f.n != (cases[i].found != NULL))
			fail_msg("%s -> %s: %zu", cases[i].text, cases[i].url, f.n);
		if (f.n > 0)
			assert_ptr_equal(f.at[0].check, cases[i].found);
	}
}

TEST(a_newsletters_hidden_line_is_nothing_and_a_hidden_novel_is)
{
	ARENA_AUTO mem = arena_new(4096);
	struct content c = { .text_bytes = 700, .hidden_bytes = 400 };

	assert_int_equal(look_at(mem, &c).n, 0);
	c.hidden_bytes = 3000;
	assert_int_equal(look_at(mem, &c).n, 1);
	c.text_bytes = 4000;
	assert_int_equal(look_at(mem, &c).n, 0);
}
