/* SPDX-License-Identifier: ISC */
/*
 * imap_query: what SEARCH, SORT and THREAD share: a search under way, step by step.
 *
 * Each step is short, or an errand; between them others have their turn.  The messages that the client
 * knows are looked at in slices: first what their rows say (flags, sets, dates, sizes); of
 * those that depend on more the day that Date names; of what is still open full text (store/search.h);
 * and what is open then is read by a scanner.  A message that no scanner can read has no text:
 * it does not match what asks for one, and does match NOT of it.
 *
 * What was found is `seqs`, `uids`, and where they are asked for `modseqs` and what
 * `note` kept of the rows.  Memory beside the command's is `mem`, with a limit of its own; `tmp`
 * is for within a step.
 */
#pragma once

#include "imap/imap_int.h"
#include "imap/imap_match.h"
#include "imap/imap_result.h"
#include "imap/imap_threads.h"

enum {
	QUERY_SLICE = 1024,	/* rows at a time */
	QUERY_TEXT_SLICE = 256,	/* where texts are asked for */
	QUERY_FEW_KEYS = 4,	/* with more the slices are smaller */
	QUERY_TURN_MS = 4,	/* then it is others' turn */
	QUERY_PUT = 32 * 1024,	/* bytes of an answer at a time */
	QUERY_ERRAND_MS = 1000,	/* after that an errand takes no further message */
	QUERY_TRIES = 20,	/* while scanners are busy */
	QUERY_PAUSE_MS = 250,	/* between them */
	QUERY_LEARN = 2000,	/* messages of which a sort finds out what is not known */
	QUERY_WORK = 20 * 1000,	/* messages that are sorted in a turn of the session's */
};

enum query_did {
	QUERY_GO,	/* the next step may follow at once */
	QUERY_TURN,	/* after others */
	QUERY_WAIT,	/* for the errand, or s->wake_ms */
	QUERY_DONE,	/* s->reply says how it ended */
};

struct query;
typedef enum query_did query_step(struct imap_session *s, struct query *q);

struct query_slice {
	size_t n, room;
	size_t seq;		/* number of its first */
	uint32_t *uids;
	struct view_row *rows;
	struct match_row *asks;
	uint8_t *says;		/* enum tri */
	uint8_t *texts;		/* enum tri; room * nkeys */
	uint32_t *open;		/* those that a scanner has to read */
	size_t nopen, read;
};

struct query {
	struct imap_query is;
	struct arena *mem, *tmp;
	query_step *step, *found;	/* now; and when all was looked at */
	query_step *after_charset;
	void (*note)(struct query *q, size_t i, const struct view_row *row);
	struct view_list *list;
	struct match *match;
	const struct search_key *keys;
	size_t nkeys;
	size_t seq, to;		/* the next to be looked at, and the last */
	struct query_slice slice;
	size_t n;		/* found so far */
	uint32_t *seqs, *uids;
	uint64_t *modseqs;	/* NULL: not asked for */
	struct result result;
	/* SORT and THREAD: */
	bool wants_number[IMAP_SORTS];
	uint64_t *numbers[IMAP_SORTS];	/* kept by `note`, where they are wanted */
	str *strings[IMAP_SORTS];
	struct thread_message *messages;
	uint32_t *order;	/* of what was found */
	struct threads threads;
	void (*keep)(struct query *q, size_t i, const struct view_order *o);
	unsigned keys_wanted;	/* enum view_want, or-ed */
	query_step *keyed;	/* when all keys have been read; */
	size_t ordered;		/* how many */
	uint32_t *unknown;	/* whose keys a scanner has to say */
	size_t nunknown, learnt;
	bool learning;
	uint64_t learn_until;
	/* an errand's */
	struct imap_session *session;
	enum rc rc;
	struct err err;
	unsigned tries;
};

/* Begins, and goes on: `ready` (may be NULL) says what is to be kept of rows, `found` is the step
 * that follows the search. */
typedef bool query_parse(struct imap_lex *x, struct imap_query *out);
enum imap_did query_run(struct imap_session *s, query_parse *parse,
	void (*ready)(struct query *q), query_step *found);

/* The end with NO; '$' is empty afterwards, if it was to be set (RFC 5182 2.1). */
enum query_did query_failed(struct imap_session *s, struct query *q, enum rc rc,
	const struct err *err);
enum query_did query_no(struct imap_session *s, struct query *q, const char *code,
	const char *text);
/* fn(q) on a thread that may wait; `then` is the step after it. */
enum query_did query_away(struct imap_session *s, struct query *q, void (*fn)(void *arg),
	query_step *then);
/* The same for what only computes: at once, where it is little. */
enum query_did query_work(struct imap_session *s, struct query *q, void (*fn)(void *arg),
	query_step *then);
/* Saves what SAVE asks for and begins to answer: numbers in the order of the answer. */
enum query_did query_answer(struct imap_session *s, struct query *q, enum result_form form,
	const uint32_t *order);

/* imap_search_text.c: steps between a slice's rows and its result, which `query_slice_done` takes. */
query_step query_slice_days, query_slice_done;
/* A message's file for a scanner, all of it; *fd is the caller's to close.  On an errand's thread. */
enum rc query_job(const struct query *q, const struct msg_id *id, int *fd, struct scan_job *job,
	struct err *err) MUST_CHECK;

/* imap_charset.c: the texts become UTF-8; then `then`. */
enum query_did query_charset(struct imap_session *s, struct query *q, query_step *then);

/* imap_sort.c: keys of all that was found, as far as wanted (enum view_want), which `keep` takes one
 * after the other; their strings live in q->mem. */
typedef void query_keep(struct query *q, size_t i, const struct view_order *o);
enum query_did query_keys(struct imap_session *s, struct query *q, unsigned wanted,
	query_keep *keep, query_step *then);
int64_t query_sent(const struct view_row *row);	/* RFC 5256 2.2 */
