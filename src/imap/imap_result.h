/* SPDX-License-Identifier: ISC */
/*
 * imap_result: what a search or a sort found, as an answer: "* SEARCH 1 2 3", "* SORT 3 1",
 * "* ESEARCH (TAG "a") UID MIN 2 COUNT 7 …" (RFC 9051 7.3.4, RFC 4731, 5267 3, 7162 3.1.5,
 * 9394), and which of it '$' refers to afterwards (RFC 5182 2.4, RFC 9394 3.2).  Pure; any
 * thread.
 */
#pragma once

#include "base/buf.h"
#include "wire/imap_search.h"

enum result_form { RESULT_SEARCH, RESULT_SORT, RESULT_ESEARCH };

struct result {
	enum result_form form;
	str tag;
	bool uid;		/* said in ESEARCH; `numbers` are UIDs then */
	unsigned wants;		/* enum imap_return, or-ed */
	int64_t partial_from, partial_to;
	size_t n;
	const uint32_t *numbers;	/* in the order of the answer */
	const uint64_t *modseqs;	/* of each; NULL: nobody asked for MODSEQ */
	/* how far it is written; all 0 at the beginning */
	unsigned stage;
	size_t at;
};

/* Writes on, until about `enough` bytes are in b: true when it is complete. */
bool result_put(struct result *r, struct buf *b, size_t enough);

/* Those of n that are returned, and so saved: [from, to), the first if `min`, and the last if `max`. */
struct result_part {
	size_t from, to;
	bool min, max;
};

struct result_part result_chosen(unsigned wants, int64_t partial_from, int64_t partial_to, size_t n);

/* A number in decimal; answers may hold a million. */
void result_number(struct buf *b, uint32_t n);
