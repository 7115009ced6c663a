/* SPDX-License-Identifier: ISC */
/* One batch: read, find out whose it is, deliver, enter into the ledger. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "deliver/deliver_int.h"

enum { ACCOUNT_MEM = 8 * 1024 };

/* An account that the batch delivers to, or would if it were still there. */
struct touched {
	uint64_t id, quota, bytes; /* bytes: put in by this batch */
	bool there;
	uint64_t got; /* the record whose message it gets */
	UT_hash_handle hh;
};

static void
forget_touched(struct apply *a)
{
	struct touched *t, *next;

	HASH_ITER(hh, a->touched, t, next)
	{
		HASH_DEL(a->touched, t);
		free(t);
	}
}

static enum rc
touch(struct apply *a, uint64_t id, struct touched **out, struct err *err)
{
	struct touched *t;
	struct account account;
	enum rc rc;

	HASH_FIND(hh, a->touched, &id, sizeof(id), t);
	if (t == NULL) {
		ARENA_AUTO mem = arena_new(ACCOUNT_MEM);

		rc = account_by_id(a->want.directory, id, mem, &account, err);
		if (rc != RC_OK && rc != RC_NONE)
			return rc;
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			abort();
		t->id = id;
		t->there = rc == RC_OK;
		t->quota = rc == RC_OK ? account.quota : 0;
		HASH_ADD(hh, a->touched, id, sizeof(t->id), t);
	}
	*out = t;
	return RC_OK;
}

static enum rc
damaged(const struct apply *a, uint64_t seq, const char *what, struct err *err)
{
	return err_set(err, RC_PERM, "record %" PRIu64 " of journal %s %s", seq,
		a->want.journal, what);
}

static void
add_delivery(struct apply *a, const struct store_delivery *what, const uint8_t digest[32],
	uint64_t seq, struct touched *t)
{
	if (a->nlist == a->room) {
		a->room = a->room == 0 ? 512 : a->room * 2;
		a->list = realloc(a->list, a->room * sizeof(*a->list));
		a->uids = realloc(a->uids, a->room * sizeof(*a->uids));
		if (a->list == NULL || a->uids == NULL)
			abort();
	}
	struct store_apply *s = &a->list[a->nlist++];
	*s = (struct store_apply){ .seq = seq, .what = *what };
	s->what.account = t->id;
	memcpy(s->what.digest, digest, sizeof(s->what.digest));
	t->bytes += what->size;
}

/* Adds one copy, unless the account gets this message already. */
static void
add_copy(struct apply *a, const struct jrec_message *m, uint64_t seq, struct touched *t)
{
	const struct store_delivery what = { .id = m->id,
		.size = m->size,
		.received_ms = m->time_ms,
		.trace_bytes = TRACE_BLOCK,
		.facts = m->facts };

	if (t->got == seq) /* records are numbered from 1 */
		return;
	t->got = seq;
	add_delivery(a, &what, m->digest, seq, t);
}

static enum rc
add_target(struct apply *a, const struct jrec_message *m, uint64_t seq, str address,
	uint64_t target, struct err *err)
{
	struct touched *t;
	uint64_t heir = 0;
	enum rc rc = touch(a, target, &t, err);

	if (rc != RC_OK)
		return rc;
	if (!t->there) {
		rc = account_heir(a->want.directory, address, &heir, err);
		if (rc == RC_NONE)
			return err_set(err, RC_TEMP,
				"message %s for " STR_FMT
				" cannot be delivered: no domain is left",
				m->id.text, (int)(address.len < 100 ? address.len : 100),
				address.ptr);
		if (rc != RC_OK || (rc = touch(a, heir, &t, err)) != RC_OK)
			return rc;
	}
	add_copy(a, m, seq, t);
	return RC_OK;
}

static void
add_leftover(struct apply *a, const struct msg_id *id, uint64_t seq)
{
	if (a->nleft == a->left_room) {
		a->left_room = a->left_room == 0 ? 512 : a->left_room * 2;
		a->left = realloc(a->left, a->left_room * sizeof(*a->left));
		if (a->left == NULL)
			abort();
	}
	a->left[a->nleft++] = (struct leftover){ .id = *id, .seq = seq };
}

static enum rc
add_message(struct apply *a, const struct journal_item *item, struct err *err)
{
	struct jrec_message m;
	size_t first = a->nlist;
	enum rc rc;

	if (jrec_get_message(item->payload, a->mem, &m) != RC_OK)
		return damaged(a, item->seq, "cannot be read", err);
	if ((m.flags & JREC_AGAIN) != 0)
		return RC_OK;
	for (size_t i = 0; i < m.nrcpts; i++)
		for (size_t t = 0; t < m.rcpts[i].ntargets; t++) {
			rc = add_target(a, &m, item->seq, m.rcpts[i].address,
				m.rcpts[i].targets[t], err);
			if (rc != RC_OK)
				return rc;
		}
	if (a->nlist > first)
		add_leftover(a, &m.id, item->seq);
	return RC_OK;
}

/* The other of the two journals is written by the process that strangers talk to: it may
 * deliver, but not choose a mailbox, or what is replaced. */
static bool
may_append(const struct apply *a)
{
	return strcmp(a->want.journal, "house") == 0;
}

/* What a reader appended goes with the account, and to no heir. */
static enum rc
add_append(struct apply *a, const struct journal_item *item, struct err *err)
{
	struct jrec_append p;
	struct touched *t;
	enum rc rc;

	if (!may_append(a) || jrec_get_append(item->payload, a->mem, &p) != RC_OK)
		return damaged(a, item->seq, "cannot be read", err);
	if ((rc = touch(a, p.account, &t, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < p.n; i++) {
		const struct jrec_append_item *one = &p.items[i];
		const struct store_delivery what = { .mailbox = p.mailbox,
			.flags = one->flags,
			.keywords = one->keywords,
			.trace_bytes = one->trace_bytes,
			.replaces_mailbox = i == 0 ? p.replaces_mailbox : 0,
			.replaces = i == 0 ? p.replaces : 0,
			.id = one->id,
			.size = one->size,
			.received_ms = one->received_ms,
			.facts = one->facts };

		if (t->there)
			add_delivery(a, &what, one->digest, item->seq, t);
		add_leftover(a, &one->id, item->seq);
	}
	return RC_OK;
}

static enum rc
add_item(struct apply *a, const struct journal_item *item, struct err *err)
{
	if (item->kind == JREC_MESSAGE)
		return add_message(a, item, err);
	return item->kind == JREC_APPEND ? add_append(a, item, err) : RC_OK;
}

/* Everything applied must still be in the journal: else its next records would
 * get numbers that are taken for applied. */
static enum rc
check_end(struct apply *a, struct err *err)
{
	uint64_t first, last, in_store = 0, in_ledger = 0, in_register = 0;
	enum rc rc = journal_bounds(a->folder, &first, &last, err);

	if (rc != RC_OK ||
		(rc = store_applied(a->want.store, a->want.journal, &in_store, err)) !=
			RC_OK ||
		(rc = ledger_applied(a->want.ledger, a->want.journal, &in_ledger, err)) !=
			RC_OK ||
		(rc = refusals_applied(
			 a->want.refusals, a->want.journal, &in_register, err)) != RC_OK)
		return rc;
	uint64_t most = in_store > in_ledger ? in_store : in_ledger;
	if (in_register > most)
		most = in_register;
	if (most <= last)
		return RC_OK;
	return err_set(err, RC_PERM,
		"journal %s can be read up to record %" PRIu64 ", but record %" PRIu64
		" of it was applied: its end is damaged or missing (gatepost audit says more)",
		a->want.journal, last, most);
}

static enum rc
open_reader(struct apply *a, struct err *err)
{
	enum rc rc = check_end(a, err);

	return rc != RC_OK
		       ? rc
		       : journal_read_open(a->folder, apply_position(a), &a->reader, err);
}

/* Reads records, copied into the batch's memory.  RC_OK with a->nitems 0 does
 * not happen. */
static enum rc
read_items(struct apply *a, uint64_t until, struct err *err)
{
	struct journal_item item;
	size_t bytes = 0;
	enum rc rc = RC_OK;

	a->nitems = 0;
	arena_reset(a->mem);
	if (a->reader == NULL && (rc = open_reader(a, err)) != RC_OK)
		return rc;
	while (a->nitems < BATCH_RECORDS && bytes < BATCH_BYTES &&
		(rc = journal_next(a->reader, until, &item, err)) == RC_OK) {
		if (arena_copy(a->mem, item.payload, &item.payload) != RC_OK)
			return damaged(a, item.seq, "is too large", err);
		bytes += item.payload.len;
		a->items[a->nitems++] = item;
	}
	if (a->nitems > 0) /* what is before it first; it is met again */
		return RC_OK;
	return rc == RC_PERM && err != NULL ? err_wrap(err, a->want.journal) : rc;
}

/* Is the account over its quota now, and was not before? */
static void
tell_crossed(struct apply *a)
{
	struct touched *t, *next;
	struct store_usage u;

	if (a->want.crossed == NULL)
		return;
	HASH_ITER(hh, a->touched, t, next)
	if (t->quota > 0 && t->bytes > 0 &&
		store_usage(a->want.store, t->id, &u, NULL) == RC_OK &&
		u.bytes >= t->quota &&
		(u.bytes < t->bytes || u.bytes - t->bytes < t->quota))
		a->want.crossed(t->id, a->want.arg);
}

static void
tell_delivered(struct apply *a)
{
	struct touched *t, *next;

	if (a->want.delivered == NULL)
		return;
	HASH_ITER(hh, a->touched, t, next)
	if (t->bytes > 0)
		a->want.delivered(t->id, a->want.arg);
}

static void
ask_uids(struct apply *a)
{
	if (a->want.placed == NULL)
		return;
	for (size_t i = 0; i < a->nlist; i++) {
		a->uids[i] = 0;
		a->list[i].what.uid = &a->uids[i];
	}
}

static void
tell_uids(struct apply *a)
{
	if (a->want.placed == NULL)
		return;
	for (size_t i = 0; i < a->nlist; i++)
		a->want.placed(&a->list[i].what.id, a->uids[i], a->want.arg);
}

static enum rc
deliver_items(struct apply *a, struct err *err)
{
	uint64_t last = a->items[a->nitems - 1].seq, seq = 0;
	struct err why = { .rc = RC_OK };
	enum rc rc;

	ask_uids(a);
	rc = store_deliver(a->want.store, a->want.journal, a->list, a->nlist, last, &why);

	/* The store has gone on past what is lost: nobody can mend it by trying. */
	if (rc == RC_PERM &&
		store_applied(a->want.store, a->want.journal, &seq, NULL) == RC_OK &&
		seq >= last) {
		log_error("msg=\"cannot be delivered\" journal=%s why=\"%s\"",
			a->want.journal, why.text);
		rc = RC_OK;
	}
	if (rc != RC_OK)
		return err_set(err, why.rc, "%s", why.text);
	tell_uids(a);
	rc = ledger_enter(a->want.ledger, a->want.journal, a->items, a->nitems, err);
	if (rc != RC_OK)
		return rc;
	return refusals_enter(
		a->want.refusals, a->want.journal, a->items, a->nitems, err);
}

static enum rc
run_batch(struct apply *a, uint64_t until, struct err *err)
{
	size_t was = a->nleft;
	enum rc rc = read_items(a, until, err);

	if (rc != RC_OK)
		return rc;
	a->nlist = 0;
	for (size_t i = 0; i < a->nitems && rc == RC_OK; i++)
		if ((rc = add_item(a, &a->items[i], err)) == RC_PERM && i > 0) {
			a->nitems = i; /* up to the damage; it is met again */
			journal_read_close(&a->reader);
			rc = RC_OK;
			break;
		}
	if (rc == RC_OK)
		rc = deliver_items(a, err);
	if (rc != RC_OK) {
		a->nleft = was;
		return rc;
	}
	tell_crossed(a);
	tell_delivered(a);
	return RC_OK;
}

enum rc
apply_batch(struct apply *a, uint64_t until, struct err *err)
{
	enum rc rc = run_batch(a, until, err);

	forget_touched(a);
	if (rc == RC_NONE)
		return rc;
	if (rc != RC_OK) { /* the same records again */
		journal_read_close(&a->reader);
		return rc;
	}
	(void)pthread_mutex_lock(&a->lock);
	if (!a->unsettled) /* its thread has a checkpoint to make, in a while */
		(void)pthread_cond_signal(&a->wake);
	a->unsettled = true;
	a->busy_ms = clock_ms();
	a->position = a->items[a->nitems - 1].seq;
	(void)pthread_cond_broadcast(&a->moved);
	(void)pthread_mutex_unlock(&a->lock);
	return RC_OK;
}
