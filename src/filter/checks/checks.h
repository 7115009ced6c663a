/* SPDX-License-Identifier: ISC */
/* checks: the rows that filter_checks[] is made of. */
#pragma once

#include "filter/filter.h"

extern const struct check check_gtube;
extern const struct check check_many_received;
extern const struct check check_virus;
extern const struct check check_virus_unseen; /* clamd would not scan it whole */
/* Found by who asks a scanner (smtp/smtp_verdict.c). */
extern const struct check check_scanner_lost;
extern const struct check check_unreadable;

/* One row for each flag of the facts that counts against a message. */
struct structural {
	struct check check; /* first: check.run gets a pointer to it */
	uint32_t flag; /* enum fact_flag */
	bool decisive;
	str reason;
};

enum { STRUCTURALS = 15 };
extern const struct structural structural_checks[STRUCTURALS];
