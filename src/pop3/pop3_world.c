/* SPDX-License-Identifier: ISC */
#include "pop3/pop3_world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "net/tls.h"
#include "test/test.h"

#define must(call)                                           \
	do {                                                 \
		struct err err = { 0 };                      \
		if ((call) != RC_OK)                         \
			fail_msg("%s: %s", #call, err.text); \
	} while (0)

static int
listen_somewhere(unsigned *port)
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

static struct tls *
make_tls(void)
{
	struct cert_pem ca, server;
	struct tls *tls;
	uint64_t now = clock_wall_ms();

	must(cert_make_ca(STR("mx.x.test"), now, &ca, &err));
	must(cert_make_server(&ca, STR("mx.x.test"), now, &server, &err));
	struct tls_pair pair = { STR("mx"), str_of(server.cert), str_of(server.key) };
	must(tls_new(&pair, 1, false, 3600000, &tls, &err));
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
	return tls;
}

static void
changed(void *arg)
{
	struct world *w = arg;

	if (w->house.logins != NULL)
		logins_forget(w->house.logins);
}

static void
shut_out(uint64_t account, void *arg)
{
	struct world *w = arg;

	if (w->house.logins != NULL)
		logins_shut_out(w->house.logins, account);
}

static void
add_people(struct world *w)
{
	struct account_new anna = { .address = STR("anna@x.test"),
		.password = STR("secret") };
	struct account_new berta = { .address = STR("berta@x.test"),
		.password = STR("secret") };

	must(domain_add(w->directory, STR("x.test"), &err));
	must(account_add(w->directory, &anna, &w->anna, &err));
	must(account_add(w->directory, &berta, &w->berta, &err));
}

void
world_open(struct world *w, const char *settings)
{
	const struct session_kind *kind = &pop3_kind;
	struct tls *tls = make_tls();
	void *arg = &w->house;
	char text[1000];

	log_least(LOG_ERROR_);
	memset(w, 0, sizeof(*w));
	(void)snprintf(text, sizeof(text), "hostname = mx.x.test\n%s\n",
		str_empty(str_of(settings)) ? "plain_loopback = yes" : settings);
	must(conf_parse(str_of(text), "test", &w->conf, &err));
	must(service_new(w->conf, tls, &w->service, &err));
	tls_drop(&tls);
	must(fs_open_dir(AT_FDCWD, test_folder(), &w->data, &err));
	must(fs_mkdirs(w->data, "incoming", 0770, &err));
	const struct directory_want d = { .data = w->data,
		.conf = w->conf,
		.changed = changed,
		.shut_out = shut_out,
		.arg = w };
	must(directory_open(&d, &w->directory, &err));
	const struct store_want s = { .data = w->data, .cache_bytes = 65536 };
	must(store_open(&s, &w->house.store, &err));
	add_people(w);
	w->house.logins = logins_new(w->directory, w->conf);
	w->house.hashes = pool_new("login", 2, 100);
	w->house.locks = pop3_locks_new();
	int fd = listen_somewhere(&w->port);
	service_listen(w->service, 1, &fd, &kind, &arg);
}

void
world_close(struct world *w)
{
	assert_true(service_drain(w->service, clock_ms() + 20000));
	pool_free(&w->house.hashes);
	service_free(&w->service);
	pop3_locks_free(&w->house.locks);
	logins_free(&w->house.logins);
	store_close(&w->house.store);
	directory_close(&w->directory);
	fs_close(&w->data);
	conf_drop(&w->conf);
}

void
world_deliver_many(struct world *w, uint64_t account, str file, size_t n)
{
	struct store_apply *list = calloc(n, sizeof(*list));
	uint8_t digest[32];

	assert_non_null(list);
	sha256(file, digest);
	for (size_t i = 0; i < n; i++) {
		struct store_delivery *d = &list[i].what;
		char path[64];
		FD_AUTO fd = -1;

		list[i].seq = ++w->delivered;
		*d = (struct store_delivery){ .account = account,
			.size = file.len,
			.id = ids_message(clock_wall_ms()),
			.received_ms = clock_wall_ms() };
		memcpy(d->digest, digest, sizeof(digest));
		(void)snprintf(path, sizeof(path), "incoming/%s", d->id.text);
		must(fs_open(w->data, path, O_WRONLY | O_CREAT, 0600, &fd, &err));
		must(fs_append(fd, file, &err));
	}
	must(store_deliver(w->house.store, "gate", list, n, w->delivered, &err));
	free(list);
}

void
world_deliver(struct world *w, uint64_t account, str file)
{
	world_deliver_many(w, account, file, 1);
}

static enum rc
take_flags(const struct store_message *m, void *arg, struct err *err)
{
	(void)err;
	*(unsigned *)arg = m->flags;
	return RC_OK;
}

unsigned
world_flags(struct world *w, uint64_t account, uint64_t uid)
{
	unsigned flags = ~0U;
	enum rc rc = store_messages(
		w->house.store, account, STR("INBOX"), uid, take_flags, &flags, NULL);

	assert_true(rc == RC_OK || rc == RC_NONE);
	return flags;
}

/* ---- the other side ---- */

struct client
client_open(struct world *w)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)w->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 20 };
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.in = BUF(1 << 26) };

	(void)setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(c.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	TALK(&c, "S: +OK Gatepost POP3");
	return c;
}

struct client
client_in(struct world *w, const char *user)
{
	struct client c = client_open(w);
	char line[200];

	(void)snprintf(line, sizeof(line), "C: USER %s@x.test", user);
	TALK(&c, line, "S~ +OK", "C: PASS secret", "S~ +OK ");
	return c;
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
client_close(struct client *c)
{
	SSL_free(c->ssl);
	(void)close(c->fd);
	buf_free(&c->in);
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

str
client_line(struct client *c)
{
	char piece[16384];

	for (;;) {
		str left = str_skip(buf_str(&c->in), c->at);
		size_t n = str_find(left, STR("\r\n"));

		if (n < left.len) {
			c->at += n + 2;
			return str_first(left, n);
		}
		buf_drop(&c->in, c->at);
		c->at = 0;
		ssize_t got = c->ssl != NULL ? SSL_read(c->ssl, piece, sizeof(piece))
					     : recv(c->fd, piece, sizeof(piece), 0);
		if (got <= 0)
			return STR("(the end)");
		buf_add(&c->in, (str){ piece, (size_t)got });
	}
}

void
client_talk(struct client *c, const char *const lines[])
{
	for (; *lines != NULL; lines++) {
		str line = str_of(*lines), text = str_skip(line, 3);
		BUF_AUTO b = BUF(1 << 20);

		if (line.ptr[0] == 'C') {
			buf_add(&b, text);
			buf_addz(&b, "\r\n");
			client_send(c, buf_str(&b));
			continue;
		}
		str got = client_line(c);
		if (line.ptr[1] == ':' ? !str_eq(got, text) : !str_starts(got, text))
			fail_msg("wanted \"%s\", got \"" STR_FMT "\"", *lines,
				STR_ARG(str_first(got, 1000)));
	}
}
