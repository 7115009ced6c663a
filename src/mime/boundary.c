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

/* Blanks, quoting and controls in front of a delimiter do not disturb everybody. */
static bool
before_dashes(char c)
{
	return ((unsigned char)c <= ' ' && c != '\r' && c != '\n') || c == '>';
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

/* Dashes at the beginning of a name say nothing to a reader who is not exact. */
static str
undashed(str s)
{
	while (s.len > 0 && s.ptr[0] == '-')
		s = (str){ s.ptr + 1, s.len - 1 };
	return s;
}

/* How many bytes of --name are the boundary's; SIZE_MAX: it is not this one. */
static size_t
matches(struct reader *r, const struct open_part *o, str name)
{
	str b = o->boundary, bare;

	if (r->policy & READ_LOOSE) {
		b = undashed(b);
		bare = undashed(name);
		r->x->work += b.len;
		if (b.len > 0 && str_istarts(bare, b))
			return (size_t)(bare.ptr - name.ptr) + b.len;
		b = o->boundary;
	}
	if (b.len > 0 && (name.len == 0 || name.ptr[0] != b.ptr[0]))
		return SIZE_MAX;
	r->x->work += b.len;
	if (!str_starts(name, b) ||
		((r->policy & READ_STRICT) && !exact(str_skip(name, b.len))))
		return SIZE_MAX;
	return b.len;
}

/* Which open boundary does the line --name belong to?  r->n: none.  *len: what of
 * name is the boundary; *others: it could be one of them, too. */
static unsigned
owner_of(struct reader *r, str name, size_t *len, unsigned *others)
{
	unsigned best = r->n;
	bool outer = (r->policy & READ_OUTER) != 0;
	bool dashes = name.len > 2 && str_eq(str_skip(name, name.len - 2), STR("--"));

	*others = 0;
	*len = 0;
	for (unsigned i = r->n; i-- > 0;) {
		const struct open_part *o = &r->open[i];
		size_t n = o->counts ? matches(r, o, name) : SIZE_MAX;

		if (n == SIZE_MAX)
			continue;
		*others += best < r->n ? 1 : 0;
		if (best == r->n || outer || n > *len) {
			best = i;
			*len = n;
		}
		/* none can fit better than the whole line */
		if (!outer && (n == name.len || (dashes && n == name.len - 2)))
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
note_owner(struct reader *r, str name, size_t at, size_t len, unsigned others)
{
	struct piece *p = r->open[r->owner].piece;
	const char *m = r->x->msg.ptr;

	if (!exact(str_skip(name, len))) {
		p->p.odd |= MIME_ODD(LOOSE_BOUNDARY);
		p->want |= READ_STRICT;
	}
	if (!usual_ends(r, at, (size_t)(name.ptr + name.len - (m + at)))) {
		p->p.odd |= MIME_ODD(BARE_LINE_END);
		p->want |= READ_CRLF;
	}
	for (unsigned i = 0; others > 0 && i < r->owner; i++)
		if (r->open[i].counts && matches(r, &r->open[i], name) != SIZE_MAX) {
			r->open[i].piece->p.odd |= MIME_ODD(SAME_BOUNDARY);
			r->open[i].piece->want |= READ_OUTER;
			break;
		}
}

/* A line that begins so, or whose delimiter does for a reader who is not exact. */
static bool
begins_delimiter(const struct reader *r, size_t *at)
{
	const char *m = r->x->msg.ptr;

	if (*at + 1 >= r->end)
		return false;
	if (m[*at] == '-' && m[*at + 1] == '-')
		return true;
	if (!(r->policy & READ_LOOSE))
		return false;
	while (*at < r->end && before_dashes(m[*at]))
		++*at;
	return *at + 1 < r->end && m[*at] == '-' && m[*at + 1] == '-';
}

bool
boundary_at(struct reader *r, size_t at)
{
	size_t from = at, len;
	unsigned others;
	str name;

	if (!begins_delimiter(r, &from) || !counts_any(r))
		return false;
	name = line_at(r, from);
	name = (str){ name.ptr + 2, name.len - 2 };
	while ((r->policy & READ_LOOSE) && name.len > 0 && blank(name.ptr[0]))
		name = (str){ name.ptr + 1, name.len - 1 };
	r->x->work += name.len + r->n;
	r->owner = owner_of(r, name, &len, &others);
	if (r->owner == r->n)
		return false;
	r->closes = str_starts(str_skip(name, len), STR("--"));
	r->behind = (size_t)(name.ptr - r->x->msg.ptr) + len;
	note_owner(r, name, at, len, others);
	return true;
}

/* The line's text is a delimiter for somebody who takes `policy`: whose? */
static void
note_line(struct reader *r, str text)
{
	bool dashes = text.len > 2 && text.ptr[0] == '-' && text.ptr[1] == '-';
	str name = dashes ? undashed(text) : text;

	while (dashes && name.len > 0 && blank(name.ptr[0]))
		name = str_skip(name, 1);
	if (!dashes || name.len == 0)
		return;
	for (unsigned i = r->n; i-- > 0;) {
		struct open_part *o = &r->open[i];
		str b = undashed(o->boundary);

		r->x->work += 1;
		if (b.len == 0 || !str_istarts(name, b))
			continue;
		r->x->work += b.len;
		if (o->counts) {
			o->piece->want |= READ_LOOSE;
			o->piece->p.odd |= MIME_ODD(LOOSE_BOUNDARY);
		} else if (o->ended) {
			o->piece->want |= READ_REOPEN;
			o->piece->p.odd |= MIME_ODD(EPILOGUE);
		}
	}
}

/* Delimiters behind bare CRs. */
static void
note_bare_cr(struct reader *r, size_t at, size_t end)
{
	const char *m = r->x->msg.ptr, *p = m + at, *stop = m + end;

	while (p < stop && (p = memchr(p, '\r', (size_t)(stop - p))) != NULL) {
		struct open_part *top = &r->open[r->n - 1];
		str name;

		if (++p + 1 >= stop || p[0] != '-' || p[1] != '-')
			continue;
		name = (str){ p + 2, (size_t)(stop - (p + 2)) };
		for (unsigned i = r->n; i-- > 0;) {
			struct open_part *o = &r->open[i];

			if (!o->counts || matches(r, o, name) == SIZE_MAX)
				continue;
			o->piece->want |= READ_CR;
			o->piece->p.odd |= MIME_ODD(BARE_LINE_END);
		}
		name = str_first(name, SNIFF_BOUNDARY);
		if (str_ifind(name, STR("\rcontent-")) < name.len)
			top->piece->want |= READ_CR;
	}
}

void
boundary_notes(struct reader *r, size_t at, size_t end)
{
	const char *m = r->x->msg.ptr;
	struct piece *p = r->open[r->n - 1].piece;
	str line = { m + at, end - at }, boundary;

	if (m[at] == '-') {
		if (p->sniffed == 0 && line.len > 3 && m[at + 1] == '-' &&
			boundary_sniff(r, at, &boundary))
			p->sniffed = at + 1;
		note_line(r, line);
	} else if (before_dashes(m[at])) {
		while (line.len > 0 && before_dashes(line.ptr[0]))
			line = str_skip(line, 1);
		if (line.len > 2 && line.ptr[0] == '-')
			note_line(r, line);
	}
	if (r->policy & READ_CR)
		return;
	end -= end > at && m[end - 1] == '\n' ? 1 : 0;
	end -= end > at && m[end - 1] == '\r' ? 1 : 0;
	if (end > at && memchr(m + at, '\r', end - at) != NULL)
		note_bare_cr(r, at, end);
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
