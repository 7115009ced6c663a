/* SPDX-License-Identifier: ISC */
#include "mime/html.h"

#include "mime/html_int.h"
#include "mime/html_flow.h"
#include "mime/mime_int.h"
#include "mime/utf8.h"

enum attr {
	A_ACTION,
	A_ALT,
	A_BACKGROUND,
	A_BGCOLOR,
	A_CHARSET,
	A_CLASS,
	A_COLOR,
	A_CONTENT,
	A_DATA,
	A_FORMACTION,
	A_HIDDEN,
	A_HREF,
	A_HTTP_EQUIV,
	A_ID,
	A_OPEN,
	A_POSTER,
	A_REL,
	A_SRC,
	A_STYLE,
	A_TEXT,
	A_TYPE,
	A_VALUE,
	ATTRS,
};

static const str attr_names[ATTRS] = {
	[A_ACTION] = STR_INIT("action"),
	[A_ALT] = STR_INIT("alt"),
	[A_BACKGROUND] = STR_INIT("background"),
	[A_BGCOLOR] = STR_INIT("bgcolor"),
	[A_CHARSET] = STR_INIT("charset"),
	[A_CLASS] = STR_INIT("class"),
	[A_COLOR] = STR_INIT("color"),
	[A_CONTENT] = STR_INIT("content"),
	[A_DATA] = STR_INIT("data"),
	[A_FORMACTION] = STR_INIT("formaction"),
	[A_HIDDEN] = STR_INIT("hidden"),
	[A_HREF] = STR_INIT("href"),
	[A_HTTP_EQUIV] = STR_INIT("http-equiv"),
	[A_ID] = STR_INIT("id"),
	[A_OPEN] = STR_INIT("open"),
	[A_POSTER] = STR_INIT("poster"),
	[A_REL] = STR_INIT("rel"),
	[A_SRC] = STR_INIT("src"),
	[A_STYLE] = STR_INIT("style"),
	[A_TEXT] = STR_INIT("text"),
	[A_TYPE] = STR_INIT("type"),
	[A_VALUE] = STR_INIT("value"),
};

/* An element that is open. */
struct open {
	enum element element;
	uint32_t hash; /* of its name */
	bool pre;
	struct html_style style;
};

_Static_assert(HTML_URL + 64 <= HTML_CSS, "room for a URL");

enum { NO_LINK = -1, COUNTERS = 128, ATTR_MOST = HTML_URL + 64 };

struct walker {
	struct html_reader reader;
	struct arena *mem;
	struct html *h;
	struct html_flow seen, unseen;
	enum rc rc;
	long link; /* the a that is open, in h->links */
	struct html_words words; /* what is in it */
	size_t depth;
	size_t open[COUNTERS]; /* how many of each name, by hash */
	struct open stack[HTML_DEPTH];
	/* of the tag that is read */
	bool has[ATTRS];
	str value[ATTRS];
	char css[HTML_CSS], scratch[HTML_CSS]; /* for a moment; css for URLs too */
};

static struct open *
top(struct walker *w)
{
	return &w->stack[w->depth - 1];
}

static uint32_t
hash(str name)
{
	uint32_t h = 5381;

	for (size_t i = 0; i < name.len; i++)
		h = h * 33 + ((uint8_t)name.ptr[i] | 0x20);
	return h;
}

static bool
same(const struct open *o, enum element e, uint32_t h)
{
	return o->element == e && (e != E_OTHER || o->hash == h);
}

static size_t *
counter(struct walker *w, const struct open *o)
{
	return &w->open[o->element == E_OTHER ? o->hash % 32 + ELEMENTS : o->element];
}

_Static_assert(ELEMENTS + 32 <= COUNTERS, "counters");

static void
read_attrs(struct walker *w)
{
	struct html_attr a;

	memset(w->has, 0, sizeof(w->has));
	while (html_attr(&w->reader, &a)) {
		if (a.name.len > 2 && str_istarts(a.name, STR("on")))
			w->h->flags |= HTML_EVENTS;
		for (size_t i = 0; i < ATTRS; i++)
			if (a.name.len == attr_names[i].len && !w->has[i] &&
				str_ieq(a.name, attr_names[i])) {
				w->has[i] = true;
				w->value[i] = a.value;
				break;
			}
	}
}

/* ---- links ---- */

/* Bytes in front that stand for themselves. */
static size_t
plain_run(str s, size_t most)
{
	size_t n = 0;

	while (n < s.len && n < most && (uint8_t)s.ptr[n] > ' ' && s.ptr[n] != '&')
		n++;
	return n;
}

/* References decoded; of a URL: as it is fetched (WHATWG URL 4.4). */
static str
decoded(str raw, bool url, char *out, size_t room)
{
	size_t n = 0;

	while (raw.len > 0 && n + 8 <= room) {
		size_t run = plain_run(raw, room - 8 - n);

		if (run > 0) {
			memcpy(out + n, raw.ptr, run);
			n += run;
			raw = str_skip(raw, run);
			continue;
		}
		char c[8] = { raw.ptr[0] };
		size_t len = 1, used = c[0] == '&' ? html_ref(raw, true, c, &len) : 1;

		if (used == 0)
			used = 1;
		raw = str_skip(raw, used);
		if (len > 1 || (uint8_t)c[0] > ' ')
			memcpy(out + n, c, len);
		else if (url && (c[0] != ' ' || n == 0))
			continue;
		else if (url) {
			memcpy(out + n, "%20", 3);
			len = 3;
		} else
			out[n] = ' ';
		n += len;
	}
	while (url && n >= 3 && memcmp(out + n - 3, "%20", 3) == 0)
		n -= 3;
	return str_trim((str){ out, n });
}

static bool
link_room(struct walker *w)
{
	size_t n = w->h->n;

	if ((n & (n - 1)) != 0)
		return true;
	struct html_link *more = arena_array(w->mem, n == 0 ? 1 : 2 * n, sizeof(*more));

	if (more == NULL)
		return false;
	if (n > 0)
		memcpy(more, w->h->links, n * sizeof(*more));
	w->h->links = more;
	return true;
}

static bool
elsewhere(str url)
{
	return str_istarts(url, STR("http:")) || str_istarts(url, STR("https:")) ||
	       str_istarts(url, STR("ftp:")) || str_starts(url, STR("//"));
}

/* Its number, or NO_LINK. */
static long
add_link(struct walker *w, enum html_link_kind kind, str raw, str text, bool hidden)
{
	struct html_link l = { .kind = kind, .hidden = hidden };
	struct html *h = w->h;

	l.url = decoded(raw, true, w->css, ATTR_MOST);
	l.url = utf8_first(l.url, HTML_URL);
	if (l.url.len == 0)
		return NO_LINK;
	if (kind != HTML_A && kind != HTML_FORM_ACTION && elsewhere(l.url))
		h->flags |= HTML_REMOTE;
	h->all++;
	if (h->n >= HTML_LINKS)
		return NO_LINK;
	if (!link_room(w) || arena_copy(w->mem, l.url, &l.url) != RC_OK ||
		arena_copy(w->mem, text, &l.text) != RC_OK) {
		w->rc = RC_LIMIT;
		return NO_LINK;
	}
	h->links[h->n] = l;
	return (long)h->n++;
}

static void
end_link(struct walker *w)
{
	if (w->link == NO_LINK)
		return;
	str text = str_trim((str){ w->words.text, w->words.n });

	if (arena_copy(w->mem, text, &w->h->links[w->link].text) != RC_OK)
		w->rc = RC_LIMIT;
	w->link = NO_LINK;
}

static void
attr_link(struct walker *w, enum attr a, enum html_link_kind kind, bool hidden)
{
	if (w->has[a])
		(void)add_link(w, kind, w->value[a], (str){ 0 }, hidden);
}

/* ---- text ---- */

static void
say(struct walker *w, str s, bool pre, bool refs, bool hidden)
{
	struct html_flow *f = hidden ? &w->unseen : &w->seen;

	html_say(f, w->link == NO_LINK ? NULL : &w->words, s, pre, refs);
	if (hidden && f->any)
		w->h->flags |= HTML_HIDDEN;
}

static void
line(struct walker *w)
{
	html_line(&w->seen);
	html_line(&w->unseen);
	html_gap(&w->words);
}

/* ---- elements ---- */

static void
pop(struct walker *w)
{
	(*counter(w, top(w)))--;
	w->depth--;
}

/* An element that the implied end of an e does not look beyond. */
static bool
stops(enum element at, enum element e)
{
	switch ((int)e) {
	case E_TR:
		return at != E_TD && at != E_TH && (element_is(at) & IS_EDGE) != 0;
	case E_TD:
		return at == E_TR || (element_is(at) & IS_EDGE) != 0;
	case E_LI:
		return at == E_UL || at == E_OL || at == E_DIR ||
		       (element_is(at) & IS_EDGE) != 0;
	case E_DT:
		return at == E_DL || (element_is(at) & IS_EDGE) != 0;
	case E_OPTION:
		return at == E_SELECT || (element_is(at) & IS_EDGE) != 0;
	default:
		return (element_is(at) & IS_EDGE) != 0;
	}
}

/* Ends the nearest of a and b, with what is in it. */
static void
imply_end(struct walker *w, enum element a, enum element b)
{
	size_t d = w->depth;

	if (w->open[a] + w->open[b] == 0)
		return;
	for (; d > 1 && w->stack[d - 1].element != a && w->stack[d - 1].element != b; d--)
		if (stops(w->stack[d - 1].element, a))
			return;
	while (d > 1 && w->depth >= d)
		pop(w);
}

static void
imply_ends(struct walker *w, enum element e)
{
	if ((element_is(e) & IS_BLOCK) != 0 && e != E_TR && e != E_OPTION)
		imply_end(w, E_P, E_P);
	if (e == E_LI)
		imply_end(w, E_LI, E_LI);
	else if (e == E_DT || e == E_DD)
		imply_end(w, E_DT, E_DD);
	else if (e == E_TD || e == E_TH)
		imply_end(w, E_TD, E_TH);
	else if (e == E_TR)
		imply_end(w, E_TR, E_TR);
	else if (e == E_OPTION)
		imply_end(w, E_OPTION, E_OPTION);
}

/* What the tag's attributes say of how its content looks. */
static struct html_style
styled(struct walker *w, enum element e)
{
	struct html_style s = top(w)->style;
	uint32_t c;

	if (w->has[A_CLASS] || w->has[A_ID] || w->has[A_BACKGROUND])
		s.surface_unknown = true;
	if (w->has[A_BGCOLOR] && (c = html_colour(w->value[A_BGCOLOR])) != COLOUR_NONE) {
		s.surface = c;
		s.surface_unknown = false;
	}
	if (w->has[A_COLOR] && e == E_FONT &&
		(c = html_colour(w->value[A_COLOR])) != COLOUR_NONE)
		s.ink = c;
	if (w->has[A_TEXT] && e == E_BODY &&
		(c = html_colour(w->value[A_TEXT])) != COLOUR_NONE)
		s.ink = c;
	if (w->has[A_STYLE]) {
		str text = w->value[A_STYLE];

		if (memchr(text.ptr == NULL ? "" : text.ptr, '&', text.len) != NULL)
			text = decoded(text, false, w->css, sizeof(w->css));
		if (html_style(text, w->scratch, &s))
			w->h->flags |= HTML_REMOTE;
	}
	if (w->has[A_HIDDEN] || (element_is(e) & IS_UNSEEN) != 0 ||
		(e == E_DIALOG && !w->has[A_OPEN]))
		s.gone = true;
	return s;
}

static void
push(struct walker *w, struct open o)
{
	if (w->depth == HTML_DEPTH)
		return;
	w->stack[w->depth++] = o;
	(*counter(w, &o))++;
}

static str
copied(struct walker *w, str s)
{
	str out = { 0 };

	if (arena_copy(w->mem, s, &out) != RC_OK)
		w->rc = RC_LIMIT;
	return out;
}

/* "text/html; charset=x", "5; url=x": what is behind the key. */
static str
behind(str content, str key)
{
	size_t at = str_ifind(content, key);
	str s = str_trim(str_skip(content, at + key.len));

	if (at == content.len || !str_starts(s, STR("=")))
		return (str){ 0 };
	s = str_trim(str_skip(s, 1));
	if (s.len > 1 && (s.ptr[0] == '"' || s.ptr[0] == '\'')) {
		char quote = s.ptr[0];

		s = str_skip(s, 1);
		return str_first(s, str_find(s, (str){ &quote, 1 }));
	}
	return s;
}

static str
charset_token(str s)
{
	size_t n = 0;

	while (n < s.len && (uint8_t)s.ptr[n] > ' ' &&
		memchr("\"';>/", s.ptr[n], 5) == NULL)
		n++;
	return str_first(s, n);
}

static str
meta_charset(const struct walker *w)
{
	if (w->has[A_CHARSET])
		return charset_token(str_trim(w->value[A_CHARSET]));
	if (w->has[A_CONTENT])
		return charset_token(behind(w->value[A_CONTENT], STR("charset")));
	return (str){ 0 };
}

static void
meta(struct walker *w)
{
	char content[ATTR_MOST];
	str charset = meta_charset(w);

	if (w->h->charset.len == 0 && charset.len > 0)
		w->h->charset = copied(w, charset);
	if (!w->has[A_HTTP_EQUIV] || !w->has[A_CONTENT] ||
		!str_ieq(str_trim(w->value[A_HTTP_EQUIV]), STR("refresh")))
		return;
	w->h->flags |= HTML_REFRESH;
	(void)add_link(w, HTML_OTHER,
		behind(decoded(w->value[A_CONTENT], false, content, sizeof(content)),
			STR("url")),
		(str){ 0 }, false);
}

static void
image(struct walker *w, bool hidden)
{
	char alt[HTML_LINK_TEXT + 8];
	str text = { 0 };

	if (w->has[A_ALT]) {
		text = decoded(w->value[A_ALT], false, alt, sizeof(alt));
		text = utf8_first(text, HTML_LINK_TEXT);
		say(w, w->value[A_ALT], false, true, hidden);
	}
	if (w->has[A_SRC])
		(void)add_link(w, HTML_IMG, w->value[A_SRC], text, hidden);
}

static void
input(struct walker *w, bool hidden)
{
	str type = w->has[A_TYPE] ? str_trim(w->value[A_TYPE]) : (str){ 0 };

	if (str_ieq(type, STR("password")))
		w->h->flags |= HTML_PASSWORD;
	attr_link(w, A_SRC, HTML_IMG, hidden);
	attr_link(w, A_FORMACTION, HTML_FORM_ACTION, hidden);
	if (w->has[A_VALUE] &&
		(str_ieq(type, STR("submit")) || str_ieq(type, STR("button"))))
		say(w, w->value[A_VALUE], false, true, hidden);
}

/* What an element is beside its text. */
static void
notice(struct walker *w, enum element e, bool hidden)
{
	attr_link(w, A_BACKGROUND, HTML_OTHER, hidden);
	switch ((int)e) {
	case E_A:
		end_link(w);
		w->words.n = 0;
		if (w->has[A_HREF])
			w->link = add_link(
				w, HTML_A, w->value[A_HREF], (str){ 0 }, hidden);
		break;
	case E_AREA:
		attr_link(w, A_HREF, HTML_A, hidden);
		break;
	case E_BASE:
		w->h->flags |= HTML_BASE;
		attr_link(w, A_HREF, HTML_OTHER, hidden);
		break;
	case E_LINK:
		attr_link(w, A_HREF, HTML_OTHER, hidden);
		break;
	case E_IMG:
		image(w, hidden);
		break;
	case E_INPUT:
		input(w, hidden);
		break;
	case E_BUTTON:
		attr_link(w, A_FORMACTION, HTML_FORM_ACTION, hidden);
		break;
	case E_FORM:
		w->h->flags |= HTML_FORM;
		attr_link(w, A_ACTION, HTML_FORM_ACTION, hidden);
		break;
	case E_IFRAME:
	case E_FRAME:
		w->h->flags |= HTML_IFRAME;
		attr_link(w, A_SRC, HTML_OTHER, hidden);
		break;
	case E_OBJECT:
	case E_EMBED:
		w->h->flags |= HTML_OBJECT;
		attr_link(w, A_DATA, HTML_OTHER, hidden);
		attr_link(w, A_SRC, HTML_OTHER, hidden);
		break;
	case E_SCRIPT:
		w->h->flags |= HTML_SCRIPT;
		attr_link(w, A_SRC, HTML_OTHER, hidden);
		break;
	case E_AUDIO:
	case E_VIDEO:
	case E_SOURCE:
	case E_TRACK:
		attr_link(w, A_SRC, HTML_OTHER, hidden);
		attr_link(w, A_POSTER, HTML_OTHER, hidden);
		break;
	case E_META:
		meta(w);
		break;
	default:
		break;
	}
}

static void
title(struct walker *w, str content)
{
	char text[HTML_LINK_TEXT + 8];

	if (w->h->title.len > 0)
		return;
	content = str_trim(content);
	w->h->title = copied(w,
		utf8_first(decoded(content, false, text, sizeof(text)), HTML_LINK_TEXT));
}

static void
raw_element(struct walker *w, const struct html_token *t, struct html_style style)
{
	unsigned is = element_is(t->element);
	str content = w->reader.rest;

	if (t->element == E_PLAINTEXT)
		w->reader.rest = (str){ 0 };
	else
		content = html_raw(&w->reader, t->text);
	if (t->element == E_TITLE)
		title(w, content);
	if (t->element == E_STYLE &&
		(str_ifind(content, STR("url(")) < content.len ||
			str_ifind(content, STR("@import")) < content.len))
		w->h->flags |= HTML_REMOTE;
	if ((is & IS_UNSEEN) == 0)
		say(w, content, true, (is & IS_REFS) != 0, html_unseen(&style));
}

static void
start(struct walker *w, const struct html_token *t)
{
	enum element e = t->element;
	unsigned is = element_is(e);

	read_attrs(w);
	imply_ends(w, e);
	struct open o = { .element = e, .hash = e == E_OTHER ? hash(t->text) : 0 };

	o.style = styled(w, e);
	o.pre = top(w)->pre || (is & IS_PRE) != 0;
	if ((is & IS_BLOCK) != 0 || e == E_BR)
		line(w);
	if (e == E_TD || e == E_TH) {
		html_space(&w->seen);
		html_space(&w->unseen);
		html_gap(&w->words);
	}
	notice(w, e, html_unseen(&o.style));
	if ((is & IS_RAW) != 0)
		raw_element(w, t, o.style);
	else if (e == E_BODY || e == E_HTML)
		top(w)->style = o.style; /* there is only one */
	else if ((is & IS_VOID) == 0)
		push(w, o);
}

static void
end(struct walker *w, const struct html_token *t)
{
	struct open o = { .element = t->element, .hash = hash(t->text) };
	size_t d = w->depth;

	read_attrs(w);
	if ((element_is(o.element) & IS_BLOCK) != 0 || o.element == E_BR)
		line(w);
	if (o.element == E_A)
		end_link(w);
	if (*counter(w, &o) == 0)
		return;
	while (d > 1 && !same(&w->stack[d - 1], o.element, o.hash))
		d--;
	while (d > 1 && w->depth >= d)
		pop(w);
}

enum rc
html_read(str utf8, struct arena *mem, struct html *h)
{
	struct walker w = { .reader = { utf8 }, .mem = mem, .h = h, .link = NO_LINK };

	h->n = h->all = 0;
	h->links = NULL;
	h->charset = h->title = (str){ 0 };
	h->flags = 0;
	w.seen.out = h->text;
	w.unseen.out = h->hidden;
	w.depth = 1;
	w.stack[0].style.ink = COLOUR_SET;
	w.stack[0].style.surface = COLOUR_SET | 0xffffff;
	while (w.rc == RC_OK) {
		struct html_token t = html_next(&w.reader);

		if (t.what == HTML_END)
			break;
		if (t.what == HTML_TAG)
			start(&w, &t);
		else if (t.what == HTML_END_TAG)
			end(&w, &t);
		else
			say(&w, t.text, top(&w)->pre, true, html_unseen(&top(&w)->style));
	}
	end_link(&w);
	html_flush(&w.seen);
	html_flush(&w.unseen);
	return w.rc;
}

str
html_charset(str bytes)
{
	struct walker w = { .reader = { str_first(bytes, 1024) } };
	struct html ignored = { .n = 0 };

	w.h = &ignored;
	for (;;) {
		struct html_token t = html_next(&w.reader);

		if (t.what == HTML_END)
			return (str){ 0 };
		if (t.what == HTML_TEXT)
			continue;
		read_attrs(&w);
		str charset = t.element == E_META ? meta_charset(&w) : (str){ 0 };

		if (t.what == HTML_TAG && charset.len > 0)
			return charset;
	}
}
