/* SPDX-License-Identifier: ISC */
#include "wire/plain.h"

#include "mime/utf8.h"
#include "wire/pack.h"

static bool
is_control(unsigned char c, bool lines)
{
	return (c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7f;
}

/* U+0080 to U+009F, of valid UTF-8. */
static bool
is_c1(const char *p, const char *end)
{
	return (unsigned char)p[0] == 0xc2 && end - p > 1 && (unsigned char)p[1] < 0xa0;
}

bool
plain_ok(str s, bool lines)
{
	const char *end = s.len > 0 ? s.ptr + s.len : s.ptr;

	for (size_t n = str_printable(s); n < s.len;
		n += 1 + str_printable(str_skip(s, n + 1)))
		if (is_control((unsigned char)s.ptr[n], lines))
			return false;
	if (!str_has_8bit(s))
		return true;
	for (const char *p = s.ptr; p < end; p++)
		if (is_c1(p, end))
			return false;
	return utf8_valid(s);
}

str
plain_cut(str s, size_t most)
{
	size_t n = most;

	if (s.len <= most)
		return s;
	while (n > 0 && n + 4 > most && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
		n--;
	return str_first(s, n);
}

/* Length of the valid character in front, 0: none. */
static size_t
character(str s)
{
	for (size_t n = 1; n <= 4 && n <= s.len; n++)
		if (utf8_valid(str_first(s, n)))
			return n;
	return 0;
}

void
plain_add(struct buf *b, str s, bool lines)
{
	if (plain_ok(s, lines)) {
		buf_add(b, s);
		return;
	}
	while (s.len > 0) {
		size_t n = character(s);

		if (n == 0)
			buf_addc(b, '?');
		else if (!plain_ok(str_first(s, n), lines))
			buf_addc(b, ' ');
		else
			buf_add(b, str_first(s, n));
		s = str_skip(s, n == 0 ? 1 : n);
	}
}

void
plain_put(struct buf *b, str s, size_t most, bool lines)
{
	BUF_AUTO clean = BUF(most);

	s = plain_cut(s, most);
	if (!plain_ok(s, lines)) {
		plain_add(&clean, s, lines);
		s = buf_str(&clean);
	}
	pack_put_str(b, s);
}
