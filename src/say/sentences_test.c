/* SPDX-License-Identifier: ISC */
#include "say/say_int.h"
#include "say/ui.h"
#include "test/test.h"

#define OWN                                                                                                           \
	"language = English\ndirection = ltr\nplural = one\nmonths = J F M A M J J A S O November D\nfirst_day = 1\n" \
	"date_day = {day} {month} {year}\ndate_time = {day} {month} {year}, {clock} UTC\n"

static enum rc
read_two(const char *english, const char *tag, const char *other, struct sentences **out,
	struct err *err)
{
	struct sentences_file files[2] = { { "en", str_of(english) },
		{ tag, str_of(other) } };

	return sentences_new(files, other == NULL ? 1 : 2, out, err);
}

/* The error must say this. */
static void
refused(const char *english, const char *other, const char *why)
{
	struct sentences *s = NULL;
	struct err err = { 0 };

	assert_int_equal(read_two(english, "de", other, &s, &err), RC_BAD);
	assert_null(s);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, err.text);
}

TEST(a_sentence_is_said_in_the_readers_language_and_else_in_english)
{
	struct sentences *s = NULL;
	struct err err = { 0 };

	assert_int_equal(
		read_two(OWN
			"hello = Good day, {name}\nbye = Farewell\n\n# a comment\nlong = one\n  two\n\tthree\n",
			"de", "language = Deutsch\nhello = Guten Tag, {name}\n", &s,
			&err),
		RC_OK);
	assert_true(str_eq(sentence(s, 1, STR("hello")), STR("Guten Tag, {name}")));
	assert_true(str_eq(sentence(s, 1, STR("bye")), STR("Farewell")));
	assert_true(str_eq(sentence(s, 0, STR("hello")), STR("Good day, {name}")));
	assert_true(str_eq(sentence(s, 0, STR("long")), STR("one two three")));
	assert_true(str_eq(sentence(s, 0, STR("none")), STR("")));
	assert_true(str_eq(sentence(s, 99, STR("bye")), STR("Farewell")));
	assert_true(str_eq(sentences_name(s, 1), STR("Deutsch")));
	sentences_free(&s);
}

TEST(a_language_with_a_mistake_in_it_is_refused_with_its_line)
{
	refused(OWN "a = x\n", "b = y\n", "de.txt:1: English does not have this key: b");
	refused(OWN "a = x {n}\n", "\na = y {m}\n",
		"de.txt:2: English does not have this name here: m");
	refused(OWN "a = x\n", "a = y\na = z\n", "de.txt:2: this key is there twice: a");
	refused(OWN "a = x\na = y\n", NULL, "en.txt:9: this key is there twice: a");
	refused(OWN "a = <b>x</b>\n", NULL, "en.txt:8: a sentence has no markup");
	refused(OWN "a = x &amp; y\n", NULL, "markup");
	refused(OWN "a = x\x01\n", NULL, "a control character");
	refused(OWN "a = x {n\n", NULL, "a brace without its other");
	refused(OWN "a = x n}\n", NULL, "a brace without its other");
	refused(OWN "a = {}\n", NULL, "in braces stands a name");
	refused(OWN "a = {A}\n", NULL, "in braces stands a name");
	refused(OWN "a = {n||x}\n", NULL, "forms of a number");
	refused(OWN "a =\n", NULL, "says nothing");
	refused(OWN "A = x\n", NULL, "this is no key");
	refused(OWN "nothing\n", NULL, "key = sentence");
	refused(OWN "\n  goes on\n", NULL, "en.txt:9: this line goes on with nothing");
	refused(OWN "a = {n|x|y|z}\n", NULL, "wrong number of forms");
	refused(OWN "a = {n|x|y}\n", "plural = polish\na = {n|x|y}\n",
		"wrong number of forms");
	refused(OWN, "plural = klingon\n", "there is no such plural");
	refused(OWN, "months = a b c\n", "twelve months");
	refused("language = English\n", NULL, "is missing");
}

TEST(a_sentence_has_an_end)
{
	BUF_AUTO text = BUF(64 * 1024);

	buf_addz(&text, OWN "a = ");
	for (int i = 0; i <= SENTENCE_MOST; i++)
		buf_addc(&text, 'x');
	buf_addc(&text, '\n');
	refused(buf_z(&text), NULL, "too long");
}

TEST(english_is_the_first_language)
{
	struct sentences_file files[1] = { { "de", STR(OWN) } };
	struct sentences *s = NULL;

	assert_int_equal(sentences_new(files, 1, &s, NULL), RC_BAD);
	assert_int_equal(sentences_new(files, 0, &s, NULL), RC_BAD);
}

TEST(a_number_chooses_its_form_by_the_languages_rule)
{
	static const struct {
		const char *rule;
		uint64_t n;
		size_t form;
	} cases[] = {
		{ "one", 0, 1 },
		{ "one", 1, 0 },
		{ "one", 2, 1 },
		{ "zero_one", 0, 0 },
		{ "zero_one", 1, 0 },
		{ "zero_one", 2, 1 },
		{ "never", 7, 0 },
		{ "east_slavic", 1, 0 },
		{ "east_slavic", 21, 0 },
		{ "east_slavic", 11, 2 },
		{ "east_slavic", 3, 1 },
		{ "east_slavic", 13, 2 },
		{ "east_slavic", 23, 1 },
		{ "east_slavic", 0, 2 },
		{ "polish", 1, 0 },
		{ "polish", 21, 2 },
		{ "polish", 22, 1 },
		{ "polish", 12, 2 },
		{ "czech", 1, 0 },
		{ "czech", 4, 1 },
		{ "czech", 22, 2 },
	};
	unsigned rule = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(plural_find(str_of(cases[i].rule), &rule));
		if (plural_pick(rule, cases[i].n) != cases[i].form)
			fail_msg("%s %d", cases[i].rule, (int)cases[i].n);
		assert_true(cases[i].form < plural_forms(rule));
	}
	assert_false(plural_find(STR("two"), &rule));
}

static void
says(const struct sentences *s, unsigned language, uint64_t ms, const char *want)
{
	BUF_AUTO out = BUF(200);

	sentence_time(s, language, ms, &out);
	assert_string_equal(buf_z(&out), want);
}

TEST(dates_are_written_as_the_languages_people_write_them)
{
	struct sentences *s = NULL;
	str tags[SENTENCES_LANGUAGES];
	static const struct {
		const char *tag, *first, *other;
	} want[] = {
		{ "en", "1\u00a0March 2026, 00:00\u00a0UTC",
			"31\u00a0December 2026, 23:59\u00a0UTC" },
		{ "de", "1.\u00a0März 2026, 00:00\u00a0UTC",
			"31.\u00a0Dezember 2026, 23:59\u00a0UTC" },
		{ "fr", "1er\u00a0mars 2026 à 00:00\u00a0UTC",
			"31\u00a0décembre 2026 à 23:59\u00a0UTC" },
		{ "es", "1\u00a0de marzo de 2026, 00:00\u00a0UTC",
			"31\u00a0de diciembre de 2026, 23:59\u00a0UTC" },
		{ "af", "1\u00a0Maart 2026, 00:00\u00a0UTC",
			"31\u00a0Desember 2026, 23:59\u00a0UTC" },
	};

	assert_int_equal(sentences_new(ui_texts, ui_ntexts, &s, NULL), RC_OK);
	for (unsigned l = 0; l < sentences_tags(s, tags); l++) {
		for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			if (!str_eq(tags[l], str_of(want[i].tag)))
				continue;
			says(s, l, 1772323200000, want[i].first);
			says(s, l, 1798761599000, want[i].other);
		}
	}
	says(s, 0, 0, "1\u00a0January 1970, 00:00\u00a0UTC");
	says(s, 0, UINT64_MAX, "31\u00a0December 9999, 23:59\u00a0UTC");
	sentences_free(&s);
}

/* ui/text: what a language lacks would be said in English among it. */
TEST(every_language_says_everything)
{
	struct sentences *s = NULL;
	struct err err = { 0 };

	for (size_t i = 1; i < ui_ntexts; i++) {
		str left = ui_texts[0].text, line;

		while (str_cut(&left, '\n', &line)) {
			BUF_AUTO key = BUF(100);
			str name;

			if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == '\t' ||
				line.ptr[0] == ' ')
				continue;
			(void)str_cut(&line, '=', &name);
			buf_addc(&key, '\n');
			buf_add(&key, str_trim(name));
			buf_addz(&key, " = ");
			if (str_find(ui_texts[i].text, buf_str(&key)) ==
				ui_texts[i].text.len)
				fail_msg("%s.txt does not say " STR_FMT, ui_texts[i].tag,
					STR_ARG(str_trim(name)));
		}
	}
	assert_int_equal(sentences_new(ui_texts, ui_ntexts, &s, &err), RC_OK);
	sentences_free(&s);
}
