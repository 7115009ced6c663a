/* SPDX-License-Identifier: ISC */
/*
 * park: where idle sessions wait, costing a descriptor and no thread.
 *
 * One thread, epoll (one-shot) and a timer heap.  A parked task belongs to
 * the lot and comes back through `back` exactly once, with the reason:
 * readable or writable (the peer going away counts as both), late, or woken.
 * Whoever it comes back to owns it again; nobody else holds a pointer to it.
 *
 * A waker knows only the task's number.  A wake for a task that is not parked
 * at the moment is kept and brings it back as soon as it parks; a wake for a
 * number that is gone does nothing.  Numbers come from park_join() and are
 * never used again.  Wakers must have returned before park_free().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct park;

enum park_for { PARK_NOTHING = 0, PARK_READ = 1, PARK_WRITE = 2 };
enum park_why { PARK_READY, PARK_LATE, PARK_WOKEN, PARK_SHAKEN };

struct parked {
	int fd;			/* -1: only time and wakes */
	unsigned want;		/* enum park_for, or-ed */
	uint64_t until_ms;	/* clock_ms(); UINT64_MAX: no deadline */
	uint64_t number;	/* from park_join */
	/* the lot's own: */
	size_t heap;		/* place in the timer heap, from 1; 0: none */
	unsigned shakes;	/* how many it has been told of */
	uint16_t round;		/* tells this parking's events from older ones */
	bool in_epoll, armed, inside, wake;
	struct parked *hash_next;
};

/* On the park's thread, or that of whoever woke it or parked it when it had been
 * woken before: hand the task to a pool, do not work here. */
typedef void park_fn(struct parked *p, enum park_why why, void *arg);

enum rc park_new(park_fn *back, void *arg, struct park **out, struct err *err) MUST_CHECK;
void park_free(struct park **lp);	/* stops the thread; nothing may be parked */

void park_join(struct park *lot, struct parked *p);	/* gives it its number */
void park_leave(struct park *lot, struct parked *p);	/* before p is freed */
void park_enter(struct park *lot, struct parked *p);	/* any thread; p is the lot's now */
void park_wake(struct park *lot, uint64_t number);	/* any thread */
/* Everything parked comes back as PARK_SHAKEN, and what had joined but was not
 * parked at the moment does so as soon as it parks. */
void park_shake(struct park *lot);
size_t park_count(struct park *lot);	/* joined, parked or not */
