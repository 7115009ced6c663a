/* SPDX-License-Identifier: ISC */
/*
 * buf: bytes being built, up to a limit.
 *
 * Adding never fails at the call: past the limit the buffer keeps what it
 * has, refuses the rest and remembers it.  Build first, then ask once:
 *
 *	buf_add(&b, STR("250-"));
 *	buf_addf(&b, "SIZE %zu\r\n", max);
 *	if (!buf_ok(&b)) ...
 *
 * Not locked.  When the machine is out of memory the process ends.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *data;
	size_t len, cap, limit;
	bool over;
};

#define BUF(max)	((struct buf){ .limit = (max) })
#define BUF_AUTO	__attribute__((cleanup(buf_free))) struct buf

void buf_add(struct buf *b, str s);
void buf_addz(struct buf *b, const char *cstr);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_addu(struct buf *b, uint64_t v);	/* its decimal digits; many times faster than printf */
void buf_le(struct buf *b, uint64_t v, unsigned bytes);	/* little endian, 1..8 */
void buf_drop(struct buf *b, size_t n);	/* forget the first n bytes */
void buf_clear(struct buf *b);		/* empty it, keep the memory */
void buf_free(struct buf *b);		/* empty it, give the memory back */
const char *buf_z(struct buf *b);	/* NUL-terminated, until the next call */

void buf_add_slow(struct buf *b, char c);	/* buf_addc() where there is no room yet */

static inline void
buf_addc(struct buf *b, char c)
{
	/* what is over stays as it is; a NUL must fit behind */
	if (!b->over && b->len < b->limit && b->len + 2 <= b->cap)
		b->data[b->len++] = c;
	else
		buf_add_slow(b, c);
}

static inline bool buf_ok(const struct buf *b) { return !b->over; }
static inline str buf_str(const struct buf *b) { return (str){ b->data, b->len }; }
