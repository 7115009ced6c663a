/* SPDX-License-Identifier: ISC */
#include "net/park.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/park_heap.h"

enum { EVENTS = 256, TABLE_FIRST = 64, NUMBER_BITS = 48, ROUND_BITS = 16 };

/* The thread looks at its timers this often while there are any, so that only who
 * parks with a deadline nearer than that has to interrupt its sleep. */
enum { NAP_MS = 1000 };

struct come {
	struct parked *p;
	enum park_why why;
};

struct park {
	pthread_mutex_t lock;
	pthread_t thread;
	int epoll, event;
	park_fn *back;
	void *arg;

	struct park_heap heap;
	struct parked **table; /* by number; everything that joined */
	size_t slots, joined, inside;
	uint64_t last_number;

	uint64_t sleeps_until; /* when the thread will look by itself */
	unsigned shakes;
	bool poked, shake, stop;

	struct come *come; /* the thread's own: to be given back */
	size_t ncome, come_cap;
};

static void *
grow(void *old, size_t *cap, size_t size)
{
	size_t n = *cap == 0 ? 64 : *cap * 2;
	void *p = reallocarray(old, n, size);

	if (p == NULL)
		abort();
	*cap = n;
	return p;
}

/* ---- by number ---- */

static struct parked **
slot(struct park *lot, uint64_t number)
{
	return &lot->table[number & (lot->slots - 1)];
}

static struct parked *
find(struct park *lot, uint64_t number)
{
	struct parked *p = *slot(lot, number);

	while (p != NULL && p->number != number)
		p = p->hash_next;
	return p;
}

static void
insert(struct park *lot, struct parked *p)
{
	struct parked **at = slot(lot, p->number);

	p->hash_next = *at;
	*at = p;
}

static void
widen(struct park *lot)
{
	struct parked **old = lot->table;
	size_t n = lot->slots;

	lot->slots = n == 0 ? TABLE_FIRST : n * 2;
	lot->table = calloc(lot->slots, sizeof(struct parked *));
	if (lot->table == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		for (struct parked *p = old[i], *next; p != NULL; p = next) {
			next = p->hash_next;
			insert(lot, p);
		}
	free(old);
}

/* ---- with the lock held ---- */

static void
poke(struct park *lot)
{
	uint64_t one = 1;

	if (lot->poked)
		return;
	lot->poked = true;
	if (write(lot->event, &one, sizeof(one)) != (ssize_t)sizeof(one))
		abort(); /* an eventfd of ours that overflows or is closed */
}

/* The caller's from here on; it has to go back. */
static void
lift(struct park *lot, struct parked *p)
{
	assert(p->inside);
	park_heap_remove(&lot->heap, p);
	p->inside = false;
	lot->inside--;
}

static void
take_out(struct park *lot, struct parked *p, enum park_why why)
{
	lift(lot, p);
	if (lot->ncome == lot->come_cap)
		lot->come = grow(lot->come, &lot->come_cap, sizeof(*lot->come));
	lot->come[lot->ncome++] = (struct come){ p, why };
}

/* False when the kernel would not watch the descriptor. */
static bool
watch(struct park *lot, struct parked *p)
{
	struct epoll_event ev = { .events = EPOLLONESHOT };

	if (p->fd < 0)
		return true;
	if (p->want == PARK_NOTHING) {
		/* A hang-up is reported even to who asks for nothing, unless the one
		 * shot was fired. */
		if (p->armed)
			(void)epoll_ctl(lot->epoll, EPOLL_CTL_DEL, p->fd, NULL);
		p->in_epoll = p->in_epoll && !p->armed;
		p->armed = false;
		return true;
	}
	ev.data.u64 = p->number << ROUND_BITS | p->round;
	ev.events |= (p->want & PARK_READ) != 0 ? EPOLLIN : 0;
	ev.events |= (p->want & PARK_WRITE) != 0 ? EPOLLOUT : 0;
	p->armed = p->in_epoll && epoll_ctl(lot->epoll, EPOLL_CTL_MOD, p->fd, &ev) == 0;
	if (!p->armed)
		p->armed = epoll_ctl(lot->epoll, EPOLL_CTL_ADD, p->fd, &ev) == 0;
	p->in_epoll = p->armed;
	return p->armed;
}

/* ---- the thread ---- */

static void
take_ready(struct park *lot, const struct epoll_event *ev)
{
	struct parked *p = find(lot, ev->data.u64 >> ROUND_BITS);

	/* An event may be of an earlier parking: its owner came back for another
	 * reason and has parked again since epoll_wait() returned. */
	if (p != NULL && p->inside && p->round == (uint16_t)ev->data.u64) {
		p->armed = false;
		take_out(lot, p, PARK_READY);
	}
}

static void
take_late(struct park *lot, uint64_t now)
{
	struct parked *p;

	while ((p = park_heap_first(&lot->heap)) != NULL && p->until_ms <= now)
		take_out(lot, p, PARK_LATE);
}

static void
take_shaken(struct park *lot)
{
	for (size_t i = 0; i < lot->slots && lot->shake; i++)
		for (struct parked *p = lot->table[i]; p != NULL; p = p->hash_next)
			if (p->inside && p->shakes != lot->shakes) {
				p->shakes = lot->shakes;
				take_out(lot, p, PARK_SHAKEN);
			}
	lot->shake = false;
}

/* How long epoll_wait() may sleep; also says so to park_enter().  `quiet`: the
 * last nap was not interrupted. */
static int
nap(struct park *lot, uint64_t now, bool quiet)
{
	struct parked *p = park_heap_first(&lot->heap);

	if (p == NULL && quiet) {
		lot->sleeps_until = UINT64_MAX;
		return -1;
	}
	lot->sleeps_until = now + NAP_MS;
	if (p != NULL && p->until_ms < lot->sleeps_until)
		lot->sleeps_until = p->until_ms;
	return lot->sleeps_until <= now ? 0 : (int)(lot->sleeps_until - now);
}

/* Readiness first: a batch's events must be used before anybody whom they
 * are about can come back for another reason. */
static bool
round_trip(struct park *lot, const struct epoll_event *ev, int n, int *timeout)
{
	LOCK_AUTO held = lock_take(&lot->lock);
	uint64_t now = clock_ms(), count;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.u64 != 0) {
			take_ready(lot, &ev[i]);
			continue;
		}
		if (read(lot->event, &count, sizeof(count)) > 0)
			lot->poked = false;
	}
	take_late(lot, now);
	take_shaken(lot);
	*timeout = nap(lot, now, n == 0);
	return !lot->stop;
}

static void *
run(void *arg)
{
	struct park *lot = arg;
	struct epoll_event ev[EVENTS];
	int timeout = 0, n;

	do {
		n = epoll_wait(lot->epoll, ev, EVENTS, timeout);
		lot->ncome = 0;
		if (!round_trip(lot, ev, n, &timeout))
			break;
		for (size_t i = 0; i < lot->ncome; i++)
			lot->back(lot->come[i].p, lot->come[i].why, lot->arg);
	} while (n >= 0 || errno == EINTR);
	return NULL;
}

/* ---- the door ---- */

static enum rc
open_descriptors(struct park *lot, struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0 };

	lot->epoll = epoll_create1(EPOLL_CLOEXEC);
	lot->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lot->epoll < 0 || lot->event < 0 ||
		epoll_ctl(lot->epoll, EPOLL_CTL_ADD, lot->event, &ev) != 0)
		return err_errno(err, "epoll");
	return RC_OK;
}

static void
forget(struct park *lot)
{
	if (lot->epoll >= 0)
		(void)close(lot->epoll);
	if (lot->event >= 0)
		(void)close(lot->event);
	(void)pthread_mutex_destroy(&lot->lock);
	park_heap_clear(&lot->heap);
	free(lot->table);
	free(lot->come);
	free(lot);
}

enum rc
park_new(park_fn *back, void *arg, struct park **out, struct err *err)
{
	struct park *lot = calloc(1, sizeof(*lot));
	enum rc rc;

	if (lot == NULL)
		abort();
	lot->back = back;
	lot->arg = arg;
	(void)pthread_mutex_init(&lot->lock, NULL);
	widen(lot);
	rc = open_descriptors(lot, err);
	if (rc != RC_OK) {
		forget(lot);
		return rc;
	}
	lot->thread = thread_start("park", run, lot);
	*out = lot;
	return RC_OK;
}

void
park_free(struct park **lp)
{
	struct park *lot = *lp;

	if (lot == NULL)
		return;
	*lp = NULL;
	(void)pthread_mutex_lock(&lot->lock);
	assert(lot->inside == 0);
	lot->stop = true;
	poke(lot);
	(void)pthread_mutex_unlock(&lot->lock);
	(void)pthread_join(lot->thread, NULL);
	forget(lot);
}

void
park_join(struct park *lot, struct parked *p)
{
	LOCK_AUTO held = lock_take(&lot->lock);

	if (lot->joined == lot->slots)
		widen(lot);
	p->number = ++lot->last_number;
	assert(p->number >> NUMBER_BITS == 0);
	p->heap = 0;
	p->round = 0;
	p->shakes = lot->shakes;
	p->in_epoll = p->armed = p->inside = p->wake = false;
	insert(lot, p);
	lot->joined++;
}

void
park_leave(struct park *lot, struct parked *p)
{
	LOCK_AUTO held = lock_take(&lot->lock);
	struct parked **at = slot(lot, p->number);

	assert(!p->inside);
	while (*at != p)
		at = &(*at)->hash_next;
	*at = p->hash_next;
	lot->joined--;
	if (p->in_epoll)
		(void)epoll_ctl(lot->epoll, EPOLL_CTL_DEL, p->fd, NULL);
	p->in_epoll = p->armed = false;
}

/* True when it may not stay: *why it goes back at once. */
static bool
turned_away(struct park *lot, struct parked *p, enum park_why *why)
{
	if (p->shakes != lot->shakes) {
		p->shakes = lot->shakes;
		*why = PARK_SHAKEN;
		return true;
	}
	*why = PARK_WOKEN;
	if (!p->wake)
		return false;
	p->wake = false;
	return true;
}

/* False: it goes back. */
static bool
let_in(struct park *lot, struct parked *p, enum park_why *why)
{
	LOCK_AUTO held = lock_take(&lot->lock);

	assert(!p->inside);
	if (turned_away(lot, p, why))
		return false;
	p->inside = true;
	p->round++;
	lot->inside++;
	if (!watch(lot, p))
		p->until_ms = 0; /* late at once, rather than never */
	if (p->until_ms == UINT64_MAX)
		return true;
	park_heap_add(&lot->heap, p);
	if (p->until_ms < lot->sleeps_until)
		poke(lot);
	return true;
}

void
park_enter(struct park *lot, struct parked *p)
{
	enum park_why why;

	if (!let_in(lot, p, &why))
		lot->back(p, why, lot->arg);
}

/* NULL: nobody to be given back now.  One that is to be shaken the thread is about
 * to take out; it hears of the wake when it parks again. */
static struct parked *
wake_up(struct park *lot, uint64_t number)
{
	LOCK_AUTO held = lock_take(&lot->lock);
	struct parked *p = find(lot, number);

	if (p == NULL)
		return NULL;
	if (!p->inside || p->shakes != lot->shakes) {
		p->wake = true;
		return NULL;
	}
	lift(lot, p);
	return p;
}

/* Straight back from here: by way of the thread would be two switches more. */
void
park_wake(struct park *lot, uint64_t number)
{
	struct parked *p = wake_up(lot, number);

	if (p != NULL)
		lot->back(p, PARK_WOKEN, lot->arg);
}

void
park_shake(struct park *lot)
{
	LOCK_AUTO held = lock_take(&lot->lock);

	lot->shakes++;
	lot->shake = true;
	poke(lot);
}

size_t
park_count(struct park *lot)
{
	LOCK_AUTO held = lock_take(&lot->lock);

	return lot->joined;
}
