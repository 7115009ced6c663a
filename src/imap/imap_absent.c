/* SPDX-License-Identifier: ISC */
#include "imap/imap_absent.h"

/* A list, and how far it has been looked through. */
struct walked {
	const struct view_list *list;
	size_t seq;
};

/* Its first UID that is not less; 0: there is none. */
static uint32_t
next_of(struct walked *w, uint32_t uid)
{
	if (w->list == NULL)
		return 0;
	while (w->seq <= view_list_count(w->list)) {
		uint32_t there = view_list_uid(w->list, w->seq);

		if (there >= uid)
			return there;
		w->seq++;
	}
	return 0;
}

static uint32_t
next_there(struct walked w[2], uint32_t uid)
{
	uint32_t a = next_of(&w[0], uid), b = next_of(&w[1], uid);

	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static void
one_range(struct walked w[2], uint32_t from, uint32_t to, imap_absent_fn *fn, void *arg)
{
	for (size_t i = 0; i < 2; i++)
		if (w[i].list != NULL)
			w[i].seq = view_list_seq(w[i].list, from);
	while (from <= to) {
		uint32_t there = next_there(w, from);

		if (there == 0 || there > to) {
			fn(from, to, arg);
			return;
		}
		if (there > from)
			fn(from, there - 1, arg);
		from = there + 1;
	}
}

void
imap_absent(const struct view_list *a, const struct view_list *b, uint32_t end,
	const struct imap_set *set, imap_absent_fn *fn, void *arg)
{
	struct walked w[2] = { { a, 1 }, { b, 1 } };
	const struct imap_range all = { 1, UINT32_MAX };
	const struct imap_range *at = set == NULL ? &all : set->at;
	size_t n = set == NULL ? 1 : set->n;

	for (size_t i = 0; i < n && at[i].from < end; i++)
		one_range(w, at[i].from, at[i].to < end ? at[i].to : end - 1, fn, arg);
}
