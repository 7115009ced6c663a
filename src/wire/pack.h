/* SPDX-License-Identifier: ISC */
/*
 * pack: reading the flat little-endian records that our processes exchange
 * and keep.  Writing is buf_le() and pack_put_str().  A reader never goes past
 * its bytes: past the end it gives zeros and remembers; ask pack_ok() once.
 */
#pragma once

#include "base/buf.h"

struct pack {
	str left;
	bool bad;
};

static inline uint64_t
pack_le(struct pack *p, unsigned bytes)
{
	uint64_t v = 0;

	if (p->bad || p->left.len < bytes) {
		p->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)p->left.ptr[i] << (8 * i);
	p->left = str_skip(p->left, bytes);
	return v;
}

/* A string with a 32-bit length before it, at most `most` bytes. */
static inline str
pack_str(struct pack *p, size_t most)
{
	size_t n = (size_t)pack_le(p, 4);
	str s;

	if (p->bad || n > most || n > p->left.len) {
		p->bad = true;
		return (str){ 0 };
	}
	s = str_first(p->left, n);
	p->left = str_skip(p->left, n);
	return s;
}

static inline void
pack_bytes(struct pack *p, void *out, size_t n)
{
	if (p->bad || p->left.len < n) {
		p->bad = true;
		memset(out, 0, n);
		return;
	}
	memcpy(out, p->left.ptr, n);
	p->left = str_skip(p->left, n);
}

/* Read everything, and nothing left over? */
static inline bool pack_done(const struct pack *p) { return !p->bad && p->left.len == 0; }
static inline bool pack_ok(const struct pack *p) { return !p->bad; }

static inline void
pack_put_str(struct buf *b, str s)
{
	buf_le(b, s.len, 4);
	buf_add(b, s);
}
