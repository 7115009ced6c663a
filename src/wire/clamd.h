/* SPDX-License-Identifier: ISC */
/*
 * clamd: the answers of ClamAV's daemon, clamd(8), to z-commands, and the lines
 * of its settings file.  No I/O.  Any thread.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum {
	CLAMD_ANSWER = 1024, /* longest answer that is read, with its NUL */
	CLAMD_LINE = 1024, /* longest line of its settings that is looked at */
};

enum clamd_says {
	CLAMD_CLEAN, /* "fd[5]: OK", "stream: OK" */
	CLAMD_FOUND, /* "stream: Eicar-Test-Signature FOUND" */
	CLAMD_TOO_BIG, /* a limit: it was not scanned whole */
	CLAMD_FAILED, /* any other "… ERROR", "UNKNOWN COMMAND" */
	CLAMD_PONG,
};

struct clamd_answer {
	enum clamd_says says;
	str text; /* the virus' name, the error; a view, raw */
};

/* One answer without its NUL; RC_BAD: clamd does not talk like that. */
enum rc clamd_answer_read(str line, struct clamd_answer *out) MUST_CHECK;

/* One "Name value" line: both empty for a comment.  A size (RC_BAD: none) has
 * K, M or G behind it. */
void clamd_setting(str line, str *name, str *value);
enum rc clamd_size(str value, uint64_t *bytes) MUST_CHECK;
