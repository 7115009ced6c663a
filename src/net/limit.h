/* SPDX-License-Identifier: ISC */
/*
 * limit: how many at once, how many a minute, per address.
 *
 * A fixed table of `most` addresses (IPv4: /32, IPv6: /64); when it is full the
 * one unused for longest makes room, never one that still holds connections.
 * Loopback addresses are not counted.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

struct limit;

struct limit *limit_new(size_t most, unsigned at_once, unsigned per_minute);
void limit_change(struct limit *l, unsigned at_once, unsigned per_minute);
bool limit_enter(struct limit *l, const struct ip *ip, uint64_t now_ms);	/* then leave */
void limit_leave(struct limit *l, const struct ip *ip);
void limit_free(struct limit **lp);

/*
 * pace: the least rate of a long transfer.  The deadline is the start plus the
 * grace plus a second for each `per_second` bytes received: who is faster
 * never meets it.  per_second 0: no deadline.
 */
struct pace {
	uint64_t start_ms, grace_ms, per_second, bytes;
};

uint64_t pace_until(const struct pace *p);	/* clock_ms(); UINT64_MAX for none */
