/* SPDX-License-Identifier: ISC */
/*
 * word: encoded words (RFC 2047, RFC 2231 5) in header values, to UTF-8.
 *
 * Forgiving as clients are: words within words and without blanks around them,
 * blanks and line ends inside, bytes of one character split over two words (words
 * of the same charset and encoding that follow each other are joined before they
 * are converted), missing padding, unknown encodings (left as they are).  Raw
 * 8-bit text is taken as UTF-8 where it is valid, else windows-1252.  The result
 * has no control characters but is otherwise unchanged; bidirectional overrides
 * stay: who shows it deals with them.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "mime/charset.h"

/* An unfolded value.  At most `most` bytes, not cut within a character.  cs NULL:
 * only UTF-8, US-ASCII and ISO-8859-1 are decoded.  RC_LIMIT: mem is full. */
enum rc mime_words(str unfolded, struct charsets *cs, size_t most, struct arena *mem,
	str *out, uint64_t *odd) MUST_CHECK;
