/* SPDX-License-Identifier: ISC */
#include "mime/html.h"

#include "mime/html_int.h"
#include "test/test.h"

struct read {
	struct arena *mem;
	struct buf text, hidden;
	struct html h;
};

static void
read_free(struct read *r)
{
	arena_free(&r->mem);
	buf_free(&r->text);
	buf_free(&r->hidden);
}

#define READ_AUTO __attribute__((cleanup(read_free))) struct read

static void
reads(struct read *r, str in)
{
	*r = (struct read){
		.mem = arena_new(4 << 20), .text = BUF(1 << 20), .hidden = BUF(1 << 20)
	};
	r->h.text = &r->text;
	r->h.hidden = &r->hidden;
	assert_int_equal(html_read(in, r->mem, &r->h), RC_OK);
}

TEST(text_is_what_a_reader_sees)
{
	static const struct {
		const char *html, *text, *hidden;
	} cases[] = {
		{ "plain", "plain", "" },
		{ "<p>One<p>Two <b>b</b>old<br>three", "One\nTwo bold\nthree", "" },
		{ " a \n\t b<i> c</i>", "a b c", "" },
		{ "<pre>a\n  b</pre>c", "a\n  b\nc", "" },
		{ "<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3", "" },
		/* comments, and what only seems to be one */
		{ "a<!-- x --!>b<!-->c<!--->d<!-- > -->e<!x>f<?y?>g</ z>h<![CDATA[i]]>j",
			"abcdefghj", "" },
		{ "1 < 2 <3 a<", "1 < 2 <3 a<", "" },
		{ "a<!-- never closed", "a", "" },
		{ "a<b title='>'>b</b title=\">\">c", "abc", "" },
		{ "a<b x=\"never closed>c", "a", "" },
		/* raw text */
		{ "<script>if (a<b) '</p>'</script >b", "b", "" },
		{ "<style>x</styles></style>b<title>t</title>", "b", "" },
		{ "<textarea><b>&amp;</textarea>", "<b>&", "" },
		{ "<xmp>&amp;<i></xmp>", "&amp;<i>", "" },
		{ "a<plaintext></plaintext>&amp;", "a\n</plaintext>&amp;", "" },
		/* references */
		{ "&lt;&#60;&#x3c;&LT &eacute &notit; &nonesuch; &; &#; &#x; a&nbsp;b",
			"<<<< \xc3\xa9 \xc2\xacit; &nonesuch; &; &#; &#x; a b", "" },
		{ "&#128;&#0;&#xd800;&#99999999999;",
			"\xe2\x82\xac"
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
			"" },
		/* characters that nobody sees */
		{ "v&shy;i\xe2\x80\x8b"
		  "a&#8203;g\xc2\xadra\x01",
			"viagra", "" },
		/* hidden */
		{ "<div style='display: none'>a<p>b</div>c", "c", "a\nb" },
		{ "<p style=display:none>a<p>b", "b", "a" },
		{ "<p hidden>a</p>b", "b", "a" },
		{ "<div style='DISPLAY:/**/NONE!important;display:block'>a</div>", "",
			"a" },
		{ "<div style='display:none;display:block'>a</div>", "a", "" },
		{ "<div style='visibility:hidden'>a<b style='visibility:visible'>b</b></div>",
			"b", "a" },
		{ "<i style=font-size:0>a<b style=font-size:12px>b</b></i>", "b", "a" },
		{ "<i style='font:0/0 a'>a</i><i style='font:bold 700 12px/1 b'>b</i>",
			"b", "a" },
		{ "<i style='opacity:0'>a</i><i style='opacity:.9'>b</i>", "b", "a" },
		{ "<div style='max-height:0px;overflow:hidden'>a</div>b", "b", "a" },
		{ "<div style='position:absolute;left:-9999px'>a</div>b", "b", "a" },
		{ "<font color=white>a</font>b", "b", "a" },
		{ "<font color=white><i class=x>a</i></font>b", "ab", "" },
		{ "<td bgcolor=#123456><i style='color:#133557'>a</i><i>b</i>", "b",
			"a" },
		{ "<p style='background:#000;color:#fff'>a</p>", "a", "" },
		{ "<p style='color:rgba(1,2,3,0)'>a</p>b", "b", "a" },
		{ "<p style='background:url(x) #fff;color:#fff'>a</p>", "a", "" },
		{ "<p style='display&#58;none'>a</p>b", "b", "a" },
		{ "<template>a</template><datalist><option>b</datalist>c", "c", "a\nb" },
		{ "<li hidden>a<ul><li>b</ul><li>c", "c", "a\nb" },
		{ "<x-y hidden>a</x-z>b</x-y>c", "c", "ab" },
		{ "<input type=submit value='G&#111;'><img alt='A b' src=x>", "GoA b",
			"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		READ_AUTO r;

		reads(&r, str_of(cases[i].html));
		assert_string_equal(buf_z(&r.text), cases[i].text);
		assert_string_equal(buf_z(&r.hidden), cases[i].hidden);
		assert_int_equal(
			(r.h.flags & HTML_HIDDEN) != 0, cases[i].hidden[0] != '\0');
	}
}

TEST(links_are_kept_with_their_words)
{
	static const struct {
		const char *html, *url, *text;
		enum html_link_kind kind;
	} cases[] = {
		{ "<a href=' http://a/ '>b <i>c</i></a>d", "http://a/", "b c", HTML_A },
		{ "<A HREF=\"ht\ntp&#58;//a/?x=1&copy=2&amp;y b\">z",
			"http://a/?x=1&copy=2&y%20b", "z", HTML_A },
		{ "<a/href='x'>a<a>b</a>", "x", "a", HTML_A },
		{ "<a href=x href=y>a<p>b</a>", "x", "a b", HTML_A },
		{ "<a href=java&Tab;script&colon;x>a</a>", "javascript:x", "a", HTML_A },
		{ "<img src=cid:1 alt='&lt;p&gt;'>", "cid:1", "<p>", HTML_IMG },
		{ "<form action=/x>", "/x", "", HTML_FORM_ACTION },
		{ "<iframe src=x></iframe>", "x", "", HTML_OTHER },
		{ "<meta http-equiv=Refresh content='0; URL=\"http://r/\"'>", "http://r/",
			"", HTML_OTHER },
		{ "<body background=b>", "b", "", HTML_OTHER },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		READ_AUTO r;

		reads(&r, str_of(cases[i].html));
		assert_int_equal(r.h.n, 1);
		assert_string_equal(r.h.links[0].url.ptr, cases[i].url);
		assert_true(str_eq(r.h.links[0].text, str_of(cases[i].text)));
		assert_int_equal(r.h.links[0].kind, cases[i].kind);
	}
}

TEST(dangers_of_a_page_are_flagged)
{
	static const struct {
		const char *html;
		uint32_t flags;
	} cases[] = {
		{ "<script>", HTML_SCRIPT },
		{ "<form><input type=password>", HTML_FORM | HTML_PASSWORD },
		{ "<iframe>", HTML_IFRAME },
		{ "<object data=x>", HTML_OBJECT },
		{ "<img src=https://x/>", HTML_REMOTE },
		{ "<img src=cid:x>", 0 },
		{ "<b style='background:url(http://x)'>", HTML_REMOTE },
		{ "<meta http-equiv=refresh content=0>", HTML_REFRESH },
		{ "<base href=http://x/>", HTML_BASE | HTML_REMOTE },
		{ "<svg/onload=x>", HTML_EVENTS },
		{ "<a href=http://x/>", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		READ_AUTO r;

		reads(&r, str_of(cases[i].html));
		assert_int_equal(r.h.flags, cases[i].flags);
	}
}

TEST(title_and_charset_are_found)
{
	READ_AUTO r;

	reads(&r, STR("<title> A &amp; b\n</title><meta http-equiv=content-type "
		      "content='text/html; charset=koi8-r'><meta charset=x>"));
	assert_true(str_eq(r.h.title, STR("A & b")));
	assert_true(str_eq(r.h.charset, STR("koi8-r")));
	assert_true(str_eq(
		html_charset(STR("<!-- <meta charset=a> --><META charset=\"UTF-7\">")),
		STR("UTF-7")));
	assert_true(str_eq(html_charset(STR("<p>none")), STR("")));
}

TEST(a_page_of_a_million_tags_is_no_work)
{
	static const char *const pieces[] = { "<b>", "</b></i>", "<p><b>", "<a href=x>",
		"<table><td>", "<li><ul>", "<x style='color:red'>", "<!--", "&", "<!-- >",
		"<a b='", "<script>", "</x" };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		BUF_AUTO in = BUF(64 << 20);
		READ_AUTO r;

		for (unsigned k = 0; k < 100000; k++)
			buf_addz(&in, pieces[i]);
		reads(&r, buf_str(&in));
		assert_true(r.h.n <= HTML_LINKS);
	}
}

TEST(tables_of_elements_and_references_are_in_order)
{
	static const char *const names[] = { "a", "p", "td", "xmp", "BLOCKQUOTE",
		"plaintext", "h6", "wbr" };
	static const char *const refs[] = { "&AElig;", "&Tab;", "&amp;", "&zwnj;",
		"&yuml", "&colon;", "&quot", "&euro;" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char tag[32];

		(void)snprintf(tag, sizeof(tag), "<%s>", names[i]);
		struct html_reader r = { str_of(tag) };
		assert_int_not_equal(html_next(&r).element, E_OTHER);
	}
	for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
		char out[8];
		size_t n;

		assert_int_equal(
			html_ref(str_of(refs[i]), false, out, &n), strlen(refs[i]));
	}
}
