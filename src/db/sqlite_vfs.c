/* SPDX-License-Identifier: ISC */
/*
 * SQLite's file layer, under ours.  All work is the unix VFS's; this one
 *
 *  - leaves full pathnames as they are: databases are opened as
 *    "/proc/self/fd/N/path", N being the data folder, because a process that
 *    has given up its rights cannot traverse the folder's parents, and
 *    resolving the link would give back the path through them;
 *  - reports what is done to files through fs_event(), so that the power test
 *    replays databases together with everything else;
 *  - writes the head of a WAL's frame together with its page: SQLite gives them one by one,
 *    and half of a commit's calls are for 24 bytes each.
 *
 * An event needs a descriptor.  SQLite's own is not to be had, and closing any
 * other descriptor of the file would drop the process's fcntl locks on it
 * (POSIX); O_PATH descriptors are exempt from that, so one of those names the
 * file.  The -shm file is not reported: it is rebuilt from the WAL.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "db/db_int.h"

enum { FRAME_HEAD = 24, PAGE_MOST = 65536 }; /* sqlite.org/fileformat2.html#walformat */

struct shim_file {
	sqlite3_file base;
	bool wal;
	sqlite3_int64 end; /* of the last page that was written to the WAL; or -1 */
	bool waits; /* a head at `end`, for its page */
	char *frame; /* malloc'd: the head, room for a page */
	int fd; /* O_PATH; -1 for a temporary file */
	int dirfd; /* the N of the path; not ours to close */
	const char *name; /* what follows it; SQLite's, until xClose */
	bool sync_dir; /* the next sync is also the folder's */
	sqlite3_file *real; /* behind this struct */
};

enum { REAL_OFFSET = (sizeof(struct shim_file) + 15) & ~15ul };

static sqlite3_vfs *unix_vfs;

#define EVENT(...) \
	fs_event(&(struct fs_event){ .fd = -1, .dirfd = -1, .dirfd2 = -1, __VA_ARGS__ })

static struct shim_file *
shim(sqlite3_file *file)
{
	return (struct shim_file *)(void *)file;
}

/* "/proc/self/fd/N/name" -> N, name; false for any other path. */
static bool
split(const char *path, int *dirfd, const char **name)
{
	int fd = -1, used = 0;

	if (path == NULL || sscanf(path, "/proc/self/fd/%9d/%n", &fd, &used) != 1 ||
		used == 0)
		return false;
	*dirfd = fd;
	*name = path + used;
	return true;
}

/* The unix VFS has synced the folder of dirfd/name. */
static void
report_dir(int dirfd, const char *name)
{
	const char *slash = strrchr(name, '/');
	char folder[512] = ".";

	if (slash != NULL &&
		!str_z((str){ name, (size_t)(slash - name) }, folder, sizeof(folder)))
		return;
	FD_AUTO fd = openat(dirfd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		EVENT(.op = FS_SYNC_DIR, .dirfd = fd);
}

static int
shim_close(sqlite3_file *file)
{
	struct shim_file *f = shim(file);

	free(f->frame); /* no page has come: no frame */
	f->frame = NULL;
	fs_close(&f->fd);
	return f->real->pMethods->xClose(f->real);
}

static int
write_through(struct shim_file *f, const void *data, int n, sqlite3_int64 at)
{
	int rc = f->real->pMethods->xWrite(f->real, data, n, at);

	if (rc == SQLITE_OK && f->fd >= 0)
		EVENT(.op = FS_WRITE, .fd = f->fd, .offset = (uint64_t)at,
			.data = { data, (size_t)n });
	return rc;
}

/* Before anything but the page that belongs to the head that waits. */
static int
write_head(struct shim_file *f)
{
	if (!f->waits)
		return SQLITE_OK;
	f->waits = false;
	return write_through(f, f->frame, FRAME_HEAD, f->end);
}

/* Only a head right behind the last page waits: then its page comes next.  Heads that are
 * written anew (of frames that are already there) are not followed by one. */
static bool
keep_head(struct shim_file *f, const void *data, int n, sqlite3_int64 at)
{
	if (!f->wal || n != FRAME_HEAD || at != f->end)
		return false;
	if (f->frame == NULL && (f->frame = malloc(FRAME_HEAD + PAGE_MOST)) == NULL)
		return false;
	memcpy(f->frame, data, FRAME_HEAD);
	f->waits = true;
	return true;
}

static int
write_page(struct shim_file *f, const void *data, int n, sqlite3_int64 at)
{
	int rc;

	if (f->waits && at == f->end + FRAME_HEAD && n <= PAGE_MOST) {
		f->waits = false;
		memcpy(f->frame + FRAME_HEAD, data, (size_t)n);
		rc = write_through(f, f->frame, FRAME_HEAD + n, f->end);
	} else {
		rc = write_head(f);
		if (rc == SQLITE_OK)
			rc = write_through(f, data, n, at);
	}
	f->end = rc == SQLITE_OK && n > FRAME_HEAD ? at + n : -1;
	return rc;
}

static int
shim_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
	sqlite3_file *real = shim(file)->real;
	int rc = write_head(shim(file));

	if (rc != SQLITE_OK)
		return rc;
	return real->pMethods->xRead(real, out, n, at);
}

static int
shim_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
	struct shim_file *f = shim(file);

	return keep_head(f, data, n, at) ? SQLITE_OK : write_page(f, data, n, at);
}

static int
shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct shim_file *f = shim(file);
	int rc = write_head(f);

	f->end = -1;
	if (rc == SQLITE_OK)
		rc = f->real->pMethods->xTruncate(f->real, size);
	if (rc == SQLITE_OK && f->fd >= 0)
		EVENT(.op = FS_TRUNCATE, .fd = f->fd, .offset = (uint64_t)size);
	return rc;
}

static int
shim_sync(sqlite3_file *file, int flags)
{
	struct shim_file *f = shim(file);
	int rc = write_head(f);

	if (rc == SQLITE_OK)
		rc = f->real->pMethods->xSync(f->real, flags);
	if (rc != SQLITE_OK || f->fd < 0)
		return rc;
	EVENT(.op = FS_SYNC, .fd = f->fd);
	if (f->sync_dir)
		report_dir(f->dirfd, f->name);
	f->sync_dir = false;
	return rc;
}

static int
shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
	sqlite3_file *real = shim(file)->real;
	int rc = write_head(shim(file));

	return rc == SQLITE_OK ? real->pMethods->xFileSize(real, size) : rc;
}

static int
shim_lock(sqlite3_file *file, int level)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xLock(real, level);
}

static int
shim_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xUnlock(real, level);
}

static int
shim_reserved(sqlite3_file *file, int *held)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xCheckReservedLock(real, held);
}

static int
shim_control(sqlite3_file *file, int op, void *arg)
{
	sqlite3_file *real = shim(file)->real;
	int rc = write_head(shim(file));

	return rc == SQLITE_OK ? real->pMethods->xFileControl(real, op, arg) : rc;
}

static int
shim_sector(sqlite3_file *file)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xSectorSize(real);
}

static int
shim_device(sqlite3_file *file)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

static int
shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xShmMap(real, page, size, extend, out);
}

static int
shim_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xShmLock(real, offset, n, flags);
}

static void
shim_shm_barrier(sqlite3_file *file)
{
	sqlite3_file *real = shim(file)->real;

	real->pMethods->xShmBarrier(real);
}

static int
shim_shm_unmap(sqlite3_file *file, int remove_it)
{
	sqlite3_file *real = shim(file)->real;

	return real->pMethods->xShmUnmap(real, remove_it);
}

/* Version 2: with shared memory for the WAL, without mmap of the database. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

static int
shim_open(
	sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
	struct shim_file *f = shim(file);
	const int journals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL |
			     SQLITE_OPEN_SUPER_JOURNAL;
	bool named, fresh;
	int rc;

	(void)vfs;
	*f = (struct shim_file){
		.wal = (flags & SQLITE_OPEN_WAL) != 0, .end = -1, .fd = -1, .dirfd = -1
	};
	f->real = (sqlite3_file *)(void *)((char *)f + REAL_OFFSET);
	f->real->pMethods = NULL;
	named = split(path, &f->dirfd, &f->name);
	fresh = named && (flags & SQLITE_OPEN_CREATE) != 0 &&
		faccessat(f->dirfd, f->name, F_OK, 0) != 0;
	rc = unix_vfs->xOpen(unix_vfs, path, f->real, flags, out_flags);
	if (rc != SQLITE_OK) {
		if (f->real->pMethods != NULL)
			(void)f->real->pMethods->xClose(f->real);
		return rc;
	}
	f->base.pMethods = &methods;
	if (!named)
		return rc;
	f->fd = openat(f->dirfd, f->name, O_PATH | O_CLOEXEC);
	f->sync_dir = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & journals) != 0;
	if (fresh)
		EVENT(.op = FS_CREATE, .fd = f->fd, .dirfd = f->dirfd, .name = f->name);
	return rc;
}

static int
shim_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
	int rc = unix_vfs->xDelete(unix_vfs, path, sync_dir);
	const char *name;
	int dirfd;

	(void)vfs;
	if (rc != SQLITE_OK || !split(path, &dirfd, &name))
		return rc;
	EVENT(.op = FS_UNLINK, .dirfd = dirfd, .name = name);
	if (sync_dir != 0)
		report_dir(dirfd, name);
	return rc;
}

static int
shim_full(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	(void)vfs;
	if (!str_z(str_of(path), out, size < 0 ? 0 : (size_t)size))
		return SQLITE_CANTOPEN;
	return SQLITE_OK;
}

static sqlite3_vfs vfs_shim;
static bool known;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_known(void)
{
	/* Statistics cost a lock shared by all databases at every allocation. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_initialize() != SQLITE_OK)
		return;
	unix_vfs = sqlite3_vfs_find("unix");
	if (unix_vfs == NULL)
		return;
	vfs_shim = *unix_vfs;
	vfs_shim.pNext = NULL;
	vfs_shim.zName = DB_SQLITE_VFS;
	vfs_shim.szOsFile = REAL_OFFSET + unix_vfs->szOsFile;
	vfs_shim.xOpen = shim_open;
	vfs_shim.xDelete = shim_delete;
	vfs_shim.xFullPathname = shim_full;
	known = sqlite3_vfs_register(&vfs_shim, 0) == SQLITE_OK;
}

bool
db_sqlite_vfs(void)
{
	(void)pthread_once(&once, make_known);
	return known;
}
