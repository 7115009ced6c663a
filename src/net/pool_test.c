/* SPDX-License-Identifier: ISC */
#include "net/pool.h"

#include <stdatomic.h>

#include "base/thread.h"
#include "test/test.h"

struct job {
	struct work work; /* first */
	atomic_int *ran;
	pthread_mutex_t *gate;
};

static void
count(struct work *w)
{
	struct job *j = (struct job *)(void *)w;

	if (j->gate != NULL) {
		LOCK_AUTO held = lock_take(j->gate);
		atomic_fetch_add(j->ran, 1);
	} else {
		atomic_fetch_add(j->ran, 1);
	}
}

TEST(every_job_runs_once_before_the_pool_is_gone)
{
	static struct job jobs[1000];
	atomic_int ran = 0;
	struct pool *p = pool_new("test", 4, 1000);

	for (int i = 0; i < 1000; i++) {
		jobs[i] = (struct job){ { .run = count }, &ran, NULL };
		assert_true(pool_give(p, &jobs[i].work));
	}
	pool_free(&p);
	assert_null(p);
	assert_int_equal(ran, 1000);
}

TEST(a_full_pool_says_not_now)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct job jobs[5];
	atomic_int ran = 0;
	struct pool *p = pool_new("test", 1, 3);
	int taken = 0;

	(void)pthread_mutex_lock(&gate);
	for (int i = 0; i < 5; i++) {
		jobs[i] = (struct job){ { .run = count }, &ran, &gate };
		taken += pool_give(p, &jobs[i].work);
	}
	/* the thread holds at most one of them already */
	assert_true(taken == 3 || taken == 4);
	assert_true(pool_waiting(p) <= 3);
	(void)pthread_mutex_unlock(&gate);
	pool_free(&p);
	assert_int_equal(ran, taken);
}
