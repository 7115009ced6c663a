/* SPDX-License-Identifier: ISC */
/*
 * jobs: what the virus scanner has to see beside the message itself, as sealed memfds.
 *
 * Each thing once, known by its digest.  The first JOBS_ALONE get a descriptor each;
 * further ones are put together into tar files, which every virus scanner opens, so
 * that a message with a thousand odd parts is no other than one with ten.  More than
 * CONTENT_JOBS descriptors are RC_LIMIT.
 */
#pragma once

#include "base/err.h"
#include "crypto/digest.h"
#include "scan/lump.h"
#include "wire/content.h"

enum {
	JOBS_ALONE = 40,
	JOBS_BUNDLE = 8 * 1024 * 1024,	/* bytes after which a tar file is closed */
	JOBS_LEAST = 8,			/* shorter is nothing that anything could be hidden in */
};

struct jobs {
	bool wanted;
	unsigned n;
	int fds[CONTENT_JOBS];
	uint16_t leaves[CONTENT_JOBS];	/* as content_job.leaf */
	struct lump seen;		/* digests */
	struct lump bundle;
};

void jobs_clear(struct jobs *j);	/* closes what was not taken (n set to 0) */
enum rc jobs_add(struct jobs *j, uint16_t leaf, str bytes, const uint8_t digest[SHA256_BYTES],
	struct err *err) MUST_CHECK;
enum rc jobs_done(struct jobs *j, struct err *err) MUST_CHECK;
