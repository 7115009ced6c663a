/* SPDX-License-Identifier: ISC */
/*
 * park_heap: the park's timers, earliest first.  Each knows its place
 * (parked.heap, from 1), so that one that comes back early is taken out of
 * the middle.  Private to the park, under its lock.
 */
#pragma once

#include <stddef.h>

#include "net/park.h"

struct park_heap {
	struct parked **at;	/* at[1] is the earliest */
	size_t n, cap;
};

void park_heap_add(struct park_heap *h, struct parked *p);
void park_heap_remove(struct park_heap *h, struct parked *p);	/* not in it: nothing */
struct parked *park_heap_first(const struct park_heap *h);	/* NULL when empty */
void park_heap_clear(struct park_heap *h);
