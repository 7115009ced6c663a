/* SPDX-License-Identifier: ISC */
#include "imap/imap_decoded.h"

#include <assert.h>

#include "base/map.h"
#include "base/thread.h"

struct share {
	UT_hash_handle hh;
	uint64_t account, bytes;
};

static struct {
	pthread_mutex_t lock;
	uint64_t all;
	struct share *shares;
} decoded = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct share *
share_of(uint64_t account)
{
	struct share *h;

	HASH_FIND(hh, decoded.shares, &account, sizeof(account), h);
	return h;
}

static struct share *
share_new(uint64_t account)
{
	struct share *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	h->account = account;
	HASH_ADD(hh, decoded.shares, account, sizeof(h->account), h);
	return h;
}

bool
decoded_take(uint64_t account, uint64_t bytes, uint64_t most)
{
	LOCK_AUTO held = lock_take(&decoded.lock);
	struct share *h = share_of(account);
	uint64_t has = h == NULL ? 0 : h->bytes;

	if (bytes == 0)
		return true;
	if (decoded.all > most || bytes > most - decoded.all || has > most / 2 ||
		bytes > most / 2 - has)
		return false;
	if (h == NULL)
		h = share_new(account);
	h->bytes += bytes;
	decoded.all += bytes;
	return true;
}

void
decoded_give(uint64_t account, uint64_t bytes)
{
	LOCK_AUTO held = lock_take(&decoded.lock);
	struct share *h = share_of(account);

	if (bytes == 0)
		return;
	assert(h != NULL && h->bytes >= bytes && decoded.all >= bytes);
	decoded.all -= bytes;
	h->bytes -= bytes;
	if (h->bytes > 0)
		return;
	HASH_DEL(decoded.shares, h);
	free(h);
}
