/* SPDX-License-Identifier: ISC */
#include "imap/imap_threads.h"

#include "base/hash.h"
#include "imap/imap_result.h"

static enum rc
too_many(struct err *err)
{
	return err_set(err, RC_LIMIT, "too many messages to thread");
}

/* ---- subjects ---- */

enum rc
subjects_init(struct subjects *s, const struct thread_message *m, const uint32_t *message,
	size_t most, struct arena *mem, struct err *err)
{
	size_t slots = 16;

	while (slots < 2 * most)
		slots *= 2;
	*s = (struct subjects){ .m = m,
		.mask = slots - 1,
		.slots = arena_array(mem, slots, sizeof(*s->slots)),
		.message = message };
	return s->slots == NULL ? too_many(err) : RC_OK;
}

static str
subject_of(const struct subjects *s, uint32_t value)
{
	return s->m[s->message == NULL ? value : s->message[value]].subject;
}

uint32_t *
subjects_find(struct subjects *s, uint32_t value)
{
	str subject = subject_of(s, value);
	size_t at = hash_keyed(subject.ptr, subject.len) & s->mask;

	while (s->slots[at] != 0 && !str_eq(subject_of(s, s->slots[at] - 1), subject))
		at = (at + 1) & s->mask;
	return &s->slots[at];
}

/* ---- lists ---- */

static void
append(struct threads *t, uint32_t parent, uint32_t *last_top, uint32_t node)
{
	uint32_t *first = parent == THREAD_NONE ? &t->top : &t->first[parent];
	uint32_t *last = parent == THREAD_NONE ? last_top : &t->last[parent];

	if (*first == THREAD_NONE)
		*first = node;
	else
		t->next[*last] = node;
	*last = node;
}

enum rc
threads_list(
	struct threads *t, const uint32_t *by_date, struct arena *mem, struct err *err)
{
	uint32_t *all = arena_array(mem, 3 * t->nodes + 1, sizeof(*all));
	uint32_t last_top = THREAD_NONE;

	if (all == NULL)
		return too_many(err);
	memset(all, 0xff, 3 * t->nodes * sizeof(*all));
	t->first = all;
	t->last = all + t->nodes;
	t->next = all + 2 * t->nodes;
	t->top = THREAD_NONE;
	for (size_t i = 0; i < t->n; i++) {
		uint32_t m = by_date[i], p = t->up[m];

		/* what is not there has the place of the first of its children */
		if (p != THREAD_NONE && p >= t->n && t->first[p] == THREAD_NONE)
			append(t, THREAD_NONE, &last_top, p);
		append(t, p, &last_top, m);
	}
	t->at = t->top;
	return RC_OK;
}

/* ---- ORDEREDSUBJECT ---- */

enum rc
threads_by_subject(const struct thread_message *m, const uint32_t *by_date, size_t n,
	struct arena *mem, struct threads *out, struct err *err)
{
	struct threads t = {
		.n = n, .nodes = n, .up = arena_array(mem, n + 1, sizeof(*t.up))
	};
	struct subjects s;
	enum rc rc = subjects_init(&s, m, NULL, n, mem, err);

	if (rc != RC_OK || t.up == NULL)
		return rc != RC_OK ? rc : too_many(err);
	for (size_t i = 0; i < n; i++) {
		uint32_t *slot = subjects_find(&s, by_date[i]);

		t.up[by_date[i]] = *slot == 0 ? THREAD_NONE : *slot - 1;
		if (*slot == 0)
			*slot = by_date[i] + 1;
	}
	rc = threads_list(&t, by_date, mem, err);
	if (rc == RC_OK)
		*out = t;
	return rc;
}

/* ---- writing ---- */

/* A thread, or one of several at this place: it has parentheses of its own. */
static bool
is_branch(const struct threads *t, uint32_t node)
{
	uint32_t p = t->up[node];

	return p == THREAD_NONE || t->first[p] != t->last[p];
}

static void
put_node(const struct threads *t, const uint32_t *numbers, uint32_t node, struct buf *b)
{
	uint32_t p = t->up[node];

	/* between a message's number and what follows is a blank */
	if (p != THREAD_NONE && p < t->n && t->first[p] == node)
		buf_addc(b, ' ');
	if (is_branch(t, node))
		buf_addc(b, '(');
	if (node < t->n)
		result_number(b, numbers[node]);
}

/* The node that is written next. */
static uint32_t
put_ends(const struct threads *t, uint32_t node, struct buf *b)
{
	if (t->first[node] != THREAD_NONE)
		return t->first[node];
	for (; node != THREAD_NONE; node = t->up[node]) {
		if (is_branch(t, node))
			buf_addc(b, ')');
		if (t->next[node] != THREAD_NONE)
			return t->next[node];
	}
	return THREAD_NONE;
}

bool
threads_put(struct threads *t, const uint32_t *numbers, struct buf *b, size_t enough)
{
	if (!t->begun)
		buf_addz(b, t->top == THREAD_NONE ? "* THREAD" : "* THREAD ");
	t->begun = true;
	while (t->at != THREAD_NONE && b->len < enough) {
		put_node(t, numbers, t->at, b);
		t->at = put_ends(t, t->at, b);
	}
	if (t->at != THREAD_NONE)
		return false;
	buf_addz(b, "\r\n");
	return true;
}
