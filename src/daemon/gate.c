/* SPDX-License-Identifier: ISC */
/*
 * gate: the process behind port 25.  Opens its folders, closes its cage, and
 * then starts everything that a session needs (smtp/smtp.h).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/thread.h"
#include "daemon/doors.h"
#include "daemon/metrics.h"
#include "daemon/process.h"
#include "held/held.h"
#include "smtp/smtp.h"
#include "wire/pack.h"

enum { GATE_WORKERS = 2 }; /* for each core; verdicts have threads of their own */

struct gate {
	struct child *child;
	struct smtp_gate smtp;
	int journal_dir, held_dir;
	uint64_t keep_ms; /* of journal files that are applied */
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stop; /* under lock: the clock thread ends */
	uint64_t probe_ms; /* under lock: try clamd's limits, for so long */
	pthread_t clock;
};

static void
on_synced(uint64_t seq, void *arg)
{
	struct gate *g = arg;

	metric_set(METRIC_synced, seq);
	remote_synced(g->smtp.remote, seq);
}

static void
on_applied(uint64_t seq, void *arg)
{
	struct gate *g = arg;

	journal_trim(g->smtp.journal, seq, g->keep_ms);
}

static enum rc
on_replay(uint64_t seq, enum jrec_kind kind, str payload, void *arg)
{
	struct gate *g = arg;

	(void)seq;
	once_replay(g->smtp.once, kind, payload);
	return RC_OK;
}

static void
on_head(struct buf *b, void *arg)
{
	struct gate *g = arg;

	once_head(g->smtp.once, clock_wall_ms(), b);
}

static void
on_lost(unsigned slot, void *arg)
{
	struct gate *g = arg;

	metric_add(METRIC_scanners_lost, 1);
	child_tell(g->child, CHILD_LOST, slot);
}

/* What its settings say, which the clock thread then tries on it. */
static void
read_clamd_limits(struct gate *g)
{
	struct clamd_limits limits;
	struct err err = { 0 };
	str text = str_of(g->child->clamd_conf);

	if (str_empty(g->child->conf->clamav.socket))
		return;
	{
		LOCK_AUTO held = lock_take(&g->lock);

		g->probe_ms = g->child->conf->clamav.timeout;
	}
	if (g->child->clamd_conf == NULL)
		log_warn(
			"clamd's settings (%s) cannot be read: its default limits are assumed",
			g->child->conf->clamav.conf.ptr);
	if (clamd_limits_read(text, &limits, &err) != RC_OK)
		log_warn("clamd's settings: %s", err.text);
	else
		clamd_set_limits(g->smtp.clamd, &limits);
}

static void
open_folders(struct gate *g)
{
	struct err err = { 0 };

	if (fs_open_dir(g->child->data, "incoming", &g->smtp.incoming, &err) != RC_OK ||
		fs_open_dir(g->child->data, "held", &g->held_dir, &err) != RC_OK ||
		fs_open_dir(g->child->data, "journal/gate", &g->journal_dir, &err) !=
			RC_OK)
		child_die(&err, "the data folder");
}

static struct held_limits
held_limits_of(const struct conf *conf)
{
	return (struct held_limits){ .keep_ms = conf->held.keep,
		.all_bytes = conf->held.all,
		.network_bytes = conf->held.network,
		.min_free = conf->held.min_free };
}

/* Without it mail goes on, and refusals say that nothing is kept. */
static void
open_held(struct gate *g)
{
	const struct held_limits limits = held_limits_of(g->child->conf);

	if (g->child->held_public == NULL)
		log_warn("refused originals are not held: keys/held.pub is missing");
	else
		g->smtp.held = held_open(g->held_dir, g->child->held_public, &limits);
}

static void
open_service(struct gate *g)
{
	const struct door doors[] = { { 25, &smtp_kind, &g->smtp } };

	doors_new(g->child, GATE_WORKERS, &g->smtp.service);
	smtp_gate_init(&g->smtp);
	doors_open(g->child, g->smtp.service, doors, sizeof(doors) / sizeof(doors[0]));
}

static void
start(struct gate *g)
{
	const struct conf *conf = g->child->conf;
	struct journal_want want = { .dirfd = g->journal_dir,
		.incoming = g->smtp.incoming,
		.synced = on_synced,
		.replay = on_replay,
		.head = on_head,
		.arg = g };
	struct err err = { 0 };

	g->keep_ms = conf->server.journal_keep;
	g->smtp.once = once_new();
	g->smtp.remote = remote_new(on_applied, g);
	g->smtp.scanners = scanners_new(conf_scanners(conf), on_lost, g);
	read_clamd_limits(g);
	open_held(g);
	if (journal_open(&want, &g->smtp.journal, &err) != RC_OK)
		child_die(&err, "journal");
	metric_set(METRIC_synced, journal_synced(g->smtp.journal));
	g->smtp.verdicts = pool_new("verdict", (unsigned)conf->smtp.verdict_threads,
		(size_t)conf->limits.connections);
	open_service(g);
}

static bool
wait_second(struct gate *g)
{
	LOCK_AUTO held = lock_take(&g->lock);
	uint64_t until = clock_ms() + 1000;

	while (!g->stop && clock_ms() < until)
		(void)cond_until(&g->stopped, &g->lock, until);
	return !g->stop;
}

static void
probe_clamd(struct gate *g)
{
	struct err err = { 0 };
	uint64_t probe_ms;

	{
		LOCK_AUTO held = lock_take(&g->lock);

		probe_ms = g->probe_ms;
		g->probe_ms = 0;
	}
	if (probe_ms != 0 &&
		clamd_probe(g->smtp.clamd, clock_ms() + probe_ms, &err) != RC_OK)
		log_warn("clamd: %s", err.text);
}

/* Not before it serves: a hundred thousand files take their time. */
static void
load_held(struct gate *g)
{
	struct err err = { 0 };

	if (g->smtp.held != NULL &&
		held_load(g->smtp.held, clock_wall_ms(), &err) != RC_OK)
		log_warn("what is held already is not known: %s", err.text);
}

static void
show_held(struct gate *g)
{
	struct held_sum sum = { 0 };

	if (g->smtp.held != NULL)
		sum = held_sum(g->smtp.held);
	metric_set(METRIC_held, sum.files);
	metric_set(METRIC_held_bytes, sum.bytes);
}

static void
each_minute(struct gate *g)
{
	smtp_gate_minute(&g->smtp, clock_wall_ms());
	if (g->smtp.held != NULL)
		held_minute(g->smtp.held, clock_wall_ms());
}

/* Reads what is held, tries clamd's limits when they were read, shows figures each
 * second, and gives the sessions their minute. */
static void *
clock_thread(void *arg)
{
	struct gate *g = arg;

	load_held(g);
	probe_clamd(g);
	for (uint64_t seconds = 1; wait_second(g); seconds++) {
		probe_clamd(g);
		metric_set(METRIC_sessions, service_sessions(g->smtp.service));
		metric_set(METRIC_verdicts, pool_waiting(g->smtp.verdicts));
		metric_set(METRIC_clamd_down, clamd_is_down(g->smtp.clamd));
		show_held(g);
		if (seconds % 60 == 0)
			each_minute(g);
	}
	return NULL;
}

static void
take_peer(struct gate *g, struct chan_msg *m)
{
	struct pack p = { .left = m->body };
	unsigned peer = (unsigned)pack_le(&p, 4), slot = (unsigned)pack_le(&p, 4);

	if (!pack_done(&p) || m->nfds != 1) {
		chan_close_fds(m);
		return;
	}
	if (peer == PEER_SCANNER) {
		scanners_channel(g->smtp.scanners, slot, m->fds[0]);
		return;
	}
	remote_channel(g->smtp.remote, m->fds[0]);
	remote_synced(g->smtp.remote, journal_synced(g->smtp.journal));
}

static void
reload(struct gate *g)
{
	struct child *c = g->child;
	const struct held_limits limits = held_limits_of(c->conf);

	service_reload(g->smtp.service, c->conf, c->tls);
	if (g->smtp.held != NULL)
		held_set_limits(g->smtp.held, &limits);
	clamd_reload(g->smtp.clamd, c->conf);
	read_clamd_limits(g);
	g->keep_ms = c->conf->server.journal_keep;
	log_info("reloaded");
}

/* What is not over in time is cut off as by a crash, which loses nothing. */
static void
drain(struct gate *g, const struct chan_msg *m)
{
	struct pack p = { .left = m->body };
	uint64_t left_ms = pack_le(&p, 8);

	{
		LOCK_AUTO held = lock_take(&g->lock);

		g->stop = true;
		(void)pthread_cond_broadcast(&g->stopped);
	}
	(void)pthread_join(g->clock, NULL);
	bool quiet = service_drain(g->smtp.service, clock_ms() + left_ms);
	smtp_gate_minute(&g->smtp, clock_wall_ms());
	if (!quiet) {
		log_warn("%zu sessions were cut off", service_sessions(g->smtp.service));
		_exit(0);
	}
	pool_free(&g->smtp.verdicts);
	journal_close(&g->smtp.journal);
	_exit(0);
}

void
gate_run(struct child *c)
{
	static struct gate g;
	struct chan_msg m;

	g.child = c;
	(void)pthread_mutex_init(&g.lock, NULL);
	cond_init(&g.stopped);
	open_folders(&g);
	/* before the cage: clamd's host name may have to be looked up */
	g.smtp.clamd = clamd_new(c->conf);
	child_cage(c);
	start(&g);
	g.clock = thread_start("clock", clock_thread, &g);
	child_ready(c);
	for (;;) {
		child_next(c, &m);
		if (m.type == MGR_PEER)
			take_peer(&g, &m);
		else if (m.type == MGR_RELOAD)
			reload(&g);
		else if (m.type == MGR_DRAIN)
			drain(&g, &m);
		else
			chan_close_fds(&m);
	}
}
