/* SPDX-License-Identifier: ISC */
/*
 * lump: bytes of unknown number being decoded.  Unlike buf it grows by a quarter when
 * it is large, because address space is what a scanner has little of, and memory that
 * is not there is the message's fault and no end of the process.  Not locked.
 */
#pragma once

#include <stdlib.h>

#include "base/str.h"

struct lump {
	char *data;
	size_t len, cap;
};

#define LUMP_AUTO __attribute__((cleanup(lump_free))) struct lump

static inline void
lump_free(struct lump *l)
{
	free(l->data);
	*l = (struct lump){ 0 };
}

/* Where n more bytes may be put (then add to len); NULL: no memory. */
static inline char *
lump_room(struct lump *l, size_t n)
{
	if (l->cap - l->len < n || l->data == NULL) {
		size_t more = l->cap < 1024 * 1024 ? l->cap : l->cap / 4;
		size_t cap = l->len + n + more + 64;
		char *data = realloc(l->data, cap);

		if (data == NULL)
			return NULL;
		l->data = data;
		l->cap = cap;
	}
	return l->data + l->len;
}

static inline bool
lump_add(struct lump *l, str s)
{
	char *at = lump_room(l, s.len);

	if (at == NULL)
		return false;
	if (s.len > 0)
		memcpy(at, s.ptr, s.len);
	l->len += s.len;
	return true;
}
