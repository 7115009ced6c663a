/* SPDX-License-Identifier: ISC */
/* Against fakes: threads that play clamd, each with a script of answers. */
#include "filter/clamd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include "test/test.h"

enum { LONG_MS = 20 * 1000, SHORT_MS = 60 };

/* What the fake does with each connection after the command has come. */
enum play { PLAY_ANSWER, PLAY_HANG, PLAY_CLOSE, PLAY_ENDLESS, PLAY_EARLY };

struct fake {
	int listener, stop[2];
	pthread_t thread;
	_Atomic enum play play;
	str answer; /* with its NUL */
	_Atomic unsigned commands, pings;
	_Atomic int now, most; /* connections at the same time */
	pthread_mutex_t lock;
	struct buf seen; /* the bytes of the last message */
	pthread_t visits[256];
	size_t nvisits;
	char socket[128];
};

struct visit {
	struct fake *fake;
	int fd;
};

static bool
read_exact(int fd, void *out, size_t n)
{
	return recv(fd, out, n, MSG_WAITALL) == (ssize_t)n;
}

static void
read_command(int fd, char out[16])
{
	size_t n = 0;

	while (n < 15 && read_exact(fd, out + n, 1) && out[n] != '\0')
		n++;
	out[n] = '\0';
}

static void
read_stream(struct fake *f, int fd)
{
	LOCK_AUTO held = lock_take(&f->lock);
	static char chunk[1 << 20];
	uint32_t head;

	buf_clear(&f->seen);
	while (read_exact(fd, &head, sizeof(head)) && head != 0) {
		size_t n = ntohl(head);

		assert_true(n <= sizeof(chunk) && read_exact(fd, chunk, n));
		buf_add(&f->seen, (str){ chunk, n });
	}
}

static void
read_descriptor(struct fake *f, int fd)
{
	char byte, control[CMSG_SPACE(sizeof(int))], text[4096];
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	int file = -1;

	assert_int_equal(recvmsg(fd, &m, 0), 1);
	const struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	assert_non_null(head);
	if (head != NULL)
		memcpy(&file, CMSG_DATA(head), sizeof(file));
	ssize_t n = pread(file, text, sizeof(text), 0);
	assert_true(n >= 0);
	LOCK_AUTO held = lock_take(&f->lock);
	buf_clear(&f->seen);
	buf_add(&f->seen, (str){ text, (size_t)n });
	(void)close(file);
}

/* Until the test lets go or the client does. */
static void
hang(struct fake *f, int fd)
{
	struct pollfd p[2] = { { .fd = f->stop[0], .events = POLLIN },
		{ .fd = fd, .events = POLLRDHUP } };

	(void)poll(p, 2, LONG_MS);
}

static void
play(struct fake *f, int fd)
{
	static const char noise[512] = { [0 ... 511] = 'x' };
	char command[16];

	read_command(fd, command);
	if (strcmp(command, "zPING") == 0)
		f->pings++;
	else
		f->commands++;
	if (strcmp(command, "zINSTREAM") == 0 && f->play != PLAY_EARLY)
		read_stream(f, fd);
	if (strcmp(command, "zFILDES") == 0)
		read_descriptor(f, fd);
	if (f->play == PLAY_HANG)
		hang(f, fd);
	else if (f->play == PLAY_ENDLESS)
		while (send(fd, noise, sizeof(noise), MSG_NOSIGNAL) > 0)
			;
	else if (strcmp(command, "zPING") == 0)
		(void)send(fd, "PONG", 5, MSG_NOSIGNAL);
	else if (f->play != PLAY_CLOSE)
		(void)send(fd, f->answer.ptr, f->answer.len, MSG_NOSIGNAL);
}

static void *
visit(void *arg)
{
	struct visit v = *(struct visit *)arg;
	int now = ++v.fake->now;

	free(arg);
	for (int most = v.fake->most; now > most;)
		if (atomic_compare_exchange_weak(&v.fake->most, &most, now))
			break;
	play(v.fake, v.fd);
	v.fake->now--;
	(void)close(v.fd);
	return NULL;
}

static void *
serve(void *arg)
{
	struct fake *f = arg;

	for (;;) {
		struct pollfd p[2] = { { .fd = f->listener, .events = POLLIN },
			{ .fd = f->stop[0], .events = POLLIN } };

		(void)poll(p, 2, -1);
		if (p[1].revents != 0 || f->nvisits == 256)
			return NULL;
		struct visit *v = malloc(sizeof(*v));
		assert_non_null(v);
		*v = (struct visit){ f, accept(f->listener, NULL, NULL) };
		f->visits[f->nvisits++] = thread_start("visit", visit, v);
	}
}

static void
listen_local(struct fake *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)snprintf(f->socket, sizeof(f->socket), "%s/clamd", test_folder());
	assert_true(str_z(str_of(f->socket), un.sun_path, sizeof(un.sun_path)));
	f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&un, sizeof(un)), 0);
}

static void
listen_inet(struct fake *f)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);

	f->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(f->socket, sizeof(f->socket), "127.0.0.1:%u", ntohs(in.sin_port));
}

static struct fake *
fake_new(void (*bind_it)(struct fake *), enum play how, str answer)
{
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->play = how;
	f->answer = answer;
	f->seen = BUF(16 << 20);
	(void)pthread_mutex_init(&f->lock, NULL);
	bind_it(f);
	assert_int_equal(listen(f->listener, 64), 0);
	assert_int_equal(pipe(f->stop), 0);
	f->thread = thread_start("fake", serve, f);
	return f;
}

static void
fake_free(struct fake *f)
{
	assert_int_equal(write(f->stop[1], "", 1), 1);
	(void)pthread_join(f->thread, NULL);
	for (size_t i = 0; i < f->nvisits; i++)
		(void)pthread_join(f->visits[i], NULL);
	(void)close(f->listener);
	(void)close(f->stop[0]);
	(void)close(f->stop[1]);
	buf_free(&f->seen);
	free(f);
}

static struct clamd *
clamd_at(const char *socket, const char *more)
{
	char text[512];
	const struct conf *conf = NULL;
	struct err err = { 0 };
	int n = snprintf(text, sizeof(text),
		"hostname = mx.example.test\n[clamav]\nsocket = %s\n%s", socket, more);

	if (conf_parse((str){ text, (size_t)n }, "test", &conf, &err) != RC_OK)
		fail_msg("%s", err.text);
	struct clamd *c = clamd_new(conf);
	conf_drop(&conf);
	return c;
}

struct outcome {
	enum rc rc;
	char virus[CLAMD_NAME];
	struct err err;
};

static struct outcome
scan_for(struct clamd *c, str bytes, uint64_t wait_ms)
{
	FD_AUTO fd = memfd_create("message", 0);
	struct outcome o = { 0 };

	assert_int_equal(fs_pwrite(fd, bytes, 0, NULL), RC_OK);
	o.rc = clamd_scan(c, fd, bytes.len, clock_ms() + wait_ms, o.virus, &o.err);
	return o;
}

TEST(only_ok_is_clean_and_only_found_a_virus)
{
	static const struct {
		str answer;
		enum rc rc;
		const char *virus;
	} cases[] = {
		{ STR_INIT("stream: OK\0"), RC_OK, "" },
		{ STR_INIT("fd[9]: OK\0"), RC_OK, "" },
		{ STR_INIT("fd[9]: Eicar-Test-Signature FOUND\0"), RC_OK,
			"Eicar-Test-Signature" },
		{ STR_INIT("fd[9]: a \"b\" FOUND\0"), RC_OK, "a??b?" },
		{ STR_INIT("fd[9]: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0"),
			RC_PERM, "" },
		{ STR_INIT("INSTREAM size limit exceeded. ERROR\0"), RC_PERM, "" },
		{ STR_INIT("fd[9]: Can't open file or directory ERROR\0"), RC_TEMP, "" },
		{ STR_INIT("UNKNOWN COMMAND\0"), RC_TEMP, "" },
		{ STR_INIT("PONG\0"), RC_TEMP, "" },
		{ STR_INIT("garbage\0"), RC_TEMP, "" },
		{ STR_INIT("\0"), RC_TEMP, "" },
		{ STR_INIT("stream: OK"), RC_TEMP, "" },
		{ STR_INIT("stream: O"), RC_TEMP, "" },
		{ STR_INIT(""), RC_TEMP, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake *f = fake_new(
			i % 2 ? listen_inet : listen_local, PLAY_ANSWER, cases[i].answer);
		struct clamd *c = clamd_at(f->socket, "");
		struct outcome o = scan_for(c, STR("the message"), LONG_MS);

		assert_int_equal(o.rc, cases[i].rc);
		assert_string_equal(o.virus, cases[i].virus);
		assert_true(o.rc == RC_OK || o.err.text[0] != '\0');
		clamd_free(&c);
		fake_free(f);
	}
}

TEST(clamd_gets_every_byte_both_ways)
{
	static char big[200 * 1024];
	struct fake *local = fake_new(listen_local, PLAY_ANSWER, STR("fd[1]: OK\0"));
	struct fake *inet = fake_new(listen_inet, PLAY_ANSWER, STR("stream: OK\0"));
	struct clamd *a = clamd_at(local->socket, ""), *b = clamd_at(inet->socket, "");

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	assert_int_equal(scan_for(a, STR("the message"), LONG_MS).rc, RC_OK);
	assert_int_equal(scan_for(b, (str){ big, sizeof(big) }, LONG_MS).rc, RC_OK);
	assert_true(str_eq(buf_str(&local->seen), STR("the message")));
	assert_true(str_eq(buf_str(&inet->seen), (str){ big, sizeof(big) }));
	clamd_free(&a);
	clamd_free(&b);
	fake_free(local);
	fake_free(inet);
}

TEST(a_clamd_that_hangs_closes_or_babbles_means_later)
{
	static const enum play plays[] = { PLAY_HANG, PLAY_CLOSE, PLAY_ENDLESS };

	for (size_t i = 0; i < 6; i++) {
		struct fake *f = fake_new(
			i % 2 ? listen_inet : listen_local, plays[i / 2], STR(""));
		struct clamd *c = clamd_at(f->socket, "");
		uint64_t wait = plays[i / 2] == PLAY_HANG ? SHORT_MS : LONG_MS;

		assert_int_equal(scan_for(c, STR("the message"), wait).rc, RC_TEMP);
		clamd_free(&c);
		fake_free(f);
	}
}

TEST(clean_before_the_end_of_the_message_is_not_believed)
{
	static char big[8 << 20];
	struct fake *f = fake_new(listen_inet, PLAY_EARLY, STR("stream: OK\0"));
	struct clamd *c = clamd_at(f->socket, "");

	assert_int_equal(scan_for(c, (str){ big, sizeof(big) }, LONG_MS).rc, RC_TEMP);
	clamd_free(&c);
	fake_free(f);
}

TEST(no_clamd_means_later)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/none", test_folder());
	struct clamd *c = clamd_at(path, "");
	assert_int_equal(scan_for(c, STR("x"), LONG_MS).rc, RC_TEMP);
	clamd_free(&c);
}

TEST(what_clamd_would_not_scan_whole_is_refused_unasked)
{
	struct fake *f = fake_new(listen_local, PLAY_ANSWER, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "");
	struct clamd_limits file = { .file = 10 }, scan = { .scan = 10 },
			    stream = { .stream = 10 };

	clamd_set_limits(c, &file);
	assert_int_equal(scan_for(c, STR("0123456789"), LONG_MS).rc, RC_OK);
	assert_int_equal(scan_for(c, STR("0123456789a"), LONG_MS).rc, RC_PERM);
	clamd_set_limits(c, &scan);
	assert_int_equal(scan_for(c, STR("0123456789a"), LONG_MS).rc, RC_PERM);
	clamd_set_limits(c, &stream);
	assert_int_equal(scan_for(c, STR("0123456789a"), LONG_MS).rc, RC_OK);
	assert_int_equal(f->commands, 2);
	clamd_free(&c);
	fake_free(f);
}

TEST(a_clamd_that_is_down_costs_no_waiting_and_comes_back)
{
	struct fake *f = fake_new(listen_local, PLAY_HANG, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "breaker_misses = 2\nbreaker_probe = 1\n");

	for (int i = 0; i < 2; i++) {
		assert_false(clamd_is_down(c));
		assert_int_equal(scan_for(c, STR("x"), SHORT_MS).rc, RC_TEMP);
	}
	assert_true(clamd_is_down(c));
	unsigned asked = f->commands;
	uint64_t before = clock_ms();
	assert_int_equal(scan_for(c, STR("x"), LONG_MS).rc, RC_TEMP);
	assert_true(clock_ms() - before < 1000);
	assert_int_equal(f->commands, asked);
	f->play = PLAY_ANSWER;
	while (scan_for(c, STR("x"), LONG_MS).rc != RC_OK) {
		assert_true(clock_ms() - before < LONG_MS);
		(void)poll(NULL, 0, 20);
	}
	assert_false(clamd_is_down(c));
	assert_true(f->pings >= 1);
	clamd_free(&c);
	fake_free(f);
}

static void *
scan_some(void *arg)
{
	for (int i = 0; i < 10; i++)
		assert_int_equal(scan_for(arg, STR("x"), LONG_MS).rc, RC_OK);
	return NULL;
}

TEST(clamd_is_not_flooded_with_connections)
{
	struct fake *f = fake_new(listen_local, PLAY_ANSWER, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "connections = 2\n");
	pthread_t askers[6];

	for (size_t i = 0; i < 6; i++)
		askers[i] = thread_start("asker", scan_some, c);
	for (size_t i = 0; i < 6; i++)
		(void)pthread_join(askers[i], NULL);
	assert_int_equal(f->commands, 60);
	/* One may have answered and not yet left while the next one comes. */
	assert_true(f->most <= 4);
	clamd_free(&c);
	fake_free(f);
}

TEST(limits_are_read_from_clamds_settings)
{
	struct clamd_limits l;
	struct err err = { 0 };

	assert_int_equal(clamd_limits_read(STR(""), &l, NULL), RC_OK);
	assert_true(l.stream == 100 << 20 && l.file == 100 << 20 && l.scan == 400 << 20);
	assert_int_equal(
		clamd_limits_read(
			STR("# MaxFileSize 1\nUser x\nMaxFileSize 5M\r\n"
			    "MaxScanSize 0\nStreamMaxLength 10\nStreamMaxLength 20\n"),
			&l, NULL),
		RC_OK);
	assert_true(l.stream == 10 && l.file == 5 << 20 && l.scan == 0);
	assert_int_equal(
		clamd_limits_read(STR("\nMaxFileSize lots\n"), &l, &err), RC_BAD);
	assert_non_null(strstr(err.text, "line 2"));
}
