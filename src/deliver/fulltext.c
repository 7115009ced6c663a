/* SPDX-License-Identifier: ISC */
#include "deliver/fulltext.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "base/thread.h"
#include "store/learn.h"
#include "wire/jrec.h"

enum {
	BATCH_MEM = 16 << 20,
	BATCH_ENOUGH = 4 << 20, /* of texts: into the database with them */
	PAUSE_LEAST_MS = 1000,
	PAUSE_MOST_MS = 60 * 1000,
};

struct due {
	uint64_t account;
	UT_hash_handle hh;
};

struct fulltext {
	struct fulltext_want want;
	char hostname[256];
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct due *due; /* in the order they became so */
	bool working; /* one more, which is in no list */
	bool stop;
	pthread_t thread;
};

void
fulltext_due(struct fulltext *f, uint64_t account)
{
	LOCK_AUTO held = lock_take(&f->lock);
	struct due *d;

	HASH_FIND(hh, f->due, &account, sizeof(account), d);
	if (d != NULL)
		return;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	d->account = account;
	HASH_ADD(hh, f->due, account, sizeof(d->account), d);
	(void)pthread_cond_signal(&f->wake);
}

uint64_t
fulltext_waiting(struct fulltext *f)
{
	LOCK_AUTO held = lock_take(&f->lock);

	return HASH_COUNT(f->due) + f->working;
}

/* False: it is time to end. */
static bool
wait_ms(struct fulltext *f, uint64_t ms)
{
	LOCK_AUTO held = lock_take(&f->lock);
	uint64_t until = clock_ms() + ms;

	while (!f->stop && clock_ms() < until)
		(void)cond_until(&f->wake, &f->lock, until);
	return !f->stop;
}

static bool
take_due(struct fulltext *f, uint64_t *account)
{
	LOCK_AUTO held = lock_take(&f->lock);

	f->working = false;
	while (f->due == NULL && !f->stop)
		(void)pthread_cond_wait(&f->wake, &f->lock);
	if (f->stop)
		return false;
	struct due *d = f->due;
	*account = d->account;
	HASH_DEL(f->due, d);
	free(d);
	f->working = true;
	return true;
}

static bool
stopping(struct fulltext *f)
{
	LOCK_AUTO held = lock_take(&f->lock);

	return f->stop;
}

/* RC_BAD may have been the scanner's bad day: once more. */
static enum rc
ask(struct fulltext *f, int fd, uint64_t size, struct arena *mem, struct scanned *out,
	struct err *err)
{
	struct scan_job job = { .fd = fd,
		.size = size,
		.offset = TRACE_BLOCK,
		.hostname = str_of(f->hostname),
		.most_ms = f->want.scanner_ms,
		.most_unpacked = f->want.unpacked,
		.want = SCAN_CONTENT | SCAN_TEXT };
	enum rc rc = RC_BAD;

	for (int i = 0; i < 2 && rc == RC_BAD; i++)
		rc = scan_ask(f->want.scanners, &job, clock_ms() + 2 * f->want.scanner_ms,
			mem, out, err);
	return rc;
}

/* RC_TEMP: not now. */
static enum rc
read_one(struct fulltext *f, uint64_t account, const struct store_newer *m,
	struct arena *mem, struct search_doc *doc, struct err *err)
{
	struct scanned got = { 0 };
	FD_AUTO fd = -1;

	*doc = (struct search_doc){ .id = m->id, .modseq = m->modseq };
	enum rc rc = store_open_message(f->want.store, account, &m->id, &fd, err);
	if (rc == RC_NONE) /* its reader removed it */
		return RC_OK;
	if (rc == RC_OK && m->size < TRACE_BLOCK)
		rc = RC_PERM;
	if (rc == RC_OK)
		rc = ask(f, fd, m->size, mem, &got, err);
	if (rc == RC_BAD || rc == RC_PERM || rc == RC_LIMIT) {
		doc->unread = true;
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	doc->subject = got.content.subject;
	doc->people = got.content.people;
	doc->body = got.content.text;
	if (m->facts_missing)
		rc = store_learn(f->want.store, account, &m->id, &got.facts, err);
	scanned_clear(&got);
	return rc;
}

/* One batch of an account's new messages; *more: there may be others. */
static enum rc
read_batch(struct fulltext *f, uint64_t account, struct arena *mem, bool *more,
	struct err *err)
{
	struct store_newer newer[STORE_NEWER];
	struct search_doc docs[STORE_NEWER];
	uint64_t mark;
	size_t n = 0, done = 0;
	enum rc rc = search_mark(f->want.search, account, &mark, err);

	if (rc == RC_OK)
		rc = store_newer(f->want.store, account, mark, newer, &n, err);
	arena_reset(mem);
	while (rc == RC_OK && done < n && arena_used(mem) < BATCH_ENOUGH &&
		!stopping(f)) {
		rc = read_one(f, account, &newer[done], mem, &docs[done], err);
		done += rc == RC_OK;
	}
	*more = done < n || n == STORE_NEWER;
	if (done == 0)
		return rc;
	enum rc added = search_add(f->want.search, account, docs, done, err);
	return rc == RC_OK ? added : rc;
}

static enum rc
note_behind(uint64_t account, uint64_t modseq, void *arg, struct err *err)
{
	struct fulltext *f = arg;
	uint64_t mark;
	enum rc rc = search_mark(f->want.search, account, &mark, err);

	if (rc == RC_OK && mark < modseq)
		fulltext_due(f, account);
	return rc;
}

static void *
run(void *arg)
{
	struct fulltext *f = arg;
	ARENA_AUTO mem = arena_new(BATCH_MEM);
	uint64_t account, pause = PAUSE_LEAST_MS;
	struct err err = { 0 };

	if (store_latest(f->want.store, note_behind, f, &err) != RC_OK)
		log_warn("msg=\"full text\" why=\"%s\"", err.text);
	while (wait_ms(f, f->want.delay_ms) && take_due(f, &account)) {
		bool more = true;
		enum rc rc = RC_OK;

		while (rc == RC_OK && more && !stopping(f))
			rc = read_batch(f, account, mem, &more, &err);
		if (rc == RC_OK) {
			pause = PAUSE_LEAST_MS;
			continue;
		}
		log_warn("msg=\"full text waits\" account=%" PRIu64 " why=\"%s\"",
			account, err.text);
		fulltext_due(f, account);
		(void)wait_ms(f, pause);
		pause = pause * 2 < PAUSE_MOST_MS ? pause * 2 : PAUSE_MOST_MS;
	}
	return NULL;
}

struct fulltext *
fulltext_start(const struct fulltext_want *w)
{
	struct fulltext *f = calloc(1, sizeof(*f));

	if (f == NULL)
		abort();
	f->want = *w;
	(void)str_z(w->hostname, f->hostname, sizeof(f->hostname));
	f->working = true; /* until it has looked who is behind */
	(void)pthread_mutex_init(&f->lock, NULL);
	cond_init(&f->wake);
	f->thread = thread_start("fulltext", run, f);
	return f;
}

void
fulltext_stop(struct fulltext **fp)
{
	struct fulltext *f = *fp;
	struct due *d, *next;

	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->stop = true;
	(void)pthread_cond_broadcast(&f->wake);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->thread, NULL);
	HASH_ITER(hh, f->due, d, next)
	{
		HASH_DEL(f->due, d);
		free(d);
	}
	(void)pthread_cond_destroy(&f->wake);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
	*fp = NULL;
}
