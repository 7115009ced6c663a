/* SPDX-License-Identifier: ISC */
#include "net/tls_ticket.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/thread.h"

struct tickets {
	pthread_mutex_t lock;
	uint64_t rotation_ms;
	struct ticket_key now, before; /* made_ms 0: none */
};

struct tickets *
tickets_new(uint64_t rotation_ms)
{
	struct tickets *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	(void)pthread_mutex_init(&t->lock, NULL);
	t->rotation_ms = rotation_ms;
	return t;
}

void
tickets_free(struct tickets **tp)
{
	if (*tp == NULL)
		return;
	(void)pthread_mutex_destroy(&(*tp)->lock);
	OPENSSL_cleanse(*tp, sizeof(**tp));
	free(*tp);
	*tp = NULL;
}

static void
rotate(struct tickets *t, uint64_t now_ms)
{
	if (t->before.made_ms != 0 && now_ms >= t->before.made_ms + 2 * t->rotation_ms)
		OPENSSL_cleanse(&t->before, sizeof(t->before));
	if (t->now.made_ms != 0 && now_ms < t->now.made_ms + t->rotation_ms)
		return;
	t->before = t->now;
	if (now_ms >= t->before.made_ms + 2 * t->rotation_ms)
		OPENSSL_cleanse(&t->before, sizeof(t->before));
	ids_random(t->now.name, sizeof(t->now.name));
	ids_random(t->now.cipher, sizeof(t->now.cipher));
	ids_random(t->now.mac, sizeof(t->now.mac));
	t->now.made_ms = now_ms == 0 ? 1 : now_ms;
}

void
tickets_seal(struct tickets *t, uint64_t now_ms, struct ticket_key *out)
{
	LOCK_AUTO held = lock_take(&t->lock);

	rotate(t, now_ms);
	*out = t->now;
}

bool
tickets_open(struct tickets *t, uint64_t now_ms, const unsigned char name[TICKET_NAME],
	struct ticket_key *out, bool *old)
{
	LOCK_AUTO held = lock_take(&t->lock);

	rotate(t, now_ms);
	*old = memcmp(t->now.name, name, TICKET_NAME) != 0;
	const struct ticket_key *k = *old ? &t->before : &t->now;
	if (k->made_ms == 0 || memcmp(k->name, name, TICKET_NAME) != 0)
		return false;
	*out = *k;
	return true;
}
