/* SPDX-License-Identifier: ISC */
#include "net/errand.h"

#include <netinet/in.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "test/test.h"

/* ---- a session that has its lines turned around by an errand ---- */

struct asker {
	struct session_io *io;
	struct errand errand;
	char text[32];
	size_t len;
};

static struct {
	struct pool *pool;
	sem_t begun, go; /* "slow" waits in the errand */
	atomic_int opened, closed, ended;
} hall;

static void *
asker_open(struct session_io *io, void *arg)
{
	struct asker *a = calloc(1, sizeof(*a));

	(void)arg;
	if (a == NULL)
		abort();
	a->io = io;
	atomic_fetch_add(&hall.opened, 1);
	return a;
}

static void
turn_around(void *arg)
{
	struct asker *a = arg;

	if (a->len == 4 && memcmp(a->text, "slow", 4) == 0) {
		(void)sem_post(&hall.begun);
		(void)sem_wait(&hall.go);
	}
	for (size_t i = 0; i < a->len / 2; i++) {
		char c = a->text[i];

		a->text[i] = a->text[a->len - 1 - i];
		a->text[a->len - 1 - i] = c;
	}
	atomic_fetch_add(&hall.ended, 1);
}

static enum session_next
asker_run(void *session, enum park_why why, struct session_wait *wait)
{
	struct asker *a = session;
	str line;

	for (;;) {
		wait->until_ms = clock_ms() + 60000;
		wait->want = PARK_READ;
		if (errand_done(&a->errand)) {
			conn_write(a->io->conn, (str){ a->text, a->len });
			conn_write(a->io->conn, STR("\r\n"));
		}
		if (errand_busy(&a->errand)) {
			if (why == PARK_SHAKEN || conn_hung_up(a->io->conn))
				return SESSION_CLOSE;
			wait->want = conn_spoke(a->io->conn) ? PARK_NOTHING : PARK_READ;
			return SESSION_PARK;
		}
		switch (conn_line(a->io->conn, sizeof(a->text), &line)) {
		case CONN_OK:
			break;
		case CONN_QUIET:
		case CONN_FULL:
			wait->want = conn_want(a->io->conn);
			return why == PARK_SHAKEN ? SESSION_CLOSE : SESSION_PARK;
		case CONN_LONG:
		case CONN_CLOSED:
			return SESSION_CLOSE;
		}
		memcpy(a->text, line.ptr, line.len);
		a->len = line.len;
		if (!errand_start(&a->errand, hall.pool, a->io, turn_around, a))
			conn_write(a->io->conn, STR("not now\r\n"));
	}
}

static void
asker_close(void *session)
{
	struct asker *a = session;

	errand_wait(&a->errand);
	if (errand_busy(&a->errand))
		abort();
	atomic_fetch_add(&hall.closed, 1);
	free(a);
}

static const struct session_kind asker = { "asker", "busy\r\n", false, asker_open,
	asker_run, asker_close };

static uint16_t
begin(struct service **s, unsigned threads, size_t most)
{
	const struct session_kind *kind = &asker;
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	const struct conf *conf = NULL;
	void *arg = NULL;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(&hall, 0, sizeof(hall));
	(void)sem_init(&hall.begun, 0, 0);
	(void)sem_init(&hall.go, 0, 0);
	hall.pool = pool_new("errands", threads, most);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(fd, 100), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(
		conf_parse(STR("hostname = one.example\n"), "test", &conf, NULL), RC_OK);
	assert_int_equal(service_new(conf, NULL, 2, s, NULL), RC_OK);
	service_listen(*s, 1, &fd, &kind, &arg);
	conf_drop(&conf);
	return in.sin_port;
}

static void
finish(struct service **s)
{
	service_free(s);
	pool_free(&hall.pool);
	assert_int_equal(hall.opened, hall.closed);
	(void)sem_destroy(&hall.begun);
	(void)sem_destroy(&hall.go);
}

static int
visit(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
hears(int fd, const char *want)
{
	char got[256] = "";
	size_t n = 0, len = strlen(want);

	while (n < len) {
		ssize_t r = recv(fd, got + n, len - n, 0);

		if (r <= 0)
			fail_msg("the connection ended instead of \"%s\"", want);
		n += (size_t)r;
	}
	assert_memory_equal(got, want, len);
}

TEST(what_an_errand_found_is_told_to_who_sent_it)
{
	struct service *s;
	uint16_t port = begin(&s, 2, 100);
	int fds[20];

	for (int i = 0; i < 20; i++)
		fds[i] = visit(port);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 20; i++)
			say(fds[i], "abc\r\nxy\r\n");
		for (int i = 0; i < 20; i++)
			hears(fds[i], "cba\r\nyx\r\n");
	}
	for (int i = 0; i < 20; i++)
		(void)close(fds[i]);
	finish(&s);
	assert_int_equal(hall.ended, 20 * 20 * 2);
}

TEST(when_all_are_out_the_next_is_told_so_at_once)
{
	struct service *s;
	uint16_t port = begin(&s, 1, 1);
	int a = visit(port), b = visit(port), c = visit(port);

	say(a, "slow\r\n");
	(void)sem_wait(&hall.begun);
	say(b, "slow\r\n");
	while (pool_waiting(hall.pool) == 0)
		sched_yield();
	say(c, "no\r\n");
	hears(c, "not now\r\n");
	(void)sem_post(&hall.go);
	(void)sem_post(&hall.go);
	hears(a, "wols\r\n");
	hears(b, "wols\r\n");
	say(c, "no\r\n");
	hears(c, "on\r\n");
	(void)close(a);
	(void)close(b);
	(void)close(c);
	finish(&s);
}

TEST(who_hangs_up_is_kept_until_the_errand_is_back)
{
	struct service *s;
	uint16_t port = begin(&s, 1, 10);
	int a = visit(port);

	say(a, "slow\r\n");
	(void)sem_wait(&hall.begun);
	(void)close(a);
	assert_int_equal(hall.closed, 0);
	(void)sem_post(&hall.go);
	finish(&s);
	assert_int_equal(hall.ended, 1);
}
