/* SPDX-License-Identifier: ISC */
#include "held/letters.h"

#include "base/clock.h"
#include "held/refusals_int.h"

enum {
	HOUR_MS = 3600 * 1000,
	DAY_MS = 24 * HOUR_MS,
	LATE_MS = 10 * 60 * 1000, /* as old as a refusal is when it is entered */
};

static enum rc
no_memory(struct err *err)
{
	return err_set(err, RC_LIMIT, "a letter is larger than the memory for it");
}

/* One that was begun and not yet delivered. */
static enum rc
unfinished(struct refusals *r, struct arena *mem, struct letter *out, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT message, kind, made_ms, address FROM letter WHERE done = 0 "
		"ORDER BY made_ms LIMIT 1",
		err);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		(void)str_z(db_str(q, 0), out->message.text, sizeof(out->message.text));
		out->kind = (enum letter_kind)db_u64(q, 1);
		out->made_ms = db_u64(q, 2);
		if (arena_copy(mem, db_str(q, 3), &out->address) != RC_OK)
			rc = no_memory(err);
	}
	db_reset(q);
	return rc;
}

/* ---- beginning one ---- */

/* How many an address was sent in the last hour, and when the first of them was. */
static enum rc
recent(struct refusals *r, const struct letter *l, uint64_t wall_ms, uint64_t *n,
	uint64_t *first_ms, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT COUNT(*), COALESCE(MIN(made_ms), 0) FROM letter WHERE kind = ? AND "
		"address = ? AND made_ms > ? AND made_ms <= ?",
		err);
	db_bind_u64(q, 1, l->kind);
	db_bind_str(q, 2, l->address);
	db_bind_u64(q, 3, wall_ms > HOUR_MS ? wall_ms - HOUR_MS : 0);
	db_bind_u64(q, 4, wall_ms); /* a clock that was set back silences nobody */
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		*n = db_u64(q, 0);
		*first_ms = db_u64(q, 1);
	}
	db_reset(q);
	return rc;
}

/* Whom something waits for, after `address`, in their order. */
static enum rc
next_waiting(struct refusals *r, struct arena *mem, struct letter *l, uint64_t *since_ms,
	struct err *err)
{
	PREPARE(q, r->db,
		"SELECT kind, address, MIN(time_ms) FROM letter_about WHERE letter = '' AND "
		"(kind > ? OR (kind = ? AND address > ?)) GROUP BY kind, address "
		"ORDER BY kind, address LIMIT 1",
		err);
	db_bind_u64(q, 1, l->kind);
	db_bind_u64(q, 2, l->kind);
	db_bind_str(q, 3, l->address);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		l->kind = (enum letter_kind)db_u64(q, 0);
		*since_ms = db_u64(q, 2);
		if (arena_copy(mem, db_str(q, 1), &l->address) != RC_OK)
			rc = no_memory(err);
	}
	db_reset(q);
	return rc;
}

static enum rc
put_letter(struct refusals *r, const struct letter *l, struct err *err)
{
	PREPARE(q, r->db,
		"INSERT INTO letter (message, kind, address, made_ms, done) "
		"VALUES (?, ?, ?, ?, 0)",
		err);
	db_bind_str(q, 1, msg_id_str(&l->message));
	db_bind_u64(q, 2, l->kind);
	db_bind_str(q, 3, l->address);
	db_bind_u64(q, 4, l->made_ms);
	return db_run(q, err);
}

/* The oldest that wait. */
static enum rc
take_about(struct refusals *r, const struct letter *l, uint64_t most, struct err *err)
{
	PREPARE(q, r->db,
		"UPDATE letter_about SET letter = ? WHERE letter = '' AND kind = ? AND address = ? "
		"AND (id, n) IN (SELECT a.id, a.n FROM letter_about a WHERE a.letter = '' AND "
		"a.kind = ? AND a.address = ? ORDER BY a.time_ms, a.id, a.n LIMIT ?)",
		err);
	db_bind_str(q, 1, msg_id_str(&l->message));
	db_bind_u64(q, 2, l->kind);
	db_bind_str(q, 3, l->address);
	db_bind_u64(q, 4, l->kind);
	db_bind_str(q, 5, l->address);
	db_bind_u64(q, 6, most);
	return db_run(q, err);
}

static enum rc
begin(struct refusals *r, uint64_t wall_ms, uint64_t most, struct letter *l,
	struct err *err)
{
	enum rc rc = db_begin(r->db, err);

	if (rc != RC_OK)
		return rc;
	l->message = ids_message(wall_ms);
	l->made_ms = wall_ms;
	rc = put_letter(r, l, err);
	if (rc == RC_OK)
		rc = take_about(r, l, most, err);
	return refusals_finish(r, rc, err);
}

/* A day's refusals come in one letter, whatever their number; each appeal has a link in one. */
static uint64_t
most_of(const struct letter *l, bool waited)
{
	if (l->kind == LETTER_DAILY)
		return INT64_MAX;
	return waited ? LETTER_ABOUT : 1;
}

/* Appeals to one address: at most ten letters an hour; what had to wait comes in one.
 * RC_NONE: nothing of what waits is due. */
static enum rc
begin_due(struct refusals *r, uint64_t wall_ms, struct arena *mem, struct letter *l,
	struct err *err)
{
	uint64_t again_ms = UINT64_MAX, since_ms = 0;
	enum rc rc;

	*l = (struct letter){ .address = STR("") };
	while ((rc = next_waiting(r, mem, l, &since_ms, err)) == RC_OK) {
		uint64_t n = 0, first_ms = 0;
		bool waited = since_ms + LETTERS_WAITED_MS < wall_ms;

		rc = recent(r, l, wall_ms, &n, &first_ms, err);
		if (rc != RC_OK)
			return rc;
		if (l->kind == LETTER_DAILY || n < LETTERS_HOUR)
			return begin(r, wall_ms, most_of(l, waited), l, err);
		if (first_ms + HOUR_MS < again_ms)
			again_ms = first_ms + HOUR_MS;
	}
	if (rc == RC_NONE && again_ms != UINT64_MAX)
		r->letters_ms = again_ms;
	else if (rc == RC_NONE)
		r->letters = false;
	return rc;
}

static enum rc
load_about(struct refusals *r, struct letter *l, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT id, n, role FROM letter_about WHERE letter = ? "
		"ORDER BY time_ms, id, n",
		err);
	enum rc rc;

	db_bind_str(q, 1, msg_id_str(&l->message));
	while ((rc = db_step(q, err)) == RC_OK) {
		struct letter_about *a = &l->about[l->n];

		if (l->n == LETTER_ABOUT) {
			l->more++;
			continue;
		}
		(void)str_z(db_str(q, 0), a->id.text, sizeof(a->id.text));
		a->n = (uint32_t)db_u64(q, 1);
		a->role = (enum decider_role)db_u64(q, 2);
		l->n++;
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
letters_next(struct refusals *r, uint64_t wall_ms, struct arena *mem, struct letter *out,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc;

	if (!r->letters ||
		(wall_ms < r->letters_ms && r->letters_ms - wall_ms <= HOUR_MS))
		return RC_NONE;
	r->letters_ms = 0;
	*out = (struct letter){ .n = 0 };
	rc = unfinished(r, mem, out, err);
	if (rc == RC_NONE)
		rc = begin_due(r, wall_ms, mem, out, err);
	return rc == RC_OK ? load_about(r, out, err) : rc;
}

enum rc
letters_drop(struct refusals *r, const struct msg_id *message, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);

	PREPARE(q, r->db, "UPDATE letter SET done = 1 WHERE message = ?", err);
	db_bind_str(q, 1, msg_id_str(message));
	enum rc rc = db_begin(r->db, err);

	return rc != RC_OK ? rc : refusals_finish(r, db_run(q, err), err);
}

static enum rc
put_back(struct refusals *r, const struct letter *l, size_t keep, struct err *err)
{
	PREPARE(q, r->db,
		"UPDATE letter_about SET letter = '' WHERE letter = ? AND (id, n) IN (SELECT a.id, "
		"a.n FROM letter_about a WHERE a.letter = ? ORDER BY a.time_ms, a.id, a.n LIMIT -1 "
		"OFFSET ?)",
		err);
	db_bind_str(q, 1, msg_id_str(&l->message));
	db_bind_str(q, 2, msg_id_str(&l->message));
	db_bind_u64(q, 3, keep);
	return db_run(q, err);
}

enum rc
letters_put_back(struct refusals *r, const struct letter *l, size_t keep, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = db_begin(r->db, err);

	return rc != RC_OK ? rc : refusals_finish(r, put_back(r, l, keep, err), err);
}

/* ---- once a day ---- */

static const char daily[] = "daily";

static enum rc
mark_of(struct refusals *r, uint64_t *out, struct err *err)
{
	PREPARE(q, r->db, "SELECT value FROM mark WHERE name = ?", err);
	db_bind_str(q, 1, str_of(daily));
	enum rc rc = db_step(q, err);

	if (rc == RC_OK)
		*out = db_u64(q, 0);
	db_reset(q);
	return rc;
}

enum rc
letters_daily_due(struct refusals *r, uint64_t wall_ms, uint64_t *from_ms,
	uint64_t *to_ms, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	const uint64_t day_ago = wall_ms > DAY_MS ? wall_ms - DAY_MS : 0;
	uint64_t last = 0;
	enum rc rc = mark_of(r, &last, err);

	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	/* a mark of the future is of a clock that was set back */
	if (rc == RC_OK && last > day_ago && last <= wall_ms)
		return RC_NONE;
	*from_ms = rc == RC_OK && last <= day_ago && last > LATE_MS ? last - LATE_MS
								    : day_ago;
	*to_ms = wall_ms;
	return RC_OK;
}

/* What was told, perhaps before the clock was set back, is not told again. */
static enum rc
put_daily(struct refusals *r, const struct decider *d, uint64_t time_ms, struct err *err)
{
	PREPARE(q, r->db,
		"INSERT OR IGNORE INTO letter_about (kind, address, id, n, role, time_ms, letter) "
		"VALUES (?, ?, ?, ?, ?, ?, '')",
		err);
	db_bind_u64(q, 1, LETTER_DAILY);
	db_bind_str(q, 2, d->address);
	db_bind_str(q, 3, msg_id_str(&d->id));
	db_bind_u64(q, 4, d->n);
	db_bind_u64(q, 5, d->role);
	db_bind_u64(q, 6, time_ms);
	return db_run(q, err);
}

static enum rc
put_mark(struct refusals *r, uint64_t value, struct err *err)
{
	PREPARE(q, r->db, "REPLACE INTO mark (name, value) VALUES (?, ?)", err);
	db_bind_str(q, 1, str_of(daily));
	db_bind_u64(q, 2, value);
	return db_run(q, err);
}

enum rc
letters_daily_put(struct refusals *r, const struct decider rows[], size_t n,
	uint64_t to_ms, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = db_begin(r->db, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = put_daily(r, &rows[i], ids_time_ms(msg_id_str(&rows[i].id)), err);
	if (rc == RC_OK)
		rc = put_mark(r, to_ms, err);
	rc = refusals_finish(r, rc, err);
	if (rc == RC_OK && n > 0) {
		r->letters = true;
		r->letters_ms = 0;
	}
	return rc;
}
