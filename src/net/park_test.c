/* SPDX-License-Identifier: ISC */
#include "net/park.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/pool.h"
#include "test/test.h"

/* What came back, in order. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	size_t n;
	struct {
		struct parked *p;
		enum park_why why;
	} at[4096];
} came = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

static void
note(struct parked *p, enum park_why why, void *arg)
{
	LOCK_AUTO held = lock_take(&came.lock);

	(void)arg;
	came.at[came.n].p = p;
	came.at[came.n++].why = why;
	(void)pthread_cond_signal(&came.more);
}

static void
expect(size_t i, const struct parked *p, enum park_why why)
{
	LOCK_AUTO held = lock_take(&came.lock);

	while (came.n <= i)
		(void)pthread_cond_wait(&came.more, &came.lock);
	assert_ptr_equal(came.at[i].p, p);
	assert_int_equal(came.at[i].why, why);
}

static struct park *
new_lot(void)
{
	struct park *lot = NULL;

	came.n = 0;
	assert_int_equal(park_new(note, NULL, &lot, NULL), RC_OK);
	return lot;
}

static struct parked
task(int fd, unsigned want)
{
	return (struct parked){ .fd = fd, .want = want, .until_ms = UINT64_MAX };
}

TEST(bytes_a_close_and_room_to_write_bring_it_back)
{
	struct park *lot = new_lot();
	int fds[2];
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	struct parked p = task(fds[0], PARK_READ);
	park_join(lot, &p);
	park_enter(lot, &p);
	assert_int_equal(write(fds[1], "x", 1), 1);
	expect(0, &p, PARK_READY);
	assert_int_equal(read(fds[0], &c, 1), 1);
	park_enter(lot, &p);
	assert_int_equal(write(fds[1], "y", 1), 1);
	expect(1, &p, PARK_READY);
	p.want = PARK_WRITE;
	park_enter(lot, &p);
	expect(2, &p, PARK_READY);
	assert_int_equal(read(fds[0], &c, 1), 1);
	p.want = PARK_READ;
	park_enter(lot, &p);
	(void)close(fds[1]);
	expect(3, &p, PARK_READY);
	/* gone for good: who asks for nothing is not told again and again */
	p.want = PARK_NOTHING;
	park_enter(lot, &p);
	park_wake(lot, p.number);
	expect(4, &p, PARK_WOKEN);
	assert_int_equal(park_count(lot), 1);
	park_leave(lot, &p);
	assert_int_equal(park_count(lot), 0);
	(void)close(fds[0]);
	park_free(&lot);
}

TEST(a_wake_before_parking_is_kept_and_one_after_leaving_is_nothing)
{
	struct park *lot = new_lot();
	struct parked p = task(-1, PARK_NOTHING), q = p;

	park_join(lot, &p);
	park_wake(lot, p.number);
	park_wake(lot, p.number); /* the same as one */
	park_enter(lot, &p);
	expect(0, &p, PARK_WOKEN);
	p.until_ms = clock_ms() + 1;
	park_enter(lot, &p);
	expect(1, &p, PARK_LATE);
	park_leave(lot, &p);
	park_wake(lot, p.number);
	park_wake(lot, 12345);
	park_join(lot, &q);
	assert_true(q.number > p.number);
	park_enter(lot, &q);
	park_wake(lot, q.number);
	expect(2, &q, PARK_WOKEN);
	park_leave(lot, &q);
	park_free(&lot);
	assert_int_equal(came.n, 3);
}

TEST(the_earliest_deadline_comes_first_whatever_the_order_of_arrival)
{
	enum { N = 500 };
	static struct parked p[N];
	struct park *lot = new_lot();
	uint64_t past = clock_ms() - 1, far = clock_ms() + 3600000;

	for (size_t i = 0; i < N; i++) {
		p[i] = task(-1, PARK_NOTHING);
		/* every third is far away, and is woken */
		p[i].until_ms = i % 3 == 0 ? far - i * 7919 % 1000
					   : past + (i * 7919 % 5);
		park_join(lot, &p[i]);
		park_enter(lot, &p[i]);
	}
	for (size_t i = 0; i < N; i += 3)
		park_wake(lot, p[i].number);
	(void)pthread_mutex_lock(&came.lock);
	while (came.n < N)
		(void)pthread_cond_wait(&came.more, &came.lock);
	(void)pthread_mutex_unlock(&came.lock);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(came.at[i].why,
			came.at[i].p->until_ms > far - 1000 ? PARK_WOKEN : PARK_LATE);
	for (size_t i = 0; i < N; i++)
		park_leave(lot, &p[i]);
	park_free(&lot);
}

TEST(shaking_reaches_the_parked_at_once_and_the_others_when_they_park)
{
	struct park *lot = new_lot();
	struct parked in = task(-1, PARK_NOTHING), out = in, later = in;

	park_join(lot, &in);
	park_join(lot, &out);
	park_enter(lot, &in);
	park_shake(lot);
	expect(0, &in, PARK_SHAKEN);
	park_wake(lot, out.number);
	park_enter(lot, &out);
	expect(1, &out, PARK_SHAKEN);
	park_enter(lot, &out);
	expect(2, &out, PARK_WOKEN); /* the wake was not lost by it */
	park_join(lot, &later);
	park_enter(lot, &later);
	park_enter(lot, &in); /* once is enough for both */
	park_wake(lot, later.number);
	expect(3, &later, PARK_WOKEN);
	park_wake(lot, in.number);
	expect(4, &in, PARK_WOKEN);
	park_leave(lot, &in);
	park_leave(lot, &out);
	park_leave(lot, &later);
	park_free(&lot);
}

/* ---- many threads: each task is in one hand at a time and no wake is lost ---- */

enum { TASKS = 200, WAKERS = 4, WAKES = 5000 };

struct crowd_task {
	struct parked parked;
	struct work work;
	atomic_int hands;
	atomic_bool owed; /* woken, and has not run since */
	bool done;
};

static struct {
	struct park *lot;
	struct pool *pool;
	struct crowd_task tasks[TASKS];
	atomic_int turns, wakers, left;
	pthread_mutex_t lock;
	pthread_cond_t fewer;
} crowd = { .lock = PTHREAD_MUTEX_INITIALIZER, .fewer = PTHREAD_COND_INITIALIZER };

static void
crowd_run(struct work *w)
{
	struct crowd_task *t = (struct crowd_task *)(void *)((char *)w -
							     offsetof(struct crowd_task,
								     work));

	if (atomic_fetch_add(&t->hands, 1) != 0)
		abort();
	atomic_store(&t->owed, false);
	atomic_fetch_add(&crowd.turns, 1);
	bool last = atomic_load(&crowd.wakers) == 0;
	t->parked.until_ms = clock_ms() + (uint64_t)(atomic_load(&crowd.turns) % 3);
	atomic_fetch_sub(&t->hands, 1);
	if (!last) {
		park_enter(crowd.lot, &t->parked);
		return;
	}
	park_leave(crowd.lot, &t->parked);
	LOCK_AUTO held = lock_take(&crowd.lock);
	atomic_fetch_sub(&crowd.left, 1);
	(void)pthread_cond_signal(&crowd.fewer);
}

static void
crowd_back(struct parked *p, enum park_why why, void *arg)
{
	struct crowd_task *t = (struct crowd_task *)(void *)p; /* its first member */

	(void)why;
	(void)arg;
	if (!pool_give(crowd.pool, &t->work))
		abort();
}

static void *
crowd_waker(void *arg)
{
	unsigned x = *(unsigned *)arg;

	for (int i = 0; i < WAKES; i++) {
		x = x * 1664525 + 1013904223;
		struct crowd_task *t = &crowd.tasks[(x >> 16) % TASKS];

		atomic_store(&t->owed, true);
		park_wake(crowd.lot, (x >> 16) % TASKS + 1);
	}
	return NULL;
}

TEST(with_many_threads_each_task_has_one_owner_and_no_wake_is_lost)
{
	static unsigned seeds[WAKERS] = { 1, 22, 333, 4444 };
	pthread_t threads[WAKERS];

	assert_int_equal(park_new(crowd_back, NULL, &crowd.lot, NULL), RC_OK);
	crowd.pool = pool_new("crowd", 4, SIZE_MAX);
	atomic_store(&crowd.wakers, 1);
	atomic_store(&crowd.left, TASKS);
	for (int i = 0; i < TASKS; i++) {
		crowd.tasks[i].parked = task(-1, PARK_NOTHING);
		crowd.tasks[i].work.run = crowd_run;
		park_join(crowd.lot, &crowd.tasks[i].parked);
		assert_int_equal(crowd.tasks[i].parked.number, i + 1);
	}
	for (int i = 0; i < TASKS; i++)
		park_enter(crowd.lot, &crowd.tasks[i].parked);
	for (int i = 0; i < WAKERS; i++)
		threads[i] = thread_start("waker", crowd_waker, &seeds[i]);
	for (int i = 0; i < WAKERS; i++)
		(void)pthread_join(threads[i], NULL);
	atomic_store(&crowd.wakers, 0);
	for (unsigned i = 0; i < TASKS; i++)
		park_wake(crowd.lot, i + 1);
	(void)pthread_mutex_lock(&crowd.lock);
	while (atomic_load(&crowd.left) > 0)
		(void)pthread_cond_wait(&crowd.fewer, &crowd.lock);
	(void)pthread_mutex_unlock(&crowd.lock);
	for (int i = 0; i < TASKS; i++)
		assert_false(atomic_load(&crowd.tasks[i].owed));
	assert_int_equal(park_count(crowd.lot), 0);
	park_free(&crowd.lot);
	pool_free(&crowd.pool);
}
