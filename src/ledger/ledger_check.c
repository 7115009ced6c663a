/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>

#include "base/fs.h"
#include "ledger/ledger_int.h"

enum { SENTENCE = 400, HOLES = 100 };

/* Which ordinals of a journal there are: a bit each, from `low` on. */
struct bits {
	uint64_t low, last;
	uint8_t *at;
};

struct check {
	struct ledger *l;
	ledger_damage_fn *fn;
	void *arg;
	struct month *months;
	size_t nmonths;
};

static void
mark(struct bits *b, uint64_t ordinal)
{
	if (ordinal > b->low && ordinal <= b->last)
		b->at[(ordinal - b->low) / 8] |= (uint8_t)(1u
							   << ((ordinal - b->low) % 8));
}

static bool
marked(const struct bits *b, uint64_t ordinal)
{
	return (b->at[(ordinal - b->low) / 8] >> ((ordinal - b->low) % 8) & 1) != 0;
}

typedef void range_fn(struct bits *b, uint64_t first, uint64_t last);

static void
raise_low(struct bits *b, uint64_t first, uint64_t last)
{
	if (first <= b->low + 1 && last > b->low)
		b->low = last;
}

static void
mark_range(struct bits *b, uint64_t first, uint64_t last)
{
	for (uint64_t i = first > b->low ? first : b->low + 1; i <= last && i <= b->last;
		i++)
		mark(b, i);
}

/* Gives each row's range of ordinals (first, last), of all months, to fn. */
static enum rc
each_range(struct check *c, const char *sql, str journal, struct bits *b, range_fn *fn,
	struct err *err)
{
	for (size_t i = 0; i < c->nmonths; i++) {
		struct db *db;
		enum rc rc = month_db(c->l, &c->months[i], &db, err);

		if (rc == RC_NONE)
			continue;
		if (rc != RC_OK)
			return rc;
		struct db_stmt *q = db_prepare(db, sql, err);
		if (q == NULL)
			return RC_TEMP;
		db_bind_str(q, 1, journal);
		while ((rc = db_step(q, err)) == RC_OK)
			fn(b, db_u64(q, 0), db_u64(q, 1));
		db_reset(q);
		if (rc != RC_NONE)
			return rc;
	}
	return RC_OK;
}

static void
report_holes(struct check *c, const char *journal, const struct bits *b)
{
	unsigned holes = 0;

	for (uint64_t i = b->low + 1; i <= b->last && holes < HOLES; i++) {
		char sentence[SENTENCE];
		uint64_t first = i;

		if (marked(b, i))
			continue;
		while (i < b->last && !marked(b, i + 1))
			i++;
		(void)snprintf(sentence, sizeof(sentence),
			"the ledger has no row for message %" PRIu64 "%s%.0" PRIu64
			" of journal %.31s",
			first, i > first ? " to " : "", i > first ? i : 0, journal);
		c->fn(sentence, c->arg);
		holes++;
	}
}

static const char aged_sql[] =
	"SELECT first, last FROM aged WHERE journal = ? ORDER BY first";
static const char rows_sql[] = "SELECT ordinal, ordinal FROM message WHERE journal = ?";

static enum rc
check_holes(struct check *c, const struct position *p, struct err *err)
{
	struct bits b = { .last = p->ordinal };
	str journal = str_of(p->journal);
	enum rc rc = each_range(c, aged_sql, journal, &b, raise_low, err);

	if (rc != RC_OK || b.low >= b.last)
		return rc;
	b.at = calloc((size_t)((b.last - b.low) / 8 + 1), 1);
	if (b.at == NULL)
		return err_set(err, RC_TEMP,
			"ledger: journal %s has too many rows to check", p->journal);
	rc = each_range(c, aged_sql, journal, &b, mark_range, err);
	if (rc == RC_OK)
		rc = each_range(c, rows_sql, journal, &b, mark_range, err);
	if (rc == RC_OK)
		report_holes(c, p->journal, &b);
	free(b.at);
	return rc;
}

/* Messages with fewer or more recipients than they should have. */
static enum rc
check_rcpts(struct check *c, struct db *db, struct err *err)
{
	struct db_stmt *q = db_prepare(db,
		"SELECT id, journal, nrcpts, (SELECT COUNT(*) FROM rcpt WHERE rcpt.journal = "
		"message.journal AND rcpt.seq = message.seq) AS got FROM message "
		"WHERE got <> nrcpts",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	while ((rc = db_step(q, err)) == RC_OK) {
		char sentence[SENTENCE];
		str id = db_str(q, 0), journal = db_str(q, 1);

		(void)snprintf(sentence, sizeof(sentence),
			"the ledger has %" PRIu64 " of %" PRIu64
			" recipients of message " STR_FMT " (journal " STR_FMT ")",
			db_u64(q, 3), db_u64(q, 2), STR_ARG(id), STR_ARG(journal));
		c->fn(sentence, c->arg);
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
check_month(struct check *c, const struct month *m, struct err *err)
{
	char sentence[SENTENCE];
	struct err why = { .rc = RC_OK };
	struct db *db;
	enum rc rc = month_db(c->l, m, &db, &why);

	if (rc == RC_NONE)
		return RC_OK;
	if (rc == RC_OK)
		rc = db_integrity(db, &why);
	if (rc == RC_OK)
		return check_rcpts(c, db, err);
	(void)snprintf(sentence, sizeof(sentence), "ledger/%s.db: %s", m->text, why.text);
	c->fn(sentence, c->arg);
	return RC_OK;
}

enum rc
ledger_check(struct ledger *l, ledger_damage_fn *fn, void *arg, struct err *err)
{
	struct check c = { .l = l, .fn = fn, .arg = arg };
	struct position at[LEDGER_JOURNALS];
	size_t n = 0;
	enum rc rc = month_list(l, &c.months, &c.nmonths, err);

	for (size_t i = 0; i < c.nmonths && rc == RC_OK; i++) {
		struct db *db;

		rc = check_month(&c, &c.months[i], err);
		if (rc == RC_OK && (rc = month_db(l, &c.months[i], &db, err)) == RC_OK)
			rc = month_positions(db, at, &n, err);
		if (rc == RC_NONE)
			rc = RC_OK;
	}
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = check_holes(&c, &at[i], err);
	free(c.months);
	return rc;
}

enum rc
ledger_copy(struct ledger *l, int dirfd, struct err *err)
{
	struct month *months = NULL;
	size_t n = 0;
	enum rc rc = fs_mkdirs(dirfd, "ledger", 0750, err);

	if (rc == RC_OK)
		rc = month_list(l, &months, &n, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		char path[40];
		struct db *db;

		(void)snprintf(path, sizeof(path), "ledger/%s.db", months[i].text);
		if ((rc = month_db(l, &months[i], &db, err)) == RC_OK)
			rc = db_copy(db, dirfd, path, err);
		if (rc == RC_NONE)
			rc = RC_OK;
	}
	free(months);
	return rc == RC_OK ? RC_OK : err_wrap(err, "ledger");
}
