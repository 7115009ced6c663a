/* SPDX-License-Identifier: ISC */
/*
 * settle: how many of a shard's commits are on disk (doc/views.md).  Private to store/.
 *
 * Commits are counted with the shard's lock; everything else takes no lock of the store's
 * and waits for the disk.  Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct shard;

struct syncing {
	_Atomic uint64_t made;		/* commits; counted with the shard's lock */
	_Atomic uint64_t synced;	/* as many of them are on disk */
	pthread_mutex_t lock;		/* taken last */
	pthread_cond_t done;
	bool running;			/* a thread syncs, for all who wait */
	bool broken;			/* a sync failed: what it was to keep may be lost */
};

void syncing_init(struct syncing *y);
void syncing_clear(struct syncing *y);
/* One more commit (with the lock); its number. */
uint64_t shard_committed(struct shard *sh);
/* Returns when the commit of that number is on disk.  Without the lock. */
enum rc shard_settle(struct shard *sh, uint64_t commit, struct err *err) MUST_CHECK;
/* Syncs what is committed, now. */
enum rc shard_sync(struct shard *sh, struct err *err) MUST_CHECK;
/* Somebody has synced everything after `made` was read as commit. */
void shard_synced(struct shard *sh, uint64_t commit);

