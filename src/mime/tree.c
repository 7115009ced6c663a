/* SPDX-License-Identifier: ISC */
#include "mime/tree_int.h"

enum { NOTE = 1024 };

enum rc
reading_work(struct reading *x, uint64_t bytes)
{
	x->work += bytes;
	return x->work <= x->most_work
		       ? RC_OK
		       : err_set(x->err, RC_LIMIT, "its parts take too long to find");
}

enum rc
piece_new(struct reader *r, struct piece *parent, struct piece **out)
{
	struct reading *x = r->x;
	struct piece *n = x->spare;

	if (parent != NULL && parent->p.depth + 1 >= MIME_DEPTH)
		return err_set(
			x->err, RC_LIMIT, "more than %d levels of parts", MIME_DEPTH);
	if (x->tree->parts >= MIME_PARTS)
		return err_set(x->err, RC_LIMIT, "more than %d parts", MIME_PARTS);
	if (n != NULL) {
		x->spare = piece_of(n->p.each);
		*n = (struct piece){ 0 };
	} else if ((n = arena_new_of(x->mem, struct piece)) == NULL) {
		return err_set(x->err, RC_LIMIT, "no memory for its parts");
	}
	x->tree->parts++;
	n->policy = (uint8_t)r->policy;
	n->p.number = 1;
	n->p.odd = r->alternate ? MIME_ODD(ALTERNATE) : 0;
	if (parent != NULL) {
		struct mime_part *before = parent->p.last;

		n->in_multipart = parent->p.kind == MIME_MULTIPART;
		n->p.parent = &parent->p;
		n->p.depth = parent->p.depth + 1;
		n->p.number = before == NULL ? 1 : before->number + 1;
		*(before == NULL ? &parent->p.first : &before->next) = &n->p;
		parent->p.last = &n->p;
	}
	if (x->last != NULL)
		x->last->p.each = &n->p;
	x->last = n;
	*out = n;
	return RC_OK;
}

size_t
line_next(const struct reader *r, size_t at, bool *ended)
{
	const char *from = r->x->msg.ptr + at, *end = r->x->msg.ptr + r->end, *p = from;

	if (r->policy & READ_CR) {
		while (p < end && *p != '\r' && *p != '\n')
			p++;
		if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
			p++;
	} else {
		do
			p = p == end ? NULL : memchr(p, '\n', (size_t)(end - p));
		while (p != NULL && (r->policy & READ_CRLF) &&
			(p == from || p[-1] != '\r') && p++ < end);
		p = p == NULL ? end : p;
	}
	*ended = p < end;
	return (size_t)(p - r->x->msg.ptr) + (p < end ? 1 : 0);
}

size_t
line_end_before(const struct reader *r, size_t at, size_t least)
{
	const char *m = r->x->msg.ptr;

	if (at > least && m[at - 1] == '\n')
		return at - (at - 1 > least && m[at - 2] == '\r' ? 2 : 1);
	return at > least && m[at - 1] == '\r' ? at - 1 : at;
}

/* Goes on to the next delimiter, or to the end. */
static enum rc
to_delimiter(struct reader *r, bool *found)
{
	size_t begin = r->at;

	*found = false;
	while (r->at < r->end && r->x->work <= r->x->most_work) {
		bool ended;
		size_t next;

		*found = boundary_at(r, r->at);
		if (*found)
			break;
		next = line_next(r, r->at, &ended);
		boundary_notes(r, r->at, next);
		r->lines += ended ? 1 : 0;
		r->at = next;
	}
	return reading_work(r->x, r->at - begin);
}

/* A note in front of the parts is usual, and so are a few lines behind them. */
static void
around_parts(struct piece *p)
{
	struct mime_part *m = &p->p;

	if (m->first->header_at - m->body_at > NOTE ||
		(p->sniffed > m->body_at && p->sniffed <= m->first->header_at))
		m->odd |= MIME_ODD(PREAMBLE);
	if (m->end - m->last->end > NOTE || p->sniffed > m->last->end)
		m->odd |= MIME_ODD(EPILOGUE);
}

/* The innermost part is complete. */
static void
finish(struct reader *r, size_t end, uint32_t lines)
{
	struct open_part *o = &r->open[--r->n];
	struct piece *p = o->piece;

	p->p.end = end;
	p->p.body_lines = lines - p->p.body_lines;
	if (p->p.kind != MIME_MULTIPART)
		return;
	if (p->p.first != NULL)
		around_parts(p);
	if (p->p.first == NULL && o->boundary.len > 0)
		p->p.odd |= MIME_ODD(NO_PARTS);
	else if (p->p.first != NULL && !o->ended)
		p->p.odd |= MIME_ODD(UNCLOSED);
}

/* At a delimiter: the parts inside its owner end, without the line end in front. */
static void
finish_inner(struct reader *r)
{
	size_t end = line_end_before(r, r->at, r->content);
	uint32_t lines = r->lines - (end < r->at ? 1 : 0);

	while (r->n - 1 > r->owner)
		finish(r, end, lines);
}

/* The same at a delimiter within the header of the part open[cut].  The line end in
 * front of it is the delimiter's, but counts for a message around that part. */
static void
finish_cut(struct reader *r, unsigned cut)
{
	size_t end = r->open[cut].piece->p.body_at;

	while (r->n - 1 > r->owner)
		finish(r, r->n - 1 >= cut ? end : r->at, r->lines);
}

static enum rc
open_piece(struct reader *r, struct piece *p)
{
	struct open_part *o = &r->open[r->n++];

	*o = (struct open_part){ .piece = p, .boundary = p->boundary };
	p->p.body_lines = r->lines;
	r->content = r->at;
	o->counts = p->p.kind == MIME_MULTIPART && p->whole_header &&
		    p->boundary.ptr != NULL;
	for (unsigned i = 0; o->counts && i + 1 < r->n; i++)
		if (r->open[i].counts && r->open[i].boundary.len > 0 &&
			(str_starts(o->boundary, r->open[i].boundary) ||
				str_starts(r->open[i].boundary, o->boundary)))
			p->p.odd |= MIME_ODD(SAME_BOUNDARY);
	return reading_work(r->x, o->boundary.len);
}

/* Behind a delimiter line: a new part of its owner begins, or its epilogue. */
static enum rc
pass_delimiter(struct reader *r, bool *part)
{
	struct open_part *o = &r->open[r->owner];
	bool ended;

	if (r->closes) {
		o->ended = true;
		o->counts = (r->policy & READ_REOPEN) != 0;
	}
	r->at = line_next(r, r->behind, &ended);
	r->lines += ended ? 1 : 0;
	r->content = r->at;
	*part = !r->closes && ended;
	return reading_work(r->x, r->at - r->behind);
}

/* What Dovecot has in a message whose header a delimiter ended. */
static enum rc
empty_message(struct reader *r, struct piece *around)
{
	struct piece *p;
	enum rc rc = piece_new(r, around, &p);

	if (rc != RC_OK)
		return rc;
	p->p.header_at = p->p.body_at = around->p.body_at;
	p->p.type = STR("text");
	p->p.subtype = STR("plain");
	return open_piece(r, p);
}

/* A part's header, then those of the messages in it.  *cut: a delimiter stands in a
 * header, and what was inside its owner is finished. */
static enum rc
headers(struct reader *r, struct piece *p, bool *cut)
{
	for (;;) {
		unsigned mine = r->n;
		enum rc rc = part_header(r, p, cut);

		if (rc == RC_OK)
			rc = open_piece(r, p);
		if (rc == RC_OK && *cut && p->p.kind == MIME_MESSAGE)
			rc = empty_message(r, p);
		if (rc == RC_OK && *cut)
			finish_cut(r, mine);
		if (rc != RC_OK || *cut || p->p.kind != MIME_MESSAGE)
			return rc;
		rc = piece_new(r, p, &p);
		if (rc != RC_OK)
			return rc;
	}
}

static enum rc
bodies(struct reader *r, bool cut)
{
	bool found = cut, part;
	enum rc rc;

	for (;;) {
		if (!cut && (rc = to_delimiter(r, &found)) != RC_OK)
			return rc;
		if (!found)
			break;
		if (!cut)
			finish_inner(r);
		cut = false;
		rc = pass_delimiter(r, &part);
		if (rc == RC_OK && part) {
			struct piece *p;

			rc = piece_new(r, r->open[r->owner].piece, &p);
			if (rc == RC_OK)
				rc = headers(r, p, &cut);
		}
		if (rc != RC_OK)
			return rc;
	}
	while (r->n > 0)
		finish(r, r->end, r->lines);
	return RC_OK;
}

enum rc
reader_message(struct reader *r, struct piece *top)
{
	bool cut;
	enum rc rc = headers(r, top, &cut);

	return rc == RC_OK ? bodies(r, cut) : rc;
}

enum rc
reader_body(struct reader *r, struct piece *top)
{
	struct piece *inner;
	enum rc rc = open_piece(r, top);
	bool cut = false;

	if (rc == RC_OK && top->p.kind == MIME_MESSAGE) {
		rc = piece_new(r, top, &inner);
		if (rc == RC_OK)
			rc = headers(r, inner, &cut);
	}
	return rc == RC_OK ? bodies(r, cut) : rc;
}

static void
reading_begin(struct reading *x, str msg)
{
	const char *lf = msg.len == 0 ? NULL : memchr(msg.ptr, '\n', msg.len);

	x->msg = msg;
	x->crlf = lf != NULL && lf > msg.ptr && lf[-1] == '\r';
	x->most_work = msg.len * (uint64_t)MIME_WORK;
	if (x->most_work < MIME_WORK_LEAST)
		x->most_work = MIME_WORK_LEAST;
	*x->tree = (struct mime_tree){ 0 };
}

/* odd_around, and the tree's odd. */
static void
sum_up(struct reading *x)
{
	struct mime_tree *t = x->tree;

	t->work = x->work;
	for (struct mime_part *p = t->top; p != NULL; p = p->each) {
		if (p->parent != NULL)
			p->odd_around |= p->parent->odd | p->parent->odd_around;
		else if (p->of != NULL)
			p->odd_around |= p->of->odd | p->of->odd_around;
		t->odd |= p->odd | p->odd_around;
	}
}

enum rc
mime_parse(str message, struct charsets *cs, struct arena *mem, struct mime_tree *out,
	struct err *err)
{
	struct mime_tree t;
	struct reading x = { .cs = cs, .mem = mem, .tree = &t, .err = err };
	struct reader r = { .x = &x, .end = message.len };
	struct piece *top;
	enum rc rc;

	reading_begin(&x, message);
	rc = piece_new(&r, NULL, &top);
	if (rc != RC_OK)
		return rc;
	t.top = &top->p;
	rc = reader_message(&r, top);
	if (rc == RC_OK)
		rc = tree_alternates(&x);
	if (rc != RC_OK)
		return rc;
	sum_up(&x);
	*out = t;
	return RC_OK;
}

enum rc
mime_parse_body(str body, const struct mime_part *like, unsigned depth,
	struct charsets *cs, struct arena *mem, struct mime_tree *out, struct err *err)
{
	struct mime_tree t;
	struct reading x = { .cs = cs, .mem = mem, .tree = &t, .err = err };
	struct reader r = { .x = &x, .end = body.len };
	struct piece *top;
	enum rc rc;

	reading_begin(&x, body);
	rc = piece_new(&r, NULL, &top);
	if (rc != RC_OK)
		return rc;
	t.top = &top->p;
	top->p.type = like->type;
	top->p.subtype = like->subtype;
	top->p.content_type = like->content_type;
	top->p.kind = like->kind;
	top->p.depth = depth;
	top->in_multipart = top->mime = top->whole_header = true;
	piece_boundary(top);
	rc = depth < MIME_DEPTH
		     ? reader_body(&r, top)
		     : err_set(err, RC_LIMIT, "more than %d levels of parts", MIME_DEPTH);
	if (rc != RC_OK)
		return rc;
	sum_up(&x);
	*out = t;
	return RC_OK;
}

const struct mime_part *
mime_next(const struct mime_part *p)
{
	if (p->first != NULL)
		return p->first;
	while (p != NULL && p->next == NULL)
		p = p->parent;
	return p == NULL ? NULL : p->next;
}

const struct mime_part *
mime_each(const struct mime_tree *t, const struct mime_part *after)
{
	return after == NULL ? t->top : after->each;
}
