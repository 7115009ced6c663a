/* SPDX-License-Identifier: ISC */
/* Modified UTF-7 (RFC 3501 5.1.3). */
#include <utf8proc.h>

#include "mime/utf8.h"
#include "wire/imap_name.h"

static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

enum { SIX = 6, UNIT = 16, HIGH = 0xd800, LOW = 0xdc00, BEYOND = 0xe000 };

static bool
stands_for_itself(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

struct bits {
	struct buf *to;
	uint32_t held;
	unsigned n; /* less than SIX between units */
};

static void
put_unit(struct bits *s, uint32_t unit)
{
	s->held = s->held << UNIT | unit;
	for (s->n += UNIT; s->n >= SIX; s->n -= SIX)
		buf_addc(s->to, letters[s->held >> (s->n - SIX) & 63]);
	s->held &= (1u << s->n) - 1;
}

static void
put_shifted(struct bits *s, uint32_t c)
{
	if (c >= 0x10000) {
		put_unit(s, HIGH + ((c - 0x10000) >> 10));
		c = LOW + ((c - 0x10000) & 0x3ff);
	}
	put_unit(s, c);
}

static void
put_end(struct bits *s)
{
	if (s->n > 0)
		buf_addc(s->to, letters[s->held << (SIX - s->n) & 63]);
	buf_addc(s->to, '-');
	*s = (struct bits){ .to = s->to };
}

void
imap_put_utf7(struct buf *b, str utf8)
{
	struct bits s = { .to = b };
	bool shifted = false;

	for (size_t i = 0; i < utf8.len;) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(
			(const utf8proc_uint8_t *)utf8.ptr + i,
			(utf8proc_ssize_t)(utf8.len - i), &c);

		i += n > 0 ? (size_t)n : 1;
		if (n <= 0)
			c = UTF8_REPLACEMENT;
		if (shifted && stands_for_itself((uint32_t)c)) {
			put_end(&s);
			shifted = false;
		}
		if (!stands_for_itself((uint32_t)c)) {
			if (!shifted)
				buf_addc(b, '&');
			shifted = true;
			put_shifted(&s, (uint32_t)c);
		} else {
			buf_addc(b, (char)c);
			if (c == '&')
				buf_addc(b, '-');
		}
	}
	if (shifted)
		put_end(&s);
}

/* What "&...-" has in it, as UTF-8; only the one way to write it is taken: no ASCII that
 * stands for itself, no half of a pair, no bits behind the last unit. */
struct shifted {
	char *out;
	size_t n;
	uint32_t high; /* the first half of a pair; 0: none */
};

static bool
take_unit(struct shifted *s, uint32_t unit)
{
	bool low = unit >= LOW && unit < BEYOND;

	if (low != (s->high != 0) || stands_for_itself(unit))
		return false;
	if (unit >= HIGH && unit < LOW) {
		s->high = unit;
		return true;
	}
	if (low)
		unit = 0x10000 + ((s->high - HIGH) << 10) + (unit - LOW);
	s->high = 0;
	s->n += utf8_put(unit, s->out + s->n);
	return true;
}

static bool
unshift(str base64, struct shifted *s)
{
	uint32_t held = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < base64.len; i++) {
		const char *at = base64.ptr[i] == '\0' ? NULL
						       : strchr(letters, base64.ptr[i]);

		if (at == NULL)
			return false;
		held = held << SIX | (uint32_t)(at - letters);
		bits += SIX;
		if (bits < UNIT)
			continue;
		bits -= UNIT;
		if (!take_unit(s, held >> bits))
			return false;
		held &= (1u << bits) - 1;
	}
	return s->high == 0 && bits < SIX && held == 0;
}

enum rc
imap_utf7_in(str utf7, struct arena *mem, str *out)
{
	/* eight letters are three units, of three bytes each at most */
	struct shifted s = { .out = arena_array(mem, utf7.len + 1, 2) };
	bool shift_ended = false;

	if (s.out == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < utf7.len; i++) {
		unsigned c = (unsigned char)utf7.ptr[i];

		if (!stands_for_itself(c))
			return RC_BAD;
		if (c != '&') {
			s.out[s.n++] = (char)c;
			shift_ended = false;
			continue;
		}
		size_t end = i + 1;
		while (end < utf7.len && utf7.ptr[end] != '-')
			end++;
		str inside = { utf7.ptr + i + 1, end - i - 1 };
		if (end == utf7.len)
			return RC_BAD;
		if (inside.len == 0)
			s.out[s.n++] = '&';
		else if (shift_ended || !unshift(inside, &s)) /* one shift would do */
			return RC_BAD;
		shift_ended = inside.len > 0;
		i = end;
	}
	*out = (str){ s.out, s.n };
	return RC_OK;
}
