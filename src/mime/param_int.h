/* SPDX-License-Identifier: ISC */
/*
 * param, inside: a field's parameters before RFC 2231 is applied to them, and the
 * tokens of structured fields.  Views look into the raw value or into mem.
 */
#pragma once

#include "mime/param.h"

/* One `;name=value` of the raw value. */
struct param_seen {
	str key;		/* as written; of a continuation what stands before its '*' */
	str value;		/* what strict readers see; unquoted */
	str loose;		/* what forgiving ones see: up to the ';' if it is not quoted */
	unsigned index;		/* of a continuation */
	bool part;		/* key*, key*N or key*N* */
	bool numbered;		/* key*N or key*N* */
	bool extended;		/* key* or key*N*: percent-encoded */
	bool shown;		/* strict readers see it at all */
};

struct param_list {
	size_t n;
	bool full;		/* there were more */
	bool broken;		/* something between the parameters */
	struct param_seen at[PARAM_MOST];
};

struct param_cursor {
	const char *p, *end;
};

/* Blanks, line ends and comments (RFC 5322 3.2.2).  1: something follows; 0: it was
 * the end; -1: a comment that does not end, and it is the end, too. */
int param_blanks(struct param_cursor *c);
/* A token (RFC 2045 5.1, 8-bit allowed), maybe empty, and what param_blanks() skips. */
int param_token(struct param_cursor *c, str *out);
/* At a '"': RFC 5322 3.2.4 without quotes, backslashes, line ends.  -1: it did not end;
 * out is written in any case.  -2: mem is full. */
int param_quoted(struct param_cursor *c, struct arena *mem, str *out);

/* All parameters of raw behind its first value. */
enum rc param_collect(str raw, struct arena *mem, struct param_list *l, str *value) MUST_CHECK;
/* `name` and `value` of v->params: RFC 2231 3; then `plain_name` and `text`. */
enum rc param_join(const struct param_list *l, struct charsets *cs, struct arena *mem,
	struct mime_value *v) MUST_CHECK;
/* The bytes of a value to UTF-8, in which blanks and controls are as people see them. */
enum rc param_text(str charset, str bytes, struct charsets *cs, struct arena *mem, str *out,
	uint64_t *odd) MUST_CHECK;
/* Percent signs decoded, in mem; at most PARAM_VALUE bytes. */
enum rc param_percent(str s, struct arena *mem, str *out) MUST_CHECK;
