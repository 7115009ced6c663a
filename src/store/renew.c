/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "store/left.h"
#include "store/marks.h"

/* More messages than come into a mailbox between a backup and its use; it may be used
 * 4,000 times. */
#define UID_GAP  "1000000"
#define UID_LAST "4294967295"

static enum rc
newest(struct shard *sh, uint64_t *modseq, struct err *err)
{
	enum rc rc;

	PREPARE(q, sh->db, "SELECT coalesce(max(modseq), 0) FROM account", err);
	if ((rc = db_step(q, err)) != RC_OK)
		return rc == RC_NONE ? RC_TEMP : rc;
	*modseq = db_u64(q, 0) + 1;
	db_reset(q);
	if (*modseq < clock_wall_ms())
		*modseq = clock_wall_ms();
	return RC_OK;
}

static enum rc
renew(struct shard *sh, struct err *err)
{
	static const char *const all[] = {
		"UPDATE account SET modseq = ?",
		"UPDATE mailbox SET modseq = ?, uidnext = min(uidnext + " UID_GAP
		", " UID_LAST ")",
		"UPDATE mailbox_email SET modseq = ?",
	};
	uint64_t modseq;
	enum rc rc = newest(sh, &modseq, err);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && rc == RC_OK; i++) {
		PREPARE(q, sh->db, all[i], err);
		db_bind_u64(q, 1, modseq);
		rc = db_run(q, err);
	}
	if (rc == RC_OK)
		rc = left_renew(sh, modseq, err);
	return rc == RC_OK ? marks_renew(sh->db, modseq, err) : rc;
}

enum rc
store_renew(struct store *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++) {
		struct shard *sh = &s->shards[i];
		LOCK_AUTO held = lock_take(&sh->lock);

		if ((rc = db_begin(sh->db, err)) != RC_OK)
			return rc;
		rc = renew(sh, err);
		if (rc == RC_OK)
			rc = db_commit(sh->db, err);
		if (rc == RC_OK)
			(void)shard_committed(sh);
		else
			db_rollback(sh->db);
	}
	return rc == RC_OK ? store_checkpoint(s, err) : rc;
}
