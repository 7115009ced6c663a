/* SPDX-License-Identifier: ISC */
#include "net/pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/thread.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct work *first, **last;
	size_t waiting, most;
	unsigned idle; /* threads that wait and have not been called */
	bool stop;
	unsigned nthreads;
	pthread_t threads[];
};

/* The next job, or NULL when the pool ends and nothing is left. */
static struct work *
take(struct pool *p)
{
	LOCK_AUTO held = lock_take(&p->lock);

	while (p->first == NULL && !p->stop) {
		p->idle++;
		(void)pthread_cond_wait(&p->some, &p->lock);
	}
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
	cond_init(&p->some);
	p->last = &p->first;
	p->most = most;
	p->nthreads = threads;
	for (unsigned i = 0; i < threads; i++)
		p->threads[i] = thread_start(name, work, p);
	return p;
}

static bool
queue(struct pool *p, struct work *w, bool *call)
{
	LOCK_AUTO held = lock_take(&p->lock);

	if (p->waiting >= p->most)
		return false;
	w->next = NULL;
	*p->last = w;
	p->last = &w->next;
	p->waiting++;
	*call = p->idle > 0;
	if (*call)
		p->idle--;
	return true;
}

/* Called without the lock, or who is called would wait for it first. */
bool
pool_give(struct pool *p, struct work *w)
{
	bool call = false;

	if (!queue(p, w, &call))
		return false;
	if (call)
		(void)pthread_cond_signal(&p->some);
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
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->some);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->nthreads; i++)
		(void)pthread_join(p->threads[i], NULL);
	(void)pthread_cond_destroy(&p->some);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
