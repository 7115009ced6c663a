/* SPDX-License-Identifier: ISC */
/* Only "SUBJECT: OK" is clean, and a virus has a name. */
#include <stdlib.h>

#include "wire/clamd.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str line = { (const char *)data, size }, name, value;
	struct clamd_answer a;
	uint64_t n;

	if (clamd_answer_read(line, &a) == RC_OK) {
		if (a.says == CLAMD_CLEAN &&
			(size < 6 || memcmp(data + size - 4, ": OK", 4)))
			abort();
		if (a.says == CLAMD_FOUND && a.text.len == 0)
			abort();
	}
	clamd_setting(line, &name, &value);
	if (clamd_size(value, &n) == RC_OK && value.len == 0)
		abort();
	return 0;
}
