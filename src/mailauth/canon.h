/* SPDX-License-Identifier: ISC */
/*
 * canon: DKIM's canonical forms (RFC 6376 3.4), into a digest.
 *
 * A bare LF counts as a line end, as in the rest of the product, and is digested as
 * CRLF.  One pass, no allocation.  Any thread.
 */
#pragma once

#include "base/str.h"
#include "crypto/digest.h"

/* A field from its name to before its line end; `ends`: CRLF behind it (the
 * signature's own field has none). */
void canon_field(struct sha256 *d, str field, bool relaxed, bool ends);
/* At most `most` bytes of the canonical body; returns how long it is in all. */
uint64_t canon_body(struct sha256 *d, str body, bool relaxed, uint64_t most);
