/* SPDX-License-Identifier: ISC */
#include "ctl/encoded_word.h"

struct word {
	str charset, text;
	char encoding;
	size_t len; /* of all of it, with =? and ?= */
};

static bool
cut_at(str *rest, size_t *used, str *head)
{
	size_t at = str_find(*rest, STR("?"));

	if (at == rest->len)
		return false;
	*head = str_first(*rest, at);
	*rest = str_skip(*rest, at + 1);
	*used += at + 1;
	return true;
}

static bool
parse(str s, struct word *out)
{
	struct word w = { .len = 2 };
	str rest = str_skip(s, 2), encoding;

	if (!str_starts(s, STR("=?")) || !cut_at(&rest, &w.len, &w.charset) ||
		!cut_at(&rest, &w.len, &encoding) || !cut_at(&rest, &w.len, &w.text) ||
		encoding.len != 1 || !str_starts(rest, STR("=")))
		return false;
	w.len++;
	w.encoding = (char)(encoding.ptr[0] & ~0x20);
	*out = w;
	return w.encoding == 'B' || w.encoding == 'Q';
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c & ~0x20);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void
decode_q(str s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '=' && i + 2 < s.len && hex(s.ptr[i + 1]) >= 0 &&
			hex(s.ptr[i + 2]) >= 0) {
			c = (char)(hex(s.ptr[i + 1]) * 16 + hex(s.ptr[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		buf_addc(out, c);
	}
}

static void
decode_b(str s, struct buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < s.len && s.ptr[i] != '='; i++) {
		const char *at = memchr(digits, s.ptr[i], 64);

		if (at == NULL)
			continue;
		bits = (bits << 6 | (uint32_t)(at - digits)) & 0xffffff;
		if ((have += 6) >= 8)
			buf_addc(out, (char)(bits >> (have -= 8) & 0xff));
	}
}

static void
add_latin1(str s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= 0x80)
			buf_addc(out, (char)(0xc0 | c >> 6));
		buf_addc(out, c >= 0x80 ? (char)(0x80 | (c & 0x3f)) : (char)c);
	}
}

static bool
decode(const struct word *w, struct buf *out)
{
	BUF_AUTO bytes = BUF(4096);
	bool latin = str_ieq(w->charset, STR("iso-8859-1"));

	if (!latin && !str_ieq(w->charset, STR("utf-8")) &&
		!str_ieq(w->charset, STR("us-ascii")))
		return false;
	if (w->encoding == 'B')
		decode_b(w->text, &bytes);
	else
		decode_q(w->text, &bytes);
	if (latin)
		add_latin1(buf_str(&bytes), out);
	else
		buf_add(out, buf_str(&bytes));
	return true;
}

void
encoded_words(str header, struct buf *out)
{
	bool after_word = false;

	while (header.len > 0) {
		size_t blank = 0;
		struct word w;

		while (blank < header.len &&
			(header.ptr[blank] == ' ' || header.ptr[blank] == '\t'))
			blank++;
		str next = str_skip(header, blank);
		bool word = parse(next, &w);

		/* RFC 2047 6.2: blanks between two encoded words are not shown */
		if (!word || !after_word)
			buf_add(out, str_first(header, blank));
		header = next;
		after_word = word && decode(&w, out);
		if (after_word) {
			header = str_skip(header, w.len);
		} else if (header.len > 0) {
			buf_addc(out, header.ptr[0]);
			header = str_skip(header, 1);
		}
	}
}
