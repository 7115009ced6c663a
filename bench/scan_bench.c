/* SPDX-License-Identifier: ISC */
/*
 * scan_bench [MESSAGES KIB [KIND [gate|all|search]]]: CPU time that one message costs in the
 * scanner and on the asking side, over a real channel between two processes.  KIND:
 * plain, html, both (multipart/alternative), file (a text and an attachment in base64).
 * gate: what the gate asks for; all: texts and words, too; search: what full text asks for.
 * Without arguments: the table of bench/README.md, each figure the least of three runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "net/chan.h"
#include "scan/scan.h"

static const char head[] =
	"Return-Path: <newsletter@shop.example>\r\n"
	"Received: from a.example (a.example [192.0.2.1])\r\n\tby b.example with ESMTPS id x1\r\n"
	"\tfor <alice@example.test>; Tue, 14 Nov 2023 22:13:19 +0000\r\n"
	"Received: from c.example (c.example [192.0.2.2])\r\n\tby a.example with ESMTP id x2;\r\n"
	"\tTue, 14 Nov 2023 22:13:18 +0000\r\n"
	"DKIM-Signature: v=1; a=rsa-sha256; d=shop.example; s=one; h=from:to:subject:date;\r\n"
	"\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
	"From: \"The Shop\" <newsletter@shop.example>\r\n"
	"To: Alice Liddell <alice@example.test>, bob@example.test\r\n"
	"Subject: =?utf-8?q?What=27s_new_this_week?=\r\n"
	"Date: Tue, 14 Nov 2023 22:13:17 +0000\r\n"
	"Message-ID: <20231114221317.12345@shop.example>\r\n"
	"References: <1@shop.example> <2@shop.example>\r\nIn-Reply-To: <2@shop.example>\r\n"
	"MIME-Version: 1.0\r\n";

#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n\r\n"
#define HTML                                         \
	"Content-Type: text/html; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
#define FILES                                                     \
	"Content-Type: application/pdf; name=\"a.pdf\"\r\n"       \
	"Content-Disposition: attachment; filename=\"a.pdf\"\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\n"

static uint64_t state = 1;

static unsigned
random_below(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* Some thousand different words. */
static void
add_words(struct buf *b, size_t n)
{
	static const char *const syllables[] = { "ba", "con", "de", "er", "fi", "ga",
		"ho", "in", "ka", "lo", "mi", "ne", "or", "pre", "que", "ra", "st", "th",
		"un", "ve" };

	for (size_t end = b->len + n; b->len < end; buf_addc(b, ' '))
		for (unsigned k = 1 + random_below(3); k > 0; k--)
			buf_addz(b, syllables[random_below(20)]);
}

static void
add_plain_line(struct buf *b)
{
	add_words(b, 60);
	buf_add(b, STR("\r\n"));
}

static void
add_html_line(struct buf *b)
{
	buf_addf(b,
		"<td style=3D\"color: #333; padding: 4px\"><a href=3D\"https://shop.example=\r\n"
		"/p/%u?u=3D%u\">",
		random_below(100000), random_below(100000));
	add_words(b, 30);
	buf_add(b, STR("</a><br>=\r\n"));
	add_words(b, 60);
	buf_add(b, STR("</td>\r\n"));
}

static void
add_base64_line(struct buf *b)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (int i = 0; i < 76; i++)
		buf_addc(b, digits[random_below(64)]);
	buf_add(b, STR("\r\n"));
}

/* What is in a message: its parts, each filled with lines to its share. */
static const struct kind {
	const char *name, *type;
	struct {
		const char *head;
		void (*line)(struct buf *b);
		unsigned share; /* per cent */
	} parts[2];
} kinds[] = {
	{ "plain", NULL, { { PLAIN, add_plain_line, 100 } } },
	{ "html", NULL, { { HTML, add_html_line, 100 } } },
	{ "both", "alternative",
		{ { PLAIN, add_plain_line, 30 }, { HTML, add_html_line, 70 } } },
	{ "file", "mixed",
		{ { PLAIN, add_plain_line, 20 }, { FILES, add_base64_line, 80 } } },
};

static void
lost(unsigned slot, void *arg)
{
	(void)arg;
	(void)fprintf(stderr, "scanner %u was lost\n", slot);
	exit(1);
}

static uint64_t
cpu_us(int who)
{
	struct rusage u;

	(void)getrusage(who, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int
message(const struct kind *k, size_t size)
{
	BUF_AUTO b = BUF(2 * size + 16384);
	int fd = memfd_create("message", 0);

	buf_addz(&b, head);
	if (k->type != NULL)
		buf_addf(&b, "Content-Type: multipart/%s; boundary=frontier\r\n\r\n",
			k->type);
	for (size_t i = 0; i < 2 && k->parts[i].head != NULL; i++) {
		size_t end = b.len + size * k->parts[i].share / 100;

		if (k->type != NULL)
			buf_add(&b, STR("--frontier\r\n"));
		buf_addz(&b, k->parts[i].head);
		while (b.len < end)
			k->parts[i].line(&b);
	}
	if (k->type != NULL)
		buf_add(&b, STR("--frontier--\r\n"));
	if (fd < 0 || fs_pwrite(fd, buf_str(&b), 0, NULL) != RC_OK)
		abort();
	return fd;
}

static pid_t
start_scanner(struct scanners *set, uint64_t most)
{
	int pair[2];

	if (chan_pair(pair, NULL) != RC_OK)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		scan_serve(pair[1], most);
		_exit(0);
	}
	(void)close(pair[1]);
	scanners_channel(set, 0, pair[0]);
	return pid;
}

static void
ask_all(struct scanners *set, const struct scan_job *job, uint64_t n)
{
	ARENA_AUTO mem = arena_new(8 * 1024 * 1024);

	for (uint64_t i = 0; i < n; i++) {
		struct err err = { 0 };
		struct scanned got;

		if (scan_ask(set, job, clock_ms() + 10000, mem, &got, &err) != RC_OK) {
			(void)fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		scanned_clear(&got);
		arena_reset(mem);
	}
}

struct cost {
	double asking, scanner, wall; /* us a message */
};

static struct cost
measure(const struct kind *k, unsigned want, uint64_t n, size_t size)
{
	struct scanners *set = scanners_new(1, lost, NULL);
	struct scan_job job = {
		.fd = message(k, size), .hostname = STR("mx.example.test"), .want = want
	};

	if (fs_size(job.fd, &job.size, NULL) != RC_OK)
		abort();
	uint64_t before = cpu_us(RUSAGE_CHILDREN);
	pid_t pid = start_scanner(set, n);
	uint64_t wall = clock_ms(), cpu = cpu_us(RUSAGE_SELF);
	ask_all(set, &job, n);
	wall = clock_ms() - wall;
	cpu = cpu_us(RUSAGE_SELF) - cpu;
	(void)waitpid(pid, NULL, 0);
	uint64_t scanner = cpu_us(RUSAGE_CHILDREN) - before;
	scanners_free(&set);
	fs_close(&job.fd);
	return (struct cost){ (double)cpu / (double)n, (double)scanner / (double)n,
		(double)wall * 1000 / (double)n };
}

static const struct want {
	const char *name, *shown;
	unsigned bits;
} wants[] = {
	{ "gate", "what the gate asks for", SCAN_CONTENT | SCAN_JOBS },
	{ "all", "with texts and words",
		SCAN_CONTENT | SCAN_TEXT | SCAN_JOBS | SCAN_TOKENS },
	{ "search", "for the index of texts", SCAN_SEARCH },
};

enum {
	KINDS = sizeof(kinds) / sizeof(kinds[0]),
	WANTS = sizeof(wants) / sizeof(wants[0])
};

/* Others use the machine, too, and only ever make it more. */
static struct cost
least_cost(const struct kind *k, unsigned want, size_t size)
{
	uint64_t n = (16u << 20) / size;
	struct cost least = { 0 };

	n = n > 3000 ? 3000 : n < 50 ? 50 : n;
	for (int i = 0; i < 3; i++) {
		struct cost c = measure(k, want, n, size);

		if (i == 0 || c.asking + c.scanner < least.asking + least.scanner)
			least = c;
	}
	return least;
}

static void
table(void)
{
	static const size_t sizes[] = { 2, 8, 40, 90, 1000 };
	enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

	(void)printf("| kind | asked for |");
	for (size_t i = 0; i < SIZES; i++)
		(void)printf(" %zu KiB |", sizes[i]);
	(void)printf("\n|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < KINDS * WANTS; i++) {
		const struct kind *k = &kinds[i / WANTS];
		const struct want *w = &wants[i % WANTS];

		(void)printf("| %s | %s |", k->name, w->shown);
		for (size_t n = 0; n < SIZES; n++) {
			struct cost c = least_cost(k, w->bits, sizes[n] * 1024);

			(void)printf(" %.0f + %.0f |", c.scanner, c.asking);
		}
		(void)printf("\n");
	}
}

int
main(int argc, char **argv)
{
	uint64_t n = argc > 2 ? strtoull(argv[1], NULL, 10) : 1;
	size_t size = argc > 2 ? strtoull(argv[2], NULL, 10) * 1024 : 0;

	if (argc == 2 || n == 0 || size > (1u << 30))
		return 2;
	scan_prepare();
	if (argc == 1)
		table();
	for (size_t i = 0; argc > 2 && i < KINDS * WANTS; i++) {
		const struct kind *k = &kinds[i / WANTS];
		const struct want *w = &wants[i % WANTS];

		if ((argc > 3 && strcmp(argv[3], k->name) != 0) ||
			(argc > 4 && strcmp(argv[4], w->name) != 0))
			continue;
		struct cost c = measure(k, w->bits, n, size);
		(void)printf(
			"%s, %s: CPU us asking %.1f scanner %.1f both %.1f, wall us %.1f\n",
			k->name, w->name, c.asking, c.scanner, c.asking + c.scanner,
			c.wall);
	}
	return 0;
}
