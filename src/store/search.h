/* SPDX-License-Identifier: ISC */
/*
 * search: full text of the accounts' messages, data/search/N.db, in the same 16 shards
 * as the index (doc/full-text.md).
 *
 * Derived from the messages and filled in the background (deliver/fulltext.h): it
 * lags behind, may lose its end in a power cut and may be removed altogether.  Each
 * account has a mark, the made_modseq up to which its messages are in, written
 * in the same transaction.  What is behind the mark, and what no scanner could read,
 * must be looked at itself.
 *
 * A list has whole words, folded (store/search_words.h): good for choosing candidates,
 * not for saying no to a substring (RFC 9051 6.4.4).  Removed messages
 * stay in the lists until their shard is made anew; the doc rows of a removed
 * account go at once.
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
	SEARCH_WORDS = 16, /* in one question; more are left out */
	SEARCH_TEXT = 1024 * 1024, /* bytes of one text that are taken */
};

enum search_field {
	SEARCH_SUBJECT = 1,
	SEARCH_PEOPLE = 2,
	SEARCH_BODY = 4,
	SEARCH_ALL = 7
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
	uint64_t modseq; /* email.made_modseq */
	bool unread; /* the texts are empty because nobody could read it */
	str subject, people, body;
};

/* Messages of one account in the order of their modseq, and its mark; those up to the
 * mark are passed over. */
enum rc search_add(struct search *s, uint64_t account, const struct search_doc *list,
	size_t n, struct err *err) MUST_CHECK;

struct search_news {
	uint64_t account;
	const struct search_doc *list;
	size_t n;
};

/* The same of several accounts, all of one shard (account % STORE_SHARDS): all of it or
 * nothing.  A transaction costs more than the words of a short message. */
enum rc search_add_all(struct search *s, const struct search_news *news, size_t n,
	struct err *err) MUST_CHECK;
/* 0: nothing is in. */
enum rc search_mark(
	struct search *s, uint64_t account, uint64_t *modseq, struct err *err) MUST_CHECK;
enum rc search_forget(struct search *s, uint64_t account, struct err *err) MUST_CHECK;

/* The messages that hold all words in one of the fields (enum search_field, or-ed), and
 * those that could not be read, with `sure` false; fn runs without a lock. */
typedef enum rc search_fn(const struct msg_id *id, bool sure, void *arg, struct err *err);
enum rc search_find(struct search *s, uint64_t account, unsigned fields, const str *words,
	size_t n, search_fn *fn, void *arg, struct err *err) MUST_CHECK;
