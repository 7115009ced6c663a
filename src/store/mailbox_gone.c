/* SPDX-License-Identifier: ISC */
/* What was deleted: its row moves to mailbox_deleted, its messages stay where they are until it is
 * brought back, or pruned. */
#include <inttypes.h>

#include "base/clock.h"
#include "store/left.h"
#include "store/mailbox_int.h"

enum { AT_ONCE = 64, GONE_MOST = MAILBOXES_MOST };

static enum rc
with_box(struct tx *t, const char *sql, uint64_t id, struct err *err)
{
	PREPARE(q, t->sh->db, sql, err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, id);
	return db_run(q, err);
}

/* ---- deleting ---- */

/* Mailboxes may come and go for ever, what is remembered of it may not grow so. */
static enum rc
forget_gone(struct tx *t, struct err *err)
{
	PREPARE(q, t->sh->db,
		"DELETE FROM mailbox_gone WHERE account_id = ?1 AND modseq <= (SELECT modseq"
		" FROM mailbox_gone WHERE account_id = ?1 ORDER BY modseq DESC"
		" LIMIT 1 OFFSET ?2)",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, GONE_MOST);
	return db_run(q, err);
}

/* Without messages it goes as soon as others need room. */
static enum rc
clear_empty(struct tx *t, uint64_t id, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT 1 FROM mailbox WHERE account_id = ? AND mailbox_id = ? AND messages = 0",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, id);
	enum rc rc = db_step(q, err);
	db_reset(q);
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return left_clear(t, id, err);
}

static enum rc
put_away(struct tx *t, uint64_t id, struct err *err)
{
	enum rc rc;

	PREPARE(q, t->sh->db,
		"INSERT INTO mailbox_deleted(account_id, mailbox_id, deleted_ms, name, special,"
		" subscribed, uidvalidity, uidnext, messages, unseen, modseq, made_modseq,"
		" self_modseq, recent_uid) SELECT account_id, mailbox_id, ?, name, special,"
		" subscribed, uidvalidity, uidnext, messages, unseen, modseq, made_modseq,"
		" self_modseq, recent_uid FROM mailbox WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, clock_wall_ms());
	db_bind_u64(q, 2, t->a.id);
	db_bind_u64(q, 3, id);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	PREPARE(g, t->sh->db,
		"INSERT INTO mailbox_gone(account_id, modseq, mailbox_id) VALUES(?, ?, ?)",
		err);
	db_bind_u64(g, 1, t->a.id);
	db_bind_u64(g, 2, tx_modseq(t));
	db_bind_u64(g, 3, id);
	if ((rc = db_run(g, err)) != RC_OK || (rc = forget_gone(t, err)) != RC_OK ||
		(rc = clear_empty(t, id, err)) != RC_OK)
		return rc;
	return with_box(t, "DELETE FROM mailbox WHERE account_id = ? AND mailbox_id = ?",
		id, err);
}

static enum rc
is_subscribed(struct tx *t, uint64_t id, bool *out, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT subscribed FROM mailbox WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*out = db_u64(q, 0) != 0;
	db_reset(q);
	return RC_OK;
}

static enum rc
delete_box(struct tx *t, void *arg, struct err *err)
{
	const str *name = arg;
	bool subscribed = false;
	uint64_t id = 0;
	enum rc rc = mailbox_find(t->sh, t->a.id, *name, &id, err);

	if (rc != RC_OK || (rc = is_subscribed(t, id, &subscribed, err)) != RC_OK)
		return rc;
	if (id == INBOX_ID)
		return err_set(err, RC_PERM, "INBOX cannot be deleted");
	if ((rc = put_away(t, id, err)) != RC_OK)
		return rc;
	tx_note_mailbox(t, id, true);
	return subscribed ? subscription_keep(t, *name, err) : RC_OK;
}

enum rc
mailbox_delete(struct store *s, uint64_t account, str name, struct err *err)
{
	return tx_run(s, account, delete_box, &name, err);
}

/* ---- looking ---- */

struct gone_row {
	uint64_t account, id, deleted_ms, messages;
	str name;
};

static enum rc
read_gone(struct shard *sh, uint64_t account, struct arena *mem, struct gone_row **out,
	size_t *n, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	size_t room = 0;
	enum rc rc;

	*n = 0;
	PREPARE(q, sh->db,
		"SELECT mailbox_id, name, deleted_ms, messages FROM mailbox_deleted"
		" WHERE account_id = ? ORDER BY deleted_ms DESC, mailbox_id DESC",
		err);
	db_bind_u64(q, 1, account);
	while ((rc = db_step(q, err)) == RC_OK) {
		if (*n == room) {
			struct gone_row *more = arena_array(
				mem, room = room * 2 + 16, sizeof(*more));

			if (more == NULL)
				break;
			if (*n > 0)
				memcpy(more, *out, *n * sizeof(*more));
			*out = more;
		}
		struct gone_row *g = &(*out)[*n];
		*g = (struct gone_row){ .id = db_u64(q, 0),
			.deleted_ms = db_u64(q, 2),
			.messages = db_u64(q, 3) };
		if (arena_copy(mem, db_str(q, 1), &g->name) != RC_OK)
			break;
		++*n;
	}
	if (rc == RC_NONE)
		return RC_OK;
	db_reset(q);
	return rc == RC_OK ? err_set(err, RC_LIMIT, "too many deleted mailboxes") : rc;
}

enum rc
mailbox_gone(struct store *s, uint64_t account, mailbox_gone_fn *fn, void *arg,
	struct err *err)
{
	ARENA_AUTO mem = arena_new(32 << 20);
	struct gone_row *list = NULL;
	size_t n = 0;
	enum rc rc = read_gone(shard_of(s, account), account, mem, &list, &n, err);

	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = fn(list[i].id, list[i].name, list[i].deleted_ms, list[i].messages,
			arg, err);
	return rc;
}

/* ---- bringing back ---- */

struct restoring {
	str name, special, as; /* as: in mem */
	struct arena *mem;
	uint64_t id;
	bool subscribed;
};

static enum rc
find_gone(struct tx *t, struct restoring *r, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT mailbox_id, special, subscribed FROM mailbox_deleted"
		" WHERE account_id = ? AND name = ?"
		" ORDER BY deleted_ms DESC, mailbox_id DESC LIMIT 1",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_str(q, 2, r->name);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? err_set(err, rc,
					       "no deleted mailbox of that name is kept")
				     : rc;
	r->id = db_u64(q, 0);
	r->subscribed = db_u64(q, 2) != 0;
	rc = arena_copy(t->mem, db_str(q, 1), &r->special);
	db_reset(q);
	return rc == RC_OK ? rc : err_set(err, RC_LIMIT, "no memory for its use");
}

/* Its own name, or one that says what it is. */
static enum rc
free_name(struct tx *t, struct restoring *r, struct err *err)
{
	for (unsigned i = 1;; i++) {
		BUF_AUTO b = BUF(4096);
		enum rc rc;

		buf_add(&b, r->name);
		if (i == 2)
			buf_addz(&b, " (restored)");
		else if (i > 2)
			buf_addf(&b, " (restored %u)", i - 1);
		if (mailbox_name_check(buf_str(&b), NULL) != RC_OK) {
			buf_clear(&b);
			buf_addf(&b, "restored %" PRIu64 " %u", r->id, i);
		}
		rc = mailbox_taken(t, buf_str(&b), err);
		if (rc == RC_OK)
			continue;
		if (rc != RC_NONE)
			return rc;
		return arena_copy(r->mem, buf_str(&b), &r->as) == RC_OK
			       ? RC_OK
			       : err_set(err, RC_LIMIT, "no memory for its name");
	}
}

static enum rc
bring_back(struct tx *t, const struct restoring *r, struct err *err)
{
	enum rc rc;

	PREPARE(q, t->sh->db,
		"INSERT INTO mailbox(account_id, mailbox_id, name, special, subscribed,"
		" uidvalidity, uidnext, messages, unseen, modseq, made_modseq, self_modseq,"
		" recent_uid) SELECT account_id, mailbox_id, ?1, ?2, ?3, uidvalidity, uidnext,"
		" messages, unseen, ?4, ?4, ?4, recent_uid FROM mailbox_deleted"
		" WHERE account_id = ?5 AND mailbox_id = ?6",
		err);
	db_bind_str(q, 1, r->as);
	db_bind_str(q, 2, r->special);
	db_bind_u64(q, 3, r->subscribed);
	db_bind_u64(q, 4, tx_modseq(t));
	db_bind_u64(q, 5, t->a.id);
	db_bind_u64(q, 6, r->id);
	if ((rc = db_run(q, err)) != RC_OK ||
		(rc = with_box(t,
			 "DELETE FROM mailbox_deleted"
			 " WHERE account_id = ? AND mailbox_id = ?",
			 r->id, err)) != RC_OK)
		return rc;
	return with_box(t,
		"DELETE FROM mailbox_gone WHERE account_id = ? AND mailbox_id = ?", r->id,
		err);
}

static enum rc
restore(struct tx *t, void *arg, struct err *err)
{
	struct restoring *r = arg;
	bool waited = false;
	enum rc rc = find_gone(t, r, err);

	if (rc != RC_OK || (rc = free_name(t, r, err)) != RC_OK ||
		(rc = subscription_forget(t, r->as, &waited, err)) != RC_OK)
		return rc;
	r->subscribed |= waited;
	if (!str_empty(r->special)) {
		if ((rc = mailbox_with_special(t, r->special, err)) == RC_OK)
			r->special = STR("");
		else if (rc != RC_NONE)
			return rc;
	}
	tx_note_mailbox(t, r->id, false);
	return bring_back(t, r, err);
}

enum rc
mailbox_restore(struct store *s, uint64_t account, str name, struct arena *mem, str *as,
	struct err *err)
{
	struct restoring r = { .name = name, .mem = mem };
	enum rc rc = tx_run(s, account, restore, &r, err);

	if (rc == RC_OK)
		*as = r.as;
	return rc;
}

/* ---- removing for good ---- */

struct pruning {
	uint64_t id, before_ms;
	bool done;
};

/* Still deleted?  It may have been brought back a moment ago. */
static enum rc
still_gone(struct tx *t, const struct pruning *p, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT 1 FROM mailbox_deleted"
		" WHERE account_id = ? AND mailbox_id = ? AND deleted_ms < ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, p->id);
	db_bind_u64(q, 3, p->before_ms);
	enum rc rc = db_step(q, err);
	db_reset(q);
	return rc;
}

/* CHANGE_MOST of its messages, and when there are no more its row. */
static enum rc
prune_some(struct tx *t, void *arg, struct err *err)
{
	struct pruning *p = arg;
	struct box b = { .id = p->id, .kept = true };
	struct placed *list;
	size_t n;
	enum rc rc = still_gone(t, p, err);

	p->done = true;
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	if ((rc = placed_first(t, p->id, &list, &n, err)) != RC_OK ||
		(rc = placed_leave(t, &b, list, n, err)) != RC_OK ||
		(rc = email_release(t, list, n, err)) != RC_OK)
		return rc;
	(void)tx_modseq(t);
	if (n == CHANGE_MOST) {
		p->done = false;
		return box_save(t, &b, err);
	}
	if ((rc = left_clear(t, p->id, err)) != RC_OK)
		return rc;
	return with_box(t,
		"DELETE FROM mailbox_deleted WHERE account_id = ? AND mailbox_id = ?",
		p->id, err);
}

static enum rc
read_old(struct shard *sh, uint64_t before_ms, struct gone_row list[AT_ONCE], size_t *n,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc;

	*n = 0;
	PREPARE(q, sh->db,
		"SELECT account_id, mailbox_id FROM mailbox_deleted WHERE deleted_ms < ? LIMIT ?",
		err);
	db_bind_u64(q, 1, before_ms);
	db_bind_u64(q, 2, AT_ONCE);
	while ((rc = db_step(q, err)) == RC_OK)
		list[(*n)++] = (struct gone_row){ .account = db_u64(q, 0),
			.id = db_u64(q, 1) };
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
mailbox_prune_round(struct store *s, uint64_t account, uint64_t id, uint64_t before_ms,
	struct err *err)
{
	struct pruning p = { .id = id, .before_ms = before_ms };
	enum rc rc = tx_run(s, account, prune_some, &p, err);

	return rc == RC_OK && p.done ? RC_NONE : rc;
}

static enum rc
prune_shard(struct store *s, struct shard *sh, uint64_t before_ms, struct err *err)
{
	struct gone_row list[AT_ONCE];
	size_t n;
	enum rc rc;

	do {
		rc = read_old(sh, before_ms, list, &n, err);
		for (size_t i = 0; i < n && rc == RC_OK; i++) {
			do
				rc = mailbox_prune_round(
					s, list[i].account, list[i].id, before_ms, err);
			while (rc == RC_OK);
			if (rc == RC_NONE)
				rc = RC_OK;
		}
	} while (rc == RC_OK && n == AT_ONCE);
	return rc;
}

enum rc
mailbox_prune(struct store *s, uint64_t before_ms, struct err *err)
{
	enum rc rc = RC_OK;

	if (before_ms > INT64_MAX)
		return RC_OK; /* so long ago: the clock stands in 1970 */
	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		rc = prune_shard(s, &s->shards[i], before_ms, err);
	return rc;
}
