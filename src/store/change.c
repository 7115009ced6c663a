/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "store/change_int.h"

enum {
	ALL_FLAGS = STORE_SEEN | STORE_ANSWERED | STORE_FLAGGED | STORE_DELETED |
		    STORE_DRAFT
};

/* ---- keywords: sorted, a blank between; their case does not matter (RFC 9051 2.3.2) ---- */

static bool
has_word(str words, str one)
{
	str word;

	while (str_cut(&words, ' ', &word))
		if (str_ieq(word, one))
			return true;
	return false;
}

static void
put_word(struct buf *b, str word)
{
	if (b->len > 0)
		buf_addc(b, ' ');
	buf_add(b, word);
}

/* Two sorted lists become one; of a word that both have, as it was. */
static void
put_union(struct buf *b, str old, str more)
{
	str added, word;

	while (str_cut(&more, ' ', &added)) {
		if (str_empty(added) || has_word(old, added))
			continue;
		for (str rest = old;
			str_cut(&rest, ' ', &word) && str_cmp(word, added) < 0;
			old = rest)
			put_word(b, word);
		put_word(b, added);
	}
	while (str_cut(&old, ' ', &word))
		put_word(b, word);
}

static void
put_without(struct buf *b, str old, str less)
{
	str word;

	while (str_cut(&old, ' ', &word))
		if (!has_word(less, word))
			put_word(b, word);
}

/* What becomes of a message's keywords; kept from one message to the next, because
 * neighbours mostly have the same. */
struct words {
	bool any;
	str before, after;
	bool junk, not_junk; /* came */
};

static enum rc
change_words(struct tx *t, const struct change_flags *c, str before, struct words *w,
	struct err *err)
{
	BUF_AUTO b = BUF(2 * KEYWORDS_BYTES);

	if (w->any && str_eq(w->before, before))
		return RC_OK;
	*w = (struct words){ .any = true, .before = before, .after = before };
	if (c->how == CHANGE_SET)
		w->after = c->keywords;
	else if (!str_empty(c->keywords)) {
		if (c->how == CHANGE_ADD)
			put_union(&b, before, c->keywords);
		else
			put_without(&b, before, c->keywords);
		if (arena_copy(t->mem, buf_str(&b), &w->after) != RC_OK)
			return err_set(err, RC_LIMIT, "too many keywords at once");
	}
	if (!buf_ok(&b) || w->after.len > KEYWORDS_BYTES)
		return err_set(err, RC_LIMIT,
			"a message would have more than %d bytes of keywords",
			KEYWORDS_BYTES);
	bool was = has_word(before, STR("$Junk")),
	     was_not = has_word(before, STR("$NotJunk"));
	w->junk = !was && has_word(w->after, STR("$Junk"));
	w->not_junk = !was_not && has_word(w->after, STR("$NotJunk"));
	return RC_OK;
}

/* ---- flags ---- */

struct flagging {
	uint64_t mailbox;
	const uint32_t *uids;
	size_t n;
	const struct change_flags *c;
	uint64_t modseq;
	uint32_t *modified;
	size_t nmodified;
	/* those that change, in their order */
	struct placed *list;
	size_t nlist;
	int64_t unseen;
};

static unsigned
flags_after(const struct change_flags *c, unsigned before)
{
	switch (c->how) {
	case CHANGE_SET:
		return c->flags & ALL_FLAGS;
	case CHANGE_ADD:
		return before | (c->flags & ALL_FLAGS);
	case CHANGE_REMOVE:
		return before & ~c->flags;
	}
	abort();
}

/* Leaves in f->list what changes, as it will be. */
static enum rc
pick_changed(struct tx *t, struct flagging *f, struct err *err)
{
	struct words w = { 0 };
	size_t n = f->nlist;
	bool passed = false; /* over the one before */

	f->nlist = 0;
	for (size_t i = 0; i < n; i++) {
		struct placed p = f->list[i];
		unsigned flags = flags_after(f->c, p.flags);
		enum rc rc;

		p.joined &= !passed;
		passed = true;
		if (f->c->conditional && p.modseq > f->c->unchanged_since) {
			f->modified[f->nmodified++] = p.uid;
			continue;
		}
		if ((rc = change_words(t, f->c, p.keywords, &w, err)) != RC_OK)
			return rc;
		if (flags == p.flags && str_eq(w.after, p.keywords))
			continue;
		if (w.junk != w.not_junk &&
			(rc = tx_lesson(t, &p.id, w.junk, err)) != RC_OK)
			return rc;
		f->unseen += (p.flags & STORE_SEEN) != 0;
		f->unseen -= (flags & STORE_SEEN) != 0;
		p.flags = flags;
		p.keywords = w.after;
		passed = false;
		f->list[f->nlist++] = p;
	}
	return RC_OK;
}

/* Neighbours whose keywords become the same: one statement. */
static enum rc
write_range(struct tx *t, const struct flagging *f, const struct placed *first,
	const struct placed *last, struct err *err)
{
	unsigned set = f->c->how == CHANGE_REMOVE ? 0 : f->c->flags & ALL_FLAGS;
	unsigned keep = f->c->how == CHANGE_SET ? 0 : ALL_FLAGS & ~f->c->flags;

	PREPARE(q, t->sh->db,
		"UPDATE mailbox_email SET flags = (flags & ?) | ?, keywords = ?, modseq = ?"
		" WHERE account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?",
		err);
	db_bind_u64(q, 1, keep);
	db_bind_u64(q, 2, set);
	db_bind_str(q, 3, first->keywords);
	db_bind_u64(q, 4, tx_modseq(t));
	db_bind_u64(q, 5, t->a.id);
	db_bind_u64(q, 6, f->mailbox);
	db_bind_u64(q, 7, first->uid);
	db_bind_u64(q, 8, last->uid);
	return db_run(q, err);
}

static enum rc
write_flags(struct tx *t, const struct flagging *f, struct err *err)
{
	for (size_t i = 0, k; i < f->nlist; i = k) {
		enum rc rc;

		for (k = i + 1; k < f->nlist && f->list[k].joined &&
				str_eq(f->list[k].keywords, f->list[i].keywords);)
			k++;
		if ((rc = write_range(t, f, &f->list[i], &f->list[k - 1], err)) != RC_OK)
			return rc;
	}
	for (size_t i = 0; i < f->nlist; i++)
		notes_add(&t->notes, &(struct note){ .kind = NOTE_FLAGS,
					     .mailbox = f->mailbox,
					     .row = { .uid = f->list[i].uid,
						     .flags = f->list[i].flags,
						     .keywords = f->list[i].keywords,
						     .modseq = tx_modseq(t) } });
	return RC_OK;
}

/* What is found lacks some of what was asked for; both ascend. */
static void
tell_before(const struct flagging *f)
{
	for (size_t i = 0, k = 0; f->c->before != NULL && i < f->n; i++) {
		while (k < f->nlist && f->list[k].uid < f->uids[i])
			k++;
		f->c->before[i] = k < f->nlist && f->list[k].uid == f->uids[i]
					  ? f->list[k].modseq
					  : 0;
	}
}

static enum rc
flag(struct tx *t, void *arg, struct err *err)
{
	struct flagging *f = arg;
	struct box b;
	enum rc rc;

	if ((rc = box_load(t, f->mailbox, &b, err)) != RC_OK ||
		(rc = placed_read(t, f->mailbox, f->uids, f->n, &f->list, &f->nlist,
			 err)) != RC_OK)
		return rc;
	tell_before(f);
	if ((rc = pick_changed(t, f, err)) != RC_OK)
		return rc;
	if (f->nlist == 0)
		return RC_OK;
	f->modseq = tx_modseq(t);
	b.unseen = f->unseen;
	if ((rc = write_flags(t, f, err)) != RC_OK)
		return rc;
	return box_save(t, &b, err);
}

enum rc
change_flags(struct store *s, struct store_place at, const uint32_t *uids, size_t n,
	const struct change_flags *c, uint64_t *modseq, uint32_t *modified,
	size_t *nmodified, struct err *err)
{
	struct flagging f = {
		.mailbox = at.mailbox, .uids = uids, .n = n, .c = c, .modified = modified
	};
	enum rc rc = tx_run(s, at.account, flag, &f, err);

	if (rc != RC_OK)
		return rc;
	*modseq = f.modseq;
	if (nmodified != NULL)
		*nmodified = f.nmodified;
	return RC_OK;
}

/* ---- copies and moves ---- */

struct copying {
	uint64_t from, to;
	const uint32_t *uids;
	size_t n;
	bool move;
	struct change_copied *out;
	size_t done;
	uint32_t uidvalidity;
	uint64_t modseq;
};

/* Junk is the reader's box: what goes in is spam to him, and what comes out, other than
 * into the bin, is not. */
static enum rc
learn_from(struct tx *t, const struct box *from, const struct box *to,
	const struct placed *list, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	if (from->junk == to->junk || (from->junk && to->trash))
		return RC_OK;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = tx_lesson(t, &list[i].id, to->junk, err);
	return rc;
}

/* In all mailboxes, with those that can be brought back. */
static enum rc
account_holds(struct tx *t, uint64_t *n, struct err *err)
{
	PREPARE(q, t->sh->db,
		"SELECT (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE account_id = ?1) +"
		" (SELECT coalesce(sum(messages), 0) FROM mailbox_deleted WHERE account_id = ?1)",
		err);
	db_bind_u64(q, 1, t->a.id);
	enum rc rc = db_step(q, err);
	if (rc != RC_OK)
		return rc;
	*n = db_u64(q, 0);
	db_reset(q);
	return RC_OK;
}

static uint64_t
left_of(uint64_t most, uint64_t n)
{
	return n < most ? most - n : 0;
}

/* A move makes the account's no more, and within a mailbox its own neither. */
static enum rc
check_room(struct tx *t, const struct copying *c, const struct box *to, size_t n,
	struct err *err)
{
	uint64_t all = 0;
	enum rc rc = RC_OK;

	if (c->move && c->from == c->to)
		return RC_OK;
	if (left_of(MAILBOX_MESSAGES_MOST, to->had) < n)
		return err_set(err, RC_LIMIT, "a mailbox has at most %d messages",
			MAILBOX_MESSAGES_MOST);
	if (!c->move)
		rc = account_holds(t, &all, err);
	if (rc == RC_OK && left_of(ACCOUNT_MESSAGES_MOST, all) < n)
		rc = err_set(err, RC_LIMIT,
			"an account has at most %d messages, copies among them",
			ACCOUNT_MESSAGES_MOST);
	return rc;
}

static enum rc
copy_rows(struct tx *t, struct copying *c, struct box *from, struct box *to,
	struct err *err)
{
	struct placed *list;
	size_t n;
	enum rc rc = placed_read(t, from->id, c->uids, c->n, &list, &n, err);

	if (rc != RC_OK || n == 0)
		return rc;
	if ((rc = check_room(t, c, to, n, err)) != RC_OK)
		return rc;
	if ((rc = placed_add(t, to, list, n, c->out->to, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		c->out->from[i] = list[i].uid;
	if ((rc = learn_from(t, from, to, list, n, err)) != RC_OK)
		return rc;
	c->done = n;
	if (!c->move)
		return email_hold(t, list, n, err);
	return placed_leave(t, from, list, n, err);
}

static enum rc
copy(struct tx *t, void *arg, struct err *err)
{
	struct copying *c = arg;
	struct box boxes[2], *from = &boxes[0], *to = &boxes[1];
	enum rc rc;

	if ((rc = box_load(t, c->from, from, err)) != RC_OK)
		return rc;
	if (c->from == c->to) /* RFC 6851 3.3: it may be the same */
		to = from;
	else if ((rc = box_load(t, c->to, to, err)) != RC_OK)
		return rc;
	c->uidvalidity = to->uidvalidity;
	if ((rc = copy_rows(t, c, from, to, err)) != RC_OK || c->done == 0)
		return rc;
	if ((rc = box_save(t, to, err)) != RC_OK)
		return rc;
	c->modseq = tx_modseq(t);
	return c->move && from != to ? box_save(t, from, err) : RC_OK;
}

static enum rc
run_copy(struct store *s, uint64_t account, struct copying *c, struct err *err)
{
	enum rc rc = tx_run(s, account, copy, c, err);

	if (rc != RC_OK)
		return rc;
	c->out->uidvalidity = c->uidvalidity;
	c->out->n = c->done;
	return RC_OK;
}

enum rc
change_copy(struct store *s, struct store_place from, uint64_t to, const uint32_t *uids,
	size_t n, struct change_copied *out, struct err *err)
{
	struct copying c = {
		.from = from.mailbox, .to = to, .uids = uids, .n = n, .out = out
	};

	return run_copy(s, from.account, &c, err);
}

enum rc
change_move(struct store *s, struct store_place from, uint64_t to, const uint32_t *uids,
	size_t n, struct change_copied *out, uint64_t *modseq, struct err *err)
{
	struct copying c = { .from = from.mailbox,
		.to = to,
		.uids = uids,
		.n = n,
		.move = true,
		.out = out };
	enum rc rc = run_copy(s, from.account, &c, err);

	if (rc == RC_OK)
		*modseq = c.modseq;
	return rc;
}

struct rooming {
	uint64_t mailbox, left;
};

static enum rc
find_room(struct tx *t, void *arg, struct err *err)
{
	struct rooming *r = arg;
	struct box b;
	uint64_t all = 0;
	enum rc rc = box_load(t, r->mailbox, &b, err);

	if (rc != RC_OK || (rc = account_holds(t, &all, err)) != RC_OK)
		return rc;
	r->left = left_of(ACCOUNT_MESSAGES_MOST, all);
	if (r->left > left_of(MAILBOX_MESSAGES_MOST, b.had))
		r->left = left_of(MAILBOX_MESSAGES_MOST, b.had);
	return RC_OK;
}

enum rc
change_room(struct store *s, struct store_place to, uint64_t *left, struct err *err)
{
	struct rooming r = { .mailbox = to.mailbox };
	enum rc rc = tx_run(s, to.account, find_room, &r, err);

	if (rc == RC_OK)
		*left = r.left;
	return rc;
}
