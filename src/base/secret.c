/* SPDX-License-Identifier: ISC */
#include "base/secret.h"

#include <stdlib.h>

void
secret_wipe(void *p, size_t len)
{
	if (len > 0)
		explicit_bzero(p, len);
}

struct buf
secret_buf(size_t limit)
{
	struct buf b = BUF(limit);

	b.cap = limit + 1;
	b.data = malloc(b.cap);
	if (b.data == NULL)
		abort();
	return b;
}

void
secret_buf_clear(struct buf *b)
{
	secret_wipe(b->data, b->cap);
	buf_clear(b);
}

void
secret_buf_free(struct buf *b)
{
	secret_wipe(b->data, b->cap);
	buf_free(b);
}
