/* SPDX-License-Identifier: ISC */
/*
 * unpack: what is in an archive, from memory to memory, with libarchive.
 *
 * One layer at a time: only the one format or filter that the magic names is allowed,
 * so a file cannot choose the code that reads it, and libarchive neither opens files
 * nor runs programs.  Formats: zip, rar, rar5, 7zip, tar, cpio, cab, lha, iso9660, xar,
 * ar, warc; filters: gzip, bzip2, xz, lzma, zstd, lz4, lzip, compress.
 *
 * Limits are the caller's (struct unpack_room) and hold for everything together; past
 * one of them: RC_LIMIT.  A damaged archive is no failure: what can be read of it is
 * given, and `damaged` says so.  One thread, which gets a locale of UTF-8 for the
 * time of the call, so that names are readable.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "scan/magic.h"

struct unpack_room {
	uint64_t left;		/* bytes that may still come out */
	uint64_t members;	/* and members */
};

struct unpack_member {
	str name;		/* as it is there: any bytes; "" for filters */
	str bytes;		/* as far as they could be read; the callee's until it returns */
	bool encrypted, damaged;
};

struct unpacked {
	bool encrypted;		/* some of it, or its list of names */
	bool damaged;		/* not readable to its end */
};

/* Anything but RC_OK ends the unpacking and is what unpack() returns. */
typedef enum rc unpack_fn(const struct unpack_member *m, void *arg);

/* The locale, while files can still be opened (once; unpack() does without). */
void unpack_prepare(void);
enum unpack_flags {
	UNPACK_STREAMED = 1,	/* a zip by its local headers alone */
	UNPACK_SUMS = 2,	/* a zip's checksums count */
};

/* how: below OPEN_ARCHIVES. */
enum rc unpack(enum magic_open how, unsigned flags, str bytes, struct unpack_room *room,
	unpack_fn *each, void *arg, struct unpacked *out, struct err *err) MUST_CHECK;
