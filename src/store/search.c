/* SPDX-License-Identifier: ISC */
#include "store/search.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "search_sql.h"
#include "store/search_int.h"
#include "store/search_words.h"
#include "store/store_int.h"
#include "wire/sortkey.h"

enum {
	STEPS = sizeof(search_schema) / sizeof(search_schema[0]),
	CHECKPOINT_BYTES = 8 << 20, /* of a WAL, before it is written back */
	PAGE = 32 * 1024, /* rows lie whole in their pages (doc/full-text.md) */
};

struct part {
	pthread_mutex_t lock;
	struct db *db;
};

struct search {
	struct part parts[STORE_SHARDS];
};

static struct part *
part_of(struct search *s, uint64_t account)
{
	return &s->parts[account % STORE_SHARDS];
}

static enum rc
part_remove(int data, const char *path, struct err *err)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && rc == RC_OK; i++) {
		char name[48];

		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		rc = fs_unlink(data, name, err);
		rc = rc == RC_NONE ? RC_OK : rc;
	}
	return rc;
}

/* One of an older version is thrown away: it is derived data, and none of its pages
 * would be of use. */
static enum rc
part_open(struct search *s, const struct search_want *w, unsigned n, struct err *err)
{
	struct db **db = &s->parts[n].db;
	char path[32];
	unsigned version;
	enum rc rc = RC_OK;

	(void)snprintf(path, sizeof(path), "search/%u.db", n);
	const struct db_want want = { .dirfd = w->data,
		.path = path,
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = w->cache_bytes,
		.read_only = w->read_only,
		.page_bytes = PAGE };
	rc = db_open(&want, db, err);
	if (rc == RC_OK)
		rc = db_version(*db, &version, err);
	if (rc == RC_OK && version > 0 && version < STEPS && !w->read_only) {
		db_close(db);
		rc = part_remove(w->data, path, err);
		if (rc == RC_OK)
			rc = db_open(&want, db, err);
	}
	return rc == RC_OK ? db_migrate(*db, search_schema, STEPS, err) : rc;
}

enum rc
search_open(const struct search_want *w, struct search **out, struct err *err)
{
	struct search *s = calloc(1, sizeof(*s));
	enum rc rc = RC_OK;

	if (s == NULL)
		abort();
	for (unsigned i = 0; i < STORE_SHARDS; i++)
		(void)pthread_mutex_init(&s->parts[i].lock, NULL);
	if (!w->read_only)
		rc = fs_mkdirs(w->data, "search", 0700, err);
	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		rc = part_open(s, w, i, err);
	if (rc != RC_OK) {
		search_close(&s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

void
search_close(struct search **sp)
{
	struct search *s = *sp;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < STORE_SHARDS; i++) {
		db_close(&s->parts[i].db);
		(void)pthread_mutex_destroy(&s->parts[i].lock);
	}
	free(s);
	*sp = NULL;
}

static enum rc
read_mark(struct part *p, uint64_t account, uint64_t *modseq, struct err *err)
{
	*modseq = 0;
	PREPARE(q, p->db, "SELECT modseq FROM mark WHERE account_id = ?", err);
	db_bind_u64(q, 1, account);
	enum rc rc = db_step(q, err);
	if (rc == RC_OK)
		*modseq = db_u64(q, 0);
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
search_mark(struct search *s, uint64_t account, uint64_t *modseq, struct err *err)
{
	struct part *p = part_of(s, account);
	LOCK_AUTO held = lock_take(&p->lock);

	return read_mark(p, account, modseq, err);
}

/* What is entered, made before anybody's lock is held. */
struct row {
	struct buf head, words;
	unsigned flags;
};

static void
row_make(struct row *r, const struct search_doc *d)
{
	*r = (struct row){ BUF(4 * SEARCH_HEAD_MOST), BUF(2 * SEARCH_TEXT_MOST), 0 };
	sortkey_fold(str_first(d->head, SEARCH_HEAD_MOST), &r->head);
	search_words(str_first(d->text, SEARCH_TEXT_MOST), &r->words);
	r->flags |= d->unread ? SEARCH_UNREAD : 0u;
	if (d->cut || d->head.len > SEARCH_HEAD_MOST || d->text.len > SEARCH_TEXT_MOST ||
		r->head.over || r->words.over)
		r->flags |= SEARCH_CUT;
}

static enum rc
add_lines(struct part *p, uint64_t account, enum search_part kind,
	const struct msg_id *id, const struct row *r, struct err *err)
{
	PREPARE(q, p->db,
		"INSERT OR REPLACE INTO text(account_id, part, msgid, flags, lines)"
		" VALUES(?, ?, ?, ?, ?)",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, kind);
	db_bind_str(q, 3, msg_id_str(id));
	db_bind_u64(q, 4, r->flags);
	db_bind_blob(q, 5, buf_str(kind == SEARCH_HEAD ? &r->head : &r->words));
	return db_run(q, err);
}

static enum rc
add_row(struct part *p, uint64_t account, const struct msg_id *id, const struct row *r,
	struct err *err)
{
	enum rc rc = add_lines(p, account, SEARCH_HEAD, id, r, err);

	return rc == RC_OK ? add_lines(p, account, SEARCH_WORDS, id, r, err) : rc;
}

static enum rc
set_mark(struct part *p, uint64_t account, uint64_t modseq, struct err *err)
{
	PREPARE(q, p->db, "INSERT OR REPLACE INTO mark(account_id, modseq) VALUES(?, ?)",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, modseq);
	return db_run(q, err);
}

static enum rc
add_all(struct part *p, const struct search_news *news, const struct row *rows,
	struct err *err)
{
	uint64_t mark;
	enum rc rc = read_mark(p, news->account, &mark, err);

	for (size_t i = 0; i < news->n && rc == RC_OK; i++) {
		const struct search_doc *d = &news->list[i];

		if (d->modseq <= mark)
			continue;
		rc = add_row(p, news->account, &d->id, &rows[i], err);
		mark = d->modseq;
	}
	return rc == RC_OK ? set_mark(p, news->account, mark, err) : rc;
}

/* What does not succeed leaves nothing behind. */
static enum rc
settle(struct part *p, enum rc rc, struct err *err)
{
	if (rc == RC_OK)
		rc = db_commit(p->db, err);
	if (rc != RC_OK) {
		db_rollback(p->db);
		return rc;
	}
	if (db_unsettled(p->db) > CHECKPOINT_BYTES)
		(void)!db_checkpoint(p->db, NULL);
	return RC_OK;
}

static enum rc
add_rows(struct part *p, const struct search_news *news, size_t n, const struct row *rows,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&p->lock);
	enum rc rc = db_begin(p->db, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = add_all(p, &news[i], rows, err);
		rows += news[i].n;
	}
	return settle(p, rc, err);
}

enum rc
search_add(struct search *s, const struct search_news *news, size_t n, struct err *err)
{
	size_t all = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		assert(part_of(s, news[i].account) == part_of(s, news[0].account));
		all += news[i].n;
	}
	if (n == 0)
		return RC_OK;
	struct row *rows = calloc(all + 1, sizeof(*rows));
	if (rows == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < news[i].n; k++)
			row_make(&rows[at++], &news[i].list[k]);
	enum rc rc = add_rows(part_of(s, news[0].account), news, n, rows, err);
	for (size_t i = 0; i < all; i++) {
		buf_free(&rows[i].head);
		buf_free(&rows[i].words);
	}
	free(rows);
	return rc;
}

static enum rc
forget(struct part *p, uint64_t account, struct err *err)
{
	enum rc rc;

	PREPARE(q, p->db, "DELETE FROM text WHERE account_id = ?", err);
	db_bind_u64(q, 1, account);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	PREPARE(m, p->db, "DELETE FROM mark WHERE account_id = ?", err);
	db_bind_u64(m, 1, account);
	return db_run(m, err);
}

enum rc
search_forget(struct search *s, uint64_t account, struct err *err)
{
	struct part *p = part_of(s, account);
	LOCK_AUTO held = lock_take(&p->lock);
	enum rc rc = db_begin(p->db, err);

	return rc == RC_OK ? settle(p, forget(p, account, err), err) : rc;
}

static enum rc
remove_row(struct part *p, uint64_t account, const struct msg_id *id, struct err *err)
{
	PREPARE(q, p->db,
		"DELETE FROM text WHERE account_id = ? AND part IN (0, 1) AND msgid = ?",
		err);
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, msg_id_str(id));
	return db_run(q, err);
}

enum rc
search_remove(struct search *s, uint64_t account, const struct msg_id *ids, size_t n,
	struct err *err)
{
	struct part *p = part_of(s, account);
	LOCK_AUTO held = lock_take(&p->lock);
	enum rc rc = n == 0 ? RC_NONE : db_begin(p->db, err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = remove_row(p, account, &ids[i], err);
	return settle(p, rc, err);
}

enum rc
search_look(struct search *s, uint64_t account, const struct msg_id *ids, size_t n,
	const struct search_key *keys, size_t nkeys, uint8_t *says, struct err *err)
{
	struct part *p = part_of(s, account);
	LOCK_AUTO held = lock_take(&p->lock);

	return search_look_in(p->db, account, ids, n, keys, nkeys, says, err);
}
