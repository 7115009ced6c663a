/* SPDX-License-Identifier: ISC */
#include "daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "filter/filter.h"

enum whose { OF_HOUSE, OF_GATE };

/*
 * Who owns what.  The group of all processes may enter data/, so that gate
 * reaches incoming/ through its descriptor; spooled files are 0660 in a folder
 * whose group sticks (02000), because house hard-links files of gate's user and
 * the kernel asks for write access then (fs.protected_hardlinks).
 */
static const struct folder {
	const char *path; /* below data/ */
	mode_t mode;
	enum whose whose;
} folders[] = {
	{ ".", 0750, OF_HOUSE },
	{ "incoming", 02770, OF_HOUSE },
	{ "held", 02770, OF_HOUSE },
	{ "journal", 0750, OF_HOUSE },
	{ "journal/gate", 02750, OF_GATE },
	{ "journal/house", 02750, OF_HOUSE },
	{ "accounts", 0700, OF_HOUSE },
	{ "index", 0700, OF_HOUSE },
	{ "search", 0700, OF_HOUSE },
	{ "ledger", 0700, OF_HOUSE },
	{ "queue", 0700, OF_HOUSE },
	{ NULL, 0, OF_HOUSE },
};

static enum rc
open_folder(struct instance *in, str path, int *fd, struct err *err)
{
	*fd = openat(in->dir, path.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0)
		return RC_OK;
	if (errno == ENOENT)
		return err_set(err, RC_BAD,
			"the folder \"%s\" beside %s is missing; `gatepost init` makes new ones",
			path.ptr, in->conf_path);
	return err_errno(err, path.ptr);
}

enum rc
instance_open(const char *conf_path, struct instance *in, struct err *err)
{
	BUF_AUTO path = BUF(4096);
	uint64_t now;
	enum rc rc;

	*in = INSTANCE_NONE;
	in->conf_path = conf_path;
	if ((rc = conf_load(conf_path, &in->conf, err)) != RC_OK ||
		(rc = filter_conf_check(in->conf, err)) != RC_OK)
		return rc;
	if (!str_empty(in->conf->test.now) &&
		clock_parse(in->conf->test.now, &now, NULL) == RC_OK)
		clock_set_wall(now);
	if ((rc = owners_find(in->conf, &in->owners, err)) != RC_OK)
		return rc;
	buf_addz(&path, conf_path);
	(void)buf_z(&path);
	in->dir = path.data == NULL
			  ? -1
			  : open(dirname(path.data), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->dir < 0)
		return err_errno(err, "the settings file's folder");
	if ((rc = open_folder(in, in->conf->server.data, &in->data, err)) != RC_OK)
		return rc;
	return open_folder(in, in->conf->server.run, &in->run, err);
}

void
instance_close(struct instance *in)
{
	fs_close(&in->lock);
	fs_close(&in->run);
	fs_close(&in->keys);
	fs_close(&in->data);
	fs_close(&in->dir);
	conf_drop(&in->conf);
}

enum rc
instance_lock(struct instance *in, struct err *err)
{
	FD_AUTO fd = openat(
		in->run, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, "the lock in the folder run/");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, RC_LIMIT,
				"another gatepost works on this instance (it holds run/lock)");
		return err_errno(err, "the lock in the folder run/");
	}
	in->lock = fd;
	fd = -1;
	return RC_OK;
}

/* The manager writes its number into the lock. */
static bool
owner_lives(const struct instance *in)
{
	char *text;
	size_t len;
	uint64_t pid = 0;
	str line;

	if (fs_read_all(in->run, "lock", 64, &text, &len, NULL) != RC_OK)
		return false;
	str rest = { text, len };
	bool known = str_cut(&rest, '\n', &line) && str_u64(line, INT32_MAX, &pid) &&
		     pid > 0;
	free(text);
	return known && kill((pid_t)pid, 0) == 0;
}

enum rc
instance_lock_wait(struct instance *in, uint64_t until_ms, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	enum rc rc;

	while ((rc = instance_lock(in, err)) == RC_LIMIT && clock_ms() < until_ms &&
		!owner_lives(in))
		(void)nanosleep(&pause, NULL);
	if (rc == RC_OK && err != NULL)
		err->text[0] = '\0'; /* of an attempt before */
	return rc;
}

static enum rc
user_id(const char *key, str name, uid_t *out, struct err *err)
{
	const struct passwd *p = getpwnam(name.ptr);

	if (p == NULL)
		return err_set(err, RC_NONE,
			"there is no user \"%s\" ([sandbox] %s); `gatepost init` run by root "
			"makes it, or: useradd --system %s",
			name.ptr, key, name.ptr);
	if (p->pw_uid == 0)
		return err_set(err, RC_BAD, "[sandbox] %s must not be root", key);
	*out = p->pw_uid;
	return RC_OK;
}

enum rc
owners_find(const struct conf *conf, struct owners *out, struct err *err)
{
	struct owners o = { .manager = geteuid(),
		.gate = geteuid(),
		.house = geteuid(),
		.scanner = geteuid(),
		.acme = geteuid(),
		.group = getegid() };
	const struct conf_sandbox *s = &conf->sandbox;
	enum rc rc;

	if (o.manager == 0) {
		const struct group *g = getgrnam(s->group.ptr);

		if (g == NULL)
			return err_set(err, RC_NONE,
				"there is no group \"%s\" ([sandbox] group); `gatepost init` run by "
				"root makes it, or: groupadd --system %s",
				s->group.ptr, s->group.ptr);
		o.group = g->gr_gid;
		o.switching = true;
		if ((rc = user_id("user_gate", s->user_gate, &o.gate, err)) != RC_OK ||
			(rc = user_id("user_house", s->user_house, &o.house, err)) !=
				RC_OK ||
			(rc = user_id("user_scanner", s->user_scanner, &o.scanner,
				 err)) != RC_OK)
			return rc;
		/* an instance of before has none; only who wants certificates misses it */
		if (user_id("user_acme", s->user_acme, &o.acme, NULL) != RC_OK)
			o.acme = 0;
	}
	*out = o;
	return RC_OK;
}

enum rc
owners_become(uid_t uid, gid_t gid, struct err *err)
{
	uid_t r, e, s;

	if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 ||
		setresuid(uid, uid, uid) != 0)
		return err_errno(err, "becoming another user");
	/* the kernel said yes; root that comes back would undo everything */
	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid ||
		(uid != 0 && setuid(0) == 0))
		abort();
	return RC_OK;
}

enum rc
instance_become_owner(const struct instance *in, struct err *err)
{
	(void)umask(0007);
	if (!in->owners.switching)
		return RC_OK;
	return owners_become(in->owners.house, in->owners.group, err);
}

static uid_t
owner_of(const struct folder *f, const struct owners *o)
{
	return f->whose == OF_GATE ? o->gate : o->house;
}

enum rc
instance_make_folders(int data, const struct owners *o, struct err *err)
{
	enum rc rc;

	for (const struct folder *f = folders; f->path != NULL; f++) {
		if ((rc = fs_mkdirs(data, f->path, 0700, err)) != RC_OK)
			return rc;
		if (o->switching &&
			fchownat(data, f->path, owner_of(f, o), o->group, 0) != 0)
			return err_errno(err, f->path);
		if (fchmodat(data, f->path, f->mode, 0) != 0)
			return err_errno(err, f->path);
	}
	return RC_OK;
}

static const char *
folder_fault(const struct folder *f, const struct stat *st, const struct owners *o)
{
	if (!S_ISDIR(st->st_mode))
		return "is not a folder";
	if (st->st_uid != owner_of(f, o))
		return "belongs to another user";
	if (o->switching && st->st_gid != o->group)
		return "belongs to another group";
	if ((st->st_mode & 0007) != 0)
		return "is open to other users";
	if ((st->st_mode & f->mode & 0777) != (f->mode & 0777))
		return "lacks rights";
	return NULL;
}

void
instance_check_folders(const struct instance *in, instance_wrong_fn *fn, void *arg)
{
	char text[240];

	for (const struct folder *f = folders; f->path != NULL; f++) {
		struct stat st;
		const char *fault = "is missing";

		if (fstatat(in->data, f->path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			fault = folder_fault(f, &st, &in->owners);
		if (fault == NULL)
			continue;
		(void)snprintf(text, sizeof(text),
			"the folder %s of the data folder %s (wanted: owner %u, group %u, mode %o)",
			f->path, fault, owner_of(f, &in->owners), in->owners.group,
			f->mode);
		fn(text, arg);
	}
}
