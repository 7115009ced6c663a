/* SPDX-License-Identifier: ISC */
/* What gate and house read from each other is written again byte for byte. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(64 * 1024);
	BUF_AUTO again = BUF(64 * 1024);
	str body = { (const char *)data, size };
	struct ask_question q;
	struct ask_answer a;

	if (ask_get_question(body, &q) == RC_OK) {
		ask_put_question(&again, &q);
		if (!str_eq(buf_str(&again), body))
			abort();
		buf_clear(&again);
	}
	if (ask_get_answer(body, mem, &a) == RC_OK) {
		ask_put_answer(&again, &a);
		if (size < 2 || !str_eq(str_skip(buf_str(&again), 2), str_skip(body, 2)))
			abort();
	}
	return 0;
}
