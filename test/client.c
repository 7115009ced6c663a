/* SPDX-License-Identifier: ISC */
#include "test/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/cert.h"
#include "net/tls.h"
#include "test/test.h"

int
client_listen(unsigned *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

struct tls *
client_tls_of(const char *name)
{
	struct cert_pem ca, server;
	struct tls *tls;
	uint64_t now = clock_wall_ms();

	assert_int_equal(cert_make_ca(str_of(name), now, &ca, NULL), RC_OK);
	assert_int_equal(cert_make_server(&ca, str_of(name), now, &server, NULL), RC_OK);
	struct tls_pair pair = { STR("mx"), str_of(server.cert), str_of(server.key) };
	assert_int_equal(tls_new(&pair, 1, false, 3600000, &tls, NULL), RC_OK);
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
	return tls;
}

struct client
client_connect(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 20 };
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.in = BUF(1 << 26) };

	(void)setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(c.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return c;
}

void
client_close(struct client *c)
{
	SSL_free(c->ssl);
	(void)close(c->fd);
	buf_free(&c->in);
}

void
client_tls(struct client *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
	assert_int_equal(SSL_connect(c->ssl), 1);
	buf_clear(&c->in);
	c->at = 0;
}

void
client_send(struct client *c, str bytes)
{
	if (c->ssl != NULL) {
		assert_int_equal(SSL_write(c->ssl, bytes.ptr, (int)bytes.len), bytes.len);
		return;
	}
	while (bytes.len > 0) {
		ssize_t n = send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		assert_true(n > 0);
		bytes = str_skip(bytes, (size_t)n);
	}
}

void
client_secret(
	struct client *c, const char *before, const struct secret *s, const char *after)
{
	char line[400];
	size_t n = strlen(before), m = strlen(after);

	assert_true(n + s->len + m <= sizeof(line));
	memcpy(line, before, n);
	secret_show(s, line + n);
	memcpy(line + n + s->len, after, m);
	client_send(c, (str){ line, n + s->len + m });
	secret_wiped(line, sizeof(line));
}

bool
client_more(struct client *c)
{
	char piece[16384];

	if (c->at > 0) {
		buf_drop(&c->in, c->at);
		c->at = 0;
	}
	ssize_t got = c->ssl != NULL ? SSL_read(c->ssl, piece, sizeof(piece))
				     : recv(c->fd, piece, sizeof(piece), 0);
	if (got <= 0)
		return false;
	buf_add(&c->in, (str){ piece, (size_t)got });
	return true;
}

str
client_line(struct client *c)
{
	do {
		str left = str_skip(buf_str(&c->in), c->at);
		size_t n = str_find(left, STR("\r\n"));

		if (n < left.len) {
			c->at += n + 2;
			return str_first(left, n);
		}
	} while (client_more(c));
	return STR("(the end)");
}

static void
expect(struct client *c, char how, str text, const char *wanted)
{
	str got;

	do {
		got = client_line(c);
		if (how == ':' ? str_eq(got, text) : str_starts(got, text))
			return;
	} while (how == '*' && !str_eq(got, STR("(the end)")));
	fail_msg("wanted \"%s\", got \"" STR_FMT "\"", wanted,
		STR_ARG(str_first(got, 2000)));
}

void
client_talk(struct client *c, const char *const lines[])
{
	for (; *lines != NULL; lines++) {
		str line = str_of(*lines), text = str_skip(line, 3);

		if (line.ptr[0] == 'S') {
			expect(c, line.ptr[1], text, *lines);
			continue;
		}
		BUF_AUTO b = BUF(1 << 20);
		buf_add(&b, text);
		if (line.ptr[1] == ':')
			buf_addz(&b, "\r\n");
		client_send(c, buf_str(&b));
	}
}
