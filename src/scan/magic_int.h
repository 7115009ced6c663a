/* SPDX-License-Identifier: ISC */
/* magic, inside: what needs more than a look at the first bytes. */
#pragma once

#include "scan/magic.h"

/* m: what it is if nothing more is found out. */
const struct magic *magic_of_zip(str bytes, const struct magic *m);
const struct magic *magic_of_ole(str bytes, const struct magic *m);
/* NULL: no text. */
const struct magic *magic_of_text(str bytes);
