/* SPDX-License-Identifier: ISC */
/*
 * rc and err: how a function says it could not do its work.
 *
 * The rc is the class, and the class is what callers branch on: a mail
 * server's only real question is "try again later, or never?".  The text
 * is for the log and is written once, where the failure is understood.
 * Outputs of a function are written only when it returns RC_OK.
 */
#pragma once

#include <stddef.h>

enum rc {
	RC_OK = 0,
	RC_NONE,	/* looked, and it is not there; not a failure */
	RC_BAD,		/* the other side's input is wrong           -> 501, BAD */
	RC_LIMIT,	/* one of our limits was reached, for now    -> 452, NO  */
	RC_TEMP,	/* ours or upstream's, may work later        -> 451, NO  */
	RC_PERM,	/* never works, a message past its own limits too -> 550 */
};

struct err {
	enum rc rc;
	char text[240];	/* "" until set; never holds client bytes raw */
};

#define MUST_CHECK	__attribute__((warn_unused_result))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

/* Set *err (which may be NULL) and return rc, so that callers can write
 * `return err_set(err, RC_TEMP, "clamd: %s", strerror(errno));`
 * Control bytes in the text become '?', so a log line stays one line. */
enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...) PRINTF(3, 4);

/* Put "what: " in front of the text already there; returns err->rc
 * (RC_TEMP if err is NULL). */
enum rc err_wrap(struct err *err, const char *what);

/* "what: strerror(errno)", RC_LIMIT for a full disk or quota, else RC_TEMP. */
enum rc err_errno(struct err *err, const char *what);
