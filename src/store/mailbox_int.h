/* SPDX-License-Identifier: ISC */
/* mailbox_int: what the mailbox files share.  Private to store/; with the shard's lock. */
#pragma once

#include "store/change_int.h"
#include "store/mailbox.h"

/* RC_PERM with a sentence: no mailbox can have this name. */
enum rc mailbox_name_check(str name, struct err *err) MUST_CHECK;
/* RC_OK: a mailbox has that name; RC_NONE: none. */
enum rc mailbox_taken(struct tx *t, str name, struct err *err) MUST_CHECK;
/* Does a mailbox have that special-use attribute?  RC_NONE: none. */
enum rc mailbox_with_special(struct tx *t, str special, struct err *err) MUST_CHECK;
/* RC_LIMIT: the account has MAILBOXES_MOST, deleted ones among them. */
enum rc mailbox_room(struct tx *t, struct err *err) MUST_CHECK;
/* A new row with an id and a UIDVALIDITY of its own. */
enum rc mailbox_make(struct tx *t, str name, str special, struct box *out, struct err *err)
	MUST_CHECK;
/* The name is no longer, or from now on, subscribed without a mailbox; *was: it had been. */
enum rc subscription_forget(struct tx *t, str name, bool *was, struct err *err) MUST_CHECK;
enum rc subscription_keep(struct tx *t, str name, struct err *err) MUST_CHECK;
/* CHANGE_MOST messages of a deleted mailbox go, and the mailbox when there are no more (RC_NONE).
 * Without the shard's lock. */
enum rc mailbox_prune_round(struct store *s, uint64_t account, uint64_t id, uint64_t before_ms,
	struct err *err) MUST_CHECK;
