/* SPDX-License-Identifier: ISC */
/*
 * house: the process with the mailboxes.  Applies the gate's journal, answers
 * its questions, runs verbs.
 */
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/doors.h"
#include "daemon/house_int.h"
#include "daemon/metrics.h"
#include "daemon/process.h"
#include "deliver/notice.h"
#include "wire/pack.h"

enum {
	HOUSE_WORKERS = 8, /* for each core: readers' sessions wait for the disk */
	NOTICE_AGAIN_MS = 10 * 60 * 1000,
	VERB_THREADS = 4,
	VERBS_WAITING = 64,
};

static void
on_changed(void *arg)
{
	struct house *h = arg;

	if (h->answer != NULL)
		answer_forget(h->answer);
	if (h->logins != NULL)
		logins_forget(h->logins);
}

static void
on_shut_out(uint64_t account, void *arg)
{
	struct house *h = arg;

	if (h->logins != NULL)
		logins_shut_out(h->logins, account);
}

static void
on_crossed(uint64_t account, void *arg)
{
	struct house *h = arg;

	(void)account;
	if (h->answer != NULL)
		answer_forget(h->answer);
}

static void
on_delivered(uint64_t account, void *arg)
{
	struct house *h = arg;

	if (h->fulltext != NULL)
		fulltext_due(h->fulltext, account);
}

static void
on_reader_lost(unsigned slot, void *arg)
{
	struct house *h = arg;

	child_tell(h->child, CHILD_LOST, slot + 1);
}

static void
on_applied(uint64_t seq, void *arg)
{
	struct house *h = arg;

	metric_set(METRIC_durable, seq);
	if (h->answer != NULL)
		answer_applied(h->answer, seq);
}

/* On the thread that applies the gate's journal, which a notice that cannot be sent
 * must not hold up again and again. */
static void
on_round(void *arg)
{
	struct house *h = arg;
	struct err err = { 0 };
	const struct conf *conf;

	if (clock_ms() < h->notice_after_ms)
		return;
	{
		LOCK_AUTO held = lock_take(&h->lock);

		conf = conf_keep(h->conf);
	}
	/* until then the journal does not end under us */
	LOCK_AUTO sending = lock_take(&h->notices);
	const struct notice_want w = { .hostname = conf->server.hostname,
		.directory = h->directory,
		.refusals = h->refusals,
		.own = h->own };
	if (h->own != NULL && notice_send(&w, &err) != RC_OK) {
		log_warn("msg=\"a notice to the postmaster waits\" why=\"%s\"", err.text);
		h->notice_after_ms = clock_ms() + NOTICE_AGAIN_MS;
	}
	conf_drop(&conf);
}

static void
on_journal(uint64_t seq, void *arg)
{
	struct house *h = arg;

	apply_upto(h->apply, seq);
}

static void
on_lost(const char *why, void *arg)
{
	struct house *h = arg;

	log_info("the gate's channel is given up: %s", why);
	child_tell(h->child, CHILD_LOST, 0);
}

static enum rc
usage(uint64_t account, uint64_t *bytes, void *arg)
{
	struct house *h = arg;
	struct store_usage u;
	enum rc rc = store_usage(h->store, account, &u, NULL);

	if (rc == RC_OK)
		*bytes = u.bytes;
	return rc;
}

static void
open_stores(struct house *h)
{
	const struct conf *conf = h->conf;
	int data = h->child->data;
	struct err err = { 0 };

	const struct directory_want d = { .data = data,
		.conf = conf,
		.changed = on_changed,
		.shut_out = on_shut_out,
		.arg = h };
	if (directory_open(&d, &h->directory, &err) != RC_OK)
		child_die(&err, "directory");
	doors_new(h->child, HOUSE_WORKERS, &h->service);
	const struct store_want s = { .data = data,
		.cache_bytes = (size_t)conf->store.cache,
		.wake = house_wake,
		.arg = h };
	if (store_open(&s, &h->store, &err) != RC_OK)
		child_die(&err, "mailboxes");
	if (ledger_open(&(struct ledger_want){ .data = data }, &h->ledger, &err) != RC_OK)
		child_die(&err, "ledger");
	const struct refusals_want r = { .data = data, .keep_ms = conf->held.keep };
	if (refusals_open(&r, &h->refusals, &err) != RC_OK)
		child_die(&err, "refusals");
}

/* Takes turns with the gate's: who holds one holds both. */
static void
open_own(struct house *h, const struct apply_want *gate)
{
	struct own_want w = { .apply = *gate,
		.journal_keep_ms = h->conf->server.journal_keep,
		.thread = true };
	struct err err = { 0 };

	w.apply.with = h->apply;
	if (own_open(&w, &h->own, &err) != RC_OK)
		child_die(&err, "journal");
}

static void
start_fulltext(struct house *h)
{
	const struct conf *conf = h->conf;
	const struct search_want s = { .data = h->child->data,
		.cache_bytes = (size_t)conf->store.cache };
	struct err err = { 0 };

	h->nreaders = (unsigned)conf->limits.readers;
	h->readers = scanners_new(h->nreaders, on_reader_lost, h);
	if (search_open(&s, &h->search, &err) != RC_OK)
		child_die(&err, "full text");
	const struct fulltext_want w = { .store = h->store,
		.search = h->search,
		.scanners = h->readers,
		.hostname = conf->server.hostname,
		.scanner_ms = conf->limits.scanner_timeout,
		.unpacked = conf->limits.scanner_unpacked,
		.delay_ms = conf->store.full_text_delay };
	if (conf->store.full_text)
		h->fulltext = fulltext_start(&w);
}

static void
start(struct house *h)
{
	const struct conf *conf = h->conf;
	struct err err = { 0 };

	open_stores(h);
	house_words_open(h);
	const struct apply_want a = { .data = h->child->data,
		.journal = "gate",
		.directory = h->directory,
		.store = h->store,
		.ledger = h->ledger,
		.refusals = h->refusals,
		.checkpoint_ms = conf->store.checkpoint,
		.ledger_keep_ms = conf->server.ledger_keep,
		.applied = on_applied,
		.delivered = on_delivered,
		.crossed = on_crossed,
		.round = on_round,
		.arg = h };
	if (apply_open(&a, &h->apply, &err) != RC_OK)
		child_die(&err, "journal");
	start_fulltext(h); /* before anything is applied */
	const struct answer_want w = { .directory = h->directory,
		.usage = usage,
		.usage_arg = h,
		.journal = on_journal,
		.lost = on_lost,
		.arg = h };
	h->answer = answer_new(&w);
	open_own(h, &a); /* its thread may tell the gate something */
	h->logins = logins_new(h->directory, conf);
	h->verbs = pool_new("verb", VERB_THREADS, VERBS_WAITING);
	apply_start(h->apply);
	house_doors_open(h);
	house_letters_start(h);
}

static void
take_peer(struct house *h, struct chan_msg *m)
{
	struct pack p = { .left = m->body };
	unsigned peer = (unsigned)pack_le(&p, 4), slot = (unsigned)pack_le(&p, 4);

	if (peer == PEER_GATE && m->nfds == 1)
		answer_channel(h->answer, m->fds[0]);
	else if (peer == PEER_SCANNER && m->nfds == 1 && slot < h->nreaders)
		scanners_channel(h->readers, slot, m->fds[0]);
	else
		chan_close_fds(m);
}

static void
reload(struct house *h)
{
	LOCK_AUTO held = lock_take(&h->lock);

	conf_drop(&h->conf);
	h->conf = conf_keep(h->child->conf);
	directory_reload(h->directory, h->conf);
	refusals_set_keep(h->refusals, h->conf->held.keep);
	answer_forget(h->answer);
	logins_reload(h->logins, h->conf);
	service_reload(h->service, h->conf, h->child->tls);
	house_doors_limits(h);
	house_web_reload(h);
	log_info("reloaded");
}

/* Everything in the gate's journal, whose writer has ended, into the
 * mailboxes.  What is not done in time is done at the next start. */
static void
apply_rest(struct house *h, uint64_t until_ms)
{
	struct err err = { 0 };
	uint64_t last;

	if (apply_ended(h->apply, &last, &err) != RC_OK) {
		log_warn("the journal is applied at the next start: %s", err.text);
		return;
	}
	apply_upto(h->apply, last);
	if (!apply_wait(h->apply, last, until_ms))
		log_warn("journal records %llu to %llu are applied at the next start",
			(unsigned long long)apply_position(h->apply) + 1,
			(unsigned long long)last);
}

static void
close_own(struct house *h)
{
	struct own *own;
	{
		LOCK_AUTO sending = lock_take(&h->notices);

		own = h->own;
		h->own = NULL;
	}
	own_close(&own);
}

static void
drain(struct house *h, const struct chan_msg *m)
{
	struct pack p = { .left = m->body };
	uint64_t left_ms = pack_le(&p, 8), until_ms = clock_ms() + left_ms;
	bool quiet = house_doors_close(h, clock_ms() + left_ms / 2);

	pool_free(&h->verbs);
	apply_rest(h, until_ms);
	if (!quiet) /* as by a crash, which loses nothing */
		_exit(0);
	house_letters_stop(h);
	close_own(h);
	apply_close(&h->apply);
	fulltext_stop(&h->fulltext);
	answer_free(&h->answer);
	refusals_close(&h->refusals);
	ledger_close(&h->ledger);
	store_close(&h->store);
	search_close(&h->search);
	directory_close(&h->directory);
	_exit(0);
}

void
house_run(struct child *c)
{
	static struct house h;
	struct chan_msg m;

	h.child = c;
	h.conf = conf_keep(c->conf);
	(void)pthread_mutex_init(&h.lock, NULL);
	(void)pthread_mutex_init(&h.notices, NULL);
	child_cage(c);
	start(&h);
	child_ready(c);
	for (;;) {
		child_next(c, &m);
		if (m.type == MGR_PEER)
			take_peer(&h, &m);
		else if (m.type == MGR_CONTROL && m.nfds == 1)
			house_verb(&h, m.fds[0]);
		else if (m.type == MGR_RELOAD)
			reload(&h);
		else if (m.type == MGR_DRAIN)
			drain(&h, &m);
		else
			chan_close_fds(&m);
	}
}
