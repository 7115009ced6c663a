/* SPDX-License-Identifier: ISC */
/*
 * What a FETCH asks for, and of which messages (CHANGEDSINCE and VANISHED RFC 7162, PARTIAL
 * RFC 9394).
 */
#include "base/fs.h"
#include "imap/imap_absent.h"
#include "imap/imap_fetch_texts.h"

enum { VANISHED_LINE = 16 * 1024 }; /* then another one begins */

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

static void
put_range(uint32_t from, uint32_t to, void *arg)
{
	struct vanished *v = arg;
	struct imap_session *s = v->f->s;

	if (v->begun && s->out.len - v->line_at > VANISHED_LINE)
		end_vanished(v);
	if (!v->begun) {
		v->begun = true;
		v->line_at = s->out.len;
		buf_add(&s->out, STR("* VANISHED (EARLIER) "));
	}
	imap_set_add_range(&v->out, from, to);
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
	if (seq > view_list_count(l) || view_list_uid(l, seq) != uid)
		put_range(uid, uid, v);
	return RC_OK;
}

/* Every UID that was ever given and is not there: what left is not known any more
 * (RFC 7162 3.2.5.1: the server may say more than it was asked). */
static enum rc
put_all_vanished(struct vanished *v, struct err *err)
{
	struct view_now now;
	enum rc rc = view_now(v->f->s->box.view, &now, err);

	if (rc != RC_OK)
		return rc;
	imap_absent(now.list, v->f->s->box.list, now.uidnext, v->set, put_range, v);
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
	unsigned texts = (w->items & ITEM_BODY) != 0 ? STORE_STRUCTURE : 0;

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

/* What is kept as it is sent. */
static unsigned
items_of(const struct imap_fetch *w)
{
	return ((w->items & ITEM_ENVELOPE) != 0 ? STORE_ENVELOPE : 0u) |
	       ((w->items & ITEM_BODYSTRUCTURE) != 0 ? STORE_STRUCTURE : 0u);
}

static void
consider_sections(struct fetch *f)
{
	for (size_t i = 0; i < f->want.nsections; i++) {
		const struct imap_section *x = &f->want.sections[i];
		bool fields = x->kind == SECTION_FIELDS || x->kind == SECTION_FIELDS_NOT;

		f->needs_file = f->needs_file || x->depth > 0 || !fields;
		f->needs_row = f->needs_row || x->depth > 0 || x->kind != SECTION_ALL;
		f->sets_seen = f->sets_seen || (!x->peek && !x->binary_size);
	}
	f->sets_seen = f->sets_seen && !f->s->box.read_only;
	f->needs_texts = f->needs_row || f->items_wanted != 0;
}

static void
end_fetch(struct imap_session *s)
{
	struct fetch *f = s->cmd.state;

	errand_wait(&s->errand);
	fs_close(&f->fd);
	fetch_decoded_end(f);
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
	f->ids = arena_array(mem, f->room, sizeof(*f->ids));
	f->texts = arena_array(mem, f->room, sizeof(*f->texts));
	f->items = arena_array(mem, f->room, sizeof(*f->items));
	f->learnt = arena_array(mem, f->room, sizeof(*f->learnt));
	f->made = arena_array(mem, 2 * f->room, sizeof(*f->made));
	return f->ids != NULL && f->texts != NULL && f->items != NULL &&
	       f->learnt != NULL && f->made != NULL;
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
	f->step = fetch_rows;
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

struct fetch *
fetch_begin(struct imap_session *s)
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
	f->items_wanted = items_of(&f->want);
	f->needs_row = f->texts_wanted != 0; /* and where a header ends */
	consider_sections(f);
	return allowed(f) && resolve(f, &set) ? f : NULL;
}
