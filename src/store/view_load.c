/* SPDX-License-Identifier: ISC */
/*
 * A mailbox is read in chunks, so that deliveries to its shard go on.  What is changed
 * meanwhile is patched where it has been read, and read later where it has not; the
 * counters are read last, with the last rows.
 */
#include <inttypes.h>

#include "store/marks.h"
#include "store/view_int.h"

static enum rc
no_such(struct err *err)
{
	return err_set(err, RC_NONE, "no such mailbox");
}

static enum rc
make_room(struct view *v, struct err *err)
{
	LOCK_AUTO shard = lock_take(&v->sh->lock);
	LOCK_AUTO own = lock_take(&v->lock);

	PREPARE(q, v->sh->db,
		"SELECT messages FROM mailbox WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, v->name.account);
	db_bind_u64(q, 2, v->name.mailbox);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? no_such(err) : rc;
	uint64_t n = db_u64(q, 0);
	db_reset(q);
	if (n <= UINT32_MAX)
		view_room(v, n + n / 64 + 8);
	return RC_OK;
}

static enum rc
take_row(struct view *v, struct db_stmt *q, struct marks *marks, struct err *err)
{
	const struct mark *mark;
	struct view_row r = { .uid = (uint32_t)db_u64(q, 0),
		.flags = (unsigned)db_u64(q, 1),
		.keywords = db_str(q, 2),
		.modseq = db_u64(q, 3),
		.size = db_u64(q, 5),
		.received_ms = db_u64(q, 6),
		.saved_ms = db_u64(q, 7),
		.thread = db_u64(q, 8),
		.sent_s = db_is_null(q, 9) ? INT64_MIN : db_i64(q, 9) };

	enum rc rc = marks_find(marks, r.uid, &mark, err);
	if (rc != RC_OK)
		return rc;
	if (mark != NULL) {
		r.flags = mark->flags;
		r.keywords = mark->keywords;
		r.modseq = mark->modseq;
	}
	(void)str_z(db_str(q, 4), r.id.text, sizeof(r.id.text));
	view_append(v, &r);
	v->loaded_to = r.uid;
	return RC_OK;
}

static enum rc
read_counters(struct view *v, struct err *err)
{
	struct db *db = v->sh->db;

	PREPARE(q, db,
		"SELECT uidvalidity, uidnext, modseq, recent_uid,"
		" max((SELECT coalesce(max(modseq), 0) FROM expunged x"
		" WHERE x.account_id = m.account_id AND x.mailbox_id = m.mailbox_id),"
		" (SELECT coalesce(max(since), 0) FROM expunged_known x"
		" WHERE x.account_id = m.account_id AND x.mailbox_id = m.mailbox_id))"
		" FROM mailbox m"
		" WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, v->name.account);
	db_bind_u64(q, 2, v->name.mailbox);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? no_such(err) : rc;
	v->uidvalidity = (uint32_t)db_u64(q, 0);
	v->uidnext = (uint32_t)db_u64(q, 1);
	v->modseq = db_u64(q, 2);
	v->recent = (uint32_t)db_u64(q, 3);
	v->last_gone = db_u64(q, 4);
	db_reset(q);
	view_count(v);
	v->commit = atomic_load(&v->sh->sync.made);
	v->state = VIEW_READY;
	view_weigh(v);
	return RC_OK;
}

static enum rc
read_chunk(struct view *v, struct err *err)
{
	LOCK_AUTO shard = lock_take(&v->sh->lock);
	LOCK_AUTO own = lock_take(&v->lock);
	MARKS_AUTO marks = marks_of(v->sh->db, v->name.account, v->name.mailbox);
	size_t n = 0;
	enum rc rc;

	PREPARE(q, v->sh->db,
		"SELECT uid, flags, keywords, modseq, msgid, size, received_ms, saved_ms,"
		" thread_id, sent_s FROM mailbox_email"
		" WHERE account_id = ? AND mailbox_id = ? AND uid > ? ORDER BY uid LIMIT ?",
		err);
	db_bind_u64(q, 1, v->name.account);
	db_bind_u64(q, 2, v->name.mailbox);
	db_bind_u64(q, 3, v->loaded_to);
	db_bind_u64(q, 4, VIEW_CHUNK);
	for (; (rc = db_step(q, err)) == RC_OK; n++)
		if ((rc = take_row(v, q, &marks, err)) != RC_OK)
			break;
	if (rc != RC_NONE) {
		db_reset(q);
		return rc;
	}
	return n < VIEW_CHUNK ? read_counters(v, err) : RC_OK;
}

enum rc
view_load(struct view *v, struct err *err)
{
	enum rc rc = make_room(v, err);

	while (rc == RC_OK && v->state == VIEW_LOADING) /* only we end that */
		rc = read_chunk(v, err);
	return rc;
}
