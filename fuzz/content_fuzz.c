/* SPDX-License-Identifier: ISC */
/* What the reader accepts is written again byte for byte, and read again. */
#include <stdlib.h>

#include "wire/content.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(16 * 1024 * 1024);
	BUF_AUTO again = BUF(CONTENT_MOST);
	str record = { (const char *)data, size };
	struct content c;

	if (content_unpack(record, 1 << 20, mem, &c) == RC_OK) {
		content_pack(&again, &c);
		if (!str_eq(buf_str(&again), record))
			abort();
	}
	return 0;
}
