/* SPDX-License-Identifier: ISC */
#include "directory/remote.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/thread.h"
#include "net/chan.h"

enum {
	CACHE_MS = 60 * 1000,
	CACHE_ENTRIES = 20000,
	CACHE_BYTES = 8 << 20,
	FRAME = CHAN_MOST + CHAN_HEADER,
};

/* The table keeps the order of insertion; a hit is inserted anew, so the first
 * is the one unused for longest. */
struct entry {
	UT_hash_handle hh;
	uint64_t until_ms;
	size_t key_len, answer_len;
	char bytes[]; /* the address as asked, then the packed answer */
};

struct remote {
	pthread_mutex_t lock;
	pthread_t reader;
	int wake; /* eventfd */
	bool stop;

	int fd; /* replaced and closed by the reader only */
	int next_fd; /* what remote_channel() gave */
	bool has_next;
	bool blocked; /* house does not read: the reader sends the rest */
	uint64_t wait_until_ms; /* until when the reader sleeps */

	struct remote_ask *first, **last; /* waiting, in the order of their ids */
	uint64_t last_id, sent_id;
	uint64_t synced, synced_sent;

	struct entry *cache;
	size_t cache_bytes;

	void (*applied)(uint64_t seq, void *arg);
	void *arg;
};

static void
poke(struct remote *r)
{
	uint64_t one = 1;
	ssize_t n = write(r->wake, &one, sizeof(one));

	(void)n; /* full: it is awake anyway */
}

/* The cache; all with the lock held. */

static void
cache_drop(struct remote *r, struct entry *e)
{
	HASH_DEL(r->cache, e);
	r->cache_bytes -= sizeof(*e) + e->key_len + e->answer_len;
	free(e);
}

static void
cache_clear(struct remote *r)
{
	while (r->cache != NULL)
		cache_drop(r, r->cache);
}

static void
cache_put(struct remote *r, str key, str answer)
{
	struct entry *e, *old;

	HASH_FIND(hh, r->cache, key.ptr, key.len, old);
	if (old != NULL)
		cache_drop(r, old);
	e = malloc(sizeof(*e) + key.len + answer.len);
	if (e == NULL)
		abort();
	e->until_ms = clock_ms() + CACHE_MS;
	e->key_len = key.len;
	e->answer_len = answer.len;
	memcpy(e->bytes, key.ptr, key.len);
	memcpy(e->bytes + key.len, answer.ptr, answer.len);
	r->cache_bytes += sizeof(*e) + key.len + answer.len;
	HASH_ADD_KEYPTR(hh, r->cache, e->bytes, e->key_len, e);
	while (HASH_COUNT(r->cache) > CACHE_ENTRIES || r->cache_bytes > CACHE_BYTES)
		cache_drop(r, r->cache);
}

static bool
cache_get(struct remote *r, struct remote_ask *a)
{
	struct entry *e;

	HASH_FIND(hh, r->cache, a->address, strlen(a->address), e);
	if (e == NULL)
		return false;
	if (e->until_ms <= clock_ms()) {
		cache_drop(r, e);
		return false;
	}
	if (ask_get_answer((str){ e->bytes + e->key_len, e->answer_len }, a->mem,
		    &a->answer) != RC_OK)
		a->answer = (struct ask_answer){ .status = ASK_LATER };
	HASH_DEL(r->cache, e);
	HASH_ADD_KEYPTR(hh, r->cache, e->bytes, e->key_len, e);
	return true;
}

/* Sending; with the lock held, never waiting. */

static bool
send_now(struct remote *r, uint16_t type, uint64_t id, const struct buf *body)
{
	const struct chan_msg m = { .type = type, .id = id, .body = buf_str(body) };

	/* Whatever is wrong, the reader will see it and the next channel gets it. */
	r->blocked = chan_send(r->fd, &m, 0, NULL) != RC_OK;
	return !r->blocked;
}

static void
send_question(struct remote *r, const struct remote_ask *a)
{
	BUF_AUTO b = BUF(ASK_ADDRESS + 16);

	ask_put_question(&b, &(struct ask_question){ .address = str_of(a->address) });
	if (send_now(r, ASK_RESOLVE, a->id, &b))
		r->sent_id = a->id;
}

static void
send_synced(struct remote *r)
{
	BUF_AUTO b = BUF(16);
	uint64_t seq = r->synced;

	ask_put_seq(&b, seq);
	if (send_now(r, ASK_JOURNAL, 0, &b))
		r->synced_sent = seq;
}

static void
send_all(struct remote *r)
{
	r->blocked = false;
	if (r->fd < 0)
		return;
	if (r->synced > r->synced_sent)
		send_synced(r);
	for (struct remote_ask *a = r->first; a != NULL && !r->blocked; a = a->next)
		if (a->id > r->sent_id)
			send_question(r, a);
}

/* The list of what waits; with the lock held. */

static void
append(struct remote *r, struct remote_ask *a)
{
	a->next = NULL;
	*r->last = a;
	r->last = &a->next;
}

static struct remote_ask *
take(struct remote *r, struct remote_ask **at)
{
	struct remote_ask *a = *at;

	*at = a->next;
	if (r->last == &a->next)
		r->last = at;
	a->next = NULL;
	return a;
}

/* Those whose time is up (all, when it is UINT64_MAX), as a list; the earliest
 * deadline of the others. */
static struct remote_ask *
take_late(struct remote *r, uint64_t now, uint64_t *earliest)
{
	struct remote_ask *late = NULL, **end = &late;

	*earliest = UINT64_MAX;
	for (struct remote_ask **at = &r->first; *at != NULL;) {
		if ((*at)->until_ms <= now) {
			*end = take(r, at);
			end = &(*end)->next;
			continue;
		}
		if ((*at)->until_ms < *earliest)
			*earliest = (*at)->until_ms;
		at = &(*at)->next;
	}
	return late;
}

static void
answer_late(struct remote_ask *late)
{
	while (late != NULL) {
		struct remote_ask *a = late;

		late = a->next;
		a->answer = (struct ask_answer){ .status = ASK_LATER };
		a->done(a);
	}
}

/* The reader. */

static void
lose_channel(struct remote *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
	r->blocked = false;
	/* House may tell the next channel only what changes from then on. */
	cache_clear(r);
}

static void
change_channel(struct remote *r)
{
	lose_channel(r);
	r->fd = r->next_fd;
	r->has_next = false;
	r->sent_id = 0;
	r->synced_sent = 0;
	send_all(r);
}

/* FULL is not kept: mail that its reader removes makes room at any moment. */
static bool
may_be_kept(enum ask_status status)
{
	return status != ASK_FULL && status != ASK_LATER;
}

static enum rc
take_answer(struct remote *r, const struct chan_msg *m)
{
	struct remote_ask *a = NULL;
	enum rc rc;

	{
		LOCK_AUTO held = lock_take(&r->lock);
		struct remote_ask **at = &r->first;

		while (*at != NULL && (*at)->id != m->id)
			at = &(*at)->next;
		if (*at != NULL)
			a = take(r, at);
	}
	if (a == NULL)
		return RC_OK; /* too late, it has been told so */
	rc = ask_get_answer(m->body, a->mem, &a->answer);
	if (rc == RC_OK && may_be_kept(a->answer.status)) {
		LOCK_AUTO held = lock_take(&r->lock);

		cache_put(r, str_of(a->address), m->body);
	}
	if (rc != RC_OK)
		a->answer = (struct ask_answer){ .status = ASK_LATER };
	a->done(a);
	return rc == RC_LIMIT ? RC_OK : rc;
}

static enum rc
take_frame(struct remote *r, const struct chan_msg *m)
{
	uint64_t seq;

	switch (m->type) {
	case ASK_RESOLVED:
		return take_answer(r, m);
	case ASK_FORGET: {
		LOCK_AUTO held = lock_take(&r->lock);

		cache_clear(r);
		return RC_OK;
	}
	case ASK_APPLIED:
		if (ask_get_seq(m->body, &seq) != RC_OK)
			return RC_BAD;
		if (r->applied != NULL)
			r->applied(seq, r->arg);
		return RC_OK;
	default:
		return RC_BAD;
	}
}

/* Everything that is there.  Not ours, or gone: the channel is given up. */
static void
read_channel(struct remote *r, char *frame)
{
	for (;;) {
		struct chan_msg m;
		enum rc rc = chan_recv(r->fd, frame, FRAME, &m, 0, NULL);

		if (rc == RC_NONE)
			return;
		if (rc == RC_OK) {
			chan_close_fds(&m);
			rc = take_frame(r, &m);
		}
		if (rc == RC_OK)
			continue;
		LOCK_AUTO held = lock_take(&r->lock);
		lose_channel(r);
		return;
	}
}

static void
sleep_until(struct remote *r, uint64_t until_ms, bool blocked)
{
	struct pollfd p[2] = {
		{ .fd = r->wake, .events = POLLIN },
		{ .fd = r->fd, .events = (short)(POLLIN | (blocked ? POLLOUT : 0)) },
	};
	uint64_t now = clock_ms(), count;
	uint64_t left = until_ms > now ? until_ms - now : 0;

	(void)poll(p, 2, left > INT_MAX ? -1 : (int)left);
	if ((p[0].revents & POLLIN) != 0) {
		ssize_t n = read(r->wake, &count, sizeof(count));

		(void)n;
	}
}

static void *
run(void *arg)
{
	struct remote *r = arg;
	char *frame = malloc(FRAME);

	if (frame == NULL)
		abort();
	for (;;) {
		struct remote_ask *late;
		uint64_t earliest;
		bool stop, blocked;

		if (r->fd >= 0)
			read_channel(r, frame);
		{
			LOCK_AUTO held = lock_take(&r->lock);

			if (r->has_next)
				change_channel(r);
			else if (r->blocked)
				send_all(r);
			stop = r->stop;
			late = take_late(r, stop ? UINT64_MAX : clock_ms(), &earliest);
			blocked = r->blocked;
			r->wait_until_ms = earliest;
		}
		answer_late(late);
		if (stop)
			break;
		sleep_until(r, earliest, blocked);
	}
	free(frame);
	return NULL;
}

struct remote *
remote_new(void (*applied)(uint64_t seq, void *arg), void *arg)
{
	struct remote *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	(void)pthread_mutex_init(&r->lock, NULL);
	r->fd = r->next_fd = -1;
	r->last = &r->first;
	r->wait_until_ms = UINT64_MAX;
	r->applied = applied;
	r->arg = arg;
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake < 0)
		abort();
	r->reader = thread_start("remote", run, r);
	return r;
}

void
remote_free(struct remote **rp)
{
	struct remote *r = *rp;

	if (r == NULL)
		return;
	{
		LOCK_AUTO held = lock_take(&r->lock);

		r->stop = true;
	}
	poke(r);
	(void)pthread_join(r->reader, NULL);
	if (r->has_next && r->next_fd >= 0)
		(void)close(r->next_fd);
	lose_channel(r);
	(void)close(r->wake);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
	*rp = NULL;
}

void
remote_channel(struct remote *r, int fd)
{
	{
		LOCK_AUTO held = lock_take(&r->lock);

		if (r->has_next && r->next_fd >= 0)
			(void)close(r->next_fd);
		r->next_fd = fd;
		r->has_next = true;
		cache_clear(r);
	}
	poke(r);
}

bool
remote_ask(struct remote *r, struct remote_ask *a)
{
	bool wake;

	{
		LOCK_AUTO held = lock_take(&r->lock);

		if (cache_get(r, a))
			return true;
		a->id = ++r->last_id;
		append(r, a);
		/* Between two channels, or behind others: the reader sends it. */
		if (r->fd >= 0 && !r->has_next && !r->blocked)
			send_question(r, a);
		wake = r->blocked || a->until_ms < r->wait_until_ms;
	}
	if (wake)
		poke(r);
	return false;
}

void
remote_synced(struct remote *r, uint64_t seq)
{
	bool wake;

	{
		LOCK_AUTO held = lock_take(&r->lock);

		if (seq <= r->synced)
			return;
		r->synced = seq;
		if (r->fd >= 0 && !r->has_next && !r->blocked)
			send_synced(r);
		wake = r->blocked;
	}
	if (wake)
		poke(r);
}
