/* SPDX-License-Identifier: ISC */
#include "wire/pop3.h"

#include <stdlib.h>

static void
within(str s, const uint8_t *data, size_t size)
{
	if (s.len > 0 && (s.ptr < (const char *)data || s.len > size ||
				 s.ptr + s.len > (const char *)data + size))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pop3_cmd c;
	uint32_t n;

	if (pop3_parse((str){ (const char *)data, size }, &c) != RC_OK)
		return 0;
	if (c.nargs > 2 || c.word.len == 0)
		abort();
	within(c.word, data, size);
	within(c.rest, data, size);
	for (size_t i = 0; i < c.nargs; i++) {
		within(c.args[i], data, size);
		if (c.args[i].len == 0 || (pop3_number(c.args[i], &n) && n == 0))
			abort();
	}
	return 0;
}
