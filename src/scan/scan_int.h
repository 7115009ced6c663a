/* SPDX-License-Identifier: ISC */
/* scan, inside: the header's facts, and the frames between the two sides. */
#pragma once

#include "scan/scan.h"

/* Everything of *f but what needs the body, from a header block of any length.
 * RC_LIMIT: mem is full. */
enum rc scan_header(str block, str hostname, struct arena *mem, struct facts *f,
	struct err *err) MUST_CHECK;

enum {
	SCAN_HOSTNAME = 255,
	SCAN_MEMORY = 16 * 1024 *
		      1024, /* for one message; scan_header needs 4 MiB at most */
	SCAN_SENTENCE = 200,
	SCAN_RETIRES = 1,
	SCAN_NEVER = 2, /* the byte in front of an answer */
};

/* FACTS_SCAN's body; job->fd travels beside it. */
void scan_put_job(struct buf *b, const struct scan_job *job);
enum rc scan_get_job(str body, struct scan_job *job) MUST_CHECK; /* a view into body */
/* FACTS_DONE's and FACTS_FAILED's: the byte, then the rest. */
bool scan_get_answer(str body, unsigned *how, str *rest) MUST_CHECK;
