/* SPDX-License-Identifier: ISC */
#include "wire/sortkey.h"

#include "test/test.h"

TEST(subjects_of_one_conversation_have_one_base)
{
	/* RFC 5256 2.1 and 5, and what its grammar says of the corners. */
	static const struct {
		str subject, base;
		bool reply;
	} cases[] = {
		{ STR_INIT("hello"), STR_INIT("hello"), false },
		{ STR_INIT("  hello  world "), STR_INIT("hello  world"), false },
		{ STR_INIT("Re: hello"), STR_INIT("hello"), true },
		{ STR_INIT("RE:hello"), STR_INIT("hello"), true },
		{ STR_INIT("re  : Fw: FWD: hello"), STR_INIT("hello"), true },
		{ STR_INIT("Re[2]: hello"), STR_INIT("hello"), true },
		{ STR_INIT("Re [list] : hello"), STR_INIT("hello"), true },
		{ STR_INIT("[list] Re: hello"), STR_INIT("hello"), true },
		{ STR_INIT("[a][b] Re: [c] hello"), STR_INIT("hello"), true },
		{ STR_INIT("[list] hello"), STR_INIT("hello"), false },
		{ STR_INIT("[list]"), STR_INIT("[list]"), false },
		{ STR_INIT("[a] [b] "), STR_INIT("[b]"), false },
		{ STR_INIT("Re: [a] [b]"), STR_INIT("[b]"), true },
		{ STR_INIT("hello (fwd)"), STR_INIT("hello"), true },
		{ STR_INIT("hello (FWD) (fwd) "), STR_INIT("hello"), true },
		{ STR_INIT("(fwd)"), STR_INIT(""), true },
		{ STR_INIT("Re: (fwd)"), STR_INIT(""), true },
		{ STR_INIT("[fwd: hello]"), STR_INIT("hello"), true },
		{ STR_INIT("[Fwd: Re: hello (fwd)] "), STR_INIT("hello"), true },
		{ STR_INIT("[list] [Fwd: hello]"), STR_INIT("hello"), true },
		{ STR_INIT("[fwd: [fwd: [x] hello]]"), STR_INIT("hello"), true },
		{ STR_INIT("[fwd: hello"), STR_INIT("[fwd: hello"), false },
		{ STR_INIT("[fwd:]"), STR_INIT(""), true },
		{ STR_INIT("[fwd: a] b"), STR_INIT("b"), false },
		{ STR_INIT("[a[b] c"), STR_INIT("[a[b] c"), false },
		{ STR_INIT("Ready: steady"), STR_INIT("Ready: steady"), false },
		{ STR_INIT("Re: [x] Re"), STR_INIT("Re"), true },
		{ STR_INIT("fwdd: x"), STR_INIT("fwdd: x"), false },
		{ STR_INIT("Re:"), STR_INIT(""), true },
		{ STR_INIT(""), STR_INIT(""), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool reply;
		str base;

		sortkey_base(cases[i].subject, &base, &reply);
		if (!str_eq(base, cases[i].base) || reply != cases[i].reply)
			fail_msg("\"" STR_FMT "\" gave \"" STR_FMT "\", %d",
				STR_ARG(cases[i].subject), STR_ARG(base), reply);
	}
}

TEST(a_subject_of_brackets_takes_no_time)
{
	static char subject[1 << 20];
	static const char *const kinds[] = { "[a]", "[fwd:", "Re:", "re[", "[", "(fwd)",
		"[a]re:" };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		size_t len = strlen(kinds[k]);
		bool reply;
		str base;

		memset(subject, ']', sizeof(subject));
		for (size_t i = 0; i < sizeof(subject) / 2 / len; i++)
			memcpy(subject + i * len, kinds[k], len);
		sortkey_base((str){ subject, sizeof(subject) }, &base, &reply);
		assert_true(base.len <= sizeof(subject));
	}
}

static void
assert_folds(const char *from, const char *to)
{
	BUF_AUTO out = BUF(256);

	sortkey_fold(str_of(from), &out);
	assert_string_equal(buf_z(&out), to);
}

TEST(letters_are_compared_whatever_their_case)
{
	assert_folds("Hello, World", "HELLO, WORLD");
	assert_folds("stra\u00dfe", "STRA\u00dfE"); /* RFC 5051: no expansion */
	assert_folds("\u00fcber \u00dcBER", "U\u0308BER U\u0308BER");
	assert_folds("\u01c6", "Dz\u030c"); /* titlecase Dž, decomposed */
	assert_folds("\u03c9\u03ce", "\u03a9\u03a9\u0301");
	assert_folds("\u0434\u0439", "\u0414\u0418\u0306");
	assert_folds("\uff41\u212b", "AA\u030a");
	assert_folds("\uac01", "\u1100\u1161\u11a8");
	assert_folds("a\xff\xc3z", "A\ufffd\ufffdZ");
	assert_folds("a\nb\u00a0c", "A\nB C");
}

TEST(one_letter_or_letter_and_accent_are_the_same)
{
	BUF_AUTO one = BUF(256);
	BUF_AUTO two = BUF(256);

	sortkey_fold(STR("caf\u00e9 \u1ea5"), &one);
	sortkey_fold(STR("cafe\u0301 a\u0302\u0301"), &two);
	assert_true(str_eq(buf_str(&one), buf_str(&two)));
}

TEST(a_sort_key_comes_back_and_a_lie_is_none)
{
	uint64_t refs[SORTKEY_REFS + 2];
	char longer[500];
	struct sortkey k = { .reply = true,
		.subject = STR("HELLO"),
		.to = { longer, sizeof(longer) },
		.display_to = STR("U\u0308"),
		.message_id = sortkey_hash(STR("a@b")),
		.nrefs = SORTKEY_REFS + 2,
		.refs = refs };
	ARENA_AUTO mem = arena_new(1 << 20);
	BUF_AUTO b = BUF(SORTKEY_MOST);
	BUF_AUTO again = BUF(SORTKEY_MOST);
	struct sortkey got;

	memset(longer, 'A', sizeof(longer));
	for (size_t i = 0; i < SORTKEY_REFS + 2; i++)
		refs[i] = i + 1;
	sortkey_pack(&b, &k);
	assert_int_equal(sortkey_unpack(buf_str(&b), mem, &got), RC_OK);
	assert_true(got.reply && str_eq(got.subject, k.subject));
	assert_int_equal(got.to.len, SORTKEY_STR);
	assert_int_equal(got.from.len, 0);
	assert_true(str_eq(got.display_to, k.display_to));
	assert_true(got.message_id == k.message_id);
	assert_int_equal(got.nrefs, SORTKEY_REFS);
	assert_true(got.refs[0] == 3 && got.refs[SORTKEY_REFS - 1] == SORTKEY_REFS + 2);
	sortkey_pack(&again, &got);
	assert_true(str_eq(buf_str(&b), buf_str(&again)));
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(
			sortkey_unpack(str_first(buf_str(&b), n), mem, &got), RC_BAD);
	buf_addc(&b, 'x');
	assert_int_equal(sortkey_unpack(buf_str(&b), mem, &got), RC_BAD);
	b.len--;
	b.data[10] = (char)(SORTKEY_STR + 1);
	assert_int_equal(sortkey_unpack(buf_str(&b), mem, &got), RC_BAD);
	b.data[10] = 5;
	b.data[12] = '\n';
	assert_int_equal(sortkey_unpack(buf_str(&b), mem, &got), RC_BAD);
	b.data[12] = '\xff';
	assert_int_equal(sortkey_unpack(buf_str(&b), mem, &got), RC_BAD);
}

TEST(a_message_id_has_the_same_number_for_ever)
{
	assert_true(sortkey_hash(STR("a@b")) == sortkey_hash(STR("a@b")));
	assert_true(sortkey_hash(STR("a@b")) != sortkey_hash(STR("a@c")));
	assert_true(sortkey_hash(STR("")) != 0);
}
