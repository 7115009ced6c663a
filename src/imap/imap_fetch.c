/* SPDX-License-Identifier: ISC */
/*
 * FETCH and UID FETCH (RFC 9051 6.4.5; CHANGEDSINCE and VANISHED RFC 7162, PARTIAL
 * RFC 9394): which messages, in which order of work.  What is said of one is in
 * imap_fetch_row.c and imap_fetch_body.c.
 */
#include "base/fs.h"
#include "base/log.h"
#include "imap/imap_fetch_int.h"

enum { VANISHED_LINE = 16 * 1024 }; /* then another one begins */

/* ---- the windows of a slice ---- */

static enum fetch_got step_rows(struct fetch *f);

static enum fetch_got
next_message(struct fetch *f)
{
	fs_close(&f->fd);
	if (arena_used(f->work) > FETCH_WORK_ENOUGH)
		arena_reset(f->work);
	f->i++;
	return FETCH_ON;
}

static enum fetch_got
step_messages(struct fetch *f)
{
	size_t end = f->needs_texts ? f->loaded : f->nrows;

	while (f->i < end && !imap_full(f->s)) {
		if ((f->needs_file && !fetch_open(f)) || !fetch_put_row(f)) {
			next_message(f);
			continue;
		}
		if (f->want.nsections > 0) {
			f->section = 0;
			f->step = fetch_sections;
			return FETCH_ON;
		}
		fetch_end_row(f);
	}
	if (f->i == end)
		f->step = step_rows;
	return FETCH_ON;
}

void
fetch_end_row(struct fetch *f)
{
	/* an answer has one item at least */
	if (f->first) {
		fetch_put_blank(f);
		buf_add(&f->s->out, STR("UID "));
		fetch_put_number(&f->s->out, f->rows[f->i].uid);
	}
	buf_add(&f->s->out, STR(")\r\n"));
	f->told++;
	(void)next_message(f);
	f->step = step_messages;
}

/* Texts of the next rows; fewer at a time where they are long. */
static enum fetch_got
step_texts(struct fetch *f)
{
	struct imap_session *s = f->s;
	struct err err = { 0 };
	enum rc rc;
	size_t n;

	for (;;) {
		n = f->nrows - f->from < f->window ? f->nrows - f->from : f->window;
		for (size_t i = 0; i < n; i++)
			f->ids[i] = &f->rows[f->from + i].id;
		arena_reset(f->mem);
		rc = store_texts(s->house->store, s->account, f->ids, n, f->texts_wanted,
			f->mem, f->texts, &err);
		if (rc != RC_LIMIT || n == 1)
			break;
		f->window = n / 2;
	}
	if (rc != RC_OK) {
		(void)imap_failed(s, rc, &err);
		f->failed = true;
		return FETCH_END;
	}
	f->loaded = f->from + n;
	memset(f->learnt, 0, n * sizeof(*f->learnt));
	f->step = fetch_unknown(f) ? fetch_learn : step_messages;
	return FETCH_ON;
}

void
fetch_learnt(struct fetch *f)
{
	f->step = step_messages;
}

/* ---- slices ---- */

/* The next rows of the UIDs that were asked for. */
static void
rows_listed(struct fetch *f)
{
	size_t n = f->n - f->at < f->room ? f->n - f->at : f->room, i;
	uint64_t bytes = 0;

	view_rows(f->s->box.view, f->uids + f->at, n, f->rows);
	for (i = 0; i < n && (!f->sets_seen || bytes < FETCH_SEEN_BYTES); i++) {
		if (f->rows[i].uid == 0) {
			f->gone++;
			continue;
		}
		bytes += f->rows[i].size;
		if (f->nrows != i)
			f->rows[f->nrows] = f->rows[i];
		f->nrows++;
	}
	f->at += i;
}

/* The next rows that have changed, of those that were asked for. */
static void
rows_changed(struct fetch *f)
{
	size_t got = view_changed(
		f->s->box.view, f->next, f->want.changed, f->rows, f->room);
	uint64_t bytes = 0;
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; i < got && (!f->sets_seen || bytes < FETCH_SEEN_BYTES); i++) {
		last = f->rows[i].uid;
		while (f->at < f->n && f->uids[f->at] < last)
			f->at++;
		if (f->at == f->n || f->uids[f->at] != last)
			continue;
		bytes += f->rows[i].size;
		if (f->nrows != i)
			f->rows[f->nrows] = f->rows[i];
		f->nrows++;
	}
	if (got == 0 || last == UINT32_MAX)
		f->at = f->n;
	else
		f->next = last + 1;
}

/*
 * \Seen is set before the messages are told, so that the answer can have the flags; a client
 * that is cut off in between has some messages seen that it has not read, FETCH_SEEN_BYTES
 * of them at most.  Where the disk does not take it reading goes on.
 */
static void
set_seen(struct fetch *f)
{
	struct imap_session *s = f->s;
	const struct change_flags c = { .how = CHANGE_ADD, .flags = STORE_SEEN };
	struct store_place at = { s->account, view_mailbox(s->box.view) };
	uint32_t uids[FETCH_SLICE];
	uint64_t modseq = 0;
	struct err err = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < f->nrows; i++) {
		f->newly[i] = (f->rows[i].flags & STORE_SEEN) == 0;
		if (f->newly[i])
			uids[n++] = f->rows[i].uid;
	}
	if (n == 0)
		return;
	enum rc rc = change_flags(
		s->house->store, at, uids, n, &c, &modseq, NULL, NULL, &err);
	if (rc != RC_OK) {
		log_warn("msg=\"messages are not marked as seen\" why=\"%s\"", err.text);
		memset(f->newly, 0, f->room * sizeof(*f->newly));
		return;
	}
	if (modseq > 0)
		imap_told(s, modseq);
	for (size_t i = 0; i < f->nrows; i++)
		if (f->newly[i])
			view_rows(s->box.view, &(uint32_t){ f->rows[i].uid }, 1,
				&f->rows[i]);
}

static enum fetch_got
step_rows(struct fetch *f)
{
	if (f->i < f->nrows) { /* the next window of the same slice */
		f->from = f->i;
		f->step = step_texts;
		return FETCH_ON;
	}
	f->nrows = f->i = f->from = 0;
	if (f->at == f->n)
		return FETCH_END;
	if (f->want.has_changed)
		rows_changed(f);
	else
		rows_listed(f);
	if (f->sets_seen)
		set_seen(f);
	if (f->nrows > 0)
		f->step = f->needs_texts ? step_texts : step_messages;
	return FETCH_ON;
}

/* ---- the beginning ---- */

/* RFC 9394 3.3: of the UIDs that are there, before CHANGEDSINCE (3.4). */
static void
take_partial(struct fetch *f)
{
	int64_t n = (int64_t)f->n, from = f->want.partial_from, to = f->want.partial_to;

	from = from < 0 ? n + 1 + from : from;
	to = to < 0 ? n + 1 + to : to;
	if (from > to) {
		int64_t swap = from;

		from = to;
		to = swap;
	}
	from = from < 1 ? 1 : from;
	to = to > n ? n : to;
	f->n = from <= to ? (size_t)(to - from) + 1 : 0;
	f->uids += f->n > 0 ? from - 1 : 0;
}

struct vanished {
	struct fetch *f;
	const struct imap_set *set;
	struct imap_set_out out;
	bool begun; /* a line, at: */
	size_t line_at;
};

static void
end_vanished(struct vanished *v)
{
	if (!v->begun)
		return;
	v->begun = false;
	imap_set_done(&v->out);
	buf_add(v->out.to, STR("\r\n"));
	v->out = (struct imap_set_out){ .to = v->out.to };
}

/* What the client still has a number for, it is told by EXPUNGE or VANISHED itself. */
static enum rc
put_vanished(uint32_t uid, void *arg)
{
	struct vanished *v = arg;
	struct imap_session *s = v->f->s;
	const struct view_list *l = s->box.list;
	size_t seq;

	if (!imap_set_has(v->set, uid))
		return RC_OK;
	seq = view_list_seq(l, uid);
	if (seq <= view_list_count(l) && view_list_uid(l, seq) == uid)
		return RC_OK;
	if (v->begun && s->out.len - v->line_at > VANISHED_LINE)
		end_vanished(v);
	if (!v->begun) {
		v->begun = true;
		v->line_at = s->out.len;
		buf_add(&s->out, STR("* VANISHED (EARLIER) "));
	}
	imap_set_add(&v->out, uid);
	return RC_OK;
}

/* Every UID that was ever given and is not there: what left is not known any more
 * (RFC 7162 3.2.5.1: the server may say more than it was asked). */
static enum rc
put_all_vanished(struct vanished *v, struct err *err)
{
	struct view_now now;
	enum rc rc = view_now(v->f->s->box.view, &now, err);
	uint32_t uid = 1;

	if (rc != RC_OK)
		return rc;
	for (size_t seq = 1; seq <= view_list_count(now.list) + 1; seq++) {
		uint32_t there = seq <= view_list_count(now.list)
					 ? view_list_uid(now.list, seq)
					 : now.uidnext;

		for (; uid < there; uid++)
			(void)put_vanished(uid, v);
		uid = there + 1;
	}
	view_list_drop(&now.list);
	return RC_OK;
}

/* RFC 7162 3.2.6; before all FETCH responses. */
static enum rc
tell_vanished(struct fetch *f, const struct imap_set *set, struct err *err)
{
	struct vanished v = { .f = f, .set = set, .out = { .to = &f->s->out } };
	enum rc rc = view_vanished(
		f->s->box.view, f->want.changed, put_vanished, &v, err);

	if (rc == RC_NONE)
		rc = put_all_vanished(&v, err);
	end_vanished(&v);
	return rc;
}

/* '*' of a set is for messages that are there; those that are not may have been behind
 * the last one. */
static bool
copy_set(struct arena *mem, const struct imap_set *set, struct imap_set *out)
{
	*out = (struct imap_set){ .n = set->n };
	if (set->saved)
		return true;
	out->at = arena_array(mem, set->n, sizeof(*out->at));
	if (out->at == NULL)
		return false;
	if (set->n > 0)
		memcpy(out->at, set->at, set->n * sizeof(*out->at));
	imap_set_resolve(out, UINT32_MAX);
	return true;
}

static unsigned
texts_of(const struct imap_fetch *w)
{
	unsigned texts = (w->items & ITEM_ENVELOPE) != 0 ? STORE_ENVELOPE : 0;

	if ((w->items & (ITEM_BODY | ITEM_BODYSTRUCTURE)) != 0)
		texts |= STORE_STRUCTURE;
	if ((w->items & ITEM_PREVIEW) != 0)
		texts |= STORE_PREVIEW;
	for (size_t i = 0; i < w->nsections; i++) {
		const struct imap_section *x = &w->sections[i];

		if (x->depth > 0)
			texts |= STORE_STRUCTURE;
		else if (x->kind == SECTION_FIELDS || x->kind == SECTION_FIELDS_NOT)
			texts |= STORE_HEAD;
	}
	return texts;
}

static void
consider_sections(struct fetch *f)
{
	for (size_t i = 0; i < f->want.nsections; i++) {
		const struct imap_section *x = &f->want.sections[i];
		bool fields = x->kind == SECTION_FIELDS || x->kind == SECTION_FIELDS_NOT;

		f->needs_file = f->needs_file || x->depth > 0 || !fields;
		f->needs_texts = f->needs_texts || x->depth > 0 || x->kind != SECTION_ALL;
		f->sets_seen = f->sets_seen || (!x->peek && !x->binary_size);
	}
	f->sets_seen = f->sets_seen && !f->s->box.read_only;
}

static void
end_fetch(struct imap_session *s)
{
	struct fetch *f = s->cmd.state;

	errand_wait(&s->errand);
	fs_close(&f->fd);
	fs_close(&f->decode_fd);
	arena_free(&f->mem);
	arena_free(&f->facts);
	arena_free(&f->work);
	buf_free(&f->scratch);
}

/* Room for the slices; small where few messages are asked for. */
static bool
make_room(struct fetch *f)
{
	struct arena *mem = f->s->cmd.mem;

	f->room = f->n < FETCH_SLICE ? f->n : FETCH_SLICE;
	f->window = f->room < FETCH_WINDOW ? f->room : FETCH_WINDOW;
	f->rows = arena_array(mem, f->room, sizeof(*f->rows));
	f->newly = arena_array(mem, f->room, sizeof(*f->newly));
	if (f->rows == NULL || f->newly == NULL)
		return false;
	if (!f->needs_texts)
		return true;
	f->ids = arena_array(mem, f->window, sizeof(*f->ids));
	f->texts = arena_array(mem, f->window, sizeof(*f->texts));
	f->learnt = arena_array(mem, f->window, sizeof(*f->learnt));
	return f->ids != NULL && f->texts != NULL && f->learnt != NULL;
}

static struct fetch *
new_fetch(struct imap_session *s)
{
	struct fetch *f = arena_new_of(s->cmd.mem, struct fetch);

	if (f == NULL)
		return NULL;
	f->s = s;
	f->uid = s->cmd.uid;
	f->fd = f->decode_fd = -1;
	f->step = step_rows;
	f->mem = arena_new(FETCH_TEXTS_MEM);
	f->facts = arena_new(FETCH_FACTS_MEM);
	f->work = arena_new(FETCH_WORK_MEM);
	f->scratch = BUF(FETCH_HEADER * 2);
	s->cmd.state = f;
	s->cmd.end = end_fetch;
	return f;
}

/* What the grammar cannot know; false: the reply says it. */
static bool
allowed(struct fetch *f)
{
	struct imap_session *s = f->s;

	if (f->want.has_partial && !f->uid)
		return (void)imap_badz(s, "PARTIAL is for UID FETCH"), false;
	if (f->want.vanished && (!f->uid || (s->enabled & ENABLED_QRESYNC) == 0))
		return (void)imap_badz(
			       s, "VANISHED is for UID FETCH, and to be enabled before"),
		       false;
	return true;
}

/* False: the reply says why. */
static bool
resolve(struct fetch *f, struct imap_set *set)
{
	struct imap_session *s = f->s;
	struct imap_set gone = { 0 };
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if ((f->want.items & ITEM_MODSEQ) != 0 || f->want.has_changed)
		rc = imap_enable_condstore(s, &err);
	if (rc == RC_OK && f->want.vanished && !copy_set(s->cmd.mem, set, &gone))
		rc = err_set(&err, RC_LIMIT, "the set is too long");
	if (rc == RC_OK)
		rc = imap_uids(s, set, f->uid, &f->uids, &f->n, &err);
	if (rc == RC_OK && f->want.vanished)
		rc = tell_vanished(f, &gone, &err);
	if (rc == RC_OK && f->want.has_partial)
		take_partial(f);
	if (rc == RC_OK && !make_room(f))
		rc = err_set(&err, RC_LIMIT, "too many messages at once");
	if (rc == RC_BAD)
		(void)imap_badz(s, "there is no message of that number");
	else if (rc != RC_OK)
		(void)imap_failed(s, rc, &err);
	return rc == RC_OK;
}

/* NULL: the reply says why. */
static struct fetch *
begin_fetch(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	struct fetch *f = new_fetch(s);
	struct imap_set set;

	if (f == NULL)
		return (void)imap_no(s, "LIMIT", "no memory for that"), NULL;
	if (!lex_sp(x) || !lex_set(x, &set) || !lex_sp(x) || !lex_fetch(x, &f->want) ||
		!lex_end(x))
		return (void)imap_bad(s), NULL;
	f->exact = !f->uid && !set.saved;
	if (f->uid)
		f->want.items |= ITEM_UID;
	if (f->want.has_changed) /* RFC 7162 3.1.4.1 */
		f->want.items |= ITEM_MODSEQ;
	f->texts_wanted = texts_of(&f->want);
	f->needs_texts = f->texts_wanted != 0; /* and where a header ends */
	consider_sections(f);
	return allowed(f) && resolve(f, &set) ? f : NULL;
}

/* ---- the end ---- */

/*
 * Messages that others expunged are not told: what was answered is true, so it is
 * OK, as RFC 5530 has it in its example; but NO (RFC 2180 4.1.3) where nothing at all was
 * there to be told.  With UIDs it is no matter (RFC 9051 6.4.9).
 */
static enum imap_did
finish(struct fetch *f)
{
	struct imap_session *s = f->s;

	if (f->failed)
		return IMAP_DONE;
	if (f->unknown_cte)
		return imap_no(s, "UNKNOWN-CTE", "a part is encoded in no known way");
	if (f->corrupt)
		return imap_no(s, "CORRUPTION", "the file of a message is not as it was");
	if (f->unavailable)
		return imap_no(
			s, "UNAVAILABLE", "not all could be found out at the moment");
	if (f->gone > 0 && f->exact && f->told == 0)
		return imap_no(s, "EXPUNGEISSUED", "the messages have been expunged");
	if (f->gone > 0 && f->exact)
		return imap_ok(s, "EXPUNGEISSUED", "some messages have been expunged");
	return imap_ok(s, NULL, "FETCH completed");
}

enum imap_did
cmd_fetch(struct imap_session *s)
{
	struct fetch *f = s->cmd.state;

	if (f == NULL && (f = begin_fetch(s)) == NULL)
		return IMAP_DONE;
	while (!imap_full(s) && buf_ok(&s->out)) {
		switch (f->step(f)) {
		case FETCH_ON:
			break;
		case FETCH_WAIT:
			return IMAP_WAIT;
		case FETCH_END:
			return finish(f);
		}
	}
	return IMAP_MORE;
}
