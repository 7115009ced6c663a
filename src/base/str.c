/* SPDX-License-Identifier: ISC */
#include "base/str.h"

static int
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c;
}

str
str_of(const char *cstr)
{
	return cstr == NULL ? STR("") : (str){ cstr, strlen(cstr) };
}

bool
str_eq(str a, str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
str_ieq(str a, str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

bool
str_starts(str s, str with)
{
	return s.len >= with.len && str_eq(str_first(s, with.len), with);
}

bool
str_istarts(str s, str with)
{
	return s.len >= with.len && str_ieq(str_first(s, with.len), with);
}

int
str_cmp(str a, str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

str
str_trim(str s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = str_skip(s, 1);
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Eight bytes at a time. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t
eight(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Any byte below 0x20, or 0x7f: of those without the upper bit. */
static bool
has_control(uint64_t w)
{
	uint64_t low = w - EACH(0x20), del = (w ^ EACH(0x7f)) - EACH(0x01);

	return ((low | del) & ~w & EACH(0x80)) != 0;
}

size_t
str_printable(str s)
{
	size_t n = 0;

	while (n + 8 <= s.len && !has_control(eight(s.ptr + n)))
		n += 8;
	while (n < s.len && (unsigned char)s.ptr[n] >= 0x20 && s.ptr[n] != 0x7f)
		n++;
	return n;
}

bool
str_has_8bit(str s)
{
	uint64_t all = 0;
	size_t n = 0;

	for (; n + 8 <= s.len; n += 8)
		all |= eight(s.ptr + n);
	for (; n < s.len; n++)
		all |= (uint64_t)((unsigned char)s.ptr[n] & 0x80);
	return (all & EACH(0x80)) != 0;
}

size_t
str_find(str s, str what)
{
	const char *at;

	if (what.len == 0)
		return 0;
	if (s.len < what.len)
		return s.len;
	at = memmem(s.ptr, s.len, what.ptr, what.len);
	return at == NULL ? s.len : (size_t)(at - s.ptr);
}

size_t
str_ifind(str s, str what)
{
	for (size_t i = 0; i + what.len <= s.len; i++)
		if (str_ieq((str){ s.ptr + i, what.len }, what))
			return i;
	return s.len;
}

bool
str_cut(str *rest, char sep, str *head)
{
	str all = *rest;
	const char *at;

	if (all.len == 0)
		return false;
	at = memchr(all.ptr, sep, all.len);
	if (at == NULL) {
		*head = all;
		*rest = (str){ 0 };
		return true;
	}
	*head = str_first(all, (size_t)(at - all.ptr));
	*rest = str_skip(all, head->len + 1);
	return true;
}

bool
str_u64(str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0 || s.len > 20)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned d = (unsigned char)s.ptr[i] - (unsigned)'0';

		if (d > 9 || __builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, d, &v) || v > max)
			return false;
	}
	*out = v;
	return true;
}

bool
str_z(str s, char *out, size_t size)
{
	if (s.len >= size || (s.len > 0 && memchr(s.ptr, 0, s.len) != NULL)) {
		if (size > 0)
			out[0] = '\0';
		return false;
	}
	if (s.len > 0)
		memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
	return true;
}
