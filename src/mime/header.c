/* SPDX-License-Identifier: ISC */
#include "mime/header.h"

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line at `at`, without its end; *next is where the following one begins. */
static str
line_at(str s, size_t at, size_t *next)
{
	str rest = str_skip(s, at);
	const char *lf = rest.len == 0 ? NULL : memchr(rest.ptr, '\n', rest.len);
	str line = lf == NULL ? rest : str_first(rest, (size_t)(lf - rest.ptr));

	*next = lf == NULL ? s.len : at + line.len + 1;
	if (lf != NULL && line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

size_t
header_block_length(str bytes, size_t from)
{
	/* An empty line may straddle what was seen before. */
	size_t at = from < 3 ? 0 : from - 3;

	if (bytes.len == 0)
		return 0;
	if (at == 0 && bytes.ptr[0] == '\n')
		return 1;
	if (at == 0 && bytes.len > 1 && bytes.ptr[0] == '\r' && bytes.ptr[1] == '\n')
		return 2;
	while (at < bytes.len) {
		const char *lf = memchr(bytes.ptr + at, '\n', bytes.len - at);

		if (lf == NULL)
			return 0;
		at = (size_t)(lf - bytes.ptr) + 1;
		if (at < bytes.len && bytes.ptr[at] == '\n')
			return at + 1;
		if (at + 1 < bytes.len && bytes.ptr[at] == '\r' &&
			bytes.ptr[at + 1] == '\n')
			return at + 2;
	}
	return 0;
}

void
header_begin(struct header_reader *r, str block)
{
	*r = (struct header_reader){ .block = block };
}

/* RFC 5322 3.6.8: printable ASCII but the colon; 4.5: blanks before it. */
static bool
field_name(str line, str *name)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] > ' ' && line.ptr[n] < 0x7f &&
		line.ptr[n] != ':')
		n++;
	*name = str_first(line, n);
	while (n < line.len && blank(line.ptr[n]))
		n++;
	return name->len > 0 && n < line.len && line.ptr[n] == ':';
}

enum header_got
header_next(struct header_reader *r, struct header_field *f)
{
	size_t begin = r->at, next, end;
	str line = line_at(r->block, begin, &next), name;

	if (begin >= r->block.len || line.len == 0) {
		r->ended = begin < r->block.len;
		return HEADER_END;
	}
	if (r->fields >= HEADER_FIELDS)
		return HEADER_TOO_MANY;
	r->fields++;
	end = begin + line.len;
	r->at = next;
	while (r->at < r->block.len && blank(r->block.ptr[r->at])) {
		begin = r->at;
		str more = line_at(r->block, begin, &next);
		end = begin + more.len;
		r->at = next;
	}
	f->offset = (size_t)(line.ptr - r->block.ptr);
	if (!field_name(line, &name)) {
		*f = (struct header_field){ .value = line, .offset = f->offset };
		return HEADER_BAD;
	}
	begin = f->offset + name.len;
	while (r->block.ptr[begin] != ':')
		begin++;
	f->name = name;
	f->value = str_first(str_skip(r->block, begin + 1), end - begin - 1);
	return HEADER_FIELD;
}

/* A line end that a blank follows is folding, and goes. */
static size_t
fold_at(str s, size_t i)
{
	size_t n = s.ptr[i] == '\r' ? 1 : 0;

	if (i + n >= s.len || s.ptr[i + n] != '\n')
		return 0;
	n++;
	return i + n < s.len && blank(s.ptr[i + n]) ? n : 0;
}

enum rc
header_unfold(str value, size_t most, struct arena *mem, str *out)
{
	size_t n = 0;

	/* What is dropped at the front must not count against `most`. */
	while (value.len > 0 && (blank(value.ptr[0]) || fold_at(value, 0) > 0))
		value = str_skip(value, blank(value.ptr[0]) ? 1 : fold_at(value, 0));
	char *to = arena_alloc(mem, (value.len < most ? value.len : most) + 1);
	if (to == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < value.len && n < most;) {
		char c = value.ptr[i];
		size_t fold = c == '\r' || c == '\n' ? fold_at(value, i) : 0;

		if (fold > 0) {
			i += fold;
			continue;
		}
		to[n++] = c == '\0' || c == '\r' || c == '\n' ? '?' : c;
		i++;
	}
	*out = str_trim((str){ to, n });
	return RC_OK;
}
