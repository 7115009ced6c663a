/* SPDX-License-Identifier: ISC */
/* What readers put into their mailboxes themselves. */
#include <inttypes.h>

#include "deliver/audit_int.h"

enum { ACCOUNT_LOOK_MEM = 8 * 1024 };

static enum rc
check_file(struct audit *a, const struct jrec_append_item *i, struct err *err)
{
	const struct waiting_file f = { .id = i->id,
		.size = i->size,
		.trace_bytes = i->trace_bytes,
		.digest = i->digest };

	return audit_waiting_file(a, &f, err);
}

static enum rc
check_place(struct audit *a, const struct jrec_append *p, const struct msg_id *id,
	bool waiting, struct err *err)
{
	enum rc rc = audit_was_there(a, p->account, id, err);

	if (rc != RC_NONE)
		return rc;
	if (waiting && audit_in_incoming(a, id))
		return RC_OK;
	/* applied and cleared away while we looked? */
	if (waiting && (rc = audit_was_there(a, p->account, id, err)) != RC_NONE)
		return rc;
	audit_breach(a, "message %s, appended by account %" PRIu64 ", is not in it%s",
		id->text, p->account, waiting ? " and not in incoming/" : "");
	return RC_OK;
}

/* Without the account: it went with it. */
static enum rc
has_account(struct audit *a, uint64_t id, bool *there, struct err *err)
{
	ARENA_AUTO mem = arena_new(ACCOUNT_LOOK_MEM);
	struct account account;
	enum rc rc = account_by_id(a->w->directory, id, mem, &account, err);

	*there = rc == RC_OK;
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
audit_append(struct audit *a, const struct journal_state *j,
	const struct journal_item *item, uint64_t applied, struct err *err)
{
	struct jrec_append p;
	bool waiting = item->seq > applied, there = true;

	arena_reset(a->mem);
	if (strcmp(j->name, "house") != 0) {
		audit_breach(a,
			"record %" PRIu64 " of journal %s is one that only house writes",
			item->seq, j->name);
		return RC_OK;
	}
	if (jrec_get_append(item->payload, a->mem, &p) != RC_OK) {
		audit_breach(a, "record %" PRIu64 " of journal %s cannot be read",
			item->seq, j->name);
		return RC_OK;
	}
	enum rc rc = has_account(a, p.account, &there, err);
	for (size_t i = 0; i < p.n && rc == RC_OK && there; i++)
		if (!a->verify)
			rc = check_place(a, &p, &p.items[i].id, waiting, err);
		else if (waiting)
			rc = check_file(a, &p.items[i], err);
	return rc;
}
