/* SPDX-License-Identifier: ISC */
/* Tags, comments and attributes by the WHATWG standard, 13.2.5. */
#include "mime/html_int.h"

/* In the order of enum element, which is that of the letters. */
static const struct {
	str name;
	unsigned is;
} elements[ELEMENTS] = {
	[E_OTHER] = { STR_INIT(""), 0 },
	[E_A] = { STR_INIT("a"), 0 },
	[E_ADDRESS] = { STR_INIT("address"), IS_BLOCK },
	[E_AREA] = { STR_INIT("area"), IS_VOID },
	[E_ARTICLE] = { STR_INIT("article"), IS_BLOCK },
	[E_ASIDE] = { STR_INIT("aside"), IS_BLOCK },
	[E_AUDIO] = { STR_INIT("audio"), 0 },
	[E_BASE] = { STR_INIT("base"), IS_VOID },
	[E_BLOCKQUOTE] = { STR_INIT("blockquote"), IS_BLOCK },
	[E_BODY] = { STR_INIT("body"), IS_BLOCK },
	[E_BR] = { STR_INIT("br"), IS_VOID },
	[E_BUTTON] = { STR_INIT("button"), IS_EDGE },
	[E_CAPTION] = { STR_INIT("caption"), IS_BLOCK | IS_EDGE },
	[E_CENTER] = { STR_INIT("center"), IS_BLOCK },
	[E_COL] = { STR_INIT("col"), IS_VOID },
	[E_DATALIST] = { STR_INIT("datalist"), IS_UNSEEN },
	[E_DD] = { STR_INIT("dd"), IS_BLOCK },
	[E_DIALOG] = { STR_INIT("dialog"), IS_BLOCK },
	[E_DIR] = { STR_INIT("dir"), IS_BLOCK },
	[E_DIV] = { STR_INIT("div"), IS_BLOCK },
	[E_DL] = { STR_INIT("dl"), IS_BLOCK },
	[E_DT] = { STR_INIT("dt"), IS_BLOCK },
	[E_EMBED] = { STR_INIT("embed"), IS_VOID },
	[E_FIELDSET] = { STR_INIT("fieldset"), IS_BLOCK },
	[E_FIGCAPTION] = { STR_INIT("figcaption"), IS_BLOCK },
	[E_FIGURE] = { STR_INIT("figure"), IS_BLOCK },
	[E_FONT] = { STR_INIT("font"), 0 },
	[E_FOOTER] = { STR_INIT("footer"), IS_BLOCK },
	[E_FORM] = { STR_INIT("form"), IS_BLOCK },
	[E_FRAME] = { STR_INIT("frame"), IS_VOID },
	[E_H1] = { STR_INIT("h1"), IS_BLOCK },
	[E_H2] = { STR_INIT("h2"), IS_BLOCK },
	[E_H3] = { STR_INIT("h3"), IS_BLOCK },
	[E_H4] = { STR_INIT("h4"), IS_BLOCK },
	[E_H5] = { STR_INIT("h5"), IS_BLOCK },
	[E_H6] = { STR_INIT("h6"), IS_BLOCK },
	[E_HEADER] = { STR_INIT("header"), IS_BLOCK },
	[E_HR] = { STR_INIT("hr"), IS_BLOCK | IS_VOID },
	[E_HTML] = { STR_INIT("html"), IS_EDGE },
	[E_IFRAME] = { STR_INIT("iframe"), IS_RAW | IS_UNSEEN },
	[E_IMG] = { STR_INIT("img"), IS_VOID },
	[E_INPUT] = { STR_INIT("input"), IS_VOID },
	[E_LI] = { STR_INIT("li"), IS_BLOCK },
	[E_LINK] = { STR_INIT("link"), IS_VOID },
	[E_LISTING] = { STR_INIT("listing"), IS_BLOCK | IS_PRE },
	[E_MAIN] = { STR_INIT("main"), IS_BLOCK },
	[E_META] = { STR_INIT("meta"), IS_VOID },
	[E_NAV] = { STR_INIT("nav"), IS_BLOCK },
	[E_NOEMBED] = { STR_INIT("noembed"), IS_RAW | IS_UNSEEN },
	[E_NOFRAMES] = { STR_INIT("noframes"), IS_RAW | IS_UNSEEN },
	[E_OBJECT] = { STR_INIT("object"), IS_EDGE },
	[E_OL] = { STR_INIT("ol"), IS_BLOCK },
	[E_OPTION] = { STR_INIT("option"), IS_BLOCK },
	[E_P] = { STR_INIT("p"), IS_BLOCK },
	[E_PARAM] = { STR_INIT("param"), IS_VOID },
	[E_PLAINTEXT] = { STR_INIT("plaintext"), IS_BLOCK | IS_RAW | IS_PRE },
	[E_PRE] = { STR_INIT("pre"), IS_BLOCK | IS_PRE },
	[E_SCRIPT] = { STR_INIT("script"), IS_RAW | IS_UNSEEN },
	[E_SECTION] = { STR_INIT("section"), IS_BLOCK },
	[E_SELECT] = { STR_INIT("select"), 0 },
	[E_SOURCE] = { STR_INIT("source"), IS_VOID },
	[E_STYLE] = { STR_INIT("style"), IS_RAW | IS_UNSEEN },
	[E_TABLE] = { STR_INIT("table"), IS_BLOCK | IS_EDGE },
	[E_TD] = { STR_INIT("td"), IS_EDGE },
	[E_TEMPLATE] = { STR_INIT("template"), IS_UNSEEN | IS_EDGE },
	[E_TEXTAREA] = { STR_INIT("textarea"), IS_RAW | IS_REFS | IS_PRE },
	[E_TH] = { STR_INIT("th"), IS_EDGE },
	[E_TITLE] = { STR_INIT("title"), IS_RAW | IS_REFS | IS_UNSEEN },
	[E_TR] = { STR_INIT("tr"), IS_BLOCK },
	[E_TRACK] = { STR_INIT("track"), IS_VOID },
	[E_UL] = { STR_INIT("ul"), IS_BLOCK },
	[E_VIDEO] = { STR_INIT("video"), 0 },
	[E_WBR] = { STR_INIT("wbr"), IS_VOID },
	[E_XMP] = { STR_INIT("xmp"), IS_BLOCK | IS_RAW | IS_PRE },
};

enum { NAME_MOST = 10 }; /* of those above */

unsigned
element_is(enum element e)
{
	return elements[e].is;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum element
find_element(str name)
{
	char lower[NAME_MOST];
	size_t low = E_OTHER + 1, high = ELEMENTS;

	if (name.len == 0 || name.len > NAME_MOST)
		return E_OTHER;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = letter(name.ptr[i]) ? (char)(name.ptr[i] | 0x20) : name.ptr[i];
	name.ptr = lower;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = (uint8_t)lower[0] - (uint8_t)elements[mid].name.ptr[0];

		if (c == 0)
			c = str_cmp(name, elements[mid].name);

		if (c == 0)
			return (enum element)mid;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return E_OTHER;
}

static void
past(struct html_reader *r, char c)
{
	const char *at = r->rest.len == 0 ? NULL : memchr(r->rest.ptr, c, r->rest.len);

	r->rest = at == NULL ? (str){ 0 }
			     : str_skip(r->rest, (size_t)(at - r->rest.ptr) + 1);
}

/* Behind "<!--": ends at "-->", "--!>", or at once at ">" and "->". */
static void
comment(struct html_reader *r)
{
	str s = r->rest;

	if (str_starts(s, STR(">")) || str_starts(s, STR("->"))) {
		past(r, '>');
		return;
	}
	for (;;) {
		const char *at = s.len == 0 ? NULL : memchr(s.ptr, '>', s.len);

		if (at == NULL) {
			r->rest = (str){ 0 };
			return;
		}
		size_t before = (size_t)(at - r->rest.ptr);
		bool ends = (before >= 2 && at[-1] == '-' && at[-2] == '-') ||
			    (before >= 3 && at[-1] == '!' && at[-2] == '-' &&
				    at[-3] == '-');

		s = str_skip(s, (size_t)(at - s.ptr) + 1);
		if (ends) {
			r->rest = s;
			return;
		}
	}
}

static struct html_token
tag(struct html_reader *r, enum html_what what)
{
	struct html_token t = { .what = what, .text = r->rest };
	size_t n = 0;

	while (n < r->rest.len && !blank(r->rest.ptr[n]) && r->rest.ptr[n] != '/' &&
		r->rest.ptr[n] != '>')
		n++;
	t.text.len = n;
	r->rest = str_skip(r->rest, n);
	t.element = find_element(t.text);
	return t;
}

struct html_token
html_next(struct html_reader *r)
{
	while (r->rest.len > 0) {
		str s = r->rest;
		const char *at = memchr(s.ptr, '<', s.len);
		size_t n = at == NULL ? s.len : (size_t)(at - s.ptr);
		char next = s.len > 1 ? s.ptr[1] : ' ';

		if (n == 0 && !letter(next) && next != '!' && next != '?' && next != '/')
			n = 1; /* a '<' that begins nothing */
		if (n > 0) {
			r->rest = str_skip(s, n);
			return (struct html_token){ .what = HTML_TEXT,
				.text = str_first(s, n) };
		}
		if (letter(next)) {
			r->rest = str_skip(s, 1);
			return tag(r, HTML_TAG);
		}
		if (next == '/' && s.len > 2 && letter(s.ptr[2])) {
			r->rest = str_skip(s, 2);
			return tag(r, HTML_END_TAG);
		}
		r->rest = str_skip(s, 2);
		if (str_starts(s, STR("<!--"))) {
			r->rest = str_skip(s, 4);
			comment(r);
		} else
			past(r, '>');
	}
	return (struct html_token){ .what = HTML_END };
}

static void
skip_blanks(struct html_reader *r)
{
	size_t n = 0;

	while (n < r->rest.len && blank(r->rest.ptr[n]))
		n++;
	r->rest = str_skip(r->rest, n);
}

static void
attr_value(struct html_reader *r, struct html_attr *out)
{
	char c = r->rest.ptr[0];
	size_t n = 0;

	if (c == '"' || c == '\'') {
		out->value = str_skip(r->rest, 1);
		const char *at = out->value.len == 0
					 ? NULL
					 : memchr(out->value.ptr, c, out->value.len);

		if (at != NULL)
			out->value.len = (size_t)(at - out->value.ptr);
		r->rest = str_skip(r->rest, out->value.len + 2);
		return;
	}
	while (n < r->rest.len && !blank(r->rest.ptr[n]) && r->rest.ptr[n] != '>')
		n++;
	out->value = str_first(r->rest, n);
	r->rest = str_skip(r->rest, n);
}

bool
html_attr(struct html_reader *r, struct html_attr *out)
{
	size_t n = 1; /* a name may begin with '=' */

	*out = (struct html_attr){ .name = { 0 } };
	for (;;) {
		skip_blanks(r);
		if (!str_starts(r->rest, STR("/")))
			break;
		r->rest = str_skip(r->rest, 1);
	}
	if (r->rest.len == 0)
		return false;
	if (r->rest.ptr[0] == '>') {
		r->rest = str_skip(r->rest, 1);
		return false;
	}
	while (n < r->rest.len && !blank(r->rest.ptr[n]) && r->rest.ptr[n] != '/' &&
		r->rest.ptr[n] != '>' && r->rest.ptr[n] != '=')
		n++;
	out->name = str_first(r->rest, n);
	r->rest = str_skip(r->rest, n);
	skip_blanks(r);
	if (!str_starts(r->rest, STR("=")))
		return true;
	r->rest = str_skip(r->rest, 1);
	skip_blanks(r);
	if (r->rest.len > 0 && r->rest.ptr[0] != '>')
		attr_value(r, out);
	return true;
}

str
html_raw(struct html_reader *r, str name)
{
	str s = r->rest, all = s;

	while (s.len > 0) {
		const char *at = memchr(s.ptr, '<', s.len);

		if (at == NULL)
			break;
		s = str_skip(s, (size_t)(at - s.ptr));
		str behind = str_skip(s, 2 + name.len);

		if (s.len >= 2 && s.ptr[1] == '/' && str_istarts(str_skip(s, 2), name) &&
			behind.len > 0 &&
			(blank(behind.ptr[0]) || behind.ptr[0] == '/' ||
				behind.ptr[0] == '>')) {
			r->rest = s;
			return str_first(all, all.len - s.len);
		}
		s = str_skip(s, 1);
	}
	r->rest = (str){ 0 };
	return all;
}
