/* SPDX-License-Identifier: ISC */
/*
 * pool: a fixed number of threads and a bounded queue of jobs.
 *
 * A job is a struct work embedded in what it is about, so that queueing never
 * allocates.  pool_give() is false when `most` jobs wait already: the caller
 * says "not now".  Any thread may give.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct work {
	void (*run)(struct work *w);
	struct work *next;		/* the pool's own */
};

struct pool *pool_new(const char *name, unsigned threads, size_t most);
bool pool_give(struct pool *p, struct work *w);
size_t pool_waiting(struct pool *p);
void pool_free(struct pool **pp);	/* runs what is queued, then joins */
