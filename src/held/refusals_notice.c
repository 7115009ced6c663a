/* SPDX-License-Identifier: ISC */
/* What the postmaster is to be told, and under which id. */
#include <inttypes.h>

#include "base/clock.h"
#include "held/refusals_int.h"

enum { EVERY_MS = 3600 * 1000 };

/* One that was begun and not yet delivered. */
static enum rc
unfinished(struct refusals *r, struct notice *out, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT message, made_ms FROM notice WHERE done = 0 "
		"ORDER BY made_ms LIMIT 1",
		err);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		(void)str_z(db_str(q, 0), out->message.text, sizeof(out->message.text));
		out->made_ms = db_u64(q, 1);
	}
	db_reset(q);
	return rc;
}

static enum rc
one_number(struct db_stmt *q, uint64_t *out, struct err *err)
{
	enum rc rc = db_step(q, err);

	if (rc == RC_OK)
		*out = db_u64(q, 0);
	db_reset(q);
	return rc;
}

static enum rc
last_made(struct refusals *r, uint64_t *ms, struct err *err)
{
	PREPARE(q, r->db, "SELECT COALESCE(MAX(made_ms), 0) FROM notice", err);
	return one_number(q, ms, err);
}

static enum rc
waiting(struct refusals *r, uint64_t *n, struct err *err)
{
	PREPARE(q, r->db, "SELECT COUNT(*) FROM notice_about WHERE notice = ''", err);
	return one_number(q, n, err);
}

static enum rc
put_notice(struct refusals *r, const struct notice *n, struct err *err)
{
	PREPARE(q, r->db, "INSERT INTO notice (message, made_ms, done) VALUES (?, ?, 0)",
		err);
	db_bind_str(q, 1, msg_id_str(&n->message));
	db_bind_u64(q, 2, n->made_ms);
	enum rc rc = db_run(q, err);

	if (rc != RC_OK)
		return rc;
	PREPARE(all, r->db, "UPDATE notice_about SET notice = ? WHERE notice = ''", err);
	db_bind_str(all, 1, msg_id_str(&n->message));
	return db_run(all, err);
}

/* A clock that was set back does not silence it for longer than an hour. */
static enum rc
begin(struct refusals *r, uint64_t wall_ms, struct notice *out, struct err *err)
{
	uint64_t last = 0, n = 0;
	enum rc rc = waiting(r, &n, err);

	if (rc == RC_OK && n == 0) {
		r->notices = false;
		return RC_NONE;
	}
	if (rc == RC_OK)
		rc = last_made(r, &last, err);
	if (rc != RC_OK)
		return rc;
	if (last <= wall_ms && wall_ms - last < EVERY_MS) {
		r->notice_ms = last + EVERY_MS;
		return RC_NONE;
	}
	out->message = ids_message(wall_ms);
	out->made_ms = wall_ms;
	rc = db_begin(r->db, err);
	return rc != RC_OK ? rc : refusals_finish(r, put_notice(r, out, err), err);
}

static enum rc
load_about(struct refusals *r, struct arena *mem, struct notice *out, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT id, n, time_ms, client, sender, held_as <> '' FROM notice_about "
		"WHERE notice = ? ORDER BY time_ms, id, n",
		err);
	enum rc rc;

	db_bind_str(q, 1, msg_id_str(&out->message));
	while ((rc = db_step(q, err)) == RC_OK) {
		struct notice_about *a = &out->about[out->n];
		struct refusal f = { .n = (uint32_t)db_u64(q, 1) };

		if (out->n == NOTICE_ABOUT) {
			out->more++;
			continue;
		}
		(void)str_z(db_str(q, 0), f.id.text, sizeof(f.id.text));
		refusal_name(&f, a->name);
		a->time_ms = db_u64(q, 2);
		a->held = db_u64(q, 5) != 0;
		if (arena_copy(mem, db_str(q, 3), &a->client) != RC_OK ||
			arena_copy(mem, db_str(q, 4), &a->sender) != RC_OK) {
			db_reset(q);
			return err_set(err, RC_LIMIT, "a notice is too large");
		}
		out->n++;
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
refusals_notice(struct refusals *r, uint64_t wall_ms, struct arena *mem,
	struct notice *out, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc;

	if (!r->notices || (wall_ms < r->notice_ms && r->notice_ms - wall_ms <= EVERY_MS))
		return RC_NONE;
	r->notice_ms = 0;
	*out = (struct notice){ .n = 0 };
	rc = unfinished(r, out, err);
	if (rc == RC_NONE)
		rc = begin(r, wall_ms, out, err);
	return rc == RC_OK ? load_about(r, mem, out, err) : rc;
}
