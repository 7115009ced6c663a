/* SPDX-License-Identifier: ISC */
#include "say/say_int.h"

enum { WIDTH = 72, LONGEST = 900, REPLACEMENT = 0xfffd };

#define REPLACED "\xef\xbf\xbd" /* U+FFFD */

/* One character at the front: its bytes; 0: that is none.  RFC 3629: shortest form, no
 * surrogates. */
static size_t
character(str s, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)s.ptr[0];
	size_t n = c < 0x80                ? 1
		   : c >= 0xf0 && c < 0xf8 ? 4
		   : c >= 0xe0             ? 3
		   : c >= 0xc0             ? 2
					   : 0;

	if (n == 0 || n > s.len || c >= 0xf8)
		return 0;
	*out = n == 1 ? c : c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.ptr[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | ((unsigned char)s.ptr[i] & 0x3f);
	}
	if ((n > 1 && *out < least[n]) || *out > 0x10ffff ||
		(*out >= 0xd800 && *out < 0xe000))
		return 0;
	return n;
}

/* Embeddings, overrides and isolates would let a stranger's words turn around what follows. */
static bool
turns_direction(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void
put_html(struct buf *out, str c)
{
	switch (c.ptr[0]) {
	case '&':
		buf_addz(out, "&amp;");
		return;
	case '<':
		buf_addz(out, "&lt;");
		return;
	case '>':
		buf_addz(out, "&gt;");
		return;
	case '"':
		buf_addz(out, "&quot;");
		return;
	case '\'':
		buf_addz(out, "&#39;");
		return;
	default:
		buf_add(out, c);
	}
}

void
say_escape(struct buf *out, enum say_form form, str value)
{
	while (value.len > 0) {
		uint32_t c = REPLACEMENT;
		size_t n = character(value, &c);

		if (n == 0 || turns_direction(c))
			buf_addz(out, REPLACED);
		else if ((c < ' ' && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0))
			buf_addc(out, '?');
		else if (form == SAY_HTML)
			put_html(out, str_first(value, n));
		else
			buf_add(out, str_first(value, n));
		value = str_skip(value, n == 0 ? 1 : n);
	}
}

bool
say_is_text(const char *file)
{
	size_t n = strlen(file);

	return n > 4 && strcmp(file + n - 4, ".txt") == 0;
}

bool
say_is_url(str s)
{
	str https = STR("https://");

	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f ||
			s.ptr[i] == '\\')
			return false;
	if (str_starts(s, https))
		return s.len > https.len && s.ptr[https.len] != '/';
	return s.len > 0 && s.ptr[0] == '/' && (s.len == 1 || s.ptr[1] != '/');
}

/* Spaces and > that a line begins with. */
static size_t
prefix_of(str line)
{
	size_t n = 0;

	while (n < line.len && n < WIDTH / 2 &&
		(line.ptr[n] == ' ' || line.ptr[n] == '>'))
		n++;
	return n;
}

/* Where to break: the last space that leaves no more than WIDTH characters, or the first after, but
 * in any case before no mail could have it (RFC 5322 2.1.1: 998 bytes); len: nowhere. */
static size_t
break_at(str line, size_t from)
{
	size_t at = line.len, columns = 0;

	for (size_t i = 0; i < line.len; i++) {
		columns += ((unsigned char)line.ptr[i] & 0xc0) != 0x80;
		if (line.ptr[i] == ' ' && i > from &&
			(columns <= WIDTH + 1 || at == line.len))
			at = i;
		if (columns > WIDTH && at < line.len)
			return at;
		if (i >= LONGEST && ((unsigned char)line.ptr[i] & 0xc0) != 0x80)
			return i;
	}
	return line.len;
}

static void
wrap_line(struct buf *out, str line)
{
	str prefix = str_first(line, prefix_of(line));

	if (line.len <= WIDTH) { /* bytes: no more columns than that */
		buf_add(out, line);
		buf_addc(out, '\n');
		return;
	}
	buf_add(out, prefix);
	line = str_skip(line, prefix.len);
	while (buf_ok(out)) {
		/* the prefix counts; it is all of one column each */
		str whole = { line.ptr - prefix.len, line.len + prefix.len };
		size_t at;

		if (line.len == 0)
			break;
		at = break_at(whole, prefix.len);
		buf_add(out, str_first(line, at - prefix.len));
		line = str_skip(line, at - prefix.len);
		while (line.len > 0 && line.ptr[0] == ' ')
			line = str_skip(line, 1);
		if (line.len == 0)
			break;
		buf_addc(out, '\n');
		buf_add(out, prefix);
	}
	buf_addc(out, '\n');
}

void
say_wrap(struct buf *out, str text)
{
	str line;

	if (str_cut(&text, '\n', &line)) {
		buf_add(out, line);
		buf_addc(out, '\n');
	}
	while (str_cut(&text, '\n', &line)) {
		/* RFC 3676 4.3: the separator of signatures is the one line that ends in a space */
		while (line.len > 0 && line.ptr[line.len - 1] == ' ' &&
			!str_eq(line, STR("-- ")))
			line.len--;
		wrap_line(out, line);
	}
}
