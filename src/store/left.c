/* SPDX-License-Identifier: ISC */
#include "store/left.h"

enum { AT_ONCE = LEFT_MOST / 32 }; /* rows that go when there are too many */

/* Adds to the mailbox's count; *n: what it is now. */
static enum rc
count(struct tx *t, uint64_t mailbox, int64_t more, uint64_t *n, struct err *err)
{
	PREPARE(q, t->sh->db,
		"INSERT INTO expunged_known(account_id, mailbox_id, n, since)"
		" VALUES(?1, ?2, max(?3, 0), 0)"
		" ON CONFLICT DO UPDATE SET n = max(n + ?3, 0) RETURNING n",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, mailbox);
	db_bind_i64(q, 3, more);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_TEMP : rc;
	*n = db_u64(q, 0);
	return db_run(q, err);
}

static enum rc
count_all(struct tx *t, uint64_t *n, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT coalesce(sum(n), 0) FROM expunged_known WHERE account_id = ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*n = db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

/* The modseq of one of the oldest rows. */
static enum rc
find_old(struct tx *t, uint64_t mailbox, uint64_t row, uint64_t *modseq, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT modseq FROM expunged WHERE account_id = ? AND mailbox_id = ?"
		" ORDER BY modseq, uid LIMIT 1 OFFSET ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, mailbox);
	db_bind_u64(q, 3, row);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*modseq = db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

static enum rc
set_since(struct tx *t, uint64_t mailbox, uint64_t modseq, struct err *err)
{
	PREPARE(q, t->sh->db,
		"UPDATE expunged_known SET since = ? WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, modseq);
	db_bind_u64(q, 2, t->a.id);
	db_bind_u64(q, 3, mailbox);
	return db_run(q, err);
}

/* All of a modseq, or none of it. */
static enum rc
forget(struct tx *t, uint64_t mailbox, uint64_t rows, struct err *err)
{
	uint64_t modseq = 0, n;
	enum rc rc = find_old(t, mailbox, rows - 1, &modseq, err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	PREPARE(q, t->sh->db,
		"DELETE FROM expunged WHERE account_id = ? AND mailbox_id = ? AND modseq <= ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, mailbox);
	db_bind_u64(q, 3, modseq);
	if ((rc = db_run(q, err)) != RC_OK ||
		(rc = count(t, mailbox, -(int64_t)db_changes(t->sh->db), &n, err)) !=
			RC_OK)
		return rc;
	return set_since(t, mailbox, modseq, err);
}

enum rc
left_grew(struct tx *t, uint64_t mailbox, size_t n, struct err *err)
{
	uint64_t here = 0, all = 0;
	enum rc rc = n == 0 ? RC_OK : count(t, mailbox, (int64_t)n, &here, err);

	if (rc != RC_OK || here <= LEFT_FEW)
		return rc;
	if (here > LEFT_MOST)
		return forget(t, mailbox, here - LEFT_MOST + AT_ONCE, err);
	if ((rc = count_all(t, &all, err)) != RC_OK || all <= LEFT_ACCOUNT)
		return rc;
	return forget(t, mailbox, here - LEFT_FEW / 2, err);
}

enum rc
left_since(struct shard *sh, uint64_t account, uint64_t mailbox, uint64_t *since,
	struct err *err)
{
	*since = 0;
	PREPARE(q, sh->db,
		"SELECT since FROM expunged_known WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, mailbox);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	*since = db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

enum rc
left_clear(struct tx *t, uint64_t mailbox, struct err *err)
{
	static const char *const statements[] = {
		"DELETE FROM expunged WHERE account_id = ? AND mailbox_id = ?",
		"DELETE FROM expunged_known WHERE account_id = ? AND mailbox_id = ?",
	};

	for (size_t i = 0; i < 2; i++) {
		PREPARE(q, t->sh->db, statements[i], err);
		db_bind_u64(q, 1, t->a.id);
		db_bind_u64(q, 2, mailbox);
		enum rc rc = db_run(q, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
left_renew(struct shard *sh, uint64_t modseq, struct err *err)
{
	enum rc rc;

	PREPARE(d, sh->db, "DELETE FROM expunged", err);
	if ((rc = db_run(d, err)) != RC_OK)
		return rc;
	PREPARE(q, sh->db,
		"REPLACE INTO expunged_known(account_id, mailbox_id, n, since)"
		" SELECT account_id, mailbox_id, 0, ?1 FROM mailbox"
		" UNION ALL SELECT account_id, mailbox_id, 0, ?1 FROM mailbox_deleted",
		err);
	db_bind_u64(q, 1, modseq);
	return db_run(q, err);
}
