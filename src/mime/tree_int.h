/* SPDX-License-Identifier: ISC */
/*
 * tree, inside: how a reading is made.
 *
 * A reader goes over a range of the message once, line by line, with the open
 * parts and their boundaries on a stack, as Dovecot does: the longest boundary that a
 * line begins with counts, the innermost of equal ones.  On the way it notes in
 * each piece why other readers might see something else.  tree_alternates.c then
 * makes those readings: the same reader with another policy, another header, or
 * another boundary.
 */
#pragma once

#include "mime/tree.h"

/* What a reading does differently from Dovecot; bits of struct piece.want, too. */
enum {
	READ_STRICT = 1,	/* nothing but blanks behind a delimiter (RFC 2046 5.1.1) */
	READ_LOOSE = 2,		/* blanks, dashes before a delimiter; any case */
	READ_OUTER = 4,		/* of two boundaries that match the outer one counts */
	READ_REOPEN = 8,	/* delimiters count behind the end, too */
	READ_CR = 16,		/* a CR alone ends a line */
	READ_CRLF = 32,		/* an LF alone does not */
	READ_THROUGH = 64,	/* a delimiter within a header is not one */
};

/* A part, and why there may be other readings of it. */
struct piece {
	struct mime_part p;
	str boundary;
	str type_raw;		/* the Content-Type that was taken */
	struct tried *tried;	/* its other readings, those that say the same, too */
	size_t sniffed;		/* 1 + a line that looks like a delimiter, with fields behind it */
	uint8_t want;		/* policies under which it would look different */
	uint8_t policy;		/* of its reading */
	bool header_twice;	/* its header may be read in other ways */
	bool in_multipart;	/* MIME-Version is not needed (RFC 2045 4) */
	bool mime;		/* its Content- fields count */
	bool whole_header;	/* an empty line ended it */
};

struct reading {		/* shared by all readings of a message */
	str msg;
	struct charsets *cs;
	struct arena *mem;
	struct mime_tree *tree;
	struct err *err;
	struct piece *last;	/* made last, for mime_each() */
	struct piece *spare;	/* given back, by `each` */
	struct piece **seen;	/* a hash table of those that were looked at for alternates */
	size_t seen_n, seen_size;
	uint64_t work, most_work;
	bool crlf;		/* the message's first line ends so */
};

struct open_part {
	struct piece *piece;
	str boundary;
	bool counts;		/* its boundary is looked for */
	bool ended;		/* its end was seen */
};

struct reader {
	struct reading *x;
	unsigned policy;
	bool alternate;
	size_t at, end;
	size_t header_end;	/* where the first header has to end; 0: where it does */
	size_t content;		/* behind the header or delimiter line that was last */
	uint32_t lines;		/* line ends before `at` */
	unsigned n;
	struct open_part open[MIME_DEPTH];
	/* of the delimiter line that was found last */
	unsigned owner;
	bool closes;
	size_t behind;		/* what counts of it ends here */
};

/* A delimiter on the line at `at`?  Sets owner, closes and behind. */
bool boundary_at(struct reader *r, size_t at);
/* Notes what readers with other policies would see in the line at..end. */
void boundary_notes(struct reader *r, size_t at, size_t end);
/* Does a line "--x" with header fields behind it stand at `at`? */
bool boundary_sniff(struct reader *r, size_t at, str *boundary);

/* The end of the line at `at`, behind its line end; r->end if it has none. */
size_t line_next(const struct reader *r, size_t at, bool *ended);
/* Where a line end that ends at `at` begins; not before `least`. */
size_t line_end_before(const struct reader *r, size_t at, size_t least);

/* Reads the header at r->at of p and says what p is.  *cut: a delimiter ended it. */
enum rc part_header(struct reader *r, struct piece *p, bool *cut) MUST_CHECK;

/* Which MIME field is it, for somebody who does not see blanks, controls, 8-bit? */
enum mime_field { FIELD_OTHER, FIELD_TYPE, FIELD_ENCODING, FIELD_DISPOSITION };
enum mime_field field_loosely(str name);
/* Would a continuation line (trimmed) say something if it were a field?  Not the list of
 * names in a DKIM-Signature. */
bool field_folded(str line);
/* p's type, parameters, charset and kind from a Content-Type.  RC_BAD: unreadable, and
 * p is the default; *name is the parameter's text, if it has one. */
enum rc part_type(struct reader *r, struct piece *p, str raw, str *name) MUST_CHECK;
void part_kind(struct piece *p);

/* Everything that could be the boundary in a raw Content-Type, at most `most`. */
size_t boundary_candidates(str raw, const struct mime_value *v, struct arena *mem,
	str *out, size_t most);
/* Which of them begin a line in at..end?  Bits. */
uint64_t boundary_occurs(struct reading *x, size_t at, size_t end, const str *b, size_t n);

/* Was one that says the same kept before? */
bool seen_like(struct reading *x, const struct piece *p);
/* From now on it is; p->p.again: it was before. */
enum rc seen_now(struct reading *x, struct piece *p) MUST_CHECK;

/* The other readings of all parts (tree.h). */
enum rc tree_alternates(struct reading *x) MUST_CHECK;

/* p->boundary from p's Content-Type, as Dovecot takes it; and what is odd about it. */
void piece_boundary(struct piece *p);

/* A new part below `parent` (NULL: a reading's top). */
enum rc piece_new(struct reader *r, struct piece *parent, struct piece **out) MUST_CHECK;
/* From a part whose header is read to the end of the range. */
enum rc reader_body(struct reader *r, struct piece *top) MUST_CHECK;
/* A message, with its header. */
enum rc reader_message(struct reader *r, struct piece *top) MUST_CHECK;
/* The budget (tree.h). */
enum rc reading_work(struct reading *x, uint64_t bytes) MUST_CHECK;

static inline struct piece *
piece_of(struct mime_part *p)
{
	return (struct piece *)p;
}
