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

/* Held while a batch or a checkpoint runs.  Who waits is next, however soon the one who
 * held it comes again: a busy gate's journal does not keep readers waiting. */
struct work_turn {
	pthread_mutex_t next, work;
};

struct apply {
	struct apply_want want;
	int folder, incoming;		/* the journal's; where the files are */
	struct journal_reader *reader;	/* NULL: opened anew at the position */

	struct work_turn own_turn, *turn;
	struct arena *mem;		/* of a batch */
	struct journal_item items[BATCH_RECORDS];
	size_t nitems;
	struct store_apply *list;
	uint32_t *uids;			/* of the list */
	size_t nlist, room;
	struct touched *touched;	/* accounts of the batch, apply_batch.c */
	struct leftover *left;
	size_t nleft, left_room;
	_Atomic bool unsettled;		/* something was applied since the checkpoint */

	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t wake, moved;	/* moved: position */
	uint64_t position, upto;
	uint64_t busy_ms;		/* a batch was applied */
	bool stop, running;
	pthread_t thread;
};

/* LOCK_AUTO turn = apply_turn(a); */
pthread_mutex_t *apply_turn(struct apply *a);
/* Applies the next records up to `until`, at most a batch.  RC_NONE: there are
 * none.  With the turn. */
enum rc apply_batch(struct apply *a, uint64_t until, struct err *err) MUST_CHECK;
/* Removes files in incoming/ that nobody was answered 250 for; see apply.h. */
enum rc apply_sweep(const struct apply_want *w, struct err *err) MUST_CHECK;
/* As far as this journal is in store, ledger and register. */
enum rc applied_upto(const struct apply_want *w, const char *journal, uint64_t *seq,
	struct err *err) MUST_CHECK;

/* For each journal there is: its name and folder (closed afterwards). */
typedef enum rc journal_fn(const char *name, int folder, void *arg, struct err *err);
enum rc each_journal(int data, journal_fn *fn, void *arg, struct err *err) MUST_CHECK;
