/* SPDX-License-Identifier: ISC */
/* What the reader accepts is written again byte for byte, and read again. */
#include <stdlib.h>

#include "wire/facts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(4 * 1024 * 1024);
	BUF_AUTO again = BUF(FACTS_MOST);
	str record = { (const char *)data, size };
	struct fact_envelope e;
	struct facts f;

	if (facts_unpack_envelope(record, mem, &e) == RC_OK) {
		facts_pack_envelope(&again, &e);
		if (!str_eq(buf_str(&again), record))
			abort();
		buf_clear(&again);
	}
	if (facts_unpack(record, 1 << 20, mem, &f) == RC_OK) {
		facts_pack(&again, &f);
		if (!str_eq(buf_str(&again), record))
			abort();
	}
	return 0;
}
