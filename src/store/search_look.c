/* SPDX-License-Identifier: ISC */
/* What the rows of full text say of messages. */
#include "store/search_int.h"
#include "store/search_words.h"
#include "store/store_int.h"

enum { STRAYS = 4 };

/* The rows of one kind, from the first message that is asked for to the last one. */
struct rows {
	struct db_stmt *q;
	bool wanted, begun, there; /* at a row */
	uint64_t account;
	enum search_part kind;
	const struct msg_id *last;
};

struct look {
	const struct search_key *keys;
	size_t nkeys;
	struct rows head, words;
};

/* The value of the line's field, if it is that one. */
static bool
value_of(str line, str field, str *value)
{
	if (line.len <= field.len || line.ptr[field.len] != ':' ||
		!str_ieq(str_first(line, field.len), field))
		return false;
	*value = str_skip(line, field.len + 1);
	if (value->len > 0 && value->ptr[0] == ' ')
		*value = str_skip(*value, 1);
	return true;
}

static bool
holds(str s, char c)
{
	return s.len > 0 && memchr(s.ptr, c, s.len) != NULL;
}

/* store/search.h: ":From" */
static bool
is_envelope(str field)
{
	return field.len > 0 && field.ptr[0] == ':';
}

/* As they were written. */
static bool
in_fields(str head, str what)
{
	str line;

	while (str_cut(&head, '\n', &line))
		if (!is_envelope(line) && search_has(line, what))
			return true;
	return what.len == 0;
}

static enum search_says
in_head(str head, const struct search_key *k)
{
	str line, value;

	if (holds(k->what, '\n'))
		return SEARCH_NO; /* a field is one line here */
	if (k->field.len == 0 && !search_has(head, k->what))
		return SEARCH_NO;
	if (k->field.len == 0) /* parts' fields have a tab in front */
		return !in_fields(head, k->what) ? SEARCH_NO
		       : holds(k->what, '\t')    ? SEARCH_MAYBE
						 : SEARCH_YES;
	while (str_cut(&head, '\n', &line))
		if ((value_of(line, k->field, &value) ||
			    (is_envelope(k->field) &&
				    value_of(line, str_skip(k->field, 1), &value))) &&
			search_has(value, k->what))
			return SEARCH_YES;
	return SEARCH_NO;
}

/* Whether its words are in there is all that is known of a text of several. */
static enum search_says
in_words(str words, str what)
{
	str rest = what, word;

	if (what.len == 0)
		return SEARCH_YES;
	while (search_next_word(&rest, &word)) {
		if (word.len == what.len)
			return search_has(words, word) ? SEARCH_YES : SEARCH_NO;
		if (!search_has(words, word))
			return SEARCH_NO;
	}
	return SEARCH_MAYBE;
}

static enum search_says
judge(const struct search_key *k, unsigned flags, str head, str words)
{
	if ((flags & SEARCH_UNREAD) != 0)
		return SEARCH_MAYBE;
	enum search_says by_head = k->head ? in_head(head, k) : SEARCH_NO;
	if (by_head == SEARCH_YES)
		return SEARCH_YES;
	enum search_says by_text = k->text ? in_words(words, k->what) : SEARCH_NO;
	if (by_text == SEARCH_YES)
		return SEARCH_YES;
	return by_head == SEARCH_MAYBE || by_text == SEARCH_MAYBE ||
			       (flags & SEARCH_CUT) != 0
		       ? SEARCH_MAYBE
		       : SEARCH_NO;
}

static void
take_row(const struct look *l, uint8_t *says)
{
	/* both were written at once, and say the same */
	struct db_stmt *q = l->head.wanted ? l->head.q : l->words.q;
	unsigned flags = (unsigned)db_u64(q, 1);
	str head = l->head.wanted ? db_str(l->head.q, 2) : STR("");
	str words = l->words.wanted ? db_str(l->words.q, 2) : STR("");

	for (size_t k = 0; k < l->nkeys; k++)
		says[k] = (uint8_t)judge(&l->keys[k], flags, head, words);
}

static enum rc
step(struct rows *r, struct err *err)
{
	enum rc rc = db_step(r->q, err);

	r->there = rc == RC_OK;
	return rc == RC_NONE ? RC_OK : rc;
}

/* The first row that is not before this message. */
static enum rc
seek(struct rows *r, const struct msg_id *id, struct err *err)
{
	db_reset(r->q);
	db_bind_u64(r->q, 1, r->account);
	db_bind_u64(r->q, 2, r->kind);
	db_bind_str(r->q, 3, msg_id_str(id));
	db_bind_str(r->q, 4, msg_id_str(r->last));
	r->begun = true;
	return step(r, err);
}

/* What nobody asked for is stepped over while it is little, and where there is much the
 * message is looked up.  *here: its row is there, or is not wanted. */
static enum rc
go_to(struct rows *r, const struct msg_id *id, bool *here, struct err *err)
{
	enum rc rc = RC_OK;
	int c = -1;

	*here = true;
	if (!r->wanted)
		return RC_OK;
	if (!r->begun)
		rc = seek(r, id, err);
	for (unsigned strays = 0; rc == RC_OK && r->there; strays++) {
		c = str_cmp(db_str(r->q, 0), msg_id_str(id));
		if (c >= 0)
			break;
		rc = strays < STRAYS ? step(r, err) : seek(r, id, err);
	}
	*here = rc == RC_OK && r->there && c == 0;
	return rc;
}

static enum rc
look_along(struct look *l, const struct msg_id *ids, size_t n, uint8_t *says,
	struct err *err)
{
	enum rc rc = RC_OK;
	bool head, words;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = go_to(&l->head, &ids[i], &head, err);
		if (rc == RC_OK)
			rc = go_to(&l->words, &ids[i], &words, err);
		if (rc == RC_OK && head && words)
			take_row(l, &says[i * l->nkeys]);
	}
	return rc;
}

enum rc
search_look_in(struct db *db, uint64_t account, const struct msg_id *ids, size_t n,
	const struct search_key *keys, size_t nkeys, uint8_t *says, struct err *err)
{
	memset(says, SEARCH_MAYBE, n * nkeys);
	if (n == 0)
		return RC_OK;
	PREPARE(head, db,
		"SELECT msgid, flags, lines FROM text WHERE account_id = ? AND part = ?"
		" AND msgid BETWEEN ? AND ? ORDER BY msgid",
		err);
	PREPARE(words, db,
		"SELECT msgid, flags, lines AS words FROM text WHERE account_id = ?"
		" AND part = ? AND msgid BETWEEN ? AND ? ORDER BY msgid",
		err);
	struct look l = { keys, nkeys,
		{ .q = head, .account = account, .kind = SEARCH_HEAD },
		{ .q = words, .account = account, .kind = SEARCH_WORDS } };
	l.head.last = l.words.last = &ids[n - 1];
	for (size_t k = 0; k < nkeys; k++) {
		l.head.wanted = l.head.wanted || keys[k].head;
		l.words.wanted = l.words.wanted || keys[k].text;
	}
	l.head.wanted = l.head.wanted || !l.words.wanted; /* for the flags */
	enum rc rc = look_along(&l, ids, n, says, err);
	db_reset(head);
	db_reset(words);
	return rc;
}
