/* SPDX-License-Identifier: ISC */
/*
 * cms: what is inside an S/MIME message that is signed as a whole (RFC 8551 3.5.2): the
 * content of a SignedData (RFC 5652 5.1), in BER or DER, in one piece or in many.
 * Signatures are not looked at.  Linear but for indefinite lengths within each other
 * (CMS_DEPTH).  Any thread.
 */
#pragma once

#include <stdbool.h>

#include "scan/lump.h"

enum { CMS_DEPTH = 16 };

/* Does it begin as one? */
bool cms_is_signed(str bytes);
/* False: there is nothing in it (a signature that stands beside what it signs), or it is
 * not to be read; *to may hold a beginning. */
bool cms_content(str bytes, struct lump *to);
