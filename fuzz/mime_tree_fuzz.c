/* SPDX-License-Identifier: ISC */
/* Parts lie in the message, in the parts around them, and behind each other. */
#include <stdlib.h>

#include "mime/tree.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(64 * 1024 * 1024);
	str m = { (const char *)data, size };
	struct mime_tree t, body;
	size_t n = 0;

	if (mime_parse(m, NULL, mem, &t, NULL) != RC_OK)
		return 0;
	for (const struct mime_part *p = t.top; p != NULL; p = mime_each(&t, p), n++) {
		const struct mime_part *up = p->parent, *next = p->next;
		bool in = p->header_at <= p->body_at && p->body_at <= p->end;

		if (up != NULL && (p->header_at < up->body_at || p->end > up->end))
			abort();
		if (!in || p->end > size || (up && next && next->header_at < p->end))
			abort();
	}
	if (n != t.parts ||
		mime_parse_body(m, t.top, 3, NULL, mem, &body, NULL) > RC_LIMIT)
		abort();
	return 0;
}
