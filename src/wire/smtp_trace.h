/* SPDX-License-Identifier: ISC */
/*
 * smtp_trace: the TRACE_BLOCK bytes before every spooled message (RFC 5321 4.4).
 *
 *	Return-Path: <sender>
 *	Received: from helo ([address])
 *		by host (Gatepost) with ESMTPS id ID
 *		(TLS1_3 cipher) for <recipient>;
 *		date
 *	X-Gatepost-Score: 2.500 NAME=1.500 NAME=1.000
 *	X-Gatepost-Pad: .....
 *
 * Always exactly TRACE_BLOCK bytes and always whole header fields.  What does
 * not fit goes: first findings, then `for`, then the cipher; a long HELO name is
 * cut.  Sender, host, id and date always fit.  A grammar: no I/O.
 */
#pragma once

#include "base/buf.h"
#include "base/ip.h"
#include "wire/jrec.h"

struct smtp_trace {
	str from; /* as written in MAIL, at most SMTP_PATH_MOST; "" for <> */
	str helo, hostname, id;
	str rcpt; /* the only recipient as written; "" for several */
	str tls_version, tls_cipher; /* "" when plain */
	struct ip client;
	bool esmtp, utf8;
	uint64_t wall_ms;
	bool has_score; /* without one the room is padding */
	int32_t score; /* thousandths */
	str findings; /* "NAME=2.500 NAME=…" */
};

void smtp_trace_block(const struct smtp_trace *t, char out[TRACE_BLOCK]);

enum { SMTP_TRACE_FIELD = 100 };

/* Adds a header field (one line without its end, at most SMTP_TRACE_FIELD bytes) in
 * the room of the padding; where that is too small findings go, then cipher and `for`.
 * False, and nothing is changed: the block is none of ours. */
bool smtp_trace_add(char block[TRACE_BLOCK], str field);

enum { SMTP_TRACE_NAME = 22 }; /* of a name, what is looked at below */

/* Whether a header field begins here whose name is ours alone to use: X-Gatepost-... or
 * Authentication-Results.  `bytes` begins with the byte before the name, the end of the
 * line above (of the trace block's last, for a message's first field).  *letter: the one
 * in the name that has to be changed. */
bool smtp_trace_forged(str bytes, size_t *letter);
