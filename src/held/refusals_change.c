/* SPDX-License-Identifier: ISC */
/* What people decide, and what time does. */
#include <stdlib.h>

#include "base/clock.h"
#include "held/held.h"
#include "held/refusals_int.h"

enum { HOUR_MS = 3600 * 1000, FILES = 100 * 1000 };

#define YEAR_MS (365ull * 24 * HOUR_MS)

static enum rc
put_opened(struct refusals *r, const struct refusal *f, str who, str why, struct err *err)
{
	PREPARE(q, r->db,
		"INSERT INTO opened (id, n, time_ms, who, why) VALUES (?, ?, ?, ?, ?)",
		err);
	db_bind_str(q, 1, msg_id_str(&f->id));
	db_bind_u64(q, 2, f->n);
	db_bind_u64(q, 3, clock_wall_ms());
	db_bind_str(q, 4, str_first(who, REFUSAL_WHO));
	db_bind_str(q, 5, str_first(why, REFUSAL_WHO));
	return db_run(q, err);
}

enum rc
refusals_opened(
	struct refusals *r, const struct refusal *f, str who, str why, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = db_begin(r->db, err);

	return rc != RC_OK ? rc
			   : refusals_finish(r, put_opened(r, f, who, why, err), err);
}

static enum rc
put_dismissed(struct refusals *r, const struct refusal *f, str who, struct err *err)
{
	PREPARE(q, r->db,
		"UPDATE refusal SET state = ?, decided_ms = ?, decided_by = ? "
		"WHERE id = ? AND n = ?",
		err);
	db_bind_u64(q, 1, REFUSAL_DISMISSED);
	db_bind_u64(q, 2, clock_wall_ms());
	db_bind_str(q, 3, str_first(who, REFUSAL_WHO));
	db_bind_str(q, 4, msg_id_str(&f->id));
	db_bind_u64(q, 5, f->n);
	return db_run(q, err);
}

enum rc
refusals_dismiss(struct refusals *r, const struct refusal *f, str who, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = db_begin(r->db, err);

	return rc != RC_OK ? rc : refusals_finish(r, put_dismissed(r, f, who, err), err);
}

/* RC_NONE: nobody asked yet. */
static enum rc
asked_before(
	struct refusals *r, const struct refusal *f, struct msg_id *id, struct err *err)
{
	PREPARE(q, r->db, "SELECT release_id FROM released WHERE id = ? AND n = ?", err);
	db_bind_str(q, 1, msg_id_str(&f->id));
	db_bind_u64(q, 2, f->n);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK && !str_z(db_str(q, 0), id->text, sizeof(id->text)))
		rc = err_set(err, RC_PERM, "the register has a release without an id");
	db_reset(q);
	return rc;
}

static enum rc
ask_release(struct refusals *r, const struct refusal *f, str who, const struct msg_id *id,
	struct err *err)
{
	PREPARE(q, r->db,
		"INSERT INTO released (id, n, release_id, who, asked_ms, done_ms) "
		"VALUES (?, ?, ?, ?, ?, 0)",
		err);
	db_bind_str(q, 1, msg_id_str(&f->id));
	db_bind_u64(q, 2, f->n);
	db_bind_str(q, 3, msg_id_str(id));
	db_bind_str(q, 4, str_first(who, REFUSAL_WHO));
	db_bind_u64(q, 5, clock_wall_ms());
	return db_run(q, err);
}

enum rc
refusals_release_id(struct refusals *r, const struct refusal *f, str who,
	struct msg_id *id, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	struct msg_id made;
	enum rc rc = asked_before(r, f, &made, err);

	if (rc == RC_NONE) {
		refusals_make_release_id(&f->id, f->n, &made);
		if ((rc = db_begin(r->db, err)) != RC_OK)
			return rc;
		rc = refusals_finish(r, ask_release(r, f, who, &made, err), err);
	}
	if (rc == RC_OK)
		*id = made;
	return rc;
}

/* --- time --- */

/* Each takes one moment.  Who looked at what stays for a year; a release may stand
 * there before its refusal. */
static const struct {
	const char *sql;
	uint64_t after_ms;
} ageing[] = {
	{ "DELETE FROM rcpt WHERE EXISTS (SELECT 1 FROM refusal f WHERE f.id = rcpt.id "
	  "AND f.n = rcpt.n AND f.expires_ms <= ?)",
		0 },
	{ "DELETE FROM training WHERE EXISTS (SELECT 1 FROM refusal f WHERE "
	  "f.id = training.id AND f.n = training.n AND f.expires_ms <= ?)",
		0 },
	{ "DELETE FROM released WHERE EXISTS (SELECT 1 FROM refusal f WHERE "
	  "f.id = released.id AND f.n = released.n AND f.expires_ms <= ?)",
		0 },
	{ "DELETE FROM appeal WHERE NOT EXISTS (SELECT 1 FROM refusal f WHERE "
	  "f.id = appeal.id AND f.n = appeal.n AND f.expires_ms > ?)",
		0 },
	{ "DELETE FROM decider WHERE NOT EXISTS (SELECT 1 FROM refusal f WHERE "
	  "f.id = decider.id AND f.n = decider.n AND f.expires_ms > ?)",
		0 },
	{ "DELETE FROM letter_about WHERE EXISTS (SELECT 1 FROM letter l WHERE "
	  "l.message = letter AND l.done = 1) AND NOT EXISTS (SELECT 1 FROM refusal f WHERE "
	  "f.id = letter_about.id AND f.n = letter_about.n AND f.expires_ms > ?)",
		0 },
	{ "DELETE FROM refusal WHERE expires_ms <= ?", 0 },
	{ "DELETE FROM letter WHERE done = 1 AND made_ms <= ?", YEAR_MS },
	{ "DELETE FROM opened WHERE time_ms <= ?", YEAR_MS },
	{ "DELETE FROM released WHERE (CASE WHEN done_ms > asked_ms THEN done_ms ELSE "
	  "asked_ms END) <= ?",
		2 * YEAR_MS },
	{ "DELETE FROM notice_about WHERE notice <> '' AND time_ms <= ?", YEAR_MS },
	{ "DELETE FROM notice WHERE done = 1 AND made_ms <= ?", YEAR_MS },
};

static enum rc
newest_expired(struct refusals *r, uint64_t wall_ms, uint64_t *out, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT COALESCE(MAX(time_ms), 0) FROM refusal WHERE expires_ms <= ?",
		err);
	db_bind_u64(q, 1, wall_ms);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK)
		*out = db_u64(q, 0);
	db_reset(q);
	return rc;
}

/* What is newer than this must be in the register; audit relies on it. */
static enum rc
mark_expired(struct refusals *r, uint64_t wall_ms, struct err *err)
{
	static const char *const how[] = {
		"UPDATE mark SET value = CASE WHEN value > ? THEN value ELSE ? END "
		"WHERE name = 'expired'",
		"INSERT INTO mark (name, value) VALUES ('expired', CASE WHEN ? > 0 THEN ? ELSE 0 "
		"END)",
	};
	uint64_t newest = 0;
	enum rc rc = newest_expired(r, wall_ms, &newest, err);

	for (size_t i = 0; i < 2 && rc == RC_OK && newest > 0; i++) {
		PREPARE(q, r->db, how[i], err);
		db_bind_u64(q, 1, newest);
		db_bind_u64(q, 2, newest);
		if ((rc = db_run(q, err)) != RC_OK || db_changes(r->db) > 0)
			break;
	}
	return rc;
}

static enum rc
remove_rows(struct refusals *r, uint64_t wall_ms, struct err *err)
{
	enum rc rc = mark_expired(r, wall_ms, err);

	for (size_t i = 0; i < sizeof(ageing) / sizeof(ageing[0]) && rc == RC_OK; i++) {
		uint64_t after = ageing[i].after_ms;

		PREPARE(q, r->db, ageing[i].sql, err);
		db_bind_u64(q, 1, wall_ms > after ? wall_ms - after : 0);
		rc = db_run(q, err);
	}
	return rc;
}

static enum rc
expire_rows(struct refusals *r, uint64_t wall_ms, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = db_begin(r->db, err);

	return rc != RC_OK ? rc : refusals_finish(r, remove_rows(r, wall_ms, err), err);
}

/* Until then gate may name the file for another message with the same bytes. */
uint64_t
refusals_orphan_ms(const struct refusals *r)
{
	uint64_t keep = r->want.keep_ms;

	return (keep < HELD_SAME_MS ? keep : HELD_SAME_MS) + HOUR_MS;
}

struct old_files {
	uint64_t before_ms;
	struct msg_id *at;
	size_t n;
};

static bool
take_old(const struct held_about *about, void *arg)
{
	struct old_files *old = arg;

	if (about->wall_ms < old->before_ms)
		old->at[old->n++] = about->id;
	return old->n < FILES;
}

enum rc
refusals_expire(struct refusals *r, int held_dir, uint64_t wall_ms, struct err *err)
{
	struct old_files old = { .n = 0 };
	uint64_t age = refusals_orphan_ms(r);
	enum rc rc = expire_rows(r, wall_ms, err);

	if (rc != RC_OK || held_dir < 0)
		return rc;
	old.before_ms = wall_ms > age ? wall_ms - age : 0;
	old.at = calloc(FILES, sizeof(*old.at));
	if (old.at == NULL)
		abort();
	rc = held_each(held_dir, take_old, &old, err);
	for (size_t i = 0; i < old.n && rc == RC_OK; i++) {
		bool needed = true;

		rc = refusals_need(r, &old.at[i], wall_ms, &needed, err);
		if (rc == RC_OK && !needed)
			rc = held_remove(held_dir, old.at[i].text, err);
		if (rc == RC_NONE)
			rc = RC_OK;
	}
	free(old.at);
	return rc;
}
