/* SPDX-License-Identifier: ISC */
#include "web/web_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/ids.h"
#include "base/log.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "net/tls.h"
#include "test/test.h"
#include "web/web_guess.h"

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
	assert_int_equal(listen(fd, 4096), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static char own_ca[4096];

static struct tls *
make_tls(void)
{
	struct cert_pem ca, server;
	struct tls *tls;
	uint64_t now = clock_wall_ms();

	must(cert_make_ca(STR("mx.x.test"), now, &ca, &err));
	must(cert_make_server(&ca, STR("mx.x.test"), now, &server, &err));
	(void)snprintf(own_ca, sizeof(own_ca), "%s", ca.cert);
	struct tls_pair pair = { STR("mx"), str_of(server.cert), str_of(server.key) };
	must(tls_new(&pair, 1, false, 3600000, &tls, &err));
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
	return tls;
}

static void
open_house(struct world *w)
{
	struct web_house *h = &w->house;

	must(sentences_new(ui_texts, ui_ntexts, &w->sentences, &err));
	must(templates_new(ui_pages, ui_npages, w->sentences, &w->templates, &err));
	ids_random(w->key, sizeof(w->key));
	w->errands = pool_new("errand", 2, 100);
	h->refusals = w->parts.refusals;
	h->appeals =
		(struct appeal_house){ .release = { .data = w->parts.data,
					       .hostname = STR("mx.x.test"),
					       .directory = w->parts.directory,
					       .refusals = w->parts.refusals,
					       .private_key = w->parts.held_private },
			.own = w->own };
	h->sentences = w->sentences;
	h->templates = w->templates;
	h->token_key = w->key;
	h->errands = w->errands;
	h->guesses = web_guesses_new(GUESS_NETWORKS);
	h->data = w->parts.data;
	must(web_ca_read(str_of(own_ca), &h->ca, &err));
}

static void
open_parts(struct world *w)
{
	parts_make(&w->parts, test_folder(), 4);
	must(parts_open(&w->parts, &err));
	const struct own_want o = { .apply = { .data = w->parts.data,
					    .directory = w->parts.directory,
					    .store = w->parts.store,
					    .ledger = w->parts.ledger,
					    .refusals = w->parts.refusals,
					    .checkpoint_ms = 10 } };
	must(own_open(&o, &w->own, &err));
}

void
world_open(struct world *w, const char *settings)
{
	const struct session_kind *kinds[] = { &https_kind, &http_kind };
	void *args[] = { &w->house, &w->house };
	char text[1000];
	int fds[2];

	log_least(LOG_ERROR_);
	memset(w, 0, sizeof(*w));
	(void)snprintf(text, sizeof(text),
		"hostname = mx.x.test\nport_offset = 20000\nlink_host = mail.x.test\n"
		"[web]\n%s\n",
		settings);
	must(conf_parse(str_of(text), "test", &w->conf, &err));
	struct tls *tls = make_tls();
	must(service_new(w->conf, tls, 2, &w->service, &err));
	tls_drop(&tls);
	open_parts(w);
	open_house(w);
	w->ctx = SSL_CTX_new(TLS_client_method());
	fds[0] = listen_somewhere(&w->https);
	fds[1] = listen_somewhere(&w->http);
	service_listen(w->service, 2, fds, kinds, args);
}

void
world_close(struct world *w)
{
	assert_true(service_drain(w->service, clock_ms() + 20000));
	pool_free(&w->errands);
	service_free(&w->service);
	web_guesses_free(&w->house.guesses);
	templates_free(&w->templates);
	sentences_free(&w->sentences);
	own_close(&w->own);
	parts_clear(&w->parts);
	conf_drop(&w->conf);
	SSL_CTX_free(w->ctx);
	clock_set_wall(0);
}

struct msg_id
world_refuse(struct world *w)
{
	struct sent s = { .refused = 1, .body = 300, .findings = STR("GTUBE=1000.000") };

	must(parts_send(&w->parts, &s, &err));
	parts_apply(&w->parts);
	return s.id;
}

struct msg_id
world_enter(struct world *w, const char *from, const char *to, const char *findings)
{
	BUF_AUTO payload = BUF(JREC_MOST);
	struct jrec_rcpt rcpt = { .address = str_of(to),
		.answer = JREC_REFUSED,
		.code = 550,
		.enhanced = STR("5.7.1"),
		.has_token = true };
	struct jrec_message m = { .id = ids_message(clock_wall_ms()),
		.time_ms = clock_wall_ms(),
		.client = { .family = 4, .bytes = { 192, 0, 2, 7 } },
		.helo = STR("h.test"),
		.from = str_of(from),
		.size = 2000,
		.findings = str_of(findings),
		.nrcpts = 1,
		.rcpts = &rcpt };

	sha256(msg_id_str(&m.id), rcpt.token);
	jrec_put_message(&payload, &m);
	assert_true(buf_ok(&payload));
	struct journal_item item = {
		.seq = ++w->entered, .kind = JREC_MESSAGE, .payload = buf_str(&payload)
	};
	must(refusals_enter(w->parts.refusals, "other", &item, 1, &err));
	return m.id;
}

struct refusal
world_refusal(struct world *w, const char *token, struct arena *mem)
{
	struct refusal f;

	must(refusals_by_token(w->parts.refusals, str_of(token), mem, &f, &err));
	return f;
}

/* ---- the other side ---- */

static struct client
connect_to(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 30 };
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.in = BUF(1 << 22) };

	(void)setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(c.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return c;
}

struct client
client_https(struct world *w)
{
	struct client c = connect_to(w->https);

	c.ssl = SSL_new(w->ctx);
	assert_int_equal(SSL_set_fd(c.ssl, c.fd), 1);
	assert_int_equal(SSL_connect(c.ssl), 1);
	return c;
}

struct client
client_http(struct world *w)
{
	return connect_to(w->http);
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
	while (bytes.len > 0) {
		ssize_t n = c->ssl != NULL
				    ? SSL_write(c->ssl, bytes.ptr, (int)bytes.len)
				    : send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* what the server said tells */
		bytes = str_skip(bytes, (size_t)n);
	}
}

static bool
receive(struct client *c)
{
	char piece[16384];
	ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, piece, sizeof(piece))
				   : recv(c->fd, piece, sizeof(piece), 0);

	if (n > 0)
		buf_add(&c->in, (str){ piece, (size_t)n });
	return n > 0;
}

bool
client_ended(struct client *c)
{
	return c->at == c->in.len && !receive(c);
}

struct reply
client_reply(struct client *c, bool head)
{
	struct reply r = { 0 };
	uint64_t length = 0;
	size_t end;

	buf_drop(&c->in, c->at);
	c->at = 0;
	while ((end = str_find(buf_str(&c->in), STR("\r\n\r\n"))) == c->in.len)
		if (!receive(c))
			return r;
	r.head = str_first(buf_str(&c->in), end + 2);
	assert_true(str_starts(r.head, STR("HTTP/1.1 ")));
	r.status = (unsigned)strtoul(r.head.ptr + 9, NULL, 10);
	c->at = end + 4;
	if (r.status == 100 || r.status == 304 || head)
		return r;
	assert_true(str_u64(reply_field(&r, "Content-Length"), 1 << 22, &length));
	while (c->in.len - c->at < length)
		if (!receive(c))
			fail_msg("the answer is cut off");
	r.head = str_first(buf_str(&c->in), end + 2);
	r.body = str_first(str_skip(buf_str(&c->in), c->at), (size_t)length);
	c->at += (size_t)length;
	return r;
}

struct reply
client_ask(struct client *c, const char *request)
{
	BUF_AUTO b = BUF(1 << 20);

	for (const char *at = request; *at != '\0'; at++)
		if (*at == '~')
			buf_addz(&b, "\r\n");
		else
			buf_addc(&b, *at);
	client_send(c, buf_str(&b));
	return client_reply(c, strncmp(request, "HEAD ", 5) == 0);
}

str
reply_field(const struct reply *r, const char *name)
{
	str rest = r->head, line, found = STR("");
	size_t n = 0;

	while (rest.len > 0) {
		size_t end = str_find(rest, STR("\r\n"));

		line = str_first(rest, end);
		rest = str_skip(rest, end + 2);
		if (!str_istarts(line, str_of(name)) || line.ptr[strlen(name)] != ':')
			continue;
		found = str_trim(str_skip(line, strlen(name) + 1));
		n++;
	}
	assert_true(n <= 1);
	return found;
}

bool
reply_has(const struct reply *r, const char *text)
{
	return str_find(r->body, str_of(text)) < r->body.len;
}

/* ---- forms ---- */

static void
take(str from, const char *before, char end, char *out, size_t size)
{
	size_t at = str_find(from, str_of(before));
	str rest = str_skip(from, at + strlen(before)), value = STR("");

	out[0] = '\0';
	if (at < from.len && str_cut(&rest, end, &value))
		assert_true(str_z(value, out, size));
}

static void
read_form(const struct reply *r, struct form *f)
{
	take(reply_field(r, "Set-Cookie"), "__Host-gatepost=", ';', f->cookie,
		sizeof(f->cookie));
	take(r->body, "name=\"token\" value=\"", '"', f->token, sizeof(f->token));
	take(r->body, "name=\"stamp\" value=\"", '"', f->stamp, sizeof(f->stamp));
}

struct form
client_form(struct client *c, const char *path, const char *cookie)
{
	struct form f;
	char request[1000];

	(void)snprintf(request, sizeof(request),
		"GET %s HTTP/1.1~Host: mail.x.test:20443~Cookie: __Host-gatepost=%s~~",
		path, cookie);
	struct reply r = client_ask(c, request);
	assert_int_equal(r.status, 200);
	read_form(&r, &f);
	if (f.cookie[0] == '\0')
		(void)snprintf(f.cookie, sizeof(f.cookie), "%s", cookie);
	return f;
}

struct reply
client_post(struct client *c, const char *path, const struct form *f, const char *more)
{
	char body[9000], request[12000];

	(void)snprintf(
		body, sizeof(body), "token=%s&stamp=%s%s", f->token, f->stamp, more);
	(void)snprintf(request, sizeof(request),
		"POST %s HTTP/1.1~Host: mail.x.test:20443~Origin: null~"
		"Sec-Fetch-Site: same-origin~Cookie: __Host-gatepost=%s~"
		"Content-Type: application/x-www-form-urlencoded~Content-Length: %zu~~%s",
		path, f->cookie, strlen(body), body);
	return client_ask(c, request);
}

struct form
reply_form(const struct reply *r, const struct form *was)
{
	struct form f;

	read_form(r, &f);
	(void)snprintf(f.cookie, sizeof(f.cookie), "%s", was->cookie);
	return f;
}

bool
reply_waits(struct reply r)
{
	assert_int_equal(r.status, 200);
	return reply_has(&r, "name=\"second\"");
}

bool
client_second(struct client *c, const char *path, const struct form *f)
{
	return reply_waits(client_post(c, path, f, "&second=1&note=mine&contact=me"));
}

uint64_t
proof_of(const char *stamp, unsigned bits)
{
	for (uint64_t n = 0;; n++) {
		uint8_t digest[SHA256_BYTES];
		char text[200];
		unsigned zeros = 0;

		(void)snprintf(
			text, sizeof(text), "%s:%llu", stamp, (unsigned long long)n);
		sha256(str_of(text), digest);
		while (zeros < bits && (digest[zeros / 8] & (0x80u >> (zeros % 8))) == 0)
			zeros++;
		if (zeros == bits)
			return n;
	}
}
