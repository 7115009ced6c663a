/* SPDX-License-Identifier: ISC */
/*
 * marks: flags, keywords and modseqs of the messages of a mailbox that were changed since they
 * came (doc/marks.md).  mailbox_email says what a message came with; where there is a mark,
 * the mark counts.  Marks of MARKS_BLOCK UIDs are one row, in which neighbours that were changed
 * alike are one entry; so a command over a whole mailbox writes a few pages.
 *
 *	MARKS_AUTO m = marks_of(db, account, mailbox);
 *	rc = marks_find(&m, uid, &mark, err);		UIDs ascending
 *	rc = marks_put(&m, uid, &mark, err);		in a transaction, ascending, and then
 *	rc = marks_save(&m, err);
 *
 * UIDs are never given again, so a mark may outlive its message; it goes with the last message of
 * its block.  RC_PERM: a row cannot be read.  Private to store/; whoever may use the database.
 */
#pragma once

#include "base/buf.h"
#include "db/db.h"

enum { MARKS_BLOCK = 128 };

struct mark {
	bool set;
	unsigned flags;		/* enum store_flag */
	str keywords;		/* sorted, a blank between */
	uint64_t modseq;
};

struct marks {
	struct db *db;
	uint64_t account, mailbox;
	bool loaded, stored, changed;	/* stored: the block has a row */
	uint32_t asked, block;		/* there is none from `asked` on before this one */
	struct buf data;
	struct mark at[MARKS_BLOCK];	/* keywords: in data, or those that were put */
};

struct marks marks_of(struct db *db, uint64_t account, uint64_t mailbox);
void marks_clear(struct marks *m);
#define MARKS_AUTO	__attribute__((cleanup(marks_clear))) struct marks

/* *out: until the next call; NULL: it is as it came. */
enum rc marks_find(struct marks *m, uint32_t uid, const struct mark **out, struct err *err)
	MUST_CHECK;
/* The mark's keywords are the caller's until marks_save(). */
enum rc marks_put(struct marks *m, uint32_t uid, const struct mark *mark, struct err *err)
	MUST_CHECK;
enum rc marks_save(struct marks *m, struct err *err) MUST_CHECK;
/* Messages in this range have left the mailbox. */
enum rc marks_leave(struct db *db, uint64_t account, uint64_t mailbox, uint32_t first,
	uint32_t last, struct err *err) MUST_CHECK;
/* All marks of the database get this modseq (store_renew()). */
enum rc marks_renew(struct db *db, uint64_t modseq, struct err *err) MUST_CHECK;

/* A row's data as marks of its UIDs, in their order; keywords are views of it. False: it is
 * damaged. */
bool marks_unpack(str data, struct mark at[MARKS_BLOCK]) MUST_CHECK;
void marks_pack(const struct mark at[MARKS_BLOCK], struct buf *out);
