/* SPDX-License-Identifier: ISC */
#include "deliver/power_play.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "test/test.h"

enum { SEEDS = 2 };

struct cases {
	const struct power_play *play;
	const struct world *w;
	const char *path;
	size_t events;
	unsigned done, failed;
};

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_all(const char *path)
{
	(void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* Where syncs cost nothing, if there is such a place. */
static void
quick_folder(char path[300])
{
	(void)snprintf(path, 300, "/dev/shm/gatepost-power-XXXXXX");
	if (mkdtemp(path) == NULL)
		(void)snprintf(path, 300, "%s", test_folder());
}

static void
one_case(struct cases *c, enum power_mode mode, uint64_t seed)
{
	static const char *const words[] = { "all", "synced", "random" };
	struct parts p;
	struct err err = { .rc = RC_OK };
	char event[200];

	world_write(c->w, mode, seed, c->path);
	parts_attach(&p, c->play->made, c->path);
	if (c->play->recover(&p, c->events, &err) != RC_OK) {
		c->failed++;
		power_describe(c->events, event);
		print_error("power cut before event %zu (%s), %s, seed %" PRIu64 ": %s\n",
			c->events, event, words[mode], seed, err.text);
	}
	c->done++;
	parts_clear(&p);
	remove_all(c->path);
}

static void
all_cases_of(struct cases *c)
{
	one_case(c, POWER_ALL, 0);
	one_case(c, POWER_SYNCED, 0);
	for (uint64_t s = 0; s < SEEDS; s++)
		one_case(c, POWER_RANDOM, c->events * 7 + s);
}

static size_t
stride(const struct cases *c, size_t total, double each_ms)
{
	size_t all = total - c->play->born;
	size_t fit = (size_t)((double)c->play->seconds * 1000 / each_ms);

	if (getenv("GATEPOST_POWER_ALL") != NULL || fit >= all)
		return 1;
	return all / fit + 1;
}

/* The first opening of everything counts little. */
static void
walk(struct cases *c, size_t total)
{
	uint64_t start = clock_ms();
	struct world *w = world_new();
	size_t born = c->play->born, step;

	c->w = w;
	c->events = total; /* how long one takes, and that the end is sound */
	world_advance(w, total);
	all_cases_of(c);
	step = stride(c, total, (double)(clock_ms() - start));
	world_free(&w);

	c->w = w = world_new();
	for (size_t n = 0; n < total && c->failed <= 10;
		n += n < born && step > 1 ? step * 8 : step) {
		world_advance(w, n);
		c->events = n;
		all_cases_of(c);
	}
	world_free(&w);
	print_message("%u cases, %zu events, every %zu-th, in %" PRIu64 " s\n", c->done,
		total, step, (clock_ms() - start) / 1000);
}

static void
play_one(struct cases *c, const char *what)
{
	unsigned long long events = 0, seed = 0;
	unsigned mode = 0;
	struct world *w = world_new();

	assert_int_equal(sscanf(what, "%llu %u %llu", &events, &mode, &seed), 3);
	c->w = w;
	c->events = (size_t)events;
	world_advance(w, c->events);
	one_case(c, (enum power_mode)mode, seed);
	world_free(&w);
}

void
power_play(const struct power_play *play)
{
	const char *one = getenv("GATEPOST_POWER_CASE");
	char path[300];
	struct cases c = { .play = play, .path = path };

	quick_folder(path);
	if (one != NULL)
		play_one(&c, one);
	else
		walk(&c, power_events());
	remove_all(path);
	assert_int_equal(c.failed, 0);
}
