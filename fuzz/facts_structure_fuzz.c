/* SPDX-License-Identifier: ISC */
/* What the reader accepts is written again byte for byte, and read again. */
#include <stdlib.h>

#include "wire/facts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(4 * 1024 * 1024);
	BUF_AUTO again = BUF(FACTS_STRUCTURE);
	str record = { (const char *)data, size };
	struct fact_structure s;

	if (facts_unpack_structure(record, 1 << 20, mem, &s) == RC_OK) {
		facts_pack_structure(&again, &s);
		if (!str_eq(buf_str(&again), record))
			abort();
	}
	return 0;
}
