/* SPDX-License-Identifier: ISC */
/*
 * once: a message that was committed but perhaps never answered, and comes
 * again, is answered as before and gives no second copy.
 *
 * The key is the first 16 bytes of SHA-256 over sender, delivered recipients
 * (sorted) and the digest of the bytes after the trace block as received.
 * Entries appear when a message is committed, go when its answered mark is
 * noted, and are forgotten after five days.  Rebuilt at start from the
 * journal's newest file, whose head carries the older ones (JREC_PENDING).
 * At most 100,000 entries; past that the oldest goes.  Any thread.
 */
#pragma once

#include "wire/jrec.h"

struct once;

enum { ONCE_KEEP_MS = 5 * 24 * 3600 * 1000 };

struct once *once_new(void);
void once_free(struct once **op);
void once_key(str from, const str rcpts[], size_t n, const uint8_t digest[32], uint8_t key[16]);
bool once_find(struct once *o, const uint8_t key[16], uint64_t now_ms, struct msg_id *id);
/* Between these the key is the caller's: two retries at the same time must not
 * both be new.  Claim, then find.  Waits for another claim of the key; false:
 * not until until_ms (clock_ms). */
bool once_claim(struct once *o, const uint8_t key[16], uint64_t until_ms) MUST_CHECK;
void once_release(struct once *o, const uint8_t key[16]);
void once_add(struct once *o, const struct jrec_pending *p);
void once_answered(struct once *o, const struct msg_id *id);
void once_replay(struct once *o, enum jrec_kind kind, str payload);	/* journal_want.replay */
void once_head(struct once *o, uint64_t now_ms, struct buf *b);	/* packed JREC_PENDING payload */
