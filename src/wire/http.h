/* SPDX-License-Identifier: ISC */
/*
 * http: the head of a request of HTTP/1.1 as a server reads it (RFC 9112, RFC 9110), strictly: what
 * two programs could understand differently is refused, so that nothing can be smuggled past a proxy.
 *
 *	http_begin(&q, line)		the request line
 *	http_field(&q, line) ...	each field line, without its CRLF
 *	http_end(&q)			the empty line: what follows is known
 *
 * Each returns 0, or the status with which the request is to be answered (400, 405, 414, 417, 431, 501,
 * 505) before the connection is closed.  Lines are the caller's and live as long as the request does.
 *
 * Refused: a bare CR, LF or NUL, blanks around the name of a field, obs-fold, an empty name, no Host or two
 * (RFC 9112 3.2), a Host that is no host, Content-Length that is not digits or comes twice (6.3), with
 * Transfer-Encoding together, in HTTP/1.0, or codings other than chunked; content of a GET or HEAD (RFC 9110
 * 9.3.1); methods other than the three; targets other than origin-form
 * ("*", absolute, authority); a path that decodes to a NUL, a control character, "\", bad UTF-8, "." or ".."
 * segments, or an encoded "/".  Any thread, no I/O.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
	HTTP_LINE_MOST = 8192,	/* of the request line and of each field line */
	HTTP_HEAD_MOST = 16384,	/* of all lines; the caller counts */
	HTTP_FIELDS = 64,
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_field { str name, value; };	/* value without blanks around it */

struct http_request {
	struct arena *mem;	/* set by the caller, for the decoded path */
	enum http_method method;
	str target, path, query;	/* target as sent; path decoded; query as sent, without '?' */
	unsigned minor;		/* HTTP/1.minor: 0 or 1 */
	str host;		/* as sent: host or host:port */
	bool keep;		/* the connection may go on after the answer */
	bool expects;		/* 100-continue is waited for */
	bool chunked;
	bool has_length;
	uint64_t length;	/* of the body, if it is not chunked */
	size_t nfields;
	struct http_field fields[HTTP_FIELDS];
};

unsigned http_begin(struct http_request *q, str line) MUST_CHECK;
unsigned http_field(struct http_request *q, str line) MUST_CHECK;
unsigned http_end(struct http_request *q) MUST_CHECK;
/* The first of that name (ASCII case ignored); "" if there is none. */
str http_get(const struct http_request *q, str name);
/* A cookie of that name (RFC 6265 5.4), "" if there is none or two. */
str http_cookie(const struct http_request *q, str name);
/* Which of `offered` (language tags, "en", "de") Accept-Language likes best (RFC 9110 12.5.4, basic
 * filtering: "de-AT" takes "de"); 0 if none of them.  At most 32 ranges are looked at. */
size_t http_language(str accept, const str offered[], size_t n);
/* "Not Found"; "" for one that we do not use. */
const char *http_reason(unsigned status);
