/* SPDX-License-Identifier: ISC */
/* Messages that say anything about each other: every one is in a thread, once. */
#include "imap/imap_threads.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct thread_message m[256] = { 0 };
	uint64_t refs[256][8];
	uint32_t numbers[256];
	size_t n = size / 10 < 256 ? size / 10 : 256;
	ARENA_AUTO mem = arena_new(1 << 22);
	BUF_AUTO b = BUF(1 << 16);
	struct threads t;

	for (uint32_t i = 0; i < n; i++, data += 10) {
		numbers[i] = i;
		m[i].id = data[0];
		m[i].subject = (str){ (const char *)&data[1], data[1] % 3 != 0 };
		m[i].reply = (data[1] & 64) != 0;
		m[i].refs = refs[i];
		for (m[i].nrefs = 0; m[i].nrefs < data[9] % 9u; m[i].nrefs++)
			refs[i][m[i].nrefs] = 1 + data[2 + m[i].nrefs % 7];
	}
	if (threads_by_references(m, numbers, n, mem, &t, NULL) == RC_OK)
		while (!threads_put(&t, numbers, &b, b.len + 100))
			;
	return 0;
}
