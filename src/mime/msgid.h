/* SPDX-License-Identifier: ISC */
/*
 * msgid: message ids in Message-ID, In-Reply-To and References (RFC 5322
 * 3.6.4; 4.5.4: phrases between them).  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { MSGID_LONGEST = 998 }; /* longer ones are left out */

struct msgid_list {
	size_t n;
	str *at; /* without <>, without the blanks of folding; in mem */
};

/* The last `most` ids of an unfolded value; where it has no <> at all, the
 * words with an @.  RC_LIMIT: mem is full. */
enum rc msgid_parse(
	str value, size_t most, struct arena *mem, struct msgid_list *out) MUST_CHECK;
