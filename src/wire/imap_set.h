/* SPDX-License-Identifier: ISC */
/*
 * imap_set: sequence sets and UID sets (RFC 9051 9, "sequence-set"), '*' and '$'
 * (RFC 5182) among them.  Any thread.
 */
#pragma once

#include "base/buf.h"
#include "wire/imap_lex.h"

enum { IMAP_SET_RANGES = 20000 };	/* in one set; more is RC_LIMIT's "too long" */

struct imap_range {
	uint32_t from, to;	/* from <= to; IMAP_STAR for '*' until imap_set_resolve() */
};

#define IMAP_STAR UINT32_MAX

struct imap_set {
	bool saved;		/* '$': the saved result, and no ranges */
	size_t n;
	struct imap_range *at;	/* as written */
};

/* In x->mem. */
bool lex_set(struct imap_lex *x, struct imap_set *out);
/* known-uids, sequence-match data: no '*', no '$'; ascending (RFC 7162 3.2.5). */
bool lex_known_set(struct imap_lex *x, struct imap_set *out);
/* '*' becomes `last` (0, an empty mailbox: such ranges match nothing, and go), ranges are
 * put in order and joined. "5:*" with last 3 is 3:5 (RFC 9051 9, seq-range). */
void imap_set_resolve(struct imap_set *s, uint32_t last);
bool imap_set_has(const struct imap_set *s, uint32_t n);	/* resolved */
/* Numbers added in ascending order become "1:3,5". */
struct imap_set_out {
	struct buf *to;
	uint32_t from, last;	/* 0: none yet */
	bool any;
};
void imap_set_add(struct imap_set_out *o, uint32_t n);
void imap_set_add_range(struct imap_set_out *o, uint32_t from, uint32_t to);
void imap_set_done(struct imap_set_out *o);
