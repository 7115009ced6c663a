/* SPDX-License-Identifier: ISC */
/*
 * pop3: a command line of POP3 (RFC 1939, RFC 2449 4): keyword and up to two arguments.
 * Any thread.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum {
	POP3_LINE_MOST = 512,	/* RFC 2449 4 asks for 255 */
	POP3_AUTH_MOST = 12288,	/* AUTH with an initial response (RFC 5034 4) */
};

struct pop3_cmd {
	str word;		/* as sent */
	size_t nargs;
	str args[2];		/* the second with whatever is behind it */
	str rest;		/* everything behind the word: PASS takes blanks */
};

enum rc pop3_parse(str line, struct pop3_cmd *out);
bool pop3_number(str s, uint32_t *out);		/* 1… */
