/* SPDX-License-Identifier: ISC */
/*
 * LIST and LSUB (RFC 9051 6.3.9, RFC 3501 6.3.8, 6.3.9).
 *
 * First each name is held against the patterns, a few milliseconds at a time; then what is
 * known of a name is handed up to the levels above; then they are told.
 */
#include "base/clock.h"
#include "imap/imap_names.h"

enum { TURN_MS = 4 };

enum list_option {
	SEL_SUBSCRIBED = 1,
	SEL_REMOTE = 2,
	SEL_RECURSIVE = 4,
	SEL_SPECIAL = 8,
	RET_SUBSCRIBED = 16,
	RET_CHILDREN = 32,
	RET_SPECIAL = 64,
	RET_STATUS = 128,
};

struct listing {
	unsigned options; /* enum list_option, or-ed */
	unsigned status; /* enum status_item, or-ed */
	bool extended, lsub, root;
	struct imap_patterns patterns;
	struct imap_tree tree;
	size_t matched, told; /* so far */
};

/* ---- reading the command ---- */

struct option {
	str word;
	unsigned bit;
};

static const struct option selections[] = {
	{ STR_INIT("SUBSCRIBED"), SEL_SUBSCRIBED | RET_SUBSCRIBED },
	{ STR_INIT("REMOTE"), SEL_REMOTE },
	{ STR_INIT("RECURSIVEMATCH"), SEL_RECURSIVE },
	{ STR_INIT("SPECIAL-USE"), SEL_SPECIAL | RET_SPECIAL },
	{ .bit = 0 },
};

static const struct option returns[] = {
	{ STR_INIT("SUBSCRIBED"), RET_SUBSCRIBED },
	{ STR_INIT("CHILDREN"), RET_CHILDREN },
	{ STR_INIT("SPECIAL-USE"), RET_SPECIAL },
	{ STR_INIT("STATUS"), RET_STATUS },
	{ .bit = 0 },
};

static bool
read_option(struct imap_session *s, const struct option *known, struct listing *l)
{
	for (; known->bit != 0; known++) {
		if (!lex_word(&s->cmd.x, known->word))
			continue;
		l->options |= known->bit;
		if (known->bit != RET_STATUS)
			return true;
		return lex_sp(&s->cmd.x) && imap_status_items(s, &l->status);
	}
	return false;
}

/* "(SUBSCRIBED RECURSIVEMATCH)" */
static bool
read_options(struct imap_session *s, const struct option *known, struct listing *l)
{
	struct imap_lex *x = &s->cmd.x;

	if (!lex_char(x, '('))
		return false;
	if (lex_char(x, ')'))
		return true;
	do {
		if (!read_option(s, known, l))
			return false;
	} while (lex_sp(x));
	return lex_char(x, ')');
}

static bool
read_pattern(struct imap_session *s, struct listing *l, str reference)
{
	str one;

	if (!lex_list_mailbox(&s->cmd.x, &one))
		return false;
	/* RFC 9051 6.3.9: it asks for the delimiter, or, extended, for nothing */
	if (str_empty(one)) {
		l->root = true;
		return true;
	}
	if (!imap_pattern_add(s, &l->patterns, reference, one))
		l->patterns.n = SIZE_MAX;
	return l->patterns.n != SIZE_MAX;
}

static bool
read_patterns(struct imap_session *s, struct listing *l, str reference)
{
	struct imap_lex *x = &s->cmd.x;

	if (!lex_char(x, '('))
		return read_pattern(s, l, reference);
	l->extended = true;
	do {
		if (!read_pattern(s, l, reference))
			return false;
	} while (lex_sp(x));
	return lex_char(x, ')');
}

static bool
read_list(struct imap_session *s, struct listing *l)
{
	struct imap_lex *x = &s->cmd.x;
	str reference;

	if (!lex_sp(x))
		return false;
	if (!l->lsub && lex_peek(x, '(')) {
		l->extended = true;
		if (!read_options(s, selections, l) || !lex_sp(x))
			return false;
	}
	if (!lex_astring(x, &reference) || !lex_sp(x) || !read_patterns(s, l, reference))
		return false;
	if (l->lsub || lex_end(x))
		return lex_end(x) && !(l->lsub && l->extended);
	l->extended = true;
	return lex_sp(x) && lex_word(x, STR("RETURN")) && lex_sp(x) &&
	       read_options(s, returns, l) && lex_end(x);
}

/* ---- what is to be told ---- */

static bool
meets(const struct listing *l, const struct imap_node *n)
{
	if (l->lsub)
		return n->subscribed;
	if ((l->options & SEL_SUBSCRIBED) != 0 && !n->subscribed)
		return false;
	if ((l->options & SEL_SPECIAL) != 0)
		return n->m != NULL && !str_empty(n->m->special);
	return n->m != NULL || (l->options & SEL_SUBSCRIBED) != 0;
}

static void
hand_up(struct listing *l)
{
	for (size_t i = l->tree.n; i-- > 0;) {
		struct imap_node *n = &l->tree.at[i], *up;

		n->meets = meets(l, n);
		if (n->up == SIZE_MAX)
			continue;
		up = &l->tree.at[n->up];
		up->below |= n->meets || n->below;
		up->hidden |= (n->meets && !n->matches) || n->hidden;
	}
}

/* A level without a mailbox is told for '%' alone, and not as a match of a selection. */
static bool
is_told(const struct listing *l, const struct imap_node *n)
{
	unsigned selects = SEL_SUBSCRIBED | SEL_SPECIAL;

	if (!n->matches)
		return false;
	if (n->meets)
		return true;
	if (l->lsub) /* RFC 3501 6.3.9 */
		return n->level && n->below;
	if ((l->options & SEL_RECURSIVE) != 0)
		return n->hidden;
	return (l->options & selects) == 0 && n->m == NULL && n->level && n->children;
}

static void
put_flag(struct buf *b, bool *any, str flag)
{
	if (*any)
		buf_addc(b, ' ');
	buf_add(b, flag);
	*any = true;
}

static void
put_attributes(struct imap_session *s, const struct listing *l, const struct imap_node *n)
{
	struct buf *b = &s->out;
	bool any = false;

	if (l->lsub) {
		if (!n->meets)
			put_flag(b, &any, STR("\\Noselect"));
		return;
	}
	if (n->m == NULL)
		put_flag(b, &any,
			l->extended || imap_rev2(s) ? STR("\\NonExistent")
						    : STR("\\Noselect"));
	put_flag(b, &any, n->children ? STR("\\HasChildren") : STR("\\HasNoChildren"));
	if ((l->options & RET_SUBSCRIBED) != 0 && n->subscribed)
		put_flag(b, &any, STR("\\Subscribed"));
	if (n->m != NULL && !str_empty(n->m->special))
		put_flag(b, &any, n->m->special);
}

/* RFC 9051 6.3.9.6 */
static void
put_child_info(struct imap_session *s, const struct listing *l)
{
	bool subscribed = (l->options & SEL_SUBSCRIBED) != 0;
	bool special = (l->options & SEL_SPECIAL) != 0;

	buf_addf(&s->out, " (\"CHILDINFO\" (%s%s%s))", subscribed ? "\"SUBSCRIBED\"" : "",
		subscribed && special ? " " : "", special ? "\"SPECIAL-USE\"" : "");
}

/* Counters as they were listed; what has to be summed up, or may be old by now, is read. */
static void
put_status_of(struct imap_session *s, const struct listing *l, const struct imap_node *n)
{
	ARENA_AUTO mem = arena_new(64 * 1024);
	struct mailbox m = *n->m;
	enum rc rc = RC_OK;

	if ((l->status & (ST_SUMS | ST_RECENT)) != 0)
		rc = mailbox_by_name(s->house->store, s->account, n->name,
			(l->status & ST_SUMS) != 0, mem, &m, NULL);
	if (rc == RC_OK) /* it may have gone: then there is none */
		imap_put_status(s, &m, l->status);
}

static void
put_node(struct imap_session *s, const struct listing *l, const struct imap_node *n)
{
	struct buf *b = &s->out;

	buf_addf(b, "* %s (", l->lsub ? "LSUB" : "LIST");
	put_attributes(s, l, n);
	buf_addz(b, ") \"/\" ");
	imap_put_mailbox(s, n->name);
	if ((l->options & SEL_RECURSIVE) != 0 && n->below)
		put_child_info(s, l);
	buf_addz(b, "\r\n");
	if ((l->options & RET_STATUS) != 0 && n->m != NULL && n->meets)
		put_status_of(s, l, n);
}

static enum imap_did
go_on(struct imap_session *s)
{
	struct listing *l = s->cmd.state;
	uint64_t until = clock_ms() + TURN_MS;

	for (; l->matched < l->tree.n; l->matched++) {
		if (clock_ms() >= until)
			return IMAP_MORE;
		imap_pattern_match(&l->patterns, &l->tree.at[l->matched]);
		if (l->matched + 1 == l->tree.n)
			hand_up(l);
	}
	for (; l->told < l->tree.n; l->told++) {
		if (imap_full(s) || clock_ms() >= until)
			return IMAP_MORE;
		if (is_told(l, &l->tree.at[l->told]))
			put_node(s, l, &l->tree.at[l->told]);
	}
	return imap_ok(s, NULL, "that is all");
}

static enum imap_did
begin(struct imap_session *s, bool lsub)
{
	struct listing *l = arena_new_of(s->cmd.mem, struct listing);
	unsigned selects = SEL_SUBSCRIBED | SEL_SPECIAL;
	struct err err = { 0 };
	enum rc rc;

	if (l == NULL)
		return imap_no(s, "LIMIT", "the command is too long");
	l->lsub = lsub;
	if (!read_list(s, l))
		return l->patterns.n == SIZE_MAX
			       ? imap_no(s, "LIMIT",
					 "too many patterns, or too long ones")
			       : imap_bad(s);
	if ((l->options & SEL_RECURSIVE) != 0 && (l->options & selects) == 0)
		return imap_badz(s, "RECURSIVEMATCH goes with another selection option");
	if (l->root && !l->extended) {
		if (!lsub) /* which has no such thing (RFC 3501 6.3.9) */
			buf_addz(&s->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return imap_ok(s, NULL, "that is all");
	}
	if ((l->status & ST_MODSEQ) != 0 &&
		(rc = imap_enable_condstore(s, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	rc = imap_tree_read(
		s, lsub || (l->options & SEL_SUBSCRIBED) != 0, &l->tree, &err);
	if (rc != RC_OK)
		return imap_failed(s, rc, &err);
	s->cmd.state = l;
	return go_on(s);
}

enum imap_did
cmd_list(struct imap_session *s)
{
	return s->cmd.state == NULL ? begin(s, false) : go_on(s);
}

enum imap_did
cmd_lsub(struct imap_session *s)
{
	return s->cmd.state == NULL ? begin(s, true) : go_on(s);
}

/* One namespace, the reader's own (RFC 9051 6.3.10). */
enum imap_did
cmd_namespace(struct imap_session *s)
{
	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	buf_addz(&s->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	return imap_ok(s, NULL, "that is all");
}
