/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "store/left.h"
#include "store/view_int.h"

/* The first unseen one's UID; 0: there is none. */
static uint32_t
first_unseen(struct view *v)
{
	size_t i;

	if (v->unseen == 0)
		return 0;
	for (i = view_find(v, 0, v->unseen_from); i < v->n; i++)
		if (!v->rows[i].gone && (v->rows[i].flags & STORE_SEEN) == 0)
			break;
	if (i == v->n)
		return 0;
	v->unseen_from = v->rows[i].uid;
	return v->unseen_from;
}

static struct view_now
look(struct view *v)
{
	LOCK_AUTO held = lock_take(&v->lock);

	return (struct view_now){ .list = view_list_keep(view_list_now(v)),
		.modseq = v->modseq,
		.uidvalidity = v->uidvalidity,
		.uidnext = v->uidnext,
		.unseen = v->unseen,
		.first_unseen = first_unseen(v),
		.gone = v->gone };
}

enum rc
view_now(struct view *v, struct view_now *out, struct err *err)
{
	struct view_now now = look(v);
	enum rc rc = view_settle(v, now.modseq, err);

	if (rc != RC_OK) {
		view_list_drop(&now.list);
		return rc;
	}
	*out = now;
	return RC_OK;
}

uint64_t
view_tick(const struct view *v)
{
	return atomic_load(&v->tick);
}

/* Rows that changed since the caller last settled are settled before they are
 * shown; if the disk does not take that, they are not. */
static size_t
only_settled(struct view *v, struct view_row *rows, size_t n, bool squeeze)
{
	uint64_t most = 0, settled;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].uid != 0 && rows[i].modseq > most)
			most = rows[i].modseq;
	if (view_settle(v, most, NULL) == RC_OK)
		return n;
	(void)pthread_mutex_lock(&v->lock);
	settled = v->settled;
	(void)pthread_mutex_unlock(&v->lock);
	for (size_t i = 0; i < n; i++)
		if (rows[i].modseq <= settled)
			rows[kept++] = rows[i];
		else if (!squeeze)
			rows[kept++] = (struct view_row){ 0 };
	return kept;
}

void
view_rows(struct view *v, const uint32_t *uids, size_t n, struct view_row *out)
{
	size_t at = 0;

	(void)pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < n; i++) {
		at = view_find(v, at, uids[i]);
		if (at < v->n && v->rows[at].uid == uids[i] && !v->rows[at].gone)
			view_get(&v->rows[at], &out[i]);
		else
			out[i] = (struct view_row){ 0 };
	}
	(void)pthread_mutex_unlock(&v->lock);
	(void)only_settled(v, out, n, false);
}

size_t
view_changed(
	struct view *v, uint32_t from, uint64_t since, struct view_row *out, size_t n)
{
	size_t got = 0;

	(void)pthread_mutex_lock(&v->lock);
	size_t i = v->modseq > since ? view_find(v, 0, from) : v->n;
	while (i < v->n && got < n) {
		const struct row *r = &v->rows[i];

		if (v->highest[i / VIEW_BLOCK] <= since) {
			i += VIEW_BLOCK - i % VIEW_BLOCK;
			continue;
		}
		if (!r->gone && r->modseq > since)
			view_get(r, &out[got++]);
		i++;
	}
	(void)pthread_mutex_unlock(&v->lock);
	return only_settled(v, out, got, true);
}

/* --- what has left --- */

struct left {
	uint64_t modseq;
	uint32_t uid;
	uint32_t *uids;
	size_t n, room;
};

static void
left_add(struct left *l, uint64_t modseq, uint32_t uid)
{
	if (l->n == l->room) {
		l->room = l->room == 0 ? 256 : l->room * 2;
		l->uids = realloc(l->uids, l->room * sizeof(*l->uids));
		if (l->uids == NULL)
			abort();
	}
	l->uids[l->n++] = uid;
	l->modseq = modseq;
	l->uid = uid;
}

/* The next ones; RC_NONE: there are no more. */
static enum rc
read_left(struct view *v, struct left *l, struct err *err)
{
	LOCK_AUTO shard = lock_take(&v->sh->lock);
	size_t was = l->n;
	enum rc rc;

	PREPARE(q, v->sh->db,
		"SELECT modseq, uid FROM expunged WHERE account_id = ? AND mailbox_id = ?"
		" AND (modseq, uid) > (?, ?) ORDER BY modseq, uid LIMIT ?",
		err);
	db_bind_u64(q, 1, v->name.account);
	db_bind_u64(q, 2, v->name.mailbox);
	db_bind_u64(q, 3, l->modseq);
	db_bind_u64(q, 4, l->uid);
	db_bind_u64(q, 5, VIEW_CHUNK);
	while ((rc = db_step(q, err)) == RC_OK)
		left_add(l, db_u64(q, 0), (uint32_t)db_u64(q, 1));
	return rc == RC_NONE && l->n - was == VIEW_CHUNK ? RC_OK : rc;
}

static int
by_uid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Asked afterwards: old ones may go at any time. */
static bool
knows_all(struct view *v, uint64_t since)
{
	LOCK_AUTO shard = lock_take(&v->sh->lock);
	uint64_t known = 0;

	return left_since(v->sh, v->name.account, v->name.mailbox, &known, NULL) ==
		       RC_OK &&
	       known <= since;
}

static enum rc
tell_left(struct view *v, struct left *l, uint64_t since, view_uid_fn *fn, void *arg,
	struct err *err)
{
	enum rc rc;

	do {
		rc = read_left(v, l, err);
	} while (rc == RC_OK);
	if (rc != RC_NONE)
		return rc;
	if (!knows_all(v, since))
		return RC_NONE;
	if (l->modseq > since && (rc = view_settle(v, l->modseq, err)) != RC_OK)
		return rc;
	if (l->n > 1)
		qsort(l->uids, l->n, sizeof(*l->uids), by_uid);
	rc = RC_OK;
	for (size_t i = 0; i < l->n && rc == RC_OK; i++)
		rc = fn(l->uids[i], arg);
	return rc;
}

enum rc
view_vanished(struct view *v, uint64_t since, view_uid_fn *fn, void *arg, struct err *err)
{
	struct left l = { .modseq = since, .uid = UINT32_MAX };
	enum rc rc;

	(void)pthread_mutex_lock(&v->lock);
	bool none = v->last_gone <= since;
	(void)pthread_mutex_unlock(&v->lock);
	if (none || since > INT64_MAX)
		return RC_OK;
	rc = tell_left(v, &l, since, fn, arg, err);
	free(l.uids);
	return rc;
}

/* --- \Recent --- */

static void
save_recent(struct view *v, uint32_t uid)
{
	struct db_stmt *q = db_prepare(v->sh->db,
		"UPDATE mailbox SET recent_uid = ? WHERE account_id = ? AND mailbox_id = ?",
		NULL);

	if (q == NULL)
		return;
	db_bind_u64(q, 1, uid);
	db_bind_u64(q, 2, v->name.account);
	db_bind_u64(q, 3, v->name.mailbox);
	/* What is not kept is told as \Recent once more. */
	if (db_run(q, NULL) == RC_OK)
		(void)shard_committed(v->sh);
}

static uint32_t
recent_now(struct view *v, bool *news)
{
	LOCK_AUTO held = lock_take(&v->lock);

	*news = v->recent < v->uidnext;
	return v->recent;
}

uint32_t
view_recent(struct view *v, bool take)
{
	bool news;
	uint32_t was = recent_now(v, &news);

	if (!take || !news)
		return was;
	LOCK_AUTO shard = lock_take(&v->sh->lock);
	LOCK_AUTO own = lock_take(&v->lock);
	was = v->recent;
	if (was < v->uidnext) {
		v->recent = v->uidnext;
		save_recent(v, v->uidnext);
	}
	return was;
}

/* --- watchers --- */

static size_t
watcher_at(const struct view *v, uint64_t number)
{
	size_t low = 0, high = v->nwatchers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v->watchers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
view_watch(struct view *v, uint64_t number)
{
	LOCK_AUTO held = lock_take(&v->lock);
	size_t i = watcher_at(v, number);

	if (i < v->nwatchers && v->watchers[i] == number)
		return;
	if (v->nwatchers == v->watchers_room) {
		v->watchers_room = v->watchers_room == 0 ? 4 : v->watchers_room * 2;
		v->watchers = realloc(
			v->watchers, v->watchers_room * sizeof(*v->watchers));
		if (v->watchers == NULL)
			abort();
	}
	memmove(&v->watchers[i + 1], &v->watchers[i],
		(v->nwatchers - i) * sizeof(*v->watchers));
	v->watchers[i] = number;
	v->nwatchers++;
}

void
view_unwatch(struct view *v, uint64_t number)
{
	LOCK_AUTO held = lock_take(&v->lock);
	size_t i = watcher_at(v, number);

	if (i == v->nwatchers || v->watchers[i] != number)
		return;
	v->nwatchers--;
	memmove(&v->watchers[i], &v->watchers[i + 1],
		(v->nwatchers - i) * sizeof(*v->watchers));
}
