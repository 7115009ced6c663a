/* SPDX-License-Identifier: ISC */
/*
 * policy: how mail to an address, a domain or all is judged, and who hears of refusals.  Each setting is
 * set by itself, and the narrowest scope that says something wins.  Any thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct directory;

struct policy {
	bool has_threshold, has_filter, has_appeals, has_refused_mail;
	int32_t threshold;		/* thousandths */
	bool observe;
	bool recipient_appeals;		/* recipients are asked about appeals, too */
	bool daily;			/* a letter a day about what was refused for them */
};

/* scope: an address, a domain, or "all".  get: what is set there itself. */
enum rc policy_get(struct directory *d, str scope, struct policy *out, struct err *err) MUST_CHECK;
enum rc policy_set(struct directory *d, str scope, const struct policy *p, struct err *err) MUST_CHECK;
/* What counts for an address: each setting from the narrowest scope that says something, or
 * the default; all has_* are set.  RC_NONE: mail to it goes nowhere here. */
enum rc policy_for(struct directory *d, str address, struct policy *out, struct err *err) MUST_CHECK;
