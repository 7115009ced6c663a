/* SPDX-License-Identifier: ISC */
/*
 * clock: the two clocks.  Deadlines use clock_ms() (monotonic, never set);
 * dates use clock_wall_ms(), which tests may set (`[test] now`, `--now`).
 * Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { CLOCK_TEXT = 32 };

uint64_t clock_ms(void);		/* CLOCK_MONOTONIC */
uint64_t clock_wall_ms(void);		/* since 1970, UTC */
void clock_set_wall(uint64_t ms);	/* from here on it runs from ms; 0: real time */

void clock_text(uint64_t wall_ms, char out[CLOCK_TEXT]);	/* RFC 3339, UTC */
void clock_mail_date(uint64_t wall_ms, char out[CLOCK_TEXT + 8]);	/* RFC 5322 3.3, +0000 */
/* RFC 3339 with Z, "YYYY-MM-DD", or decimal seconds since 1970. */
enum rc clock_parse(str s, uint64_t *wall_ms, struct err *err) MUST_CHECK;
