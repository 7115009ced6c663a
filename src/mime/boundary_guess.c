/* SPDX-License-Identifier: ISC */
/* What else than its boundary parameter's value a multipart's boundary could be. */
#include "mime/param_int.h"
#include "mime/tree_int.h"

enum { LONGEST = 1000, OCCURRENCES = 16 };

struct guesses {
	str *out;
	size_t n, most;
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
guess(struct guesses *g, str s)
{
	if (s.len == 0 || s.len > LONGEST || g->n == g->most)
		return;
	for (size_t i = 0; i < g->n; i++)
		if (str_eq(g->out[i], s))
			return;
	g->out[g->n++] = s;
}

/* s up to the first of `stop`. */
static str
up_to(str s, const char *stop)
{
	size_t n = 0;

	while (n < s.len && (s.ptr[n] == '\0' || strchr(stop, s.ptr[n]) == NULL))
		n++;
	return str_first(s, n);
}

/* With and without blanks at its end, and at its beginning. */
static void
guess_blanks(struct guesses *g, str s)
{
	str end = s;

	guess(g, s);
	while (end.len > 0 && blank(end.ptr[end.len - 1]))
		end.len--;
	guess(g, end);
	guess(g, str_trim(s));
}

static void
guess_quoted(struct guesses *g, str v, struct arena *mem)
{
	struct param_cursor c = { v.ptr, v.ptr + v.len };
	str in;

	if (param_quoted(&c, mem, &in) != -2)
		guess_blanks(g, in);
	in = str_skip(v, 1);
	guess_blanks(g, up_to(in, "\"\r\n")); /* backslashes as they are */
	guess_blanks(g, up_to(in, "\"\r\n;")); /* a ';' ends it in any case */
	guess(g, str_first(v, up_to(in, "\"\r\n").len + 2)); /* quotes are letters */
}

static void
guess_bare(struct guesses *g, str v)
{
	str line = up_to(v, ";\r\n");

	guess_blanks(g, line);
	guess(g, up_to(line, " \t"));
	guess(g, up_to(line, " \t("));
	guess(g, up_to(line, " \t,"));
	guess(g, up_to(line, " \t\""));
	guess(g, up_to(line, " \t()<>@,;:\\\"/[]?="));
	guess_blanks(g, up_to(v, "\r\n")); /* ';' does not end it */
	if (line.len > 2 && (line.ptr[0] == '\'' || line.ptr[0] == '<'))
		guess(g, up_to(str_skip(line, 1), "'>"));
}

/* Behind the word "boundary": its asterisk and number, '=', the value. */
static void
guess_after(struct guesses *g, str s, struct arena *mem)
{
	struct param_cursor c;
	str v, decoded;
	size_t n = 0;

	while (n < s.len && (s.ptr[n] == '*' || (s.ptr[n] >= '0' && s.ptr[n] <= '9')))
		n++;
	c = (struct param_cursor){ s.ptr + n, s.ptr + s.len };
	if (param_blanks(&c) <= 0 || (*c.p != '=' && *c.p != ':'))
		return;
	c.p++;
	if (param_blanks(&c) <= 0)
		return;
	v = (str){ c.p, (size_t)(c.end - c.p) };
	v = str_first(v, LONGEST + 2);
	if (v.ptr[0] == '"')
		guess_quoted(g, v, mem);
	else
		guess_bare(g, v);
	if (n > 0) { /* RFC 2231 */
		size_t quote = str_find(v, STR("'"));

		v = up_to(v, ";\"\r\n \t");
		if (param_percent(v, mem, &decoded) == RC_OK)
			guess(g, decoded);
		quote += 1 + str_find(str_skip(v, quote + 1), STR("'"));
		if (quote < v.len &&
			param_percent(str_skip(v, quote + 1), mem, &decoded) == RC_OK)
			guess(g, decoded);
	}
}

size_t
boundary_candidates(
	str raw, const struct mime_value *v, struct arena *mem, str *out, size_t most)
{
	struct guesses g = { .out = out, .most = most };

	for (size_t i = 0; i < v->n; i++)
		if (str_ieq(v->params[i].plain_name, STR("boundary"))) {
			guess_blanks(&g, v->params[i].value);
			guess_blanks(&g, v->params[i].text);
		}
	for (unsigned i = 0; i < OCCURRENCES && raw.len > 0; i++) {
		raw = str_skip(raw, str_ifind(raw, STR("boundary")) + strlen("boundary"));
		if (raw.len > 0)
			guess_after(&g, str_first(raw, 4 * LONGEST), mem);
	}
	return g.n;
}

/* A delimiter line of b, at the letters behind its dashes. */
static bool
is_delimiter(str line, str b)
{
	str rest = str_skip(line, b.len);

	if (!str_istarts(line, b))
		return false;
	return rest.len == 0 || memchr("\r\n \t", rest.ptr[0], 4) != NULL ||
	       str_starts(rest, STR("--"));
}

uint64_t
boundary_occurs(struct reading *x, size_t at, size_t end, const str *b, size_t n)
{
	str rest = str_first(str_skip(x->msg, at), end - at);
	const char *begin = rest.ptr;
	uint64_t found = 0, all = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;

	x->work += rest.len;
	while (rest.len > 2 && found != all && x->work <= x->most_work) {
		const char *p = memchr(rest.ptr, '-', rest.len);

		if (p == NULL)
			break;
		rest = str_skip(rest, (size_t)(p - rest.ptr) + 1);
		if (rest.len == 0 || rest.ptr[0] != '-' ||
			(p != begin && strchr("\r\n \t->", p[-1]) == NULL))
			continue;
		x->work += n;
		for (size_t i = 0; i < n; i++)
			if (is_delimiter(str_skip(rest, 1), b[i])) {
				x->work += b[i].len;
				found |= UINT64_C(1) << i;
			}
	}
	return found;
}
