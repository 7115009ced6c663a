/* SPDX-License-Identifier: ISC */
/*
 * Threads: a message belongs to the thread of the newest message it refers to
 * that is known by its Message-ID, else of one that has referred to it, else
 * to a new one.  A thread once given stays (RFC 8474 5.2), so two threads that
 * a late message connects are not joined.
 */
#include "base/hash.h"
#include "store/store_int.h"
#include "wire/facts.h"

/* Looked at of one message: the root and the newest. */
enum { REFS_MOST = 24 };

struct refs {
	size_t n;
	struct ref {
		int64_t hash;
		bool known;
	} at[REFS_MOST + 2];
};

/* Kept on disk, so the key is fixed.  Who finds two ids with one hash has put
 * his own message into a thread, as he could have by naming it. */
static int64_t
hash_of(str id)
{
	static const uint64_t key[2] = { 0x7468726561642d31ull, 0x6d6573736167652dull };

	return (int64_t)hash_sip24(key, id.ptr, id.len);
}

static str
bare(str id)
{
	id = str_trim(id);
	if (id.len >= 2 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>')
		id = (str){ id.ptr + 1, id.len - 2 };
	return id;
}

static void
add(struct refs *r, str id)
{
	id = bare(id);
	if (id.len == 0)
		return;
	int64_t hash = hash_of(id);
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].hash == hash)
			return;
	r->at[r->n++] = (struct ref){ .hash = hash };
}

/* In the order in which they decide. */
static struct refs
refs_of(const struct facts *f)
{
	struct refs r = { 0 };

	for (size_t i = f->nrefs; i > 0 && f->nrefs - i < REFS_MOST; i--)
		add(&r, f->refs[i - 1]);
	if (f->nrefs > REFS_MOST)
		add(&r, f->refs[0]);
	add(&r, f->envelope.message_id);
	return r;
}

static enum rc
look_up(struct shard *sh, uint64_t account, struct refs *r, uint64_t *thread,
	struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		PREPARE(q, sh->db,
			"SELECT thread_id FROM thread_ref WHERE account_id = ? AND hash = ?",
			err);
		db_bind_u64(q, 1, account);
		db_bind_i64(q, 2, r->at[i].hash);
		enum rc rc = db_step(q, err);
		if (rc == RC_NONE)
			continue;
		if (rc != RC_OK)
			return rc;
		r->at[i].known = true;
		if (*thread == 0)
			*thread = db_u64(q, 0);
		db_reset(q);
	}
	return RC_OK;
}

static enum rc
remember(struct shard *sh, uint64_t account, const struct refs *r, uint64_t thread,
	struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->at[i].known)
			continue;
		PREPARE(q, sh->db,
			"INSERT INTO thread_ref(account_id, hash, thread_id) VALUES(?, ?, ?)",
			err);
		db_bind_u64(q, 1, account);
		db_bind_i64(q, 2, r->at[i].hash);
		db_bind_u64(q, 3, thread);
		enum rc rc = db_run(q, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
thread_of(struct shard *sh, struct account *a, const struct facts *f, uint64_t *thread,
	struct err *err)
{
	struct refs r = refs_of(f);
	uint64_t found = 0;
	enum rc rc = look_up(sh, a->id, &r, &found, err);

	if (rc != RC_OK)
		return rc;
	if (found == 0)
		found = a->next_thread++;
	if ((rc = remember(sh, a->id, &r, found, err)) != RC_OK)
		return rc;
	*thread = found;
	return RC_OK;
}
