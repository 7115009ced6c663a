/* SPDX-License-Identifier: ISC */
/*
 * fs: the one file layer.  Everything that must survive a crash is written
 * through these calls, so that a test can watch them, replay every prefix and
 * lose what was not synced.
 *
 * Paths are relative to a directory descriptor, normally the data folder's,
 * which the process got before it gave up its rights.  Functions return RC_OK,
 * RC_NONE (no such file), RC_LIMIT (disk or quota full) or RC_TEMP, and set
 * *err (may be NULL).  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

#define FD_AUTO		__attribute__((cleanup(fs_close))) int

void fs_close(int *fd);			/* closes if >= 0, sets -1 */

/* A file without a name: O_TMPFILE in `dir`, or (where the file system has
 * none) a named file ".tmp-…" that fs_publish renames and a sweep removes. */
struct fs_spool {
	int fd;				/* read and write */
	char name[32];			/* "" with O_TMPFILE */
};

enum rc fs_spool_open(int dirfd, mode_t mode, struct fs_spool *out, struct err *err) MUST_CHECK;
/* Gives the spooled file its name in dirfd; not synced. EEXIST is RC_BAD. */
enum rc fs_spool_publish(int dirfd, struct fs_spool *s, const char *name, struct err *err)
	MUST_CHECK;
void fs_spool_drop(int dirfd, struct fs_spool *s);	/* close, remove if named */
/* A second, read-only descriptor of the same open file (through /proc). */
enum rc fs_reopen_read(int fd, int *out, struct err *err) MUST_CHECK;

enum rc fs_open(int dirfd, const char *path, int flags, mode_t mode, int *fd, struct err *err)
	MUST_CHECK;
enum rc fs_open_dir(int dirfd, const char *path, int *fd, struct err *err) MUST_CHECK;
/* Makes the folder and its missing parents; there already is RC_OK. */
enum rc fs_mkdirs(int dirfd, const char *path, mode_t mode, struct err *err) MUST_CHECK;

enum rc fs_append(int fd, str data, struct err *err) MUST_CHECK;	/* write(2), all of it */
enum rc fs_pwrite(int fd, str data, uint64_t offset, struct err *err) MUST_CHECK;
enum rc fs_pread(int fd, void *out, size_t len, uint64_t offset, size_t *got, struct err *err)
	MUST_CHECK;	/* short only at the end of the file */
enum rc fs_truncate(int fd, uint64_t size, struct err *err) MUST_CHECK;
/* Reserves and zeroes [offset, offset+len), extending the file. */
enum rc fs_allocate(int fd, uint64_t offset, uint64_t len, struct err *err) MUST_CHECK;
enum rc fs_size(int fd, uint64_t *size, struct err *err) MUST_CHECK;
enum rc fs_read_all(int dirfd, const char *path, size_t most, char **data, size_t *len,
	struct err *err) MUST_CHECK;	/* malloc'd, NUL added; RC_BAD over `most` */
/* Writes path anew: temporary file, fdatasync, rename, sync of the folder. */
enum rc fs_replace(int dirfd, const char *path, mode_t mode, str data, struct err *err)
	MUST_CHECK;

enum rc fs_sync_data(int fd, struct err *err) MUST_CHECK;	/* fdatasync */
enum rc fs_sync_dir(int dirfd, struct err *err) MUST_CHECK;	/* names in it */
/* The same for the folder that holds dirfd/path. */
enum rc fs_sync_parent(int dirfd, const char *path, struct err *err) MUST_CHECK;
enum rc fs_sync_all(int fd, struct err *err) MUST_CHECK;	/* syncfs: whole file system */

/* A second name for a file; there already is RC_BAD. */
enum rc fs_link(int from_dir, const char *from, int to_dir, const char *to, struct err *err)
	MUST_CHECK;
enum rc fs_unlink(int dirfd, const char *path, struct err *err);
enum rc fs_rename(int dirfd, const char *from, const char *to, struct err *err) MUST_CHECK;

enum rc fs_free_bytes(int fd, uint64_t *bytes, struct err *err) MUST_CHECK;

/* For each name in the folder (not "." and ".."), in no order; stops when fn
 * returns false. */
typedef bool fs_name_fn(const char *name, void *arg);
enum rc fs_each(int dirfd, const char *path, fs_name_fn *fn, void *arg, struct err *err)
	MUST_CHECK;

/*
 * What a test watches.  NULL in production.  Called after the system call has
 * succeeded, under no lock, by whichever thread made it.  SQLite's files come
 * through db/sqlite_vfs.c with the same events.
 */
enum fs_op {
	FS_CREATE,	/* fd is a new file (name "" for O_TMPFILE) */
	FS_WRITE,	/* data at offset */
	FS_TRUNCATE,	/* to offset */
	FS_SYNC,	/* fd's data and size */
	FS_SYNC_DIR,	/* names in dirfd */
	FS_SYNC_ALL,
	FS_LINK,	/* fd or (dirfd2, name2) now also (dirfd, name) */
	FS_UNLINK,	/* (dirfd, name) */
	FS_RENAME,	/* (dirfd2, name2) is now (dirfd, name) */
	FS_MKDIR,	/* (dirfd, name) */
};

struct fs_event {
	enum fs_op op;
	int fd, dirfd, dirfd2;		/* -1 where not meant */
	const char *name, *name2;
	uint64_t offset;
	str data;
};

typedef void fs_observer_fn(const struct fs_event *e);
void fs_observe(fs_observer_fn *fn);
void fs_event(const struct fs_event *e);	/* for db/sqlite_vfs.c */
