/* SPDX-License-Identifier: ISC */
/*
 * tree: the parts of a message (RFC 2045, RFC 2046, RFC 2183, RFC 5322).
 *
 * mime_parse() reads a message in memory and gives its parts as a tree of byte
 * ranges into it; nothing is copied or decoded.  The *primary* tree is what IMAP
 * shows, and equals Dovecot's.  Where readers differ, the other plausible
 * readings of the same bytes hang beside it as *alternates* (ODD ALTERNATE is set
 * in all of their parts): another boundary, another of two types, parts behind the
 * end of a multipart, a multipart although the type says otherwise, a delimiter
 * that only some take for one, other line ends.  Filter and virus scanner look at
 * all of them, IMAP and web at the primary tree alone.
 *
 * Limits: MIME_DEPTH levels, MIME_PARTS parts in all readings together,
 * HEADER_BYTES and HEADER_FIELDS for each part's header block, and a budget of
 * MIME_WORK times the message's size (but at least MIME_WORK_LEAST) in bytes that
 * are looked at, so that no arrangement of boundaries costs more than linear time.
 * Past one of them: RC_LIMIT, and err says which.  In mem a part takes some 500 bytes
 * and a parameter 64: 10,000 attachments with names are 6 MB.  Any thread.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "mime/decode.h"
#include "mime/odd.h"
#include "mime/param.h"

enum {
	MIME_DEPTH = 64,
	MIME_PARTS = 10000,
	MIME_WORK = 32,
	MIME_WORK_LEAST = 16 * 1024 * 1024,
	MIME_NAME = 255 * 4,	/* bytes of a file name that are kept */
};

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART,
	MIME_MESSAGE,		/* message/rfc822 or message/global, readable: one child */
};

struct mime_part {
	struct mime_part *parent;	/* NULL: a message's (or reading's) top */
	struct mime_part *first, *last, *next;	/* children, siblings */
	struct mime_part *alternates;	/* other readings of this part's bytes, by `next` */
	const struct mime_part *of;	/* a reading's top: the part it is another reading of */
	struct mime_part *each;		/* after it in mime_each() */
	bool again;		/* an earlier reading has the same bytes, read the same way */
	unsigned depth, number;	/* from the top, 0; among its siblings, 1 */
	enum mime_kind kind;

	/* Offsets from the message's start.  header_at..body_at is the header block
	 * with its empty line, body_at..end the body, without the line end that
	 * belongs to the delimiter. */
	size_t header_at, body_at, end;
	uint32_t header_lines, body_lines;	/* line ends in them */

	str type, subtype;	/* as written; defaults (RFC 2045 5.2, RFC 2046 5.1.5) if unreadable */
	struct mime_value content_type, disposition;
	enum mime_encoding encoding;
	str encoding_raw;	/* trimmed; "" if there is none */
	str id, description, md5, location, language;	/* raw values, unfolded; "" */
	str charset;		/* of text; "" */
	str name;		/* filename, else name, decoded, UTF-8; "" */

	uint64_t odd;		/* of this part */
	uint64_t odd_around;	/* of all parts around it, and of the reading */
};

struct mime_tree {
	struct mime_part *top;
	size_t parts;		/* in all readings together */
	uint64_t odd;		/* of all */
	uint64_t work;		/* bytes that were looked at, of the budget */
};

/* A message; cs as in mime_value_parse().  RC_LIMIT: a limit of those above or mem. */
enum rc mime_parse(str message, struct charsets *cs, struct arena *mem, struct mime_tree *out,
	struct err *err) MUST_CHECK;
/* A body whose header is elsewhere (a decoded multipart): as the part `like`, whose
 * offsets are not looked at.  Offsets in the result are into body; `depth` is where
 * its top stands. */
enum rc mime_parse_body(str body, const struct mime_part *like, unsigned depth,
	struct charsets *cs, struct arena *mem, struct mime_tree *out, struct err *err)
	MUST_CHECK;

/* The part after p in depth-first order (children, then siblings, then up) within its
 * own reading; NULL: the last one. */
const struct mime_part *mime_next(const struct mime_part *p);
/* All parts of all readings: the primary tree depth-first, then the alternates, each
 * reading as a whole; after NULL the first, NULL after the last. */
const struct mime_part *mime_each(const struct mime_tree *t, const struct mime_part *after);
/* The Content-Transfer-Encoding as IMAP shows it: a token, or the name of what is decoded
 * all the same (it stood in quotes); "" (7BIT) if it is none. */
str mime_encoding_shown(const struct mime_part *p);
static inline str
mime_body(str message, const struct mime_part *p)
{
	return str_first(str_skip(message, p->body_at), p->end - p->body_at);
}
