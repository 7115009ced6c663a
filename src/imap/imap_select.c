/* SPDX-License-Identifier: ISC */
/* SELECT and EXAMINE (RFC 9051 6.3.2; CONDSTORE and QRESYNC, RFC 7162 3.1.8, 3.2.5), CLOSE,
 * UNSELECT. */
#include "imap/imap_absent.h"
#include "imap/imap_int.h"

enum { ROWS = 256 };

struct selecting {
	bool condstore, qresync, begun;
	uint32_t uidvalidity;
	uint64_t since;
	bool has_known;
	struct imap_set known;
	struct view_now now;
	uint32_t from; /* the next UID to tell changes of */
};

/* ---- the parameters ---- */

/* (uidvalidity modseq [known-uids] [(known-seqs their-uids)]).  The last is for servers
 * that have forgotten what left; ours has not. */
static bool
read_qresync(struct imap_lex *x, struct selecting *d)
{
	struct imap_set seqs, uids;

	if (!lex_sp(x) || !lex_char(x, '(') || !lex_nz_number(x, &d->uidvalidity) ||
		!lex_sp(x) || !lex_number64(x, &d->since))
		return false;
	d->qresync = true;
	if (lex_char(x, ')'))
		return true;
	if (!lex_sp(x))
		return false;
	if (!lex_peek(x, '(')) {
		if (!lex_known_set(x, &d->known))
			return false;
		d->has_known = true;
		if (lex_char(x, ')'))
			return true;
		if (!lex_sp(x))
			return false;
	}
	return lex_char(x, '(') && lex_known_set(x, &seqs) && lex_sp(x) &&
	       lex_known_set(x, &uids) && lex_char(x, ')') && lex_char(x, ')');
}

static bool
read_parameters(struct imap_lex *x, struct selecting *d)
{
	if (lex_end(x))
		return true;
	if (!lex_sp(x) || !lex_char(x, '('))
		return false;
	do {
		if (lex_word(x, STR("CONDSTORE")))
			d->condstore = true;
		else if (!lex_word(x, STR("QRESYNC")) || !read_qresync(x, d))
			return false;
	} while (lex_sp(x));
	return lex_char(x, ')') && lex_end(x);
}

/* ---- the answer ---- */

static void
put_flags(struct imap_session *s)
{
	struct buf *b = &s->out;

	buf_addz(b, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft");
	view_keywords(s->box.view, b);
	buf_addz(b, ")\r\n* OK [PERMANENTFLAGS (");
	if (!s->box.read_only) {
		buf_addz(b, "\\Answered \\Flagged \\Deleted \\Seen \\Draft");
		view_keywords(s->box.view, b);
		buf_addz(b, " \\*");
	}
	buf_addz(b, ")] these are kept\r\n");
}

static void
put_state(struct imap_session *s, const struct mailbox *m, const struct view_now *now)
{
	struct buf *b = &s->out;
	size_t count = view_list_count(now->list);

	put_flags(s);
	buf_addf(b, "* %zu EXISTS\r\n", count);
	if (!imap_rev2(s)) {
		size_t first = view_list_seq(now->list, s->box.recent);

		buf_addf(b, "* %zu RECENT\r\n", count + 1 - first);
		if (now->first_unseen != 0)
			buf_addf(b, "* OK [UNSEEN %zu] the first one not seen\r\n",
				view_list_seq(now->list, now->first_unseen));
	}
	buf_addf(b,
		"* OK [UIDVALIDITY %u] UIDs are valid\r\n"
		"* OK [UIDNEXT %u] the next UID\r\n"
		"* OK [HIGHESTMODSEQ %llu] the highest modseq\r\n"
		"* OK [MAILBOXID (F%llu)] the same for ever\r\n",
		now->uidvalidity, now->uidnext, (unsigned long long)now->modseq,
		(unsigned long long)m->id);
	if (imap_rev2(s)) {
		buf_addz(b, "* LIST () \"/\" ");
		imap_put_mailbox(s, m->name);
		buf_addz(b, "\r\n");
	}
}

/* ---- QRESYNC ---- */

struct vanishing {
	struct selecting *d;
	struct imap_set_out set;
	struct buf *to;
	bool begun; /* the line */
};

static bool
client_knows(const struct selecting *d, uint32_t uid)
{
	return !d->has_known || imap_set_has(&d->known, uid);
}

static void
range_vanished(uint32_t from, uint32_t to, void *arg)
{
	struct vanishing *v = arg;

	if (!v->begun)
		buf_addz(v->to, "* VANISHED (EARLIER) ");
	v->begun = true;
	imap_set_add_range(&v->set, from, to);
}

static enum rc
one_vanished(uint32_t uid, void *arg)
{
	struct vanishing *v = arg;

	if (client_knows(v->d, uid))
		range_vanished(uid, uid, v);
	return RC_OK;
}

static enum rc
put_vanished(struct imap_session *s, struct selecting *d, struct err *err)
{
	struct vanishing v = { .d = d, .set = { .to = &s->out }, .to = &s->out };
	enum rc rc = view_vanished(s->box.view, d->since, one_vanished, &v, err);

	if (rc == RC_NONE) {
		/* all that are not there: what left before the memory of the store */
		imap_absent(d->now.list, NULL, d->now.uidnext,
			d->has_known ? &d->known : NULL, range_vanished, &v);
		rc = RC_OK;
	}
	if (v.begun) {
		imap_set_done(&v.set);
		buf_addz(&s->out, "\r\n");
	}
	return rc;
}

/* False: there may be more. */
static bool
put_changed(struct imap_session *s, struct selecting *d)
{
	struct view_row rows[ROWS];
	size_t n = view_changed(s->box.view, d->from, d->since, rows, ROWS);
	size_t count = view_list_count(s->box.list);

	for (size_t i = 0; i < n; i++) {
		size_t seq = view_list_seq(s->box.list, rows[i].uid);

		d->from = rows[i].uid + 1;
		if (seq <= count && view_list_uid(s->box.list, seq) == rows[i].uid &&
			client_knows(d, rows[i].uid))
			imap_put_row(s, seq, &rows[i], true);
	}
	return n < ROWS;
}

/* ---- the commands ---- */

static void
end_select(struct imap_session *s)
{
	struct selecting *d = s->cmd.state;

	if (d->begun)
		view_list_drop(&d->now.list);
}

static enum imap_did
selected(struct imap_session *s)
{
	return s->box.read_only ? imap_ok(s, "READ-ONLY", "you may look around")
				: imap_ok(s, "READ-WRITE", "come in");
}

/* The mailbox of before is closed, whatever comes of the new one (RFC 9051 6.3.2). */
static enum rc
open_box(struct imap_session *s, str name, bool read_only, struct mailbox *m,
	struct selecting *d, struct err *err)
{
	bool had = s->box.view != NULL;
	enum rc rc;

	imap_unselect(s);
	if (had)
		buf_addz(&s->out, "* OK [CLOSED] the mailbox of before is closed\r\n");
	rc = mailbox_by_name(
		s->house->store, s->account, name, false, s->cmd.mem, m, err);
	if (rc == RC_OK)
		rc = view_open(s->house->store, s->account, m->id, &s->box.view, err);
	if (rc != RC_OK)
		return rc;
	s->box.tick = view_tick(s->box.view);
	if ((rc = view_now(s->box.view, &d->now, err)) != RC_OK) {
		view_close(&s->box.view);
		return rc;
	}
	d->begun = true;
	s->box.list = view_list_keep(d->now.list);
	s->box.told = d->now.modseq;
	s->box.read_only = read_only;
	s->box.recent = view_recent(s->box.view, !read_only);
	s->state = IMAP_SELECTED;
	return RC_OK;
}

static enum imap_did
select_on(struct imap_session *s)
{
	struct selecting *d = s->cmd.state;

	return put_changed(s, d) ? selected(s) : IMAP_MORE;
}

static enum imap_did
select_now(struct imap_session *s, bool read_only)
{
	struct selecting *d = arena_new_of(s->cmd.mem, struct selecting);
	struct err err = { 0 };
	struct mailbox m;
	enum rc rc;
	str name;

	if (d == NULL || !lex_sp(&s->cmd.x))
		return imap_bad(s);
	s->cmd.state = d;
	s->cmd.end = end_select;
	if (!imap_mailbox_arg(s, &name))
		return IMAP_DONE;
	if (!read_parameters(&s->cmd.x, d))
		return imap_bad(s);
	if (d->qresync && (s->enabled & ENABLED_QRESYNC) == 0)
		return imap_badz(s, "QRESYNC must be enabled first");
	if ((rc = open_box(s, name, read_only, &m, d, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	if (d->condstore || d->qresync)
		s->enabled |= ENABLED_CONDSTORE;
	put_state(s, &m, &d->now);
	if (!d->qresync || d->uidvalidity != d->now.uidvalidity)
		return selected(s);
	d->from = 1;
	imap_set_resolve(&d->known, UINT32_MAX - 1);
	if ((rc = put_vanished(s, d, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	return select_on(s);
}

enum imap_did
cmd_select(struct imap_session *s)
{
	return s->cmd.state == NULL ? select_now(s, false) : select_on(s);
}

enum imap_did
cmd_examine(struct imap_session *s)
{
	return s->cmd.state == NULL ? select_now(s, true) : select_on(s);
}

static enum imap_did
closed(struct imap_session *s)
{
	imap_unselect(s);
	return imap_ok(s, NULL, "closed");
}

/* RFC 9051 6.4.1: what is marked goes, and nobody is told here. */
enum imap_did
cmd_close(struct imap_session *s)
{
	uint64_t modseq = 0;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if (s->cmd.state == NULL) {
		if (!lex_end(&s->cmd.x))
			return imap_bad(s);
		if (s->box.read_only)
			return closed(s);
		rc = imap_expunge_begin(s, NULL, 0, &err);
	}
	if (rc == RC_OK)
		rc = imap_expunge_some(s, &modseq, &err);
	if (rc == RC_OK)
		return IMAP_MORE;
	return rc == RC_NONE ? closed(s) : imap_failed(s, rc, &err);
}

enum imap_did
cmd_unselect(struct imap_session *s)
{
	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	imap_unselect(s);
	return imap_ok(s, NULL, "closed");
}
