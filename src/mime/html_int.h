/* SPDX-License-Identifier: ISC */
/* html_int: between the files of html: tokens, character references, styles. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* ---- html_token.c ---- */

enum html_what { HTML_END, HTML_TEXT, HTML_TAG, HTML_END_TAG };

enum element {
	E_OTHER, E_A, E_ADDRESS, E_AREA, E_ARTICLE, E_ASIDE, E_AUDIO, E_BASE, E_BLOCKQUOTE,
	E_BODY, E_BR, E_BUTTON, E_CAPTION, E_CENTER, E_COL, E_DATALIST, E_DD, E_DIALOG, E_DIR,
	E_DIV, E_DL, E_DT, E_EMBED, E_FIELDSET, E_FIGCAPTION, E_FIGURE, E_FONT, E_FOOTER, E_FORM,
	E_FRAME, E_H1, E_H2, E_H3, E_H4, E_H5, E_H6, E_HEADER, E_HR, E_HTML, E_IFRAME, E_IMG,
	E_INPUT, E_LI, E_LINK, E_LISTING, E_MAIN, E_META, E_NAV, E_NOEMBED, E_NOFRAMES, E_OBJECT,
	E_OL, E_OPTION, E_P, E_PARAM, E_PLAINTEXT, E_PRE, E_SCRIPT, E_SECTION, E_SELECT, E_SOURCE,
	E_STYLE, E_TABLE, E_TD, E_TEMPLATE, E_TEXTAREA, E_TH, E_TITLE, E_TR, E_TRACK, E_UL,
	E_VIDEO, E_WBR, E_XMP, ELEMENTS,
};

enum element_is {
	IS_BLOCK = 1,	/* begins and ends a line, and ends a p */
	IS_VOID = 2,	/* has no content */
	IS_RAW = 4,	/* its content has no tags */
	IS_REFS = 8,	/* ... but references */
	IS_UNSEEN = 16,	/* its content is not to be seen */
	IS_EDGE = 32,	/* implied ends do not look beyond it */
	IS_PRE = 64,	/* white space stays */
};

struct html_token {
	enum html_what what;
	enum element element;
	str text;	/* HTML_TEXT: references not decoded; of a tag its name */
};

struct html_reader {
	str rest;
};

struct html_attr {
	str name, value;	/* raw */
};

unsigned element_is(enum element e);
/* After HTML_TAG and HTML_END_TAG the attributes are read until there are none. */
struct html_token html_next(struct html_reader *r);
bool html_attr(struct html_reader *r, struct html_attr *out);
/* The content of an IS_RAW element up to its end tag, which is left. */
str html_raw(struct html_reader *r, str name);

/* ---- html_refs.c ---- */

/* The character reference at the front: bytes it takes, its UTF-8 in out; 0: none. */
size_t html_ref(str s, bool in_attribute, char out[8], size_t *n);

/* ---- html_style.c ---- */

enum {
	COLOUR_NONE = 0,
	COLOUR_SET = 1 << 24,	/* | RGB */
	HTML_CSS = 4096,	/* of a style attribute; the rest is not looked at */
};

struct html_style {
	bool gone;	/* with all that is in it */
	bool invisible, tiny;	/* unless something within says otherwise */
	bool surface_unknown;	/* its background may be anything */
	uint32_t ink, surface;
};

/* What a style attribute (references decoded) changes in *s.  True: it names something
 * to be fetched from elsewhere. */
bool html_style(str css, char scratch[HTML_CSS], struct html_style *s);
/* COLOUR_NONE: not a colour that we know. */
uint32_t html_colour(str value);
bool html_unseen(const struct html_style *s);
