/* SPDX-License-Identifier: ISC */
/*
 * ledger_int: months and their databases, inside ledger/.
 *
 * Positions are true only as long as what comes later is not on disk before
 * what comes earlier.  Inside a month SQLite sees to that.  Between months we do:
 * a batch is entered in runs of one month each, in order, and before another
 * month is written the one written last is made durable (ledger.dirty).  So the
 * highest position of any month is the ledger's.
 */
#pragma once

#include "base/thread.h"
#include "db/db.h"
#include "ledger/ledger.h"

enum { LEDGER_HANDLES = 4, LEDGER_JOURNALS = 8, LEDGER_NAME = 32, LEDGER_MONTHS = 12 * 200 };

struct month {
	char text[8];		/* "2026-11" */
};

struct month_db {
	struct month month;
	struct db *db;		/* NULL: free */
	uint64_t used;
};

struct position {
	char journal[LEDGER_NAME];
	uint64_t seq, ordinal;
};

struct ledger {
	struct ledger_want want;
	pthread_mutex_t lock;	/* of the writing calls */
	struct month_db open[LEDGER_HANDLES];
	uint64_t uses;
	struct position at[LEDGER_JOURNALS];	/* the writer's */
	size_t njournals;
	struct month dirty;	/* "" or the month written since its checkpoint */
};

struct month month_of(uint64_t time_ms);
/* All months there are, oldest first; malloc'd. */
enum rc month_list(struct ledger *l, struct month **out, size_t *n, struct err *err) MUST_CHECK;
/* Until the next month_db(); LEDGER_HANDLES - 1 others stay open as well.
 * RC_NONE: a month without tables yet, for a reader. */
enum rc month_db(struct ledger *l, const struct month *m, struct db **out, struct err *err)
	MUST_CHECK;
/* The month's positions are put into at[] where they are further. */
enum rc month_positions(struct db *db, struct position at[LEDGER_JOURNALS], size_t *n,
	struct err *err) MUST_CHECK;
