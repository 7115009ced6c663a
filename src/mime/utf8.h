/* SPDX-License-Identifier: ISC */
/* utf8: is it UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF)? */
#pragma once

#include "base/str.h"

bool utf8_valid(str s);
