/* SPDX-License-Identifier: ISC */
/*
 * smtp_data: the message within DATA, and the text within BDAT.
 *
 * A state machine over bytes; it does not matter how they were cut into
 * pieces.  Only CRLF ends a line and only CRLF "." CRLF ends DATA (RFC 5321
 * 2.3.8, 4.1.1.4); nothing else ever does, so that no two servers can disagree
 * about where a message ends.  Dots at the beginning of a line that holds more
 * are taken off (RFC 5321 4.5.2).
 *
 *	while (!d.done && smtp_data_next(&d, &in, &out))
 *		... out is a piece of the message, perhaps empty
 *
 * Pieces are views into what was given, or literals.  No limits here: memory
 * does not grow, and the size is the caller's to count.
 */
#pragma once

#include "base/str.h"

enum smtp_data_mode {
	SMTP_DATA_DOTS, /* DATA: dot-stuffed, ended by a dot */
	SMTP_DATA_CHUNKS, /* BDAT: neither; the caller knows the end */
};

enum smtp_data_at {
	SMTP_AT_BEGIN,
	SMTP_AT_TEXT,
	SMTP_AT_CR,
	SMTP_AT_DOT,
	SMTP_AT_DOT_CR
};

struct smtp_data {
	enum smtp_data_mode mode;
	bool normalize; /* bare CR and LF become CRLF */
	enum smtp_data_at at;
	bool done; /* the end was seen; *in begins behind it */
	bool bare_cr, bare_lf, nul; /* what was met */
};

/* False when *in is used up. */
bool smtp_data_next(struct smtp_data *d, str *in, str *out);
/* The last chunk is over: what is still owed (a CR at the very end). */
str smtp_data_end(struct smtp_data *d);
