/* SPDX-License-Identifier: ISC */
/*
 * errand: work that a session cannot do on its own thread because it waits for somebody
 * (a scanner, a password hash): done by a bounded pool, while the session is parked.
 *
 *	errand_start(&s->errand, pool, fn, arg) == false: the pool is full: "not now"
 *	... park with PARK_NOTHING and a deadline, or PARK_READ to see who hangs up ...
 *	errand_done(&s->errand): fn has returned, and what it wrote may be read
 *
 * The session is woken (service_wake) when fn has returned.  One errand of a session at a
 * time.  A session that ends calls errand_wait() first: fn must come to its end by itself,
 * within a deadline of its own.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "net/pool.h"
#include "net/service.h"

struct errand {
	struct work work;	/* first */
	void (*fn)(void *arg);
	void *arg;
	struct service *service;
	uint64_t number;
	atomic_int state;	/* the errand's own: 0 idle, 1 under way, 2 done */
};

bool errand_start(struct errand *e, struct pool *p, const struct session_io *io,
	void (*fn)(void *arg), void *arg) MUST_CHECK;
bool errand_busy(const struct errand *e);	/* started, and not collected */
bool errand_done(struct errand *e);		/* true once, when it has ended */
void errand_wait(struct errand *e);
