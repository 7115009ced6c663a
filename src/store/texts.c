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

/* A column that is not wanted is not read: most of a row lies in pages of its own. */
static enum rc
one(struct shard *sh, uint64_t account, const struct msg_id *id, unsigned want,
	struct arena *mem, struct store_texts *t, struct err *err)
{
	enum rc rc;

	PREPARE(q, sh->db,
		"SELECT trace_bytes, header_bytes, CASE WHEN ?1 & 1 THEN envelope END,"
		" CASE WHEN ?1 & 2 THEN body_structure END, CASE WHEN ?1 & 4 THEN preview END,"
		" CASE WHEN ?1 & 8 THEN head END FROM email WHERE account_id = ?2 AND msgid = ?3",
		err);
	db_bind_u64(q, 1, want);
	db_bind_u64(q, 2, account);
	db_bind_str(q, 3, msg_id_str(id));
	rc = db_step(q, err);
	if (rc == RC_NONE) {
		*t = (struct store_texts){ .header_bytes = UINT32_MAX };
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = take(q, mem, t, err);
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
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = one(sh, account, ids[i], want, mem, &out[i], err);
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
