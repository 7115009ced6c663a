/* SPDX-License-Identifier: ISC */
/*
 * left: what is remembered of messages that left a mailbox (table `expunged`), for clients that
 * come back (VANISHED, RFC 7162 3.2.6).  The newest are kept; who was away for longer
 * is told of every UID that is not there, which the RFC allows and costs only bytes.
 * Private to store/; with the shard's lock.
 */
#pragma once

#include "store/change_int.h"

enum {
	LEFT_MOST = 50 * 1000,		/* of a mailbox */
	LEFT_FEW = 2000,		/* those each may have */
	LEFT_ACCOUNT = 400 * 1000,	/* in all mailboxes, beside that */
};

/* n rows were added as of this transaction: old ones go. */
enum rc left_grew(struct tx *t, uint64_t mailbox, size_t n, struct err *err) MUST_CHECK;
/* All that left after *since is known; 0: all. */
enum rc left_since(struct shard *sh, uint64_t account, uint64_t mailbox, uint64_t *since,
	struct err *err) MUST_CHECK;
/* The mailbox is no more. */
enum rc left_clear(struct tx *t, uint64_t mailbox, struct err *err) MUST_CHECK;
/* Older data was put back: what left meanwhile is not known. */
enum rc left_renew(struct shard *sh, uint64_t modseq, struct err *err) MUST_CHECK;
