/* SPDX-License-Identifier: ISC */
/* THREAD=REFERENCES, the six steps of RFC 5256 3. */
#include "base/ids.h"
#include "imap/imap_forest.h"
#include "imap/imap_threads.h"

enum { SLOTS_FIRST = 64 };

/* Message ids → nodes.  Strangers choose ids, and their hashes are the same everywhere: where
 * one has its place is multiplied with a secret. */
struct ids {
	struct arena *mem;
	size_t n, slots;
	unsigned shift;
	uint64_t secret;
	uint64_t *id; /* 0: empty */
	uint32_t *node;
};

struct root {
	uint32_t node, message; /* the message whose subject it has */
	uint32_t slot; /* in the subject table; UINT32_MAX: none */
};

struct work {
	const struct thread_message *m;
	const uint32_t *by_date;
	size_t n;
	struct arena *mem;
	struct err *err;
	struct ids ids;
	struct forest forest;
	struct root *roots; /* by date */
	uint32_t *messages; /* of the roots, for the subject table */
	size_t nroots;
	uint32_t *merged; /* dummies that have become part of another one */
};

static enum rc
no_room(struct work *w)
{
	return err_set(w->err, RC_LIMIT, "too many messages and references to thread");
}

/* ---- ids ---- */

static size_t
place(const struct ids *t, uint64_t id)
{
	return (size_t)((id ^ id >> 32) * t->secret >> t->shift);
}

static size_t
find(const struct ids *t, uint64_t id)
{
	size_t at = place(t, id);

	while (t->id[at] != 0 && t->id[at] != id)
		at = (at + 1) & (t->slots - 1);
	return at;
}

static bool
resize(struct ids *t, size_t slots)
{
	struct ids new = *t;

	new.slots = slots;
	new.shift = 64 - (unsigned)__builtin_ctzll(slots);
	new.id = arena_array(t->mem, slots, sizeof(*new.id));
	new.node = arena_array(t->mem, slots, sizeof(*new.node));
	if (new.id == NULL || new.node == NULL)
		return false;
	for (size_t i = 0; i < t->slots; i++)
		if (t->id[i] != 0) {
			size_t at = find(&new, t->id[i]);

			new.id[at] = t->id[i];
			new.node[at] = t->node[i];
		}
	*t = new;
	return true;
}

static bool
init_ids(struct ids *t, size_t n, struct arena *mem)
{
	size_t slots = SLOTS_FIRST;

	*t = (struct ids){ .mem = mem, .secret = ids_random_u64() | 1 };
	while (slots < 2 * n)
		slots *= 2;
	return resize(t, slots);
}

static bool
put_id(struct ids *t, size_t at, uint64_t id, uint32_t node)
{
	t->id[at] = id;
	t->node[at] = node;
	return ++t->n * 2 <= t->slots || resize(t, t->slots * 2);
}

/* ---- step 1: who answers whom ---- */

/* Only the first message with an id has it. */
static enum rc
enter_messages(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t id = w->m[i].id;
		size_t at = id == 0 ? 0 : find(&w->ids, id);

		if (id != 0 && w->ids.id[at] == 0 && !put_id(&w->ids, at, id, i))
			return no_room(w);
	}
	return RC_OK;
}

/* The message with this id, or a dummy for it. */
static enum rc
node_of(struct work *w, uint64_t id, uint32_t *node)
{
	size_t at = find(&w->ids, id);

	if (w->ids.id[at] == id) {
		*node = w->ids.node[at];
		return RC_OK;
	}
	enum rc rc = forest_add(&w->forest, node, w->err);
	if (rc == RC_OK && !put_id(&w->ids, at, id, *node))
		return no_room(w);
	return rc;
}

static enum rc
link_nodes(struct work *w, uint32_t child, uint32_t parent)
{
	enum rc rc = forest_link(&w->forest, child, parent, w->err);

	return rc == RC_NONE ? RC_OK : rc; /* a loop: they stay apart */
}

static enum rc
link_message(struct work *w, uint32_t i)
{
	const struct thread_message *m = &w->m[i];
	uint32_t before = FOREST_NONE, node;
	enum rc rc = RC_OK;

	for (size_t k = 0; k < m->nrefs && rc == RC_OK; k++) { /* 1.A */
		rc = node_of(w, m->refs[k], &node);
		if (rc == RC_OK && before != FOREST_NONE &&
			w->forest.up[node] == FOREST_NONE)
			rc = link_nodes(w, node, before);
		before = node;
	}
	if (rc != RC_OK || (before != FOREST_NONE && w->forest.up[i] == before))
		return rc;
	forest_cut(&w->forest, i); /* 1.B */
	return before == FOREST_NONE ? RC_OK : link_nodes(w, i, before);
}

/* ---- steps 2 and 3: without dummies, but those at the top that hold several together ---- */

static bool
is_dummy(const struct work *w, uint32_t node)
{
	return node >= w->n;
}

/* The next above that is a message or at the top; what was passed is remembered. */
static uint32_t
above(struct work *w, uint32_t node)
{
	uint32_t *up = w->forest.up, p = up[node], end, t;

	if (p == FOREST_NONE)
		return p;
	for (end = p; is_dummy(w, end) && up[end] != FOREST_NONE;)
		end = up[end];
	while (is_dummy(w, p) && up[p] != FOREST_NONE) {
		t = up[p];
		up[p] = end;
		p = t;
	}
	return end;
}

static enum rc
prune(struct work *w)
{
	uint32_t *up = w->forest.up;
	uint32_t *children = arena_array(w->mem, w->forest.n + 1, sizeof(*children));

	if (children == NULL)
		return no_room(w);
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t p = above(w, i);

		up[i] = p;
		if (p != FOREST_NONE)
			children[p]++;
	}
	for (uint32_t i = 0; i < w->n; i++)
		if (up[i] != FOREST_NONE && is_dummy(w, up[i]) && children[up[i]] == 1)
			up[i] = FOREST_NONE;
	return RC_OK;
}

/* ---- step 4: what is at the top, by date ---- */

static enum rc
list_roots(struct work *w)
{
	bool *listed = arena_array(w->mem, w->forest.n + 1, sizeof(*listed));

	w->roots = arena_array(w->mem, w->n + 1, sizeof(*w->roots));
	w->messages = arena_array(w->mem, w->n + 1, sizeof(*w->messages));
	if (listed == NULL || w->roots == NULL || w->messages == NULL)
		return no_room(w);
	for (size_t i = 0; i < w->n; i++) {
		uint32_t m = w->by_date[i], p = w->forest.up[m];

		if (p != FOREST_NONE && (!is_dummy(w, p) || listed[p]))
			continue;
		if (p != FOREST_NONE)
			listed[p] = true;
		w->messages[w->nroots] = m;
		w->roots[w->nroots++] = (struct root){ p == FOREST_NONE ? m : p, m,
			UINT32_MAX };
	}
	return RC_OK;
}

/* ---- step 5: threads with the same subject ---- */

static bool
is_reply(const struct work *w, const struct root *r)
{
	return !is_dummy(w, r->node) && w->m[r->node].reply;
}

/* 5.B: whom each subject belongs to. */
static void
enter_subjects(struct work *w, struct subjects *table)
{
	for (uint32_t i = 0; i < w->nroots; i++) {
		struct root *r = &w->roots[i];

		if (w->m[r->message].subject.len == 0)
			continue;
		uint32_t *slot = subjects_find(table, i);
		const struct root *has = *slot == 0 ? NULL : &w->roots[*slot - 1];

		r->slot = (uint32_t)(slot - table->slots);
		if (has == NULL ||
			(!is_dummy(w, has->node) &&
				(is_dummy(w, r->node) ||
					(is_reply(w, has) && !is_reply(w, r)))))
			*slot = i + 1;
	}
}

/* 5.C: r joins `into`, or both get a dummy above them. */
static enum rc
merge(struct work *w, struct root *r, struct root *into)
{
	uint32_t *up = w->forest.up, both;

	if (is_dummy(w, into->node) && is_dummy(w, r->node)) {
		w->merged[r->node - w->n] = into->node;
		return RC_OK;
	}
	if (is_dummy(w, into->node) || (is_reply(w, r) && !is_reply(w, into))) {
		up[r->node] = into->node;
		return RC_OK;
	}
	enum rc rc = forest_add(&w->forest, &both, w->err);
	if (rc != RC_OK)
		return rc;
	up = w->forest.up;
	up[r->node] = up[into->node] = both;
	into->node = both;
	return RC_OK;
}

static enum rc
merge_subjects(struct work *w)
{
	struct subjects table;
	size_t dummies = w->forest.n - w->n;
	enum rc rc = subjects_init(&table, w->m, w->messages, w->nroots, w->mem, w->err);

	if (rc != RC_OK)
		return rc;
	w->merged = arena_array(w->mem, dummies + 1, sizeof(*w->merged));
	if (w->merged == NULL)
		return no_room(w);
	memset(w->merged, 0xff, (dummies + 1) * sizeof(*w->merged));
	enter_subjects(w, &table);
	for (size_t i = 0; i < w->nroots && rc == RC_OK; i++) {
		struct root *r = &w->roots[i];
		struct root *into = r->slot == UINT32_MAX
					    ? r
					    : &w->roots[table.slots[r->slot] - 1];

		if (into != r)
			rc = merge(w, r, into);
	}
	for (size_t i = 0; i < w->n; i++) {
		uint32_t p = w->forest.up[i];

		if (p != FOREST_NONE && p >= w->n && p - w->n < dummies &&
			w->merged[p - w->n] != FOREST_NONE)
			w->forest.up[i] = w->merged[p - w->n];
	}
	return RC_OK;
}

enum rc
threads_by_references(const struct thread_message *m, const uint32_t *by_date, size_t n,
	struct arena *mem, struct threads *out, struct err *err)
{
	struct work w = { .m = m, .by_date = by_date, .n = n, .mem = mem, .err = err };
	enum rc rc = forest_init(&w.forest, n, mem, err);

	if (rc == RC_OK && !init_ids(&w.ids, n, mem))
		rc = no_room(&w);
	if (rc == RC_OK)
		rc = enter_messages(&w);
	for (uint32_t i = 0; i < n && rc == RC_OK; i++)
		rc = link_message(&w, i);
	if (rc == RC_OK)
		rc = prune(&w);
	if (rc == RC_OK)
		rc = list_roots(&w);
	if (rc == RC_OK)
		rc = merge_subjects(&w);
	if (rc != RC_OK)
		return rc;
	/* step 6: siblings are listed by date */
	struct threads t = { .n = n, .nodes = w.forest.n, .up = w.forest.up };
	rc = threads_list(&t, by_date, mem, err);
	if (rc == RC_OK)
		*out = t;
	return rc;
}
