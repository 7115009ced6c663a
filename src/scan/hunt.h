/* SPDX-License-Identifier: ISC */
/*
 * hunt: looking for keys in the fields and texts of a message as they come by.
 *
 * Texts are folded (wire/sortkey.h) piece by piece, so that a long one needs no memory of its
 * own; what is looked for may lie across pieces, but not across texts.  CRLF counts
 * as LF.  Linear in the text, for each key.  Not locked.
 */
#pragma once

#include "scan/scan.h"

struct hunt {
	const struct scan_key *keys;
	size_t n, left;		/* keys; those that were not found so far */
	size_t longest;		/* bytes of a key */
	bool yes[SCAN_KEYS];
	bool about[SCAN_KEYS];	/* which of them concern what comes by */
	struct buf window;	/* folded; what may begin a key and what is behind it */
};

/* keys live until hunt_clear(). */
void hunt_begin(struct hunt *h, const struct scan_key *keys, size_t n);
void hunt_clear(struct hunt *h);
/* own: of the message itself, and not of a part. */
void hunt_field(struct hunt *h, bool own, str name, str value);
/* A field that belongs to the text. */
void hunt_attached(struct hunt *h, str name, str value);
void hunt_text(struct hunt *h, str utf8);
