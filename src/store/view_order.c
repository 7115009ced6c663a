/* SPDX-License-Identifier: ISC */
/*
 * Keys to sort by.  Those of a whole mailbox are asked for at once: by scanning all of the
 * account's where they are much of it, else one by one.
 */
#include <stdlib.h>

#include "store/view_int.h"
#include "wire/sortkey.h"

enum { KEY_CHUNK = 1024, SCAN_SHARE = 4 };

/* A row whose key is asked for. */
struct asked {
	char id[MSG_ID_LEN + 1];
	uint32_t uid;
	struct order_key *key;
};

struct asking {
	struct view *v;
	struct asked *at;
	size_t n;
	uint64_t facts; /* v->facts when it was asked */
};

static int
by_id(const void *a, const void *b)
{
	return memcmp(
		((const struct asked *)a)->id, ((const struct asked *)b)->id, MSG_ID_LEN);
}

static void
collect(struct asking *a)
{
	struct view *v = a->v;
	LOCK_AUTO held = lock_take(&v->lock);
	size_t room = 0;

	a->facts = v->facts;
	for (size_t i = v->keyed; i < v->n; i++) {
		const struct row *r = &v->rows[i];

		if (r->gone || r->key != NULL)
			continue;
		if (a->n == room) {
			room = room == 0 ? v->n - i : room * 2;
			a->at = realloc(a->at, room * sizeof(*a->at));
			if (a->at == NULL)
				abort();
		}
		struct asked *k = &a->at[a->n++];
		*k = (struct asked){ .uid = r->uid };
		memcpy(k->id, r->id, sizeof(r->id));
	}
}

/* Looked at once, here.  What cannot be read is as good as not known. */
static struct order_key *
key_of(str packed)
{
	if (!sortkey_ok(packed))
		return &view_no_key;
	struct order_key *k = malloc(sizeof(*k) + packed.len);

	if (k == NULL)
		abort();
	*k = (struct order_key){ .len = (uint32_t)packed.len };
	memcpy(k->bytes, packed.ptr, packed.len);
	return k;
}

/* The same message may be in a mailbox more than once. */
static size_t
give(struct asking *a, size_t i, str packed)
{
	struct order_key *key = key_of(packed);
	size_t first = i;

	for (; i < a->n && by_id(&a->at[i], &a->at[first]) == 0; i++)
		a->at[i].key = key;
	if (key != &view_no_key)
		key->refs = (uint32_t)(i - first);
	return i;
}

static enum rc
look_up_one(struct asking *a, size_t *at, struct err *err)
{
	PREPARE(q, a->v->sh->db,
		"SELECT key FROM email_key WHERE account_id = ? AND msgid = ?", err);
	db_bind_u64(q, 1, a->v->name.account);
	db_bind_str(q, 2, str_of(a->at[*at].id));
	enum rc rc = db_step(q, err);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	*at = give(a, *at, rc == RC_OK ? db_str(q, 0) : (str){ 0 });
	db_reset(q);
	return RC_OK;
}

/* The next ones, each looked up, in one transaction (as in texts.c); *at: how far. */
static enum rc
look_up(struct asking *a, size_t *at, struct err *err)
{
	struct shard *sh = a->v->sh;
	LOCK_AUTO held = lock_take(&sh->lock);
	enum rc rc = db_begin_read(sh->db, err);

	if (rc != RC_OK)
		return rc;
	for (size_t n = 0; rc == RC_OK && *at < a->n && n < KEY_CHUNK; n++)
		rc = look_up_one(a, at, err);
	db_rollback(sh->db);
	return rc;
}

/* The next rows of email_key, beside those that are asked for. */
static enum rc
scan(struct asking *a, size_t *at, struct err *err)
{
	struct shard *sh = a->v->sh;
	LOCK_AUTO held = lock_take(&sh->lock);
	size_t i = *at, n = 0;
	enum rc rc;

	PREPARE(q, sh->db,
		"SELECT msgid, key FROM email_key WHERE account_id = ? AND msgid >= ?"
		" ORDER BY msgid LIMIT ?",
		err);
	db_bind_u64(q, 1, a->v->name.account);
	db_bind_str(q, 2, str_of(a->at[i].id));
	db_bind_u64(q, 3, KEY_CHUNK);
	for (; i < a->n && (rc = db_step(q, err)) == RC_OK; n++) {
		str id = db_str(q, 0);

		while (i < a->n && str_cmp(str_of(a->at[i].id), id) < 0)
			i = give(a, i, (str){ 0 });
		if (i < a->n && str_eq(str_of(a->at[i].id), id))
			i = give(a, i, db_str(q, 1));
	}
	db_reset(q);
	if (i < a->n && rc != RC_NONE)
		return rc;
	while (i < a->n && n < KEY_CHUNK) /* there are no more */
		i = give(a, i, (str){ 0 });
	*at = i;
	return RC_OK;
}

/* The messages of the account, more or less. */
static enum rc
account_messages(struct asking *a, uint64_t *n, struct err *err)
{
	struct shard *sh = a->v->sh;
	LOCK_AUTO held = lock_take(&sh->lock);
	struct account account;
	enum rc rc = account_load(sh, a->v->name.account, &account, err);

	if (rc == RC_OK)
		*n = account.messages;
	return rc;
}

static int
by_uid(const void *a, const void *b)
{
	uint32_t x = ((const struct asked *)a)->uid, y = ((const struct asked *)b)->uid;

	return x < y ? -1 : x > y;
}

/* Into the rows, which may have changed meanwhile. */
static void
keep(struct asking *a)
{
	struct view *v = a->v;
	LOCK_AUTO held = lock_take(&v->lock);
	size_t at = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct asked *k = &a->at[i];

		at = view_find(v, at, k->uid);
		if (at == v->n)
			break;
		struct row *r = &v->rows[at];
		if (k->key == NULL || r->uid != k->uid || r->gone || r->key != NULL)
			continue;
		if (k->key == &view_no_key && a->facts != v->facts)
			continue; /* it may have come since */
		r->key = k->key;
		if (k->key != &view_no_key && !k->key->counted) {
			k->key->counted = true;
			v->key_bytes += sizeof(*k->key) + k->key->len;
		}
		k->key = NULL;
	}
	while (v->keyed < v->n &&
		(v->rows[v->keyed].gone || v->rows[v->keyed].key != NULL))
		v->keyed++;
	view_weigh(v);
}

/* Those that no row has taken. */
static void
drop_keys(struct asking *a)
{
	LOCK_AUTO held = lock_take(&a->v->lock);

	for (size_t i = 0; i < a->n; i++)
		view_key_drop(a->v, a->at[i].key);
}

static enum rc
ask(struct asking *a, struct err *err)
{
	uint64_t all = 0;
	size_t at = 0;
	enum rc rc = account_messages(a, &all, err);

	qsort(a->at, a->n, sizeof(*a->at), by_id);
	while (rc == RC_OK && at < a->n)
		rc = a->n >= all / SCAN_SHARE ? scan(a, &at, err) : look_up(a, &at, err);
	qsort(a->at, a->n, sizeof(*a->at), by_uid);
	if (rc == RC_OK)
		keep(a);
	drop_keys(a);
	return rc;
}

static enum rc
fill(struct view *v, struct err *err)
{
	struct asking a = { .v = v };
	enum rc rc = RC_OK;

	collect(&a);
	if (a.n > 0)
		rc = ask(&a, err);
	free(a.at);
	return rc;
}

static bool
has_key(const struct row *r)
{
	return r->key != NULL && r->key != &view_no_key;
}

static str
packed_key(const struct row *r)
{
	return (str){ r->key->bytes, r->key->len };
}

/* Its strings are the row's own still. */
static void
look(const struct row *r, unsigned want, struct view_order *o)
{
	struct sortkey k;

	*o = (struct view_order){ .uid = r->uid, .known = has_key(r) };
	if (!o->known)
		return;
	sortkey_views(packed_key(r), &k);
	o->reply = k.reply;
	o->message_id = k.message_id;
	if ((want & VIEW_SUBJECT) != 0)
		o->subject = k.subject;
	if ((want & VIEW_FROM) != 0)
		o->from = k.from;
	if ((want & VIEW_TO) != 0)
		o->to = k.to;
	if ((want & VIEW_CC) != 0)
		o->cc = k.cc;
	if ((want & VIEW_DISPLAY_FROM) != 0)
		o->display_from = k.display_from;
	if ((want & VIEW_DISPLAY_TO) != 0)
		o->display_to = k.display_to;
	if ((want & VIEW_REFS) != 0)
		o->nrefs = k.nrefs;
}

static char *
take(char *at, str *s)
{
	if (s->len > 0)
		memcpy(at, s->ptr, s->len);
	s->ptr = at;
	return at + s->len;
}

/* The row may go while they are used. */
static char *
take_strings(char *at, struct view_order *o)
{
	at = take(at, &o->subject);
	at = take(at, &o->from);
	at = take(at, &o->to);
	at = take(at, &o->cc);
	at = take(at, &o->display_from);
	return take(at, &o->display_to);
}

static size_t
strings_length(const struct view_order *o)
{
	return o->subject.len + o->from.len + o->to.len + o->cc.len +
	       o->display_from.len + o->display_to.len;
}

enum { AHEAD = 8 }; /* keys lie anywhere in memory */

/* Some at a time: who has news for the view waits with a shard's lock. */
static enum rc
unpack_some(struct view *v, const uint32_t *uids, size_t n, unsigned want,
	struct arena *mem, struct view_order *list)
{
	LOCK_AUTO held = lock_take(&v->lock);
	const struct row *rows[KEY_CHUNK];
	size_t at = 0, length = 0, nrefs = 0;

	for (size_t i = 0; i < n; i++) {
		at = view_find(v, at, uids[i]);
		rows[i] = at < v->n && v->rows[at].uid == uids[i] && !v->rows[at].gone
				  ? &v->rows[at]
				  : NULL;
		if (at + AHEAD < v->n)
			__builtin_prefetch(v->rows[at + AHEAD].key);
		list[i] = (struct view_order){ 0 };
		if (rows[i] == NULL)
			continue;
		look(rows[i], want, &list[i]);
		length += strings_length(&list[i]);
		nrefs += list[i].nrefs;
	}
	char *text = arena_alloc(mem, length + 1);
	uint64_t *refs = arena_array(mem, nrefs + 1, sizeof(*refs));
	if (text == NULL || refs == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < n; i++) {
		text = take_strings(text, &list[i]);
		if (list[i].nrefs == 0)
			continue;
		sortkey_refs(packed_key(rows[i]), list[i].nrefs, refs);
		list[i].refs = refs;
		refs += list[i].nrefs;
	}
	return RC_OK;
}

enum rc
view_orders(struct view *v, const uint32_t *uids, size_t n, unsigned want,
	struct arena *mem, struct view_order *out, struct err *err)
{
	enum rc rc = fill(v, err);

	for (size_t i = 0; i < n && rc == RC_OK; i += KEY_CHUNK) {
		size_t some = n - i < KEY_CHUNK ? n - i : KEY_CHUNK;

		rc = unpack_some(v, uids + i, some, want, mem, out + i);
		if (rc != RC_OK)
			(void)err_set(err, rc, "too many messages to sort");
	}
	return rc;
}
