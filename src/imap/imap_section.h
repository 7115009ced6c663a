/* SPDX-License-Identifier: ISC */
/*
 * imap_section: where the section of a FETCH lies in a message's file (RFC 9051 6.4.5.1).
 *
 * IMAP shows the whole file: the trace block in front is the beginning of the header, and
 * offsets of the structure (wire/facts.h) begin behind it.  Pure; any thread.
 */
#pragma once

#include "wire/facts.h"
#include "wire/imap_fetch.h"

struct imap_layout {
	uint64_t size;		/* of the file */
	uint32_t trace;		/* bytes of its trace block */
	uint32_t header;	/* of the header block behind, with its empty line */
	const struct fact_structure *structure;	/* needed where a section names parts */
};

struct imap_span {
	uint64_t at, end;		/* bytes of the file */
	const struct fact_part *part;	/* NULL: the message itself */
};

/* False: the message has no such section.  Where a section is made of header fields
 * it is the header that they are in. */
bool imap_section_span(
	const struct imap_layout *l, const struct imap_section *s, struct imap_span *out);
/* Those of `bytes` that <first.count> means. */
void imap_section_partial(const struct imap_section *s, uint64_t bytes, uint64_t *first,
	uint64_t *count);
