/* SPDX-License-Identifier: ISC */
/*
 * smtp_known: clients that delivered a message within the last day get their
 * greeting at once (doc/greeting.md).
 *
 * Addresses (IPv6: /64) with the time of their last accepted message, at most
 * 20,000, the oldest out first; in memory only.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

struct smtp_known;

enum { SMTP_KNOWN_MOST = 20000, SMTP_KNOWN_MS = 24 * 3600 * 1000 };

struct smtp_known *smtp_known_new(void);
void smtp_known_free(struct smtp_known **kp);
void smtp_known_add(struct smtp_known *k, const struct ip *client, uint64_t now_ms);
bool smtp_known_has(struct smtp_known *k, const struct ip *client, uint64_t now_ms);
