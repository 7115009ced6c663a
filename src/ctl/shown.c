/* SPDX-License-Identifier: ISC */
#include "ctl/shown.h"

#include <stdio.h>
#include <unistd.h>

enum { PIECE = 16 * 1024 };

/* ---- characters ---- */

static void
no_character(struct shown *s, struct buf *out)
{
	for (unsigned i = 0; i < s->n; i++)
		buf_addc(out, '?');
	s->n = 0;
}

/* RFC 3629 4: how long what begins with it is; 0: nothing does.  CR LF is one, too. */
static unsigned
length(unsigned char c)
{
	if (c == '\r' || (c >= 0xc2 && c <= 0xdf))
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* Neither too long for its character, nor half of a pair, nor past the last one. */
static bool
is_second(unsigned char first, unsigned char c)
{
	unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return first == '\r' ? c == '\n' : c >= least && c <= most;
}

static void
begin(struct shown *s, unsigned char c, struct buf *out)
{
	s->want = length(c);
	if (s->want > 0)
		s->part[s->n++] = c;
	else if (c < 0x7f && (c >= ' ' || c == '\n' || c == '\t'))
		buf_addc(out, (char)c);
	else
		buf_addc(out, '?');
}

static void
next(struct shown *s, unsigned char c, struct buf *out)
{
	if (s->n > 0 && (s->n == 1 ? is_second(s->part[0], c) : (c & 0xc0) == 0x80)) {
		s->part[s->n++] = c;
		if (s->n < s->want)
			return;
		if (s->part[0] == 0xc2 && c < 0xa0)
			buf_addc(out, '?');
		else
			buf_add(out, (str){ (const char *)s->part, s->n });
		s->n = 0;
		return;
	}
	no_character(s, out);
	begin(s, c, out);
}

void
shown_add(struct shown *s, str bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++)
		next(s, (unsigned char)bytes.ptr[i], out);
}

void
shown_end(struct shown *s, struct buf *out)
{
	no_character(s, out);
}

/* ---- standard output ---- */

static struct shown shown;

static bool
to_stdout(str bytes)
{
	return bytes.len == 0 || fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len;
}

bool
shown_write(str bytes)
{
	if (isatty(STDOUT_FILENO) == 0)
		return to_stdout(bytes);
	for (; bytes.len > 0; bytes = str_skip(bytes, PIECE)) {
		BUF_AUTO out = BUF(PIECE + sizeof(shown.part));

		shown_add(&shown, str_first(bytes, PIECE), &out);
		if (!to_stdout(buf_str(&out)))
			return false;
	}
	return true;
}

bool
shown_flush(void)
{
	BUF_AUTO out = BUF(sizeof(shown.part));

	shown_end(&shown, &out);
	return to_stdout(buf_str(&out)) && fflush(stdout) == 0;
}
