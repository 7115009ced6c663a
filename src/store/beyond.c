/* SPDX-License-Identifier: ISC */
/*
 * A mailbox gives 2^32 - 2 UIDs in its life.  After the last one a reader is refused, but what is
 * delivered has been accepted: it goes into INBOX, and when that has none left, into "INBOX 2"
 * and so on.  New numbers for INBOX, with a new UIDVALIDITY, would let a session that does not know
 * yet change a message that it does not mean.
 */
#include <stdio.h>

#include "store/mailbox_int.h"

enum { MEMORY = 64 * 1024, MOST = 1000 };

/* RC_NONE: no such mailbox. */
static enum rc
has_uids(struct tx *t, str name, uint64_t *id, bool *has, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT mailbox_id, uidnext FROM mailbox WHERE account_id = ? AND name = ?",
		err);
	db_bind_u64(q, 1, t->a.id);
	db_bind_str(q, 2, name);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*id = db_u64(q, 0);
	*has = db_u64(q, 1) < UINT32_MAX;
	db_reset(q);
	return RC_OK;
}

static enum rc
find(struct tx *t, uint64_t *id, struct err *err)
{
	for (unsigned i = 2; i < MOST; i++) {
		struct box made;
		char name[32];
		bool has = false;
		enum rc rc;

		(void)snprintf(name, sizeof(name), "INBOX %u", i);
		rc = has_uids(t, str_of(name), id, &has, err);
		if (rc == RC_OK && !has)
			continue;
		if (rc == RC_NONE) {
			rc = mailbox_make(t, str_of(name), STR(""), &made, err);
			*id = made.id;
		}
		return rc;
	}
	return err_set(err, RC_TEMP, "the account has used up its UIDs");
}

enum rc
mailbox_beyond_inbox(struct shard *sh, struct account *a, struct notes *notes,
	uint64_t *id, struct err *err)
{
	ARENA_AUTO mem = arena_new(MEMORY);
	struct tx t = {
		.sh = sh, .a = *a, .modseq = a->modseq, .notes = *notes, .mem = mem
	};
	enum rc rc = find(&t, id, err);

	*a = t.a;
	*notes = t.notes;
	return rc;
}
