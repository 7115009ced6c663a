/* SPDX-License-Identifier: ISC */
#include "mime/tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "test/test.h"

enum { MEM = 16 * 1024 * 1024 };

#define V        "MIME-Version: 1.0\r\n"
#define MIXED(b) V "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"
/* The part that must be found: its body is SECRET and its encoding base64. */
#define HIDDEN \
	"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n" SECRET
#define SECRET "U0VDUkVUU0VDUkVUU0VDUkVU"
#define PLAIN  "Content-Type: text/plain\r\n\r\nhello\r\n"

static struct mime_tree
parse(str message, struct arena *mem)
{
	struct mime_tree t;
	struct err err = { 0 };
	enum rc rc = mime_parse(message, NULL, mem, &t, &err);

	if (rc != RC_OK)
		print_message("%s\n", err.text);
	assert_int_equal(rc, RC_OK);
	return t;
}

static void
describe(struct buf *b, const struct mime_part *p)
{
	buf_addf(b, "%s%u " STR_FMT "/" STR_FMT " %zu-%zu-%zu %u+%u",
		b->len > 0 ? "; " : "", p->depth, STR_ARG(p->type), STR_ARG(p->subtype),
		p->header_at, p->body_at, p->end, p->header_lines, p->body_lines);
}

static void
assert_tree(const char *message, const char *want)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(8192);
	struct mime_tree t = parse(str_of(message), mem);

	for (const struct mime_part *p = t.top; p != NULL; p = mime_next(p))
		describe(&b, p);
	assert_string_equal(buf_z(&b), want);
}

TEST(imap_shows_the_parts_that_dovecot_shows)
{
	/* read off Dovecot 2.3.19's BODYSTRUCTURE */
	static const struct {
		const char *message, *tree;
	} cases[] = {
		{ "", "0 text/plain 0-0-0 0+0" },
		{ "Subject: x\r\n\r\nhello\r\n", "0 text/plain 0-14-21 2+1" },
		{ MIXED("b") "--b\r\n" PLAIN "--b--\r\n",
			"0 multipart/mixed 0-64-111 3+5; 1 text/plain 69-97-102 2+0" },
		/* the line end in front of a delimiter is its own */
		{ MIXED("b") "--b\r\n\r\n\r\n--b\r\n--b\r\n\r\n\r\n\r\n--b--",
			"0 multipart/mixed 0-64-94 3+8; 1 text/plain 69-71-71 1+0; "
			"1 text/plain 78-78-78 0+0; 1 text/plain 83-85-87 1+1" },
		/* whatever begins with a boundary is a delimiter; the longest counts */
		{ MIXED("b") "--bc\r\nContent-Type: multipart/x; boundary=bc\r\n\r\n"
			     "--bcd\r\n\r\n1\r\n--bc--\r\n--bx\r\n\r\n2\r\n--b--x\r\n",
			"0 multipart/mixed 0-64-151 3+11; 1 multipart/x 70-112-132 2+4; "
			"2 text/plain 119-121-122 1+0; 1 text/plain 138-140-141 1+0" },
		/* behind an end the line end stays outside */
		{ MIXED("b") "--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c--\r\n"
			     "--b--\r\n",
			"0 multipart/mixed 0-64-124 3+5; 1 multipart/x 69-110-117 2+1" },
		/* a delimiter ends a header, and messages around it keep the line end */
		{ MIXED("b") "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n--b--\r\n",
			"0 multipart/mixed 0-64-120 3+5; "
			"1 message/rfc822 69-101-113 2+1; 2 text/plain 101-111-111 0+0" },
		{ MIXED("b") "--b\r\nContent-Type: message/rfc822\r\n--b--\r\n",
			"0 multipart/mixed 0-64-106 3+3; "
			"1 message/rfc822 69-97-97 0+0; 2 text/plain 97-97-97 0+0" },
		{ V "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n"
		    "\r\ny\r\n--b\r\nContent-Type: text/html\r\n\r\n--b--\r\n",
			"0 multipart/digest 0-65-128 3+9; 1 message/rfc822 70-72-87 1+2; "
			"2 text/plain 72-86-87 2+0; 1 text/html 94-121-121 2+0" },
		{ V "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n",
			"0 multipart/mixed 0-52-62 3+3" },
		/* no MIME-Version and no Content-Type: no MIME */
		{ "Content-Transfer-Encoding: base64\r\n\r\nxxxx",
			"0 text/plain 0-37-41 2+0" },
		{ "content-type : Multipart/ Mixed (x)\r\n ;BOUNDARY = \"b\"\n\n--b\n\n--b--",
			"0 Multipart/Mixed 0-55-65 3+2; 1 text/plain 59-60-60 1+0" },
		/* 80 bytes of a boundary count */
		{ MIXED("12345678901234567890123456789012345678901234567890123456789012345678"
			"901234567890XY") "--12345678901234567890123456789012345678901234567890123456789012345678"
					  "901234567890AB\r\n\r\nx",
			"0 multipart/mixed 0-145-234 3+2; 1 text/plain 231-233-234 1+0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_tree(cases[i].message, cases[i].tree);
}

static bool
secret(const struct mime_part *p, str message)
{
	str body = mime_body(message, p);

	while (body.len > 0 && memchr("\r\n ", body.ptr[body.len - 1], 3) != NULL)
		body.len--;
	return p->kind == MIME_LEAF && p->encoding == MIME_BASE64 &&
	       str_eq(body, STR(SECRET));
}

static bool
finds_secret(str message, bool primary)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct mime_tree t = parse(message, mem);

	for (const struct mime_part *p = mime_each(&t, NULL); p; p = mime_each(&t, p)) {
		if (primary && (p->odd & MIME_ODD(ALTERNATE)))
			continue;
		if (secret(p, message))
			return true;
	}
	return false;
}

static const struct {
	const char *name, *message;
} hidden[] = {
	{ "first type counts",
		V "Content-Type: text/plain\r\nContent-Type: multipart/x; boundary=b\r\n"
		  "\r\n--b\r\n" HIDDEN "\r\n--b--\r\n" },
	{ "last type counts",
		V "Content-Type: multipart/x; boundary=b\r\nContent-Type: text/plain\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n" SECRET "\r\n" },
	{ "second boundary",
		MIXED("a; boundary=b") "--a\r\n" PLAIN "--a--\r\n--b\r\n" HIDDEN
				       "\r\n--b--\r\n" },
	{ "boundary*", MIXED("a; boundary*=us-ascii''b") "--a\r\n" PLAIN
							 "--a--\r\n--b\r\n" HIDDEN
							 "\r\n--b--\r\n" },
	{ "percent",
		V "Content-Type: multipart/x; boundary*=''%62c\r\n\r\n--bc\r\n" HIDDEN
		  "\r\n--bc--\r\n" },
	{ "continued boundary", V
		"Content-Type: multipart/x; boundary=a; boundary*1=c; boundary*0=b\r\n\r\n"
		"--bc\r\n" HIDDEN "\r\n--bc--\r\n" },
	{ "equals", MIXED("a=b") "--a=b\r\n" HIDDEN "\r\n--a=b--\r\n" },
	{ "open quote", MIXED("\"ab") "--ab\r\n" HIDDEN "\r\n--ab--\r\n" },
	{ "backslash", MIXED("\"a\\b\"") "--a\\b\r\n" HIDDEN "\r\n--a\\b--\r\n" },
	{ "trailing blanks", MIXED("\"ab  \"") "--ab\r\n" HIDDEN "\r\n--ab--\r\n" },
	{ "comment", MIXED("a(c)") "--a(c)\r\n" HIDDEN "\r\n--a(c)--\r\n" },
	{ "blank in it", MIXED("a b") "--a b\r\n" PLAIN "--x\r\n--a b\r\n" HIDDEN
				      "\r\n--a b--\r\n" },
	{ "single quotes", MIXED("'ab'") "--ab\r\n" HIDDEN "\r\n--ab--\r\n" },
	{ "quotes are letters",
		MIXED("\"ab\"") "--\"ab\"\r\n" HIDDEN "\r\n--\"ab\"--\r\n" },
	{ "no semicolon",
		V "Content-Type: multipart/mixed boundary=ab\r\n\r\n--ab\r\n" HIDDEN
		  "\r\n--ab--\r\n" },
	{ "no subtype", V "Content-Type: multipart; boundary=ab\r\n\r\n--ab\r\n" HIDDEN
			  "\r\n--ab--\r\n" },
	{ "text with a boundary",
		V "Content-Type: text/plain; boundary=ab\r\n\r\n--ab\r\n" HIDDEN
		  "\r\n--ab--\r\n" },
	{ "no boundary at all", V "Content-Type: multipart/mixed\r\n\r\n--ab\r\n" HIDDEN
				  "\r\n--ab--\r\n" },
	{ "wrong boundary", MIXED("zz") "--ab\r\n" HIDDEN "\r\n--ab--\r\n" },
	{ "said to be text",
		V "Content-Type: text/plain\r\n\r\n--ab\r\n" HIDDEN "\r\n--ab--\r\n" },
	{ "no header", "Subject: x\r\n\r\n--ab\r\n" HIDDEN "\r\n--ab--\r\n" },
	{ "blank before colon",
		V "Content-Type\t: multipart/x; boundary=ab\r\n\r\n--ab\r\n" HIDDEN
		  "\r\n--ab--\r\n" },
	{ "underscore",
		V "Content_Type: multipart/x; boundary=ab\r\n\r\n-- ab\r\n--ab\r\n" HIDDEN
		  "\r\n--ab--\r\n" },
	{ "no colon", V "Content-Type multipart/x; boundary=ab\r\n\r\n--ab\r\n" HIDDEN
			"\r\n--ab--\r\n" },
	{ "BOM", "\xef\xbb\xbf"
		 "Content-Type: multipart/x; boundary=ab\r\n\r\n--ab\r\n" HIDDEN
		 "\r\n--ab--\r\n" },
	{ "folded into another", V
		"Subject: x\r\n Content-Type: multipart/x; boundary=ab\r\n\r\n--ab\r\n" HIDDEN
		"\r\n--ab--\r\n" },
	{ "header ends at a bad line",
		MIXED("b") "--b\r\n"
			   "Content-Type: application/x\r\n"
			   "Content-Transfer-Encoding: base64\r\n" SECRET
			   "\r\n--b--\r\n" },
	{ "header ends at blanks",
		MIXED("b") "--b\r\nContent-Type: application/x\r\n"
			   "Content-Transfer-Encoding: base64\r\n \r\n" SECRET
			   "\r\n--b--\r\n" },
	{ "header goes on", MIXED("b") "--b\r\n\r\n" HIDDEN "\r\n--b--\r\n" },
	{ "header goes on after some",
		MIXED("b") "--b\r\nX: y\r\n\r\n" HIDDEN "\r\n--b--\r\n" },
	{ "header with bare CR",
		MIXED("b") "--b\r\nX: y\rContent-Transfer-Encoding: base64\r\r" SECRET
			   "\r\n--b--\r\n" },
	{ "empty line CR CR LF",
		MIXED("b") "--b\r\nContent-Transfer-Encoding: base64\r\n\r\r\n" SECRET
			   "\r\n--b--\r\n" },
	{ "delimiter in a header",
		MIXED("b") "--b\r\nContent-Type: application/x\r\n--b\r\n"
			   "Content-Transfer-Encoding: base64\r\n\r\n" SECRET
			   "\r\n--b--\r\n" },
	{ "junk behind is a delimiter", MIXED("b") "--bxyz\r\n" HIDDEN "\r\n--b--\r\n" },
	{ "junk behind is none",
		MIXED("b") "--b\r\n"
			   "Content-Type: application/x\r\n"
			   "Content-Transfer-Encoding: base64\r\n\r\n" SECRET
			   "\r\n--b--\r\n--b x\r\n" },
	{ "blanks before", MIXED("b") " --b\r\n" HIDDEN "\r\n --b--\r\n" },
	{ "dashes before", MIXED("b") "----b\r\n" HIDDEN "\r\n----b--\r\n" },
	{ "other case",
		MIXED("Boundary") "--boundary\r\n" HIDDEN "\r\n--boundary--\r\n" },
	{ "bare CR around", MIXED("b") "note\r--b\r\n" HIDDEN "\r\n--b--\r\n" },
	{ "bare LF is no line end",
		MIXED("b") "--b\r\n"
			   "Content-Transfer-Encoding: base64\r\n\r\n" SECRET
			   "\r\n\n--b--\r\n" },
	{ "behind the end",
		MIXED("b") "--b\r\n" PLAIN "--b--\r\n--b\r\n" HIDDEN "\r\n--b--\r\n" },
	{ "another in the preamble",
		MIXED("b") "--x\r\n" HIDDEN "\r\n--x--\r\n--b\r\n" PLAIN "--b--\r\n" },
	{ "another in the epilogue",
		MIXED("b") "--b\r\n" PLAIN "--b--\r\n--x\r\n" HIDDEN "\r\n--x--\r\n" },
	{ "same boundary inside",
		MIXED("b") "--b\r\nContent-Type: multipart/x; boundary=b\r\n\r\n--b--\r\n--b\r\n" HIDDEN
			   "\r\n--b--\r\n" },
	{ "longer boundary inside",
		MIXED("b") "--b\r\nContent-Type: multipart/x; boundary=bb\r\n\r\n"
			   "--bb\r\n" HIDDEN "\r\n--bb--\r\n--b--\r\n" },
	{ "two encodings", V
		"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n" SECRET },
	{ "junk after the encoding",
		V "Content-Transfer-Encoding: base64; x=y\r\n\r\n" SECRET },
	{ "unknown encoding", V "Content-Transfer-Encoding: foo\r\n\r\n" SECRET },
	{ "no MIME-Version", "Content-Transfer-Encoding: base64\r\n\r\n" SECRET },
	{ "inherited encoding", V
		"Content-Type: multipart/x; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"--b\r\n\r\n" SECRET "\r\n--b--\r\n" },
	{ "message/news", V "Content-Type: message/news\r\n\r\n" HIDDEN },
	{ "message/partial", V
		"Content-Type: message/partial; id=x; total=1; number=1\r\n\r\n" HIDDEN },
	{ "bad message type", V "Content-Type: message\\rfc822\r\n\r\n" HIDDEN },
	{ "two tricks", MIXED("\"a\\b\"") " --a\\b x\r\nX: y\r\n\r\n" HIDDEN
					  "\r\n --a\\b--\r\n" },
	{ "boundary on a line of its own",
		V "Content-Type: multipart/x;\r\nboundary=ab\r\n\r\n"
		  "--ab\r\nContent-Type : application/x\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n" SECRET "\r\n--ab--\r\n" },
	{ "control before", MIXED("b") "\v--b\r\n" HIDDEN "\r\n\v--b--\r\n" },
	{ "encoded word as boundary",
		MIXED("\"=?us-ascii?q?ab?=\"") "--ab\r\n" HIDDEN "\r\n--ab--\r\n" },
	{ "encoded word as encoding",
		V "Content-Transfer-Encoding: =?us-ascii?q?base64?=\r\n\r\n" SECRET },
	{ "comment in the type",
		V "Content-Type: multi(x)part/mixed; boundary=ab\r\n\r\n--ab\r\n" HIDDEN
		  "\r\n--ab--\r\n" },
	{ "blank lines before a message",
		V "Content-Type: message/rfc822\r\n\r\n\r\n\r\n" HIDDEN },
	{ "NUL in a name", NULL },
};

TEST(what_any_reader_would_find_is_found)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		static const char nul[] = V
			"Content\0-Type: multipart/x; boundary=ab\r\n\r\n"
			"--ab\r\n" HIDDEN "\r\n--ab--\r\n";
		str m = hidden[i].message == NULL ? (str){ nul, sizeof(nul) - 1 }
						  : str_of(hidden[i].message);

		if (!finds_secret(m, false))
			fail_msg("%s", hidden[i].name);
	}
}

TEST(ordinary_mail_has_one_reading)
{
	static const char *const mails[] = {
		"Subject: x\r\n\r\n-- \r\nsignature\r\n-----Original Message-----\r\n",
		V
		"DKIM-Signature: v=1; h=From:To:\r\n Content-Type:Content-Transfer-Encoding; b=x/y\r\n"
		"Content-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n",
		MIXED("\"----=_Part 1\"") "This is a note.\r\n------=_Part 1\r\n" PLAIN
					  "\r\n------=_Part 1\r\n"
					  "Content-Type: multipart/related;\r\n\tboundary=\"----=_Part 12\"\r\n\r\n------=_Part 12\r\n" PLAIN
					  "------=_Part 12--\r\n\r\n------=_Part 1--\r\n\r\n",
		MIXED("b") "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: text/plain\r\n" V
			   "\r\nx\r\n--b--\r\n",
	};

	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		struct mime_tree t = parse(str_of(mails[i]), mem);

		if (t.odd & ~MIME_ODD(SAME_BOUNDARY))
			fail_msg("%zu: %llx", i, (unsigned long long)t.odd);
		for (const struct mime_part *p = t.top; p != NULL; p = p->each)
			assert_null(p->alternates);
		assert_true(t.work < 3 * strlen(mails[i]) + 200);
	}
}

TEST(a_part_tells_what_its_header_says)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct mime_tree t = parse(
		STR(V "Content-Type: text/html; charset=utf-8; name=\"a b.html\"\r\n"
		      "Content-Disposition: attachment; filename*=utf-8''%c3%a4.html\r\n"
		      "Content-ID:\r\n <x@y>\r\nContent-MD5: q\r\nContent-Transfer-Encoding: (a) BASE64\r\n\r\n"),
		mem);
	const struct mime_part *p = t.top;

	assert_true(str_eq(p->charset, STR("utf-8")));
	assert_true(str_eq(p->name, STR("\xc3\xa4.html")));
	assert_true(str_eq(p->id, STR("<x@y>")));
	assert_true(str_eq(p->md5, STR("q")));
	assert_true(str_eq(p->disposition.value, STR("attachment")));
	assert_int_equal(p->encoding, MIME_BASE64);
	assert_true(str_eq(mime_encoding_shown(p), STR("BASE64")));
}

TEST(an_encoding_is_not_hidden_by_quotes)
{
	static const struct {
		str value, shown;
	} fields[] = {
		{ STR_INIT("\"base64\""), STR_INIT("base64") },
		{ STR_INIT("\"Quoted-Printable\" (x)"), STR_INIT("quoted-printable") },
		{ STR_INIT("\"x-none\""), STR_INIT("") },
		{ STR_INIT("x-none"), STR_INIT("x-none") },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		BUF_AUTO m = BUF(256);

		buf_add(&m, STR(V "Content-Transfer-Encoding: "));
		buf_add(&m, fields[i].value);
		buf_add(&m, STR("\r\n\r\n"));
		assert_true(str_eq(mime_encoding_shown(parse(buf_str(&m), mem).top),
			fields[i].shown));
	}
}

TEST(a_decoded_multipart_is_read_like_any)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct mime_part like = { .type = STR_INIT("multipart"),
		.subtype = STR_INIT("mixed"),
		.kind = MIME_MULTIPART };
	struct mime_tree t;

	assert_int_equal(mime_value_parse(STR("multipart/mixed; boundary=b"), NULL, mem,
				 &like.content_type),
		RC_OK);
	assert_int_equal(mime_parse_body(STR("--b\r\n" HIDDEN "\r\n--b--\r\n"), &like, 5,
				 NULL, mem, &t, NULL),
		RC_OK);
	assert_int_equal(t.parts, 2);
	assert_int_equal(t.top->depth, 5);
	assert_int_equal(t.top->first->encoding, MIME_BASE64);
	assert_int_equal(mime_parse_body(STR(""), &like, MIME_DEPTH, NULL, mem, &t, NULL),
		RC_LIMIT);
}

/* Nothing that is sent may cost more than its size. */
static enum rc
parse_repeated(const char *head, const char *each, size_t times, struct mime_tree *t,
	struct err *err)
{
	ARENA_AUTO mem = arena_new(64 * 1024 * 1024);
	BUF_AUTO b = BUF(64 * 1024 * 1024);
	char number[32];

	buf_addz(&b, head);
	for (size_t i = 0; i < times; i++)
		for (const char *p = each; *p != '\0'; p++) {
			(void)snprintf(number, sizeof(number), "%zu", i);
			if (*p == '#')
				buf_addz(&b, number);
			else
				buf_addc(&b, *p);
		}
	assert_true(buf_ok(&b));
	enum rc rc = mime_parse(buf_str(&b), NULL, mem, t, err);
	if (rc == RC_OK)
		assert_true(t->work <= b.len * MIME_WORK || t->work <= MIME_WORK_LEAST);
	return rc;
}

TEST(bombs_end_at_a_limit)
{
	struct err err;
	struct mime_tree t;

	assert_int_equal(
		parse_repeated(MIXED("b"), "--b\r\n\r\n", 9999, &t, &err), RC_OK);
	assert_int_equal(t.parts, 10000);
	assert_int_equal(
		parse_repeated(MIXED("b"), "--b\r\n\r\n", 100000, &t, &err), RC_LIMIT);
	assert_non_null(strstr(err.text, "10000 parts"));
	assert_int_equal(
		parse_repeated("", "Content-Type: message/rfc822\r\n\r\n", 60, &t, &err),
		RC_OK);
	assert_int_equal(parse_repeated("", "Content-Type: message/rfc822\r\n\r\n", 1000,
				 &t, &err),
		RC_LIMIT);
	assert_non_null(strstr(err.text, "64 levels"));
	assert_int_equal(parse_repeated("", "A: b\r\n", 1000000, &t, &err), RC_LIMIT);
	assert_non_null(strstr(err.text, "header"));
	assert_int_equal(
		parse_repeated("", "A: b\r\n c\r\n", 200000, &t, &err), RC_LIMIT);
	/* a line of a megabyte that begins like a delimiter */
	assert_int_equal(parse_repeated(MIXED("b") "--b", "-", 1000000, &t, &err), RC_OK);
	/* a boundary in a boundary in a boundary... */
	assert_int_equal(
		parse_repeated("",
			"Content-Type: multipart/x; boundary=\"b#\"\r\n\r\n--b#\r\n", 62,
			&t, &err),
		RC_OK);
	/* each line may be one of all of them */
	(void)parse_repeated(MIXED("b"), "--c\r\nContent-", 300000, &t, &err);
	(void)parse_repeated(MIXED("b"), " --\r\n--\r\n\r--b", 300000, &t, &err);
	(void)parse_repeated(
		"Content-Type: multipart/x", "; boundary=a(", 50000, &t, &err);
	(void)parse_repeated("Content-Type: multipart/x", "; a*#=b", 50000, &t, &err);
	(void)parse_repeated(
		"X: y\r\n", " Content-Type: multipart/x\r\n", 30000, &t, &err);
}

TEST(a_mail_of_ten_thousand_parts_fits_in_the_scanner)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(16 * 1024 * 1024);
	struct mime_tree t;

	buf_addz(&b, MIXED("b"));
	for (int i = 0; i < 9999; i++)
		buf_addz(&b,
			"--b\r\nContent-Type: text/plain; charset=utf-8; name=\"a.txt\"\r\n"
			"Content-Disposition: attachment; filename=\"a.txt\"\r\n\r\nx\r\n");
	assert_int_equal(mime_parse(buf_str(&b), NULL, mem, &t, NULL), RC_OK);
	assert_int_equal(t.parts, 10000);
}

#define BASE64 "Content-Transfer-Encoding: base64\r\n"

TEST(a_file_that_only_some_readers_cut_is_found_whole)
{
	static const char *const mails[] = {
		MIXED("b") "--b\r\n" HIDDEN "\r\n--b x\r\nTAIL\r\n--b--\r\n",
		MIXED("b") "--b\r\n" HIDDEN "\r\n--b\nTAIL\r\n--b--\r\n",
		MIXED("b") "--b\r\n" BASE64 "--b\r\n\r\nTAIL\r\n--b--\r\n",
		MIXED("b") "--b\r\n" PLAIN
			   "\r--b\rContent-Transfer-Encoding: base64\r\rTAIL\r\n--b--\r\n",
	};

	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		str m = str_of(mails[i]), body;
		struct mime_tree t = parse(m, mem);
		bool found = false;

		for (const struct mime_part *p = t.top; p != NULL; p = mime_each(&t, p)) {
			body = mime_body(m, p);
			found = found ||
				(p->kind == MIME_LEAF && p->encoding == MIME_BASE64 &&
					str_find(body, STR("TAIL")) < body.len);
		}
		if (!found)
			fail_msg("%zu", i);
	}
}
