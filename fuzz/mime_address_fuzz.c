/* SPDX-License-Identifier: ISC */
/* Never more entries than asked for, groups open and close in turn. */
#include <stdlib.h>

#include "mime/address.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(256 * size + 64 * 1024);
	size_t most = size == 0 ? 0 : data[0] % 32u;
	struct address_list l;
	bool in_group = false;

	if (address_parse((str){ (const char *)data, size }, most, mem, &l) != RC_OK)
		abort();
	if (l.n > most)
		abort();
	for (size_t i = 0; i < l.n; i++) {
		bool ends = l.at[i].kind == ADDRESS_GROUP_END;

		if (l.at[i].kind != ADDRESS_BOX && in_group != ends)
			abort();
		if (l.at[i].kind != ADDRESS_BOX)
			in_group = !ends;
	}
	if (in_group)
		abort();
	return 0;
}
