/* SPDX-License-Identifier: ISC */
/*
 * Applying journal records.  A delivery that was applied before, by this
 * process or one before it, is known by its row or its tombstone; so a journal
 * may be applied again from any earlier place, and is, after a crash, from the
 * last checkpoint on: rows and hard links are written without a sync, and a
 * power cut may keep either without the other.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/store_int.h"
#include "wire/facts.h"

#define SIZE_LIMIT (1ull << 50)
#define TIME_LIMIT (1ull << 50)

/* Deliveries to one account in one transaction: its counters are read and
 * written once. */
struct run {
	struct shard *sh;
	struct account a;
	uint64_t uidnext, messages, unseen; /* of INBOX */
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
run_begin(struct run *r, struct shard *sh, uint64_t account, struct err *err)
{
	enum rc rc;

	*r = (struct run){ .sh = sh, .saved_ms = clock_wall_ms() };
	if ((rc = account_load_or_make(sh, account, &r->a, err)) != RC_OK)
		return rc;
	PREPARE(q, sh->db,
		"SELECT uidnext, messages, unseen FROM mailbox"
		" WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, INBOX_ID);
	if ((rc = db_step(q, err)) != RC_OK)
		return rc == RC_NONE
			       ? err_set(err, RC_TEMP,
					 "account %" PRIu64 " has no INBOX: run verify",
					 account)
			       : rc;
	r->uidnext = db_u64(q, 0);
	r->messages = db_u64(q, 1);
	r->unseen = db_u64(q, 2);
	db_reset(q);
	return RC_OK;
}

static enum rc
run_end(struct run *r, struct err *err)
{
	enum rc rc;

	if (!r->changed)
		return RC_OK;
	if ((rc = account_save(r->sh, &r->a, err)) != RC_OK)
		return rc;
	PREPARE(q, r->sh->db,
		"UPDATE mailbox SET uidnext = ?, messages = ?, unseen = ?, modseq = ?"
		" WHERE account_id = ? AND mailbox_id = ?",
		err);
	db_bind_u64(q, 1, r->uidnext);
	db_bind_u64(q, 2, r->messages);
	db_bind_u64(q, 3, r->unseen);
	db_bind_u64(q, 4, r->a.modseq);
	db_bind_u64(q, 5, r->a.id);
	db_bind_u64(q, 6, INBOX_ID);
	return db_run(q, err);
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
}

static enum rc
insert_email(struct run *r, const struct store_delivery *d, const struct facts *f,
	uint64_t thread, struct err *err)
{
	struct shard *sh = r->sh;

	PREPARE(q, sh->db,
		"INSERT INTO email(account_id, msgid, size, received_ms, thread_id, refs,"
		" made_modseq, sent_s, header_bytes, digest, envelope, body_structure, preview)"
		" VALUES(?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
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
	for (int i = 10; i <= 12; i++)
		db_bind_null(q, i);
	if (f != NULL)
		bind_facts(q, sh, f);
	return db_run(q, err);
}

static enum rc
insert_place(struct run *r, const struct store_delivery *d, struct err *err)
{
	PREPARE(q, r->sh->db,
		"INSERT INTO mailbox_email(account_id, mailbox_id, uid, msgid, flags, keywords,"
		" modseq, made_modseq, saved_ms) VALUES(?, ?, ?, ?, 0, '', ?, ?, ?)",
		err);
	db_bind_u64(q, 1, r->a.id);
	db_bind_u64(q, 2, INBOX_ID);
	db_bind_u64(q, 3, r->uidnext++);
	db_bind_str(q, 4, msg_id_str(&d->id));
	db_bind_u64(q, 5, r->a.modseq);
	db_bind_u64(q, 6, r->a.modseq);
	db_bind_u64(q, 7, r->saved_ms);
	return db_run(q, err);
}

static enum rc
deliver_one(struct run *r, const struct store_delivery *d, struct err *err)
{
	struct shard *sh = r->sh;
	struct facts f = { 0 };
	bool was = false, read;
	uint64_t thread = 0;
	enum rc rc = known(r, &d->id, &was, err);

	if (rc != RC_OK || was)
		return rc;
	if ((rc = blob_link(sh->data, r->a.id, &d->id, err)) != RC_OK)
		return rc;
	/* Facts that cannot be read cost the envelope, never the message. */
	arena_reset(sh->mem);
	read = facts_unpack(d->facts, d->size, sh->mem, &f) == RC_OK;
	(void)account_modseq(&r->a);
	if (read)
		rc = thread_of(sh, &r->a, &f, &thread, err);
	else
		thread = r->a.next_thread++;
	if (rc != RC_OK ||
		(rc = insert_email(r, d, read ? &f : NULL, thread, err)) != RC_OK ||
		(rc = insert_place(r, d, err)) != RC_OK)
		return rc;
	r->a.bytes += d->size;
	r->a.messages++;
	r->messages++;
	r->unseen++;
	r->changed = true;
	return RC_OK;
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
		d->size <= SIZE_LIMIT && d->received_ms <= TIME_LIMIT)
		return RC_OK;
	return err_set(err, RC_PERM,
		"a journal record delivers what cannot be: account %" PRIu64
		", message \"%.20s\"",
		d->account, d->id.text);
}

/* A message whose file is nowhere does not hold up the others: it is reported
 * in *lost, and audit will go on naming it. */
static enum rc
deliver_rows(struct shard *sh, struct batch b, struct err *lost, struct err *err)
{
	struct run r = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < b.n && rc == RC_OK; i++) {
		const struct store_delivery *d = &b.at[i]->what;

		rc = plausible(d, err);
		if (rc == RC_OK && r.a.id != d->account) {
			if ((rc = run_end(&r, err)) == RC_OK)
				rc = run_begin(&r, sh, d->account, err);
			if (rc != RC_OK)
				return rc;
		}
		if (rc == RC_OK)
			rc = deliver_one(&r, d, err);
		if (rc == RC_PERM) {
			*lost = *err;
			rc = RC_OK;
		}
	}
	return rc == RC_OK ? run_end(&r, err) : rc;
}

static enum rc
deliver_shard(struct shard *sh, struct batch b, struct err *lost, struct err *err)
{
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = db_begin(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = deliver_rows(sh, b, lost, err);
	if (rc == RC_OK)
		rc = db_commit(sh->db, err);
	if (rc != RC_OK)
		db_rollback(sh->db);
	return rc;
}

static struct position *
position_of(struct store *s, const char *journal)
{
	struct position *p = s->positions;

	for (size_t i = 0; i < s->npositions; i++, p++)
		if (strcmp(p->journal, journal) == 0)
			return p;
	assert(s->npositions < JOURNALS);
	*p = (struct position){ 0 };
	bool fits = str_z(str_of(journal), p->journal, sizeof(p->journal));
	assert(fits);
	s->npositions++;
	return p;
}

static uint64_t
position_get(struct store *s, const char *journal, unsigned shard)
{
	LOCK_AUTO held = lock_take(&s->positions_lock);

	return position_of(s, journal)->seq[shard];
}

static void
position_set(struct store *s, const char *journal, unsigned shard, uint64_t seq)
{
	LOCK_AUTO held = lock_take(&s->positions_lock);
	struct position *p = position_of(s, journal);

	if (p->seq[shard] < seq)
		p->seq[shard] = seq;
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
			deliver_shard(&s->shards[shard], b, &lost, &why) != RC_OK) {
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

enum rc
store_applied(struct store *s, const char *journal, uint64_t *seq, struct err *err)
{
	LOCK_AUTO held = lock_take(&s->positions_lock);
	const struct position *p = position_of(s, journal);
	uint64_t least = UINT64_MAX;

	(void)err;
	for (unsigned i = 0; i < STORE_SHARDS; i++)
		if (p->seq[i] < least)
			least = p->seq[i];
	*seq = least;
	return RC_OK;
}
