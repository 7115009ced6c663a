/* SPDX-License-Identifier: ISC */
/*
 * tnef: the files in a winmail.dat ([MS-OXTNEF]): a flat list of attributes, of which an
 * attachment's rendering data begins a file, its title names it and its data is it.
 * Properties of the message and of an attachment (MAPI) are given as they stand, because
 * more can be hidden in them.  Views, no allocation, linear.  Any thread.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct tnef_reader {
	str left;
	str title;
	bool damaged;	/* after the last: it ended within an attribute */
};

void tnef_begin(struct tnef_reader *r, str bytes);
/* The next file or block of properties (name ""); false: no more. */
bool tnef_next(struct tnef_reader *r, str *name, str *bytes);
