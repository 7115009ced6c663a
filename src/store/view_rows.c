/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdlib.h>

#include "store/view_int.h"

struct order_key view_no_key;

size_t
view_find(const struct view *v, size_t i, uint32_t uid)
{
	size_t low = i, high, step = 1;

	for (high = i; high < v->n && v->rows[high].uid < uid; step *= 2) {
		low = high + 1;
		high = v->n - high > step ? high + step : v->n;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v->rows[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
view_room(struct view *v, size_t n)
{
	if (n <= v->room)
		return;
	v->rows = realloc(v->rows, n * sizeof(*v->rows));
	v->highest = realloc(v->highest, (n / VIEW_BLOCK + 1) * sizeof(*v->highest));
	if (v->rows == NULL || v->highest == NULL)
		abort();
	v->room = n;
}

static void
raise_block(struct view *v, size_t i)
{
	uint64_t *highest = &v->highest[i / VIEW_BLOCK];

	if (i % VIEW_BLOCK == 0 || *highest < v->rows[i].modseq)
		*highest = v->rows[i].modseq;
}

static struct word *
word_take(struct view *v, str keywords)
{
	struct word *w;

	if (keywords.len == 0)
		return NULL;
	HASH_FIND(hh, v->words, keywords.ptr, keywords.len, w);
	if (w == NULL) {
		size_t bytes = sizeof(*w) + keywords.len;

		if ((w = calloc(1, bytes)) == NULL)
			abort();
		w->len = (uint32_t)keywords.len;
		memcpy(w->text, keywords.ptr, keywords.len);
		HASH_ADD_KEYPTR(hh, v->words, w->text, w->len, w);
		v->word_bytes += bytes;
	} else if (w->rows == 0) {
		v->word_waste -= sizeof(*w) + w->len;
	}
	w->rows++;
	return w;
}

static void
word_drop(struct view *v, struct word *w)
{
	if (w != NULL && --w->rows == 0)
		v->word_waste += sizeof(*w) + w->len;
}

void
view_key_drop(struct view *v, struct order_key *k)
{
	if (k == NULL || k == &view_no_key || --k->refs > 0)
		return;
	if (k->counted)
		v->key_bytes -= sizeof(*k) + k->len;
	free(k);
}

static void
key_drop(struct view *v, struct row *r)
{
	view_key_drop(v, r->key);
	r->key = NULL;
}

void
view_append(struct view *v, const struct view_row *r)
{
	assert(v->n == 0 || v->rows[v->n - 1].uid < r->uid);
	if (v->n == v->room)
		view_room(v, v->n + v->n / 8 + 16);
	struct row *row = &v->rows[v->n];
	*row = (struct row){ .uid = r->uid,
		.flags = (uint8_t)r->flags,
		.keywords = word_take(v, r->keywords),
		.modseq = r->modseq,
		.size = r->size,
		.received_ms = r->received_ms,
		.saved_ms = r->saved_ms,
		.thread = r->thread,
		.sent_s = r->sent_s };
	memcpy(row->id, r->id.text, sizeof(row->id));
	raise_block(v, v->n++);
}

/* How many unseen ones there are changes with what becomes of this one. */
static void
seen_now(struct view *v, const struct row *r, bool was_unseen, bool unseen)
{
	if (was_unseen && !unseen)
		v->unseen--;
	if (unseen && !was_unseen)
		v->unseen++;
	if (unseen && r->uid < v->unseen_from)
		v->unseen_from = r->uid;
}

static bool
unseen(const struct row *r)
{
	return !r->gone && (r->flags & STORE_SEEN) == 0;
}

void
view_count(struct view *v)
{
	v->unseen = 0;
	v->unseen_from = UINT32_MAX;
	for (size_t i = 0; i < v->n; i++)
		seen_now(v, &v->rows[i], false, unseen(&v->rows[i]));
}

static void
close_ranks(struct view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!v->rows[i].gone) {
			v->rows[n] = v->rows[i];
			raise_block(v, n++);
		}
	v->n = n;
	v->dead = 0;
	v->keyed = 0;
}

static void
remove_row(struct view *v, size_t i, uint64_t modseq)
{
	struct row *r = &v->rows[i];
	bool was = unseen(r);

	r->gone = true;
	seen_now(v, r, was, false);
	word_drop(v, r->keywords);
	r->keywords = NULL;
	key_drop(v, r);
	if (v->last_gone < modseq)
		v->last_gone = modseq;
	view_list_drop(&v->list); /* the next one is another */
	if (++v->dead > VIEW_BLOCK + v->n / 8)
		close_ranks(v);
}

static void
change_row(struct view *v, size_t i, const struct view_row *to)
{
	struct row *r = &v->rows[i];
	struct word *old = r->keywords;
	bool was = unseen(r);

	r->flags = (uint8_t)to->flags;
	r->keywords = word_take(v, to->keywords);
	word_drop(v, old);
	r->modseq = to->modseq;
	seen_now(v, r, was, unseen(r));
	if (v->highest[i / VIEW_BLOCK] < r->modseq)
		v->highest[i / VIEW_BLOCK] = r->modseq;
}

static void
change_rows(struct view *v, const struct note *n)
{
	for (size_t k = 0, i = 0; k < n->nmany; k++) {
		const struct marked *m = &n->many[k];

		i = view_find(v, i, m->uid);
		if (i < v->n && v->rows[i].uid == m->uid && !v->rows[i].gone)
			change_row(v, i,
				&(struct view_row){ .flags = m->flags,
					.keywords = m->keywords,
					.modseq = n->row.modseq });
	}
}

static void
add_row(struct view *v, const struct view_row *r)
{
	view_append(v, r);
	seen_now(v, &v->rows[v->n - 1], false, unseen(&v->rows[v->n - 1]));
	if (v->uidnext <= r->uid)
		v->uidnext = r->uid + 1;
}

void
view_patch(struct view *v, const struct note *n)
{
	size_t i;

	if (n->kind == NOTE_MAILBOX)
		v->gone |= n->deleted;
	else if (v->state == VIEW_LOADING && n->kind != NOTE_MARKED &&
		 n->row.uid > v->loaded_to)
		return; /* its row will be read, as it will be then */
	if (n->kind != NOTE_FACTS && v->modseq < n->row.modseq)
		v->modseq = n->row.modseq;
	if (n->kind == NOTE_MAILBOX)
		return;
	if (n->kind == NOTE_ADDED) {
		add_row(v, &n->row);
		return;
	}
	if (n->kind == NOTE_MARKED) {
		change_rows(v, n);
		return;
	}
	i = view_find(v, 0, n->row.uid);
	if (i == v->n || v->rows[i].uid != n->row.uid || v->rows[i].gone)
		return;
	if (n->kind == NOTE_GONE) {
		remove_row(v, i, n->row.modseq);
	} else {
		v->rows[i].sent_s = n->row.sent_s;
		key_drop(v, &v->rows[i]);
		v->facts++;
		v->keyed = v->keyed < i ? v->keyed : i;
	}
}

void
view_weigh(struct view *v)
{
	size_t uids = v->list == NULL ? 0 : v->list->uids->room;

	atomic_store(&v->bytes, sizeof(*v) + v->room * sizeof(*v->rows) +
					v->room / VIEW_BLOCK * sizeof(*v->highest) +
					uids * sizeof(uint32_t) + v->word_bytes +
					v->key_bytes);
}

void
view_clear(struct view *v)
{
	struct word *w, *next;

	for (size_t i = 0; i < v->n; i++)
		key_drop(v, &v->rows[i]);
	HASH_ITER(hh, v->words, w, next)
	{
		HASH_DEL(v->words, w);
		free(w);
	}
	view_list_drop(&v->list);
	free(v->rows);
	free(v->highest);
	free(v->watchers);
}

void
view_get(const struct row *r, struct view_row *out)
{
	out->uid = r->uid;
	out->flags = r->flags;
	out->keywords = r->keywords == NULL
				? (str){ 0 }
				: (str){ r->keywords->text, r->keywords->len };
	out->modseq = r->modseq;
	memcpy(out->id.text, r->id, sizeof(r->id));
	out->id.text[sizeof(r->id)] = '\0';
	out->size = r->size;
	out->received_ms = r->received_ms;
	out->saved_ms = r->saved_ms;
	out->thread = r->thread;
	out->sent_s = r->sent_s;
}

enum rc
view_each(struct view *v, const uint32_t *uids, size_t n, view_row_fn *fn, void *arg,
	bool *ended, struct err *err)
{
	LOCK_AUTO held = lock_take(&v->lock);
	enum rc rc = RC_OK;

	*ended = v->gone;
	for (size_t i = 0, at = 0; i < n && rc == RC_OK && !v->gone; i++) {
		struct view_row row;

		at = view_find(v, at, uids[i]);
		if (at == v->n)
			break;
		if (v->rows[at].uid != uids[i] || v->rows[at].gone)
			continue;
		view_get(&v->rows[at], &row);
		rc = fn(i, &row, arg, err);
	}
	return rc;
}
