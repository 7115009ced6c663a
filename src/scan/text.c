/* SPDX-License-Identifier: ISC */
#include "scan/text.h"

#include <stdlib.h>

#include "mime/charset.h"
#include "scan/scan_int.h"

enum { SCRATCH = 16 * 1024 * 1024, CHARACTERS = 256 };

struct texts *
texts_new(struct charsets *cs, struct arena *mem, bool tokens)
{
	struct texts *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	t->cs = cs;
	t->mem = mem;
	t->scratch = arena_new(SCRATCH);
	t->text = BUF(CONTENT_TEXT);
	t->hidden = BUF(CONTENT_HIDDEN);
	t->utf8 = BUF(4 * (size_t)TEXT_MOST);
	t->tokens = tokens ? tokens_new() : NULL;
	return t;
}

void
texts_free(struct texts **tp)
{
	struct texts *t = *tp;

	if (t == NULL)
		return;
	buf_free(&t->text);
	buf_free(&t->hidden);
	buf_free(&t->utf8);
	arena_free(&t->scratch);
	tokens_free(&t->tokens);
	free(t);
	*tp = NULL;
}

/* ---- links ---- */

/* scheme://[user@]HOST[:port]/… */
static str
host_of(str url)
{
	size_t at = str_find(url, STR("://")), n = 0;
	str host = str_skip(url, at == url.len ? at : at + 3);

	while (n < host.len && memchr("/?#\\", host.ptr[n], 4) == NULL)
		n++;
	host = str_first(host, n);
	const char *user = memrchr(host.ptr == NULL ? "" : host.ptr, '@', host.len);
	if (user != NULL)
		host = str_skip(host, (size_t)(user - host.ptr) + 1);
	for (n = 0; n < host.len && host.ptr[n] != ':'; n++)
		;
	return str_first(host, n);
}

static enum rc
add_link(struct texts *t, struct content_link l)
{
	struct content_link *to;

	t->links_all++;
	if (t->tokens != NULL)
		tokens_whole(t->tokens, TOKEN_HOST, host_of(l.url));
	if (t->nlinks == CONTENT_LINKS)
		return RC_OK;
	if (t->links == NULL)
		t->links = arena_array(t->mem, CONTENT_LINKS, sizeof(*t->links));
	if (t->links == NULL)
		return RC_LIMIT;
	to = &t->links[t->nlinks++];
	to->flags = l.flags;
	if (arena_copy(t->mem, str_first(l.url, CONTENT_URL), &to->url) != RC_OK)
		return RC_LIMIT;
	return arena_copy(t->mem, l.text, &to->text);
}

static enum rc
html_links(struct texts *t, const struct html *h)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct html_link *l = &h->links[i];
		uint32_t flags = l->hidden ? LINK_HIDDEN : 0;

		flags |= l->kind == HTML_IMG ? LINK_IMAGE : 0;
		flags |= l->kind == HTML_FORM_ACTION ? LINK_FORM : 0;
		if (add_link(t, (struct content_link){ flags, l->url, l->text }) != RC_OK)
			return RC_LIMIT;
	}
	t->links_all += h->all - h->n;
	return RC_OK;
}

static bool
in_url(char c)
{
	return (unsigned char)c > ' ' && c != '<' && c != '>' && c != '"' && c != 0x7f;
}

static bool
in_scheme(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

/* Where "www." is from i on; s.len: nowhere. */
static size_t
next_www(str s, size_t i)
{
	const char *at = str_skip(s, i).ptr, *end = s.len > 0 ? s.ptr + s.len : NULL;

	while (at != NULL && end - at > 3 &&
		(at = memchr(at + 3, '.', (size_t)(end - at) - 3)) != NULL) {
		if (str_istarts((str){ at - 3, 3 }, STR("www")))
			return (size_t)(at - 3 - s.ptr);
		at -= 2;
	}
	return s.len;
}

/* Where links may be: each is looked for from where the last one was found. */
struct marks {
	size_t scheme, www;
};

static size_t
next_mark(str s, struct marks *m, size_t i)
{
	if (m->scheme < i)
		m->scheme = i + str_find(str_skip(s, i), STR("://"));
	if (m->www < i)
		m->www = next_www(s, i);
	return m->scheme < m->www ? m->scheme : m->www;
}

/* What programs make links of: "scheme://…" and "www.…". */
static enum rc
plain_links(struct texts *t, str s)
{
	struct marks m = { str_find(s, STR("://")), next_www(s, 0) };
	size_t after = 0; /* the last link */

	for (size_t i = 0; (i = next_mark(s, &m, i)) < s.len; i++) {
		bool scheme = i == m.scheme;
		size_t from = i;

		while (scheme && from > after && in_scheme(s.ptr[from - 1]))
			from--;
		if (!scheme && i != after && in_url(s.ptr[i - 1]))
			continue;
		size_t end = i + 3;
		while (end < s.len && in_url(s.ptr[end]))
			end++;
		if (end == i + 3 || (scheme && from == i))
			continue;
		while (memchr(".,;:!?)]'", s.ptr[end - 1], 9) != NULL)
			end--;
		str url = { s.ptr + from, end - from };
		if (add_link(t, (struct content_link){ LINK_PLAIN, url, { 0 } }) != RC_OK)
			return RC_LIMIT;
		after = i = end;
	}
	return RC_OK;
}

/* ---- texts ---- */

bool
text_gtube(str s)
{
	/* its first '*': hardly any text has one */
	for (const char *at = s.ptr; s.len > 3; at++) {
		size_t from = (size_t)(at - s.ptr);

		at = memchr(at, '*', s.len - from);
		if (at == NULL)
			return false;
		from = (size_t)(at - s.ptr);
		if (from >= 3 && str_starts(str_skip(s, from - 3), STR(GTUBE)))
			return true;
	}
	return false;
}

static enum rc
show_html(struct texts *t, str utf8)
{
	struct html h = { .text = &t->text, .hidden = &t->hidden };
	enum rc rc = html_read(utf8, t->scratch, &h);

	if (rc == RC_OK)
		rc = html_links(t, &h);
	t->html_flags |= h.flags;
	arena_reset(t->scratch);
	return rc;
}

/* Letters as references, or comments between them: nobody writes so who wants to be
 * read by programs. */
static bool
is_disguised(str html)
{
	size_t n = 0;

	if (html.len == 0)
		return false;
	for (const char *p = html.ptr, *end = p + html.len;
		p < end && (p = memchr(p, '&', (size_t)(end - p))) != NULL; p++)
		n += end - p > 3 && p[1] == '#';
	for (const char *p = html.ptr, *end = p + html.len;
		p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL; p++)
		n += end - p > 3 && p[1] == '!' && p[2] == '-';
	return n >= 32 && n > html.len / 24;
}

void
text_plain(struct buf *b, str s)
{
	s = str_first(s, b->limit - b->len);
	while (s.len > 0) {
		size_t n = str_printable(s);

		buf_add(b, str_first(s, n));
		s = str_skip(s, n);
		if (s.len == 0)
			return;
		char c = s.ptr[0];
		buf_addc(b, c == '\r' || c == '\n' ? '\n' : c == '\t' ? c : ' ');
		s = str_skip(s, str_starts(s, STR("\r\n")) ? 2 : 1);
	}
}

/* A meta element that names a charset in which ASCII is something else. */
static str
named_inside(str bytes, str charset, uint64_t *odd)
{
	static const str tricky[] = { STR_INIT("UTF-7"), STR_INIT("ISO-2022"),
		STR_INIT("HZ"), STR_INIT("UTF-32") };
	str name = html_charset(bytes);

	if (charset.len == 0)
		return name;
	str canonical = charset_canonical(name);
	for (size_t i = 0; i < sizeof(tricky) / sizeof(tricky[0]); i++)
		if (str_istarts(canonical, tricky[i]) &&
			!str_ieq(canonical, charset_canonical(charset)))
			*odd |= MIME_ODD(CHARSET_CONFLICT);
	return charset;
}

enum rc
texts_read(struct texts *t, str bytes, str charset, bool html, bool shown, uint64_t *odd)
{
	str utf8;

	bytes = str_first(bytes, TEXT_MOST);
	if (html)
		charset = named_inside(bytes, charset, odd);
	buf_clear(&t->utf8);
	charset_to_utf8(t->cs, charset, bytes, &t->utf8, odd);
	utf8 = buf_str(&t->utf8);
	t->was_html = html;
	t->disguised = html && is_disguised(utf8);
	t->gtube |= text_gtube(utf8);
	if (!shown)
		return RC_OK;
	if (t->text.len > 0)
		buf_addc(&t->text, '\n');
	t->from = t->text.len;
	enum rc rc;
	if (html)
		rc = show_html(t, utf8);
	else {
		text_plain(&t->text, utf8);
		rc = plain_links(t, str_first(utf8, CONTENT_TEXT));
	}
	str seen = str_skip(buf_str(&t->text), t->from);
	if (html)
		t->gtube |= text_gtube(seen);
	tokens_words(t->tokens, TOKEN_TEXT, seen);
	return rc;
}

/* ---- preview ---- */

/* Appends words with one blank between them until there are enough. */
static void
add_words(struct buf *b, str s, size_t *characters)
{
	bool blank = b->len > 0;

	for (size_t i = 0; i < s.len && *characters < CHARACTERS; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c <= ' ' || c == 0x7f) {
			blank = b->len > 0;
			continue;
		}
		if ((c & 0xc0) != 0x80) {
			if (blank && ++*characters == CHARACTERS)
				return;
			++*characters;
		}
		if (blank)
			buf_addc(b, ' ');
		blank = false;
		buf_addc(b, (char)c);
		while (c >= 0xc0 && i + 1 < s.len &&
			((unsigned char)s.ptr[i + 1] & 0xc0) == 0x80)
			buf_addc(b, s.ptr[++i]);
	}
}

static void
add_lines(struct buf *b, str text, bool quoted)
{
	size_t characters = 0;
	str line;

	while (characters < CHARACTERS && str_cut(&text, '\n', &line))
		if (quoted || line.len == 0 || line.ptr[0] != '>')
			add_words(b, line, &characters);
}

enum rc
text_preview(str text, struct arena *mem, str *out)
{
	BUF_AUTO b = BUF(FACTS_PREVIEW);

	text = str_first(text, 64 * 1024);
	add_lines(&b, text, false);
	if (b.len == 0)
		add_lines(&b, text, true);
	return arena_copy(mem, buf_str(&b), out);
}
