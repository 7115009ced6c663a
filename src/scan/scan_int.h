/* SPDX-License-Identifier: ISC */
/* scan, inside: the header's facts, the structure, and the frames between the two sides. */
#pragma once

#include "mime/tree.h"
#include "net/chan.h"
#include "scan/scan.h"
#include "wire/pack.h"

/* The whole file in memory, and the message in it. */
struct mapped {
	void *at;
	size_t size;
	str trace, message; /* what is in front of it, and it */
};

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
enum rc scan_search_content(const struct mapped *file, const struct mime_tree *tree, struct charsets *cs,
	struct arena *mem, struct content *c, struct err *err) MUST_CHECK;

enum {
	SCAN_HOSTNAME = 255,
	SCAN_MEMORY = 96 * 1024 *
		      1024, /* for one message: the tree of all readings, strings */
	SCAN_UNPACKED = 256 * 1024 * 1024, /* where a job does not say */
	SCAN_JOBS_FREE = 1024 * 1024, /* of descriptors, that are not counted */
	SCAN_SENTENCE = 200,
	SCAN_RETIRES = 1,
	SCAN_NEVER = 2,
	SCAN_UNKNOWN = 4,
	SCAN_ANSWER = 7, /* the byte in front of an answer: some of these */
	SCAN_CHARSET = 100,
	SCAN_RECORDS = 8 + FACTS_MOST + CONTENT_MOST, /* in a memfd */
};

/* Small files are read into mem. */
enum rc scan_map(const struct scan_job *job, struct arena *mem, struct mapped *m,
	struct err *err) MUST_CHECK;
void scan_unmap(struct mapped *m);

/* FACTS_SCAN's body; job->fd travels beside it.  Views into the body. */
void scan_put_job(struct buf *b, const struct scan_job *job);
enum rc scan_get_job(str body, struct scan_job *job) MUST_CHECK;
/* The same in front of something else. */
enum rc scan_take_job(struct pack *p, struct scan_job *job) MUST_CHECK;
/* The others' bodies, behind the job. */
struct scan_part_of {
	uint64_t at, end;
	str encoding;
};
void scan_put_part(struct buf *b, const struct scan_part_of *part);
enum rc scan_get_part(struct pack *p, struct scan_part_of *part) MUST_CHECK;
void scan_put_convert(struct buf *b, str charset, str bytes);
enum rc scan_get_convert(str body, str *charset, str *bytes) MUST_CHECK;
void scan_put_keys(struct buf *b, const struct scan_key *keys, size_t n);
enum rc scan_get_keys(struct pack *p, struct scan_key keys[SCAN_KEYS], size_t *n) MUST_CHECK;
/* FACTS_DONE's and FACTS_FAILED's: the byte, then the rest. */
bool scan_get_answer(str body, unsigned *how, str *rest) MUST_CHECK;
/* The two strings of FACTS_DONE, which is all there may be. */
void scan_put_records(struct buf *b, str facts, str content);
bool scan_get_records(str body, str *facts, str *content) MUST_CHECK;

/*
 * The scanner's answers to readers: what follows the byte of FACTS_DONE, in *out.  RC_NONE:
 * SCAN_UNKNOWN; RC_LIMIT: SCAN_NEVER.
 */
enum rc scan_do_part(const struct scan_job *job, const struct scan_part_of *part,
	struct arena *mem, struct buf *out, int *fd, struct err *err) MUST_CHECK;
enum rc scan_do_convert(
	str charset, str bytes, struct charsets *cs, struct buf *out, struct err *err) MUST_CHECK;
enum rc scan_do_search(const struct scan_job *job, const struct scan_key *keys, size_t n,
	struct charsets *cs, struct arena *mem, struct buf *out, struct err *err) MUST_CHECK;

/* A question to whichever scanner is free: what is between the two sides of scan_ask(),
 * with its answers.  take: what follows the byte of FACTS_DONE; it takes the descriptors
 * that it keeps out of *m.  RC_BAD of it: that cannot be true. */
struct scan_question {
	uint16_t type;
	int fd; /* -1: none */
	str body;
	uint64_t most_ms;
	bool may_be_unknown; /* SCAN_UNKNOWN is an answer to it */
	enum rc (*take)(struct chan_msg *m, str rest, void *arg, struct err *err);
	void *arg;
};
enum rc scan_exchange(struct scanners *s, const struct scan_question *q, uint64_t until_ms,
	struct err *err) MUST_CHECK;
bool scan_is_sealed(int fd);
/* Dozens of messages that are small and become large may wait for clamd at once. */
enum rc scan_count_jobs(struct scanners *s, const struct scan_job *job, struct scanned *out,
	struct err *err) MUST_CHECK;
