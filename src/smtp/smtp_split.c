/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_split.h"

#include "base/map.h"
#include "base/thread.h"
#include "crypto/digest.h"

enum { KEY = 16 };

struct row {
	uint8_t key[KEY];
	uint8_t message[KEY]; /* of a recipient: the row that counts */
	enum smtp_group group; /* of a recipient */
	unsigned times; /* of a message */
	uint64_t first_ms, until_ms;
	UT_hash_handle hh;
};

struct smtp_splits {
	pthread_mutex_t lock;
	struct row *rows; /* oldest first */
};

struct smtp_splits *
smtp_splits_new(void)
{
	struct smtp_splits *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	(void)pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void
remove_row(struct smtp_splits *s, struct row *r)
{
	HASH_DEL(s->rows, r);
	free(r);
}

void
smtp_splits_free(struct smtp_splits **sp)
{
	struct smtp_splits *s = *sp;

	if (s == NULL)
		return;
	while (s->rows != NULL)
		remove_row(s, s->rows);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
	*sp = NULL;
}

/* Strings with their lengths, so that no two lists give the same bytes. */
static void
add(struct sha256 *d, str s)
{
	uint64_t len = s.len;

	sha256_add(d, (str){ (const char *)&len, sizeof(len) });
	sha256_add(d, s);
}

static void
finish(struct sha256 **d, uint8_t key[KEY])
{
	uint8_t all[SHA256_BYTES];

	sha256_done(*d, all);
	sha256_free(d);
	memcpy(key, all, KEY);
}

static void
rcpt_key(const struct ip *client, str from, str rcpt, uint8_t key[KEY])
{
	struct ip net = ip_network(client);
	struct sha256 *d = sha256_new();

	add(d, STR("rcpt"));
	add(d, (str){ (const char *)net.bytes, sizeof(net.bytes) });
	add(d, from);
	add(d, rcpt);
	finish(&d, key);
}

/* The recipients' own digests are added up, so that their order is nothing. */
static void
message_key(const struct smtp_split *what, uint8_t key[KEY])
{
	uint8_t sum[SHA256_BYTES] = { 0 }, one[SHA256_BYTES];
	struct sha256 *d = sha256_new();

	for (size_t i = 0; i < what->n; i++) {
		unsigned carry = 0;

		sha256(what->rcpts[i], one);
		for (size_t k = 0; k < SHA256_BYTES; k++) {
			carry += (unsigned)sum[k] + one[k];
			sum[k] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	add(d, STR("message"));
	add(d, what->from);
	add(d, (str){ (const char *)sum, sizeof(sum) });
	add(d, (str){ (const char *)what->digest, SHA256_BYTES });
	finish(&d, key);
}

static struct row *
find(struct smtp_splits *s, const uint8_t key[KEY], uint64_t now_ms)
{
	struct row *r;

	HASH_FIND(hh, s->rows, key, KEY, r);
	if (r != NULL && now_ms >= r->until_ms) {
		remove_row(s, r);
		return NULL;
	}
	return r;
}

static struct row *
find_or_add(struct smtp_splits *s, const uint8_t key[KEY], uint64_t now_ms)
{
	struct row *r = find(s, key, now_ms);

	if (r != NULL)
		return r;
	if (HASH_COUNT(s->rows) >= SMTP_SPLITS_MOST)
		remove_row(s, s->rows);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	memcpy(r->key, key, KEY);
	r->first_ms = now_ms;
	HASH_ADD(hh, s->rows, key, KEY, r);
	return r;
}

static bool
nothing_remembered(struct smtp_splits *s)
{
	LOCK_AUTO held = lock_take(&s->lock);

	(void)held;
	return s->rows == NULL;
}

/* The row that counts for a recipient's; NULL when it splits no more. */
static struct row *
counting(struct smtp_splits *s, const struct row *r, uint64_t now_ms)
{
	struct row *m = r == NULL ? NULL : find(s, r->message, now_ms);

	return m != NULL && m->times < SMTP_SPLITS_TIMES ? m : NULL;
}

enum smtp_group
smtp_split_group(struct smtp_splits *s, const struct ip *client, str from, str rcpt,
	uint64_t now_ms)
{
	uint8_t key[KEY];

	if (nothing_remembered(s)) /* nearly always: then no digests */
		return SMTP_GROUP_NONE;
	rcpt_key(client, from, rcpt, key);
	LOCK_AUTO held = lock_take(&s->lock);
	struct row *r = find(s, key, now_ms);

	(void)held;
	return counting(s, r, now_ms) != NULL ? r->group : SMTP_GROUP_NONE;
}

void
smtp_split_given(struct smtp_splits *s, const struct ip *client, str from, str rcpt,
	uint64_t now_ms)
{
	uint8_t key[KEY];

	rcpt_key(client, from, rcpt, key);
	LOCK_AUTO held = lock_take(&s->lock);
	struct row *m = counting(s, find(s, key, now_ms), now_ms);

	(void)held;
	if (m != NULL)
		m->times++;
}

bool
smtp_split_again(struct smtp_splits *s, const struct smtp_split *what, uint64_t now_ms)
{
	uint8_t key[KEY], message[KEY];

	message_key(what, message);
	LOCK_AUTO held = lock_take(&s->lock);
	struct row *m = find_or_add(s, message, now_ms);
	uint64_t first_ms = m->first_ms;

	(void)held;
	m->until_ms = first_ms + SMTP_SPLITS_KEEP_MS;
	if (m->times >= SMTP_SPLITS_TIMES || now_ms - first_ms >= SMTP_SPLITS_MS)
		return false;
	m->times++;
	for (size_t i = 0; i < what->n; i++) {
		rcpt_key(&what->client, what->from, what->rcpts[i], key);
		struct row *r = find_or_add(s, key, now_ms);

		memcpy(r->message, message, KEY);
		r->group = what->groups[i];
		r->until_ms = first_ms + SMTP_SPLITS_MS;
	}
	return true;
}

void
smtp_splits_age(struct smtp_splits *s, uint64_t now_ms)
{
	LOCK_AUTO held = lock_take(&s->lock);
	struct row *next;

	(void)held;
	for (struct row *r = s->rows; r != NULL; r = next) {
		next = r->hh.next;
		if (now_ms >= r->until_ms)
			remove_row(s, r);
	}
}
