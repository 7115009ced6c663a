/* SPDX-License-Identifier: ISC */
/*
 * ledger: what happened to every message, built from the journals by house.
 *
 * data/ledger/YYYY-MM.db by the time of the record; each month keeps, per
 * journal, the number of the last record entered, in the same transaction.  Message records of a journal are numbered here
 * without holes (`ordinal`), so that a removed row shows.  Addresses stay
 * ledger_keep, afterwards only figures.  Refusals at RCPT are counts per network
 * and minute.
 *
 * Used by house's applying threads (writing: enter, applied, checkpoint and age
 * may be called by any) and by verbs (reading, each with its own handle).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "journal/journal.h"

struct ledger;

struct ledger_want {
	int data;		/* the data folder; must stay open */
	bool read_only;
};

enum rc ledger_open(const struct ledger_want *w, struct ledger **out, struct err *err) MUST_CHECK;
void ledger_close(struct ledger **lp);

/* Enters records with their numbers, in order, in one transaction; what is
 * already in is passed over.  Every kind is given, kinds without a row only
 * move the position. */
enum rc ledger_enter(struct ledger *l, const char *journal, const struct journal_item *items,
	size_t n, struct err *err) MUST_CHECK;
enum rc ledger_applied(struct ledger *l, const char *journal, uint64_t *seq, struct err *err)
	MUST_CHECK;
enum rc ledger_checkpoint(struct ledger *l, struct err *err) MUST_CHECK;
/* Removes addresses older than keep_ms. */
enum rc ledger_age(struct ledger *l, uint64_t now_ms, uint64_t keep_ms, struct err *err)
	MUST_CHECK;

/* Of ledger_row.flags, beside enum jrec_flag: refused recipients were given a link. */
enum { LEDGER_LINK = 1 << 30 };

struct ledger_rcpt {
	str address, enhanced, reason;
	enum jrec_answer answer;
	unsigned code;
	int32_t score;
	size_t ntargets;
	uint64_t *targets;
};

struct ledger_row {
	str journal;
	uint64_t seq, ordinal, time_ms, size;
	struct msg_id id;
	struct ip client;
	str helo, from, findings;
	uint32_t flags;			/* enum jrec_flag */
	size_t nrcpts;
	struct ledger_rcpt *rcpts;
};

struct ledger_query {
	uint64_t since_ms;		/* 0: from the beginning */
	str from, to, id;		/* "": any; addresses compared without case */
	size_t most;			/* 0: all; the newest ones otherwise */
};

typedef enum rc ledger_fn(const struct ledger_row *row, void *arg, struct err *err);
/* Rows by time, oldest first; each row's memory until fn returns. */
enum rc ledger_find(struct ledger *l, const struct ledger_query *q, ledger_fn *fn, void *arg,
	struct err *err) MUST_CHECK;

struct ledger_figures {
	uint64_t messages, delivered, refused, not_now;		/* answers per recipient */
	uint64_t unknown, relay, full, other;			/* at RCPT */
};

enum rc ledger_figures(struct ledger *l, uint64_t since_ms, struct ledger_figures *out,
	struct err *err) MUST_CHECK;

/* Holes in ordinals, databases that are unsound: a sentence each. */
typedef void ledger_damage_fn(const char *sentence, void *arg);
enum rc ledger_check(struct ledger *l, ledger_damage_fn *fn, void *arg, struct err *err)
	MUST_CHECK;
enum rc ledger_copy(struct ledger *l, int dirfd, struct err *err) MUST_CHECK;
