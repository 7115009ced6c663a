/* SPDX-License-Identifier: ISC */
/*
 * db: a small SQL interface with drivers (SQLite here; the MySQL protocol is to
 * come), so that SQL text stands in the module that means it and nowhere else.
 *
 *	struct db_stmt *q = db_prepare(db, "SELECT name FROM domain WHERE id = ?", &err);
 *	db_bind_u64(q, 1, id);
 *	while ((rc = db_step(q, &err)) == RC_OK)
 *		... db_str(q, 0) ...		columns from 0, parameters from 1
 *	db_reset(q);
 *
 * Statements are cached per database by their text's address and belong to it:
 * db_prepare() of the same literal gives the same statement, reset and ready.
 * SQL is kept to what SQLite and MariaDB both take, but for `sql/`'s schemas.
 *
 * A struct db is used by one thread at a time; its owner locks.  Views from
 * db_str() live until the next step or reset.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct db;
struct db_stmt;

enum db_sync { DB_SYNC_FULL, DB_SYNC_NORMAL };	/* each commit synced, or at checkpoints */

struct db_want {
	int dirfd;		/* folder the path is relative to; must stay open */
	const char *path;	/* "directory.db" */
	enum db_sync sync;
	size_t cache_bytes;
	bool read_only;
	mode_t mode;		/* of a new file; 0 means 0600 */
	unsigned page_bytes;	/* of a new file; 0 means 4096 */
};

enum rc db_open(const struct db_want *w, struct db **out, struct err *err) MUST_CHECK;
void db_close(struct db **dbp);		/* no checkpoint */

struct db_stmt *db_prepare(struct db *db, const char *sql, struct err *err) MUST_CHECK;
void db_bind_u64(struct db_stmt *q, int i, uint64_t v);	/* at most INT64_MAX */
void db_bind_i64(struct db_stmt *q, int i, int64_t v);
void db_bind_str(struct db_stmt *q, int i, str v);	/* text; copied */
void db_bind_blob(struct db_stmt *q, int i, str v);	/* copied */
void db_bind_null(struct db_stmt *q, int i);
/* RC_OK: a row; RC_NONE: done; RC_BAD: a constraint; RC_LIMIT: disk full;
 * RC_TEMP: anything else. */
enum rc db_step(struct db_stmt *q, struct err *err) MUST_CHECK;
void db_reset(struct db_stmt *q);
/* Steps a statement that gives no rows, and resets it: RC_OK when done. */
enum rc db_run(struct db_stmt *q, struct err *err) MUST_CHECK;
uint64_t db_u64(struct db_stmt *q, int col);
int64_t db_i64(struct db_stmt *q, int col);
str db_str(struct db_stmt *q, int col);		/* text or blob */
bool db_is_null(struct db_stmt *q, int col);
uint64_t db_last_id(struct db *db);
uint64_t db_changes(struct db *db);

enum rc db_exec(struct db *db, const char *sql, struct err *err) MUST_CHECK;	/* several; no rows */
enum rc db_begin(struct db *db, struct err *err) MUST_CHECK;	/* for writing (IMMEDIATE) */
enum rc db_begin_read(struct db *db, struct err *err) MUST_CHECK;	/* one moment until the end */
enum rc db_commit(struct db *db, struct err *err) MUST_CHECK;
void db_rollback(struct db *db);
/* Bytes committed since the last checkpoint: when it is worth one.  (Commits
 * make one themselves only past 2048 pages.) */
uint64_t db_unsettled(struct db *db);
/* What is committed so far is on disk (with DB_SYNC_FULL it always is).  Alone of all, any
 * thread, while the owner goes on.  RC_PERM: the disk failed, and may have lost it. */
enum rc db_sync(struct db *db, struct err *err) MUST_CHECK;
/* All that is committed is in the main file and synced; the WAL starts anew.
 * Waits for nobody: RC_TEMP while a reader still needs the WAL. */
enum rc db_checkpoint(struct db *db, struct err *err) MUST_CHECK;
enum rc db_integrity(struct db *db, struct err *err) MUST_CHECK;	/* RC_PERM names the damage */
/* A consistent copy of a live database into a new file dirfd/path, synced. */
enum rc db_copy(struct db *db, int dirfd, const char *path, struct err *err) MUST_CHECK;

/* Applies steps[version…n-1] in one transaction each and remembers the version
 * (PRAGMA user_version).  RC_PERM: the database is newer than this program. */
enum rc db_migrate(struct db *db, const char *const steps[], unsigned n, struct err *err)
	MUST_CHECK;
/* How many steps have been applied; 0: it is just being made. */
enum rc db_version(struct db *db, unsigned *out, struct err *err) MUST_CHECK;
