/* SPDX-License-Identifier: ISC */
/*
 * base64: RFC 4648 4, strictly: whole groups, padding, nothing foreign: for what
 * protocols say (SASL).  Content of messages is mime/decode.h's.  Any thread.
 */
#pragma once

#include "base/buf.h"

void base64_put(struct buf *b, str bytes);
/* Appends to b; RC_BAD: not base64, and b is as it was. */
enum rc base64_get(str text, struct buf *b) MUST_CHECK;
