/* SPDX-License-Identifier: ISC */
/*
 * Naming anew.  A mailbox keeps its id, UIDVALIDITY and messages; what it contains by its name
 * moves along.  Subscriptions: the old name stays subscribed, as nobody said otherwise
 * (RFC 9051 6.3.7), and the mailbox is subscribed under its new one, so that it is not lost to
 * clients that look at nothing else.
 */
#include <inttypes.h>
#include <stdio.h>

#include "store/mailbox_int.h"
#include "wire/imap_name.h"

struct moved {
	uint64_t id;
	str old, name;
	bool subscribed;
};

struct renaming {
	str from, to;
	size_t n;
	struct moved *list;
};

static bool
is_below(str name, str parent)
{
	return name.len > parent.len && name.ptr[parent.len] == '/' &&
	       str_starts(name, parent);
}

static enum rc
new_name(struct tx *t, const struct renaming *r, struct moved *m, struct err *err)
{
	BUF_AUTO b = BUF(4 * MAILBOX_NAME_MOST);

	buf_add(&b, r->to);
	buf_add(&b, str_skip(m->old, r->from.len));
	if (!buf_ok(&b) || arena_copy(t->mem, buf_str(&b), &m->name) != RC_OK)
		return err_set(
			err, RC_PERM, "the name of a mailbox below it would be too long");
	return mailbox_name_check(m->name, err);
}

/* The mailbox, if there is one, and what is below its name: '0' comes after '/'. */
static enum rc
find_moved(struct tx *t, struct renaming *r, struct err *err)
{
	BUF_AUTO above = BUF(2 * MAILBOX_NAME_MOST);
	enum rc rc;

	if ((r->list = arena_array(t->mem, MAILBOXES_MOST, sizeof(*r->list))) == NULL)
		return err_set(err, RC_LIMIT, "too many mailboxes at once");
	buf_add(&above, r->from);
	buf_addc(&above, '0');
	PREPARE(q, t->sh->db,
		"SELECT mailbox_id, name, subscribed FROM mailbox"
		" WHERE account_id = ? AND name >= ? AND name < ? ORDER BY name LIMIT ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_str(q, 2, r->from);
	db_bind_str(q, 3, buf_str(&above));
	db_bind_u64(q, 4, MAILBOXES_MOST);
	while ((rc = db_step(q, err)) == RC_OK) {
		struct moved *m = &r->list[r->n];

		if (!str_eq(db_str(q, 1), r->from) && !is_below(db_str(q, 1), r->from))
			continue; /* "a b" comes between "a" and "a/b" */
		*m = (struct moved){ .id = db_u64(q, 0),
			.subscribed = db_u64(q, 2) != 0 };
		if (arena_copy(t->mem, db_str(q, 1), &m->old) != RC_OK) {
			db_reset(q);
			return err_set(err, RC_LIMIT, "too many mailboxes at once");
		}
		r->n++;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
set_name(struct tx *t, uint64_t id, str name, bool subscribed, struct err *err)
{
	PREPARE(q, t->sh->db,
		"UPDATE mailbox SET name = ?, subscribed = ?, self_modseq = ?"
		" WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_str(q, 1, name);
	db_bind_u64(q, 2, subscribed);
	db_bind_u64(q, 3, tx_modseq(t));
	db_bind_u64(q, 4, t->a.id);
	db_bind_u64(q, 5, id);
	return db_run(q, err);
}

/* Out of the way first: a new name may be an old one of another that moves, too. */
static enum rc
step_aside(struct tx *t, const struct renaming *r, struct err *err)
{
	char aside[32];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->n && rc == RC_OK; i++) {
		(void)snprintf(aside, sizeof(aside), "\x01%" PRIu64, r->list[i].id);
		rc = set_name(
			t, r->list[i].id, str_of(aside), r->list[i].subscribed, err);
	}
	return rc;
}

static enum rc
take_place(struct tx *t, const struct moved *m, struct err *err)
{
	bool waited = false;
	enum rc rc = mailbox_taken(t, m->name, err);

	if (rc == RC_OK)
		return err_set(err, RC_BAD, "there already is a mailbox of that name");
	if (rc != RC_NONE ||
		(rc = subscription_forget(t, m->name, &waited, err)) != RC_OK)
		return rc;
	if (m->subscribed && (rc = subscription_keep(t, m->old, err)) != RC_OK)
		return rc;
	tx_note_mailbox(t, m->id, false);
	return set_name(t, m->id, m->name, m->subscribed || waited, err);
}

static enum rc
rename_boxes(struct tx *t, void *arg, struct err *err)
{
	struct renaming *r = arg;
	enum rc rc = mailbox_taken(t, r->to, err);

	if (rc == RC_OK)
		return err_set(err, RC_BAD, "there already is a mailbox of that name");
	if (rc != RC_NONE || (rc = find_moved(t, r, err)) != RC_OK)
		return rc;
	if (r->n == 0)
		return err_set(err, RC_NONE, "there is no such mailbox");
	if (is_below(r->to, r->from))
		return err_set(err, RC_PERM, "a mailbox cannot move below itself");
	for (size_t i = 0; i < r->n && rc == RC_OK; i++)
		rc = new_name(t, r, &r->list[i], err);
	if (rc == RC_OK)
		rc = step_aside(t, r, err);
	for (size_t i = 0; i < r->n && rc == RC_OK; i++)
		rc = take_place(t, &r->list[i], err);
	return rc;
}

/* ---- INBOX ---- */

struct emptying {
	str name;
	struct inbox_move *m;
	bool more;
};

static enum rc
make_target(struct tx *t, struct emptying *e, struct box *to, struct err *err)
{
	enum rc rc = mailbox_taken(t, e->name, err);

	if (rc == RC_OK)
		return err_set(err, RC_BAD, "there already is a mailbox of that name");
	if (rc != RC_NONE || (rc = mailbox_room(t, err)) != RC_OK)
		return rc;
	return mailbox_make(t, e->name, STR(""), to, err);
}

static enum rc
empty_some(struct tx *t, void *arg, struct err *err)
{
	struct emptying *e = arg;
	uint32_t uids[CHANGE_MOST], end = e->m->end;
	struct placed *list;
	struct box from, to;
	size_t n, found;
	enum rc rc = box_load(t, INBOX_ID, &from, err);

	if (rc == RC_OK)
		rc = e->m->to == 0 ? make_target(t, e, &to, err)
				   : box_load(t, e->m->to, &to, err);
	if (rc != RC_OK || (rc = placed_first(t, INBOX_ID, &list, &found, err)) != RC_OK)
		return rc;
	if (e->m->to == 0)
		end = from.uidnext;
	for (n = 0; n < found && list[n].uid < end;)
		n++;
	if ((rc = placed_add(t, &to, list, n, uids, err)) != RC_OK ||
		(rc = placed_leave(t, &from, list, n, err)) != RC_OK ||
		(rc = box_save(t, &to, err)) != RC_OK ||
		(rc = box_save(t, &from, err)) != RC_OK)
		return rc;
	*e->m = (struct inbox_move){ .to = to.id, .end = end };
	e->more = n == CHANGE_MOST;
	return RC_OK;
}

/* RFC 9051 6.3.6: its messages move, it stays, and so do those below it. */
enum rc
mailbox_empty_inbox(struct store *s, uint64_t account, str to, struct inbox_move *m,
	bool *more, struct err *err)
{
	struct inbox_move now = *m;
	struct emptying e = { .name = to, .m = &now };
	enum rc rc = mailbox_name_check(to, err);

	if (rc == RC_OK)
		rc = tx_run(s, account, empty_some, &e, err);
	if (rc != RC_OK)
		return rc;
	*m = now;
	*more = e.more;
	return RC_OK;
}

static enum rc
empty_inbox(struct store *s, uint64_t account, str to, struct err *err)
{
	struct inbox_move m = { 0 };
	bool more = true;
	enum rc rc = RC_OK;

	while (more && rc == RC_OK)
		rc = mailbox_empty_inbox(s, account, to, &m, &more, err);
	return rc;
}

enum rc
mailbox_rename(struct store *s, uint64_t account, str from, str to, struct err *err)
{
	struct renaming r = { .from = from, .to = to };
	enum rc rc = mailbox_name_check(to, err);

	if (rc == RC_OK && from.len > MAILBOX_NAME_MOST)
		rc = err_set(err, RC_NONE, "there is no such mailbox");
	if (rc != RC_OK)
		return rc;
	return str_ieq(from, STR("INBOX")) ? empty_inbox(s, account, to, err)
					   : tx_run(s, account, rename_boxes, &r, err);
}
