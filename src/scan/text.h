/* SPDX-License-Identifier: ISC */
/*
 * text: what people read of a message: decoded to UTF-8, HTML as it is seen, links with
 * the words that are shown for them, and a preview (RFC 8970).
 */
#pragma once

#include "mime/html.h"
#include "scan/tokens.h"
#include "wire/content.h"

/* The test string of all spam filters, in two parts so that this file is not spam. */
#define GTUBE                          \
	"XJS*C4JDBQADN1.NSBN3*2IDNEN*" \
	"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

enum { TEXT_MOST = 32 * 1024 * 1024 }; /* bytes of one text that are looked at */

struct charsets;

struct texts {
	struct charsets *cs;
	struct arena *mem;	/* of what is kept */
	struct arena *scratch;	/* of what is not */
	struct buf text, hidden;
	struct buf utf8;	/* the last one converted */
	size_t from;		/* in text: where it begins */
	bool was_html;
	bool disguised;		/* a page with hardly a letter that is not a reference */
	struct tokens *tokens;	/* or NULL: not wanted */
	bool gtube;
	uint32_t html_flags;
	size_t nlinks, links_all;
	struct content_link *links;
};

bool text_gtube(str s);	/* is GTUBE in it? */

struct texts *texts_new(struct charsets *cs, struct arena *mem, bool tokens);
void texts_free(struct texts **tp);

/* One text: converted into t->utf8; if shown, also into text, links and tokens.
 * RC_LIMIT: mem is full. */
enum rc texts_read(struct texts *t, str bytes, str charset, bool html, bool shown,
	uint64_t *odd) MUST_CHECK;
/* Appends as content.text has it: line ends are LF, and no other control characters; what does
 * not fit is left out. */
void text_plain(struct buf *b, str utf8);
/* Blanks made one, lines that are quoted left out where there are others; FACTS_PREVIEW. */
enum rc text_preview(str text, struct arena *mem, str *out) MUST_CHECK;
