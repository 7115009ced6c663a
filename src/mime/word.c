/* SPDX-License-Identifier: ISC */
#include "mime/word.h"

#include "mime/mime_int.h"
#include "mime/utf8.h"

enum { CHARSET_MOST = 64 };

struct word {
	str charset, text; /* without RFC 2231's language */
	char encoding; /* 'B', 'Q' */
	size_t len; /* of all of it */
};

struct writer {
	struct charsets *cs;
	struct buf *out;
	uint64_t odd;
	/* Words that follow each other: what they hold, and of base64 what is not
	 * decoded yet, because a group may go on in the next one. */
	bool any;
	str charset;
	struct buf bytes, base64;
	unsigned letters, last; /* of base64: in the group, and the value of the last */
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind "=?charset?X?": to the next "?=".  A new beginning before it: no. */
static bool
text_end(str s, size_t *n)
{
	for (size_t i = 0; i + 1 < s.len; i++) {
		if (s.ptr[i] == '?' && s.ptr[i + 1] == '=') {
			*n = i;
			return true;
		}
		if (s.ptr[i] == '=' && s.ptr[i + 1] == '?' &&
			!(i + 2 < s.len && s.ptr[i + 2] == '='))
			return false;
	}
	return false;
}

/* A word at the front.  *like_one: it began as one. */
static bool
parse(str s, struct word *w, bool *like_one)
{
	str rest = str_skip(s, 2), near = str_first(rest, CHARSET_MOST);
	size_t n, end;

	*like_one = false;
	if (!str_starts(s, STR("=?")))
		return false;
	n = str_find(near, STR("?"));
	if (n == near.len || rest.len < n + 3 || rest.ptr[n + 2] != '?')
		return false;
	w->charset = str_first(rest, n);
	for (size_t i = 0; i < n; i++)
		if (blank(w->charset.ptr[i]) || w->charset.ptr[i] == '=')
			return false;
	w->charset.len = str_find(w->charset, STR("*"));
	w->encoding = (char)(rest.ptr[n + 1] & ~0x20);
	*like_one = true;
	rest = str_skip(rest, n + 3);
	if ((w->encoding != 'B' && w->encoding != 'Q') || !text_end(rest, &end))
		return false;
	w->text = str_first(rest, end);
	w->len = 2 + n + 3 + end + 2;
	return true;
}

static bool
may_decode(const struct writer *w, str charset)
{
	str name = charset_canonical(charset);

	return w->cs != NULL || str_eq(name, STR("utf-8")) ||
	       str_eq(name, STR("us-ascii")) || str_eq(name, STR("windows-1252"));
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c & ~0x20);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 2047 4.2 */
static void
decode_q(str s, struct buf *out, uint64_t *odd)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '=' && i + 2 < s.len && hex(s.ptr[i + 1]) >= 0 &&
			hex(s.ptr[i + 2]) >= 0) {
			c = (char)(hex(s.ptr[i + 1]) * 16 + hex(s.ptr[i + 2]));
			i += 2;
		} else if (c == '=') {
			*odd |= MIME_ODD(BAD_WORD);
		} else if (c == '_') {
			c = ' ';
		}
		buf_addc(out, c);
	}
}

static enum rc
to_buf(str piece, void *arg)
{
	buf_add(arg, piece);
	return RC_OK;
}

static void
end_base64(struct writer *w)
{
	uint64_t odd = 0;

	if (w->base64.len == 0)
		return;
	if (mime_decode(MIME_BASE64, buf_str(&w->base64), UINT64_MAX, to_buf, &w->bytes,
		    &odd) != RC_OK ||
		odd != 0)
		w->odd |= MIME_ODD(BAD_WORD);
	buf_clear(&w->base64);
	w->letters = 0;
}

/* Some encoders cut base64 anywhere, others leave the padding away: where the bits that
 * would be left over are zero, the group ends. */
static void
add_base64(struct writer *w, str text)
{
	buf_add(&w->base64, text);
	for (size_t i = 0; i < text.len; i++) {
		int v = base64_value(text.ptr[i]);

		if (v == BASE64_PADDING)
			w->letters = 0;
		if (v < 0)
			continue;
		w->letters = (w->letters + 1) % 4;
		w->last = (unsigned)v;
	}
	if ((w->letters == 2 && (w->last & 15) == 0) ||
		(w->letters == 3 && (w->last & 3) == 0))
		end_base64(w);
}

static void
end_run(struct writer *w)
{
	if (!w->any)
		return;
	end_base64(w);
	charset_to_utf8(w->cs, w->charset, buf_str(&w->bytes), w->out, &w->odd);
	buf_clear(&w->bytes);
	w->any = false;
}

static void
add_word(struct writer *w, const struct word *word)
{
	if (w->any && !str_ieq(w->charset, word->charset))
		end_run(w);
	w->any = true;
	w->charset = word->charset;
	if (word->encoding == 'B') {
		add_base64(w, word->text);
		return;
	}
	end_base64(w);
	decode_q(word->text, &w->bytes, &w->odd);
}

/* Not from the charset's reader at once: what seems to be a byte order mark is none. */
static void
add_plain(struct writer *w, str s)
{
	bool utf8 = utf8_valid(s);

	if (s.len == 0)
		return;
	end_run(w);
	while (!utf8 && s.len > 0 && (uint8_t)s.ptr[0] >= 0xfe) {
		charset_to_utf8(
			w->cs, STR("windows-1252"), str_first(s, 1), w->out, &w->odd);
		s = str_skip(s, 1);
	}
	charset_to_utf8(
		w->cs, utf8 ? STR("utf-8") : STR("windows-1252"), s, w->out, &w->odd);
}

/* Control characters out, in place; line ends and tabs become blanks. */
static str
no_controls(struct buf *b)
{
	size_t to = 0;

	for (size_t i = 0; i < b->len; i++) {
		uint8_t c = (uint8_t)b->data[i];

		if (c == 0xc2 && i + 1 < b->len && (uint8_t)b->data[i + 1] < 0xa0) {
			i++;
			continue;
		}
		if (c == '\t' || c == '\n' ||
			(c == '\r' && !(i + 1 < b->len && b->data[i + 1] == '\n')))
			c = ' ';
		if (c < 0x20 || c == 0x7f)
			continue;
		b->data[to++] = (char)c;
	}
	return (str){ b->data, to };
}

static void
walk(struct writer *w, str s)
{
	while (s.len > 0 && !w->out->over) {
		size_t n = 0, gap = 0;
		struct word word = { .len = 0 };
		bool like_one, is = false;

		/* everything up to a word */
		for (; n < s.len; n++) {
			if (s.ptr[n] != '=')
				continue;
			is = parse(str_skip(s, n), &word, &like_one) &&
			     may_decode(w, word.charset);
			if (is)
				break;
			if (like_one)
				w->odd |= MIME_ODD(BAD_WORD);
		}
		while (gap < n && blank(s.ptr[gap]))
			gap++;
		/* RFC 2047 6.2: blanks between two words are not shown */
		if (!is || !w->any || gap < n)
			add_plain(w, str_first(s, n));
		s = str_skip(s, n);
		if (is) {
			add_word(w, &word);
			s = str_skip(s, word.len);
		}
	}
	end_run(w);
}

enum rc
mime_words(str unfolded, struct charsets *cs, size_t most, struct arena *mem, str *out,
	uint64_t *odd)
{
	BUF_AUTO text = BUF(most);
	struct writer w = { .cs = cs, .out = &text };

	w.bytes = BUF(unfolded.len);
	w.base64 = BUF(unfolded.len);
	walk(&w, unfolded);
	buf_free(&w.bytes);
	buf_free(&w.base64);
	enum rc rc = arena_copy(mem, no_controls(&text), out);
	if (rc == RC_OK)
		*odd |= w.odd;
	return rc;
}
