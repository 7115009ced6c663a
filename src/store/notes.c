/* SPDX-License-Identifier: ISC */
#include "store/notes.h"

#include <stdlib.h>

#include "store/store_int.h"

struct notes
notes_for(uint64_t account)
{
	return (struct notes){ .account = account };
}

static void *
more(void *p, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return p;
	*room = *room == 0 ? 8 : *room * 2;
	p = realloc(p, *room * size);
	if (p == NULL)
		abort();
	return p;
}

static str
copy(struct notes *n, str s)
{
	/* every string may be one more: as many of them as notes have room */
	char *p = malloc(s.len);

	if (p == NULL)
		abort();
	memcpy(p, s.ptr, s.len);
	n->strings[n->nstrings++] = p;
	return (str){ p, s.len };
}

void
notes_add(struct notes *n, const struct note *one)
{
	size_t room = n->room;

	n->at = more(n->at, n->n, &n->room, sizeof(*n->at));
	if (n->room != room) {
		n->strings = realloc(n->strings, n->room * sizeof(*n->strings));
		if (n->strings == NULL)
			abort();
	}
	struct note *new = &n->at[n->n++];
	*new = *one;
	if (new->row.keywords.len > 0)
		new->row.keywords = copy(n, one->row.keywords);
	else
		new->row.keywords = (str){ 0 };
}

static int
by_mailbox(const void *a, const void *b)
{
	const struct note *x = *(struct note *const *)a, *y = *(struct note *const *)b;

	if (x->mailbox != y->mailbox)
		return x->mailbox < y->mailbox ? -1 : 1;
	return x < y ? -1 : x > y; /* one array: as they came */
}

static bool
in_order(const struct notes *n)
{
	for (size_t i = 1; i < n->n; i++)
		if (n->at[i].mailbox < n->at[i - 1].mailbox)
			return false;
	return true;
}

void
notes_publish(struct store *s, struct notes *n)
{
	uint64_t commit = shard_committed(shard_of(s, n->account));
	struct note **list;

	if (n->n == 0)
		return;
	list = calloc(n->n, sizeof(struct note *));
	if (list == NULL)
		abort();
	for (size_t i = 0; i < n->n; i++)
		list[i] = &n->at[i];
	if (n->n > 1 && !in_order(n))
		qsort(list, n->n, sizeof(struct note *), by_mailbox);
	for (size_t i = 0, end; i < n->n; i = end) {
		for (end = i + 1; end < n->n && list[end]->mailbox == list[i]->mailbox;)
			end++;
		views_patch(s, n->account, list[i]->mailbox, commit, &list[i], end - i);
	}
	free(list);
}

void
notes_clear(struct notes *n)
{
	for (size_t i = 0; i < n->nstrings; i++)
		free(n->strings[i]);
	free(n->strings);
	free(n->at);
	*n = notes_for(n->account);
}
