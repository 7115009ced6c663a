/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "ledger/ledger_int.h"
#include "wire/pack.h"

enum { ROW_MEM = 32 * 1024 * 1024, MOST_KEYS = 1000 * 1000, ADDRESS = 2048 };

#define COLUMNS \
	"journal, seq, ordinal, time_ms, id, client, helo, sender, size, flags, findings"
#define MATCH                                                                                       \
	" FROM message WHERE time_ms >= ? AND (? = '' OR lower(sender) = ?) AND (? = '' OR EXISTS " \
	"(SELECT 1 FROM rcpt WHERE rcpt.journal = message.journal AND rcpt.seq = message.seq "      \
	"AND lower(rcpt.address) = ?))"

struct key {
	char journal[LEDGER_NAME];
	uint64_t seq;
	struct month month;
};

struct find {
	struct ledger *l;
	const struct ledger_query *q;
	char from[ADDRESS], to[ADDRESS]; /* in lower case */
	struct month since;
	ledger_fn *fn;
	void *arg;
	struct arena *mem;
};

static bool
lower(str s, char out[ADDRESS])
{
	if (!str_z(s, out, ADDRESS))
		return false;
	for (char *p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return true;
}

static enum rc
copy(struct find *f, struct db_stmt *s, int col, str *out, struct err *err)
{
	if (arena_copy(f->mem, db_str(s, col), out) != RC_OK)
		return err_set(err, RC_LIMIT, "ledger: a row is too large");
	return RC_OK;
}

static enum rc
load_rcpt(struct find *f, struct db_stmt *s, struct ledger_rcpt *r, struct err *err)
{
	struct pack p = { .left = db_str(s, 6) };
	enum rc rc;

	if ((rc = copy(f, s, 0, &r->address, err)) != RC_OK ||
		(rc = copy(f, s, 3, &r->enhanced, err)) != RC_OK ||
		(rc = copy(f, s, 4, &r->reason, err)) != RC_OK)
		return rc;
	r->answer = (enum jrec_answer)db_u64(s, 1);
	r->code = (unsigned)db_u64(s, 2);
	r->score = (int32_t)db_i64(s, 5);
	r->ntargets = p.left.len / 8;
	r->targets = arena_array(f->mem, r->ntargets, 8);
	if (r->targets == NULL)
		return err_set(err, RC_LIMIT, "ledger: a row is too large");
	for (size_t i = 0; i < r->ntargets; i++)
		r->targets[i] = pack_le(&p, 8);
	return RC_OK;
}

static enum rc
load_rcpts(struct find *f, struct db *db, struct ledger_row *row, struct err *err)
{
	struct db_stmt *s = db_prepare(db,
		"SELECT address, answer, code, enhanced, reason, score, targets FROM rcpt "
		"WHERE journal = ? AND seq = ? ORDER BY n",
		err);
	size_t room = 8;
	enum rc rc;

	if (s == NULL)
		return RC_TEMP;
	db_bind_str(s, 1, row->journal);
	db_bind_u64(s, 2, row->seq);
	row->rcpts = arena_array(f->mem, room, sizeof(*row->rcpts));
	while (row->rcpts != NULL && (rc = db_step(s, err)) == RC_OK) {
		if (row->nrcpts == room) {
			struct ledger_rcpt *more = arena_array(
				f->mem, room * 2, sizeof(*row->rcpts));

			if (more == NULL)
				break;
			memcpy(more, row->rcpts, room * sizeof(*more));
			row->rcpts = more;
			room *= 2;
		}
		if ((rc = load_rcpt(f, s, &row->rcpts[row->nrcpts], err)) != RC_OK)
			break;
		row->nrcpts++;
	}
	db_reset(s);
	if (row->rcpts == NULL || rc == RC_OK)
		return err_set(err, RC_LIMIT, "ledger: a row is too large");
	return rc == RC_NONE ? RC_OK : rc;
}

/* The row that s stands on goes to the caller's function. */
static enum rc
give_row(struct find *f, struct db *db, struct db_stmt *s, struct err *err)
{
	struct ledger_row row = { .seq = db_u64(s, 1),
		.ordinal = db_u64(s, 2),
		.time_ms = db_u64(s, 3),
		.size = db_u64(s, 8),
		.flags = (uint32_t)db_u64(s, 9) };
	enum rc rc;

	arena_reset(f->mem);
	if ((rc = copy(f, s, 0, &row.journal, err)) != RC_OK ||
		(rc = copy(f, s, 6, &row.helo, err)) != RC_OK ||
		(rc = copy(f, s, 7, &row.from, err)) != RC_OK ||
		(rc = copy(f, s, 10, &row.findings, err)) != RC_OK)
		return rc;
	(void)str_z(db_str(s, 4), row.id.text, sizeof(row.id.text));
	if (!ip_parse(db_str(s, 5), &row.client))
		row.client = (struct ip){ .family = 0 };
	if ((rc = load_rcpts(f, db, &row, err)) != RC_OK)
		return rc;
	return f->fn(&row, f->arg, err);
}

static void
bind_match(struct find *f, struct db_stmt *s)
{
	db_bind_u64(s, 1, f->q->since_ms);
	db_bind_str(s, 2, str_of(f->from));
	db_bind_str(s, 3, str_of(f->from));
	db_bind_str(s, 4, str_of(f->to));
	db_bind_str(s, 5, str_of(f->to));
}

/* Everything that matches in a month, oldest first. */
static enum rc
stream_month(struct find *f, const struct month *m, struct err *err)
{
	bool by_id = !str_empty(f->q->id);
	struct db *db;
	enum rc rc = month_db(f->l, m, &db, err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	struct db_stmt *s = by_id ? db_prepare(db,
					    "SELECT " COLUMNS MATCH
					    " AND id = ? ORDER BY time_ms, journal, seq",
					    err)
				  : db_prepare(db,
					    "SELECT " COLUMNS MATCH
					    " ORDER BY time_ms, journal, seq",
					    err);
	if (s == NULL)
		return RC_TEMP;
	bind_match(f, s);
	if (by_id)
		db_bind_str(s, 6, f->q->id);
	while ((rc = db_step(s, err)) == RC_OK)
		if ((rc = give_row(f, db, s, err)) != RC_OK)
			break;
	db_reset(s);
	return rc == RC_NONE ? RC_OK : rc;
}

/* Where the newest matches of a month are, newest first. */
static enum rc
newest_keys(struct find *f, const struct month *m, struct key *keys, size_t most,
	size_t *n, struct err *err)
{
	struct db *db;
	enum rc rc = month_db(f->l, m, &db, err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	struct db_stmt *s = db_prepare(db,
		"SELECT journal, seq" MATCH " AND (? = '' OR id = ?) "
		"ORDER BY time_ms DESC, journal DESC, seq DESC LIMIT ?",
		err);
	if (s == NULL)
		return RC_TEMP;
	bind_match(f, s);
	db_bind_str(s, 6, f->q->id);
	db_bind_str(s, 7, f->q->id);
	db_bind_u64(s, 8, most - *n);
	while (*n < most && (rc = db_step(s, err)) == RC_OK) {
		struct key *k = &keys[(*n)++];

		(void)str_z(db_str(s, 0), k->journal, sizeof(k->journal));
		k->seq = db_u64(s, 1);
		k->month = *m;
	}
	db_reset(s);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
give_key(struct find *f, const struct key *k, struct err *err)
{
	struct db *db;
	enum rc rc = month_db(f->l, &k->month, &db, err);

	if (rc != RC_OK)
		return rc;
	struct db_stmt *s = db_prepare(
		db, "SELECT " COLUMNS " FROM message WHERE journal = ? AND seq = ?", err);
	if (s == NULL)
		return RC_TEMP;
	db_bind_str(s, 1, str_of(k->journal));
	db_bind_u64(s, 2, k->seq);
	if ((rc = db_step(s, err)) == RC_OK)
		rc = give_row(f, db, s, err);
	db_reset(s);
	return rc == RC_NONE ? RC_OK : rc; /* aged meanwhile */
}

static enum rc
find_newest(struct find *f, const struct month *months, size_t nmonths, struct err *err)
{
	size_t most = f->q->most < MOST_KEYS ? f->q->most : MOST_KEYS, n = 0;
	struct key *keys = calloc(most, sizeof(*keys));
	enum rc rc = RC_OK;

	if (keys == NULL)
		abort();
	for (size_t i = nmonths; i-- > 0 && rc == RC_OK && n < most;)
		if (strcmp(months[i].text, f->since.text) >= 0)
			rc = newest_keys(f, &months[i], keys, most, &n, err);
	while (n-- > 0 && rc == RC_OK)
		rc = give_key(f, &keys[n], err);
	free(keys);
	return rc;
}

enum rc
ledger_find(struct ledger *l, const struct ledger_query *q, ledger_fn *fn, void *arg,
	struct err *err)
{
	struct find f = {
		.l = l, .q = q, .since = month_of(q->since_ms), .fn = fn, .arg = arg
	};
	struct month *months = NULL;
	size_t n = 0;
	enum rc rc;

	if (!lower(q->from, f.from) || !lower(q->to, f.to) || q->since_ms > INT64_MAX)
		return RC_OK; /* nothing can match */
	if ((rc = month_list(l, &months, &n, err)) != RC_OK)
		return rc;
	f.mem = arena_new(ROW_MEM);
	if (q->most > 0)
		rc = find_newest(&f, months, n, err);
	else
		for (size_t i = 0; i < n && rc == RC_OK; i++)
			if (strcmp(months[i].text, f.since.text) >= 0)
				rc = stream_month(&f, &months[i], err);
	arena_free(&f.mem);
	free(months);
	return rc;
}
