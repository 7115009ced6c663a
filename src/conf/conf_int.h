/* SPDX-License-Identifier: ISC */
/* conf_int: the table of settings and their types, for conf's own files. */
#pragma once

#include "conf/conf.h"

enum conf_type { TYPE_str, TYPE_num, TYPE_size, TYPE_secs, TYPE_fix, TYPE_flag, TYPE_word };

enum { CONF_WORDS = 6 };

struct conf_row {
	const char *section;		/* "" for rows before the first [section] */
	const char *name;
	enum conf_type type;
	size_t offset;			/* in struct conf */
	const char *standard;		/* the default, as written in a file */
	uint64_t min, max;
	const char *doc;
	const char *words[CONF_WORDS];	/* ended by NULL */
};

extern const struct conf_row conf_rows[];	/* by sections; ended by name NULL */

/* Reads a value of the row's type into c; strings are views of `value`, which
 * must be NUL-terminated and live as long as c.  RC_BAD says what is allowed. */
enum rc conf_value_set(const struct conf_row *row, str value, struct conf *c, struct err *err)
	MUST_CHECK;
void conf_value_put(const struct conf_row *row, const struct conf *c, struct buf *out);
/* "yes | no", "bytes (K M G T), 1K to 2G": what may be written. */
void conf_value_kind(const struct conf_row *row, struct buf *out);

/* What one row alone cannot say: host names, addresses, times. */
enum rc conf_check(const struct conf *c, struct err *err) MUST_CHECK;
