/* SPDX-License-Identifier: ISC */
/*
 * store_bench: what a delivery costs the process that applies it.
 *
 *	store_bench [FOLDER]
 *
 * 100 accounts, and 20,000 that have never had mail, in batches of 1 and of 32
 * deliveries; every message its own file of 8 KB, a checkpoint at the end of
 * each row.  Figures are CPU time of this process in microseconds for each
 * delivery (user and system), and deliveries a second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "store/store.h"
#include "wire/facts.h"

enum { BATCH = 32, SIZE = 8192 };

struct round {
	const char *name;
	uint64_t first, accounts;
	size_t batch, messages;
};

static uint64_t next_seq;

static void
must(enum rc rc, const struct err *err)
{
	if (rc == RC_OK)
		return;
	(void)fprintf(stderr, "store_bench: %s\n", err->text);
	exit(1);
}

static struct msg_id
spool(int data)
{
	static char body[SIZE];
	struct msg_id id = ids_message(clock_wall_ms());
	FD_AUTO fd = -1;
	char path[48];
	struct err err;

	(void)snprintf(path, sizeof(path), "incoming/%s", id.text);
	must(fs_open(data, path, O_WRONLY | O_CREAT, 0600, &fd, &err), &err);
	must(fs_append(fd, (str){ body, sizeof(body) }, &err), &err);
	return id;
}

static void
pack_facts(struct buf *b, const struct msg_id *id)
{
	struct fact_address at = { STR("Somebody Ordinary"), STR("somebody"),
		STR("sender.example") };
	struct fact_list one = { 1, &at };
	char message_id[64];
	str refs[2] = { STR("root-of-the-thread@sender.example"),
		STR("another@example.org") };

	(void)snprintf(message_id, sizeof(message_id), "%s@sender.example", id->text);
	struct facts f = { .date_s = 1795397280,
		.header_bytes = 900,
		.nrefs = 2,
		.refs = refs,
		.envelope = {
			.subject = STR("A subject of the usual length, more or less"),
			.date = STR("Mon, 23 Nov 2026 01:48:00 +0000"),
			.from = one,
			.sender = one,
			.reply_to = one,
			.to = one,
			.message_id = str_of(message_id) } };
	buf_clear(b);
	facts_pack(b, &f);
}

static double
cpu_us(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double
one_batch(struct store *s, int data, const struct round *r, size_t done)
{
	static struct buf facts[BATCH];
	struct store_apply list[BATCH] = { 0 };
	struct err err = { 0 };

	for (size_t i = 0; i < r->batch; i++) {
		struct msg_id id = spool(data);

		facts[i].limit = FACTS_MOST;
		pack_facts(&facts[i], &id);
		list[i] = (struct store_apply){ .seq = ++next_seq,
			.what = { .account = r->first + (done + i) * 7919 % r->accounts,
				.id = id,
				.size = SIZE,
				.received_ms = clock_wall_ms(),
				.facts = buf_str(&facts[i]) } };
	}
	double before = cpu_us();
	must(store_deliver(s, "gate", list, r->batch, next_seq, &err), &err);
	return cpu_us() - before;
}

static void
run(struct store *s, int data, const struct round *r)
{
	struct err err = { 0 };
	uint64_t began = clock_ms();
	double us = 0, before;

	for (size_t done = 0; done < r->messages; done += r->batch)
		us += one_batch(s, data, r, done);
	before = cpu_us();
	must(store_checkpoint(s, &err), &err);
	(void)printf(
		"%-24s batch %2zu: %6.1f us CPU a delivery, checkpoint %5.1f, %zu in %llu ms\n",
		r->name, r->batch, us / (double)r->messages,
		(cpu_us() - before) / (double)r->messages, r->messages,
		(unsigned long long)(clock_ms() - began));
}

int
main(int argc, char **argv)
{
	static const struct round rounds[] = {
		{ "100 accounts, new", 1, 100, 1, 3200 },
		{ "100 accounts", 1, 100, 1, 9600 },
		{ "100 accounts", 1, 100, 32, 9600 },
		{ "20,000 accounts, new", 1000, 20000, 1, 9600 },
		{ "20,000 accounts, new", 30000, 20000, 32, 9600 },
		{ "20,000 accounts", 1000, 20000, 1, 9600 },
		{ "20,000 accounts", 30000, 20000, 32, 9600 },
	};
	char folder[256];
	struct store *s;
	struct err err = { 0 };

	(void)snprintf(folder, sizeof(folder), "%s/store_bench-XXXXXX",
		argc > 1 ? argv[1] : "/var/tmp");
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		return 1;
	}
	FD_AUTO data = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fs_mkdirs(data, "incoming", 0700, &err), &err);
	must(store_open(&(struct store_want){ .data = data, .cache_bytes = 1 << 20 }, &s,
		     &err),
		&err);
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++)
		run(s, data, &rounds[i]);
	store_close(&s);
	(void)printf("data left in %s\n", folder);
	return 0;
}
