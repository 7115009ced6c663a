/* SPDX-License-Identifier: ISC */
#include "filter/clamd_fake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include "test/test.h"

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
	char byte, control[CMSG_SPACE(sizeof(int))];
	static _Thread_local char text[256 * 1024];
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

static const struct {
	const char *mark, *name;
} names[] = {
	{ "EVIL", "fd[1]: Win.Test.Evil FOUND" },
	{ "JUNK", "fd[1]: Sanesecurity.Junk.1.UNOFFICIAL FOUND" },
	{ "ODD", "fd[1]: Heuristics.Odd FOUND" },
	{ "DULL", "fd[1]: Dull.1 FOUND" },
	{ "HANG", NULL },
};

/* NULL: nothing is to be said. */
static const char *
look(struct fake *f)
{
	LOCK_AUTO held = lock_take(&f->lock);
	const char *said = "fd[1]: OK";
	size_t first = f->seen.len;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t at = str_find(buf_str(&f->seen), str_of(names[i].mark));

		if (at < first) {
			first = at;
			said = names[i].name;
		}
	}
	return said;
}

static void
answer_by_content(struct fake *f, int fd)
{
	const char *said = look(f);

	if (said == NULL)
		hang(f, fd);
	else
		(void)send(fd, said, strlen(said) + 1, MSG_NOSIGNAL);
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
	if (f->play == PLAY_HANG ||
		(f->play == PLAY_STALL && strcmp(command, "zPING") != 0))
		hang(f, fd);
	else if (f->play == PLAY_ENDLESS)
		while (send(fd, noise, sizeof(noise), MSG_NOSIGNAL) > 0)
			;
	else if (strcmp(command, "zPING") == 0)
		(void)send(fd, "PONG", 5, MSG_NOSIGNAL);
	else if (f->play == PLAY_LOOK)
		answer_by_content(f, fd);
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

void
listen_local(struct fake *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)snprintf(f->socket, sizeof(f->socket), "%s/clamd", test_folder());
	assert_true(str_z(str_of(f->socket), un.sun_path, sizeof(un.sun_path)));
	f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&un, sizeof(un)), 0);
}

void
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

struct fake *
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

void
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

struct clamd *
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
