/* SPDX-License-Identifier: ISC */
/* The maildrop: INBOX as it was at login, held by one session at a time (RFC 1939 4). */
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/thread.h"
#include "pop3/pop3_int.h"
#include "store/change.h"

/* ---- who has which ---- */

struct held {
	uint64_t account;
	UT_hash_handle hh;
};

struct pop3_locks {
	pthread_mutex_t lock;
	struct held *all;
};

struct pop3_locks *
pop3_locks_new(void)
{
	struct pop3_locks *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	(void)pthread_mutex_init(&l->lock, NULL);
	return l;
}

void
pop3_locks_free(struct pop3_locks **lp)
{
	struct pop3_locks *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static bool
take(struct pop3_locks *l, uint64_t account)
{
	LOCK_AUTO held = lock_take(&l->lock);
	struct held *h = NULL;

	HASH_FIND(hh, l->all, &account, sizeof(account), h);
	if (h != NULL)
		return false;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		abort();
	h->account = account;
	HASH_ADD(hh, l->all, account, sizeof(h->account), h);
	return true;
}

static void
let_go(struct pop3_locks *l, uint64_t account)
{
	LOCK_AUTO held = lock_take(&l->lock);
	struct held *h = NULL;

	HASH_FIND(hh, l->all, &account, sizeof(account), h);
	if (h == NULL)
		return;
	HASH_DEL(l->all, h);
	free(h);
}

/* ---- opening ---- */

/* An account that never had mail has no mailboxes yet. */
static enum rc
open_inbox(struct pop3_session *s, struct err *err)
{
	struct store *store = s->house->store;
	enum rc rc = view_open(store, s->account, POP3_INBOX, &s->drop.view, err);

	if (rc != RC_NONE)
		return rc;
	if ((rc = store_account_make(store, s->account, err)) != RC_OK)
		return rc;
	return view_open(store, s->account, POP3_INBOX, &s->drop.view, err);
}

static void
read_sizes(struct pop3_drop *d)
{
	enum { SLICE = 256 };
	struct view_row rows[SLICE];
	uint32_t uids[SLICE];

	for (size_t at = 0; at < d->n; at += SLICE) {
		size_t n = d->n - at < SLICE ? d->n - at : SLICE;

		for (size_t i = 0; i < n; i++)
			uids[i] = d->mails[at + i].uid;
		view_rows(d->view, uids, n, rows);
		for (size_t i = 0; i < n; i++)
			d->mails[at + i].size = rows[i].uid == 0 ? 0 : rows[i].size;
	}
}

static enum rc
read_drop(struct pop3_session *s, struct err *err)
{
	struct pop3_drop *d = &s->drop;
	struct view_now now;
	enum rc rc = open_inbox(s, err);

	if (rc != RC_OK || (rc = view_now(d->view, &now, err)) != RC_OK)
		return rc;
	d->uidvalidity = now.uidvalidity;
	d->n = view_list_count(now.list);
	d->mails = calloc(d->n + 1, sizeof(*d->mails));
	if (d->mails == NULL)
		abort();
	for (size_t i = 0; i < d->n; i++)
		d->mails[i].uid = view_list_uid(now.list, i + 1);
	view_list_drop(&now.list);
	read_sizes(d);
	pop3_drop_reset(s);
	return RC_OK;
}

enum rc
pop3_drop_open(struct pop3_session *s, struct err *err)
{
	if (!take(s->house->locks, s->account)) {
		s->account = 0;
		return err_set(err, RC_LIMIT, "another session has this mailbox");
	}
	enum rc rc = read_drop(s, err);
	if (rc == RC_OK)
		return RC_OK;
	pop3_drop_close(s);
	return rc == RC_LIMIT ? RC_TEMP : rc;
}

void
pop3_drop_close(struct pop3_session *s)
{
	if (s->account == 0)
		return;
	view_close(&s->drop.view);
	free(s->drop.mails);
	s->drop = (struct pop3_drop){ 0 };
	let_go(s->house->locks, s->account);
	s->account = 0;
}

void
pop3_drop_reset(struct pop3_session *s)
{
	struct pop3_drop *d = &s->drop;

	d->left = d->n;
	d->bytes = 0;
	for (size_t i = 0; i < d->n; i++) {
		d->mails[i].marks &= ~(unsigned)POP3_DELETED;
		d->bytes += d->mails[i].size;
	}
}

/* ---- the end (RFC 1939 6) ---- */

/* The next of those marked so (of deleted and read only deleted counts); 0: no more. */
static size_t
next_marked(
	const struct pop3_drop *d, unsigned mark, size_t *at, uint32_t uids[CHANGE_MOST])
{
	size_t n = 0;

	for (; *at < d->n && n < CHANGE_MOST; ++*at) {
		unsigned marks = d->mails[*at].marks;

		if ((marks & POP3_DELETED) != 0)
			marks = POP3_DELETED;
		if ((marks & mark) != 0)
			uids[n++] = d->mails[*at].uid;
	}
	return n;
}

static void
mark_read(struct pop3_session *s, struct store_place place)
{
	const struct change_flags seen = { .how = CHANGE_ADD, .flags = STORE_SEEN };
	uint32_t uids[CHANGE_MOST];
	struct err err = { 0 };
	uint64_t modseq;
	size_t at = 0, n;

	while ((n = next_marked(&s->drop, POP3_READ, &at, uids)) > 0)
		if (change_flags(s->house->store, place, uids, n, &seen, &modseq, NULL,
			    NULL, &err) != RC_OK) {
			log_warn("msg=\"mail was not marked as read\" door=pop3 "
				 "why=\"%s\"",
				err.text);
			return;
		}
}

enum rc
pop3_drop_update(struct pop3_session *s, struct err *err)
{
	const struct store_place place = { s->account, POP3_INBOX };
	uint32_t uids[CHANGE_MOST], gone[CHANGE_MOST];
	size_t at = 0, n, ngone;
	uint64_t modseq;
	enum rc rc = RC_OK;

	while (rc == RC_OK && (n = next_marked(&s->drop, POP3_DELETED, &at, uids)) > 0) {
		rc = change_expunge(
			s->house->store, place, uids, n, gone, &ngone, &modseq, err);
		if (rc == RC_OK)
			s->deleted += ngone;
	}
	mark_read(s, place);
	return rc;
}
