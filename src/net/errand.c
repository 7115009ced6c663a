/* SPDX-License-Identifier: ISC */
#include "net/errand.h"

#include <assert.h>
#include <pthread.h>

#include "base/thread.h"

enum { IDLE, UNDER_WAY, ENDED };

/* Held from an errand's end until its session has been woken: who has taken it after
 * ENDED was seen may free the session, and then the service. */
static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static void
run(struct work *w)
{
	struct errand *e = (struct errand *)(void *)w;

	e->fn(e->arg);
	LOCK_AUTO held = lock_take(&ending);
	atomic_store(&e->state, ENDED);
	service_wake(e->service, e->number);
	(void)pthread_cond_broadcast(&ended);
}

bool
errand_start(struct errand *e, struct pool *p, const struct session_io *io,
	void (*fn)(void *arg), void *arg)
{
	assert(!errand_busy(e));
	e->work.run = run;
	e->fn = fn;
	e->arg = arg;
	e->service = io->service;
	e->number = io->number;
	atomic_store(&e->state, UNDER_WAY);
	if (pool_give(p, &e->work))
		return true;
	atomic_store(&e->state, IDLE);
	return false;
}

bool
errand_busy(const struct errand *e)
{
	return atomic_load(&e->state) != IDLE;
}

bool
errand_done(struct errand *e)
{
	if (atomic_load(&e->state) != ENDED)
		return false;
	LOCK_AUTO held = lock_take(&ending);
	atomic_store(&e->state, IDLE);
	return true;
}

void
errand_wait(struct errand *e)
{
	LOCK_AUTO held = lock_take(&ending);

	while (atomic_load(&e->state) == UNDER_WAY)
		(void)pthread_cond_wait(&ended, &ending);
	atomic_store(&e->state, IDLE);
}
