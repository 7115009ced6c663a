/* SPDX-License-Identifier: ISC */
#include "deliver/apply.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/thread.h"
#include "deliver/deliver_int.h"
#include "journal/journal.h"
#include "store/mailbox.h"

/* That a message was removed, longer than the ledger knows whose it was. */
#define REMEMBERED_MS (60ull * 24 * 3600 * 1000)

enum {
	BATCH_MEM = 96 * 1024 * 1024,
	IDLE_MS = 2000, /* nothing came for so long: checkpoint */
	PAUSE_LEAST_MS = 50,
	PAUSE_MOST_MS = 30 * 1000,
	COMPLAIN_MS = 10 * 60 * 1000, /* the same failure is logged again */
	HOUSEKEEPING_MS = 3600 * 1000,
};

enum rc
applied_upto(
	const struct apply_want *w, const char *journal, uint64_t *seq, struct err *err)
{
	uint64_t in_store, in_ledger, in_register;
	enum rc rc = store_applied(w->store, journal, &in_store, err);

	if (rc == RC_OK)
		rc = ledger_applied(w->ledger, journal, &in_ledger, err);
	if (rc == RC_OK)
		rc = refusals_applied(w->refusals, journal, &in_register, err);
	if (rc != RC_OK)
		return rc;
	*seq = in_store < in_ledger ? in_store : in_ledger;
	if (in_register < *seq)
		*seq = in_register;
	return RC_OK;
}

static enum rc
open_folders(struct apply *a, struct err *err)
{
	char path[80];
	enum rc rc;

	(void)snprintf(path, sizeof(path), "journal/%.40s", a->want.journal);
	if ((rc = fs_mkdirs(a->want.data, path, 0750, err)) != RC_OK ||
		(rc = fs_open_dir(a->want.data, path, &a->folder, err)) != RC_OK)
		return rc;
	return fs_open_dir(a->want.data, "incoming", &a->incoming, err);
}

/* A ledger or register that was lost is made anew from what the journal still has: that must
 * not stop mail whose mailboxes are further. */
static enum rc
skip_trimmed(struct apply *a, struct err *err)
{
	uint64_t first, last, in_store;
	enum rc rc = journal_bounds(a->folder, &first, &last, err);

	if (rc == RC_OK)
		rc = store_applied(a->want.store, a->want.journal, &in_store, err);
	if (rc != RC_OK || first == 0 || a->position >= first - 1 || in_store < first - 1)
		return rc;
	log_warn(
		"msg=\"records that the ledger or the register lacks are gone\" journal=%s after=%" PRIu64
		" before=%" PRIu64,
		a->want.journal, a->position, first);
	a->position = first - 1;
	return RC_OK;
}

enum rc
apply_open(const struct apply_want *w, struct apply **out, struct err *err)
{
	struct apply *a = calloc(1, sizeof(*a));
	enum rc rc;

	if (a == NULL)
		abort();
	a->want = *w;
	a->folder = a->incoming = -1;
	a->mem = arena_new(BATCH_MEM);
	(void)pthread_mutex_init(&a->own_turn.next, NULL);
	(void)pthread_mutex_init(&a->own_turn.work, NULL);
	a->turn = w->with != NULL ? w->with->turn : &a->own_turn;
	(void)pthread_mutex_init(&a->lock, NULL);
	cond_init(&a->wake);
	cond_init(&a->moved);
	rc = open_folders(a, err);
	if (rc == RC_OK)
		rc = applied_upto(w, w->journal, &a->position, err);
	if (rc == RC_OK)
		rc = skip_trimmed(a, err);
	/* What is applied must be durable before its file goes. */
	if (rc == RC_OK)
		rc = apply_checkpoint(a, err);
	if (rc == RC_OK)
		rc = apply_sweep(w, err);
	if (rc != RC_OK) {
		a->unsettled = false;
		apply_close(&a);
		return err_wrap(err, "apply");
	}
	*out = a;
	return RC_OK;
}

static void
stop_thread(struct apply *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->stop = true;
	(void)pthread_cond_signal(&a->wake);
	(void)pthread_mutex_unlock(&a->lock);
	if (a->running)
		(void)pthread_join(a->thread, NULL);
	a->running = false;
}

void
apply_close(struct apply **ap)
{
	struct apply *a = *ap;
	struct err err;

	if (a == NULL)
		return;
	stop_thread(a);
	if (a->unsettled && apply_checkpoint(a, &err) != RC_OK)
		log_warn("msg=\"no checkpoint at the end\" journal=%s why=\"%s\"",
			a->want.journal, err.text);
	journal_read_close(&a->reader);
	fs_close(&a->folder);
	fs_close(&a->incoming);
	arena_free(&a->mem);
	free(a->list);
	free(a->uids);
	free(a->left);
	(void)pthread_cond_destroy(&a->wake);
	(void)pthread_cond_destroy(&a->moved);
	(void)pthread_mutex_destroy(&a->lock);
	(void)pthread_mutex_destroy(&a->own_turn.next);
	(void)pthread_mutex_destroy(&a->own_turn.work);
	free(a);
	*ap = NULL;
}

void
apply_upto(struct apply *a, uint64_t seq)
{
	LOCK_AUTO held = lock_take(&a->lock);

	if (seq > a->upto) {
		a->upto = seq;
		(void)pthread_cond_signal(&a->wake);
	}
}

/* An index that is ahead of its journal after a power cut would take the next
 * messages for applied. */
enum rc
apply_ended(struct apply *a, uint64_t *last, struct err *err)
{
	uint64_t first;
	enum rc rc = fs_sync_all(a->folder, err);

	return rc == RC_OK ? journal_bounds(a->folder, &first, last, err) : rc;
}

uint64_t
apply_position(struct apply *a)
{
	LOCK_AUTO held = lock_take(&a->lock);

	return a->position;
}

bool
apply_wait(struct apply *a, uint64_t seq, uint64_t until_ms)
{
	LOCK_AUTO held = lock_take(&a->lock);

	while (a->position < seq)
		if (!cond_until(&a->moved, &a->lock, until_ms))
			return a->position >= seq;
	return true;
}

pthread_mutex_t *
apply_turn(struct apply *a)
{
	LOCK_AUTO next = lock_take(&a->turn->next);

	return lock_take(&a->turn->work);
}

void
apply_hold(struct apply *a)
{
	(void)apply_turn(a);
}

void
apply_release(struct apply *a)
{
	(void)pthread_mutex_unlock(&a->turn->work);
}

enum rc
apply_all(struct apply *a, uint64_t seq, struct err *err)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && apply_position(a) < seq) {
		LOCK_AUTO held = apply_turn(a);

		if (apply_position(a) < seq) /* others may have done it meanwhile */
			rc = apply_batch(a, seq, err);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static void
remove_files(struct apply *a, uint64_t upto)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->nleft; i++)
		if (a->left[i].seq > upto)
			a->left[kept++] = a->left[i];
		else
			(void)fs_unlink(a->incoming, a->left[i].id.text, NULL);
	a->nleft = kept;
}

enum rc
apply_checkpoint(struct apply *a, struct err *err)
{
	uint64_t upto;
	enum rc rc;
	{
		LOCK_AUTO held = apply_turn(a);

		upto = apply_position(a);
		if ((rc = ledger_checkpoint(a->want.ledger, err)) != RC_OK ||
			(rc = refusals_checkpoint(a->want.refusals, err)) != RC_OK ||
			(rc = store_checkpoint(a->want.store, err)) != RC_OK)
			return rc;
		remove_files(a, upto);
		a->unsettled = false;
	}
	if (a->want.applied != NULL)
		a->want.applied(upto, a->want.arg);
	return RC_OK;
}

/* What the thread remembers between its rounds. */
struct rounds {
	uint64_t checkpoint_ms, house_ms; /* when it last happened */
	uint64_t pause_ms, complained_ms;
	bool expire; /* once the journal is applied up to there */
	uint64_t expire_after;
	struct err said;
};

static void
complain(struct apply *a, struct rounds *r, const struct err *err)
{
	uint64_t now = clock_ms();

	if (strcmp(err->text, r->said.text) == 0 && now - r->complained_ms < COMPLAIN_MS)
		return;
	r->said = *err;
	r->complained_ms = now;
	log_error("msg=\"%s\" journal=%s position=%" PRIu64 " why=\"%s\"",
		err->rc == RC_PERM ? "delivery has stopped at a damaged record"
				   : "delivery waits and tries again",
		a->want.journal, apply_position(a), err->text);
}

/* True when the round failed: pause before the next. */
static bool
fell_over(struct apply *a, struct rounds *r, enum rc rc, const struct err *err)
{
	if (rc == RC_OK || rc == RC_NONE) {
		r->pause_ms = 0;
		r->said.text[0] = '\0';
		return false;
	}
	complain(a, r, err);
	r->pause_ms = r->pause_ms == 0 ? PAUSE_LEAST_MS : r->pause_ms * 2;
	if (r->pause_ms > PAUSE_MOST_MS)
		r->pause_ms = PAUSE_MOST_MS;
	return true;
}

/* The gate names held files; what it has named by now must have been entered before. */
static enum rc
plan_expiry(struct apply *a, struct rounds *r, struct err *err)
{
	uint64_t first;

	if (strcmp(a->want.journal, "gate") != 0)
		return RC_OK;
	r->expire = true;
	return journal_bounds(a->folder, &first, &r->expire_after, err);
}

static enum rc
expire(struct apply *a, struct rounds *r, struct err *err)
{
	FD_AUTO held = -1;
	enum rc rc;

	if (!r->expire || apply_position(a) < r->expire_after)
		return RC_OK;
	r->expire = false;
	rc = fs_open_dir(a->want.data, "held", &held, err);
	if (rc == RC_OK)
		rc = refusals_expire(a->want.refusals, held, clock_wall_ms(), err);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
housekeeping(struct apply *a, struct rounds *r, struct err *err)
{
	enum rc rc;

	r->house_ms = clock_ms();
	if ((rc = plan_expiry(a, r, err)) != RC_OK || (rc = expire(a, r, err)) != RC_OK ||
		(rc = mailbox_prune(
			 a->want.store, clock_wall_ms() - MAILBOX_KEPT_MS, err)) != RC_OK)
		return rc;
	if (a->want.ledger_keep_ms > 0 &&
		((rc = ledger_age(a->want.ledger, clock_wall_ms(), a->want.ledger_keep_ms,
			  err)) != RC_OK ||
			(rc = store_forget(a->want.store,
				 clock_wall_ms() - a->want.ledger_keep_ms - REMEMBERED_MS,
				 err)) != RC_OK))
		return rc;
	return apply_sweep(&a->want, err);
}

/* When there is something to do although nothing comes.  With the lock. */
static uint64_t
next_due(const struct apply *a, const struct rounds *r)
{
	uint64_t due = r->house_ms + HOUSEKEEPING_MS, idle = a->busy_ms + IDLE_MS;
	uint64_t full = r->checkpoint_ms + a->want.checkpoint_ms;

	if (!a->unsettled)
		return due;
	if (idle < due)
		due = idle;
	return full < due ? full : due;
}

/* Waits for records, a due task or the end (false). */
static bool
wait_for_work(struct apply *a, const struct rounds *r, uint64_t *upto)
{
	uint64_t due, pause = clock_ms() + r->pause_ms;
	LOCK_AUTO held = lock_take(&a->lock);

	while (!a->stop && r->pause_ms > 0 && cond_until(&a->wake, &a->lock, pause))
		continue;
	while (!a->stop && a->upto <= a->position && clock_ms() < (due = next_due(a, r)))
		(void)cond_until(&a->wake, &a->lock, due);
	*upto = a->upto;
	return !a->stop;
}

static uint64_t
busy_at(struct apply *a)
{
	LOCK_AUTO held = lock_take(&a->lock);

	return a->busy_ms;
}

static enum rc
one_round(struct apply *a, struct rounds *r, uint64_t upto, struct err *err)
{
	enum rc rc = RC_OK;

	if (apply_position(a) < upto) {
		LOCK_AUTO held = apply_turn(a);

		if ((rc = apply_batch(a, upto, err)) != RC_OK && rc != RC_NONE)
			return rc;
	}
	uint64_t now = clock_ms();
	if (a->unsettled && (now >= r->checkpoint_ms + a->want.checkpoint_ms ||
				    now >= busy_at(a) + IDLE_MS)) {
		r->checkpoint_ms = now;
		if ((rc = apply_checkpoint(a, err)) != RC_OK)
			return rc;
	}
	if (now >= r->house_ms + HOUSEKEEPING_MS)
		return housekeeping(a, r, err);
	return expire(a, r, err);
}

static void *
run(void *arg)
{
	struct apply *a = arg;
	struct rounds r = { .checkpoint_ms = clock_ms(), .house_ms = clock_ms() };
	uint64_t upto;
	struct err err = { .rc = RC_OK };

	/* Once at the start: what grew old while nobody was here. */
	(void)fell_over(a, &r, housekeeping(a, &r, &err), &err);
	while (wait_for_work(a, &r, &upto)) {
		(void)fell_over(a, &r, one_round(a, &r, upto, &err), &err);
		if (a->want.round != NULL)
			a->want.round(a->want.arg);
	}
	return NULL;
}

void
apply_start(struct apply *a)
{
	a->running = true;
	a->thread = thread_start("apply", run, a);
}
