/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for n more bytes and a NUL; false past the limit. */
static bool
room(struct buf *b, size_t n)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;

	if (b->over || n > b->limit - b->len) {
		b->over = true;
		return false;
	}
	if (b->len + n + 1 <= b->cap)
		return true;
	while (cap < b->len + n + 1)
		cap *= 2;
	if (cap > b->limit + 1)
		cap = b->limit + 1;
	b->data = realloc(b->data, cap);
	if (b->data == NULL)
		abort();
	b->cap = cap;
	return true;
}

void
buf_add(struct buf *b, str s)
{
	if (s.len == 0 || !room(b, s.len))
		return;
	memcpy(b->data + b->len, s.ptr, s.len);
	b->len += s.len;
}

void
buf_addz(struct buf *b, const char *cstr)
{
	buf_add(b, str_of(cstr));
}

void
buf_add_slow(struct buf *b, char c)
{
	buf_add(b, (str){ &c, 1 });
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char small[256];
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if ((size_t)n < sizeof(small)) {
		buf_add(b, (str){ small, (size_t)n });
		return;
	}
	if (!room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_addu(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	buf_add(b, (str){ digits + at, sizeof(digits) - at });
}

void
buf_le(struct buf *b, uint64_t v, unsigned bytes)
{
	char out[8];

	for (unsigned i = 0; i < bytes && i < 8; i++)
		out[i] = (char)(v >> (8 * i));
	buf_add(b, (str){ out, bytes });
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->over = false;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
	b->over = false;
}

const char *
buf_z(struct buf *b)
{
	if (b->data == NULL)
		return "";
	b->data[b->len] = '\0';
	return b->data;
}
