/* SPDX-License-Identifier: ISC */
/*
 * store: accounts' mailboxes and messages.
 *
 * The index lies in 16 databases, data/index/N.db, N = account id mod 16 (doc/index-shards.md);
 * every table's key begins with account_id.  Message files: data/accounts/ID/YYYYMM/MSGID.
 *
 * Everything comes in through journal records, applied idempotently: a message the account has,
 * or had and removed, is not delivered again.  Commits are NORMAL (not synced), hard links too;
 * store_checkpoint() makes durable what is applied and writes down how far that is.  After a
 * restart store_applied() says what was written down, and the journal is applied from there.
 *
 * Model (JMAP-shaped): mailbox, email (immutable; one per account and message), mailbox_email
 * (uid, flags, keywords, modseq), expunged, thread.  One modseq counter per account, UIDs
 * per mailbox, UIDVALIDITY fixed at its making.
 *
 * Any thread; each shard has its lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ids.h"

struct store;

enum { STORE_SHARDS = 16 };

struct store_want {
	int data;		/* the data folder; must stay open */
	size_t cache_bytes;	/* of each index database */
	bool read_only;
	/* A session that watches a mailbox is to be woken; quick, never waits; may be NULL. */
	void (*wake)(uint64_t number, void *arg);
	void *arg;
};

enum rc store_open(const struct store_want *w, struct store **out, struct err *err) MUST_CHECK;
void store_close(struct store **sp);

/* Makes counters, INBOX and Drafts, Sent, Archive, Trash, Junk; there already is RC_OK. */
enum rc store_account_make(struct store *s, uint64_t account, struct err *err) MUST_CHECK;
/* Removes rows and files of an account. */
enum rc store_account_remove(struct store *s, uint64_t account, struct err *err) MUST_CHECK;

/* One copy to deliver: the file incoming/ID goes into a mailbox of the account. */
struct store_delivery {
	uint64_t account;
	uint64_t mailbox;	/* 0: INBOX, and where it is gone too */
	unsigned flags;		/* enum store_flag */
	str keywords;		/* sorted, a blank between */
	uint32_t trace_bytes;	/* of a trace block in front, which facts do not count: TRACE_BLOCK or 0 */
	uint64_t replaces_mailbox;	/* another message goes in the same transaction; uid 0: none */
	uint32_t replaces;
	uint32_t *uid;		/* out, or NULL: its UID; 0: it was there, or is in another mailbox */
	struct msg_id id;
	uint64_t size;
	uint64_t received_ms;
	uint8_t digest[32];
	str facts;		/* wire/facts.h, packed; unpacked and checked here */
};

/*
 * Applies the deliveries of journal records (journal "gate" or "house") with
 * numbers up to `seq`, given in their order, as one transaction per shard:
 * links the file, then the rows.  Deliveries whose number a shard has already
 * applied are passed over.  An account that is not there is made.  Facts that
 * cannot be unpacked cost the envelope, not the message.
 *
 * RC_OK: every shard's position is at least `seq`.  RC_LIMIT, RC_TEMP: some
 * shards have not applied it; call again.  RC_PERM: everything is applied but
 * messages whose file is neither in incoming/ nor in the account, or that
 * cannot be (err names the last): audit goes on naming them, waiting for them
 * would hold up all others; the same call now gives RC_OK.
 */
struct store_apply {
	uint64_t seq;			/* the record's number */
	struct store_delivery what;
};

enum rc store_deliver(struct store *s, const char *journal, const struct store_apply *list,
	size_t n, uint64_t seq, struct err *err) MUST_CHECK;
/* The number up to which every shard has applied. */
enum rc store_applied(struct store *s, const char *journal, uint64_t *seq, struct err *err)
	MUST_CHECK;
/* Returns when all that was committed for the account before is on disk: one sync for all who
 * wait, none without news.  What a client is told was settled, and is never taken back. */
enum rc store_settle(struct store *s, uint64_t account, struct err *err) MUST_CHECK;
/* Syncs everything applied, names too; then incoming/ may lose files of applied records. */
enum rc store_checkpoint(struct store *s, struct err *err) MUST_CHECK;

struct store_usage {
	uint64_t bytes, messages;
};
enum rc store_usage(struct store *s, uint64_t account, struct store_usage *out, struct err *err)
	MUST_CHECK;

struct store_mailbox {
	uint64_t id, uidvalidity, uidnext, messages, unseen;
	str name, special;	/* special: "\\Trash", or "" */
};

typedef enum rc store_mailbox_fn(const struct store_mailbox *m, void *arg, struct err *err);
enum rc store_mailboxes(struct store *s, uint64_t account, store_mailbox_fn *fn, void *arg,
	struct err *err) MUST_CHECK;

enum store_flag {
	STORE_SEEN = 1, STORE_ANSWERED = 2, STORE_FLAGGED = 4, STORE_DELETED = 8, STORE_DRAFT = 16,
};

struct store_message {
	uint64_t uid, modseq, size, received_ms, thread;
	unsigned flags;
	struct msg_id id;
	str envelope, structure; /* wire/facts.h, packed; "" where not known */
	bool known_preview;
	str preview;		/* RFC 8970, UTF-8 */
	uint8_t digest[32];
};

/* The messages of a mailbox by UID; uid 0: all.  RC_NONE: no such mailbox (or
 * no such message, for one uid).  fn runs without a lock and may call the
 * store; what it is given lives until it returns. */
typedef enum rc store_message_fn(const struct store_message *m, void *arg, struct err *err);
enum rc store_messages(struct store *s, uint64_t account, str mailbox, uint64_t uid,
	store_message_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* The message's file, read-only. */
enum rc store_open_message(struct store *s, uint64_t account, const struct msg_id *id, int *fd,
	struct err *err) MUST_CHECK;
/* RC_OK: it is there; RC_NONE: its reader removed it (*gone), or it never was. */
enum rc store_has(struct store *s, uint64_t account, const struct msg_id *id, bool *gone,
	struct err *err) MUST_CHECK;
/* Removes a message from a mailbox: `expunged` row, and once no mailbox of the
 * account has it a tombstone; its file goes at the next store_checkpoint(). */
enum rc store_expunge(struct store *s, uint64_t account, str mailbox, uint64_t uid,
	struct err *err) MUST_CHECK;
/* Tombstones of messages that were removed before that time go: house does so once an hour. */
enum rc store_forget(struct store *s, uint64_t before_ms, struct err *err) MUST_CHECK;
/* For audit and verify: a sentence for each damage.  `digests`: files and databases, too. */
typedef void store_damage_fn(const char *sentence, void *arg);
enum rc store_check(struct store *s, bool digests, store_damage_fn *fn, void *arg, struct err *err)
	MUST_CHECK;
/* After older data was put back: new UIDs are far from old ones, all counts as changed now. */
enum rc store_renew(struct store *s, struct err *err) MUST_CHECK;
/* Consistent copies of the index databases into dirfd/index/. */
enum rc store_copy(struct store *s, int dirfd, struct err *err) MUST_CHECK;
