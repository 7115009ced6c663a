/* SPDX-License-Identifier: ISC */
/*
 * power_play: what was recorded (test/power.h) is cut off at each of its events, and
 * recovered from, on copies of an instance.
 *
 * As many prefixes as fit into the time are looked at, evenly; all of them with
 * GATEPOST_POWER_ALL=1.  GATEPOST_POWER_CASE="EVENT MODE SEED" looks at one.
 */
#pragma once

#include "deliver/testing.h"
#include "test/power.h"

struct power_play {
	const struct parts *made;
	/* Opens p and looks at it: `events` had happened.  Not RC_OK: err says what is wrong. */
	enum rc (*recover)(struct parts *p, size_t events, struct err *err);
	size_t born;		/* events when everything had been opened once */
	unsigned seconds;
};

void power_play(const struct power_play *play);	/* fails the test */
