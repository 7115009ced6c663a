/* SPDX-License-Identifier: ISC */
#include "ledger/ledger_int.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "ledger_sql.h"

enum { CACHE = 256 * 1024, PATH = 40 };

#define LAST_TIME 253402300799999ull /* the end of the year 9999 */

struct month
month_of(uint64_t time_ms)
{
	struct month m = { .text = "" };
	char text[CLOCK_TEXT];

	clock_text(time_ms < LAST_TIME ? time_ms : LAST_TIME, text);
	memcpy(m.text, text, sizeof(m.text) - 1);
	return m;
}

struct list {
	struct month *at;
	size_t n;
};

static bool
digits(str s)
{
	uint64_t v;

	return str_u64(s, 9999, &v);
}

static bool
take_month(const char *name, void *arg)
{
	struct list *l = arg;
	str s = str_of(name);

	if (s.len != 10 || !str_eq(str_skip(s, 7), STR(".db")) || s.ptr[4] != '-' ||
		!digits(str_first(s, 4)) || !digits(str_first(str_skip(s, 5), 2)))
		return true;
	if (l->n == LEDGER_MONTHS)
		return false;
	memcpy(l->at[l->n].text, s.ptr, 7);
	l->at[l->n++].text[7] = '\0';
	return true;
}

static int
by_month(const void *a, const void *b)
{
	return strcmp(((const struct month *)a)->text, ((const struct month *)b)->text);
}

enum rc
month_list(struct ledger *l, struct month **out, size_t *n, struct err *err)
{
	struct list list = { .at = calloc(LEDGER_MONTHS, sizeof(*list.at)) };
	enum rc rc;

	if (list.at == NULL)
		abort();
	rc = fs_each(l->want.data, "ledger", take_month, &list, err);
	if (rc != RC_OK && rc != RC_NONE) {
		free(list.at);
		return rc;
	}
	qsort(list.at, list.n, sizeof(*list.at), by_month);
	*out = list.at;
	*n = list.n;
	return RC_OK;
}

/* A reader may see a month whose tables its writer is about to make. */
static enum rc
prepare_month(struct ledger *l, struct db *db, struct err *err)
{
	unsigned version = 0;

	if (!l->want.read_only)
		return db_migrate(db, ledger_schema,
			sizeof(ledger_schema) / sizeof(ledger_schema[0]), err);
	enum rc rc = db_version(db, &version, err);
	return rc == RC_OK && version == 0 ? RC_NONE : rc;
}

enum rc
month_db(struct ledger *l, const struct month *m, struct db **out, struct err *err)
{
	struct month_db *slot = &l->open[0];
	char path[PATH];
	enum rc rc;

	for (size_t i = 0; i < LEDGER_HANDLES; i++) {
		if (l->open[i].db != NULL && by_month(&l->open[i].month, m) == 0) {
			l->open[i].used = ++l->uses;
			*out = l->open[i].db;
			return RC_OK;
		}
		if (l->open[i].used < slot->used)
			slot = &l->open[i];
	}
	db_close(&slot->db);
	(void)snprintf(path, sizeof(path), "ledger/%s.db", m->text);
	struct db_want w = { .dirfd = l->want.data,
		.path = path,
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = CACHE,
		.read_only = l->want.read_only,
		.mode = 0640 };
	if ((rc = db_open(&w, &slot->db, err)) != RC_OK) {
		slot->db = NULL;
		return rc;
	}
	if ((rc = prepare_month(l, slot->db, err)) != RC_OK) {
		db_close(&slot->db);
		return rc;
	}
	slot->month = *m;
	slot->used = ++l->uses;
	*out = slot->db;
	return RC_OK;
}

/* The journal's entry, made if it is new; NULL past the limit. */
static struct position *
position_of(struct position at[LEDGER_JOURNALS], size_t *n, str journal)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(str_of(at[i].journal), journal))
			return &at[i];
	if (*n == LEDGER_JOURNALS || !str_z(journal, at[*n].journal, LEDGER_NAME))
		return NULL;
	at[*n].seq = at[*n].ordinal = 0;
	return &at[(*n)++];
}

enum rc
month_positions(
	struct db *db, struct position at[LEDGER_JOURNALS], size_t *n, struct err *err)
{
	struct db_stmt *q = db_prepare(
		db, "SELECT journal, seq, ordinal FROM position", err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	while ((rc = db_step(q, err)) == RC_OK) {
		struct position *p = position_of(at, n, db_str(q, 0));

		if (p != NULL && db_u64(q, 1) > p->seq) {
			p->seq = db_u64(q, 1);
			p->ordinal = db_u64(q, 2);
		}
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
all_positions(struct ledger *l, bool settle, struct position at[LEDGER_JOURNALS],
	size_t *n, struct err *err)
{
	struct month *months = NULL;
	size_t nmonths = 0;
	enum rc rc = month_list(l, &months, &nmonths, err);

	*n = 0;
	for (size_t i = 0; i < nmonths && rc == RC_OK; i++) {
		struct db *db;

		rc = month_db(l, &months[i], &db, err);
		if (rc == RC_NONE) {
			rc = RC_OK;
			continue;
		}
		if (rc == RC_OK && settle) /* which was written last is not known */
			rc = db_checkpoint(db, err);
		if (rc == RC_OK)
			rc = month_positions(db, at, n, err);
	}
	free(months);
	return rc;
}

static enum rc
make_folder(struct ledger *l, struct err *err)
{
	enum rc rc;

	if (faccessat(l->want.data, "ledger", F_OK, 0) == 0)
		return RC_OK;
	if ((rc = fs_mkdirs(l->want.data, "ledger", 0750, err)) != RC_OK)
		return rc;
	return fs_sync_dir(l->want.data, err);
}

enum rc
ledger_open(const struct ledger_want *w, struct ledger **out, struct err *err)
{
	struct ledger *l = calloc(1, sizeof(*l));
	enum rc rc = RC_OK;

	if (l == NULL)
		abort();
	l->want = *w;
	(void)pthread_mutex_init(&l->lock, NULL);
	if (!w->read_only && (rc = make_folder(l, err)) == RC_OK)
		rc = all_positions(l, true, l->at, &l->njournals, err);
	if (rc != RC_OK) {
		ledger_close(&l);
		return err_wrap(err, "ledger");
	}
	*out = l;
	return RC_OK;
}

void
ledger_close(struct ledger **lp)
{
	struct ledger *l = *lp;

	if (l == NULL)
		return;
	for (size_t i = 0; i < LEDGER_HANDLES; i++)
		db_close(&l->open[i].db);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
	*lp = NULL;
}

enum rc
ledger_applied(struct ledger *l, const char *journal, uint64_t *seq, struct err *err)
{
	LOCK_AUTO held = lock_take(&l->lock);
	struct position read[LEDGER_JOURNALS], *at = l->at;
	size_t n = l->njournals;

	if (l->want.read_only) {
		enum rc rc = all_positions(l, false, read, &n, err);

		if (rc != RC_OK)
			return rc;
		at = read;
	}
	*seq = 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(at[i].journal, journal) == 0)
			*seq = at[i].seq;
	return RC_OK;
}

static enum rc
settle(struct ledger *l, struct err *err)
{
	FD_AUTO folder = -1;
	struct db *db;
	enum rc rc;

	if (l->dirty.text[0] == '\0')
		return RC_OK;
	if ((rc = month_db(l, &l->dirty, &db, err)) != RC_OK ||
		(rc = db_checkpoint(db, err)) != RC_OK ||
		(rc = fs_open_dir(l->want.data, "ledger", &folder, err)) != RC_OK ||
		(rc = fs_sync_dir(folder, err)) != RC_OK)
		return rc;
	l->dirty.text[0] = '\0';
	return RC_OK;
}

enum rc
ledger_checkpoint(struct ledger *l, struct err *err)
{
	LOCK_AUTO held = lock_take(&l->lock);
	enum rc rc = settle(l, err);

	return rc == RC_OK ? RC_OK : err_wrap(err, "ledger");
}

/* A batch being entered. */
struct entry {
	const char *journal;
	struct position *at; /* as committed */
	struct position now; /* with this run */
	struct arena *mem;
};

static enum rc
enter_rcpts(struct db *db, const struct entry *e, uint64_t seq,
	const struct jrec_message *m, struct err *err)
{
	struct db_stmt *q = db_prepare(db,
		"INSERT INTO rcpt (journal, seq, n, address, answer, code, enhanced, reason, score, "
		"targets) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		err);
	enum rc rc = q == NULL ? RC_TEMP : RC_OK;

	for (size_t i = 0; i < m->nrcpts && rc == RC_OK; i++) {
		const struct jrec_rcpt *r = &m->rcpts[i];
		BUF_AUTO targets = BUF(8 * JREC_TARGETS);

		for (size_t t = 0; t < r->ntargets; t++)
			buf_le(&targets, r->targets[t], 8);
		db_bind_str(q, 1, str_of(e->journal));
		db_bind_u64(q, 2, seq);
		db_bind_u64(q, 3, i);
		db_bind_str(q, 4, r->address);
		db_bind_u64(q, 5, r->answer);
		db_bind_u64(q, 6, r->code);
		db_bind_str(q, 7, r->enhanced);
		db_bind_str(q, 8, r->reason);
		db_bind_i64(q, 9, r->score);
		db_bind_blob(q, 10, targets.len == 0 ? STR("") : buf_str(&targets));
		rc = db_run(q, err);
	}
	return rc;
}

static uint32_t
flags_of(const struct jrec_message *m)
{
	for (size_t i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].answer == JREC_REFUSED && m->rcpts[i].has_token)
			return m->flags | LEDGER_LINK;
	return m->flags;
}

static enum rc
enter_message(struct db *db, struct entry *e, uint64_t seq, const struct jrec_message *m,
	struct err *err)
{
	struct db_stmt *q = db_prepare(db,
		"INSERT INTO message (journal, seq, ordinal, time_ms, id, client, helo, sender, size, "
		"flags, nrcpts, findings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		err);
	char client[IP_TEXT];
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	ip_text(&m->client, client);
	db_bind_str(q, 1, str_of(e->journal));
	db_bind_u64(q, 2, seq);
	db_bind_u64(q, 3, ++e->now.ordinal);
	db_bind_u64(q, 4, m->time_ms);
	db_bind_str(q, 5, msg_id_str(&m->id));
	db_bind_str(q, 6, str_of(client));
	db_bind_str(q, 7, m->helo);
	db_bind_str(q, 8, m->from);
	db_bind_u64(q, 9, m->size);
	db_bind_u64(q, 10, flags_of(m));
	db_bind_u64(q, 11, m->nrcpts);
	db_bind_str(q, 12, m->findings);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	return enter_rcpts(db, e, seq, m, err);
}

static void
bind_counts(struct db_stmt *q, const struct jrec_counts *c, str network)
{
	db_bind_u64(q, 1, c->unknown);
	db_bind_u64(q, 2, c->relay);
	db_bind_u64(q, 3, c->full);
	db_bind_u64(q, 4, c->other);
	db_bind_u64(q, 5, c->minute);
	db_bind_str(q, 6, network);
}

static enum rc
enter_counts(struct db *db, const struct jrec_counts *c, struct err *err)
{
	char network[IP_TEXT];
	struct db_stmt *q = db_prepare(db,
		"UPDATE refusals SET unknown = unknown + ?, relay = relay + ?, "
		"full_mailbox = full_mailbox + ?, other = other + ? "
		"WHERE minute = ? AND network = ?",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	ip_text(&c->network, network);
	bind_counts(q, c, str_of(network));
	if ((rc = db_run(q, err)) != RC_OK || db_changes(db) > 0)
		return rc;
	q = db_prepare(db,
		"INSERT INTO refusals (unknown, relay, full_mailbox, other, minute, "
		"network) VALUES (?, ?, ?, ?, ?, ?)",
		err);
	if (q == NULL)
		return RC_TEMP;
	bind_counts(q, c, str_of(network));
	return db_run(q, err);
}

static enum rc
damaged(const struct entry *e, uint64_t seq, struct err *err)
{
	return err_set(err, RC_PERM, "record %" PRIu64 " of journal %s cannot be read",
		seq, e->journal);
}

static enum rc
enter_item(
	struct db *db, struct entry *e, const struct journal_item *item, struct err *err)
{
	struct jrec_message m;
	struct jrec_counts c;

	e->now.seq = item->seq;
	if (item->kind == JREC_MESSAGE) {
		arena_reset(e->mem);
		if (jrec_get_message(item->payload, e->mem, &m) != RC_OK)
			return damaged(e, item->seq, err);
		return enter_message(db, e, item->seq, &m, err);
	}
	if (item->kind == JREC_COUNTS) {
		if (jrec_get_counts(item->payload, &c) != RC_OK)
			return damaged(e, item->seq, err);
		return enter_counts(db, &c, err);
	}
	return RC_OK;
}

/* The month a record belongs to; RC_NONE: to any. */
static enum rc
item_month(struct entry *e, const struct journal_item *item, struct month *m,
	struct err *err)
{
	struct jrec_message msg;
	struct jrec_counts c;

	if (item->kind == JREC_MESSAGE) {
		arena_reset(e->mem);
		if (jrec_get_message(item->payload, e->mem, &msg) != RC_OK)
			return damaged(e, item->seq, err);
		*m = month_of(msg.time_ms);
		return RC_OK;
	}
	if (item->kind == JREC_COUNTS) {
		if (jrec_get_counts(item->payload, &c) != RC_OK)
			return damaged(e, item->seq, err);
		*m = month_of(c.minute * 60000);
		return RC_OK;
	}
	return RC_NONE;
}

static enum rc
put_position(struct db *db, const struct entry *e, struct err *err)
{
	struct db_stmt *q = db_prepare(
		db, "UPDATE position SET seq = ?, ordinal = ? WHERE journal = ?", err);
	enum rc rc;

	for (unsigned i = 0; i < 2; i++) {
		if (q == NULL)
			return RC_TEMP;
		db_bind_u64(q, 1, e->now.seq);
		db_bind_u64(q, 2, e->now.ordinal);
		db_bind_str(q, 3, str_of(e->journal));
		if ((rc = db_run(q, err)) != RC_OK || db_changes(db) > 0)
			return rc;
		q = db_prepare(db,
			"INSERT INTO position (seq, ordinal, journal) VALUES (?, ?, ?)",
			err);
	}
	return RC_OK;
}

/* One month's run of records, as one transaction. */
static enum rc
enter_run(struct ledger *l, struct entry *e, const struct month *m,
	const struct journal_item *items, size_t n, struct err *err)
{
	struct db *db;
	enum rc rc;

	if (by_month(&l->dirty, m) != 0 && (rc = settle(l, err)) != RC_OK)
		return rc;
	if ((rc = month_db(l, m, &db, err)) != RC_OK || (rc = db_begin(db, err)) != RC_OK)
		return rc;
	l->dirty = *m;
	e->now = *e->at;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = enter_item(db, e, &items[i], err);
	if (rc == RC_OK)
		rc = put_position(db, e, err);
	if (rc == RC_OK)
		rc = db_commit(db, err);
	if (rc != RC_OK) {
		db_rollback(db);
		return rc;
	}
	*e->at = e->now;
	return RC_OK;
}

/* Cuts the batch into runs of one month each. */
static enum rc
enter_all(struct ledger *l, struct entry *e, const struct journal_item *items, size_t n,
	struct err *err)
{
	struct month month = l->dirty;
	size_t start = 0;
	bool known = false;
	enum rc rc;

	for (size_t i = 0; i < n; i++) {
		struct month m;

		rc = item_month(e, &items[i], &m, err);
		if (rc == RC_NONE)
			continue;
		if (rc != RC_OK)
			return rc;
		if (known && by_month(&m, &month) != 0) {
			if ((rc = enter_run(l, e, &month, items + start, i - start,
				     err)) != RC_OK)
				return rc;
			start = i;
		}
		month = m;
		known = true;
	}
	if (month.text[0] == '\0')
		month = month_of(clock_wall_ms());
	return enter_run(l, e, &month, items + start, n - start, err);
}

enum rc
ledger_enter(struct ledger *l, const char *journal, const struct journal_item *items,
	size_t n, struct err *err)
{
	LOCK_AUTO held = lock_take(&l->lock);
	struct entry e = { .journal = journal,
		.at = position_of(l->at, &l->njournals, str_of(journal)) };
	size_t known = 0;
	enum rc rc = RC_OK;

	if (e.at == NULL || l->want.read_only)
		return err_set(
			err, RC_PERM, "ledger: journal %s cannot be entered", journal);
	while (known < n && items[known].seq <= e.at->seq)
		known++;
	e.mem = arena_new(32u << 20);
	if (known < n)
		rc = enter_all(l, &e, items + known, n - known, err);
	arena_free(&e.mem);
	return rc == RC_OK ? RC_OK : err_wrap(err, "ledger");
}
