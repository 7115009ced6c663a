/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "held/refusals_int.h"
#include "refusals_sql.h"

enum { CACHE = 256 * 1024, RECORD_MEM = 32 * 1024 * 1024 };

static const char path[] = "refusals.db";

static struct refusals_position *
position_of(struct refusals *r, str journal)
{
	struct refusals_position *p = r->at;

	for (size_t i = 0; i < r->njournals; i++, p++)
		if (str_eq(str_of(p->journal), journal))
			return p;
	if (r->njournals == REFUSALS_JOURNALS ||
		!str_z(journal, p->journal, sizeof(p->journal)))
		return NULL;
	p->seq = 0;
	p->unsaved = false;
	r->njournals++;
	return p;
}

static enum rc
load_positions(struct refusals *r, struct err *err)
{
	PREPARE(q, r->db, "SELECT journal, seq FROM position", err);
	enum rc rc;

	while ((rc = db_step(q, err)) == RC_OK) {
		struct refusals_position *p = position_of(r, db_str(q, 0));

		if (p != NULL && db_u64(q, 1) > p->seq)
			p->seq = db_u64(q, 1);
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
open_db(struct refusals *r, struct err *err)
{
	const struct db_want w = { .dirfd = r->want.data,
		.path = path,
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = CACHE,
		.read_only = r->want.read_only,
		.mode = 0600 };
	unsigned version = 0;
	enum rc rc;

	if (r->want.read_only && faccessat(r->want.data, path, F_OK, 0) != 0)
		return RC_NONE;
	if ((rc = db_open(&w, &r->db, err)) != RC_OK)
		return rc;
	if (!r->want.read_only)
		return db_migrate(r->db, refusals_schema,
			sizeof(refusals_schema) / sizeof(refusals_schema[0]), err);
	rc = db_version(r->db, &version, err);
	return rc == RC_OK && version == 0 ? RC_NONE : rc;
}

enum rc
refusals_open(const struct refusals_want *w, struct refusals **out, struct err *err)
{
	struct refusals *r = calloc(1, sizeof(*r));
	enum rc rc;

	if (r == NULL)
		abort();
	r->want = *w;
	r->notices = r->letters = true;
	r->mem = arena_new(RECORD_MEM);
	(void)pthread_mutex_init(&r->lock, NULL);
	rc = open_db(r, err);
	if (rc == RC_OK)
		rc = load_positions(r, err);
	if (rc != RC_OK) {
		refusals_close(&r);
		return rc == RC_NONE ? rc : err_wrap(err, "the register of refusals");
	}
	*out = r;
	return RC_OK;
}

void
refusals_close(struct refusals **rp)
{
	struct refusals *r = *rp;

	if (r == NULL)
		return;
	db_close(&r->db);
	arena_free(&r->mem);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
	*rp = NULL;
}

void
refusals_set_keep(struct refusals *r, uint64_t keep_ms)
{
	LOCK_AUTO held = lock_take(&r->lock);

	r->want.keep_ms = keep_ms;
}

/* Where another process writes, it is asked each time. */
enum rc
refusals_applied(struct refusals *r, const char *journal, uint64_t *seq, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = r->want.read_only ? load_positions(r, err) : RC_OK;

	if (rc != RC_OK)
		return rc;
	*seq = 0;
	for (size_t i = 0; i < r->njournals; i++)
		if (strcmp(r->at[i].journal, journal) == 0)
			*seq = r->at[i].seq;
	return RC_OK;
}

static enum rc
save_position(struct refusals *r, const struct refusals_position *p, struct err *err)
{
	static const char *const how[] = {
		"UPDATE position SET seq = ? WHERE journal = ?",
		"INSERT INTO position (seq, journal) VALUES (?, ?)",
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 2; i++) {
		PREPARE(q, r->db, how[i], err);
		db_bind_u64(q, 1, p->seq);
		db_bind_str(q, 2, str_of(p->journal));
		if ((rc = db_run(q, err)) != RC_OK || db_changes(r->db) > 0)
			break;
	}
	return rc;
}

static enum rc
damaged(const char *journal, uint64_t seq, struct err *err)
{
	return err_set(err, RC_PERM, "record %llu of journal %s cannot be read",
		(unsigned long long)seq, journal);
}

/* Almost no record concerns the register: then nothing is written, and the position
 * is kept in memory until the next checkpoint. */
static enum rc
enter_all(struct refusals *r, struct refusals_position *p,
	const struct journal_item *items, size_t n, bool *began, struct err *err)
{
	struct jrec_message m;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if (items[i].kind != JREC_MESSAGE)
			continue;
		arena_reset(r->mem);
		if (jrec_get_message(items[i].payload, r->mem, &m) != RC_OK)
			return damaged(p->journal, items[i].seq, err);
		if (!refusals_concern(&m))
			continue;
		if (!*began && (rc = db_begin(r->db, err)) != RC_OK)
			return rc;
		*began = true;
		rc = refusals_put(r, &m, err);
	}
	return rc;
}

enum rc
refusals_enter(struct refusals *r, const char *journal, const struct journal_item *items,
	size_t n, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	struct refusals_position *p = position_of(r, str_of(journal)), now;
	bool began = false;
	enum rc rc;

	if (p == NULL || r->want.read_only)
		return err_set(
			err, RC_PERM, "refusals: journal %s cannot be entered", journal);
	while (n > 0 && items->seq <= p->seq) {
		items++;
		n--;
	}
	if (n == 0)
		return RC_OK;
	now = *p;
	now.seq = items[n - 1].seq;
	now.unsaved = true;
	rc = enter_all(r, p, items, n, &began, err);
	if (rc == RC_OK && began) {
		now.unsaved = false;
		rc = save_position(r, &now, err);
		if (rc == RC_OK)
			rc = db_commit(r->db, err);
	}
	if (rc != RC_OK) {
		if (began)
			db_rollback(r->db);
		return err_wrap(err, "the register of refusals");
	}
	*p = now;
	return RC_OK;
}

enum rc
refusals_checkpoint(struct refusals *r, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->njournals && rc == RC_OK; i++) {
		if (!r->at[i].unsaved)
			continue;
		rc = save_position(r, &r->at[i], err);
		r->at[i].unsaved = rc != RC_OK;
	}
	if (rc == RC_OK)
		rc = db_checkpoint(r->db, err);
	return rc == RC_OK ? RC_OK : err_wrap(err, "the register of refusals");
}

enum rc
refusals_finish(struct refusals *r, enum rc rc, struct err *err)
{
	if (rc == RC_OK)
		rc = db_commit(r->db, err);
	if (rc != RC_OK) {
		db_rollback(r->db);
		return rc;
	}
	rc = db_sync(r->db, err);
	return rc == RC_PERM
		       ? err_set(err, RC_TEMP, "the register of refusals: not synced")
		       : rc;
}

enum rc
refusals_check(struct refusals *r, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);

	return db_integrity(r->db, err);
}

enum rc
refusals_copy(struct refusals *r, int dirfd, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);

	return db_copy(r->db, dirfd, path, err);
}
