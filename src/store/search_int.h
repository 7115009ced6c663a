/* SPDX-License-Identifier: ISC */
/* search_int: what the files of full text share.  Private to store/. */
#pragma once

#include "db/db.h"
#include "store/search.h"

enum search_part { SEARCH_HEAD, SEARCH_WORDS };		/* text.part */
enum { SEARCH_UNREAD = 1, SEARCH_CUT = 2 };		/* text.flags */

/* search_look() with the shard's lock. */
enum rc search_look_in(struct db *db, uint64_t account, const struct msg_id *ids, size_t n,
	const struct search_key *keys, size_t nkeys, uint8_t *says, struct err *err) MUST_CHECK;
