/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "wire/smtp_data.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
feed(struct smtp_data *d, str in, size_t step, struct buf *out)
{
	while (in.len > 0 && !d->done) {
		str piece = str_first(in, step), rest = piece, part;

		while (smtp_data_next(d, &rest, &part))
			buf_add(out, part);
		in = str_skip(in, piece.len - rest.len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	str in = { (const char *)data + 1, size - 1 };
	struct smtp_data a = { .mode = data[0] & 1, .normalize = data[0] & 2 }, b = a;
	BUF_AUTO whole = BUF(1 << 20), cut = BUF(1 << 20);

	feed(&a, in, in.len, &whole);
	feed(&b, in, 1 + (size_t)(data[0] >> 2), &cut); /* any chunking: the same */
	if (memcmp(&a, &b, sizeof(a)) != 0 || !str_eq(buf_str(&whole), buf_str(&cut)))
		abort();
	return 0;
}
