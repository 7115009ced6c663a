/* SPDX-License-Identifier: ISC */
/* imap_append: an APPEND or REPLACE under way; private to imap_append*.c. */
#pragma once

#include "crypto/digest.h"
#include "imap/imap_int.h"

enum { TOGETHER = 16 };		/* messages of one command: times APPENDLIMIT */

enum append_step { AT_WORDS, AT_BYTES, AT_LINE, AT_ERRAND, AT_END };

struct piece {			/* one message */
	struct fs_spool file;
	uint64_t size, received_ms;
	struct imap_flags flags;
	uint8_t digest[32];
	uint32_t uid;
};

struct append_words {		/* what stands before one */
	struct imap_flags flags;
	bool has_date, utf8;
	uint64_t received_ms;
};

struct appending {
	enum append_step step;
	enum imap_did did;
	bool mine, replace, utf8;	/* utf8: of the message under way */
	bool failed;			/* nothing is kept any more; `why` is told in the end */
	struct imap_reply why;
	struct imap_lex x;
	struct imap_literal literal;
	uint64_t left, thrown, together, until_ms;
	struct sha256 *digest;

	struct imap_house *house;
	const struct conf *conf;
	uint64_t account, mailbox, replaces_mailbox;
	uint32_t replaces;
	uint64_t room, credit;	/* of the quota; bytes that go with what is replaced */
	uint64_t places;	/* how many messages more there may be */
	size_t n;
	struct piece *at;

	uint32_t uidvalidity;	/* of the errand's end */
	enum rc rc;
	struct err err;
};

/* " (\Seen) \"date\" UTF8 (~{5}": all of it; false: x->why. */
bool imap_append_words(struct imap_lex *x, struct append_words *out);
/* The errand: facts, then the journal. */
void imap_append_work(void *appending);
