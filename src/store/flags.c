/* SPDX-License-Identifier: ISC */
/*
 * Flags and keywords.  What a message has is read from the view of its mailbox: with the
 * shard's lock that is what the index says.  What it gets is written as marks
 * (store/marks.h), a row for many messages.
 */
#include <stdlib.h>

#include "store/change_int.h"
#include "store/marks.h"
#include "store/view_int.h"

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
	struct view *view;
	const struct change_flags *c;
	uint64_t modseq;
	uint32_t *modified;
	size_t nmodified;
	bool ended; /* the view: there is another by now, or the mailbox is gone */
	const uint32_t *uids;
	size_t n;

	struct tx *t;
	struct words words;
	struct marked *list; /* those that change, as they will be */
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

static enum rc
pick(size_t i, const struct view_row *r, void *arg, struct err *err)
{
	struct flagging *f = arg;
	struct words *w = &f->words;
	unsigned flags = flags_after(f->c, r->flags);
	enum rc rc;

	if (f->c->before != NULL)
		f->c->before[i] = r->modseq;
	if (f->c->conditional && r->modseq > f->c->unchanged_since) {
		f->modified[f->nmodified++] = r->uid;
		return RC_OK;
	}
	if ((rc = change_words(f->t, f->c, r->keywords, w, err)) != RC_OK)
		return rc;
	if (flags == r->flags && str_eq(w->after, r->keywords))
		return RC_OK;
	if (w->junk != w->not_junk &&
		(rc = tx_lesson(f->t, &r->id, w->junk, err)) != RC_OK)
		return rc;
	f->unseen += (r->flags & STORE_SEEN) != 0;
	f->unseen -= (flags & STORE_SEEN) != 0;
	f->list[f->nlist++] =
		(struct marked){ .uid = r->uid, .flags = flags, .keywords = w->after };
	return RC_OK;
}

static enum rc
write_marks(const struct flagging *f, struct err *err)
{
	struct tx *t = f->t;
	MARKS_AUTO m = marks_of(t->sh->db, t->a.id, view_mailbox(f->view));

	for (size_t i = 0; i < f->nlist; i++) {
		const struct marked *to = &f->list[i];
		enum rc rc = marks_put(&m, to->uid,
			&(struct mark){ .flags = to->flags,
				.keywords = to->keywords,
				.modseq = tx_modseq(t) },
			err);

		if (rc != RC_OK)
			return rc;
	}
	return marks_save(&m, err);
}

static enum rc
flag(struct tx *t, void *arg, struct err *err)
{
	struct flagging *f = arg;
	uint64_t mailbox = view_mailbox(f->view);
	struct box b;
	enum rc rc = box_load(t, mailbox, &b, err);

	if (rc != RC_OK)
		return rc;
	f->t = t;
	f->list = arena_array(t->mem, f->n + 1, sizeof(*f->list));
	if (f->list == NULL)
		return err_set(err, RC_LIMIT, "too many messages at once");
	for (size_t i = 0; f->c->before != NULL && i < f->n; i++)
		f->c->before[i] = 0;
	if ((rc = view_each(f->view, f->uids, f->n, pick, f, &f->ended, err)) != RC_OK ||
		f->nlist == 0)
		return rc;
	f->modseq = tx_modseq(t);
	b.unseen = f->unseen;
	if ((rc = write_marks(f, err)) != RC_OK)
		return rc;
	notes_add(&t->notes, &(struct note){ .kind = NOTE_MARKED,
				     .mailbox = mailbox,
				     .row = { .modseq = f->modseq },
				     .many = f->list,
				     .nmany = f->nlist });
	return box_save(t, &b, err);
}

/* Through the view as it is now. */
static enum rc
flag_now(struct store *s, struct store_place at, struct flagging *f, struct err *err)
{
	enum rc rc = view_open(s, at.account, at.mailbox, &f->view, err);

	if (rc != RC_OK)
		return rc;
	rc = tx_run(s, at.account, flag, f, err);
	view_close(&f->view);
	return rc;
}

enum rc
change_flags(struct store *s, struct store_place at, const uint32_t *uids, size_t n,
	const struct change_flags *c, uint64_t *modseq, uint32_t *modified,
	size_t *nmodified, struct err *err)
{
	struct flagging f;
	enum rc rc;

	if (n > FLAGS_MOST)
		return err_set(
			err, RC_LIMIT, "more than %d messages at once", FLAGS_MOST);
	do {
		f = (struct flagging){
			.uids = uids, .n = n, .c = c, .modified = modified
		};
		rc = flag_now(s, at, &f, err);
	} while (rc == RC_OK && f.ended);
	if (rc != RC_OK)
		return rc;
	*modseq = f.modseq;
	if (nmodified != NULL)
		*nmodified = f.nmodified;
	return RC_OK;
}
