/* SPDX-License-Identifier: ISC */
#include "scan/scan.h"

#include <stdlib.h>

#include "base/fs.h"
#include "mime/header.h"
#include "scan/scan_int.h"

enum { STEP = 64 * 1024 };

/* The GTUBE test string, in two parts so that this file is not spam itself. */
#define GTUBE                          \
	"XJS*C4JDBQADN1.NSBN3*2IDNEN*" \
	"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

enum { OVERLAP = sizeof(GTUBE) - 2 };

/* The message is read once, in steps; the front of `window` repeats the end of
 * the step before, so that nothing is missed between them. */
struct reading {
	const struct scan_job *job;
	uint64_t at; /* next byte of the file */
	char *window;
	size_t len;
	bool gtube;
};

static void
window_free(char **w)
{
	free(*w);
}

/* Reads the next step; RC_NONE: the message has ended. */
static enum rc
read_step(struct reading *r, struct err *err)
{
	size_t keep = r->len < OVERLAP ? r->len : OVERLAP, got;
	uint64_t left = r->job->size - r->at;
	size_t want = left < STEP ? (size_t)left : STEP;

	if (want == 0)
		return RC_NONE;
	memmove(r->window, r->window + r->len - keep, keep);
	enum rc rc = fs_pread(r->job->fd, r->window + keep, want, r->at, &got, err);
	if (rc != RC_OK)
		return rc;
	if (got != want)
		return err_set(err, RC_TEMP,
			"the spooled file is shorter than it was said to be");
	r->len = keep + got;
	r->at += got;
	if (!r->gtube)
		r->gtube = memmem(r->window, r->len, GTUBE, sizeof(GTUBE) - 1) != NULL;
	return RC_OK;
}

/* Reads until the header block is whole; it is in *held, or in the window as
 * long as one step was enough.  *over: it is longer than a header may be. */
static enum rc
read_header(struct reading *r, struct buf *held, str *block, bool *over, struct err *err)
{
	size_t seen = 0, length = 0;
	enum rc rc;

	*block = (str){ 0 };
	while (length == 0 && block->len <= HEADER_BYTES &&
		(rc = read_step(r, err)) != RC_NONE) {
		if (rc != RC_OK)
			return rc;
		size_t fresh = seen == 0 ? r->len : r->len - OVERLAP;
		str step = { r->window + r->len - fresh, fresh };
		length = seen == 0 ? header_block_length(step, 0) : 0;
		if (seen == 0 && (length > 0 || r->at == r->job->size)) {
			*block = step;
			break;
		}
		buf_add(held, step);
		*block = buf_str(held);
		length = header_block_length(*block, seen);
		seen = block->len;
	}
	if (length > 0)
		*block = str_first(*block, length);
	*over = block->len > HEADER_BYTES;
	return RC_OK;
}

static enum rc
read_message(struct reading *r, struct arena *mem, struct facts *f, struct err *err)
{
	BUF_AUTO held = BUF(HEADER_BYTES + 2 * STEP);
	bool over = false;
	str block;
	enum rc rc = read_header(r, &held, &block, &over, err);

	if (rc == RC_OK)
		rc = scan_header(block, r->job->hostname, mem, f, err);
	while (rc == RC_OK && !r->gtube)
		rc = read_step(r, err);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	if (over)
		f->flags |= FACT_HEADER_LIMIT;
	if (r->gtube)
		f->flags |= FACT_GTUBE;
	return RC_OK;
}

enum rc
scan_message(const struct scan_job *job, struct charsets *cs, struct arena *mem,
	struct scanned *out, struct err *err)
{
	struct reading r = { .job = job, .at = job->offset };
	struct facts f = { .date_s = INT64_MIN };

	if (job->offset > job->size)
		return err_set(err, RC_BAD, "the message begins behind its end");
	uint64_t size = job->size - job->offset;
	char *window __attribute__((cleanup(window_free))) = malloc(
		(size < STEP ? (size_t)size : STEP) + OVERLAP);
	if (window == NULL)
		abort();
	r.window = window;
	enum rc rc = read_message(&r, mem, &f, err);
	(void)cs;
	if (rc == RC_OK)
		*out = (struct scanned){ .facts = f };
	return rc;
}
