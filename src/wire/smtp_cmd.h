/* SPDX-License-Identifier: ISC */
/*
 * smtp_cmd: command lines of SMTP (RFC 5321 4.1.1) and the parameters of its
 * extensions: SIZE (RFC 1870), BODY (RFC 6152, 3030), SMTPUTF8 (RFC 6531), PRDR
 * (draft-hall-prdr), BDAT (RFC 3030).
 *
 * A grammar: no I/O, no memory; views into the line.  The line comes without
 * its CRLF; how long it may be is the reader's limit (SMTP_LINE_MOST).
 */
#pragma once

#include <stdint.h>

#include "wire/smtp_path.h"

/* RFC 5321 4.5.3.1.4 asks for 512, parameters and UTF-8 for more. */
enum { SMTP_LINE_MOST = 4096 };

struct smtp_line {
	str verb, args; /* args without spaces at its end */
};

/* False for a line that holds CR, LF or NUL: it is not a command, whatever
 * else it looks like (RFC 5321 2.3.8). */
bool smtp_line_read(str line, struct smtp_line *out) MUST_CHECK;

enum smtp_bad {
	SMTP_GOOD,
	SMTP_BAD_SYNTAX, /* 501 5.5.4 */
	SMTP_BAD_ADDRESS, /* 501 5.1.7 of a sender, 5.1.3 of a recipient */
	SMTP_LONG_ADDRESS, /* 501 likewise */
	SMTP_BAD_PARAMETER, /* 501 5.5.4: a known parameter, used wrongly */
	SMTP_NO_PARAMETER, /* 555 5.5.4: not one of ours */
	SMTP_NEEDS_UTF8, /* 553 5.6.7: UTF-8 without SMTPUTF8 (RFC 6531 3.5) */
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };

struct smtp_mail {
	struct smtp_path from;
	uint64_t size; /* declared; 0: not */
	enum smtp_body body;
	bool utf8, prdr;
};

enum smtp_bad smtp_mail_read(str args, struct smtp_mail *out) MUST_CHECK;
/* utf8: MAIL said SMTPUTF8. */
enum smtp_bad smtp_rcpt_read(str args, bool utf8, struct smtp_path *out) MUST_CHECK;
/* False: nobody knows where the chunk would end. */
bool smtp_bdat_read(str args, uint64_t *size, bool *last) MUST_CHECK;
/* EHLO and HELO: one word without controls; a domain or literal, but names
 * that are neither are common and say nothing about the mail. */
bool smtp_helo_read(str args, str *name) MUST_CHECK;
