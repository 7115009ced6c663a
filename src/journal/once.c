/* SPDX-License-Identifier: ISC */
#include "journal/once.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/thread.h"
#include "crypto/digest.h"
#include "wire/pack.h"

enum { MOST = 100 * 1000 };

struct waiting {
	struct jrec_pending what;
	UT_hash_handle by_id, by_key;
};

struct claim {
	uint8_t key[16];
	UT_hash_handle hh;
};

struct once {
	pthread_mutex_t lock;
	pthread_cond_t released;
	struct claim *claims; /* as many as verdicts are being made */
	struct waiting *ids, *keys; /* ids: in the order they were added */
};

struct once *
once_new(void)
{
	struct once *o = calloc(1, sizeof(*o));

	if (o == NULL)
		abort();
	(void)pthread_mutex_init(&o->lock, NULL);
	cond_init(&o->released);
	return o;
}

static void
drop(struct once *o, struct waiting *w)
{
	struct waiting *same;

	HASH_DELETE(by_id, o->ids, w);
	HASH_FIND(by_key, o->keys, w->what.once, sizeof(w->what.once), same);
	if (same == w)
		HASH_DELETE(by_key, o->keys, w);
	free(w);
}

void
once_free(struct once **op)
{
	struct once *o = *op;

	if (o == NULL)
		return;
	while (o->ids != NULL)
		drop(o, o->ids);
	(void)pthread_cond_destroy(&o->released);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
	*op = NULL;
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static void
add_str(struct sha256 *d, str s)
{
	char length[8];

	for (unsigned i = 0; i < sizeof(length); i++)
		length[i] = (char)(s.len >> (8 * i));
	sha256_add(d, (str){ length, sizeof(length) });
	sha256_add(d, s);
}

void
once_key(str from, const str rcpts[], size_t n, const uint8_t digest[32], uint8_t key[16])
{
	struct sha256 *d = sha256_new();
	uint8_t out[SHA256_BYTES];
	str *sorted = calloc(n + 1, sizeof(*sorted));

	if (sorted == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		sorted[i] = rcpts[i];
	qsort(sorted, n, sizeof(*sorted), by_bytes);
	add_str(d, from);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !str_eq(sorted[i], sorted[i - 1]))
			add_str(d, sorted[i]);
	sha256_add(d, (str){ (const char *)digest, 32 });
	sha256_done(d, out);
	sha256_free(&d);
	free(sorted);
	memcpy(key, out, 16);
}

bool
once_find(struct once *o, const uint8_t key[16], uint64_t now_ms, struct msg_id *id)
{
	LOCK_AUTO held = lock_take(&o->lock);
	struct waiting *w;

	HASH_FIND(by_key, o->keys, key, 16, w);
	if (w == NULL)
		return false;
	if (w->what.time_ms + ONCE_KEEP_MS < now_ms) {
		drop(o, w);
		return false;
	}
	*id = w->what.id;
	return true;
}

bool
once_claim(struct once *o, const uint8_t key[16], uint64_t until_ms)
{
	LOCK_AUTO held = lock_take(&o->lock);
	struct claim *c;

	for (;;) {
		HASH_FIND(hh, o->claims, key, 16, c);
		if (c == NULL)
			break;
		if (!cond_until(&o->released, &o->lock, until_ms) &&
			clock_ms() >= until_ms)
			return false;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	memcpy(c->key, key, sizeof(c->key));
	HASH_ADD(hh, o->claims, key, sizeof(c->key), c);
	return true;
}

void
once_release(struct once *o, const uint8_t key[16])
{
	LOCK_AUTO held = lock_take(&o->lock);
	struct claim *c;

	HASH_FIND(hh, o->claims, key, 16, c);
	if (c == NULL)
		return;
	HASH_DEL(o->claims, c);
	free(c);
	(void)pthread_cond_broadcast(&o->released);
}

static void
add(struct once *o, const struct jrec_pending *p)
{
	static const uint8_t nothing[16];
	struct waiting *w;

	if (memcmp(p->once, nothing, sizeof(nothing)) == 0)
		return;
	HASH_FIND(by_id, o->ids, p->id.text, MSG_ID_LEN, w);
	if (w != NULL)
		return;
	if (HASH_CNT(by_id, o->ids) >= MOST)
		drop(o, o->ids);
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	w->what = *p;
	HASH_ADD_KEYPTR(by_id, o->ids, w->what.id.text, MSG_ID_LEN, w);

	struct waiting *same;
	HASH_FIND(by_key, o->keys, w->what.once, sizeof(w->what.once), same);
	if (same != NULL)
		HASH_DELETE(by_key, o->keys, same);
	HASH_ADD_KEYPTR(by_key, o->keys, w->what.once, sizeof(w->what.once), w);
}

void
once_add(struct once *o, const struct jrec_pending *p)
{
	LOCK_AUTO held = lock_take(&o->lock);

	add(o, p);
}

static void
answered(struct once *o, const struct msg_id *id)
{
	struct waiting *w;

	HASH_FIND(by_id, o->ids, id->text, MSG_ID_LEN, w);
	if (w != NULL)
		drop(o, w);
}

void
once_answered(struct once *o, const struct msg_id *id)
{
	LOCK_AUTO held = lock_take(&o->lock);

	answered(o, id);
}

static void
replay_message(struct once *o, str payload)
{
	ARENA_AUTO mem = arena_new(16u << 20);
	struct jrec_message m;

	if (jrec_get_message(payload, mem, &m) != RC_OK || (m.flags & JREC_AGAIN) != 0)
		return;
	struct jrec_pending p = { .id = m.id, .time_ms = m.time_ms };
	memcpy(p.once, m.once, sizeof(p.once));
	add(o, &p);
}

static void
replay_pending(struct once *o, str payload)
{
	ARENA_AUTO mem = arena_new(16u << 20);
	struct jrec_pending *p;
	size_t n;

	if (jrec_get_pending(payload, mem, &p, &n) != RC_OK)
		return;
	for (size_t i = 0; i < n; i++)
		add(o, &p[i]);
}

void
once_replay(struct once *o, enum jrec_kind kind, str payload)
{
	LOCK_AUTO held = lock_take(&o->lock);
	struct jrec_answered a;

	if (kind == JREC_MESSAGE)
		replay_message(o, payload);
	else if (kind == JREC_PENDING)
		replay_pending(o, payload);
	else if (kind == JREC_ANSWERED && jrec_get_answered(payload, &a) == RC_OK)
		answered(o, &a.id);
}

void
once_head(struct once *o, uint64_t now_ms, struct buf *b)
{
	LOCK_AUTO held = lock_take(&o->lock);
	size_t n = 0, most = HASH_CNT(by_id, o->ids);
	struct jrec_pending *all = calloc(most + 1, sizeof(*all));
	struct waiting *w, *next;

	if (all == NULL)
		abort();
	HASH_ITER(by_id, o->ids, w, next)
	{
		if (w->what.time_ms + ONCE_KEEP_MS < now_ms)
			drop(o, w);
		else
			all[n++] = w->what;
	}
	if (n > 0)
		jrec_put_pending(b, all, n);
	free(all);
}
