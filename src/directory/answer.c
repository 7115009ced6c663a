/* SPDX-License-Identifier: ISC */
#include "directory/answer.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "net/chan.h"

enum {
	FRAME = CHAN_MOST + CHAN_HEADER,
	MEM = 64 * 1024, /* one answer: address and ASK_TARGETS ids */
	BATCH = 64, /* frames read before what waits is sent */
};

struct waiting {
	struct waiting *next;
	uint64_t id;
	uint16_t type;
	size_t len;
	char body[];
};

struct answer {
	struct answer_want want;
	pthread_t thread;
	int wake;

	/* the thread's own */
	int fd;
	struct waiting *first, **last;
	size_t nwaiting;
	struct arena *mem;
	char *frame;

	/* shared */
	pthread_mutex_t lock;
	bool stop, has_next, forget;
	int next_fd;
	uint64_t applied, applied_sent;
};

static void
poke(struct answer *a)
{
	uint64_t one = 1;
	ssize_t n = write(a->wake, &one, sizeof(one));

	(void)n; /* full: it is awake anyway */
}

static void
drop_waiting(struct answer *a)
{
	while (a->first != NULL) {
		struct waiting *w = a->first;

		a->first = w->next;
		free(w);
	}
	a->last = &a->first;
	a->nwaiting = 0;
}

static void
close_channel(struct answer *a)
{
	if (a->fd >= 0)
		(void)close(a->fd);
	a->fd = -1;
	drop_waiting(a);
}

static void
lose(struct answer *a, const char *why)
{
	close_channel(a);
	if (a->want.lost != NULL)
		a->want.lost(why, a->want.arg);
}

static void
keep(struct answer *a, uint16_t type, uint64_t id, str body)
{
	struct waiting *w = malloc(sizeof(*w) + body.len);

	if (w == NULL)
		abort();
	*w = (struct waiting){ .id = id, .type = type, .len = body.len };
	if (body.len > 0)
		memcpy(w->body, body.ptr, body.len);
	*a->last = w;
	a->last = &w->next;
	a->nwaiting++;
}

/* RC_OK: all of it is sent; RC_TEMP: the gate does not read. */
static enum rc
send_waiting(struct answer *a)
{
	while (a->first != NULL) {
		struct waiting *w = a->first;
		const struct chan_msg m = {
			.type = w->type, .id = w->id, .body = { w->body, w->len }
		};
		enum rc rc = chan_send(a->fd, &m, 0, NULL);

		if (rc == RC_PERM) {
			lose(a, "the gate is gone");
			return RC_OK;
		}
		if (rc != RC_OK)
			return RC_TEMP;
		a->first = w->next;
		if (a->first == NULL)
			a->last = &a->first;
		a->nwaiting--;
		free(w);
	}
	return RC_OK;
}

/* Behind everything looked up so far. */
static void
keep_notices(struct answer *a)
{
	BUF_AUTO b = BUF(16);
	uint64_t seq = 0;
	bool forget;

	/* Answers stop before this: there is room again as soon as one is sent. */
	if (a->nwaiting >= ANSWER_WAITING + 2)
		return;
	{
		LOCK_AUTO held = lock_take(&a->lock);

		forget = a->forget;
		a->forget = false;
		if (a->applied > a->applied_sent)
			seq = a->applied_sent = a->applied;
	}
	if (forget)
		keep(a, ASK_FORGET, 0, (str){ 0 });
	if (seq != 0) {
		ask_put_seq(&b, seq);
		keep(a, ASK_APPLIED, 0, buf_str(&b));
	}
}

static enum rc
resolve(struct answer *a, const struct chan_msg *m)
{
	BUF_AUTO b = BUF(MEM);
	struct ask_question q;
	struct ask_answer out;

	if (ask_get_question(m->body, &q) != RC_OK)
		return RC_BAD;
	if (a->nwaiting >= ANSWER_WAITING)
		return RC_OK;
	/* What was changed before the question came is told before its answer. */
	keep_notices(a);
	arena_reset(a->mem);
	if (directory_resolve(a->want.directory, q.address, a->want.usage,
		    a->want.usage_arg, a->mem, &out, NULL) != RC_OK)
		out = (struct ask_answer){ .status = ASK_LATER };
	ask_put_answer(&b, &out);
	keep(a, ASK_RESOLVED, m->id, buf_str(&b));
	return RC_OK;
}

static enum rc
take_frame(struct answer *a, const struct chan_msg *m)
{
	uint64_t seq;

	if (m->nfds > 0)
		return RC_BAD;
	switch (m->type) {
	case ASK_RESOLVE:
		return resolve(a, m);
	case ASK_JOURNAL:
		if (ask_get_seq(m->body, &seq) != RC_OK)
			return RC_BAD;
		a->want.journal(seq, a->want.arg);
		return RC_OK;
	default:
		return RC_BAD;
	}
}

static void
read_some(struct answer *a)
{
	for (unsigned i = 0; i < BATCH && a->fd >= 0; i++) {
		struct chan_msg m;
		enum rc rc = chan_recv(a->fd, a->frame, FRAME, &m, 0, NULL);

		if (rc == RC_NONE)
			return;
		if (rc == RC_OK) {
			rc = take_frame(a, &m);
			chan_close_fds(&m);
		}
		if (rc == RC_PERM)
			lose(a, "the gate is gone");
		else if (rc != RC_OK)
			lose(a, "the gate sent what is not our protocol");
	}
}

/* False: stop. */
static bool
look_around(struct answer *a)
{
	LOCK_AUTO held = lock_take(&a->lock);

	if (!a->has_next)
		return !a->stop;
	close_channel(a);
	a->fd = a->next_fd;
	a->next_fd = -1;
	a->has_next = false;
	a->applied_sent = 0;
	return !a->stop;
}

static void *
run(void *arg)
{
	struct answer *a = arg;

	while (look_around(a)) {
		struct pollfd p[2] = { { .fd = a->wake, .events = POLLIN },
			{ .events = POLLIN } };
		uint64_t count;

		if (a->fd >= 0) {
			keep_notices(a);
			if (send_waiting(a) == RC_TEMP)
				p[1].events |= POLLOUT;
		}
		p[1].fd = a->fd;
		(void)poll(p, 2, -1);
		if ((p[0].revents & POLLIN) != 0) {
			ssize_t n = read(a->wake, &count, sizeof(count));

			(void)n;
		}
		read_some(a);
	}
	close_channel(a);
	return NULL;
}

struct answer *
answer_new(const struct answer_want *w)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->frame = malloc(FRAME)) == NULL)
		abort();
	a->want = *w;
	a->fd = a->next_fd = -1;
	a->last = &a->first;
	a->mem = arena_new(MEM);
	(void)pthread_mutex_init(&a->lock, NULL);
	a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->wake < 0)
		abort();
	a->thread = thread_start("answer", run, a);
	return a;
}

void
answer_free(struct answer **ap)
{
	struct answer *a = *ap;

	if (a == NULL)
		return;
	{
		LOCK_AUTO held = lock_take(&a->lock);

		a->stop = true;
	}
	poke(a);
	(void)pthread_join(a->thread, NULL);
	if (a->next_fd >= 0)
		(void)close(a->next_fd);
	(void)close(a->wake);
	arena_free(&a->mem);
	free(a->frame);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
	*ap = NULL;
}

void
answer_channel(struct answer *a, int fd)
{
	{
		LOCK_AUTO held = lock_take(&a->lock);

		if (a->next_fd >= 0)
			(void)close(a->next_fd);
		a->next_fd = fd;
		a->has_next = true;
	}
	poke(a);
}

void
answer_forget(struct answer *a)
{
	{
		LOCK_AUTO held = lock_take(&a->lock);

		a->forget = true;
	}
	poke(a);
}

void
answer_applied(struct answer *a, uint64_t seq)
{
	{
		LOCK_AUTO held = lock_take(&a->lock);

		if (seq <= a->applied)
			return;
		a->applied = seq;
	}
	poke(a);
}
