/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "smtp/smtp.h"
#include "smtp/smtp_counts.h"
#include "smtp/smtp_recent.h"
#include "smtp/smtp_split.h"

void
smtp_gate_init(struct smtp_gate *g)
{
	g->counts = smtp_counts_new();
	g->splits = smtp_splits_new();
	g->known = smtp_recent_new(SMTP_KNOWN_MOST, SMTP_KNOWN_MS);
	g->samples = smtp_recent_new(SMTP_SAMPLES_MOST, SMTP_SAMPLES_MS);
	g->killers = smtp_recent_new(SMTP_KILLERS_MOST, SMTP_KILLERS_MS);
	g->stallers = smtp_recent_new(SMTP_KILLERS_MOST, SMTP_KILLERS_MS);
}

void
smtp_gate_clear(struct smtp_gate *g)
{
	if (g->counts != NULL && g->journal != NULL)
		smtp_counts_flush(g->counts, g->journal, UINT64_MAX);
	smtp_counts_free(&g->counts);
	smtp_splits_free(&g->splits);
	smtp_recent_free(&g->known);
	smtp_recent_free(&g->samples);
	smtp_recent_free(&g->killers);
	smtp_recent_free(&g->stallers);
}

void
smtp_gate_minute(struct smtp_gate *g, uint64_t wall_ms)
{
	smtp_counts_flush(g->counts, g->journal, wall_ms);
	smtp_splits_age(g->splits, clock_ms());
}
