/* SPDX-License-Identifier: ISC */
#include "deliver/own_int.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"

enum { PIECE = 64 * 1024 };

static const char name[] = "house";

/* A file that is not needed by whoever starts next. */
static void
on_applied(uint64_t seq, void *arg)
{
	struct own *o = arg;
	LOCK_AUTO held = lock_take(&o->closing);

	if (o->journal != NULL)
		journal_trim(o->journal, seq, o->want.journal_keep_ms);
}

static void
on_crossed(uint64_t account, void *arg)
{
	struct own *o = arg;

	if (o->want.apply.crossed != NULL)
		o->want.apply.crossed(account, o->want.apply.arg);
}

static void
on_delivered(uint64_t account, void *arg)
{
	struct own *o = arg;

	if (o->want.apply.delivered != NULL)
		o->want.apply.delivered(account, o->want.apply.arg);
}

static void
on_placed(const struct msg_id *id, uint32_t uid, void *arg)
{
	struct own *o = arg;
	LOCK_AUTO held = lock_take(&o->waiting);
	struct waiter *w;

	HASH_FIND(hh, o->waiters, id->text, MSG_ID_LEN, w);
	if (w != NULL)
		w->uid = uid;
}

/* With every call there is, as the argument is ours. */
static enum rc
open_apply(struct own *o, struct err *err)
{
	struct apply_want w = o->want.apply;

	w.journal = name;
	w.applied = on_applied;
	w.delivered = on_delivered;
	w.crossed = on_crossed;
	w.placed = on_placed;
	w.round = NULL;
	w.arg = o;
	return apply_open(&w, &o->apply, err);
}

static enum rc
open_journal(struct own *o, struct err *err)
{
	int data = o->want.apply.data;
	FD_AUTO dir = -1;
	struct journal_want w = { .arg = o };
	enum rc rc = fs_mkdirs(data, "journal/house", 0750, err);

	if (rc == RC_OK)
		rc = fs_open_dir(data, "journal/house", &dir, err);
	if (rc == RC_OK)
		rc = fs_open_dir(data, "incoming", &o->incoming, err);
	w.dirfd = dir;
	w.incoming = o->incoming;
	return rc == RC_OK ? journal_open(&w, &o->journal, err) : rc;
}

enum rc
own_open(const struct own_want *w, struct own **out, struct err *err)
{
	struct own *o = calloc(1, sizeof(*o));
	enum rc rc;

	if (o == NULL)
		abort();
	o->want = *w;
	o->incoming = -1;
	(void)pthread_mutex_init(&o->turn, NULL);
	(void)pthread_mutex_init(&o->closing, NULL);
	(void)pthread_mutex_init(&o->waiting, NULL);
	rc = open_journal(o, err);
	if (rc == RC_OK)
		rc = open_apply(o, err);
	if (rc != RC_OK) {
		own_close(&o);
		return err_wrap(err, "house's own journal");
	}
	if (w->thread) {
		/* before anybody looks; what cannot be done now its thread tries again */
		(void)!apply_all(o->apply, journal_synced(o->journal), NULL);
		apply_upto(o->apply, journal_synced(o->journal));
		apply_start(o->apply);
	}
	*out = o;
	return RC_OK;
}

void
own_close(struct own **op)
{
	struct own *o = *op;
	struct err err;

	if (o == NULL)
		return;
	if (o->apply != NULL && own_settle(o, &err) != RC_OK)
		log_warn(
			"msg=\"records are applied at the next start\" journal=%s why=\"%s\"",
			name, err.text);
	struct journal *journal;
	{
		LOCK_AUTO held = lock_take(&o->closing);

		journal = o->journal;
		o->journal = NULL;
	}
	/* each calls the other until its thread has ended */
	journal_close(&journal);
	apply_close(&o->apply);
	fs_close(&o->incoming);
	(void)pthread_mutex_destroy(&o->turn);
	(void)pthread_mutex_destroy(&o->closing);
	(void)pthread_mutex_destroy(&o->waiting);
	free(o);
	*op = NULL;
}

pthread_mutex_t *
own_turn(struct own *o)
{
	return &o->turn;
}

int
own_incoming(const struct own *o)
{
	return o->incoming;
}

enum rc
own_await(struct own *o, uint64_t seq, struct err *err)
{
	enum rc rc;

	/* on this thread: to wake another one and wait for it costs more; and for others who
	 * have committed meanwhile */
	if (o->want.thread)
		seq = journal_synced(o->journal);
	rc = apply_all(o->apply, seq, err);
	if (!o->want.thread)
		return rc == RC_OK ? apply_checkpoint(o->apply, err) : rc;
	if (rc == RC_OK)
		return rc;
	apply_upto(o->apply, seq); /* which tries again until it is done */
	if (apply_wait(o->apply, seq, clock_ms() + SETTLE_MS))
		return RC_OK;
	return err_set(err, RC_TEMP,
		"what was delivered before is still being put into mailboxes; the log may "
		"say why");
}

enum rc
own_settle(struct own *o, struct err *err)
{
	return own_await(o, journal_synced(o->journal), err);
}

static enum rc
measure(const struct fs_spool *file, struct jrec_message *m, struct err *err)
{
	struct sha256 *d = sha256_new();
	char *piece = malloc(PIECE);
	enum rc rc = fs_size(file->fd, &m->size, err);
	size_t got = 0;

	if (piece == NULL)
		abort();
	for (uint64_t at = TRACE_BLOCK; rc == RC_OK && at < m->size; at += got) {
		rc = fs_pread(file->fd, piece, PIECE, at, &got, err);
		if (rc == RC_OK && got == 0)
			rc = err_set(err, RC_TEMP, "a spooled file became shorter");
		if (rc == RC_OK)
			sha256_add(d, (str){ piece, got });
	}
	sha256_done(d, m->digest);
	sha256_free(&d);
	free(piece);
	return rc;
}

static enum rc
publish(struct own *o, struct fs_spool *file, const char *id, struct err *err)
{
	enum rc rc = fs_spool_publish(o->incoming, file, id, err);

	if (rc == RC_BAD) {
		rc = fs_unlink(o->incoming, id, err);
		if (rc == RC_OK)
			rc = fs_spool_publish(o->incoming, file, id, err);
	}
	return rc == RC_OK ? fs_sync_data(file->fd, err) : rc;
}

enum rc
own_sound(struct own *o, struct err *err)
{
	if (!atomic_load(&o->broken))
		return RC_OK;
	return err_set(err, RC_TEMP,
		"the journal could not be written; restart the server and try again");
}

enum rc
own_commit(struct own *o, enum jrec_kind kind, str record, uint64_t *seq, struct err *err)
{
	enum rc rc = journal_commit(o->journal, kind, record, true, seq, err);

	if (rc == RC_PERM)
		atomic_store(&o->broken, true);
	return rc;
}

static enum rc
commit(struct own *o, const struct jrec_message *m, struct err *err)
{
	BUF_AUTO record = BUF(JREC_MOST);

	jrec_put_message(&record, m);
	if (!buf_ok(&record))
		return err_set(err, RC_LIMIT, "message %s is too large for the journal",
			m->id.text);
	return own_commit(o, JREC_MESSAGE, buf_str(&record), NULL, err);
}

enum rc
own_deliver(struct own *o, struct fs_spool *file, struct jrec_message *m, struct err *err)
{
	struct err why = { 0 };
	enum rc rc = own_sound(o, err);

	if (rc != RC_OK)
		return rc;
	rc = measure(file, m, err);
	if (rc == RC_OK)
		rc = publish(o, file, m->id.text, err);
	if (rc == RC_OK) {
		rc = commit(o, m, err);
		if (rc != RC_OK && rc != RC_PERM)
			(void)fs_unlink(o->incoming, m->id.text, NULL);
	}
	fs_spool_drop(o->incoming, file);
	if (rc != RC_OK)
		return rc;
	if (own_settle(o, &why) != RC_OK)
		log_warn("msg=\"committed, not yet in the mailboxes\" id=%s why=\"%s\"",
			m->id.text, why.text);
	return RC_OK;
}
