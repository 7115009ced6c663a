/* SPDX-License-Identifier: ISC */
/*
 * journal_int: one file of a journal, as bytes; shared by writer and readers.
 *
 * A file begins with a head of 40 bytes: magic, version, number of its first
 * record, 16 random bytes (the salt), check.  Then records without gaps:
 *
 *	 0  magic      4
 *	 4  kind       4
 *	 8  length     4	of the payload
 *	12  after      4	how many numbers back the last synced record was
 *	16  number     8
 *	24  prev       8	sum of the record before, over files too; 0 for number 1
 *	32  sum        8	SHA-256 over salt, bytes 0-31 and payload, its first 8
 *	40  check      8	SipHash under the salt, over bytes 0-39
 *	48  payload
 *
 * A record can so be told whole without the one before it.  `after` tells a
 * torn batch from damage: what a later whole record says was synced must be
 * there, anything after that was never promised to anybody.  The salt keeps
 * bytes inside payloads, which strangers choose, from passing for records.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "journal/journal.h"

enum {
	JFILE_HEAD = 40,
	JFILE_RECORD = 48,
	JFILE_PAYLOAD = 8 * 1024 * 1024,	/* JREC_PENDING with every entry fits */
	JFILE_NAME = 32,
};

struct jfile {
	int fd;
	uint64_t first;		/* from its name */
	bool headed;		/* the head was read or written */
	uint64_t salt[2];
	uint64_t pos;		/* where the next record begins */
	uint64_t next;		/* its number */
	uint64_t sum;		/* of the record before it */
	bool linked;		/* sum is known: prev must be it */
	struct buf mem;
};

struct jfile_record {
	uint64_t seq, after, sum, at;	/* at: where it begins */
	enum jrec_kind kind;
	str payload;		/* until the next call */
};

void jfile_name(uint64_t first, char out[JFILE_NAME]);
/* First numbers of all files there are, in order; malloc'd. */
enum rc jfile_list(int dirfd, uint64_t **firsts, size_t *n, struct err *err) MUST_CHECK;
enum rc jfile_open(int dirfd, uint64_t first, bool write, struct jfile *f, struct err *err)
	MUST_CHECK;
void jfile_close(struct jfile *f);
/* RC_NONE: no whole record here (yet). RC_PERM: whole, but not the one that follows. */
enum rc jfile_next(struct jfile *f, struct jfile_record *out, struct err *err) MUST_CHECK;
/* Is there, after the place where jfile_next() stopped, a whole record that
 * says that the one missing here had been synced? */
enum rc jfile_lost(struct jfile *f, bool *lost, struct err *err) MUST_CHECK;
/* Are there only zeros from f->pos to the end? */
enum rc jfile_blank(struct jfile *f, bool *blank, struct err *err) MUST_CHECK;
enum rc jfile_damage(const struct jfile *f, const char *what, struct err *err);

void jfile_put_head(struct jfile *f, struct buf *b);	/* with a new salt */
/* Appends a record; moves f->next and f->sum (not pos). */
void jfile_put(struct jfile *f, struct buf *b, enum jrec_kind kind, str payload,
	uint64_t synced);
