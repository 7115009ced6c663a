/* SPDX-License-Identifier: ISC */
#include "test/power.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

enum { NAME = 64, SECTOR = 512, PAGE = 4096 };

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "power: %s (%s)\n", what, strerror(errno));
	abort();
}

static void *
grow(void *p, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return p;
	*room = *room == 0 ? 16 : *room * 2;
	p = realloc(p, *room * size);
	need(p != NULL, "memory");
	return p;
}

/* --- the recording --- */

/* One event, its files known by our own numbers (inode numbers come again). */
struct event {
	enum fs_op op;
	bool folder; /* FS_CREATE of a folder */
	unsigned file, dir;
	char name[NAME], old[NAME]; /* old: what a rename took away */
	uint64_t offset, len;
	char *data;
};

struct known {
	uint64_t ino;
	unsigned file;
};

static struct {
	pthread_mutex_t lock;
	struct event *at;
	size_t n, room;
	struct known *known;
	size_t nknown, known_room;
	unsigned files;
	size_t image; /* events that make the image */
} rec = { .lock = PTHREAD_MUTEX_INITIALIZER };

static unsigned
file_of(uint64_t ino)
{
	for (size_t i = rec.nknown; i-- > 0;)
		if (rec.known[i].ino == ino)
			return rec.known[i].file;
	need(false, "an event about a file that was never made");
	return 0;
}

static unsigned
new_file(uint64_t ino)
{
	rec.known = grow(rec.known, rec.nknown, &rec.known_room, sizeof(*rec.known));
	rec.known[rec.nknown++] = (struct known){ .ino = ino, .file = rec.files };
	return rec.files++;
}

static struct event *
add(enum fs_op op)
{
	rec.at = grow(rec.at, rec.n, &rec.room, sizeof(*rec.at));
	rec.at[rec.n] = (struct event){ .op = op };
	return &rec.at[rec.n++];
}

static uint64_t
ino_of(int fd)
{
	struct stat st;

	need(fstat(fd, &st) == 0, "fstat");
	return (uint64_t)st.st_ino;
}

/* The folder of dirfd/path, and the last part of the path. */
static unsigned
place_of(int dirfd, const char *path, char leaf[NAME])
{
	const char *slash = strrchr(path, '/');
	char folder[400];
	struct stat st;

	need(snprintf(leaf, NAME, "%s", slash == NULL ? path : slash + 1) < NAME,
		"a long name");
	if (slash == NULL)
		return file_of(ino_of(dirfd));
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	need(fstatat(dirfd, folder, &st, 0) == 0, folder);
	return file_of((uint64_t)st.st_ino);
}

static uint64_t
ino_at(int dirfd, const char *path)
{
	struct stat st;

	need(fstatat(dirfd, path, &st, 0) == 0, path);
	return (uint64_t)st.st_ino;
}

static void
add_data(struct event *e, str data)
{
	e->len = data.len;
	e->data = malloc(data.len + 1);
	need(e->data != NULL, "memory");
	if (data.len > 0)
		memcpy(e->data, data.ptr, data.len);
}

static void
note_link(const struct fs_event *from)
{
	uint64_t ino = from->fd >= 0 ? ino_of(from->fd)
				     : ino_at(from->dirfd2, from->name2);
	char leaf[NAME];
	unsigned dir = place_of(from->dirfd, from->name, leaf), file = file_of(ino);
	struct event *e = add(FS_LINK);

	e->file = file;
	e->dir = dir;
	memcpy(e->name, leaf, NAME);
}

static void
note_name(const struct fs_event *from)
{
	char leaf[NAME], old[NAME] = "";
	unsigned dir = place_of(from->dirfd, from->name, leaf);

	if (from->op == FS_RENAME)
		need(place_of(from->dirfd2, from->name2, old) == dir,
			"a rename between folders");
	struct event *e = add(from->op);
	e->dir = dir;
	memcpy(e->name, leaf, NAME);
	memcpy(e->old, old, NAME);
	if (from->op == FS_MKDIR)
		e->file = new_file(ino_at(from->dirfd, from->name));
}

static void
note_create(const struct fs_event *from)
{
	unsigned file = new_file(ino_of(from->fd));

	if (from->name[0] == '\0') {
		add(FS_CREATE)->file = file;
		return;
	}
	char leaf[NAME];
	unsigned dir = place_of(from->dirfd, from->name, leaf);
	struct event *e = add(FS_CREATE);
	e->file = file;
	e->dir = dir;
	memcpy(e->name, leaf, NAME);
}

static void
note_file(const struct fs_event *from)
{
	unsigned file = file_of(ino_of(from->op == FS_SYNC_DIR ? from->dirfd : from->fd));
	struct event *e = add(from->op);

	e->file = file;
	e->offset = from->offset;
	if (from->op == FS_WRITE)
		add_data(e, from->data);
}

static void
observe(const struct fs_event *e)
{
	(void)pthread_mutex_lock(&rec.lock);
	if (e->op == FS_CREATE)
		note_create(e);
	else if (e->op == FS_LINK)
		note_link(e);
	else if (e->op == FS_UNLINK || e->op == FS_RENAME || e->op == FS_MKDIR)
		note_name(e);
	else if (e->op == FS_SYNC_ALL)
		(void)add(FS_SYNC_ALL);
	else
		note_file(e);
	(void)pthread_mutex_unlock(&rec.lock);
}

static void
take_file(int dirfd, const char *name, unsigned dir)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	static char bytes[1 << 22];

	need(fd >= 0, name);
	ssize_t n = read(fd, bytes, sizeof(bytes));
	need(n >= 0 && (size_t)n < sizeof(bytes), name);
	unsigned file = new_file(ino_of(fd));
	struct event *e = add(FS_CREATE);
	e->file = file;
	e->dir = dir;
	(void)snprintf(e->name, NAME, "%s", name);
	e = add(FS_WRITE);
	e->file = file;
	add_data(e, (str){ bytes, (size_t)n });
	(void)close(fd);
}

/* The folder as it stands becomes events too. */
static void
take_folder(int fd, unsigned dir)
{
	DIR *d = fdopendir(fd);

	need(d != NULL, "fdopendir");
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		size_t len = strlen(e->d_name);

		if (e->d_name[0] == '.' ||
			(len > 4 && strcmp(e->d_name + len - 4, "-shm") == 0))
			continue;
		int sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0) {
			take_file(fd, e->d_name, dir);
			continue;
		}
		unsigned file = new_file(ino_of(sub));
		struct event *made = add(FS_MKDIR);
		made->file = file;
		made->dir = dir;
		(void)snprintf(made->name, NAME, "%s", e->d_name);
		take_folder(sub, file);
	}
	(void)closedir(d);
}

void
power_record(const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	need(fd >= 0, root);
	for (size_t i = 0; i < rec.n; i++)
		free(rec.at[i].data);
	rec.n = rec.nknown = 0;
	rec.files = 0;
	unsigned dir = new_file(ino_of(fd));
	take_folder(fd, dir);
	(void)add(FS_SYNC_ALL);
	rec.image = rec.n;
	fs_observe(observe);
}

void
power_stop(void)
{
	fs_observe(NULL);
}

size_t
power_events(void)
{
	(void)pthread_mutex_lock(&rec.lock);
	size_t n = rec.n - rec.image;
	(void)pthread_mutex_unlock(&rec.lock);
	return n;
}

void
power_describe(size_t n, char out[200])
{
	static const char *const words[] = { [FS_CREATE] = "create",
		[FS_WRITE] = "write",
		[FS_TRUNCATE] = "truncate",
		[FS_SYNC] = "sync",
		[FS_SYNC_DIR] = "sync folder",
		[FS_SYNC_ALL] = "sync all",
		[FS_LINK] = "link",
		[FS_UNLINK] = "unlink",
		[FS_RENAME] = "rename",
		[FS_MKDIR] = "mkdir" };

	out[0] = '\0';
	if (n + rec.image >= rec.n)
		return;
	const struct event *e = &rec.at[n + rec.image];
	(void)snprintf(out, 200, "%s file %u dir %u name \"%s\" offset %llu len %llu",
		words[e->op], e->file, e->dir, e->name, (unsigned long long)e->offset,
		(unsigned long long)e->len);
}

/* --- worlds --- */

struct bytes {
	char *at;
	uint64_t len, cap;
};

struct entry {
	char name[NAME];
	unsigned file;
};

struct names {
	struct entry *at;
	size_t n, room;
};

/* A file or folder: what is safe, and the events since. */
struct inode {
	bool folder;
	struct bytes safe;
	struct names names;
	const struct event **since;
	size_t nsince, since_room;
};

struct world {
	struct inode *at;
	size_t n;
	size_t done; /* events, with the image's */
};

static void
resize(struct bytes *b, uint64_t len)
{
	if (len > b->cap) {
		uint64_t cap = len < 65536 ? 65536 : len * 2;

		b->at = realloc(b->at, cap);
		need(b->at != NULL, "memory");
		b->cap = cap;
	}
	if (len > b->len)
		memset(b->at + b->len, 0, len - b->len);
	b->len = len;
}

static void
put(struct bytes *b, uint64_t offset, const char *data, uint64_t len)
{
	if (offset + len > b->len)
		resize(b, offset + len);
	if (len > 0)
		memcpy(b->at + offset, data, len);
}

static void
remove_name(struct names *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->at[i].name, name) == 0) {
			d->at[i] = d->at[--d->n];
			return;
		}
}

static void
set_name(struct names *d, const char *name, unsigned file)
{
	remove_name(d, name);
	d->at = grow(d->at, d->n, &d->room, sizeof(*d->at));
	(void)snprintf(d->at[d->n].name, NAME, "%s", name);
	d->at[d->n++].file = file;
}

static void
rename_in(struct names *d, const char *from, const char *to)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->at[i].name, from) == 0) {
			unsigned file = d->at[i].file;

			remove_name(d, from);
			set_name(d, to, file);
			return;
		}
}

static void
apply_name(struct names *d, const struct event *e)
{
	if (e->op == FS_UNLINK)
		remove_name(d, e->name);
	else if (e->op == FS_RENAME)
		rename_in(d, e->old, e->name);
	else
		set_name(d, e->name, e->file);
}

static void
apply_bytes(struct bytes *b, const struct event *e)
{
	if (e->op == FS_TRUNCATE)
		resize(b, e->offset);
	else
		put(b, e->offset, e->data, e->len);
}

static void
make_safe(struct inode *i)
{
	for (size_t k = 0; k < i->nsince; k++)
		if (i->folder)
			apply_name(&i->names, i->since[k]);
		else
			apply_bytes(&i->safe, i->since[k]);
	i->nsince = 0;
}

static void
wait_for_sync(struct inode *i, const struct event *e)
{
	i->since = grow(i->since, i->nsince, &i->since_room, sizeof(*i->since));
	i->since[i->nsince++] = e;
}

static void
step(struct world *w, const struct event *e)
{
	if (e->op == FS_SYNC_ALL) {
		for (size_t i = 0; i < w->n; i++)
			make_safe(&w->at[i]);
		return;
	}
	if (e->op == FS_SYNC || e->op == FS_SYNC_DIR) {
		make_safe(&w->at[e->file]);
		return;
	}
	if (e->op == FS_MKDIR)
		w->at[e->file].folder = true;
	if (e->op == FS_WRITE || e->op == FS_TRUNCATE)
		wait_for_sync(&w->at[e->file], e);
	else if (e->name[0] != '\0')
		wait_for_sync(&w->at[e->dir], e);
}

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	need(w != NULL, "memory");
	w->n = rec.files;
	w->at = calloc(w->n, sizeof(*w->at));
	need(w->at != NULL, "memory");
	w->at[0].folder = true;
	world_advance(w, 0);
	return w;
}

void
world_free(struct world **wp)
{
	struct world *w = *wp;

	for (size_t i = 0; i < w->n; i++) {
		free(w->at[i].safe.at);
		free(w->at[i].names.at);
		free(w->at[i].since);
	}
	free(w->at);
	free(w);
	*wp = NULL;
}

void
world_advance(struct world *w, size_t n)
{
	for (; w->done < rec.image + n; w->done++)
		step(w, &rec.at[w->done]);
}

/* --- a folder as it is found --- */

struct cut {
	const struct world *w;
	enum power_mode mode;
	uint64_t rng;
	unsigned keep_of_16; /* how many of 16 unsynced things arrive */
	char **made; /* the path each file got first, for its other names */
};

static uint64_t
next_random(struct cut *c)
{
	c->rng += 0x9e3779b97f4a7c15ull; /* splitmix64 */
	uint64_t z = c->rng;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static bool
arrives(struct cut *c)
{
	if (c->mode == POWER_ALL)
		return true;
	return c->mode == POWER_RANDOM && next_random(c) % 16 < c->keep_of_16;
}

/* Torn: of one write some sectors arrive and others do not. */
static void
tear(struct cut *c, struct bytes *b, const struct event *e)
{
	for (uint64_t at = 0; at < e->len;) {
		uint64_t n = SECTOR - (e->offset + at) % SECTOR;

		if (n > e->len - at)
			n = e->len - at;
		if (next_random(c) % 2 == 0)
			put(b, e->offset + at, e->data + at, n);
		at += n;
	}
}

static void
found_bytes(struct cut *c, const struct inode *i, struct bytes *out)
{
	put(out, 0, i->safe.at, i->safe.len);
	for (size_t k = 0; k < i->nsince; k++) {
		const struct event *e = i->since[k];

		if (c->mode == POWER_RANDOM && e->op == FS_WRITE &&
			next_random(c) % 4 == 0)
			tear(c, out, e);
		else if (arrives(c))
			apply_bytes(out, e);
	}
}

static void
write_file(struct cut *c, const struct inode *i, const char *path)
{
	static const char zeros[PAGE];
	struct bytes b = { .at = NULL };
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0660);

	need(fd >= 0, path);
	found_bytes(c, i, &b);
	for (uint64_t at = 0; at < b.len; at += PAGE) { /* zeros stay holes */
		size_t n = b.len - at < PAGE ? (size_t)(b.len - at) : PAGE;

		if (memcmp(b.at + at, zeros, n) != 0)
			need(pwrite(fd, b.at + at, n, (off_t)at) == (ssize_t)n, path);
	}
	need(ftruncate(fd, (off_t)b.len) == 0, path);
	(void)close(fd);
	free(b.at);
}

static void
write_folder(struct cut *c, unsigned file, const char *path)
{
	const struct inode *i = &c->w->at[file];
	struct names found = { .n = 0 };

	for (size_t k = 0; k < i->names.n; k++)
		set_name(&found, i->names.at[k].name, i->names.at[k].file);
	for (size_t k = 0; k < i->nsince; k++)
		if (arrives(c))
			apply_name(&found, i->since[k]);
	need(mkdir(path, 0770) == 0 || errno == EEXIST, path);
	for (size_t k = 0; k < found.n; k++) {
		const struct entry *e = &found.at[k];
		char sub[600];

		need(snprintf(sub, sizeof(sub), "%s/%s", path, e->name) <
				(int)sizeof(sub),
			"path");
		if (c->w->at[e->file].folder) {
			write_folder(c, e->file, sub);
		} else if (c->made[e->file] != NULL) {
			need(link(c->made[e->file], sub) == 0, sub);
		} else {
			write_file(c, &c->w->at[e->file], sub);
			c->made[e->file] = strdup(sub);
		}
	}
	free(found.at);
}

void
world_write(const struct world *w, enum power_mode mode, uint64_t seed, const char *path)
{
	static const unsigned shares[4] = { 8, 14, 2, 11 };
	struct cut c = { .w = w,
		.mode = mode,
		.rng = seed,
		.keep_of_16 = shares[seed % 4],
		.made = calloc(w->n, sizeof(*c.made)) };

	need(c.made != NULL, "memory");
	write_folder(&c, 0, path);
	for (size_t i = 0; i < w->n; i++)
		free(c.made[i]);
	free(c.made);
}
