/* SPDX-License-Identifier: ISC */
/* deliver_int: what apply's files share. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/ids.h"
#include "deliver/apply.h"

enum { BATCH_RECORDS = 256, BATCH_BYTES = 4 * 1024 * 1024 };

/* A file in incoming/ to be removed once its record is applied durably. */
struct leftover {
	struct msg_id id;
	uint64_t seq;
};

struct apply {
	struct apply_want want;
	int folder, incoming;		/* the journal's; where the files are */
	struct journal_reader *reader;	/* NULL: opened anew at the position */

	pthread_mutex_t own_work, *work;	/* held while a batch or a checkpoint runs */
	struct arena *mem;		/* of a batch */
	struct journal_item items[BATCH_RECORDS];
	size_t nitems;
	struct store_apply *list;
	size_t nlist, room;
	struct touched *touched;	/* accounts of the batch, apply_batch.c */
	struct leftover *left;
	size_t nleft, left_room;
	_Atomic bool unsettled;		/* something was applied since the checkpoint */

	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t wake;
	uint64_t position, upto;
	bool stop, running;
	pthread_t thread;
};

/* Applies the next records up to `until`, at most a batch.  RC_NONE: there are
 * none.  With a->work held. */
enum rc apply_batch(struct apply *a, uint64_t until, struct err *err) MUST_CHECK;
/* Removes files in incoming/ that nobody was answered 250 for; see apply.h. */
enum rc apply_sweep(const struct apply_want *w, struct err *err) MUST_CHECK;
/* As far as this journal is in store, ledger and register. */
enum rc applied_upto(const struct apply_want *w, const char *journal, uint64_t *seq,
	struct err *err) MUST_CHECK;

/* For each journal there is: its name and folder (closed afterwards). */
typedef enum rc journal_fn(const char *name, int folder, void *arg, struct err *err);
enum rc each_journal(int data, journal_fn *fn, void *arg, struct err *err) MUST_CHECK;
