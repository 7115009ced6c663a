/* SPDX-License-Identifier: ISC */
#include <ctype.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "held/refusals_int.h"

enum { PAGE = 64, PAGE_MEM = 8 * 1024 * 1024, MOST_RCPTS = 100 * 1000 };

/* state: RELEASED once the copy was delivered, whatever was decided before */
#define STATE "CASE WHEN COALESCE(d.done_ms, 0) > 0 THEN 3 ELSE f.state END"
#define SELECT                                                                         \
	"SELECT f.id, f.n, " STATE ", f.time_ms, f.expires_ms, f.held_until_ms, "      \
	"CASE WHEN COALESCE(d.done_ms, 0) > 0 THEN d.done_ms ELSE f.decided_ms END, "  \
	"CASE WHEN COALESCE(d.done_ms, 0) > 0 THEN d.who ELSE f.decided_by END, "      \
	"f.client, f.helo, f.sender, f.findings, f.reason, f.score, f.size, f.virus, " \
	"f.held_as, COALESCE(d.release_id, '') FROM refusal f "                        \
	"LEFT JOIN released d ON d.id = f.id AND d.n = f.n "

static const char *const states[] = { "?", "open", "appealed", "released", "dismissed" };

const char *
refusal_state_name(enum refusal_state s)
{
	return (size_t)s < sizeof(states) / sizeof(states[0]) ? states[s] : states[0];
}

void
refusal_name(const struct refusal *f, char out[REFUSAL_NAME])
{
	(void)snprintf(out, REFUSAL_NAME, "%s.%u", f->id.text, f->n);
}

static enum rc
too_large(struct err *err)
{
	return err_set(err, RC_LIMIT, "a refusal is larger than the memory for it");
}

static enum rc
load_rcpts(struct refusals *r, struct arena *mem, struct refusal *f, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT address, (SELECT COUNT(*) FROM rcpt WHERE id = ? AND n = ?) "
		"FROM rcpt WHERE id = ? AND n = ? ORDER BY k",
		err);
	size_t room = 0;
	enum rc rc;

	for (int i = 1; i < 5; i += 2) {
		db_bind_str(q, i, msg_id_str(&f->id));
		db_bind_u64(q, i + 1, f->n);
	}
	while ((rc = db_step(q, err)) == RC_OK) {
		if (f->rcpts == NULL) {
			room = (size_t)db_u64(q, 1);
			f->rcpts = arena_array(mem, room < MOST_RCPTS ? room : MOST_RCPTS,
				sizeof(*f->rcpts));
		}
		if (f->rcpts == NULL || f->nrcpts == room ||
			arena_copy(mem, db_str(q, 0), &f->rcpts[f->nrcpts]) != RC_OK) {
			db_reset(q);
			return too_large(err);
		}
		f->nrcpts++;
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

/* The row that q stands on, but for its recipients. */
static enum rc
load(struct db_stmt *q, struct arena *mem, struct refusal *f, struct err *err)
{
	str *const strings[] = { &f->decided_by, &f->client, &f->helo, &f->sender,
		&f->findings, &f->reason };

	*f = (struct refusal){ .n = (uint32_t)db_u64(q, 1),
		.state = (enum refusal_state)db_u64(q, 2),
		.time_ms = db_u64(q, 3),
		.expires_ms = db_u64(q, 4),
		.held_until_ms = db_u64(q, 5),
		.decided_ms = db_u64(q, 6),
		.score = (int32_t)db_i64(q, 13),
		.size = db_u64(q, 14),
		.virus = db_u64(q, 15) != 0 };
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (arena_copy(mem, db_str(q, 7 + (int)i), strings[i]) != RC_OK)
			return too_large(err);
	(void)str_z(db_str(q, 0), f->id.text, sizeof(f->id.text));
	(void)str_z(db_str(q, 16), f->held_as.text, sizeof(f->held_as.text));
	(void)str_z(db_str(q, 17), f->release_id.text, sizeof(f->release_id.text));
	f->held = f->held_as.text[0] != '\0' && f->held_until_ms > clock_wall_ms();
	return RC_OK;
}

/* Where a listing goes on. */
struct page {
	enum refusal_state state;
	const struct msg_id *id; /* NULL: any */
	uint64_t time_ms;
	struct msg_id after;
	uint32_t after_n;
	struct refusal at[PAGE];
	size_t n;
};

/* Newest first, as far as a page goes. */
static enum rc
load_page(struct refusals *r, struct page *p, struct arena *mem, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);

	PREPARE(q, r->db,
		SELECT
		"WHERE (? = 0 OR " STATE
		" = ?) AND f.time_ms <= ? AND (f.time_ms < ? OR f.id < ? OR "
		"(f.id = ? AND f.n > ?)) ORDER BY f.time_ms DESC, f.id DESC, f.n LIMIT ?",
		err);
	enum rc rc;

	db_bind_u64(q, 1, p->state);
	db_bind_u64(q, 2, p->state);
	db_bind_u64(q, 3, p->time_ms);
	db_bind_u64(q, 4, p->time_ms);
	db_bind_str(q, 5, msg_id_str(&p->after));
	db_bind_str(q, 6, msg_id_str(&p->after));
	db_bind_u64(q, 7, p->after_n);
	db_bind_u64(q, 8, PAGE);
	p->n = 0;
	while (p->n < PAGE && (rc = db_step(q, err)) == RC_OK &&
		(rc = load(q, mem, &p->at[p->n], err)) == RC_OK)
		p->n++;
	db_reset(q);
	if (rc == RC_NONE)
		rc = RC_OK;
	for (size_t i = 0; i < p->n && rc == RC_OK; i++)
		rc = load_rcpts(r, mem, &p->at[i], err);
	return rc;
}

enum rc
refusals_each(struct refusals *r, enum refusal_state state, refusal_fn *fn, void *arg,
	struct err *err)
{
	ARENA_AUTO mem = arena_new(PAGE * REFUSALS_ROW);
	/* '~' is after every id */
	struct page p = { .state = state, .time_ms = INT64_MAX, .after.text = "~" };
	enum rc rc;

	do {
		arena_reset(mem);
		rc = load_page(r, &p, mem, err);
		for (size_t i = 0; i < p.n && rc == RC_OK; i++)
			rc = fn(&p.at[i], arg, err);
		if (p.n > 0) {
			p.time_ms = p.at[p.n - 1].time_ms;
			p.after = p.at[p.n - 1].id;
			p.after_n = p.at[p.n - 1].n;
		}
	} while (rc == RC_OK && p.n == PAGE);
	return rc;
}

enum rc
refusals_load(struct refusals *r, str id, uint32_t n, struct arena *mem,
	struct refusal *out, struct err *err)
{
	struct refusal f;

	PREPARE(q, r->db, SELECT "WHERE f.id = ? AND f.n = ?", err);
	db_bind_str(q, 1, id);
	db_bind_u64(q, 2, n);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK)
		rc = load(q, mem, &f, err);
	db_reset(q);
	if (rc == RC_OK)
		rc = load_rcpts(r, mem, &f, err);
	if (rc == RC_OK)
		*out = f;
	return rc;
}

/* The lowest number after n, and how many there are from it on. */
static enum rc
next_number(struct refusals *r, str id, uint32_t *n, uint64_t *count, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT COALESCE(MIN(n), 0), COUNT(*) FROM refusal WHERE id = ? AND n > ?",
		err);
	db_bind_str(q, 1, id);
	db_bind_u64(q, 2, *n);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		*n = (uint32_t)db_u64(q, 0);
		*count = db_u64(q, 1);
	}
	db_reset(q);
	return rc;
}

enum rc
refusals_of(struct refusals *r, const struct msg_id *id, refusal_fn *fn, void *arg,
	struct err *err)
{
	ARENA_AUTO mem = arena_new(REFUSALS_ROW);
	uint32_t n = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		struct refusal f;
		uint64_t count = 0;

		arena_reset(mem);
		{
			LOCK_AUTO held = lock_take(&r->lock);

			rc = next_number(r, msg_id_str(id), &n, &count, err);
			if (rc == RC_OK && count > 0)
				rc = refusals_load(r, msg_id_str(id), n, mem, &f, err);
		}
		if (rc == RC_OK && count == 0)
			break;
		if (rc == RC_OK)
			rc = fn(&f, arg, err);
	}
	return rc;
}

/* People type: ids in any case. */
static bool
read_name(str name, struct msg_id *id, uint64_t *n)
{
	str left = name, head;

	*n = 0;
	if (!str_cut(&left, '.', &head) || head.len != MSG_ID_LEN)
		return false;
	for (size_t i = 0; i < MSG_ID_LEN; i++)
		id->text[i] = (char)toupper((unsigned char)head.ptr[i]);
	id->text[MSG_ID_LEN] = '\0';
	if (!ids_valid(msg_id_str(id)))
		return false;
	return head.len == name.len || (str_u64(left, UINT32_MAX, n) && *n > 0);
}

enum rc
refusals_find(struct refusals *r, str name, struct arena *mem, struct refusal *out,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	struct msg_id id;
	uint64_t n, count = 0;
	uint32_t first = 0;
	enum rc rc;

	if (!read_name(name, &id, &n))
		return err_set(err, RC_BAD,
			"\"" STR_FMT
			"\" is not the name of a refusal: an id of %d letters and "
			"digits, or ID.N",
			(int)(name.len < 60 ? name.len : 60), name.ptr, MSG_ID_LEN);
	if (n == 0) {
		rc = next_number(r, msg_id_str(&id), &first, &count, err);
		if (rc != RC_OK)
			return rc;
		if (count > 1)
			return err_set(err, RC_BAD,
				"message %s was refused with %llu links; say which: %s.%u and on, "
				"as `gatepost refusal list` shows them",
				id.text, (unsigned long long)count, id.text, first);
		n = first;
	}
	return n == 0 ? RC_NONE
		      : refusals_load(r, msg_id_str(&id), (uint32_t)n, mem, out, err);
}

enum rc
refusals_by_token(struct refusals *r, str token, struct arena *mem, struct refusal *out,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	uint8_t digest[SHA256_BYTES];
	struct msg_id id;
	uint32_t n = 0;

	sha256(token, digest);
	PREPARE(q, r->db, "SELECT id, n FROM refusal WHERE token = ?", err);
	db_bind_blob(q, 1, (str){ (const char *)digest, sizeof(digest) });
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		(void)str_z(db_str(q, 0), id.text, sizeof(id.text));
		n = (uint32_t)db_u64(q, 1);
	}
	db_reset(q);
	return rc == RC_OK ? refusals_load(r, msg_id_str(&id), n, mem, out, err) : rc;
}

enum rc
refusals_need(struct refusals *r, const struct msg_id *file, uint64_t wall_ms, bool *out,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);

	PREPARE(q, r->db, "SELECT 1 FROM refusal WHERE held_as = ? AND held_until_ms > ?",
		err);
	db_bind_str(q, 1, msg_id_str(file));
	db_bind_u64(q, 2, wall_ms);
	enum rc rc = db_step(q, err);

	db_reset(q);
	if (rc == RC_OK || rc == RC_NONE)
		*out = rc == RC_OK;
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
refusals_expired(struct refusals *r, uint64_t *time_ms, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);

	PREPARE(q, r->db, "SELECT value FROM mark WHERE name = 'expired'", err);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK || rc == RC_NONE)
		*time_ms = rc == RC_OK ? db_u64(q, 0) : 0;
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

/* fn under the lock would be a trap; these are few and short. */
enum rc
refusals_openings(struct refusals *r, const struct refusal *f, refusal_opened_fn *fn,
	void *arg, struct err *err)
{
	ARENA_AUTO mem = arena_new(REFUSALS_ROW);
	uint64_t after = 0, time_ms = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		str who = { 0 }, why = { 0 };
		{
			LOCK_AUTO held = lock_take(&r->lock);

			PREPARE(q, r->db,
				"SELECT num, time_ms, who, why FROM opened WHERE id = ? AND n = ? "
				"AND num > ? ORDER BY num LIMIT 1",
				err);
			db_bind_str(q, 1, msg_id_str(&f->id));
			db_bind_u64(q, 2, f->n);
			db_bind_u64(q, 3, after);
			arena_reset(mem);
			rc = db_step(q, err);
			if (rc == RC_OK) {
				after = db_u64(q, 0);
				time_ms = db_u64(q, 1);
				if (arena_copy(mem, db_str(q, 2), &who) != RC_OK ||
					arena_copy(mem, db_str(q, 3), &why) != RC_OK)
					rc = too_large(err);
			}
			db_reset(q);
		}
		if (rc == RC_OK)
			rc = fn(time_ms, who, why, arg, err);
	}
	return rc == RC_NONE ? RC_OK : rc;
}
