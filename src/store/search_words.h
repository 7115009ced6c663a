/* SPDX-License-Identifier: ISC */
/*
 * search_words: a text as the index of texts keeps it, and finding in it.
 *
 * What stands between blanks is a word: a blank is ASCII's, control characters included;
 * what folding makes blanks of (U+00A0, U+3000) parts words, too.  Linear in the text, whatever
 * it is made of.  Any thread.
 */
#pragma once

#include "base/buf.h"

/* Folds (wire/sortkey.h) and appends each different word once, LF behind it, in
 * the order in which they first come.  What does not fit sets out->over. */
void search_words(str utf8, struct buf *out);
/* The first word of folded bytes, which is cut from them; false: there is none. */
bool search_next_word(str *folded, str *word);
/* Does it occur in there?  As str_find(), but for many long texts. */
bool search_has(str in, str what);
