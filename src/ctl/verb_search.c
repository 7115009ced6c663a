/* SPDX-License-Identifier: ISC */
/* Full text and the command line: asking it, and forgetting an account's. */
#include <stdlib.h>

#include "ctl/ctl_int.h"
#include "store/learn.h"
#include "wire/sortkey.h"

enum { SEARCH_CACHE = 1 << 20 };

/* House's, or our own where no server runs; *own: to be closed. */
static enum rc
open_search(struct verb_io *io, struct search **out, bool *own)
{
	const struct search_want w = { .data = io->data, .cache_bytes = SEARCH_CACHE };

	*own = io->search == NULL;
	*out = io->search;
	return *own ? search_open(&w, out, &io->err) : RC_OK;
}

enum rc
verb_remove_mail(struct verb_io *io, uint64_t account)
{
	struct search *s;
	bool own;
	enum rc rc = store_account_remove(io->store, account, &io->err);

	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	rc = open_search(io, &s, &own);
	if (rc != RC_OK)
		return rc;
	rc = search_forget(s, account, &io->err);
	if (own)
		search_close(&s);
	return rc;
}

struct verb_hits {
	struct search *search;
	bool own;
	uint64_t account, waiting;
	size_t n;
	struct search_key keys[SEARCH_KEYS];
};

void
verb_hits_free(struct verb_hits **hp)
{
	struct verb_hits *h = *hp;

	if (h == NULL)
		return;
	if (h->own)
		search_close(&h->search);
	free(h);
	*hp = NULL;
}

enum rc
verb_is_hit(const struct verb_hits *h, const struct msg_id *id, bool *hit, bool *sure,
	struct err *err)
{
	uint8_t says[SEARCH_KEYS];
	enum rc rc = search_look(h->search, h->account, id, 1, h->keys, h->n, says, err);

	*hit = *sure = true;
	for (size_t i = 0; i < h->n && rc == RC_OK; i++) {
		*hit = *hit && says[i] != SEARCH_NO;
		*sure = *sure && says[i] == SEARCH_YES;
	}
	return rc;
}

uint64_t
verb_hits_account(const struct verb_hits *h)
{
	return h->account;
}

uint64_t
verb_hits_waiting(const struct verb_hits *h)
{
	return h->waiting;
}

/* A key each: all of them must be somewhere in the message. */
static enum rc
take_words(struct verb_io *io, struct verb_hits *h, int n, char **words)
{
	BUF_AUTO folded = BUF(64 * 1024);

	if (n > SEARCH_KEYS)
		return err_set(&io->err, RC_BAD, "at most %d words at once", SEARCH_KEYS);
	for (int i = 0; i < n; i++) {
		struct search_key *k = &h->keys[h->n++];

		*k = (struct search_key){ .head = true, .text = true };
		buf_clear(&folded);
		sortkey_fold(str_of(words[i]), &folded);
		if (arena_copy(io->mem, buf_str(&folded), &k->what) != RC_OK)
			return err_set(&io->err, RC_LIMIT, "the words are too long");
	}
	return RC_OK;
}

static enum rc
ask(struct verb_io *io, int n, char **words, struct verb_hits *h)
{
	struct store_newer newer[STORE_NEWER];
	uint64_t mark;
	size_t waiting = 0;
	enum rc rc = take_words(io, h, n, words);

	if (rc == RC_OK)
		rc = search_mark(h->search, h->account, &mark, &io->err);
	if (rc == RC_OK)
		rc = store_newer(io->store, h->account, mark, newer, &waiting, &io->err);
	h->waiting = waiting;
	return rc;
}

enum rc
verb_search(
	struct verb_io *io, uint64_t account, int n, char **words, struct verb_hits **out)
{
	struct verb_hits *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	*out = h;
	h->account = account;
	enum rc rc = open_search(io, &h->search, &h->own);
	return rc == RC_OK ? ask(io, n, words, h) : rc;
}
