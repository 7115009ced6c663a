/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/store_int.h"
#include "store_sql.h"
#include "wire/facts.h"

enum {
	CHECKPOINT_BYTES = 1 << 20, /* of a shard's WAL, before it is written back */
	DELIVERY_MEMORY = 2 << 20, /* facts of one message, unpacked */
	STEPS = sizeof(store_schema) / sizeof(store_schema[0]),
};

void
shard_path(unsigned n, char out[32])
{
	(void)snprintf(out, 32, "index/%u.db", n);
}

static enum rc
shard_open(struct store *s, unsigned n, size_t cache_bytes, struct err *err)
{
	struct shard *sh = &s->shards[n];
	char path[32];
	enum rc rc;

	sh->data = s->data;
	sh->mem = arena_new(DELIVERY_MEMORY);
	sh->envelope = BUF(FACTS_MOST);
	shard_path(n, path);
	rc = db_open(&(struct db_want){ .dirfd = s->data,
			     .path = path,
			     .sync = DB_SYNC_NORMAL,
			     .cache_bytes = cache_bytes,
			     .read_only = s->read_only },
		&sh->db, err);
	if (rc == RC_OK)
		rc = db_migrate(sh->db, store_schema, STEPS, err);
	if (rc != RC_OK || s->read_only)
		return rc;
	if ((rc = account_finish_removals(sh, err)) != RC_OK)
		return rc;
	return doomed_finish(sh, err);
}

enum rc
shard_reader(struct store *s, unsigned n, struct db **out, struct err *err)
{
	char path[32];

	shard_path(n, path);
	return db_open(&(struct db_want){ .dirfd = s->data,
			       .path = path,
			       .sync = DB_SYNC_NORMAL,
			       .cache_bytes = 1 << 20,
			       .read_only = true },
		out, err);
}

static enum rc
read_positions(struct store *s, struct err *err)
{
	enum rc rc;

	PREPARE(q, s->shards[0].db, "SELECT journal, seq FROM applied LIMIT 4", err);
	while ((rc = db_step(q, err)) == RC_OK) {
		struct position *p = &s->positions[s->npositions];

		if (!str_z(db_str(q, 0), p->journal, sizeof(p->journal)))
			continue;
		p->marked = db_u64(q, 1);
		for (unsigned i = 0; i < STORE_SHARDS; i++)
			p->seq[i] = p->marked;
		s->npositions++;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
folders(struct store *s, struct err *err)
{
	enum rc rc;

	if (s->read_only)
		return RC_OK;
	if ((rc = fs_mkdirs(s->data, "index", 0700, err)) != RC_OK ||
		(rc = fs_mkdirs(s->data, "accounts", 0700, err)) != RC_OK)
		return rc;
	return fs_sync_dir(s->data, err);
}

enum rc
store_open(const struct store_want *w, struct store **out, struct err *err)
{
	struct store *s = calloc(1, sizeof(*s));
	enum rc rc;

	if (s == NULL)
		abort();
	s->data = w->data;
	s->read_only = w->read_only;
	s->wake = w->wake;
	s->arg = w->arg;
	s->views = views_new();
	(void)pthread_mutex_init(&s->positions_lock, NULL);
	(void)pthread_mutex_init(&s->checkpoint_lock, NULL);
	for (unsigned i = 0; i < STORE_SHARDS; i++) {
		(void)pthread_mutex_init(&s->shards[i].lock, NULL);
		syncing_init(&s->shards[i].sync);
	}
	rc = folders(s, err);
	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		rc = shard_open(s, i, w->cache_bytes, err);
	if (rc == RC_OK)
		rc = read_positions(s, err);
	if (rc != RC_OK) {
		store_close(&s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

void
store_close(struct store **sp)
{
	struct store *s = *sp;

	if (s == NULL)
		return;
	views_free(&s->views);
	for (unsigned i = 0; i < STORE_SHARDS; i++) {
		syncing_clear(&s->shards[i].sync);
		db_close(&s->shards[i].db);
		arena_free(&s->shards[i].mem);
		buf_free(&s->shards[i].envelope);
		(void)pthread_mutex_destroy(&s->shards[i].lock);
	}
	(void)pthread_mutex_destroy(&s->positions_lock);
	(void)pthread_mutex_destroy(&s->checkpoint_lock);
	free(s);
	*sp = NULL;
}

/* Where each journal stands in all shards. */
static size_t
positions_now(struct store *s, struct position out[JOURNALS])
{
	LOCK_AUTO held = lock_take(&s->positions_lock);

	for (size_t i = 0; i < s->npositions; i++) {
		out[i] = s->positions[i];
		for (unsigned k = 1; k < STORE_SHARDS; k++)
			if (out[i].seq[k] < out[i].seq[0])
				out[i].seq[0] = out[i].seq[k];
	}
	return s->npositions;
}

static enum rc
mark(struct shard *sh, const struct position *p, struct err *err)
{
	enum rc rc;

	PREPARE(q, sh->db, "DELETE FROM applied WHERE journal = ?", err);
	db_bind_str(q, 1, str_of(p->journal));
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	PREPARE(w, sh->db, "INSERT INTO applied(journal, seq) VALUES(?, ?)", err);
	db_bind_str(w, 1, str_of(p->journal));
	db_bind_u64(w, 2, p->seq[0]);
	return db_run(w, err);
}

static enum rc
mark_all(struct store *s, const struct position *list, size_t n, struct err *err)
{
	struct shard *sh = &s->shards[0];
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = db_begin(sh->db, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = mark(sh, &list[i], err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK) {
		db_rollback(sh->db);
		return rc;
	}
	(void)shard_committed(sh);
	/* Who is told the position removes files and trims journals by it. */
	return shard_sync(sh, err);
}

static enum rc
mark_if_moved(struct store *s, const struct position *list, size_t n, struct err *err)
{
	bool moved = false;
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		moved |= list[i].seq[0] != list[i].marked;
	if (!moved)
		return RC_OK;
	if ((rc = mark_all(s, list, n, err)) != RC_OK)
		return rc;
	LOCK_AUTO held = lock_take(&s->positions_lock);
	for (size_t i = 0; i < n; i++)
		s->positions[i].marked = list[i].seq[0];
	return RC_OK;
}

struct doomed_of {
	struct doomed list[DOOMED_MOST];
	size_t n;
};

static enum rc
list_doomed(struct store *s, struct doomed_of all[STORE_SHARDS], struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++) {
		LOCK_AUTO held = lock_take(&s->shards[i].lock);

		rc = doomed_list(&s->shards[i], all[i].list, &all[i].n, err);
	}
	return rc;
}

/* After the sync: files nobody refers to go, WALs that have grown are written
 * back. */
static enum rc
settle_shards(struct store *s, const struct doomed_of all[STORE_SHARDS], struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++) {
		struct shard *sh = &s->shards[i];
		LOCK_AUTO held = lock_take(&sh->lock);

		rc = doomed_unlink(sh, all[i].list, all[i].n, err);
		if (rc != RC_OK || db_unsettled(sh->db) < CHECKPOINT_BYTES)
			continue;
		rc = db_checkpoint(sh->db, err);
		if (rc == RC_TEMP)
			rc = RC_OK; /* a reader: the next one does it */
	}
	return rc;
}

/*
 * One syncfs(2) makes the links, and everything committed into the WALs,
 * durable.  Only then may a position be written down, and files be unlinked
 * whose rows went before it.
 */
enum rc
store_checkpoint(struct store *s, struct err *err)
{
	LOCK_AUTO held = lock_take(&s->checkpoint_lock);
	struct position list[JOURNALS];
	struct doomed_of *all = calloc(STORE_SHARDS, sizeof(*all));
	size_t n = positions_now(s, list);
	uint64_t made[STORE_SHARDS];
	enum rc rc;

	if (all == NULL)
		abort();
	rc = list_doomed(s, all, err);
	for (unsigned i = 0; i < STORE_SHARDS; i++)
		made[i] = atomic_load(&s->shards[i].sync.made);
	if (rc == RC_OK)
		rc = fs_sync_all(s->data, err);
	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		shard_synced(&s->shards[i], made[i]);
	if (rc == RC_OK)
		rc = mark_if_moved(s, list, n, err);
	if (rc == RC_OK)
		rc = settle_shards(s, all, err);
	free(all);
	return rc;
}

/* Shard 0 first: it says how far the others have applied at least. */
enum rc
store_copy(struct store *s, int dirfd, struct err *err)
{
	FD_AUTO index = -1;
	enum rc rc = fs_mkdirs(dirfd, "index", 0700, err);

	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++) {
		struct db *reader;
		char path[32];

		shard_path(i, path);
		if ((rc = shard_reader(s, i, &reader, err)) != RC_OK)
			return rc;
		rc = db_copy(reader, dirfd, path, err);
		db_close(&reader);
	}
	if (rc != RC_OK || (rc = fs_open_dir(dirfd, "index", &index, err)) != RC_OK)
		return rc;
	return fs_sync_dir(index, err);
}
