/* SPDX-License-Identifier: ISC */
/*
 * html: an HTML part as a reader sees it: text, links with their words, and what is
 * there but not to be seen.
 *
 * One pass over UTF-8, no tree and no allocation per element: a tokenizer by the
 * WHATWG standard's rules as far as they decide what is text (comments, CDATA,
 * raw text elements, attributes in all quotings, character references), blocks
 * become line ends, and a stack of at most HTML_DEPTH elements that knows who is
 * hidden (display:none, visibility, font-size 0, colour equal to the background,
 * hidden attribute, tiny boxes), by attributes and their styles alone: rules in style
 * elements are not applied, and where one may have coloured the ground, colours hide
 * nothing.  Linear in the input.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	HTML_DEPTH = 256,	/* deeper elements are read as if they were not nested */
	HTML_LINKS = 1000,	/* more are counted, not kept */
	HTML_URL = 2048,
	HTML_LINK_TEXT = 512,
};

enum html_flag {
	HTML_SCRIPT = 1, HTML_FORM = 2, HTML_IFRAME = 4, HTML_OBJECT = 8,
	HTML_REMOTE = 16,	/* images and styles from elsewhere */
	HTML_REFRESH = 32,	/* meta refresh */
	HTML_PASSWORD = 64,	/* an input of that type */
	HTML_BASE = 128,	/* a base URL of its own */
	HTML_HIDDEN = 256,	/* text that is not to be seen */
	HTML_EVENTS = 512,	/* on…= attributes */
};

enum html_link_kind { HTML_A = 1, HTML_IMG, HTML_FORM_ACTION, HTML_OTHER };

struct html_link {
	enum html_link_kind kind;
	str url;		/* references decoded, line ends and controls dropped, a blank
				 * within is %20; in mem */
	str text;		/* what is shown for it; in mem */
	bool hidden;
};

struct html {
	struct buf *text;	/* the caller's: what is seen, UTF-8, lines; to its limit */
	struct buf *hidden;	/* the caller's: what is not; to its limit */
	size_t n, all;		/* links kept; links there were */
	struct html_link *links;
	str charset;		/* of a meta element; "" */
	str title;
	uint32_t flags;
};

/* text and hidden are set by the caller.  RC_LIMIT: mem is full. */
enum rc html_read(str utf8, struct arena *mem, struct html *h) MUST_CHECK;
/* The charset that a meta element among the first 1,024 bytes names, before the
 * conversion; "" if none. */
str html_charset(str bytes);
