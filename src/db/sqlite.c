/* SPDX-License-Identifier: ISC */
/*
 * The SQLite driver.  Settings are what was measured to matter: WAL kept
 * across closes and never checkpointed by a commit or a close; the owner
 * checkpoints in its own time.  Only a WAL that has outgrown WAL_MOST_PAGES is
 * written back by the commit that notices, so that the disk cannot fill when
 * nobody does.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "db/db_int.h"

enum {
	PAGE = 4096,
	WAL_MOST_PAGES = 2048,
	WAL_AGAIN_PAGES = 512, /* a reader was in the way: try after as many more */
	BUSY_MS = 500, /* another process, a verb, holds a lock */
};

struct conn {
	sqlite3 *h;
	sqlite3_stmt *begin, *commit;
	int dirfd;
	char *name; /* for errors */
	unsigned wal_pages, wal_limit;
	unsigned page; /* bytes */
};

static enum rc
class_of(int code, int system_errno)
{
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
		return RC_BAD;
	case SQLITE_FULL:
		return RC_LIMIT;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		/* quota, or no room for a shared memory page */
		return system_errno == ENOSPC || system_errno == EDQUOT ? RC_LIMIT
									: RC_TEMP;
	case SQLITE_NOMEM:
		abort();
	default:
		return RC_TEMP;
	}
}

static enum rc
failed(const struct conn *c, int code, struct err *err)
{
	enum rc rc = class_of(code, sqlite3_system_errno(c->h));

	return err_set(err, rc, "%s: %s", c->name, sqlite3_errmsg(c->h));
}

static bool
sqlite_takes(const char *path)
{
	return strstr(path, "://") == NULL;
}

static enum rc
sqlite_exec(void *conn, const char *sql, struct err *err)
{
	struct conn *c = conn;
	int code = sqlite3_exec(c->h, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? RC_OK : failed(c, code, err);
}

static int
after_commit(void *arg, sqlite3 *h, const char *schema, int pages)
{
	struct conn *c = arg;
	int in_log = 0, done = 0;

	c->wal_pages = (unsigned)pages;
	if (c->wal_pages < WAL_MOST_PAGES)
		c->wal_limit = WAL_MOST_PAGES;
	if (c->wal_pages < c->wal_limit)
		return SQLITE_OK;
	(void)sqlite3_wal_checkpoint_v2(
		h, schema, SQLITE_CHECKPOINT_PASSIVE, &in_log, &done);
	c->wal_limit = c->wal_pages + WAL_AGAIN_PAGES;
	return SQLITE_OK;
}

/* SQLite would make the file with our umask and never sync its name.  Only a
 * file that is not there is opened: closing a descriptor of one that is would
 * drop the locks this process has on it. */
static enum rc
make_file(int dirfd, const char *path, mode_t mode, bool *made, struct err *err)
{
	FD_AUTO fd = -1;
	struct err why;
	enum rc rc;

	*made = false;
	rc = fs_open(dirfd, path, O_RDWR | O_CREAT | O_EXCL, mode, &fd, &why);
	if (rc == RC_BAD)
		return RC_OK;
	if (rc != RC_OK) {
		if (err != NULL)
			*err = why;
		return rc;
	}
	*made = true;
	(void)fchmod(fd, mode);
	return fs_sync_parent(dirfd, path, err);
}

static enum rc
handle_open(int dirfd, const char *path, int flags, struct conn *c, struct err *err)
{
	char full[600];
	int code;

	if (!db_sqlite_vfs())
		return err_set(err, RC_TEMP, "SQLite could not be initialised");
	assert(dirfd >= 0 && path[0] != '/');
	if (snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", dirfd, path) >=
		(int)sizeof(full))
		return err_set(err, RC_PERM, "the path %s is too long", path);
	code = sqlite3_open_v2(full, &c->h,
		flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, DB_SQLITE_VFS);
	if (c->h == NULL)
		abort();
	if (code != SQLITE_OK)
		return failed(c, code, err);
	(void)sqlite3_busy_timeout(c->h, BUSY_MS);
	return RC_OK;
}

static void
switches(sqlite3 *h)
{
	static const struct {
		int op, value;
	} rows[] = {
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	int on = 1;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		(void)sqlite3_db_config(h, rows[i].op, rows[i].value, NULL);
	(void)sqlite3_file_control(h, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
}

static enum rc
settings(struct conn *c, const struct db_want *w, struct err *err)
{
	char sql[400];
	size_t kib = w->cache_bytes / 1024;

	c->page = w->page_bytes > 0 ? w->page_bytes : PAGE;
	switches(c->h);
	(void)snprintf(sql, sizeof(sql),
		"PRAGMA page_size=%u;"
		"PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%zu; PRAGMA secure_delete=OFF;"
		"PRAGMA synchronous=%s;%s",
		c->page, kib < 64 ? 64 : kib, w->sync == DB_SYNC_FULL ? "FULL" : "NORMAL",
		w->read_only
			? ""
			: "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=8388608;");
	enum rc rc = sqlite_exec(c, sql, err);
	(void)sqlite3_wal_hook(c->h, after_commit, c);
	return rc;
}

static void
sqlite_close(void *conn)
{
	struct conn *c = conn;

	(void)sqlite3_finalize(c->begin);
	(void)sqlite3_finalize(c->commit);
	int code = sqlite3_close(c->h);
	assert(code == SQLITE_OK);
	free(c->name);
	free(c);
}

static enum rc
sqlite_prepare(void *conn, const char *sql, void **query, struct err *err)
{
	struct conn *c = conn;
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v3(c->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL);

	if (code != SQLITE_OK)
		return failed(c, code, err);
	*query = q;
	return RC_OK;
}

static enum rc
own_statements(struct conn *c, struct err *err)
{
	void *q;
	enum rc rc = sqlite_prepare(c, "BEGIN IMMEDIATE", &q, err);

	if (rc != RC_OK)
		return rc;
	c->begin = q;
	if ((rc = sqlite_prepare(c, "COMMIT", &q, err)) != RC_OK)
		return rc;
	c->commit = q;
	return RC_OK;
}

static struct conn *
conn_new(int dirfd, const char *name)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->dirfd = dirfd;
	c->name = strdup(name);
	if (c->name == NULL)
		abort();
	c->wal_limit = WAL_MOST_PAGES;
	return c;
}

static enum rc
sqlite_open(const struct db_want *w, void **out, struct err *err)
{
	bool made = false;
	enum rc rc = RC_OK;

	if (!w->read_only)
		rc = make_file(
			w->dirfd, w->path, w->mode == 0 ? 0600 : w->mode, &made, err);
	if (rc != RC_OK)
		return rc;
	struct conn *c = conn_new(w->dirfd, w->path);
	rc = handle_open(w->dirfd, w->path,
		w->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, c, err);
	if (rc == RC_OK)
		rc = settings(c, w, err);
	if (rc == RC_OK)
		rc = own_statements(c, err);
	if (rc == RC_OK && made) /* the WAL's name, too */
		rc = fs_sync_parent(w->dirfd, w->path, err);
	if (rc != RC_OK) {
		sqlite_close(c);
		return rc;
	}
	*out = c;
	return RC_OK;
}

static void
sqlite_finalize(void *query)
{
	(void)sqlite3_finalize(query);
}

static void
sqlite_bind_i64(void *query, int i, int64_t v)
{
	int code = sqlite3_bind_int64(query, i, v);

	assert(code == SQLITE_OK);
}

static void
sqlite_bind_bytes(void *query, int i, str v, bool text)
{
	const char *p = v.ptr == NULL ? "" : v.ptr;
	int code;

	if (text)
		code = sqlite3_bind_text64(
			query, i, p, v.len, SQLITE_TRANSIENT, SQLITE_UTF8);
	else
		code = sqlite3_bind_blob64(query, i, p, v.len, SQLITE_TRANSIENT);
	assert(code == SQLITE_OK);
}

static void
sqlite_bind_null(void *query, int i)
{
	int code = sqlite3_bind_null(query, i);

	assert(code == SQLITE_OK);
}

static enum rc
sqlite_step(void *conn, void *query, struct err *err)
{
	struct conn *c = conn;
	int code = sqlite3_step(query);
	enum rc rc;

	if (code == SQLITE_ROW)
		return RC_OK;
	rc = code == SQLITE_DONE ? RC_NONE : failed(c, code, err);
	(void)sqlite3_reset(query);
	return rc;
}

static void
sqlite_reset(void *query)
{
	(void)sqlite3_reset(query);
}

static int64_t
sqlite_i64(void *query, int col)
{
	return sqlite3_column_int64(query, col);
}

static str
sqlite_bytes(void *query, int col)
{
	const char *p = sqlite3_column_blob(query, col);

	return (str){ p == NULL ? "" : p, (size_t)sqlite3_column_bytes(query, col) };
}

static bool
sqlite_is_null(void *query, int col)
{
	return sqlite3_column_type(query, col) == SQLITE_NULL;
}

static uint64_t
sqlite_last_id(void *conn)
{
	return (uint64_t)sqlite3_last_insert_rowid(((struct conn *)conn)->h);
}

static uint64_t
sqlite_changes(void *conn)
{
	return (uint64_t)sqlite3_changes64(((struct conn *)conn)->h);
}

static enum rc
run(struct conn *c, sqlite3_stmt *q, struct err *err)
{
	enum rc rc = sqlite_step(c, q, err);

	assert(rc != RC_OK); /* gives no rows */
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
sqlite_begin(void *conn, struct err *err)
{
	struct conn *c = conn;

	return run(c, c->begin, err);
}

static void
sqlite_rollback(void *conn)
{
	struct conn *c = conn;

	/* a full disk may have rolled back already */
	if (sqlite3_get_autocommit(c->h) == 0)
		(void)sqlite3_exec(c->h, "ROLLBACK", NULL, NULL, NULL);
}

static enum rc
sqlite_commit(void *conn, struct err *err)
{
	struct conn *c = conn;
	enum rc rc = run(c, c->commit, err);

	if (rc != RC_OK)
		sqlite_rollback(c);
	return rc;
}

static enum rc
sqlite_version(void *conn, unsigned *version, struct err *err)
{
	struct conn *c = conn;
	void *q;
	enum rc rc = sqlite_prepare(c, "PRAGMA user_version", &q, err);

	if (rc != RC_OK)
		return rc;
	rc = sqlite_step(c, q, err);
	if (rc == RC_OK)
		*version = (unsigned)sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	return rc;
}

static enum rc
sqlite_set_version(void *conn, unsigned version, struct err *err)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%u", version);
	return sqlite_exec(conn, sql, err);
}

static uint64_t
sqlite_unsettled(void *conn)
{
	return (uint64_t)((struct conn *)conn)->wal_pages * ((struct conn *)conn)->page;
}

/* The WAL holds what the database file does not.  It carries no fcntl locks, so
 * a descriptor of it may be closed. */
static enum rc
sqlite_sync(void *conn, struct err *err)
{
	struct conn *c = conn;
	FD_AUTO fd = -1;
	char path[600];

	(void)snprintf(path, sizeof(path), "%s-wal", c->name);
	enum rc rc = fs_open(c->dirfd, path, O_RDWR, 0, &fd, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	struct err why;
	if (fs_sync_data(fd, &why) != RC_OK)
		return err_set(err, RC_PERM, "%s", why.text);
	return RC_OK;
}

static enum rc
sqlite_checkpoint(void *conn, struct err *err)
{
	struct conn *c = conn;
	int in_log = 0, done = 0;
	int code = sqlite3_wal_checkpoint_v2(
		c->h, "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &done);

	if (code != SQLITE_OK)
		return failed(c, code, err);
	if (in_log != done)
		return err_set(err, RC_TEMP, "%s: a reader still needs the WAL", c->name);
	c->wal_pages = 0;
	return RC_OK;
}

static enum rc
sqlite_integrity(void *conn, struct err *err)
{
	struct conn *c = conn;
	void *q;
	struct err why = { 0 };
	enum rc rc = sqlite_prepare(c, "PRAGMA integrity_check(3)", &q, &why);

	if (rc != RC_OK)
		return err_set(err, RC_PERM, "%.200s", why.text);
	rc = sqlite_step(c, q, &why);
	if (rc == RC_OK && str_eq(sqlite_bytes(q, 0), STR("ok"))) {
		(void)sqlite3_finalize(q);
		return RC_OK;
	}
	if (rc == RC_OK)
		(void)err_set(&why, RC_PERM, "%s: " STR_FMT, c->name,
			STR_ARG(str_first(sqlite_bytes(q, 0), 160)));
	(void)sqlite3_finalize(q);
	return err_set(err, RC_PERM, "%.200s", why.text);
}

/* All pages in one step, so that the copy is one moment's. */
static enum rc
copy_pages(struct conn *from, struct conn *to, struct err *err)
{
	sqlite3_backup *b;
	int code;

	/* The new file is nobody's until it is synced: no journal. */
	enum rc rc = sqlite_exec(
		to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err);
	if (rc != RC_OK)
		return rc;
	b = sqlite3_backup_init(to->h, "main", from->h, "main");
	if (b == NULL)
		return failed(to, sqlite3_errcode(to->h), err);
	code = sqlite3_backup_step(b, -1);
	(void)sqlite3_backup_finish(b);
	if (code == SQLITE_DONE)
		return RC_OK;
	return err_set(err, class_of(code, sqlite3_system_errno(to->h)), "copy of %s: %s",
		from->name, sqlite3_errstr(code));
}

static enum rc
sync_file(int dirfd, const char *path, struct err *err)
{
	FD_AUTO fd = -1;
	enum rc rc = fs_open(dirfd, path, O_RDWR, 0, &fd, err);

	if (rc != RC_OK)
		return rc;
	return fs_sync_data(fd, err);
}

static enum rc
sqlite_copy(void *conn, int dirfd, const char *path, struct err *err)
{
	bool made = false;
	enum rc rc = make_file(dirfd, path, 0600, &made, err);

	if (rc != RC_OK)
		return rc;
	if (!made)
		return err_set(err, RC_BAD, "%s: it exists already", path);
	struct conn *to = conn_new(dirfd, path);
	rc = handle_open(dirfd, path, SQLITE_OPEN_READWRITE, to, err);
	if (rc == RC_OK)
		rc = copy_pages(conn, to, err);
	sqlite_close(to);
	if (rc == RC_OK)
		rc = sync_file(dirfd, path, err);
	return rc;
}

const struct db_driver db_sqlite = {
	.name = "sqlite",
	.takes = sqlite_takes,
	.open = sqlite_open,
	.close = sqlite_close,
	.prepare = sqlite_prepare,
	.finalize = sqlite_finalize,
	.bind_i64 = sqlite_bind_i64,
	.bind_bytes = sqlite_bind_bytes,
	.bind_null = sqlite_bind_null,
	.step = sqlite_step,
	.reset = sqlite_reset,
	.i64 = sqlite_i64,
	.bytes = sqlite_bytes,
	.is_null = sqlite_is_null,
	.last_id = sqlite_last_id,
	.changes = sqlite_changes,
	.exec = sqlite_exec,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.version = sqlite_version,
	.set_version = sqlite_set_version,
	.unsettled = sqlite_unsettled,
	.sync = sqlite_sync,
	.checkpoint = sqlite_checkpoint,
	.integrity = sqlite_integrity,
	.copy = sqlite_copy,
};
