/* SPDX-License-Identifier: ISC */
/*
 * smtp_killer: messages that cost a scanner, by digest (doc/unreadable.md).
 *
 * The first loss may be chance; after the second within a day the message is
 * refused and no scanner sees it again.  At most 1,024 digests, the one whose
 * last loss is oldest out first: who fills the table pays a scanner for each
 * row, and causes others one more attempt.  In memory only.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct smtp_killers;

enum {
	SMTP_KILLERS_MOST = 1024,
	SMTP_KILLERS_TIMES = 2,
	SMTP_KILLERS_MS = 24 * 3600 * 1000
};

struct smtp_killers *smtp_killers_new(void);
void smtp_killers_free(struct smtp_killers **kp);
/* True: this was the loss that makes it a killer. */
bool smtp_killer_lost(struct smtp_killers *k, const uint8_t digest[32], uint64_t now_ms);
bool smtp_killer_known(struct smtp_killers *k, const uint8_t digest[32], uint64_t now_ms);
/* It was scanned well: its losses were not its own. */
void smtp_killer_well(struct smtp_killers *k, const uint8_t digest[32]);
