/* SPDX-License-Identifier: ISC */
/*
 * apply: house's thread that turns journal records into mailboxes and ledger.
 *
 * Reads a journal up to what its writer says is synced, in batches of at most
 * 256 records: store_deliver(), then ledger_enter() and refusals_enter().  What an account's owner
 * removed meanwhile goes to the heir (directory's account_heir): what was
 * accepted is never refused later.  Failures (disk full) are tried again with
 * growing pauses and lose nothing.  At a damaged record it stops, and says so
 * again and again, because what is behind it may be anybody's (likewise if the
 * journal ends before what was applied: a part of it is missing); a message whose
 * file is gone is logged and passed over, and audit goes on naming it.
 *
 * Every `checkpoint`, and when idle: store, ledger and register are synced, files in
 * incoming/ of applied records are removed, and `applied` is told how far the
 * journal's writer may trim.  At start the sweep removes files in incoming/
 * that no record after the checkpoint names and that are older than an hour
 * (nobody was answered 250 for them), and temporary files likewise.
 */
#pragma once

#include "base/err.h"
#include "directory/directory.h"
#include "held/refusals.h"
#include "ledger/ledger.h"
#include "store/store.h"

struct apply;

struct apply_want {
	int data;
	const char *journal;		/* "gate" or "house" */
	struct directory *directory;
	struct store *store;
	struct ledger *ledger;
	struct refusals *refusals;
	struct apply *with;		/* takes turns with this one, which ends later; may be NULL */
	uint64_t checkpoint_ms, ledger_keep_ms;
	void (*applied)(uint64_t seq, void *arg);	/* synced up to here; may be NULL */
	void (*delivered)(uint64_t account, void *arg);	/* something came into it; may be NULL */
	void (*crossed)(uint64_t account, void *arg);	/* may now be over or under quota; may be NULL */
	/* A message is in a mailbox, not yet durably: its UID, 0: not known; may be NULL */
	void (*placed)(const struct msg_id *id, uint32_t uid, void *arg);
	/* After each round of the thread, an hour apart at most, under no lock; may be NULL */
	void (*round)(void *arg);
	void *arg;
};

enum rc apply_open(const struct apply_want *w, struct apply **out, struct err *err) MUST_CHECK;
void apply_close(struct apply **ap);	/* stops the thread after its batch, checkpoints */
/* The journal is synced up to seq: any thread. */
void apply_upto(struct apply *a, uint64_t seq);
/* The journal's writer has ended, perhaps in the middle: what is in it is made durable
 * and may be applied up to *last. */
enum rc apply_ended(struct apply *a, uint64_t *last, struct err *err) MUST_CHECK;
/* Applies everything up to seq on the caller's thread: without apply_start(), or beside its
 * thread, which then has not to be woken for it. */
enum rc apply_all(struct apply *a, uint64_t seq, struct err *err) MUST_CHECK;
enum rc apply_checkpoint(struct apply *a, struct err *err) MUST_CHECK;
void apply_start(struct apply *a);	/* its thread */
uint64_t apply_position(struct apply *a);
/* Waits until the position is seq or past it; false: not until then (clock_ms). */
bool apply_wait(struct apply *a, uint64_t seq, uint64_t until_ms);
/* Between these nothing is delivered: who removes an account and its mailboxes
 * holds, so that nothing is put into them after that; also for those `with` it. */
void apply_hold(struct apply *a);
void apply_release(struct apply *a);
