/* SPDX-License-Identifier: ISC */
/*
 * The power is cut while readers change their mailboxes.
 *
 * One account's client appends, replaces, flags, copies, moves and removes messages, makes,
 * renames and deletes mailboxes, while mail comes in.  After each step everything that
 * it could have been told by then is written down: mailboxes with their UIDVALIDITY,
 * UIDs, which message each is, flags and keywords.  After a cut the account is as it was after the
 * last step that had ended, or as it was after the one that was under way, and nothing
 * between; new is only mail that came in, with UIDs from UIDNEXT on.  What is appended
 * then gets a UID that nobody has heard of.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "deliver/append.h"
#include "deliver/power_play.h"
#include "store/change.h"
#include "store/mailbox.h"
#include "store/view.h"
#include "test/test.h"

enum {
	ACCOUNTS = 18, /* two of one shard */
	SECONDS = 30,
	STEPS = 80,
	BOXES = 12,
	ROWS = 40,
	MEMORY = 4 << 20
};

struct seen_row {
	uint32_t uid;
	unsigned flags;
	struct msg_id id;
	char keywords[64];
};

struct seen_box {
	uint64_t id;
	uint32_t uidvalidity, uidnext;
	char name[64];
	size_t n;
	struct seen_row rows[ROWS];
};

/* Everything of an account that a client can be told. */
struct snap {
	size_t begun, acked; /* events */
	size_t n;
	struct seen_box boxes[BOXES];
};

static struct snap snaps[STEPS];
static size_t nsnaps;
static size_t born;
static struct own *own;
/* Between the answer and the next look mail is committed, and not applied: were anything that was
 * told not on disk by then, that mail would have its UID. */
static bool mail_meanwhile;

static void
must(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

/* --- what is there --- */

static enum rc
see_rows(struct parts *p, struct seen_box *b, struct err *err)
{
	struct view_row rows[ROWS];
	struct view *v = NULL;
	enum rc rc = view_open(p->store, p->accounts[0], b->id, &v, err);

	if (rc != RC_OK)
		return rc;
	b->n = view_changed(v, 1, 0, rows, ROWS);
	for (size_t i = 0; i < b->n; i++) {
		b->rows[i] = (struct seen_row){
			.uid = rows[i].uid, .flags = rows[i].flags, .id = rows[i].id
		};
		(void)str_z(rows[i].keywords, b->rows[i].keywords,
			sizeof(b->rows[i].keywords));
	}
	view_close(&v);
	return b->n < ROWS ? RC_OK : err_set(err, RC_LIMIT, "too many messages");
}

static enum rc
see(struct parts *p, struct snap *s, struct err *err)
{
	ARENA_AUTO mem = arena_new(MEMORY);
	struct mailbox *list;
	enum rc rc = store_settle(p->store, p->accounts[0], err);

	if (rc == RC_OK)
		rc = mailbox_list(
			p->store, p->accounts[0], false, mem, &list, &s->n, err);
	for (size_t i = 0; rc == RC_OK && i < s->n; i++) {
		struct seen_box *b = &s->boxes[i];

		if (s->n > BOXES)
			return err_set(err, RC_LIMIT, "too many mailboxes");
		*b = (struct seen_box){ .id = list[i].id,
			.uidvalidity = list[i].uidvalidity,
			.uidnext = list[i].uidnext };
		(void)str_z(list[i].name, b->name, sizeof(b->name));
		rc = see_rows(p, b, err);
	}
	return rc;
}

static struct seen_box *
box_of(struct snap *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->boxes[i].name, name) == 0)
			return &s->boxes[i];
	return NULL;
}

static struct seen_box *
sure_box(struct snap *s, const char *name)
{
	struct seen_box *b = box_of(s, name);

	if (b == NULL)
		abort();
	return b;
}

/* --- the client --- */

static struct snap *
now(void)
{
	return &snaps[nsnaps - 1];
}

static void
begin_step(void)
{
	assert_true(nsnaps < STEPS);
	snaps[nsnaps].begun = power_events();
}

/* The client was told, before anything else was done to the disk. */
static void
end_step(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	snaps[nsnaps].acked = power_events();
	if (mail_meanwhile) {
		struct sent s = { .from = 0, .n = 1, .body = 200 };

		must(parts_send(p, &s, &err), &err);
	}
	must(see(p, &snaps[nsnaps], &err), &err);
	nsnaps++;
}

/* Nothing was told; the client looks by itself. */
static void
look_step(struct parts *p)
{
	end_step(p);
	now()->acked = power_events();
}

static struct store_place
place(struct parts *p, const char *name)
{
	return (struct store_place){ p->accounts[0], sure_box(now(), name)->id };
}

static uint32_t
put(struct parts *p, uint64_t mailbox, size_t n, uint32_t replaces, struct err *err)
{
	struct fs_spool files[8];
	struct append_item items[8];
	struct append a = { .account = p->accounts[0],
		.mailbox = mailbox,
		.n = n,
		.items = items,
		.replaces_mailbox = replaces > 0 ? mailbox : 0,
		.replaces = replaces };
	uint32_t uidvalidity;

	for (size_t i = 0; i < n; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "Subject: %zu.%zu\r\n\r\nbody\r\n",
			nsnaps, i);
		items[i] = (struct append_item){ .file = &files[i],
			.size = strlen(text),
			.received_ms = 1000 * (i + 1),
			.flags = i % 2 == 0 ? STORE_SEEN : STORE_DRAFT,
			.keywords = i % 2 == 0 ? STR("") : STR("$one two") };
		sha256(str_of(text), items[i].digest);
		if (fs_spool_open(own_incoming(own), 0660, &files[i], err) != RC_OK ||
			fs_append(files[i].fd, str_of(text), err) != RC_OK)
			return 0;
	}
	return own_append(own, &a, &uidvalidity, err) == RC_OK ? items[0].uid : 0;
}

static void
append(struct parts *p, const char *name, size_t n, uint32_t replaces)
{
	struct err err = { .rc = RC_OK };
	struct seen_box *was = sure_box(now(), name), *is;
	uint32_t uid;

	begin_step();
	uid = put(p, was->id, n, replaces, &err);
	if (uid == 0)
		fail_msg("%s", err.text);
	assert_int_equal(uid, was->uidnext);
	end_step(p);
	is = sure_box(now(), name);
	assert_int_equal(is->uidnext, uid + n);
	assert_int_equal(is->n, was->n + n - (replaces > 0));
}

static void
flag(struct parts *p, const char *name, uint32_t first, size_t n, struct change_flags c)
{
	uint32_t uids[ROWS];
	uint64_t modseq;
	size_t nmodified = 0;
	struct err err = { .rc = RC_OK };

	for (size_t i = 0; i < n; i++)
		uids[i] = first + (uint32_t)i;
	begin_step();
	must(change_flags(p->store, place(p, name), uids, n, &c, &modseq, NULL,
		     &nmodified, &err),
		&err);
	end_step(p);
}

static void
carry(struct parts *p, const char *from, const char *to, uint32_t first, size_t n,
	bool move)
{
	uint32_t uids[ROWS], f[ROWS], t[ROWS];
	struct change_copied done = { .from = f, .to = t };
	struct err err = { .rc = RC_OK };
	uint64_t modseq, target = place(p, to).mailbox;

	for (size_t i = 0; i < n; i++)
		uids[i] = first + (uint32_t)i;
	begin_step();
	must(move ? change_move(p->store, place(p, from), target, uids, n, &done, &modseq,
			    &err)
		  : change_copy(p->store, place(p, from), target, uids, n, &done, &err),
		&err);
	assert_int_equal(done.n, n);
	end_step(p);
}

static void
expunge(struct parts *p, const char *name, uint32_t first, size_t n)
{
	uint32_t uids[ROWS], gone[ROWS];
	size_t ngone;
	uint64_t modseq;
	struct err err = { .rc = RC_OK };

	for (size_t i = 0; i < n; i++)
		uids[i] = first + (uint32_t)i;
	begin_step();
	must(change_expunge(
		     p->store, place(p, name), uids, n, gone, &ngone, &modseq, &err),
		&err);
	assert_int_equal(ngone, n);
	end_step(p);
}

enum act { CREATE, RENAME, DELETE, RESTORE };

static void
mailboxes(struct parts *p, enum act act, const char *name, const char *to)
{
	ARENA_AUTO mem = arena_new(MEMORY);
	struct err err = { .rc = RC_OK };
	uint64_t id, account = p->accounts[0];
	str n = str_of(name), as;
	enum rc rc = RC_BAD;

	begin_step();
	switch (act) {
	case CREATE:
		rc = mailbox_create(p->store, account, n, STR(""), &id, &err);
		break;
	case RENAME:
		rc = mailbox_rename(p->store, account, n, str_of(to), &err);
		break;
	case DELETE:
		rc = mailbox_delete(p->store, account, n, &err);
		break;
	case RESTORE:
		rc = mailbox_restore(p->store, account, n, mem, &as, &err);
		break;
	}
	must(rc, &err);
	end_step(p);
}

/* Mail comes in, for the client and for a neighbour of its shard. */
static void
come(struct parts *p)
{
	struct sent a = { .from = 0, .n = 2, .body = 300 };
	struct sent b = { .from = 16, .n = 2, .body = 300 };
	struct err err = { .rc = RC_OK };

	begin_step();
	must(parts_send(p, &a, &err), &err);
	must(parts_send(p, &b, &err), &err);
	parts_apply(p);
	look_step(p);
}

static void
checkpoint(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	begin_step();
	must(apply_checkpoint(p->apply, &err), &err);
	journal_trim(p->journal, apply_position(p->apply), 0);
	look_step(p);
}

static enum rc
open_own(struct parts *p, struct err *err)
{
	const struct own_want w = { .apply = { .data = p->data,
					    .directory = p->directory,
					    .store = p->store,
					    .ledger = p->ledger,
					    .refusals = p->refusals,
					    .with = p->apply,
					    .checkpoint_ms = 3600 * 1000 },
		.thread = true };

	return own_open(&w, &own, err);
}

static void
stop_and_start(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	begin_step();
	own_close(&own);
	parts_close(p);
	must(parts_open(p, &err), &err);
	must(open_own(p, &err), &err);
	look_step(p);
}

static void
first_half(struct parts *p)
{
	append(p, "Drafts", 1, 0);
	append(p, "Drafts", 3, 0);
	come(p);
	flag(p, "INBOX", 1, 1,
		(struct change_flags){ .how = CHANGE_ADD, .flags = STORE_SEEN });
	flag(p, "Drafts", 2, 2,
		(struct change_flags){ .how = CHANGE_SET,
			.flags = STORE_FLAGGED,
			.keywords = STR("$Forwarded work") });
	carry(p, "INBOX", "Archive", 1, 1, true);
	mailboxes(p, CREATE, "Work", "");
	append(p, "Work", 2, 0);
	append(p, "Drafts", 1, 2);
	checkpoint(p);
	carry(p, "Drafts", "Work", 3, 2, false);
	expunge(p, "Work", 1, 1);
	mailboxes(p, RENAME, "Work", "Play");
	come(p);
	expunge(p, "INBOX", 2, 1);
	mail_meanwhile = true;
	append(p, "INBOX", 2, 0);
	append(p, "INBOX", 1, 0);
	flag(p, "INBOX", 3, 2,
		(struct change_flags){ .how = CHANGE_ADD, .flags = STORE_SEEN });
	carry(p, "Archive", "INBOX", 1, 1, false);
	mail_meanwhile = false;
}

static void
second_half(struct parts *p)
{
	carry(p, "INBOX", "Trash", 3, 2, true);
	expunge(p, "Trash", 1, 2);
	mailboxes(p, DELETE, "Play", "");
	mailboxes(p, CREATE, "Play", "");
	append(p, "Play", 1, 0);
	come(p);
	mailboxes(p, RENAME, "INBOX", "Old");
	append(p, "INBOX", 1, 0);
	checkpoint(p);
	mailboxes(p, DELETE, "Old", "");
	mailboxes(p, RESTORE, "Old", "");
	flag(p, "Drafts", 3, 3,
		(struct change_flags){ .how = CHANGE_REMOVE,
			.flags = STORE_FLAGGED | STORE_SEEN | STORE_DRAFT,
			.keywords = STR("work") });
	append(p, "Archive", 1, 1);
}

static void
scenario(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	must(parts_open(p, &err), &err);
	must(open_own(p, &err), &err);
	for (size_t i = 0; i < ACCOUNTS; i++)
		must(store_account_make(p->store, p->accounts[i], &err), &err);
	must(store_checkpoint(p->store, &err), &err);
	born = power_events();
	begin_step();
	look_step(p);
	first_half(p);
	stop_and_start(p);
	second_half(p);
	own_close(&own);
	parts_close(p);
}

/* --- after the cut --- */

static enum rc
wrong(struct err *err, const struct seen_box *b, uint32_t uid, const char *what)
{
	return err_set(err, RC_BAD, "%s, UID %" PRIu32 ": %s", b->name, uid, what);
}

/* All that was told is so, and what is new came in just now. */
static enum rc
same_rows(const struct seen_box *was, const struct seen_box *is, struct err *err)
{
	size_t k = 0;

	for (size_t i = 0; i < is->n; i++) {
		const struct seen_row *row = &is->rows[i], *old = &was->rows[k];

		if (k < was->n && row->uid == old->uid) {
			k++;
			if (strcmp(row->id.text, old->id.text) != 0)
				return wrong(err, is, row->uid, "another message");
			if (row->flags != old->flags ||
				strcmp(row->keywords, old->keywords) != 0)
				return wrong(err, is, row->uid, "other flags");
		} else if (row->uid < was->uidnext) {
			return wrong(err, is, row->uid, "was not there, or was removed");
		} else if (strcmp(is->name, "INBOX") != 0) {
			return wrong(
				err, is, row->uid, "came of a step that was cut off");
		}
	}
	if (k < was->n)
		return wrong(err, is, was->rows[k].uid, "is gone");
	return is->uidnext < was->uidnext
		       ? wrong(err, is, is->uidnext, "UIDNEXT went back")
		       : RC_OK;
}

static enum rc
same(const struct snap *was, struct snap *is, struct err *err)
{
	enum rc rc = RC_OK;

	if (is->n != was->n)
		return err_set(
			err, RC_BAD, "%zu mailboxes instead of %zu", is->n, was->n);
	for (size_t i = 0; i < was->n && rc == RC_OK; i++) {
		const struct seen_box *b = box_of(is, was->boxes[i].name);

		if (b == NULL || b->id != was->boxes[i].id ||
			b->uidvalidity != was->boxes[i].uidvalidity)
			return err_set(err, RC_BAD, "%s is gone or another mailbox",
				was->boxes[i].name);
		rc = same_rows(&was->boxes[i], b, err);
	}
	return rc;
}

/* Of all that had been told when the power went, and of what was on its way. */
static enum rc
look(struct parts *p, size_t events, struct snap *is, struct err *err)
{
	size_t last = 0;
	enum rc rc;

	if (nsnaps == 0 || snaps[0].acked > events)
		return RC_OK;
	while (last + 1 < nsnaps && snaps[last + 1].acked <= events)
		last++;
	if ((rc = see(p, is, err)) != RC_OK)
		return rc;
	rc = same(&snaps[last], is, err);
	if (rc == RC_BAD && last + 1 < nsnaps && snaps[last + 1].begun <= events) {
		struct err next = { .rc = RC_OK };

		rc = same(&snaps[last + 1], is, &next);
		if (rc != RC_OK)
			return err_set(err, rc,
				"after step %zu: %.150s; after the next: %.150s", last,
				err->text, next.text);
	}
	return rc;
}

/* UIDs of all mailboxes go on behind what was heard of. */
static enum rc
go_on(struct parts *p, struct snap *is, struct err *err)
{
	for (size_t i = 0; i < is->n; i++) {
		struct seen_box *b = &is->boxes[i];
		uint32_t uid = put(p, b->id, 1, 0, err);

		if (uid == 0)
			return RC_BAD;
		if (uid < b->uidnext)
			return wrong(err, b, uid, "was given again");
	}
	return RC_OK;
}

static enum rc
recover(struct parts *p, size_t events, struct err *err)
{
	static struct snap is;
	enum rc rc = parts_open(p, err);

	is = (struct snap){ .n = 0 };
	if (rc != RC_OK ||
		(rc = apply_all(p->apply, journal_synced(p->journal), err)) != RC_OK ||
		(rc = open_own(p, err)) != RC_OK)
		return rc;
	rc = own_settle(own, err);
	if (rc == RC_OK)
		rc = look(p, events, &is, err);
	if (rc == RC_OK)
		rc = go_on(p, &is, err);
	own_close(&own);
	for (int verify = 0; verify < 2 && rc == RC_OK; verify++) {
		parts_audit(p, verify == 1);
		if (p->breaches > 0)
			rc = err_set(err, RC_BAD, "%.300s", p->damage);
	}
	return rc;
}

TEST(whatever_the_power_takes_a_reader_was_told_the_truth)
{
	struct parts made;
	const char *root = test_folder();

	parts_make(&made, root, ACCOUNTS);
	made.roll_bytes = 16 * 1024;
	power_record(root);
	scenario(&made);
	power_stop();
	power_play(&(struct power_play){
		.made = &made, .recover = recover, .born = born, .seconds = SECONDS });
	parts_clear(&made);
}
