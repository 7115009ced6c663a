/* SPDX-License-Identifier: ISC */
/*
 * caged: what a verb does with hostile bytes, in a process of its own.
 *
 * The command may be run by root on a file that a stranger wrote: so the file is
 * copied into memory, and a child with a scanner's rights (daemon/rights.c), and as
 * the scanner's user if there is root to give up, looks at it.  On a kernel that
 * lacks them it does without, with a warning on standard error ([sandbox] mode =
 * best).  What the child says goes to a terminal: it is taken if it is printable
 * ASCII and line ends, at most CAGED_MOST bytes, within the time a scanner has.
 */
#pragma once

#include <jansson.h>

#include "conf/conf.h"
#include "mime/charset.h"

enum { CAGED_INPUT = 256 * 1024 * 1024, CAGED_MOST = 256 * 1024 * 1024 };

/* What the child works with. */
struct caged {
	const struct conf *conf;
	int fd;			/* a copy of the file */
	str bytes;		/* the same, in memory */
	struct charsets *charsets;
	int answer;		/* for caged_say() */
	struct buf said;	/* and not yet written */
};

/* In the child: writes its answer with caged_say().  What it returns is what
 * caged_run() does. */
typedef enum rc caged_fn(struct caged *c, struct err *err);

/* file: a path, or "-" for standard input.  Any rc but RC_OK has a sentence. */
enum rc caged_run(const struct conf *conf, const char *file, caged_fn *fn, struct buf *out,
	struct err *err) MUST_CHECK;
void caged_say(struct caged *c, str bytes);
/* As JSON in ASCII, with a line end. */
void caged_say_json(struct caged *c, const json_t *value, bool one_line);
