/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_counts.h"

#include "base/map.h"
#include "base/thread.h"

struct key {
	uint64_t minute;
	struct ip network;
	char pad[6]; /* the whole key is hashed: no byte undefined */
};

struct row {
	struct key key;
	uint32_t n[4]; /* by enum smtp_counted */
	UT_hash_handle hh;
};

struct smtp_counts {
	pthread_mutex_t lock;
	struct row *rows;
};

struct smtp_counts *
smtp_counts_new(void)
{
	struct smtp_counts *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	(void)pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void
remove_row(struct smtp_counts *c, struct row *r)
{
	HASH_DEL(c->rows, r);
	free(r);
}

void
smtp_counts_free(struct smtp_counts **cp)
{
	struct smtp_counts *c = *cp;

	if (c == NULL)
		return;
	while (c->rows != NULL)
		remove_row(c, c->rows);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
	*cp = NULL;
}

static struct row *
row_of(struct smtp_counts *c, const struct key *key)
{
	struct row *r;

	HASH_FIND(hh, c->rows, key, sizeof(*key), r);
	return r;
}

static struct row *
add_row(struct smtp_counts *c, const struct key *key)
{
	struct row *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	memcpy(&r->key, key, sizeof(*key));
	HASH_ADD(hh, c->rows, key, sizeof(r->key), r);
	return r;
}

void
smtp_counts_add(struct smtp_counts *c, const struct ip *client, enum smtp_counted what,
	uint64_t wall_ms)
{
	struct ip network = ip_network(client);
	struct key key;

	memset(&key, 0, sizeof(key));
	key.minute = wall_ms / 60000;
	key.network.family = network.family;
	memcpy(key.network.bytes, network.bytes, sizeof(network.bytes));
	LOCK_AUTO held = lock_take(&c->lock);
	struct row *r = row_of(c, &key);

	(void)held;
	if (r == NULL && HASH_COUNT(c->rows) >= SMTP_COUNTS_MOST) {
		memset(&key.network, 0, sizeof(key.network));
		r = row_of(c, &key);
	}
	if (r == NULL)
		r = add_row(c, &key);
	r->n[what]++;
}

void
smtp_counts_flush(struct smtp_counts *c, struct journal *j, uint64_t wall_ms)
{
	LOCK_AUTO held = lock_take(&c->lock);
	struct row *next;

	(void)held;
	for (struct row *r = c->rows; r != NULL; r = next) {
		BUF_AUTO b = BUF(256);
		struct jrec_counts rec = { .minute = r->key.minute,
			.network = r->key.network,
			.unknown = r->n[SMTP_COUNT_UNKNOWN],
			.relay = r->n[SMTP_COUNT_RELAY],
			.full = r->n[SMTP_COUNT_FULL],
			.other = r->n[SMTP_COUNT_OTHER] };

		next = r->hh.next;
		if (wall_ms != UINT64_MAX && r->key.minute >= wall_ms / 60000)
			continue;
		jrec_put_counts(&b, &rec);
		journal_note(j, JREC_COUNTS, buf_str(&b));
		remove_row(c, r);
	}
}
