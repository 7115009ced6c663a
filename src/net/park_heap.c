/* SPDX-License-Identifier: ISC */
#include "net/park_heap.h"

#include <stdlib.h>

static void
put(struct park_heap *h, size_t i, struct parked *p)
{
	h->at[i] = p;
	p->heap = i;
}

static void
rise(struct park_heap *h, size_t i, struct parked *p)
{
	for (; i > 1 && h->at[i / 2]->until_ms > p->until_ms; i /= 2)
		put(h, i, h->at[i / 2]);
	put(h, i, p);
}

static void
sink(struct park_heap *h, size_t i, struct parked *p)
{
	for (size_t child; (child = 2 * i) <= h->n; i = child) {
		if (child < h->n && h->at[child + 1]->until_ms < h->at[child]->until_ms)
			child++;
		if (h->at[child]->until_ms >= p->until_ms)
			break;
		put(h, i, h->at[child]);
	}
	put(h, i, p);
}

void
park_heap_add(struct park_heap *h, struct parked *p)
{
	if (h->n + 1 >= h->cap) {
		h->cap = h->cap == 0 ? 64 : h->cap * 2;
		h->at = reallocarray(h->at, h->cap, sizeof(struct parked *));
		if (h->at == NULL)
			abort();
	}
	rise(h, ++h->n, p);
}

void
park_heap_remove(struct park_heap *h, struct parked *p)
{
	size_t i = p->heap;

	if (i == 0)
		return;
	p->heap = 0;
	struct parked *last = h->at[h->n--];
	if (last == p)
		return;
	if (i > 1 && h->at[i / 2]->until_ms > last->until_ms)
		rise(h, i, last);
	else
		sink(h, i, last);
}

struct parked *
park_heap_first(const struct park_heap *h)
{
	return h->n == 0 ? NULL : h->at[1];
}

void
park_heap_clear(struct park_heap *h)
{
	free(h->at);
	*h = (struct park_heap){ 0 };
}
