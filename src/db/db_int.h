/* SPDX-License-Identifier: ISC */
/*
 * db_int: what a driver of db/ gives.  One row in db.c's table of drivers per
 * engine; all else (cache of statements, migrations) is db.c's.
 *
 * A driver's connection and queries are its own structs behind void pointers.
 * Errors as db.h says for the function of the same name; a query that has
 * given its last row or failed has been reset by the driver.
 */
#pragma once

#include "db/db.h"

struct db_driver {
	const char *name;
	bool (*takes)(const char *path);	/* is this path mine? */
	enum rc (*open)(const struct db_want *w, void **conn, struct err *err);
	void (*close)(void *conn);		/* its queries are finalized already */

	enum rc (*prepare)(void *conn, const char *sql, void **query, struct err *err);
	void (*finalize)(void *query);
	void (*bind_i64)(void *query, int i, int64_t v);
	void (*bind_bytes)(void *query, int i, str v, bool text);
	void (*bind_null)(void *query, int i);
	enum rc (*step)(void *conn, void *query, struct err *err);
	void (*reset)(void *query);
	int64_t (*i64)(void *query, int col);
	str (*bytes)(void *query, int col);
	bool (*is_null)(void *query, int col);
	uint64_t (*last_id)(void *conn);
	uint64_t (*changes)(void *conn);

	enum rc (*exec)(void *conn, const char *sql, struct err *err);
	enum rc (*begin)(void *conn, struct err *err);
	enum rc (*commit)(void *conn, struct err *err);
	void (*rollback)(void *conn);
	enum rc (*version)(void *conn, unsigned *version, struct err *err);
	enum rc (*set_version)(void *conn, unsigned version, struct err *err);
	uint64_t (*unsettled)(void *conn);
	enum rc (*sync)(void *conn, struct err *err);
	enum rc (*checkpoint)(void *conn, struct err *err);
	enum rc (*integrity)(void *conn, struct err *err);
	enum rc (*copy)(void *conn, int dirfd, const char *path, struct err *err);
};

extern const struct db_driver db_sqlite;

/* sqlite_vfs.c: makes the VFS of this name known; later calls do nothing. */
#define DB_SQLITE_VFS	"gatepost"
bool db_sqlite_vfs(void);
