/* SPDX-License-Identifier: ISC */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/thread.h"
#include "journal/journal_int.h"
#include "test/test.h"

struct seen {
	unsigned n;
	uint64_t last, announced;
};

static enum rc
on_replay(uint64_t seq, enum jrec_kind kind, str payload, void *arg)
{
	struct seen *s = arg;

	(void)kind;
	(void)payload;
	s->n++;
	s->last = seq;
	return RC_OK;
}

static void
on_synced(uint64_t seq, void *arg)
{
	struct seen *s = arg;

	s->announced = seq;
}

static void
on_head(struct buf *b, void *arg)
{
	(void)arg;
	buf_addz(b, "still waiting");
}

static int
folder(void)
{
	int fd = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct journal *
opened(int dir, struct seen *s, uint64_t roll)
{
	struct journal_want w = { .dirfd = dir,
		.incoming = -1,
		.replay = on_replay,
		.synced = on_synced,
		.arg = s,
		.roll_bytes = roll };
	struct journal *j = NULL;
	struct err err = { .rc = RC_OK };

	if (journal_open(&w, &j, &err) != RC_OK)
		fail_msg("%s", err.text);
	return j;
}

static void
commit_some(struct journal *j, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		char text[40];
		uint64_t seq;

		(void)snprintf(text, sizeof(text), "record %u", i);
		assert_int_equal(
			journal_commit(j, JREC_MESSAGE, str_of(text), false, &seq, NULL),
			RC_OK);
		assert_int_equal(seq, i);
	}
}

/* Records that can be read; *rc is how it ended. */
static unsigned
count(int dir, uint64_t after, uint64_t until, enum rc *rc, struct err *err)
{
	struct journal_reader *r;
	struct journal_item item;
	unsigned n = 0;

	assert_int_equal(journal_read_open(dir, after, &r, NULL), RC_OK);
	while ((*rc = journal_next(r, until, &item, err)) == RC_OK) {
		char text[40];

		n++;
		assert_int_equal(item.seq, after + n);
		(void)snprintf(text, sizeof(text), "record %" PRIu64, item.seq);
		if (item.kind == JREC_MESSAGE)
			assert_true(str_eq(item.payload, str_of(text)));
	}
	journal_read_close(&r);
	return n;
}

/* Where record `seq` of a file begins. */
static uint64_t
place(int dir, uint64_t first, uint64_t seq)
{
	struct jfile f;
	struct jfile_record r = { .seq = 0 };

	assert_int_equal(jfile_open(dir, first, false, &f, NULL), RC_OK);
	while (r.seq != seq)
		assert_int_equal(jfile_next(&f, &r, NULL), RC_OK);
	jfile_close(&f);
	return r.at;
}

static void
spoil(int dir, const char *name, uint64_t at, str bytes)
{
	int fd = openat(dir, name, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes.ptr, bytes.len, (off_t)at), bytes.len);
	(void)close(fd);
}

#define FIRST_LOG "0000000000000001.log"

TEST(what_was_committed_is_read_back_after_a_start)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 0);
	struct err err;
	enum rc rc;

	commit_some(j, 1, 5);
	assert_int_equal(journal_synced(j), 5);
	journal_close(&j);
	assert_int_equal(s.announced, 5);
	j = opened(dir, &s, 0);
	assert_int_equal(s.n, 5);
	assert_int_equal(s.last, 5);
	commit_some(j, 6, 3);
	journal_close(&j);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 8);
	assert_int_equal(rc, RC_NONE);
	assert_int_equal(count(dir, 3, 6, &rc, &err), 3);
	(void)close(dir);
}

TEST(a_torn_tail_is_cut_and_nothing_before_it)
{
	for (unsigned cut = 0; cut < 2; cut++) {
		int dir = folder();
		struct seen s = { 0 };
		struct journal *j = opened(dir, &s, 0);
		struct err err;
		enum rc rc;

		commit_some(j, 1, 4);
		journal_close(&j);
		uint64_t at = place(dir, 1, 4);
		if (cut == 0) {
			spoil(dir, FIRST_LOG, at + 50, STR("X"));
		} else {
			int fd = openat(dir, FIRST_LOG, O_WRONLY);

			assert_int_equal(ftruncate(fd, (off_t)at + 51), 0);
			(void)close(fd);
		}
		assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 3);
		assert_int_equal(rc, RC_NONE);
		s = (struct seen){ 0 };
		j = opened(dir, &s, 0);
		assert_int_equal(s.n, 3);
		commit_some(j, 4, 2);
		journal_close(&j);
		assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 5);
		(void)close(dir);
	}
}

/* A batch of which the later sectors arrived and the earlier ones did not. */
TEST(a_batch_torn_at_its_beginning_is_no_damage)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 0);
	struct jfile f;
	BUF_AUTO out = BUF(4096);
	struct jfile_record r;

	commit_some(j, 1, 2);
	journal_close(&j);
	assert_int_equal(jfile_open(dir, 1, true, &f, NULL), RC_OK);
	while (jfile_next(&f, &r, NULL) == RC_OK)
		continue;
	jfile_put(&f, &out, JREC_MESSAGE, STR("record 3"), 2);
	jfile_put(&f, &out, JREC_MESSAGE, STR("record 4"), 2);
	memset(out.data, 0, 30);
	assert_int_equal(fs_pwrite(f.fd, buf_str(&out), f.pos, NULL), RC_OK);
	jfile_close(&f);
	s = (struct seen){ 0 };
	j = opened(dir, &s, 0);
	assert_int_equal(s.n, 2);
	commit_some(j, 3, 1);
	journal_close(&j);
	(void)close(dir);
}

static void
damaged(int dir, const char *number)
{
	struct journal_want w = { .dirfd = dir, .incoming = -1 };
	struct journal *j = NULL;
	struct err err = { .rc = RC_OK };
	enum rc rc;

	(void)count(dir, 0, UINT64_MAX, &rc, &err);
	assert_int_equal(rc, RC_PERM);
	assert_non_null(strstr(err.text, number));
	err.text[0] = '\0';
	assert_int_equal(journal_open(&w, &j, &err), RC_PERM);
	assert_non_null(strstr(err.text, number));
}

TEST(damage_before_the_end_is_named_and_never_cut_away)
{
	static const char zeros[200];
	struct seen s = { 0 };

	for (unsigned how = 0; how < 3; how++) {
		int dir = folder();
		struct journal *j = opened(dir, &s, 0);

		commit_some(j, 1, 6);
		journal_close(&j);
		uint64_t at = place(dir, 1, 3), next = place(dir, 1, 4);
		if (how == 0) /* one byte of the payload */
			spoil(dir, FIRST_LOG, at + JFILE_RECORD + 2, STR("X"));
		else if (how == 1) /* zeroed */
			spoil(dir, FIRST_LOG, at, (str){ zeros, (size_t)(next - at) });
		else { /* cut out */
			char rest[4096];
			int fd = openat(dir, FIRST_LOG, O_RDWR);
			ssize_t n = pread(fd, rest, sizeof(rest), (off_t)next);

			assert_true(n > 0);
			assert_int_equal(pwrite(fd, rest, (size_t)n, (off_t)at), n);
			(void)close(fd);
		}
		damaged(dir, "record 3 (file 0000000000000001.log");
		(void)close(dir);
	}
}

TEST(a_record_put_in_from_another_place_is_named)
{
	int dir = folder(), other = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 0);

	commit_some(j, 1, 4);
	journal_close(&j);
	j = opened(other, &s, 0);
	commit_some(j, 1, 4);
	journal_close(&j);
	char bytes[JFILE_RECORD + 8];
	int fd = openat(other, FIRST_LOG, O_RDONLY);
	uint64_t at = place(dir, 1, 2);

	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)at), sizeof(bytes));
	(void)close(fd);
	spoil(dir, FIRST_LOG, at, (str){ bytes, sizeof(bytes) });
	damaged(dir, "record 2 (file 0000000000000001.log");
	(void)close(dir);
	(void)close(other);
}

TEST(what_was_announced_as_synced_and_is_gone_is_damage)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 0);
	struct err err;
	enum rc rc;

	commit_some(j, 1, 3);
	journal_close(&j);
	assert_int_equal(count(dir, 0, 4, &rc, &err), 3);
	assert_int_equal(rc, RC_PERM);
	(void)close(dir);
}

TEST(files_roll_and_a_missing_one_is_named)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal_want w = { .dirfd = dir,
		.incoming = -1,
		.head = on_head,
		.arg = &s,
		.roll_bytes = 500 };
	struct journal *j = NULL;
	uint64_t *firsts, first, last, seq = 0;
	struct err err;
	size_t n;
	enum rc rc;

	assert_int_equal(journal_open(&w, &j, NULL), RC_OK);
	while (seq < 40)
		assert_int_equal(journal_commit(j, JREC_COUNTS, STR("12345678"), false,
					 &seq, NULL),
			RC_OK);
	journal_close(&j);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), seq);
	assert_int_equal(rc, RC_NONE);
	assert_int_equal(journal_bounds(dir, &first, &last, NULL), RC_OK);
	assert_int_equal(first, 1);
	assert_int_equal(last, seq);
	assert_int_equal(jfile_list(dir, &firsts, &n, NULL), RC_OK);
	assert_true(n > 4);
	char name[JFILE_NAME];
	jfile_name(firsts[2], name);
	assert_int_equal(unlinkat(dir, name, 0), 0);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), firsts[2] - 1);
	assert_int_equal(rc, RC_PERM);
	assert_non_null(strstr(err.text, "missing"));
	free(firsts);
	(void)close(dir);
}

TEST(trimming_keeps_what_is_not_applied_and_the_newest_files)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 300);
	uint64_t first, last;
	struct err err;
	enum rc rc;

	commit_some(j, 1, 40);
	journal_trim(j, 40, 3600 * 1000);
	assert_int_equal(journal_bounds(dir, &first, &last, NULL), RC_OK);
	assert_int_equal(first, 1);
	journal_trim(j, 20, 0);
	assert_int_equal(journal_bounds(dir, &first, &last, NULL), RC_OK);
	assert_in_range(first, 2, 21);
	assert_int_equal(count(dir, first - 1, UINT64_MAX, &rc, &err), 40 - first + 1);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 0);
	assert_int_equal(rc, RC_PERM);
	journal_trim(j, 40, 0);
	journal_close(&j);
	j = opened(dir, &s, 300);
	commit_some(j, 41, 2);
	journal_close(&j);
	(void)close(dir);
}

TEST(notes_travel_with_the_next_batch_or_alone)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 0);
	uint64_t seq;
	struct err err;
	enum rc rc;

	journal_note(j, JREC_ANSWERED, STR("a"));
	journal_note(j, JREC_ANSWERED, STR("b"));
	assert_int_equal(
		journal_commit(j, JREC_COUNTS, STR("c"), false, &seq, NULL), RC_OK);
	assert_int_equal(seq, 3);
	assert_int_equal(journal_synced(j), 3);
	journal_note(j, JREC_ANSWERED, STR("d"));
	while (count(dir, 0, UINT64_MAX, &rc, &err) < 4) /* by itself, soon */
		(void)sched_yield();
	journal_note(j, JREC_ANSWERED, STR("e"));
	journal_close(&j);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 5);
	(void)close(dir);
}

/* The descriptor of the journal's file in this process. */
static int
descriptor(int dir)
{
	struct stat want, st;

	assert_int_equal(fstatat(dir, FIRST_LOG, &want, 0), 0);
	for (int fd = 3; fd < 200; fd++)
		if (fstat(fd, &st) == 0 && st.st_ino == want.st_ino &&
			st.st_dev == want.st_dev)
			return fd;
	fail();
	return -1;
}

TEST(after_a_failed_write_nothing_is_promised_and_nothing_is_left)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 0);
	uint64_t seq;
	struct err err;
	enum rc rc;

	commit_some(j, 1, 3);
	int fd = descriptor(dir), kept = dup(fd),
	    broken = openat(dir, FIRST_LOG, O_RDONLY);
	assert_true(dup2(broken, fd) >= 0);
	/* neither writing nor taking back goes: its file must stay */
	assert_int_equal(
		journal_commit(j, JREC_MESSAGE, STR("lost"), false, &seq, &err), RC_PERM);
	assert_int_equal(
		journal_commit(j, JREC_MESSAGE, STR("lost"), false, &seq, &err), RC_PERM);
	assert_int_equal(journal_synced(j), 3);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 3);
	assert_true(dup2(kept, fd) >= 0);
	commit_some(j, 4, 2);
	(void)close(kept);
	(void)close(broken);
	journal_close(&j);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 5);
	(void)close(dir);
}

TEST(a_full_disk_is_a_limit_and_passes)
{
	int dir = folder();
	struct seen s = { 0 };
	struct journal *j = opened(dir, &s, 0);
	struct rlimit was, small;
	static char large[2 * 1024 * 1024];
	uint64_t seq;
	struct err err;
	enum rc rc;

	commit_some(j, 1, 2);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = journal_commit(
		j, JREC_COUNTS, (str){ large, sizeof(large) }, false, &seq, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(rc, RC_LIMIT);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 2);
	assert_int_equal(rc, RC_NONE);
	commit_some(j, 3, 2);
	journal_close(&j);
	assert_int_equal(count(dir, 0, UINT64_MAX, &rc, &err), 4);
	(void)close(dir);
}

TEST(names_that_cannot_be_synced_fail_the_commit)
{
	int dir = folder(), ends[2];
	struct journal_want w = { .dirfd = dir };
	struct journal *j = NULL;
	uint64_t seq;
	struct err err;

	assert_int_equal(pipe(ends), 0);
	w.incoming = ends[0]; /* fsync of a pipe: EINVAL */
	assert_int_equal(journal_open(&w, &j, NULL), RC_OK);
	assert_int_equal(
		journal_commit(j, JREC_MESSAGE, STR("x"), true, &seq, &err), RC_TEMP);
	assert_int_equal(
		journal_commit(j, JREC_MESSAGE, STR("x"), false, &seq, &err), RC_OK);
	assert_int_equal(seq, 1);
	journal_close(&j);
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(dir);
}

struct many {
	struct journal *j;
	unsigned n;
	_Atomic uint64_t sum;
};

static void *
commit_many(void *arg)
{
	struct many *m = arg;

	for (unsigned i = 0; i < m->n; i++) {
		uint64_t seq = 0;

		if (journal_commit(m->j, JREC_COUNTS, STR("some bytes"), false, &seq,
			    NULL) == RC_OK)
			m->sum += seq;
	}
	return NULL;
}

TEST(commits_of_many_threads_each_get_their_own_number)
{
	enum { THREADS = 8, EACH = 40, ALL = THREADS * EACH };
	int dir = folder();
	struct seen s = { 0 };
	struct many m = { .j = opened(dir, &s, 4000), .n = EACH };
	struct journal_reader *r;
	struct journal_item item;
	pthread_t t[THREADS];
	uint64_t got = 0;
	struct err err;

	assert_int_equal(journal_read_open(dir, 0, &r, NULL), RC_OK);
	for (unsigned i = 0; i < THREADS; i++)
		t[i] = thread_start("test", commit_many, &m);
	while (got < ALL) { /* while they write and roll */
		enum rc rc = journal_next(r, UINT64_MAX, &item, &err);

		if (rc == RC_OK)
			assert_int_equal(item.seq, ++got);
		else if (rc != RC_NONE)
			fail_msg("%s", err.text);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(t[i], NULL);
	journal_read_close(&r);
	assert_int_equal(m.sum, (uint64_t)ALL * (ALL + 1) / 2);
	journal_close(&m.j);
	(void)close(dir);
}
