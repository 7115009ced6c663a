/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <grp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "db/db.h"
#include "test/test.h"

static int
folder(void)
{
	int fd;

	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &fd, NULL), RC_OK);
	return fd;
}

static struct db *
open_in(int dir, const char *path)
{
	struct db *db;
	struct err err = { 0 };

	if (db_open(&(struct db_want){ .dirfd = dir, .path = path }, &db, &err) != RC_OK)
		fail_msg("%s", err.text);
	return db;
}

static void
exec(struct db *db, const char *sql)
{
	struct err err = { 0 };

	if (db_exec(db, sql, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static uint64_t
one(struct db *db, const char *sql)
{
	struct db_stmt *q = db_prepare(db, sql, NULL);

	assert_non_null(q);
	assert_int_equal(db_step(q, NULL), RC_OK);
	uint64_t v = db_u64(q, 0);
	db_reset(q);
	return v;
}

TEST(what_is_bound_is_read_back)
{
	static const char insert[] = "INSERT INTO t VALUES (?, ?, ?, ?)";
	FD_AUTO dir = folder();
	struct db *db = open_in(dir, "a.db");

	exec(db,
		"CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT, b BLOB, n INTEGER) STRICT");
	struct db_stmt *q = db_prepare(db, insert, NULL);
	db_bind_u64(q, 1, 7);
	db_bind_str(q, 2, STR("a\0b"));
	db_bind_blob(q, 3, STR(""));
	db_bind_null(q, 4);
	assert_int_equal(db_run(q, NULL), RC_OK);
	assert_int_equal(db_last_id(db), 7);
	assert_ptr_equal(db_prepare(db, insert, NULL), q);
	struct err err = { 0 };
	assert_int_equal(db_run(q, &err), RC_BAD); /* still bound: the key is taken */
	assert_non_null(strstr(err.text, "a.db"));

	q = db_prepare(db, "SELECT s, b, n, id FROM t", NULL);
	assert_int_equal(db_step(q, NULL), RC_OK);
	assert_true(str_eq(db_str(q, 0), STR("a\0b")));
	assert_false(db_is_null(q, 1));
	assert_int_equal(db_str(q, 1).len, 0);
	assert_true(db_is_null(q, 2));
	assert_int_equal(db_i64(q, 3), 7);
	assert_int_equal(db_step(q, NULL), RC_NONE);
	assert_null(db_prepare(db, "SELECT nonsense FROM nowhere", &err));
	db_close(&db);
	assert_null(db);
}

TEST(a_rollback_takes_everything_back)
{
	FD_AUTO dir = folder();
	struct db *db = open_in(dir, "a.db");

	exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT");
	assert_int_equal(db_begin(db, NULL), RC_OK);
	exec(db, "INSERT INTO t VALUES (1)");
	db_rollback(db);
	db_rollback(db); /* nothing is open: nothing happens */
	assert_int_equal(one(db, "SELECT count(*) FROM t"), 0);
	db_close(&db);
}

TEST(a_schema_is_migrated_once_and_never_back)
{
	static const char *const steps[] = {
		"CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT",
		"INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)",
		"INSERT INTO t VALUES (3); INSERT INTO t VALUES (3)",
	};
	FD_AUTO dir = folder();
	struct db *db = open_in(dir, "a.db");
	struct err err = { 0 };

	assert_int_equal(db_migrate(db, steps, 1, NULL), RC_OK);
	assert_int_equal(db_migrate(db, steps, 2, NULL), RC_OK);
	assert_int_equal(db_migrate(db, steps, 2, NULL), RC_OK);
	assert_int_equal(one(db, "SELECT count(*) FROM t"), 2);
	/* a step that fails leaves nothing of itself */
	assert_int_equal(db_migrate(db, steps, 3, NULL), RC_BAD);
	assert_int_equal(one(db, "SELECT count(*) FROM t"), 2);
	assert_int_equal(db_migrate(db, steps, 1, &err), RC_PERM);
	assert_non_null(strstr(err.text, "version 2"));
	db_close(&db);
}

TEST(commits_stay_in_the_wal_until_a_checkpoint)
{
	FD_AUTO dir = folder();
	struct db *db = open_in(dir, "a.db");
	struct stat st;

	exec(db,
		"CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES (1)");
	assert_int_equal(fstatat(dir, "a.db", &st, 0), 0);
	assert_int_equal(st.st_size, 4096); /* the header alone */
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(db_unsettled(db) > 0);
	db_close(&db);
	assert_int_equal(fstatat(dir, "a.db-wal", &st, 0), 0);
	assert_true(st.st_size > 0);

	db = open_in(dir, "a.db");
	assert_int_equal(one(db, "SELECT count(*) FROM t"), 1);
	assert_int_equal(db_checkpoint(db, NULL), RC_OK);
	assert_int_equal(db_unsettled(db), 0);
	assert_int_equal(fstatat(dir, "a.db", &st, 0), 0);
	assert_true(st.st_size > 4096);
	db_close(&db);
}

TEST(a_reader_delays_a_checkpoint_but_holds_up_nobody)
{
	FD_AUTO dir = folder();
	struct db *db = open_in(dir, "a.db"), *reader = open_in(dir, "a.db");

	exec(db,
		"CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES (1)");
	assert_int_equal(db_begin_read(reader, NULL), RC_OK);
	assert_int_equal(one(reader, "SELECT count(*) FROM t"), 1);
	exec(db, "INSERT INTO t VALUES (2)");
	assert_int_equal(db_checkpoint(db, NULL), RC_TEMP);
	assert_int_equal(db_sync(db, NULL), RC_OK);
	assert_int_equal(one(reader, "SELECT count(*) FROM t"), 1);
	db_rollback(reader);
	assert_int_equal(one(reader, "SELECT count(*) FROM t"), 2);
	assert_int_equal(db_checkpoint(db, NULL), RC_OK);
	db_close(&reader);
	db_close(&db);
}

TEST(a_wal_nobody_checkpoints_does_not_fill_the_disk)
{
	FD_AUTO dir = folder();
	struct db *db = open_in(dir, "a.db");
	struct stat st;

	exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB) STRICT");
	for (int i = 0; i < 60; i++)
		exec(db, "INSERT INTO t(b) VALUES (randomblob(1000000))");
	assert_int_equal(fstatat(dir, "a.db-wal", &st, 0), 0);
	assert_true(st.st_size < 24 << 20);
	assert_int_equal(one(db, "SELECT count(*) FROM t"), 60);
	db_close(&db);
}

TEST(a_copy_of_a_live_database_is_whole)
{
	FD_AUTO dir = folder();
	FD_AUTO other = folder();
	struct db *db = open_in(dir, "a.db"), *copy;

	exec(db,
		"CREATE TABLE t(id INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES (1)");
	assert_int_equal(db_copy(db, other, "b.db", NULL), RC_OK);
	exec(db, "INSERT INTO t VALUES (2)");
	assert_int_equal(db_copy(db, other, "b.db", NULL), RC_BAD);
	copy = open_in(other, "b.db");
	assert_int_equal(one(copy, "SELECT count(*) FROM t"), 1);
	assert_int_equal(db_integrity(copy, NULL), RC_OK);
	db_close(&copy);
	db_close(&db);
}

TEST(damage_is_found_and_named)
{
	FD_AUTO dir = folder();
	struct db *db = open_in(dir, "a.db");
	struct err err = { 0 };
	char junk[4096];

	exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB) STRICT");
	for (int i = 0; i < 50; i++)
		exec(db, "INSERT INTO t(b) VALUES (randomblob(1000))");
	assert_int_equal(db_checkpoint(db, NULL), RC_OK);
	assert_int_equal(db_integrity(db, NULL), RC_OK);
	db_close(&db);
	assert_int_equal(unlinkat(dir, "a.db-wal", 0), 0); /* it would heal the page */
	memset(junk, 'x', sizeof(junk));
	FD_AUTO fd = openat(dir, "a.db", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 2 * 4096), sizeof(junk));
	db = open_in(dir, "a.db");
	assert_int_equal(db_integrity(db, &err), RC_PERM);
	assert_non_null(strstr(err.text, "a.db"));
	db_close(&db);
}

static void
as_nobody(int dir, const char *absolute)
{
	struct db *db;

	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		_exit(2);
	if (access(absolute, F_OK) == 0)
		_exit(3); /* the test would prove nothing */
	if (db_open(&(struct db_want){ .dirfd = dir, .path = "a.db" }, &db, NULL) !=
		RC_OK)
		_exit(4);
	if (db_exec(db, "CREATE TABLE t(id INTEGER); INSERT INTO t VALUES (1)", NULL) !=
			RC_OK ||
		db_checkpoint(db, NULL) != RC_OK ||
		db_copy(db, dir, "b.db", NULL) != RC_OK)
		_exit(5);
	db_close(&db);
	_exit(0);
}

TEST(a_database_opens_below_folders_its_process_may_not_traverse)
{
	char closed[300], data[320];
	int status;

	if (geteuid() != 0)
		skip();
	(void)snprintf(closed, sizeof(closed), "%s/closed", test_folder());
	(void)snprintf(data, sizeof(data), "%s/data", closed);
	assert_int_equal(mkdir(closed, 0700), 0);
	assert_int_equal(mkdir(data, 0700), 0);
	assert_int_equal(chown(data, 65534, 65534), 0);
	FD_AUTO dir = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t child = fork();
	if (child == 0)
		as_nobody(dir, data);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static _Atomic unsigned seen[FS_MKDIR + 1];
static _Atomic uint64_t bytes_of_wal;

static void
watch(const struct fs_event *e)
{
	struct stat st;

	seen[e->op]++;
	if (e->op == FS_WRITE || e->op == FS_SYNC)
		assert_int_equal(fstat(e->fd, &st), 0);
	if (e->op == FS_WRITE)
		bytes_of_wal += e->data.len;
}

TEST(every_write_and_sync_of_a_database_is_seen_by_the_power_test)
{
	FD_AUTO dir = folder();
	struct stat st;

	assert_int_equal(fs_mkdirs(dir, "index", 0700, NULL), RC_OK);
	fs_observe(watch);
	struct db *db = open_in(dir, "index/a.db");
	assert_int_equal(seen[FS_CREATE], 2); /* the database, the WAL */
	assert_true(seen[FS_SYNC_DIR] >= 1);
	exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB) STRICT");
	exec(db, "INSERT INTO t(b) VALUES (randomblob(100000))");
	assert_int_equal(fstatat(dir, "index/a.db-wal", &st, 0), 0);
	assert_int_equal(bytes_of_wal >= (uint64_t)st.st_size, true);
	unsigned syncs = seen[FS_SYNC];
	assert_int_equal(db_sync(db, NULL), RC_OK);
	assert_int_equal(seen[FS_SYNC], ++syncs);
	assert_int_equal(db_checkpoint(db, NULL), RC_OK);
	assert_true(seen[FS_SYNC] >= syncs + 2); /* the WAL, then the database */
	db_close(&db);
	fs_observe(NULL);
}
