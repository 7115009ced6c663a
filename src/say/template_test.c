/* SPDX-License-Identifier: ISC */
#include "say/say_int.h"
#include "test/test.h"

#define ENGLISH                                                                                                       \
	"language = English\ndirection = ltr\nplural = one\nmonths = J F M A M J J A S O November D\nfirst_day = 1\n" \
	"date_day = {day} {month} {year}\ndate_time = {day} {month} {year}, {clock} UTC\n"                            \
	"hello = Good day, {name}\ncount = {n|one thing|# things} of #\nreason_virus = A \"virus\" at {name}\nrow = row {name}\n"

struct world {
	struct sentences *s;
	struct templates *t;
	struct arena *mem;
	struct scope *scope;
	struct buf out;
	struct err err;
};

static void
begin(struct world *w)
{
	static const struct sentences_file files[] = { { "en", STR_INIT(ENGLISH) },
		{ "de-AT",
			STR_INIT("language = Deutsch\nhello = Grüß Gott, {name}\n") } };

	*w = (struct world){ .mem = arena_new(64 * 1024), .out = BUF(64 * 1024) };
	if (sentences_new(files, 2, &w->s, &w->err) != RC_OK)
		fail_msg("%s", w->err.text);
	w->scope = scope_new(w->mem);
}

static void
end(struct world *w)
{
	templates_free(&w->t);
	sentences_free(&w->s);
	arena_free(&w->mem);
	buf_free(&w->out);
}

static enum rc
compile(struct world *w, const char *name, const char *text)
{
	struct template_file file = { name, str_of(text) };

	templates_free(&w->t);
	return templates_new(&file, 1, w->s, &w->t, &w->err);
}

static enum rc
put(struct world *w, const char *name, const char *text, unsigned language)
{
	if (compile(w, name, text) != RC_OK)
		fail_msg("%s", w->err.text);
	buf_clear(&w->out);
	return template_put(w->t, name, language, w->scope, &w->out, &w->err);
}

static void
gives(struct world *w, const char *name, const char *text, const char *want)
{
	if (put(w, name, text, 0) != RC_OK)
		fail_msg("%s", w->err.text);
	assert_string_equal(buf_z(&w->out), want);
}

TEST(what_a_stranger_wrote_cannot_become_markup)
{
	struct world w;

	begin(&w);
	scope_set(w.scope, "x", STR("<script>alert(\"1\" + '2') & 3</script>"));
	gives(&w, "a.html", "<p title=\"{{x}}\">{{x}}</p>",
		"<p title=\"&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;) &amp; 3&lt;/script&gt;\">"
		"&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;) &amp; 3&lt;/script&gt;</p>");
	scope_set(w.scope, "x", STR("a\0b\rc\x1b[0m\td\ne\x7f\xc2\x85z"));
	gives(&w, "a.html", "{{x}}", "a?b?c?[0m\td\ne??z");
	scope_set(w.scope, "x",
		STR("\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82 \xe2\x82\xac\xf0\x9f\x93\xac"));
	gives(&w, "a.html", "{{x}}",
		"\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd \u20ac\U0001f4ec");
	scope_set(w.scope, "x", STR("exe.\u202egpj\u2066x"));
	gives(&w, "a.html", "{{x}}", "exe.\ufffdgpj\ufffdx");
	end(&w);
}

TEST(a_value_may_only_stand_where_escaping_is_right)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "<a href={{x_url}}>", "quoted attribute" },
		{ "<a href='{{x_url}}'>", "double quotes" },
		{ "<a href=\"{{x}}\">", "_url" },
		{ "<a href=\"{{=hello}}\">", "_url" },
		{ "<a href=\"/a{{x_url}}\">", "nothing stands before" },
		{ "<a href=\"{{x_url}}{{y_url}}\">", "nothing stands before" },
		{ "<img src=\"{{x}}\">", "_url" },
		{ "<form action=\"{{x}}\">", "_url" },
		{ "<button formaction=\"{{x}}\">", "_url" },
		{ "<a {{x}}>", "quoted attribute" },
		{ "<a title{{x}}=\"\">", "quoted attribute" },
		{ "<{{x}}>", "quoted attribute" },
		{ "<a{{x}}>", "quoted attribute" },
		{ "</{{x}}>", "quoted attribute" },
		{ "<!{{x}}>", "quoted attribute" },
		{ "<!-- {{x}} -->", "a comment is" },
		{ "<a onclick=\"{{x}}\">", "has no place" },
		{ "<a style=\"{{x}}\">", "has no place" },
		{ "<style>{{x}}</style>", "has no place" },
		{ "<iframe srcdoc=\"{{x}}\">", "has no place" },
		{ "<svg>", "has no place" },
		{ "<meta http-equiv=\"refresh\">", "has no place" },
		{ "<script>{{x}}</script>", "quoted attribute" },
		{ "<script>alert(1)</script>", "no script in it" },
		{ "<script src=\"/x\"></script><p {{x}}>", "quoted attribute" },
		{ "<A HREF=\"/\">", "small letters" },
		{ "a < b", "small letters" },
		{ "<p title=\"a", "ends between tags" },
		{ "<p", "ends between tags" },
		{ "<script src=\"/x\">", "ends between tags" },
	};
	struct world w;

	begin(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (compile(&w, "a.html", cases[i].text) != RC_BAD ||
			strstr(w.err.text, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].text, w.err.text);
	}
	assert_int_equal(
		compile(&w, "a.html",
			"<script src=\"{{x_url}}\" defer></script><p title=\"{{x}}\">{{x}}</p>"),
		RC_OK);
	end(&w);
}

TEST(a_url_that_is_none_of_ours_is_never_a_link)
{
	static const char *const bad[] = { "", "javascript:alert(1)", "//evil.test/",
		"/\\evil.test", "http://x.test/", "x", "https:///x", "https://", "/a b",
		"/a\nb", " /a", "data:text/html,x", "HTTPS://X" };
	struct world w;

	begin(&w);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scope_set(w.scope, "x_url", str_of(bad[i]));
		if (put(&w, "a.html", "<a href=\"{{x_url}}\">x</a>", 0) != RC_PERM ||
			w.out.len > 0)
			fail_msg("%s", bad[i]);
		assert_int_equal(put(&w, "a.txt", "{{x_url}}", 0), RC_PERM);
	}
	scope_set(w.scope, "x_url", STR("/r/a?b=\"&c"));
	gives(&w, "a.html", "<a href=\"{{x_url}}\">", "<a href=\"/r/a?b=&quot;&amp;c\">");
	scope_set(w.scope, "x_url", STR("https://a.test:20443/r/x"));
	gives(&w, "a.html", "<a href=\"{{x_url}}\">",
		"<a href=\"https://a.test:20443/r/x\">");
	end(&w);
}

TEST(sections_show_rows_flags_and_values)
{
	struct world w;
	struct scope *row;

	begin(&w);
	scope_set(w.scope, "name", STR("out"));
	scope_set(w.scope, "nothing", STR(""));
	scope_flag(w.scope, "on", true);
	scope_flag(w.scope, "off", false);
	scope_number(w.scope, "zero", 0);
	scope_set(scope_row(w.scope, "rows"), "name", STR("one"));
	row = scope_row(w.scope, "rows");
	scope_set(scope_row(row, "inner"), "x", STR("deep"));
	assert_true(scope_ok(w.scope));
	gives(&w, "a.html",
		"{{#rows}}[{{name}}{{#inner}} {{x}} of {{name}}{{/inner}}{{^inner}} none{{/inner}}]{{/rows}}",
		"[one none][out deep of out]");
	gives(&w, "a.html",
		"{{#on}}a{{/on}}{{#off}}b{{/off}}{{^off}}c{{/off}}{{#name}}d{{/name}}",
		"acd");
	gives(&w, "a.html",
		"{{#nothing}}a{{/nothing}}{{#zero}}b{{/zero}}{{#unset}}c{{/unset}}{{^unset}}d{{/unset}}",
		"d");
	gives(&w, "a.html",
		"{{?rows}}{{name}}{{/rows}}{{?off}}a{{/off}}{{?name}}b{{/name}}", "outb");
	gives(&w, "a.html", "<p {{#on}} class=\"x\" {{/on}}>", "<p  class=\"x\" >");
	gives(&w, "a.html", "a\n  {{#on}}\nb\n  {{/on}}\n{{! c }}\nd\n", "a\nb\nd\n");
	end(&w);
}

TEST(a_mistake_in_a_template_is_told_with_its_line)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "\n\n{{X}}", "a.html:3: this is no name" },
		{ "{{*a}}", "a.html:1: a tag begins" },
		{ "{{}}", "a.html:1: this is no name" },
		{ "{{=nothing}}", "there is no such sentence: nothing" },
		{ "{{#a}}", "a section is not ended: a" },
		{ "{{/a}}", "nothing is open" },
		{ "{{#a}}{{#b}}{{/a}}", "another section is open: b" },
		{ "{{a", "{{ without }}" },
		{ "<p {{#a}} title=\"{{/a}}\">", "a section ends where it began" },
		{ "<a href=\"{{#a}}/{{/a}}\">", "a section begins and ends" },
		{ "<p{{#a}} {{/a}}>", "a section begins and ends" },
		{ "{{>none.html}}", "there is no file none.html" },
		{ "{{>none.txt}}", "a file of the other kind" },
		{ "<p title=\"{{>a.html}}\">", "a file is put in between tags" },
		{ "{{>a.html}}", "too deep" },
		{ "{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}",
			"sections are too deep" },
		{ "{{abcdefghijklmnopqrstuvwxyzabcdefgh}}", "this is no name" },
	};
	struct world w;

	begin(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (compile(&w, "a.html", cases[i].text) != RC_BAD ||
			strstr(w.err.text, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].text, w.err.text);
	end(&w);
}

TEST(files_in_files_have_an_end)
{
	char names[10][8], texts[10][16];
	struct template_file files[10];
	struct world w;

	begin(&w);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%d.html", i);
		(void)snprintf(texts[i], sizeof(texts[i]), "%d{{>%d.html}}", i, i + 1);
		files[i] = (struct template_file){ names[i], str_of(texts[i]) };
	}
	files[7].text = STR("7");
	assert_int_equal(templates_new(files, 8, w.s, &w.t, &w.err), RC_OK);
	assert_int_equal(template_put(w.t, "0.html", 0, w.scope, &w.out, &w.err), RC_OK);
	assert_string_equal(buf_z(&w.out), "01234567");
	templates_free(&w.t);
	files[7].text = STR("{{>8.html}}");
	files[8].text = STR("8");
	assert_int_equal(templates_new(files, 9, w.s, &w.t, &w.err), RC_BAD);
	files[8] = files[7];
	assert_int_equal(templates_new(files, 9, w.s, &w.t, &w.err), RC_BAD);
	end(&w);
}

TEST(sentences_have_values_numbers_and_times_in_them)
{
	struct world w;

	begin(&w);
	scope_set(w.scope, "name", STR("<Ann>"));
	gives(&w, "a.html", "{{lang}}: {{=hello}}", "en: Good day, &lt;Ann&gt;");
	assert_int_equal(put(&w, "a.html", "{{lang}}: {{=hello}}", 1), RC_OK);
	assert_string_equal(buf_z(&w.out), "de-AT: Grüß Gott, &lt;Ann&gt;");
	scope_number(w.scope, "n", 1);
	gives(&w, "a.html", "{{=count}}", "one thing of #");
	scope_number(w.scope, "n", 18446744073709551615ULL);
	gives(&w, "a.html", "{{=count}} {{n}}",
		"18446744073709551615 things of # 18446744073709551615");
	scope_time(w.scope, "when", 1795442719000);
	gives(&w, "a.html", "{{when}} {{when_iso}} {{when_day}}",
		"23 November 2026, 14:05 UTC 2026-11-23T14:05:19.000Z 23 November 2026");
	scope_say(w.scope, "why", STR("reason_virus"));
	gives(&w, "a.html", "<p title=\"{{why}}\">",
		"<p title=\"A &quot;virus&quot; at &lt;Ann&gt;\">");
	end(&w);
}

TEST(a_value_that_nobody_set_is_noticed)
{
	struct world w;

	begin(&w);
	scope_flag(w.scope, "flag", true);
	(void)scope_row(w.scope, "list");
	scope_say(w.scope, "none", STR("no_such_key"));
	scope_set(w.scope, "n", STR("1"));
	assert_int_equal(put(&w, "a.html", "a\n{{x}}", 0), RC_PERM);
	assert_string_equal(w.err.text, "a.html:2: nobody has set this value: x");
	assert_int_equal(put(&w, "a.html", "{{x_url}}", 0), RC_PERM);
	assert_int_equal(put(&w, "a.html", "{{=hello}}", 0), RC_PERM);
	assert_int_equal(put(&w, "a.html", "{{=count}}", 0), RC_PERM);
	assert_int_equal(put(&w, "a.html", "{{flag}}", 0), RC_PERM);
	assert_int_equal(put(&w, "a.html", "{{list}}", 0), RC_PERM);
	assert_int_equal(put(&w, "a.html", "{{none}}", 0), RC_PERM);
	assert_int_equal(w.out.len, 0);
	end(&w);
}

TEST(a_sentence_that_names_itself_ends)
{
	struct world w;

	begin(&w);
	scope_say(w.scope, "name", STR("row"));
	assert_int_equal(put(&w, "a.html", "{{=row}}", 0), RC_PERM);
	assert_int_equal(put(&w, "a.html", "{{name}}", 0), RC_PERM);
	end(&w);
}

TEST(pages_and_arenas_have_limits)
{
	ARENA_AUTO little = arena_new(2000);
	struct scope *s = scope_new(little);
	struct world w;

	begin(&w);
	assert_true(scope_ok(s));
	for (int i = 0; i < 100; i++)
		scope_set(scope_row(s, "rows"), "x", STR("y"));
	scope_time(s, "t", 1);
	assert_false(scope_ok(s));
	assert_false(scope_ok(NULL));
	scope_set(NULL, "x", STR(""));
	scope_flag(NULL, "x", true);
	assert_null(scope_row(NULL, "x"));
	assert_int_equal(compile(&w, "a.html", "{{#rows}}{{x}}{{/rows}}"), RC_OK);
	assert_int_equal(template_put(w.t, "a.html", 0, s, &w.out, &w.err), RC_LIMIT);
	w.out.limit = 8;
	scope_set(w.scope, "x", STR("123456789"));
	assert_int_equal(put(&w, "a.html", "{{x}}", 0), RC_LIMIT);
	end(&w);
}

/* Eight lists in each other, each of twelve rows: 12^8 would never end. */
TEST(lists_in_lists_end)
{
	struct world w;

	begin(&w);
	for (int i = 0; i < 12; i++)
		(void)scope_row(w.scope, "a");
	assert_int_equal(
		put(&w, "a.html",
			"{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}",
			0),
		RC_LIMIT);
	end(&w);
}

TEST(a_strangers_lines_stay_quoted_in_letters)
{
	struct world w;

	begin(&w);
	scope_set(w.scope, "x", STR("one\ntwo\n\n-- \nthree"));
	gives(&w, "a.txt", "s\n  > {{x}}\nFrom: {{x}}\n{{x}}",
		"s\n  > one\n  > two\n  >\n  > --\n  > three\n"
		"From: one two  --  three\none two  --  three\n");
	gives(&w, "a.txt", "{{x}}\n\nbody\n", "one two  --  three\n\nbody\n");
	scope_set(w.scope, "x", STR("<a> & \"b\"\r\n\x1b\u202e"));
	gives(&w, "a.txt", "{{x}}", "<a> & \"b\"? ?\ufffd\n");
	end(&w);
}

TEST(no_line_of_a_letter_is_longer_than_mail_may_have_it)
{
	BUF_AUTO word = BUF(8000), out = BUF(16000);
	struct world w;
	str left, line;

	begin(&w);
	for (size_t i = 0; i < 1500; i++)
		buf_addz(&word, "ä");
	buf_addz(&word, "\n");
	buf_add(&word, STR("b"));
	buf_addc(&out, 's');
	buf_addc(&out, '\n');
	buf_addz(&out, "  > ");
	buf_add(&out, buf_str(&word));
	BUF_AUTO got = BUF(16000);
	say_wrap(&got, buf_str(&out));
	left = buf_str(&got);
	(void)str_cut(&left, '\n', &line);
	for (size_t n = 0; n < 4; n++) {
		assert_true(str_cut(&left, '\n', &line));
		assert_true(line.len <= 998 && str_starts(line, STR("  > ä")));
	}
	assert_true(str_cut(&left, '\n', &line));
	assert_true(str_eq(line, STR("b")));
	end(&w);
}

TEST(letters_are_broken_at_72_columns)
{
	struct world w;

	begin(&w);
	gives(&w, "a.txt",
		"subject that is very very long and stays on its one line, because it is a header field of the letter\n"
		"> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c d\n"
		"ää ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää \n"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bb\n"
		"-- \nend \n",
		"subject that is very very long and stays on its one line, because it is a header field of the letter\n"
		"> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n> c d\n"
		"ää ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää\n"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nbb\n"
		"-- \nend\n");
	end(&w);
}
