/* SPDX-License-Identifier: ISC */
#include "net/pool.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/thread.h"

/* A semaphore, not a condition variable: who comes back from waiting for that takes
 * the lock as if others wanted it too, and has to ask the kernel to let it go. */
struct pool {
	pthread_mutex_t lock;
	sem_t some; /* one for each job, and for each thread at the end */
	struct work *first, **last;
	size_t waiting, most;
	unsigned nthreads;
	pthread_t threads[];
};

/* The next job, or NULL when the pool ends and nothing is left. */
static struct work *
take(struct pool *p)
{
	while (sem_wait(&p->some) != 0 && errno == EINTR)
		continue;
	LOCK_AUTO held = lock_take(&p->lock);
	struct work *w = p->first;
	if (w == NULL)
		return NULL;
	p->first = w->next;
	if (p->first == NULL)
		p->last = &p->first;
	p->waiting--;
	return w;
}

static void *
work(void *arg)
{
	struct pool *p = arg;
	struct work *w;

	/* whoever runs w may free it, or give it again */
	while ((w = take(p)) != NULL)
		w->run(w);
	return NULL;
}

struct pool *
pool_new(const char *name, unsigned threads, size_t most)
{
	struct pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->threads[0]));

	assert(threads > 0);
	if (p == NULL)
		abort();
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)sem_init(&p->some, 0, 0);
	p->last = &p->first;
	p->most = most;
	p->nthreads = threads;
	for (unsigned i = 0; i < threads; i++)
		p->threads[i] = thread_start(name, work, p);
	return p;
}

static bool
queue(struct pool *p, struct work *w)
{
	LOCK_AUTO held = lock_take(&p->lock);

	if (p->waiting >= p->most)
		return false;
	w->next = NULL;
	*p->last = w;
	p->last = &w->next;
	p->waiting++;
	return true;
}

/* Called without the lock, or who is called would wait for it first. */
static void
call(struct pool *p)
{
	if (sem_post(&p->some) != 0)
		abort(); /* two thousand million jobs are not there */
}

bool
pool_give(struct pool *p, struct work *w)
{
	if (!queue(p, w))
		return false;
	call(p);
	return true;
}

size_t
pool_waiting(struct pool *p)
{
	LOCK_AUTO held = lock_take(&p->lock);

	return p->waiting;
}

void
pool_free(struct pool **pp)
{
	struct pool *p = *pp;

	if (p == NULL)
		return;
	*pp = NULL;
	/* each finds nothing left, once, when all jobs are done */
	for (unsigned i = 0; i < p->nthreads; i++)
		call(p);
	for (unsigned i = 0; i < p->nthreads; i++)
		(void)pthread_join(p->threads[i], NULL);
	(void)sem_destroy(&p->some);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
