/* SPDX-License-Identifier: ISC */
/*
 * What there is.  Counters stand in the mailboxes' rows; what does not (sizes, \Deleted,
 * \Recent) is summed up where it is asked for, the shard's lock being let go of between two
 * mailboxes.
 */
#include <inttypes.h>

#include "store/mailbox_int.h"
#include "store/marks.h"

struct listed {
	struct mailbox m;
	uint64_t recent_uid;
};

static enum rc
take_row(struct db_stmt *q, struct arena *mem, struct listed *l, struct err *err)
{
	*l = (struct listed){
		.m = { .id = db_u64(q, 0),
			.subscribed = db_u64(q, 3) != 0,
			.uidvalidity = (uint32_t)db_u64(q, 4),
			.uidnext = (uint32_t)db_u64(q, 5),
			.messages = (uint32_t)db_u64(q, 6),
			.unseen = (uint32_t)db_u64(q, 7),
			.modseq = db_u64(q, 8) },
		.recent_uid = db_u64(q, 9),
	};
	if (arena_copy(mem, db_str(q, 1), &l->m.name) != RC_OK ||
		arena_copy(mem, db_str(q, 2), &l->m.special) != RC_OK)
		return err_set(err, RC_LIMIT, "too many mailboxes to list at once");
	return RC_OK;
}

#define COLUMNS                                                                          \
	"mailbox_id, name, special, subscribed, uidvalidity, uidnext, messages, unseen," \
	" modseq, recent_uid"

static enum rc
count_rows(struct shard *sh, uint64_t account, size_t *n, struct err *err)
{
	PREPARE(q, sh->db, "SELECT count(*) FROM mailbox WHERE account_id = ?", err);
	db_bind_u64(q, 1, account);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*n = (size_t)db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

static enum rc
read_all(struct shard *sh, uint64_t account, struct arena *mem, struct listed **out,
	size_t *n, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	size_t room = 0;
	enum rc rc = count_rows(sh, account, &room, err);

	*n = 0;
	if (rc != RC_OK)
		return rc;
	if ((*out = arena_array(mem, room + 1, sizeof(**out))) == NULL)
		return err_set(err, RC_LIMIT, "too many mailboxes to list at once");
	PREPARE(q, sh->db,
		"SELECT " COLUMNS " FROM mailbox WHERE account_id = ?"
		" ORDER BY mailbox_id <> 1, name",
		err);
	db_bind_u64(q, 1, account);
	while ((rc = db_step(q, err)) == RC_OK) {
		if ((rc = take_row(q, mem, &(*out)[*n], err)) != RC_OK) {
			db_reset(q);
			return rc;
		}
		++*n;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
read_one(struct shard *sh, uint64_t account, str name, struct arena *mem,
	struct listed *out, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);

	PREPARE(q, sh->db,
		"SELECT " COLUMNS " FROM mailbox WHERE account_id = ? AND name = ?", err);
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, str_ieq(name, STR("INBOX")) ? STR("INBOX") : name);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? err_set(err, rc, "there is no such mailbox") : rc;
	rc = take_row(q, mem, out, err);
	db_reset(q);
	return rc;
}

/* Messages at the end that nobody was told of: mostly none, and then no row is read. */
static enum rc
count_recent(struct shard *sh, uint64_t account, struct listed *l, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);

	if (l->recent_uid >= l->m.uidnext || l->m.messages == 0)
		return RC_OK;
	if (l->recent_uid == 1) {
		l->m.recent = l->m.messages;
		return RC_OK;
	}
	PREPARE(q, sh->db,
		"SELECT count(*) FROM mailbox_email"
		" WHERE account_id = ? AND mailbox_id = ? AND uid >= ?",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, l->m.id);
	db_bind_u64(q, 3, l->recent_uid);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	l->m.recent = (uint32_t)db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

static enum rc
sum_up(struct shard *sh, uint64_t account, struct listed *l, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	MARKS_AUTO marks = marks_of(sh->db, account, l->m.id);
	enum rc rc;

	l->m.bytes = l->m.deleted_bytes = 0;
	l->m.deleted = 0;
	if (l->m.messages == 0)
		return RC_OK;
	PREPARE(q, sh->db,
		"SELECT uid, size, flags FROM mailbox_email"
		" WHERE account_id = ? AND mailbox_id = ? ORDER BY uid",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, l->m.id);
	while ((rc = db_step(q, err)) == RC_OK) {
		uint64_t size = db_u64(q, 1), flags = db_u64(q, 2);
		const struct mark *mark;

		if ((rc = marks_find(&marks, (uint32_t)db_u64(q, 0), &mark, err)) !=
			RC_OK) {
			db_reset(q);
			return rc;
		}
		if (mark != NULL)
			flags = mark->flags;
		l->m.bytes += size;
		l->m.deleted += (flags & STORE_DELETED) != 0;
		l->m.deleted_bytes += (flags & STORE_DELETED) != 0 ? size : 0;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* An account's mailboxes are made with its first message, or with the first look at them. */
static enum rc
make_account(struct store *s, uint64_t account, struct err *err)
{
	struct err none = { 0 };
	struct store_usage u;
	enum rc rc = store_usage(s, account, &u, &none);

	if (rc != RC_NONE || s->read_only)
		return rc == RC_OK ? RC_NONE : rc;
	return store_account_make(s, account, err);
}

enum rc
mailbox_list(struct store *s, uint64_t account, bool sums, struct arena *mem,
	struct mailbox **out, size_t *n, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	struct listed *list;
	size_t count;
	enum rc rc = read_all(sh, account, mem, &list, &count, err);

	if (rc == RC_OK && count == 0 && (rc = make_account(s, account, err)) == RC_OK)
		rc = read_all(sh, account, mem, &list, &count, err);
	for (size_t i = 0; i < count && sums && rc == RC_OK; i++)
		if ((rc = count_recent(sh, account, &list[i], err)) == RC_OK)
			rc = sum_up(sh, account, &list[i], err);
	/* what is told stays, whatever happens to the machine */
	if (rc == RC_OK)
		rc = store_settle(s, account, err);
	if (rc != RC_OK)
		return rc;
	if ((*out = arena_array(mem, count + 1, sizeof(**out))) == NULL)
		return err_set(err, RC_LIMIT, "too many mailboxes to list at once");
	for (size_t i = 0; i < count; i++)
		(*out)[i] = list[i].m;
	*n = count;
	return RC_OK;
}

enum rc
mailbox_by_name(struct store *s, uint64_t account, str name, bool sums, struct arena *mem,
	struct mailbox *out, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	struct listed l;
	enum rc rc = read_one(sh, account, name, mem, &l, err);

	if (rc == RC_NONE && (rc = make_account(s, account, err)) == RC_OK)
		rc = read_one(sh, account, name, mem, &l, err);
	if (rc == RC_OK)
		rc = count_recent(sh, account, &l, err);
	if (rc == RC_OK && sums)
		rc = sum_up(sh, account, &l, err);
	if (rc == RC_OK)
		rc = store_settle(s, account, err);
	if (rc == RC_OK)
		*out = l.m;
	return rc;
}

enum rc
mailbox_lost_subscriptions(struct store *s, uint64_t account, struct arena *mem,
	str **out, size_t *n, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	LOCK_AUTO held = lock_take(&sh->lock);
	str *list = arena_array(mem, SUBSCRIPTIONS_MOST, sizeof(*list));
	size_t count = 0;
	enum rc rc;

	if (list == NULL)
		return err_set(err, RC_LIMIT, "too many subscriptions to list at once");
	PREPARE(q, sh->db,
		"SELECT name FROM subscribed_name WHERE account_id = ? ORDER BY name LIMIT ?",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, SUBSCRIPTIONS_MOST);
	while ((rc = db_step(q, err)) == RC_OK)
		if (arena_copy(mem, db_str(q, 0), &list[count++]) != RC_OK) {
			db_reset(q);
			return err_set(
				err, RC_LIMIT, "too many subscriptions to list at once");
		}
	if (rc != RC_NONE)
		return rc;
	*out = list;
	*n = count;
	return RC_OK;
}
