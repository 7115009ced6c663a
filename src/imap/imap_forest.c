/* SPDX-License-Identifier: ISC */
#include "imap/imap_forest.h"

#include <assert.h>

enum {
	WALK_LEAST = 100 * 1000,
	WALK_EACH = 4
}; /* steps for nothing, and more for each node */

/* ---- link-cut trees ----
 * Each path of a tree is a splay tree by depth; the `up` of its root is the parent of the
 * path's top, which does not have it as a child. */

static bool
is_top(const struct splay *t, uint32_t x)
{
	uint32_t p = t[x].up;

	return p == FOREST_NONE || (t[p].left != x && t[p].right != x);
}

static void
rotate(struct splay *t, uint32_t x)
{
	uint32_t p = t[x].up, g = t[p].up, inner;
	bool left = t[p].left == x, top = is_top(t, p);

	inner = left ? t[x].right : t[x].left;
	if (left) {
		t[p].left = inner;
		t[x].right = p;
	} else {
		t[p].right = inner;
		t[x].left = p;
	}
	if (inner != FOREST_NONE)
		t[inner].up = p;
	t[p].up = x;
	t[x].up = g;
	if (top)
		return;
	if (t[g].left == p)
		t[g].left = x;
	else
		t[g].right = x;
}

static void
splay(struct splay *t, uint32_t x)
{
	while (!is_top(t, x)) {
		uint32_t p = t[x].up;

		if (!is_top(t, p))
			rotate(t, (t[p].left == x) == (t[t[p].up].left == p) ? p : x);
		rotate(t, x);
	}
}

/* The path from the root to x becomes one splay tree, with x at its top and its end. */
static void
expose(struct splay *t, uint32_t x)
{
	uint32_t below = FOREST_NONE;

	for (uint32_t v = x; v != FOREST_NONE; v = t[v].up) {
		splay(t, v);
		t[v].right = below;
		below = v;
	}
	splay(t, x);
}

static uint32_t
root_of(struct splay *t, uint32_t x)
{
	expose(t, x);
	while (t[x].left != FOREST_NONE)
		x = t[x].left;
	splay(t, x);
	return x;
}

/* ---- the forest ---- */

static enum rc
no_room(struct err *err)
{
	return err_set(err, RC_LIMIT, "too many messages and references to thread");
}

static enum rc
grow(struct forest *f, size_t room, struct err *err)
{
	uint32_t *up = arena_array(f->mem, room, sizeof(*up));
	bool *parent = arena_array(f->mem, room, sizeof(*parent));
	struct splay *s = f->splay == NULL ? NULL : arena_array(f->mem, room, sizeof(*s));

	if (up == NULL || parent == NULL || (f->splay != NULL && s == NULL))
		return no_room(err);
	if (f->n > 0) {
		memcpy(up, f->up, f->n * sizeof(*up));
		memcpy(parent, f->parent, f->n * sizeof(*parent));
	}
	if (s != NULL)
		memcpy(s, f->splay, f->n * sizeof(*s));
	f->up = up;
	f->parent = parent;
	f->splay = s;
	f->room = room;
	return RC_OK;
}

enum rc
forest_init(struct forest *f, size_t n, struct arena *mem, struct err *err)
{
	*f = (struct forest){ .mem = mem };
	enum rc rc = grow(f, n + n / 4 + 16, err);

	if (rc != RC_OK)
		return rc;
	f->n = n;
	memset(f->up, 0xff, n * sizeof(*f->up));
	return RC_OK;
}

enum rc
forest_add(struct forest *f, uint32_t *node, struct err *err)
{
	if (f->n == f->room) {
		enum rc rc = f->n > UINT32_MAX / 4 ? no_room(err)
						   : grow(f, f->room * 2, err);
		if (rc != RC_OK)
			return rc;
	}
	f->up[f->n] = FOREST_NONE;
	if (f->splay != NULL)
		f->splay[f->n] = (struct splay){ FOREST_NONE, FOREST_NONE, FOREST_NONE };
	*node = (uint32_t)f->n++;
	return RC_OK;
}

/* Every node begins as a path of its own. */
static enum rc
plant(struct forest *f, struct err *err)
{
	struct splay *s = arena_array(f->mem, f->room, sizeof(*s));

	if (s == NULL)
		return no_room(err);
	for (size_t i = 0; i < f->n; i++)
		s[i] = (struct splay){ FOREST_NONE, FOREST_NONE, f->up[i] };
	f->splay = s;
	return RC_OK;
}

static enum rc
find_root(struct forest *f, uint32_t x, uint32_t *root, struct err *err)
{
	if (f->splay != NULL) {
		*root = root_of(f->splay, x);
		return RC_OK;
	}
	for (; f->up[x] != FOREST_NONE; x = f->up[x])
		f->walked++;
	*root = x;
	if (f->walked > WALK_LEAST + WALK_EACH * (uint64_t)f->n)
		return plant(f, err);
	return RC_OK;
}

enum rc
forest_link(struct forest *f, uint32_t child, uint32_t parent, struct err *err)
{
	uint32_t root;

	assert(f->up[child] == FOREST_NONE);
	if (child == parent)
		return RC_NONE;
	if (f->parent[child]) { /* only who has children can be above somebody */
		enum rc rc = find_root(f, parent, &root, err);

		if (rc != RC_OK || root == child)
			return rc != RC_OK ? rc : RC_NONE;
	}
	f->up[child] = parent;
	f->parent[parent] = true;
	if (f->splay != NULL) {
		expose(f->splay, child);
		f->splay[child].up = parent;
	}
	return RC_OK;
}

void
forest_cut(struct forest *f, uint32_t child)
{
	if (f->up[child] == FOREST_NONE)
		return;
	f->up[child] = FOREST_NONE;
	if (f->splay != NULL) {
		struct splay *t = f->splay;

		expose(t, child);
		t[t[child].left].up = FOREST_NONE;
		t[child].left = FOREST_NONE;
	}
}
