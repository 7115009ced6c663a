/* SPDX-License-Identifier: ISC */
/* Against fakes: threads that play clamd, each with a script of answers. */
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include "filter/clamd_fake.h"
#include "test/test.h"

struct outcome {
	enum rc rc;
	char virus[CLAMD_NAME];
	struct err err;
};

static struct outcome
scan_for(struct clamd *c, str bytes, uint64_t wait_ms)
{
	FD_AUTO fd = memfd_create("message", 0);
	struct outcome o = { 0 };

	assert_int_equal(fs_pwrite(fd, bytes, 0, NULL), RC_OK);
	o.rc = clamd_scan(c, fd, bytes.len, clock_ms() + wait_ms, o.virus, &o.err);
	return o;
}

TEST(only_ok_is_clean_and_only_found_a_virus)
{
	static const struct {
		str answer;
		enum rc rc;
		const char *virus;
	} cases[] = {
		{ STR_INIT("stream: OK\0"), RC_OK, "" },
		{ STR_INIT("fd[9]: OK\0"), RC_OK, "" },
		{ STR_INIT("fd[9]: Eicar-Test-Signature FOUND\0"), RC_OK,
			"Eicar-Test-Signature" },
		{ STR_INIT("fd[9]: a \"b\" FOUND\0"), RC_OK, "a??b?" },
		{ STR_INIT("fd[9]: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0"),
			RC_PERM, "" },
		{ STR_INIT("INSTREAM size limit exceeded. ERROR\0"), RC_PERM, "" },
		{ STR_INIT("fd[9]: Can't open file or directory ERROR\0"), RC_TEMP, "" },
		{ STR_INIT("UNKNOWN COMMAND\0"), RC_TEMP, "" },
		{ STR_INIT("PONG\0"), RC_TEMP, "" },
		{ STR_INIT("garbage\0"), RC_TEMP, "" },
		{ STR_INIT("\0"), RC_TEMP, "" },
		{ STR_INIT("stream: OK"), RC_TEMP, "" },
		{ STR_INIT("stream: O"), RC_TEMP, "" },
		{ STR_INIT(""), RC_TEMP, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake *f = fake_new(
			i % 2 ? listen_inet : listen_local, PLAY_ANSWER, cases[i].answer);
		struct clamd *c = clamd_at(f->socket, "");
		struct outcome o = scan_for(c, STR("the message"), LONG_MS);

		assert_int_equal(o.rc, cases[i].rc);
		assert_string_equal(o.virus, cases[i].virus);
		assert_true(o.rc == RC_OK || o.err.text[0] != '\0');
		clamd_free(&c);
		fake_free(f);
	}
}

TEST(clamd_gets_every_byte_both_ways)
{
	static char big[200 * 1024];
	struct fake *local = fake_new(listen_local, PLAY_ANSWER, STR("fd[1]: OK\0"));
	struct fake *inet = fake_new(listen_inet, PLAY_ANSWER, STR("stream: OK\0"));
	struct clamd *a = clamd_at(local->socket, ""), *b = clamd_at(inet->socket, "");

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	assert_int_equal(scan_for(a, STR("the message"), LONG_MS).rc, RC_OK);
	assert_int_equal(scan_for(b, (str){ big, sizeof(big) }, LONG_MS).rc, RC_OK);
	assert_true(str_eq(buf_str(&local->seen), STR("the message")));
	assert_true(str_eq(buf_str(&inet->seen), (str){ big, sizeof(big) }));
	clamd_free(&a);
	clamd_free(&b);
	fake_free(local);
	fake_free(inet);
}

TEST(a_clamd_that_hangs_closes_or_babbles_means_later)
{
	static const enum play plays[] = { PLAY_HANG, PLAY_CLOSE, PLAY_ENDLESS };

	for (size_t i = 0; i < 6; i++) {
		struct fake *f = fake_new(
			i % 2 ? listen_inet : listen_local, plays[i / 2], STR(""));
		struct clamd *c = clamd_at(f->socket, "");
		uint64_t wait = plays[i / 2] == PLAY_HANG ? SHORT_MS : LONG_MS;

		assert_int_equal(scan_for(c, STR("the message"), wait).rc, RC_TEMP);
		clamd_free(&c);
		fake_free(f);
	}
}

TEST(a_message_that_clamd_does_not_finish_is_to_blame_and_clamd_is_not_down)
{
	struct fake *f = fake_new(listen_local, PLAY_STALL, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "breaker_misses = 2\n");

	for (int i = 0; i < 4; i++) {
		assert_int_equal(scan_for(c, STR("the message"), SHORT_MS).rc, RC_BAD);
		assert_false(clamd_is_down(c));
	}
	/* more than it has threads for: who comes then may only have had to wait */
	clamd_set_limits(c, &(struct clamd_limits){ .threads = 4 });
	assert_int_equal(scan_for(c, STR("the message"), SHORT_MS).rc, RC_TEMP);
	clamd_free(&c);
	fake_free(f);
}

TEST(clean_before_the_end_of_the_message_is_not_believed)
{
	static char big[8 << 20];
	struct fake *f = fake_new(listen_inet, PLAY_EARLY, STR("stream: OK\0"));
	struct clamd *c = clamd_at(f->socket, "");

	assert_int_equal(scan_for(c, (str){ big, sizeof(big) }, LONG_MS).rc, RC_TEMP);
	clamd_free(&c);
	fake_free(f);
}

TEST(no_clamd_means_later)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/none", test_folder());
	struct clamd *c = clamd_at(path, "");
	assert_int_equal(scan_for(c, STR("x"), LONG_MS).rc, RC_TEMP);
	clamd_free(&c);
}

TEST(what_clamd_would_not_scan_whole_is_refused_unasked)
{
	struct fake *f = fake_new(listen_local, PLAY_ANSWER, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "");
	struct clamd_limits file = { .file = 10 }, scan = { .scan = 10 },
			    stream = { .stream = 10 };

	clamd_set_limits(c, &file);
	assert_int_equal(scan_for(c, STR("0123456789"), LONG_MS).rc, RC_OK);
	assert_int_equal(scan_for(c, STR("0123456789a"), LONG_MS).rc, RC_PERM);
	clamd_set_limits(c, &scan);
	assert_int_equal(scan_for(c, STR("0123456789a"), LONG_MS).rc, RC_PERM);
	clamd_set_limits(c, &stream);
	assert_int_equal(scan_for(c, STR("0123456789a"), LONG_MS).rc, RC_OK);
	assert_int_equal(f->commands, 2);
	clamd_free(&c);
	fake_free(f);
}

TEST(a_clamd_that_is_down_costs_no_waiting_and_comes_back)
{
	struct fake *f = fake_new(listen_local, PLAY_HANG, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "breaker_misses = 2\nbreaker_probe = 1\n");

	for (int i = 0; i < 2; i++) {
		assert_false(clamd_is_down(c));
		assert_int_equal(scan_for(c, STR("x"), SHORT_MS).rc, RC_TEMP);
	}
	assert_true(clamd_is_down(c));
	unsigned asked = f->commands;
	uint64_t before = clock_ms();
	assert_int_equal(scan_for(c, STR("x"), LONG_MS).rc, RC_TEMP);
	assert_true(clock_ms() - before < 1000);
	assert_int_equal(f->commands, asked);
	f->play = PLAY_ANSWER;
	while (scan_for(c, STR("x"), LONG_MS).rc != RC_OK) {
		assert_true(clock_ms() - before < LONG_MS);
		(void)poll(NULL, 0, 20);
	}
	assert_false(clamd_is_down(c));
	assert_true(f->pings >= 1);
	clamd_free(&c);
	fake_free(f);
}

static void *
scan_some(void *arg)
{
	for (int i = 0; i < 10; i++)
		assert_int_equal(scan_for(arg, STR("x"), LONG_MS).rc, RC_OK);
	return NULL;
}

TEST(clamd_is_not_flooded_with_connections)
{
	struct fake *f = fake_new(listen_local, PLAY_ANSWER, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "connections = 2\n");
	pthread_t askers[6];

	for (size_t i = 0; i < 6; i++)
		askers[i] = thread_start("asker", scan_some, c);
	for (size_t i = 0; i < 6; i++)
		(void)pthread_join(askers[i], NULL);
	assert_int_equal(f->commands, 60);
	/* One may have answered and not yet left while the next one comes. */
	assert_true(f->most <= 4);
	clamd_free(&c);
	fake_free(f);
}

TEST(limits_are_read_from_clamds_settings)
{
	struct clamd_limits l;
	struct err err = { 0 };

	assert_int_equal(clamd_limits_read(STR(""), &l, NULL), RC_OK);
	assert_true(l.stream == 100 << 20 && l.file == 100 << 20 && l.scan == 400 << 20);
	assert_int_equal(
		clamd_limits_read(
			STR("# MaxFileSize 1\nUser x\nMaxFileSize 5M\r\n"
			    "MaxScanSize 0\nStreamMaxLength 10\nStreamMaxLength 20\n"),
			&l, NULL),
		RC_OK);
	assert_true(l.stream == 10 && l.file == 5 << 20 && l.scan == 0);
	assert_true(l.recursion == 17 && l.files == 10000 && l.scan_ms == 120000);
	assert_true(!l.alerts && !l.blind && !l.hasty);
	assert_int_equal(
		clamd_limits_read(STR("MaxRecursion 5\nMaxFiles 0\nMaxScanTime 1000\n"
				      "AlertExceedsMax yes\nScanArchive no\n"
				      "HeuristicScanPrecedence true\n"),
			&l, NULL),
		RC_OK);
	assert_true(l.recursion == 5 && l.files == 0 && l.scan_ms == 1000);
	assert_true(l.alerts && l.blind && l.hasty);
	assert_int_equal(
		clamd_limits_read(STR("\nMaxFileSize lots\n"), &l, &err), RC_BAD);
	assert_non_null(strstr(err.text, "line 2"));
}

TEST(what_clamd_would_leave_out_is_told_by_its_limit)
{
	struct content_leaf leaves[2] = { { .size = 1000, .depth = 1 },
		{ .size = 2000, .depth = 3 } };
	const struct content usual = { .parts = 3,
		.depth = 2,
		.unpacked = 5000,
		.members = 4,
		.archive_depth = 2,
		.member_most = 1500,
		.nleaves = 2,
		.leaves = leaves };
	static const struct {
		struct clamd_limits fits, not ;
		const char *limit;
	} cases[] = {
		{ { .file = 2000 }, { .file = 1999 }, "MaxFileSize" },
		{ { .scan = 5100 }, { .scan = 5099 }, "MaxScanSize" },
		{ { .files = 7 }, { .files = 6 }, "MaxFiles" },
		{ { .recursion = 5 }, { .recursion = 4 }, "MaxRecursion" },
	};
	struct clamd *c = clamd_at("/nowhere", "");
	struct content huge = usual, deep = usual;
	const char *limit = "";
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clamd_set_limits(c, &cases[i].fits);
		assert_int_equal(clamd_sees(c, &usual, 100, &limit, &err), RC_OK);
		clamd_set_limits(c, &cases[i].not );
		assert_int_equal(clamd_sees(c, &usual, 100, &limit, &err), RC_PERM);
		assert_string_equal(limit, cases[i].limit);
	}
	/* a member that was not unpacked, counted all the same */
	huge.member_most = 4ull << 30;
	clamd_set_limits(c, &(struct clamd_limits){ 0 });
	assert_int_equal(clamd_sees(c, &huge, 100, &limit, &err), RC_PERM);
	huge.member_most = 0;
	huge.unpacked = UINT64_MAX;
	clamd_set_limits(c, &(struct clamd_limits){ .scan = UINT64_MAX - 1 });
	assert_int_equal(clamd_sees(c, &huge, 100, &limit, &err), RC_PERM);
	deep.depth = 7;
	clamd_set_limits(c, &(struct clamd_limits){ .recursion = 6 });
	assert_int_equal(clamd_sees(c, &deep, 100, &limit, &err), RC_OK);
	deep.depth = 8;
	assert_int_equal(clamd_sees(c, &deep, 100, &limit, &err), RC_PERM);
	clamd_free(&c);
}

TEST(a_clamd_that_does_not_look_into_mail_means_later)
{
	struct fake *f = fake_new(listen_local, PLAY_ANSWER, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "");
	struct clamd_limits blind = { .blind = true };

	clamd_set_limits(c, &blind);
	assert_int_equal(scan_for(c, STR("x"), LONG_MS).rc, RC_TEMP);
	assert_int_equal(f->commands, 0);
	assert_false(clamd_is_down(c));
	clamd_free(&c);
	fake_free(f);
}

TEST(an_answer_after_clamds_own_scan_time_is_not_waited_for)
{
	struct fake *f = fake_new(listen_local, PLAY_HANG, STR("fd[1]: OK\0"));
	struct clamd *c = clamd_at(f->socket, "");
	struct clamd_limits quick = { .scan_ms = SHORT_MS };
	uint64_t before = clock_ms();

	clamd_set_limits(c, &quick);
	assert_int_equal(scan_for(c, STR("x"), LONG_MS).rc, RC_TEMP);
	assert_true(clock_ms() - before < LONG_MS / 2);
	clamd_free(&c);
	fake_free(f);
}
