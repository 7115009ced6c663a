/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "net/service_int.h"

enum { AT_ONCE = 32, EXHAUSTED_MS = 100 };

static void
park_listener(struct listener *l, unsigned want, uint64_t until_ms)
{
	l->guest.parked.want = want;
	l->guest.parked.until_ms = until_ms;
	park_enter(l->guest.service->park, &l->guest.parked);
}

static void
close_listener(struct listener *l)
{
	struct service *s = l->guest.service;

	park_leave(s->park, &l->guest.parked);
	(void)close(l->guest.parked.fd);
	free(l);
	LOCK_AUTO held = lock_take(&s->lock);
	s->nlisteners--;
	(void)pthread_cond_broadcast(&s->fewer);
}

/* No descriptor, or no memory: trying again at once would only burn the
 * processor, and who waits in the backlog can wait a little longer. */
static bool
is_exhaustion(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* False when there is nobody more for now; errno says why. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct ip peer;
	int fd = accept4(l->guest.parked.fd, (struct sockaddr *)&sa, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);

	/* accept(2): errors of the connection that was to be accepted come here
	 * too; only these say something about us or about the queue */
	if (fd < 0)
		return errno != EAGAIN && errno != EBADF && errno != EINVAL &&
		       !is_exhaustion(errno);
	l->exhausted = false;
	ip_from_sockaddr((const struct sockaddr *)&sa, &peer);
	session_begin(l->guest.service, l->kind, l->arg, fd, &peer);
	return true;
}

static void
run_listener(struct work *w)
{
	struct listener *l = (struct listener *)(void *)GUEST_OF(w);

	for (int i = 0; i < AT_ONCE && !atomic_load(&l->gone); i++) {
		if (accept_one(l))
			continue;
		if (!is_exhaustion(errno))
			break;
		if (!l->exhausted)
			log_warn("%s: no connection can be accepted: %s", l->kind->name,
				strerror(errno));
		l->exhausted = true;
		park_listener(l, PARK_NOTHING, clock_ms() + EXHAUSTED_MS);
		return;
	}
	if (atomic_load(&l->gone))
		close_listener(l);
	else
		park_listener(l, PARK_READ, UINT64_MAX);
}

void
listener_open(struct service *s, const struct session_kind *kind, void *arg, int fd)
{
	struct listener *l = calloc(1, sizeof(*l));
	int flags = fcntl(fd, F_GETFL);

	if (l == NULL)
		abort();
	/* another worker or process may be faster: accept must not wait then */
	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	l->guest.service = s;
	l->guest.work.run = run_listener;
	l->guest.parked.fd = fd;
	l->kind = kind;
	l->arg = arg;
	atomic_init(&l->gone, false);
	park_join(s->park, &l->guest.parked);
	LOCK_AUTO held = lock_take(&s->lock);
	l->next = s->listeners;
	s->listeners = l;
	s->nlisteners++;
	/* with the lock: nobody can retire it before it is parked */
	park_listener(l, PARK_READ, UINT64_MAX);
}

void
listeners_retire(struct service *s)
{
	LOCK_AUTO held = lock_take(&s->lock);
	struct listener *l = s->listeners, *next;

	s->listeners = NULL;
	for (; l != NULL; l = next) {
		uint64_t number = l->guest.parked.number;

		next = l->next;
		atomic_store(&l->gone, true); /* from here on it may be freed */
		park_wake(s->park, number);
	}
}
