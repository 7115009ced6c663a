/* SPDX-License-Identifier: ISC */
/*
 * param: the values of Content-Type and Content-Disposition with their
 * parameters (RFC 2045 5.1, RFC 2183, RFC 2231), as forgiving as mail clients.
 *
 * Comments, blanks and folding anywhere, quotes that never close, blanks or
 * 8-bit in unquoted values, ';' missing or doubled, RFC 2231 continuations in
 * any order, with gaps or mixed with plain ones, encoded words in values.  What
 * not everybody reads the same way is in `odd`, and further values of the same
 * parameter stay in the list: the first is what RFC 2045 readers see, all of
 * them are plausible.  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "mime/charset.h"
#include "mime/odd.h"

enum {
	PARAM_SEMICOLONS = 1000, /* in one field; with more RC_LIMIT: clamd takes minutes */
	PARAM_MOST = 256,	/* parameters of one field; more are left out, PARAM_CONFLICT */
	PARAM_VALUE = 16 * 1024, /* bytes of one joined value */
};

struct mime_param {
	/* As on the wire: continuations joined, quotes and backslashes taken away;
	 * the name ends in '*' if the value is RFC 2231-encoded (charset'lang'%…).
	 * This is what IMAP shows (RFC 9051 7.5.2), as Dovecot does; name "": IMAP
	 * shows nothing, because only a forgiving reader finds this parameter. */
	str name, value;
	/* The same for people: name without '*', value decoded to UTF-8, encoded
	 * words too. */
	str plain_name, text;
};

struct mime_value {
	str value;		/* "text/plain", "attachment": without comments; "" if none */
	size_t n;
	struct mime_param *params;	/* in their order */
	uint64_t odd;
};

/* The raw (still folded) value of the field.  RC_LIMIT: mem is full.  cs may be
 * NULL: `text` is then decoded from UTF-8 and US-ASCII only. */
enum rc mime_value_parse(str raw, struct charsets *cs, struct arena *mem,
	struct mime_value *out) MUST_CHECK;
/* The first with this plain name; NULL: none. */
const struct mime_param *mime_param_find(const struct mime_value *v, str plain_name);
/* "text/plain" cut in two at the slash, trimmed, as written; RC_BAD: it has none or
 * is no pair of tokens (the best guess is written all the same). */
enum rc mime_type_split(str value, str *type, str *subtype);
