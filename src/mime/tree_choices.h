/* SPDX-License-Identifier: ISC */
/*
 * tree_choices: what other readers may take from the header of a part.
 *
 * Lines end at any CR or LF here, and fields are known by names as sloppy as some
 * programs read them.  Bounded by the constants; views look into the message.
 */
#pragma once

#include "mime/tree_int.h"

enum { CHOICE_VALUES = 12, CHOICE_HEADERS = 8 };

/* The values of all fields that somebody may take for a Content-Type or for a
 * Content-Transfer-Encoding. */
struct field_choices {
	size_t types, encodings;
	str type[CHOICE_VALUES], encoding[CHOICE_VALUES];
};

void choose_fields(struct reading *x, size_t at, size_t end, struct field_choices *c);
/* Where a header could end that begins at p's: at a line that is no field, at one of
 * blanks, behind fields that go on after an empty line. */
size_t choose_headers(struct reading *x, const struct piece *p, size_t out[CHOICE_HEADERS]);
/* Encodings that the body itself looks like; bits 1 << enum mime_encoding. */
unsigned choose_by_content(str body);
