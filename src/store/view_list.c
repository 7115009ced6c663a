/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdlib.h>

#include "store/view_int.h"

static struct uids *
uids_new(size_t room)
{
	struct uids *u = malloc(sizeof(*u) + room * sizeof(u->at[0]));

	if (u == NULL)
		abort();
	atomic_init(&u->refs, 0);
	u->room = room;
	u->used = 0;
	return u;
}

/* A list of all that is used. */
static struct view_list *
list_of(struct uids *u)
{
	struct view_list *l = malloc(sizeof(*l));

	if (l == NULL)
		abort();
	atomic_init(&l->refs, 1);
	l->n = u->used;
	l->uids = u;
	atomic_fetch_add(&u->refs, 1);
	return l;
}

static struct view_list *
list_anew(const struct view *v)
{
	size_t live = v->n - v->dead;
	struct uids *u = uids_new(live + live / 8 + 16);

	for (size_t i = 0; i < v->n; i++)
		if (!v->rows[i].gone)
			u->at[u->used++] = v->rows[i].uid;
	return list_of(u);
}

/* Nothing has gone since the list was made: what it lacks are the last rows. */
struct view_list *
view_list_now(struct view *v)
{
	size_t live = v->n - v->dead, lacks;
	struct view_list *old = v->list;

	if (old != NULL && old->n == live)
		return old;
	lacks = old == NULL ? live : live - old->n;
	if (old == NULL || old->uids->room - old->n < lacks) {
		v->list = list_anew(v);
	} else {
		struct uids *u = old->uids;

		assert(u->used == old->n);
		for (size_t i = v->n - lacks; i < v->n; i++)
			u->at[u->used++] = v->rows[i].uid;
		v->list = list_of(u);
	}
	view_list_drop(&old);
	view_weigh(v);
	return v->list;
}

struct view_list *
view_list_keep(struct view_list *l)
{
	atomic_fetch_add(&l->refs, 1);
	return l;
}

void
view_list_drop(struct view_list **lp)
{
	struct view_list *l = *lp;

	*lp = NULL;
	if (l == NULL || atomic_fetch_sub(&l->refs, 1) > 1)
		return;
	if (atomic_fetch_sub(&l->uids->refs, 1) == 1)
		free(l->uids);
	free(l);
}

size_t
view_list_count(const struct view_list *l)
{
	return l->n;
}

uint32_t
view_list_uid(const struct view_list *l, size_t seq)
{
	assert(seq >= 1 && seq <= l->n);
	return l->uids->at[seq - 1];
}

size_t
view_list_seq(const struct view_list *l, uint32_t uid)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->uids->at[middle] < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low + 1;
}
