/* SPDX-License-Identifier: ISC */
/* Parts of messages. */
#include "scan/scan_int.h"
#include "scan/walk.h"

struct at {
	struct walk *w;
	str base;
	const struct mime_tree *tree;
	bool own;
	const struct around *in;
};

static bool
is_type(const struct mime_part *p, str type)
{
	return str_ieq(p->type, type);
}

static bool
is_message_type(const struct mime_part *p)
{
	return is_type(p, STR("message")) && (str_ieq(p->subtype, STR("rfc822")) ||
						     str_ieq(p->subtype, STR("global")) ||
						     str_ieq(p->subtype, STR("news")));
}

static bool
in_message(const struct mime_part *p)
{
	while ((p = p->parent != NULL ? p->parent : p->of) != NULL)
		if (p->kind == MIME_MESSAGE)
			return true;
	return false;
}

/* "text/plain", in lower case. */
static enum rc
type_of(struct arena *mem, const struct mime_part *p, str *out)
{
	size_t n = p->type.len + 1 + p->subtype.len;
	char *to;

	if (n > CONTENT_NAME)
		return *out = (str){ 0 }, RC_OK;
	to = arena_alloc(mem, n);
	if (to == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < n; i++) {
		char c = i < p->type.len    ? p->type.ptr[i]
			 : i == p->type.len ? '/'
					    : p->subtype.ptr[i - p->type.len - 1];

		to[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	*out = (str){ to, n };
	return RC_OK;
}

static enum rc
thing_of(const struct at *x, const struct mime_part *p, struct thing *t)
{
	uint64_t all = p->odd | p->odd_around;

	*t = (struct thing){ .in = *x->in,
		.name = p->name,
		.charset = p->charset,
		.odd = p->odd | (p->odd_around & MIME_ODD(ALTERNATE)),
		.verbatim = p->encoding == MIME_IDENTITY,
		.text = is_type(p, STR("text")) };
	t->in.layers = (uint16_t)(t->in.layers + p->depth);
	t->flags = x->in->flags;
	/* virus scanners know these only in a text, and with all their lines */
	t->hidden = (all & MIME_ODD_HIDES) != 0 || p->encoding >= MIME_UUENCODE;
	t->flags |= t->hidden ? LEAF_HIDDEN : 0;
	t->flags |= (all & MIME_ODD(ALTERNATE)) != 0 ? LEAF_ALTERNATE : 0;
	if (str_ieq(p->disposition.value, STR("attachment")) || p->name.len > 0)
		t->flags |= LEAF_ATTACHED;
	if (in_message(p))
		t->flags |= LEAF_IN_MESSAGE;
	if (x->own) {
		t->at = p->body_at;
		t->length = p->end - p->body_at;
	}
	return type_of(x->w->mem, p, &t->type);
}

/* What decoders disagree about is decoded in each way. */
static unsigned
ways(const struct mime_part *p, uint64_t odd, enum mime_encoding out[MIME_ENCODINGS])
{
	unsigned n = 0;

	out[n++] = p->encoding;
	if ((odd & (MIME_ODD(DUP_ENCODING) | MIME_ODD(BAD_ENCODING))) != 0)
		for (enum mime_encoding e = MIME_IDENTITY; e <= MIME_UUENCODE; e++)
			if (e != p->encoding)
				out[n++] = e;
	if ((odd & MIME_ODD(BAD_BASE64)) != 0) {
		out[n++] = MIME_BASE64_STRICT;
		out[n++] = MIME_BASE64_JOINED;
	}
	return n;
}

static bool
same_bytes(str a, str b)
{
	return a.len == b.len && (a.ptr == b.ptr || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static enum rc
leaf(const struct at *x, const struct mime_part *p)
{
	LUMP_AUTO first = { 0 };
	enum mime_encoding all[MIME_ENCODINGS + 4];
	str raw = mime_body(x->base, p);
	struct thing t, other;
	enum rc rc = thing_of(x, p, &t);

	if (rc == RC_OK && (t.flags & LEAF_ALTERNATE) != 0)
		rc = walk_charge(x->w, raw.len);
	if (rc == RC_OK)
		rc = walk_decode(x->w, p->encoding, raw, &first, &t.odd, &t.bytes);
	if (rc != RC_OK)
		return rc;
	other = t;
	t.hidden |= (t.odd & MIME_ODD_HIDES) != 0;
	rc = walk_thing(x->w, &t);
	unsigned n = ways(p, t.odd, all);
	for (unsigned i = 1; i < n && rc == RC_OK; i++) {
		LUMP_AUTO again = { 0 };
		struct thing o = other;

		o.flags |= LEAF_ALTERNATE | LEAF_HIDDEN;
		o.odd |= t.odd | MIME_ODD(ALTERNATE);
		o.hidden = true;
		rc = walk_decode(x->w, all[i], raw, &again, &o.odd, &o.bytes);
		if (rc == RC_OK && all[i] == MIME_IDENTITY)
			rc = walk_charge(x->w, raw.len);
		if (rc == RC_OK && o.bytes.len > 0 && !same_bytes(o.bytes, t.bytes))
			rc = walk_thing(x->w, &o);
	}
	return rc;
}

/* A multipart or message that is encoded as a whole (RFC 2045 6.4 forbids it): what a
 * program sees that decodes it nevertheless. */
static enum rc
decoded(const struct at *x, const struct mime_part *p)
{
	LUMP_AUTO bytes = { 0 };
	ARENA_AUTO mem = NULL;
	struct mime_tree tree;
	struct thing t;
	str body;
	enum rc rc = thing_of(x, p, &t);

	if (rc == RC_OK)
		rc = walk_decode(
			x->w, p->encoding, mime_body(x->base, p), &bytes, &t.odd, &body);
	if (rc != RC_OK)
		return rc;
	if (t.in.messages == WALK_MESSAGES)
		return walk_limit(x->w, "messages");
	if (body.len == 0)
		return RC_OK;
	struct around in = t.in;
	in.messages++;
	in.flags |= LEAF_HIDDEN | (t.flags & (LEAF_ALTERNATE | LEAF_IN_MESSAGE));
	in.unseen = true;
	unsigned job = x->w->jobs.n;
	size_t leaves = x->w->c->nleaves;
	rc = walk_raw(x->w, in.leaf, body);
	bool own = x->w->jobs.n > job && p->kind == MIME_MESSAGE;
	mem = arena_new(SCAN_MEMORY);
	if (rc == RC_OK)
		rc = mime_parse_body(body, p, p->depth, x->w->cs, mem, &tree, x->w->err);
	if (rc == RC_OK)
		rc = walk_tree(x->w, body, &tree, false, &in);
	/* so that it is known to lie within an attached message */
	if (rc == RC_OK && own && x->w->c->nleaves > leaves)
		x->w->jobs.leaves[job] = (uint16_t)(leaves + 1);
	return rc;
}

enum { LEAST = 32 }; /* shorter has no file in it */

/* Files in what no part is: readers without MIME show it. */
static enum rc
beside(const struct at *x, str range)
{
	struct thing t = { .in = *x->in, .bytes = range, .flags = x->in->flags };

	return walk_embedded(x->w, &t, x->in->leaf);
}

/* What stands in a multipart in front of, between or behind its parts, and in a header
 * that is none: some programs show it, or take it for the part. */
static enum rc
ranges(const struct at *x, const struct mime_part *p)
{
	uint64_t odd = p->odd;
	str header = str_first(
		str_skip(x->base, p->header_at), p->body_at - p->header_at);
	str front = { 0 }, behind = { 0 };
	enum rc rc = RC_OK;

	if (p->kind == MIME_MULTIPART && p->first != NULL) {
		front = str_first(
			str_skip(x->base, p->body_at), p->first->header_at - p->body_at);
		behind = str_first(
			str_skip(x->base, p->last->end), p->end - p->last->end);
	}
	if ((odd & (MIME_ODD(BAD_FIELD) | MIME_ODD(HEADER_CUT) | MIME_ODD(NUL_BYTE))) !=
		0)
		rc = walk_raw(x->w, x->in->leaf, header);
	if (rc == RC_OK && (odd & MIME_ODD(PREAMBLE)) != 0)
		rc = walk_raw(x->w, x->in->leaf, front);
	if (rc == RC_OK && (odd & MIME_ODD(EPILOGUE)) != 0)
		rc = walk_raw(x->w, x->in->leaf, behind);
	if (rc == RC_OK && front.len > LEAST)
		rc = beside(x, front);
	return rc == RC_OK && behind.len > LEAST ? beside(x, behind) : rc;
}

static enum rc
part(const struct at *x, const struct mime_part *p)
{
	bool composite = is_type(p, STR("multipart")) || is_message_type(p);
	enum rc rc = ranges(x, p);

	/* the top of a body that was decoded has the encoding still */
	if (rc == RC_OK && composite && p->encoding != MIME_IDENTITY && p != x->tree->top)
		rc = decoded(x, p);
	else if (rc == RC_OK && composite && p->encoding != MIME_IDENTITY && x->own)
		rc = decoded(x, p);
	if (rc == RC_OK &&
		(p->kind == MIME_LEAF || (p->kind == MIME_MULTIPART && p->first == NULL)))
		rc = leaf(x, p);
	return rc;
}

enum rc
walk_tree(struct walk *w, str base, const struct mime_tree *tree, bool own,
	const struct around *in)
{
	const struct at x = { w, base, tree, own, in };
	const struct mime_part *p = NULL;
	enum rc rc = RC_OK;

	w->c->odd |= tree->odd;
	w->c->parts += (uint32_t)tree->parts;
	while (rc == RC_OK && (p = mime_each(tree, p)) != NULL) {
		if (p->depth + in->depth > w->c->depth)
			w->c->depth = p->depth + in->depth;
		rc = part(&x, p);
	}
	return rc;
}
