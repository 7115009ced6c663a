/* SPDX-License-Identifier: ISC */
#include "filter/clamd.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/thread.h"
#include "filter/clamd_int.h"

enum {
	PING_MS = 2000, /* longest wait of the one who probes a clamd that is down */
	TRACE_ROOM = 1024, /* what a spooled file has before the message */
};

/* clamd(8) 1.4's defaults, and what it cannot scan whatever is set. */
static const struct clamd_limits defaults = { 100 << 20, 100 << 20, 400 << 20 };
static const uint64_t FILE_MOST = INT32_MAX;

struct clamd {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	const struct conf *conf;
	struct clamd_peer peer;
	struct clamd_limits limits;
	uint64_t busy; /* connections */
	uint64_t misses; /* in a row */
	bool down, probing;
	uint64_t probe_ms; /* not before */
};

/* What one question needs, taken under the lock. */
struct asking {
	struct clamd_peer peer;
	uint64_t most; /* bytes that clamd scans whole */
};

struct clamd *
clamd_new(const struct conf *conf)
{
	struct clamd *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	(void)pthread_mutex_init(&c->lock, NULL);
	cond_init(&c->freed);
	c->limits = defaults;
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

static uint64_t
least(uint64_t most, uint64_t limit)
{
	return limit != 0 && limit < most ? limit : most;
}

static uint64_t
scanned_whole(const struct clamd_limits *l, bool stream)
{
	uint64_t most = least(least(FILE_MOST, l->file), l->scan);

	return stream ? least(most, l->stream) : most;
}

enum rc
clamd_limits_read(str text, struct clamd_limits *out, struct err *err)
{
	struct clamd_limits got = defaults;
	struct {
		str name;
		uint64_t *at;
		bool seen;
	} rows[] = {
		{ STR_INIT("StreamMaxLength"), &got.stream, false },
		{ STR_INIT("MaxFileSize"), &got.file, false },
		{ STR_INIT("MaxScanSize"), &got.scan, false },
	};
	unsigned number = 0;
	str line, name, value;

	while (str_cut(&text, '\n', &line)) {
		number++;
		clamd_setting(line, &name, &value);
		for (size_t i = 0; i < 3; i++) {
			uint64_t n;

			if (!str_ieq(name, rows[i].name))
				continue;
			if (line.len > CLAMD_LINE || clamd_size(value, &n) != RC_OK)
				return err_set(err, RC_BAD,
					"clamd's settings, line %u: no size", number);
			/* Given twice: whichever clamd takes, the smaller is safe. */
			*rows[i].at = rows[i].seen && n != 0 ? least(n, *rows[i].at) : n;
			rows[i].seen = true;
		}
	}
	*out = got;
	return RC_OK;
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
note(struct clamd *c, bool answered, const struct err *err)
{
	LOCK_AUTO held = lock_take(&c->lock);

	c->busy--;
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

static enum rc
take_connection(struct clamd *c, uint64_t until_ms, struct asking *a, struct err *err)
{
	LOCK_AUTO held = lock_take(&c->lock);

	while (c->busy >= c->conf->clamav.connections)
		if (!cond_until(&c->freed, &c->lock, until_ms))
			return err_set(
				err, RC_TEMP, "no connection to clamd was free in time");
	c->busy++;
	a->peer = c->peer;
	a->most = scanned_whole(&c->limits, !c->peer.local);
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

/* The message's deadline, or [clamav] timeout where that is sooner. */
static uint64_t
own_deadline(struct clamd *c, uint64_t until_ms)
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
	until_ms = own_deadline(c, until_ms);
	enum rc rc = probe_if_due(c, until_ms, err);
	if (rc == RC_OK)
		rc = take_connection(c, until_ms, &a, err);
	if (rc != RC_OK)
		return rc;
	bool asked = !a.peer.none && size <= a.most;
	if (asked && a.peer.local)
		rc = clamd_fildes(&a.peer, fd, until_ms, line, &answer, err);
	else if (asked)
		rc = clamd_instream(&a.peer, &file, until_ms, line, &answer, err);
	note(c, rc == RC_OK, err);
	if (rc != RC_OK)
		return rc;
	if (!a.peer.none && !asked)
		return err_set(err, RC_PERM,
			"larger than the %llu bytes that clamd scans whole",
			(unsigned long long)a.most);
	return verdict(&answer, virus, err);
}

/* The EICAR test file, joined only here: programs that hold it are found. */
static str
eicar(char out[80])
{
	static const char *const parts[] = { "X5O!P%@AP[4\\PZX54(P^)7CC)7}$",
		"EICAR-STANDARD-", "ANTIVIRUS-TEST-", "FILE!$H+H*" };
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		str part = str_of(parts[i]);

		memcpy(out + n, part.ptr, part.len);
		n += part.len;
	}
	return (str){ out, n };
}

/* Asks in the way that messages will be asked about. */
static enum rc
probe_with(const struct clamd_peer *p, const struct clamd_source *s, uint64_t until_ms,
	enum clamd_says *says, struct err *err)
{
	struct clamd_answer answer = { 0 };
	char line[CLAMD_ANSWER];
	enum rc rc;

	if (p->local) {
		FD_AUTO fd = memfd_create("probe", MFD_CLOEXEC);
		FD_AUTO reader = -1;

		if (fd < 0)
			return err_errno(err, "memfd");
		rc = fs_pwrite(fd, s->text, 0, err);
		if (rc == RC_OK)
			rc = fs_truncate(fd, s->size, err);
		if (rc == RC_OK)
			rc = fs_reopen_read(fd, &reader, err);
		if (rc == RC_OK)
			rc = clamd_fildes(p, reader, until_ms, line, &answer, err);
	} else {
		rc = clamd_instream(p, s, until_ms, line, &answer, err);
	}
	if (rc == RC_OK && answer.says == CLAMD_FAILED)
		return err_set(
			err, RC_TEMP, "clamd says: " STR_FMT, STR_ARG(answer.text));
	if (rc == RC_OK)
		*says = answer.says;
	return rc;
}

/* A stream of one byte more than the settings allow must be refused. */
static enum rc
probe_oversized(
	const struct clamd_peer *p, uint64_t limit, uint64_t until_ms, struct err *err)
{
	struct clamd_source s = { .fd = -1, .size = limit + 1 };
	struct clamd_answer answer = { 0 };
	char line[CLAMD_ANSWER];
	enum rc rc;

	if (limit == 0 || limit > FILE_MOST)
		return RC_OK;
	rc = clamd_instream(p, &s, until_ms, line, &answer, err);
	if (rc != RC_OK || answer.says == CLAMD_TOO_BIG)
		return rc;
	return err_set(err, RC_BAD,
		"clamd took a stream larger than the %llu bytes of its settings "
		"file, which is not this clamd's: [clamav] conf must name the right one",
		(unsigned long long)limit);
}

/* It scans less than we believed: how much, by halves, and what is larger is
 * refused from now on. */
static enum rc
believe_less(struct clamd *c, const struct clamd_peer *p, uint64_t whole, str text,
	uint64_t until_ms, struct err *err)
{
	struct clamd_source s = { .fd = -1, .text = text, .size = whole };
	enum clamd_says says = CLAMD_CLEAN;

	while (says != CLAMD_FOUND && s.size / 2 >= text.len) {
		s.size /= 2;
		enum rc rc = probe_with(p, &s, until_ms, &says, err);
		if (rc != RC_OK)
			return rc;
	}
	LOCK_AUTO held = lock_take(&c->lock);
	c->limits.file = s.size;
	return err_set(err, RC_BAD,
		"clamd does not scan %llu bytes whole, as its settings file "
		"says it does: what is larger than %llu is refused",
		(unsigned long long)whole, (unsigned long long)s.size);
}

enum rc
clamd_probe(struct clamd *c, uint64_t until_ms, struct err *err)
{
	enum clamd_says says = CLAMD_CLEAN;
	struct clamd_source s = { .fd = -1 };
	struct clamd_peer peer;
	uint64_t stream, whole;
	char text[80];

	{
		LOCK_AUTO held = lock_take(&c->lock);

		peer = c->peer;
		stream = c->limits.stream;
		whole = least(scanned_whole(&c->limits, !peer.local),
			c->conf->smtp.max_size + TRACE_ROOM);
	}
	if (peer.none)
		return RC_OK;
	s.text = eicar(text);
	s.size = s.text.len;
	enum rc rc = probe_with(&peer, &s, until_ms, &says, err);
	if (rc != RC_OK)
		return rc;
	if (says != CLAMD_FOUND)
		return err_set(err, RC_NONE,
			"clamd does not know the EICAR test file: has it any "
			"signatures? Its limits could not be tried");
	s.size = whole > s.size ? whole : s.size;
	rc = probe_with(&peer, &s, until_ms, &says, err);
	if (rc == RC_OK && says != CLAMD_FOUND)
		return believe_less(c, &peer, s.size, s.text, until_ms, err);
	return rc == RC_OK ? probe_oversized(&peer, stream, until_ms, err) : rc;
}
