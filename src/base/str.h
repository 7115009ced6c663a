/* SPDX-License-Identifier: ISC */
/*
 * str: a read-only view of bytes somebody else owns.
 *
 * Two words, passed by value.  A view may hold NUL bytes and is not
 * NUL-terminated.  It is valid for as long as the memory it looks at:
 * an arena, a connection's read buffer until the next read, a literal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct str {
	const char *ptr;
	size_t len;
} str;

#define STR_INIT(lit)	{ "" lit, sizeof(lit) - 1 }	/* in static tables */
#define STR(lit)	((str)STR_INIT(lit))		/* in expressions */
#define STR_FMT		"%.*s"
#define STR_ARG(s)	(int)(s).len, (s).ptr

static inline bool str_empty(str s) { return s.len == 0; }

static inline str
str_skip(str s, size_t n)
{
	return n < s.len ? (str){ s.ptr + n, s.len - n } : (str){ 0 };
}

static inline str
str_first(str s, size_t n)
{
	return (str){ s.ptr, n < s.len ? n : s.len };
}

str str_of(const char *cstr);		/* "" for NULL */
bool str_eq(str a, str b);
bool str_ieq(str a, str b);		/* ASCII case only, never the locale */
bool str_starts(str s, str with);
bool str_istarts(str s, str with);	/* ASCII case only */
int str_cmp(str a, str b);		/* as memcmp, the shorter first */
str str_trim(str s);			/* drop spaces and tabs at both ends */

/* Bytes in front that are no ASCII control characters. */
size_t str_printable(str s);
bool str_has_8bit(str s);

/* Where `what` begins in s, or s.len when it does not occur. */
size_t str_find(str s, str what);
size_t str_ifind(str s, str what);	/* ASCII case only */

/*
 * Cut *rest at the first `sep`: *head gets what is before it, *rest what
 * is after it.  With no separator *head gets all of it and *rest is empty.
 * Returns false when there was nothing left to cut.
 */
bool str_cut(str *rest, char sep, str *head);

/* Decimal digits only, no sign, at most `max`; false otherwise. */
bool str_u64(str s, uint64_t max, uint64_t *out);

/* Copies s and a NUL into out[size]; false (and "") when it does not fit or
 * holds a NUL: the border to libraries that want C strings. */
bool str_z(str s, char *out, size_t size);
