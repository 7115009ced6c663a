/* SPDX-License-Identifier: ISC */
/*
 * imap_search: SEARCH, SORT and THREAD as trees (RFC 9051 6.4.4; ESEARCH with SAVE, WITHIN RFC 5032,
 * PARTIAL RFC 9394, SORT and THREAD RFC 5256, SORT=DISPLAY RFC 5957, MODSEQ RFC 7162,
 * SAVEDBEFORE… RFC 8514, EMAILID, THREADID RFC 8474).  Any thread.
 */
#pragma once

#include "wire/imap_set.h"

enum imap_key {
	KEY_ALL, KEY_AND, KEY_OR, KEY_NOT,
	KEY_SEQ, KEY_UID,			/* set */
	KEY_FLAG,				/* flag (enum imap_flag) */
	KEY_KEYWORD,				/* text */
	KEY_RECENT, KEY_NEW, KEY_OLD,		/* rev1 */
	KEY_BEFORE, KEY_ON, KEY_SINCE,		/* days; which date: */
	KEY_SENTBEFORE, KEY_SENTON, KEY_SENTSINCE,
	KEY_SAVEDBEFORE, KEY_SAVEDON, KEY_SAVEDSINCE, KEY_SAVEDATESUPPORTED,
	KEY_YOUNGER, KEY_OLDER,			/* seconds, in number */
	KEY_LARGER, KEY_SMALLER,		/* number */
	KEY_HEADER,				/* field (also for FROM, TO, CC, BCC, SUBJECT), text */
	KEY_BODY, KEY_TEXT,			/* text */
	KEY_MODSEQ,				/* number */
	KEY_EMAILID, KEY_THREADID,		/* text */
	KEY_NEVER,				/* matches nothing */
};

enum { IMAP_SEARCH_KEYS = 2000 };		/* in one program */

struct imap_search {
	enum imap_key key;
	struct imap_search *first, *next;	/* children of AND, OR, NOT; siblings */
	struct imap_set set;
	unsigned flag;
	int64_t days;
	uint64_t number;
	str field, text;	/* text in the command's charset */
};

enum imap_return {
	RETURN_MIN = 1, RETURN_MAX = 2, RETURN_ALL = 4, RETURN_COUNT = 8, RETURN_SAVE = 16,
	RETURN_PARTIAL = 32,
};

enum imap_sort_key {
	SORT_ARRIVAL, SORT_CC, SORT_DATE, SORT_FROM, SORT_SIZE, SORT_SUBJECT, SORT_TO,
	SORT_DISPLAYFROM, SORT_DISPLAYTO,
};

enum imap_thread_how { THREAD_REFERENCES, THREAD_ORDEREDSUBJECT };

enum { IMAP_SORTS = 20 };

struct imap_query {
	bool extended;		/* there was RETURN (…): answered by ESEARCH */
	unsigned wants;		/* enum imap_return, or-ed */
	int64_t partial_from, partial_to;
	size_t nsort;
	struct { enum imap_sort_key key; bool reverse; } sort[IMAP_SORTS];
	enum imap_thread_how thread;
	str charset;		/* "": none was named */
	bool uses_modseq, uses_text;	/* anywhere in it */
	struct imap_search *program;
};

/* What stands behind the command's name and a blank. */
bool lex_search(struct imap_lex *x, struct imap_query *out);
bool lex_sort(struct imap_lex *x, struct imap_query *out);
bool lex_thread(struct imap_lex *x, struct imap_query *out);
