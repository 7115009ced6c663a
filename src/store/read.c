/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <inttypes.h>

#include "base/fs.h"
#include "store/marks.h"
#include "store/store_int.h"

enum { CHUNK = 64 }; /* messages read under the lock at once */

struct chunk {
	struct store_message m[CHUNK];
	size_t n;
};

static enum rc
take_row(struct db_stmt *q, struct marks *marks, struct arena *mem,
	struct store_message *m, struct err *err)
{
	const struct mark *mark;
	str digest = db_str(q, 7);
	enum rc rc;

	*m = (struct store_message){ .uid = db_u64(q, 0),
		.modseq = db_u64(q, 1),
		.flags = (unsigned)db_u64(q, 2),
		.size = db_u64(q, 4),
		.received_ms = db_u64(q, 5),
		.thread = db_u64(q, 6) };
	if ((rc = marks_find(marks, (uint32_t)m->uid, &mark, err)) != RC_OK)
		return rc;
	if (mark != NULL) {
		m->flags = mark->flags;
		m->modseq = mark->modseq;
	}
	(void)str_z(db_str(q, 3), m->id.text, sizeof(m->id.text));
	if (digest.len == sizeof(m->digest))
		memcpy(m->digest, digest.ptr, digest.len);
	m->known_preview = !db_is_null(q, 10);
	if (arena_copy(mem, db_str(q, 8), &m->envelope) != RC_OK ||
		arena_copy(mem, db_str(q, 9), &m->structure) != RC_OK ||
		arena_copy(mem, db_str(q, 10), &m->preview) != RC_OK)
		return err_set(err, RC_LIMIT, "envelopes too large to list");
	return RC_OK;
}

/* The next messages after a UID, or the one; copied, so that the caller's
 * function runs without the lock and may ask the store again. */
static enum rc
read_chunk(struct shard *sh, uint64_t account, uint64_t mailbox, uint64_t from,
	uint64_t to, struct arena *mem, struct chunk *c, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	MARKS_AUTO marks = marks_of(sh->db, account, mailbox);
	enum rc rc;

	c->n = 0;
	PREPARE(q, sh->db,
		"SELECT m.uid, m.modseq, m.flags, m.msgid, e.size, e.received_ms, e.thread_id,"
		" e.digest, e.envelope, e.body_structure, e.preview FROM mailbox_email m"
		" LEFT JOIN email e ON e.account_id = m.account_id AND e.msgid = m.msgid"
		" WHERE m.account_id = ? AND m.mailbox_id = ? AND m.uid BETWEEN ? AND ?"
		" ORDER BY m.uid LIMIT 64",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, mailbox);
	db_bind_u64(q, 3, from);
	db_bind_u64(q, 4, to);
	while ((rc = db_step(q, err)) == RC_OK) {
		if ((rc = take_row(q, &marks, mem, &c->m[c->n], err)) != RC_OK) {
			db_reset(q);
			return rc;
		}
		c->n++;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
locked_find(struct shard *sh, uint64_t account, str name, uint64_t *id, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);

	return mailbox_find(sh, account, name, id, err);
}

enum rc
store_messages(struct store *s, uint64_t account, str mailbox, uint64_t uid,
	store_message_fn *fn, void *arg, struct err *err)
{
	ARENA_AUTO mem = arena_new(32 << 20);
	struct shard *sh = shard_of(s, account);
	uint64_t id = 0, from = uid, to = uid == 0 ? INT64_MAX : uid;
	struct chunk c;
	enum rc rc;

	if (uid > INT64_MAX)
		return err_set(err, RC_NONE, "no such message");
	if ((rc = locked_find(sh, account, mailbox, &id, err)) != RC_OK)
		return rc;
	do {
		arena_reset(mem);
		rc = read_chunk(sh, account, id, from, to, mem, &c, err);
		if (rc == RC_OK && c.n == 0 && uid != 0)
			return err_set(err, RC_NONE, "no message with UID %" PRIu64, uid);
		for (size_t i = 0; i < c.n && rc == RC_OK; i++)
			rc = fn(&c.m[i], arg, err);
		if (c.n > 0)
			from = c.m[c.n - 1].uid + 1;
	} while (rc == RC_OK && c.n == CHUNK);
	return rc;
}

enum rc
store_open_message(struct store *s, uint64_t account, const struct msg_id *id, int *fd,
	struct err *err)
{
	char path[BLOB_PATH];

	if (!ids_valid(msg_id_str(id)))
		return err_set(err, RC_NONE, "no such message");
	blob_path(account, id->text, path);
	return fs_open(s->data, path, O_RDONLY, 0, fd, err);
}

static enum rc
row_there(struct shard *sh, const char *sql, uint64_t account, const struct msg_id *id,
	struct err *err)
{
	PREPARE(q, sh->db, sql, err);
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, msg_id_str(id));
	enum rc rc = db_step(q, err);
	db_reset(q);
	return rc;
}

enum rc
store_has(struct store *s, uint64_t account, const struct msg_id *id, bool *gone,
	struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = row_there(sh,
		"SELECT 1 FROM email WHERE account_id = ? AND msgid = ?", account, id,
		err);

	*gone = false;
	if (rc != RC_NONE)
		return rc;
	rc = row_there(sh, "SELECT 1 FROM gone WHERE account_id = ? AND msgid = ?",
		account, id, err);
	*gone = rc == RC_OK;
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	return err_set(err, RC_NONE, "account %" PRIu64 " %s message %s", account,
		*gone ? "has removed" : "never had", id->text);
}
