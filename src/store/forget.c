/* SPDX-License-Identifier: ISC */
/*
 * What is remembered of messages that were removed long ago goes: that they were there at all, by
 * which a journal applied again and audit know them, and what their reader said of them.
 */
#include "store/store_int.h"

enum { AT_ONCE = 4096 }; /* rows looked at under a shard's lock */

struct forgetting {
	const char *next, *forget; /* statements */
	uint64_t account, before_ms;
	struct msg_id id; /* all up to this one have been looked at */
};

static void
bind_key(struct db_stmt *q, int i, uint64_t account, str id)
{
	db_bind_u64(q, i, account);
	db_bind_str(q, i + 1, id);
}

/* Where the next rows end; RC_NONE: they are the last. */
static enum rc
find_end(struct shard *sh, const struct forgetting *f, struct forgetting *end,
	struct err *err)
{
	*end = *f;
	end->account = INT64_MAX;
	PREPARE(q, sh->db, f->next, err);
	bind_key(q, 1, f->account, str_of(f->id.text));
	db_bind_u64(q, 3, AT_ONCE - 1);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	end->account = db_u64(q, 0);
	(void)str_z(db_str(q, 1), end->id.text, sizeof(end->id.text));
	db_reset(q);
	return RC_OK;
}

static enum rc
forget_some(struct shard *sh, struct forgetting *f, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	struct forgetting end;
	enum rc rc = find_end(sh, f, &end, err), ran;

	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	PREPARE(q, sh->db, f->forget, err);
	bind_key(q, 1, f->account, str_of(f->id.text));
	bind_key(q, 3, end.account, str_of(end.id.text));
	db_bind_u64(q, 5, f->before_ms);
	if ((ran = db_run(q, err)) != RC_OK)
		return ran;
	if (db_changes(sh->db) > 0)
		(void)shard_committed(sh);
	*f = end;
	return rc;
}

static enum rc
forget_all(struct shard *sh, uint64_t before_ms, struct err *err)
{
	static const struct forgetting tables[] = {
		{ .next = "SELECT account_id, msgid FROM gone"
			  " WHERE (account_id, msgid) > (?, ?)"
			  " ORDER BY account_id, msgid LIMIT 1 OFFSET ?",
			.forget =
				"DELETE FROM gone WHERE (account_id, msgid) > (?1, ?2)"
				" AND (account_id, msgid) <= (?3, ?4) AND modseq < ?5" },
		{ .next = "SELECT account_id, msgid FROM lesson"
			  " WHERE (account_id, msgid) > (?, ?)"
			  " ORDER BY account_id, msgid LIMIT 1 OFFSET ?",
			.forget =
				"DELETE FROM lesson WHERE (account_id, msgid) > (?1, ?2)"
				" AND (account_id, msgid) <= (?3, ?4) AND time_ms < ?5"
				" AND NOT EXISTS(SELECT 1 FROM email e"
				" WHERE e.account_id = lesson.account_id"
				" AND e.msgid = lesson.msgid)" },
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 2 && (rc == RC_OK || rc == RC_NONE); i++) {
		struct forgetting f = tables[i];

		f.before_ms = before_ms;
		do
			rc = forget_some(sh, &f, err);
		while (rc == RC_OK);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
store_forget(struct store *s, uint64_t before_ms, struct err *err)
{
	enum rc rc = RC_OK;

	if (before_ms > INT64_MAX)
		return RC_OK; /* so long ago: the clock stands in 1970 */
	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		rc = forget_all(&s->shards[i], before_ms, err);
	return rc;
}
