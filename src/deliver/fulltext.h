/* SPDX-License-Identifier: ISC */
/*
 * fulltext: house's thread that fills store/search.h in the background, behind what was
 * delivered (doc/full-text.md).
 *
 * Asks house's own scanners for the texts of what is new a second or so after it came,
 * shard by shard, so that a transaction has many accounts' messages; never in the way of
 * a delivery.  What was not known of a message (its structure, its preview) is filled
 * in on the way.  A message that
 * no scanner can read is entered as such, so that it is looked at itself when somebody
 * searches; it holds nothing up.
 */
#pragma once

#include "scan/scan.h"
#include "store/search.h"
#include "store/store.h"

struct fulltext;

struct fulltext_want {
	struct store *store;
	struct search *search;
	struct scanners *scanners;
	str hostname;
	uint64_t scanner_ms, unpacked;	/* as in struct scan_job */
	uint64_t delay_ms;		/* between what is due and its beginning */
};

/* The first thing it does is to look which accounts are behind. */
struct fulltext *fulltext_start(const struct fulltext_want *w);
/* Something came into the account.  Any thread; never waits. */
void fulltext_due(struct fulltext *f, uint64_t account);
/* What a scanner has said of a message that comes into a mailbox in these moments, so that it is
 * not asked again: texts are copied, and forgotten when there are too many.  Any thread. */
void fulltext_offer(struct fulltext *f, const struct msg_id *id, str head, str text, bool cut);
/* Accounts that are behind, as far as is known; for tests and figures. */
uint64_t fulltext_waiting(struct fulltext *f);
void fulltext_stop(struct fulltext **fp);	/* after the message under way */
