/* SPDX-License-Identifier: ISC */
/* Never more ids than asked for, none empty or with a bracket's end in it. */
#include <stdlib.h>

#include "mime/msgid.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(64 * size + 64 * 1024);
	struct msgid_list ids;

	if (msgid_parse((str){ (const char *)data, size }, 10, mem, &ids) != RC_OK ||
		ids.n > 10)
		abort();
	for (size_t i = 0; i < ids.n; i++)
		if (ids.at[i].len == 0 || ids.at[i].len > MSGID_LONGEST)
			abort();
	return 0;
}
