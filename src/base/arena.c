/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/secret.h"

struct block {
	struct block *next;
	size_t cap, used;
	alignas(max_align_t) char mem[];
};

struct arena {
	struct block *head;
	size_t limit, used;
};

enum { FIRST_BLOCK = 512, MOST_BLOCK = 64 * 1024 };

struct arena *
arena_new(size_t limit)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	a->limit = limit;
	return a;
}

void
arena_reset(struct arena *a)
{
	while (a->head != NULL) {
		struct block *b = a->head;

		a->head = b->next;
		free(b);
	}
	a->used = 0;
}

void
arena_free(struct arena **ap)
{
	if (*ap == NULL)
		return;
	arena_reset(*ap);
	free(*ap);
	*ap = NULL;
}

void
secret_arena_free(struct arena **ap)
{
	if (*ap == NULL)
		return;
	for (struct block *b = (*ap)->head; b != NULL; b = b->next)
		secret_wipe(b->mem, b->used);
	arena_free(ap);
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

static void
grow(struct arena *a, size_t need)
{
	size_t cap = a->head == NULL ? FIRST_BLOCK : a->head->cap * 2;
	struct block *b;

	if (cap > MOST_BLOCK)
		cap = MOST_BLOCK;
	if (cap < need)
		cap = need;
	b = malloc(sizeof(*b) + cap);
	if (b == NULL)
		abort();
	b->next = a->head;
	b->cap = cap;
	b->used = 0;
	a->head = b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	size_t need;
	char *p;

	if (size > a->limit)
		return NULL;
	need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (need == 0)
		need = alignof(max_align_t);
	if (need > a->limit - a->used)
		return NULL;
	if (a->head == NULL || need > a->head->cap - a->head->used)
		grow(a, need);
	p = a->head->mem + a->head->used;
	a->head->used += need;
	a->used += need;
	return memset(p, 0, need);
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		return NULL;
	return arena_alloc(a, all);
}

enum rc
arena_copy(struct arena *a, str src, str *out)
{
	char *p;

	if (src.len == SIZE_MAX || (p = arena_alloc(a, src.len + 1)) == NULL)
		return RC_LIMIT;
	if (src.len > 0)
		memcpy(p, src.ptr, src.len);
	*out = (str){ p, src.len };
	return RC_OK;
}
