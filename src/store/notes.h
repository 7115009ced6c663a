/* SPDX-License-Identifier: ISC */
/*
 * notes: what a transaction does to mailboxes, written down while it runs, and told to views and
 * watchers once it is committed.  Private to store/; with the shard's lock.
 *
 *	struct notes n = notes_for(account);
 *	... db_begin, statements, notes_add(&n, …) for each row added, changed or removed ...
 *	db_commit == RC_OK ? notes_publish(s, &n) : (void)0;
 *	notes_clear(&n);
 *
 * Every commit to a shard's index goes through notes_publish(), also with nothing noted:
 * it counts commits, and store_settle() knows by the count what has to be synced.
 */
#pragma once

#include "store/view.h"

enum note_kind {
	NOTE_ADDED,	/* row: all of it */
	NOTE_MARKED,	/* many, ascending; row: modseq */
	NOTE_GONE,	/* row: uid, modseq */
	NOTE_FACTS,	/* row: uid, sent_s: found out later; nobody is woken */
	NOTE_MAILBOX,	/* made, renamed, subscribed, deleted, brought back */
};

/* A message whose flags or keywords have changed. */
struct marked {
	uint32_t uid;
	unsigned flags;
	str keywords;
};

struct note {
	enum note_kind kind;
	uint64_t mailbox;
	bool deleted;		/* NOTE_MAILBOX: it is gone now */
	struct view_row row;	/* keywords are copied */
	const struct marked *many;	/* NOTE_MARKED; the transaction's memory */
	size_t nmany;
};

struct notes {
	uint64_t account;
	size_t n, room;
	struct note *at;
	char **strings;		/* copies */
	size_t nstrings;
};

struct notes notes_for(uint64_t account);
void notes_add(struct notes *n, const struct note *one);
void notes_publish(struct store *s, struct notes *n);
void notes_clear(struct notes *n);
