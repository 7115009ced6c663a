/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include "net/chan.h"
#include "scan/scan_int.h"
#include "test/test.h"

enum { LONG_MS = 20 * 1000, SHORT_MS = 50, MEM = 1024 * 1024 };

struct bench {
	struct scanners *set;
	unsigned lost, last; /* calls, and the last one's slot */
	int file;
	struct scan_job job;
};

static void
count_lost(unsigned slot, void *arg)
{
	struct bench *b = arg;

	b->lost++;
	b->last = slot;
}

static struct bench *
bench_new(unsigned n)
{
	static const str text = STR_INIT("From: a@x\r\nSubject: hello\r\n\r\n");
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->set = scanners_new(n, count_lost, b);
	b->file = memfd_create("message", 0);
	assert_int_equal(fs_pwrite(b->file, text, 0, NULL), RC_OK);
	b->job = (struct scan_job){ b->file, text.len, 0, STR("mx.example.test") };
	return b;
}

static void
bench_free(struct bench *b)
{
	scanners_free(&b->set);
	fs_close(&b->file);
	free(b);
}

struct scanner {
	pthread_t thread;
	int fd;
	uint64_t most;
	str lie; /* a body to answer with instead of facts; no bytes: none */
	uint16_t type;
	unsigned nfds; /* and what goes with it */
	int fds[4];
};

static void *
serve(void *arg)
{
	struct scanner *s = arg;

	scan_serve(s->fd, s->most);
	fs_close(&s->fd);
	return NULL;
}

static void *
serve_lie(void *arg)
{
	struct scanner *s = arg;
	static char frame[4096];
	struct chan_msg m = { .type = FACTS_READY };

	(void)!chan_send(s->fd, &m, clock_ms() + LONG_MS, NULL);
	if (chan_recv(s->fd, frame, sizeof(frame), &m, clock_ms() + LONG_MS, NULL) ==
		RC_OK) {
		chan_close_fds(&m);
		m = (struct chan_msg){
			.type = s->type, .id = m.id, .body = s->lie, .nfds = s->nfds
		};
		memcpy(m.fds, s->fds, sizeof(s->fds));
		if (s->type != 0)
			(void)!chan_send(s->fd, &m, clock_ms() + LONG_MS, NULL);
	}
	fs_close(&s->fd);
	return NULL;
}

static void
plug(struct bench *b, unsigned slot, struct scanner *s, void *(*run)(void *))
{
	int pair[2];

	scan_prepare(); /* before there are threads, as a scanner does */
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	s->fd = pair[1];
	s->thread = thread_start("scanner", run, s);
	scanners_channel(b->set, slot, pair[0]);
}

static void
say_ready(int fd)
{
	struct chan_msg m = { .type = FACTS_READY };

	assert_int_equal(chan_send(fd, &m, clock_ms() + LONG_MS, NULL), RC_OK);
}

static enum rc
ask_once(struct bench *b, uint64_t wait_ms)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct scanned got;
	struct facts f;
	struct err err = { 0 };
	enum rc rc = scan_ask(b->set, &b->job, clock_ms() + wait_ms, mem, &got, &err);

	if (rc == RC_OK) {
		assert_true(str_eq(got.facts.envelope.subject, STR("hello")));
		assert_int_equal(facts_unpack(got.packed, b->job.size, mem, &f), RC_OK);
	} else
		assert_true(err.text[0] != '\0');
	return rc;
}

TEST(a_scanner_answers_and_retires_after_its_share)
{
	struct bench *b = bench_new(1);
	struct scanner s = { .most = 2 }, next = { .most = 1 };

	plug(b, 0, &s, serve);
	assert_int_equal(ask_once(b, LONG_MS), RC_OK);
	assert_int_equal(ask_once(b, LONG_MS), RC_OK);
	(void)pthread_join(s.thread, NULL);
	assert_int_equal(b->lost, 0);
	assert_int_equal(ask_once(b, SHORT_MS), RC_TEMP);
	plug(b, 0, &next, serve);
	assert_int_equal(ask_once(b, LONG_MS), RC_OK);
	(void)pthread_join(next.thread, NULL);
	bench_free(b);
}

TEST(a_scanner_that_hangs_is_given_up_and_named)
{
	struct bench *b = bench_new(2);
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b->set, 1, pair[0]);
	say_ready(pair[1]);
	assert_int_equal(ask_once(b, SHORT_MS), RC_BAD);
	assert_int_equal(b->lost, 1);
	assert_int_equal(b->last, 1);
	(void)close(pair[1]);
	bench_free(b);
}

TEST(a_message_is_not_blamed_for_a_scanner_that_never_began)
{
	struct bench *b = bench_new(1);
	int pair[2];

	/* hangs in its start */
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b->set, 0, pair[0]);
	assert_int_equal(ask_once(b, SHORT_MS), RC_TEMP);
	assert_int_equal(b->lost, 1);
	(void)close(pair[1]);
	/* ends in its start */
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b->set, 0, pair[0]);
	(void)close(pair[1]);
	assert_int_equal(ask_once(b, LONG_MS), RC_TEMP);
	/* served, and is gone before it is asked */
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b->set, 0, pair[0]);
	say_ready(pair[1]);
	(void)close(pair[1]);
	assert_int_equal(ask_once(b, LONG_MS), RC_TEMP);
	assert_int_equal(b->lost, 3);
	bench_free(b);
}

TEST(a_message_is_not_blamed_when_the_wait_for_a_scanner_took_its_time)
{
	struct bench *b = bench_new(1);
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b->set, 0, pair[0]);
	say_ready(pair[1]);
	b->job.most_ms = LONG_MS;
	assert_int_equal(ask_once(b, SHORT_MS), RC_TEMP);
	assert_int_equal(b->lost, 1);
	(void)close(pair[1]);
	bench_free(b);
}

static void *
ask_long(void *arg)
{
	return (void *)(intptr_t)ask_once(arg, LONG_MS);
}

TEST(who_waits_for_a_scanner_is_told_at_once_when_all_ends)
{
	struct bench *b = bench_new(1);
	uint64_t start = clock_ms();
	static char frame[4096];
	struct chan_msg m;
	pthread_t asking[2];
	void *rc;
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b->set, 0, pair[0]);
	say_ready(pair[1]);
	for (size_t i = 0; i < 2; i++)
		asking[i] = thread_start("ask", ask_long, b);
	/* one has the scanner, the other waits for it */
	assert_int_equal(
		chan_recv(pair[1], frame, sizeof(frame), &m, clock_ms() + LONG_MS, NULL),
		RC_OK);
	chan_close_fds(&m);
	scanners_stop(b->set);
	for (size_t i = 0; i < 2; i++) {
		(void)pthread_join(asking[i], &rc);
		assert_int_equal((intptr_t)rc, RC_TEMP);
	}
	assert_int_equal(b->lost, 0);
	assert_int_equal(ask_once(b, LONG_MS), RC_TEMP);
	assert_true(clock_ms() - start < LONG_MS / 2);
	(void)close(pair[1]);
	bench_free(b);
}

TEST(a_scanner_has_its_time_for_one_message_and_no_more)
{
	struct bench *b = bench_new(1);
	uint64_t start = clock_ms();
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b->set, 0, pair[0]);
	say_ready(pair[1]);
	b->job.most_ms = SHORT_MS;
	assert_int_equal(ask_once(b, LONG_MS), RC_BAD);
	assert_true(clock_ms() - start < LONG_MS / 2);
	(void)close(pair[1]);
	bench_free(b);
}

TEST(a_scanner_that_dies_or_lies_over_a_message_tells_it_from_other_failures)
{
	static const struct {
		uint16_t type;
		str body;
		unsigned lost;
		enum rc rc;
	} cases[] = {
		{ 0, STR_INIT(""), 1, RC_BAD },
		{ FACTS_DONE, STR_INIT(""), 1, RC_BAD },
		{ FACTS_DONE, STR_INIT("\0"), 1, RC_BAD },
		{ FACTS_DONE, STR_INIT("\0 this is no record of facts"), 1, RC_BAD },
		{ FACTS_DONE, STR_INIT("\x07"), 1, RC_BAD },
		{ FACTS_SCAN, STR_INIT("\0x"), 1, RC_BAD },
		{ FACTS_READY, STR_INIT("\0x"), 1, RC_BAD },
		{ 77, STR_INIT("\0x"), 1, RC_BAD },
		{ FACTS_FAILED, STR_INIT("\0the disk is on fire\n"), 0, RC_TEMP },
		{ FACTS_FAILED, STR_INIT("\2too many fields"), 0, RC_PERM },
		{ FACTS_FAILED, STR_INIT("\3too many fields"), 0, RC_PERM },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b = bench_new(1);
		struct scanner s = { .type = cases[i].type, .lie = cases[i].body };

		plug(b, 0, &s, serve_lie);
		assert_int_equal(ask_once(b, LONG_MS), cases[i].rc);
		assert_int_equal(b->lost, cases[i].lost);
		(void)pthread_join(s.thread, NULL);
		bench_free(b);
	}
}

static void
put_answer(struct buf *b, unsigned jobs)
{
	struct facts f = { .date_s = INT64_MIN, .envelope.subject = STR("hello") };
	struct content c = { .njobs = jobs };
	BUF_AUTO facts = BUF(FACTS_MOST), content = BUF(CONTENT_MOST);

	facts_pack(&facts, &f);
	content_pack(&content, &c);
	buf_clear(b);
	buf_le(b, 0, 1);
	scan_put_records(b, buf_str(&facts), buf_str(&content));
}

static int
sealed(str bytes)
{
	int fd;

	assert_int_equal(chan_memfd("test", bytes, &fd, NULL), RC_OK);
	return fd;
}

static unsigned
count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST(descriptors_for_the_virus_scanner_are_those_that_were_promised_and_sealed)
{
	enum { SEALED, OPEN, NOTHING };
	static const struct {
		unsigned promised, want;
		int fds[3];
		enum rc rc;
	} cases[] = {
		{ 0, SCAN_JOBS, { NOTHING, NOTHING }, RC_OK },
		{ 2, SCAN_JOBS, { SEALED, SEALED, NOTHING }, RC_OK },
		{ 2, SCAN_JOBS, { SEALED, NOTHING }, RC_BAD },
		{ 1, SCAN_JOBS, { SEALED, SEALED, NOTHING }, RC_BAD },
		{ 0, SCAN_JOBS, { SEALED, NOTHING }, RC_BAD },
		{ 1, SCAN_JOBS, { NOTHING }, RC_BAD },
		{ 1, SCAN_JOBS, { OPEN, NOTHING }, RC_BAD },
		{ 2, SCAN_JOBS, { SEALED, OPEN, NOTHING }, RC_BAD },
		{ 1, SCAN_CONTENT, { SEALED, NOTHING }, RC_BAD },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		BUF_AUTO lie = BUF(SCAN_RECORDS);
		struct bench *b = bench_new(1);
		struct scanner s = { .type = FACTS_DONE };
		struct scanned got = { 0 };

		put_answer(&lie, cases[i].promised);
		s.lie = buf_str(&lie);
		for (; cases[i].fds[s.nfds] != NOTHING; s.nfds++)
			s.fds[s.nfds] = cases[i].fds[s.nfds] == SEALED
						? sealed(STR("part"))
						: memfd_create("open", 0);
		unsigned before = count_fds();
		plug(b, 0, &s, serve_lie);
		b->job.want = cases[i].want;
		assert_int_equal(
			scan_ask(b->set, &b->job, clock_ms() + LONG_MS, mem, &got, NULL),
			cases[i].rc);
		(void)pthread_join(s.thread, NULL);
		assert_int_equal(b->lost, cases[i].rc == RC_BAD);
		assert_int_equal(got.njobs, cases[i].rc == RC_OK ? s.nfds : 0);
		scanned_clear(&got);
		scanners_channel(b->set, 0, -1);
		assert_int_equal(count_fds(), before);
		while (s.nfds > 0)
			(void)close(s.fds[--s.nfds]);
		bench_free(b);
	}
}

/* What scan_ask() says to an answer with one descriptor of `bytes`. */
static enum rc
ask_for(struct bench *b, size_t bytes, struct scanned *got)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO lie = BUF(SCAN_RECORDS);
	char *part = test_calloc(1, bytes);
	struct scanner s = { .type = FACTS_DONE, .nfds = 1 };

	put_answer(&lie, 1);
	s.lie = buf_str(&lie);
	s.fds[0] = sealed((str){ part, bytes });
	test_free(part);
	plug(b, 0, &s, serve_lie);
	b->job.want = SCAN_JOBS;
	b->job.most_unpacked = 2 * SCAN_JOBS_FREE;
	*got = (struct scanned){ .njobs = 0 };
	enum rc rc = scan_ask(b->set, &b->job, clock_ms() + LONG_MS, mem, got, NULL);
	(void)pthread_join(s.thread, NULL);
	scanners_channel(b->set, 0, -1);
	(void)close(s.fds[0]);
	return rc;
}

TEST(small_messages_that_become_large_do_not_fill_the_memory_together)
{
	struct bench *b = bench_new(1);
	struct scanned first, second, third;

	assert_int_equal(ask_for(b, 3 * SCAN_JOBS_FREE, &first), RC_OK);
	assert_int_equal(ask_for(b, 2 * SCAN_JOBS_FREE, &second), RC_TEMP);
	assert_int_equal(second.njobs, 0);
	assert_int_equal(ask_for(b, SCAN_JOBS_FREE, &second), RC_OK);
	assert_int_equal(b->lost, 0);
	scanned_clear(&first);
	scanned_clear(&second);
	assert_int_equal(ask_for(b, 9 * SCAN_JOBS_FREE, &first), RC_OK);
	assert_int_equal(ask_for(b, 2 * SCAN_JOBS_FREE, &second), RC_TEMP);
	scanned_clear(&first);
	assert_int_equal(ask_for(b, 2 * SCAN_JOBS_FREE, &third), RC_OK);
	scanned_clear(&third);
	bench_free(b);
}

TEST(records_too_long_for_a_frame_come_in_a_memfd_that_nobody_can_change)
{
	for (int seal = 0; seal < 2; seal++) {
		BUF_AUTO lie = BUF(SCAN_RECORDS);
		struct bench *b = bench_new(1);
		struct scanner s = { .type = FACTS_DONE, .lie = STR("\0"), .nfds = 1 };

		put_answer(&lie, 0);
		str records = str_skip(buf_str(&lie), 1);
		s.fds[0] = seal ? sealed(records) : memfd_create("open", 0);
		if (!seal)
			assert_int_equal(fs_pwrite(s.fds[0], records, 0, NULL), RC_OK);
		plug(b, 0, &s, serve_lie);
		assert_int_equal(ask_once(b, LONG_MS), seal ? RC_OK : RC_BAD);
		(void)pthread_join(s.thread, NULL);
		(void)close(s.fds[0]);
		bench_free(b);
	}
}

TEST(without_any_scanner_the_answer_is_later)
{
	struct bench *b = bench_new(2);

	assert_int_equal(ask_once(b, SHORT_MS), RC_TEMP);
	assert_int_equal(b->lost, 0);
	bench_free(b);
}

static void *
ask_many(void *arg)
{
	for (int i = 0; i < 50; i++)
		assert_int_equal(ask_once(arg, LONG_MS), RC_OK);
	return NULL;
}

TEST(more_askers_than_scanners_all_get_their_answers)
{
	struct bench *b = bench_new(2);
	struct scanner s[2] = { { .most = 200 }, { .most = 200 } };
	pthread_t askers[4];

	for (unsigned i = 0; i < 2; i++)
		plug(b, i, &s[i], serve);
	for (unsigned i = 0; i < 4; i++)
		askers[i] = thread_start("asker", ask_many, b);
	for (unsigned i = 0; i < 4; i++)
		(void)pthread_join(askers[i], NULL);
	scanners_channel(b->set, 0, -1);
	scanners_channel(b->set, 1, -1);
	for (unsigned i = 0; i < 2; i++)
		(void)pthread_join(s[i].thread, NULL);
	assert_int_equal(b->lost, 0);
	bench_free(b);
}

TEST(a_job_that_is_no_job_is_refused)
{
	BUF_AUTO b = BUF(1024);
	struct scan_job job = { -1, 100, 50, STR("mx.example.test"), .most_unpacked = 77,
		.want = SCAN_CONTENT },
			got;

	scan_put_job(&b, &job);
	assert_int_equal(scan_get_job(buf_str(&b), &got), RC_OK);
	assert_int_equal(got.offset, 50);
	assert_true(str_eq(got.hostname, job.hostname));
	assert_int_equal(got.most_unpacked, 77);
	assert_int_equal(got.want, SCAN_CONTENT);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(scan_get_job(str_first(buf_str(&b), n), &got), RC_BAD);
	buf_clear(&b);
	job.offset = 101;
	scan_put_job(&b, &job);
	assert_int_equal(scan_get_job(buf_str(&b), &got), RC_BAD);
}
