/* SPDX-License-Identifier: ISC */
/* Full text and the command line: asking it, and forgetting an account's. */
#include "ctl/ctl_int.h"

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
