/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/clock.h"
#include "base/fs.h"
#include "store/store_int.h"

static const struct {
	uint64_t id;
	str name, special;
} standard[] = {
	{ INBOX_ID, STR_INIT("INBOX"), STR_INIT("") },
	{ 2, STR_INIT("Drafts"), STR_INIT("\\Drafts") },
	{ 3, STR_INIT("Sent"), STR_INIT("\\Sent") },
	{ 4, STR_INIT("Archive"), STR_INIT("\\Archive") },
	{ 5, STR_INIT("Trash"), STR_INIT("\\Trash") },
	{ 6, STR_INIT("Junk"), STR_INIT("\\Junk") },
};

enum { STANDARD = sizeof(standard) / sizeof(standard[0]) };

uint64_t
account_modseq(struct account *a)
{
	uint64_t now = clock_wall_ms();

	a->modseq = a->modseq + 1 > now ? a->modseq + 1 : now;
	return a->modseq;
}

enum rc
account_load(struct shard *sh, uint64_t id, struct account *a, struct err *err)
{
	PREPARE(q, sh->db,
		"SELECT modseq, next_thread, bytes, messages FROM account WHERE account_id = ?",
		err);
	db_bind_u64(q, 1, id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? err_set(err, rc,
					       "account %" PRIu64 " has no mailboxes", id)
				     : rc;
	*a = (struct account){ .id = id,
		.modseq = db_u64(q, 0),
		.next_thread = db_u64(q, 1),
		.bytes = db_u64(q, 2),
		.messages = db_u64(q, 3) };
	db_reset(q);
	return RC_OK;
}

static enum rc
make_mailbox(struct shard *sh, const struct account *a, size_t i, uint64_t uidvalidity,
	struct err *err)
{
	PREPARE(q, sh->db,
		"INSERT INTO mailbox(account_id, mailbox_id, name, special, subscribed,"
		" uidvalidity, uidnext, messages, unseen, modseq, made_modseq, self_modseq)"
		" VALUES(?, ?, ?, ?, 1, ?, 1, 0, 0, ?, ?, ?)",
		err);
	db_bind_u64(q, 1, a->id);
	db_bind_u64(q, 2, standard[i].id);
	db_bind_str(q, 3, standard[i].name);
	db_bind_str(q, 4, standard[i].special);
	db_bind_u64(q, 5, uidvalidity + i);
	for (int col = 6; col <= 8; col++)
		db_bind_u64(q, col, a->modseq);
	return db_run(q, err);
}

static enum rc
make(struct shard *sh, uint64_t id, struct account *a, struct err *err)
{
	uint64_t uidvalidity = clock_wall_ms() / 1000;
	enum rc rc;

	*a = (struct account){ .id = id, .next_thread = 1 };
	(void)account_modseq(a);
	PREPARE(q, sh->db,
		"INSERT INTO account(account_id, modseq, next_mailbox, next_thread,"
		" next_uidvalidity, bytes, messages) VALUES(?, ?, ?, 1, ?, 0, 0)",
		err);
	db_bind_u64(q, 1, id);
	db_bind_u64(q, 2, a->modseq);
	db_bind_u64(q, 3, STANDARD + 1);
	db_bind_u64(q, 4, uidvalidity + STANDARD);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	/* A removal that did not come to its end must not take the new files. */
	PREPARE(keep, sh->db, "DELETE FROM account_gone WHERE account_id = ?", err);
	db_bind_u64(keep, 1, id);
	if ((rc = db_run(keep, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < STANDARD && rc == RC_OK; i++)
		rc = make_mailbox(sh, a, i, uidvalidity, err);
	return rc;
}

enum rc
account_load_or_make(struct shard *sh, uint64_t id, struct account *a, struct err *err)
{
	enum rc rc = account_load(sh, id, a, err);

	return rc == RC_NONE ? make(sh, id, a, err) : rc;
}

enum rc
account_save(struct shard *sh, const struct account *a, struct err *err)
{
	PREPARE(q, sh->db,
		"UPDATE account SET modseq = ?, next_thread = ?, bytes = ?, messages = ?"
		" WHERE account_id = ?",
		err);
	db_bind_u64(q, 1, a->modseq);
	db_bind_u64(q, 2, a->next_thread);
	db_bind_u64(q, 3, a->bytes);
	db_bind_u64(q, 4, a->messages);
	db_bind_u64(q, 5, a->id);
	return db_run(q, err);
}

enum rc
mailbox_find(struct shard *sh, uint64_t account, str name, uint64_t *id, struct err *err)
{
	PREPARE(q, sh->db,
		"SELECT mailbox_id FROM mailbox WHERE account_id = ? AND name = ?", err);
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, str_ieq(name, STR("INBOX")) ? STR("INBOX") : name);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? err_set(err, rc, "no such mailbox") : rc;
	*id = db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

enum rc
store_account_make(struct store *s, uint64_t account, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	struct account a;
	enum rc rc = db_begin(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = account_load_or_make(sh, account, &a, err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK)
		db_rollback(sh->db);
	else
		(void)shard_committed(sh);
	return rc;
}

static enum rc
remove_rows(struct shard *sh, uint64_t account, struct err *err)
{
	static const char *const statements[] = {
		"DELETE FROM account WHERE account_id = ?",
		"DELETE FROM mailbox WHERE account_id = ?",
		"DELETE FROM mailbox_gone WHERE account_id = ?",
		"DELETE FROM mailbox_deleted WHERE account_id = ?",
		"DELETE FROM subscribed_name WHERE account_id = ?",
		"DELETE FROM email WHERE account_id = ?",
		"DELETE FROM email_key WHERE account_id = ?",
		"DELETE FROM email_item WHERE account_id = ?",
		"DELETE FROM mailbox_email WHERE account_id = ?",
		"DELETE FROM mailbox_mark WHERE account_id = ?",
		"DELETE FROM expunged WHERE account_id = ?",
		"DELETE FROM expunged_known WHERE account_id = ?",
		"DELETE FROM lesson WHERE account_id = ?",
		"DELETE FROM gone WHERE account_id = ?",
		"DELETE FROM thread_ref WHERE account_id = ?",
		"DELETE FROM blob_gone WHERE account_id = ?",
		"DELETE FROM account_gone WHERE account_id = ?",
		"INSERT INTO account_gone(account_id) VALUES(?)",
	};

	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		PREPARE(q, sh->db, statements[i], err);
		db_bind_u64(q, 1, account);
		enum rc rc = db_run(q, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* The rows' end is on disk before the first file goes: never a row without its
 * file, whenever the power fails. */
static enum rc
remove_files(struct shard *sh, uint64_t account, struct err *err)
{
	enum rc rc = shard_sync(sh, err);

	if (rc != RC_OK || (rc = blob_remove_all(sh->data, account, err)) != RC_OK)
		return rc;
	PREPARE(q, sh->db, "DELETE FROM account_gone WHERE account_id = ?", err);
	db_bind_u64(q, 1, account);
	return db_run(q, err);
}

enum rc
store_account_remove(struct store *s, uint64_t account, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = db_begin(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = remove_rows(sh, account, err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK) {
		db_rollback(sh->db);
		return rc;
	}
	(void)shard_committed(sh);
	views_end(s, account);
	return remove_files(sh, account, err);
}

enum rc
account_finish_removals(struct shard *sh, struct err *err)
{
	for (;;) {
		PREPARE(q, sh->db, "SELECT account_id FROM account_gone LIMIT 1", err);
		enum rc rc = db_step(q, err);
		if (rc != RC_OK)
			return rc == RC_NONE ? RC_OK : rc;
		uint64_t account = db_u64(q, 0);
		db_reset(q);
		if ((rc = remove_files(sh, account, err)) != RC_OK)
			return rc;
	}
}

enum rc
store_usage(struct store *s, uint64_t account, struct store_usage *out, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	struct account a;
	enum rc rc = account_load(sh, account, &a, err);

	if (rc == RC_OK)
		*out = (struct store_usage){ .bytes = a.bytes, .messages = a.messages };
	return rc;
}

struct found {
	struct store_mailbox m;
	struct found *next;
};

static enum rc
keep_mailbox(struct db_stmt *q, struct arena *mem, struct found ***tail, struct err *err)
{
	struct found *f = arena_new_of(mem, struct found);

	if (f == NULL || arena_copy(mem, db_str(q, 5), &f->m.name) != RC_OK ||
		arena_copy(mem, db_str(q, 6), &f->m.special) != RC_OK)
		return err_set(err, RC_LIMIT, "the account has too many mailboxes");
	f->m.id = db_u64(q, 0);
	f->m.uidvalidity = db_u64(q, 1);
	f->m.uidnext = db_u64(q, 2);
	f->m.messages = db_u64(q, 3);
	f->m.unseen = db_u64(q, 4);
	**tail = f;
	*tail = &f->next;
	return RC_OK;
}

static enum rc
list_mailboxes(struct shard *sh, uint64_t account, struct arena *mem, struct found **list,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	struct found **tail = list;
	enum rc rc;

	PREPARE(q, sh->db,
		"SELECT mailbox_id, uidvalidity, uidnext, messages, unseen, name, special"
		" FROM mailbox WHERE account_id = ? ORDER BY mailbox_id",
		err);
	db_bind_u64(q, 1, account);
	while ((rc = db_step(q, err)) == RC_OK)
		if ((rc = keep_mailbox(q, mem, &tail, err)) != RC_OK) {
			db_reset(q);
			return rc;
		}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
store_mailboxes(struct store *s, uint64_t account, store_mailbox_fn *fn, void *arg,
	struct err *err)
{
	ARENA_AUTO mem = arena_new(16 << 20);
	struct found *list = NULL;
	enum rc rc = list_mailboxes(shard_of(s, account), account, mem, &list, err);

	if (rc == RC_OK && list == NULL)
		return err_set(
			err, RC_NONE, "account %" PRIu64 " has no mailboxes", account);
	for (; rc == RC_OK && list != NULL; list = list->next)
		rc = fn(&list->m, arg, err);
	return rc;
}
