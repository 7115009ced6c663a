/* SPDX-License-Identifier: ISC */
#include "net/service.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/service_int.h"

/* On the park's thread, a waker's or a worker's. */
static void
back(struct parked *p, enum park_why why, void *arg)
{
	struct service *s = arg;
	struct guest *g = (struct guest *)(void *)p; /* its first member */

	g->why = why;
	if (!pool_give(s->pool, &g->work))
		abort(); /* the queue has no limit; sessions have */
}

static unsigned
at_most(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (unsigned)n;
}

static unsigned
workers(const struct conf *conf, unsigned per_core)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (conf->limits.workers > 0)
		return at_most(conf->limits.workers);
	return cores > 0 && cores < 1000 ? per_core * (unsigned)cores : per_core;
}

enum rc
service_new(const struct conf *conf, struct tls *tls, unsigned per_core,
	struct service **out, struct err *err)
{
	struct service *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	enum rc rc = park_new(back, s, &s->park, err);
	if (rc != RC_OK) {
		free(s);
		return rc;
	}
	(void)pthread_mutex_init(&s->lock, NULL);
	cond_init(&s->fewer);
	s->conf = conf_keep(conf);
	s->tls = tls_keep(tls);
	s->most = conf->limits.connections;
	s->pool = pool_new("work", workers(conf, per_core), SIZE_MAX);
	/* room for those that are here and as many that left within the minute */
	s->limit = limit_new(2 * s->most, at_most(conf->limits.per_address),
		at_most(conf->limits.per_address_rate));
	*out = s;
	return RC_OK;
}

void
service_reload(struct service *s, const struct conf *conf, struct tls *tls)
{
	const struct conf *old_conf;
	struct tls *old_tls;

	(void)conf_keep(conf);
	(void)tls_keep(tls);
	(void)pthread_mutex_lock(&s->lock);
	old_conf = s->conf;
	old_tls = s->tls;
	s->conf = conf;
	s->tls = tls;
	s->most = conf->limits.connections;
	(void)pthread_mutex_unlock(&s->lock);
	limit_change(s->limit, at_most(conf->limits.per_address),
		at_most(conf->limits.per_address_rate));
	conf_drop(&old_conf);
	tls_drop(&old_tls);
}

void
service_per_address(struct service *s, uint64_t at_once, uint64_t per_minute)
{
	limit_change(s->limit, at_most(at_once), at_most(per_minute));
}

void
service_listen(struct service *s, size_t n, const int fds[],
	const struct session_kind *const kinds[], void *const args[])
{
	listeners_retire(s);
	for (size_t i = 0; i < n; i++)
		listener_open(s, kinds[i], args[i], fds[i]);
}

void
service_wake(struct service *s, uint64_t number)
{
	park_wake(s->park, number);
}

size_t
service_sessions(struct service *s)
{
	LOCK_AUTO held = lock_take(&s->lock);

	return s->nsessions;
}

/* Until there is none of them, or until_ms. */
static bool
wait_for_none(struct service *s, const size_t *count, uint64_t until_ms)
{
	LOCK_AUTO held = lock_take(&s->lock);

	while (*count > 0) {
		if (until_ms == UINT64_MAX)
			(void)pthread_cond_wait(&s->fewer, &s->lock);
		else if (!cond_until(&s->fewer, &s->lock, until_ms) &&
			 clock_ms() >= until_ms)
			return *count == 0;
	}
	return true;
}

/* Listeners first: once they are closed nobody new can miss the shaking. */
bool
service_drain(struct service *s, uint64_t until_ms)
{
	atomic_store(&s->draining, true);
	listeners_retire(s);
	(void)wait_for_none(s, &s->nlisteners, until_ms);
	park_shake(s->park);
	return wait_for_none(s, &s->nsessions, until_ms);
}

/* Sessions that are still there are closed wherever they are. */
void
service_free(struct service **sp)
{
	struct service *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	atomic_store(&s->ending, true);
	(void)service_drain(s, UINT64_MAX);
	park_free(&s->park);
	pool_free(&s->pool);
	limit_free(&s->limit);
	conf_drop(&s->conf);
	tls_drop(&s->tls);
	(void)pthread_cond_destroy(&s->fewer);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}
