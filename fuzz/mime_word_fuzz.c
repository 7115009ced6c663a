/* SPDX-License-Identifier: ISC */
/* Whatever a header holds, it becomes UTF-8 without control characters. */
#include <stdlib.h>

#include "mime/utf8.h"
#include "mime/word.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct charsets *cs;
	ARENA_AUTO mem = arena_new(1024 * 1024);
	uint64_t odd = 0;
	str out;

	if (cs == NULL)
		cs = charsets_new();
	for (unsigned with = 0; with < 2; with++) {
		if (mime_words((str){ (const char *)data, size }, with ? cs : NULL, 300,
			    mem, &out, &odd) != RC_OK ||
			out.len > 300 || !utf8_valid(out))
			abort();
		for (size_t i = 0; i < out.len; i++)
			if ((unsigned char)out.ptr[i] < ' ' || out.ptr[i] == 0x7f)
				abort();
	}
	return 0;
}
