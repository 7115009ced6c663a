/* SPDX-License-Identifier: ISC */
/* Fields lie in the block; unfolded values are one line. */
#include <stdlib.h>

#include "mime/header.h"
#include "mime/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(16 * size + 1024 * 1024);
	str block = { (const char *)data, size }, value;
	size_t end = header_block_length(block, 0);
	struct header_reader r;
	struct header_field f;

	if (end > 0 && header_block_length(block, end / 2) != end)
		abort();
	header_begin(&r, block);
	while (header_next(&r, &f) <= HEADER_BAD) {
		if (f.offset + f.name.len > size)
			abort();
		if (header_unfold(f.value, 998, mem, &value) != RC_OK)
			break;
		if (value.len > 998 ||
			(value.len > 0 && memchr(value.ptr, '\n', value.len)))
			abort();
	}
	(void)utf8_valid(block);
	return 0;
}
