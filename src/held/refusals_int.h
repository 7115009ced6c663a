/* SPDX-License-Identifier: ISC */
/* refusals_int: what the register's files share. */
#pragma once

#include "base/thread.h"
#include "db/db.h"
#include "held/refusals.h"

enum { REFUSALS_JOURNALS = 8, REFUSALS_JOURNAL = 32, REFUSALS_ROW = 1024 * 1024 };

struct refusals_position {
	char journal[REFUSALS_JOURNAL];
	uint64_t seq;
	bool unsaved;
};

struct refusals {
	struct refusals_want want;	/* keep_ms: under lock */
	pthread_mutex_t lock;
	struct db *db;
	struct arena *mem;		/* of a record being entered */
	struct refusals_position at[REFUSALS_JOURNALS];
	size_t njournals;
	bool notices;			/* some may wait */
	uint64_t notice_ms;		/* but not before that time */
	bool letters;			/* the same, of held/letters.h */
	uint64_t letters_ms;
};

/* RC_TEMP unless the statement could be prepared. */
#define PREPARE(q, db, sql, err)                                   \
	struct db_stmt *q = db_prepare(db, sql, err);              \
	if (q == NULL)                                             \
		return RC_TEMP

/* Under the lock.  RC_NONE: there is none of that number. */
enum rc refusals_load(struct refusals *r, str id, uint32_t n, struct arena *mem,
	struct refusal *out, struct err *err) MUST_CHECK;
/* refusals_enter.c: a record, inside a transaction. */
bool refusals_concern(const struct jrec_message *m);
enum rc refusals_put(struct refusals *r, const struct jrec_message *m, struct err *err)
	MUST_CHECK;
/* The release's id for a refusal, made of the refusal's own. */
void refusals_make_release_id(const struct msg_id *id, uint32_t n, struct msg_id *out);
/* Commits, synced, or rolls back. */
enum rc refusals_finish(struct refusals *r, enum rc rc, struct err *err) MUST_CHECK;
