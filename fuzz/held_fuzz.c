/* SPDX-License-Identifier: ISC */
/* Any bytes as the header of a held file: refused, or written again the same. */
#include <stdlib.h>
#include <string.h>

#include "held/held_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO again = BUF(HELD_HEADER);
	struct held_header h;

	if (held_header_get((str){ (const char *)data, size }, &h) != RC_OK)
		return 0;
	held_about_put(&again, &h);
	buf_add(&again, (str){ (const char *)h.wrapped, SEAL_WRAPPED });
	if (!buf_ok(&again) || again.len != size || memcmp(again.data, data, size) != 0)
		abort();
	if (held_file_bytes(&h) <= HELD_HEADER + h.size)
		abort();
	return 0;
}
