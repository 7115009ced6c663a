/* SPDX-License-Identifier: ISC */
#include "imap/imap_match.h"

#include "wire/sortkey.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DAY_S = 24 * 60 * 60, STEPS_FIRST = 16 };

/* A leaf, or the beginning or end of AND, OR and NOT. */
struct step {
	enum { LEAF, OPEN, CLOSE } is;
	uint32_t text; /* LEAF: which of the texts */
	uint32_t up; /* OPEN: the group it is in */
	uint32_t close; /* OPEN: its end */
	struct imap_search *key;
};

struct match {
	struct match_with with;
	struct arena *mem;
	size_t n, room;
	struct step *steps;
	size_t nkeys, keys_room;
	struct search_key *keys;
	size_t depth; /* groups within each other, at most */
	uint8_t *so_far; /* while a message is looked at: what each group has come to */
	bool sent_days;
};

/* ---- making ---- */

/* Room for one more in an array that doubles: arenas free nothing alone. */
static void *
room_for(struct arena *mem, void *old, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return old;
	size_t more = *room == 0 ? STEPS_FIRST : *room * 2;
	void *new = arena_array(mem, more, size);

	if (new != NULL && n > 0)
		memcpy(new, old, n * size);
	if (new != NULL)
		*room = more;
	return new;
}

static bool
same_key(const struct search_key *a, const struct search_key *b)
{
	return a->head == b->head && a->text == b->text && str_ieq(a->field, b->field) &&
	       str_eq(a->what, b->what);
}

static enum rc
add_key(struct match *m, const struct imap_search *k, uint32_t *at, struct err *err)
{
	struct search_key new = { .head = k->key != KEY_BODY,
		.text = k->key != KEY_HEADER,
		.field = k->key == KEY_HEADER ? k->field : STR("") };
	BUF_AUTO folded = BUF(k->text.len * 32 + 64);
	size_t i;

	sortkey_fold(k->text, &folded);
	new.what = buf_str(&folded);
	for (i = 0; i < m->nkeys && !same_key(&m->keys[i], &new);)
		i++;
	*at = (uint32_t)i;
	if (i < m->nkeys)
		return RC_OK;
	struct search_key *keys = room_for(
		m->mem, m->keys, m->nkeys, &m->keys_room, sizeof(*keys));
	if (m->nkeys == MATCH_KEYS || keys == NULL || !buf_ok(&folded) ||
		arena_copy(m->mem, new.what, &new.what) != RC_OK)
		return err_set(err, RC_LIMIT, "too much text to search for");
	m->keys = keys;
	m->keys[m->nkeys++] = new;
	return RC_OK;
}

/* Not those that need no looking at: every message has an empty text in it (RFC 9051
 * 6.4.4), and none a field without a name. */
static bool
is_text(const struct imap_search *k)
{
	if (k->key == KEY_HEADER)
		return k->field.len > 0;
	return (k->key == KEY_BODY || k->key == KEY_TEXT) && k->text.len > 0;
}

static bool
is_group(const struct imap_search *k)
{
	return k->key == KEY_AND || k->key == KEY_OR || k->key == KEY_NOT;
}

static struct step *
add_step(struct match *m, struct imap_search *k)
{
	struct step *steps = room_for(m->mem, m->steps, m->n, &m->room, sizeof(*steps));

	if (steps == NULL)
		return NULL;
	m->steps = steps;
	m->steps[m->n] = (struct step){ .key = k };
	return &m->steps[m->n++];
}

static void
prepare_leaf(struct match *m, struct imap_search *k)
{
	if (k->key == KEY_SEQ && !k->set.saved)
		imap_set_resolve(&k->set, (uint32_t)m->with.count);
	if (k->key == KEY_UID && !k->set.saved)
		imap_set_resolve(&k->set, m->with.last_uid);
	m->sent_days |= k->key == KEY_SENTBEFORE || k->key == KEY_SENTON ||
			k->key == KEY_SENTSINCE;
}

/* Behind a key: groups that end there are closed.  The key that follows; NULL: none. */
static struct imap_search *
go_on(struct match *m, struct imap_search *k, uint32_t *group, size_t *depth)
{
	for (;;) {
		if (is_group(k)) {
			if (add_step(m, k) == NULL)
				return NULL;
			m->steps[m->n - 1].is = CLOSE;
			m->steps[*group].close = (uint32_t)m->n - 1;
			*group = m->steps[*group].up;
			--*depth;
		}
		if (*depth == 0 || k->next != NULL)
			return *depth == 0 ? NULL : k->next;
		k = m->steps[*group].key;
	}
}

static enum rc
add_all(struct match *m, struct imap_search *k, struct err *err)
{
	uint32_t group = 0;
	size_t depth = 0;

	while (k != NULL) {
		struct step *s = add_step(m, k);

		if (s == NULL)
			break;
		if (is_group(k)) {
			s->is = OPEN;
			s->up = group;
			group = (uint32_t)m->n - 1;
			if (++depth > m->depth)
				m->depth = depth;
			if (k->first != NULL) {
				k = k->first;
				continue;
			}
		} else {
			prepare_leaf(m, k);
		}
		k = go_on(m, k, &group, &depth);
	}
	if (m->n == 0 || depth > 0)
		return err_set(err, RC_LIMIT, "too much for one search");
	return RC_OK;
}

enum rc
match_new(struct imap_search *program, const struct match_with *with, struct arena *mem,
	struct match **out, struct err *err)
{
	struct match *m = arena_new_of(mem, struct match);

	if (m == NULL)
		return err_set(err, RC_LIMIT, "no memory for a search");
	m->with = *with;
	m->mem = mem;
	enum rc rc = add_all(m, program, err);
	if (rc != RC_OK)
		return rc;
	m->so_far = arena_alloc(mem, m->depth + 1);
	if (m->so_far == NULL)
		return err_set(err, RC_LIMIT, "no memory for a search");
	*out = m;
	return RC_OK;
}

str *
match_text(struct match *m, size_t *at)
{
	while (*at < m->n) {
		struct step *s = &m->steps[(*at)++];

		if (s->is == LEAF && is_text(s->key))
			return &s->key->text;
	}
	return NULL;
}

enum rc
match_fold(struct match *m, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < m->n && rc == RC_OK; i++)
		if (m->steps[i].is == LEAF && is_text(m->steps[i].key))
			rc = add_key(m, m->steps[i].key, &m->steps[i].text, err);
	return rc;
}

/* Only sets that all of the program depends on say so: it is one, or an AND with one. */
void
match_range(const struct match *m, const struct view_list *l, size_t *from, size_t *to)
{
	const struct imap_search *k = m->steps[0].key;

	*from = 1;
	*to = view_list_count(l);
	if (k->key == KEY_AND)
		k = k->first;
	for (; k != NULL; k = k->next) {
		if ((k->key != KEY_SEQ && k->key != KEY_UID) || k->set.saved)
			continue;
		if (k->set.n == 0) {
			*to = 0;
			return;
		}
		size_t low = k->set.at[0].from, high = k->set.at[k->set.n - 1].to;

		if (k->key == KEY_UID) {
			low = view_list_seq(l, (uint32_t)low);
			high = high == UINT32_MAX
				       ? *to
				       : view_list_seq(l, (uint32_t)high + 1) - 1;
		}
		*from = low > *from ? low : *from;
		*to = high < *to ? high : *to;
	}
}

size_t
match_keys(const struct match *m, const struct search_key **out)
{
	*out = m->keys;
	return m->nkeys;
}

size_t
match_steps(const struct match *m)
{
	return m->n;
}

bool
match_asks_sent_day(const struct match *m)
{
	return m->sent_days;
}

/* ---- asking ---- */

static enum tri
tri(bool yes)
{
	return yes ? TRI_YES : TRI_NO;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t
day_of(uint64_t ms)
{
	return (int64_t)(ms / DAY_MS);
}

/* Keywords are the same in any case (RFC 9051 2.3.2). */
static bool
has_keyword(str list, str word)
{
	str one;

	while (str_cut(&list, ' ', &one))
		if (one.len == word.len && str_ieq(one, word))
			return true;
	return false;
}

static bool
is_saved(const struct match_with *w, uint32_t uid)
{
	size_t from = 0, to = w->nsaved;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (w->saved[mid] < uid)
			from = mid + 1;
		else
			to = mid;
	}
	return from < w->nsaved && w->saved[from] == uid;
}

/* Date as it is written, "disregarding time and timezone".  A message without one that can be read is
 * neither before nor on nor after a day.  As long as only the moment is known the written
 * day may be the one before or after. */
static enum tri
sent(const struct imap_search *k, const struct match_row *r)
{
	int64_t from, to;

	if (r->row->sent_s == INT64_MIN)
		return TRI_NO;
	from = floor_div(r->row->sent_s, DAY_S) - 1;
	to = from + 2;
	if (r->knows_sent_day)
		from = to = r->sent_day;
	if (k->key == KEY_SENTBEFORE)
		return to < k->days ? TRI_YES : from >= k->days ? TRI_NO : TRI_MAYBE;
	if (k->key == KEY_SENTSINCE)
		return from >= k->days ? TRI_YES : to < k->days ? TRI_NO : TRI_MAYBE;
	if (k->days < from || k->days > to)
		return TRI_NO;
	return from == to ? TRI_YES : TRI_MAYBE;
}

/* YOUNGER and OLDER are both true at the second itself (RFC 5032 2). */
static bool
aged(const struct match *m, const struct imap_search *k, const struct view_row *row)
{
	uint64_t now = m->with.now_ms / 1000, then = row->received_ms / 1000;
	uint64_t age = now > then ? now - then : 0;

	return k->key == KEY_YOUNGER ? age <= k->number : age >= k->number;
}

static enum tri
text(const struct match *m, const struct step *s, const struct match_row *r)
{
	if (!is_text(s->key))
		return tri(s->key->key != KEY_HEADER);
	/* nothing is left of it when it is compared */
	if (s->key->key != KEY_HEADER && m->keys[s->text].what.len == 0)
		return TRI_YES;
	return r->texts == NULL ? TRI_MAYBE : (enum tri)r->texts[s->text];
}

/* As FETCH shows them (RFC 8474 5): a letter, and the message's id or the thread's number. */
static bool
is_email(str id, const struct view_row *row)
{
	return id.len == MSG_ID_LEN + 1 && id.ptr[0] == 'M' &&
	       str_eq(str_skip(id, 1), msg_id_str(&row->id));
}

static bool
is_thread(str id, const struct view_row *row)
{
	uint64_t n;

	return id.len > 1 && id.ptr[0] == 'T' && id.ptr[1] != '0' &&
	       str_u64(str_skip(id, 1), UINT64_MAX, &n) && n == row->thread;
}

static bool
in_set(const struct match *m, const struct imap_set *set, uint32_t uid, size_t n)
{
	return set->saved ? is_saved(&m->with, uid) : imap_set_has(set, (uint32_t)n);
}

/* Days of INTERNALDATE and SAVEDATE are those of the zone that they are shown in: UTC. */
static enum tri
leaf(const struct match *m, const struct step *s, const struct match_row *r)
{
	const struct imap_search *k = s->key;
	const struct view_row *row = r->row;

	switch (k->key) {
	case KEY_ALL:
	case KEY_SAVEDATESUPPORTED: /* RFC 8514 4.3 */
		return TRI_YES;
	case KEY_SEQ:
		return tri(in_set(m, &k->set, row->uid, r->seq));
	case KEY_UID:
		return tri(in_set(m, &k->set, row->uid, row->uid));
	case KEY_FLAG:
		return tri((row->flags & k->flag) != 0);
	case KEY_KEYWORD:
		return tri(has_keyword(row->keywords, k->text));
	case KEY_RECENT:
		return tri(r->recent);
	case KEY_NEW:
		return tri(r->recent && (row->flags & STORE_SEEN) == 0);
	case KEY_OLD:
		return tri(!r->recent);
	case KEY_BEFORE:
		return tri(day_of(row->received_ms) < k->days);
	case KEY_ON:
		return tri(day_of(row->received_ms) == k->days);
	case KEY_SINCE:
		return tri(day_of(row->received_ms) >= k->days);
	case KEY_SENTBEFORE:
	case KEY_SENTON:
	case KEY_SENTSINCE:
		return sent(k, r);
	case KEY_SAVEDBEFORE:
		return tri(day_of(row->saved_ms) < k->days);
	case KEY_SAVEDON:
		return tri(day_of(row->saved_ms) == k->days);
	case KEY_SAVEDSINCE:
		return tri(day_of(row->saved_ms) >= k->days);
	case KEY_YOUNGER:
	case KEY_OLDER:
		return tri(aged(m, k, row));
	case KEY_LARGER:
		return tri(row->size > k->number);
	case KEY_SMALLER:
		return tri(row->size < k->number);
	case KEY_HEADER:
	case KEY_BODY:
	case KEY_TEXT:
		return text(m, s, r);
	case KEY_MODSEQ:
		return tri(row->modseq >= k->number);
	case KEY_EMAILID:
		return tri(is_email(k->text, row));
	case KEY_THREADID:
		return tri(is_thread(k->text, row));
	case KEY_NEVER:
	case KEY_AND:
	case KEY_OR:
	case KEY_NOT:
		break;
	}
	return TRI_NO;
}

/* What a group is with one more of its members; *done: the others do not matter. */
static enum tri
fold(enum imap_key group, enum tri so_far, enum tri v, bool *done)
{
	if (group == KEY_OR) {
		v = v > so_far ? v : so_far;
		*done = v == TRI_YES;
	} else {
		v = v < so_far ? v : so_far;
		*done = v == TRI_NO;
	}
	return v;
}

enum tri
match_row(struct match *m, const struct match_row *r)
{
	const struct step *s = m->steps, *group = NULL;
	uint8_t *top = m->so_far;
	enum tri v = TRI_NO;
	bool done;

	for (;;) {
		if (s->is == OPEN) {
			*++top = s->key->key == KEY_OR ? TRI_NO : TRI_YES;
			group = s++;
			continue;
		}
		if (s->is == LEAF) {
			v = leaf(m, s, r);
		} else {
			v = (enum tri) * top--;
			if (group->key->key == KEY_NOT)
				v = TRI_YES - v;
			group = top == m->so_far ? NULL : &m->steps[group->up];
		}
		if (group == NULL)
			return v;
		*top = (uint8_t)fold(group->key->key, (enum tri) * top, v, &done);
		s = done ? &m->steps[group->close] : s + 1;
	}
}
