/* SPDX-License-Identifier: ISC */
/*
 * service_int: shared by service.c (settings, drain), service_listen.c (the
 * doors) and service_session.c (what happens behind them).
 *
 * Sessions and listeners are both guests: parked while there is nothing to do,
 * queued for a worker when there is, always in exactly one hand.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "net/limit.h"
#include "net/pool.h"
#include "net/service.h"
#include "net/tls.h"

struct guest {
	struct parked parked;
	struct work work;
	enum park_why why;
	struct service *service;
};

struct listener {
	struct guest guest;
	const struct session_kind *kind;
	void *arg;
	atomic_bool gone;	/* to be closed by whoever has it in hand */
	bool exhausted;		/* no descriptor or memory left; said so once */
	struct listener *next;
};

struct service {
	pthread_mutex_t lock;
	pthread_cond_t fewer;	/* sessions or listeners became fewer */
	const struct conf *conf;
	struct tls *tls;
	struct listener *listeners;	/* those that are not gone */
	size_t nlisteners;	/* gone ones too, until they are closed */
	size_t nsessions, most;
	atomic_bool draining;	/* nobody new */
	atomic_bool ending;	/* sessions are closed and not run */
	/* these never change: */
	struct park *park;
	struct pool *pool;
	struct limit *limit;
};

#define GUEST_OF(w)	((struct guest *)(void *)((char *)(w) - offsetof(struct guest, work)))

/* Owns fd.  Who is refused is told so, and closed. */
void session_begin(struct service *s, const struct session_kind *kind, void *arg, int fd,
	const struct ip *peer);

void listener_open(struct service *s, const struct session_kind *kind, void *arg, int fd);
void listeners_retire(struct service *s);	/* all; closed once nobody uses them */
