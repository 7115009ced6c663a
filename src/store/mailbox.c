/* SPDX-License-Identifier: ISC */
#include "store/mailbox.h"

#include <inttypes.h>

#include "base/clock.h"
#include "store/mailbox_int.h"
#include "wire/imap_name.h"

enum rc
mailbox_name_check(str name, struct err *err)
{
	str level, rest = name;
	size_t levels = 0;

	if (name.len == 0 || name.ptr[name.len - 1] == '/')
		return err_set(err, RC_PERM, "a mailbox needs a name");
	if (name.len > MAILBOX_NAME_MOST)
		return err_set(err, RC_PERM, "that name is too long");
	if (str_printable(name) != name.len)
		return err_set(err, RC_PERM, "that name has control characters");
	while (str_cut(&rest, '/', &level)) {
		if (str_empty(level))
			return err_set(err, RC_PERM, "a level of that name is empty");
		if (++levels > MAILBOX_LEVELS_MOST)
			return err_set(err, RC_PERM, "that name has more than %d levels",
				MAILBOX_LEVELS_MOST);
	}
	return RC_OK;
}

enum rc
mailbox_taken(struct tx *t, str name, struct err *err)
{
	uint64_t id;

	return mailbox_find(t->sh, t->a.id, name, &id, err);
}

enum rc
mailbox_with_special(struct tx *t, str special, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT 1 FROM mailbox WHERE account_id = ? AND special = ? LIMIT 1",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_str(q, 2, special);
	enum rc rc = db_step(q, err);
	db_reset(q);
	return rc;
}

static enum rc
with_name(struct tx *t, const char *sql, str name, struct err *err)
{
	PREPARE(q, t->sh->db, sql, err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_str(q, 2, name);
	return db_run(q, err);
}

enum rc
subscription_forget(struct tx *t, str name, bool *was, struct err *err)
{
	enum rc rc = with_name(t,
		"DELETE FROM subscribed_name WHERE account_id = ? AND name = ?", name,
		err);

	*was = rc == RC_OK && db_changes(t->sh->db) > 0;
	t->lost -= *was && t->counted_lost;
	return rc;
}

static enum rc
no_room(struct err *err)
{
	return err_set(err, RC_LIMIT, "too many names without a mailbox are subscribed");
}

/* Of names that no mailbox has; what DELETE and RENAME leave behind counts too.  Counted once
 * in a transaction: RENAME may leave thousands. */
static enum rc
subscription_room(struct tx *t, struct err *err)
{
	if (t->counted_lost)
		return t->lost < SUBSCRIPTIONS_MOST ? RC_OK : no_room(err);
	PREPARE(q, t->sh->db, "SELECT count(*) FROM subscribed_name WHERE account_id = ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	t->counted_lost = true;
	t->lost = db_u64(q, 0);
	db_reset(q);
	return t->lost < SUBSCRIPTIONS_MOST ? RC_OK : no_room(err);
}

enum rc
subscription_keep(struct tx *t, str name, struct err *err)
{
	bool was;
	enum rc rc = subscription_forget(t, name, &was, err);

	if (rc != RC_OK || (rc = subscription_room(t, err)) != RC_OK)
		return rc;
	t->lost++;
	return with_name(t, "INSERT INTO subscribed_name(account_id, name) VALUES(?, ?)",
		name, err);
}

/* Ids and UIDVALIDITYs that were never given before, and, like modseqs, not before a power cut
 * either. */
static enum rc
take_numbers(struct tx *t, struct box *out, struct err *err)
{
	uint64_t now = clock_wall_ms() / 1000;
	enum rc rc;

	PREPARE(q, t->sh->db,
		"SELECT next_mailbox, next_uidvalidity FROM account WHERE account_id = ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	if ((rc = db_step(q, err)) != RC_OK)
		return rc;
	uint64_t id = db_u64(q, 0), validity = db_u64(q, 1);
	db_reset(q);
	if (validity < now)
		validity = now;
	if (validity >= UINT32_MAX)
		return err_set(err, RC_LIMIT, "the account has used up its UIDVALIDITYs");
	PREPARE(u, t->sh->db,
		"UPDATE account SET next_mailbox = ?, next_uidvalidity = ? WHERE account_id = ?",
		err);
	db_bind_u64(u, 1, id + 1);
	db_bind_u64(u, 2, validity + 1);
	db_bind_u64(u, 3, t->a.id);
	*out = (struct box){ .id = id, .uidvalidity = (uint32_t)validity, .uidnext = 1 };
	return db_run(u, err);
}

enum rc
mailbox_make(struct tx *t, str name, str special, struct box *out, struct err *err)
{
	bool subscribed;
	enum rc rc = take_numbers(t, out, err);

	if (rc != RC_OK || (rc = subscription_forget(t, name, &subscribed, err)) != RC_OK)
		return rc;
	PREPARE(q, t->sh->db,
		"INSERT INTO mailbox(account_id, mailbox_id, name, special, subscribed,"
		" uidvalidity, uidnext, messages, unseen, modseq, made_modseq, self_modseq,"
		" recent_uid) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 1, 0, 0, ?7, ?7, ?7, 1)",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_u64(q, 2, out->id);
	db_bind_str(q, 3, name);
	db_bind_str(q, 4, special);
	db_bind_u64(q, 5, subscribed);
	db_bind_u64(q, 6, out->uidvalidity);
	db_bind_u64(q, 7, tx_modseq(t));
	tx_note_mailbox(t, out->id, false);
	return db_run(q, err);
}

/* ---- making ---- */

struct making {
	str name, special;
	uint64_t id;
};

static enum rc
count_of(struct tx *t, uint64_t *out, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT (SELECT count(*) FROM mailbox WHERE account_id = ?1) +"
		" (SELECT count(*) FROM mailbox_deleted WHERE account_id = ?1)",
		err);
	db_bind_u64(q, 1, t->a.id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*out = db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

/* Deleted ones count too, or making and deleting would have no end; those without a message
 * make room. */
enum rc
mailbox_room(struct tx *t, struct err *err)
{
	uint64_t n = 0;
	enum rc rc = count_of(t, &n, err);

	if (rc != RC_OK || n < MAILBOXES_MOST)
		return rc;
	PREPARE(q, t->sh->db,
		"DELETE FROM mailbox_deleted WHERE account_id = ? AND messages = 0", err);
	db_bind_u64(q, 1, t->a.id);
	if ((rc = db_run(q, err)) != RC_OK || (rc = count_of(t, &n, err)) != RC_OK)
		return rc;
	if (n >= MAILBOXES_MOST)
		return err_set(err, RC_LIMIT, "an account has at most %d mailboxes",
			MAILBOXES_MOST);
	return RC_OK;
}

static enum rc
special_free(struct tx *t, str special, struct err *err)
{
	static const str known[] = { STR_INIT("\\Archive"), STR_INIT("\\Drafts"),
		STR_INIT("\\Junk"), STR_INIT("\\Sent"), STR_INIT("\\Trash") };
	enum rc rc;

	if (str_empty(special))
		return RC_OK;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!str_eq(special, known[i]))
			continue;
		rc = mailbox_with_special(t, special, err);
		if (rc == RC_OK)
			return err_set(err, RC_PERM, "another mailbox is used for that");
		return rc == RC_NONE ? RC_OK : rc;
	}
	return err_set(err, RC_PERM, "there are no mailboxes for such a use");
}

static enum rc
create(struct tx *t, void *arg, struct err *err)
{
	struct making *m = arg;
	struct box b;
	enum rc rc = mailbox_taken(t, m->name, err);

	if (rc == RC_OK)
		return err_set(err, RC_BAD, "there already is a mailbox of that name");
	if (rc != RC_NONE || (rc = special_free(t, m->special, err)) != RC_OK ||
		(rc = mailbox_room(t, err)) != RC_OK ||
		(rc = mailbox_make(t, m->name, m->special, &b, err)) != RC_OK)
		return rc;
	m->id = b.id;
	return RC_OK;
}

enum rc
mailbox_create(struct store *s, uint64_t account, str name, str special, uint64_t *id,
	struct err *err)
{
	struct making m = { .name = name, .special = special };
	enum rc rc = mailbox_name_check(name, err);

	if (rc == RC_OK)
		rc = tx_run(s, account, create, &m, err);
	if (rc == RC_OK && id != NULL)
		*id = m.id;
	return rc;
}

/* ---- subscribing ---- */

struct subscribing {
	str name;
	bool on;
};

static enum rc
subscribe(struct tx *t, void *arg, struct err *err)
{
	const struct subscribing *b = arg;
	uint64_t id = 0;
	bool was;
	enum rc rc = mailbox_find(t->sh, t->a.id, b->name, &id, err);

	if (rc == RC_NONE) {
		(void)tx_modseq(t);
		return b->on ? subscription_keep(t, b->name, err)
			     : subscription_forget(t, b->name, &was, err);
	}
	if (rc != RC_OK)
		return rc;
	PREPARE(q, t->sh->db,
		"UPDATE mailbox SET subscribed = ?, self_modseq = ?"
		" WHERE account_id = ? AND mailbox_id = ? AND subscribed <> ?",
		err);
	db_bind_u64(q, 1, b->on);
	db_bind_u64(q, 2, tx_modseq(t));
	db_bind_u64(q, 3, t->a.id);
	db_bind_u64(q, 4, id);
	db_bind_u64(q, 5, b->on);
	tx_note_mailbox(t, id, false);
	return db_run(q, err);
}

enum rc
mailbox_subscribe(struct store *s, uint64_t account, str name, bool on, struct err *err)
{
	struct subscribing b = { .name = name, .on = on };
	enum rc rc = on ? mailbox_name_check(name, err) : RC_OK;

	return rc == RC_OK ? tx_run(s, account, subscribe, &b, err) : rc;
}
