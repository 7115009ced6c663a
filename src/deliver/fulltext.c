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

enum {
	BATCH_MEM = 16 << 20,
	BATCH_ENOUGH = 4 << 20, /* of texts: into the database with them */
	BATCH_ACCOUNTS = 64,
	OFFERS_MOST = 8 << 20, /* bytes */
	SWEEP_MS = 6 * 3600 * 1000, /* between two looks for what has left an account */
	PAUSE_LEAST_MS = 1000,
	PAUSE_MOST_MS = 60 * 1000,
};

/* Texts of a message that was scanned when it came. */
struct offer {
	struct msg_id id;
	size_t head, text;
	bool cut;
	UT_hash_handle hh;
	char bytes[]; /* head, then text */
};

struct due {
	uint64_t account;
	UT_hash_handle hh;
};

/* What the thread knows of an account's removed messages. */
struct swept {
	uint64_t account, modseq, at_ms;
	UT_hash_handle hh;
};

struct fulltext {
	struct fulltext_want want;
	char hostname[256];
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct due *due; /* in the order they became so */
	uint64_t working; /* more, which are in no list */
	struct offer *offers; /* the oldest first */
	size_t offered; /* bytes */
	bool stop;
	pthread_t thread;
	uint64_t pause_ms; /* the thread's: after the next failure */
	struct swept *swept; /* the thread's */
};

/* What goes into the database at once: news of accounts of one shard. */
struct batch {
	struct arena *mem;
	size_t n;
	struct search_news news[BATCH_ACCOUNTS];
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

static void
drop_offer(struct fulltext *f, struct offer *o)
{
	HASH_DEL(f->offers, o);
	f->offered -= sizeof(*o) + o->head + o->text;
	free(o);
}

void
fulltext_offer(struct fulltext *f, const struct msg_id *id, str head, str text, bool cut)
{
	LOCK_AUTO held = lock_take(&f->lock);
	size_t bytes = sizeof(struct offer) + head.len + text.len;
	struct offer *o;

	if (bytes > OFFERS_MOST / 2)
		return;
	HASH_FIND(hh, f->offers, id->text, MSG_ID_LEN, o);
	if (o != NULL)
		return;
	while (f->offered + bytes > OFFERS_MOST)
		drop_offer(f, f->offers);
	if ((o = malloc(bytes)) == NULL)
		abort();
	*o = (struct offer){ .id = *id, .head = head.len, .text = text.len, .cut = cut };
	if (head.len > 0)
		memcpy(o->bytes, head.ptr, head.len);
	if (text.len > 0)
		memcpy(o->bytes + head.len, text.ptr, text.len);
	HASH_ADD_KEYPTR(hh, f->offers, o->id.text, MSG_ID_LEN, o);
	f->offered += bytes;
}

/* False: it was not offered, or there is no memory for it in the batch. */
static bool
take_offer(struct fulltext *f, const struct msg_id *id, struct arena *mem,
	struct search_doc *doc)
{
	LOCK_AUTO held = lock_take(&f->lock);
	struct offer *o;

	HASH_FIND(hh, f->offers, id->text, MSG_ID_LEN, o);
	if (o == NULL)
		return false;
	bool taken = arena_copy(mem, (str){ o->bytes, o->head }, &doc->head) == RC_OK &&
		     arena_copy(mem, (str){ o->bytes + o->head, o->text }, &doc->text) ==
			     RC_OK;
	doc->cut = o->cut;
	drop_offer(f, o);
	return taken;
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

static int
by_shard(const struct due *a, const struct due *b)
{
	uint64_t x = a->account % STORE_SHARDS, y = b->account % STORE_SHARDS;

	return x < y ? -1 : x > y;
}

/* All that is due, accounts of one shard together. */
static struct due *
take_due(struct fulltext *f)
{
	LOCK_AUTO held = lock_take(&f->lock);
	struct due *list = f->due;

	f->due = NULL;
	f->working = HASH_COUNT(list);
	HASH_SORT(list, by_shard);
	return list;
}

/* False: it is time to end. */
static bool
wait_due(struct fulltext *f)
{
	LOCK_AUTO held = lock_take(&f->lock);

	f->working = 0;
	while (f->due == NULL && !f->stop)
		(void)pthread_cond_wait(&f->wake, &f->lock);
	return !f->stop;
}

static bool
stopping(struct fulltext *f)
{
	LOCK_AUTO held = lock_take(&f->lock);

	return f->stop;
}

/* RC_BAD may have been the scanner's bad day: once more. */
static enum rc
ask(struct fulltext *f, int fd, const struct store_newer *m, struct arena *mem,
	struct scanned *out, struct err *err)
{
	struct scan_job job = { .fd = fd,
		.size = m->size,
		.offset = m->trace_bytes,
		.hostname = str_of(f->hostname),
		.most_ms = f->want.scanner_ms,
		.most_unpacked = f->want.unpacked,
		.want = SCAN_SEARCH };
	enum rc rc = RC_BAD;

	for (int i = 0; i < 2 && rc == RC_BAD; i++) {
		if (i > 0 && stopping(f))
			return err_set(err, RC_TEMP, "it is time to end");
		rc = scan_ask(f->want.scanners, &job, clock_ms() + 2 * f->want.scanner_ms,
			mem, out, err);
	}
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
	if (!m->facts_missing && take_offer(f, &m->id, mem, doc))
		return RC_OK;
	enum rc rc = store_open_message(f->want.store, account, &m->id, &fd, err);
	if (rc == RC_NONE) /* its reader removed it */
		return RC_OK;
	if (rc == RC_OK && m->size < m->trace_bytes)
		rc = RC_PERM;
	if (rc == RC_OK)
		rc = ask(f, fd, m, mem, &got, err);
	if (rc == RC_BAD || rc == RC_PERM || rc == RC_LIMIT) {
		doc->unread = true;
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	doc->head = got.content.search_head;
	doc->text = got.content.search_text;
	doc->cut = got.content.search_cut;
	if (m->facts_missing)
		rc = store_learn(f->want.store, account, &m->id, &got.facts, err);
	scanned_clear(&got);
	return rc;
}

static void
put_off(struct fulltext *f, uint64_t account, const struct err *err)
{
	log_warn("msg=\"full text waits\" account=%" PRIu64 " why=\"%s\"", account,
		err->text);
	fulltext_due(f, account);
}

static void
pause_more(struct fulltext *f)
{
	(void)wait_ms(f, f->pause_ms);
	f->pause_ms = f->pause_ms * 2 < PAUSE_MOST_MS ? f->pause_ms * 2 : PAUSE_MOST_MS;
}

/* Some of an account's new messages; *more: there may be others, behind these. */
static enum rc
read_some(struct fulltext *f, uint64_t account, struct batch *b, bool *more,
	struct err *err)
{
	struct store_newer newer[STORE_NEWER];
	uint64_t mark;
	size_t n = 0, done = 0;
	enum rc rc = search_mark(f->want.search, account, &mark, err);

	*more = false;
	if (rc == RC_OK)
		rc = store_newer(f->want.store, account, mark, newer, &n, err);
	if (rc != RC_OK || n == 0)
		return rc;
	struct search_doc *docs = arena_array(b->mem, n, sizeof(*docs));
	if (docs == NULL)
		return err_set(err, RC_LIMIT, "no memory for a message's words");
	while (rc == RC_OK && done < n && arena_used(b->mem) < BATCH_ENOUGH &&
		!stopping(f)) {
		rc = read_one(f, account, &newer[done], b->mem, &docs[done], err);
		done += rc == RC_OK;
	}
	*more = done < n || n == STORE_NEWER;
	if (done > 0)
		b->news[b->n++] = (struct search_news){ account, docs, done };
	return rc;
}

/* False: it was not possible, and all of it is put off. */
static bool
enter(struct fulltext *f, struct batch *b)
{
	struct err err = { 0 };
	enum rc rc = search_add(f->want.search, b->news, b->n, &err);

	for (size_t i = 0; i < b->n && rc != RC_OK; i++)
		put_off(f, b->news[i].account, &err);
	if (rc != RC_OK)
		pause_more(f);
	else if (b->n > 0)
		f->pause_ms = PAUSE_LEAST_MS;
	b->n = 0;
	arena_reset(b->mem);
	return rc == RC_OK;
}

static struct swept *
swept_of(struct fulltext *f, uint64_t account)
{
	struct swept *s;

	HASH_FIND(hh, f->swept, &account, sizeof(account), s);
	if (s != NULL)
		return s;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->account = account;
	HASH_ADD(hh, f->swept, account, sizeof(s->account), s);
	return s;
}

/* Rows of messages that are no longer in the account take only room, so there is time:
 * first when mail comes after a start, then now and then. */
static enum rc
sweep(struct fulltext *f, uint64_t account, uint64_t mark, struct err *err)
{
	struct swept *s = swept_of(f, account);
	struct msg_id left[STORE_LEFT], after = { "" };
	size_t n = STORE_LEFT;
	enum rc rc = RC_OK;

	if (s->at_ms != 0 && clock_ms() - s->at_ms < SWEEP_MS)
		return RC_OK;
	while (rc == RC_OK && n == STORE_LEFT && !stopping(f)) {
		rc = store_left(f->want.store, account, s->modseq, &after, left, &n, err);
		if (rc == RC_OK)
			rc = search_remove(f->want.search, account, left, n, err);
		if (n > 0)
			after = left[n - 1];
	}
	if (rc != RC_OK)
		return rc;
	s->at_ms = clock_ms();
	s->modseq = mark;
	return RC_OK;
}

static void
read_account(struct fulltext *f, uint64_t account, struct batch *b)
{
	struct err err = { 0 };
	bool more = true, entered = true;
	uint64_t mark;
	enum rc rc = search_mark(f->want.search, account, &mark, &err);

	if (rc == RC_OK)
		rc = sweep(f, account, mark, &err);
	while (rc == RC_OK && more && entered && !stopping(f)) {
		rc = read_some(f, account, b, &more, &err);
		/* what is in the batch is not behind the mark yet */
		if (more || b->n == BATCH_ACCOUNTS || arena_used(b->mem) >= BATCH_ENOUGH)
			entered = enter(f, b);
	}
	if (rc == RC_OK)
		return;
	put_off(f, account, &err);
	pause_more(f);
}

static void
read_all(struct fulltext *f, struct batch *b)
{
	struct due *list = take_due(f), *d, *next;
	uint64_t shard = STORE_SHARDS;

	HASH_ITER(hh, list, d, next)
	{
		if (d->account % STORE_SHARDS != shard)
			(void)enter(f, b);
		shard = d->account % STORE_SHARDS;
		if (!stopping(f))
			read_account(f, d->account, b);
		HASH_DEL(list, d);
		free(d);
	}
	(void)enter(f, b);
}

static enum rc
note_behind(
	uint64_t account, uint64_t modseq, uint64_t highest, void *arg, struct err *err)
{
	struct fulltext *f = arg;
	uint64_t mark;
	enum rc rc = search_mark(f->want.search, account, &mark, err);

	/* after a power cut the index may be older than its full text, which would then
	 * pass over what comes again */
	bool ahead = rc == RC_OK && mark > highest;
	if (ahead)
		rc = search_forget(f->want.search, account, err);
	if (rc == RC_OK && (ahead || mark < modseq))
		fulltext_due(f, account);
	return rc;
}

static void *
run(void *arg)
{
	struct fulltext *f = arg;
	ARENA_AUTO mem = arena_new(BATCH_MEM);
	struct batch batch = { .mem = mem };
	struct err err = { 0 };

	if (store_latest(f->want.store, note_behind, f, &err) != RC_OK)
		log_warn("msg=\"full text\" why=\"%s\"", err.text);
	while (wait_due(f) && wait_ms(f, f->want.delay_ms))
		read_all(f, &batch);
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
	f->working = 1; /* until it has looked who is behind */
	f->pause_ms = PAUSE_LEAST_MS;
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
	struct swept *w, *after;
	struct offer *o, *behind;

	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->stop = true;
	(void)pthread_cond_broadcast(&f->wake);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->thread, NULL);
	HASH_ITER(hh, f->offers, o, behind)
	drop_offer(f, o);
	HASH_ITER(hh, f->due, d, next)
	{
		HASH_DEL(f->due, d);
		free(d);
	}
	HASH_ITER(hh, f->swept, w, after)
	{
		HASH_DEL(f->swept, w);
		free(w);
	}
	(void)pthread_cond_destroy(&f->wake);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
	*fp = NULL;
}
