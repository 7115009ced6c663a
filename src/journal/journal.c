/* SPDX-License-Identifier: ISC */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include "journal/journal_int.h"

enum {
	STEP = 1024 * 1024, /* zeros written ahead */
	BATCH_ENTRIES = 1024,
	NOTES_MOST = 100 * 1000, /* waiting; past that they are forgotten */
	NOTES_WAIT_MS = 20, /* for a commit to travel with */
};

#define ROLL_BYTES  (64ull * 1024 * 1024)
#define BATCH_BYTES (4ull * 1024 * 1024)

struct entry {
	struct entry *next;
	enum jrec_kind kind;
	str payload;
	bool note, sync_names; /* a note is malloc'd, others are on a stack */
	uint64_t seq;
	enum rc rc;
	struct err *err;
	sem_t done;
};

/* What the committer waits for: a commit, at most until there are notes to write,
 * or anything at all. */
enum sleep { AWAKE, NAPS, SLEEPS };

/* What is on disk for certain. */
struct mark {
	uint64_t pos, next, sum;
};

struct journal {
	struct journal_want want;
	struct jfile file; /* whose turn it is (busy), as all up to `lock` */
	struct mark synced;
	uint64_t allocated; /* zeros are written up to here */
	bool broken; /* what was written has still to be taken back */
	struct buf out;
	pthread_t committer;

	pthread_mutex_t lock;
	pthread_cond_t work;
	struct entry *first, **last;
	size_t notes, commits; /* waiting */
	enum sleep sleep;
	bool busy; /* somebody writes: the committer, or who found nobody at it */
	uint64_t synced_seq;
	bool stop;
};

static struct mark
mark_of(const struct jfile *f)
{
	return (struct mark){ .pos = f->pos, .next = f->next, .sum = f->sum };
}

static void
go_back(struct journal *j)
{
	j->file.pos = j->synced.pos;
	j->file.next = j->synced.next;
	j->file.sum = j->synced.sum;
}

/*
 * After a failed write or sync nothing after the mark can be relied on, not
 * even pages that the kernel calls clean: cut the file there and sync that.
 */
static enum rc
take_back(struct journal *j, struct err *err)
{
	enum rc rc;

	go_back(j);
	j->broken = true;
	if ((rc = fs_truncate(j->file.fd, j->file.pos, err)) != RC_OK ||
		(rc = fs_sync_data(j->file.fd, err)) != RC_OK)
		return rc;
	j->allocated = j->file.pos;
	j->broken = false;
	return RC_OK;
}

static enum rc
sync_file(struct journal *j, struct err *err)
{
	enum rc rc = fs_sync_data(j->file.fd, err);

	if (rc == RC_OK)
		j->synced = mark_of(&j->file);
	return rc;
}

static enum rc
write_out(struct journal *j, struct err *err)
{
	uint64_t end = j->file.pos + j->out.len;
	enum rc rc;

	if (end > j->allocated) {
		uint64_t upto = (end + STEP - 1) / STEP * STEP;

		rc = fs_allocate(j->file.fd, j->allocated, upto - j->allocated, err);
		if (rc != RC_OK)
			return rc;
		j->allocated = upto;
	}
	rc = fs_pwrite(j->file.fd, buf_str(&j->out), j->file.pos, err);
	if (rc == RC_OK)
		j->file.pos = end;
	return rc;
}

/* Gives the open, empty file its head; it and its name are on disk then. */
static enum rc
begin_file(struct journal *j, struct err *err)
{
	uint64_t next = j->file.next, sum = j->file.sum;
	enum rc rc;

	j->allocated = 0;
	j->file.pos = 0;
	buf_clear(&j->out);
	jfile_put_head(&j->file, &j->out);
	if ((rc = fs_truncate(j->file.fd, 0, err)) != RC_OK ||
		(rc = write_out(j, err)) != RC_OK ||
		(rc = fs_sync_data(j->file.fd, err)) != RC_OK ||
		(rc = fs_sync_dir(j->want.dirfd, err)) != RC_OK)
		return rc;
	j->file.headed = true;
	j->file.next = next;
	j->file.sum = sum;
	j->synced = mark_of(&j->file);
	return RC_OK;
}

/* The first record of a new file: what the ones before it still mean. */
static enum rc
write_heading(struct journal *j, struct err *err)
{
	BUF_AUTO heading = BUF(JFILE_PAYLOAD);

	if (j->want.head == NULL)
		return RC_OK;
	j->want.head(&heading, j->want.arg);
	if (heading.len == 0 || !buf_ok(&heading))
		return RC_OK;
	buf_clear(&j->out);
	jfile_put(&j->file, &j->out, JREC_PENDING, buf_str(&heading), j->synced.next - 1);
	return write_out(j, err);
}

/* On failure the old file goes on; an empty new one is used the next time. */
static enum rc
roll(struct journal *j, struct err *err)
{
	struct jfile old = j->file, fresh;
	struct mark was = j->synced;
	uint64_t allocated = j->allocated;
	enum rc rc;

	if (was.next != old.next) /* unsynced notes must not be missing in between */
		if ((rc = sync_file(j, err)) != RC_OK)
			return rc;
	was = j->synced;
	if ((rc = jfile_open(j->want.dirfd, old.next, true, &fresh, err)) != RC_OK)
		return rc;
	fresh.sum = old.sum;
	fresh.linked = old.linked;
	j->file = fresh;
	rc = begin_file(j, err);
	if (rc == RC_OK) {
		jfile_close(&old);
		return RC_OK;
	}
	jfile_close(&j->file);
	j->file = old;
	j->synced = was;
	j->allocated = allocated;
	return rc;
}

static uint64_t
roll_bytes(const struct journal *j)
{
	return j->want.roll_bytes == 0 ? ROLL_BYTES : j->want.roll_bytes;
}

static enum rc
write_batch(struct journal *j, struct entry *list, struct err *err)
{
	bool names = false, commits = false;
	uint64_t bytes = 0;
	enum rc rc;

	for (struct entry *e = list; e != NULL; e = e->next) {
		names = names || e->sync_names;
		commits = commits || !e->note;
		bytes += JFILE_RECORD + e->payload.len;
	}
	if (j->broken && (rc = take_back(j, err)) != RC_OK)
		return rc;
	if (names && j->want.incoming >= 0 &&
		(rc = fs_sync_dir(j->want.incoming, err)) != RC_OK)
		return rc;
	if (j->file.next > j->file.first && j->file.pos + bytes > roll_bytes(j) &&
		(rc = roll(j, err)) != RC_OK)
		return rc;
	if (j->file.next == j->file.first && (rc = write_heading(j, err)) != RC_OK)
		return rc;
	buf_clear(&j->out);
	for (struct entry *e = list; e != NULL; e = e->next) {
		e->seq = j->file.next;
		jfile_put(&j->file, &j->out, e->kind, e->payload, j->synced.next - 1);
	}
	if ((rc = write_out(j, err)) != RC_OK)
		return rc;
	return commits ? sync_file(j, err) : RC_OK;
}

/* Takes what waits, up to a batch; called with the lock. */
static struct entry *
take_batch(struct journal *j)
{
	struct entry *list = j->first, **end = &list;
	uint64_t bytes = 0;

	for (size_t n = 0; *end != NULL && n < BATCH_ENTRIES && bytes < BATCH_BYTES;
		n++) {
		bytes += (*end)->payload.len;
		j->notes -= (*end)->note;
		j->commits -= !(*end)->note;
		end = &(*end)->next;
	}
	j->first = *end;
	if (j->first == NULL)
		j->last = &j->first;
	*end = NULL;
	return list;
}

static void
free_note(struct entry *e)
{
	free(e); /* its payload lies behind it */
}

/* Without the lock, or who is called would wait for it first.  An entry is its
 * waiter's, and may be gone, as soon as it is done. */
static void
finish_batch(struct entry *list, enum rc rc, const struct err *err)
{
	for (struct entry *e = list, *next; e != NULL; e = next) {
		next = e->next;
		if (e->note) {
			free_note(e);
			continue;
		}
		e->rc = rc;
		if (rc != RC_OK && e->err != NULL)
			*e->err = *err;
		(void)sem_post(&e->done);
	}
}

static void
do_batch(struct journal *j, struct entry *list)
{
	struct err err = { .rc = RC_OK }, again;
	uint64_t before = j->synced.next;
	enum rc rc = write_batch(j, list, &err);

	if (rc != RC_OK && take_back(j, &again) != RC_OK)
		rc = RC_PERM; /* it may stand there at the next start */
	{
		LOCK_AUTO held = lock_take(&j->lock);

		j->synced_seq = j->synced.next - 1;
	}
	finish_batch(list, rc, &err);
	if (j->synced.next != before && j->want.synced != NULL)
		j->want.synced(j->synced.next - 1, j->want.arg);
}

/*
 * Waits for work, with the lock; NULL: the end.  After a batch it naps once, as
 * notes come right behind what they are about: so they wake nobody, and wait for
 * the next commit, or for the end of the nap.
 */
static struct entry *
next_batch(struct journal *j)
{
	uint64_t until_ms = clock_ms() + NOTES_WAIT_MS;

	while (j->busy || (j->commits == 0 && !j->stop)) {
		bool late = clock_ms() >= until_ms;

		if (j->first != NULL && late && !j->busy)
			break;
		if (late) {
			j->sleep = SLEEPS;
			(void)pthread_cond_wait(&j->work, &j->lock);
			until_ms = clock_ms() + NOTES_WAIT_MS;
		} else {
			j->sleep = NAPS;
			(void)cond_until(&j->work, &j->lock, until_ms);
		}
		j->sleep = AWAKE;
	}
	j->busy = j->first != NULL;
	return j->first == NULL ? NULL : take_batch(j);
}

/* What came meanwhile is the committer's: one sync for all of it. */
static void
no_longer_busy(struct journal *j)
{
	bool call;
	{
		LOCK_AUTO held = lock_take(&j->lock);

		j->busy = false;
		call = j->sleep != AWAKE && (j->first != NULL || j->stop);
		if (call)
			j->sleep = AWAKE;
	}
	if (call)
		(void)pthread_cond_signal(&j->work);
}

static void *
committer(void *arg)
{
	struct journal *j = arg;

	for (;;) {
		struct entry *list;
		{
			LOCK_AUTO held = lock_take(&j->lock);

			list = next_batch(j);
		}
		if (list == NULL)
			break;
		do_batch(j, list);
		no_longer_busy(j);
	}
	if (!j->broken)
		(void)!sync_file(j, NULL);
	return NULL;
}

/* False: too many notes. */
static bool
queue(struct journal *j, struct entry *e, bool *call)
{
	LOCK_AUTO held = lock_take(&j->lock);

	if (e->note && j->notes == NOTES_MOST)
		return false;
	j->notes += e->note;
	j->commits += !e->note;
	*j->last = e;
	j->last = &e->next;
	/* who is at it calls in the end */
	*call = !j->busy && (j->sleep == SLEEPS || (j->sleep == NAPS && !e->note));
	if (*call)
		j->sleep = AWAKE; /* nobody else has to call */
	return true;
}

/* The committer cannot end while anybody may call it: no lock is needed. */
static bool
hand_over(struct journal *j, struct entry *e)
{
	bool call = false;

	if (!queue(j, e, &call))
		return false;
	if (call)
		(void)pthread_cond_signal(&j->work);
	return true;
}

/* Nobody is at it: then who commits does it himself, and wakes nobody. */
static bool
may_write(struct journal *j)
{
	LOCK_AUTO held = lock_take(&j->lock);

	if (j->busy || j->first != NULL || j->stop)
		return false;
	j->busy = true;
	return true;
}

enum rc
journal_commit(struct journal *j, enum jrec_kind kind, str payload, bool sync_names,
	uint64_t *seq, struct err *err)
{
	struct entry e = {
		.kind = kind, .payload = payload, .sync_names = sync_names, .err = err
	};

	if (payload.len > JFILE_PAYLOAD)
		return err_set(err, RC_PERM, "a journal record of %zu bytes is too large",
			payload.len);
	(void)sem_init(&e.done, 0, 0);
	if (may_write(j)) {
		do_batch(j, &e);
		no_longer_busy(j);
	} else {
		(void)hand_over(j, &e);
	}
	while (sem_wait(&e.done) != 0 && errno == EINTR)
		continue;
	(void)sem_destroy(&e.done);
	if (e.rc == RC_OK && seq != NULL)
		*seq = e.seq;
	return e.rc;
}

void
journal_note(struct journal *j, enum jrec_kind kind, str payload)
{
	struct entry *e;

	if (payload.len > JFILE_PAYLOAD)
		return;
	e = calloc(1, sizeof(*e) + payload.len);
	if (e == NULL)
		abort();
	if (payload.len > 0)
		memcpy(e + 1, payload.ptr, payload.len);
	e->kind = kind;
	e->payload = (str){ (const char *)(e + 1), payload.len };
	e->note = true;
	if (!hand_over(j, e))
		free_note(e);
}

uint64_t
journal_synced(struct journal *j)
{
	LOCK_AUTO held = lock_take(&j->lock);

	return j->synced_seq;
}

/* Reads a file through; what `replay` says is the answer. */
static enum rc
read_through(
	const struct journal_want *w, struct jfile *f, uint64_t *group, struct err *err)
{
	struct jfile_record r;
	enum rc rc;

	while ((rc = jfile_next(f, &r, err)) == RC_OK) {
		if (r.after == 1) /* what was synced as one begins here */
			*group = r.at;
		if (w->replay != NULL &&
			(rc = w->replay(r.seq, r.kind, r.payload, w->arg)) != RC_OK)
			return rc;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* Cuts what is not whole, and writes the last group anew: if its sync failed in
 * the process before us, its pages may be in memory only and yet look clean. */
static enum rc
mend_tail(struct journal *j, uint64_t group, struct err *err)
{
	uint64_t size, len = j->file.pos - group;
	bool lost, blank;
	enum rc rc;

	if ((rc = jfile_lost(&j->file, &lost, err)) != RC_OK)
		return rc;
	if (lost)
		return jfile_damage(&j->file, "is damaged, and later ones are not", err);
	if ((rc = jfile_blank(&j->file, &blank, err)) != RC_OK ||
		(!blank && (rc = fs_truncate(j->file.fd, j->file.pos, err)) != RC_OK) ||
		(rc = fs_size(j->file.fd, &size, err)) != RC_OK)
		return rc;
	j->allocated = size;
	if (len > 0) {
		char *bytes = malloc((size_t)len);
		size_t got = 0;

		if (bytes == NULL)
			abort();
		rc = fs_pread(j->file.fd, bytes, (size_t)len, group, &got, err);
		if (rc == RC_OK)
			rc = fs_pwrite(j->file.fd, (str){ bytes, got }, group, err);
		free(bytes);
		if (rc != RC_OK)
			return rc;
	}
	return sync_file(j, err);
}

/* The file before the newest: for its last number and sum, and because marks
 * about it may have been on their way while the newest was begun. */
static enum rc
read_older(struct journal *j, uint64_t first, struct err *err)
{
	struct jfile f;
	uint64_t group;
	enum rc rc = jfile_open(j->want.dirfd, first, false, &f, err);

	if (rc != RC_OK)
		return rc;
	rc = read_through(&j->want, &f, &group, err);
	if (rc == RC_OK && f.next != j->file.first)
		rc = jfile_damage(&f, "is damaged, and a later file is there", err);
	if (rc == RC_OK) {
		j->file.sum = f.sum;
		j->file.linked = f.linked;
	}
	jfile_close(&f);
	return rc;
}

static enum rc
open_newest(struct journal *j, struct err *err)
{
	uint64_t *firsts = NULL, group = JFILE_HEAD, newest = 1;
	size_t n = 0;
	enum rc rc = jfile_list(j->want.dirfd, &firsts, &n, err);

	if (rc != RC_OK)
		return rc;
	if (n > 0)
		newest = firsts[n - 1];
	rc = jfile_open(j->want.dirfd, newest, true, &j->file, err);
	if (rc == RC_OK && n > 1)
		rc = read_older(j, firsts[n - 2], err);
	free(firsts);
	if (rc != RC_OK)
		return rc;
	if ((rc = fs_sync_dir(j->want.dirfd, err)) != RC_OK)
		return rc;
	if ((rc = read_through(&j->want, &j->file, &group, err)) != RC_OK ||
		(rc = mend_tail(j, group, err)) != RC_OK)
		return rc;
	if (!j->file.headed)
		return begin_file(j, err);
	return RC_OK;
}

enum rc
journal_open(const struct journal_want *w, struct journal **out, struct err *err)
{
	struct journal *j = calloc(1, sizeof(*j));
	enum rc rc;

	if (j == NULL)
		abort();
	j->want = *w;
	j->file.fd = -1;
	j->want.dirfd = fcntl(w->dirfd, F_DUPFD_CLOEXEC, 3);
	j->want.incoming = w->incoming < 0 ? -1 : fcntl(w->incoming, F_DUPFD_CLOEXEC, 3);
	j->out = BUF(BATCH_BYTES +
		     2 * (JFILE_PAYLOAD + BATCH_ENTRIES * (uint64_t)JFILE_RECORD));
	j->last = &j->first;
	(void)pthread_mutex_init(&j->lock, NULL);
	cond_init(&j->work);
	if (j->want.dirfd < 0 || (w->incoming >= 0 && j->want.incoming < 0))
		rc = err_errno(err, "journal");
	else
		rc = open_newest(j, err);
	if (rc != RC_OK) {
		j->stop = true; /* and no thread yet */
		journal_close(&j);
		return rc;
	}
	j->synced_seq = j->synced.next - 1;
	j->committer = thread_start("committer", committer, j);
	*out = j;
	return RC_OK;
}

void
journal_close(struct journal **jp)
{
	struct journal *j = *jp;

	if (j == NULL)
		return;
	*jp = NULL;
	if (!j->stop) {
		{
			LOCK_AUTO held = lock_take(&j->lock);

			j->stop = true;
			(void)pthread_cond_signal(&j->work);
		}
		(void)pthread_join(j->committer, NULL);
	}
	jfile_close(&j->file);
	fs_close(&j->want.dirfd);
	fs_close(&j->want.incoming);
	buf_free(&j->out);
	(void)pthread_cond_destroy(&j->work);
	(void)pthread_mutex_destroy(&j->lock);
	free(j);
}

static bool
older_than(int dirfd, uint64_t first, uint64_t keep_ms)
{
	char name[JFILE_NAME];
	struct stat st;
	uint64_t now = clock_wall_ms();

	jfile_name(first, name);
	if (fstatat(dirfd, name, &st, 0) != 0)
		return false;
	uint64_t written = (uint64_t)st.st_mtim.tv_sec * 1000;
	return keep_ms == 0 || (now > keep_ms && written < now - keep_ms);
}

void
journal_trim(struct journal *j, uint64_t seq, uint64_t keep_ms)
{
	uint64_t *firsts = NULL;
	size_t n = 0;

	if (jfile_list(j->want.dirfd, &firsts, &n, NULL) != RC_OK)
		return;
	/* The newest two stay: a start reads both.  One removal after the other is
	 * made durable, so that a power cut leaves no hole. */
	for (size_t i = 0; i + 2 < n; i++) {
		char name[JFILE_NAME];

		if (firsts[i + 1] - 1 > seq ||
			!older_than(j->want.dirfd, firsts[i], keep_ms))
			break;
		jfile_name(firsts[i], name);
		if (fs_unlink(j->want.dirfd, name, NULL) != RC_OK ||
			fs_sync_dir(j->want.dirfd, NULL) != RC_OK)
			break;
	}
	free(firsts);
}
