/* SPDX-License-Identifier: ISC */
/*
 * imap_threads: messages as threads (RFC 5256 3, THREAD) and how they are written (BASE.7.2.THREAD).
 *
 * Nothing recurses: chains may be as long as the mailbox is.  Time grows with the number of messages and
 * references (and the logarithm of their depth, imap_forest.h); memory is the arena's.  Pure; any
 * thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define THREAD_NONE UINT32_MAX

struct thread_message {
	str subject;		/* base subject, as it is compared */
	uint64_t id;		/* hash of its Message-ID; 0: none */
	const uint64_t *refs;	/* RFC 5256 3: References, else In-Reply-To's first */
	uint32_t nrefs;
	bool reply;		/* its subject was Re: or Fwd: */
};

/* Nodes up to `n` are the messages, those above stand for what is not there, and have at least
 * two children each.  Siblings are in the order of their sent dates. */
struct threads {
	size_t n, nodes;
	uint32_t top;		/* the first of the outermost; THREAD_NONE: no messages */
	uint32_t *up, *first, *last, *next;
	uint32_t at;		/* how far it is written */
	bool begun;
};

/* m[0…n-1] in the order of the mailbox; by_date: the same numbers, by their sent dates (RFC 5256
 * 2.2; what was sent at the same moment in the mailbox's order). */
enum rc threads_by_references(const struct thread_message *m, const uint32_t *by_date, size_t n,
	struct arena *mem, struct threads *out, struct err *err) MUST_CHECK;
enum rc threads_by_subject(const struct thread_message *m, const uint32_t *by_date, size_t n,
	struct arena *mem, struct threads *out, struct err *err) MUST_CHECK;

/* "* THREAD (1 2)(3)": writes on until about `enough` bytes are in b; true when it is complete. */
bool threads_put(struct threads *t, const uint32_t *numbers, struct buf *b, size_t enough);

/* ---- shared by the two ways ---- */

/* Which was the first with this subject?  Every subject hashed with base/hash.h. */
struct subjects {
	const struct thread_message *m;
	size_t mask;
	uint32_t *slots;	/* a caller's value, 1 + it; 0: empty */
	const uint32_t *message;	/* of a value; NULL: the value itself */
};

enum rc subjects_init(struct subjects *s, const struct thread_message *m, const uint32_t *message,
	size_t most, struct arena *mem, struct err *err) MUST_CHECK;
/* The slot of the value with the same subject, or an empty one. */
uint32_t *subjects_find(struct subjects *s, uint32_t value);

/* Lists of children from `up`, which names parents: each in the order of by_date. */
enum rc threads_list(struct threads *t, const uint32_t *by_date, struct arena *mem,
	struct err *err) MUST_CHECK;
