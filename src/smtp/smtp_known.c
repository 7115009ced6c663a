/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_known.h"

#include "base/map.h"
#include "base/thread.h"

struct row {
	struct ip client;
	uint64_t seen_ms;
	UT_hash_handle hh;
};

struct smtp_known {
	pthread_mutex_t lock;
	struct row *rows; /* in the order of their last message */
};

struct smtp_known *
smtp_known_new(void)
{
	struct smtp_known *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	(void)pthread_mutex_init(&k->lock, NULL);
	return k;
}

static void
remove_row(struct smtp_known *k, struct row *r)
{
	HASH_DEL(k->rows, r);
	free(r);
}

void
smtp_known_free(struct smtp_known **kp)
{
	struct smtp_known *k = *kp;

	if (k == NULL)
		return;
	while (k->rows != NULL)
		remove_row(k, k->rows);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
	*kp = NULL;
}

/* All bytes defined, because they are hashed. */
static struct ip
key_of(const struct ip *client)
{
	struct ip key;

	memset(&key, 0, sizeof(key));
	key.family = client->family;
	memcpy(key.bytes, client->bytes, client->family == 4 ? 4 : 8);
	return key;
}

static struct row *
find(struct smtp_known *k, const struct ip *key)
{
	struct row *r;

	HASH_FIND(hh, k->rows, key, sizeof(*key), r);
	return r;
}

void
smtp_known_add(struct smtp_known *k, const struct ip *client, uint64_t now_ms)
{
	struct ip key = key_of(client);
	LOCK_AUTO held = lock_take(&k->lock);
	struct row *r = find(k, &key);

	(void)held;
	if (r != NULL)
		remove_row(k, r);
	else if (HASH_COUNT(k->rows) >= SMTP_KNOWN_MOST)
		remove_row(k, k->rows);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	memcpy(&r->client, &key, sizeof(key));
	r->seen_ms = now_ms;
	HASH_ADD(hh, k->rows, client, sizeof(r->client), r);
}

bool
smtp_known_has(struct smtp_known *k, const struct ip *client, uint64_t now_ms)
{
	struct ip key = key_of(client);
	LOCK_AUTO held = lock_take(&k->lock);
	struct row *r = find(k, &key);

	(void)held;
	return r != NULL && now_ms - r->seen_ms < SMTP_KNOWN_MS;
}
