/* SPDX-License-Identifier: ISC */
/* clamd_fake: threads that play clamd for tests, each with a script of answers. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "filter/clamd.h"

enum { LONG_MS = 20 * 1000, SHORT_MS = 60 };

/* What the fake does with each connection after the command has come. */
enum play {
	PLAY_ANSWER,
	PLAY_HANG,
	PLAY_STALL, /* over what it is to scan; it answers PING */
	PLAY_CLOSE,
	PLAY_ENDLESS,
	PLAY_EARLY,
	/* Names what stands first in the file: "EVIL" Win.Test.Evil, "JUNK"
	 * Sanesecurity.Junk.1.UNOFFICIAL, "ODD" Heuristics.Odd, "DULL" Dull.1; and hangs
	 * where "HANG" stands. */
	PLAY_LOOK,
};

struct fake {
	int listener, stop[2];
	pthread_t thread;
	_Atomic enum play play;
	str answer; /* with its NUL */
	_Atomic unsigned commands, pings;
	_Atomic int now, most; /* connections at the same time */
	pthread_mutex_t lock;
	struct buf seen; /* the bytes of the last message */
	pthread_t visits[256];
	size_t nvisits;
	char socket[128];
};

struct fake *fake_new(void (*bind_it)(struct fake *), enum play how, str answer);
void fake_free(struct fake *f);
void listen_local(struct fake *f);
void listen_inet(struct fake *f);
struct clamd *clamd_at(const char *socket, const char *more);
