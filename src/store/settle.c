/* SPDX-License-Identifier: ISC */
/*
 * What was committed becomes what is on disk.
 *
 * Commits write the shard's WAL and do not sync it.  One thread syncs for all who wait,
 * through a descriptor of its own and without the shard's lock, while others go on
 * committing, writing back and beginning the WAL anew.  Why that is right: doc/views.md.
 */
#include "store/store_int.h"

void
syncing_init(struct syncing *y)
{
	(void)pthread_mutex_init(&y->lock, NULL);
	cond_init(&y->done);
}

void
syncing_clear(struct syncing *y)
{
	(void)pthread_mutex_destroy(&y->lock);
	(void)pthread_cond_destroy(&y->done);
}

uint64_t
shard_committed(struct shard *sh)
{
	return atomic_fetch_add(&sh->sync.made, 1) + 1;
}

static void
raise_synced(struct syncing *y, uint64_t commit)
{
	if (atomic_load(&y->synced) < commit)
		atomic_store(&y->synced, commit);
}

void
shard_synced(struct shard *sh, uint64_t commit)
{
	struct syncing *y = &sh->sync;
	LOCK_AUTO held = lock_take(&y->lock);

	if (!y->broken)
		raise_synced(y, commit);
	(void)pthread_cond_broadcast(&y->done);
}

/* The kernel says once that a page could not be written, and forgets the page: the next
 * sync would succeed without it.  So after a failure nothing is promised until the
 * next start, which reads what is really there. */
static enum rc
broken(struct err *err)
{
	return err_set(err, RC_TEMP,
		"the disk has failed to keep an index; restart when it is mended");
}

enum rc
shard_sync(struct shard *sh, struct err *err)
{
	struct syncing *y = &sh->sync;
	uint64_t made = atomic_load(&y->made);
	enum rc rc = db_sync(sh->db, err);
	LOCK_AUTO held = lock_take(&y->lock);

	y->broken |= rc == RC_PERM;
	if (y->broken)
		rc = broken(err);
	if (rc == RC_OK)
		raise_synced(y, made);
	(void)pthread_cond_broadcast(&y->done);
	return rc;
}

/* With the lock of sync, which is let go meanwhile. */
static enum rc
run_sync(struct shard *sh, struct err *err)
{
	struct syncing *y = &sh->sync;
	enum rc rc;

	y->running = true;
	(void)pthread_mutex_unlock(&y->lock);
	rc = shard_sync(sh, err);
	(void)pthread_mutex_lock(&y->lock);
	y->running = false;
	(void)pthread_cond_broadcast(&y->done);
	return rc;
}

enum rc
shard_settle(struct shard *sh, uint64_t commit, struct err *err)
{
	struct syncing *y = &sh->sync;
	enum rc rc = RC_OK;

	if (atomic_load(&y->synced) >= commit)
		return RC_OK;
	LOCK_AUTO held = lock_take(&y->lock);
	while (rc == RC_OK && atomic_load(&y->synced) < commit) {
		if (y->broken)
			return broken(err);
		if (y->running)
			(void)pthread_cond_wait(&y->done, &y->lock);
		else
			rc = run_sync(sh, err);
	}
	return rc;
}

enum rc
store_settle(struct store *s, uint64_t account, struct err *err)
{
	struct shard *sh = shard_of(s, account);

	return shard_settle(sh, atomic_load(&sh->sync.made), err);
}
