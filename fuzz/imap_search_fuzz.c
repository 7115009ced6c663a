/* SPDX-License-Identifier: ISC */
/* What the program becomes is no larger and no deeper than is stated. */
#include "wire/imap_search.h"

static size_t
walk(const struct imap_search *s, size_t depth)
{
	size_t n = 1;

	/* each level of depth is a list, an OR and a NOT at most */
	if (depth > 3 * (IMAP_DEPTH_MOST + 2) || (s->key == KEY_OR && !s->first->next))
		abort();
	for (const struct imap_search *c = s->first; c != NULL; c = c->next)
		n += walk(c, depth + 1);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(8 * 1024 * 1024);
	bool (*const lex[])(struct imap_lex *, struct imap_query *) = { lex_search,
		lex_sort, lex_thread };
	struct imap_query q;

	for (size_t i = 0; i < 3; i++) {
		struct imap_lex x = imap_lex(
			(str){ (const char *)data, size }, true, mem);

		if (lex[i](&x, &q) && walk(q.program, 0) > IMAP_SEARCH_KEYS)
			abort();
	}
	return 0;
}
