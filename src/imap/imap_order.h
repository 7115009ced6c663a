/* SPDX-License-Identifier: ISC */
/*
 * imap_order: messages in the order that SORT asked for (RFC 5256 3).  Linear in the number of
 * messages and the bytes compared, whatever stands in them; two messages that are equal in all keys stay as they
 * were, so that the sequence number is the last key.  Pure; any thread.
 */
#pragma once

#include "base/arena.h"

struct order_key {
	bool reverse;
	const uint64_t *numbers;	/* of each message; or NULL, and: */
	const str *strings;	/* compared as bytes, a shorter one first */
};

/* For numbers that may be below 0. */
static inline uint64_t
order_signed(int64_t n)
{
	return (uint64_t)n ^ (uint64_t)1 << 63;
}

/* at[i] become the n messages (0, 1, …) in order, by the first key, among equals by the second … */
enum rc order_sort(const struct order_key *keys, size_t nkeys, size_t n, struct arena *mem,
	uint32_t *at, struct err *err) MUST_CHECK;
