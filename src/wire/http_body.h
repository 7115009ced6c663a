/* SPDX-License-Identifier: ISC */
/*
 * http_body: what follows a request's head: chunks (RFC 9112 7.1) and forms
 * (application/x-www-form-urlencoded, the URL standard's parser, but strict).  No I/O, any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Zeroed to begin with. */
struct http_chunks {
	unsigned state;		/* the reader's own */
	uint64_t left;		/* of the chunk under way */
	size_t extra;		/* bytes of extensions and trailers so far; at most HTTP_CHUNK_EXTRA */
	unsigned digits;
};

enum { HTTP_CHUNK_EXTRA = 1024 };

/*
 * Eats what it can of `in`; *eaten tells how much.  Data goes to `out`, whose limit is the body's
 * (RC_LIMIT: too long).  RC_OK: more is to come; RC_NONE: the end, trailers (which are thrown away) and all.
 * RC_BAD: no chunks: a size that is not 1 to 8 hexadecimal digits, a bare LF or CR, too many extensions.
 */
enum rc http_chunks_read(struct http_chunks *c, str in, size_t *eaten, struct buf *out) MUST_CHECK;

struct http_pair { str name, value; };
enum { HTTP_PAIRS = 32 };

struct http_form {
	size_t n;
	struct http_pair at[HTTP_PAIRS];
};

/* Also of a query.  RC_BAD: bad escapes, bytes that are not UTF-8, a NUL, a control character in a name;
 * RC_LIMIT: more than HTTP_PAIRS.  CR LF and CR in values become LF; other controls but TAB are refused. */
enum rc http_form_parse(str body, struct arena *mem, struct http_form *out) MUST_CHECK;
str http_form_get(const struct http_form *f, str name);	/* "" if there is none, or two */
