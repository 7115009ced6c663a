/* SPDX-License-Identifier: ISC */
/*
 * imap_fetch_texts: what the index has of the messages that FETCH tells: items as they are
 * sent (store/items.h), and where there are none, or more is asked for, texts.
 */
#pragma once

#include "imap/imap_fetch_int.h"

/* Items as they are sent; "": none is kept, and they are made from the texts. */
struct fetch_items {
	str envelope, structure;
};

/* Items and texts of the rows [f->from, f->from + *n): the slice where its items say it all,
 * else a window. */
enum rc fetch_load(struct fetch *f, size_t *n, struct err *err) MUST_CHECK;
/* What is still to be known of a message of the window (enum store_text, or-ed). */
unsigned fetch_lacks(const struct fetch *f, size_t k);
/* An item of the message that is told stands in s->out from `at`: it may be kept. */
void fetch_made(struct fetch *f, enum store_item item, size_t at);
void fetch_keep_made(struct fetch *f);

static inline const struct fetch_items *
fetch_items(const struct fetch *f)
{
	return &f->items[f->i - f->from];
}
