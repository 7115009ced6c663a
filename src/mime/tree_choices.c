/* SPDX-License-Identifier: ISC */
#include "mime/header.h"
#include "mime/tree_choices.h"

enum { LOOK_AT = 512 };

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next line, ended by CRLF, LF or CR. */
static bool
next_line(str *rest, str *line)
{
	size_t n = 0;

	if (rest->len == 0)
		return false;
	while (n < rest->len && rest->ptr[n] != '\r' && rest->ptr[n] != '\n')
		n++;
	*line = str_first(*rest, n);
	if (n + 1 < rest->len && rest->ptr[n] == '\r' && rest->ptr[n + 1] == '\n')
		n++;
	*rest = n < rest->len ? (str){ rest->ptr + n + 1, rest->len - n - 1 }
			      : (str){ 0 };
	return true;
}

static void
choose(str *list, size_t *n, str value)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(list[i], value))
			return;
	if (*n < CHOICE_VALUES)
		list[(*n)++] = value;
}

/* name, or name and ':' or a blank. */
static enum mime_field
which(str line, size_t *value_at)
{
	size_t colon = str_find(line, STR(":"));
	enum mime_field f = field_loosely(str_first(line, colon));

	if (f == FIELD_OTHER) { /* no colon, perhaps */
		line = str_first(line, str_find(line, STR(" ")));
		colon = line.len;
		f = field_loosely(line);
	}
	*value_at = colon + 1;
	return f;
}

void
choose_fields(struct reading *x, size_t at, size_t end, struct field_choices *c)
{
	str rest = str_first(str_skip(x->msg, at), end - at), line;

	*c = (struct field_choices){ 0 };
	x->work += rest.len;
	while (next_line(&rest, &line) && x->work <= x->most_work) {
		str begun = str_trim(line);
		size_t value_at;
		enum mime_field f;
		const char *from;

		if (begun.len < 12 || line.len - begun.len > LOOK_AT ||
			(blank(line.ptr[0]) && !field_folded(begun)))
			continue;
		f = which(begun, &value_at);
		if (f != FIELD_TYPE && f != FIELD_ENCODING)
			continue;
		from = begun.ptr + (value_at < begun.len ? value_at : begun.len);
		/* what continues it belongs to it, and is looked at by itself, too */
		for (str more = rest; more.len > 0 && blank(more.ptr[0]);)
			if (next_line(&more, &line))
				x->work += line.len;
		line = (str){ from, (size_t)(line.ptr + line.len - from) };
		if (f == FIELD_TYPE)
			choose(c->type, &c->types, line);
		else
			choose(c->encoding, &c->encodings, line);
	}
}

static bool
is_field(str line)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] > ' ' && line.ptr[n] < 0x7f &&
		line.ptr[n] != ':')
		n++;
	while (n > 0 && n < line.len && blank(line.ptr[n]))
		n++;
	return n > 0 && n < line.len && line.ptr[n] == ':';
}

static void
ends_at(size_t out[CHOICE_HEADERS], size_t *n, size_t at)
{
	for (size_t i = 0; i < *n; i++)
		if (out[i] == at)
			return;
	if (*n < CHOICE_HEADERS)
		out[(*n)++] = at;
}

/* Fields behind the empty line: the end of them. */
static size_t
goes_on(struct reading *x, const struct piece *p)
{
	const char *m = x->msg.ptr;
	str rest = str_first(str_skip(x->msg, p->p.body_at), p->p.end - p->p.body_at),
	    line;
	bool content = false;
	size_t begin = rest.len;

	while (next_line(&rest, &line) && begin - rest.len < HEADER_BYTES) {
		size_t value_at;

		x->work += line.len + 1;
		if (str_trim(line).len == 0) {
			if (content)
				return rest.len > 0 ? (size_t)(rest.ptr - m) : p->p.end;
			continue;
		}
		if (!blank(line.ptr[0]) && !is_field(line))
			return 0;
		content = content || which(line, &value_at) != FIELD_OTHER;
		if (!content && begin - rest.len > LOOK_AT)
			return 0;
	}
	return 0;
}

size_t
choose_headers(struct reading *x, const struct piece *p, size_t out[CHOICE_HEADERS])
{
	const char *m = x->msg.ptr;
	str rest = str_first(
		str_skip(x->msg, p->p.header_at), p->p.body_at - p->p.header_at);
	str line;
	size_t n = 0, more;
	bool blanks = false, bad = false;

	x->work += rest.len;
	for (bool first = true; next_line(&rest, &line); first = false) {
		size_t behind = rest.len > 0 ? (size_t)(rest.ptr - m) : p->p.body_at;

		if (first)
			continue;
		/* who stops there stops at the first */
		if (str_trim(line).len == 0 && !blanks) {
			ends_at(out, &n, behind);
			blanks = true;
		} else if (str_trim(line).len > 0 && !bad && !blank(line.ptr[0]) &&
			   !is_field(line)) {
			ends_at(out, &n, (size_t)(line.ptr - m));
			bad = true;
		}
	}
	/* a message begins with fields, and so does what is said of one elsewhere
	 * (RFC 2046 5.2.3) */
	if (p->p.kind == MIME_MESSAGE || (p->p.odd & MIME_ODD(EXTERNAL)))
		return n;
	more = goes_on(x, p);
	if (more > p->p.body_at)
		ends_at(out, &n, more);
	return n;
}

unsigned
choose_by_content(str body)
{
	str rest = str_first(body, 8 * LOOK_AT), line;
	size_t base64 = 0, other = 0, equals = 0;
	bool begin = false;

	while (next_line(&rest, &line)) {
		begin = begin || str_starts(line, STR("begin "));
		for (size_t i = 0; i < line.len; i++) {
			char c = line.ptr[i];
			bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
				      (c >= '0' && c <= '9') || c == '+' || c == '/';

			equals += c == '=' ? 1 : 0;
			base64 += letter ? 1 : 0;
			other += letter || c == '=' ? 0 : 1;
		}
	}
	return (base64 >= 16 && other * 8 < base64 ? 1u << MIME_BASE64 : 0) |
	       (equals > 0 ? 1u << MIME_QP : 0) | (begin ? 1u << MIME_UUENCODE : 0);
}
