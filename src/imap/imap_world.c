/* SPDX-License-Identifier: ISC */
#include "imap/imap_world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "ledger/ledger.h"
#include "net/chan.h"
#include "test/test.h"

enum { TRACE = TRACE_BLOCK };

static void
must(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

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

static void *
scan(void *arg)
{
	scan_serve(*(int *)arg, UINT64_MAX);
	return NULL;
}

static void
lost(unsigned slot, void *arg)
{
	(void)slot;
	(void)arg;
}

static void
open_scanner(struct world *w)
{
	struct err err = { 0 };
	int ends[2];

	must(chan_pair(ends, &err), &err);
	scan_prepare();
	w->house.scanners = scanners_new(1, lost, NULL);
	w->scanner_end = ends[0];
	w->scanner = thread_start("scanner", scan, &w->scanner_end);
	scanners_channel(w->house.scanners, 0, ends[1]);
}

static void
wake(uint64_t number, void *arg)
{
	struct world *w = arg;

	service_wake(w->service, number);
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
open_data(struct world *w)
{
	struct imap_house *h = &w->house;
	struct err err = { 0 };

	must(fs_open_dir(AT_FDCWD, test_folder(), &w->data, &err), &err);
	must(fs_mkdirs(w->data, "incoming", 0770, &err), &err);
	must(fs_open_dir(w->data, "incoming", &w->incoming, &err), &err);
	const struct directory_want d = { .data = w->data,
		.conf = w->conf,
		.changed = changed,
		.shut_out = shut_out,
		.arg = w };
	must(directory_open(&d, &h->directory, &err), &err);
	const struct store_want s = {
		.data = w->data, .cache_bytes = 65536, .wake = wake, .arg = w
	};
	must(store_open(&s, &h->store, &err), &err);
	must(ledger_open(&(struct ledger_want){ .data = w->data }, &w->ledger, &err),
		&err);
	must(refusals_open(
		     &(struct refusals_want){ .data = w->data }, &w->refusals, &err),
		&err);
	const struct own_want o = { .apply = { .data = w->data,
					    .directory = h->directory,
					    .store = h->store,
					    .ledger = w->ledger,
					    .refusals = w->refusals,
					    .checkpoint_ms = 5000 },
		.thread = true };
	must(own_open(&o, &h->own, &err), &err);
}

static void
add_people(struct world *w)
{
	struct account_new anna = { .address = STR("anna@x.test"),
		.password = STR("secret") },
			   berta = { .address = STR("berta@x.test"),
				   .password = STR("secret") };
	struct directory *d = w->house.directory;
	struct err err = { 0 };

	must(domain_add(d, STR("x.test"), &err), &err);
	must(account_add(d, &anna, &w->anna, &err), &err);
	must(account_add(d, &berta, &w->berta, &err), &err);
}

void
world_open(struct world *w, const char *settings)
{
	const struct session_kind *kind = &imap_kind;
	struct err err = { 0 };
	char text[1000];
	void *arg = &w->house;

	log_least(LOG_ERROR_);
	memset(w, 0, sizeof(*w));
	(void)snprintf(text, sizeof(text),
		"hostname = mx.x.test\nport_offset = 20000\nplain_loopback = yes\n%s\n",
		settings);
	must(conf_parse(str_of(text), "test", &w->conf, &err), &err);
	must(service_new(w->conf, NULL, &w->service, &err), &err);
	open_scanner(w);
	open_data(w);
	add_people(w);
	w->house.logins = logins_new(w->house.directory, w->conf);
	w->house.hashes = w->pools[0] = pool_new("login", 2, 100);
	w->house.errands = w->pools[1] = pool_new("errand", 2, 100);
	int fd = listen_somewhere(&w->port);
	service_listen(w->service, 1, &fd, &kind, &arg);
}

void
world_close(struct world *w)
{
	struct imap_house *h = &w->house;

	scanners_stop(h->scanners);
	assert_true(service_drain(w->service, clock_ms() + 20000));
	pool_free(&w->pools[0]);
	pool_free(&w->pools[1]);
	own_close(&h->own);
	struct service *s = w->service;
	logins_free(&h->logins);
	refusals_close(&w->refusals);
	ledger_close(&w->ledger);
	store_close(&h->store);
	service_free(&s);
	directory_close(&h->directory);
	scanners_free(&h->scanners);
	(void)pthread_join(w->scanner, NULL);
	fs_close(&w->incoming);
	fs_close(&w->data);
	conf_drop(&w->conf);
}

static void
trace_block(char out[TRACE])
{
	static const char head[] = "Return-Path: <x@y.test>\r\n"
				   "Received: from y.test by mx.x.test\r\n"
				   "X-Gatepost-Pad: ";

	memset(out, '.', TRACE);
	memcpy(out, head, sizeof(head) - 1);
	out[TRACE - 2] = '\r';
	out[TRACE - 1] = '\n';
}

static void
scan_it(struct world *w, int fd, uint64_t size, struct arena *mem, struct scanned *out)
{
	const struct scan_job job = { .fd = fd,
		.size = size,
		.offset = TRACE,
		.hostname = STR("mx.x.test"),
		.most_ms = 20000,
		.most_unpacked = 1 << 28 };
	struct err err = { 0 };

	must(scan_ask(w->house.scanners, &job, clock_ms() + 20000, mem, out, &err), &err);
}

void
world_deliver(struct world *w, uint64_t account, str message)
{
	ARENA_AUTO mem = arena_new(1 << 22);
	struct store_apply a = { .seq = ++w->delivered,
		.what = { .account = account,
			.size = TRACE + message.len,
			.received_ms = clock_wall_ms(),
			.trace_bytes = TRACE } };
	struct scanned scanned = { 0 };
	struct fs_spool file;
	struct err err = { 0 };
	char block[TRACE];

	trace_block(block);
	a.what.id = ids_message(clock_wall_ms());
	must(fs_spool_open(w->incoming, 0660, &file, &err), &err);
	must(fs_pwrite(file.fd, (str){ block, TRACE }, 0, &err), &err);
	must(fs_pwrite(file.fd, message, TRACE, &err), &err);
	sha256(message, a.what.digest);
	scan_it(w, file.fd, a.what.size, mem, &scanned);
	a.what.facts = scanned.packed;
	must(fs_spool_publish(w->incoming, &file, a.what.id.text, &err), &err);
	fs_spool_drop(w->incoming, &file);
	must(store_deliver(w->house.store, "gate", &a, 1, a.seq, &err), &err);
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
	TALK(&c, "S~ * OK [CAPABILITY IMAP4rev1 IMAP4rev2 ");
	return c;
}

struct client
client_in(struct world *w, const char *user)
{
	struct client c = client_open(w);
	char line[200];

	(void)snprintf(line, sizeof(line), "C: in LOGIN %s@x.test secret", user);
	TALK(&c, line, "S~ in OK [CAPABILITY ");
	return c;
}

void
client_close(struct client *c)
{
	(void)close(c->fd);
	buf_free(&c->in);
}

void
client_send(struct client *c, str bytes)
{
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
		if (c->at > 0) {
			buf_drop(&c->in, c->at);
			c->at = 0;
		}
		ssize_t got = recv(c->fd, piece, sizeof(piece), 0);
		if (got <= 0)
			return STR("(the end)");
		buf_add(&c->in, (str){ piece, (size_t)got });
	}
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
