/* SPDX-License-Identifier: ISC */
#include "imap/imap_order.h"

#include <endian.h>

enum {
	DIGITS = 8,
	VALUES = 256,
	CHUNK = 8, /* bytes of a string that are compared at a time */
	FEW = 24, /* messages that are put in order one by one */
};

struct item {
	uint64_t key;
	uint32_t message;
};

struct sorter {
	const struct order_key *key;
	struct item *items, *spare;
};

/* By their keys, a digit after the other from the last one: stable. */
static void
radix(struct item *a, struct item *spare, size_t n)
{
	size_t count[DIGITS][VALUES] = { 0 };
	struct item *from = a, *to = spare;

	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < DIGITS; d++)
			count[d][a[i].key >> (8 * d) & 0xff]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		size_t *c = count[d], sum = 0;

		if (c[a[0].key >> (8 * d) & 0xff] == n) /* all the same */
			continue;
		for (size_t v = 0; v < VALUES; v++) {
			size_t here = c[v];

			c[v] = sum;
			sum += here;
		}
		for (size_t i = 0; i < n; i++)
			to[c[from[i].key >> (8 * d) & 0xff]++] = from[i];
		struct item *t = from;
		from = to;
		to = t;
	}
	if (from != a)
		memcpy(a, from, n * sizeof(*a));
}

static void
insertion(struct item *a, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct item one = a[i];
		size_t j = i;

		for (; j > 0 && a[j - 1].key > one.key; j--)
			a[j] = a[j - 1];
		a[j] = one;
	}
}

static void
by_key(struct sorter *s, size_t from, size_t n)
{
	if (n <= FEW)
		insertion(s->items + from, n);
	else
		radix(s->items + from, s->spare + from, n);
}

/* The next bytes of a string as a number that compares as they do. */
static uint64_t
chunk(str s, size_t at)
{
	uint64_t v = 0;

	if (at + CHUNK <= s.len) {
		memcpy(&v, s.ptr + at, CHUNK);
		return be64toh(v);
	}
	for (size_t i = at; i < at + CHUNK; i++)
		v = v << 8 | (i < s.len ? (unsigned char)s.ptr[i] : 0);
	return v;
}

/* True when one of them goes on behind `at`. */
static bool
load(struct sorter *s, size_t from, size_t n, size_t at)
{
	bool more = false;

	for (size_t i = from; i < from + n; i++) {
		str t = s->key->strings[s->items[i].message];
		uint64_t v = chunk(t, at);

		s->items[i].key = s->key->reverse ? ~v : v;
		more |= t.len > at + CHUNK;
	}
	return more;
}

/* Those that are equal in what was compared are put in order by what follows.  As deep as a
 * string has chunks (wire/sortkey.h: 30). */
static void
by_string(struct sorter *s, size_t from, size_t n, size_t at)
{
	bool more = load(s, from, n, at);

	by_key(s, from, n);
	for (size_t i = from, j; more && i < from + n; i = j) {
		for (j = i + 1; j < from + n && s->items[j].key == s->items[i].key;)
			j++;
		if (j - i > 1)
			by_string(s, i, j - i, at + CHUNK);
	}
}

static void
by_number(struct sorter *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = s->key->numbers[s->items[i].message];

		s->items[i].key = s->key->reverse ? ~v : v;
	}
	by_key(s, 0, n);
}

enum rc
order_sort(const struct order_key *keys, size_t nkeys, size_t n, struct arena *mem,
	uint32_t *at, struct err *err)
{
	struct sorter s = { .items = arena_array(mem, n + 1, sizeof(*s.items)),
		.spare = arena_array(mem, n + 1, sizeof(*s.spare)) };

	if (s.items == NULL || s.spare == NULL)
		return err_set(err, RC_LIMIT, "too many messages to sort");
	for (size_t i = 0; i < n; i++)
		s.items[i].message = (uint32_t)i;
	/* what counts least first: the sorts are stable */
	for (size_t k = nkeys; k-- > 0 && n > 0;) {
		s.key = &keys[k];
		if (keys[k].numbers != NULL)
			by_number(&s, n);
		else
			by_string(&s, 0, n, 0);
	}
	for (size_t i = 0; i < n; i++)
		at[i] = s.items[i].message;
	return RC_OK;
}
