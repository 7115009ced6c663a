/* SPDX-License-Identifier: ISC */
#include "wire/smtp_cmd.h"
#include "wire/smtp_reply.h"
#include "test/test.h"

TEST(a_command_with_a_bare_newline_or_nul_is_none)
{
	static const str bad[] = {
		STR_INIT("NOOP\nRSET"),
		STR_INIT("NOOP\rRSET"),
		STR_INIT("NO\0OP"),
		STR_INIT("RCPT TO:<a@b.c>\n"),
		STR_INIT("\r"),
	};
	struct smtp_line l;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(smtp_line_read(bad[i], &l));
	assert_true(smtp_line_read(STR("mail FROM:<a@b.c>  "), &l));
	assert_true(str_eq(l.verb, STR("mail")));
	assert_true(str_eq(l.args, STR("FROM:<a@b.c>")));
	assert_true(smtp_line_read(STR(""), &l));
	assert_true(str_empty(l.verb));
}

TEST(mail_reads_its_parameters)
{
	struct smtp_mail m;

	assert_int_equal(
		smtp_mail_read(
			STR("from:<a@b.c> size=12345  BODY=BinaryMime SMTPUTF8 PRDR"),
			&m),
		SMTP_GOOD);
	assert_string_equal(m.from.plain, "a@b.c");
	assert_int_equal(m.size, 12345);
	assert_int_equal(m.body, SMTP_BODY_BINARYMIME);
	assert_true(m.utf8 && m.prdr);
	assert_int_equal(smtp_mail_read(STR("FROM:<>"), &m), SMTP_GOOD);
	assert_true(str_empty(m.from.text));
	assert_int_equal(
		smtp_mail_read(STR("FROM:<> SIZE=99999999999999999999"), &m), SMTP_GOOD);
	assert_true(m.size == UINT64_MAX);
}

TEST(mail_is_refused_for_the_right_reason)
{
	static const struct {
		str args;
		enum smtp_bad bad;
	} cases[] = {
		{ STR_INIT(""), SMTP_BAD_SYNTAX },
		{ STR_INIT("<a@b.c>"), SMTP_BAD_SYNTAX },
		{ STR_INIT("TO:<a@b.c>"), SMTP_BAD_SYNTAX },
		{ STR_INIT("FROM: <a@b.c>"), SMTP_BAD_ADDRESS }, /* RFC 5321 3.3 */
		{ STR_INIT("FROM:a@b.c"), SMTP_BAD_ADDRESS },
		{ STR_INIT("FROM:<Postmaster>"), SMTP_BAD_ADDRESS },
		{ STR_INIT("FROM:<a@b.c>SIZE=1"), SMTP_BAD_ADDRESS },
		{ STR_INIT("FROM:<a@b.c> SIZE"), SMTP_BAD_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> SIZE="), SMTP_BAD_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> SIZE=-1"), SMTP_BAD_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> SIZE=1 SIZE=1"), SMTP_BAD_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> BODY=9BIT"), SMTP_BAD_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> PRDR=yes"), SMTP_BAD_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> SMTPUTF8=1"), SMTP_BAD_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> RET=FULL"), SMTP_NO_PARAMETER },
		{ STR_INIT("FROM:<a@b.c> AUTH=<>"), SMTP_NO_PARAMETER },
		{ STR_INIT("FROM:<ä@b.c>"), SMTP_NEEDS_UTF8 },
	};
	struct smtp_mail m;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(smtp_mail_read(cases[i].args, &m), cases[i].bad);
}

TEST(rcpt_takes_postmaster_and_no_parameters)
{
	struct smtp_path p;

	assert_int_equal(smtp_rcpt_read(STR("TO:<postMaster>"), false, &p), SMTP_GOOD);
	assert_string_equal(p.plain, "postmaster");
	assert_int_equal(smtp_rcpt_read(STR("TO:<>"), false, &p), SMTP_BAD_ADDRESS);
	assert_int_equal(smtp_rcpt_read(STR("TO:<a@b.c> NOTIFY=NEVER"), false, &p),
		SMTP_NO_PARAMETER);
	assert_int_equal(smtp_rcpt_read(STR("TO:<ä@b.c>"), false, &p), SMTP_NEEDS_UTF8);
	assert_int_equal(smtp_rcpt_read(STR("TO:<ä@b.c>"), true, &p), SMTP_GOOD);
}

TEST(a_chunk_of_unknown_size_is_never_guessed)
{
	static const str bad[] = {
		STR_INIT(""),
		STR_INIT("LAST"),
		STR_INIT("x"),
		STR_INIT("-1"),
		STR_INIT("1 FIRST"),
		STR_INIT("1 LAST 2"),
		STR_INIT("99999999999999999999"),
		STR_INIT("0x10"),
	};
	uint64_t n;
	bool last;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(smtp_bdat_read(bad[i], &n, &last));
	assert_true(smtp_bdat_read(STR("1000"), &n, &last));
	assert_int_equal(n, 1000);
	assert_false(last);
	assert_true(smtp_bdat_read(STR("0 last"), &n, &last));
	assert_true(last);
}

TEST(helo_takes_odd_names_but_no_controls)
{
	str name;

	assert_true(smtp_helo_read(STR("mail.example.com"), &name));
	assert_true(smtp_helo_read(STR("[192.0.2.1]"), &name));
	assert_true(smtp_helo_read(STR("my_pc!"), &name));
	assert_false(smtp_helo_read(STR(""), &name));
	assert_false(smtp_helo_read(STR("a b"), &name));
	assert_false(smtp_helo_read(STR("a\x07"), &name));
	assert_false(smtp_helo_read(STR("a\xff"), &name));
}

TEST(a_reply_is_cut_but_never_its_link_or_id)
{
	char reason[1000];
	BUF_AUTO b = BUF(4096);

	memset(reason, 'r', sizeof(reason));
	smtp_put_refusal(&b, 550, "5.7.1", STR("https://mx.example/r/0123"),
		(str){ reason, sizeof(reason) }, STR("01ID"));
	assert_int_equal(b.len, SMTP_REPLY_MOST);
	assert_true(
		str_starts(buf_str(&b), STR("550 5.7.1 https://mx.example/r/0123 rrr")));
	assert_string_equal(buf_z(&b) + b.len - 10, "r (01ID)\r\n");
	buf_clear(&b);
	smtp_put_reply(&b, 250, "2.0.0", STR("a\r\nb\xc3"));
	assert_string_equal(buf_z(&b), "250 2.0.0 a??b?\r\n");
	buf_clear(&b);
	smtp_put_reply(&b, 250, NULL, (str){ reason, sizeof(reason) });
	assert_int_equal(b.len, SMTP_REPLY_MOST);
}
