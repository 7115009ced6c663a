/* SPDX-License-Identifier: ISC */
/*
 * imap_fetch: what FETCH asks for (RFC 9051 6.4.5; BINARY in it, PREVIEW RFC 8970,
 * SAVEDATE RFC 8514, OBJECTID RFC 8474, MODSEQ RFC 7162, rev1's RFC822 names).
 * Macros are expanded.  A grammar; any thread.
 */
#pragma once

#include "wire/imap_lex.h"
#include "wire/imap_set.h"

enum imap_item {		/* one bit each */
	ITEM_FLAGS = 1 << 0, ITEM_UID = 1 << 1, ITEM_INTERNALDATE = 1 << 2, ITEM_SIZE = 1 << 3,
	ITEM_ENVELOPE = 1 << 4, ITEM_BODY = 1 << 5, ITEM_BODYSTRUCTURE = 1 << 6,
	ITEM_MODSEQ = 1 << 7, ITEM_PREVIEW = 1 << 8, ITEM_PREVIEW_LAZY = 1 << 9,
	ITEM_SAVEDATE = 1 << 10, ITEM_EMAILID = 1 << 11, ITEM_THREADID = 1 << 12,
};

enum imap_section_kind {
	SECTION_ALL,		/* BODY[], BODY[1.2]: the part's body */
	SECTION_HEADER, SECTION_FIELDS, SECTION_FIELDS_NOT, SECTION_TEXT, SECTION_MIME,
};

enum { IMAP_SECTION_DEPTH = 100, IMAP_SECTIONS = 64, IMAP_FIELDS = 256 };

struct imap_section {
	enum imap_section_kind kind;
	bool binary, binary_size, peek;
	/* how the answer names it, for rev1's RFC822, RFC822.HEADER, RFC822.TEXT; NULL: by itself */
	const char *rfc822;
	size_t depth;		/* of part; 0: the message */
	uint32_t *part;
	size_t nfields;
	str *fields;		/* as asked for */
	bool partial;		/* <first.count> */
	uint64_t first, count;
};

struct imap_fetch {
	unsigned items;		/* enum imap_item, or-ed */
	size_t nsections;
	struct imap_section *sections;
	/* modifiers behind: */
	bool has_changed, vanished;	/* (CHANGEDSINCE n [VANISHED]) */
	uint64_t changed;
	bool has_partial;	/* (PARTIAL -1:-100), RFC 9394 */
	int64_t partial_from, partial_to;
};

bool lex_fetch(struct imap_lex *x, struct imap_fetch *out);
/* "BODY[1.2.HEADER.FIELDS (From)]<0>", as the answer names it. */
struct buf;
void imap_put_section(struct buf *b, const struct imap_section *s);
