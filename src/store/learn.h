/* SPDX-License-Identifier: ISC */
/*
 * learn: what is found out about messages after they came: which ones full text does
 * not have yet, and facts that the record they came with did not have (messages of
 * older versions, given back from a backup, or released unscanned).
 *
 * Any thread.
 */
#pragma once

#include "store/store.h"
#include "wire/facts.h"

enum { STORE_NEWER = 32, STORE_LEFT = 256 };

struct store_newer {
	struct msg_id id;
	uint64_t modseq, size;
	uint32_t trace_bytes; /* in front of the message, in its file */
	bool facts_missing; /* envelope, structure, preview or head */
};

/* The account's first STORE_NEWER messages that came after `modseq`, in their order. */
enum rc store_newer(struct store *s, uint64_t account, uint64_t modseq,
	struct store_newer out[STORE_NEWER], size_t *n, struct err *err) MUST_CHECK;
/* Messages that have left the account after `modseq`: those whose ids come after `id`, in
 * their order, at most STORE_LEFT. */
enum rc store_left(struct store *s, uint64_t account, uint64_t modseq, const struct msg_id *id,
	struct msg_id out[STORE_LEFT], size_t *n, struct err *err) MUST_CHECK;
/* Each account, with the modseq of what came last (0: it has no mail), and the highest
 * that was ever given to anything in it. */
typedef enum rc store_latest_fn(uint64_t account, uint64_t modseq, uint64_t highest,
	void *arg, struct err *err);
enum rc store_latest(
	struct store *s, store_latest_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* Fills in what is not known yet, and nothing else: a message never changes. */
enum rc store_learn(struct store *s, uint64_t account, const struct msg_id *id,
	const struct facts *f, struct err *err) MUST_CHECK;

/* What the account's reader said of its messages (store/change.h): the last word of each.
 * Also of messages that are gone by now. */
typedef enum rc store_lesson_fn(
	const struct msg_id *id, bool spam, uint64_t time_ms, void *arg, struct err *err);
enum rc store_lessons(struct store *s, uint64_t account, store_lesson_fn *fn, void *arg,
	struct err *err) MUST_CHECK;
