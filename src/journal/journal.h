/* SPDX-License-Identifier: ISC */
/*
 * journal: the append-only truth of one process (gate or house).
 *
 * data/journal/NAME/N.log, N being the sequence number of the first record,
 * in 16 digits.  A record: header (magic, kind, length, sequence number,
 * checksum) and payload.  The checksum covers the checksum of the record
 * before, so that a record that is damaged, removed or put elsewhere shows.
 * Files are filled with zeros ahead (1 MiB steps), so that a sync writes data
 * only; they roll at 64 MiB.  Sequence numbers begin at 1 and have no holes.
 *
 * Group commit: journal_commit() hands a record over and waits until it is on
 * disk.  Who finds nobody at it writes and syncs by himself; what comes meanwhile waits, and
 * one committer thread takes all of that, syncs incoming/ once (for
 * the names of their files; the files' own data the callers have synced),
 * writes all records, syncs the journal once, and wakes them.  So a record
 * that can be read implies that its file is on disk.  Unsynced records
 * (journal_note) travel with the next batch, or are written after 20 ms: a
 * killed process loses at most those, a power cut those since the last commit.
 *
 * When a write fails the batch fails as a whole (RC_LIMIT for a full disk,
 * RC_TEMP): what was written of it is taken back before anything else is.  RC_PERM:
 * that failed too, and a start may find the record whole: files it names must stay.
 *
 * One writer process, any of its threads.  Readers are other processes too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "wire/jrec.h"

struct journal;

struct journal_want {
	int dirfd;		/* journal/NAME; duplicated */
	int incoming;		/* folder whose names a commit syncs; -1: none; duplicated */
	/* Called after each sync, with the last number on disk; by one thread at a time. */
	void (*synced)(uint64_t seq, void *arg);
	/* At open, for every valid record of the newest two files, in order. */
	enum rc (*replay)(uint64_t seq, enum jrec_kind kind, str payload, void *arg);
	/* Puts the first records of a new file (JREC_PENDING) into b; may be NULL. */
	void (*head)(struct buf *b, void *arg);
	void *arg;
	uint64_t roll_bytes;	/* 0: 64 MiB */
};

/* Opens for writing: validates the newest file, cuts a torn tail, syncs.
 * RC_PERM: damaged before its end; the text says where. */
enum rc journal_open(const struct journal_want *w, struct journal **out, struct err *err)
	MUST_CHECK;
void journal_close(struct journal **jp);	/* commits what waits */

enum rc journal_commit(struct journal *j, enum jrec_kind kind, str payload, bool sync_names,
	uint64_t *seq, struct err *err) MUST_CHECK;
void journal_note(struct journal *j, enum jrec_kind kind, str payload);
uint64_t journal_synced(struct journal *j);
/* Removes files that hold nothing after `seq` and are older than keep_ms; the
 * newest two always stay. */
void journal_trim(struct journal *j, uint64_t seq, uint64_t keep_ms);

/*
 * Reading, from any process.  journal_next() gives records after the position
 * one by one; RC_NONE at `until` or at the end of what is whole: ask again
 * later.  RC_PERM: damage before the end (a later record is whole, or a file
 * is missing between two); err says which record.
 */
struct journal_reader;

struct journal_item {
	uint64_t seq;
	enum jrec_kind kind;
	str payload;		/* until the next call */
};

enum rc journal_read_open(int dirfd, uint64_t after, struct journal_reader **out,
	struct err *err) MUST_CHECK;
enum rc journal_next(struct journal_reader *r, uint64_t until, struct journal_item *item,
	struct err *err) MUST_CHECK;
void journal_read_close(struct journal_reader **rp);
/* The oldest and newest whole record there is; 0, 0 for an empty journal, 0 and
 * the last number if only an empty file is left. */
enum rc journal_bounds(int dirfd, uint64_t *first, uint64_t *last, struct err *err) MUST_CHECK;
