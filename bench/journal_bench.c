/* SPDX-License-Identifier: ISC */
/*
 * What a commit costs: spool 8 KB, name it, sync it, commit its record, for some
 * threads at once.  p50 and p99 in milliseconds, and CPU per message.
 *
 *	journal_bench FOLDER [MESSAGES]		FOLDER: empty, on the disk to be measured
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/ids.h"
#include "base/thread.h"
#include "journal/journal.h"

enum { THREADS = 16, RECORD = 700, BODY = 8192 };

struct run {
	struct journal *journal;
	int incoming;
	size_t each;
	double *took; /* ms */
	_Atomic size_t n;
};

static void
must(enum rc rc, const struct err *err)
{
	if (rc == RC_OK)
		return;
	(void)fprintf(stderr, "journal_bench: %s\n", err->text);
	exit(1);
}

static double
now_ms(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *
deliver(void *arg)
{
	static const char bytes[BODY];
	struct run *r = arg;
	struct err err = { .rc = RC_OK };

	for (size_t i = 0; i < r->each; i++) {
		struct msg_id id = ids_message(1795000000000u);
		struct fs_spool s;
		uint64_t seq;

		must(fs_spool_open(r->incoming, 0660, &s, &err), &err);
		must(fs_append(s.fd, (str){ bytes, BODY }, &err), &err);
		double start = now_ms(CLOCK_MONOTONIC);
		must(fs_spool_publish(r->incoming, &s, id.text, &err), &err);
		must(fs_sync_data(s.fd, &err), &err);
		must(journal_commit(r->journal, JREC_MESSAGE, (str){ bytes, RECORD },
			     true, &seq, &err),
			&err);
		r->took[r->n++] = now_ms(CLOCK_MONOTONIC) - start;
		fs_spool_drop(r->incoming, &s);
		(void)fs_unlink(r->incoming, id.text, NULL);
	}
	return NULL;
}

static int
by_time(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
measure(struct run *r, size_t threads, size_t messages)
{
	pthread_t t[THREADS];

	r->n = 0;
	r->each = messages / threads;
	double wall = now_ms(CLOCK_MONOTONIC), cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < threads; i++)
		t[i] = thread_start("bench", deliver, r);
	for (size_t i = 0; i < threads; i++)
		(void)pthread_join(t[i], NULL);
	wall = now_ms(CLOCK_MONOTONIC) - wall;
	cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	size_t n = r->n;
	qsort(r->took, n, sizeof(*r->took), by_time);
	(void)printf(
		"%2zu threads  p50 %.2f  p99 %.2f ms  %.0f/s  CPU %.3f ms a message\n",
		threads, r->took[n / 2], r->took[n * 99 / 100], (double)n / wall * 1e3,
		cpu / (double)n);
}

int
main(int argc, char **argv)
{
	size_t messages = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 2000;
	struct run r = { .incoming = -1 };
	struct err err = { .rc = RC_OK };
	int data = -1, folder = -1;

	if (argc < 2 || messages < THREADS) {
		(void)fprintf(stderr, "usage: journal_bench FOLDER [MESSAGES]\n");
		return 2;
	}
	must(fs_open_dir(AT_FDCWD, argv[1], &data, &err), &err);
	must(fs_mkdirs(data, "incoming", 0770, &err), &err);
	must(fs_mkdirs(data, "journal/bench", 0770, &err), &err);
	must(fs_open_dir(data, "incoming", &r.incoming, &err), &err);
	must(fs_open_dir(data, "journal/bench", &folder, &err), &err);
	struct journal_want w = { .dirfd = folder, .incoming = r.incoming };
	must(journal_open(&w, &r.journal, &err), &err);
	r.took = calloc(messages, sizeof(*r.took));
	if (r.took == NULL)
		abort();
	for (size_t threads = 1; threads <= THREADS; threads *= 4)
		measure(&r, threads, messages);
	journal_close(&r.journal);
	free(r.took);
	return 0;
}
