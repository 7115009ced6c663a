/* SPDX-License-Identifier: ISC */
#include "wire/imap_fetch.h"

#include "base/buf.h"
#include "test/test.h"

enum { MEM = 1024 * 1024 };

/* "flags uid | BODY[1]<0> peek 0.100 | changedsince 1" */
static str
shown(const struct imap_fetch *f, struct buf *b)
{
	static const char *const names[] = { "FLAGS", "UID", "INTERNALDATE", "SIZE",
		"ENVELOPE", "BODY", "BODYSTRUCTURE", "MODSEQ", "PREVIEW", "LAZY",
		"SAVEDATE", "EMAILID", "THREADID" };

	buf_clear(b);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((f->items & 1u << i) != 0)
			buf_addf(b, "%s ", names[i]);
	for (size_t i = 0; i < f->nsections; i++) {
		const struct imap_section *s = &f->sections[i];

		buf_addc(b, '|');
		imap_put_section(b, s);
		if (s->partial)
			buf_addf(b, "%llu", (unsigned long long)s->count);
		buf_addz(b, s->peek ? " peek " : " ");
	}
	if (f->has_changed)
		buf_addf(b, "since %llu ", (unsigned long long)f->changed);
	if (f->vanished)
		buf_addz(b, "vanished ");
	if (f->has_partial)
		buf_addf(b, "partial %lld %lld ", (long long)f->partial_from,
			(long long)f->partial_to);
	return str_trim(buf_str(b));
}

TEST(what_clients_fetch_is_understood)
{
	static const struct {
		str in;
		const char *is;
	} cases[] = {
		/* RFC 3501 6.4.5, 7.4.2, 8; RFC 9051 6.4.5 */
		{ STR_INIT("ALL"), "FLAGS INTERNALDATE SIZE ENVELOPE" },
		{ STR_INIT("fast"), "FLAGS INTERNALDATE SIZE" },
		{ STR_INIT("full"), "FLAGS INTERNALDATE SIZE ENVELOPE BODY" },
		{ STR_INIT("body[header]"), "|BODY[HEADER]" },
		{ STR_INIT("(FLAGS BODY[HEADER.FIELDS (DATE FROM)])"),
			"FLAGS |BODY[HEADER.FIELDS (DATE FROM)]" },
		{ STR_INIT("(UID INTERNALDATE FLAGS BODY.PEEK[HEADER])"),
			"FLAGS UID INTERNALDATE |BODY[HEADER] peek" },
		{ STR_INIT("(UID INTERNALDATE FLAGS RFC822.HEADER)"),
			"FLAGS UID INTERNALDATE |RFC822.HEADER peek" },
		{ STR_INIT("RFC822"), "|RFC822" },
		{ STR_INIT("(RFC822.TEXT RFC822.SIZE)"), "SIZE |RFC822.TEXT" },
		{ STR_INIT("BODY[]<0.2048>"), "|BODY[]<0>2048" },
		{ STR_INIT("BODY[]<9223372036854775807.1>"),
			"|BODY[]<9223372036854775807>1" },
		{ STR_INIT("(BODY BODYSTRUCTURE ENVELOPE)"),
			"ENVELOPE BODY BODYSTRUCTURE" },
		{ STR_INIT("BODY[1]"), "|BODY[1]" },
		{ STR_INIT("BODY[4.2.2.1]"), "|BODY[4.2.2.1]" },
		{ STR_INIT("BODY[4.1.MIME]"), "|BODY[4.1.MIME]" },
		{ STR_INIT("BODY[4.2.HEADER]"), "|BODY[4.2.HEADER]" },
		{ STR_INIT("body.peek[3.text]<10.20>"), "|BODY[3.TEXT]<10>20 peek" },
		{ STR_INIT("BODY[1.2.HEADER.FIELDS.NOT (\"X y\" {1}\r\nZ)]"),
			"|BODY[1.2.HEADER.FIELDS.NOT (\"X y\" Z)]" },
		/* RFC 3516 4.2 */
		{ STR_INIT("BINARY[1.2]<0.5>"), "|BINARY[1.2]<0>5" },
		{ STR_INIT("BINARY.PEEK[]"), "|BINARY[] peek" },
		{ STR_INIT("BINARY.SIZE[3]"), "|BINARY.SIZE[3] peek" },
		/* RFC 8970 3 and 4 */
		{ STR_INIT("(PREVIEW)"), "PREVIEW" },
		{ STR_INIT("(RFC822.SIZE PREVIEW)"), "SIZE PREVIEW" },
		{ STR_INIT("(ENVELOPE PREVIEW (LAZY))"), "ENVELOPE PREVIEW LAZY" },
		{ STR_INIT("PREVIEW (LAZY)"), "PREVIEW LAZY" },
		{ STR_INIT("PREVIEW (CHANGEDSINCE 5)"), "PREVIEW since 5" },
		{ STR_INIT("PREVIEW (LAZY) (CHANGEDSINCE 5)"), "PREVIEW LAZY since 5" },
		/* RFC 8514 4.2, RFC 8474 5.3 */
		{ STR_INIT("(SAVEDATE)"), "SAVEDATE" },
		{ STR_INIT("(emailid threadid)"), "EMAILID THREADID" },
		/* RFC 7162 3.1.4 and 3.2.6 */
		{ STR_INIT("(MODSEQ)"), "MODSEQ" },
		{ STR_INIT("(FLAGS) (CHANGEDSINCE 12345)"), "FLAGS since 12345" },
		{ STR_INIT("(FLAGS) (CHANGEDSINCE 12345 VANISHED)"),
			"FLAGS since 12345 vanished" },
		{ STR_INIT("(FLAGS) (VANISHED CHANGEDSINCE 1)"),
			"FLAGS since 1 vanished" },
		/* RFC 9394 3.2 and 3.3 */
		{ STR_INIT("(UID FLAGS) (PARTIAL -1:-3)"), "FLAGS UID partial -1 -3" },
		{ STR_INIT("(UID FLAGS) (PARTIAL 5:1)"), "FLAGS UID partial 5 1" },
		{ STR_INIT("(UID FLAGS MODSEQ) (PARTIAL 1:5 CHANGEDSINCE 12)"),
			"FLAGS UID MODSEQ since 12 partial 1 5" },
	};
	struct arena *mem = arena_new(MEM);
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, mem);
		struct imap_fetch f;

		if (!lex_fetch(&x, &f) || !lex_end(&x))
			fail_msg(STR_FMT ": %s", STR_ARG(cases[i].in), x.why);
		if (!str_eq(shown(&f, &b), str_of(cases[i].is)))
			fail_msg(STR_FMT ": %s", STR_ARG(cases[i].in), buf_z(&b));
	}
	arena_free(&mem);
}

TEST(what_cannot_be_fetched_is_refused)
{
	static const str cases[] = { STR_INIT(""), STR_INIT("()"), STR_INIT("("),
		STR_INIT("(FLAGS"), STR_INIT("(FLAGS  UID)"), STR_INIT("( FLAGS)"),
		STR_INIT("(FLAGS ALL)"), STR_INIT("FLAG"), STR_INIT("FLAGSX"),
		STR_INIT("X-GM"), STR_INIT("BODY.PEEK"), STR_INIT("BINARY"),
		STR_INIT("BODY["), STR_INIT("BODY[1"), STR_INIT("BODY[0]"),
		STR_INIT("BODY[01]"), STR_INIT("BODY[1.]"), STR_INIT("BODY[1.0]"),
		STR_INIT("BODY[.1]"), STR_INIT("BODY[1..2]"), STR_INIT("BODY[1TEXT]"),
		STR_INIT("BODY[4294967296]"), STR_INIT("BODY[MIME]"),
		STR_INIT("BODY[HEADERS]"), STR_INIT("BODY[TEXT.1]"),
		STR_INIT("BODY[1.TEXT.2]"), STR_INIT("BODY[HEADER.FIELDS]"),
		STR_INIT("BODY[HEADER.FIELDS ()]"), STR_INIT("BODY[HEADER.FIELDS(X)]"),
		STR_INIT("BODY[HEADER.FIELDS (X Y]"), STR_INIT("BODY[HEADER (X)]"),
		STR_INIT("BODY[ ]"), STR_INIT("BODY[]<0>"), STR_INIT("BODY[]<0.0>"),
		STR_INIT("BODY[]<-1.5>"), STR_INIT("BODY[]<0.5"),
		STR_INIT("BODY[]<9223372036854775808.1>"), STR_INIT("BINARY[TEXT]"),
		STR_INIT("BINARY[1.TEXT]"), STR_INIT("BINARY[1.]"),
		STR_INIT("BINARY.SIZE[1]<0.5>"), STR_INIT("RFC822[]"),
		STR_INIT("RFC822.PEEK"), STR_INIT("PREVIEW (LAZIER)"),
		STR_INIT("(PREVIEW (LAZY)"), STR_INIT("(PREVIEW ())"),
		STR_INIT("FLAGS (CHANGEDSINCE)"),
		STR_INIT("FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)"),
		STR_INIT("FLAGS (VANISHED)"), STR_INIT("FLAGS ()"),
		STR_INIT("FLAGS (PARTIAL 1:-1)"), STR_INIT("FLAGS (PARTIAL 0:1)"),
		STR_INIT("FLAGS (PARTIAL 1)"), STR_INIT("FLAGS (PARTIAL 1:*)"),
		STR_INIT("FLAGS (NONESUCH)"),
		STR_INIT("FLAGS (CHANGEDSINCE 9223372036854775808)"),
		STR_INIT("FLAGS UID") };
	struct arena *mem = arena_new(MEM);
	struct imap_fetch f;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i], false, mem);

		if (lex_fetch(&x, &f) && lex_end(&x))
			fail_msg(STR_FMT, STR_ARG(cases[i]));
		assert_non_null(x.why);
	}
	arena_free(&mem);
}

TEST(one_fetch_has_bounds)
{
	struct arena *mem = arena_new(MEM);
	BUF_AUTO b = BUF(MEM);
	struct imap_fetch f;

	for (unsigned i = 0; i < IMAP_SECTIONS; i++)
		buf_addf(&b, "%cBODY[%u]", i == 0 ? '(' : ' ', i + 1);
	size_t fits = b.len;
	buf_addc(&b, ')');
	struct imap_lex x = imap_lex(buf_str(&b), false, mem);
	assert_true(lex_fetch(&x, &f) && f.nsections == IMAP_SECTIONS);
	b.len = fits;
	buf_addz(&b, " BODY[])");
	x = imap_lex(buf_str(&b), false, mem);
	assert_false(lex_fetch(&x, &f));

	for (unsigned over = 0; over < 2; over++) {
		buf_clear(&b);
		buf_addz(&b, "BODY[1");
		for (unsigned i = 1; i < IMAP_SECTION_DEPTH + over; i++)
			buf_addz(&b, ".1");
		buf_addz(&b, "]");
		x = imap_lex(buf_str(&b), false, mem);
		assert_int_equal(lex_fetch(&x, &f), !over);

		buf_clear(&b);
		buf_addz(&b, "BODY[HEADER.FIELDS (");
		for (unsigned i = 1; i < IMAP_FIELDS + over; i++)
			buf_addz(&b, "x ");
		buf_addz(&b, "x)]");
		x = imap_lex(buf_str(&b), false, mem);
		assert_int_equal(lex_fetch(&x, &f), !over);
	}
	arena_free(&mem);
}
