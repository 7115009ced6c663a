/* SPDX-License-Identifier: ISC */
#include "store/items.h"

#include "store/store_int.h"
#include "wire/facts.h"
#include "wire/imap_structure.h"

static enum rc
insert(struct shard *sh, uint64_t account, const struct store_item_made *m,
	struct err *err)
{
	PREPARE(q, sh->db,
		"INSERT INTO email_item(account_id, item, msgid, text)"
		" SELECT ?1, ?2, ?3, ?4 FROM email WHERE account_id = ?1 AND msgid = ?3"
		" ON CONFLICT(account_id, item, msgid) DO NOTHING",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, m->item);
	db_bind_str(q, 3, msg_id_str(&m->id));
	db_bind_blob(q, 4, m->text);
	return db_run(q, err);
}

/* The account's own row is being made: it is there. */
static enum rc
insert_new(struct shard *sh, uint64_t account, const struct store_item_made *m,
	struct err *err)
{
	PREPARE(q, sh->db,
		"INSERT INTO email_item(account_id, item, msgid, text) VALUES(?, ?, ?, ?)",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, m->item);
	db_bind_str(q, 3, msg_id_str(&m->id));
	db_bind_blob(q, 4, m->text);
	return db_run(q, err);
}

enum rc
items_insert(struct shard *sh, uint64_t account, const struct msg_id *id,
	const struct facts *f, struct err *err)
{
	BUF_AUTO b = BUF(STORE_ITEM_MOST);
	struct store_item_made m = { .id = *id };
	enum rc rc = RC_OK;

	imap_put_envelope(&b, &f->envelope);
	if (buf_ok(&b)) {
		m.item = STORE_ITEM_ENVELOPE;
		m.text = buf_str(&b);
		rc = insert_new(sh, account, &m, err);
	}
	if (rc != RC_OK || f->structure.n == 0)
		return rc;
	buf_clear(&b);
	imap_put_structure(&b, &f->structure, 0, true);
	if (!buf_ok(&b))
		return RC_OK;
	m.item = STORE_ITEM_STRUCTURE;
	m.text = buf_str(&b);
	return insert_new(sh, account, &m, err);
}

enum rc
store_items_keep(struct store *s, uint64_t account, const struct store_item_made *list,
	size_t n, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc;

	if (n == 0 || s->read_only)
		return RC_OK;
	if ((rc = db_begin(sh->db, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = insert(sh, account, &list[i], err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK)
		db_rollback(sh->db);
	return rc;
}
