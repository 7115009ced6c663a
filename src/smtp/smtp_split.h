/* SPDX-License-Identifier: ISC */
/*
 * smtp_split: one answer for a message whose recipients deserve different ones.
 *
 * SMTP has one reply to DATA for all recipients.  Where PRDR was not asked for
 * and some recipients take a message that others refuse for its score, neither
 * 250 (somebody gets what he refuses) nor 550 (somebody loses mail) is right.
 * So the first attempt is answered 451, and what each recipient would have said
 * is remembered.  At the next attempt the first recipient that is known
 * decides which group this transaction is for; the others get 452 4.5.3, which
 * every client must be ready to get for any recipient (RFC 5321 4.5.3.1.10).
 *
 *	attempt 1	DATA 451 for all
 *	attempt 2	group A: 250 (or 550); group B: 452 at RCPT
 *	attempt 3	group B alone: its answer
 *
 * Postfix, Exim and sendmail keep recipients apart in their queues: those with
 * 250 or 550 are done, those with 452 are tried again with the next run.  Some
 * clients try 452-ed recipients at once in a further transaction: that is
 * attempt 3 without the wait.  A client that comes from another network each
 * time meets no memory at RCPT; one that drops the whole transaction at the
 * first 452 never reaches DATA.  Neither may go round for ever, therefore:
 *
 *	- splits (a 451, or a transaction with a 452 at RCPT) are counted by sender,
 *	  recipients and digest of the first attempt, without the network; after
 *	  four, or an hour after the first, nothing is split any more and the most
 *	  lenient score verdict decides for all that are there (never about a
 *	  virus: that is the same for everybody and splits nothing);
 *	- what a recipient would have said is forgotten an hour after the first 451,
 *	  so that later messages of the same sender are not taken apart.
 *
 * At most 65,536 rows of about 130 bytes, the oldest out first: who fills the
 * table causes others a further attempt, no more.  Keys are digests; nothing
 * here can be read back.  Lost at a restart: the first attempt is then made
 * again.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"

struct smtp_splits;

enum {
	SMTP_SPLITS_MOST = 65536,
	SMTP_SPLITS_TIMES = 4,
	SMTP_SPLITS_MS = 3600 * 1000,
	SMTP_SPLITS_KEEP_MS = 5 * 24 * 3600 * 1000, /* as long as senders try */
};

enum smtp_group { SMTP_GROUP_NONE, SMTP_GROUP_DELIVER, SMTP_GROUP_REFUSE };

struct smtp_split { /* a transaction whose verdicts differ */
	struct ip client;
	str from;
	size_t n;
	const str *rcpts; /* canonical */
	const enum smtp_group *groups;
	const uint8_t *digest; /* 32 bytes */
};

struct smtp_splits *smtp_splits_new(void);
void smtp_splits_free(struct smtp_splits **sp);
/* At RCPT: what this recipient said to the sender's last attempt. */
enum smtp_group smtp_split_group(struct smtp_splits *s, const struct ip *client, str from,
	str rcpt, uint64_t now_ms);
/* The first 452 of a transaction for it was given to this recipient. */
void smtp_split_given(struct smtp_splits *s, const struct ip *client, str from, str rcpt,
	uint64_t now_ms);
/* At the end of DATA.  True: remembered, answer 451.  False: it went on for long
 * enough, the most lenient verdict decides. */
bool smtp_split_again(
	struct smtp_splits *s, const struct smtp_split *what, uint64_t now_ms);
void smtp_splits_age(struct smtp_splits *s, uint64_t now_ms);
