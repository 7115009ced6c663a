/* SPDX-License-Identifier: ISC */
/* Digests of signatures are bounded, and the same when asked again; tag lists are
 * views into what was given. */
#include <stdlib.h>

#include "mailauth/dkim_digest.h"
#include "mailauth/tags.h"
#include "mime/header.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(64 * size + 1024 * 1024);
	str message = { (const char *)data, size };
	struct content_signature *a, *b;
	size_t na, nb, length = header_block_length(message, 0);
	struct tags t;

	if (dkim_digests(message, length, mem, &a, &na) != RC_OK ||
		dkim_digests(message, length, mem, &b, &nb) != RC_OK)
		abort();
	if (na != nb || na > CONTENT_SIGNATURES ||
		(na > 0 && memcmp(a[na - 1].header, b[na - 1].header, 32) != 0))
		abort();
	if (tags_read(message, &t) == RC_OK)
		for (size_t i = 0; i < t.n; i++)
			if (t.at[i].at + t.at[i].length > size || t.at[i].name.len == 0)
				abort();
	return 0;
}
