/* SPDX-License-Identifier: ISC */
/* own_int: what own's files share. */
#pragma once

#include <stdatomic.h>

#include "base/map.h"
#include "deliver/own.h"
#include "journal/journal.h"

enum { SETTLE_MS = 20 * 1000 };

/* An appended message on its way into a mailbox; its UID is told by the thread that
 * applies. */
struct waiter {
	struct msg_id id;
	uint32_t uid;
	UT_hash_handle hh;
};

struct own {
	struct own_want want;
	struct journal *journal;
	struct apply *apply;
	int incoming;
	pthread_mutex_t turn, closing;
	atomic_bool broken; /* a record may or may not be on disk */

	pthread_mutex_t waiting; /* of what follows */
	struct waiter *waiters; /* by id; append.c's */
};

/* Commits a record and its files' names.  RC_PERM leaves open whether the next start
 * finds the record: its files stay, and nothing is begun anew until then. */
enum rc own_commit(struct own *o, enum jrec_kind kind, str record, uint64_t *seq,
	struct err *err) MUST_CHECK;
/* RC_TEMP after such an RC_PERM. */
enum rc own_sound(struct own *o, struct err *err) MUST_CHECK;
/* Applied up to seq, by the thread or here; RC_TEMP: it takes too long. */
enum rc own_await(struct own *o, uint64_t seq, struct err *err) MUST_CHECK;
