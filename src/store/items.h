/* SPDX-License-Identifier: ISC */
/*
 * items: ENVELOPE and BODYSTRUCTURE as FETCH sends them (wire/imap_structure.h), so that to
 * answer is to copy.
 *
 * Derived from the facts in `email`, which never change once they are there, and removed with
 * them: made when a message is delivered, and where there is none (messages of older versions,
 * facts that a scanner told later) by the first who asks.  Longer ones than STORE_ITEM_MOST are made
 * every time.  Any thread.
 */
#pragma once

#include "store/store.h"

enum store_item { STORE_ITEM_ENVELOPE = 1, STORE_ITEM_STRUCTURE = 2 };
enum { STORE_ITEM_MOST = 4096 };

/* n messages of one account, in the order given; out[i] "": none is kept. */
enum rc store_items(struct store *s, uint64_t account, const struct msg_id *const ids[], size_t n,
	enum store_item item, struct arena *mem, str *out, struct err *err) MUST_CHECK;

struct store_item_made {
	struct msg_id id;
	enum store_item item;
	str text;	/* at most STORE_ITEM_MOST */
};

/* Made from what store_texts() gave.  Nothing is kept of messages that have gone meanwhile. */
enum rc store_items_keep(struct store *s, uint64_t account, const struct store_item_made *list,
	size_t n, struct err *err) MUST_CHECK;
