/* SPDX-License-Identifier: ISC */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ids.h"

static _Atomic(fs_observer_fn *) observer;

void
fs_observe(fs_observer_fn *fn)
{
	atomic_store(&observer, fn);
}

void
fs_event(const struct fs_event *e)
{
	fs_observer_fn *fn = atomic_load_explicit(&observer, memory_order_relaxed);

	if (fn != NULL)
		fn(e);
}

#define EVENT(...) \
	fs_event(&(struct fs_event){ .fd = -1, .dirfd = -1, .dirfd2 = -1, __VA_ARGS__ })

void
fs_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static enum rc
failed(struct err *err, const char *verb, const char *path)
{
	int e = errno;
	char what[160];

	(void)snprintf(what, sizeof(what), "%s %s", verb, path);
	errno = e;
	if (e == ENOENT)
		return err_set(err, RC_NONE, "%s: no such file", what);
	if (e == EEXIST)
		return err_set(err, RC_BAD, "%s: it exists already", what);
	return err_errno(err, what);
}

enum rc
fs_spool_open(int dirfd, mode_t mode, struct fs_spool *out, struct err *err)
{
	int unnamed = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	struct fs_spool s = { .fd = unnamed };

	if (s.fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		struct msg_id id = ids_message(0);

		(void)snprintf(s.name, sizeof(s.name), ".tmp-%s", id.text);
		s.fd = openat(dirfd, s.name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);
	}
	if (s.fd < 0)
		return failed(err, "spool in", "its folder");
	(void)fchmod(s.fd, mode); /* hard links by others need it whatever the umask */
	EVENT(.op = FS_CREATE, .fd = s.fd, .dirfd = dirfd, .name = s.name);
	*out = s;
	return RC_OK;
}

enum rc
fs_spool_publish(int dirfd, struct fs_spool *s, const char *name, struct err *err)
{
	char self[40];

	if (s->name[0] != '\0') {
		if (renameat(dirfd, s->name, dirfd, name) != 0)
			return failed(err, "name", name);
		EVENT(.op = FS_RENAME, .dirfd = dirfd, .name = name, .dirfd2 = dirfd,
			.name2 = s->name);
		s->name[0] = '\0';
		return RC_OK;
	}
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", s->fd);
	if (linkat(AT_FDCWD, self, dirfd, name, AT_SYMLINK_FOLLOW) != 0)
		return failed(err, "link", name);
	EVENT(.op = FS_LINK, .fd = s->fd, .dirfd = dirfd, .name = name);
	return RC_OK;
}

void
fs_spool_drop(int dirfd, struct fs_spool *s)
{
	if (s->fd >= 0 && s->name[0] != '\0')
		(void)fs_unlink(dirfd, s->name, NULL);
	s->name[0] = '\0';
	fs_close(&s->fd);
}

enum rc
fs_reopen_read(int fd, int *out, struct err *err)
{
	char self[40];
	int copy;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	copy = open(self, O_RDONLY | O_CLOEXEC);
	if (copy < 0)
		return failed(err, "reopen", self);
	*out = copy;
	return RC_OK;
}

enum rc
fs_open(int dirfd, const char *path, int flags, mode_t mode, int *fd, struct err *err)
{
	bool fresh = (flags & O_CREAT) != 0 && faccessat(dirfd, path, F_OK, 0) != 0;
	int got = openat(dirfd, path, flags | O_CLOEXEC, mode);

	if (got < 0)
		return failed(err, "open", path);
	if (fresh)
		EVENT(.op = FS_CREATE, .fd = got, .dirfd = dirfd, .name = path);
	else if ((flags & O_TRUNC) != 0)
		EVENT(.op = FS_TRUNCATE, .fd = got);
	*fd = got;
	return RC_OK;
}

enum rc
fs_open_dir(int dirfd, const char *path, int *fd, struct err *err)
{
	int got = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (got < 0)
		return failed(err, "open folder", path);
	*fd = got;
	return RC_OK;
}

enum rc
fs_mkdirs(int dirfd, const char *path, mode_t mode, struct err *err)
{
	char part[512];

	if (mkdirat(dirfd, path, mode) == 0) {
		EVENT(.op = FS_MKDIR, .dirfd = dirfd, .name = path);
		return RC_OK;
	}
	if (errno == EEXIST)
		return RC_OK;
	if (errno != ENOENT)
		return failed(err, "make folder", path);
	const char *slash = strrchr(path, '/');
	if (slash == NULL || slash == path ||
		!str_z((str){ path, (size_t)(slash - path) }, part, sizeof(part)))
		return failed(err, "make folder", path);
	enum rc rc = fs_mkdirs(dirfd, part, mode, err);
	if (rc != RC_OK)
		return rc;
	if (mkdirat(dirfd, path, mode) != 0 && errno != EEXIST)
		return failed(err, "make folder", path);
	EVENT(.op = FS_MKDIR, .dirfd = dirfd, .name = path);
	return RC_OK;
}

enum rc
fs_append(int fd, str data, struct err *err)
{
	for (str left = data; left.len > 0;) {
		bool seen = atomic_load_explicit(&observer, memory_order_relaxed) != NULL;
		off_t at = seen ? lseek(fd, 0, SEEK_CUR) : 0;
		ssize_t n = write(fd, left.ptr, left.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "write");
		EVENT(.op = FS_WRITE, .fd = fd, .offset = (uint64_t)at,
			.data = str_first(left, (size_t)n));
		left = str_skip(left, (size_t)n);
	}
	return RC_OK;
}

enum rc
fs_pwrite(int fd, str data, uint64_t offset, struct err *err)
{
	for (str left = data; left.len > 0;) {
		ssize_t n = pwrite(fd, left.ptr, left.len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "write");
		EVENT(.op = FS_WRITE, .fd = fd, .offset = offset,
			.data = str_first(left, (size_t)n));
		offset += (uint64_t)n;
		left = str_skip(left, (size_t)n);
	}
	return RC_OK;
}

enum rc
fs_pread(int fd, void *out, size_t len, uint64_t offset, size_t *got, struct err *err)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(
			fd, (char *)out + have, len - have, (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read");
		if (n == 0)
			break;
		have += (size_t)n;
	}
	*got = have;
	return RC_OK;
}

enum rc
fs_truncate(int fd, uint64_t size, struct err *err)
{
	if (ftruncate(fd, (off_t)size) != 0)
		return err_errno(err, "truncate");
	EVENT(.op = FS_TRUNCATE, .fd = fd, .offset = size);
	return RC_OK;
}

/* Written zeros rather than fallocate(2): later data syncs then touch no
 * metadata, because no extent changes from unwritten to written. */
enum rc
fs_allocate(int fd, uint64_t offset, uint64_t len, struct err *err)
{
	static const char zeros[64 * 1024];

	while (len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);
		enum rc rc = fs_pwrite(fd, (str){ zeros, n }, offset, err);

		if (rc != RC_OK)
			return rc;
		offset += n;
		len -= n;
	}
	return RC_OK;
}

enum rc
fs_size(int fd, uint64_t *size, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(err, "stat");
	*size = (uint64_t)st.st_size;
	return RC_OK;
}

enum rc
fs_read_all(int dirfd, const char *path, size_t most, char **data, size_t *len,
	struct err *err)
{
	FD_AUTO fd = -1;
	uint64_t size;
	enum rc rc = fs_open(dirfd, path, O_RDONLY, 0, &fd, err);

	if (rc != RC_OK)
		return rc;
	if ((rc = fs_size(fd, &size, err)) != RC_OK)
		return rc;
	if (size > most)
		return err_set(err, RC_BAD, "%s is larger than %zu bytes", path, most);
	char *p = malloc((size_t)size + 1);
	if (p == NULL)
		abort();
	size_t got = 0;
	if ((rc = fs_pread(fd, p, (size_t)size, 0, &got, err)) != RC_OK) {
		free(p);
		return rc;
	}
	p[got] = '\0';
	*data = p;
	*len = got;
	return RC_OK;
}

enum rc
fs_sync_parent(int dirfd, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[512] = ".";
	FD_AUTO fd = -1;
	enum rc rc;

	if (slash != NULL &&
		!str_z((str){ path, (size_t)(slash - path) }, folder, sizeof(folder)))
		return err_set(err, RC_PERM, "the path %s is too long", path);
	if ((rc = fs_open_dir(dirfd, folder, &fd, err)) != RC_OK)
		return rc;
	return fs_sync_dir(fd, err);
}

enum rc
fs_replace(int dirfd, const char *path, mode_t mode, str data, struct err *err)
{
	char temporary[512];
	FD_AUTO fd = -1;
	enum rc rc;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
		(int)sizeof(temporary))
		return err_set(err, RC_PERM, "the path %s is too long", path);
	rc = fs_open(dirfd, temporary, O_WRONLY | O_CREAT | O_TRUNC, mode, &fd, err);
	if (rc != RC_OK)
		return rc;
	(void)fchmod(fd, mode);
	if ((rc = fs_append(fd, data, err)) != RC_OK ||
		(rc = fs_sync_data(fd, err)) != RC_OK)
		return rc;
	if ((rc = fs_rename(dirfd, temporary, path, err)) != RC_OK)
		return rc;
	return fs_sync_parent(dirfd, path, err);
}

enum rc
fs_sync_data(int fd, struct err *err)
{
	if (fdatasync(fd) != 0)
		return err_errno(err, "fdatasync");
	EVENT(.op = FS_SYNC, .fd = fd);
	return RC_OK;
}

enum rc
fs_sync_dir(int dirfd, struct err *err)
{
	if (fsync(dirfd) != 0)
		return err_errno(err, "fsync of a folder");
	EVENT(.op = FS_SYNC_DIR, .dirfd = dirfd);
	return RC_OK;
}

enum rc
fs_sync_all(int fd, struct err *err)
{
	if (syncfs(fd) != 0)
		return err_errno(err, "syncfs");
	EVENT(.op = FS_SYNC_ALL, .fd = fd);
	return RC_OK;
}

enum rc
fs_link(int from_dir, const char *from, int to_dir, const char *to, struct err *err)
{
	if (linkat(from_dir, from, to_dir, to, 0) != 0)
		return failed(err, "link", to);
	EVENT(.op = FS_LINK, .dirfd = to_dir, .name = to, .dirfd2 = from_dir,
		.name2 = from);
	return RC_OK;
}

enum rc
fs_unlink(int dirfd, const char *path, struct err *err)
{
	if (unlinkat(dirfd, path, 0) != 0)
		return failed(err, "remove", path);
	EVENT(.op = FS_UNLINK, .dirfd = dirfd, .name = path);
	return RC_OK;
}

enum rc
fs_rename(int dirfd, const char *from, const char *to, struct err *err)
{
	if (renameat(dirfd, from, dirfd, to) != 0)
		return failed(err, "rename to", to);
	EVENT(.op = FS_RENAME, .dirfd = dirfd, .name = to, .dirfd2 = dirfd,
		.name2 = from);
	return RC_OK;
}

enum rc
fs_free_bytes(int fd, uint64_t *bytes, struct err *err)
{
	struct statvfs v;

	if (fstatvfs(fd, &v) != 0)
		return err_errno(err, "statvfs");
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return RC_OK;
}

enum rc
fs_each(int dirfd, const char *path, fs_name_fn *fn, void *arg, struct err *err)
{
	int fd = -1;
	enum rc rc = fs_open_dir(dirfd, path, &fd, err);
	DIR *d;

	if (rc != RC_OK)
		return rc;
	d = fdopendir(fd);
	if (d == NULL) {
		fs_close(&fd);
		return err_errno(err, "read folder");
	}
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!fn(e->d_name, arg))
			break;
	}
	(void)closedir(d);
	return RC_OK;
}
