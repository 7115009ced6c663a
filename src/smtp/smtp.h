/* SPDX-License-Identifier: ISC */
/*
 * smtp: sessions of the door for strangers' mail (RFC 5321), run by a
 * net/service.  Everything a session needs from the process stands in a
 * struct smtp_gate; a session knows no SQL, no mailbox, no other session.
 *
 * The way of a message (architecture, "The way of a message"):
 *	RCPT	remote_ask(), parked until answered
 *	DATA	spooled as it comes (smtp_data.c), digest taken
 *	end	given to the verdict pool (smtp_verdict.c): scanner, checks, answers,
 *		trace block, sync, journal; parked until woken; then the replies.
 *		What cost two scanners or is past their limits is refused unread
 */
#pragma once

#include "base/err.h"
#include "conf/conf.h"
#include "directory/remote.h"
#include "filter/clamd.h"
#include "journal/journal.h"
#include "journal/once.h"
#include "net/pool.h"
#include "net/service.h"
#include "scan/scan.h"

struct smtp_counts;	/* refusals at RCPT, see smtp_counts.h */
struct smtp_splits;	/* remembered splits of differing verdicts, see smtp_split.h */
struct smtp_recent;	/* what happened not long ago, see smtp_recent.h */

struct held;

struct smtp_gate {
	int incoming;			/* folder of spooled and accepted files */
	struct service *service;
	struct remote *remote;
	struct scanners *scanners;
	struct clamd *clamd;		/* NULL: no virus scanning */
	struct journal *journal;
	struct once *once;
	struct held *held;		/* NULL: no key, nothing is held */
	struct pool *verdicts;
	struct smtp_counts *counts;
	struct smtp_splits *splits;
	struct smtp_recent *known;	/* clients that delivered before: no greet delay */
	struct smtp_recent *samples;	/* infected ones for abuse@, by network and hour */
	struct smtp_recent *killers;	/* messages that cost scanners */
	struct smtp_recent *stallers;	/* messages that clamd does not finish */
	_Atomic unsigned full;		/* the last write found the disk full (clock_ms/1000) */
};

/* Fills in counts, splits, known and killers; the caller has filled in the rest. */
void smtp_gate_init(struct smtp_gate *g);
void smtp_gate_clear(struct smtp_gate *g);
/* Once a minute: counts go into the journal, what is old is forgotten. */
void smtp_gate_minute(struct smtp_gate *g, uint64_t wall_ms);

extern const struct session_kind smtp_kind;	/* its arg: struct smtp_gate */
