/* SPDX-License-Identifier: ISC */
#include "mailauth/canon.h"

enum { PIECE = 4096 };

/* Collects small pieces, and stops at `most`. */
struct out {
	struct sha256 *d;
	uint64_t most, all;
	size_t n;
	char bytes[PIECE];
};

static void
flush(struct out *o)
{
	sha256_add(o->d, (str){ o->bytes, o->n });
	o->n = 0;
}

static void
put(struct out *o, str s)
{
	uint64_t room = o->all < o->most ? o->most - o->all : 0;

	o->all += s.len;
	if (s.len > room)
		s.len = (size_t)room;
	if (s.len > PIECE - o->n)
		flush(o);
	if (s.len > PIECE) {
		sha256_add(o->d, s);
		return;
	}
	if (s.len > 0)
		memcpy(o->bytes + o->n, s.ptr, s.len);
	o->n += s.len;
}

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* How many bytes of a line end begin at i: CRLF, or a bare LF. */
static size_t
line_end(str s, size_t i)
{
	if (s.ptr[i] == '\n')
		return 1;
	return s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n' ? 2 : 0;
}

/* 3.4.2: runs of blanks (with unfolding: line ends too) are one space, none at the end. */
static void
put_reduced(struct out *o, str s, bool unfold)
{
	size_t begin = 0, i = 0;

	while (i < s.len) {
		size_t end = i;

		while (end < s.len &&
			(is_wsp(s.ptr[end]) || (unfold && line_end(s, end) > 0)))
			end += is_wsp(s.ptr[end]) ? 1 : line_end(s, end);
		if (end == i) {
			i++;
			continue;
		}
		put(o, (str){ s.ptr + begin, i - begin });
		if (end < s.len)
			put(o, STR(" "));
		begin = i = end;
	}
	put(o, str_skip(s, begin));
}

static void
put_relaxed_field(struct out *o, str field)
{
	size_t colon = str_find(field, STR(":"));
	str name = str_trim(str_first(field, colon)), value = str_skip(field, colon + 1);

	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		put(o, (str){ &c, 1 });
	}
	put(o, STR(":"));
	while (value.len > 0 && (is_wsp(value.ptr[0]) || line_end(value, 0) > 0))
		value = str_skip(value, is_wsp(value.ptr[0]) ? 1 : line_end(value, 0));
	put_reduced(o, value, true);
}

static void
put_simple_field(struct out *o, str field)
{
	str line;

	for (bool first = true; str_cut(&field, '\n', &line); first = false) {
		if (!first)
			put(o, STR("\r\n"));
		if (field.ptr != NULL && line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		put(o, line);
	}
}

void
canon_field(struct sha256 *d, str field, bool relaxed, bool ends)
{
	struct out o = { .d = d, .most = UINT64_MAX };

	if (relaxed)
		put_relaxed_field(&o, field);
	else
		put_simple_field(&o, field);
	if (ends)
		put(&o, STR("\r\n"));
	flush(&o);
}

uint64_t
canon_body(struct sha256 *d, str body, bool relaxed, uint64_t most)
{
	struct out o = { .d = d, .most = most };
	uint64_t empty = 0;

	while (body.len > 0) {
		const char *lf = memchr(body.ptr, '\n', body.len);
		str line = lf == NULL ? body : str_first(body, (size_t)(lf - body.ptr));

		body = lf == NULL ? (str){ 0 } : str_skip(body, line.len + 1);
		if (lf != NULL && line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		while (relaxed && line.len > 0 && is_wsp(line.ptr[line.len - 1]))
			line.len--;
		if (line.len == 0) {
			empty++; /* only digested if something follows */
			continue;
		}
		for (; empty > 0; empty--)
			put(&o, STR("\r\n"));
		if (relaxed)
			put_reduced(&o, line, false);
		else
			put(&o, line);
		put(&o, STR("\r\n"));
	}
	/* 3.4.3: an empty body is one line end; 3.4.4: it is empty */
	if (o.all == 0 && !relaxed)
		put(&o, STR("\r\n"));
	flush(&o);
	return o.all;
}
