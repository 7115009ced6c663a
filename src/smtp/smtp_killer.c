/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_killer.h"

#include "base/map.h"
#include "base/thread.h"

enum { DIGEST = 32 };

struct row {
	uint8_t digest[DIGEST];
	unsigned times;
	uint64_t last_ms;
	UT_hash_handle hh;
};

struct smtp_killers {
	pthread_mutex_t lock;
	struct row *rows; /* in the order of their last loss */
};

struct smtp_killers *
smtp_killers_new(void)
{
	struct smtp_killers *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	(void)pthread_mutex_init(&k->lock, NULL);
	return k;
}

static void
remove_row(struct smtp_killers *k, struct row *r)
{
	HASH_DEL(k->rows, r);
	free(r);
}

void
smtp_killers_free(struct smtp_killers **kp)
{
	struct smtp_killers *k = *kp;

	if (k == NULL)
		return;
	while (k->rows != NULL)
		remove_row(k, k->rows);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
	*kp = NULL;
}

static struct row *
find(struct smtp_killers *k, const uint8_t digest[DIGEST], uint64_t now_ms)
{
	struct row *r;

	HASH_FIND(hh, k->rows, digest, DIGEST, r);
	if (r != NULL && now_ms - r->last_ms >= SMTP_KILLERS_MS) {
		remove_row(k, r);
		return NULL;
	}
	return r;
}

bool
smtp_killer_lost(struct smtp_killers *k, const uint8_t digest[DIGEST], uint64_t now_ms)
{
	LOCK_AUTO held = lock_take(&k->lock);
	struct row *r = find(k, digest, now_ms);

	(void)held;
	if (r != NULL) {
		HASH_DEL(k->rows, r); /* to the end */
	} else {
		if (HASH_COUNT(k->rows) >= SMTP_KILLERS_MOST)
			remove_row(k, k->rows);
		r = calloc(1, sizeof(*r));
		if (r == NULL)
			abort();
		memcpy(r->digest, digest, DIGEST);
	}
	r->times++;
	r->last_ms = now_ms;
	HASH_ADD(hh, k->rows, digest, DIGEST, r);
	return r->times >= SMTP_KILLERS_TIMES;
}

bool
smtp_killer_known(struct smtp_killers *k, const uint8_t digest[DIGEST], uint64_t now_ms)
{
	LOCK_AUTO held = lock_take(&k->lock);
	struct row *r = find(k, digest, now_ms);

	(void)held;
	return r != NULL && r->times >= SMTP_KILLERS_TIMES;
}

void
smtp_killer_well(struct smtp_killers *k, const uint8_t digest[DIGEST])
{
	LOCK_AUTO held = lock_take(&k->lock);
	struct row *r;

	(void)held;
	HASH_FIND(hh, k->rows, digest, DIGEST, r);
	if (r != NULL)
		remove_row(k, r);
}
