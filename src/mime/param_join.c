/* SPDX-License-Identifier: ISC */
#include "mime/param_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

enum { LONG_KEY = 64 }; /* nobody knows such a parameter */

/* The segments of one RFC 2231 parameter, in the order of their numbers. */
struct group {
	const struct param_seen **at;
	size_t n;
	bool whole; /* 0, 1, 2... */
	bool extended;
};

static int
by_name_and_number(const void *a, const void *b)
{
	const struct param_seen *const *x = a, *const *y = b;
	int c = str_cmp((*x)->key, (*y)->key);

	if (c != 0)
		return c;
	if ((*x)->index != (*y)->index)
		return (*x)->index < (*y)->index ? -1 : 1;
	return (*x)->key.ptr < (*y)->key.ptr ? -1 : (*x)->key.ptr > (*y)->key.ptr;
}

static struct group
group_at(const struct param_seen **at, size_t n)
{
	struct group g = { .at = at, .whole = true };

	while (g.n < n && str_ieq(at[g.n]->key, at[0]->key)) {
		g.whole = g.whole && at[g.n]->index == g.n;
		g.extended = g.extended || at[g.n]->extended;
		g.n++;
	}
	return g;
}

/* RFC 2231 4.1: all segments behind each other; those that are not encoded must
 * not look as if they were. */
static enum rc
joined_value(const struct group *g, struct arena *mem, str *out)
{
	size_t n = 0, len = 2;
	char *to;

	for (size_t i = 0; i < g->n; i++)
		len += g->at[i]->value.len * 3;
	if (g->n == 1 && g->at[0]->extended == g->extended) {
		*out = g->at[0]->value;
		return RC_OK;
	}
	to = arena_alloc(mem, len);
	if (to == NULL)
		return RC_LIMIT;
	if (g->extended && !g->at[0]->extended) {
		to[n++] = '\'';
		to[n++] = '\'';
	}
	for (size_t i = 0; i < g->n; i++) {
		str v = g->at[i]->value;
		bool escape = g->extended && !g->at[i]->extended;

		for (size_t k = 0; k < v.len; k++) {
			to[n++] = v.ptr[k];
			if (escape && v.ptr[k] == '%') {
				to[n++] = '2';
				to[n++] = '5';
			}
		}
	}
	*out = str_first((str){ to, n }, PARAM_VALUE);
	return RC_OK;
}

/* The same for people: charset'language'value. */
static enum rc
joined_text(const struct group *g, struct charsets *cs, struct arena *mem, str *out,
	uint64_t *odd)
{
	BUF_AUTO b = BUF(PARAM_VALUE);
	str charset = STR(""), bytes;

	for (size_t i = 0; i < g->n; i++) {
		const struct param_seen *s = g->at[i];
		str v = s->loose, plain = v;

		if (i > 0 && s->index == g->at[i - 1]->index)
			continue; /* a second one with this number */
		if (s->extended && i == 0) {
			size_t one = str_find(v, STR("'"));
			size_t two = one + 1 + str_find(str_skip(v, one + 1), STR("'"));

			if (two < v.len) {
				charset = str_first(v, one);
				v = str_skip(v, two + 1);
			}
		}
		if (s->extended && param_percent(v, mem, &plain) != RC_OK)
			return RC_LIMIT;
		buf_add(&b, s->extended ? plain : v);
	}
	if (arena_copy(mem, buf_str(&b), &bytes) != RC_OK)
		return RC_LIMIT;
	return param_text(charset, bytes, cs, mem, out, odd);
}

static enum rc
print_name(const struct param_seen *s, struct arena *mem, str *out)
{
	char number[24];
	int n = snprintf(
		number, sizeof(number), "*%u%s", s->index, s->extended ? "*" : "");
	char *to = arena_alloc(mem, s->key.len + (size_t)n);

	if (to == NULL)
		return RC_LIMIT;
	memcpy(to, s->key.ptr, s->key.len);
	memcpy(to + s->key.len, number, (size_t)n);
	*out = (str){ to, s->key.len + (size_t)n };
	return RC_OK;
}

/* RFC 2231 says nothing of gaps: each segment stays a parameter of its own. */
static enum rc
scattered(const struct group *g, struct charsets *cs, struct arena *mem,
	struct mime_value *v)
{
	for (size_t i = 0; i < g->n; i++) {
		struct mime_param *p = &v->params[v->n++];
		const struct param_seen *s = g->at[i];

		if (print_name(s, mem, &p->name) != RC_OK ||
			param_text(STR(""), s->loose, cs, mem, &p->text, &v->odd) !=
				RC_OK)
			return RC_LIMIT;
		p->value = s->value;
		p->plain_name = p->name;
	}
	return RC_OK;
}

static enum rc
add_group(const struct group *g, struct charsets *cs, struct arena *mem,
	struct mime_value *v)
{
	struct mime_param *p = &v->params[v->n];
	const struct param_seen *first = g->at[0];
	enum rc rc;

	if (!g->whole) {
		v->odd |= MIME_ODD(PARAM_CONFLICT);
		rc = scattered(g, cs, mem, v);
	} else {
		v->n++;
		p->name = first->key;
		/* the '*' is there: key* or key*0* */
		if (g->extended)
			p->name.len++;
		rc = joined_value(g, mem, &p->value);
	}
	p->plain_name = first->key;
	return rc == RC_OK ? joined_text(g, cs, mem, &p->text, &v->odd) : rc;
}

/* With the segments that only forgiving readers see. */
static enum rc
add_loose_group(const struct group *g, struct charsets *cs, struct arena *mem,
	struct mime_value *v)
{
	for (size_t i = 0; i < g->n; i++)
		if (!g->at[i]->shown) {
			struct mime_param *p = &v->params[v->n++];

			v->odd |= MIME_ODD(PARAM_CONFLICT);
			p->plain_name = g->at[0]->key;
			return joined_text(g, cs, mem, &p->text, &v->odd);
		}
	return RC_OK;
}

static enum rc
add_plain(const struct param_seen *s, struct charsets *cs, struct arena *mem,
	struct mime_value *v)
{
	struct mime_param *p = &v->params[v->n++];

	p->plain_name = s->key;
	if (s->shown) {
		p->name = s->key;
		p->value = s->value;
	}
	return param_text(STR(""), s->loose, cs, mem, &p->text, &v->odd);
}

/* Two of one name that do not say the same. */
static void
conflicts(const struct param_list *l, struct mime_value *v)
{
	if (l->full)
		v->odd |= MIME_ODD(PARAM_CONFLICT);
	for (size_t i = 1; i < l->n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct param_seen *a = &l->at[i], *b = &l->at[k];

			if (a->key.len > LONG_KEY || !str_ieq(a->key, b->key))
				continue;
			/* name= beside name*= is how it is done (RFC 6266 4.3) */
			if (a->part == b->part && (a->part ? a->index <= b->index
							   : !str_eq(a->loose, b->loose)))
				v->odd |= MIME_ODD(PARAM_CONFLICT);
		}
}

/* The continuations of all readers, or of strict ones. */
static enum rc
add_groups(const struct param_list *l, bool strict, struct charsets *cs,
	struct arena *mem, struct mime_value *v)
{
	const struct param_seen *parts[PARAM_MOST];
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].part && (l->at[i].shown || !strict))
			parts[n++] = &l->at[i];
	if (n > 0)
		qsort(parts, n, sizeof(*parts), by_name_and_number);
	for (size_t i = 0; i < n;) {
		struct group g = group_at(parts + i, n - i);
		enum rc rc = strict ? add_group(&g, cs, mem, v)
				    : add_loose_group(&g, cs, mem, v);

		if (rc != RC_OK)
			return rc;
		i += g.n;
	}
	return RC_OK;
}

enum rc
param_join(const struct param_list *l, struct charsets *cs, struct arena *mem,
	struct mime_value *v)
{
	bool loose = false;
	enum rc rc = RC_OK;

	if (l->n == 0)
		return RC_OK;
	for (size_t i = 0; i < l->n; i++)
		loose = loose || !l->at[i].shown;
	/* a group of both kinds is there twice */
	v->params = arena_array(mem, l->n * (loose ? 2 : 1), sizeof(*v->params));
	if (v->params == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < l->n && rc == RC_OK; i++)
		if (!l->at[i].part && l->at[i].shown)
			rc = add_plain(&l->at[i], cs, mem, v);
	if (rc == RC_OK)
		rc = add_groups(l, true, cs, mem, v);
	for (size_t i = 0; i < l->n && rc == RC_OK; i++)
		if (!l->at[i].part && !l->at[i].shown)
			rc = add_plain(&l->at[i], cs, mem, v);
	if (rc == RC_OK && loose)
		rc = add_groups(l, false, cs, mem, v);
	if (rc == RC_OK)
		conflicts(l, v);
	return rc;
}
