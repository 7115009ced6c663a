/* SPDX-License-Identifier: ISC */
/*
 * RFC 9208: one quota root, "", for all mailboxes of an account.  What is set is its bytes; the number
 * of messages has no limit but that of UIDs.  Who has no quota has no root.
 */
#include <inttypes.h>

#include "directory/directory.h"
#include "imap/imap_int.h"

enum { KIB = 1024 }; /* RFC 9208 5.1: units of STORAGE */

static enum rc
quota_of(struct imap_session *s, uint64_t *bytes, struct err *err)
{
	struct account a;
	enum rc rc = account_by_id(s->house->directory, s->account, s->cmd.mem, &a, err);

	if (rc == RC_OK)
		*bytes = a.quota;
	return rc;
}

static enum rc
put_quota(struct imap_session *s, uint64_t limit, struct err *err)
{
	struct store_usage u = { 0 };
	enum rc rc = store_usage(s->house->store, s->account, &u, err);

	if (rc != RC_OK && rc != RC_NONE) /* NONE: nothing has come yet */
		return rc;
	buf_addf(&s->out,
		"* QUOTA \"\" (STORAGE %" PRIu64 " %" PRIu64 " MESSAGE %" PRIu64
		" %u)\r\n",
		(u.bytes + KIB - 1) / KIB, limit / KIB, u.messages, UINT32_MAX);
	return RC_OK;
}

enum imap_did
cmd_getquota(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	uint64_t limit = 0;
	struct err err = { 0 };
	str root;
	enum rc rc;

	if (!lex_sp(x) || !lex_astring(x, &root) || !lex_end(x))
		return imap_bad(s);
	if ((rc = quota_of(s, &limit, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	if (!str_empty(root) || limit == 0)
		return imap_no(s, "NONEXISTENT", "there is no such quota root");
	if ((rc = put_quota(s, limit, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	return imap_ok(s, NULL, "that is all");
}

/* The mailbox need not be there (RFC 9208 4.1.2). */
enum imap_did
cmd_getquotaroot(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	uint64_t limit = 0;
	struct err err = { 0 };
	str name;
	enum rc rc;

	if (!lex_sp(x))
		return imap_bad(s);
	if (!imap_mailbox_arg(s, &name))
		return IMAP_DONE;
	if (!lex_end(x))
		return imap_bad(s);
	if ((rc = quota_of(s, &limit, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	buf_addz(&s->out, "* QUOTAROOT ");
	imap_put_mailbox(s, name);
	buf_addz(&s->out, limit == 0 ? "\r\n" : " \"\"\r\n");
	if (limit != 0 && (rc = put_quota(s, limit, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	return imap_ok(s, NULL, "that is all");
}

enum imap_did
cmd_setquota(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	str root, resource;
	uint64_t limit;

	if (!lex_sp(x) || !lex_astring(x, &root) || !lex_sp(x) || !lex_char(x, '('))
		return imap_bad(s);
	while (!lex_char(x, ')'))
		if (!lex_atom(x, &resource) || !lex_sp(x) || !lex_number64(x, &limit) ||
			(!lex_sp(x) && !lex_peek(x, ')')))
			return imap_bad(s);
	if (!lex_end(x))
		return imap_bad(s);
	return imap_no(s, "NOPERM", "quotas are set by the administrator");
}
