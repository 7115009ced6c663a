/* SPDX-License-Identifier: ISC */
/*
 * smtp_path: the addresses of MAIL and RCPT (RFC 5321 4.1.2, RFC 6531 3.3).
 *
 * Strict, but for what is common and harmless in real mail: a local part may be
 * longer than 64 octets (return paths that carry an address do that), and a
 * domain may hold underscores; "" as a local part is refused.  A whole path has
 * at most 256 octets (RFC 5321 4.5.3.1.3).  Source routes are read and ignored (RFC 5321 C).
 * Bytes over 127 must be UTF-8 without C1 controls; whether the client said
 * SMTPUTF8 is the caller's to ask (`utf8`).
 *
 * A grammar: no I/O, no memory; views into what was given.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum { SMTP_PATH_MOST = 256, SMTP_DOMAIN_MOST = 255 };

enum smtp_path_allow {
	SMTP_ALLOW_NULL = 1, /* <>, the sender of reports */
	SMTP_ALLOW_POSTMASTER = 2, /* <Postmaster>, RFC 5321 4.5.1 */
};

struct smtp_path {
	str text; /* as written, without <> and route; "" for <> */
	str domain; /* "" for <> and <Postmaster> */
	bool utf8; /* needs SMTPUTF8 */
	bool literal; /* domain is an address literal */
	size_t plain_len;
	char plain[SMTP_PATH_MOST + 1]; /* without quotes and backslashes; ends in NUL */
};

/* Reads the path that *rest begins with and moves *rest behind its '>'.
 * RC_BAD: not a path; RC_LIMIT: longer than we take. */
enum rc smtp_path_read(str *rest, unsigned allow, struct smtp_path *out) MUST_CHECK;

/* The length of the domain (not empty) or address literal s begins with; 0. */
size_t smtp_domain_length(str s);
/* The whole of s is a domain or an address literal. */
bool smtp_is_domain(str s);
/* The length of the well-formed UTF-8 character (RFC 3629) s begins with; 0
 * for none and for C1 controls. */
size_t smtp_utf8_length(str s);
