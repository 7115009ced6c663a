/* SPDX-License-Identifier: ISC */
#include "store/learn.h"

#include "store/store_int.h"

enum { ACCOUNTS = 256 }; /* read under a shard's lock at once */

enum rc
store_newer(struct store *s, uint64_t account, uint64_t modseq,
	struct store_newer out[STORE_NEWER], size_t *n, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc;

	*n = 0;
	PREPARE(q, sh->db,
		"SELECT msgid, made_modseq, size, envelope IS NULL OR body_structure IS NULL"
		" OR preview IS NULL OR head IS NULL, trace_bytes FROM email WHERE account_id = ? AND made_modseq > ?"
		" ORDER BY made_modseq LIMIT 32",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, modseq);
	while ((rc = db_step(q, err)) == RC_OK) {
		struct store_newer *m = &out[(*n)++];

		*m = (struct store_newer){ .modseq = db_u64(q, 1),
			.size = db_u64(q, 2),
			.trace_bytes = (uint32_t)db_u64(q, 4),
			.facts_missing = db_u64(q, 3) != 0 };
		(void)str_z(db_str(q, 0), m->id.text, sizeof(m->id.text));
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
store_left(struct store *s, uint64_t account, uint64_t modseq, const struct msg_id *id,
	struct msg_id out[STORE_LEFT], size_t *n, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc;

	*n = 0;
	PREPARE(q, sh->db,
		"SELECT msgid FROM gone g WHERE account_id = ?1 AND msgid > ?2 AND modseq > ?3"
		" AND NOT EXISTS(SELECT 1 FROM email e WHERE e.account_id = ?1"
		" AND e.msgid = g.msgid) ORDER BY msgid LIMIT 256",
		err);
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, msg_id_str(id));
	db_bind_u64(q, 3, modseq);
	while ((rc = db_step(q, err)) == RC_OK) {
		(void)str_z(db_str(q, 0), out[*n].text, sizeof(out[0].text));
		(*n)++;
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

struct latest {
	size_t n;
	struct {
		uint64_t account, modseq, highest;
	} at[ACCOUNTS];
};

static enum rc
read_latest(struct shard *sh, uint64_t after, struct latest *l, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc;

	l->n = 0;
	PREPARE(q, sh->db,
		"SELECT account_id, (SELECT max(made_modseq) FROM email e"
		" WHERE e.account_id = a.account_id), modseq FROM account a"
		" WHERE account_id > ? ORDER BY account_id LIMIT 256",
		err);
	db_bind_u64(q, 1, after);
	while ((rc = db_step(q, err)) == RC_OK) {
		l->at[l->n].account = db_u64(q, 0);
		l->at[l->n].modseq = db_is_null(q, 1) ? 0 : db_u64(q, 1);
		l->at[l->n].highest = db_u64(q, 2);
		l->n++;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
shard_latest(struct shard *sh, store_latest_fn *fn, void *arg, struct err *err)
{
	uint64_t after = 0;
	struct latest l;
	enum rc rc;

	do {
		rc = read_latest(sh, after, &l, err);
		for (size_t i = 0; i < l.n && rc == RC_OK; i++) {
			after = l.at[i].account;
			rc = fn(after, l.at[i].modseq, l.at[i].highest, arg, err);
		}
	} while (rc == RC_OK && l.n == ACCOUNTS);
	return rc;
}

enum rc
store_latest(struct store *s, store_latest_fn *fn, void *arg, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		rc = shard_latest(&s->shards[i], fn, arg, err);
	return rc;
}

static enum rc
learn_email(struct shard *sh, uint64_t account, const struct msg_id *id,
	const struct facts *f, struct err *err)
{
	BUF_AUTO structure = BUF(FACTS_STRUCTURE);

	PREPARE(q, sh->db,
		"UPDATE email SET envelope = coalesce(envelope, ?1),"
		" body_structure = coalesce(body_structure, ?2),"
		" preview = coalesce(preview, ?3), sent_s = coalesce(sent_s, ?4),"
		" header_bytes = coalesce(header_bytes, ?5), head = coalesce(head, ?8)"
		" WHERE account_id = ?6 AND msgid = ?7",
		err);
	buf_clear(&sh->envelope);
	facts_pack_envelope(&sh->envelope, &f->envelope);
	db_bind_null(q, 2);
	db_bind_null(q, 3);
	db_bind_null(q, 4);
	db_bind_null(q, 8);
	db_bind_blob(q, 1, buf_str(&sh->envelope));
	facts_pack_structure(&structure, &f->structure);
	if (f->structure.n > 0 && buf_ok(&structure))
		db_bind_blob(q, 2, buf_str(&structure));
	if (f->known_preview)
		db_bind_str(q, 3, f->preview);
	if (f->date_s != INT64_MIN)
		db_bind_i64(q, 4, f->date_s);
	db_bind_u64(q, 5, f->header_bytes);
	db_bind_u64(q, 6, account);
	db_bind_str(q, 7, msg_id_str(id));
	if (f->known_head)
		db_bind_blob(q, 8, f->head);
	return db_run(q, err);
}

static enum rc
learn_key(struct shard *sh, uint64_t account, const struct msg_id *id, str key,
	struct err *err)
{
	PREPARE(q, sh->db,
		"INSERT INTO email_key(account_id, msgid, key)"
		" SELECT account_id, msgid, ?3 FROM email WHERE account_id = ?1 AND msgid = ?2"
		" ON CONFLICT(account_id, msgid) DO NOTHING",
		err);
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, msg_id_str(id));
	db_bind_blob(q, 3, key);
	return db_run(q, err);
}

/* The copies in the mailboxes that the message is in. */
static enum rc
learn_places(
	struct shard *sh, const struct msg_id *id, struct notes *notes, struct err *err)
{
	enum rc rc;

	PREPARE(u, sh->db,
		"UPDATE mailbox_email SET sent_s = (SELECT sent_s FROM email e"
		" WHERE e.account_id = ?1 AND e.msgid = ?2)"
		" WHERE account_id = ?1 AND msgid = ?2 AND sent_s IS NULL",
		err);
	db_bind_u64(u, 1, notes->account);
	db_bind_str(u, 2, msg_id_str(id));
	if ((rc = db_run(u, err)) != RC_OK)
		return rc;
	PREPARE(q, sh->db,
		"SELECT mailbox_id, uid, sent_s FROM mailbox_email"
		" WHERE account_id = ? AND msgid = ?",
		err);
	db_bind_u64(q, 1, notes->account);
	db_bind_str(q, 2, msg_id_str(id));
	while ((rc = db_step(q, err)) == RC_OK)
		notes_add(notes,
			&(struct note){ .kind = NOTE_FACTS,
				.mailbox = db_u64(q, 0),
				.row = { .uid = (uint32_t)db_u64(q, 1),
					.sent_s = db_is_null(q, 2) ? INT64_MIN
								   : db_i64(q, 2) } });
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
learn(struct shard *sh, const struct msg_id *id, const struct facts *f,
	struct notes *notes, struct err *err)
{
	enum rc rc = learn_email(sh, notes->account, id, f, err);

	if (rc == RC_OK && f->known_head && f->sortkey.len > 0)
		rc = learn_key(sh, notes->account, id, f->sortkey, err);
	if (rc == RC_OK)
		rc = learn_places(sh, id, notes, err);
	return rc == RC_OK ? db_commit(sh->db, err) : rc;
}

enum rc
store_learn(struct store *s, uint64_t account, const struct msg_id *id,
	const struct facts *f, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	struct notes notes = notes_for(account);
	enum rc rc = db_begin(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = learn(sh, id, f, &notes, err);
	if (rc == RC_OK)
		notes_publish(s, &notes);
	else
		db_rollback(sh->db);
	notes_clear(&notes);
	return rc;
}

enum rc
store_lessons(struct store *s, uint64_t account, store_lesson_fn *fn, void *arg,
	struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc;

	PREPARE(q, sh->db, "SELECT msgid, spam, time_ms FROM lesson WHERE account_id = ?",
		err);
	db_bind_u64(q, 1, account);
	while ((rc = db_step(q, err)) == RC_OK) {
		struct msg_id id = { 0 };

		(void)str_z(db_str(q, 0), id.text, sizeof(id.text));
		rc = fn(&id, db_u64(q, 1) != 0, db_u64(q, 2), arg, err);
		if (rc != RC_OK) {
			db_reset(q);
			return rc;
		}
	}
	return rc == RC_NONE ? RC_OK : rc;
}
