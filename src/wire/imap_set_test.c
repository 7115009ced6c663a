/* SPDX-License-Identifier: ISC */
#include "wire/imap_set.h"
#include "test/test.h"

enum { MEM = 4 * 1024 * 1024 };

static str
shown(const struct imap_set *s, struct buf *b)
{
	buf_clear(b);
	if (s->saved)
		buf_addc(b, '$');
	for (size_t i = 0; i < s->n; i++)
		buf_addf(b, "%s%u:%u", i == 0 ? "" : ",", s->at[i].from, s->at[i].to);
	return buf_str(b);
}

TEST(sets_mean_what_the_rfc_says)
{
	static const struct {
		str in;
		uint32_t last;
		const char *is;
	} cases[] = {
		/* RFC 9051 9, sequence-set */
		{ STR_INIT("2,4:7,9,12:*"), 15, "2:2,4:7,9:9,12:15" },
		{ STR_INIT("*:4,5:7"), 10, "4:10" },
		{ STR_INIT("3291:*"), 100, "100:3291" },
		{ STR_INIT("2:4"), 9, "2:4" },
		{ STR_INIT("4:2"), 9, "2:4" },
		{ STR_INIT("5:*"), 3, "3:5" },
		{ STR_INIT("*"), 7, "7:7" },
		{ STR_INIT("*:*"), 7, "7:7" },
		{ STR_INIT("*"), 0, "" },
		{ STR_INIT("1:*,*,*:9"), 0, "" },
		{ STR_INIT("5,1:*"), 0, "5:5" },
		{ STR_INIT("3,1,2"), 9, "1:3" },
		{ STR_INIT("1:5,2:3,9,7:8"), 9, "1:5,7:9" },
		{ STR_INIT("1:5,3:9"), 9, "1:9" },
		{ STR_INIT("1,3,5"), 9, "1:1,3:3,5:5" },
		/* no message has so large a number: it is not '*' */
		{ STR_INIT("4294967295"), 9, "4294967294:4294967294" },
		{ STR_INIT("1:4294967295"), 9, "1:4294967294" },
		{ STR_INIT("$"), 9, "$" },
	};
	struct arena *mem = arena_new(MEM);
	BUF_AUTO b = BUF(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, mem);
		struct imap_set s;

		assert_true(lex_set(&x, &s) && lex_end(&x));
		imap_set_resolve(&s, cases[i].last);
		if (!str_eq(shown(&s, &b), str_of(cases[i].is)))
			fail_msg(STR_FMT ": %s", STR_ARG(cases[i].in), buf_z(&b));
	}
	arena_free(&mem);
}

TEST(what_is_no_set_is_refused)
{
	static const str cases[] = { STR_INIT(""), STR_INIT("0"), STR_INIT("01"),
		STR_INIT("a"), STR_INIT(","), STR_INIT("1,"), STR_INIT("1:"),
		STR_INIT(":1"), STR_INIT("1,,2"), STR_INIT("1:0"), STR_INIT("4294967296"),
		STR_INIT("1:99999999999999999999"), STR_INIT("-1") };
	struct arena *mem = arena_new(MEM);
	struct imap_set s;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i], false, mem);

		if (lex_set(&x, &s))
			fail_msg(STR_FMT, STR_ARG(cases[i]));
		assert_int_equal(x.at, 0);
		assert_non_null(x.why);
	}
	/* a set ends where something else begins */
	struct imap_lex x = imap_lex(STR("1:2:3"), false, mem);
	assert_true(lex_set(&x, &s) && !lex_end(&x) && x.at == 3);
	arena_free(&mem);
}

TEST(what_a_client_knows_is_in_order)
{
	static const struct {
		str in;
		bool ok;
	} cases[] = {
		{ STR_INIT("1,3:5,7"), true },
		{ STR_INIT("1:2,3"), true },
		{ STR_INIT("1:1"), true },
		{ STR_INIT("$"), false },
		{ STR_INIT("*"), false },
		{ STR_INIT("1:*"), false },
		{ STR_INIT("*:1"), false },
		{ STR_INIT("3,1"), false },
		{ STR_INIT("1:3,3"), false },
		{ STR_INIT("5:3"), false },
	};
	struct arena *mem = arena_new(MEM);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_lex x = imap_lex(cases[i].in, false, mem);
		struct imap_set s;

		assert_int_equal(lex_known_set(&x, &s), cases[i].ok);
		assert_int_equal(x.at, cases[i].ok ? cases[i].in.len : 0);
	}
	arena_free(&mem);
}

/* An answer that is read again says the same, and has() agrees with both. */
TEST(large_sets_are_taken_and_larger_ones_refused)
{
	struct arena *mem = arena_new(MEM);
	BUF_AUTO in = BUF(MEM);
	BUF_AUTO out = BUF(MEM);
	struct imap_set_out o = { .to = &out };
	struct imap_set s;

	for (uint32_t i = IMAP_SET_RANGES; i > 0; i--)
		buf_addf(&in, "%u:%u,", 3 * i + 1, 3 * i);
	in.len--;
	struct imap_lex x = imap_lex(buf_str(&in), false, mem);
	assert_true(lex_set(&x, &s) && lex_end(&x));
	imap_set_resolve(&s, 1);
	assert_int_equal(s.n, IMAP_SET_RANGES);
	for (uint32_t n = 0; n < 3 * IMAP_SET_RANGES + 9; n++) {
		bool is = n >= 3 && n < 3 * IMAP_SET_RANGES + 2 && n % 3 != 2;

		assert_int_equal(imap_set_has(&s, n), is);
		if (is)
			imap_set_add(&o, n);
	}
	imap_set_done(&o);
	assert_true(str_starts(buf_str(&out), STR("3:4,6:7,9:10,")));
	x = imap_lex(buf_str(&out), false, mem);
	assert_true(lex_known_set(&x, &s) && lex_end(&x));
	assert_int_equal(s.n, IMAP_SET_RANGES);

	buf_add(&in, STR(",1"));
	x = imap_lex(buf_str(&in), false, mem);
	assert_false(lex_set(&x, &s));
	assert_string_equal(x.why, "a set of fewer ranges");
	arena_free(&mem);
}

TEST(results_are_told_as_short_as_can_be)
{
	static const uint32_t numbers[] = { 1, 2, 3, 5, 7, 8, 4294967294, 4294967295 };
	BUF_AUTO b = BUF(MEM);
	struct imap_set_out o = { .to = &b };

	imap_set_done(&o);
	assert_int_equal(b.len, 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		imap_set_add(&o, numbers[i]);
	imap_set_done(&o);
	assert_string_equal(buf_z(&b), "1:3,5,7:8,4294967294:4294967295");
}
