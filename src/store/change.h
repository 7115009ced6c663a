/* SPDX-License-Identifier: ISC */
/*
 * change: what readers do to messages: flags, copies, moves, removal.
 *
 * Each is one transaction with one modseq, however many messages; on disk (synced, together
 * with what others do at the moment) when it returns RC_OK, and views and watchers know of it.  UIDs that are
 * not there (any more) are passed over.  Lists of UIDs are ascending, of at most
 * CHANGE_MOST: a command with more does several.  Any thread.
 *
 * Training: a message that comes into the mailbox with \Junk, or gets $Junk, is remembered as
 * spam; one that leaves that mailbox (but for the bin) or gets $NotJunk as none: store_lessons().
 */
#pragma once

#include "store/store.h"

enum {
	CHANGE_MOST = 1024,
	FLAGS_MOST = 8192,	/* of change_flags() */
	KEYWORDS_BYTES = 2048,
	/* Rows are small but not nothing, and no quota of bytes counts them.  What is delivered
	 * comes in all the same. */
	MAILBOX_MESSAGES_MOST = 1000 * 1000,
	ACCOUNT_MESSAGES_MOST = 4 * 1000 * 1000,	/* in all mailboxes; deleted ones, copies too */
};

struct store_place {
	uint64_t account, mailbox;
};

enum change_how { CHANGE_SET, CHANGE_ADD, CHANGE_REMOVE };

struct change_flags {
	enum change_how how;
	unsigned flags;		/* enum store_flag */
	str keywords;		/* sorted, a blank between */
	bool conditional;	/* UNCHANGEDSINCE (RFC 7162 3.1.3): those changed after are left */
	uint64_t unchanged_since;
	uint64_t *before;	/* room for n, or NULL: the modseq that each had until now; 0: gone */
};

/* *modseq: of the change; 0: nothing was changed.  modified: UIDs that were left because of
 * `conditional`, room for n; may be NULL without it. */
enum rc change_flags(struct store *s, struct store_place at, const uint32_t *uids, size_t n,
	const struct change_flags *c, uint64_t *modseq, uint32_t *modified, size_t *nmodified,
	struct err *err) MUST_CHECK;

struct change_copied {
	uint32_t uidvalidity;
	size_t n;
	uint32_t *from, *to;	/* room for as many as were asked; from ascending, to[i] of from[i] */
};

/* With flags and keywords; keeps SAVEDATE new, modseq new.  RC_NONE: no such mailbox.
 * RC_LIMIT: CHANGE_MOST, or there would be more messages than may be.  Copies are rows: a
 * message counts once for the quota. */
enum rc change_copy(struct store *s, struct store_place from, uint64_t to, const uint32_t *uids,
	size_t n, struct change_copied *out, struct err *err) MUST_CHECK;
/* The same, and they leave `from` (RFC 6851), in one transaction; *modseq: of from. */
enum rc change_move(struct store *s, struct store_place from, uint64_t to, const uint32_t *uids,
	size_t n, struct change_copied *out, uint64_t *modseq, struct err *err) MUST_CHECK;
/* Removes them whatever their flags; gone[] are those that were there (room for n). */
enum rc change_expunge(struct store *s, struct store_place at, const uint32_t *uids, size_t n,
	uint32_t *gone, size_t *ngone, uint64_t *modseq, struct err *err) MUST_CHECK;

/* The same, but only those that are marked \Deleted at that moment: what a reader has taken
 * back stays. */
enum rc change_expunge_marked(struct store *s, struct store_place at, const uint32_t *uids,
	size_t n, uint32_t *gone, size_t *ngone, uint64_t *modseq, struct err *err) MUST_CHECK;

/* How many messages more may be put into the mailbox.  RC_NONE: no such mailbox. */
enum rc change_room(struct store *s, struct store_place to, uint64_t *left, struct err *err)
	MUST_CHECK;

/* One message's long facts, for FETCH. RC_NONE: gone.  Strings in mem; a field that is not
 * known is "" (structure, envelope) or has its `known` false: ask a scanner (store/learn.h). */
struct store_texts {
	str envelope, structure;	/* wire/facts.h, packed */
	bool known_preview, known_head;
	str preview;
	str head;			/* wire/head.h: header fields that are kept */
	uint32_t trace_bytes;		/* TRACE_BLOCK, or 0: offsets of structure begin there */
	uint32_t header_bytes;		/* of what follows the trace block; 0: not known */
};

enum store_text { STORE_ENVELOPE = 1, STORE_STRUCTURE = 2, STORE_PREVIEW = 4, STORE_HEAD = 8 };

/* n messages of one account, in the order given, only the texts wanted (enum store_text,
 * or-ed); out[i].header_bytes UINT32_MAX: gone. */
enum rc store_texts(struct store *s, uint64_t account, const struct msg_id *const ids[], size_t n,
	unsigned want, struct arena *mem, struct store_texts *out, struct err *err) MUST_CHECK;
