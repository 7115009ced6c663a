/* SPDX-License-Identifier: ISC */
/*
 * magic: what bytes are, by themselves, whatever name and type they were given.
 *
 * A table of signatures, and some functions for what has none.  Only the beginning is
 * looked at (and of zip and OLE files the names of what is in them), so the cost does not
 * grow with the file but for those.  No allocation.  Any thread.
 */
#pragma once

#include "base/str.h"

enum magic_family {
	MAGIC_UNKNOWN,
	MAGIC_TEXT, /* also mail */
	MAGIC_HTML,
	MAGIC_PROGRAM, /* runs when it is opened: programs, scripts, links */
	MAGIC_OFFICE,
	MAGIC_PDF,
	MAGIC_ARCHIVE,
	MAGIC_IMAGE,
	MAGIC_MEDIA, /* sound and film */
	MAGIC_SEALED, /* PGP or CMS, in letters */
	MAGIC_OTHER,
};

/* How it is opened. */
enum magic_open {
	OPEN_NOT, /* nothing is in it, or it is clamd's to open */
	OPEN_ZIP,
	OPEN_RAR,
	OPEN_RAR5,
	OPEN_7Z,
	OPEN_TAR,
	OPEN_CPIO,
	OPEN_CAB,
	OPEN_LHA,
	OPEN_ISO,
	OPEN_XAR,
	OPEN_AR,
	OPEN_WARC,
	OPEN_GZ,
	OPEN_BZ2,
	OPEN_XZ,
	OPEN_LZMA,
	OPEN_ZSTD,
	OPEN_LZ4,
	OPEN_LZIP,
	OPEN_COMPRESS,
	OPEN_ARCHIVES, /* those above */
	OPEN_UNABLE = OPEN_ARCHIVES, /* an archive that we cannot open */
	OPEN_MAIL,
	OPEN_MBOX,
	OPEN_TNEF,
	OPEN_CMS, /* signed, and perhaps with what is signed in it */
};

struct magic {
	str name; /* "pdf", "exe", "docx", "zip"; "" unknown; "-macros" behind it */
	enum magic_family family;
	enum magic_open open;
};

const struct magic *magic_of(str bytes);
bool magic_is_tar(str bytes); /* by the sum in its header */

/* Is a file of this family plausibly sent as this type ("image/png")?  Also true where
 * the type says nothing (application/octet-stream). */
bool magic_fits(const struct magic *m, str type);
/* The name makes a person take the file for another: two extensions of which the last
 * runs, bidirectional overrides, a long run of blanks before the extension. */
bool magic_name_hides(str name);
