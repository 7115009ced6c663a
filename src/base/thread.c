/* SPDX-License-Identifier: ISC */
#include "base/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

void
cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(c, &attr);
	(void)pthread_condattr_destroy(&attr);
}

bool
cond_until(pthread_cond_t *c, pthread_mutex_t *m, uint64_t until_ms)
{
	struct timespec t = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000 };

	return pthread_cond_timedwait(c, m, &t) == 0;
}

pthread_t
thread_start(const char *name, void *(*run)(void *), void *arg)
{
	sigset_t all, was;
	pthread_t t;
	pthread_attr_t attr;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &was);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, 512 * 1024);
	if (pthread_create(&t, &attr, run, arg) != 0)
		abort();
	(void)pthread_attr_destroy(&attr);
	(void)pthread_setname_np(t, name);
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	return t;
}
