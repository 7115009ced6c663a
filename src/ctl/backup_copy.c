/* SPDX-License-Identifier: ISC */
#include "ctl/backup_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

enum { CHUNK = 256 * 1024 };

bool
copy_there(int dir, const char *path)
{
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void
copy_blob_path(uint64_t account, const struct msg_id *id, char out[COPY_PATH])
{
	time_t t = (time_t)(ids_time_ms(msg_id_str(id)) / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	(void)snprintf(out, COPY_PATH, "accounts/%" PRIu64 "/%04u%02u/%s", account,
		(unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)(tm.tm_mon + 1) % 100u,
		id->text);
}

/* Backwards: what is appended meanwhile is then missing at the end only. */
enum rc
copy_open_file(int in, int out, struct err *err)
{
	static _Thread_local char chunk[CHUNK];
	uint64_t size, at;
	enum rc rc = fs_size(in, &size, err);

	if (rc != RC_OK)
		return rc;
	for (at = size; rc == RC_OK && at > 0;) {
		size_t want = at % CHUNK != 0 ? (size_t)(at % CHUNK) : CHUNK, got;

		at -= want;
		rc = fs_pread(in, chunk, want, at, &got, err);
		if (rc == RC_OK)
			rc = fs_pwrite(out, (str){ chunk, got }, at, err);
	}
	return rc;
}

enum rc
copy_file(int from, int to, const char *path, bool link, struct err *err)
{
	FD_AUTO in = -1;
	FD_AUTO out = -1;
	struct stat st;
	enum rc rc;

	if (link) {
		rc = fs_link(from, path, to, path, err);
		if (rc == RC_OK || rc == RC_NONE || rc == RC_BAD)
			return rc == RC_BAD ? RC_OK : rc;
		/* another file system, or one without links, or their owner's */
	}
	if ((rc = fs_open(from, path, O_RDONLY | O_NOFOLLOW, 0, &in, err)) != RC_OK)
		return rc;
	if (fstat(in, &st) != 0)
		return err_errno(err, path);
	rc = fs_open(to, path, O_WRONLY | O_CREAT | O_EXCL, 0600, &out, err);
	if (rc == RC_BAD && link)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	if ((rc = copy_open_file(in, out, err)) != RC_OK)
		return rc;
	if (fchmod(out, st.st_mode & 0770) != 0)
		return err_errno(err, path);
	return RC_OK;
}

struct walk {
	int from, to;
	const char *path;
	bool link;
	enum rc rc;
	struct err *err;
	bool (*which)(const char *name, void *arg);
	void *arg;
	uid_t uid;
	gid_t gid;
};

/* False (and w->rc) when the path would be too long. */
static bool
below(struct walk *w, const char *name, char path[COPY_PATH])
{
	if (snprintf(path, COPY_PATH, "%s/%s", w->path, name) < COPY_PATH)
		return true;
	w->rc = err_set(w->err, RC_PERM, "the path %s/%s is too long", w->path, name);
	return false;
}

static bool
copy_one(const char *name, void *arg)
{
	struct walk *w = arg;
	char path[COPY_PATH];
	struct stat st;

	if (!below(w, name, path))
		return false;
	if (fstatat(w->from, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if (S_ISDIR(st.st_mode))
		w->rc = copy_tree(w->from, w->to, path, w->link, w->err);
	else if (S_ISREG(st.st_mode))
		w->rc = copy_file(w->from, w->to, path, w->link, w->err);
	if (w->rc == RC_NONE)
		w->rc = RC_OK;
	return w->rc == RC_OK;
}

enum rc
copy_tree(int from, int to, const char *path, bool link, struct err *err)
{
	struct walk w = {
		.from = from, .to = to, .path = path, .link = link, .err = err
	};
	enum rc rc = fs_mkdirs(to, path, 0700, err);

	if (rc != RC_OK)
		return rc;
	rc = fs_each(from, path, copy_one, &w, err);
	if (rc == RC_NONE)
		return RC_OK;
	return rc == RC_OK ? w.rc : rc;
}

struct names {
	char name[4096][32];
	size_t n;
};

static bool
add_name(const char *name, void *arg)
{
	struct names *list = arg;

	if (list->n < sizeof(list->name) / sizeof(list->name[0]) &&
		str_z(str_of(name), list->name[list->n], sizeof(list->name[0])))
		list->n++;
	return true;
}

static int
newest_first(const void *a, const void *b)
{
	return strcmp(b, a);
}

enum rc
copy_journal(int from, int to, const char *path, struct err *err)
{
	struct names *list = calloc(1, sizeof(*list));
	char file[COPY_PATH];
	enum rc rc;

	if (list == NULL)
		abort();
	rc = fs_mkdirs(to, path, 0700, err);
	if (rc == RC_OK && (rc = fs_each(from, path, add_name, list, err)) == RC_NONE)
		rc = RC_OK;
	qsort(list->name, list->n, sizeof(list->name[0]), newest_first);
	for (size_t i = 0; rc == RC_OK && i < list->n; i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", path, list->name[i]);
		rc = copy_file(from, to, file, false, err);
		if (rc == RC_NONE) /* trimmed this moment */
			rc = RC_OK;
	}
	free(list);
	return rc;
}

static bool
remove_one(const char *name, void *arg)
{
	struct walk *w = arg;
	char path[COPY_PATH];
	struct stat st;

	if (!below(w, name, path))
		return false;
	if (fstatat(w->to, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode) ||
		(w->which != NULL && !w->which(name, w->arg)))
		return true;
	w->rc = fs_unlink(w->to, path, w->err);
	return w->rc == RC_OK;
}

enum rc
remove_files(int dir, const char *path, bool (*which)(const char *name, void *arg),
	void *arg, struct err *err)
{
	struct walk w = {
		.to = dir, .path = path, .which = which, .arg = arg, .err = err
	};
	enum rc rc = fs_each(dir, path, remove_one, &w, err);

	if (rc == RC_NONE)
		return RC_OK;
	return rc == RC_OK ? w.rc : rc;
}

static bool
own_one(const char *name, void *arg)
{
	struct walk *w = arg;
	char path[COPY_PATH];
	struct stat st;

	if (!below(w, name, path))
		return false;
	if (fstatat(w->to, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if (S_ISDIR(st.st_mode))
		w->rc = own_tree(w->to, path, w->uid, w->gid, w->err);
	else if (fchownat(w->to, path, w->uid, w->gid, AT_SYMLINK_NOFOLLOW) != 0)
		w->rc = err_errno(w->err, path);
	return w->rc == RC_OK;
}

enum rc
own_tree(int dir, const char *path, uid_t uid, gid_t gid, struct err *err)
{
	struct walk w = { .to = dir, .path = path, .uid = uid, .gid = gid, .err = err };
	enum rc rc;

	if (fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? RC_OK : err_errno(err, path);
	rc = fs_each(dir, path, own_one, &w, err);
	return rc == RC_OK ? w.rc : rc;
}
