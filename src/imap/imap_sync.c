/* SPDX-License-Identifier: ISC */
/*
 * Telling a client what others did to its mailbox: messages that went, came, or have other
 * flags.  What it knows is a list of UIDs and a modseq; what is true is its view's.
 */
#include <assert.h>
#include <stdlib.h>

#include "imap/imap_int.h"

enum { SLICE = 128, OWN_MOST = 4096 };

static_assert((int)IMAP_SEEN == (int)STORE_SEEN &&
		      (int)IMAP_ANSWERED == (int)STORE_ANSWERED &&
		      (int)IMAP_FLAGGED == (int)STORE_FLAGGED &&
		      (int)IMAP_DELETED == (int)STORE_DELETED &&
		      (int)IMAP_DRAFT == (int)STORE_DRAFT,
	"grammar and store number flags the same way");

void
imap_put_row(struct imap_session *s, size_t seq, const struct view_row *r, bool uid)
{
	struct buf *b = &s->out;

	buf_add(b, STR("* "));
	buf_addu(b, seq);
	buf_add(b, STR(" FETCH ("));
	if (uid) {
		buf_add(b, STR("UID "));
		buf_addu(b, r->uid);
		buf_addc(b, ' ');
	}
	buf_add(b, STR("FLAGS "));
	imap_put_flags(
		b, r->flags, !imap_rev2(s) && r->uid >= s->box.recent, r->keywords);
	if ((s->enabled & ENABLED_CONDSTORE) != 0) {
		buf_add(b, STR(" MODSEQ ("));
		buf_addu(b, r->modseq);
		buf_addc(b, ')');
	}
	buf_add(b, STR(")\r\n"));
}

/* ---- what left ---- */

/* Lists are ascending and nothing comes in between: when the last UID that the client knows
 * has kept its place, all before it have. */
static bool
none_left(const struct view_list *old, const struct view_list *now)
{
	size_t n = view_list_count(old);

	return n == 0 || (view_list_count(now) >= n &&
				 view_list_uid(now, n) == view_list_uid(old, n));
}

/* From the last to the first, so that each number is still what the client has. */
static size_t
tell_expunged(
	struct imap_session *s, const struct view_list *old, const struct view_list *now)
{
	size_t left = 0, k = view_list_count(now);

	for (size_t seq = view_list_count(old); seq > 0; seq--) {
		uint32_t uid = view_list_uid(old, seq);

		while (k > 0 && view_list_uid(now, k) > uid)
			k--;
		if (k > 0 && view_list_uid(now, k) == uid)
			continue;
		buf_add(&s->out, STR("* "));
		buf_addu(&s->out, seq);
		buf_add(&s->out, STR(" EXPUNGE\r\n"));
		left++;
	}
	return left;
}

static size_t
tell_vanished(
	struct imap_session *s, const struct view_list *old, const struct view_list *now)
{
	struct imap_set_out set = { .to = &s->out };
	size_t left = 0, k = 1, last = view_list_count(now);

	buf_addz(&s->out, "* VANISHED ");
	for (size_t seq = 1; seq <= view_list_count(old); seq++) {
		uint32_t uid = view_list_uid(old, seq);

		while (k <= last && view_list_uid(now, k) < uid)
			k++;
		if (k <= last && view_list_uid(now, k) == uid)
			continue;
		imap_set_add(&set, uid);
		left++;
	}
	imap_set_done(&set);
	buf_addz(&s->out, "\r\n");
	return left;
}

/* ---- what changed ---- */

/* They grow. */
bool
imap_is_own(const struct imap_box *b, uint64_t modseq)
{
	size_t low = 0, high = b->nown;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->own[middle] < modseq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < b->nown && b->own[low] == modseq;
}

/* Of messages that the client has heard of before: of new ones it asks itself.  False:
 * what was written is to be sent before it goes on. */
static bool
tell_flags(struct imap_session *s, uint32_t from)
{
	const struct view_list *l = s->box.list;
	size_t count = view_list_count(l), n;
	bool uid = (s->enabled & (ENABLED_CONDSTORE | ENABLED_REV2)) != 0 || s->cmd.uid;
	struct view_row rows[SLICE];

	do {
		if (imap_full(s)) {
			s->box.tell_from = from;
			return false;
		}
		n = view_changed(s->box.view, from, s->box.told, rows, SLICE);
		for (size_t i = 0; i < n; i++) {
			size_t seq = view_list_seq(l, rows[i].uid);

			if (seq <= count && view_list_uid(l, seq) == rows[i].uid &&
				!imap_is_own(&s->box, rows[i].modseq))
				imap_put_row(s, seq, &rows[i], uid);
			from = rows[i].uid + 1;
		}
	} while (n == SLICE);
	return true;
}

void
imap_told(struct imap_session *s, uint64_t modseq)
{
	struct imap_box *b = &s->box;
	uint64_t *own;

	/* past the limit the client hears of what it did itself, which is true too */
	if (modseq == 0 || b->nown == OWN_MOST)
		return;
	own = realloc(b->own, (b->nown + 1) * sizeof(*own));
	if (own == NULL)
		abort();
	own[b->nown++] = modseq;
	b->own = own;
}

static void
forget_own(struct imap_box *b)
{
	free(b->own);
	b->own = NULL;
	b->nown = 0;
}

/* ---- all of it ---- */

static void
tell_size(struct imap_session *s, size_t count)
{
	buf_addf(&s->out, "* %zu EXISTS\r\n", count);
	if (imap_rev2(s))
		return;
	const struct view_list *l = s->box.list;
	buf_addf(
		&s->out, "* %zu RECENT\r\n", count + 1 - view_list_seq(l, s->box.recent));
}

/* Numbers change only when the whole list can. */
static void
take_list(struct imap_session *s, struct view_now *now, bool left)
{
	struct view_list *old = s->box.list;
	size_t had = view_list_count(old), count = view_list_count(now->list);

	if (left)
		had -= (s->enabled & ENABLED_QRESYNC) != 0
			       ? tell_vanished(s, old, now->list)
			       : tell_expunged(s, old, now->list);
	s->box.list = now->list;
	now->list = old;
	if (count != had) {
		if (!s->box.read_only)
			(void)view_recent(s->box.view, true);
		tell_size(s, count);
	}
}

/* The client of a mailbox that somebody deletes cannot be told in any other way. */
static void
tell_gone(struct imap_session *s)
{
	if (s->cmd.is != NULL && s->cmd.is->run == cmd_delete) {
		imap_unselect(s);
		return;
	}
	buf_addz(&s->out, "* BYE the selected mailbox was deleted\r\n");
	s->base.why = "the selected mailbox was deleted";
	s->dead = true;
}

enum rc
imap_sync(struct imap_session *s, bool still, struct err *err)
{
	struct imap_box *b = &s->box;
	uint64_t tick = view_tick(b->view);
	bool again = b->telling, left;
	struct view_now now;
	enum rc rc;

	b->telling = false;
	if (s->dead) /* it has been told */
		return RC_OK;
	if (tick == b->tick) {
		forget_own(b);
		return RC_OK;
	}
	if ((rc = view_now(b->view, &now, err)) != RC_OK)
		return rc;
	if (now.gone) {
		view_list_drop(&now.list);
		tell_gone(s);
		return RC_OK;
	}
	left = !none_left(b->list, now.list);
	/* what changes while it is told is told the next time */
	uint64_t upto = b->tell_upto = again ? b->tell_upto : now.modseq;
	b->telling = upto > b->told && !tell_flags(s, again ? b->tell_from : 1);
	if (b->telling) {
		view_list_drop(&now.list);
		return RC_OK;
	}
	if (!left || !still) {
		take_list(s, &now, left);
		b->tick = upto == now.modseq ? tick : b->tick;
	}
	b->told = upto;
	view_list_drop(&now.list);
	forget_own(b);
	return RC_OK;
}

void
imap_unselect(struct imap_session *s)
{
	struct imap_box *b = &s->box;

	if (b->view == NULL)
		return;
	forget_own(b);
	free(b->saved);
	view_list_drop(&b->list);
	view_close(&b->view);
	*b = (struct imap_box){ 0 };
	if (s->state == IMAP_SELECTED)
		s->state = IMAP_AUTH;
}

/* RFC 7162 3.1.2: the first command that is aware of modseqs is told the mailbox's. */
enum rc
imap_enable_condstore(struct imap_session *s, struct err *err)
{
	struct view_now now;
	enum rc rc;

	if ((s->enabled & ENABLED_CONDSTORE) != 0)
		return RC_OK;
	if (s->box.view != NULL) {
		if ((rc = view_now(s->box.view, &now, err)) != RC_OK)
			return rc;
		buf_addf(&s->out, "* OK [HIGHESTMODSEQ %llu] modseqs from here on\r\n",
			(unsigned long long)now.modseq);
		view_list_drop(&now.list);
	}
	s->enabled |= ENABLED_CONDSTORE;
	return RC_OK;
}
