/* SPDX-License-Identifier: ISC */
/*
 * change_int: what change.c, expunge.c and the mailbox files share: a transaction over one
 * account, the rows of messages in a mailbox, and the ways they come and go.
 * Private to store/; everything but tx_run() wants the shard's lock.
 */
#pragma once

#include "store/change.h"
#include "store/notes.h"
#include "store/store_int.h"

struct tx {
	struct store *s;
	struct shard *sh;
	struct account a;
	uint64_t modseq;	/* of everything it does; 0: it has done nothing yet */
	struct notes notes;
	struct arena *mem;
	bool counted_lost;
	uint64_t lost;		/* subscribed names without a mailbox */
};

/*
 * Runs fn as one transaction with one modseq; what fails leaves nothing.  Afterwards, under no
 * lock, it is on disk.  An account that is not there is made.
 */
typedef enum rc tx_fn(struct tx *t, void *arg, struct err *err);
enum rc tx_run(struct store *s, uint64_t account, tx_fn *fn, void *arg, struct err *err)
	MUST_CHECK;
/* The transaction's modseq, taken when it is first asked for. */
uint64_t tx_modseq(struct tx *t);
/* The reader said what the message is. */
enum rc tx_lesson(struct tx *t, const struct msg_id *id, bool spam, struct err *err) MUST_CHECK;
/* A mailbox was made, named anew, brought back, or (deleted) went. */
void tx_note_mailbox(struct tx *t, uint64_t mailbox, bool deleted);

/* A mailbox's row while it is being changed. */
struct box {
	uint64_t id;
	uint32_t uidvalidity, uidnext;
	uint64_t had;			/* messages, before */
	int64_t messages, unseen;	/* how many more */
	bool junk, trash, kept;		/* kept: deleted, and only to be emptied */
};

enum rc box_load(struct tx *t, uint64_t mailbox, struct box *b, struct err *err) MUST_CHECK;
enum rc box_save(struct tx *t, const struct box *b, struct err *err) MUST_CHECK;

/* A message's row in a mailbox. */
struct placed {
	uint32_t uid;
	bool joined;		/* no other message is between it and the one before in the list */
	unsigned flags;
	str keywords;
	uint64_t modseq, size, received_ms, saved_ms, thread;
	int64_t sent_s;
	struct msg_id id;
};

/* Those of the UIDs (ascending, at most CHANGE_MOST) that are there; in t->mem. */
enum rc placed_read(struct tx *t, uint64_t mailbox, const uint32_t *uids, size_t n,
	struct placed **out, size_t *nout, struct err *err) MUST_CHECK;
/* The first CHANGE_MOST of a mailbox. */
enum rc placed_first(struct tx *t, uint64_t mailbox, struct placed **out, size_t *nout,
	struct err *err) MUST_CHECK;
/* A new row for each, with the next UIDs of `to`: to_uids[i] of list[i]. */
enum rc placed_add(struct tx *t, struct box *to, const struct placed *list, size_t n,
	uint32_t *to_uids, struct err *err) MUST_CHECK;
/* Their rows go, and VANISHED is remembered. */
enum rc placed_leave(struct tx *t, struct box *from, const struct placed *list, size_t n,
	struct err *err) MUST_CHECK;
/* One reference to each message more, or less: the last one's end is the message's end. */
enum rc email_hold(struct tx *t, const struct placed *list, size_t n, struct err *err) MUST_CHECK;
enum rc email_release(struct tx *t, const struct placed *list, size_t n, struct err *err)
	MUST_CHECK;
