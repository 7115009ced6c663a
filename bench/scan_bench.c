/* SPDX-License-Identifier: ISC */
/*
 * scan_bench [MESSAGES [KIB]]: what one message costs in the scanner and on the
 * asking side, as CPU and wall time, over a real channel between two processes.
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
	"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";

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
message(size_t size)
{
	BUF_AUTO b = BUF(size + sizeof(head) + 128);
	int fd = memfd_create("message", 0);

	buf_addz(&b, head);
	while (b.len < size)
		buf_add(&b,
			STR("<p>A line of text as newsletters have them, with some words.</p>\r\n"));
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
	ARENA_AUTO mem = arena_new(1024 * 1024);

	for (uint64_t i = 0; i < n; i++) {
		struct err err = { 0 };
		struct scanned got;

		if (scan_ask(set, job, clock_ms() + 10000, mem, &got, &err) != RC_OK) {
			(void)fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		arena_reset(mem);
	}
}

int
main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
	size_t size = (argc > 2 ? strtoull(argv[2], NULL, 10) : 8) * 1024;
	struct scanners *set = scanners_new(1, lost, NULL);
	struct scan_job job = { .fd = message(size), .hostname = STR("mx.example.test") };

	if (n == 0 || fs_size(job.fd, &job.size, NULL) != RC_OK)
		return 2;
	pid_t pid = start_scanner(set, n);
	uint64_t wall = clock_ms(), cpu = cpu_us(RUSAGE_SELF);
	ask_all(set, &job, n);
	wall = clock_ms() - wall;
	cpu = cpu_us(RUSAGE_SELF) - cpu;
	(void)waitpid(pid, NULL, 0);
	uint64_t scanner = cpu_us(RUSAGE_CHILDREN);
	(void)printf(
		"%llu messages of %zu KiB, one in flight: CPU us asking %.1f scanner %.1f "
		"both %.1f, wall us %.1f\n",
		(unsigned long long)n, size / 1024, (double)cpu / (double)n,
		(double)scanner / (double)n, (double)(cpu + scanner) / (double)n,
		(double)wall * 1000 / (double)n);
	scanners_free(&set);
	return 0;
}
