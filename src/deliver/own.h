/* SPDX-License-Identifier: ISC */
/*
 * own: house's own journal: messages that house itself has to deliver (released
 * originals, notices), by the same way as the gate's: a file in incoming/, a record, a
 * sync, then into the mailboxes.
 *
 * Who delivers takes the turn first (own_take), so that there is one at a time, then
 * own_settle(): what an earlier one has committed, perhaps in a process that was killed
 * right after, is applied before anybody looks what was delivered.  Any thread.
 */
#pragma once

#include "base/fs.h"
#include "base/thread.h"
#include "deliver/apply.h"

struct own;

struct own_want {
	/* journal, applied and round are this module's. */
	struct apply_want apply;
	uint64_t journal_keep_ms;
	bool thread;		/* a server; else what is to be applied is applied in the calls */
};

/* What an earlier process has committed is applied when it returns, if that is possible. */
enum rc own_open(const struct own_want *w, struct own **out, struct err *err) MUST_CHECK;
void own_close(struct own **op);	/* applies what is committed */

/* LOCK_AUTO held = lock_take(own_turn(o)); */
pthread_mutex_t *own_turn(struct own *o);
/* RC_TEMP: it takes too long; try later. */
enum rc own_settle(struct own *o, struct err *err) MUST_CHECK;
/* Where spooled files are made. */
int own_incoming(const struct own *o);
/*
 * Names the spooled file after m->id, fills in m's size and digest, commits the record,
 * synced, and waits until it is in the mailboxes.  A file of that name is one of an
 * attempt that was cut off, and is replaced.  RC_OK: it is, or will be, delivered; the
 * spool has been closed.  With the turn.
 */
enum rc own_deliver(struct own *o, struct fs_spool *file, struct jrec_message *m,
	struct err *err) MUST_CHECK;
