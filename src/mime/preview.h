/* SPDX-License-Identifier: ISC */
/*
 * preview: the beginning of what somebody wrote, for a list of messages (RFC 8970).
 *
 * From the visible text of a message.  White space is squeezed; quoted lines (">"),
 * the line that introduces them, separators and what follows "-- " are left out, as
 * long as anything else is there.  At most PREVIEW_CHARS characters, of which none is
 * a control character.  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum { PREVIEW_CHARS = 256, PREVIEW_BYTES = PREVIEW_CHARS * 4 };

/* RC_LIMIT: mem is full. */
enum rc mime_preview(str utf8, struct arena *mem, str *out) MUST_CHECK;
