/* SPDX-License-Identifier: ISC */
/*
 * Taking messages out.  A file goes in three steps, each of which may be the
 * last before a crash: the row of blob_gone comes in the transaction that
 * removes the last reference; a sync makes that durable; then the file is
 * unlinked and the row removed.  Without the sync between, a power cut could
 * bring the row of a message back whose file is gone.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/fs.h"
#include "store/store_int.h"

struct place {
	uint64_t mailbox, uid;
	unsigned flags;
	struct msg_id id;
	uint64_t refs, size;
};

static enum rc
find_place(struct shard *sh, uint64_t account, struct place *p, struct err *err)
{
	PREPARE(q, sh->db,
		"SELECT m.flags, m.msgid, e.refs, e.size FROM mailbox_email m"
		" LEFT JOIN email e ON e.account_id = m.account_id AND e.msgid = m.msgid"
		" WHERE m.account_id = ? AND m.mailbox_id = ? AND m.uid = ?",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, p->mailbox);
	db_bind_u64(q, 3, p->uid);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE
			       ? err_set(err, rc, "no message with UID %" PRIu64, p->uid)
			       : rc;
	p->flags = (unsigned)db_u64(q, 0);
	(void)str_z(db_str(q, 1), p->id.text, sizeof(p->id.text));
	p->refs = db_u64(q, 2);
	p->size = db_u64(q, 3);
	db_reset(q);
	return RC_OK;
}

static enum rc
leave_mailbox(
	struct shard *sh, const struct account *a, const struct place *p, struct err *err)
{
	enum rc rc;

	PREPARE(q, sh->db,
		"DELETE FROM mailbox_email WHERE account_id = ? AND mailbox_id = ? AND uid = ?",
		err);
	db_bind_u64(q, 1, a->id);
	db_bind_u64(q, 2, p->mailbox);
	db_bind_u64(q, 3, p->uid);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	PREPARE(x, sh->db,
		"INSERT INTO expunged(account_id, mailbox_id, modseq, uid, msgid)"
		" VALUES(?, ?, ?, ?, ?)",
		err);
	db_bind_u64(x, 1, a->id);
	db_bind_u64(x, 2, p->mailbox);
	db_bind_u64(x, 3, a->modseq);
	db_bind_u64(x, 4, p->uid);
	db_bind_str(x, 5, msg_id_str(&p->id));
	if ((rc = db_run(x, err)) != RC_OK)
		return rc;
	PREPARE(m, sh->db,
		"UPDATE mailbox SET messages = messages - 1, unseen = unseen - ?, modseq = ?"
		" WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(m, 1, (p->flags & STORE_SEEN) == 0);
	db_bind_u64(m, 2, a->modseq);
	db_bind_u64(m, 3, a->id);
	db_bind_u64(m, 4, p->mailbox);
	return db_run(m, err);
}

static enum rc
with_id(struct shard *sh, const char *sql, uint64_t account, const struct msg_id *id,
	struct err *err)
{
	PREPARE(q, sh->db, sql, err);
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, msg_id_str(id));
	return db_run(q, err);
}

/* The last mailbox it was in: the message leaves the account. */
static enum rc
leave_account(struct shard *sh, struct account *a, const struct place *p, struct err *err)
{
	enum rc rc = with_id(sh, "DELETE FROM email WHERE account_id = ? AND msgid = ?",
		a->id, &p->id, err);

	if (rc != RC_OK)
		return rc;
	PREPARE(q, sh->db, "INSERT INTO gone(account_id, msgid, modseq) VALUES(?, ?, ?)",
		err);
	db_bind_u64(q, 1, a->id);
	db_bind_str(q, 2, msg_id_str(&p->id));
	db_bind_u64(q, 3, a->modseq);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	a->bytes -= p->size < a->bytes ? p->size : a->bytes;
	a->messages -= a->messages > 0;
	return with_id(sh, "INSERT INTO blob_gone(account_id, msgid) VALUES(?, ?)", a->id,
		&p->id, err);
}

static enum rc
expunge(struct shard *sh, uint64_t account, str mailbox, uint64_t uid, struct err *err)
{
	struct account a;
	struct place p = { .uid = uid };
	enum rc rc = account_load(sh, account, &a, err);

	if (rc != RC_OK ||
		(rc = mailbox_find(sh, account, mailbox, &p.mailbox, err)) != RC_OK ||
		(rc = find_place(sh, account, &p, err)) != RC_OK)
		return rc;
	(void)account_modseq(&a);
	if ((rc = leave_mailbox(sh, &a, &p, err)) != RC_OK)
		return rc;
	if (p.refs <= 1)
		rc = leave_account(sh, &a, &p, err);
	else
		rc = with_id(sh,
			"UPDATE email SET refs = refs - 1 WHERE account_id = ? AND msgid = ?",
			account, &p.id, err);
	return rc == RC_OK ? account_save(sh, &a, err) : rc;
}

enum rc
store_expunge(
	struct store *s, uint64_t account, str mailbox, uint64_t uid, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc;

	if (uid > INT64_MAX)
		return err_set(err, RC_NONE, "no such message");
	if ((rc = db_begin(sh->db, err)) != RC_OK)
		return rc;
	rc = expunge(sh, account, mailbox, uid, err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK)
		db_rollback(sh->db);
	return rc;
}

enum rc
doomed_list(struct shard *sh, struct doomed out[DOOMED_MOST], size_t *n, struct err *err)
{
	enum rc rc;

	*n = 0;
	PREPARE(q, sh->db, "SELECT account_id, msgid FROM blob_gone LIMIT ?", err);
	db_bind_u64(q, 1, DOOMED_MOST);
	while ((rc = db_step(q, err)) == RC_OK) {
		out[*n].account = db_u64(q, 0);
		if (str_z(db_str(q, 1), out[*n].id.text, sizeof(out[*n].id.text)))
			++*n;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
doomed_unlink(struct shard *sh, const struct doomed *list, size_t n, struct err *err)
{
	char path[BLOB_PATH];
	enum rc rc;

	if (n == 0)
		return RC_OK;
	for (size_t i = 0; i < n; i++) {
		blob_path(list[i].account, list[i].id.text, path);
		rc = fs_unlink(sh->data, path, err);
		if (rc != RC_OK && rc != RC_NONE)
			return rc;
	}
	/* A row must not go before its file's name has gone for good. */
	if ((rc = fs_sync_all(sh->data, err)) != RC_OK ||
		(rc = db_begin(sh->db, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = with_id(sh,
			"DELETE FROM blob_gone WHERE account_id = ? AND msgid = ?",
			list[i].account, &list[i].id, err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK)
		db_rollback(sh->db);
	return rc;
}

enum rc
doomed_finish(struct shard *sh, struct err *err)
{
	struct doomed list[DOOMED_MOST];
	size_t n = 0;
	enum rc rc = doomed_list(sh, list, &n, err);

	if (rc != RC_OK || n == 0)
		return rc;
	if ((rc = db_sync(sh->db, err)) != RC_OK)
		return rc;
	return doomed_unlink(sh, list, n, err);
}
