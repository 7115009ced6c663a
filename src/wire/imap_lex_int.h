/* SPDX-License-Identifier: ISC */
/* imap_lex_int: what the files of IMAP's grammar share.  Any thread. */
#pragma once

#include "wire/imap_lex.h"

/* Classes of RFC 9051 9; c as unsigned char. */
bool lex_is_atom(unsigned c);		/* ATOM-CHAR */
bool lex_is_astring(unsigned c);	/* ASTRING-CHAR */

static inline bool lex_is_digit(unsigned c) { return c >= '0' && c <= '9'; }

/* The character at x->at + i; 0 behind the end. */
static inline unsigned
lex_at(const struct imap_lex *x, size_t i)
{
	return i < x->all.len - x->at ? (unsigned char)x->all.ptr[x->at + i] : 0;
}

static inline str lex_rest(const struct imap_lex *x) { return str_skip(x->all, x->at); }

/* `what` was wanted at x->at; false. */
static inline bool
lex_wanted(struct imap_lex *x, const char *what)
{
	if (x->why == NULL)
		x->why = what;
	return false;
}

/* Goes back to where a longer thing began, keeping why; false. */
static inline bool
lex_back(struct imap_lex *x, size_t start)
{
	x->at = start;
	return false;
}

/* The same; `what`, if not even its beginning was there. */
static inline bool
lex_wanted_all(struct imap_lex *x, size_t start, const char *what)
{
	if (x->at == start)
		x->why = what;
	return lex_back(x, start);
}

/* Moves on behind n more bytes, and all is well; true. */
static inline bool
lex_took(struct imap_lex *x, size_t n)
{
	x->at += n;
	x->why = NULL;
	return true;
}

/* "1:100" or "-1:-100" (RFC 9394 4); as written. */
bool lex_partial(struct imap_lex *x, int64_t *from, int64_t *to);
