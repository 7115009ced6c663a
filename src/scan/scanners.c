/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include "net/chan.h"
#include "scan/scan_int.h"

struct slot {
	int fd; /* -1: no scanner */
	bool busy; /* the asking thread has fd; it alone closes it */
	int next; /* replaced while busy: the new channel, or -1 */
	bool replaced;
	bool serves; /* it has said so: whatever befalls it now, befalls it at work */
	char *frame; /* CHAN_HEADER + CHAN_MOST, for its answers */
};

struct scanners {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	bool stopped;
	uint64_t last_id;
	uint64_t jobs_bytes; /* of descriptors that are out */
	void (*lost)(unsigned slot, void *arg);
	void *arg;
	unsigned n;
	struct slot slots[];
};

struct scanners *
scanners_new(unsigned n, void (*lost)(unsigned slot, void *arg), void *arg)
{
	struct scanners *s = calloc(1, sizeof(*s) + n * sizeof(s->slots[0]));

	if (s == NULL)
		abort();
	(void)pthread_mutex_init(&s->lock, NULL);
	cond_init(&s->freed);
	s->lost = lost;
	s->arg = arg;
	s->n = n;
	for (unsigned i = 0; i < n; i++) {
		s->slots[i].fd = s->slots[i].next = -1;
		s->slots[i].frame = malloc(CHAN_HEADER + CHAN_MOST);
		if (s->slots[i].frame == NULL)
			abort();
	}
	return s;
}

void
scanners_free(struct scanners **sp)
{
	struct scanners *s = *sp;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		fs_close(&s->slots[i].fd);
		free(s->slots[i].frame);
	}
	(void)pthread_cond_destroy(&s->freed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
	*sp = NULL;
}

void
scanners_stop(struct scanners *s)
{
	LOCK_AUTO held = lock_take(&s->lock);

	s->stopped = true;
	/* closed under the lock alone: none of them is another file's by now */
	for (unsigned i = 0; i < s->n; i++)
		if (s->slots[i].fd >= 0)
			(void)shutdown(s->slots[i].fd, SHUT_RDWR);
	(void)pthread_cond_broadcast(&s->freed);
}

static bool
is_stopped(struct scanners *s)
{
	LOCK_AUTO held = lock_take(&s->lock);

	return s->stopped;
}

void
scanners_channel(struct scanners *s, unsigned slot, int fd)
{
	assert(slot < s->n);
	LOCK_AUTO held = lock_take(&s->lock);
	struct slot *at = &s->slots[slot];

	if (at->busy) {
		/* Its channel ends by itself; whoever asks will see it. */
		fs_close(&at->next);
		at->next = fd;
		at->replaced = true;
		return;
	}
	fs_close(&at->fd);
	at->fd = fd;
	at->serves = false;
	(void)pthread_cond_broadcast(&s->freed);
}

static struct slot *
free_slot(struct scanners *s)
{
	struct slot *starting = NULL;

	for (unsigned i = 0; i < s->n; i++) {
		struct slot *at = &s->slots[i];

		if (at->fd < 0 || at->busy)
			continue;
		if (at->serves)
			return at;
		starting = starting == NULL ? at : starting;
	}
	return starting;
}

static struct slot *
take_slot(struct scanners *s, uint64_t until_ms, uint64_t *id)
{
	LOCK_AUTO held = lock_take(&s->lock);
	struct slot *at;

	while (!s->stopped && (at = free_slot(s)) == NULL)
		if (!cond_until(&s->freed, &s->lock, until_ms))
			return NULL;
	if (s->stopped)
		return NULL;
	at->busy = true;
	*id = ++s->last_id;
	return at;
}

/* True when the scanner is lost: of no use, and nobody has replaced it yet. */
static bool
give_slot(struct scanners *s, struct slot *at, bool usable)
{
	LOCK_AUTO held = lock_take(&s->lock);
	bool lost = !usable && !at->replaced && !s->stopped;

	at->busy = false;
	if (!usable || at->replaced)
		fs_close(&at->fd);
	if (at->replaced) {
		at->fd = at->next;
		at->next = -1;
		at->replaced = at->serves = false;
	}
	(void)pthread_cond_broadcast(&s->freed);
	return lost;
}

bool
scan_is_sealed(int fd)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int has = fcntl(fd, F_GET_SEALS);

	return has >= 0 && (has & seals) == seals;
}

/* What came back, from a process that may be somebody else's by now. */
static enum rc
understand(
	const struct scan_question *q, struct chan_msg *m, unsigned *how, struct err *err)
{
	str rest;

	if (!scan_get_answer(m->body, how, &rest))
		return err_set(err, RC_BAD, "the scanner's answer cannot be read");
	if (m->type == FACTS_DONE)
		return q->take(m, rest, q->arg, err);
	if (m->type != FACTS_FAILED || m->nfds > 0)
		return err_set(err, RC_BAD, "the scanner's answer is of no known kind");
	rest = str_first(rest, SCAN_SENTENCE);
	if ((*how & SCAN_UNKNOWN) != 0)
		return err_set(err, q->may_be_unknown ? RC_NONE : RC_BAD,
			"the scanner says: " STR_FMT, STR_ARG(rest));
	return err_set(err, (*how & SCAN_NEVER) != 0 ? RC_PERM : RC_TEMP,
		"the scanner could not read the message: " STR_FMT, STR_ARG(rest));
}

/* A scanner that is only starting may fail for reasons of its own. */
static enum rc
await_ready(struct slot *at, uint64_t until_ms, struct err *err)
{
	struct chan_msg m = { 0 };

	if (at->serves)
		return RC_OK;
	enum rc rc = chan_recv(
		at->fd, at->frame, CHAN_HEADER + CHAN_MOST, &m, until_ms, err);
	if (rc == RC_OK) {
		at->serves = m.type == FACTS_READY && m.nfds == 0;
		chan_close_fds(&m);
	}
	return at->serves ? RC_OK
			  : err_set(err, RC_TEMP, "a scanner did not start to serve");
}

/* When the scanner's time is over; *whole: it is all of most_ms. */
static uint64_t
deadline(uint64_t most_ms, uint64_t until_ms, bool *whole)
{
	uint64_t end = clock_ms() + most_ms;

	*whole = most_ms == 0 || end <= until_ms;
	return most_ms != 0 && *whole ? end : until_ms;
}

/* RC_TEMP: the message has no part in it; RC_BAD: it may be the cause. */
static enum rc
ask(struct slot *at, uint64_t id, const struct scan_question *q, uint64_t until_ms,
	struct chan_msg *answer, struct err *err)
{
	struct chan_msg m = { .type = q->type,
		.id = id,
		.body = q->body,
		.fds = { q->fd },
		.nfds = q->fd >= 0 };
	enum rc rc = await_ready(at, until_ms, err);
	bool whole;

	if (rc != RC_OK)
		return rc;
	uint64_t end_ms = deadline(q->most_ms, until_ms, &whole);
	if (chan_send(at->fd, &m, end_ms, err) != RC_OK)
		return RC_TEMP;
	rc = chan_recv(at->fd, at->frame, CHAN_HEADER + CHAN_MOST, answer, end_ms, err);
	if (rc == RC_NONE)
		return err_set(err, whole ? RC_BAD : RC_TEMP,
			"the scanner did not answer in time");
	if (rc == RC_OK && answer->id != id) {
		chan_close_fds(answer);
		return err_set(err, RC_BAD, "the scanner answered what nobody asked");
	}
	return rc == RC_OK ? RC_OK : RC_BAD;
}

void
scanned_clear(struct scanned *s)
{
	for (unsigned i = 0; i < s->njobs; i++)
		fs_close(&s->jobs[i]);
	s->njobs = 0;
	if (s->jobs_of == NULL)
		return;
	LOCK_AUTO held = lock_take(&s->jobs_of->lock);
	s->jobs_of->jobs_bytes -= s->jobs_bytes;
	s->jobs_of = NULL;
}

enum rc
scan_count_jobs(struct scanners *s, const struct scan_job *job, struct scanned *out,
	struct err *err)
{
	uint64_t unpacked = job->most_unpacked > 0 ? job->most_unpacked : SCAN_UNPACKED;
	uint64_t most = 2 * unpacked, all = 0, size;

	for (unsigned i = 0; i < out->njobs; i++) {
		enum rc rc = fs_size(out->jobs[i], &size, err);

		if (rc != RC_OK)
			return rc;
		all = size > most - all ? most : all + size;
	}
	if (all <= SCAN_JOBS_FREE)
		return RC_OK;
	LOCK_AUTO held = lock_take(&s->lock);
	if (s->jobs_bytes > 0 && s->jobs_bytes + all > most)
		return err_set(err, RC_TEMP,
			"other messages have too much in them at the moment");
	s->jobs_bytes += all;
	out->jobs_bytes = all;
	out->jobs_of = s;
	return RC_OK;
}

enum rc
scan_exchange(struct scanners *s, const struct scan_question *q, uint64_t until_ms,
	struct err *err)
{
	struct chan_msg answer = { 0 };
	unsigned how = 0;
	uint64_t id;
	struct slot *at = take_slot(s, until_ms, &id);

	if (at == NULL)
		return err_set(err, RC_TEMP,
			is_stopped(s) ? "the scanners are being stopped"
				      : "no scanner was free in time");
	enum rc rc = ask(at, id, q, until_ms, &answer, err);
	bool bad = rc != RC_OK;
	if (rc == RC_OK) {
		rc = understand(q, &answer, &how, err);
		bad = rc == RC_BAD;
		chan_close_fds(&answer);
	}
	/* One that retires ends by itself; its channel is done with, not lost. */
	if (give_slot(s, at, !bad && (how & SCAN_RETIRES) == 0) && bad)
		s->lost((unsigned)(at - s->slots), s->arg);
	if (rc != RC_OK && is_stopped(s))
		rc = err_set(err, RC_TEMP, "the scanners are being stopped");
	if (rc != RC_OK && err != NULL)
		err->rc = rc;
	return rc;
}
