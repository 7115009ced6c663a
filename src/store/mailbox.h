/* SPDX-License-Identifier: ISC */
/*
 * mailbox: making, naming and removing mailboxes.
 *
 * Names are UTF-8 (NFC), '/' between levels, INBOX in capitals; a level that nobody made
 * exists only as a part of names below it.  A mailbox has an id that is never used again
 * (MAILBOXID, RFC 8474) and a UIDVALIDITY that is never used again in the account.
 * What was deleted is kept, with its messages, for MAILBOX_KEPT_MS, counts for the quota, and
 * can be brought back (mailbox_restore).
 *
 * All of these are one transaction each, synced before they return; sessions that have
 * the mailbox open are told.  Any thread.
 */
#pragma once

#include "store/store.h"

#define MAILBOX_KEPT_MS (14ull * 24 * 60 * 60 * 1000)

enum {	/* of an account; more are RC_LIMIT */
	MAILBOXES_MOST = 10000,
	SUBSCRIPTIONS_MOST = 10000,	/* names without a mailbox that are subscribed */
};

struct mailbox {
	uint64_t id;
	str name, special;		/* special: "\\Trash" or "" */
	bool subscribed;
	uint32_t uidvalidity, uidnext, messages, unseen, deleted;	/* deleted: with \Deleted */
	uint64_t bytes, deleted_bytes, modseq;	/* modseq: HIGHESTMODSEQ */
	uint32_t recent;		/* how many no session was told of */
};

/* All in the order of their names' bytes, INBOX first; bytes, deleted and recent only where asked. */
enum rc mailbox_list(struct store *s, uint64_t account, bool sums, struct arena *mem,
	struct mailbox **out, size_t *n, struct err *err) MUST_CHECK;
/* RC_NONE: no such mailbox. */
enum rc mailbox_by_name(struct store *s, uint64_t account, str name, bool sums, struct arena *mem,
	struct mailbox *out, struct err *err) MUST_CHECK;
/* Names that are subscribed and of which there is no mailbox (RFC 9051 6.3.7). */
enum rc mailbox_lost_subscriptions(struct store *s, uint64_t account, struct arena *mem, str **out,
	size_t *n, struct err *err) MUST_CHECK;

/* RC_BAD: it is there; special "" or an attribute that no other one may have (RC_PERM, as for a
 * name that cannot be). */
enum rc mailbox_create(struct store *s, uint64_t account, str name, str special, uint64_t *id,
	struct err *err) MUST_CHECK;
/* RC_NONE: not there. RC_PERM: INBOX. Children stay. */
enum rc mailbox_delete(struct store *s, uint64_t account, str name, struct err *err) MUST_CHECK;
/* Children move too; INBOX's messages move into a new mailbox, a transaction for each CHANGE_MOST,
 * and it stays (RFC 9051 6.3.6).
 * RC_BAD: the new name is there. RC_PERM: a name that cannot be, or below itself. */
enum rc mailbox_rename(struct store *s, uint64_t account, str from, str to, struct err *err)
	MUST_CHECK;
/* RENAME of INBOX, one transaction of it: again until *more is false. */
struct inbox_move {
	uint64_t to;		/* 0: not made yet */
	uint32_t end;		/* what came after it began stays */
};
enum rc mailbox_empty_inbox(struct store *s, uint64_t account, str to, struct inbox_move *m,
	bool *more, struct err *err) MUST_CHECK;
enum rc mailbox_subscribe(struct store *s, uint64_t account, str name, bool on, struct err *err)
	MUST_CHECK;

/* What can be brought back: names with the time of their deletion. */
typedef enum rc mailbox_gone_fn(uint64_t id, str name, uint64_t deleted_ms, uint64_t messages,
	void *arg, struct err *err);
enum rc mailbox_gone(struct store *s, uint64_t account, mailbox_gone_fn *fn, void *arg,
	struct err *err) MUST_CHECK;
/* RC_NONE: nothing of that name is kept; where the name is taken again it comes back as
 * "name (restored)", which *as tells. */
enum rc mailbox_restore(struct store *s, uint64_t account, str name, struct arena *mem, str *as,
	struct err *err) MUST_CHECK;
/* Removes for good what was deleted before that time: house does so once an hour. */
enum rc mailbox_prune(struct store *s, uint64_t before_ms, struct err *err) MUST_CHECK;
