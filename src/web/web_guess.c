/* SPDX-License-Identifier: ISC */
#include "web/web_guess.h"

#include <pthread.h>

#include "base/map.h"
#include "base/thread.h"

/* The window is the hour that began with the first guess. */
struct network {
	uint8_t key[7]; /* the family, and the network's bytes */
	uint64_t since_ms, guesses;
	UT_hash_handle hh; /* in the order of their last guesses */
};

struct web_guesses {
	pthread_mutex_t lock;
	struct network *map, *all;
	size_t used, most;
};

struct web_guesses *
web_guesses_new(size_t networks)
{
	struct web_guesses *g = calloc(1, sizeof(*g));

	if (g == NULL || (g->all = calloc(networks, sizeof(*g->all))) == NULL)
		abort();
	(void)pthread_mutex_init(&g->lock, NULL);
	g->most = networks;
	return g;
}

void
web_guesses_free(struct web_guesses **gp)
{
	struct web_guesses *g = *gp;

	if (g == NULL)
		return;
	*gp = NULL;
	HASH_CLEAR(hh, g->map);
	(void)pthread_mutex_destroy(&g->lock);
	free(g->all);
	free(g);
}

static struct network *
find(struct web_guesses *g, const struct ip *ip, uint8_t key[7])
{
	struct network *n = NULL;

	memset(key, 0, 7);
	key[0] = ip->family;
	memcpy(key + 1, ip->bytes, ip->family == 4 ? 3 : 6);
	HASH_FIND(hh, g->map, key, 7, n);
	return n;
}

static bool
is_over(const struct network *n, uint64_t now_ms)
{
	return now_ms - n->since_ms >= GUESS_WINDOW_MS;
}

uint64_t
web_guesses_wait(
	struct web_guesses *g, const struct ip *ip, uint64_t most, uint64_t now_ms)
{
	LOCK_AUTO held = lock_take(&g->lock);
	uint8_t key[7];
	const struct network *n = find(g, ip, key);

	if (n == NULL || is_over(n, now_ms) || n->guesses < most)
		return 0;
	return (GUESS_WINDOW_MS - (now_ms - n->since_ms) + 999) / 1000;
}

void
web_guesses_add(struct web_guesses *g, const struct ip *ip, uint64_t now_ms)
{
	LOCK_AUTO held = lock_take(&g->lock);
	uint8_t key[7];
	struct network *n = find(g, ip, key);

	if (n == NULL && g->used < g->most)
		n = &g->all[g->used++];
	else if (n == NULL)
		n = g->map; /* the one unused for longest */
	if (n->hh.tbl != NULL)
		HASH_DEL(g->map, n);
	if (memcmp(n->key, key, sizeof(key)) != 0 || is_over(n, now_ms)) {
		n->since_ms = now_ms;
		n->guesses = 0;
	}
	memcpy(n->key, key, sizeof(key));
	n->guesses++;
	HASH_ADD(hh, g->map, key, sizeof(n->key), n);
}
