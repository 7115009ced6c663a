/* SPDX-License-Identifier: ISC */
/*
 * metrics: figures of all processes in one shared page, made by the manager
 * and mapped by every process that was handed it.  A row in metrics.def is a
 * figure; `status` shows them.
 *
 * Any process may write anything here, so nothing is ever decided by it.  Any
 * thread.  Without a page (a verb run without a server) writing does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum metric {
#define METRIC(name, kind, doc)	METRIC_##name,
#include "daemon/metrics.def"
#undef METRIC
	METRICS
};

enum { METRIC_PROCESSES = 96 };

struct metric_row {
	const char *name, *doc;
	bool gauge;
};

extern const struct metric_row metric_rows[METRICS];

struct metric_process {
	char name[16];			/* "gate", "scanner 3" */
	pid_t pid;			/* 0: not running */
	uint64_t since_ms;		/* wall clock */
	uint64_t starts;
};

enum rc metrics_make(int *fd, struct err *err) MUST_CHECK;	/* sealed memfd, mapped */
enum rc metrics_map(int fd, struct err *err) MUST_CHECK;
bool metrics_there(void);

void metric_add(enum metric m, uint64_t n);
void metric_set(enum metric m, uint64_t v);
uint64_t metric_get(enum metric m);

void metric_process_set(unsigned slot, const struct metric_process *p);
bool metric_process_get(unsigned slot, struct metric_process *p);	/* false: unused */
