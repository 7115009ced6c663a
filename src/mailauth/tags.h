/* SPDX-License-Identifier: ISC */
/*
 * tags: DKIM's tag=value lists (RFC 6376 3.2), also ARC's and those of DNS keys.
 *
 * Views into the caller's bytes, which may still be folded: blanks and line ends
 * around names and values are dropped, those within values stay.  Names are
 * case-sensitive; a name that occurs twice makes the whole list invalid.
 * No I/O.  Any thread.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum { TAGS_MOST = 64 };

struct tag {
	str name, value;
	size_t at, length; /* of everything between '=' and ';' in the list */
};

struct tags {
	size_t n;
	struct tag at[TAGS_MOST];
};

/* RC_BAD: not a tag list, or more than TAGS_MOST. */
enum rc tags_read(str list, struct tags *out) MUST_CHECK;
/* NULL: not there. */
const struct tag *tags_find(const struct tags *t, str name);
str tags_value(const struct tags *t, str name); /* "" if not there */
