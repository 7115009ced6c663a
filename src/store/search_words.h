/* SPDX-License-Identifier: ISC */
/*
 * search_words: text into the words that full text keeps and is asked for, the same way
 * both times: runs of letters and digits, case-folded and without accents (Unicode,
 * by utf8proc), one space behind each.  Characters of scripts that are written without
 * spaces are words of their own.  Words longer than SEARCH_WORD are cut.  Linear; bytes
 * that are no UTF-8 part words.  Any thread.
 */
#pragma once

#include "base/buf.h"

enum { SEARCH_WORD = 120 }; /* bytes of a word */

void search_words(str text, struct buf *out);
