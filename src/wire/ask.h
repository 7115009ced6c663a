/* SPDX-License-Identifier: ISC */
/*
 * ask: the questions gate asks house over their channel, and the answers.
 * Flat little-endian records (wire/pack.h); either side treats the other as
 * hostile: limits are checked here, wrong records are RC_BAD.
 *
 * Types (struct chan_msg.type), gate → house:
 *	ASK_RESOLVE	body: ask_question          → ASK_RESOLVED, same id
 *	ASK_JOURNAL	body: 8 bytes, the last sequence number of gate's journal that
 *			is synced; house applies up to it.  No answer.
 * house → gate:
 *	ASK_RESOLVED	body: ask_answer
 *	ASK_FORGET	body empty: forget every cached answer
 *	ASK_APPLIED	body: 8 bytes; gate's journal is applied and synced up to this
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum ask_type { ASK_RESOLVE = 1, ASK_JOURNAL, ASK_RESOLVED, ASK_FORGET, ASK_APPLIED };

enum { ASK_ADDRESS = 640, ASK_TARGETS = 1000 };

struct ask_question {
	str address;		/* as in RCPT, unquoted; UTF-8; "postmaster" alone too */
};

enum ask_status {
	ASK_LOCAL = 1,		/* ours; targets and policy are set */
	ASK_UNKNOWN,		/* our domain, no such address          550 5.1.1 */
	ASK_RELAY,		/* not our domain                       550 5.7.1 */
	ASK_FULL,		/* a target is over its quota           452 4.2.2 */
	ASK_DISABLED,		/* the account is disabled              550 5.2.1 */
	ASK_LATER,		/* house could not find out             451 4.3.0 */
};

struct ask_answer {
	enum ask_status status;
	str address;		/* canonical: lower case, A-label domain, no +tag */
	size_t ntargets;
	uint64_t *targets;	/* account ids, no duplicates */
	int32_t threshold;	/* thousandths */
	bool observe;		/* record the score, do not refuse for it */
};

void ask_put_question(struct buf *b, const struct ask_question *q);
enum rc ask_get_question(str body, struct ask_question *q);	/* views into body */
void ask_put_answer(struct buf *b, const struct ask_answer *a);
enum rc ask_get_answer(str body, struct arena *mem, struct ask_answer *a);
void ask_put_seq(struct buf *b, uint64_t seq);
enum rc ask_get_seq(str body, uint64_t *seq);
