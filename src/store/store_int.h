/* SPDX-License-Identifier: ISC */
/*
 * store_int: what the files of store/ share.  A function that takes a struct
 * shard wants its lock held.
 */
#pragma once

#include <pthread.h>

#include "base/thread.h"
#include "db/db.h"
#include "store/notes.h"
#include "store/settle.h"
#include "store/store.h"

enum {
	INBOX_ID = 1,		/* in every account */
	JOURNALS = 4,		/* more than there are */
	JOURNAL_NAME = 16,
	BLOB_PATH = 64,		/* accounts/ID/YYYYMM/MSGID */
};

struct shard {
	pthread_mutex_t lock;
	struct db *db;
	int data;
	struct arena *mem;	/* for one delivery at a time */
	struct buf envelope;
	struct syncing sync;
};

/* How far a journal is applied, in this process's knowledge. */
struct position {
	char journal[JOURNAL_NAME];
	uint64_t seq[STORE_SHARDS];
	uint64_t marked;	/* what the `applied` row says */
};

struct store {
	int data;
	bool read_only;
	struct shard shards[STORE_SHARDS];
	pthread_mutex_t checkpoint_lock;	/* one at a time; taken first */
	pthread_mutex_t positions_lock;		/* taken last, held briefly */
	struct position positions[JOURNALS];
	size_t npositions;
	struct views *views;
	void (*wake)(uint64_t number, void *arg);
	void *arg;
};

static inline struct shard *
shard_of(struct store *s, uint64_t account)
{
	return &s->shards[account % STORE_SHARDS];
}

/* "N.db" in index/. */
void shard_path(unsigned n, char out[32]);
/* A connection of one's own, for reading a consistent state without the lock. */
enum rc shard_reader(struct store *s, unsigned n, struct db **out, struct err *err) MUST_CHECK;

/* view.c: all views of the store. */
struct views *views_new(void);
void views_free(struct views **vp);	/* nobody may hold one */
/* Notes of one mailbox, in order, as of that commit; with the shard's lock. */
void views_patch(struct store *s, uint64_t account, uint64_t mailbox, uint64_t commit,
	struct note *const *notes, size_t n);
/* The account is no more; with the shard's lock. */
void views_end(struct store *s, uint64_t account);

/* blob.c */
void blob_path(uint64_t account, const char *msgid, char out[BLOB_PATH]);
void blob_folder(uint64_t account, char out[BLOB_PATH]);
/* A second name for incoming/ID; there already is RC_OK.  RC_PERM: it is in
 * neither place. */
enum rc blob_link(int data, uint64_t account, const struct msg_id *id, struct err *err)
	MUST_CHECK;
/* Removes an account's folder with all in it. */
enum rc blob_remove_all(int data, uint64_t account, struct err *err) MUST_CHECK;

/* account.c: an account's counters while they are being changed. */
struct account {
	uint64_t id, modseq, next_thread, bytes, messages;
};

enum rc account_load(struct shard *sh, uint64_t id, struct account *a, struct err *err)
	MUST_CHECK;	/* RC_NONE: not there */
enum rc account_load_or_make(struct shard *sh, uint64_t id, struct account *a, struct err *err)
	MUST_CHECK;
enum rc account_save(struct shard *sh, const struct account *a, struct err *err) MUST_CHECK;
/* The next value of the account's counter. */
uint64_t account_modseq(struct account *a);
/* "INBOX" in any case (RFC 9051 5.1), others as written. */
enum rc mailbox_find(struct shard *sh, uint64_t account, str name, uint64_t *id, struct err *err)
	MUST_CHECK;

/* beyond.c: where goes what is delivered to INBOX when its UIDs are used up: "INBOX 2", made where
 * it is not there.  In a transaction, as of a->modseq. */
enum rc mailbox_beyond_inbox(struct shard *sh, struct account *a, struct notes *notes,
	uint64_t *id, struct err *err) MUST_CHECK;

/* position.c: up to which record a shard has applied a journal, and that it has. */
uint64_t position_get(struct store *s, const char *journal, unsigned shard);
void position_set(struct store *s, const char *journal, unsigned shard, uint64_t seq);

/* thread.c: the thread a message belongs to; takes a new one from *a. */
struct facts;
enum rc thread_of(struct shard *sh, struct account *a, const struct facts *f, uint64_t *thread,
	struct err *err) MUST_CHECK;

/* expunge.c: takes a message out of a mailbox, in a transaction, as of a->modseq; RC_NONE:
 * it is not there.  The account is the caller's to save. */
enum rc expunge_one(struct shard *sh, struct account *a, uint64_t mailbox, uint64_t uid,
	struct notes *notes, struct err *err) MUST_CHECK;
/* files that no row refers to any more.  What is listed before a
 * sync may be unlinked after it. */
struct doomed {
	uint64_t account;
	struct msg_id id;
};

enum { DOOMED_MOST = 1024 };	/* in one round; the next takes what is left */

enum rc doomed_list(struct shard *sh, struct doomed out[DOOMED_MOST], size_t *n, struct err *err)
	MUST_CHECK;
enum rc doomed_unlink(struct shard *sh, const struct doomed *list, size_t n, struct err *err)
	MUST_CHECK;
/* At open: what an earlier process left half done. */
enum rc doomed_finish(struct shard *sh, struct err *err) MUST_CHECK;

/* items.c: of a message whose row has just been made, in its transaction */
struct facts;
enum rc items_insert(struct shard *sh, uint64_t account, const struct msg_id *id,
	const struct facts *f, struct err *err) MUST_CHECK;

/* account.c */
enum rc account_finish_removals(struct shard *sh, struct err *err) MUST_CHECK;

/* Steps a statement made by db_prepare(), which may have failed. */
#define PREPARE(q, db, sql, err) \
	struct db_stmt *q = db_prepare((db), (sql), (err)); \
	if (q == NULL) \
		return RC_TEMP
