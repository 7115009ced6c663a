/* SPDX-License-Identifier: ISC */
/*
 * Applying journal records.  A delivery that was applied before, by this
 * process or one before it, is known by its row or its tombstone; so a journal
 * may be applied again from any earlier place, and is, after a crash, from the
 * last checkpoint on: rows and hard links are written without a sync, and a
 * power cut may keep either without the other.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/store_int.h"
#include "wire/facts.h"

#define SIZE_LIMIT (1ull << 50)
#define TIME_LIMIT (1ull << 50)

enum { FLAGS_LIMIT = STORE_DRAFT << 1 };

/* The mailbox that a run delivers into at the moment. */
struct box {
	uint64_t wanted; /* what was asked for; id is INBOX where that is gone */
	uint64_t id, uidnext, messages, unseen; /* messages, unseen: how many more */
};

/* Deliveries to one account in one transaction: its counters are read and
 * written once. */
struct run {
	struct shard *sh;
	struct account a;
	struct box box;
	struct notes notes;
	uint64_t saved_ms;
	bool changed;
};

static enum rc
known(struct run *r, const struct msg_id *id, bool *out, struct err *err)
{
	static const char *const where[] = {
		"SELECT 1 FROM gone WHERE account_id = ? AND msgid = ?",
		"SELECT 1 FROM email WHERE account_id = ? AND msgid = ?",
	};

	*out = false;
	for (size_t i = 0; i < 2; i++) {
		PREPARE(q, r->sh->db, where[i], err);
		db_bind_u64(q, 1, r->a.id);
		db_bind_str(q, 2, msg_id_str(id));
		enum rc rc = db_step(q, err);
		if (rc == RC_NONE)
			continue;
		if (rc != RC_OK)
			return rc;
		db_reset(q);
		*out = true;
		/* its row is there, its file perhaps not: the power was cut */
		return i == 0 ? RC_OK : blob_link(r->sh->data, r->a.id, id, err);
	}
	return RC_OK;
}

static enum rc
box_find(struct run *r, uint64_t id, struct err *err)
{
	PREPARE(q, r->sh->db,
		"SELECT uidnext FROM mailbox WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, r->a.id);
	db_bind_u64(q, 2, id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	r->box = (struct box){ .id = id, .uidnext = db_u64(q, 0) };
	db_reset(q);
	return RC_OK;
}

static bool
used_up(const struct run *r)
{
	return r->box.uidnext >= UINT32_MAX;
}

static enum rc
box_load(struct run *r, uint64_t wanted, struct err *err)
{
	uint64_t beyond = 0;
	enum rc rc = box_find(r, wanted, err);

	if (wanted != INBOX_ID && (rc == RC_NONE || (rc == RC_OK && used_up(r))))
		rc = box_find(r, INBOX_ID, err);
	if (rc == RC_OK && used_up(r)) {
		rc = mailbox_beyond_inbox(r->sh, &r->a, &r->notes, &beyond, err);
		if (rc == RC_OK)
			rc = box_find(r, beyond, err);
	}
	if (rc == RC_NONE)
		return err_set(err, RC_TEMP,
			"account %" PRIu64 " has no INBOX: run verify", r->a.id);
	r->box.wanted = wanted;
	return rc;
}

static enum rc
box_save(struct run *r, struct err *err)
{
	const struct box *b = &r->box;

	if (b->messages == 0)
		return RC_OK;
	PREPARE(q, r->sh->db,
		"UPDATE mailbox SET uidnext = ?, messages = messages + ?,"
		" unseen = unseen + ?, modseq = ? WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, b->uidnext);
	db_bind_u64(q, 2, b->messages);
	db_bind_u64(q, 3, b->unseen);
	db_bind_u64(q, 4, r->a.modseq);
	db_bind_u64(q, 5, r->a.id);
	db_bind_u64(q, 6, b->id);
	return db_run(q, err);
}

static enum rc
run_begin(struct run *r, struct shard *sh, uint64_t account, struct err *err)
{
	*r = (struct run){
		.sh = sh, .saved_ms = clock_wall_ms(), .notes = notes_for(account)
	};
	return account_load_or_make(sh, account, &r->a, err);
}

static enum rc
run_end(struct run *r, struct err *err)
{
	enum rc rc;

	if (!r->changed)
		return RC_OK;
	if ((rc = box_save(r, err)) != RC_OK)
		return rc;
	return account_save(r->sh, &r->a, err);
}

/* What is not known stays NULL: it is asked of a scanner later. */
static void
bind_facts(struct db_stmt *q, struct shard *sh, const struct facts *f)
{
	if (f->date_s != INT64_MIN)
		db_bind_i64(q, 7, f->date_s);
	db_bind_u64(q, 8, f->header_bytes);
	buf_clear(&sh->envelope);
	facts_pack_envelope(&sh->envelope, &f->envelope);
	if (buf_ok(&sh->envelope))
		db_bind_blob(q, 10, buf_str(&sh->envelope));
	if (f->structure.n > 0) {
		buf_clear(&sh->envelope);
		facts_pack_structure(&sh->envelope, &f->structure);
		db_bind_blob(q, 11, buf_str(&sh->envelope));
	}
	if (f->known_preview)
		db_bind_str(q, 12, f->preview);
	if (f->known_head)
		db_bind_blob(q, 13, f->head);
}

static enum rc
insert_key(struct run *r, const struct msg_id *id, const struct facts *f, struct err *err)
{
	if (!f->known_head || f->sortkey.len == 0)
		return RC_OK;
	PREPARE(q, r->sh->db,
		"INSERT INTO email_key(account_id, msgid, key) VALUES(?, ?, ?)", err);
	db_bind_u64(q, 1, r->a.id);
	db_bind_str(q, 2, msg_id_str(id));
	db_bind_blob(q, 3, f->sortkey);
	return db_run(q, err);
}

static enum rc
insert_email(struct run *r, const struct store_delivery *d, const struct facts *f,
	uint64_t thread, struct err *err)
{
	struct shard *sh = r->sh;

	PREPARE(q, sh->db,
		"INSERT INTO email(account_id, msgid, size, received_ms, thread_id, refs,"
		" made_modseq, sent_s, header_bytes, digest, envelope, body_structure, preview,"
		" head, trace_bytes) VALUES(?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		err);
	db_bind_u64(q, 1, r->a.id);
	db_bind_str(q, 2, msg_id_str(&d->id));
	db_bind_u64(q, 3, d->size);
	db_bind_u64(q, 4, d->received_ms);
	db_bind_u64(q, 5, thread);
	db_bind_u64(q, 6, r->a.modseq);
	db_bind_null(q, 7);
	db_bind_null(q, 8);
	db_bind_blob(q, 9, (str){ (const char *)d->digest, sizeof(d->digest) });
	for (int i = 10; i <= 13; i++)
		db_bind_null(q, i);
	db_bind_u64(q, 14, d->trace_bytes);
	if (f != NULL)
		bind_facts(q, sh, f);
	enum rc rc = db_run(q, err);
	if (rc == RC_OK && f != NULL)
		rc = insert_key(r, &d->id, f, err);
	return rc == RC_OK && f != NULL ? items_insert(sh, r->a.id, &d->id, f, err) : rc;
}

static enum rc
insert_place(struct run *r, const struct view_row *row, struct err *err)
{
	PREPARE(q, r->sh->db,
		"INSERT INTO mailbox_email(account_id, mailbox_id, uid, msgid, flags, keywords,"
		" modseq, made_modseq, saved_ms, size, received_ms, thread_id, sent_s)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		err);
	db_bind_u64(q, 1, r->a.id);
	db_bind_u64(q, 2, r->box.id);
	db_bind_u64(q, 3, row->uid);
	db_bind_str(q, 4, msg_id_str(&row->id));
	db_bind_u64(q, 5, row->flags);
	db_bind_str(q, 6, row->keywords);
	db_bind_u64(q, 7, row->modseq);
	db_bind_u64(q, 8, row->modseq);
	db_bind_u64(q, 9, row->saved_ms);
	db_bind_u64(q, 10, row->size);
	db_bind_u64(q, 11, row->received_ms);
	db_bind_u64(q, 12, row->thread);
	if (row->sent_s != INT64_MIN)
		db_bind_i64(q, 13, row->sent_s);
	else
		db_bind_null(q, 13);
	return db_run(q, err);
}

/* Into the mailbox it is meant for. */
static enum rc
place(struct run *r, const struct store_delivery *d, const struct facts *f,
	uint64_t thread, struct err *err)
{
	uint64_t wanted = d->mailbox == 0 ? INBOX_ID : d->mailbox;
	enum rc rc = RC_OK;

	if ((r->box.wanted != wanted || used_up(r)) &&
		((rc = box_save(r, err)) != RC_OK ||
			(rc = box_load(r, wanted, err)) != RC_OK))
		return rc;
	struct note n = { .kind = NOTE_ADDED,
		.mailbox = r->box.id,
		.row = { .uid = (uint32_t)r->box.uidnext,
			.flags = d->flags,
			.keywords = d->keywords,
			.modseq = r->a.modseq,
			.id = d->id,
			.size = d->size,
			.received_ms = d->received_ms,
			.saved_ms = r->saved_ms,
			.thread = thread,
			.sent_s = f != NULL ? f->date_s : INT64_MIN } };
	if ((rc = insert_place(r, &n.row, err)) != RC_OK)
		return rc;
	notes_add(&r->notes, &n);
	r->box.uidnext++;
	r->box.messages++;
	r->box.unseen += (d->flags & STORE_SEEN) == 0;
	if (d->uid != NULL && r->box.id == wanted)
		*d->uid = n.row.uid;
	return RC_OK;
}

/* The message that this one replaces; gone already is as good. */
static enum rc
replace(struct run *r, const struct store_delivery *d, struct err *err)
{
	enum rc rc;

	if (d->replaces == 0)
		return RC_OK;
	rc = expunge_one(r->sh, &r->a, d->replaces_mailbox, d->replaces, &r->notes, err);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
deliver_one(struct run *r, const struct store_delivery *d, struct err *err)
{
	struct shard *sh = r->sh;
	struct facts f = { 0 };
	const struct facts *read;
	bool was = false;
	uint64_t thread = 0;
	enum rc rc = known(r, &d->id, &was, err);

	if (d->uid != NULL)
		*d->uid = 0;
	if (rc != RC_OK || was)
		return rc;
	if ((rc = blob_link(sh->data, r->a.id, &d->id, err)) != RC_OK)
		return rc;
	/* Facts that cannot be read cost the envelope, never the message. */
	arena_reset(sh->mem);
	read = facts_unpack(d->facts, d->size, sh->mem, &f) == RC_OK ? &f : NULL;
	(void)account_modseq(&r->a);
	if (read != NULL)
		rc = thread_of(sh, &r->a, &f, &thread, err);
	else
		thread = r->a.next_thread++;
	if (rc != RC_OK || (rc = insert_email(r, d, read, thread, err)) != RC_OK ||
		(rc = place(r, d, read, thread, err)) != RC_OK)
		return rc;
	r->a.bytes += d->size;
	r->a.messages++;
	r->changed = true;
	return replace(r, d, err);
}

/* What one shard is to do: items of the list, in its order. */
struct batch {
	const struct store_apply **at;
	size_t n;
};

static int
by_account(const void *a, const void *b)
{
	const struct store_apply *x = *(const struct store_apply *const *)a;
	const struct store_apply *y = *(const struct store_apply *const *)b;

	if (x->what.account != y->what.account)
		return x->what.account < y->what.account ? -1 : 1;
	return x < y ? -1 : x > y; /* one array: its order */
}

/* What a journal says is checked like anything from another process: the id
 * becomes a path. */
static enum rc
plausible(const struct store_delivery *d, struct err *err)
{
	if (ids_valid(msg_id_str(&d->id)) && d->account > 0 && d->account <= INT64_MAX &&
		d->size <= SIZE_LIMIT && d->received_ms <= TIME_LIMIT &&
		d->mailbox <= INT64_MAX && d->replaces_mailbox <= INT64_MAX &&
		d->flags < FLAGS_LIMIT && d->trace_bytes <= d->size)
		return RC_OK;
	return err_set(err, RC_PERM,
		"a journal record delivers what cannot be: account %" PRIu64
		", message \"%.20s\"",
		d->account, d->id.text);
}

/* The shard's transaction: what is to be told of each account once it is committed. */
struct work {
	struct shard *sh;
	struct notes *notes;
	size_t nnotes, room;
	struct err *lost;
};

static void
work_note(struct work *w, const struct notes *n)
{
	if (w->nnotes == w->room) {
		w->room = w->room == 0 ? 16 : w->room * 2;
		w->notes = realloc(w->notes, w->room * sizeof(*w->notes));
		if (w->notes == NULL)
			abort();
	}
	w->notes[w->nnotes++] = *n;
}

/* The deliveries of one account.  A message whose file is nowhere does not hold up the
 * others: it is reported in *lost, and audit will go on naming it. */
static enum rc
deliver_account(struct work *w, struct batch b, struct err *err)
{
	struct run r = { 0 };
	enum rc rc = run_begin(&r, w->sh, b.at[0]->what.account, err);

	for (size_t i = 0; i < b.n && rc == RC_OK; i++) {
		rc = deliver_one(&r, &b.at[i]->what, err);
		if (rc == RC_PERM) {
			*w->lost = *err;
			rc = RC_OK;
		}
	}
	if (rc == RC_OK)
		rc = run_end(&r, err);
	work_note(w, &r.notes);
	return rc;
}

static enum rc
deliver_rows(struct work *w, struct batch b, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0, end; i < b.n && rc == RC_OK; i = end) {
		if (plausible(&b.at[i]->what, err) != RC_OK) {
			*w->lost = *err;
			end = i + 1;
			continue;
		}
		for (end = i + 1; end < b.n;) {
			if (b.at[end]->what.account != b.at[i]->what.account ||
				plausible(&b.at[end]->what, err) != RC_OK)
				break;
			end++;
		}
		rc = deliver_account(w, (struct batch){ &b.at[i], end - i }, err);
	}
	return rc;
}

/* No UID was given after all. */
static void
take_back(struct batch b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.at[i]->what.uid != NULL)
			*b.at[i]->what.uid = 0;
}

static enum rc
deliver_shard(struct store *s, struct shard *sh, struct batch b, struct err *lost,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	struct work w = { .sh = sh, .lost = lost };
	enum rc rc = db_begin(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = deliver_rows(&w, b, err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK) {
		db_rollback(sh->db);
		take_back(b);
	}
	for (size_t i = 0; i < w.nnotes; i++) {
		if (rc == RC_OK)
			notes_publish(s, &w.notes[i]);
		notes_clear(&w.notes[i]);
	}
	free(w.notes);
	return rc;
}

/* Picks what the shard has not applied, an account's deliveries together. */
static struct batch
pick(struct store *s, const char *journal, unsigned shard, const struct store_apply *list,
	size_t n, const struct store_apply **room)
{
	uint64_t done = position_get(s, journal, shard);
	struct batch b = { .at = room };

	for (size_t i = 0; i < n; i++)
		if (list[i].what.account % STORE_SHARDS == shard && list[i].seq > done)
			b.at[b.n++] = &list[i];
	if (b.n > 1)
		qsort(b.at, b.n, sizeof(*b.at), by_account);
	return b;
}

enum rc
store_deliver(struct store *s, const char *journal, const struct store_apply *list,
	size_t n, uint64_t seq, struct err *err)
{
	const struct store_apply **room = calloc(n + 1, sizeof(*room));
	struct err first = { 0 }, lost = { 0 };

	if (room == NULL)
		abort();
	for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
		struct batch b = pick(s, journal, shard, list, n, room);
		struct err why = { 0 };

		if (b.n > 0 &&
			deliver_shard(s, &s->shards[shard], b, &lost, &why) != RC_OK) {
			if (first.rc == RC_OK)
				first = why;
			continue;
		}
		position_set(s, journal, shard, seq);
	}
	free(room);
	if (first.rc != RC_OK)
		return err_set(err, first.rc, "%s", first.text);
	if (lost.rc != RC_OK)
		return err_set(err, lost.rc, "%s", lost.text);
	return RC_OK;
}
