/* SPDX-License-Identifier: ISC */
/*
 * header: a message's header block, field by field (RFC 5322 2.2, 3.6, 4.5).
 *
 * Read as mail clients read it: lines end in CRLF or a bare LF, blanks before
 * the colon are allowed (obsolete syntax), a line of blanks only continues its
 * field, and a line that is no field is reported and stepped over.  The block
 * ends at the first empty line.  Views look into the caller's bytes; nothing
 * is allocated.  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
	HEADER_BYTES = 1024 * 1024, /* of a block, with its empty line */
	HEADER_FIELDS = 10000,
};

enum header_got {
	HEADER_FIELD,
	HEADER_BAD, /* a line (with what continues it) that is no field */
	HEADER_END, /* the empty line, or the end of the bytes */
	HEADER_TOO_MANY, /* HEADER_FIELDS fields were read */
};

struct header_field {
	str name; /* without blanks */
	str value; /* raw: still folded, without the last line end */
	size_t offset; /* of the name, from the start of the block */
};

struct header_reader {
	str block;
	size_t at, fields;
	bool ended; /* by an empty line */
};

/* The length of the block with its empty line, looking from `from` on (the
 * end of what an earlier call has seen, 0 at first); 0: not in these bytes. */
size_t header_block_length(str bytes, size_t from);

void header_begin(struct header_reader *r, str block);
enum header_got header_next(struct header_reader *r, struct header_field *f);

/* Unfolded (RFC 5322 2.2.3), blanks at both ends dropped, at most `most` bytes;
 * NUL and what is left of CR and LF become '?'.  RC_LIMIT: mem is full. */
enum rc header_unfold(str value, size_t most, struct arena *mem, str *out) MUST_CHECK;
