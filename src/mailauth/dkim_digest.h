/* SPDX-License-Identifier: ISC */
/*
 * dkim_digest: the header and body digests that the check of each signature in a
 * message needs (RFC 6376 3.4, 3.5, 3.7, 5.4; RFC 8617 5.1.1, 5.1.2 for ARC), taken in the
 * scanner while it has the bytes, so that nobody else reads them for it.
 *
 * Tag lists as DKIM's ABNF has them, folding white space anywhere it is allowed; a list
 * that cannot be read gives `computed` false.  sha256 only (RFC 8301: not sha1).
 * One pass over the body for each different (canonicalisation, l=), together at most
 * 64 MiB behind the first one (`computed` is false for what would be past that), at most
 * CONTENT_SIGNATURES signatures, the first ones.  No I/O.
 */
#pragma once

#include "base/arena.h"
#include "wire/content.h"

/* message: header block and body, CRLF line ends (bare LF counts as one, as received);
 * header_bytes: the block with its empty line.  RC_LIMIT: mem is full. */
enum rc dkim_digests(str message, size_t header_bytes, struct arena *mem,
	struct content_signature **out, size_t *n) MUST_CHECK;
