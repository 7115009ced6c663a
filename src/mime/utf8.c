/* SPDX-License-Identifier: ISC */
#include "mime/utf8.h"

/* RFC 3629 4: what may follow a lead byte, as the range of the second. */
static const struct lead {
	uint8_t first, last, follow, second_least, second_most;
} leads[] = {
	{ 0xc2, 0xdf, 1, 0x80, 0xbf },
	{ 0xe0, 0xe0, 2, 0xa0, 0xbf },
	{ 0xe1, 0xec, 2, 0x80, 0xbf },
	{ 0xed, 0xed, 2, 0x80, 0x9f },
	{ 0xee, 0xef, 2, 0x80, 0xbf },
	{ 0xf0, 0xf0, 3, 0x90, 0xbf },
	{ 0xf1, 0xf3, 3, 0x80, 0xbf },
	{ 0xf4, 0xf4, 3, 0x80, 0x8f },
};

/* Length of the character at the front, 0 when it is none. */
static size_t
character(str s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;

	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		const struct lead *l = &leads[i];

		if (p[0] < l->first || p[0] > l->last)
			continue;
		if (s.len <= l->follow || p[1] < l->second_least || p[1] > l->second_most)
			return 0;
		for (size_t k = 2; k <= l->follow; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return 1u + l->follow;
	}
	return 0;
}

static size_t
ascii_run(str s)
{
	size_t n = 0;
	uint64_t word;

	for (; n + sizeof(word) <= s.len; n += sizeof(word)) {
		memcpy(&word, s.ptr + n, sizeof(word));
		if ((word & 0x8080808080808080u) != 0)
			break;
	}
	while (n < s.len && ((unsigned char)s.ptr[n] & 0x80) == 0)
		n++;
	return n;
}

size_t
utf8_run(str s)
{
	str rest = s;

	for (;;) {
		rest = str_skip(rest, ascii_run(rest));
		size_t n = rest.len == 0 ? 0 : character(rest);

		if (n == 0)
			return s.len - rest.len;
		rest = str_skip(rest, n);
	}
}

bool
utf8_valid(str s)
{
	return utf8_run(s) == s.len;
}

str
utf8_first(str s, size_t most)
{
	if (s.len <= most)
		return s;
	while (most > 0 && ((unsigned char)s.ptr[most] & 0xc0) == 0x80)
		most--;
	return str_first(s, most);
}

size_t
utf8_put(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = UTF8_REPLACEMENT;
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}
