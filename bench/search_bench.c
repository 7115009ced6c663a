/* SPDX-License-Identifier: ISC */
/*
 * search_bench: what the index of texts costs.
 *
 *	search_bench FOLDER [messages [bytes]]
 *
 * Enters messages of made-up words (Zipf's law, as languages have) in batches, as house does,
 * then looks for texts in all of them, 256 at a time, as SEARCH does.  CPU times are of
 * this process; the files are in the page cache.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/fs.h"
#include "store/search.h"

enum { ACCOUNT = 7, BATCH = 64, LOOK = 256, VOCABULARY = 60000, WORD = 16 };

static char vocabulary[VOCABULARY][WORD];
static uint64_t state = 88172645463325252u;

static uint64_t
next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static double
cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
make_vocabulary(void)
{
	static const char letters[] = "eeeetttaaaoooiiinnnsssrrrhhldcumfpgwybvkxjqz";

	for (size_t i = 0; i < VOCABULARY; i++) {
		size_t len = 2 + next() % 4 + (i > 100 ? next() % 6 : 0);

		for (size_t k = 0; k < len; k++)
			vocabulary[i][k] = letters[next() % (sizeof(letters) - 1)];
	}
}

static const char *
word(void)
{
	double u = (double)(next() >> 11) / (double)(UINT64_C(1) << 53);

	return vocabulary[(size_t)(exp(u * log(VOCABULARY)) - 1)];
}

static void
make_doc(struct search_doc *d, size_t n, size_t bytes, struct buf *head, struct buf *text)
{
	*d = (struct search_doc){ .modseq = n + 1 };
	(void)snprintf(d->id.text, sizeof(d->id.text), "1M%018u", (unsigned)n);
	buf_clear(head);
	buf_clear(text);
	buf_addf(head,
		"Received: from mx%zu.example.org by mail.example.org id %" PRIx64 "\n",
		n % 100, next());
	buf_addf(head, "From: %s %s <%s@%s.example.org>\nSubject: %s %s %s %s\n", word(),
		word(), word(), word(), word(), word(), word(), word());
	buf_addf(head, "Message-ID: <%" PRIx64 "@%s.example.org>\n", next(), word());
	while (head->len < 1200)
		buf_addf(head, "X-Field-%s: %" PRIx64 "%" PRIx64 "\n", word(), next(),
			next());
	while (text->len < bytes)
		buf_addf(text, "%s%s", word(), next() % 10 == 0 ? ",\n" : " ");
	d->head = buf_str(head);
	d->text = buf_str(text);
}

static void
die(const struct err *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static double
fill(struct search *s, size_t messages, size_t bytes)
{
	static struct search_doc docs[BATCH];
	static struct buf heads[BATCH], texts[BATCH];
	struct err err = { 0 };
	double spent = 0;

	for (size_t i = 0; i < BATCH; i++) {
		heads[i] = BUF(1 << 20);
		texts[i] = BUF(1 << 20);
	}
	for (size_t at = 0; at < messages; at += BATCH) {
		size_t n = messages - at < BATCH ? messages - at : BATCH;

		for (size_t i = 0; i < n; i++)
			make_doc(&docs[i], at + i, bytes, &heads[i], &texts[i]);
		double from = cpu_s();
		const struct search_news news = { ACCOUNT, docs, n };
		if (search_add(s, &news, 1, &err) != RC_OK)
			die(&err);
		spent += cpu_s() - from;
	}
	return spent;
}

static void
look(struct search *s, size_t messages, size_t step, const char *name,
	struct search_key key)
{
	static struct msg_id ids[LOOK];
	static uint8_t says[LOOK];
	struct err err = { 0 };
	size_t yes = 0, maybe = 0, all = 0;
	double from = cpu_s();

	for (size_t at = 0; at < messages;) {
		size_t n = 0;

		for (; n < LOOK && at < messages; at += step)
			(void)snprintf(ids[n++].text, sizeof(ids[0].text), "1M%018u",
				(unsigned)at);
		if (search_look(s, ACCOUNT, ids, n, &key, 1, says, &err) != RC_OK)
			die(&err);
		all += n;
		for (size_t i = 0; i < n; i++) {
			yes += says[i] == SEARCH_YES;
			maybe += says[i] == SEARCH_MAYBE;
		}
	}
	(void)printf(
		"look %-24s each %4zuth: %6zu messages %6zu yes %6zu maybe  %.3f s CPU\n",
		name, step, all, yes, maybe, cpu_s() - from);
}

int
main(int argc, char **argv)
{
	size_t messages = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : 50000;
	size_t bytes = argc > 3 ? (size_t)strtoull(argv[3], NULL, 10) : 8000;
	struct search *s = NULL;
	struct err err = { 0 };
	struct stat st = { 0 };
	FD_AUTO data = -1;

	if (argc < 2 || fs_mkdirs(AT_FDCWD, argv[1], 0700, &err) != RC_OK ||
		fs_open_dir(AT_FDCWD, argv[1], &data, &err) != RC_OK ||
		search_open(
			&(struct search_want){ .data = data, .cache_bytes = 512 * 1024 },
			&s, &err) != RC_OK)
		die(&err);
	make_vocabulary();
	double spent = fill(s, messages, bytes);
	search_close(&s);
	if (search_open(&(struct search_want){ .data = data, .cache_bytes = 512 * 1024 },
		    &s, &err) != RC_OK)
		die(&err);
	(void)fstatat(data, "search/7.db", &st, 0);
	(void)printf(
		"enter %zu messages of %zu bytes: %.3f ms CPU each; %.0f bytes each\n",
		messages, bytes, spent * 1e3 / (double)messages,
		(double)st.st_size / (double)messages);
	for (size_t step = 1; step <= 1000; step *= 10) {
		look(s, messages, step, "rare word, text",
			(struct search_key){ .text = true, .what = STR("ZXQJ") });
		look(s, messages, step, "common piece, text",
			(struct search_key){ .text = true, .what = STR("ETIONS") });
		look(s, messages, step, "nowhere, head and text",
			(struct search_key){
				.head = true, .text = true, .what = STR("EATONIANS") });
		look(s, messages, step, "two words, text",
			(struct search_key){ .text = true, .what = STR("EATON IANS") });
		look(s, messages, step, "subject",
			(struct search_key){ .head = true,
				.field = STR("Subject"),
				.what = STR("TEAR") });
	}
	search_close(&s);
	return 0;
}
