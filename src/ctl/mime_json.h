/* SPDX-License-Identifier: ISC */
/*
 * mime_json: the parts of a message (mime/tree.h) as JSON, in all readings.
 *
 * A part's "path" is its number in IMAP (RFC 9051 6.4.5.1); a multipart that is the
 * whole of a message has that message's number and "TEXT".  Leaves are decoded for
 * their size and digest, of all of them together at most `most` bytes: what is past
 * that has null.
 */
#pragma once

#include <jansson.h>

#include "mime/tree.h"

json_t *mime_json(str message, const struct mime_tree *t, uint64_t most);
