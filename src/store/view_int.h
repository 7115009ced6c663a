/* SPDX-License-Identifier: ISC */
/*
 * view_int: what the files of a view share.  Private to store/.
 *
 * Locks: the shard's, then the view's.  That of the table of views is held for moments,
 * with neither taken inside.
 */
#pragma once

#include <stdatomic.h>

#include "base/map.h"
#include "store/store_int.h"

enum {
	WAKE_HERE = 32,			/* watchers; more are woken by a thread of their own */
	VIEW_CHUNK = 4096,		/* rows read under the shard's lock at once */
	VIEW_BLOCK = 64,		/* rows for which the highest modseq is known */
	VIEW_WORDS = 4 * 1024 * 1024,	/* bytes of keywords no row has any more, then it ends */
};

/* The keywords of a message, once for all that have the same.  Kept until the view
 * goes: somebody may still look at them. */
struct word {
	UT_hash_handle hh;
	uint32_t rows, len;
	char text[];
};

/* A packed wire/sortkey.h; all copies of a message in the mailbox share it. */
struct order_key {
	uint32_t refs, len;
	bool counted;		/* in key_bytes */
	char bytes[];
};

struct row {
	uint32_t uid;
	uint8_t flags;
	bool gone;		/* until the rows are moved together */
	char id[MSG_ID_LEN];
	struct word *keywords;	/* NULL: none */
	uint64_t modseq, size, received_ms, saved_ms, thread;
	int64_t sent_s;
	struct order_key *key;	/* NULL: not asked; &view_no_key: there is none */
};

extern struct order_key view_no_key;

/* UIDs; what is before `used` never changes, and lists look at no more. */
struct uids {
	atomic_uint refs;
	size_t room, used;	/* used: with the lock of the view */
	uint32_t at[];
};

struct view_list {
	atomic_uint refs;
	size_t n;
	struct uids *uids;
};

struct view_name {
	uint64_t account, mailbox;
};

enum view_state { VIEW_LOADING, VIEW_READY, VIEW_FAILED };

struct view {
	struct store *s;
	struct shard *sh;
	struct view_name name;

	/* the table's */
	UT_hash_handle hh;
	unsigned held, pinned;	/* by sessions; by whoever patches it */
	bool named, idle;	/* found by its name; among those nobody holds */
	struct view *newer, *older;
	bool waking;		/* its watchers are to be woken */
	struct view *next_waking;
	size_t counted;
	atomic_size_t bytes;	/* set with its own lock */

	atomic_uint_fast64_t tick;

	/* its own */
	pthread_mutex_t lock;
	pthread_cond_t loaded;
	enum view_state state;
	struct err why;
	bool gone;
	uint32_t loaded_to;	/* while loading: rows up to this UID are here */
	uint32_t uidvalidity, uidnext, recent;
	uint64_t modseq, last_gone;	/* last_gone: modseq of the last expunge */
	uint64_t commit;	/* of its last change */
	uint64_t settled;	/* modseq up to which all is on disk */
	struct row *rows;
	uint64_t *highest;	/* modseq, of each VIEW_BLOCK rows */
	size_t n, room, dead;
	size_t keyed;		/* rows before this one have been asked for their keys */
	uint64_t facts;		/* changes with everything that is found out later */
	uint32_t unseen, unseen_from;	/* no unseen one has a lower UID */
	struct view_list *list;	/* NULL: not made yet, or no more as it is */
	struct word *words;
	size_t word_bytes, word_waste, key_bytes;
	uint64_t *watchers;	/* ascending */
	size_t nwatchers, watchers_room;
};

/* view_rows.c; all with the view's lock. */
/* The first row from i on whose UID is not less. */
size_t view_find(const struct view *v, size_t i, uint32_t uid);
void view_room(struct view *v, size_t n);	/* for n rows in all */
void view_append(struct view *v, const struct view_row *r);
void view_patch(struct view *v, const struct note *n);
void view_count(struct view *v);		/* unseen, after loading */
void view_weigh(struct view *v);		/* sets bytes */
void view_clear(struct view *v);		/* frees what it has */
void view_key_drop(struct view *v, struct order_key *k);
void view_get(const struct row *r, struct view_row *out);

/* Calls fn for each of the UIDs (ascending; i: its place) that is there.  With the shard's lock, so
 * that this is what the index says.  *ended: the view takes no part in changes any more. */
typedef enum rc view_row_fn(size_t i, const struct view_row *r, void *arg, struct err *err);
enum rc view_each(struct view *v, const uint32_t *uids, size_t n, view_row_fn *fn, void *arg,
	bool *ended, struct err *err) MUST_CHECK;

/* view_list.c: the list as it is now; the view's own reference. */
struct view_list *view_list_now(struct view *v);

/* view_load.c */
enum rc view_load(struct view *v, struct err *err) MUST_CHECK;

/* view.c: all of it up to that modseq is on disk.  Without locks. */
enum rc view_settle(struct view *v, uint64_t modseq, struct err *err) MUST_CHECK;
