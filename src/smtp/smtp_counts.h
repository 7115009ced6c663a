/* SPDX-License-Identifier: ISC */
/*
 * smtp_counts: refusals at RCPT, per network (/24, /64) and minute, so that a
 * hundred thousand guesses are a few rows in the ledger and not as many.
 *
 * At most 4,096 networks at a time; the rest share a row without an address.
 * smtp_counts_flush() hands the minutes that are over to the journal.
 * Any thread.
 */
#pragma once

#include <stdint.h>

#include "base/ip.h"
#include "journal/journal.h"

struct smtp_counts;

enum { SMTP_COUNTS_MOST = 4096 };
enum smtp_counted {
	SMTP_COUNT_UNKNOWN,
	SMTP_COUNT_RELAY,
	SMTP_COUNT_FULL,
	SMTP_COUNT_OTHER
};

struct smtp_counts *smtp_counts_new(void);
void smtp_counts_free(struct smtp_counts **cp);
void smtp_counts_add(struct smtp_counts *c, const struct ip *client,
	enum smtp_counted what, uint64_t wall_ms);
/* Minutes before wall_ms' minute; UINT64_MAX: all of them. */
void smtp_counts_flush(struct smtp_counts *c, struct journal *j, uint64_t wall_ms);
