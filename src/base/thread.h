/* SPDX-License-Identifier: ISC */
/*
 * thread: locks held for a block, and threads that must start.
 *
 *	LOCK_AUTO held = lock_take(&x->lock);	released when the block ends
 *
 * Condition variables made by cond_init() wait against clock_ms().
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

static inline pthread_mutex_t *
lock_take(pthread_mutex_t *m)
{
	(void)pthread_mutex_lock(m);
	return m;
}

static inline void
lock_drop(pthread_mutex_t **m)
{
	if (*m != NULL)
		(void)pthread_mutex_unlock(*m);
	*m = NULL;
}

#define LOCK_AUTO	__attribute__((cleanup(lock_drop), unused)) pthread_mutex_t *

void cond_init(pthread_cond_t *c);
/* False when until_ms (clock_ms) came first. */
bool cond_until(pthread_cond_t *c, pthread_mutex_t *m, uint64_t until_ms);

/* Starts a thread with all signals blocked and the name `name` (15 bytes);
 * ends the process when the machine has no room for it. */
pthread_t thread_start(const char *name, void *(*run)(void *), void *arg);
