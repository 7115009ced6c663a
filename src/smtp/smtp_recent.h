/* SPDX-License-Identifier: ISC */
/*
 * smtp_recent: what happened not long ago, by key: how often and when last.
 *
 *	known	clients that delivered a message within the last day get their
 *		greeting at once (doc/greeting.md): addresses, IPv6 by their /64
 *	killers	messages that cost a scanner, by digest (doc/unreadable.md).  The
 *		first loss may be chance; after the second within a day the message
 *		is refused and no scanner sees it again
 *	stallers	messages that clamd was at for all of its time, by digest, in
 *		the same way
 *	samples	infected messages that abuse@ took, by network and hour
 *
 * A bounded number of rows, the one whose last time is oldest out first: who
 * fills a table makes others wait a little longer, or pay for one more
 * attempt.  A row is forgotten keep_ms after its last time.  In memory only.
 * Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"

struct smtp_recent;

enum {
	SMTP_RECENT_KEY = 32, /* longest key */
	SMTP_KNOWN_MOST = 20000,
	SMTP_KNOWN_MS = 24 * 3600 * 1000,
	SMTP_SAMPLES_MOST = 4096,
	SMTP_SAMPLES_MS = 3600 * 1000,
	SMTP_KILLERS_MOST = 1024,
	SMTP_KILLERS_TIMES = 2,
	SMTP_KILLERS_MS = 24 * 3600 * 1000,
};

struct smtp_recent *smtp_recent_new(unsigned most, uint64_t keep_ms);
void smtp_recent_free(struct smtp_recent **rp);
/* Once more; returns how often it was by now. */
unsigned smtp_recent_note(struct smtp_recent *r, str key, uint64_t now_ms);
unsigned smtp_recent_times(struct smtp_recent *r, str key, uint64_t now_ms);
void smtp_recent_forget(struct smtp_recent *r, str key);

/* The key of a client, in `out`. */
str smtp_recent_client(const struct ip *client, uint8_t out[SMTP_RECENT_KEY]);
/* The key of a message. */
static inline str
smtp_recent_digest(const uint8_t digest[32])
{
	return (str){ (const char *)digest, 32 };
}
