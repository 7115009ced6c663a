/* SPDX-License-Identifier: ISC */
/* imap_names: what LIST, LSUB and STATUS share.  Private to imap/. */
#pragma once

#include "imap/imap_int.h"

enum status_item {
	ST_MESSAGES = 1, ST_UIDNEXT = 2, ST_UIDVALIDITY = 4, ST_UNSEEN = 8, ST_RECENT = 16,
	ST_DELETED = 32, ST_SIZE = 64, ST_MODSEQ = 128, ST_MAILBOXID = 256, ST_APPENDLIMIT = 512,
	ST_DELETED_STORAGE = 1024,
	ST_SUMS = ST_DELETED | ST_SIZE | ST_DELETED_STORAGE,	/* rows have to be read for these */
};

/* "(MESSAGES UNSEEN)"; enum status_item, or-ed. */
bool imap_status_items(struct imap_session *s, unsigned *items);
void imap_put_status(struct imap_session *s, const struct mailbox *m, unsigned items);

/*
 * The names of an account as a tree: its mailboxes, subscribed names without a mailbox if `lost`,
 * and the levels above them, each once, everything below a name directly behind it.
 */
struct imap_node {
	str name;
	const struct mailbox *m;	/* NULL: there is none */
	size_t up;			/* the level above; SIZE_MAX: none */
	bool subscribed;
	bool children;			/* there are mailboxes below */
	bool matches, level;		/* the patterns; one that asks for levels, too */
	bool meets, below, hidden;	/* LIST's selection: this, one below, one below that does not match */
};

struct imap_tree {
	size_t n;
	struct imap_node *at;
};

enum rc imap_tree_read(struct imap_session *s, bool lost, struct imap_tree *out, struct err *err)
	MUST_CHECK;

/* LIST's patterns, interpreted. */
enum { PATTERNS_MOST = 64, PATTERN_BYTES = 4096 };

struct imap_patterns {
	size_t n;
	str at[PATTERNS_MOST];
};

/* false: there are too many, or one that is too long. */
bool imap_pattern_add(struct imap_session *s, struct imap_patterns *p, str reference, str pattern);
void imap_pattern_match(const struct imap_patterns *p, struct imap_node *n);
