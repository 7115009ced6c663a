/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "store/change_int.h"

/* ---- copies and moves ---- */

struct copying {
	uint64_t from, to;
	const uint32_t *uids;
	size_t n;
	bool move;
	struct change_copied *out;
	size_t done;
	uint32_t uidvalidity;
	uint64_t modseq;
};

/* Junk is the reader's box: what goes in is spam to him, and what comes out, other than
 * into the bin, is not. */
static enum rc
learn_from(struct tx *t, const struct box *from, const struct box *to,
	const struct placed *list, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	if (from->junk == to->junk || (from->junk && to->trash))
		return RC_OK;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = tx_lesson(t, &list[i].id, to->junk, err);
	return rc;
}

/* In all mailboxes, with those that can be brought back. */
static enum rc
account_holds(struct tx *t, uint64_t *n, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE account_id = ?1) +"
		" (SELECT coalesce(sum(messages), 0) FROM mailbox_deleted WHERE account_id = ?1)",
		err);
	db_bind_u64(q, 1, t->a.id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*n = db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

static uint64_t
left_of(uint64_t most, uint64_t n)
{
	return n < most ? most - n : 0;
}

/* A move makes the account's no more, and within a mailbox its own neither. */
static enum rc
check_room(struct tx *t, const struct copying *c, const struct box *to, size_t n,
	struct err *err)
{
	uint64_t all = 0;
	enum rc rc = RC_OK;

	if (c->move && c->from == c->to)
		return RC_OK;
	if (left_of(MAILBOX_MESSAGES_MOST, to->had) < n)
		return err_set(err, RC_LIMIT, "a mailbox has at most %d messages",
			MAILBOX_MESSAGES_MOST);
	if (!c->move)
		rc = account_holds(t, &all, err);
	if (rc == RC_OK && left_of(ACCOUNT_MESSAGES_MOST, all) < n)
		rc = err_set(err, RC_LIMIT,
			"an account has at most %d messages, copies among them",
			ACCOUNT_MESSAGES_MOST);
	return rc;
}

static enum rc
copy_rows(struct tx *t, struct copying *c, struct box *from, struct box *to,
	struct err *err)
{
	struct placed *list;
	size_t n;
	enum rc rc = placed_read(t, from->id, c->uids, c->n, &list, &n, err);

	if (rc != RC_OK || n == 0)
		return rc;
	if ((rc = check_room(t, c, to, n, err)) != RC_OK)
		return rc;
	if ((rc = placed_add(t, to, list, n, c->out->to, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		c->out->from[i] = list[i].uid;
	if ((rc = learn_from(t, from, to, list, n, err)) != RC_OK)
		return rc;
	c->done = n;
	if (!c->move)
		return email_hold(t, list, n, err);
	return placed_leave(t, from, list, n, err);
}

static enum rc
copy(struct tx *t, void *arg, struct err *err)
{
	struct copying *c = arg;
	struct box boxes[2], *from = &boxes[0], *to = &boxes[1];
	enum rc rc;

	if ((rc = box_load(t, c->from, from, err)) != RC_OK)
		return rc;
	if (c->from == c->to) /* RFC 6851 3.3: it may be the same */
		to = from;
	else if ((rc = box_load(t, c->to, to, err)) != RC_OK)
		return rc;
	c->uidvalidity = to->uidvalidity;
	if ((rc = copy_rows(t, c, from, to, err)) != RC_OK || c->done == 0)
		return rc;
	if ((rc = box_save(t, to, err)) != RC_OK)
		return rc;
	c->modseq = tx_modseq(t);
	return c->move && from != to ? box_save(t, from, err) : RC_OK;
}

static enum rc
run_copy(struct store *s, uint64_t account, struct copying *c, struct err *err)
{
	enum rc rc = tx_run(s, account, copy, c, err);

	if (rc != RC_OK)
		return rc;
	c->out->uidvalidity = c->uidvalidity;
	c->out->n = c->done;
	return RC_OK;
}

enum rc
change_copy(struct store *s, struct store_place from, uint64_t to, const uint32_t *uids,
	size_t n, struct change_copied *out, struct err *err)
{
	struct copying c = {
		.from = from.mailbox, .to = to, .uids = uids, .n = n, .out = out
	};

	return run_copy(s, from.account, &c, err);
}

enum rc
change_move(struct store *s, struct store_place from, uint64_t to, const uint32_t *uids,
	size_t n, struct change_copied *out, uint64_t *modseq, struct err *err)
{
	struct copying c = { .from = from.mailbox,
		.to = to,
		.uids = uids,
		.n = n,
		.move = true,
		.out = out };
	enum rc rc = run_copy(s, from.account, &c, err);

	if (rc == RC_OK)
		*modseq = c.modseq;
	return rc;
}

struct rooming {
	uint64_t mailbox, left;
};

static enum rc
find_room(struct tx *t, void *arg, struct err *err)
{
	struct rooming *r = arg;
	struct box b;
	uint64_t all = 0;
	enum rc rc = box_load(t, r->mailbox, &b, err);

	if (rc != RC_OK || (rc = account_holds(t, &all, err)) != RC_OK)
		return rc;
	r->left = left_of(ACCOUNT_MESSAGES_MOST, all);
	if (r->left > left_of(MAILBOX_MESSAGES_MOST, b.had))
		r->left = left_of(MAILBOX_MESSAGES_MOST, b.had);
	if (r->left > left_of(UINT32_MAX, b.uidnext))
		r->left = left_of(UINT32_MAX, b.uidnext);
	return RC_OK;
}

enum rc
change_room(struct store *s, struct store_place to, uint64_t *left, struct err *err)
{
	struct rooming r = { .mailbox = to.mailbox };
	enum rc rc = tx_run(s, to.account, find_room, &r, err);

	if (rc == RC_OK)
		*left = r.left;
	return rc;
}
