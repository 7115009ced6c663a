/* SPDX-License-Identifier: ISC */
/*
 * append: messages that readers put into their mailboxes themselves (IMAP APPEND,
 * MULTIAPPEND, REPLACE; JMAP's import), through house's own journal (deliver/own.h) like
 * everything that comes in: spooled in incoming/, one record for all of a command, a sync that is shared
 * with whoever else commits, then into the mailbox: all of them or none (RFC 3502).
 *
 * A message has no trace block: its bytes are those that the client sent.  Any thread, several
 * at once.
 */
#pragma once

#include "base/fs.h"
#include "deliver/own.h"

enum { APPEND_MOST = 100 };	/* messages of one command */

struct append_item {
	struct fs_spool *file;	/* in own_incoming(), complete; dropped in any case */
	uint64_t size;
	uint8_t digest[32];
	uint64_t received_ms;	/* INTERNALDATE */
	unsigned flags;		/* enum store_flag */
	str keywords;		/* sorted, a blank between */
	str facts;		/* packed; "": they are asked of a scanner later */
	struct msg_id id;	/* out */
	uint32_t uid;		/* out */
};

struct append {
	uint64_t account, mailbox;
	size_t n;
	struct append_item *items;
	uint64_t replaces_mailbox;	/* REPLACE (RFC 8508): this message goes at the same */
	uint32_t replaces;		/* moment; 0: none */
};

/* RC_OK: on disk and in the mailbox; *uidvalidity and the items' uids are set.  RC_NONE: no
 * such mailbox (any more), RC_LIMIT: the disk is full, or too much for a record. */
enum rc own_append(struct own *o, struct append *a, uint32_t *uidvalidity, struct err *err)
	MUST_CHECK;
