/* SPDX-License-Identifier: ISC */
#include "mime/preview.h"

#include <stdbool.h>

struct preview {
	char text[PREVIEW_BYTES];
	size_t n, chars;
	bool gap;
};

static str
trimmed(str s)
{
	s = str_trim(s);
	while (s.len > 0 && s.ptr[s.len - 1] == '\r')
		s = str_trim(str_first(s, s.len - 1));
	return s;
}

static bool
is_quoted(str line)
{
	return str_starts(line, STR(">")) || str_starts(line, STR("|"));
}

/* Nothing but signs: "-----", "* * *", "====". */
static bool
is_rule(str line)
{
	if (line.len < 3)
		return false;
	for (size_t i = 0; i < line.len; i++)
		if (memchr("-_=*~#+ \t.", line.ptr[i], 10) == NULL)
			return false;
	return true;
}

/* "On Monday Joe wrote:" in front of what is quoted. */
static bool
introduces(str line, str rest)
{
	str next = { 0 };

	if (line.len == 0 || line.ptr[line.len - 1] != ':')
		return false;
	while (next.len == 0 && rest.len > 0) {
		(void)str_cut(&rest, '\n', &next);
		next = trimmed(next);
	}
	return is_quoted(next);
}

/* What takes a character's place without being seen, or is none. */
static bool
unseen(str c)
{
	uint8_t first = (uint8_t)c.ptr[0];

	if (c.len == 1)
		return first < 0x20 || first == 0x7f;
	if (first == 0xc2)
		return (uint8_t)c.ptr[1] < 0xa0 || (uint8_t)c.ptr[1] == 0xad;
	return str_eq(c, STR("\xe2\x80\x8b")) || str_eq(c, STR("\xe2\x80\x8c")) ||
	       str_eq(c, STR("\xcd\x8f")) || str_eq(c, STR("\xef\xbb\xbf"));
}

static void
character(struct preview *p, str c)
{
	if (c.ptr[0] == ' ' || c.ptr[0] == '\t' || str_eq(c, STR("\xc2\xa0"))) {
		p->gap = true;
		return;
	}
	if (unseen(c))
		return;
	if (p->gap && p->n > 0) {
		p->text[p->n++] = ' ';
		p->chars++;
	}
	p->gap = false;
	if (p->chars == PREVIEW_CHARS)
		return;
	memcpy(p->text + p->n, c.ptr, c.len);
	p->n += c.len;
	p->chars++;
}

static void
add(struct preview *p, str line)
{
	p->gap = true;
	while (line.len > 0 && p->chars < PREVIEW_CHARS) {
		uint8_t c = (uint8_t)line.ptr[0];
		size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		character(p, str_first(line, n));
		line = str_skip(line, n);
	}
}

static void
read(struct preview *p, str text, bool everything)
{
	while (text.len > 0 && p->chars < PREVIEW_CHARS) {
		str line;

		(void)str_cut(&text, '\n', &line);
		if (!everything && p->n > 0 &&
			(str_eq(line, STR("-- ")) || str_eq(line, STR("-- \r"))))
			return;
		line = trimmed(line);
		if (!everything &&
			(is_quoted(line) || is_rule(line) || introduces(line, text)))
			continue;
		add(p, line);
	}
}

enum rc
mime_preview(str utf8, struct arena *mem, str *out)
{
	struct preview p = { .n = 0 };

	read(&p, utf8, false);
	if (p.n == 0)
		read(&p, utf8, true);
	return arena_copy(mem, (str){ p.text, p.n }, out);
}
