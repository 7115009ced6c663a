/* SPDX-License-Identifier: ISC */
#include "imap/imap_world.h"

#include <fcntl.h>
#include <stdlib.h>

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
open_data(struct world *w)
{
	struct imap_house *h = &w->house;
	struct err err = { 0 };

	must(fs_open_dir(AT_FDCWD, test_folder(), &w->data, &err), &err);
	must(fs_mkdirs(w->data, "incoming", 0770, &err), &err);
	must(fs_open_dir(w->data, "incoming", &w->incoming, &err), &err);
	people_open(&w->people, w->data, w->conf);
	h->directory = w->people.directory;
	h->logins = w->people.logins;
	w->anna = w->people.anna;
	w->berta = w->people.berta;
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
	must(service_new(w->conf, NULL, 2, &w->service, &err), &err);
	open_scanner(w);
	open_data(w);
	w->house.hashes = w->pools[0] = pool_new("login", 2, 100);
	w->house.errands = w->pools[1] = pool_new("errand", 2, 100);
	int fd = client_listen(&w->port);
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
	refusals_close(&w->refusals);
	ledger_close(&w->ledger);
	store_close(&h->store);
	service_free(&s);
	people_close(&w->people);
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
	struct client c = client_connect(w->port);

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
