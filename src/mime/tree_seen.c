/* SPDX-License-Identifier: ISC */
/* The different parts of all readings: a hash table that grows in mem. */
#include "mime/tree_int.h"

/* Do both say the same?  A leaf's header does not matter, and how a composite was read
 * only where it would make a difference. */
static bool
same_part(const struct piece *a, const struct piece *b)
{
	const struct mime_part *x = &a->p, *y = &b->p;

	if (x->body_at != y->body_at || x->end != y->end || x->kind != y->kind ||
		x->encoding != y->encoding || (x->first == NULL) != (y->first == NULL))
		return false;
	if (x->kind == MIME_LEAF)
		return str_ieq(x->type, y->type) && str_ieq(x->subtype, y->subtype) &&
		       str_ieq(x->charset, y->charset) && str_eq(x->name, y->name);
	return str_eq(a->boundary, b->boundary) && (a->want != 0) == (b->want != 0) &&
	       (a->want == 0 || a->policy == b->policy);
}

static size_t
slot(struct reading *x, const struct piece *p)
{
	uint64_t n = p->p.body_at * UINT64_C(0x9e3779b97f4a7c15) ^
		     p->p.end * UINT64_C(0xc2b2ae3d27d4eb4f) ^
		     (unsigned)p->p.kind * UINT64_C(0x165667b19e3779f9);
	size_t i = (size_t)(n >> 32) & (x->seen_size - 1);

	while (x->seen[i] != NULL && !same_part(x->seen[i], p)) {
		i = (i + 1) & (x->seen_size - 1);
		x->work++;
	}
	return i;
}

static enum rc
grow_seen(struct reading *x)
{
	struct piece **old = x->seen;
	size_t n = x->seen_size;

	x->seen_size = n == 0 ? 256 : n * 2;
	x->seen = arena_array(x->mem, x->seen_size, sizeof(struct piece *));
	if (x->seen == NULL)
		return err_set(x->err, RC_LIMIT, "no memory for its parts");
	for (size_t i = 0; i < n; i++)
		if (old[i] != NULL)
			x->seen[slot(x, old[i])] = old[i];
	return RC_OK;
}

bool
seen_like(struct reading *x, const struct piece *p)
{
	return x->seen_size > 0 && x->seen[slot(x, p)] != NULL;
}

enum rc
seen_now(struct reading *x, struct piece *p)
{
	size_t i;

	if (x->seen_n * 2 >= x->seen_size && grow_seen(x) != RC_OK)
		return RC_LIMIT;
	i = slot(x, p);
	p->p.again = x->seen[i] != NULL;
	if (!p->p.again) {
		x->seen[i] = p;
		x->seen_n++;
	}
	return RC_OK;
}
