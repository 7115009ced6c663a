/* SPDX-License-Identifier: ISC */
#include "store/change.h"
#include "store/store_int.h"

enum { TEXTS_AT_ONCE = 128 }; /* under the shard's lock */

static enum rc
copy(struct arena *mem, str s, str *out, struct err *err)
{
	if (s.len == 0)
		return RC_OK;
	if (arena_copy(mem, s, out) != RC_OK)
		return err_set(
			err, RC_LIMIT, "more texts at once than there is room for");
	return RC_OK;
}

static enum rc
take(struct db_stmt *q, struct arena *mem, struct store_texts *t, struct err *err)
{
	enum rc rc;

	*t = (struct store_texts){ .trace_bytes = (uint32_t)db_u64(q, 0),
		.header_bytes = db_is_null(q, 1) ? 0 : (uint32_t)db_u64(q, 1),
		.known_preview = !db_is_null(q, 4),
		.known_head = !db_is_null(q, 5) };
	if ((rc = copy(mem, db_str(q, 2), &t->envelope, err)) != RC_OK ||
		(rc = copy(mem, db_str(q, 3), &t->structure, err)) != RC_OK ||
		(rc = copy(mem, db_str(q, 4), &t->preview, err)) != RC_OK)
		return rc;
	return copy(mem, db_str(q, 5), &t->head, err);
}

/* Neighbours in a mailbox are mostly neighbours here: the next row costs less than looking
 * for it. */
struct walk {
	struct db_stmt *q;
	bool there, open; /* at a row; rows may follow */
	unsigned missed; /* in a row: the messages lie elsewhere */
};

enum { MISSED_MOST = 4 };

static enum rc
walk_step(struct walk *w, struct err *err)
{
	enum rc rc = db_step(w->q, err);

	w->there = w->open = rc == RC_OK;
	return rc == RC_NONE ? RC_OK : rc;
}

/* The row of the message, or where it would be. */
static enum rc
walk_to(struct walk *w, const struct msg_id *id, struct err *err)
{
	enum rc rc;

	if (w->open && w->missed < MISSED_MOST) {
		if ((rc = walk_step(w, err)) != RC_OK)
			return rc;
		if (w->there && str_eq(db_str(w->q, 6), msg_id_str(id))) {
			w->missed = 0;
			return RC_OK;
		}
		w->missed++;
	}
	db_reset(w->q);
	db_bind_str(w->q, 3, msg_id_str(id));
	if ((rc = walk_step(w, err)) != RC_OK)
		return rc;
	w->there = w->there && str_eq(db_str(w->q, 6), msg_id_str(id));
	return RC_OK;
}

/* A column that is not wanted is not read: most of a row lies in pages of its own. */
static enum rc
all(struct shard *sh, uint64_t account, const struct msg_id *const ids[], size_t n,
	unsigned want, struct arena *mem, struct store_texts *out, struct err *err)
{
	struct walk w = { 0 };
	enum rc rc = RC_OK;

	PREPARE(q, sh->db,
		"SELECT trace_bytes, header_bytes, CASE WHEN ?1 & 1 THEN envelope END,"
		" CASE WHEN ?1 & 2 THEN body_structure END, CASE WHEN ?1 & 4 THEN preview END,"
		" CASE WHEN ?1 & 8 THEN head END, msgid FROM email"
		" WHERE account_id = ?2 AND msgid >= ?3 ORDER BY msgid",
		err);
	w.q = q;
	db_bind_u64(q, 1, want);
	db_bind_u64(q, 2, account);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if ((rc = walk_to(&w, ids[i], err)) != RC_OK)
			break;
		out[i] = (struct store_texts){ .header_bytes = UINT32_MAX };
		if (w.there)
			rc = take(q, mem, &out[i], err);
	}
	db_reset(q);
	return rc;
}

/* In one transaction: without it each question would take SQLite's locks, which cost more
 * than its answer. */
static enum rc
some(struct shard *sh, uint64_t account, const struct msg_id *const ids[], size_t n,
	unsigned want, struct arena *mem, struct store_texts *out, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = db_begin_read(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = all(sh, account, ids, n, want, mem, out, err);
	db_rollback(sh->db);
	return rc;
}

enum rc
store_texts(struct store *s, uint64_t account, const struct msg_id *const ids[], size_t n,
	unsigned want, struct arena *mem, struct store_texts *out, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i += TEXTS_AT_ONCE) {
		size_t m = n - i > TEXTS_AT_ONCE ? TEXTS_AT_ONCE : n - i;

		rc = some(sh, account, ids + i, m, want, mem, out + i, err);
	}
	return rc;
}
