/* SPDX-License-Identifier: ISC */
/* A resolved set is in order and says of its own numbers that it has them. */
#include "wire/imap_set.h"

static void
check(struct imap_set *s, uint32_t last)
{
	imap_set_resolve(s, last);
	for (size_t i = 0; i < s->n; i++) {
		struct imap_range r = s->at[i];

		if (r.from == 0 || r.from > r.to || r.to == IMAP_STAR)
			abort();
		if (i > 0 && r.from - 1 <= s->at[i - 1].to)
			abort();
		if (!imap_set_has(s, r.from) || !imap_set_has(s, r.to) ||
			imap_set_has(s, r.from - 1) || imap_set_has(s, r.to + 1))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(8 * 1024 * 1024);
	struct imap_lex x = imap_lex((str){ (const char *)data, size }, false, mem),
			y = x, z = x;
	struct imap_set s;

	if (lex_set(&x, &s))
		check(&s, 0);
	if (lex_set(&y, &s))
		check(&s, (uint32_t)size);
	if (lex_known_set(&z, &s))
		check(&s, 1);
	return 0;
}
