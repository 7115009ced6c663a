/* SPDX-License-Identifier: ISC */
/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3.4 to 6.3.8). */
#include <inttypes.h>

#include "imap/imap_int.h"

enum { USE_LEN = 40 };

/* What the store said, with the codes of RFC 5530 for names. */
static enum imap_did
name_failed(struct imap_session *s, enum rc rc, const struct err *err)
{
	str text;

	if (rc != RC_BAD)
		return imap_failed(s, rc, err);
	if (arena_copy(s->cmd.mem, str_of(err->text), &text) != RC_OK)
		text = STR("it is there already");
	return imap_no(s, "ALREADYEXISTS", text.ptr);
}

/* A name, and how the client wrote it.  false: s->reply is set. */
struct named {
	str wire, name;
};

static bool
read_name(struct imap_session *s, struct named *n, bool *folder)
{
	struct err err = { 0 };
	enum rc rc;

	if (!lex_sp(&s->cmd.x) || !lex_astring(&s->cmd.x, &n->wire)) {
		(void)imap_bad(s);
		return false;
	}
	rc = imap_name_in(n->wire, imap_utf8(s), s->cmd.mem, &n->name, folder, &err);
	if (rc != RC_OK) /* a name that no mailbox can have */
		(void)imap_failed(s, rc == RC_BAD ? RC_PERM : rc, &err);
	if (rc == RC_OK && folder != NULL && *folder)
		n->wire.len--;
	return rc == RC_OK;
}

/* RFC 9051 6.3.9.7: the client is told by which name we know what it named otherwise. */
static void
put_old_name(struct imap_session *s, const char *flags, str name, str old)
{
	buf_addf(&s->out, "* LIST (%s) \"/\" ", flags);
	imap_put_mailbox(s, name);
	buf_addz(&s->out, " (\"OLDNAME\" (");
	imap_put_name(&s->out, old, true);
	buf_addz(&s->out, "))\r\n");
}

static bool
is_other(struct imap_session *s, const struct named *n)
{
	return imap_rev2(s) && !str_eq(n->wire, n->name);
}

/* ---- CREATE ---- */

/* "(USE (\Sent))": RFC 6154 3.  More than one use of a mailbox is not for us. */
static bool
read_use(struct imap_session *s, str *use, bool *several)
{
	struct imap_lex *x = &s->cmd.x;
	BUF_AUTO b = BUF(USE_LEN);
	str atom;

	if (!lex_char(x, '(') || !lex_word(x, STR("USE")) || !lex_sp(x) ||
		!lex_char(x, '('))
		return false;
	for (bool first = true; !lex_char(x, ')'); first = false) {
		if ((!first && !lex_sp(x)) || !lex_char(x, '\\') || !lex_atom(x, &atom))
			return false;
		*several |= !first;
		buf_clear(&b);
		buf_addc(&b, '\\');
		buf_add(&b, atom);
	}
	return lex_char(x, ')') && arena_copy(s->cmd.mem, buf_str(&b), use) == RC_OK;
}

/* As the store spells it; "" where it is nothing we know. */
static str
known_use(str use)
{
	static const str uses[] = { STR_INIT("\\Archive"), STR_INIT("\\Drafts"),
		STR_INIT("\\Junk"), STR_INIT("\\Sent"), STR_INIT("\\Trash") };

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (str_ieq(use, uses[i]))
			return uses[i];
	return STR("");
}

static enum imap_did
created(struct imap_session *s, const struct named *n, uint64_t id)
{
	BUF_AUTO code = BUF(64);
	str text;

	if (is_other(s, n))
		put_old_name(s, "", n->name, n->wire);
	buf_addf(&code, "MAILBOXID (F%" PRIu64 ")", id); /* RFC 8474 4.1 */
	if (arena_copy(s->cmd.mem, buf_str(&code), &text) != RC_OK)
		return imap_ok(s, NULL, "created");
	return imap_ok(s, text.ptr, "created");
}

enum imap_did
cmd_create(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	str use = STR(""), special;
	bool folder = false, several = false;
	struct err err = { 0 };
	struct named n;
	uint64_t id;
	enum rc rc;

	if (!read_name(s, &n, &folder))
		return IMAP_DONE;
	if (!lex_end(x) && (!lex_sp(x) || !read_use(s, &use, &several) || !lex_end(x)))
		return imap_bad(s);
	special = known_use(use);
	if (several || str_empty(special) != str_empty(use))
		return imap_no(s, "USEATTR", "no mailbox is used for that here");
	rc = mailbox_create(s->house->store, s->account, n.name, special, &id, &err);
	if (rc == RC_PERM && !str_empty(special))
		return imap_no(s, "USEATTR", "another mailbox is used for that");
	if (rc != RC_OK)
		return name_failed(s, rc, &err);
	return created(s, &n, id);
}

/* ---- DELETE ---- */

/* Is it a level of other names? */
static bool
has_children(struct imap_session *s, str name)
{
	struct mailbox *list;
	size_t n;

	if (mailbox_list(s->house->store, s->account, false, s->cmd.mem, &list, &n,
		    NULL) != RC_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		if (list[i].name.len > name.len && list[i].name.ptr[name.len] == '/' &&
			str_starts(list[i].name, name))
			return true;
	return false;
}

enum imap_did
cmd_delete(struct imap_session *s)
{
	struct store *store = s->house->store;
	struct err err = { 0 };
	struct mailbox m;
	struct named n;
	enum rc rc;

	if (!read_name(s, &n, NULL))
		return IMAP_DONE;
	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	rc = mailbox_by_name(store, s->account, n.name, false, s->cmd.mem, &m, &err);
	if (rc == RC_OK)
		rc = mailbox_delete(store, s->account, n.name, &err);
	if (rc == RC_NONE && has_children(s, n.name))
		return imap_no(s, "HASCHILDREN", "that is only a part of other names");
	if (rc != RC_OK)
		return name_failed(s, rc, &err);
	/* One's own mailbox: there is nothing left that could be told of it. */
	if (s->box.view != NULL && view_mailbox(s->box.view) == m.id) {
		imap_unselect(s);
		if (imap_rev2(s) || (s->enabled & ENABLED_QRESYNC) != 0)
			buf_addz(&s->out, "* OK [CLOSED] the mailbox was deleted\r\n");
	}
	if (is_other(s, &n))
		put_old_name(s, "\\NonExistent", n.name, n.wire);
	return imap_ok(s, NULL, "deleted; it can be brought back for two weeks");
}

/* ---- RENAME ---- */

struct renaming {
	struct named from, to;
	struct inbox_move inbox; /* a large one takes several turns */
};

/* NULL: the reply says why. */
static struct renaming *
begin_rename(struct imap_session *s)
{
	struct renaming *r = arena_new_of(s->cmd.mem, struct renaming);

	if (r == NULL)
		return (void)imap_no(s, "LIMIT", "no memory for that"), NULL;
	if (!read_name(s, &r->from, NULL) || !read_name(s, &r->to, NULL))
		return NULL;
	if (!lex_end(&s->cmd.x))
		return (void)imap_bad(s), NULL;
	s->cmd.state = r;
	return r;
}

enum imap_did
cmd_rename(struct imap_session *s)
{
	struct store *store = s->house->store;
	struct renaming *r = s->cmd.state;
	struct err err = { 0 };
	bool more = false;
	enum rc rc;

	if (r == NULL && (r = begin_rename(s)) == NULL)
		return IMAP_DONE;
	if (str_ieq(r->from.name, STR("INBOX")))
		rc = mailbox_empty_inbox(
			store, s->account, r->to.name, &r->inbox, &more, &err);
	else
		rc = mailbox_rename(store, s->account, r->from.name, r->to.name, &err);
	if (rc != RC_OK)
		return name_failed(s, rc, &err);
	if (more)
		return IMAP_MORE;
	if (is_other(s, &r->from) || is_other(s, &r->to))
		put_old_name(s, "", r->to.name, r->from.wire);
	return imap_ok(s, NULL, "renamed");
}

/* ---- SUBSCRIBE ---- */

/* The name need not be a mailbox's, and stays when it is none any more (RFC 9051 6.3.7). */
static enum imap_did
subscribe(struct imap_session *s, bool on)
{
	struct err err = { 0 };
	struct named n;
	enum rc rc;

	if (!read_name(s, &n, NULL))
		return IMAP_DONE;
	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	rc = mailbox_subscribe(s->house->store, s->account, n.name, on, &err);
	return rc == RC_OK ? imap_ok(s, NULL, on ? "subscribed" : "no longer subscribed")
			   : name_failed(s, rc, &err);
}

enum imap_did
cmd_subscribe(struct imap_session *s)
{
	return subscribe(s, true);
}

enum imap_did
cmd_unsubscribe(struct imap_session *s)
{
	return subscribe(s, false);
}
