/* SPDX-License-Identifier: ISC */
#include "wire/imap_set.h"

#include "wire/imap_lex_int.h"

/* UINT32_MAX stands for '*' here.  No message has this number, nor the one before. */
static bool
seq_number(struct imap_lex *x, uint32_t *out)
{
	if (lex_peek(x, '*')) {
		*out = IMAP_STAR;
		return lex_took(x, 1);
	}
	if (!lex_nz_number(x, out))
		return false;
	*out -= *out == IMAP_STAR;
	return true;
}

/* Ranges that what stands here can have at most. */
static size_t
count(const struct imap_lex *x)
{
	size_t n = 1;

	for (size_t i = 0; lex_is_digit(lex_at(x, i)) || lex_at(x, i) == '*' ||
			   lex_at(x, i) == ':' || lex_at(x, i) == ',';
		i++)
		n += lex_at(x, i) == ',';
	return n;
}

static bool
ranges(struct imap_lex *x, struct imap_set *s)
{
	do {
		struct imap_range *r = &s->at[s->n];

		if (!seq_number(x, &r->from))
			return false;
		r->to = r->from;
		if (lex_peek(x, ':') && (!lex_char(x, ':') || !seq_number(x, &r->to)))
			return false;
		s->n++;
	} while (lex_peek(x, ',') && lex_char(x, ','));
	return true;
}

static bool
read_set(struct imap_lex *x, struct imap_set *s)
{
	size_t start = x->at, most = count(x);

	if (most > IMAP_SET_RANGES)
		return lex_wanted(x, "a set of fewer ranges");
	*s = (struct imap_set){ .at = arena_array(x->mem, most, sizeof(s->at[0])) };
	if (s->at == NULL)
		return lex_wanted(x, "a shorter command");
	return ranges(x, s) || lex_wanted_all(x, start, "a set of numbers");
}

bool
lex_set(struct imap_lex *x, struct imap_set *out)
{
	struct imap_set s;

	if (lex_peek(x, '$')) {
		*out = (struct imap_set){ .saved = true };
		return lex_took(x, 1);
	}
	if (!read_set(x, &s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		struct imap_range r = s.at[i];

		if (r.from > r.to)
			s.at[i] = (struct imap_range){ r.to, r.from };
	}
	*out = s;
	return true;
}

bool
lex_known_set(struct imap_lex *x, struct imap_set *out)
{
	size_t start = x->at;
	struct imap_set s;

	if (!read_set(x, &s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i].to == IMAP_STAR || s.at[i].from > s.at[i].to ||
			(i > 0 && s.at[i].from <= s.at[i - 1].to)) {
			x->at = start;
			return lex_wanted(x, "a set in ascending order without '*'");
		}
	}
	*out = s;
	return true;
}

static int
by_from(const void *a, const void *b)
{
	const struct imap_range *l = a, *r = b;

	return l->from < r->from ? -1 : l->from > r->from;
}

/* '*' gets its number; returns how many ranges are left. */
static size_t
unstar(struct imap_set *s, uint32_t last)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct imap_range r = s->at[i];

		if (r.to == IMAP_STAR) {
			if (last == 0)
				continue;
			r.to = last;
			if (r.from > last)
				r = (struct imap_range){ last,
					r.from == IMAP_STAR ? last : r.from };
		}
		s->at[n++] = r;
	}
	return n;
}

void
imap_set_resolve(struct imap_set *s, uint32_t last)
{
	size_t kept = 0;

	s->n = unstar(s, last);
	if (s->n == 0)
		return;
	/* what clients send is mostly in order */
	for (size_t i = 1; i < s->n; i++) {
		if (s->at[i].from < s->at[i - 1].from) {
			qsort(s->at, s->n, sizeof(s->at[0]), by_from);
			break;
		}
	}
	for (size_t i = 1; i < s->n; i++) {
		struct imap_range *last_kept = &s->at[kept];

		if (s->at[i].from > last_kept->to && s->at[i].from - last_kept->to > 1)
			s->at[++kept] = s->at[i];
		else if (s->at[i].to > last_kept->to)
			last_kept->to = s->at[i].to;
	}
	s->n = kept + 1;
}

bool
imap_set_has(const struct imap_set *s, uint32_t n)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->at[mid].to < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && s->at[low].from <= n;
}

/* A search may answer with a hundred thousand of them: printf would be most of the work. */
static void
put_number(struct buf *b, uint32_t n)
{
	char text[10];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_add(b, (str){ text + at, sizeof(text) - at });
}

static void
put_range(struct imap_set_out *o)
{
	if (o->any)
		buf_addc(o->to, ',');
	put_number(o->to, o->from);
	if (o->from != o->last) {
		buf_addc(o->to, ':');
		put_number(o->to, o->last);
	}
	o->any = true;
}

void
imap_set_add(struct imap_set_out *o, uint32_t n)
{
	if (o->from != 0 && n == o->last + 1) {
		o->last = n;
		return;
	}
	if (o->from != 0)
		put_range(o);
	o->from = o->last = n;
}

void
imap_set_add_range(struct imap_set_out *o, uint32_t from, uint32_t to)
{
	imap_set_add(o, from);
	o->last = to;
}

void
imap_set_done(struct imap_set_out *o)
{
	if (o->from != 0)
		put_range(o);
	o->from = o->last = 0;
}
