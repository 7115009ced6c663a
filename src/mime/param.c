/* SPDX-License-Identifier: ISC */
#include "mime/param_int.h"

enum { FIRST_VALUE = 256 };

/* RFC 2045 5.1: no controls, blanks and tspecials; 8-bit is let through. */
static bool
token_char(char c)
{
	unsigned char u = (unsigned char)c;

	return u > ' ' && u != 0x7f && memchr("()<>@,;:\\\"/[]?=", u, 15) == NULL;
}

static bool
line_end(char c)
{
	return c == '\r' || c == '\n';
}

/* RFC 5322 4.1: a backslash quotes neither line ends nor NUL here. */
static bool
quotes_next(const char *p, const char *end)
{
	return *p == '\\' && p + 1 < end && !line_end(p[1]) && p[1] != '\0';
}

static bool
comment(struct param_cursor *c)
{
	unsigned level = 0;

	for (; c->p < c->end; c->p++) {
		if (*c->p == '\\' && c->p + 1 == c->end)
			break;
		if (quotes_next(c->p, c->end))
			c->p++;
		else if (*c->p == '(')
			level++;
		else if (*c->p == ')' && --level == 0) {
			c->p++;
			return true;
		}
	}
	c->p = c->end;
	return false;
}

int
param_blanks(struct param_cursor *c)
{
	while (c->p < c->end) {
		if (*c->p == ' ' || *c->p == '\t' || line_end(*c->p))
			c->p++;
		else if (*c->p != '(')
			return 1;
		else if (!comment(c))
			return -1;
	}
	return 0;
}

int
param_token(struct param_cursor *c, str *out)
{
	const char *from = c->p;

	while (c->p < c->end && token_char(*c->p))
		c->p++;
	*out = (str){ from, (size_t)(c->p - from) };
	return param_blanks(c);
}

/* What is between the quotes, with what stands for something else replaced. */
static bool
unquote(str in, struct arena *mem, str *out)
{
	static const char replacement[] = { '\xef', '\xbf', '\xbd' };
	char *to = arena_alloc(mem, in.len * 3 + 1);
	size_t n = 0;

	if (to == NULL)
		return false;
	for (size_t i = 0; i < in.len; i++) {
		const char *p = in.ptr + i;

		if (quotes_next(p, in.ptr + in.len)) {
			to[n++] = p[1];
			i++;
		} else if (*p == '\0') {
			memcpy(to + n, replacement, sizeof(replacement));
			n += sizeof(replacement);
		} else if (*p == '\n' || (*p == '\r' && i + 1 < in.len && p[1] == '\n')) {
			continue; /* folding (RFC 5322 3.2.4) */
		} else {
			to[n++] = *p;
		}
	}
	*out = (str){ to, n };
	return true;
}

int
param_quoted(struct param_cursor *c, struct arena *mem, str *out)
{
	const char *from = ++c->p;
	bool plain = true, closed;
	str in;

	for (; c->p < c->end && *c->p != '"'; c->p++) {
		if (quotes_next(c->p, c->end)) {
			plain = false;
			c->p++;
		} else if (line_end(*c->p) || *c->p == '\0') {
			plain = false;
		}
	}
	closed = c->p < c->end;
	in = str_first((str){ from, (size_t)(c->p - from) }, PARAM_VALUE);
	if (plain)
		*out = in;
	else if (!unquote(in, mem, out))
		return -2;
	if (!closed)
		return -1;
	c->p++;
	return param_blanks(c);
}

/* The name's RFC 2231 ending: key*, key*N, key*N*. */
static void
continuation(struct param_seen *s)
{
	const char *star = s->key.len == 0 ? NULL : memchr(s->key.ptr, '*', s->key.len);
	str rest;
	uint64_t n = 0;
	size_t digits = 0;

	if (star == NULL)
		return;
	rest = str_skip(s->key, (size_t)(star - s->key.ptr) + 1);
	while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
		digits++;
	if (digits > 0 && !str_u64(str_first(rest, digits), UINT32_MAX, &n))
		return;
	s->numbered = digits > 0;
	s->index = (unsigned)n;
	rest = str_skip(rest, digits);
	if (!(rest.len == 0 || str_eq(rest, STR("*"))))
		return;
	s->extended = rest.len == 1 || digits == 0;
	s->part = true;
	s->key.len = (size_t)(star - s->key.ptr);
}

/* Up to the ';', without line ends and blanks around it. */
static str
up_to_semicolon(const char *from, const char *end)
{
	const char *semi;

	if (end - from > PARAM_VALUE)
		end = from + PARAM_VALUE;
	semi = from == end ? NULL : memchr(from, ';', (size_t)(end - from));
	if (semi == NULL)
		semi = end;
	while (semi > from && (line_end(semi[-1]) || semi[-1] == ' ' || semi[-1] == '\t'))
		semi--;
	return (str){ from, (size_t)(semi - from) };
}

/* The value behind the '='.  -2: mem is full. */
static int
value_at(struct param_cursor *c, struct arena *mem, struct param_seen *s)
{
	int got = param_blanks(c);
	const char *from = c->p;

	s->value = (str){ from, 0 };
	if (got <= 0)
		return got;
	if (*c->p == '"') {
		got = param_quoted(c, mem, &s->value);
		s->loose = s->value;
		return got;
	}
	s->loose = up_to_semicolon(from, c->end);
	if (*c->p != '=')
		return param_token(c, &s->value);
	/* name==?utf-8?b?...?= : everybody has learnt to read that */
	while (c->p < c->end && *c->p != ';' && *c->p != ' ' && *c->p != '\t' &&
		!line_end(*c->p))
		c->p++;
	s->value = (str){ from, (size_t)(c->p - from) };
	return 1;
}

/* One parameter, from its ';' on.  1: s is written; 0: the end; -1: it is broken, and
 * s may hold what a forgiving reader takes; -2: mem is full. */
static int
next_param(struct param_cursor *c, struct arena *mem, struct param_seen *s)
{
	int got;

	*s = (struct param_seen){ 0 };
	if (c->p == c->end)
		return 0;
	if (*c->p != ';')
		return -1;
	c->p++;
	if (param_blanks(c) <= 0 || param_token(c, &s->key) <= 0 || *c->p != '=')
		return -1;
	c->p++;
	got = value_at(c, mem, s);
	if (got == -2)
		return -2;
	s->shown = got >= 0;
	continuation(s);
	return s->shown ? 1 : -1;
}

static void
keep(struct param_list *l, const struct param_seen *s)
{
	if (l->n == PARAM_MOST)
		l->full = true;
	else
		l->at[l->n++] = *s;
}

/* What strict readers see.  After something broken they look for the next ';' from the
 * byte behind it on, and so miss a=b in ";;a=b". */
static enum rc
strict(struct param_cursor c, struct arena *mem, struct param_list *l)
{
	struct param_seen s;
	const char *semi;
	int got;

	while (!l->full && (got = next_param(&c, mem, &s)) != 0) {
		if (got == -2)
			return RC_LIMIT;
		if (got > 0) {
			keep(l, &s);
			continue;
		}
		l->broken = true;
		if (c.p == c.end || ++c.p == c.end)
			break;
		semi = memchr(c.p, ';', (size_t)(c.end - c.p));
		c.p = semi == NULL ? c.end : semi;
	}
	return RC_OK;
}

static bool
known(const struct param_list *l, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (l->at[i].key.ptr == key)
			return true;
	return false;
}

/* Whatever else looks like name=value. */
static enum rc
forgiving(struct param_cursor c, struct arena *mem, struct param_list *l)
{
	size_t strict_n = l->n;

	while (!l->full && c.p < c.end && param_blanks(&c) > 0) {
		struct param_seen s = { 0 };
		int got = param_token(&c, &s.key);

		if (got > 0 && s.key.len > 0 && *c.p == '=') {
			c.p++;
			got = value_at(&c, mem, &s);
			if (got == -2)
				return RC_LIMIT;
			if (s.loose.len > 0 && !known(l, strict_n, s.key.ptr)) {
				continuation(&s);
				keep(l, &s);
			}
		} else if (got > 0 && s.key.len == 0) {
			c.p++;
		}
	}
	return RC_OK;
}

/* "text/plain" or "attachment": up to the ';', without comments and blanks at its
 * ends and around '/'. */
static enum rc
first_value(struct param_cursor *c, struct arena *mem, str *out)
{
	struct param_cursor end = *c;
	char *to;
	size_t n = 0;
	bool plain = true;

	(void)param_blanks(c);
	for (end.p = c->p; end.p < end.end && *end.p != ';'; end.p++)
		plain = plain && (token_char(*end.p) || *end.p == '/');
	if (plain) {
		*out = (str){ c->p, (size_t)(end.p - c->p) };
		c->p = end.p;
		return RC_OK;
	}
	to = arena_alloc(mem, FIRST_VALUE);
	if (to == NULL)
		return RC_LIMIT;
	while (c->p < c->end) {
		const char *at = c->p;
		int got = param_blanks(c);

		if (got < 0 && n < FIRST_VALUE)
			to[n++] = '('; /* so that it cannot be taken for a good one */
		if (got <= 0 || *c->p == ';')
			break;
		if (c->p != at && n > 0 && n < FIRST_VALUE && *c->p != '/' &&
			to[n - 1] != '/')
			to[n++] = ' ';
		if (n < FIRST_VALUE)
			to[n++] = *c->p == '\0' ? '?' : *c->p;
		c->p++;
	}
	*out = (str){ to, n };
	return RC_OK;
}

enum rc
param_collect(str raw, struct arena *mem, struct param_list *l, str *value)
{
	struct param_cursor all = { raw.ptr, raw.ptr + raw.len }, c = all;
	enum rc rc = first_value(&c, mem, value);

	l->n = 0;
	l->full = l->broken = false;
	if (rc == RC_OK)
		rc = strict(c, mem, l);
	if (rc == RC_OK && (l->broken || str_find(*value, STR("=")) < value->len))
		rc = forgiving(all, mem, l);
	return rc;
}

static enum rc
collect_and_join(str raw, struct charsets *cs, struct arena *mem, struct mime_value *out)
{
	struct param_list l;
	enum rc rc = param_collect(raw, mem, &l, &out->value);

	return rc == RC_OK ? param_join(&l, cs, mem, out) : rc;
}

static bool
too_many(str raw)
{
	size_t n = 0;

	if (raw.len == 0)
		return false;
	for (const char *p = raw.ptr, *end = p + raw.len;
		n <= PARAM_SEMICOLONS && (p = memchr(p, ';', (size_t)(end - p))) != NULL;
		p++)
		n++;
	return n > PARAM_SEMICOLONS;
}

enum rc
mime_value_parse(str raw, struct charsets *cs, struct arena *mem, struct mime_value *out)
{
	struct mime_value v = { 0 };
	struct param_cursor c = { raw.ptr, raw.ptr + raw.len };
	enum rc rc;

	if (too_many(raw))
		return RC_LIMIT;
	/* most have no parameters, and the list is large */
	if (raw.len == 0 || memchr(raw.ptr, ';', raw.len) != NULL ||
		memchr(raw.ptr, '=', raw.len) != NULL)
		rc = collect_and_join(raw, cs, mem, &v);
	else
		rc = first_value(&c, mem, &v.value);
	if (rc == RC_OK)
		*out = v;
	return rc;
}

const struct mime_param *
mime_param_find(const struct mime_value *v, str plain_name)
{
	for (size_t i = 0; i < v->n; i++)
		if (str_ieq(v->params[i].plain_name, plain_name))
			return &v->params[i];
	return NULL;
}

static bool
token(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!token_char(s.ptr[i]))
			return false;
	return s.len > 0;
}

enum rc
mime_type_split(str value, str *type, str *subtype)
{
	size_t slash = str_find(value, STR("/"));

	*type = str_trim(str_first(value, slash));
	*subtype = str_trim(str_skip(value, slash + 1));
	return token(*type) && token(*subtype) ? RC_OK : RC_BAD;
}
