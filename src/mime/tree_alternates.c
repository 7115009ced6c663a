/* SPDX-License-Identifier: ISC */
/*
 * Every part is looked at once, in the order in which they were made; the readings that
 * are made on the way are appended, so that theirs are looked at, too.  A reading in
 * which nothing stands that was not found before is given back, and what was found
 * before is not looked at again: so there are never more readings than different parts.
 */
#include "mime/tree_choices.h"

enum {
	CANDIDATES = 48, /* boundaries of one Content-Type */
};

/* How a part is read another way: relative to a piece. */
struct way {
	const struct piece *from; /* the reading that is varied */
	size_t header_end; /* not 0: the header is read again, up to here */
	bool again; /* the header is read again */
	uint8_t policy;
	enum mime_kind kind;
	enum mime_encoding encoding;
	str boundary;
	str type; /* not NULL: another raw Content-Type */
	uint64_t odd;
};

struct tried {
	struct tried *next;
	struct way way;
};

/* The part whose bytes are read. */
static struct piece *
root_of(struct piece *p)
{
	return p->p.of == NULL ? p : (struct piece *)(uintptr_t)p->p.of;
}

static bool
same_way(const struct way *a, const struct way *b)
{
	return a->header_end == b->header_end && a->again == b->again &&
	       a->policy == b->policy && a->kind == b->kind &&
	       a->encoding == b->encoding && a->from->p.body_at == b->from->p.body_at &&
	       str_eq(a->boundary, b->boundary) && str_eq(a->type, b->type);
}

static bool
tried_before(const struct piece *root, const struct way *w, size_t *n)
{
	*n = 0;
	for (const struct tried *t = root->tried; t != NULL; t = t->next, ++*n)
		if (same_way(&t->way, w))
			return true;
	return false;
}

/* Does a reading have anything that none before it has?  The bytes of a composite
 * top are its root's. */
static bool
says_more(struct reading *x, const struct piece *top)
{
	for (const struct mime_part *p = &top->p; p != NULL; p = p->each)
		if ((p->parent != NULL || p->first == NULL ||
			    p->encoding != MIME_IDENTITY) &&
			!seen_like(x, (const struct piece *)p))
			return true;
	return false;
}

/* All that was made behind `mark` is spare again. */
static void
give_back(struct reading *x, struct piece *mark)
{
	while (mark->p.each != NULL) {
		struct piece *p = piece_of(mark->p.each);

		mark->p.each = p->p.each;
		p->p.each = x->spare == NULL ? NULL : &x->spare->p;
		x->spare = p;
		x->tree->parts--;
	}
	x->last = mark;
}

/* n as w says, from the piece that w varies. */
static enum rc
dress(struct reader *r, struct piece *n, const struct way *w)
{
	const struct mime_part *f = &w->from->p;
	struct mime_part *m = &n->p;
	enum rc rc = RC_OK;

	*m = *f;
	m->parent = m->first = m->last = m->next = m->alternates = m->each = NULL;
	m->odd |= MIME_ODD(ALTERNATE) | w->odd;
	m->odd_around = 0;
	m->number = 1;
	n->in_multipart = w->from->in_multipart;
	n->mime = n->whole_header = true;
	n->type_raw = w->from->type_raw;
	if (w->again)
		return RC_OK;
	if (w->type.ptr != w->from->type_raw.ptr) {
		m->content_type = (struct mime_value){ 0 };
		m->charset = STR("");
		rc = part_type(r, n, w->type, &m->name);
	}
	m->kind = w->kind;
	m->encoding = w->encoding;
	n->boundary = w->boundary;
	if (m->kind == MIME_MULTIPART && !str_ieq(m->type, STR("multipart"))) {
		m->type = STR("multipart");
		m->subtype = STR("mixed");
	} else if (m->kind == MIME_MESSAGE && !str_ieq(m->type, STR("message"))) {
		m->type = STR("message");
		m->subtype = STR("rfc822");
	}
	if (m->kind != MIME_LEAF && m->encoding != MIME_IDENTITY)
		m->odd |= MIME_ODD(ENCODED_COMPOSITE);
	return rc == RC_BAD ? RC_OK : rc;
}

static void
hang(struct piece *root, struct piece *n)
{
	struct mime_part **to = &root->p.alternates;

	while (*to != NULL) {
		n->p.number = (*to)->number + 1;
		to = &(*to)->next;
	}
	*to = &n->p;
}

/* Whoever decodes it calls mime_parse_body(): as it stands there is nothing in it. */
static bool
encoded(const struct way *w)
{
	return w->kind != MIME_LEAF && w->encoding != MIME_IDENTITY;
}

static enum rc
read_way(struct reading *x, struct piece *root, const struct way *w)
{
	struct piece *mark = x->last, *n;
	struct reader r = { .x = x,
		.policy = w->policy,
		.end = root->p.end,
		.alternate = true,
		.header_end = w->header_end };
	enum rc rc = piece_new(&r, NULL, &n);

	if (rc == RC_OK)
		rc = dress(&r, n, w);
	if (rc != RC_OK)
		return rc;
	n->p.of = &root->p;
	r.at = w->again ? w->from->p.header_at : w->from->p.body_at;
	if (w->again) {
		struct mime_part clean = { .of = n->p.of,
			.depth = n->p.depth,
			.odd = n->p.odd,
			.number = 1,
			.each = n->p.each };

		n->p = clean;
		n->mime = n->whole_header = false;
		rc = reader_message(&r, n);
	} else if (encoded(w) || (w->kind == MIME_LEAF && w->policy == w->from->policy)) {
		n->p.body_lines = w->from->p.body_lines;
	} else {
		rc = reader_body(&r, n);
	}
	if (rc != RC_OK)
		return rc;
	if (!says_more(x, n)) {
		give_back(x, mark);
		return RC_OK;
	}
	hang(root, n);
	for (struct mime_part *p = &n->p; p != NULL && rc == RC_OK; p = p->each)
		rc = seen_now(x, piece_of(p));
	return rc;
}

/* The primary tree's parts are known when the first other reading is made. */
static enum rc
see_primary(struct reading *x)
{
	enum rc rc = RC_OK;

	if (x->seen != NULL)
		return RC_OK;
	for (struct mime_part *p = x->tree->top; p != NULL && rc == RC_OK; p = p->each)
		rc = seen_now(x, piece_of(p));
	return rc;
}

static enum rc
try(struct reading *x, struct piece *p, struct way w)
{
	struct piece *root = root_of(p);
	struct tried *t;
	size_t n;

	w.from = p;
	if (w.type.ptr == NULL)
		w.type = p->type_raw;
	if (tried_before(root, &w, &n))
		return RC_OK;
	if (see_primary(x) != RC_OK ||
		reading_work(x, n + sizeof(*t) + w.type.len) != RC_OK)
		return RC_LIMIT;
	t = arena_new_of(x->mem, struct tried);
	if (t == NULL)
		return err_set(x->err, RC_LIMIT, "no memory for its parts");
	t->way = w;
	t->next = root->tried;
	root->tried = t;
	return read_way(x, root, &w);
}

/* The way p was read. */
static struct way
as_it_is(const struct piece *p)
{
	return (struct way){ .policy = p->policy,
		.kind = p->p.kind,
		.encoding = p->p.encoding,
		.boundary = p->boundary };
}

static enum rc
other_policies(struct reading *x, struct piece *p)
{
	enum rc rc = RC_OK;

	for (unsigned bit = 1; bit <= READ_THROUGH && rc == RC_OK; bit <<= 1) {
		struct way w = as_it_is(p);

		if (!(p->want & bit) || (p->policy & bit))
			continue;
		w.policy = (uint8_t)(p->policy | bit);
		rc = try(x, p, w);
	}
	return rc;
}

/* As multiparts with each of the boundaries that occur. */
static enum rc
other_boundaries(struct reading *x, struct piece *p, str raw, bool changed)
{
	struct mime_value v = p->p.content_type;
	str b[CANDIDATES];
	struct way w = as_it_is(p);
	uint64_t occurs;
	size_t n;
	enum rc rc = RC_OK;

	if (changed && mime_value_parse(raw, NULL, x->mem, &v) != RC_OK)
		return err_set(x->err, RC_LIMIT, "no memory for its parts");
	x->work += raw.len;
	n = boundary_candidates(raw, &v, x->mem, b, CANDIDATES);
	if (n == 0 || (n == 1 && !changed && str_eq(b[0], p->boundary)))
		return RC_OK;
	occurs = boundary_occurs(x, p->p.body_at, p->p.end, b, n);
	w.kind = MIME_MULTIPART;
	if (changed)
		w.type = raw;
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		w.boundary = b[i];
		if ((occurs >> i & 1) && (changed || !str_eq(b[i], p->boundary)))
			rc = try(x, p, w);
	}
	return rc;
}

static enum rc
sniffed_boundary(struct reading *x, struct piece *p)
{
	struct reader r = { .x = x, .policy = p->policy, .end = p->p.end };
	struct way w = as_it_is(p);

	if (p->sniffed == 0 || !boundary_sniff(&r, p->sniffed - 1, &w.boundary))
		return RC_OK;
	w.kind = MIME_MULTIPART;
	w.encoding = MIME_IDENTITY;
	return try(x, p, w);
}

/* Other Content-Types: each as what it says. */
static enum rc
other_types(struct reading *x, struct piece *p, const struct field_choices *c)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->types && rc == RC_OK; i++) {
		str raw = c->type[i];
		struct way w = as_it_is(p);
		struct piece said = { 0 };
		struct reader r = { .x = x };
		str name;

		w.type = raw;
		w.boundary = STR("");
		rc = part_type(&r, &said, raw, &name);
		if (rc == RC_LIMIT)
			return err_set(x->err, RC_LIMIT, "no memory for its parts");
		part_kind(&said);
		w.kind = said.p.kind;
		if (rc == RC_BAD && str_ifind(raw, STR("rfc822")) < raw.len)
			w.kind = MIME_MESSAGE;
		w.boundary = said.boundary;
		rc = try(x, p, w);
		if (rc == RC_OK)
			rc = other_boundaries(x, p, raw, true);
	}
	return rc;
}

/* message/ anything may be read as a message: news, partial, s-http. */
static enum rc
other_messages(struct reading *x, struct piece *p)
{
	static const str reports[] = { STR_INIT("delivery-status"),
		STR_INIT("disposition-notification"), STR_INIT("external-body"),
		STR_INIT("feedback-report"), STR_INIT("global-delivery-status"),
		STR_INIT("global-disposition-notification"), STR_INIT("global-headers") };
	struct way w = as_it_is(p);

	if (p->p.kind != MIME_LEAF || !str_ieq(p->p.type, STR("message")))
		return RC_OK;
	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
		if (str_ieq(p->p.subtype, reports[i]))
			return RC_OK;
	w.kind = MIME_MESSAGE;
	return try(x, p, w);
}

static enum rc
other_encodings(struct reading *x, struct piece *p, const struct field_choices *c)
{
	unsigned all = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->encodings; i++) {
		uint64_t odd = 0;

		all |= 1u << mime_encoding_read(c->encoding[i], &odd);
		if (odd != 0)
			all |= 1u << MIME_IDENTITY |
			       choose_by_content(mime_body(x->msg, &p->p));
	}
	for (unsigned e = 0; e < MIME_ENCODINGS && rc == RC_OK; e++) {
		struct way w = as_it_is(p);

		w.encoding = (enum mime_encoding)e;
		if ((all >> e & 1) && w.encoding != p->p.encoding)
			rc = try(x, p, w);
	}
	return rc;
}

/* Some readers let a part have the encoding of the multipart around it. */
static enum rc
inherited_encoding(struct reading *x, struct piece *p)
{
	const struct mime_part *around = root_of(p)->p.parent;
	struct way w = as_it_is(p);

	if (around == NULL || around->kind != MIME_MULTIPART || p->p.kind != MIME_LEAF ||
		around->encoding == MIME_IDENTITY || p->p.encoding_raw.len > 0)
		return RC_OK;
	w.encoding = around->encoding;
	return try(x, p, w);
}

static enum rc
other_headers(struct reading *x, struct piece *p)
{
	size_t ends[CHOICE_HEADERS];
	size_t n = choose_headers(x, p, ends);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct way w = {
			.again = true, .header_end = ends[i], .policy = p->policy
		};

		if (ends[i] != p->p.body_at && ends[i] > p->p.header_at)
			rc = try(x, p, w);
	}
	if (rc == RC_OK && (p->p.odd & MIME_ODD(BARE_LINE_END)) &&
		!(p->policy & READ_CR)) {
		struct way w = { .again = true,
			.policy = (uint8_t)(p->policy | READ_CR) };

		rc = try(x, p, w);
	}
	return rc;
}

/* Is there a reason to read p's header with other eyes? */
static bool
header_doubtful(const struct reading *x, const struct piece *p)
{
	const uint64_t doubts = MIME_ODD(DUP_TYPE) | MIME_ODD(BAD_TYPE) |
				MIME_ODD(DUP_ENCODING) | MIME_ODD(BAD_ENCODING) |
				MIME_ODD(HIDDEN_FIELD) | MIME_ODD(BAD_FIELD) |
				MIME_ODD(NUL_BYTE) | MIME_ODD(BARE_LINE_END) |
				MIME_ODD(HEADER_CUT) | MIME_ODD(PARAM_CONFLICT);
	str body = mime_body(x->msg, &p->p);

	if ((p->p.odd & doubts) || p->header_twice || p->p.body_at - p->p.header_at <= 2)
		return true;
	/* fields go on behind the empty line, or another one comes first */
	return body.len > 8 &&
	       ((body.ptr[0] | 0x20) == 'c' || body.ptr[0] == '\r' ||
		       body.ptr[0] == '\n') &&
	       str_ifind(str_first(body, 64), STR("content-")) < 64;
}

static enum rc
look_at(struct reading *x, struct piece *p)
{
	enum rc rc = RC_OK;

	if (p->want != 0)
		rc = other_policies(x, p);
	if (rc == RC_OK && p->sniffed != 0)
		rc = sniffed_boundary(x, p);
	if (rc == RC_OK && p->type_raw.len > 0)
		rc = other_boundaries(x, p, p->type_raw, false);
	if (rc == RC_OK && (p->p.odd & (MIME_ODD(NO_BOUNDARY) | MIME_ODD(NO_PARTS)))) {
		/* it may stand on a line of its own */
		str header = str_skip(x->msg, p->p.header_at);

		header = str_first(header, p->p.body_at - p->p.header_at);
		rc = other_boundaries(x, p, header, false);
	}
	if (rc == RC_OK)
		rc = other_messages(x, p);
	if (rc == RC_OK)
		rc = inherited_encoding(x, p);
	if (rc == RC_OK && header_doubtful(x, p)) {
		struct field_choices c;

		choose_fields(x, p->p.header_at, p->p.body_at, &c);
		rc = other_headers(x, p);
		if (rc == RC_OK)
			rc = other_types(x, p, &c);
		if (rc == RC_OK)
			rc = other_encodings(x, p, &c);
	}
	return rc == RC_OK ? reading_work(x, 0) : rc;
}

enum rc
tree_alternates(struct reading *x)
{
	enum rc rc = RC_OK;

	for (struct mime_part *p = x->tree->top; p != NULL && rc == RC_OK; p = p->each) {
		bool inside = p->kind == MIME_LEAF || p->encoding == MIME_IDENTITY;

		if (p->of == NULL ? !p->again : inside)
			rc = look_at(x, piece_of(p));
	}
	return rc;
}
