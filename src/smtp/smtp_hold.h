/* SPDX-License-Identifier: ISC */
/*
 * smtp_hold: the original of a message that is refused for what it is, kept for a
 * while (held/held.h), so that an appeal can be more than words.
 *
 * Whenever an answer has a link: also for a message that others are delivered, and
 * for one that was refused unread (without facts then).  Blocking; verdict pool
 * only, before the record.  Sets v->held; where it cannot be kept v->unheld says why
 * and the answers say that it was not: their reason ends with it, within the reply's
 * 512 octets.
 */
#pragma once

#include "smtp/smtp_verdict.h"

void smtp_hold(struct smtp_verdict *v);
