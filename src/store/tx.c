/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/clock.h"
#include "store/change_int.h"

enum { TX_MEMORY = 64 << 20 };

uint64_t
tx_modseq(struct tx *t)
{
	if (t->modseq == 0)
		t->modseq = account_modseq(&t->a);
	return t->modseq;
}

void
tx_note_mailbox(struct tx *t, uint64_t mailbox, bool deleted)
{
	notes_add(&t->notes,
		&(struct note){
			.kind = NOTE_MAILBOX, .mailbox = mailbox, .deleted = deleted });
}

enum rc
tx_lesson(struct tx *t, const struct msg_id *id, bool spam, struct err *err)
{
	PREPARE(q, t->sh->db,
		"REPLACE INTO lesson(account_id, msgid, spam, time_ms) VALUES(?, ?, ?, ?)",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_str(q, 2, msg_id_str(id));
	db_bind_u64(q, 3, spam);
	db_bind_u64(q, 4, clock_wall_ms());
	return db_run(q, err);
}

static enum rc
locked(struct tx *t, uint64_t account, tx_fn *fn, void *arg, struct err *err)
{
	LOCK_AUTO held = lock_take(&t->sh->lock);
	enum rc rc = db_begin(t->sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = account_load_or_make(t->sh, account, &t->a, err);
	if (rc == RC_OK)
		rc = fn(t, arg, err);
	if (rc == RC_OK && t->modseq != 0)
		rc = account_save(t->sh, &t->a, err);
	if (rc == RC_OK && t->modseq != 0)
		rc = db_commit(t->sh->db, err);
	if (rc != RC_OK || t->modseq == 0) {
		db_rollback(t->sh->db);
		return rc;
	}
	notes_publish(t->s, &t->notes);
	return RC_OK;
}

enum rc
tx_run(struct store *s, uint64_t account, tx_fn *fn, void *arg, struct err *err)
{
	ARENA_AUTO mem = arena_new(TX_MEMORY);
	struct tx t = { .s = s,
		.sh = shard_of(s, account),
		.notes = notes_for(account),
		.mem = mem };
	enum rc rc = locked(&t, account, fn, arg, err);

	notes_clear(&t.notes);
	return rc == RC_OK ? store_settle(s, account, err) : rc;
}

enum rc
box_load(struct tx *t, uint64_t mailbox, struct box *b, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT uidvalidity, uidnext, special, messages FROM mailbox"
		" WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, mailbox);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE
			       ? err_set(err, rc, "the mailbox is not there any more")
			       : rc;
	*b = (struct box){ .id = mailbox,
		.uidvalidity = (uint32_t)db_u64(q, 0),
		.uidnext = (uint32_t)db_u64(q, 1),
		.had = db_u64(q, 3),
		.junk = str_eq(db_str(q, 2), STR("\\Junk")),
		.trash = str_eq(db_str(q, 2), STR("\\Trash")) };
	db_reset(q);
	return RC_OK;
}

static enum rc
kept_save(struct tx *t, const struct box *b, struct err *err)
{
	PREPARE(q, t->sh->db,
		"UPDATE mailbox_deleted SET messages = messages + ?, unseen = unseen + ?"
		" WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_i64(q, 1, b->messages);
	db_bind_i64(q, 2, b->unseen);
	db_bind_u64(q, 3, t->a.id);
	db_bind_u64(q, 4, b->id);
	return db_run(q, err);
}

enum rc
box_save(struct tx *t, const struct box *b, struct err *err)
{
	if (b->kept)
		return kept_save(t, b, err);
	PREPARE(q, t->sh->db,
		"UPDATE mailbox SET uidnext = ?, messages = messages + ?,"
		" unseen = unseen + ?, modseq = ? WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, b->uidnext);
	db_bind_i64(q, 2, b->messages);
	db_bind_i64(q, 3, b->unseen);
	db_bind_u64(q, 4, tx_modseq(t));
	db_bind_u64(q, 5, t->a.id);
	db_bind_u64(q, 6, b->id);
	return db_run(q, err);
}
