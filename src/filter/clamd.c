/* SPDX-License-Identifier: ISC */
#include "filter/clamd.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "filter/clamd_int.h"

enum { LATE_MS = 10 * 60 * 1000 };
enum { PING_MS = 2000 }; /* longest wait of the one who probes a clamd that is down */

/* What one question needs, taken under the lock. */
struct asking {
	struct clamd_peer peer;
	uint64_t most; /* bytes that clamd scans whole */
	uint64_t most_ms; /* MaxScanTime */
};

struct clamd *
clamd_new(const struct conf *conf)
{
	struct clamd *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	(void)pthread_mutex_init(&c->lock, NULL);
	cond_init(&c->freed);
	c->limits = clamd_default_limits;
	c->conf = conf_keep(conf);
	clamd_peer_read(conf->clamav.socket, &c->peer);
	return c;
}

void
clamd_free(struct clamd **cp)
{
	struct clamd *c = *cp;

	if (c == NULL)
		return;
	conf_drop(&c->conf);
	(void)pthread_cond_destroy(&c->freed);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
	*cp = NULL;
}

void
clamd_reload(struct clamd *c, const struct conf *conf)
{
	struct clamd_peer peer;

	clamd_peer_read(conf->clamav.socket, &peer);
	LOCK_AUTO held = lock_take(&c->lock);
	bool same = str_eq(c->conf->clamav.socket, conf->clamav.socket);
	/* A name that cannot be asked for now keeps the address it had. */
	if (peer.known || peer.none || !same)
		c->peer = peer;
	if (!same) {
		c->down = false;
		c->misses = 0;
	}
	conf_drop(&c->conf);
	c->conf = conf_keep(conf);
	(void)pthread_cond_broadcast(&c->freed);
}

void
clamd_set_limits(struct clamd *c, const struct clamd_limits *l)
{
	LOCK_AUTO held = lock_take(&c->lock);

	c->limits = *l;
}

bool
clamd_is_down(struct clamd *c)
{
	LOCK_AUTO held = lock_take(&c->lock);

	return c->down;
}

/* One waits for the probe; the others are answered at once. */
static enum rc
probe_if_due(struct clamd *c, uint64_t until_ms, struct err *err)
{
	struct clamd_peer peer;
	uint64_t now = clock_ms(), ping_ms = now + PING_MS;

	{
		LOCK_AUTO held = lock_take(&c->lock);

		if (!c->down)
			return RC_OK;
		if (c->probing || now < c->probe_ms)
			return err_set(err, RC_TEMP, "clamd is down");
		c->probing = true;
		peer = c->peer;
	}
	enum rc rc = clamd_ping(&peer, until_ms < ping_ms ? until_ms : ping_ms, err);

	LOCK_AUTO held = lock_take(&c->lock);
	c->probing = false;
	c->probe_ms = clock_ms() + c->conf->clamav.breaker_probe;
	if (rc == RC_OK && c->down) {
		c->down = false;
		c->misses = 0;
		log_info("clamd answers again");
	}
	return rc;
}

static void
note(struct clamd *c, bool answered, bool late, const struct err *err)
{
	LOCK_AUTO held = lock_take(&c->lock);

	c->busy--;
	c->blamed -= late;
	(void)pthread_cond_signal(&c->freed);
	if (answered) {
		c->misses = 0;
		return;
	}
	c->misses++;
	if (c->down || c->misses < c->conf->clamav.breaker_misses)
		return;
	c->down = true;
	c->probe_ms = clock_ms() + c->conf->clamav.breaker_probe;
	log_warn(
		"clamd counts as down after %llu failures in a row, mail is deferred: %s",
		(unsigned long long)c->misses, err->text);
}

/* Did a question that clamd did not answer in time have a thread of its own all the
 * while?  Then what it was about is the reason; else others may be. */
static bool
had_a_thread(struct clamd *c)
{
	LOCK_AUTO held = lock_take(&c->lock);
	uint64_t now = clock_ms(), others = c->busy - c->blamed - 1;
	uint64_t keep = c->limits.scan_ms != 0 ? c->limits.scan_ms : LATE_MS;
	unsigned n = c->nlate < CLAMD_LATE ? c->nlate : CLAMD_LATE;

	for (unsigned i = 0; i < n; i++)
		others += now - c->late_ms[i] < keep;
	c->late_ms[c->nlate++ % CLAMD_LATE] = now;
	c->blamed++;
	return others < c->limits.threads;
}

/* Late, but clamd is well: RC_BAD. */
static enum rc
blame(struct clamd *c, const struct clamd_peer *p, struct err *err)
{
	struct err why = { 0 };

	if (!had_a_thread(c) || clamd_ping(p, clock_ms() + PING_MS, &why) != RC_OK)
		return RC_TEMP;
	return err_set(err, RC_BAD, "clamd did not come to an end with it");
}

static enum rc
take_connection(struct clamd *c, uint64_t until_ms, struct asking *a, struct err *err)
{
	LOCK_AUTO held = lock_take(&c->lock);

	if (c->limits.blind && !c->peer.none)
		return err_set(err, RC_TEMP,
			"clamd does not look into mail or archives: its ScanMail or "
			"ScanArchive is off");
	while (c->busy >= c->conf->clamav.connections)
		if (!cond_until(&c->freed, &c->lock, until_ms))
			return err_set(
				err, RC_TEMP, "no connection to clamd was free in time");
	c->busy++;
	a->peer = c->peer;
	a->most = clamd_scanned_whole(&c->limits, !c->peer.local);
	a->most_ms = c->limits.scan_ms;
	return RC_OK;
}

/* The name goes into the ledger and the log. */
static void
keep_name(str name, char virus[CLAMD_NAME])
{
	size_t n = 0;

	for (; n < name.len && n < CLAMD_NAME - 1; n++) {
		char c = name.ptr[n];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || memchr(".-_:/+@", c, 7) != NULL;

		virus[n] = plain ? c : '?';
	}
	virus[n] = '\0';
}

static enum rc
verdict(const struct clamd_answer *a, char virus[CLAMD_NAME], struct err *err)
{
	switch (a->says) {
	case CLAMD_CLEAN:
		virus[0] = '\0';
		return RC_OK;
	case CLAMD_FOUND:
		keep_name(a->text, virus);
		return RC_OK;
	case CLAMD_TOO_BIG:
		return err_set(err, RC_PERM, "clamd would not scan it whole: " STR_FMT,
			STR_ARG(a->text));
	case CLAMD_FAILED:
		return err_set(err, RC_TEMP, "clamd says: " STR_FMT, STR_ARG(a->text));
	case CLAMD_PONG:
		break;
	}
	return err_set(err, RC_TEMP, "clamd answered something else than was asked");
}

uint64_t
clamd_deadline(struct clamd *c, uint64_t until_ms)
{
	LOCK_AUTO held = lock_take(&c->lock);
	uint64_t own = clock_ms() + c->conf->clamav.timeout;

	return own < until_ms ? own : until_ms;
}

enum rc
clamd_scan(struct clamd *c, int fd, uint64_t size, uint64_t until_ms,
	char virus[CLAMD_NAME], struct err *err)
{
	struct clamd_source file = { .fd = fd, .size = size };
	struct clamd_answer answer = { 0 };
	char line[CLAMD_ANSWER];
	struct err own = { 0 };
	struct asking a;

	if (err == NULL)
		err = &own;
	until_ms = clamd_deadline(c, until_ms);
	enum rc rc = probe_if_due(c, until_ms, err);
	if (rc == RC_OK)
		rc = take_connection(c, until_ms, &a, err);
	if (rc != RC_OK)
		return rc;
	bool asked = !a.peer.none && size <= a.most;
	/* past MaxScanTime it says OK to what it has not looked at */
	if (a.most_ms != 0 && clock_ms() + a.most_ms < until_ms)
		until_ms = clock_ms() + a.most_ms;
	if (asked && a.peer.local)
		rc = clamd_fildes(&a.peer, fd, until_ms, line, &answer, err);
	else if (asked)
		rc = clamd_instream(&a.peer, &file, until_ms, line, &answer, err);
	bool late = rc == RC_TEMP && clock_ms() >= until_ms;
	if (late)
		rc = blame(c, &a.peer, err);
	note(c, rc != RC_TEMP, late, err);
	if (rc != RC_OK)
		return rc;
	if (!a.peer.none && !asked)
		return err_set(err, RC_PERM,
			"larger than the %llu bytes that clamd scans whole",
			(unsigned long long)a.most);
	return verdict(&answer, virus, err);
}
