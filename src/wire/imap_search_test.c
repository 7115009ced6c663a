/* SPDX-License-Identifier: ISC */
#include "wire/imap_search.h"

#include "test/test.h"

enum { MEM = 4 * 1024 * 1024 };

static const char *const names[] = {
	[KEY_ALL] = "all",
	[KEY_AND] = "and",
	[KEY_OR] = "or",
	[KEY_NOT] = "not",
	[KEY_SEQ] = "seq",
	[KEY_UID] = "uid",
	[KEY_FLAG] = "flag",
	[KEY_KEYWORD] = "keyword",
	[KEY_RECENT] = "recent",
	[KEY_NEW] = "new",
	[KEY_OLD] = "old",
	[KEY_BEFORE] = "before",
	[KEY_ON] = "on",
	[KEY_SINCE] = "since",
	[KEY_SENTBEFORE] = "sentbefore",
	[KEY_SENTON] = "senton",
	[KEY_SENTSINCE] = "sentsince",
	[KEY_SAVEDBEFORE] = "savedbefore",
	[KEY_SAVEDON] = "savedon",
	[KEY_SAVEDSINCE] = "savedsince",
	[KEY_SAVEDATESUPPORTED] = "savedatesupported",
	[KEY_YOUNGER] = "younger",
	[KEY_OLDER] = "older",
	[KEY_LARGER] = "larger",
	[KEY_SMALLER] = "smaller",
	[KEY_HEADER] = "header",
	[KEY_BODY] = "body",
	[KEY_TEXT] = "text",
	[KEY_MODSEQ] = "modseq",
	[KEY_EMAILID] = "emailid",
	[KEY_THREADID] = "threadid",
	[KEY_NEVER] = "never",
};

/* "(and flag=1 (not since=8797))" */
static void
put(struct buf *b, const struct imap_search *s)
{
	if (s->first != NULL)
		buf_addc(b, '(');
	buf_addz(b, names[s->key]);
	if (s->flag != 0)
		buf_addf(b, "=%u", s->flag);
	if (s->days != 0)
		buf_addf(b, "=%lld", (long long)s->days);
	if (s->number != 0)
		buf_addf(b, "=%llu", (unsigned long long)s->number);
	if (s->set.saved)
		buf_addz(b, "=$");
	for (size_t i = 0; i < s->set.n; i++)
		buf_addf(b, "%c%u:%u", i == 0 ? '=' : ',', s->set.at[i].from,
			s->set.at[i].to);
	if (s->field.ptr != NULL)
		buf_addf(b, "=" STR_FMT, STR_ARG(s->field));
	if (s->text.ptr != NULL)
		buf_addf(b, "=" STR_FMT, STR_ARG(s->text));
	for (const struct imap_search *c = s->first; c != NULL; c = c->next) {
		buf_addc(b, ' ');
		put(b, c);
	}
	if (s->first != NULL)
		buf_addc(b, ')');
}

static const char *
shown(const struct imap_query *q, struct buf *b)
{
	static const char *const wants[] = { "min", "max", "all", "count", "save",
		"partial" };
	static const char *const sorts[] = { "arrival", "cc", "date", "from", "size",
		"subject", "to", "displayfrom", "displayto" };

	buf_clear(b);
	for (size_t i = 0; q->extended && i < sizeof(wants) / sizeof(wants[0]); i++)
		if ((q->wants & 1u << i) != 0)
			buf_addf(b, "%s ", wants[i]);
	if ((q->wants & RETURN_PARTIAL) != 0)
		buf_addf(b, "%lld:%lld ", (long long)q->partial_from,
			(long long)q->partial_to);
	for (size_t i = 0; i < q->nsort; i++)
		buf_addf(b, "%s%s ", q->sort[i].reverse ? "-" : "+",
			sorts[q->sort[i].key]);
	if (q->charset.len > 0)
		buf_addf(b, "<" STR_FMT "> ", STR_ARG(q->charset));
	put(b, q->program);
	return buf_z(b);
}

struct one {
	str in;
	const char *is;
};

static void
try_all(bool (*lex)(struct imap_lex *, struct imap_query *), const struct one *at,
	size_t n)
{
	struct arena *mem = arena_new(MEM);
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < n; i++) {
		struct imap_lex x = imap_lex(at[i].in, true, mem);
		struct imap_query q;

		if (!lex(&x, &q) || !lex_end(&x))
			fail_msg(STR_FMT ": %s", STR_ARG(at[i].in), x.why);
		if (strcmp(shown(&q, &b), at[i].is) != 0)
			fail_msg(STR_FMT ": %s", STR_ARG(at[i].in), buf_z(&b));
	}
	arena_free(&mem);
}

#define TRY(lex, cases) try_all(lex, cases, sizeof(cases) / sizeof((cases)[0]))

TEST(searches_find_what_they_say)
{
	static const struct one cases[] = {
		/* RFC 3501 6.4.4, RFC 9051 6.4.4 */
		{ STR_INIT("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\""),
			"(and flag=4 since=8797 (not header=:From=Smith))" },
		{ STR_INIT("TEXT \"string not in mailbox\""),
			"text=string not in mailbox" },
		{ STR_INIT("CHARSET UTF-8 TEXT {6}\r\n\xd0\xbc\xd0\xb0\xd0\xbc"),
			"<UTF-8> text=\xd0\xbc\xd0\xb0\xd0\xbc" },
		{ STR_INIT(
			  "RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\""),
			"min count (and flag=4 since=8797 (not header=:From=Smith))" },
		{ STR_INIT("RETURN () FLAGGED"), "all flag=4" },
		{ STR_INIT(
			  "RETURN (SAVE) CHARSET KOI8-R (OR $ 1,3000:3021) TEXT {4}\r\nabcd"),
			"save <KOI8-R> (and (or seq=$ seq=1:1,3000:3021) text=abcd)" },
		{ STR_INIT("ALL"), "all" },
		{ STR_INIT("answered DELETED draft SEEN flagged"),
			"(and flag=2 flag=8 flag=16 flag=1 flag=4)" },
		{ STR_INIT("UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN"),
			"(and (not flag=2) (not flag=8) (not flag=16) (not flag=4) (not flag=1))" },
		{ STR_INIT("NEW OLD RECENT"), "(and new old recent)" },
		{ STR_INIT("KEYWORD $Junk UNKEYWORD foo"),
			"(and keyword=$Junk (not keyword=foo))" },
		{ STR_INIT("BCC a CC b FROM c SUBJECT d TO e"),
			"(and header=:Bcc=a header=:Cc=b header=:From=c header=Subject=d header=:To=e)" },
		{ STR_INIT("HEADER X-Foo \"\" HEADER \"Message-ID\" <a@b>"),
			"(and header=X-Foo= header=Message-ID=<a@b>)" },
		{ STR_INIT("BODY x TEXT {3+}\r\na b"), "(and body=x text=a b)" },
		{ STR_INIT("BEFORE 2-Jan-1970 ON \"3-Jan-1970\" SINCE 04-Jan-1970"),
			"(and before=1 on=2 since=3)" },
		{ STR_INIT(
			  "SENTBEFORE 2-Jan-1970 SENTON 3-Jan-1970 SENTSINCE 4-Jan-1970"),
			"(and sentbefore=1 senton=2 sentsince=3)" },
		{ STR_INIT("LARGER 50000 SMALLER 9223372036854775807"),
			"(and larger=50000 smaller=9223372036854775807)" },
		{ STR_INIT("1:3,5 UID 7:8"), "(and seq=1:3,5:5 uid=7:8)" },
		{ STR_INIT("* UID $"), "(and seq=4294967295:4294967295 uid=$)" },
		{ STR_INIT("(SEEN)"), "flag=1" },
		{ STR_INIT("(SEEN (1 2))"), "(and flag=1 (and seq=1:1 seq=2:2))" },
		{ STR_INIT("NOT (SEEN DRAFT)"), "(not (and flag=1 flag=16))" },
		{ STR_INIT("NOT NOT SEEN NOT NOT NOT DRAFT"),
			"(and flag=1 (not flag=16))" },
		{ STR_INIT("NOT UNSEEN"), "(not (not flag=1))" },
		{ STR_INIT("OR 1 2"), "(or seq=1:1 seq=2:2)" },
		{ STR_INIT("OR 1 OR 2 3 4"),
			"(and (or seq=1:1 seq=2:2 seq=3:3) seq=4:4)" },
		{ STR_INIT("OR OR 1 2 OR 3 4"), "(or seq=1:1 seq=2:2 seq=3:3 seq=4:4)" },
		{ STR_INIT("OR NOT OR 1 2 (3 4)"),
			"(or (not (or seq=1:1 seq=2:2)) (and seq=3:3 seq=4:4))" },
		/* RFC 4731 3.1, RFC 7162 3.1.5 */
		{ STR_INIT("RETURN (MIN MAX) MODSEQ \"/flags/\\\\draft\" all 620162338"),
			"min max modseq=620162338" },
		{ STR_INIT("MODSEQ 620162338"), "modseq=620162338" },
		{ STR_INIT("MODSEQ 0"), "modseq" },
		{ STR_INIT("OR NOT MODSEQ 720162338 LARGER 50000"),
			"(or (not modseq=720162338) larger=50000)" },
		/* RFC 5032 4 */
		{ STR_INIT("UNSEEN YOUNGER 259200"),
			"(and (not flag=1) younger=259200)" },
		{ STR_INIT("OLDER 1"), "older=1" },
		/* RFC 5182 2.3 */
		{ STR_INIT("$ SMALLER 4096"), "(and seq=$ smaller=4096)" },
		{ STR_INIT("RETURN (SAVE MIN) SINCE 12-Feb-2006"),
			"min save since=13191" },
		/* RFC 9394 3.1 */
		{ STR_INIT("RETURN (PARTIAL -1:-100) UNDELETED"),
			"partial -1:-100 (not flag=8)" },
		{ STR_INIT("RETURN (PARTIAL 23500:24000 COUNT) UNDELETED"),
			"count partial 23500:24000 (not flag=8)" },
		/* RFC 8514 4.3, RFC 8474 6 */
		{ STR_INIT("SAVEDON 28-Dec-2014"), "savedon=16432" },
		{ STR_INIT(
			  "SAVEDBEFORE 2-Jan-1970 SAVEDSINCE 3-Jan-1970 SAVEDATESUPPORTED"),
			"(and savedbefore=1 savedsince=2 savedatesupported)" },
		{ STR_INIT("emailid M6d99ac3275bb4e"), "emailid=M6d99ac3275bb4e" },
		{ STR_INIT("threadid T64b478a75b7ea9"), "threadid=T64b478a75b7ea9" },
	};

	TRY(lex_search, cases);
}

TEST(sorts_are_in_the_order_that_was_asked_for)
{
	static const struct one cases[] = {
		/* RFC 5256 3, RFC 5267 3.3, RFC 5957 3, RFC 7162 3.1.6 */
		{ STR_INIT("(SUBJECT) UTF-8 SINCE 1-Feb-1994"),
			"+subject <UTF-8> since=8797" },
		{ STR_INIT("(SUBJECT REVERSE DATE) UTF-8 ALL"),
			"+subject -date <UTF-8> all" },
		{ STR_INIT("(SUBJECT) US-ASCII TEXT \"not in mailbox\""),
			"+subject <US-ASCII> text=not in mailbox" },
		{ STR_INIT("RETURN () (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk"),
			"all -date <UTF-8> (and (not flag=8) (not keyword=$Junk))" },
		{ STR_INIT("RETURN (ALL) (DATE) \"UTF-8\" MODSEQ 1234"),
			"all +date <UTF-8> modseq=1234" },
		{ STR_INIT(
			  "(ARRIVAL CC FROM SIZE TO DISPLAYFROM REVERSE DISPLAYTO) utf-8 1:2"),
			"+arrival +cc +from +size +to +displayfrom -displayto <utf-8> seq=1:2" },
	};

	TRY(lex_sort, cases);
}

TEST(threads_are_made_as_was_asked_for)
{
	static const struct one cases[] = {
		{ STR_INIT("ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000"),
			"<UTF-8> since=11021" },
		{ STR_INIT("references US-ASCII TEXT \"gewp\""), "<US-ASCII> text=gewp" },
	};
	struct arena *mem = arena_new(MEM);
	struct imap_query q;

	TRY(lex_thread, cases);
	struct imap_lex x = imap_lex(cases[0].in, false, mem);
	assert_true(lex_thread(&x, &q) && q.thread == THREAD_ORDEREDSUBJECT);
	x = imap_lex(cases[1].in, false, mem);
	assert_true(lex_thread(&x, &q) && q.thread == THREAD_REFERENCES);
	arena_free(&mem);
}

static void
refuse(bool (*lex)(struct imap_lex *, struct imap_query *), const str *at, size_t n)
{
	struct arena *mem = arena_new(MEM);
	struct imap_query q;

	for (size_t i = 0; i < n; i++) {
		struct imap_lex x = imap_lex(at[i], false, mem);

		if (lex(&x, &q) && lex_end(&x))
			fail_msg(STR_FMT, STR_ARG(at[i]));
		assert_non_null(x.why);
	}
	arena_free(&mem);
}

#define REFUSE(lex, cases) refuse(lex, cases, sizeof(cases) / sizeof((cases)[0]))

TEST(what_is_no_search_is_refused)
{
	static const str searches[] = { STR_INIT(""), STR_INIT(" ALL"), STR_INIT("ALL "),
		STR_INIT("NONESUCH"), STR_INIT("ALLX"), STR_INIT("NOT"), STR_INIT("NOT "),
		STR_INIT("OR"), STR_INIT("OR 1"), STR_INIT("OR 1 "),
		STR_INIT("OR 1 OR 2"), STR_INIT("OR FROM {2}\r\na 2"), STR_INIT("()"),
		STR_INIT("(ALL"), STR_INIT("ALL)"), STR_INIT("( ALL)"),
		STR_INIT("(ALL )"), STR_INIT("(1)(2)"), STR_INIT("\"ALL\""),
		STR_INIT("FROM"), STR_INIT("FROM "), STR_INIT("FROM (a)"),
		STR_INIT("HEADER X"), STR_INIT("SINCE 31-Feb-1994"), STR_INIT("SINCE x"),
		STR_INIT("LARGER x"), STR_INIT("LARGER 9223372036854775808"),
		STR_INIT("YOUNGER 0"), STR_INIT("KEYWORD \\Seen"),
		STR_INIT("KEYWORD \"x\""), STR_INIT("UID x"), STR_INIT("0"),
		STR_INIT("1:"), STR_INIT("MODSEQ"), STR_INIT("MODSEQ \"x\" all 1"),
		STR_INIT("MODSEQ \"/flags/\" all 1"),
		STR_INIT("MODSEQ \"/flags/a\" some 1"), STR_INIT("MODSEQ \"/flags/a\" 1"),
		STR_INIT("EMAILID \"\""), STR_INIT("EMAILID a.b"),
		STR_INIT("CHARSET UTF-8"), STR_INIT("CHARSET ALL"),
		STR_INIT("ALL CHARSET UTF-8"), STR_INIT("RETURN"), STR_INIT("RETURN ALL"),
		STR_INIT("RETURN (ALL)"), STR_INIT("RETURN ALL ALL"),
		STR_INIT("RETURN (X) ALL"), STR_INIT("RETURN ( ALL) ALL"),
		STR_INIT("RETURN (ALL ) ALL"), STR_INIT("RETURN (MIN MAX ALL"),
		STR_INIT("RETURN (CONTEXT) ALL"), STR_INIT("RETURN (PARTIAL) ALL"),
		STR_INIT("RETURN (PARTIAL 1:-1) ALL"),
		STR_INIT("RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL"),
		STR_INIT("RETURN (PARTIAL 1:2 ALL) ALL") };
	static const str sorts[] = { STR_INIT("() UTF-8 ALL"),
		STR_INIT("(SUBJECT) UTF-8"), STR_INIT("SUBJECT UTF-8 ALL"),
		STR_INIT("(REVERSE) UTF-8 ALL"),
		STR_INIT("(REVERSE REVERSE DATE) UTF-8 ALL"),
		STR_INIT("(COLOUR) UTF-8 ALL"), STR_INIT("(DATE)UTF-8 ALL") };
	static const str threads[] = { STR_INIT("REFS UTF-8 ALL"),
		STR_INIT("REFERENCES UTF-8"), STR_INIT("REFERENCES"), STR_INIT("") };
	struct arena *mem = arena_new(MEM);
	struct imap_query q;

	REFUSE(lex_search, searches);
	REFUSE(lex_sort, sorts);
	REFUSE(lex_thread, threads);
	struct imap_lex x = imap_lex(STR("SEEN (DRAFT NONESUCH)"), false, mem);
	assert_false(lex_search(&x, &q));
	assert_string_equal(x.why, "a search key");
	assert_int_equal(x.at, 0);
	arena_free(&mem);
}

TEST(who_names_utf8_may_quote_it)
{
	static const struct {
		str in;
		bool ok;
	} cases[] = {
		{ STR_INIT("CHARSET UTF-8 SUBJECT \"\xc3\xbc\""), true },
		{ STR_INIT("CHARSET utf8 (NOT (SUBJECT \"\xc3\xbc\"))"), true },
		{ STR_INIT("CHARSET UTF-8 SUBJECT \"\xfc\""), false },
		{ STR_INIT("CHARSET KOI8-R SUBJECT \"\xc3\xbc\""), false },
		{ STR_INIT("CHARSET \"\xc3\xbc\" ALL"), false },
		{ STR_INIT("SUBJECT \"\xc3\xbc\""), false },
	};
	struct arena *mem = arena_new(MEM);
	struct imap_query q;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, mem);

		if (lex_search(&x, &q) != cases[i].ok || x.utf8)
			fail_msg(STR_FMT, STR_ARG(cases[i].in));
	}
	struct imap_lex x = imap_lex(
		STR("(SUBJECT) UTF-8 BODY \"\xc3\xbc\""), false, mem);
	assert_true(lex_sort(&x, &q));
	x = imap_lex(STR("REFERENCES UTF-8 BODY \"\xc3\xbc\""), false, mem);
	assert_true(lex_thread(&x, &q));
	arena_free(&mem);
}

TEST(what_a_search_needs_is_known_beforehand)
{
	static const struct {
		str in;
		bool modseq, text;
	} cases[] = {
		{ STR_INIT("FROM a"), false, false },
		{ STR_INIT("NOT (SEEN MODSEQ 5)"), true, false },
		{ STR_INIT("OR 1 BODY x"), false, true },
		{ STR_INIT("(TEXT x)"), false, true },
	};
	struct arena *mem = arena_new(MEM);
	struct imap_query q;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, mem);

		assert_true(lex_search(&x, &q) && !q.extended && q.wants == RETURN_ALL);
		assert_int_equal(q.uses_modseq, cases[i].modseq);
		assert_int_equal(q.uses_text, cases[i].text);
	}
	arena_free(&mem);
}

/* n times `open`, an ALL, n times `close` */
static bool
nested(struct arena *mem, unsigned n, const char *open, const char *close,
	const char **why)
{
	BUF_AUTO b = BUF(MEM);
	struct imap_query q;

	for (unsigned i = 0; i < n; i++)
		buf_addz(&b, open);
	buf_addz(&b, "ALL");
	for (unsigned i = 0; i < n; i++)
		buf_addz(&b, close);
	struct imap_lex x = imap_lex(buf_str(&b), false, mem);
	bool ok = lex_search(&x, &q) && lex_end(&x);
	*why = x.why;
	return ok;
}

TEST(a_deep_search_is_refused_and_a_long_one_is_not)
{
	struct arena *mem = arena_new(MEM);
	const char *why;

	assert_true(nested(mem, IMAP_DEPTH_MOST, "(", ")", &why));
	assert_false(nested(mem, IMAP_DEPTH_MOST + 1, "(", ")", &why));
	assert_string_equal(why, "a search that is less deep");
	assert_false(nested(mem, 10000, "(", ")", &why));
	assert_string_equal(why, "a search that is less deep");
	assert_false(nested(mem, 10000, "(NOT ", ")", &why));
	assert_false(nested(mem, 10000, "NOT OR 1 ", "", &why));
	assert_string_equal(why, "a search that is less deep");
	assert_true(nested(mem, 10000, "NOT ", "", &why));
	assert_true(nested(mem, 900, "OR SEEN ", "", &why));
	assert_true(nested(mem, 900, "OR ", " SEEN", &why));
	assert_true(nested(mem, IMAP_SEARCH_KEYS - 2, "SEEN ", "", &why));
	assert_false(nested(mem, IMAP_SEARCH_KEYS - 1, "SEEN ", "", &why));
	assert_string_equal(why, "a search with fewer keys");
	arena_free(&mem);
}
