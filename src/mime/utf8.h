/* SPDX-License-Identifier: ISC */
/* utf8: UTF-8 by RFC 3629: shortest form, no surrogates, up to U+10FFFF. */
#pragma once

#include "base/str.h"

enum { UTF8_REPLACEMENT = 0xfffd };

bool utf8_valid(str s);
size_t utf8_run(str s);	/* how much at the front is valid */
/* At most `most` bytes, not cut within a character. */
str utf8_first(str s, size_t most);
/* How many bytes c took; what is no character becomes U+FFFD. */
size_t utf8_put(uint32_t c, char out[4]);
