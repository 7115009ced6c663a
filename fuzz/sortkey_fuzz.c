/* SPDX-License-Identifier: ISC */
/* What is accepted is written again byte for byte; a base is of its subject; folding gives UTF-8. */
#include <stdlib.h>

#include "mime/utf8.h"
#include "wire/sortkey.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	BUF_AUTO again = BUF(SORTKEY_MOST);
	BUF_AUTO folded = BUF(64 * size + 64);
	str record = { (const char *)data, size }, base;
	struct sortkey k;
	bool reply;

	sortkey_base(record, &base, &reply);
	if (base.len > 0 && (base.ptr < record.ptr || base.len > record.len))
		abort();
	sortkey_fold(record, &folded);
	if (folded.over || !utf8_valid(buf_str(&folded)))
		abort();
	if (sortkey_unpack(record, mem, &k) == RC_OK) {
		sortkey_pack(&again, &k);
		if (!str_eq(buf_str(&again), record))
			abort();
	}
	return 0;
}
