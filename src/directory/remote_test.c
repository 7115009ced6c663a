/* SPDX-License-Identifier: ISC */
/* The gate's client against house's answers, and against a house played here. */
#include <fcntl.h>
#include <semaphore.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "directory/answer.h"
#include "directory/remote.h"
#include "net/chan.h"
#include "test/test.h"

enum { FRAME = CHAN_MOST + CHAN_HEADER, SOON = 10000 };

struct asked {
	struct remote_ask ask;
	sem_t done;
};

static void
on_done(struct remote_ask *a)
{
	(void)sem_post(&((struct asked *)(void *)a)->done);
}

static void
prepare(struct asked *q, const char *address, uint64_t ms)
{
	*q = (struct asked){ .ask.done = on_done, .ask.until_ms = clock_ms() + ms };
	(void)str_z(str_of(address), q->ask.address, sizeof(q->ask.address));
	q->ask.mem = arena_new(65536);
	(void)sem_init(&q->done, 0, 0);
}

static void
finish(struct asked *q)
{
	while (sem_wait(&q->done) != 0)
		continue;
}

static void
drop(struct asked *q)
{
	arena_free(&q->ask.mem);
	(void)sem_destroy(&q->done);
}

/* House, played: one frame. */
static struct chan_msg
get(int fd, char *frame)
{
	struct chan_msg m = { 0 };

	assert_int_equal(chan_recv(fd, frame, FRAME, &m, clock_ms() + SOON, NULL), RC_OK);
	return m;
}

static void
give(int fd, uint64_t id, enum ask_status status, uint64_t target)
{
	BUF_AUTO b = BUF(1000);
	struct ask_answer a = { .status = status,
		.address = STR("a@a.test"),
		.ntargets = 1,
		.targets = &target };

	ask_put_answer(&b, &a);
	const struct chan_msg m = { .type = ASK_RESOLVED, .id = id, .body = buf_str(&b) };
	assert_int_equal(chan_send(fd, &m, clock_ms() + SOON, NULL), RC_OK);
}

/* One question that is asked, answered and waited for; true: by the cache. */
static bool
round_trip(struct remote *r, int fd, char *frame, const char *address,
	enum ask_status status, uint64_t target)
{
	struct asked q;
	bool cached;

	prepare(&q, address, SOON);
	cached = remote_ask(r, &q.ask);
	if (!cached) {
		give(fd, get(fd, frame).id, status, target);
		finish(&q);
	}
	assert_int_equal(q.ask.answer.status, status);
	assert_int_equal(q.ask.answer.targets[0], target);
	drop(&q);
	return cached;
}

TEST(an_answer_is_kept_until_house_says_forget)
{
	struct remote *r = remote_new(NULL, NULL);
	char *frame = malloc(FRAME);
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	remote_channel(r, pair[0]);
	assert_false(round_trip(r, pair[1], frame, "a@a.test", ASK_LOCAL, 7));
	assert_true(round_trip(r, pair[1], frame, "a@a.test", ASK_LOCAL, 7));
	/* "full" may change at any moment */
	assert_false(round_trip(r, pair[1], frame, "f@a.test", ASK_FULL, 7));
	assert_false(round_trip(r, pair[1], frame, "f@a.test", ASK_FULL, 7));
	const struct chan_msg forget = { .type = ASK_FORGET };
	assert_int_equal(chan_send(pair[1], &forget, clock_ms() + SOON, NULL), RC_OK);
	/* what comes after it on the channel is read after it */
	assert_false(round_trip(r, pair[1], frame, "b@a.test", ASK_LOCAL, 8));
	assert_false(round_trip(r, pair[1], frame, "a@a.test", ASK_LOCAL, 9));
	remote_free(&r);
	(void)close(pair[1]);
	free(frame);
}

TEST(a_question_waits_for_a_house_that_restarts)
{
	struct remote *r = remote_new(NULL, NULL);
	char *frame = malloc(FRAME);
	struct asked q, early;
	int first[2], second[2];

	prepare(&early, "early@a.test", SOON);
	assert_false(remote_ask(r, &early.ask)); /* before there is any channel */
	assert_int_equal(chan_pair(first, NULL), RC_OK);
	remote_channel(r, first[0]);
	give(first[1], get(first[1], frame).id, ASK_LOCAL, 1);
	finish(&early);
	remote_synced(r, 42);
	assert_int_equal(get(first[1], frame).type, ASK_JOURNAL);

	prepare(&q, "a@a.test", SOON);
	assert_false(remote_ask(r, &q.ask));
	(void)get(first[1], frame);
	(void)close(first[1]); /* house dies with the question */
	assert_int_equal(chan_pair(second, NULL), RC_OK);
	remote_channel(r, second[0]);
	struct chan_msg m = get(second[1], frame);
	uint64_t seq = 0;
	assert_int_equal(m.type, ASK_JOURNAL); /* told again */
	assert_int_equal(ask_get_seq(m.body, &seq), RC_OK);
	assert_int_equal(seq, 42);
	m = get(second[1], frame);
	assert_int_equal(m.type, ASK_RESOLVE);
	give(second[1], m.id, ASK_LOCAL, 5);
	finish(&q);
	assert_int_equal(q.ask.answer.targets[0], 5);
	/* what the first house said is forgotten */
	assert_false(round_trip(r, second[1], frame, "early@a.test", ASK_LOCAL, 2));
	drop(&q);
	drop(&early);
	remote_free(&r);
	(void)close(second[1]);
	free(frame);
}

TEST(a_silent_house_means_later_and_its_late_answer_nothing)
{
	struct remote *r = remote_new(NULL, NULL);
	char *frame = malloc(FRAME);
	struct asked q;
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	remote_channel(r, pair[0]);
	prepare(&q, "a@a.test", 20);
	assert_false(remote_ask(r, &q.ask));
	finish(&q);
	assert_int_equal(q.ask.answer.status, ASK_LATER);
	drop(&q);
	give(pair[1], get(pair[1], frame).id, ASK_UNKNOWN, 1);
	assert_false(round_trip(r, pair[1], frame, "a@a.test", ASK_LOCAL, 3));
	remote_free(&r);
	(void)close(pair[1]);
	free(frame);
}

TEST(garbage_from_house_ends_the_channel_and_not_the_gate)
{
	struct remote *r = remote_new(NULL, NULL);
	char *frame = malloc(FRAME);
	struct asked q;
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	remote_channel(r, pair[0]);
	prepare(&q, "a@a.test", 300);
	assert_false(remote_ask(r, &q.ask));
	struct chan_msg m = get(pair[1], frame);
	const struct chan_msg bad = {
		.type = ASK_RESOLVED, .id = m.id, .body = STR("\x01")
	};
	assert_int_equal(chan_send(pair[1], &bad, clock_ms() + SOON, NULL), RC_OK);
	finish(&q);
	assert_int_equal(q.ask.answer.status, ASK_LATER);
	assert_int_equal(
		chan_recv(pair[1], frame, FRAME, &m, clock_ms() + SOON, NULL), RC_PERM);
	drop(&q);
	remote_free(&r);
	(void)close(pair[1]);
	free(frame);
}

TEST(freeing_answers_who_still_waits)
{
	struct remote *r = remote_new(NULL, NULL);
	struct asked q;

	prepare(&q, "a@a.test", SOON);
	assert_false(remote_ask(r, &q.ask));
	remote_free(&r);
	finish(&q);
	assert_int_equal(q.ask.answer.status, ASK_LATER);
	drop(&q);
}

struct house {
	const struct conf *conf;
	struct directory *d;
	struct answer *a;
	int data;
	_Atomic uint64_t journal, applied;
	sem_t told;
};

static void
on_change(void *arg)
{
	struct house *h = arg;

	if (h->a != NULL)
		answer_forget(h->a);
}

static void
on_journal(uint64_t seq, void *arg)
{
	((struct house *)arg)->journal = seq;
	(void)sem_post(&((struct house *)arg)->told);
}

static void
on_applied(uint64_t seq, void *arg)
{
	((struct house *)arg)->applied = seq;
	(void)sem_post(&((struct house *)arg)->told);
}

static void
house_open(struct house *h)
{
	*h = (struct house){ .data = -1 };
	(void)sem_init(&h->told, 0, 0);
	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &h->data, NULL), RC_OK);
	assert_int_equal(
		conf_parse(STR("hostname = mx.example.test\n"), "test", &h->conf, NULL),
		RC_OK);
	struct directory_want w = {
		.data = h->data, .conf = h->conf, .changed = on_change, .arg = h
	};
	assert_int_equal(directory_open(&w, &h->d, NULL), RC_OK);
	assert_int_equal(domain_add(h->d, STR("a.test"), NULL), RC_OK);
	struct answer_want aw = { .directory = h->d, .journal = on_journal, .arg = h };
	h->a = answer_new(&aw);
}

static void
house_close(struct house *h)
{
	answer_free(&h->a);
	directory_close(&h->d);
	conf_drop(&h->conf);
	fs_close(&h->data);
	(void)sem_destroy(&h->told);
}

static struct ask_answer
ask(struct remote *r, struct asked *q, const char *address)
{
	prepare(q, address, SOON);
	if (!remote_ask(r, &q->ask))
		finish(q);
	return q->ask.answer;
}

TEST(gate_and_house_agree_and_changes_are_pushed)
{
	struct house h;
	struct asked q;
	int pair[2];

	house_open(&h);
	struct remote *r = remote_new(on_applied, &h);
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	answer_channel(h.a, pair[1]);
	remote_channel(r, pair[0]);
	assert_int_equal(ask(r, &q, "alice@a.test").status, ASK_UNKNOWN);
	drop(&q);
	struct account_new a = { .address = STR("alice@a.test") };
	assert_int_equal(account_add(h.d, &a, NULL, NULL), RC_OK);
	/* the push travels before this one's answer, which is not in the cache */
	assert_int_equal(ask(r, &q, "bob@a.test").status, ASK_UNKNOWN);
	drop(&q);
	assert_int_equal(ask(r, &q, "alice@a.test").status, ASK_LOCAL);
	drop(&q);
	remote_synced(r, 17);
	while (sem_wait(&h.told) != 0)
		continue;
	assert_int_equal(h.journal, 17);
	answer_applied(h.a, 16);
	while (sem_wait(&h.told) != 0)
		continue;
	assert_int_equal(h.applied, 16);
	remote_free(&r);
	house_close(&h);
}

TEST(a_gate_that_does_not_read_keeps_house_from_nothing)
{
	struct house h;
	int pair[2];
	BUF_AUTO seq = BUF(16);
	BUF_AUTO question = BUF(100);

	house_open(&h);
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	answer_channel(h.a, pair[1]);
	ask_put_question(&question, &(struct ask_question){ .address = STR("x@a.test") });
	for (uint64_t i = 1; i <= 3000; i++) {
		const struct chan_msg m = {
			.type = ASK_RESOLVE, .id = i, .body = buf_str(&question)
		};

		assert_int_equal(chan_send(pair[0], &m, clock_ms() + SOON, NULL), RC_OK);
		answer_forget(h.a);
	}
	ask_put_seq(&seq, 99);
	const struct chan_msg m = { .type = ASK_JOURNAL, .body = buf_str(&seq) };
	assert_int_equal(chan_send(pair[0], &m, clock_ms() + SOON, NULL), RC_OK);
	while (sem_wait(&h.told) != 0)
		continue;
	assert_int_equal(h.journal, 99);
	house_close(&h);
	(void)close(pair[0]);
}
