/* SPDX-License-Identifier: ISC */
/*
 * search: the text of the accounts' messages, data/search/N.db, in the same 16 shards
 * as the index (doc/full-text.md).
 *
 * Two rows for each message: its header fields, decoded, a line each; and each
 * different word of its text once; both folded (wire/sortkey.h).  A word is what stands between blanks, so a text
 * without a blank in it is a substring of the message exactly when it is one of a word:
 * SEARCH (RFC 9051 6.4.4) is answered from here without opening messages, and only texts of several words, messages
 * that came a moment ago and what no scanner could read have to be looked at.
 *
 * Derived from the messages and filled in the background (deliver/fulltext.h): it
 * lags behind, may lose its end in a power cut and may be removed altogether.  Each
 * account has a mark, the made_modseq up to which its messages are in, written
 * in the same transaction.
 *
 * Any thread; each shard has its lock.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/ids.h"
#include "base/str.h"

struct search;

enum {
	SEARCH_KEYS = 64,		/* in one question */
	SEARCH_HEAD_MOST = 64 * 1024,	/* bytes of a message's header fields that are taken */
	SEARCH_TEXT_MOST = 1024 * 1024,	/* and of its text; what is longer is never surely without a word */
};

struct search_want {
	int data;
	size_t cache_bytes; /* of each database */
	bool read_only;
};

enum rc search_open(
	const struct search_want *w, struct search **out, struct err *err) MUST_CHECK;
void search_close(struct search **sp);

struct search_doc {
	struct msg_id id;
	uint64_t modseq;	/* email.made_modseq */
	bool unread;		/* the texts are empty because nobody could read it */
	bool cut;		/* there is more of them */
	/* UTF-8: "From: Fred <f@example.org>\n…"; addresses as an envelope has them, where
	 * that is not how they were written, in lines of their own: ":From: …" */
	str head, text;
};

struct search_news {
	uint64_t account;
	const struct search_doc *list;
	size_t n;
};

/* Messages of several accounts, all of one shard (account % STORE_SHARDS), each account's in the order of
 * their modseq, and their marks; all or nothing.  Those up to the mark are passed over. */
enum rc search_add(struct search *s, const struct search_news *news, size_t n,
	struct err *err) MUST_CHECK;
/* 0: nothing is in. */
enum rc search_mark(
	struct search *s, uint64_t account, uint64_t *modseq, struct err *err) MUST_CHECK;
enum rc search_forget(struct search *s, uint64_t account, struct err *err) MUST_CHECK;
/* Messages that have left the account. */
enum rc search_remove(struct search *s, uint64_t account, const struct msg_id *ids, size_t n,
	struct err *err) MUST_CHECK;

enum search_says { SEARCH_NO, SEARCH_YES, SEARCH_MAYBE };

struct search_key {
	bool head, text;	/* where */
	str field;		/* of head: in this field alone, whatever its case; "": in all of it;
				 * ":From": in From, and in its addresses as an envelope has them */
	str what;		/* folded; "": the field is there */
};

/* Looks at n messages of an account (ids ascending): says[i * nkeys + k], enum search_says.
 * MAYBE: look at the message.  Quick for a few hundred at a time. */
enum rc search_look(struct search *s, uint64_t account, const struct msg_id *ids, size_t n,
	const struct search_key *keys, size_t nkeys, uint8_t *says, struct err *err) MUST_CHECK;
