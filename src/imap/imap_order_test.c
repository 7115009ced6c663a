/* SPDX-License-Identifier: ISC */
#include "imap/imap_order.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/test.h"

enum { MOST = 3000 };

static void
sorts(const struct order_key *keys, size_t nkeys, size_t n, const uint32_t *want)
{
	ARENA_AUTO mem = arena_new(1 << 24);
	uint32_t at[MOST];

	assert_int_equal(order_sort(keys, nkeys, n, mem, at, NULL), RC_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(at[i], want[i]);
}

TEST(messages_come_in_the_order_asked_for)
{
	const str subjects[] = { STR_INIT("b"), STR_INIT("a"), STR_INIT(""),
		STR_INIT("a"), STR_INIT("a longer one") };
	const uint64_t dates[] = { order_signed(5), order_signed(7), order_signed(-1),
		order_signed(6), order_signed(0) };
	struct order_key keys[2] = { { .strings = subjects }, { .numbers = dates } };

	sorts(keys, 1, 5, (uint32_t[]){ 2, 1, 3, 4, 0 });
	sorts(keys, 2, 5, (uint32_t[]){ 2, 3, 1, 4, 0 });
	sorts(keys + 1, 1, 5, (uint32_t[]){ 2, 4, 0, 3, 1 });
	/* RFC 5256: REVERSE is of one key, and not of the sequence number */
	keys[0].reverse = true;
	sorts(keys, 1, 5, (uint32_t[]){ 0, 4, 1, 3, 2 });
	keys[1].reverse = true;
	sorts(keys, 2, 5, (uint32_t[]){ 0, 4, 1, 3, 2 });
	sorts(keys, 2, 0, NULL);
}

static struct order_key keys_[3];
static size_t nkeys_;

static int
slowly(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	for (size_t k = 0; k < nkeys_; k++) {
		const struct order_key *key = &keys_[k];
		int c = key->numbers != NULL ? (key->numbers[x] > key->numbers[y]) -
						       (key->numbers[x] < key->numbers[y])
					     : str_cmp(key->strings[x], key->strings[y]);

		if (c != 0)
			return key->reverse ? -c : c;
	}
	return x < y ? -1 : 1;
}

TEST(messages_come_in_order_whatever_is_in_them)
{
	static char texts[MOST][32];
	static str strings[2][MOST];
	static uint64_t numbers[MOST];
	static uint32_t want[MOST];
	unsigned seed = 7;

	for (size_t round = 0; round < 60; round++) {
		size_t n = round % 3 == 0 ? MOST : (size_t)(rand_r(&seed) % 60);

		for (size_t i = 0; i < n; i++) {
			int len = snprintf(texts[i], sizeof(texts[i]), "%.*s%x",
				rand_r(&seed) % 3 * 8, "[a-list] again again again",
				rand_r(&seed) % 50);

			strings[0][i] = (str){ texts[i], (size_t)len };
			strings[1][i] = str_first(strings[0][i], 9);
			numbers[i] = order_signed(rand_r(&seed) % 40 - 20)
				     << (rand_r(&seed) % 20);
			want[i] = (uint32_t)i;
		}
		nkeys_ = 1 + round % 3;
		for (size_t k = 0; k < nkeys_; k++) {
			int what = rand_r(&seed) % 3;

			keys_[k] = (struct order_key){ .reverse = rand_r(&seed) % 2 == 0,
				.numbers = what == 2 ? numbers : NULL,
				.strings = strings[what % 2] };
		}
		qsort(want, n, sizeof(*want), slowly);
		sorts(keys_, nkeys_, n, want);
	}
}
