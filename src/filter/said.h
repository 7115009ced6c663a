/* SPDX-License-Identifier: ISC */
/*
 * said: what pages and letters say about a refusal, as values of templates (ui/VALUES.md, "What is said
 * about a refusal"): when, from which domain to which, the reasons by group, its state.  No content, no
 * names of rules, no recipient.  Any thread.
 */
#pragma once

#include "held/refusals.h"
#include "say/template.h"

/* *f and mem must live until the page is made. */
void said_refusal(struct scope *to, struct arena *mem, const struct refusal *f);
/* The part of an address behind its last '@'; "" if there is none. */
str said_domain(str address);
