/* SPDX-License-Identifier: ISC */
/*
 * smtp_sample: abuse@ of every domain takes what others sent from here, as evidence
 * (RFC 2142, RFC 5965): an infected message, if all that is infected lies within a
 * message that is attached to it.  [filter] abuse_samples of them from one network in an
 * hour; more are put off, so that nobody fills that mailbox, or pays for clamd twice, at
 * will.  Verdict pool only.
 */
#pragma once

#include "smtp/smtp_verdict.h"

/* Looks whether v's message is one, where it has such a recipient: then v->sample is
 * what speaks against it otherwise.  RC_TEMP, RC_LIMIT: not now. */
enum rc smtp_sample_look(struct smtp_verdict *v, const struct evidence *e) MUST_CHECK;
/* The findings that count for this recipient. */
struct findings *smtp_sample_findings(struct smtp_verdict *v, const struct smtp_rcpt *r);
/* A recipient takes the sample that others refuse; false: it has to wait. */
bool smtp_sample_allowed(struct smtp_verdict *v);
