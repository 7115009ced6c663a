/* SPDX-License-Identifier: ISC */
#include "wire/imap_structure.h"

#include "test/test.h"

static void
string_is(str s, str want)
{
	BUF_AUTO b = BUF(1024);

	imap_put_string(&b, s);
	assert_true(str_eq(buf_str(&b), want));
}

TEST(a_clients_parser_meets_only_strings_it_can_read)
{
	string_is(STR(""), STR("\"\""));
	string_is(STR("a b"), STR("\"a b\""));
	string_is(STR("a\"b\\c"), STR("\"a\\\"b\\\\c\""));
	string_is(STR("\"\"\"\"\""), STR("{5}\r\n\"\"\"\"\""));
	string_is(STR("\xc3\xa4"), STR("{2}\r\n\xc3\xa4"));
}

static struct fact_address people[] = {
	{ STR_INIT("Al  \"x\""), STR_INIT("al"), STR_INIT("example.test") },
	{ STR_INIT(""), STR_INIT("friends"), STR_INIT("") },
	{ STR_INIT(""), STR_INIT("bo"), STR_INIT("example.test") },
	{ STR_INIT(""), STR_INIT(""), STR_INIT("") },
	{ STR_INIT(""), STR_INIT(""), STR_INIT("example.test") },
};

static void
envelope_is(const struct fact_envelope *e, const char *want)
{
	BUF_AUTO b = BUF(4096);

	imap_put_envelope(&b, e);
	assert_string_equal(buf_z(&b), want);
}

TEST(an_envelope_shows_who_wrote_to_whom)
{
	struct fact_envelope e = { .subject = STR(" one \t two "),
		.date = STR(""),
		.from = { 1, people },
		.to = { 4, people + 1 } };

	envelope_is(&e,
		"(\"\" \"one two\" (({6}\r\nAl \"x\" NIL \"al\" \"example.test\")) "
		"(({6}\r\nAl \"x\" NIL \"al\" \"example.test\")) "
		"(({6}\r\nAl \"x\" NIL \"al\" \"example.test\")) "
		"((NIL NIL \"friends\" NIL)(NIL NIL \"bo\" \"example.test\")(NIL NIL NIL NIL)"
		"(NIL NIL \"MISSING_MAILBOX\" \"example.test\")) NIL NIL NIL NIL)");
	envelope_is(&(struct fact_envelope){ .message_id = STR("<a@b>") },
		"(NIL NIL NIL NIL NIL NIL NIL NIL NIL \"<a@b>\")");
}

static struct fact_param boundary = { STR_INIT("boundary"), STR_INIT("b") };
static struct fact_param filename = { STR_INIT("filename"), STR_INIT("a.pdf") };
static struct fact_envelope none;

static struct fact_part parts[] = {
	{ .kind = FACT_MULTIPART,
		.body_at = 100,
		.end = 1000,
		.type = STR_INIT("multipart"),
		.subtype = STR_INIT("mixed"),
		.nparams = 1,
		.params = &boundary },
	{ .up = 1,
		.header_at = 110,
		.body_at = 150,
		.end = 300,
		.body_lines = 3,
		.type = STR_INIT("text"),
		.subtype = STR_INIT("plain"),
		.text = true,
		.language = STR_INIT("en, de (x)") },
	{ .kind = FACT_MESSAGE,
		.up = 1,
		.header_at = 310,
		.body_at = 400,
		.end = 900,
		.body_lines = 9,
		.type = STR_INIT("message"),
		.subtype = STR_INIT("rfc822"),
		.envelope = &none,
		.disposition = STR_INIT("attachment"),
		.ndisposition = 1,
		.disposition_params = &filename },
	{ .kind = FACT_MULTIPART,
		.up = 3,
		.header_at = 400,
		.body_at = 500,
		.end = 900,
		.type = STR_INIT("multipart"),
		.subtype = STR_INIT("digest") },
	{ .up = 1,
		.header_at = 950,
		.body_at = 960,
		.end = 999,
		.type = STR_INIT("image"),
		.subtype = STR_INIT("png"),
		.encoding = STR_INIT("base64"),
		.id = STR_INIT("<i>"),
		.md5 = STR_INIT("m") },
};

static void
structure_is(bool extended, const char *want)
{
	const struct fact_structure s = { sizeof(parts) / sizeof(parts[0]), parts };
	BUF_AUTO b = BUF(4096);

	imap_put_structure(&b, &s, 0, extended);
	assert_string_equal(buf_z(&b), want);
}

TEST(a_body_structure_shows_every_part_where_it_is)
{
	structure_is(false,
		"((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 150 3)"
		"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 500 "
		"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
		"((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)"
		" \"digest\") 9)"
		"(\"image\" \"png\" NIL \"<i>\" NIL \"base64\" 39) \"mixed\")");
	structure_is(true,
		"((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 150 3"
		" NIL NIL (\"en\" \"de\") NIL)"
		"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 500 "
		"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
		"((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"
		" NIL NIL NIL NIL) \"digest\" NIL NIL NIL NIL) 9"
		" NIL (\"attachment\" (\"filename\" \"a.pdf\")) NIL NIL)"
		"(\"image\" \"png\" NIL \"<i>\" NIL \"base64\" 39 \"m\" NIL NIL NIL)"
		" \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)");
}

TEST(a_text_has_the_charset_that_it_says)
{
	static struct fact_param params[] = { { STR_INIT("format"), STR_INIT("flowed") },
		{ STR_INIT("CharSet"), STR_INIT("x") } };
	struct fact_part text = { .type = STR_INIT("text"),
		.subtype = STR_INIT("plain"),
		.text = true,
		.nparams = 2,
		.params = params };
	BUF_AUTO b = BUF(4096);

	imap_put_structure(&b, &(struct fact_structure){ 1, &text }, 0, false);
	assert_string_equal(buf_z(&b),
		"(\"text\" \"plain\" (\"format\" \"flowed\" \"CharSet\" \"x\")"
		" NIL NIL \"7bit\" 0 0)");
	buf_clear(&b);
	text.nparams = 1;
	imap_put_structure(&b, &(struct fact_structure){ 1, &text }, 0, false);
	assert_string_equal(buf_z(&b),
		"(\"text\" \"plain\" (\"format\" \"flowed\" \"charset\" \"us-ascii\")"
		" NIL NIL \"7bit\" 0 0)");
}
