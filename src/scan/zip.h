/* SPDX-License-Identifier: ISC */
/*
 * zip: a ZIP file's two lists of what is in it, the central directory at its end and
 * the headers in front of each file (APPNOTE.TXT 4.3), held against each other.
 *
 * Readers believe one or the other.  Where they agree and cover the file without a gap
 * all see the same, and the virus scanner too.  No allocation, linear.  Any thread.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct zip_entry {
	str name;
	uint16_t method, flags;	/* flags & 1: encrypted */
	uint32_t crc, packed, size;
	size_t header;		/* its central header */
	size_t local;		/* its local header, in bytes */
};

struct zip_reader {
	str bytes;
	size_t at, end;		/* of the central directory, at: the next entry */
	size_t base;		/* what is in front of the archive */
	size_t behind;		/* bytes behind its end */
	unsigned entries;	/* as said */
	bool overlong;		/* ZIP64 */
};

enum { ZIP_ENCRYPTED = 1, ZIP_STREAMED = 8 };

/* False: there is no central directory. */
bool zip_begin(struct zip_reader *r, str bytes);
bool zip_next(struct zip_reader *r, struct zip_entry *e);

/* Nothing in front, behind or between; both lists say the same; methods that ClamAV
 * opens too (stored, deflate, deflate64, bzip2). */
bool zip_is_plain(str bytes);
/* Makes both lists the same, in a copy of `bytes`: each local header as the directory has
 * it, or the other way round; and nothing is said to be encrypted. */
enum zip_truth { ZIP_DIRECTORY, ZIP_LOCAL };
void zip_agree(str bytes, enum zip_truth truth, char *copy);
/* Some entries say that they are encrypted. */
bool zip_is_encrypted(str bytes);
