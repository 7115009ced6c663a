/* SPDX-License-Identifier: ISC */
#include "db/db.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "db/db_int.h"

static const struct db_driver *const drivers[] = {
	&db_sqlite,
};

struct db_stmt {
	struct db *db;
	const char *sql; /* the key is its address */
	void *query;
	UT_hash_handle hh;
};

struct db {
	const struct db_driver *driver;
	void *conn;
	struct db_stmt *statements;
};

static const struct db_driver *
driver_of(const char *path)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (drivers[i]->takes(path))
			return drivers[i];
	return NULL;
}

enum rc
db_open(const struct db_want *w, struct db **out, struct err *err)
{
	const struct db_driver *driver = driver_of(w->path);
	void *conn;
	enum rc rc;

	if (driver == NULL)
		return err_set(
			err, RC_PERM, "%s: no driver for such a database", w->path);
	if ((rc = driver->open(w, &conn, err)) != RC_OK)
		return rc;
	struct db *db = calloc(1, sizeof(*db));
	if (db == NULL)
		abort();
	*db = (struct db){ .driver = driver, .conn = conn };
	*out = db;
	return RC_OK;
}

void
db_close(struct db **dbp)
{
	struct db *db = *dbp;
	struct db_stmt *q, *next;

	if (db == NULL)
		return;
	HASH_ITER(hh, db->statements, q, next)
	{
		HASH_DEL(db->statements, q);
		db->driver->finalize(q->query);
		free(q);
	}
	db->driver->close(db->conn);
	free(db);
	*dbp = NULL;
}

struct db_stmt *
db_prepare(struct db *db, const char *sql, struct err *err)
{
	struct db_stmt *q;
	void *query;

	HASH_FIND_PTR(db->statements, &sql, q);
	if (q != NULL) {
		db->driver->reset(q->query);
		return q;
	}
	if (db->driver->prepare(db->conn, sql, &query, err) != RC_OK)
		return NULL;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		abort();
	*q = (struct db_stmt){ .db = db, .sql = sql, .query = query };
	HASH_ADD_PTR(db->statements, sql, q);
	return q;
}

void
db_bind_i64(struct db_stmt *q, int i, int64_t v)
{
	q->db->driver->bind_i64(q->query, i, v);
}

void
db_bind_u64(struct db_stmt *q, int i, uint64_t v)
{
	assert(v <= INT64_MAX);
	q->db->driver->bind_i64(q->query, i, (int64_t)v);
}

void
db_bind_str(struct db_stmt *q, int i, str v)
{
	q->db->driver->bind_bytes(q->query, i, v, true);
}

void
db_bind_blob(struct db_stmt *q, int i, str v)
{
	q->db->driver->bind_bytes(q->query, i, v, false);
}

void
db_bind_null(struct db_stmt *q, int i)
{
	q->db->driver->bind_null(q->query, i);
}

enum rc
db_step(struct db_stmt *q, struct err *err)
{
	return q->db->driver->step(q->db->conn, q->query, err);
}

void
db_reset(struct db_stmt *q)
{
	q->db->driver->reset(q->query);
}

enum rc
db_run(struct db_stmt *q, struct err *err)
{
	enum rc rc = db_step(q, err);

	if (rc == RC_OK)
		db_reset(q); /* a row nobody wanted: as with RETURNING */
	return rc == RC_NONE ? RC_OK : rc;
}

uint64_t
db_u64(struct db_stmt *q, int col)
{
	return (uint64_t)q->db->driver->i64(q->query, col);
}

int64_t
db_i64(struct db_stmt *q, int col)
{
	return q->db->driver->i64(q->query, col);
}

str
db_str(struct db_stmt *q, int col)
{
	return q->db->driver->bytes(q->query, col);
}

bool
db_is_null(struct db_stmt *q, int col)
{
	return q->db->driver->is_null(q->query, col);
}

uint64_t
db_last_id(struct db *db)
{
	return db->driver->last_id(db->conn);
}

uint64_t
db_changes(struct db *db)
{
	return db->driver->changes(db->conn);
}

enum rc
db_exec(struct db *db, const char *sql, struct err *err)
{
	return db->driver->exec(db->conn, sql, err);
}

enum rc
db_begin(struct db *db, struct err *err)
{
	return db->driver->begin(db->conn, err);
}

enum rc
db_begin_read(struct db *db, struct err *err)
{
	return db->driver->exec(db->conn, "BEGIN", err);
}

enum rc
db_commit(struct db *db, struct err *err)
{
	return db->driver->commit(db->conn, err);
}

void
db_rollback(struct db *db)
{
	struct db_stmt *q, *next;

	/* what still reads would see the rollback as an abort */
	HASH_ITER(hh, db->statements, q, next)
	{
		db->driver->reset(q->query);
	}
	db->driver->rollback(db->conn);
}

uint64_t
db_unsettled(struct db *db)
{
	return db->driver->unsettled(db->conn);
}

enum rc
db_sync(struct db *db, struct err *err)
{
	return db->driver->sync(db->conn, err);
}

enum rc
db_checkpoint(struct db *db, struct err *err)
{
	return db->driver->checkpoint(db->conn, err);
}

enum rc
db_integrity(struct db *db, struct err *err)
{
	return db->driver->integrity(db->conn, err);
}

enum rc
db_copy(struct db *db, int dirfd, const char *path, struct err *err)
{
	return db->driver->copy(db->conn, dirfd, path, err);
}

/* One step in its transaction; the version is looked at again inside, for
 * another process may have taken the step meanwhile. */
static enum rc
migrate_one(struct db *db, const char *const steps[], unsigned n, unsigned *version,
	struct err *err)
{
	enum rc rc = db_begin(db, err);

	if (rc != RC_OK)
		return rc;
	rc = db->driver->version(db->conn, version, err);
	if (rc == RC_OK && *version < n) {
		rc = db_exec(db, steps[*version], err);
		if (rc == RC_OK)
			rc = db->driver->set_version(db->conn, *version + 1, err);
	}
	if (rc == RC_OK)
		rc = db_commit(db, err);
	if (rc != RC_OK) {
		db_rollback(db);
		return rc;
	}
	++*version;
	return RC_OK;
}

enum rc
db_version(struct db *db, unsigned *out, struct err *err)
{
	return db->driver->version(db->conn, out, err);
}

enum rc
db_migrate(struct db *db, const char *const steps[], unsigned n, struct err *err)
{
	unsigned version = 0;
	enum rc rc = db->driver->version(db->conn, &version, err);

	while (rc == RC_OK && version < n)
		rc = migrate_one(db, steps, n, &version, err);
	if (rc == RC_OK && version > n)
		return err_set(err, RC_PERM,
			"the database has schema version %u, this program knows up to %u: "
			"run a newer program, or restore a backup",
			version, n);
	return rc;
}
