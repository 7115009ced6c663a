/* SPDX-License-Identifier: ISC */
/* Full text and the command line: asking it, and forgetting an account's. */
#include <stdlib.h>

#include "base/map.h"
#include "ctl/ctl_int.h"
#include "store/learn.h"

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

struct hit {
	struct msg_id id;
	UT_hash_handle hh;
};

struct verb_hits {
	uint64_t account, waiting;
	struct hit *at;
};

void
verb_hits_free(struct verb_hits **hp)
{
	struct verb_hits *h = *hp;
	struct hit *i, *next;

	if (h == NULL)
		return;
	HASH_ITER(hh, h->at, i, next)
	{
		HASH_DEL(h->at, i);
		free(i);
	}
	free(h);
	*hp = NULL;
}

bool
verb_is_hit(const struct verb_hits *h, const struct msg_id *id)
{
	struct hit *i;

	HASH_FIND(hh, h->at, id->text, strlen(id->text), i);
	return i != NULL;
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

/* Those that nobody could read are named too: they may hold anything. */
static enum rc
take(const struct msg_id *id, bool sure, void *arg, struct err *err)
{
	struct verb_hits *h = arg;
	struct hit *i;

	(void)sure;
	(void)err;
	if (verb_is_hit(h, id))
		return RC_OK;
	i = calloc(1, sizeof(*i));
	if (i == NULL)
		abort();
	i->id = *id;
	HASH_ADD_KEYPTR(hh, h->at, i->id.text, strlen(i->id.text), i);
	return RC_OK;
}

static enum rc
ask(struct verb_io *io, struct search *s, int n, char **words, struct verb_hits *h)
{
	struct store_newer newer[STORE_NEWER];
	str at[VERB_ARGS];
	uint64_t mark;
	size_t waiting = 0;
	enum rc rc = search_mark(s, h->account, &mark, &io->err);

	for (int i = 0; i < n && i < VERB_ARGS; i++)
		at[i] = str_of(words[i]);
	if (rc == RC_OK)
		rc = store_newer(io->store, h->account, mark, newer, &waiting, &io->err);
	h->waiting = waiting;
	if (rc == RC_OK)
		rc = search_find(
			s, h->account, SEARCH_ALL, at, (size_t)n, take, h, &io->err);
	return rc;
}

enum rc
verb_search(
	struct verb_io *io, uint64_t account, int n, char **words, struct verb_hits **out)
{
	struct search *s;
	bool own;
	enum rc rc = open_search(io, &s, &own);

	if (rc != RC_OK)
		return rc;
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		abort();
	(*out)->account = account;
	rc = ask(io, s, n, words, *out);
	if (own)
		search_close(&s);
	return rc;
}
