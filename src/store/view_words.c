/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "store/view_int.h"

enum { KEYWORDS_SHOWN = 2000 };

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* With the view's lock. */
static size_t
gather(struct view *v, str list[KEYWORDS_SHOWN])
{
	struct word *w, *next;
	size_t n = 0;
	str one;

	HASH_ITER(hh, v->words, w, next)
	{
		str words = { w->text, w->len };

		while (w->rows > 0 && n < KEYWORDS_SHOWN && str_cut(&words, ' ', &one))
			list[n++] = one;
	}
	return n;
}

void
view_keywords(struct view *v, struct buf *out)
{
	str *list = calloc(KEYWORDS_SHOWN, sizeof(*list));

	if (list == NULL)
		abort();
	{
		LOCK_AUTO held = lock_take(&v->lock);
		size_t n = gather(v, list);

		qsort(list, n, sizeof(*list), by_bytes);
		for (size_t i = 0; i < n; i++) {
			if (i > 0 && str_ieq(list[i], list[i - 1]))
				continue;
			buf_addc(out, ' ');
			buf_add(out, list[i]);
		}
	}
	free(list);
}
