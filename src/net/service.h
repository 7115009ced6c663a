/* SPDX-License-Identifier: ISC */
/*
 * service: listeners, sessions, their park and the pool that runs them.
 *
 * A session kind gives functions; the service gives it a thread whenever it
 * has something to do.  A session has one owner at any time and needs no lock.
 *
 *	open	a new connection was accepted and let in: make the session.
 *	run	go on.  `why` tells what brought it: READY (also the first time),
 *		LATE (its deadline passed), WOKEN, SHAKEN (the service drains).
 *		Consume what is there; when the peer owes something, fill in
 *		*wait and return SESSION_PARK.
 *	close	the end: free it.  The connection is freed by the service.
 * What sessions have in common beyond that is in net/session.h.
 *
 * wait->want is PARK_READ/PARK_WRITE (conn_want() knows), or PARK_NOTHING for
 * a session that waits for service_wake() only: it must have a deadline too.
 * What a session wrote is sent before it parks.  One that parks for reading
 * while bytes are still unread (it only lets others go first) comes back as
 * soon as it is its turn again, so a session need not meet CONN_QUIET.  READY
 * may come without anything to read: ask the connection.
 *
 * Limits at the door (connections in all, per address, per minute) are asked
 * before `open`; who is refused gets `busy` written, best effort, and is closed.
 * With PROXY v2 the header is read before `open`, with the handshake deadline:
 * required from server.trusted_proxies, never looked for from anybody else.  Who
 * is late there, or still there when the service drains, is closed silently.
 */
#pragma once

#include "base/ip.h"
#include "conf/conf.h"
#include "net/conn.h"
#include "net/park.h"

struct service;
struct session_io;

enum session_next { SESSION_PARK, SESSION_CLOSE };

struct session_wait {
	unsigned want;
	uint64_t until_ms;
};

struct session_kind {
	const char *name;	/* "smtp" */
	const char *busy;	/* "421 4.7.0 too many connections\r\n" */
	bool tls_at_once;	/* implicit TLS ports: handshake before run */
	void *(*open)(struct session_io *io, void *arg);
	enum session_next (*run)(void *session, enum park_why why, struct session_wait *wait);
	void (*close)(void *session);
};

struct session_io {
	struct conn *conn;
	struct ip peer, local;	/* after PROXY v2, as the proxy says */
	uint64_t number;	/* for service_wake */
	const struct session_kind *kind;
	struct service *service;
	const struct conf *conf;	/* as it was when the session began; counted */
	struct tls *tls;		/* likewise; for STARTTLS */
};

/* per_core: threads for each core, unless [limits] workers says how many in all. */
enum rc service_new(const struct conf *conf, struct tls *tls, unsigned per_core,
	struct service **out, struct err *err) MUST_CHECK;
/* Sessions that begin from now on get these; keeps its own references. */
void service_reload(struct service *s, const struct conf *conf, struct tls *tls);
/* Other limits of an address than [limits]; after service_new() and each service_reload(). */
void service_per_address(struct service *s, uint64_t at_once, uint64_t per_minute);
/* Replaces all listeners: fds[i] (bound and listening, owned from now on)
 * brings sessions of kinds[i] with args[i]. */
void service_listen(struct service *s, size_t n, const int fds[],
	const struct session_kind *const kinds[], void *const args[]);
void service_wake(struct service *s, uint64_t number);	/* any thread */
size_t service_sessions(struct service *s);
/* Stops listening and shakes every session; true when all were gone in time. */
bool service_drain(struct service *s, uint64_t until_ms);
void service_free(struct service **sp);
