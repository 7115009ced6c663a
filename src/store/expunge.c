/* SPDX-License-Identifier: ISC */
/*
 * Taking messages out.  A file goes in three steps, each of which may be the
 * last before a crash: the row of blob_gone comes in the transaction that
 * removes the last reference; a sync makes that durable; then the file is
 * unlinked and the row removed.  Without the sync between, a power cut could
 * bring the row of a message back whose file is gone.
 */
#include <inttypes.h>

#include "base/fs.h"
#include "store/change_int.h"

enum { ONE_MEMORY = 1 << 20 };

struct expunging {
	uint64_t mailbox; /* 0: by its name */
	str name;
	const uint32_t *uids;
	size_t n, ngone;
	uint32_t *gone;
	uint64_t modseq;
	bool marked; /* only those that are */
};

static size_t
only_marked(struct placed *list, size_t n)
{
	size_t k = 0;
	bool passed = false; /* over the one before */

	for (size_t i = 0; i < n; i++) {
		bool stays = (list[i].flags & STORE_DELETED) == 0;

		if (!stays) {
			list[k] = list[i];
			list[k++].joined &= !passed;
		}
		passed = stays;
	}
	return k;
}

static enum rc
expunge(struct tx *t, void *arg, struct err *err)
{
	struct expunging *x = arg;
	struct placed *list;
	struct box b;
	size_t n;
	enum rc rc;

	if (x->mailbox == 0 &&
		(rc = mailbox_find(t->sh, t->a.id, x->name, &x->mailbox, err)) != RC_OK)
		return rc;
	if ((rc = box_load(t, x->mailbox, &b, err)) != RC_OK ||
		(rc = placed_read(t, x->mailbox, x->uids, x->n, &list, &n, err)) != RC_OK)
		return rc;
	if (x->marked)
		n = only_marked(list, n);
	if (n == 0)
		return RC_OK;
	x->modseq = tx_modseq(t);
	for (size_t i = 0; i < n; i++)
		x->gone[i] = list[i].uid;
	x->ngone = n;
	if ((rc = placed_leave(t, &b, list, n, err)) != RC_OK ||
		(rc = email_release(t, list, n, err)) != RC_OK)
		return rc;
	return box_save(t, &b, err);
}

static enum rc
expunge_list(struct store *s, uint64_t account, struct expunging *x, size_t *ngone,
	uint64_t *modseq, struct err *err)
{
	enum rc rc = tx_run(s, account, expunge, x, err);

	if (rc != RC_OK)
		return rc;
	*ngone = x->ngone;
	*modseq = x->modseq;
	return RC_OK;
}

enum rc
change_expunge(struct store *s, struct store_place at, const uint32_t *uids, size_t n,
	uint32_t *gone, size_t *ngone, uint64_t *modseq, struct err *err)
{
	struct expunging x = {
		.mailbox = at.mailbox, .uids = uids, .n = n, .gone = gone
	};

	return expunge_list(s, at.account, &x, ngone, modseq, err);
}

enum rc
change_expunge_marked(struct store *s, struct store_place at, const uint32_t *uids,
	size_t n, uint32_t *gone, size_t *ngone, uint64_t *modseq, struct err *err)
{
	struct expunging x = {
		.mailbox = at.mailbox, .uids = uids, .n = n, .gone = gone, .marked = true
	};

	return expunge_list(s, at.account, &x, ngone, modseq, err);
}

enum rc
store_expunge(
	struct store *s, uint64_t account, str mailbox, uint64_t uid, struct err *err)
{
	uint32_t one = (uint32_t)uid, gone;
	struct expunging x = { .name = mailbox, .uids = &one, .n = 1, .gone = &gone };
	enum rc rc;

	if (uid == 0 || uid > UINT32_MAX)
		return err_set(err, RC_NONE, "no such message");
	if ((rc = tx_run(s, account, expunge, &x, err)) != RC_OK)
		return rc;
	if (x.ngone == 0)
		return err_set(err, RC_NONE, "no message with UID %" PRIu64, uid);
	return RC_OK;
}

enum rc
expunge_one(struct shard *sh, struct account *a, uint64_t mailbox, uint64_t uid,
	struct notes *notes, struct err *err)
{
	ARENA_AUTO mem = arena_new(ONE_MEMORY);
	struct tx t = {
		.sh = sh, .a = *a, .modseq = a->modseq, .notes = *notes, .mem = mem
	};
	uint32_t one = (uint32_t)uid, gone;
	struct expunging x = { .mailbox = mailbox, .uids = &one, .n = 1, .gone = &gone };
	enum rc rc = uid == 0 || uid > UINT32_MAX ? RC_NONE : expunge(&t, &x, err);

	*a = t.a;
	*notes = t.notes;
	if (rc == RC_OK && x.ngone == 0)
		return err_set(err, RC_NONE, "no message with UID %" PRIu64, uid);
	return rc;
}

static enum rc
forget(struct shard *sh, const struct doomed *d, struct err *err)
{
	PREPARE(q, sh->db, "DELETE FROM blob_gone WHERE account_id = ? AND msgid = ?",
		err);
	db_bind_u64(q, 1, d->account);
	db_bind_str(q, 2, msg_id_str(&d->id));
	return db_run(q, err);
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
		rc = forget(sh, &list[i], err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK)
		db_rollback(sh->db);
	else
		(void)shard_committed(sh);
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
	if ((rc = shard_sync(sh, err)) != RC_OK)
		return rc;
	return doomed_unlink(sh, list, n, err);
}
