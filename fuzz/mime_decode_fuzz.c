/* SPDX-License-Identifier: ISC */
/* Every decoding keeps its limit, and what is embedded is within the bytes. */
#include "mime/decode.h"

static enum rc
count(str piece, void *arg)
{
	*(uint64_t *)arg += piece.len;
	return piece.len == 0 ? RC_BAD : RC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str all = { (const char *)data, size };
	struct mime_embedded e;
	uint64_t most = 64 * 1024, odd = 0;
	size_t at = 0, before = 0;

	for (unsigned how = MIME_IDENTITY; how < MIME_ENCODINGS; how++) {
		uint64_t n = 0;
		if (mime_decode(how, all, most, count, &n, &odd) == RC_BAD || n > most)
			abort();
	}
	for (; mime_embedded_next(all, &at, &e); before = at)
		if (at <= before || e.body.len > size || e.name.len > size)
			abort();
	return mime_encoding_read(all, &odd) == MIME_ENCODINGS;
}
