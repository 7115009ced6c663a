/* SPDX-License-Identifier: ISC */
/* What is accepted says the same when it is written again; a block never gives more than it has. */
#include <stdlib.h>

#include "wire/head.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const str names[] = { STR_INIT("subject"), STR_INIT("a") };
	ARENA_AUTO mem = arena_new(1 << 20);
	BUF_AUTO again = BUF(HEAD_MOST);
	BUF_AUTO one = BUF(4 * HEAD_MOST);
	BUF_AUTO two = BUF(2 * size + 64);
	str record = { (const char *)data, size };
	struct head h;

	head_put_block(&two, record, names, 2, true);
	if (two.over || two.len > size + 4)
		abort();
	if (head_unpack(record, mem, &h) != RC_OK)
		return 0;
	head_pack(&again, &h);
	buf_clear(&two);
	if (!str_eq(buf_str(&again), record) ||
		head_put(&one, record, names, 2, true) !=
			head_put(&two, buf_str(&again), names, 2, true) ||
		!str_eq(buf_str(&one), buf_str(&two)))
		abort();
	return 0;
}
