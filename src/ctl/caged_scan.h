/* SPDX-License-Identifier: ISC */
/*
 * caged_scan: a file scanned as a scanner would, in a caged process (ctl/caged.h), and
 * what it found unpacked here with the checks that a scanner's answer gets.
 */
#pragma once

#include "conf/conf.h"
#include "scan/scan.h"

struct caged_scan {
	struct scanned scanned; /* in mem; its descriptors are the caller's */
	bool unreadable; /* past a limit: nothing else is known, and err says which */
	str json; /* facts and content as JSON, one line, ASCII; in mem */
};

/* file: a path.  Any rc but RC_OK has a sentence. */
enum rc caged_scan(const struct conf *conf, const char *file, uint64_t size,
	struct arena *mem, struct caged_scan *out, struct err *err) MUST_CHECK;
