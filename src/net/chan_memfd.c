/* SPDX-License-Identifier: ISC */
#include "net/chan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

enum { SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW };

enum rc
chan_memfd(const char *name, str bytes, int *fd, struct err *err)
{
	FD_AUTO made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (made < 0)
		return err_errno(err, "memfd_create");
	while (bytes.len > 0) {
		ssize_t n = write(made, bytes.ptr, bytes.len);

		if (n <= 0)
			return err_errno(err, "memfd");
		bytes = str_skip(bytes, (size_t)n);
	}
	if (fcntl(made, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0)
		return err_errno(err, "memfd seals");
	*fd = made;
	made = -1;
	return RC_OK;
}

enum rc
chan_memfd_read(int fd, size_t most, char **out, size_t *len, struct err *err)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	size_t got = 0;

	/* Seals first: only what can no longer shrink has a size to rely on. */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return err_set(err, RC_BAD, "a descriptor that is not a sealed memfd");
	if (fstat(fd, &st) != 0)
		return err_errno(err, "memfd");
	if (st.st_size < 0 || (uint64_t)st.st_size > most)
		return err_set(err, RC_BAD, "a memfd of more than %zu bytes", most);
	size_t size = (size_t)st.st_size;
	char *data = malloc(size + 1);
	if (data == NULL)
		abort();
	while (got < size) {
		ssize_t n = pread(fd, data + got, size - got, (off_t)got);

		if (n <= 0) {
			free(data);
			return err_set(err, RC_TEMP, "a memfd that cannot be read");
		}
		got += (size_t)n;
	}
	data[size] = '\0';
	*out = data;
	*len = size;
	return RC_OK;
}
