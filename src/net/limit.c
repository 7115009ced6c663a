/* SPDX-License-Identifier: ISC */
#include "net/limit.h"

#include <assert.h>

#include "base/map.h"
#include "base/thread.h"

enum { MINUTE_MS = 60 * 1000 };

struct key {
	uint8_t family, bytes[8];
};

struct place {
	struct key key;
	unsigned here; /* connections now */
	uint64_t level, seen_ms; /* leaky bucket; a connection is MINUTE_MS */
	struct place *prev, *next; /* among the idle ones, oldest first */
	UT_hash_handle hh;
};

struct limit {
	pthread_mutex_t lock;
	struct place *places;
	struct place idle; /* head of the ring */
	size_t most;
	unsigned at_once, per_minute;
};

static struct key
key_of(const struct ip *ip)
{
	struct key k = { .family = ip->family };

	memcpy(k.bytes, ip->bytes, ip->family == 4 ? 4 : 8);
	return k;
}

static void
idle_add(struct limit *l, struct place *p)
{
	p->prev = l->idle.prev;
	p->next = &l->idle;
	p->prev->next = p;
	l->idle.prev = p;
}

static void
idle_remove(struct place *p)
{
	p->prev->next = p->next;
	p->next->prev = p->prev;
}

static void
forget(struct limit *l, struct place *p)
{
	HASH_DEL(l->places, p);
	free(p);
}

static struct place *
find(struct limit *l, const struct key *k)
{
	struct place *p;

	HASH_FIND(hh, l->places, k, sizeof(*k), p);
	return p;
}

/* NULL when everybody in a full table holds connections. */
static struct place *
add(struct limit *l, const struct key *k, uint64_t now_ms)
{
	if (HASH_COUNT(l->places) >= l->most) {
		struct place *oldest = l->idle.next;

		if (oldest == &l->idle)
			return NULL;
		idle_remove(oldest);
		forget(l, oldest);
	}
	struct place *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->key = *k;
	p->seen_ms = now_ms;
	HASH_ADD(hh, l->places, key, sizeof(p->key), p);
	idle_add(l, p);
	return p;
}

static void
leak(struct place *p, unsigned per_minute, uint64_t now_ms)
{
	uint64_t passed = now_ms > p->seen_ms ? now_ms - p->seen_ms : 0;

	/* after a minute the bucket is empty, whatever was in it */
	if (passed >= MINUTE_MS || passed * per_minute >= p->level)
		p->level = 0;
	else
		p->level -= passed * per_minute;
	p->seen_ms = now_ms;
}

struct limit *
limit_new(size_t most, unsigned at_once, unsigned per_minute)
{
	struct limit *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	(void)pthread_mutex_init(&l->lock, NULL);
	l->idle.prev = l->idle.next = &l->idle;
	l->most = most;
	l->at_once = at_once;
	l->per_minute = per_minute;
	return l;
}

void
limit_change(struct limit *l, unsigned at_once, unsigned per_minute)
{
	LOCK_AUTO held = lock_take(&l->lock);

	l->at_once = at_once;
	l->per_minute = per_minute;
}

bool
limit_enter(struct limit *l, const struct ip *ip, uint64_t now_ms)
{
	if (ip_is_loopback(ip))
		return true;
	LOCK_AUTO held = lock_take(&l->lock);
	struct key k = key_of(ip);
	struct place *p = find(l, &k);

	if (p == NULL)
		p = add(l, &k, now_ms);
	if (p == NULL)
		return false;
	leak(p, l->per_minute, now_ms);
	if (p->here >= l->at_once ||
		p->level + MINUTE_MS > (uint64_t)l->per_minute * MINUTE_MS)
		return false;
	p->level += MINUTE_MS;
	if (p->here++ == 0)
		idle_remove(p);
	return true;
}

void
limit_leave(struct limit *l, const struct ip *ip)
{
	if (ip_is_loopback(ip))
		return;
	LOCK_AUTO held = lock_take(&l->lock);
	struct key k = key_of(ip);
	struct place *p = find(l, &k);

	assert(p != NULL && p->here > 0);
	if (--p->here == 0)
		idle_add(l, p);
}

void
limit_free(struct limit **lp)
{
	struct limit *l = *lp;
	struct place *p, *next;

	if (l == NULL)
		return;
	*lp = NULL;
	HASH_ITER(hh, l->places, p, next)
	forget(l, p);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

uint64_t
pace_until(const struct pace *p)
{
	uint64_t until = p->start_ms + p->grace_ms;

	if (p->per_second == 0)
		return UINT64_MAX;
	return until + p->bytes / p->per_second * 1000 +
	       p->bytes % p->per_second * 1000 / p->per_second;
}
