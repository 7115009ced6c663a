/* SPDX-License-Identifier: ISC */
/* A PROXY v2 header in pieces: never RC_OK before it is whole, and then the same. */
#include "net/proxy2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str all = { (const char *)data, size };
	struct ip from = { 0 }, to = { 0 };
	size_t used = 0;
	enum rc rc = proxy2_parse(all, &used, &from, &to);

	if (rc == RC_OK && (used < 16 || used > size || used > PROXY2_MOST))
		abort();
	for (size_t n = 0; n < size && n < PROXY2_MOST && rc == RC_OK; n++) {
		enum rc part = proxy2_parse(str_first(all, n), &used, &from, &to);

		if (part == RC_BAD || (part == RC_OK) != (n >= used))
			abort();
	}
	return 0;
}
