/* SPDX-License-Identifier: ISC */
#include "mime/html_flow.h"

#include "mime/html_int.h"
#include "mime/utf8.h"

/* What a byte is: a part of a word, or something to look at. */
enum { WORD, WHITE, REF, HIGH, NOTHING };

static const uint8_t kinds[256] = {
	[0 ... 0x1f] = NOTHING,
	['\t'] = WHITE,
	['\n'] = WHITE,
	['\f'] = WHITE,
	['\r'] = WHITE,
	[' '] = WHITE,
	['&'] = REF,
	[0x7f] = NOTHING,
	[0x80 ... 0xff] = HIGH,
};

static int
kind(uint8_t c)
{
	return kinds[c];
}

void
html_flush(struct html_flow *f)
{
	str s = { f->piece, f->n };

	f->n = 0;
	if (f->out->over)
		return;
	str fits = utf8_first(s, f->out->limit - f->out->len);

	buf_add(f->out, fits);
	if (fits.len < s.len)
		f->out->over = true;
}

void
html_line(struct html_flow *f)
{
	f->line = f->any;
	f->blank = false;
}

void
html_space(struct html_flow *f)
{
	f->blank = true;
}

void
html_gap(struct html_words *w)
{
	w->gap = true;
}

static void
put(struct html_flow *f, str s)
{
	while (s.len > 0) {
		if (s.len > HTML_PIECE - f->n)
			html_flush(f);
		str now = utf8_first(s, HTML_PIECE - f->n);

		memcpy(f->piece + f->n, now.ptr, now.len);
		f->n += now.len;
		s = str_skip(s, now.len);
	}
}

static void
word(struct html_flow *f, struct html_words *also, str s)
{
	bool apart = f->blank;

	if (f->line)
		put(f, STR("\n"));
	else if (f->blank && f->any)
		put(f, STR(" "));
	f->line = f->blank = false;
	f->any = true;
	put(f, s);
	if (also == NULL || also->n == HTML_LINK_TEXT)
		return;
	if ((apart || also->gap) && also->n > 0)
		also->text[also->n++] = ' ';
	also->gap = false;
	s = utf8_first(s, HTML_LINK_TEXT - also->n);
	if (s.len > 0)
		memcpy(also->text + also->n, s.ptr, s.len);
	also->n += s.len;
}

static void
white(struct html_flow *f, char c, bool pre)
{
	if (!pre) {
		f->blank = true;
		return;
	}
	if (c == '\n') {
		if (f->any)
			put(f, STR("\n"));
		f->line = f->blank = false;
	} else if (c == '\t' || c == ' ')
		word(f, NULL, (str){ &c, 1 });
}

/* Above ASCII: nothing is to be seen of controls, soft hyphens and marks without
 * width; the others are what they are. */
static void
high(struct html_flow *f, struct html_words *also, str s)
{
	static const str unseen[] = { STR_INIT("\xc2\xad"), STR_INIT("\xcd\x8f"),
		STR_INIT("\xe2\x80\x8b"), STR_INIT("\xe2\x81\xa0"),
		STR_INIT("\xef\xbb\xbf") };

	if ((uint8_t)s.ptr[0] == 0xc2 && s.len == 2 && (uint8_t)s.ptr[1] <= 0xa0) {
		if ((uint8_t)s.ptr[1] == 0xa0)
			f->blank = true; /* no-break space */
		return;
	}
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (str_eq(s, unseen[i]))
			return;
	word(f, also, s);
}

static size_t
length(str s)
{
	uint8_t c = (uint8_t)s.ptr[0];
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

	return n < s.len ? n : s.len;
}

static size_t
reference(struct html_flow *f, struct html_words *also, str s)
{
	char c[8];
	size_t n, used = html_ref(s, false, c, &n);

	if (used == 0) {
		word(f, also, str_first(s, 1));
		return 1;
	}
	switch (kind((uint8_t)c[0])) {
	case WHITE:
		f->blank = true;
		break;
	case HIGH:
		high(f, also, (str){ c, n });
		break;
	case NOTHING:
		break;
	default:
		word(f, also, (str){ c, n });
	}
	return used;
}

/* Bytes in front that are words of ASCII with one blank between them. */
static size_t
words(str s, bool pre)
{
	size_t n = 0;

	for (;;) {
		while (n < s.len && kind((uint8_t)s.ptr[n]) == WORD)
			n++;
		if (n == 0 || pre || s.len - n < 2 || s.ptr[n] != ' ' ||
			kind((uint8_t)s.ptr[n + 1]) != WORD)
			return n;
		n++;
	}
}

void
html_say(struct html_flow *f, struct html_words *also, str s, bool pre, bool refs)
{
	while (s.len > 0) {
		size_t n = words(s, pre);

		if (n > 0) {
			word(f, also, str_first(s, n));
			s = str_skip(s, n);
			continue;
		}
		n = 1;
		switch (kind((uint8_t)s.ptr[0])) {
		case WHITE:
			white(f, s.ptr[0], pre);
			break;
		case REF:
			if (refs)
				n = reference(f, also, s);
			else
				word(f, also, str_first(s, 1));
			break;
		case HIGH:
			n = length(s);
			high(f, also, str_first(s, n));
			break;
		default:
			break;
		}
		s = str_skip(s, n);
	}
}
