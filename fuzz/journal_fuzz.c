/* SPDX-License-Identifier: ISC */
/* A journal file of any bytes, or a whole one that was damaged, read back. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "journal/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int dir = -1;
	char path[] = "/tmp/gatepost-fuzz-XXXXXX";
	struct journal_reader *r;
	struct journal_item item;

	if (dir < 0 &&
		(mkdtemp(path) == NULL || (dir = open(path, O_RDONLY | O_DIRECTORY)) < 0))
		abort();
	FD_AUTO fd = openat(
		dir, "0000000000000001.log", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (write(fd, data, size) != (ssize_t)size ||
		journal_read_open(dir, 0, &r, NULL) != RC_OK)
		abort();
	for (uint64_t n = 1; journal_next(r, UINT64_MAX, &item, NULL) == RC_OK; n++)
		if (item.seq != n)
			abort();
	journal_read_close(&r);
	return 0;
}
