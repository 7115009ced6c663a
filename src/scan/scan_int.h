/* SPDX-License-Identifier: ISC */
/* scan, inside: the header's facts, the structure, and the frames between the two sides. */
#pragma once

#include "mime/tree.h"
#include "scan/scan.h"

/* Everything of *f but what needs the body, from a header block of any length.
 * RC_LIMIT: mem is full. */
enum rc scan_header(str block, str hostname, struct arena *mem, struct facts *f,
	struct err *err) MUST_CHECK;
/* f->head and f->sortkey, from what scan_header() found; traced: a trace block is in front. */
enum rc scan_keys(str block, bool traced, struct charsets *cs, struct arena *mem,
	struct facts *f, struct err *err) MUST_CHECK;
/* The primary tree; none (n 0) where it is too long to be kept.  RC_LIMIT: mem is full. */
enum rc scan_structure(str message, const struct mime_tree *tree, struct arena *mem,
	struct fact_structure *out) MUST_CHECK;
/* The first text of the primary tree, for those who want facts alone. */
enum rc scan_preview(str message, const struct mime_tree *tree, struct charsets *cs,
	struct arena *mem, struct facts *f) MUST_CHECK;
/* All of *c, and the preview; the descriptors in out->jobs. */
enum rc scan_content(const struct scan_job *job, str message, const struct mime_tree *tree,
	struct charsets *cs, struct arena *mem, struct scanned *out, struct err *err)
	MUST_CHECK;

/* c->search_head, search_text and search_cut. */
enum rc scan_search_content(str message, const struct mime_tree *tree, struct charsets *cs,
	struct arena *mem, struct content *c, struct err *err) MUST_CHECK;

enum {
	SCAN_HOSTNAME = 255,
	SCAN_MEMORY = 96 * 1024 *
		      1024, /* for one message: the tree of all readings, strings */
	SCAN_UNPACKED = 256 * 1024 * 1024, /* where a job does not say */
	SCAN_JOBS_FREE = 1024 * 1024, /* of descriptors, that are not counted */
	SCAN_SENTENCE = 200,
	SCAN_RETIRES = 1,
	SCAN_NEVER = 2, /* the byte in front of an answer */
	SCAN_RECORDS = 8 + FACTS_MOST + CONTENT_MOST, /* in a memfd */
};

/* FACTS_SCAN's body; job->fd travels beside it. */
void scan_put_job(struct buf *b, const struct scan_job *job);
enum rc scan_get_job(str body, struct scan_job *job) MUST_CHECK; /* a view into body */
/* FACTS_DONE's and FACTS_FAILED's: the byte, then the rest. */
bool scan_get_answer(str body, unsigned *how, str *rest) MUST_CHECK;
/* The two strings of FACTS_DONE, which is all there may be. */
void scan_put_records(struct buf *b, str facts, str content);
bool scan_get_records(str body, str *facts, str *content) MUST_CHECK;
