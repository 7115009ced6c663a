/* SPDX-License-Identifier: ISC */
/*
 * guard: how much guessing of passwords there was lately, and what that costs who tries next
 * (doc/logins.md).  Pure logic: no clock and no lock of its own.
 *
 * A failure counts for the address (IPv6: its /64), for its network (/24, /48, where
 * GUARD_NETWORK count as one) and for the name that was tried, whether there is such
 * an account or not (GUARD_NAME).  One is forgotten every fifth of block_ms.  Past slow_after
 * tries are answered later and later, 1, 2, 4, 8, 15 seconds, whatever the answer is: its speed
 * tells nobody that he guessed right.  From block_after on nothing is tried for block_ms.
 *
 * A place (address and account) from which a login succeeded in the last 30 days answers
 * for its own failures only, whatever others do from there, near there, or to that account.
 *
 * Memory is fixed, at most 10.5 MB: four tables of GUARD_MOST slots, in rows of 16.  Where a
 * row is full what counts least goes, and what would count least is not noted.  The
 * addresses of a network share a row, and the places of an account: who has many of them pushes
 * out his own before any other.  Which row that is depends on a key made when the process began.
 */
#pragma once

#include "base/ip.h"
#include "base/str.h"

enum {
	GUARD_NETWORK = 8,
	GUARD_NAME = 5,
	GUARD_MOST = 65536,
	GUARD_DELAY_MOST = 15000,	/* ms */
};

struct guard;

struct guard_limits {
	uint64_t slow_after, block_after, block_ms;
};

/* Who tries what; name is canonical.  peer.family 0: a proxy of ours, which is not counted. */
struct guard_try {
	struct ip peer;
	str name;
};

struct guard_says {
	bool blocked;
	uint64_t until_ms;	/* blocked: when not any more */
	uint64_t delay_ms;	/* not blocked: how much later to answer */
};

struct guard *guard_new(const struct guard_limits *l);
void guard_free(struct guard **gp);
void guard_change(struct guard *g, const struct guard_limits *l);

struct guard_says guard_ask(const struct guard *g, const struct guard_try *t, uint64_t now_ms);
void guard_failed(struct guard *g, const struct guard_try *t, uint64_t now_ms);
void guard_passed(struct guard *g, const struct guard_try *t, uint64_t now_ms);
