/* SPDX-License-Identifier: ISC */
/* Chunks, however they are cut: the same. */
#include "wire/http_body.h"

#include <stdlib.h>

static enum rc
feed(struct http_chunks *c, str in, size_t step, size_t *eaten, struct buf *out)
{
	enum rc rc = RC_OK;

	for (*eaten = 0; rc == RC_OK && *eaten < in.len;) {
		size_t n = 0;

		rc = http_chunks_read(c, str_first(str_skip(in, *eaten), step), &n, out);
		*eaten += n;
	}
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_chunks a = { 0 }, b = { 0 };
	BUF_AUTO whole = BUF(4096), cut = BUF(4096);
	size_t ate = 0, bit = 0, step = size > 0 ? 1 + (data[0] & 15) : 1;
	str in = str_skip((str){ (const char *)data, size }, 1);

	if (feed(&a, in, in.len, &ate, &whole) != feed(&b, in, step, &bit, &cut) ||
		ate != bit || !str_eq(buf_str(&whole), buf_str(&cut)))
		abort();
	return 0;
}
