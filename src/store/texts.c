/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "store/change.h"
#include "store/items.h"
#include "store/store_int.h"

enum { TEXTS_AT_ONCE = 256 }; /* under the shard's lock */

static enum rc
copy(struct arena *mem, str s, str *out, struct err *err)
{
	if (s.len == 0)
		return RC_OK;
	if (arena_copy(mem, s, out) != RC_OK)
		return err_set(
			err, RC_LIMIT, "more texts at once than there is room for");
	return RC_OK;
}

static enum rc
take(struct db_stmt *q, struct arena *mem, struct store_texts *t, struct err *err)
{
	enum rc rc;

	*t = (struct store_texts){ .trace_bytes = (uint32_t)db_u64(q, 0),
		.header_bytes = db_is_null(q, 1) ? 0 : (uint32_t)db_u64(q, 1),
		.known_preview = !db_is_null(q, 4),
		.known_head = !db_is_null(q, 5) };
	if ((rc = copy(mem, db_str(q, 2), &t->envelope, err)) != RC_OK ||
		(rc = copy(mem, db_str(q, 3), &t->structure, err)) != RC_OK ||
		(rc = copy(mem, db_str(q, 4), &t->preview, err)) != RC_OK)
		return rc;
	return copy(mem, db_str(q, 5), &t->head, err);
}

/* The messages that are asked for, by their ids: then the next row costs less than looking for
 * it.  Those that came within one millisecond have their ids in any order. */
struct asked {
	const struct msg_id *id;
	size_t at; /* of the answer */
};

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct asked *)a)->id->text,
		((const struct asked *)b)->id->text, MSG_ID_LEN);
}

static void
put_in_order(const struct msg_id *const ids[], size_t n, struct asked *out)
{
	bool sorted = true;

	for (size_t i = 0; i < n; i++) {
		out[i] = (struct asked){ ids[i], i };
		sorted = sorted && (i == 0 || by_id(&out[i - 1], &out[i]) <= 0);
	}
	if (!sorted)
		qsort(out, n, sizeof(*out), by_id);
}

/* A statement whose rows come by msgid, and which may begin at any. */
struct walk {
	struct db_stmt *q;
	int id, from; /* msgid's column; the parameter to begin at */
	bool begun, there; /* at a row */
};

enum { STRAYS = 4 }; /* rows that nobody asked for, and then the next one is looked up */

static enum rc
walk_step(struct walk *w, struct err *err)
{
	enum rc rc = db_step(w->q, err);

	w->there = rc == RC_OK;
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
walk_seek(struct walk *w, const struct msg_id *id, struct err *err)
{
	db_reset(w->q);
	db_bind_str(w->q, w->from, msg_id_str(id));
	w->begun = true;
	return walk_step(w, err);
}

/* *here: at the row of the message, which is not before the last one asked for. */
static enum rc
walk_to(struct walk *w, const struct msg_id *id, bool *here, struct err *err)
{
	enum rc rc = w->begun ? RC_OK : walk_seek(w, id, err);
	int c = -1;

	for (unsigned strays = 0; rc == RC_OK && w->there; strays++) {
		c = str_cmp(db_str(w->q, w->id), msg_id_str(id));
		if (c >= 0)
			break;
		rc = strays < STRAYS ? walk_step(w, err) : walk_seek(w, id, err);
	}
	*here = rc == RC_OK && w->there && c == 0;
	return rc;
}

/* A column that is not wanted is not read: most of a row lies in pages of its own. */
static enum rc
all(struct shard *sh, uint64_t account, const struct asked *asked, size_t n,
	unsigned want, struct arena *mem, struct store_texts *out, struct err *err)
{
	struct walk w = { .id = 6, .from = 3 };
	enum rc rc = RC_OK;
	bool here;

	PREPARE(q, sh->db,
		"SELECT trace_bytes, header_bytes, CASE WHEN ?1 & 1 THEN envelope END,"
		" CASE WHEN ?1 & 2 THEN body_structure END, CASE WHEN ?1 & 4 THEN preview END,"
		" CASE WHEN ?1 & 8 THEN head END, msgid FROM email"
		" WHERE account_id = ?2 AND msgid >= ?3 ORDER BY msgid",
		err);
	w.q = q;
	db_bind_u64(q, 1, want);
	db_bind_u64(q, 2, account);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct store_texts *t = &out[asked[i].at];

		*t = (struct store_texts){ .header_bytes = UINT32_MAX };
		rc = walk_to(&w, asked[i].id, &here, err);
		if (here)
			rc = take(q, mem, t, err);
	}
	db_reset(q);
	return rc;
}

/* In one transaction: without it each question would take SQLite's locks, which cost more
 * than its answer. */
static enum rc
some(struct shard *sh, uint64_t account, const struct msg_id *const ids[], size_t n,
	unsigned want, struct arena *mem, struct store_texts *out, struct err *err)
{
	struct asked asked[TEXTS_AT_ONCE];

	put_in_order(ids, n, asked);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = db_begin_read(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = all(sh, account, asked, n, want, mem, out, err);
	db_rollback(sh->db);
	return rc;
}

enum rc
store_texts(struct store *s, uint64_t account, const struct msg_id *const ids[], size_t n,
	unsigned want, struct arena *mem, struct store_texts *out, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i += TEXTS_AT_ONCE) {
		size_t m = n - i > TEXTS_AT_ONCE ? TEXTS_AT_ONCE : n - i;

		rc = some(sh, account, ids + i, m, want, mem, out + i, err);
	}
	return rc;
}

static enum rc
all_items(struct shard *sh, uint64_t account, const struct asked *asked, size_t n,
	enum store_item item, struct arena *mem, str *out, struct err *err)
{
	struct walk w = { .id = 0, .from = 3 };
	enum rc rc = RC_OK;
	bool here;

	PREPARE(q, sh->db,
		"SELECT msgid, text FROM email_item"
		" WHERE account_id = ?1 AND item = ?2 AND msgid >= ?3 ORDER BY msgid",
		err);
	w.q = q;
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, item);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		out[asked[i].at] = (str){ 0 };
		rc = walk_to(&w, asked[i].id, &here, err);
		if (here)
			rc = copy(mem, db_str(q, 1), &out[asked[i].at], err);
	}
	db_reset(q);
	return rc;
}

static enum rc
some_items(struct shard *sh, uint64_t account, const struct msg_id *const ids[], size_t n,
	enum store_item item, struct arena *mem, str *out, struct err *err)
{
	struct asked asked[TEXTS_AT_ONCE];

	put_in_order(ids, n, asked);
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = db_begin_read(sh->db, err);

	if (rc != RC_OK)
		return rc;
	rc = all_items(sh, account, asked, n, item, mem, out, err);
	db_rollback(sh->db);
	return rc;
}

enum rc
store_items(struct store *s, uint64_t account, const struct msg_id *const ids[], size_t n,
	enum store_item item, struct arena *mem, str *out, struct err *err)
{
	struct shard *sh = shard_of(s, account);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i += TEXTS_AT_ONCE) {
		size_t m = n - i > TEXTS_AT_ONCE ? TEXTS_AT_ONCE : n - i;

		rc = some_items(sh, account, ids + i, m, item, mem, out + i, err);
	}
	return rc;
}
