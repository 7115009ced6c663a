/* SPDX-License-Identifier: ISC */
#include "imap/imap_names.h"

#include <stdlib.h>

struct entry {
	str name;
	const struct mailbox *m;
};

/* '/' before everything else, so that what is below a name comes directly behind it. */
static unsigned
rank(char c)
{
	return c == '/' ? 0 : (unsigned char)c;
}

static int
by_tree(const void *a, const void *b)
{
	str x = ((const struct entry *)a)->name, y = ((const struct entry *)b)->name;

	for (size_t i = 0; i < x.len && i < y.len; i++)
		if (x.ptr[i] != y.ptr[i])
			return rank(x.ptr[i]) < rank(y.ptr[i]) ? -1 : 1;
	return x.len < y.len ? -1 : x.len > y.len;
}

static bool
is_below(str name, str parent)
{
	return name.len > parent.len && name.ptr[parent.len] == '/' &&
	       str_starts(name, parent);
}

/* How many levels of a name are not levels of the one before. */
static size_t
new_levels(str before, str name)
{
	size_t same = 0, levels = 1;

	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] == '/' && (is_below(before, str_first(name, i)) ||
						  str_eq(before, str_first(name, i))))
			same = i + 1;
	for (size_t i = same; i < name.len; i++)
		levels += name.ptr[i] == '/';
	return levels;
}

static void
add_node(struct imap_tree *t, str name, size_t up)
{
	t->at[t->n++] = (struct imap_node){ .name = name, .up = up };
}

static void
add_entry(struct imap_tree *t, const struct entry *e, size_t *last)
{
	size_t up = *last;

	while (up != SIZE_MAX && !is_below(e->name, t->at[up].name))
		up = t->at[up].up;
	for (size_t i = up == SIZE_MAX ? 0 : t->at[up].name.len + 1; i < e->name.len;
		i++) {
		if (e->name.ptr[i] != '/')
			continue;
		add_node(t, str_first(e->name, i), up);
		up = t->n - 1;
	}
	add_node(t, e->name, up);
	*last = t->n - 1;
	t->at[*last].m = e->m;
	t->at[*last].subscribed = e->m == NULL || e->m->subscribed;
}

static enum rc
build(struct imap_session *s, const struct entry *list, size_t n, struct imap_tree *t,
	struct err *err)
{
	size_t room = 0, last = SIZE_MAX;

	for (size_t i = 0; i < n; i++)
		room += new_levels(i == 0 ? STR("") : list[i - 1].name, list[i].name);
	t->n = 0;
	if ((t->at = arena_array(s->cmd.mem, room + 1, sizeof(*t->at))) == NULL)
		return err_set(err, RC_LIMIT, "too many levels of mailboxes to list");
	for (size_t i = 0; i < n; i++)
		add_entry(t, &list[i], &last);
	/* what is below a node comes behind it */
	for (size_t i = t->n; i-- > 0;)
		if (t->at[i].up != SIZE_MAX && (t->at[i].m != NULL || t->at[i].children))
			t->at[t->at[i].up].children = true;
	return RC_OK;
}

enum rc
imap_tree_read(struct imap_session *s, bool lost, struct imap_tree *out, struct err *err)
{
	struct store *store = s->house->store;
	struct mailbox *boxes;
	struct entry *list;
	size_t n, nlost = 0;
	str *names = NULL;
	enum rc rc = mailbox_list(store, s->account, false, s->cmd.mem, &boxes, &n, err);

	if (rc == RC_OK && lost)
		rc = mailbox_lost_subscriptions(
			store, s->account, s->cmd.mem, &names, &nlost, err);
	if (rc != RC_OK)
		return rc;
	if ((list = arena_array(s->cmd.mem, n + nlost + 1, sizeof(*list))) == NULL)
		return err_set(err, RC_LIMIT, "too many mailboxes to list");
	for (size_t i = 0; i < n; i++)
		list[i] = (struct entry){ boxes[i].name, &boxes[i] };
	for (size_t i = 0; i < nlost; i++)
		list[n + i] = (struct entry){ names[i], NULL };
	qsort(list, n + nlost, sizeof(*list), by_tree);
	return build(s, list, n + nlost, out, err);
}

/* ---- patterns ---- */

/* As names are kept (imap_name_in), but for the wildcards between: false: nothing is called so. */
static bool
canonical(struct imap_session *s, str raw, struct buf *out)
{
	while (raw.len > 0) {
		size_t n = 0;
		str part;

		while (n < raw.len && memchr("*%/", raw.ptr[n], 3) == NULL)
			n++;
		if (n > 0 && str_has_8bit(str_first(raw, n))) {
			if (imap_name_in(str_first(raw, n), true, s->cmd.mem, &part, NULL,
				    NULL) != RC_OK)
				return false;
			buf_add(out, part);
		} else {
			buf_add(out, str_first(raw, n));
		}
		if (n < raw.len)
			buf_addc(out, raw.ptr[n++]);
		raw = str_skip(raw, n);
	}
	return true;
}

bool
imap_pattern_add(
	struct imap_session *s, struct imap_patterns *p, str reference, str pattern)
{
	BUF_AUTO joined = BUF(PATTERN_BYTES);
	BUF_AUTO done = BUF(PATTERN_BYTES);
	str raw;

	buf_add(&joined, reference);
	buf_add(&joined, pattern);
	if (!buf_ok(&joined) || p->n == PATTERNS_MOST)
		return false;
	raw = buf_str(&joined);
	/* RFC 9051 6.3.9: a pattern that cannot be is ignored */
	if (!imap_utf8(s) && imap_utf7_in(raw, s->cmd.mem, &raw) != RC_OK)
		return true;
	if (!canonical(s, raw, &done))
		return true;
	if (!buf_ok(&done) ||
		arena_copy(s->cmd.mem, buf_str(&done), &p->at[p->n]) != RC_OK)
		return false;
	p->n++;
	return true;
}

/* RFC 9051 6.3.9: '%' at the end asks for levels, too; so does who names one. */
static bool
asks_for_levels(str pattern)
{
	return pattern.len > 0 &&
	       (pattern.ptr[pattern.len - 1] == '%' ||
		       (memchr(pattern.ptr, '*', pattern.len) == NULL &&
			       memchr(pattern.ptr, '%', pattern.len) == NULL));
}

void
imap_pattern_match(const struct imap_patterns *p, struct imap_node *n)
{
	for (size_t i = 0; i < p->n; i++) {
		str one = p->at[i];
		bool level = asks_for_levels(one);

		if ((n->matches && !level) || !imap_list_match(one, n->name))
			continue;
		n->matches = true;
		n->level |= level;
		if (n->level)
			return;
	}
}
