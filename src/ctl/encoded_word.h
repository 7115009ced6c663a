/* SPDX-License-Identifier: ISC */
/*
 * encoded_word: RFC 2047's =?charset?B|Q?text?= made readable on a terminal:
 * UTF-8, US-ASCII and ISO 8859-1; words in other charsets stay as they are.
 * A grammar: no I/O.
 */
#pragma once

#include "base/buf.h"

void encoded_words(str header, struct buf *out);
