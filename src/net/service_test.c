/* SPDX-License-Identifier: ISC */
#include "net/service.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/net_fixture.h"
#include "net/tls.h"
#include "test/test.h"

/* ---- a session kind: each line comes back; some words do more ---- */

struct echo {
	struct session_io *io;
	atomic_int hands;
	bool greeted, waiting;
	uint64_t until_ms;
};

static struct {
	atomic_int opened, closed, shaken, late, woken;
	atomic_uint_least64_t number; /* of the session that said "wait" */
} seen;

static int opener; /* what `arg` has to be */

static void *
echo_open(struct session_io *io, void *arg)
{
	struct echo *e = calloc(1, sizeof(*e));

	if (e == NULL || arg != &opener)
		abort();
	e->io = io;
	e->until_ms = clock_ms() + 60000;
	atomic_fetch_add(&seen.opened, 1);
	return e;
}

static enum session_next
echo_line(struct echo *e, str line)
{
	struct conn *c = e->io->conn;
	char text[IP_TEXT];

	if (str_eq(line, STR("quit")))
		return SESSION_CLOSE;
	if (str_eq(line, STR("who"))) {
		ip_text(&e->io->peer, text);
		conn_write(c, str_of(text));
	} else if (str_eq(line, STR("host"))) {
		conn_write(c, e->io->conf->server.hostname);
	} else if (str_eq(line, STR("soon"))) {
		e->until_ms = clock_ms() + 1;
	} else if (str_eq(line, STR("wait"))) {
		e->waiting = true;
		return SESSION_PARK;
	} else {
		conn_write(c, line);
	}
	conn_write(c, STR("\r\n"));
	return SESSION_PARK;
}

static enum session_next
echo_lines(struct echo *e, struct session_wait *wait)
{
	str line;

	for (;;) {
		switch (conn_line(e->io->conn, 1000, &line)) {
		case CONN_OK:
			if (echo_line(e, line) == SESSION_CLOSE)
				return SESSION_CLOSE;
			if (!e->waiting)
				continue;
			wait->want = PARK_NOTHING;
			wait->until_ms = clock_ms() + 60000;
			atomic_store(&seen.number, e->io->number);
			return SESSION_PARK;
		case CONN_QUIET:
		case CONN_FULL:
			wait->want = conn_want(e->io->conn);
			wait->until_ms = e->until_ms;
			return SESSION_PARK;
		case CONN_LONG:
			continue;
		case CONN_CLOSED:
			return SESSION_CLOSE;
		}
	}
}

static enum session_next
echo_run(void *session, enum park_why why, struct session_wait *wait)
{
	struct echo *e = session;

	if (atomic_fetch_add(&e->hands, 1) != 0)
		abort();
	if (!e->greeted)
		conn_write(e->io->conn, STR("hello\r\n"));
	e->greeted = true;
	enum session_next next = SESSION_CLOSE;
	if (why == PARK_LATE) {
		atomic_fetch_add(&seen.late, 1);
		conn_write(e->io->conn, STR("late\r\n"));
	} else if (why == PARK_SHAKEN) {
		atomic_fetch_add(&seen.shaken, 1);
		conn_write(e->io->conn, STR("shutting down\r\n"));
	} else {
		if (why == PARK_WOKEN) {
			atomic_fetch_add(&seen.woken, 1);
			conn_write(e->io->conn, STR("woken\r\n"));
			e->waiting = false;
		}
		next = echo_lines(e, wait);
	}
	atomic_fetch_sub(&e->hands, 1);
	return next;
}

static void
echo_close(void *session)
{
	atomic_fetch_add(&seen.closed, 1);
	free(session);
}

static const struct session_kind echo = { "echo", "busy\r\n", false, echo_open, echo_run,
	echo_close };
static const struct session_kind echo_tls = { "echos", "busy\r\n", true, echo_open,
	echo_run, echo_close };

/* ---- the service and its clients ---- */

struct hall {
	struct service *service;
	uint16_t port;
};

static const struct conf *
settings(const char *text)
{
	const struct conf *c = NULL;
	struct err err = { 0 };

	if (conf_parse(str_of(text), "test", &c, &err) != RC_OK)
		fail_msg("%s", err.text);
	return c;
}

static int
listen_somewhere(uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static struct hall
hall(const char *text, struct tls *tls, const struct session_kind *kind)
{
	const struct conf *conf = settings(text);
	void *arg = &opener;
	struct hall h;

	memset(&seen, 0, sizeof(seen));
	int fd = listen_somewhere(&h.port);
	assert_int_equal(service_new(conf, tls, 2, &h.service, NULL), RC_OK);
	service_listen(h.service, 1, &fd, &kind, &arg);
	conf_drop(&conf);
	return h;
}

static void
leave(struct hall *h)
{
	service_free(&h->service);
	assert_null(h->service);
	assert_int_equal(seen.opened, seen.closed);
}

static int
visit_socket(int fd, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0 ? fd : -1;
}

static int
visit(const struct hall *h)
{
	int fd = visit_socket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), h->port);

	assert_true(fd >= 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool
hears(int fd, const char *want)
{
	char got[256];
	size_t n = 0, len = strlen(want);

	while (n < len) {
		ssize_t r = recv(fd, got + n, len - n, 0);

		if (r <= 0)
			return false;
		n += (size_t)r;
	}
	return memcmp(got, want, len) == 0;
}

#define PLAIN "hostname = one.example\n"

/* ---- */

enum { THREADS = 4, EACH = 60 };

static void *
crowd(void *arg)
{
	const struct hall *h = arg;
	int fds[EACH];
	bool good = true;

	for (int i = 0; i < EACH; i++)
		fds[i] = visit(h);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < EACH; i++)
			say(fds[i], "half a ");
		for (int i = 0; i < EACH; i++)
			say(fds[i], "line\r\nanother\r\n");
		for (int i = 0; i < EACH; i++) {
			good = good && (round > 0 || hears(fds[i], "hello\r\n"));
			good = good && hears(fds[i], "half a line\r\nanother\r\n");
		}
	}
	for (int i = 0; i < EACH; i++) {
		if (i % 3 == 0)
			say(fds[i], "quit\r\n");
		if (i % 3 == 1)
			say(fds[i], "stopped in the middle");
		(void)close(fds[i]);
	}
	return good ? arg : NULL;
}

TEST(hundreds_of_sessions_are_served_and_none_is_lost_or_doubled)
{
	struct hall h = hall(PLAIN "[limits]\nworkers = 4\n", NULL, &echo);
	pthread_t threads[THREADS];
	void *good;

	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start("crowd", crowd, &h);
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], &good);
		assert_non_null(good);
	}
	assert_true(service_drain(h.service, clock_ms() + 60000));
	assert_int_equal(seen.opened, THREADS * EACH);
	assert_int_equal(service_sessions(h.service), 0);
	leave(&h);
}

TEST(draining_tells_who_is_there_and_lets_nobody_in)
{
	struct hall h = hall(PLAIN, NULL, &echo);
	int a = visit(&h), b = visit(&h);

	assert_true(hears(a, "hello\r\n") && hears(b, "hello\r\n"));
	say(a, "half");
	assert_int_equal(service_sessions(h.service), 2);
	assert_true(service_drain(h.service, clock_ms() + 60000));
	assert_true(hears(a, "shutting down\r\n") && hears(b, "shutting down\r\n"));
	assert_int_equal(seen.shaken, 2);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(visit_socket(fd, h.port), -1);
	(void)close(fd);
	(void)close(a);
	(void)close(b);
	leave(&h);
}

TEST(a_silent_client_is_late_and_a_waiting_session_is_woken)
{
	struct hall h = hall(PLAIN, NULL, &echo);
	int a = visit(&h), b = visit(&h);

	say(a, "soon\r\n");
	assert_true(hears(a, "hello\r\n\r\nlate\r\n"));
	say(b, "wait\r\nafter\r\n");
	while (atomic_load(&seen.number) == 0) /* it is about to park, or did */
		sched_yield();
	service_wake(h.service, atomic_load(&seen.number));
	assert_true(hears(b, "hello\r\nwoken\r\nafter\r\n"));
	assert_int_equal(seen.woken, 1);
	assert_int_equal(seen.late, 1);
	(void)close(a);
	(void)close(b);
	leave(&h);
}

TEST(a_full_house_says_busy)
{
	struct hall h = hall(PLAIN "[limits]\nconnections = 10\n", NULL, &echo);
	int fds[10];

	for (int i = 0; i < 10; i++) {
		fds[i] = visit(&h);
		assert_true(hears(fds[i], "hello\r\n"));
	}
	int one_more = visit(&h);
	assert_true(hears(one_more, "busy\r\n"));
	(void)close(one_more);
	for (int i = 0; i < 10; i++)
		(void)close(fds[i]);
	leave(&h);
}

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define FROM(last) \
	SIG "\x21\x11\0\x0c\xc0\x00\x02" last "\xc6\x33\x64\x02\x9c\x40\x00\x19"
#define TRUSTING "trusted_proxies = 127.0.0.1\n" PLAIN "[limits]\nper_address = 2\n"

static int
visit_from(const struct hall *h, str header)
{
	int fd = visit(h);

	/* in two pieces, and a command with the second */
	assert_int_equal(send(fd, header.ptr, 10, MSG_NOSIGNAL), 10);
	header = str_skip(header, 10);
	assert_int_equal(send(fd, header.ptr, header.len, MSG_NOSIGNAL), header.len);
	return fd;
}

TEST(behind_a_proxy_its_clients_are_known_and_limited_each)
{
	struct hall h = hall(TRUSTING, NULL, &echo);
	int fds[5];

	fds[0] = visit_from(&h, STR(FROM("\x01") "who\r\n"));
	assert_true(hears(fds[0], "hello\r\n192.0.2.1\r\n"));
	fds[1] = visit_from(&h, STR(FROM("\x01")));
	assert_true(hears(fds[1], "hello\r\n"));
	fds[2] = visit_from(&h, STR(FROM("\x01")));
	assert_true(hears(fds[2], "busy\r\n"));
	fds[3] = visit_from(&h, STR(FROM("\x07")));
	assert_true(hears(fds[3], "hello\r\n"));
	fds[4] = visit(&h); /* a trusted proxy has to say for whom it speaks */
	say(fds[4], "EHLO not.a.header.but.long.enough\r\n");
	assert_false(hears(fds[4], "x"));
	for (int i = 0; i < 5; i++)
		(void)close(fds[i]);
	leave(&h);
}

TEST(nobody_else_is_believed_to_be_a_proxy)
{
	struct hall h = hall("trusted_proxies = 192.0.2.9\n" PLAIN, NULL, &echo);
	int fd = visit(&h);

	say(fd, "who\r\n");
	assert_true(hears(fd, "hello\r\n127.0.0.1\r\n"));
	(void)close(fd);
	leave(&h);
}

TEST(a_reload_is_for_those_who_come_after_it)
{
	struct hall h = hall(PLAIN, NULL, &echo);
	const struct conf *conf = settings("hostname = two.example\n");
	int a = visit(&h), b;

	assert_true(hears(a, "hello\r\n"));
	service_reload(h.service, conf, NULL);
	conf_drop(&conf);
	b = visit(&h);
	say(a, "host\r\n");
	say(b, "host\r\n");
	assert_true(hears(a, "one.example\r\n"));
	assert_true(hears(b, "hello\r\ntwo.example\r\n"));
	(void)close(a);
	(void)close(b);
	leave(&h);
}

TEST(new_listeners_replace_the_old_and_sessions_stay)
{
	struct hall h = hall(PLAIN, NULL, &echo);
	const struct session_kind *kind = &echo;
	void *arg = &opener;
	int a = visit(&h), b;

	assert_true(hears(a, "hello\r\n"));
	int fd = listen_somewhere(&h.port);
	service_listen(h.service, 1, &fd, &kind, &arg);
	b = visit(&h);
	assert_true(hears(b, "hello\r\n"));
	say(a, "still here\r\n");
	assert_true(hears(a, "still here\r\n"));
	(void)close(a);
	(void)close(b);
	leave(&h);
}

TEST(implicit_tls_also_behind_a_proxy_and_stalled_handshakes_hold_nothing_up)
{
	struct tls *tls = fixture_tls();
	struct hall h = hall(TRUSTING "workers = 1\n", tls, &echo_tls);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int stalled[5];
	char got[64];

	for (int i = 0; i < 5; i++) {
		static const char froms[5][2] = { "\x11", "\x12", "\x13", "\x14",
			"\x15" };
		char head[] = FROM("\x01") "\x16\x03\x01\x02\x00\x01";

		head[19] = froms[i][0];
		stalled[i] = visit_from(&h, (str){ head, sizeof(head) - 1 });
	}
	int fd = visit_from(&h, STR(FROM("\x21")));
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(SSL_write(ssl, "who\r\n", 5), 5);
	for (int n = 0, more; n < 19; n += more) {
		more = SSL_read(ssl, got + n, (int)sizeof(got) - n);
		assert_true(more > 0);
	}
	assert_memory_equal(got, "hello\r\n192.0.2.33\r\n", 19);
	assert_int_equal(seen.opened, 1);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	(void)close(fd);
	for (int i = 0; i < 5; i++)
		(void)close(stalled[i]);
	leave(&h);
	tls_drop(&tls);
}

TEST(without_descriptors_clients_wait_and_are_served_later)
{
	struct hall h = hall(PLAIN, NULL, &echo);
	struct rlimit was, low;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	low = was;
	low.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(visit_socket(fd, h.port), fd);
	assert_int_equal(poll(&p, 1, 50), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_true(hears(fd, "hello\r\n"));
	(void)close(fd);
	leave(&h);
}

/* ---- a session that takes one line a turn, so that others get theirs ---- */

static enum session_next
slow_run(void *session, enum park_why why, struct session_wait *wait)
{
	struct echo *e = session;
	str line;

	(void)why;
	switch (conn_line(e->io->conn, 1000, &line)) {
	case CONN_OK:
		conn_write(e->io->conn, line);
		conn_write(e->io->conn, STR("\r\n"));
		break;
	case CONN_QUIET:
	case CONN_FULL:
	case CONN_LONG:
		break;
	case CONN_CLOSED:
		return SESSION_CLOSE;
	}
	wait->want = PARK_READ;
	wait->until_ms = e->until_ms;
	return SESSION_PARK;
}

TEST(a_session_that_parks_with_lines_unread_is_brought_back)
{
	static const struct session_kind slow = { "slow", "busy\r\n", false, echo_open,
		slow_run, echo_close };
	struct hall h = hall(PLAIN, NULL, &slow);
	int fd = visit(&h);

	say(fd, "one\r\ntwo\r\nthree\r\nfo");
	assert_true(hears(fd, "one\r\ntwo\r\nthree\r\n"));
	say(fd, "ur\r\n");
	assert_true(hears(fd, "four\r\n"));
	(void)close(fd);
	leave(&h);
}
