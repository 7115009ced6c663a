/* SPDX-License-Identifier: ISC */
#include "wire/imap_lex_int.h"

struct words {
	size_t n, bytes; /* with a blank behind each */
	str at[IMAP_KEYWORDS_MOST];
};

static bool
has(const struct words *w, str keyword)
{
	for (size_t i = 0; i < w->n; i++)
		if (str_ieq(w->at[i], keyword))
			return true;
	return false;
}

/* "\Seen": no other flags than those that can be kept: \Recent is ours to set, and what
 * we do not know (flag-extension) we could not give back. */
static bool
system_flag(struct imap_lex *x, unsigned *marks)
{
	static const struct {
		str name;
		enum imap_flag flag;
	} flags[] = {
		{ STR_INIT("\\Seen"), IMAP_SEEN },
		{ STR_INIT("\\Answered"), IMAP_ANSWERED },
		{ STR_INIT("\\Flagged"), IMAP_FLAGGED },
		{ STR_INIT("\\Deleted"), IMAP_DELETED },
		{ STR_INIT("\\Draft"), IMAP_DRAFT },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (lex_word(x, flags[i].name)) {
			*marks |= flags[i].flag;
			return true;
		}
	}
	return lex_wanted_all(x, x->at, "a flag that a client may set");
}

static bool
keyword(struct imap_lex *x, struct words *w)
{
	size_t start = x->at;
	str s;

	if (!lex_atom(x, &s))
		return lex_wanted_all(x, start, "a flag");
	if (has(w, s))
		return true;
	if (s.len > IMAP_KEYWORD_MOST || w->n == IMAP_KEYWORDS_MOST ||
		w->bytes + s.len > IMAP_KEYWORDS_BYTES) {
		x->at = start;
		return lex_wanted(x, "a shorter list of shorter keywords");
	}
	w->at[w->n++] = s;
	w->bytes += s.len + 1;
	return true;
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static bool
join(struct imap_lex *x, struct words *w, str *out)
{
	char *p = arena_alloc(x->mem, w->bytes + 1);
	size_t n = 0;

	if (p == NULL)
		return lex_wanted(x, "a shorter command");
	qsort(w->at, w->n, sizeof(w->at[0]), by_bytes);
	for (size_t i = 0; i < w->n; i++) {
		if (i > 0)
			p[n++] = ' ';
		memcpy(p + n, w->at[i].ptr, w->at[i].len);
		n += w->at[i].len;
	}
	*out = (str){ p, n };
	return true;
}

static bool
list(struct imap_lex *x, bool bare, unsigned *marks, struct words *w)
{
	bool in = lex_char(x, '(');

	if (!in && !bare)
		return false;
	if (in && lex_char(x, ')'))
		return true;
	do {
		if (!(lex_peek(x, '\\') ? system_flag(x, marks) : keyword(x, w)))
			return false;
	} while (lex_sp(x));
	return !in || lex_char(x, ')');
}

bool
lex_flags(struct imap_lex *x, bool bare, struct imap_flags *out)
{
	struct words w = { 0 };
	size_t start = x->at;
	unsigned marks = 0;
	str keywords;

	if (!list(x, bare, &marks, &w) || !join(x, &w, &keywords))
		return lex_back(x, start);
	*out = (struct imap_flags){ marks, keywords };
	return lex_took(x, 0);
}
