/* SPDX-License-Identifier: ISC */
/*
 * smtp_reply: reply lines (RFC 5321 4.2, 4.5.3.1.5; RFC 2034).
 *
 * One line each, at most 512 octets with CRLF.  What is not printable ASCII
 * becomes '?'; what is too long is cut, but never a link or an id.
 * A grammar: no I/O.
 */
#pragma once

#include "base/buf.h"

enum { SMTP_REPLY_MOST = 512 };

/* esc NULL: no enhanced status code (greeting, EHLO, 3yz). */
void smtp_put_reply(struct buf *b, unsigned code, const char *esc, str text);
/* A line of a multi-line reply: "250-text" or, the last, "250 text". */
void smtp_put_line(struct buf *b, unsigned code, bool last, str text);
/* "550 5.7.1 LINK reason (ID)": the link first, because it must survive what
 * other servers do to long replies.  link "" for none. */
void smtp_put_refusal(
	struct buf *b, unsigned code, const char *esc, str link, str reason, str id);
