/* SPDX-License-Identifier: ISC */
#include "wire/imap_search.h"

#include "wire/imap_lex_int.h"

enum { OBJECT_ID_MOST = 255 };

/* What stands behind a key. */
enum takes {
	NOTHING,
	A_FLAG,
	NO_FLAG,
	A_KEYWORD,
	NO_KEYWORD,
	A_TEXT,
	A_FIELD_TEXT,
	A_DATE,
	A_NUMBER,
	SOME_SECONDS,
	A_SET,
	A_MODSEQ,
	AN_ID,
};

struct row {
	str name;
	enum imap_key key;
	enum takes takes;
	unsigned flag;
	str field;
};

static const struct row rows[] = {
	{ STR_INIT("ALL"), KEY_ALL },
	{ STR_INIT("ANSWERED"), KEY_FLAG, A_FLAG, IMAP_ANSWERED },
	{ STR_INIT("DELETED"), KEY_FLAG, A_FLAG, IMAP_DELETED },
	{ STR_INIT("DRAFT"), KEY_FLAG, A_FLAG, IMAP_DRAFT },
	{ STR_INIT("FLAGGED"), KEY_FLAG, A_FLAG, IMAP_FLAGGED },
	{ STR_INIT("SEEN"), KEY_FLAG, A_FLAG, IMAP_SEEN },
	{ STR_INIT("UNANSWERED"), KEY_FLAG, NO_FLAG, IMAP_ANSWERED },
	{ STR_INIT("UNDELETED"), KEY_FLAG, NO_FLAG, IMAP_DELETED },
	{ STR_INIT("UNDRAFT"), KEY_FLAG, NO_FLAG, IMAP_DRAFT },
	{ STR_INIT("UNFLAGGED"), KEY_FLAG, NO_FLAG, IMAP_FLAGGED },
	{ STR_INIT("UNSEEN"), KEY_FLAG, NO_FLAG, IMAP_SEEN },
	{ STR_INIT("KEYWORD"), KEY_KEYWORD, A_KEYWORD },
	{ STR_INIT("UNKEYWORD"), KEY_KEYWORD, NO_KEYWORD },
	{ STR_INIT("RECENT"), KEY_RECENT },
	{ STR_INIT("NEW"), KEY_NEW },
	{ STR_INIT("OLD"), KEY_OLD },
	{ STR_INIT("UID"), KEY_UID, A_SET },
	{ STR_INIT("BEFORE"), KEY_BEFORE, A_DATE },
	{ STR_INIT("ON"), KEY_ON, A_DATE },
	{ STR_INIT("SINCE"), KEY_SINCE, A_DATE },
	{ STR_INIT("SENTBEFORE"), KEY_SENTBEFORE, A_DATE },
	{ STR_INIT("SENTON"), KEY_SENTON, A_DATE },
	{ STR_INIT("SENTSINCE"), KEY_SENTSINCE, A_DATE },
	{ STR_INIT("SAVEDBEFORE"), KEY_SAVEDBEFORE, A_DATE },
	{ STR_INIT("SAVEDON"), KEY_SAVEDON, A_DATE },
	{ STR_INIT("SAVEDSINCE"), KEY_SAVEDSINCE, A_DATE },
	{ STR_INIT("SAVEDATESUPPORTED"), KEY_SAVEDATESUPPORTED },
	{ STR_INIT("YOUNGER"), KEY_YOUNGER, SOME_SECONDS },
	{ STR_INIT("OLDER"), KEY_OLDER, SOME_SECONDS },
	{ STR_INIT("LARGER"), KEY_LARGER, A_NUMBER },
	{ STR_INIT("SMALLER"), KEY_SMALLER, A_NUMBER },
	{ STR_INIT("HEADER"), KEY_HEADER, A_FIELD_TEXT },
	{ STR_INIT("FROM"), KEY_HEADER, A_TEXT, 0, STR_INIT(":From") },
	{ STR_INIT("TO"), KEY_HEADER, A_TEXT, 0, STR_INIT(":To") },
	{ STR_INIT("CC"), KEY_HEADER, A_TEXT, 0, STR_INIT(":Cc") },
	{ STR_INIT("BCC"), KEY_HEADER, A_TEXT, 0, STR_INIT(":Bcc") },
	{ STR_INIT("SUBJECT"), KEY_HEADER, A_TEXT, 0, STR_INIT("Subject") },
	{ STR_INIT("BODY"), KEY_BODY, A_TEXT },
	{ STR_INIT("TEXT"), KEY_TEXT, A_TEXT },
	{ STR_INIT("MODSEQ"), KEY_MODSEQ, A_MODSEQ },
	{ STR_INIT("EMAILID"), KEY_EMAILID, AN_ID },
	{ STR_INIT("THREADID"), KEY_THREADID, AN_ID },
};

struct program {
	struct imap_lex *x;
	struct imap_query *q;
	size_t keys, depth;
};

static struct imap_search *
node(struct program *p, enum imap_key key)
{
	struct imap_search *s = NULL;

	if (p->keys < IMAP_SEARCH_KEYS)
		s = arena_new_of(p->x->mem, struct imap_search);
	if (s == NULL) {
		lex_wanted(p->x, "a search with fewer keys");
		return NULL;
	}
	p->keys++;
	s->key = key;
	return s;
}

/* s becomes what is not s. */
static bool
negate(struct program *p, struct imap_search **sp)
{
	struct imap_search *outer = node(p, KEY_NOT);

	if (outer == NULL)
		return false;
	outer->first = *sp;
	*sp = outer;
	return true;
}

/* "MODSEQ "/flags/\\draft" all 620": we have one modseq for all of a message, which RFC 7162
 * 3.1.5 allows to take instead. */
static bool
modseq(struct imap_lex *x, uint64_t *out)
{
	size_t start = x->at;
	str entry;

	if (!lex_peek(x, '"'))
		return lex_number64(x, out);
	if (!lex_string(x, &entry))
		return false;
	if (!str_istarts(entry, STR("/flags/")) || entry.len == strlen("/flags/")) {
		x->at = start;
		return lex_wanted(x, "an entry \"/flags/...\"");
	}
	return lex_sp(x) &&
	       (lex_word(x, STR("all")) || lex_word(x, STR("priv")) ||
		       lex_word(x, STR("shared"))) &&
	       lex_sp(x) && lex_number64(x, out);
}

static bool
object_id(struct imap_lex *x, str *out)
{
	size_t start = x->at;
	str s;

	if (!lex_astring(x, &s))
		return false;
	bool fits = s.len > 0 && s.len <= OBJECT_ID_MOST;
	for (size_t i = 0; fits && i < s.len; i++) {
		unsigned c = (unsigned char)s.ptr[i];

		fits = lex_is_digit(c) || (c | 32) - 'a' < 26 || c == '_' || c == '-';
	}
	if (!fits) {
		x->at = start;
		return lex_wanted(x, "an object's id");
	}
	*out = s;
	return true;
}

static bool
seconds(struct imap_lex *x, uint64_t *out)
{
	uint32_t n;

	if (!lex_nz_number(x, &n))
		return false;
	*out = n;
	return true;
}

static bool
argument(struct imap_lex *x, enum takes takes, struct imap_search *s)
{
	switch (takes) {
	case NOTHING:
	case A_FLAG:
	case NO_FLAG:
		return true;
	case A_KEYWORD:
	case NO_KEYWORD:
		return lex_sp(x) && lex_atom(x, &s->text);
	case A_TEXT:
		return lex_sp(x) && lex_astring(x, &s->text);
	case A_FIELD_TEXT:
		return lex_sp(x) && lex_astring(x, &s->field) && lex_sp(x) &&
		       lex_astring(x, &s->text);
	case A_DATE:
		return lex_sp(x) && lex_date(x, &s->days);
	case A_NUMBER:
		return lex_sp(x) && lex_number64(x, &s->number);
	case SOME_SECONDS:
		return lex_sp(x) && seconds(x, &s->number);
	case A_SET:
		return lex_sp(x) && lex_set(x, &s->set);
	case A_MODSEQ:
		return lex_sp(x) && modseq(x, &s->number);
	case AN_ID:
		return lex_sp(x) && object_id(x, &s->text);
	}
	return false;
}

static bool
named(struct program *p, const struct row *row, struct imap_search **out)
{
	struct imap_search *s = node(p, row->key);

	if (s == NULL)
		return false;
	s->flag = row->flag;
	s->field = row->field;
	if (!argument(p->x, row->takes, s))
		return false;
	p->q->uses_modseq = p->q->uses_modseq || s->key == KEY_MODSEQ;
	p->q->uses_text = p->q->uses_text || s->key == KEY_BODY || s->key == KEY_TEXT;
	*out = s;
	return (row->takes != NO_FLAG && row->takes != NO_KEYWORD) || negate(p, out);
}

static bool
sequence(struct program *p, struct imap_search **out)
{
	struct imap_search *s = node(p, KEY_SEQ);

	*out = s;
	return s != NULL && lex_set(p->x, &s->set);
}

static bool key(struct program *p, struct imap_search **out);

/* Keys with blanks between; one is itself. */
static bool
all_of(struct program *p, struct imap_search **out)
{
	struct imap_search *first, **last = &first;

	do {
		if (!key(p, last))
			return false;
		last = &(*last)->next;
	} while (lex_peek(p->x, ' ') && lex_sp(p->x));
	*out = first;
	if (first->next == NULL)
		return true;
	*out = node(p, KEY_AND);
	if (*out == NULL)
		return false;
	(*out)->first = first;
	return true;
}

/* Behind the word: "OR OR a b c" and "OR a OR b c" are one OR of three, so that programs
 * may make long ones without depth. */
static bool
any_of(struct program *p, struct imap_search **out)
{
	struct imap_search *s = node(p, KEY_OR);

	if (s == NULL)
		return false;
	*out = s;
	struct imap_search **last = &s->first;
	for (size_t wanted = 2; wanted > 0; wanted--) {
		for (bool more = true; more; wanted += more) {
			if (!lex_sp(p->x))
				return false;
			more = lex_word(p->x, STR("OR"));
		}
		if (!key(p, last))
			return false;
		last = &(*last)->next;
	}
	return true;
}

/* The grammar has no limit to depth; our stack has. */
static bool
key_within(struct program *p, struct imap_search **out)
{
	struct imap_lex *x = p->x;
	unsigned c = lex_at(x, 0);
	str name = { 0 };

	if (lex_is_digit(c) || c == '*' || c == '$')
		return sequence(p, out);
	if (c == '(')
		return lex_took(x, 1) && all_of(p, out) && lex_char(x, ')');
	if (lex_word(x, STR("OR")))
		return any_of(p, out);
	if (lex_is_atom(c) && !lex_atom(x, &name))
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (name.len > 0 && str_ieq(rows[i].name, name))
			return named(p, &rows[i], out);
	x->at -= name.len;
	return lex_wanted_all(x, x->at, "a search key");
}

static bool
key(struct program *p, struct imap_search **out)
{
	bool negated = false;

	while (lex_word(p->x, STR("NOT"))) {
		if (!lex_sp(p->x))
			return false;
		negated = !negated;
	}
	if (p->depth > IMAP_DEPTH_MOST)
		return lex_wanted_all(p->x, p->x->at, "a search that is less deep");
	p->depth++;
	bool ok = key_within(p, out);
	p->depth--;
	return ok && (!negated || negate(p, out));
}

static bool
program(struct imap_lex *x, struct imap_query *q)
{
	struct program p = { .x = x, .q = q };

	return all_of(&p, &q->program);
}

static bool
return_option(struct imap_lex *x, struct imap_query *q)
{
	static const struct {
		str name;
		enum imap_return is;
	} options[] = {
		{ STR_INIT("MIN"), RETURN_MIN },
		{ STR_INIT("MAX"), RETURN_MAX },
		{ STR_INIT("ALL"), RETURN_ALL },
		{ STR_INIT("COUNT"), RETURN_COUNT },
		{ STR_INIT("SAVE"), RETURN_SAVE },
		{ STR_INIT("PARTIAL"), RETURN_PARTIAL },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!lex_word(x, options[i].name))
			continue;
		if (options[i].is == RETURN_PARTIAL &&
			((q->wants & RETURN_PARTIAL) != 0 || !lex_sp(x) ||
				!lex_partial(x, &q->partial_from, &q->partial_to)))
			return lex_wanted(x, "PARTIAL only once");
		q->wants |= options[i].is;
		return true;
	}
	return lex_wanted_all(x, x->at, "a return option");
}

/* "RETURN (MIN COUNT) ", where it is there */
static bool
return_options(struct imap_lex *x, struct imap_query *q)
{
	if (!lex_word(x, STR("RETURN"))) {
		q->wants = RETURN_ALL;
		return true;
	}
	q->extended = true;
	if (!lex_sp(x) || !lex_char(x, '('))
		return false;
	while (!lex_peek(x, ')')) {
		if ((q->wants != 0 && !lex_sp(x)) || !return_option(x, q))
			return false;
	}
	if (q->wants == 0)
		q->wants = RETURN_ALL; /* RFC 9051 6.4.4 */
	if ((q->wants & RETURN_ALL) != 0 && (q->wants & RETURN_PARTIAL) != 0)
		return lex_wanted(x, "ALL or PARTIAL, not both"); /* RFC 9394 3.1 */
	return lex_char(x, ')') && lex_sp(x);
}

/* Who named UTF-8 may quote it too: imap-tools does, and so does who gives Python's imaplib
 * a text in quotes.  RFC 9051 9 allows it to all; RFC 3501 wanted literals. */
static bool
program_in_charset(struct imap_lex *x, struct imap_query *q)
{
	bool utf8 = x->utf8;

	x->utf8 = utf8 || str_ieq(q->charset, STR("UTF-8")) ||
		  str_ieq(q->charset, STR("UTF8"));
	bool ok = program(x, q);
	x->utf8 = utf8;
	return ok;
}

bool
lex_search(struct imap_lex *x, struct imap_query *out)
{
	struct imap_query q = { 0 };
	size_t start = x->at;

	if (!return_options(x, &q) ||
		(lex_word(x, STR("CHARSET")) &&
			(!lex_sp(x) || !lex_astring(x, &q.charset) || !lex_sp(x))) ||
		!program_in_charset(x, &q))
		return lex_back(x, start);
	*out = q;
	return lex_took(x, 0);
}

static bool
sort_key(struct imap_lex *x, struct imap_query *q)
{
	static const struct {
		str name;
		enum imap_sort_key key;
	} keys[] = {
		{ STR_INIT("ARRIVAL"), SORT_ARRIVAL },
		{ STR_INIT("CC"), SORT_CC },
		{ STR_INIT("DATE"), SORT_DATE },
		{ STR_INIT("FROM"), SORT_FROM },
		{ STR_INIT("SIZE"), SORT_SIZE },
		{ STR_INIT("SUBJECT"), SORT_SUBJECT },
		{ STR_INIT("TO"), SORT_TO },
		{ STR_INIT("DISPLAYFROM"), SORT_DISPLAYFROM },
		{ STR_INIT("DISPLAYTO"), SORT_DISPLAYTO },
	};
	bool reverse = lex_word(x, STR("REVERSE"));

	if (reverse && !lex_sp(x))
		return false;
	if (q->nsort == IMAP_SORTS)
		return lex_wanted(x, "fewer sort keys");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (lex_word(x, keys[i].name)) {
			q->sort[q->nsort].key = keys[i].key;
			q->sort[q->nsort++].reverse = reverse;
			return true;
		}
	}
	return lex_wanted_all(x, x->at, "a sort key");
}

static bool
sort_keys(struct imap_lex *x, struct imap_query *q)
{
	if (!lex_char(x, '('))
		return false;
	do {
		if (!sort_key(x, q))
			return false;
	} while (lex_peek(x, ' ') && lex_sp(x));
	return lex_char(x, ')');
}

/* SORT and THREAD have to name the charset (RFC 5256 5, search-criteria). */
static bool
criteria(struct imap_lex *x, struct imap_query *q)
{
	return lex_sp(x) && lex_astring(x, &q->charset) && lex_sp(x) &&
	       program_in_charset(x, q);
}

bool
lex_sort(struct imap_lex *x, struct imap_query *out)
{
	struct imap_query q = { 0 };
	size_t start = x->at;

	if (!return_options(x, &q) || !sort_keys(x, &q) || !criteria(x, &q))
		return lex_back(x, start);
	*out = q;
	return lex_took(x, 0);
}

bool
lex_thread(struct imap_lex *x, struct imap_query *out)
{
	struct imap_query q = { .wants = RETURN_ALL };
	size_t start = x->at;

	if (lex_word(x, STR("REFERENCES")))
		q.thread = THREAD_REFERENCES;
	else if (lex_word(x, STR("ORDEREDSUBJECT")))
		q.thread = THREAD_ORDEREDSUBJECT;
	else
		return lex_wanted_all(x, start, "REFERENCES or ORDEREDSUBJECT");
	if (!criteria(x, &q))
		return lex_back(x, start);
	*out = q;
	return lex_took(x, 0);
}
