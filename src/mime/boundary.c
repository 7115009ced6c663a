/* SPDX-License-Identifier: ISC */
/* Delimiter lines (RFC 2046 5.1.1), and lines that some readers take for one. */
#include "mime/tree_int.h"

enum {
	SNIFF_BOUNDARY = 200, /* bytes of a boundary that nobody declared */
	SNIFF_AHEAD = 2048, /* bytes behind it in which a field must stand */
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line's bytes from `at` on, without its line end. */
static str
line_at(const struct reader *r, size_t at)
{
	bool ended;
	size_t next = line_next(r, at, &ended);
	size_t end = ended ? line_end_before(r, next, at) : next;

	return (str){ r->x->msg.ptr + at, end - at };
}

/* RFC 2046 5.1.1: "--" at the end, transport padding, no more. */
static bool
exact(str rest)
{
	return str_trim(str_starts(rest, STR("--")) ? str_skip(rest, 2) : rest).len == 0;
}

static bool
matches(struct reader *r, const struct open_part *o, str name)
{
	if (o->boundary.len > 0 && (name.len == 0 || name.ptr[0] != o->boundary.ptr[0]))
		return false;
	r->x->work += o->boundary.len;
	return str_starts(name, o->boundary) &&
	       (!(r->policy & READ_STRICT) || exact(str_skip(name, o->boundary.len)));
}

/* Which open boundary does the line --name belong to?  r->n: none. */
static unsigned
owner_of(struct reader *r, str name, unsigned *others)
{
	unsigned best = r->n;
	bool dashes = name.len > 2 && str_eq(str_skip(name, name.len - 2), STR("--"));

	*others = 0;
	for (unsigned i = r->n; i-- > 0;) {
		const struct open_part *o = &r->open[i];
		size_t len = o->boundary.len;

		if (!o->counts || !matches(r, o, name))
			continue;
		*others += best < r->n ? 1 : 0;
		if (best == r->n || (r->policy & READ_OUTER) ||
			len > r->open[best].boundary.len)
			best = i;
		/* none can fit better than the whole line */
		if (!(r->policy & READ_OUTER) &&
			(len == name.len || (dashes && len == name.len - 2)))
			break;
	}
	return best;
}

static bool
counts_any(const struct reader *r)
{
	for (unsigned i = r->n; i-- > 0;)
		if (r->open[i].counts)
			return true;
	return false;
}

/* How the line at `at` ends, or the one before it: as the message's first? */
static bool
usual_ends(const struct reader *r, size_t at, size_t line_len)
{
	const char *m = r->x->msg.ptr;
	size_t end = at + line_len;
	bool before = at < 2 || m[at - 1] != '\n' || (m[at - 2] == '\r') == r->x->crlf;

	return before && (end >= r->end || (m[end] == '\r') == r->x->crlf);
}

static void
note_owner(struct reader *r, str name, size_t at, unsigned others)
{
	struct piece *p = r->open[r->owner].piece;

	if (!exact(str_skip(name, r->open[r->owner].boundary.len))) {
		p->p.odd |= MIME_ODD(LOOSE_BOUNDARY);
		p->want |= READ_STRICT;
	}
	if (!usual_ends(r, at, name.len + 2)) {
		p->p.odd |= MIME_ODD(BARE_LINE_END);
		p->want |= READ_CRLF;
	}
	for (unsigned i = 0; others > 0 && i < r->n; i++)
		if (r->open[i].counts && i != r->owner && matches(r, &r->open[i], name)) {
			r->open[i].piece->want |= READ_OUTER;
			break;
		}
}

bool
boundary_at(struct reader *r, size_t at)
{
	const char *m = r->x->msg.ptr;
	unsigned others;
	str name;

	if (at + 1 >= r->end || m[at] != '-' || m[at + 1] != '-' || !counts_any(r))
		return false;
	name = str_skip(line_at(r, at), 2);
	r->x->work += name.len;
	r->owner = owner_of(r, name, &others);
	if (r->owner == r->n)
		return false;
	r->closes = str_starts(str_skip(name, r->open[r->owner].boundary.len), STR("--"));
	r->behind = at + 2 + r->open[r->owner].boundary.len;
	note_owner(r, name, at, others);
	return true;
}

void
boundary_notes(struct reader *r, size_t at, size_t end)
{
	const char *m = r->x->msg.ptr;
	struct piece *p = r->open[r->n - 1].piece;
	str boundary;

	if (m[at] == '-' && p->sniffed == 0 && end - at > 3 && m[at + 1] == '-' &&
		boundary_sniff(r, at, &boundary))
		p->sniffed = at + 1;
}

/* A line of a header: a field, or what continues one. */
static bool
fieldlike(str line)
{
	size_t n = 0;

	if (line.len > 0 && blank(line.ptr[0]))
		return str_trim(line).len > 0;
	while (n < line.len && line.ptr[n] > ' ' && line.ptr[n] != ':' &&
		line.ptr[n] < 0x7f)
		n++;
	return n > 0 && n < line.len && (line.ptr[n] == ':' || blank(line.ptr[n])) &&
	       memchr(line.ptr + n, ':', line.len - n) != NULL;
}

bool
boundary_sniff(struct reader *r, size_t at, str *boundary)
{
	str line = line_at(r, at);
	size_t most = r->end - at < SNIFF_AHEAD ? r->end : at + SNIFF_AHEAD;
	bool ended;

	r->x->work += line.len;
	*boundary = str_trim(str_skip(line, 2));
	if (boundary->len == 0 || boundary->len > SNIFF_BOUNDARY || blank(line.ptr[2]))
		return false;
	for (at = line_next(r, at, &ended); ended && at < most;) {
		line = line_at(r, at);
		r->x->work += line.len;
		if (!fieldlike(line))
			return false;
		if (str_istarts(line, STR("content-")))
			return true;
		at = line_next(r, at, &ended);
	}
	return false;
}
