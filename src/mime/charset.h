/* SPDX-License-Identifier: ISC */
/*
 * charset: text of any charset into UTF-8.
 *
 * An allow-list of names and their aliases (Python, browsers and mail clients
 * agree on most; ISO-8859-1 is read as windows-1252, as all clients do; GB2312
 * as GB18030, KS_C_5601-1987 as CP949, and so on).  charsets_new() asks glibc's iconv
 * for each character once and keeps tables (about 1 MB, 20 ms): no module is loaded
 * after the cage has closed, and strangers' bytes never reach iconv (doc/charsets.md).
 * A charset that this libc lacks is unknown.
 * Conversions never fail: what does not exist becomes U+FFFD and sets a bit.
 *
 * Any thread, also at once: the tables are only read.  charsets_new() itself must have
 * returned before the cage closes.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "mime/odd.h"

struct charsets;

struct charsets *charsets_new(void);
void charsets_free(struct charsets **cp);

bool charset_known(str name);
/* The name it is read as ("windows-1252" for "ISO-8859-1"); "" if unknown. */
str charset_canonical(str name);

/* Appends to out (to its limit) and sets bits in *odd.  An unknown or empty name:
 * UTF-8 where it is valid, else windows-1252; a byte order mark wins over a name.
 * Linear, whatever the bytes are.  c NULL: what needs a table is read as ISO-8859-1 and
 * is UNKNOWN_CHARSET. */
void charset_to_utf8(struct charsets *c, str name, str bytes, struct buf *out, uint64_t *odd);
