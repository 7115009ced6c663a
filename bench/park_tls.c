/* SPDX-License-Identifier: ISC */
/*
 * park_tls: many SMTP sessions inside TLS that say nothing more.
 *
 *	park_tls CONNECTIONS PORT
 *
 * Each connects to 127.0.0.1, EHLO, STARTTLS, handshake, EHLO.  When all are
 * there it prints "parked N in S s" and waits for the end of its input; then
 * every 100th session must answer NOOP, and it prints "answered N of M".
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OPENERS = 32, PATIENCE_S = 60, EVERY = 100 };

static SSL_CTX *context;
static SSL **sessions;
static unsigned wanted;
static in_port_t port;
static atomic_uint next_one, opened;

/* The last line of a reply begins with `code` and a space. */
static bool
is_last(const char *in, size_t n, const char *code)
{
	const char *line = in;

	if (n < 2 || in[n - 1] != '\n')
		return false;
	for (size_t i = 0; i + 1 < n; i++) {
		if (in[i] == '\n')
			line = in + i + 1;
	}
	return (size_t)(in + n - line) > 4 && memcmp(line, code, 3) == 0 &&
	       line[3] == ' ';
}

static bool
hear(int fd, SSL *ssl, const char *code)
{
	char in[4096];
	size_t n = 0;

	while (n < sizeof(in)) {
		int most = (int)(sizeof(in) - n);
		ssize_t k = ssl != NULL ? SSL_read(ssl, in + n, most)
					: recv(fd, in + n, (size_t)most, 0);
		if (k <= 0)
			return false;
		n += (size_t)k;
		if (is_last(in, n, code))
			return true;
	}
	return false;
}

static bool
say(int fd, SSL *ssl, const char *line, const char *code)
{
	size_t n = strlen(line);
	bool sent = ssl != NULL ? SSL_write(ssl, line, (int)n) == (int)n
				: send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n;

	return sent && hear(fd, ssl, code);
}

static SSL *
open_one(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	SSL *ssl;

	if (fd < 0)
		return NULL;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
		!hear(fd, NULL, "220") ||
		!say(fd, NULL, "EHLO park.sender.example\r\n", "250") ||
		!say(fd, NULL, "STARTTLS\r\n", "220")) {
		(void)close(fd);
		return NULL;
	}
	ssl = SSL_new(context);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1 ||
		!say(fd, ssl, "EHLO park.sender.example\r\n", "250")) {
		SSL_free(ssl);
		(void)close(fd);
		return NULL;
	}
	return ssl;
}

static void *
opener(void *arg)
{
	unsigned i;

	(void)arg;
	while ((i = atomic_fetch_add(&next_one, 1)) < wanted) {
		sessions[i] = open_one();
		if (sessions[i] != NULL)
			(void)atomic_fetch_add(&opened, 1);
	}
	return NULL;
}

static void
ask_some(void)
{
	unsigned asked = 0, answered = 0;

	for (unsigned i = 0; i < wanted; i += EVERY) {
		asked++;
		if (sessions[i] != NULL &&
			say(SSL_get_fd(sessions[i]), sessions[i], "NOOP\r\n", "250"))
			answered++;
	}
	(void)printf("answered %u of %u\n", answered, asked);
}

int
main(int argc, char **argv)
{
	pthread_t threads[OPENERS];
	struct rlimit files;
	time_t start = time(NULL);

	if (argc != 3) {
		(void)fprintf(stderr, "usage: park_tls CONNECTIONS PORT\n");
		return 2;
	}
	wanted = (unsigned)strtoul(argv[1], NULL, 10);
	port = (in_port_t)strtoul(argv[2], NULL, 10);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	context = SSL_CTX_new(TLS_client_method());
	sessions = calloc(wanted, sizeof(SSL *));
	if (context == NULL || sessions == NULL)
		return 1;
	(void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	for (int i = 0; i < OPENERS; i++) {
		if (pthread_create(&threads[i], NULL, opener, NULL) != 0)
			return 1;
	}
	for (int i = 0; i < OPENERS; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("parked %u in %ld s\n", opened, (long)(time(NULL) - start));
	(void)fflush(stdout);
	while (getchar() != EOF)
		continue;
	ask_some();
	return 0;
}
