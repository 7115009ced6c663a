/* SPDX-License-Identifier: ISC */
/* What a CA makes uacme say becomes one line. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon/acme_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO out = BUF(400);

	acme_sentence((str){ (const char *)data, size }, &out);
	if (out.len == 0 || (buf_ok(&out) && memchr(out.data, '\n', out.len) != NULL))
		abort();
	return 0;
}
