/* SPDX-License-Identifier: ISC */
/* The canonical form of a canonical form is itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "directory/directory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(256 * 1024);
	str in = { (const char *)data, size }, once, twice, tag;

	if (size > 2000 || address_canonical(in, mem, &once, &tag, NULL) != RC_OK)
		return 0;
	if (address_canonical(once, mem, &twice, NULL, NULL) != RC_OK ||
		!str_eq(once, twice))
		abort();
	return 0;
}
