/* SPDX-License-Identifier: ISC */
/*
 * date: a Date field's value as seconds since 1970.
 *
 * RFC 5322 3.3 and its obsolete forms (4.3: years of two and three digits,
 * named zones, comments), and what is met besides: other orders (asctime),
 * hyphens and ISO 8601 instead of blanks, no zone (then UTC), no seconds.
 * The name of the day is not held against the date.  Any thread.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* RC_BAD: no date in it that exists.  Years 0 to 9999. */
enum rc mail_date_parse(str value, int64_t *seconds) MUST_CHECK;
/* The day as it is written, whatever its zone: days since 1970-01-01. */
enum rc mail_date_day(str value, int64_t *days) MUST_CHECK;
