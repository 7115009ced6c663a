/* SPDX-License-Identifier: ISC */
#include "pop3/pop3_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "net/tls.h"
#include "test/test.h"

#define must(call)                                           \
	do {                                                 \
		struct err err = { 0 };                      \
		if ((call) != RC_OK)                         \
			fail_msg("%s: %s", #call, err.text); \
	} while (0)

void
world_open(struct world *w, const char *settings)
{
	const struct session_kind *kind = &pop3_kind;
	struct tls *tls = client_tls_of("mx.x.test");
	void *arg = &w->house;
	char text[1000];

	log_least(LOG_ERROR_);
	memset(w, 0, sizeof(*w));
	(void)snprintf(text, sizeof(text), "hostname = mx.x.test\n%s\n",
		str_empty(str_of(settings)) ? "plain_loopback = yes" : settings);
	must(conf_parse(str_of(text), "test", &w->conf, &err));
	must(service_new(w->conf, tls, 2, &w->service, &err));
	tls_drop(&tls);
	must(fs_open_dir(AT_FDCWD, test_folder(), &w->data, &err));
	must(fs_mkdirs(w->data, "incoming", 0770, &err));
	people_open(&w->people, w->data, w->conf);
	w->anna = w->people.anna;
	w->berta = w->people.berta;
	const struct store_want s = { .data = w->data, .cache_bytes = 65536 };
	must(store_open(&s, &w->house.store, &err));
	w->house.logins = w->people.logins;
	w->house.hashes = pool_new("login", 2, 100);
	w->house.locks = pop3_locks_new();
	int fd = client_listen(&w->port);
	service_listen(w->service, 1, &fd, &kind, &arg);
}

void
world_close(struct world *w)
{
	assert_true(service_drain(w->service, clock_ms() + 20000));
	pool_free(&w->house.hashes);
	service_free(&w->service);
	pop3_locks_free(&w->house.locks);
	store_close(&w->house.store);
	people_close(&w->people);
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
	struct client c = client_connect(w->port);

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
