/* SPDX-License-Identifier: ISC */
/*
 * sortkey: what SORT and THREAD compare (RFC 5256, RFC 5957), as the scanner made it from
 * decoded header fields and the index keeps it.  Strings are already in the form that is
 * compared as bytes (RFC 5051: titlecase, decomposed); SORTKEY_STR bytes of each.  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { SORTKEY_STR = 240, SORTKEY_REFS = 100, SORTKEY_MOST = 4096 };

struct sortkey {
	bool reply;		/* RFC 5256 2.1: the base subject had Re:, Fwd: or [Fwd: before it */
	str subject, from, to, cc, display_from, display_to;
	uint64_t message_id;	/* sortkey_hash() of the id without <>; 0: none */
	size_t nrefs;
	uint64_t *refs;
};

uint64_t sortkey_hash(str id);			/* stable; never 0 */
void sortkey_fold(str utf8, struct buf *out);	/* RFC 5051 */
void sortkey_base(str subject, str *base, bool *reply);	/* RFC 5256 2.1; a view of subject */
void sortkey_pack(struct buf *b, const struct sortkey *k);
enum rc sortkey_unpack(str record, struct arena *mem, struct sortkey *out) MUST_CHECK;

/* For who keeps many: whether sortkey_unpack() would take it; and of one that it would, views
 * of its strings, and its last n references (nrefs is set, refs is not). */
bool sortkey_ok(str record);
void sortkey_views(str record, struct sortkey *out);
void sortkey_refs(str record, size_t n, uint64_t *out);
