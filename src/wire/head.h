/* SPDX-License-Identifier: ISC */
/*
 * head: the header fields that the index keeps, so that no file is opened for them.
 *
 * Made by the scanner, flat.  In the order of the header; each field is its own
 * bytes as they stand in the message, name, colon, folding and line end included.
 * Of fields that are long or that no mail program shows only the name is kept: Received,
 * DKIM-Signature, ARC-*, X-Gatepost-*, Authentication-Results, Return-Path, fields renamed because they pretended to
 * be ours, fields over HEAD_FIELD bytes, and what is past HEAD_MOST.  Who asks for one of those opens
 * the file, and so does who asks for a field of the trace block, which is not in here.
 * head_unpack() believes nothing (RC_BAD).  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum {
	HEAD_MOST = 16 * 1024,	/* packed */
	HEAD_FIELD = 2 * 1024,
	HEAD_FIELDS = 500,	/* more: nothing is kept, and the file is asked */
};

struct head_field {
	str name;		/* as written */
	str bytes;		/* "" : only the name is kept */
};

struct head {
	size_t n;
	struct head_field *fields;
};

void head_pack(struct buf *b, const struct head *h);
enum rc head_unpack(str record, struct arena *mem, struct head *out) MUST_CHECK;

/* Appends the fields (or, `not`, all others), then an empty line: BODY[HEADER.FIELDS (…)].
 * False: the record does not say, and nothing was appended. */
bool head_put(struct buf *b, str record, const str *names, size_t n, bool not);
/* The same from the header block itself, which may be cut off: what IMAP shows of it. */
void head_put_block(struct buf *b, str block, const str *names, size_t n, bool not);
