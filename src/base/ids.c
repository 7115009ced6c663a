/* SPDX-License-Identifier: ISC */
#include "base/ids.h"

#include <stdlib.h>
#include <sys/random.h>

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void
ids_random(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n <= 0)
			abort();
		p += n;
		len -= (size_t)n;
	}
}

uint64_t
ids_random_u64(void)
{
	uint64_t v;

	ids_random(&v, sizeof(v));
	return v;
}

struct msg_id
ids_message(uint64_t wall_ms)
{
	struct msg_id id = { 0 };
	uint64_t r = ids_random_u64();

	for (int i = 8; i >= 0; i--, wall_ms >>= 5)
		id.text[i] = crockford[wall_ms & 31];
	for (int i = MSG_ID_LEN - 1; i > 8; i--, r >>= 5)
		id.text[i] = crockford[r & 31];
	return id;
}

bool
ids_valid(str s)
{
	if (s.len != MSG_ID_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0' || strchr(crockford, s.ptr[i]) == NULL)
			return false;
	return true;
}

uint64_t
ids_time_ms(str id)
{
	uint64_t ms = 0;

	if (!ids_valid(id))
		return 0;
	for (size_t i = 0; i < 9; i++)
		ms = ms << 5 | (uint64_t)(strchr(crockford, id.ptr[i]) - crockford);
	return ms;
}

void
ids_base32(const void *bytes, size_t len, char *out)
{
	const unsigned char *p = bytes;
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < len || have > 0;) {
		if (have < 5 && i < len) {
			bits = (bits << 8 | p[i++]) & 0xffff;
			have += 8;
		} else if (have < 5) {
			bits <<= 5 - have;
			have = 5;
		}
		have -= 5;
		char c = crockford[bits >> have & 31];
		*out++ = c >= 'A' ? (char)(c + 32) : c;
	}
	*out = '\0';
}

void
ids_hex(const void *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int
unhex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
ids_unhex(str hex, void *out, size_t len)
{
	unsigned char *p = out;

	if (hex.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int hi = unhex_digit(hex.ptr[2 * i]),
		    lo = unhex_digit(hex.ptr[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		p[i] = (unsigned char)(hi << 4 | lo);
	}
	return true;
}
