/* SPDX-License-Identifier: ISC */
/* Figures, and the ageing of rows with addresses into figures. */
#include <stdlib.h>

#include "ledger/ledger_int.h"

enum { FIGURES = 8 };

#define DAY_MS (24ull * 3600 * 1000)

/* As the columns of `figure` stand. */
static uint64_t *
figure_at(struct ledger_figures *f, size_t i)
{
	uint64_t *const at[FIGURES] = { &f->messages, &f->delivered, &f->refused,
		&f->not_now, &f->unknown, &f->relay, &f->full, &f->other };

	return at[i];
}

/* The figure an answer counts into. */
static uint64_t *
figure_of(struct ledger_figures *f, uint64_t answer)
{
	if (answer == JREC_DELIVERED)
		return &f->delivered;
	return answer == JREC_REFUSED ? &f->refused : &f->not_now;
}

static enum rc
sum_answers(struct db *db, uint64_t since_ms, struct ledger_figures *f, struct err *err)
{
	struct db_stmt *q = db_prepare(
		db, "SELECT COUNT(*) FROM message WHERE time_ms >= ?", err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, since_ms);
	if ((rc = db_step(q, err)) != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	f->messages += db_u64(q, 0);
	db_reset(q);
	q = db_prepare(db,
		"SELECT answer, COUNT(*) FROM message JOIN rcpt ON rcpt.journal = message.journal "
		"AND rcpt.seq = message.seq WHERE time_ms >= ? GROUP BY answer",
		err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, since_ms);
	while ((rc = db_step(q, err)) == RC_OK)
		*figure_of(f, db_u64(q, 0)) += db_u64(q, 1);
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

/* Adds a row of sums, the columns beginning with figure `first`. */
static enum rc
sum_row(struct db_stmt *q, size_t first, struct ledger_figures *f, struct err *err)
{
	enum rc rc = db_step(q, err);

	for (size_t i = first; rc == RC_OK && i < FIGURES; i++)
		*figure_at(f, i) += db_u64(q, (int)(i - first));
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
sum_month(struct db *db, uint64_t since_ms, struct ledger_figures *f, struct err *err)
{
	enum rc rc = sum_answers(db, since_ms, f, err);

	if (rc != RC_OK)
		return rc;
	struct db_stmt *q = db_prepare(db,
		"SELECT SUM(unknown), SUM(relay), SUM(full_mailbox), SUM(other) FROM refusals "
		"WHERE minute >= ?",
		err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, since_ms / 60000);
	if ((rc = sum_row(q, 4, f, err)) != RC_OK)
		return rc;
	q = db_prepare(db,
		"SELECT SUM(messages), SUM(delivered), SUM(refused), SUM(not_now), SUM(unknown), "
		"SUM(relay), SUM(full_mailbox), SUM(other) FROM figure WHERE day >= ?",
		err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, since_ms / DAY_MS);
	return sum_row(q, 0, f, err);
}

enum rc
ledger_figures(
	struct ledger *l, uint64_t since_ms, struct ledger_figures *out, struct err *err)
{
	struct ledger_figures f = { .messages = 0 };
	struct month *months = NULL, since = month_of(since_ms);
	size_t n = 0;
	enum rc rc = month_list(l, &months, &n, err);

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct db *db;

		if (strcmp(months[i].text, since.text) < 0)
			continue;
		if ((rc = month_db(l, &months[i], &db, err)) == RC_OK)
			rc = sum_month(db, since_ms, &f, err);
		if (rc == RC_NONE)
			rc = RC_OK;
	}
	free(months);
	if (rc == RC_OK)
		*out = f;
	return rc;
}

/* --- ageing --- */

static enum rc
add_figures(struct db *db, uint64_t day, struct ledger_figures *f, struct err *err)
{
	struct db_stmt *q = db_prepare(db,
		"UPDATE figure SET messages = messages + ?, delivered = delivered + ?, "
		"refused = refused + ?, not_now = not_now + ?, unknown = unknown + ?, "
		"relay = relay + ?, full_mailbox = full_mailbox + ?, other = other + ? WHERE day = ?",
		err);
	enum rc rc;

	for (unsigned again = 0; again < 2; again++) {
		if (q == NULL)
			return RC_TEMP;
		for (size_t i = 0; i < FIGURES; i++)
			db_bind_u64(q, (int)i + 1, *figure_at(f, i));
		db_bind_u64(q, FIGURES + 1, day);
		if ((rc = db_run(q, err)) != RC_OK || db_changes(db) > 0)
			return rc;
		q = db_prepare(db,
			"INSERT INTO figure (messages, delivered, refused, not_now, unknown, relay, "
			"full_mailbox, other, day) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			err);
	}
	return RC_OK;
}

/* Runs the statement (parameters bound), whose rows are: day, what, how many. */
static enum rc
age_counts(struct db *db, struct db_stmt *q, bool answers, struct err *err)
{
	struct ledger_figures f;
	enum rc rc;

	while ((rc = db_step(q, err)) == RC_OK) {
		f = (struct ledger_figures){ .messages = 0 };
		if (answers)
			*figure_of(&f, db_u64(q, 1)) = db_u64(q, 2);
		else
			f.messages = db_u64(q, 2);
		if ((rc = add_figures(db, db_u64(q, 0), &f, err)) != RC_OK)
			break;
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
age_refusals(struct db *db, uint64_t before_ms, struct err *err)
{
	struct db_stmt *q = db_prepare(db,
		"SELECT minute / 1440, SUM(unknown), SUM(relay), SUM(full_mailbox), SUM(other) "
		"FROM refusals WHERE minute < ? GROUP BY minute / 1440",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, before_ms / 60000);
	while ((rc = db_step(q, err)) == RC_OK) {
		struct ledger_figures f = { .unknown = db_u64(q, 1),
			.relay = db_u64(q, 2),
			.full = db_u64(q, 3),
			.other = db_u64(q, 4) };

		if ((rc = add_figures(db, db_u64(q, 0), &f, err)) != RC_OK)
			break;
	}
	db_reset(q);
	if (rc != RC_NONE)
		return rc;
	q = db_prepare(db, "DELETE FROM refusals WHERE minute < ?", err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, before_ms / 60000);
	return db_run(q, err);
}

static enum rc
put_aged(struct db *db, str journal, uint64_t first, uint64_t last, struct err *err)
{
	struct db_stmt *q = db_prepare(
		db, "INSERT INTO aged (journal, first, last) VALUES (?, ?, ?)", err);

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, journal);
	db_bind_u64(q, 2, first);
	db_bind_u64(q, 3, last);
	return db_run(q, err);
}

/* Notes the ordinals of rows up to seq, in ranges without holes, so that what is
 * missing now stays missing. */
static enum rc
note_aged(struct db *db, str journal, uint64_t upto, struct err *err)
{
	struct db_stmt *q = db_prepare(db,
		"SELECT ordinal FROM message WHERE journal = ? AND seq <= ? ORDER BY seq",
		err);
	uint64_t first = 0, last = 0;
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, journal);
	db_bind_u64(q, 2, upto);
	while ((rc = db_step(q, err)) == RC_OK) {
		uint64_t ordinal = db_u64(q, 0);

		if (first != 0 && ordinal != last + 1) {
			if ((rc = put_aged(db, journal, first, last, err)) != RC_OK)
				break;
			first = 0;
		}
		if (first == 0)
			first = ordinal;
		last = ordinal;
	}
	db_reset(q);
	if (rc != RC_NONE)
		return rc;
	return first == 0 ? RC_OK : put_aged(db, journal, first, last, err);
}

/* Each takes: journal, the last number to go. */
static const char *const age_steps[] = {
	"SELECT time_ms / 86400000, 0, COUNT(*) FROM message WHERE journal = ? AND seq <= ? "
	"GROUP BY time_ms / 86400000",
	"SELECT time_ms / 86400000, answer, COUNT(*) FROM message JOIN rcpt "
	"ON rcpt.journal = message.journal AND rcpt.seq = message.seq "
	"WHERE message.journal = ? AND message.seq <= ? GROUP BY time_ms / 86400000, answer",
	"DELETE FROM rcpt WHERE journal = ? AND seq <= ?",
	"DELETE FROM message WHERE journal = ? AND seq <= ?",
};

static enum rc
age_journal(struct db *db, str journal, uint64_t upto, struct err *err)
{
	enum rc rc = note_aged(db, journal, upto, err);

	for (size_t i = 0; i < 4 && rc == RC_OK; i++) {
		struct db_stmt *q = db_prepare(db, age_steps[i], err);

		if (q == NULL)
			return RC_TEMP;
		db_bind_str(q, 1, journal);
		db_bind_u64(q, 2, upto);
		rc = i < 2 ? age_counts(db, q, i == 1, err) : db_run(q, err);
	}
	return rc;
}

/* The last number of a journal before its first record that is to stay. */
static enum rc
old_upto(struct db *db, str journal, uint64_t before_ms, uint64_t *upto, struct err *err)
{
	struct db_stmt *q = db_prepare(db,
		"SELECT MAX(seq) FROM message WHERE journal = ? AND seq < COALESCE("
		"(SELECT MIN(seq) FROM message WHERE journal = ? AND time_ms >= ?), "
		"9223372036854775807)",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, journal);
	db_bind_str(q, 2, journal);
	db_bind_u64(q, 3, before_ms);
	rc = db_step(q, err);
	*upto = rc == RC_OK ? db_u64(q, 0) : 0;
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
age_month(struct db *db, uint64_t before_ms, bool *changed, struct err *err)
{
	struct position at[LEDGER_JOURNALS];
	size_t n = 0;
	enum rc rc = month_positions(db, at, &n, err);

	if (rc == RC_OK)
		rc = age_refusals(db, before_ms, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		uint64_t upto = 0;

		rc = old_upto(db, str_of(at[i].journal), before_ms, &upto, err);
		if (rc == RC_OK && upto > 0) {
			rc = age_journal(db, str_of(at[i].journal), upto, err);
			*changed = true;
		}
	}
	return rc;
}

enum rc
ledger_age(struct ledger *l, uint64_t now_ms, uint64_t keep_ms, struct err *err)
{
	LOCK_AUTO held = lock_take(&l->lock);
	struct month *months = NULL, last;
	uint64_t before_ms = now_ms > keep_ms ? now_ms - keep_ms : 0;
	size_t n = 0;
	enum rc rc = month_list(l, &months, &n, err);

	last = month_of(before_ms);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		bool changed = false;
		struct db *db;

		if (strcmp(months[i].text, last.text) > 0)
			break;
		if ((rc = month_db(l, &months[i], &db, err)) != RC_OK ||
			(rc = db_begin(db, err)) != RC_OK)
			break;
		rc = age_month(db, before_ms, &changed, err);
		if (rc == RC_OK)
			rc = db_commit(db, err);
		if (rc != RC_OK)
			db_rollback(db);
		else if (changed && strcmp(months[i].text, last.text) < 0)
			rc = db_exec(
				db, "VACUUM", err); /* addresses leave the file too */
		if (rc == RC_OK && changed)
			rc = db_checkpoint(db, err);
	}
	free(months);
	return rc == RC_OK ? RC_OK : err_wrap(err, "ledger");
}
