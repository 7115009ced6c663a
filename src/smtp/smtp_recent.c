/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_recent.h"

#include <assert.h>

#include "base/map.h"
#include "base/thread.h"

struct row {
	uint8_t key[SMTP_RECENT_KEY];
	unsigned times;
	uint64_t last_ms;
	UT_hash_handle hh;
};

struct smtp_recent {
	pthread_mutex_t lock;
	unsigned most;
	uint64_t keep_ms;
	struct row *rows; /* in the order of their last time */
};

struct smtp_recent *
smtp_recent_new(unsigned most, uint64_t keep_ms)
{
	struct smtp_recent *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	(void)pthread_mutex_init(&r->lock, NULL);
	r->most = most;
	r->keep_ms = keep_ms;
	return r;
}

static void
remove_row(struct smtp_recent *r, struct row *row)
{
	HASH_DEL(r->rows, row);
	free(row);
}

void
smtp_recent_free(struct smtp_recent **rp)
{
	struct smtp_recent *r = *rp;

	if (r == NULL)
		return;
	while (r->rows != NULL)
		remove_row(r, r->rows);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
	*rp = NULL;
}

/* All bytes defined, because they are hashed. */
static void
whole_key(str key, uint8_t out[SMTP_RECENT_KEY])
{
	assert(key.len <= SMTP_RECENT_KEY);
	memset(out, 0, SMTP_RECENT_KEY);
	memcpy(out, key.ptr, key.len);
}

static struct row *
find(struct smtp_recent *r, const uint8_t key[SMTP_RECENT_KEY])
{
	struct row *row;

	HASH_FIND(hh, r->rows, key, SMTP_RECENT_KEY, row);
	return row;
}

/* NULL: none, or none any more. */
static struct row *
find_fresh(struct smtp_recent *r, const uint8_t key[SMTP_RECENT_KEY], uint64_t now_ms)
{
	struct row *row = find(r, key);

	if (row == NULL || now_ms - row->last_ms < r->keep_ms)
		return row;
	remove_row(r, row);
	return NULL;
}

unsigned
smtp_recent_note(struct smtp_recent *r, str key, uint64_t now_ms)
{
	uint8_t whole[SMTP_RECENT_KEY];
	LOCK_AUTO held = lock_take(&r->lock);

	(void)held;
	whole_key(key, whole);
	struct row *row = find_fresh(r, whole, now_ms);
	if (row != NULL) {
		HASH_DEL(r->rows, row); /* to the end */
	} else {
		if (HASH_COUNT(r->rows) >= r->most)
			remove_row(r, r->rows);
		row = calloc(1, sizeof(*row));
		if (row == NULL)
			abort();
		memcpy(row->key, whole, sizeof(row->key));
	}
	row->times++;
	row->last_ms = now_ms;
	HASH_ADD(hh, r->rows, key, sizeof(row->key), row);
	return row->times;
}

unsigned
smtp_recent_times(struct smtp_recent *r, str key, uint64_t now_ms)
{
	uint8_t whole[SMTP_RECENT_KEY];
	LOCK_AUTO held = lock_take(&r->lock);

	(void)held;
	whole_key(key, whole);
	struct row *row = find_fresh(r, whole, now_ms);
	return row == NULL ? 0 : row->times;
}

void
smtp_recent_forget(struct smtp_recent *r, str key)
{
	uint8_t whole[SMTP_RECENT_KEY];
	LOCK_AUTO held = lock_take(&r->lock);

	(void)held;
	whole_key(key, whole);
	struct row *row = find(r, whole);
	if (row != NULL)
		remove_row(r, row);
}

str
smtp_recent_client(const struct ip *client, uint8_t out[SMTP_RECENT_KEY])
{
	size_t n = client->family == 4 ? 4 : 8;

	memset(out, 0, SMTP_RECENT_KEY);
	out[0] = client->family;
	memcpy(out + 1, client->bytes, n);
	return (str){ (const char *)out, 1 + n };
}
