/* SPDX-License-Identifier: ISC */
/*
 * Rows of messages in mailboxes.  Lists are read by ranges, and what is the same for
 * neighbours is written by ranges: a command over a whole mailbox is a few
 * statements, not a few for each message.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "store/change_int.h"
#include "store/left.h"
#include "store/marks.h"

enum { HOLE = 16 }; /* rows that are not wanted and yet read, rather than a new range */

static enum rc
take_row(struct tx *t, struct db_stmt *q, struct marks *marks, struct placed *p,
	struct err *err)
{
	const struct mark *mark;
	str keywords = db_str(q, 2);
	enum rc rc;

	*p = (struct placed){ .uid = (uint32_t)db_u64(q, 0),
		.flags = (unsigned)db_u64(q, 1),
		.modseq = db_u64(q, 3),
		.size = db_u64(q, 5),
		.received_ms = db_u64(q, 6),
		.saved_ms = db_u64(q, 7),
		.thread = db_u64(q, 8),
		.sent_s = db_is_null(q, 9) ? INT64_MIN : db_i64(q, 9) };
	(void)str_z(db_str(q, 4), p->id.text, sizeof(p->id.text));
	if ((rc = marks_find(marks, p->uid, &mark, err)) != RC_OK)
		return rc;
	if (mark != NULL) {
		p->flags = mark->flags;
		p->modseq = mark->modseq;
		keywords = mark->keywords;
	}
	if (keywords.len == 0)
		return RC_OK;
	if (arena_copy(t->mem, keywords, &p->keywords) != RC_OK)
		return err_set(err, RC_LIMIT, "too many keywords at once");
	return RC_OK;
}

struct reading {
	uint64_t mailbox;
	const uint32_t *uids; /* of one range; NULL: whatever comes */
	size_t nuids, at;
	struct placed *out;
	size_t n;
};

static enum rc
read_range(struct tx *t, struct reading *r, uint32_t from, uint32_t to, struct err *err)
{
	MARKS_AUTO marks = marks_of(t->sh->db, t->a.id, r->mailbox);
	bool joined = false;
	enum rc rc;

	PREPARE(q, t->sh->db,
		"SELECT uid, flags, keywords, modseq, msgid, size, received_ms, saved_ms,"
		" thread_id, sent_s FROM mailbox_email"
		" WHERE account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?"
		" ORDER BY uid LIMIT ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, r->mailbox);
	db_bind_u64(q, 3, from);
	db_bind_u64(q, 4, to);
	db_bind_u64(q, 5, r->uids == NULL ? CHANGE_MOST : INT64_MAX);
	while ((rc = db_step(q, err)) == RC_OK) {
		uint32_t uid = (uint32_t)db_u64(q, 0);

		while (r->uids != NULL && r->at < r->nuids && r->uids[r->at] < uid)
			r->at++;
		if (r->uids != NULL && (r->at == r->nuids || r->uids[r->at] != uid)) {
			joined = false;
			continue;
		}
		struct placed *p = &r->out[r->n];
		if ((rc = take_row(t, q, &marks, p, err)) != RC_OK) {
			db_reset(q);
			return rc;
		}
		p->joined = joined;
		joined = true;
		r->n++;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
placed_read(struct tx *t, uint64_t mailbox, const uint32_t *uids, size_t n,
	struct placed **out, size_t *nout, struct err *err)
{
	struct reading r = { .mailbox = mailbox, .uids = uids };

	if (n > CHANGE_MOST)
		return err_set(
			err, RC_LIMIT, "more than %d messages at once", CHANGE_MOST);
	if ((r.out = arena_array(t->mem, n + 1, sizeof(*r.out))) == NULL)
		return err_set(err, RC_LIMIT, "too many messages at once");
	for (size_t from = 0; from < n; from = r.nuids) {
		enum rc rc;

		r.at = from;
		r.nuids = from + 1;
		while (r.nuids < n && uids[r.nuids] - uids[r.nuids - 1] <= HOLE)
			r.nuids++;
		if ((rc = read_range(t, &r, uids[from], uids[r.nuids - 1], err)) != RC_OK)
			return rc;
	}
	*out = r.out;
	*nout = r.n;
	return RC_OK;
}

enum rc
placed_first(struct tx *t, uint64_t mailbox, struct placed **out, size_t *nout,
	struct err *err)
{
	struct reading r = { .mailbox = mailbox };
	enum rc rc;

	if ((r.out = arena_array(t->mem, CHANGE_MOST, sizeof(*r.out))) == NULL)
		return err_set(err, RC_LIMIT, "too many messages at once");
	if ((rc = read_range(t, &r, 1, UINT32_MAX, err)) != RC_OK)
		return rc;
	*out = r.out;
	*nout = r.n;
	return RC_OK;
}

static enum rc
insert(struct tx *t, uint64_t mailbox, const struct view_row *r, struct err *err)
{
	PREPARE(q, t->sh->db,
		"INSERT INTO mailbox_email(account_id, mailbox_id, uid, msgid, flags, keywords,"
		" modseq, made_modseq, saved_ms, size, received_ms, sent_s, thread_id)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12)",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, mailbox);
	db_bind_u64(q, 3, r->uid);
	db_bind_str(q, 4, msg_id_str(&r->id));
	db_bind_u64(q, 5, r->flags);
	db_bind_str(q, 6, r->keywords);
	db_bind_u64(q, 7, r->modseq);
	db_bind_u64(q, 8, r->saved_ms);
	db_bind_u64(q, 9, r->size);
	db_bind_u64(q, 10, r->received_ms);
	if (r->sent_s == INT64_MIN)
		db_bind_null(q, 11);
	else
		db_bind_i64(q, 11, r->sent_s);
	db_bind_u64(q, 12, r->thread);
	return db_run(q, err);
}

enum rc
placed_add(struct tx *t, struct box *to, const struct placed *list, size_t n,
	uint32_t *to_uids, struct err *err)
{
	uint64_t now = clock_wall_ms(), modseq = tx_modseq(t);

	for (size_t i = 0; i < n; i++) {
		const struct placed *p = &list[i];
		enum rc rc;

		if (to->uidnext == UINT32_MAX)
			return err_set(err, RC_LIMIT, "the mailbox has used up its UIDs");
		struct note note = { .kind = NOTE_ADDED,
			.mailbox = to->id,
			.row = { .uid = to->uidnext++,
				.flags = p->flags,
				.keywords = p->keywords,
				.modseq = modseq,
				.id = p->id,
				.size = p->size,
				.received_ms = p->received_ms,
				.saved_ms = now,
				.thread = p->thread,
				.sent_s = p->sent_s } };
		if ((rc = insert(t, to->id, &note.row, err)) != RC_OK)
			return rc;
		notes_add(&t->notes, &note);
		to->messages++;
		to->unseen += (p->flags & STORE_SEEN) == 0;
		to_uids[i] = note.row.uid;
	}
	return RC_OK;
}

static enum rc
range(struct tx *t, const char *sql, uint64_t mailbox, const struct placed *first,
	const struct placed *last, struct err *err)
{
	PREPARE(q, t->sh->db, sql, err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, mailbox);
	db_bind_u64(q, 3, first->uid);
	db_bind_u64(q, 4, last->uid);
	db_bind_u64(q, 5, tx_modseq(t));
	return db_run(q, err);
}

static enum rc
leave_range(struct tx *t, uint64_t mailbox, const struct placed *first,
	const struct placed *last, struct err *err)
{
	enum rc rc = range(t,
		"INSERT INTO expunged(account_id, mailbox_id, modseq, uid, msgid)"
		" SELECT account_id, mailbox_id, ?5, uid, msgid FROM mailbox_email"
		" WHERE account_id = ?1 AND mailbox_id = ?2 AND uid BETWEEN ?3 AND ?4",
		mailbox, first, last, err);

	if (rc != RC_OK)
		return rc;
	return range(t,
		"DELETE FROM mailbox_email WHERE account_id = ?1 AND mailbox_id = ?2"
		" AND uid BETWEEN ?3 AND ?4 AND ?5 > 0",
		mailbox, first, last, err);
}

static enum rc
leave_marks(struct tx *t, uint64_t mailbox, const struct placed *list, size_t n,
	struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0, k; i < n && rc == RC_OK; i = k) {
		for (k = i + 1; k < n && list[k].uid - list[k - 1].uid <= MARKS_BLOCK;)
			k++;
		rc = marks_leave(
			t->sh->db, t->a.id, mailbox, list[i].uid, list[k - 1].uid, err);
	}
	return rc;
}

enum rc
placed_leave(struct tx *t, struct box *from, const struct placed *list, size_t n,
	struct err *err)
{
	enum rc rc;

	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && list[k].joined;)
			k++;
		if ((rc = leave_range(t, from->id, &list[i], &list[k - 1], err)) != RC_OK)
			return rc;
	}
	if ((rc = leave_marks(t, from->id, list, n, err)) != RC_OK ||
		(rc = left_grew(t, from->id, n, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		from->messages--;
		from->unseen -= (list[i].flags & STORE_SEEN) == 0;
		notes_add(&t->notes,
			&(struct note){ .kind = NOTE_GONE,
				.mailbox = from->id,
				.row = { .uid = list[i].uid, .modseq = tx_modseq(t) } });
	}
	return RC_OK;
}

static enum rc
with_id(struct tx *t, const char *sql, const struct msg_id *id, struct err *err)
{
	PREPARE(q, t->sh->db, sql, err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_str(q, 2, msg_id_str(id));
	return db_run(q, err);
}

enum rc
email_hold(struct tx *t, const struct placed *list, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = with_id(t,
			"UPDATE email SET refs = refs + 1 WHERE account_id = ? AND msgid = ?",
			&list[i].id, err);
	return rc;
}

/* The last mailbox it was in: the message leaves the account. */
static enum rc
leave_account(struct tx *t, const struct placed *p, struct err *err)
{
	struct account *a = &t->a;
	enum rc rc = with_id(
		t, "DELETE FROM email WHERE account_id = ? AND msgid = ?", &p->id, err);

	if (rc != RC_OK || db_changes(t->sh->db) == 0)
		return rc; /* a damage that audit names */
	PREPARE(q, t->sh->db,
		"INSERT INTO gone(account_id, msgid, modseq) VALUES(?, ?, ?)", err);
	db_bind_u64(q, 1, a->id);
	db_bind_str(q, 2, msg_id_str(&p->id));
	db_bind_u64(q, 3, tx_modseq(t));
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	if ((rc = with_id(t, "DELETE FROM email_key WHERE account_id = ? AND msgid = ?",
		     &p->id, err)) != RC_OK ||
		(rc = with_id(t,
			 "DELETE FROM email_item WHERE account_id = ? AND item IN (1, 2)"
			 " AND msgid = ?",
			 &p->id, err)) != RC_OK)
		return rc;
	a->bytes -= p->size < a->bytes ? p->size : a->bytes;
	a->messages -= a->messages > 0;
	return with_id(
		t, "INSERT INTO blob_gone(account_id, msgid) VALUES(?, ?)", &p->id, err);
}

enum rc
email_release(struct tx *t, const struct placed *list, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = with_id(t,
			"UPDATE email SET refs = refs - 1"
			" WHERE account_id = ? AND msgid = ? AND refs > 1",
			&list[i].id, err);
		if (rc == RC_OK && db_changes(t->sh->db) == 0)
			rc = leave_account(t, &list[i], err);
	}
	return rc;
}
