/* SPDX-License-Identifier: ISC */
/*
 * own_mail: one mail of our own into one mailbox, by house's own journal (deliver/own.h): text, with the facts that a
 * scanner would have found.  Its id comes from the register, where it was written down before: the record
 * (JREC_NOTICE) is entered there, and so it comes once.
 */
#pragma once

#include "deliver/own.h"

struct own_mail {
	str hostname;
	const struct account *to;
	struct msg_id id;
	uint64_t made_ms;
	str subject; /* UTF-8, one line; encoded here (RFC 2047) */
	str text; /* UTF-8, lines ended by LF, each at most 998 bytes */
	str reason; /* for the ledger: "a notice of our own" */
};

/* With the turn (own_take).  RC_OK: it is, or will be, in the mailbox. */
enum rc own_mail_deliver(
	struct own *own, const struct own_mail *m, struct err *err) MUST_CHECK;
