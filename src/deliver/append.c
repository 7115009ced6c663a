/* SPDX-License-Identifier: ISC */
#include "deliver/append.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "deliver/own_int.h"

static void
wait_for(struct own *o, struct waiter *w, const struct append *a)
{
	LOCK_AUTO held = lock_take(&o->waiting);

	for (size_t i = 0; i < a->n; i++) {
		w[i] = (struct waiter){ .id = a->items[i].id };
		HASH_ADD_KEYPTR(hh, o->waiters, w[i].id.text, MSG_ID_LEN, &w[i]);
	}
}

static void
wait_no_more(struct own *o, struct waiter *w, size_t n)
{
	LOCK_AUTO held = lock_take(&o->waiting);

	for (size_t i = 0; i < n; i++)
		HASH_DEL(o->waiters, &w[i]);
}

struct sought {
	uint64_t id, uidvalidity;
	bool found;
};

static enum rc
compare(const struct store_mailbox *m, void *arg, struct err *err)
{
	struct sought *s = arg;

	(void)err;
	if (m->id == s->id) {
		s->found = true;
		s->uidvalidity = m->uidvalidity;
	}
	return RC_OK;
}

static enum rc
find_mailbox(
	struct own *o, const struct append *a, uint32_t *uidvalidity, struct err *err)
{
	struct sought s = { .id = a->mailbox };
	enum rc rc = store_mailboxes(o->want.apply.store, a->account, compare, &s, err);

	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	if (!s.found)
		return err_set(err, RC_NONE, "there is no such mailbox");
	*uidvalidity = (uint32_t)s.uidvalidity;
	return RC_OK;
}

/* doc/commit-order.md: names and data first, then the record.  *named: how many may have
 * to be taken back. */
static enum rc
publish(struct own *o, struct append *a, size_t *named, struct err *err)
{
	enum rc rc = RC_OK;

	for (*named = 0; *named < a->n; ++*named) {
		struct append_item *i = &a->items[*named];

		i->id = ids_message(clock_wall_ms());
		rc = fs_spool_publish(o->incoming, i->file, i->id.text, err);
		if (rc != RC_OK)
			return rc == RC_BAD ? RC_TEMP : rc;
	}
	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = fs_sync_data(a->items[i].file->fd, err);
	return rc;
}

static enum rc
commit(struct own *o, const struct append *a, uint64_t *seq, struct err *err)
{
	BUF_AUTO record = BUF(JREC_MOST);
	struct jrec_append_item items[APPEND_MOST];
	const struct jrec_append r = { .account = a->account,
		.mailbox = a->mailbox,
		.replaces_mailbox = a->replaces_mailbox,
		.replaces = a->replaces,
		.n = a->n,
		.items = items };

	for (size_t i = 0; i < a->n; i++) {
		const struct append_item *from = &a->items[i];

		items[i] = (struct jrec_append_item){ .id = from->id,
			.size = from->size,
			.received_ms = from->received_ms,
			.flags = from->flags,
			.keywords = from->keywords,
			.facts = from->facts };
		memcpy(items[i].digest, from->digest, sizeof(from->digest));
	}
	jrec_put_append(&record, &r);
	if (!buf_ok(&record))
		return err_set(err, RC_LIMIT, "too much for the journal");
	return own_commit(o, JREC_APPEND, buf_str(&record), seq, err);
}

/* All is committed: what fails from here on costs the UIDs, which are not told then. */
static void
collect(struct own *o, struct append *a, struct waiter *w, uint64_t seq)
{
	struct err err = { 0 };
	uint32_t now;
	enum rc rc = own_await(o, seq, &err);

	if (rc == RC_OK)
		rc = store_settle(o->want.apply.store, a->account, &err);
	if (rc == RC_OK) /* deleted meanwhile: they are in INBOX */
		rc = find_mailbox(o, a, &now, &err);
	if (rc != RC_OK)
		log_warn("msg=\"appended, its UID cannot be told\" id=%s why=\"%s\"",
			a->items[0].id.text, err.text);
	wait_no_more(o, w, a->n);
	for (size_t i = 0; i < a->n; i++)
		a->items[i].uid = rc == RC_OK ? w[i].uid : 0;
}

static enum rc
run(struct own *o, struct append *a, struct waiter *w, uint32_t *uidvalidity,
	struct err *err)
{
	uint64_t seq = 0;
	size_t named = 0;
	enum rc rc = own_sound(o, err);

	if (rc == RC_OK)
		rc = find_mailbox(o, a, uidvalidity, err);
	if (rc == RC_OK)
		rc = publish(o, a, &named, err);
	if (rc == RC_OK) {
		wait_for(o, w, a);
		rc = commit(o, a, &seq, err);
		if (rc == RC_OK)
			collect(o, a, w, seq);
		else
			wait_no_more(o, w, a->n);
	}
	if (rc != RC_OK && rc != RC_PERM)
		for (size_t i = 0; i < named; i++)
			(void)fs_unlink(o->incoming, a->items[i].id.text, NULL);
	return rc == RC_PERM ? err_set(err, RC_TEMP, "the journal could not be written")
			     : rc;
}

enum rc
own_append(struct own *o, struct append *a, uint32_t *uidvalidity, struct err *err)
{
	struct waiter w[APPEND_MOST];
	enum rc rc;

	assert(a->n >= 1 && a->n <= APPEND_MOST && a->mailbox > 0 &&
		(a->replaces == 0 || a->n == 1));
	rc = run(o, a, w, uidvalidity, err);
	for (size_t i = 0; i < a->n; i++)
		fs_spool_drop(o->incoming, a->items[i].file);
	return rc;
}
