/* SPDX-License-Identifier: ISC */
/* A whole message, as the scanner gets it: what it says can be packed and read again. */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "scan/scan_int.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct charsets *cs;
	ARENA_AUTO mem = arena_new(SCAN_MEMORY);
	BUF_AUTO b = BUF(CONTENT_MOST);
	FD_AUTO fd = memfd_create("message", 0);
	struct scan_job job = { fd, size, .want = 7 | SCAN_SEARCH,
		.most_unpacked = 4 << 20 };
	struct scanned got, again;

	cs = cs == NULL ? charsets_new() : cs;
	if (fs_pwrite(fd, (str){ (const char *)data, size }, 0, NULL) != RC_OK ||
		scan_message(&job, cs, mem, &got, NULL) != RC_OK)
		return 0;
	content_pack(&b, &got.content);
	if (content_unpack(buf_str(&b), size, mem, &again.content) != RC_OK)
		abort();
	buf_clear(&b);
	facts_pack(&b, &got.facts);
	if (facts_unpack(buf_str(&b), size, mem, &again.facts) != RC_OK)
		abort();
	return scanned_clear(&got), 0;
}
