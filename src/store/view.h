/* SPDX-License-Identifier: ISC */
/*
 * view: a mailbox in memory, shared by all sessions that have it open (doc/views.md).
 *
 * What must be at hand for each message (UID, flags, keywords, modseq, sizes, dates) is an
 * array of rows, read from the index once and kept up to date by every change that this
 * process commits, whoever made it.  Which numbers a client's messages have is a
 * struct view_list: UIDs in order, immutable, counted; a client keeps the list that it
 * was told of, however old, while the rows go on.  Clients that are up to date share one
 * list, and a delivery makes no new one: it grows at the end.
 *
 * Durability: what view_now() and all that is read afterwards say has been
 * synced: no client hears of a UID, a flag or a modseq that a power cut could take back.
 *
 * Views nobody holds are kept, least recently used out first, up to VIEWS_KEPT bytes.
 * Any thread; each view has its lock, taken after its shard's.
 */
#pragma once

#include "store/store.h"

struct view;
struct view_list;

enum { VIEWS_KEPT = 64 * 1024 * 1024 };

struct view_row {
	uint32_t uid;		/* 0: gone */
	unsigned flags;		/* enum store_flag */
	str keywords;		/* sorted, a blank between; lives as long as the view is held */
	uint64_t modseq;
	struct msg_id id;
	uint64_t size, received_ms, saved_ms, thread;
	int64_t sent_s;		/* Date; INT64_MIN: none */
};

/* RC_NONE: no such mailbox. */
enum rc view_open(struct store *s, uint64_t account, uint64_t mailbox, struct view **out,
	struct err *err) MUST_CHECK;
void view_close(struct view **vp);
uint64_t view_account(const struct view *v);
uint64_t view_mailbox(const struct view *v);

/* The mailbox as it is. */
struct view_now {
	struct view_list *list;	/* counted: view_list_drop() */
	uint64_t modseq;	/* HIGHESTMODSEQ */
	uint32_t uidvalidity, uidnext;
	uint32_t unseen, first_unseen;	/* how many; the first one's UID, 0: none */
	bool gone;		/* the mailbox was deleted */
};

/* RC_TEMP: the disk does not take it. */
enum rc view_now(struct view *v, struct view_now *out, struct err *err) MUST_CHECK;
/* Changes with every commit that concerns the mailbox; without a lock: is it worth
 * calling view_now()? */
uint64_t view_tick(const struct view *v);

struct view_list *view_list_keep(struct view_list *l);
void view_list_drop(struct view_list **lp);
size_t view_list_count(const struct view_list *l);
uint32_t view_list_uid(const struct view_list *l, size_t seq);	/* seq from 1 to count */
/* The number of the first UID that is not less; count + 1: there is none. */
size_t view_list_seq(const struct view_list *l, uint32_t uid);

/* Rows of these UIDs (ascending); out[i].uid is 0 where it is gone. */
void view_rows(struct view *v, const uint32_t *uids, size_t n, struct view_row *out);
/* The next at most n rows with UID >= from whose modseq is greater than since; how many. */
size_t view_changed(struct view *v, uint32_t from, uint64_t since, struct view_row *out, size_t n);
/* UIDs that left the mailbox after `since`, ascending (RFC 7162 3.2.10): RC_NONE when that is
 * longer ago than is known, and all UIDs below uidnext that are not there must be named. */
typedef enum rc view_uid_fn(uint32_t uid, void *arg);
enum rc view_vanished(struct view *v, uint64_t since, view_uid_fn *fn, void *arg,
	struct err *err) MUST_CHECK;

/* The keywords that its messages have, each with a blank before it. */
struct buf;
void view_keywords(struct view *v, struct buf *out);
/* \Recent (rev1): the first UID that no session was told of; told, from now on, if `take`. */
uint32_t view_recent(struct view *v, bool take);

/* Wakes service_wake(number) at every commit that concerns the mailbox, until unwatched. */
void view_watch(struct view *v, uint64_t number);
void view_unwatch(struct view *v, uint64_t number);

/*
 * Keys to sort and thread by (RFC 5256), for all messages of the view: read when first
 * asked for and kept with it.  Of a message whose facts are not known the strings are
 * empty, and `known` is false: a scanner has to be asked (store/learn.h).
 */
struct view_order {
	uint32_t uid;
	bool known, reply;	/* reply: the subject was Re: or Fwd: (RFC 5256 2.1) */
	str subject;		/* base subject, as it is compared (RFC 5051) */
	str from, to, cc;	/* mailbox parts of the first address, as they are compared */
	str display_from, display_to;
	uint64_t message_id;	/* hash; 0: none */
	size_t nrefs;
	const uint64_t *refs;	/* hashes: References, else In-Reply-To's first */
};

enum view_want { VIEW_SUBJECT = 1, VIEW_FROM = 2, VIEW_TO = 4, VIEW_CC = 8, VIEW_DISPLAY_FROM = 16,
	VIEW_DISPLAY_TO = 32, VIEW_REFS = 64, VIEW_ALL = 127 };

/* In the order of `uids` (ascending), into room for n; what is gone has uid 0.  Strings and
 * references only as far as wanted (enum view_want, or-ed), copied into mem. */
enum rc view_orders(struct view *v, const uint32_t *uids, size_t n, unsigned want,
	struct arena *mem, struct view_order *out, struct err *err) MUST_CHECK;
