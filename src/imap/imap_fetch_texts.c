/* SPDX-License-Identifier: ISC */
/* What the index has of the messages of a window: items as they are sent, and texts. */
#include "base/log.h"
#include "imap/imap_fetch_texts.h"

static enum rc
load_item(struct fetch *f, size_t n, enum store_item item, struct err *err)
{
	struct imap_session *s = f->s;
	str *texts = arena_array(f->mem, n, sizeof(*texts));

	if (texts == NULL)
		return err_set(err, RC_LIMIT, "too many items at once");
	enum rc rc = store_items(
		s->house->store, s->account, f->ids, n, item, f->mem, texts, err);
	for (size_t k = 0; k < n && rc == RC_OK; k++)
		*(item == STORE_ITEM_ENVELOPE ? &f->items[k].envelope
					      : &f->items[k].structure) = texts[k];
	return rc;
}

unsigned
fetch_lacks(const struct fetch *f, size_t k)
{
	unsigned lacks = f->texts_wanted;

	if (f->items[k].envelope.len == 0)
		lacks |= f->items_wanted & STORE_ENVELOPE;
	if (f->items[k].structure.len == 0)
		lacks |= f->items_wanted & STORE_STRUCTURE;
	return lacks;
}

/* Of those of which an item is not kept. */
static enum rc
load_some(struct fetch *f, size_t n, struct err *err)
{
	struct imap_session *s = f->s;
	struct store_texts *texts = arena_array(f->mem, n, sizeof(*texts));
	size_t *at = arena_array(f->mem, n, sizeof(*at)), m = 0;
	unsigned lacks = 0;

	if (texts == NULL || at == NULL)
		return err_set(err, RC_LIMIT, "too many texts at once");
	for (size_t k = 0; k < n; k++) {
		if (fetch_lacks(f, k) == 0)
			continue;
		lacks |= fetch_lacks(f, k);
		f->ids[m] = f->ids[k];
		at[m++] = k;
	}
	if (m == 0)
		return RC_OK;
	enum rc rc = store_texts(
		s->house->store, s->account, f->ids, m, lacks, f->mem, texts, err);
	for (size_t i = 0; i < m && rc == RC_OK; i++)
		f->texts[at[i]] = texts[i];
	return rc;
}

static enum rc
load_all(struct fetch *f, size_t n, struct err *err)
{
	struct imap_session *s = f->s;
	unsigned lacks = f->texts_wanted;

	for (size_t k = 0; k < n; k++)
		lacks |= fetch_lacks(f, k);
	return store_texts(
		s->house->store, s->account, f->ids, n, lacks, f->mem, f->texts, err);
}

static enum rc
load_items(struct fetch *f, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n; i++)
		f->ids[i] = &f->rows[f->from + i].id;
	memset(f->texts, 0, n * sizeof(*f->texts));
	memset(f->items, 0, n * sizeof(*f->items));
	if ((f->items_wanted & STORE_ENVELOPE) != 0)
		rc = load_item(f, n, STORE_ITEM_ENVELOPE, err);
	if (rc == RC_OK && (f->items_wanted & STORE_STRUCTURE) != 0)
		rc = load_item(f, n, STORE_ITEM_STRUCTURE, err);
	return rc;
}

static bool
is_complete(const struct fetch *f, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (fetch_lacks(f, k) != 0)
			return false;
	return !f->needs_row;
}

enum rc
fetch_load(struct fetch *f, size_t *n, struct err *err)
{
	size_t left = f->nrows - f->from;
	size_t most = left < f->window ? left : f->window;
	enum rc rc;

	arena_reset(f->mem);
	*n = f->needs_row || f->narrow ? most : left;
	if ((rc = load_items(f, *n, err)) != RC_OK || is_complete(f, *n))
		return rc;
	*n = most;
	return f->needs_row ? load_all(f, *n, err) : load_some(f, *n, err);
}

void
fetch_made(struct fetch *f, enum store_item item, size_t at)
{
	const struct buf *b = &f->s->out;
	struct store_item_made m = { .id = f->rows[f->i].id, .item = item };

	/* what a scanner has told just now may be not what the row says */
	if (!buf_ok(b) || f->learnt[f->i - f->from].tried ||
		b->len - at > STORE_ITEM_MOST)
		return;
	if (arena_copy(f->facts, str_skip(buf_str(b), at), &m.text) == RC_OK)
		f->made[f->nmade++] = m;
}

void
fetch_keep_made(struct fetch *f)
{
	struct imap_session *s = f->s;
	struct err err = { 0 };

	if (f->nmade > 0 && store_items_keep(s->house->store, s->account, f->made,
				    f->nmade, &err) != RC_OK)
		log_debug("msg=\"items of FETCH are not kept\" why=\"%s\"", err.text);
	f->nmade = 0;
	arena_reset(f->facts);
}
