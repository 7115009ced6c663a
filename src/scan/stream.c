/* SPDX-License-Identifier: ISC */
#include "scan/stream.h"

static uint32_t
le(str s, size_t at, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)(unsigned char)s.ptr[at + i] << (8 * i);
	return v;
}

/* RFC 8878 3.1.1.1: a frame's header behind its magic; 0: not whole. */
static size_t
zstd_header(str s, bool *sum)
{
	static const size_t dictionary[] = { 0, 1, 2, 4 }, content[] = { 0, 2, 4, 8 };

	if (s.len < 6)
		return 0;
	unsigned d = (unsigned char)s.ptr[4];
	bool single = (d & 32) != 0;
	size_t n = 5u + (single ? 0u : 1u) + dictionary[d & 3] + content[d >> 6];
	*sum = (d & 4) != 0;
	return n + (single && d >> 6 == 0 ? 1 : 0);
}

/* The length of the frame in front; 0: none, or not whole. */
static size_t
zstd_frame(str s)
{
	bool sum, last = false;
	size_t at;

	if (s.len < 8)
		return 0;
	if ((le(s, 0, 4) & ~15u) == 0x184d2a50u) { /* 3.1.2: to be skipped */
		at = 8 + (size_t)le(s, 4, 4);
		return at <= s.len ? at : 0;
	}
	if (le(s, 0, 4) != 0xfd2fb528u || (at = zstd_header(s, &sum)) == 0)
		return 0;
	while (!last) {
		if (at + 3 > s.len)
			return 0;
		uint32_t head = le(s, at, 3);
		last = (head & 1) != 0;
		at += 3 + ((head >> 1 & 3) == 1 ? 1 : head >> 3);
	}
	at += sum ? 4 : 0;
	return at <= s.len ? at : 0;
}

static size_t
zstd_end(str s)
{
	size_t end = 0, n;

	while ((n = zstd_frame(str_skip(s, end))) > 0)
		end += n;
	return end > 0 ? end : s.len;
}

/* A stream ends in "YZ" and is a multiple of four bytes long (The .xz File Format, 2.1.2). */
static size_t
xz_end(str s)
{
	for (size_t end = s.len & ~(size_t)3; end >= 12; end -= 4)
		if (s.ptr[end - 2] == 'Y' && s.ptr[end - 1] == 'Z')
			return end;
	return s.len;
}

size_t
stream_end(enum magic_open how, str bytes)
{
	if (how == OPEN_ZSTD)
		return zstd_end(bytes);
	return how == OPEN_XZ ? xz_end(bytes) : bytes.len;
}
