/* SPDX-License-Identifier: ISC */
/*
 * html_flow: text as it flows over lines: white space squeezed, lines where blocks
 * begin, characters that nobody sees left out.
 */
#pragma once

#include "base/buf.h"
#include "mime/html.h"

enum { HTML_PIECE = 1024 };

struct html_flow {
	struct buf *out;
	bool any;	/* something was said */
	bool blank, line;	/* what stands before the next word */
	size_t n;
	char piece[HTML_PIECE];
};

/* The words of a link. */
struct html_words {
	size_t n;
	bool gap;
	char text[HTML_LINK_TEXT];
};

/* also may be NULL.  pre: white space stays; refs: character references are decoded. */
void html_say(struct html_flow *f, struct html_words *also, str s, bool pre, bool refs);
void html_line(struct html_flow *f);	/* the next word begins a line */
void html_space(struct html_flow *f);
void html_gap(struct html_words *w);
void html_flush(struct html_flow *f);
