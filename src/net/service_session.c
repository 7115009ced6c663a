/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "net/net_int.h"
#include "net/proxy2.h"
#include "net/service_int.h"

enum phase { PHASE_PROXY, PHASE_DOOR, PHASE_TLS, PHASE_OPEN, PHASE_RUN };

struct visit {
	struct guest guest;
	struct session_io io;
	void *arg, *own; /* own: what `open` made */
	enum phase phase;
	bool counted; /* by the limit per address */
	uint64_t ready_by_ms; /* the header of a proxy and the handshake */
	struct ip from; /* who is counted: io.peer may be anything later */
	struct buf head; /* the proxy's header, while it arrives */
};

/* What a phase says: the next one now, wait for the peer, or the end. */
enum step { STEP_ON, STEP_PARK, STEP_CLOSE };

static bool
take_place(struct service *s)
{
	LOCK_AUTO held = lock_take(&s->lock);

	if (s->nsessions >= s->most)
		return false;
	s->nsessions++;
	return true;
}

static void
give_place(struct service *s)
{
	LOCK_AUTO held = lock_take(&s->lock);

	s->nsessions--;
	(void)pthread_cond_broadcast(&s->fewer);
}

static void
end(struct visit *c)
{
	struct service *s = c->guest.service;

	if (c->own != NULL)
		c->io.kind->close(c->own);
	park_leave(s->park, &c->guest.parked);
	conn_free(&c->io.conn);
	if (c->counted)
		limit_leave(s->limit, &c->from);
	conf_drop(&c->io.conf);
	tls_drop(&c->io.tls);
	buf_free(&c->head);
	free(c);
	give_place(s);
}

/* ---- the phases before the session's own ---- */

/* Never a byte more than the header: what follows may be a handshake. */
static enum step
read_proxy(struct visit *c, struct session_wait *wait)
{
	char some[PROXY2_MOST];
	size_t used, want;
	enum rc rc;

	for (;;) {
		rc = proxy2_parse(buf_str(&c->head), &used, &c->io.peer, &c->io.local);
		if (rc != RC_NONE)
			break;
		want = c->head.len < 16
			       ? 16 - c->head.len
			       : 16 +
					 ((size_t)(uint8_t)c->head.data[14] << 8 |
						 (uint8_t)c->head.data[15]) -
					 c->head.len;
		ssize_t n = recv(conn_fd(c->io.conn), some, want, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			wait->want = PARK_READ;
			return STEP_PARK;
		}
		if (n <= 0)
			return STEP_CLOSE;
		buf_add(&c->head, (str){ some, (size_t)n });
	}
	buf_free(&c->head);
	c->phase = PHASE_DOOR;
	return rc == RC_OK ? STEP_ON : STEP_CLOSE;
}

static enum step
refuse(struct visit *c)
{
	if (!c->io.kind->tls_at_once)
		conn_write(c->io.conn, str_of(c->io.kind->busy));
	return STEP_CLOSE; /* conn_free() sends it if it can */
}

static enum step
pass_door(struct visit *c, struct session_wait *wait)
{
	(void)wait;
	c->from = c->io.peer;
	c->counted = limit_enter(c->guest.service->limit, &c->from, clock_ms());
	if (!c->counted)
		return refuse(c);
	c->phase = PHASE_OPEN;
	if (c->io.kind->tls_at_once) {
		if (c->io.tls == NULL)
			return STEP_CLOSE;
		conn_start_tls(c->io.conn, c->io.tls);
		c->phase = PHASE_TLS;
	}
	return STEP_ON;
}

static enum step
shake_hands(struct visit *c, struct session_wait *wait)
{
	switch (conn_handshake(c->io.conn)) {
	case CONN_OK:
		c->phase = PHASE_OPEN;
		return STEP_ON;
	case CONN_QUIET:
	case CONN_FULL:
		wait->want = conn_want(c->io.conn);
		return STEP_PARK;
	case CONN_LONG:
	case CONN_CLOSED:
		break;
	}
	return STEP_CLOSE;
}

static enum step
open_session(struct visit *c, struct session_wait *wait)
{
	(void)wait;
	c->own = c->io.kind->open(&c->io, c->arg);
	c->phase = PHASE_RUN;
	c->guest.why = PARK_READY;
	return c->own == NULL ? refuse(c) : STEP_ON;
}

static enum step
run_session(struct visit *c, struct session_wait *wait)
{
	*wait = (struct session_wait){ .want = PARK_READ, .until_ms = UINT64_MAX };
	return c->io.kind->run(c->own, c->guest.why, wait) == SESSION_PARK ? STEP_PARK
									   : STEP_CLOSE;
}

static enum step
advance(struct visit *c, struct session_wait *wait)
{
	static enum step (*const phases[])(struct visit *, struct session_wait *) = {
		[PHASE_PROXY] = read_proxy,
		[PHASE_DOOR] = pass_door,
		[PHASE_TLS] = shake_hands,
		[PHASE_OPEN] = open_session,
		[PHASE_RUN] = run_session,
	};
	enum step step;

	do
		step = phases[c->phase](c, wait);
	while (step == STEP_ON);
	return step;
}

/* ---- between worker and park ---- */

static void
park_session(struct visit *c, const struct session_wait *wait)
{
	struct parked *p = &c->guest.parked;

	p->want = wait->want;
	p->until_ms = wait->until_ms;
	/* Nobody waits for a peer that it has not answered yet ... */
	if (conn_flush(c->io.conn) == CONN_FULL && wait->want != PARK_NOTHING &&
		c->phase == PHASE_RUN)
		p->want |= conn_want(c->io.conn);
	/* ... nor for bytes that came already, of which epoll knows nothing: it only
	 * lets others go first, and is back as soon as the peer could be answered. */
	if ((wait->want & PARK_READ) != 0 && conn_unread(c->io.conn))
		p->want |= PARK_WRITE;
	conn_rest(c->io.conn);
	park_enter(c->guest.service->park, p);
}

/* Before its own run began a session has promised nothing: the service itself
 * gives it up when it is late or when we drain. */
static bool
given_up(const struct visit *c)
{
	if (atomic_load(&c->guest.service->ending))
		return true;
	return c->phase != PHASE_RUN &&
	       (c->guest.why == PARK_LATE || c->guest.why == PARK_SHAKEN);
}

static void
on_turn(struct work *w)
{
	struct visit *c = (struct visit *)(void *)GUEST_OF(w);
	struct session_wait wait = { .want = PARK_READ, .until_ms = c->ready_by_ms };

	if (given_up(c) || advance(c, &wait) == STEP_CLOSE)
		end(c);
	else
		park_session(c, &wait);
}

/* ---- the beginning ---- */

static void
tell_busy(const struct session_kind *kind, int fd)
{
	if (!kind->tls_at_once)
		(void)send(
			fd, kind->busy, strlen(kind->busy), MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

static void
set_settings(struct visit *c)
{
	struct service *s = c->guest.service;
	LOCK_AUTO held = lock_take(&s->lock);

	c->io.conf = conf_keep(s->conf);
	c->io.tls = tls_keep(s->tls);
}

void
session_begin(struct service *s, const struct session_kind *kind, void *arg, int fd,
	const struct ip *peer)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);

	if (atomic_load(&s->draining) || !take_place(s)) {
		tell_busy(kind, fd);
		return;
	}
	struct visit *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->guest.service = c->io.service = s;
	c->guest.work.run = on_turn;
	c->guest.why = PARK_READY;
	c->guest.parked.fd = fd;
	c->io.kind = kind;
	c->arg = arg;
	c->head = BUF(PROXY2_MOST);
	set_settings(c);
	c->io.conn = conn_new(fd);
	c->io.peer = *peer;
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		ip_from_sockaddr((const struct sockaddr *)&sa, &c->io.local);
	c->ready_by_ms = clock_ms() + c->io.conf->tls.handshake_timeout;
	c->phase = ip_in_list(peer, c->io.conf->server.trusted_proxies) ? PHASE_PROXY
									: PHASE_DOOR;
	park_join(s->park, &c->guest.parked);
	c->io.number = c->guest.parked.number;
	if (!pool_give(s->pool, &c->guest.work))
		abort(); /* the queue has no limit; sessions have */
}
