/* SPDX-License-Identifier: ISC */
/*
 * scan: the scanner's work, and asking for it.
 *
 * The scanner process gets a read-only descriptor of a spooled file and its
 * size over its channel and answers with facts (wire/facts.h), content
 * (wire/content.h) and descriptors of what the virus scanner has to see beside the
 * message itself: decoded leaves that a strict reader would not have found, as
 * sealed memfds in the order of content.jobs.  Frames:
 *	FACTS_READY	from the scanner, once, before the first job
 *	FACTS_SCAN	fd of the file; body: 8 bytes size, 4 bytes offset where the
 *			message begins (after the trace block), 8 bytes most_unpacked,
 *			1 byte want, pack_str our hostname
 *	FACTS_DONE	body: 1 byte, 1: I retire now; then two strings (pack_str), the
 *			facts and the content, or nothing: both are in a sealed memfd,
 *			the first descriptor.  Then the descriptors of content.jobs
 *	FACTS_FAILED	body: the same byte, +2: the message is past a limit and will
 *			always be, +4: no such encoding or charset; then a sentence
 * What readers ask for is answered with the same two, the byte in front:
 *	FACTS_PART	fd; body: the job as above, 8 bytes each where it begins and ends,
 *			pack_str encoding.  FACTS_DONE: 8 bytes size, and a sealed memfd
 *	FACTS_CONVERT	body: pack_str charset, pack_str text.  FACTS_DONE: UTF-8
 *	FACTS_SEARCH	fd; body: the job, 1 byte number of keys; each 1 byte (1 head, 2 text),
 *			pack_str field, pack_str what.  FACTS_DONE: a byte for each, 0 or 1
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "mime/charset.h"
#include "wire/content.h"
#include "wire/facts.h"

struct scanners;

struct scan_job {
	int fd; /* read-only; stays the caller's */
	uint64_t size; /* of the whole file */
	uint32_t offset; /* the message begins here */
	str hostname; /* whose trace fields would be forged */
	uint64_t most_ms; /* for the asking side: how long its scanner may take */
	uint64_t most_unpacked; /* bytes that decoding and archives may give in all */
	unsigned want; /* enum scan_want; 0: facts alone */
};

enum scan_want {
	SCAN_CONTENT = 1, /* leaves, links, signatures, how much text there is */
	SCAN_TEXT = 2, /* content.text and .hidden too */
	SCAN_JOBS = 4, /* and descriptors for the virus scanner */
	SCAN_TOKENS = 8, /* and content.tokens */
	SCAN_SEARCH = 16, /* content.search_head and .search_text */
};

/* Everything that is known of a message afterwards. */
struct scanned {
	struct facts facts;
	struct content content;
	str packed; /* the checked record of facts as it came, for the journal */
	int jobs[CONTENT_JOBS]; /* content.njobs read-only descriptors */
	unsigned njobs;
	uint64_t jobs_bytes; /* that count among those of `jobs_of`; NULL: none do */
	struct scanners *jobs_of;
};

void scanned_clear(struct scanned *s); /* closes the descriptors */

/* In the scanner: message → facts and content.  mem holds everything; RC_LIMIT when
 * it is exhausted, or another limit is.  cs: opened once, before the cage closed. */
enum rc scan_message(const struct scan_job *job, struct charsets *cs, struct arena *mem,
	struct scanned *out, struct err *err) MUST_CHECK;
/* Before the cage closes: opens what scan_serve() could not open any more. */
void scan_prepare(void);
/* The scanner process: serves jobs on the channel until it closes or `most`
 * jobs are done.  Single-threaded. */
void scan_serve(int channel, uint64_t most);

/*
 * The asking side: a set of scanners, each with one job at a time.
 * scan_ask() waits for a free scanner and for its answer, both until until_ms
 * (so it is called from a bounded pool); most_ms (0: no such limit) begins when a
 * scanner has it.
 * RC_TEMP: nobody was there to ask in time, or what failed is not the message's.
 * RC_BAD: a scanner that had begun to serve was asked, and died, lied or took
 * more than its whole time over it.  It had this one job: the message may be why.
 * RC_PERM: the message is past a limit of the scanner or of its facts.
 * A scanner that is late, gone or lying is given up and `lost` called with its
 * slot, so that the manager kills and replaces it.
 */
struct scanners *scanners_new(
	unsigned n, void (*lost)(unsigned slot, void *arg), void *arg);
void scanners_free(struct scanners **sp);
/* A (new) scanner's channel for a slot, owned from now on; -1: it is gone. */
void scanners_channel(struct scanners *s, unsigned slot, int fd);
/* For good: whoever asks or waits is told RC_TEMP at once, and `lost` no more. */
void scanners_stop(struct scanners *s);
/* *out is in mem, but for its descriptors, which are the caller's to be closed soon, with
 * scanned_clear(): what they hold is memory that no limit of a process counts, so all that
 * is out at a time is at most twice what one message may unpack, and RC_TEMP past that. */
enum rc scan_ask(struct scanners *s, const struct scan_job *job, uint64_t until_ms,
	struct arena *mem, struct scanned *out, struct err *err) MUST_CHECK;

/*
 * What readers need of a scanner; with the same answers as scan_ask().
 */
/* Bytes [at, end) of the file, decoded as Content-Transfer-Encoding says: a sealed memfd, the
 * caller's, and how long it is.  RC_NONE: no encoding that is known (RFC 3516: UNKNOWN-CTE);
 * RC_PERM: more than job->most_unpacked. */
enum rc scan_part(struct scanners *s, const struct scan_job *job, uint64_t at, uint64_t end,
	str encoding, uint64_t until_ms, int *fd, uint64_t *size, struct err *err) MUST_CHECK;
/* A text in a charset as UTF-8, in mem.  RC_NONE: not a charset that is known; RC_BAD of a
 * text that is not one of that charset cannot be told from others and is RC_NONE too. */
enum rc scan_convert(struct scanners *s, str charset, str bytes, uint64_t until_ms,
	struct arena *mem, str *out, struct err *err) MUST_CHECK;

enum {
	SCAN_KEYS = 64,
	SCAN_QUESTION = 128 * 1024, /* bytes of all keys; more: RC_PERM */
	SCAN_CONVERT = 60 * 1024, /* of a text; more: RC_PERM */
};

struct scan_key {		/* as struct search_key of store/search.h */
	bool head, text;
	str field, what;	/* what: folded (wire/sortkey.h) */
};

/* Which of the keys are in the message, all of it decoded; yes[i]. */
enum rc scan_search(struct scanners *s, const struct scan_job *job, const struct scan_key *keys,
	size_t n, uint64_t until_ms, bool *yes, struct err *err) MUST_CHECK;
