/* SPDX-License-Identifier: ISC */
/*
 * COPY, MOVE and their UID forms (RFC 9051 6.4.7, RFC 6851, RFC 4315).
 *
 * Many messages are copied or moved in slices of CHANGE_MOST, a transaction each.
 *	COPY must be all or nothing: when a slice fails, or a message that was named by its number
 *	is gone, what has been copied is removed again.
 *	MOVE must be so for each message only (RFC 6851 3.3), and a slice is; the client is told of
 *	every pair of UIDs that moved, however it ends, before it hears that they left.
 */
#include "imap/imap_int.h"
#include "store/mailbox.h"

enum { CODE_MOST = 512 * 1024, RANGES = 1000 };

struct copying {
	bool move;
	bool exact; /* messages were named by their numbers */
	uint64_t to;
	uint32_t *uids; /* asked for */
	size_t n, at;
	uint32_t *from, *came; /* what was copied: came[i] is from[i]'s */
	size_t done;
	uint32_t uidvalidity; /* of the target */
	uint64_t modseq; /* of what left */
};

/* ---- the command ---- */

/* RFC 9051 6.4.7: the client may make it and try again. */
static bool
find_target(struct imap_session *s, str name, struct copying *c)
{
	struct mailbox to;
	struct err err = { 0 };
	enum rc rc = mailbox_by_name(
		s->house->store, s->account, name, false, s->cmd.mem, &to, &err);

	if (rc == RC_NONE)
		return (void)imap_no(s, "TRYCREATE", "there is no such mailbox"), false;
	if (rc != RC_OK)
		return (void)imap_failed(s, rc, &err), false;
	c->to = to.id;
	c->uidvalidity = to.uidvalidity;
	return true;
}

/* NULL: the reply says why. */
static struct copying *
begin_copy(struct imap_session *s, bool move)
{
	struct imap_lex *x = &s->cmd.x;
	struct copying *c = arena_new_of(s->cmd.mem, struct copying);
	struct imap_set set;
	struct err err = { 0 };
	str name;

	if (c == NULL)
		return (void)imap_no(s, "LIMIT", "no memory for that"), NULL;
	c->move = move;
	if (!lex_sp(x) || !lex_set(x, &set) || !lex_sp(x))
		return (void)imap_bad(s), NULL;
	if (!imap_mailbox_arg(s, &name))
		return NULL;
	if (!lex_end(x))
		return (void)imap_bad(s), NULL;
	enum rc rc = imap_uids(s, &set, s->cmd.uid, &c->uids, &c->n, &err);
	if (rc != RC_OK)
		return (void)imap_failed(s, rc, &err), NULL;
	c->exact = !s->cmd.uid && !set.saved;
	if (!find_target(s, name, c))
		return NULL;
	c->from = arena_array(s->cmd.mem, c->n + 1, sizeof(*c->from));
	c->came = arena_array(s->cmd.mem, c->n + 1, sizeof(*c->came));
	if (c->from == NULL || c->came == NULL)
		return (void)imap_no(s, "LIMIT", "too many messages at once"), NULL;
	s->cmd.state = c;
	return c;
}

static enum rc
copy_slice(struct imap_session *s, struct copying *c, struct err *err)
{
	struct store *store = s->house->store;
	struct store_place from = { s->account, view_mailbox(s->box.view) };
	size_t n = c->n - c->at < CHANGE_MOST ? c->n - c->at : CHANGE_MOST;
	struct change_copied got = { .from = c->from + c->done, .to = c->came + c->done };
	uint64_t modseq = 0;
	enum rc rc = c->move ? change_move(store, from, c->to, c->uids + c->at, n, &got,
				       &modseq, err)
			     : change_copy(
				       store, from, c->to, c->uids + c->at, n, &got, err);

	if (rc != RC_OK)
		return rc;
	c->at += n;
	c->done += got.n;
	if (got.n > 0)
		c->uidvalidity = got.uidvalidity;
	if (modseq > 0)
		c->modseq = modseq;
	return RC_OK;
}

/* ---- what is told ---- */

/* "COPYUID 38505 304,319:320 3956:3958" of pairs [at, at + n). */
static void
put_copyuid(struct buf *b, const struct copying *c, size_t at, size_t n)
{
	struct imap_set_out set = { .to = b };

	buf_addf(b, "COPYUID %u ", c->uidvalidity);
	for (size_t i = at; i < at + n; i++)
		imap_set_add(&set, c->from[i]);
	imap_set_done(&set);
	buf_addc(b, ' ');
	set = (struct imap_set_out){ .to = b };
	for (size_t i = at; i < at + n; i++)
		imap_set_add(&set, c->came[i]);
	imap_set_done(&set);
}

/* How many pairs from here on make a code of bearable length: all of them, nearly always. */
static size_t
of_one_code(const struct copying *c, size_t at)
{
	size_t ranges = 0, i = at;

	for (; i < c->done && ranges < RANGES; i++)
		ranges += i == at || c->from[i] != c->from[i - 1] + 1;
	return i - at;
}

/* RFC 4315 3 and RFC 6851 4.3: untagged, for before the answer the client hears EXPUNGE. */
static void
tell_moved(struct imap_session *s, const struct copying *c)
{
	for (size_t at = 0, n; at < c->done; at += n) {
		n = of_one_code(c, at);
		buf_add(&s->out, STR("* OK ["));
		put_copyuid(&s->out, c, at, n);
		buf_add(&s->out, STR("] moved\r\n"));
	}
}

/* In cmd.mem; NULL: there is nothing to say. */
static const char *
copied_code(struct imap_session *s, const struct copying *c)
{
	BUF_AUTO b = BUF(CODE_MOST);
	str code;

	if (c->done == 0)
		return NULL;
	put_copyuid(&b, c, 0, c->done);
	/* RFC 4315 3: SHOULD; half a million of bytes are more than anybody reads */
	if (!buf_ok(&b) || arena_copy(s->cmd.mem, buf_str(&b), &code) != RC_OK)
		return NULL;
	return code.ptr;
}

/* RFC 7162 3.2.10.2: who keeps UIDs and modseqs can go on from here. */
static const char *
highest_code(struct imap_session *s, uint64_t modseq)
{
	BUF_AUTO b = BUF(64);
	str code;

	if (modseq == 0 || (s->enabled & ENABLED_QRESYNC) == 0)
		return NULL;
	buf_addf(&b, "HIGHESTMODSEQ %llu", (unsigned long long)modseq);
	return arena_copy(s->cmd.mem, buf_str(&b), &code) == RC_OK ? code.ptr : NULL;
}

/* ---- how it ended ---- */

/* Best effort: where even this fails the copies stay, and UIDs are used up in any case. */
static void
take_back(struct imap_session *s, struct copying *c)
{
	struct store_place at = { s->account, c->to };
	uint64_t modseq;

	for (size_t i = 0, n, gone; i < c->done; i += n) {
		n = c->done - i < CHANGE_MOST ? c->done - i : CHANGE_MOST;
		if (change_expunge(s->house->store, at, c->came + i, n, c->from, &gone,
			    &modseq, NULL) != RC_OK)
			return;
	}
}

static enum imap_did
failed(struct imap_session *s, struct copying *c, enum rc rc, const struct err *err)
{
	if (c->move)
		tell_moved(s, c);
	else
		take_back(s, c);
	/* somebody deleted the mailbox in between */
	if (rc == RC_NONE)
		return imap_no(s, "TRYCREATE", "there is no such mailbox");
	return imap_failed(s, rc, err);
}

static enum imap_did
finish_copy(struct imap_session *s, struct copying *c)
{
	if (c->done < c->n && c->exact) {
		take_back(s, c);
		return imap_no(s, "EXPUNGEISSUED",
			"some messages have been expunged, none was copied");
	}
	return imap_ok(s, copied_code(s, c),
		c->done > 0 ? "COPY completed" : "there are no such messages");
}

static enum imap_did
finish_move(struct imap_session *s, struct copying *c)
{
	tell_moved(s, c);
	if (c->done < c->n && c->exact)
		return imap_no(s, "EXPUNGEISSUED",
			"some messages have been expunged, the others were moved");
	return imap_ok(s, highest_code(s, c->modseq),
		c->done > 0 ? "MOVE completed" : "there are no such messages");
}

static enum imap_did
copy_or_move(struct imap_session *s, bool move)
{
	struct copying *c = s->cmd.state;
	struct err err = { 0 };

	if (c == NULL && (c = begin_copy(s, move)) == NULL)
		return IMAP_DONE;
	if (c->at == c->n)
		return move ? finish_move(s, c) : finish_copy(s, c);
	enum rc rc = copy_slice(s, c, &err);
	return rc == RC_OK ? IMAP_MORE : failed(s, c, rc, &err);
}

enum imap_did
cmd_copy(struct imap_session *s)
{
	return copy_or_move(s, false);
}

enum imap_did
cmd_move(struct imap_session *s)
{
	return copy_or_move(s, true);
}

/* ---- EXPUNGE ---- */

/* Those of n UIDs that are marked, in place. */
static size_t
marked(struct imap_session *s, uint32_t *uids, size_t n)
{
	enum { ROWS = 128 };
	struct view_row rows[ROWS];
	size_t k = 0;

	for (size_t i = 0, m; i < n; i += m) {
		m = n - i < ROWS ? n - i : ROWS;
		view_rows(s->box.view, uids + i, m, rows);
		for (size_t j = 0; j < m; j++)
			if (rows[j].uid != 0 && (rows[j].flags & STORE_DELETED) != 0)
				uids[k++] = rows[j].uid;
	}
	return k;
}

struct expunging {
	struct view_list *list; /* of all, where no UIDs were named; else NULL */
	const uint32_t *uids;
	size_t n, at;
	uint64_t modseq; /* of the last change; 0: there was none */
};

static void
end_expunge(struct imap_session *s)
{
	struct expunging *x = s->cmd.state;

	view_list_drop(&x->list);
}

/* Also those that the client has not heard of: RFC 9051 6.4.3 says all. */
enum rc
imap_expunge_begin(
	struct imap_session *s, const uint32_t *uids, size_t n, struct err *err)
{
	struct expunging *x = arena_new_of(s->cmd.mem, struct expunging);
	struct view_now now;
	enum rc rc;

	if (x == NULL)
		return err_set(err, RC_LIMIT, "no memory for that");
	x->uids = uids;
	x->n = n;
	if (uids == NULL) {
		if ((rc = view_now(s->box.view, &now, err)) != RC_OK)
			return rc;
		x->list = now.list;
		x->n = view_list_count(now.list);
	}
	s->cmd.state = x;
	s->cmd.end = end_expunge;
	return RC_OK;
}

/* RC_NONE: there are no more. */
enum rc
imap_expunge_some(struct imap_session *s, uint64_t *modseq, struct err *err)
{
	struct expunging *x = s->cmd.state;
	struct store_place at = { s->account, view_mailbox(s->box.view) };
	size_t n = x->n - x->at < CHANGE_MOST ? x->n - x->at : CHANGE_MOST, gone;
	uint32_t slice[CHANGE_MOST], left[CHANGE_MOST];
	uint64_t now = 0;
	enum rc rc = RC_OK;

	*modseq = x->modseq;
	if (n == 0)
		return RC_NONE;
	for (size_t i = 0; i < n; i++)
		slice[i] = x->list == NULL ? x->uids[x->at + i]
					   : view_list_uid(x->list, x->at + i + 1);
	x->at += n;
	n = marked(s, slice, n);
	if (n > 0)
		rc = change_expunge_marked(
			s->house->store, at, slice, n, left, &gone, &now, err);
	if (rc == RC_OK && now > 0)
		x->modseq = now;
	return rc;
}

static enum rc
begin_expunge(struct imap_session *s, struct err *err)
{
	static uint32_t none;
	struct imap_set set;
	uint32_t *uids = NULL;
	size_t n = 0;
	enum rc rc = RC_OK;

	if (s->cmd.uid && (!lex_sp(&s->cmd.x) || !lex_set(&s->cmd.x, &set)))
		return RC_BAD;
	if (!lex_end(&s->cmd.x))
		return RC_BAD;
	if (s->cmd.uid)
		rc = imap_uids(s, &set, true, &uids, &n, err);
	if (s->cmd.uid && n == 0)
		uids = &none;
	return rc == RC_OK ? imap_expunge_begin(s, uids, n, err) : rc;
}

/* EXPUNGE, and UID EXPUNGE (RFC 4315 2.1). */
enum imap_did
cmd_expunge(struct imap_session *s)
{
	uint64_t modseq = 0;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if (s->cmd.state == NULL && (rc = begin_expunge(s, &err)) == RC_BAD)
		return imap_bad(s);
	if (rc == RC_OK)
		rc = imap_expunge_some(s, &modseq, &err);
	if (rc == RC_OK)
		return IMAP_MORE;
	if (rc != RC_NONE)
		return imap_failed(s, rc, &err);
	return imap_ok(s, highest_code(s, modseq), "EXPUNGE completed");
}
