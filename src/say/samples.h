/* SPDX-License-Identifier: ISC */
/* samples: every page and letter filled in as an example, for tests and for looking at them (say_samples FOLDER). */
#pragma once

#include "say/ui.h"

struct sample {
	const char *name;	/* "refusal-virus" */
	const char *file;	/* "refusal.html" */
	void (*fill)(struct scope *s);
};

extern const struct sample samples[];	/* ended by name NULL */

/* With what every page has. */
enum rc sample_put(const struct sample *sample, const struct sentences *s, const struct templates *t,
	unsigned language, struct buf *out, struct err *err) MUST_CHECK;
