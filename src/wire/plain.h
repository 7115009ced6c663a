/* SPDX-License-Identifier: ISC */
/*
 * plain: UTF-8 without control characters (C0, DEL, C1), in records that the
 * scanner writes and others show to people.  Any thread.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* lines: LF and tab count as text. */
bool plain_ok(str s, bool lines);
/* Appends s; what is not plain becomes a blank (a control character) or '?', so that it
 * never gets longer. */
void plain_add(struct buf *b, str s, bool lines);
/* The same of at most `most` bytes, with a 32-bit length before it (wire/pack.h). */
void plain_put(struct buf *b, str s, size_t most, bool lines);
/* The longest beginning of at most `most` bytes that does not end within a character. */
str plain_cut(str s, size_t most);
