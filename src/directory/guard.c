/* SPDX-License-Identifier: ISC */
#include "directory/guard.h"

#include <stdlib.h>

#include "base/hash.h"

enum {
	ROW = 16,
	ROWS = GUARD_MOST / ROW,
	ONE = 1000, /* a failure of an address; scores are thousandths */
	FORGOTTEN = 5, /* in a block's time */
	NAME_MOST = 640,
};

static const uint64_t place_ms = 30ULL * 24 * 3600 * 1000;

struct slot {
	uint64_t key; /* 0: free */
	uint64_t at_ms; /* when the score was that; some is forgotten since */
	uint64_t until_ms; /* refused until then */
	uint64_t passed_ms; /* of a place: the last success */
	uint32_t score;
	uint32_t owner; /* whose row it is, more exactly */
};

enum which { ADDRESS, NETWORK, NAME, PLACE, TABLES };

static const uint64_t weight[TABLES] = { ONE, ONE / GUARD_NETWORK, ONE / GUARD_NAME,
	ONE };

struct guard {
	struct guard_limits limits;
	struct slot tables[TABLES][ROWS][ROW];
};

struct guard *
guard_new(const struct guard_limits *l)
{
	struct guard *g = calloc(1, sizeof(*g)); /* pages come when they are used */

	if (g == NULL)
		abort();
	guard_change(g, l);
	return g;
}

void
guard_free(struct guard **gp)
{
	free(*gp);
	*gp = NULL;
}

void
guard_change(struct guard *g, const struct guard_limits *l)
{
	g->limits = *l;
	if (g->limits.block_ms < FORGOTTEN)
		g->limits.block_ms = FORGOTTEN;
}

/* ---- where a try is noted ---- */

struct spot {
	uint64_t key; /* 0: nowhere */
	uint64_t row;
	uint32_t owner;
};

static uint64_t
key_of(enum which w, const struct ip *peer, size_t bytes, str name)
{
	uint8_t text[1 + 16 + NAME_MOST] = { (uint8_t)((unsigned)w << 4 | peer->family) };
	size_t n = 1;

	memcpy(text + n, peer->bytes, bytes);
	n += bytes;
	name = str_first(name, NAME_MOST);
	if (!str_empty(name))
		memcpy(text + n, name.ptr, name.len);
	uint64_t key = hash_keyed(text, n + name.len);
	return key == 0 ? 1 : key;
}

static struct spot
spot(uint64_t key, uint64_t row)
{
	return (struct spot){ key, row, (uint32_t)(row >> 32) };
}

static void
spots(const struct guard_try *t, struct spot out[TABLES])
{
	const struct ip *peer = &t->peer, none = { 0 };
	bool old = peer->family == 4;
	uint64_t name = key_of(NAME, &none, 0, t->name);

	memset(out, 0, TABLES * sizeof(*out));
	out[NAME] = spot(name, name);
	if (peer->family == 0)
		return;
	uint64_t network = key_of(NETWORK, peer, old ? 3 : 6, (str){ 0 });
	out[NETWORK] = spot(network, network);
	out[ADDRESS] = spot(key_of(ADDRESS, peer, old ? 4 : 8, (str){ 0 }), network);
	out[PLACE] = spot(key_of(PLACE, peer, old ? 4 : 8, t->name), name);
}

static const struct slot *
look(const struct guard *g, enum which w, struct spot s)
{
	const struct slot *row = g->tables[w][s.row % ROWS];

	for (size_t i = 0; s.key != 0 && i < ROW; i++)
		if (row[i].key == s.key)
			return &row[i];
	return NULL;
}

/* In whole failures: so 20 within a few seconds are 20. */
static uint64_t
forgotten(const struct guard *g, const struct slot *s, uint64_t now)
{
	return now > s->at_ms ? (now - s->at_ms) / (g->limits.block_ms / FORGOTTEN) : 0;
}

static uint64_t
faded(const struct guard *g, const struct slot *s, uint64_t now)
{
	uint64_t n = forgotten(g, s, now);

	return n < (uint64_t)s->score / ONE + 1 && n * ONE < s->score ? s->score - n * ONE
								      : 0;
}

static bool
lives(const struct guard *g, const struct slot *s, uint64_t now)
{
	return s->key != 0 &&
	       (s->until_ms > now || faded(g, s, now) > 0 ||
		       (s->passed_ms != 0 && now - s->passed_ms < place_ms));
}

/* Of a full row: places by their age, all else by what is against them. */
static uint64_t
worth(const struct guard *g, enum which w, const struct slot *s, uint64_t now)
{
	if (w == PLACE)
		return s->passed_ms;
	return s->until_ms > now ? UINT64_MAX : faded(g, s, now);
}

/* A free one, or that which is worth least: of all, or of the owner's, if half of the row
 * is his already. */
static struct slot *
least_worth(struct guard *g, enum which w, struct spot at, uint64_t now)
{
	struct slot *row = g->tables[w][at.row % ROWS], *least = NULL;
	size_t own = 0;

	for (size_t i = 0; i < ROW; i++) {
		if (!lives(g, &row[i], now))
			return &row[i];
		own += row[i].owner == at.owner;
	}
	for (size_t i = 0; i < ROW; i++) {
		if (own >= ROW / 2 && row[i].owner != at.owner)
			continue;
		if (least == NULL || worth(g, w, &row[i], now) < worth(g, w, least, now))
			least = &row[i];
	}
	return least;
}

/* The slot, or one for it; NULL: all others are worth more. */
static struct slot *
place_for(struct guard *g, enum which w, struct spot at, uint64_t worth_now, uint64_t now)
{
	struct slot *row = g->tables[w][at.row % ROWS], *least;

	if (at.key == 0)
		return NULL;
	for (size_t i = 0; i < ROW; i++)
		if (row[i].key == at.key)
			return &row[i];
	least = least_worth(g, w, at, now);
	if (least == NULL ||
		(lives(g, least, now) && worth(g, w, least, now) > worth_now))
		return NULL;
	*least = (struct slot){ .key = at.key, .owner = at.owner };
	return least;
}

/* ---- what it costs ---- */

static uint64_t
delay_for(const struct guard *g, const struct slot *s, uint64_t now)
{
	uint64_t n = faded(g, s, now) / ONE, past;

	if (n < g->limits.slow_after)
		return 0;
	past = n - g->limits.slow_after;
	return past < 4 ? 1000ULL << past : GUARD_DELAY_MOST;
}

static void
weigh(const struct guard *g, const struct slot *s, uint64_t now, struct guard_says *out)
{
	uint64_t delay;

	if (s == NULL)
		return;
	if (s->until_ms > now) {
		out->blocked = true;
		if (s->until_ms > out->until_ms)
			out->until_ms = s->until_ms;
	}
	delay = delay_for(g, s, now);
	if (delay > out->delay_ms)
		out->delay_ms = delay;
}

static bool
known_place(const struct slot *place, uint64_t now)
{
	return place != NULL && place->passed_ms != 0 &&
	       now - place->passed_ms < place_ms;
}

struct guard_says
guard_ask(const struct guard *g, const struct guard_try *t, uint64_t now)
{
	struct guard_says says = { 0 };
	struct spot at[TABLES];

	spots(t, at);
	const struct slot *place = look(g, PLACE, at[PLACE]);
	if (known_place(place, now)) {
		weigh(g, place, now, &says);
		return says;
	}
	for (enum which w = ADDRESS; w < PLACE; w++)
		weigh(g, look(g, w, at[w]), now, &says);
	return says;
}

static void
count(struct guard *g, enum which w, struct spot at, uint64_t now)
{
	struct slot *s = place_for(g, w, at, weight[w], now);

	if (s == NULL)
		return;
	uint64_t left = faded(g, s, now), score = left + weight[w];
	uint64_t most = g->limits.block_after * ONE;
	if (left == 0)
		s->at_ms = now;
	else
		s->at_ms += forgotten(g, s, now) * (g->limits.block_ms / FORGOTTEN);
	s->score = (uint32_t)(score < most ? score : most);
	if (score >= most)
		s->until_ms = now + g->limits.block_ms;
}

void
guard_failed(struct guard *g, const struct guard_try *t, uint64_t now)
{
	struct spot at[TABLES];

	spots(t, at);
	if (known_place(look(g, PLACE, at[PLACE]), now)) {
		count(g, PLACE, at[PLACE], now);
		return;
	}
	for (enum which w = ADDRESS; w < PLACE; w++)
		count(g, w, at[w], now);
}

void
guard_passed(struct guard *g, const struct guard_try *t, uint64_t now)
{
	struct spot at[TABLES];
	struct slot *s;

	spots(t, at);
	s = place_for(g, PLACE, at[PLACE], UINT64_MAX, now);
	if (s == NULL)
		return;
	s->score = 0;
	s->until_ms = 0;
	s->passed_ms = now == 0 ? 1 : now;
}
