/* SPDX-License-Identifier: ISC */
/*
 * remote: the directory as the gate sees it, through its channel to house.
 *
 * Answers are cached for 60 s (unknown addresses too; at most 20,000 entries,
 * least recently used out first) and forgotten when house says so or is gone.
 * A question unanswered by its deadline is ASK_LATER.  While house restarts the
 * question waits for the new channel, within its deadline.  One thread reads
 * the channel.  Any thread asks.
 */
#pragma once

#include "base/arena.h"
#include "wire/ask.h"

struct remote;

struct remote_ask {
	char address[ASK_ADDRESS];	/* in: the question */
	uint64_t until_ms;		/* in: clock_ms() deadline */
	/* Called once, by the reading thread, unless remote_ask() answered at
	 * once.  The asker must not free this before. */
	void (*done)(struct remote_ask *a);
	struct ask_answer answer;	/* out; memory in `mem` */
	struct arena *mem;		/* in: the asker's; untouched by others until done */
	struct remote_ask *next;	/* remote's own */
	uint64_t id;
};

struct remote *remote_new(void (*applied)(uint64_t seq, void *arg), void *arg);
void remote_free(struct remote **rp);
/* The channel's descriptor (owned from now on) of a house that has (re)started;
 * -1 when it is gone. */
void remote_channel(struct remote *r, int fd);
/* True: answered from the cache, `answer` is set.  False: done() will come. */
bool remote_ask(struct remote *r, struct remote_ask *a);
/* Tells house how far our journal is synced; never waits, the last one wins. */
void remote_synced(struct remote *r, uint64_t seq);
