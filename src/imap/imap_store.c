/* SPDX-License-Identifier: ISC */
/*
 * STORE and UID STORE (RFC 9051 6.4.6; UNCHANGEDSINCE RFC 7162 3.1.3).
 *
 * Many messages are changed in slices, a transaction and a modseq each. The RFCs ask for
 * no more: each message is changed or not, and the client hears of each by FETCH as soon
 * as its slice is on disk, also where a later one fails.
 */
#include "imap/imap_int.h"

struct changing {
	struct change_flags change;
	bool silent;
	bool exact; /* messages were named by their numbers */
	uint32_t *uids, *modified;
	size_t n, at, nmodified, gone;
	size_t begin, told, end; /* of the slice, which is told: [told, end) */
	bool others[FLAGS_MOST]; /* of the slice: somebody else has changed it */
	size_t modified_at; /* those of the slice begin here */
	size_t seq; /* number of the one that was told last */
};

/* ---- the command ---- */

static bool
how(struct imap_lex *x, struct changing *c)
{
	static const struct {
		str name;
		enum change_how how;
		bool silent;
	} rows[] = {
		{ STR_INIT("FLAGS"), CHANGE_SET, false },
		{ STR_INIT("FLAGS.SILENT"), CHANGE_SET, true },
		{ STR_INIT("+FLAGS"), CHANGE_ADD, false },
		{ STR_INIT("+FLAGS.SILENT"), CHANGE_ADD, true },
		{ STR_INIT("-FLAGS"), CHANGE_REMOVE, false },
		{ STR_INIT("-FLAGS.SILENT"), CHANGE_REMOVE, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!lex_word(x, rows[i].name))
			continue;
		c->change.how = rows[i].how;
		c->silent = rows[i].silent;
		return true;
	}
	x->why = "FLAGS, +FLAGS or -FLAGS";
	return false;
}

static bool
modifier(struct imap_lex *x, struct changing *c)
{
	if (!lex_peek(x, '('))
		return true;
	c->change.conditional = true;
	return lex_char(x, '(') && lex_word(x, STR("UNCHANGEDSINCE")) && lex_sp(x) &&
	       lex_number64(x, &c->change.unchanged_since) && lex_char(x, ')') &&
	       lex_sp(x);
}

static bool
parse(struct imap_lex *x, struct imap_set *set, struct changing *c)
{
	struct imap_flags flags;

	if (!lex_sp(x) || !lex_set(x, set) || !lex_sp(x) || !modifier(x, c) ||
		!how(x, c) || !lex_sp(x) || !lex_flags(x, true, &flags) || !lex_end(x))
		return false;
	c->change.flags = flags.marks;
	c->change.keywords = flags.keywords;
	return true;
}

/* NULL: the reply says why. */
static struct changing *
begin_store(struct imap_session *s)
{
	struct changing *c = arena_new_of(s->cmd.mem, struct changing);
	struct imap_set set;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if (c == NULL)
		return (void)imap_no(s, "LIMIT", "no memory for that"), NULL;
	if (!parse(&s->cmd.x, &set, c))
		return (void)imap_bad(s), NULL;
	if (c->change.conditional)
		rc = imap_enable_condstore(s, &err);
	/* RFC 7162 3.1: who issued it is aware of modseqs, whatever the answer is */
	if (rc == RC_OK && s->box.read_only)
		return (void)imap_no(
			       s, "CANNOT", "the mailbox was opened for reading only"),
		       NULL;
	if (rc == RC_OK)
		rc = imap_uids(s, &set, s->cmd.uid, &c->uids, &c->n, &err);
	if (rc == RC_OK && c->silent &&
		(c->change.before = arena_array(
			 s->cmd.mem, FLAGS_MOST, sizeof(*c->change.before))) == NULL)
		rc = err_set(&err, RC_LIMIT, "too many messages at once");
	if (rc == RC_OK && c->change.conditional) {
		c->modified = arena_array(s->cmd.mem, c->n + 1, sizeof(*c->modified));
		if (c->modified == NULL)
			rc = err_set(&err, RC_LIMIT, "too many messages at once");
	}
	if (rc != RC_OK)
		return (void)imap_failed(s, rc, &err), NULL;
	c->exact = !s->cmd.uid && !set.saved;
	s->cmd.state = c;
	return c;
}

/* ---- what is told ---- */

static size_t
number_of(const struct imap_session *s, uint32_t uid)
{
	return view_list_seq(s->box.list, uid);
}

/* Mostly it is the one behind the one before. */
static size_t
next_number(const struct imap_session *s, struct changing *c, uint32_t uid)
{
	size_t next = c->seq + 1;

	if (next > view_list_count(s->box.list) ||
		view_list_uid(s->box.list, next) != uid)
		next = number_of(s, uid);
	c->seq = next;
	return next;
}

/* The flags that it has now, or with .SILENT, for clients that know of modseqs, only that
 * (RFC 7162 3.1.3).  RFC 9051 6.4.6: also with .SILENT what others changed is told: the
 * row's modseq is now this command's, and nobody would see it any more. */
static void
tell(struct imap_session *s, struct changing *c, size_t i, const struct view_row *r)
{
	bool uid = s->cmd.uid || (s->enabled & (ENABLED_REV2 | ENABLED_CONDSTORE)) != 0;
	size_t seq = next_number(s, c, r->uid);

	if (!c->silent || c->others[i] ||
		(r->modseq > s->box.told && !imap_is_own(&s->box, r->modseq))) {
		imap_put_row(s, seq, r, uid);
		return;
	}
	if ((s->enabled & ENABLED_CONDSTORE) == 0)
		return;
	buf_addf(&s->out, "* %zu FETCH (", seq);
	if (uid)
		buf_addf(&s->out, "UID %u ", r->uid);
	buf_addf(&s->out, "MODSEQ (%llu))\r\n", (unsigned long long)r->modseq);
}

/* Some of the slice. What was left because others had changed it the client hears of
 * together with their changes. */
static void
tell_some(struct imap_session *s, struct changing *c)
{
	enum { ROWS = 128 };
	struct view_row rows[ROWS];
	size_t n = c->end - c->told < ROWS ? c->end - c->told : ROWS;

	view_rows(s->box.view, c->uids + c->told, n, rows);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].uid == 0) {
			c->gone++;
			continue;
		}
		size_t *m = &c->modified_at; /* both ascend */
		while (*m < c->nmodified && c->modified[*m] < rows[i].uid)
			++*m;
		if (*m == c->nmodified || c->modified[*m] != rows[i].uid)
			tell(s, c, c->told + i - c->begin, &rows[i]);
	}
	c->told += n;
}

/* Not what was so before the change began: others may have been quicker by a moment. */
static void
find_others(const struct imap_session *s, struct changing *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->others[i] = c->silent && c->change.before[i] > s->box.told &&
			       !imap_is_own(&s->box, c->change.before[i]);
}

static enum rc
change_slice(struct imap_session *s, struct changing *c, struct err *err)
{
	struct store_place at = { s->account, view_mailbox(s->box.view) };
	size_t n = c->n - c->at < FLAGS_MOST ? c->n - c->at : FLAGS_MOST, left = 0;
	uint32_t *modified = c->modified == NULL ? NULL : c->modified + c->nmodified;
	uint64_t modseq = 0;

	enum rc rc = change_flags(s->house->store, at, c->uids + c->at, n, &c->change,
		&modseq, modified, &left, err);
	if (rc != RC_OK)
		return rc;
	find_others(s, c, n);
	imap_told(s, modseq);
	c->modified_at = c->nmodified;
	c->nmodified += left;
	c->begin = c->told = c->at;
	c->at += n;
	c->end = c->at;
	return RC_OK;
}

/* ---- how it ended ---- */

/* "MODIFIED 7,9": numbers or UIDs, as the command was written. */
static const char *
modified_code(struct imap_session *s, const struct changing *c)
{
	BUF_AUTO b = BUF(IMAP_COMMAND_MEM);
	struct imap_set_out set = { .to = &b };
	str code;

	if (c->nmodified == 0)
		return NULL;
	buf_add(&b, STR("MODIFIED "));
	for (size_t i = 0; i < c->nmodified; i++)
		imap_set_add(&set, s->cmd.uid ? c->modified[i]
					      : (uint32_t)number_of(s, c->modified[i]));
	imap_set_done(&set);
	if (!buf_ok(&b) || arena_copy(s->cmd.mem, buf_str(&b), &code) != RC_OK)
		return "LIMIT";
	return code.ptr;
}

/* A message that is gone was not changed: NO, where it was named by its number (RFC 2180
 * 4.2; RFC 7162 3.1.3, example 11). */
static enum imap_did
finish(struct imap_session *s, const struct changing *c)
{
	const char *code = modified_code(s, c);

	if (c->gone > 0 && c->exact)
		return imap_no(s, code != NULL ? code : "EXPUNGEISSUED",
			"some messages have been expunged");
	if (code != NULL)
		return imap_ok(s, code, "some messages were changed by others before");
	return imap_ok(s, NULL, "STORE completed");
}

enum imap_did
cmd_store(struct imap_session *s)
{
	struct changing *c = s->cmd.state;
	struct err err = { 0 };

	if (c == NULL && (c = begin_store(s)) == NULL)
		return IMAP_DONE;
	while (c->told < c->end && !imap_full(s))
		tell_some(s, c);
	if (c->told < c->end)
		return IMAP_MORE;
	if (c->at == c->n)
		return finish(s, c);
	enum rc rc = change_slice(s, c, &err);
	return rc == RC_OK ? IMAP_MORE : imap_failed(s, rc, &err);
}
