/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "store/change.h"
#include "store/learn.h"
#include "store/mailbox.h"
#include "store/testing.h"
#include "store/view_int.h"
#include "store_sql.h"
#include "wire/sortkey.h"

enum { WHO = 7, INBOX = 1, ARCHIVE = 4 };

/* A store with a mailbox in view. */
struct seen {
	int data;
	struct store *s;
	struct view *v;
	uint64_t seq;
};

static struct view *
open_view(struct store *s, uint64_t account, uint64_t mailbox)
{
	struct err err = { 0 };
	struct view *v;

	if (view_open(s, account, mailbox, &v, &err) != RC_OK)
		fail_msg("%s", err.text);
	return v;
}

static struct msg_id
arrive_at(struct seen *x, struct store_delivery how)
{
	struct mail m = make_mail(x->data, "", NULL);
	struct store_apply a = delivery(&m, ++x->seq, WHO);
	struct err err = { 0 };

	a.what.mailbox = how.mailbox;
	a.what.flags = how.flags;
	a.what.keywords = how.keywords;
	a.what.replaces = how.replaces;
	a.what.replaces_mailbox = how.replaces_mailbox;
	a.what.uid = how.uid;
	if (store_deliver(x->s, "gate", &a, 1, x->seq, &err) != RC_OK)
		fail_msg("%s", err.text);
	buf_free(&m.facts);
	return m.id;
}

static struct msg_id
arrive(struct seen *x)
{
	return arrive_at(x, (struct store_delivery){ .mailbox = 0 });
}

static struct seen
begin(unsigned messages)
{
	struct seen x = { .data = data_folder() };

	x.s = open_store(x.data);
	assert_int_equal(store_account_make(x.s, WHO, NULL), RC_OK);
	for (unsigned i = 0; i < messages; i++)
		(void)arrive(&x);
	x.v = open_view(x.s, WHO, INBOX);
	return x;
}

static void
end(struct seen *x)
{
	view_close(&x->v);
	store_close(&x->s);
	fs_close(&x->data);
}

static struct view_now
now_of(struct view *v)
{
	struct view_now n;
	struct err err = { 0 };

	if (view_now(v, &n, &err) != RC_OK)
		fail_msg("%s", err.text);
	return n;
}

static struct view_row
row_of(struct view *v, uint32_t uid)
{
	struct view_row r;

	view_rows(v, &uid, 1, &r);
	return r;
}

static void
set_flags(struct seen *x, uint32_t uid, enum change_how how, unsigned flags, str keywords)
{
	const struct change_flags c = {
		.how = how, .flags = flags, .keywords = keywords
	};
	struct err err = { 0 };
	uint64_t modseq;

	if (change_flags(x->s, (struct store_place){ WHO, INBOX }, &uid, 1, &c, &modseq,
		    NULL, NULL, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static void
expunge(struct seen *x, uint32_t uid)
{
	assert_int_equal(store_expunge(x->s, WHO, STR("INBOX"), uid, NULL), RC_OK);
}

/* What the view says is what a view that is read anew says. */
static void
as_on_disk(struct seen *x)
{
	struct store *again = open_store(x->data);
	struct view *w = open_view(again, WHO, INBOX);
	struct view_now a = now_of(x->v), b = now_of(w);

	assert_int_equal(a.modseq, b.modseq);
	assert_int_equal(a.uidnext, b.uidnext);
	assert_int_equal(a.uidvalidity, b.uidvalidity);
	assert_int_equal(a.unseen, b.unseen);
	assert_int_equal(a.first_unseen, b.first_unseen);
	assert_int_equal(view_list_count(a.list), view_list_count(b.list));
	for (size_t i = 1; i <= view_list_count(a.list); i++) {
		uint32_t uid = view_list_uid(a.list, i);
		struct view_row p = row_of(x->v, uid), q = row_of(w, uid);

		assert_int_equal(uid, view_list_uid(b.list, i));
		assert_int_equal(p.uid, uid);
		assert_int_equal(p.flags, q.flags);
		assert_true(str_eq(p.keywords, q.keywords));
		assert_int_equal(p.modseq, q.modseq);
		assert_string_equal(p.id.text, q.id.text);
		assert_int_equal(p.size, q.size);
		assert_int_equal(p.received_ms, q.received_ms);
		assert_int_equal(p.saved_ms, q.saved_ms);
		assert_int_equal(p.thread, q.thread);
		assert_int_equal(p.sent_s, q.sent_s);
	}
	view_list_drop(&a.list);
	view_list_drop(&b.list);
	view_close(&w);
	store_close(&again);
}

TEST(who_has_the_mailbox_open_sees_every_change)
{
	struct seen x = begin(3);
	struct view_now was = now_of(x.v), is;

	assert_int_equal(view_list_count(was.list), 3);
	assert_int_equal(was.unseen, 3);
	assert_int_equal(was.first_unseen, 1);
	struct msg_id id = arrive_at(
		&x, (struct store_delivery){ .flags = STORE_FLAGGED });
	set_flags(&x, 1, CHANGE_ADD, STORE_SEEN, STR("$Important work"));
	expunge(&x, 2);
	is = now_of(x.v);
	assert_true(is.modseq > was.modseq);
	assert_int_equal(view_list_count(is.list), 3);
	assert_int_equal(view_list_uid(is.list, 2), 3);
	assert_int_equal(is.unseen, 2);
	assert_int_equal(is.first_unseen, 3);
	assert_int_equal(is.uidnext, 5);
	assert_int_equal(row_of(x.v, 1).flags, STORE_SEEN);
	assert_true(str_eq(row_of(x.v, 1).keywords, STR("$Important work")));
	assert_int_equal(row_of(x.v, 2).uid, 0);
	assert_int_equal(row_of(x.v, 4).flags, STORE_FLAGGED);
	assert_string_equal(row_of(x.v, 4).id.text, id.text);
	/* who was told of three messages still knows them by their numbers */
	assert_int_equal(view_list_count(was.list), 3);
	assert_int_equal(view_list_uid(was.list, 2), 2);
	assert_int_equal(view_list_seq(was.list, 2), 2);
	assert_int_equal(view_list_seq(is.list, 2), 2);
	assert_int_equal(view_list_seq(is.list, 5), 4);
	view_list_drop(&was.list);
	view_list_drop(&is.list);
	as_on_disk(&x);
	sound(x.s);
	end(&x);
}

TEST(clients_that_are_up_to_date_share_one_list_and_a_delivery_copies_none)
{
	struct seen x = begin(2);
	struct view *w = open_view(x.s, WHO, INBOX);
	struct view_now a = now_of(x.v), b = now_of(w), c, d;

	assert_ptr_equal(x.v, w);
	assert_ptr_equal(a.list, b.list);
	for (int i = 0; i < 5; i++)
		(void)arrive(&x);
	c = now_of(w);
	assert_ptr_equal(c.list->uids, a.list->uids);
	assert_int_equal(view_list_count(c.list), 7);
	assert_int_equal(view_list_count(a.list), 2);
	expunge(&x, 7);
	d = now_of(w);
	assert_ptr_not_equal(d.list->uids, a.list->uids);
	assert_int_equal(view_list_count(d.list), 6);
	(void)arrive(&x); /* takes no place in the old ones */
	assert_int_equal(view_list_uid(c.list, 7), 7);
	view_list_drop(&a.list);
	view_list_drop(&b.list);
	view_list_drop(&c.list);
	view_list_drop(&d.list);
	view_close(&w);
	end(&x);
}

TEST(what_changed_since_is_told_in_order_and_nothing_else)
{
	struct seen x = begin(200);
	struct view_now was = now_of(x.v);
	struct view_row got[4];

	assert_int_equal(view_changed(x.v, 1, was.modseq, got, 4), 0);
	set_flags(&x, 150, CHANGE_ADD, STORE_SEEN, STR(""));
	set_flags(&x, 3, CHANGE_ADD, STORE_SEEN, STR(""));
	set_flags(&x, 151, CHANGE_ADD, 0, STR("k"));
	assert_int_equal(view_changed(x.v, 1, was.modseq, got, 4), 3);
	assert_int_equal(got[0].uid, 3);
	assert_int_equal(got[1].uid, 150);
	assert_int_equal(got[2].uid, 151);
	assert_int_equal(view_changed(x.v, 4, was.modseq, got, 1), 1);
	assert_int_equal(got[0].uid, 150);
	assert_int_equal(view_changed(x.v, 151, was.modseq, got, 4), 1);
	for (uint32_t uid = 10; uid < 140; uid++) /* rows move together */
		expunge(&x, uid);
	assert_int_equal(view_changed(x.v, 1, was.modseq, got, 4), 3);
	assert_int_equal(got[1].uid, 150);
	view_list_drop(&was.list);
	as_on_disk(&x);
	end(&x);
}

static enum rc
note_uid(uint32_t uid, void *arg)
{
	struct buf *b = arg;

	buf_addf(b, "%u ", uid);
	return RC_OK;
}

TEST(a_client_that_comes_back_hears_what_has_vanished)
{
	struct seen x = begin(6);
	BUF_AUTO got = BUF(200);
	struct view_now was, later;

	expunge(&x, 1);
	was = now_of(x.v);
	expunge(&x, 6);
	later = now_of(x.v);
	expunge(&x, 2);
	expunge(&x, 4);
	assert_int_equal(view_vanished(x.v, was.modseq, note_uid, &got, NULL), RC_OK);
	assert_string_equal(buf_z(&got), "2 4 6 ");
	buf_clear(&got);
	assert_int_equal(view_vanished(x.v, later.modseq, note_uid, &got, NULL), RC_OK);
	assert_string_equal(buf_z(&got), "2 4 ");
	view_list_drop(&later.list);
	buf_clear(&got);
	later = now_of(x.v);
	assert_int_equal(view_vanished(x.v, later.modseq, note_uid, &got, NULL), RC_OK);
	assert_int_equal(got.len, 0);
	view_list_drop(&was.list);
	view_list_drop(&later.list);
	end(&x);
}

TEST(after_old_data_was_put_back_no_uid_means_another_message_and_no_flag_is_missed)
{
	struct seen x = begin(3);
	struct view_now was = now_of(x.v), is;
	struct view_row rows[4];

	view_close(&x.v);
	assert_int_equal(store_renew(x.s, NULL), RC_OK);
	assert_int_equal(shard_settle(shard_of(x.s, WHO), 1, NULL), RC_OK);
	store_close(&x.s);
	x.s = open_store(x.data);
	x.v = open_view(x.s, WHO, INBOX);
	is = now_of(x.v);
	assert_int_equal(is.uidvalidity, was.uidvalidity);
	assert_true(is.uidnext >= was.uidnext + 1000000);
	assert_true(is.modseq > was.modseq);
	assert_int_equal(view_changed(x.v, 1, was.modseq, rows, 4), 3);
	assert_int_equal(rows[2].uid, 3);
	assert_int_equal(rows[2].modseq, is.modseq);
	view_list_drop(&was.list);
	view_list_drop(&is.list);
	as_on_disk(&x);
	end(&x);
}

TEST(one_session_alone_is_told_of_a_recent_message)
{
	struct seen x = begin(3);

	assert_int_equal(view_recent(x.v, false), 1);
	assert_int_equal(view_recent(x.v, true), 1);
	assert_int_equal(view_recent(x.v, true), 4);
	(void)arrive(&x);
	view_close(&x.v);
	store_close(&x.s);
	x.s = open_store(x.data);
	x.v = open_view(x.s, WHO, INBOX);
	assert_int_equal(view_recent(x.v, true), 4);
	assert_int_equal(view_recent(x.v, true), 5);
	end(&x);
}

/* --- keeping views --- */

/* Behind the back of the views: who reads anew sees it. */
static void
mark(struct seen *x, uint64_t mailbox)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		"UPDATE mailbox_email SET flags = 2 WHERE account_id = %d AND mailbox_id = %" PRIu64,
		WHO, mailbox);
	assert_int_equal(db_exec(x->s->shards[WHO].db, text, NULL), RC_OK);
}

static bool
was_kept(struct seen *x, uint64_t mailbox)
{
	struct view *v = open_view(x->s, WHO, mailbox);
	bool kept = row_of(v, 1).flags == 0;

	view_close(&v);
	return kept;
}

/* As if it had so many rows. */
static void
use_and_leave(struct seen *x, uint64_t mailbox, size_t bytes)
{
	struct view *v = open_view(x->s, WHO, mailbox);

	atomic_store(&v->bytes, bytes);
	view_close(&v);
}

TEST(mailboxes_nobody_has_open_are_kept_while_there_is_room)
{
	struct seen x = begin(1);

	for (uint64_t box = 2; box <= 5; box++)
		(void)arrive_at(&x, (struct store_delivery){ .mailbox = box });
	use_and_leave(&x, 2, VIEWS_KEPT / 3);
	use_and_leave(&x, 3, VIEWS_KEPT / 3);
	use_and_leave(&x, 4, VIEWS_KEPT / 4);
	for (uint64_t box = 1; box <= 5; box++)
		mark(&x, box);
	assert_true(was_kept(&x, 2)); /* and used now: the oldest is 3 */
	use_and_leave(&x, 5, VIEWS_KEPT / 2);
	assert_false(was_kept(&x, 3));
	assert_true(was_kept(&x, 2));
	assert_true(was_kept(&x, 1)); /* held all the time */
	end(&x);
}

TEST(a_mailbox_that_is_deleted_or_whose_account_is_removed_says_so)
{
	struct seen x = begin(1);
	struct view *archive = open_view(x.s, WHO, ARCHIVE), *none;
	struct view_now n;

	assert_int_equal(mailbox_delete(x.s, WHO, STR("Archive"), NULL), RC_OK);
	n = now_of(archive);
	assert_true(n.gone);
	view_list_drop(&n.list);
	view_close(&archive);
	assert_int_equal(view_open(x.s, WHO, ARCHIVE, &none, NULL), RC_NONE);
	n = now_of(x.v);
	assert_false(n.gone);
	view_list_drop(&n.list);
	assert_int_equal(store_account_remove(x.s, WHO, NULL), RC_OK);
	n = now_of(x.v);
	assert_true(n.gone);
	view_list_drop(&n.list);
	assert_int_equal(view_open(x.s, WHO, INBOX, &none, NULL), RC_NONE);
	end(&x);
}

static uint64_t woken[8];
static size_t nwoken;

static void
note_wake(uint64_t number, void *arg)
{
	(void)arg;
	woken[nwoken++ % 8] = number;
}

TEST(sessions_that_watch_are_woken_by_what_concerns_their_mailbox)
{
	struct seen x = begin(1);

	x.s->wake = note_wake;
	nwoken = 0;
	view_watch(x.v, 9);
	view_watch(x.v, 4);
	view_watch(x.v, 4);
	uint64_t tick = view_tick(x.v);
	(void)arrive(&x);
	assert_int_equal(nwoken, 2);
	assert_int_equal(woken[0], 4);
	assert_int_equal(woken[1], 9);
	assert_true(view_tick(x.v) != tick);
	tick = view_tick(x.v);
	(void)arrive_at(&x, (struct store_delivery){ .mailbox = ARCHIVE });
	assert_int_equal(nwoken, 2);
	assert_int_equal(view_tick(x.v), tick);
	view_unwatch(x.v, 4);
	view_unwatch(x.v, 5);
	set_flags(&x, 1, CHANGE_ADD, STORE_SEEN, STR(""));
	assert_int_equal(nwoken, 3);
	assert_int_equal(woken[2], 9);
	end(&x);
}

static pthread_mutex_t many_lock = PTHREAD_MUTEX_INITIALIZER;
static bool many_woken[1000];
static sem_t many_done;

static void
note_one_of_many(uint64_t number, void *arg)
{
	LOCK_AUTO held = lock_take(&many_lock);

	(void)arg;
	assert_true(number < 1000);
	if (!many_woken[number])
		(void)sem_post(&many_done);
	many_woken[number] = true;
}

TEST(however_many_watch_a_mailbox_each_is_woken)
{
	struct seen x = begin(1);

	(void)sem_init(&many_done, 0, 0);
	x.s->wake = note_one_of_many;
	for (uint64_t i = 0; i < 1000; i++)
		view_watch(x.v, i);
	(void)arrive(&x);
	(void)arrive(&x);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(sem_wait(&many_done), 0);
	for (uint64_t i = 0; i < 1000; i++)
		view_unwatch(x.v, i);
	end(&x);
	(void)sem_destroy(&many_done);
}

/* --- deliveries --- */

TEST(a_message_comes_into_its_mailbox_with_flags_and_in_place_of_another)
{
	struct seen x = begin(2);
	struct view *archive = open_view(x.s, WHO, ARCHIVE);
	uint32_t uid = 0;
	struct view_now n;

	(void)arrive_at(&x, (struct store_delivery){ .mailbox = ARCHIVE,
				    .flags = STORE_SEEN | STORE_DRAFT,
				    .keywords = STR("a b"),
				    .replaces_mailbox = INBOX,
				    .replaces = 2,
				    .uid = &uid });
	assert_int_equal(uid, 1);
	assert_int_equal(row_of(archive, 1).flags, STORE_SEEN | STORE_DRAFT);
	assert_true(str_eq(row_of(archive, 1).keywords, STR("a b")));
	n = now_of(archive);
	assert_int_equal(n.unseen, 0);
	assert_int_equal(n.first_unseen, 0);
	view_list_drop(&n.list);
	n = now_of(x.v);
	assert_int_equal(view_list_count(n.list), 1);
	view_list_drop(&n.list);
	/* replacing one in the same mailbox */
	(void)arrive_at(
		&x, (struct store_delivery){
			    .replaces_mailbox = INBOX, .replaces = 1, .uid = &uid });
	assert_int_equal(uid, 3);
	n = now_of(x.v);
	assert_int_equal(view_list_count(n.list), 1);
	assert_int_equal(view_list_uid(n.list, 1), 3);
	view_list_drop(&n.list);
	/* its mailbox has gone, and so has what it was to replace */
	assert_int_equal(mailbox_delete(x.s, WHO, STR("Archive"), NULL), RC_OK);
	(void)arrive_at(&x, (struct store_delivery){ .mailbox = ARCHIVE,
				    .replaces_mailbox = INBOX,
				    .replaces = 1,
				    .uid = &uid });
	assert_int_equal(uid, 0); /* of the mailbox asked for it has none */
	n = now_of(x.v);
	assert_int_equal(view_list_uid(n.list, view_list_count(n.list)), 4);
	view_list_drop(&n.list);
	view_close(&archive);
	as_on_disk(&x);
	sound(x.s);
	end(&x);
}

TEST(a_message_without_a_trace_block_is_checked_from_its_first_byte)
{
	struct seen x = begin(0);
	struct mail m = make_mail(x.data, "", NULL);
	struct store_apply a = delivery(&m, 1, WHO);
	char bytes[2048];
	char path[48];
	size_t n;

	(void)snprintf(path, sizeof(path), "incoming/%s", m.id.text);
	FD_AUTO fd = openat(x.data, path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fs_pread(fd, bytes, sizeof(bytes), 0, &n, NULL), RC_OK);
	sha256((str){ bytes, n }, a.what.digest);
	a.what.trace_bytes = 0;
	assert_int_equal(store_deliver(x.s, "house", &a, 1, 1, NULL), RC_OK);
	sound(x.s);
	buf_free(&m.facts);
	end(&x);
}

/* --- what is found out later --- */

static struct facts
with_key(struct buf *b, const char *subject)
{
	static uint64_t refs[2] = { 5, 6 };
	const struct sortkey k = { .subject = str_of(subject),
		.from = STR("ANNA"),
		.message_id = 77,
		.nrefs = 2,
		.refs = refs };

	sortkey_pack(b, &k);
	return (struct facts){ .date_s = 1000,
		.header_bytes = 12,
		.known_head = true,
		.head = STR("head"),
		.sortkey = buf_str(b) };
}

TEST(messages_are_sorted_by_keys_that_were_found_out_after_they_came)
{
	struct seen x = begin(3);
	ARENA_AUTO mem = arena_new(1 << 20);
	BUF_AUTO key = BUF(SORTKEY_MOST);
	struct facts f = with_key(&key, "HELLO");
	const uint32_t uids[] = { 1, 2, 3 };
	struct view_order o[3];

	assert_int_equal(view_orders(x.v, uids, 3, VIEW_ALL, mem, o, NULL), RC_OK);
	for (int i = 0; i < 3; i++)
		assert_false(o[i].known);
	assert_int_equal(row_of(x.v, 2).sent_s, INT64_MIN);
	struct msg_id id = row_of(x.v, 2).id;
	assert_int_equal(store_learn(x.s, WHO, &id, &f, NULL), RC_OK);
	assert_int_equal(row_of(x.v, 2).sent_s, 1000);
	expunge(&x, 1);
	assert_int_equal(view_orders(x.v, uids, 3, VIEW_ALL, mem, o, NULL), RC_OK);
	assert_int_equal(o[0].uid, 0);
	assert_int_equal(o[1].uid, 2);
	assert_true(o[1].known);
	assert_true(str_eq(o[1].subject, STR("HELLO")));
	assert_int_equal(o[1].nrefs, 2);
	assert_int_equal(o[1].refs[1], 6);
	assert_int_equal(o[2].uid, 3);
	assert_false(o[2].known);
	as_on_disk(&x);
	sound(x.s);

	const struct msg_id none = { "00000000000000000000" }, *ids[] = { &id, &none };
	struct store_texts t[2];
	assert_int_equal(store_texts(x.s, WHO, ids, 2, STORE_HEAD, mem, t, NULL), RC_OK);
	assert_true(t[0].known_head);
	assert_true(str_eq(t[0].head, STR("head")));
	assert_int_equal(t[0].header_bytes, 40); /* known before */
	assert_int_equal(t[0].trace_bytes, TRACE_BLOCK);
	assert_int_equal(t[0].envelope.len, 0);
	assert_int_equal(t[1].header_bytes, UINT32_MAX);
	end(&x);
}

TEST(keys_are_found_whether_they_are_looked_up_or_read_through)
{
	struct seen x = begin(0);
	ARENA_AUTO mem = arena_new(1 << 20);
	char subject[16];
	uint32_t uids[40];
	struct view_order o[40];

	for (uint32_t i = 0; i < 40; i++) {
		BUF_AUTO key = BUF(SORTKEY_MOST);
		struct msg_id id = arrive(&x);

		uids[i] = i + 1;
		(void)snprintf(subject, sizeof(subject), "S%u", i + 1);
		struct facts f = with_key(&key, subject);
		if (i % 3 == 0)
			continue;
		assert_int_equal(store_learn(x.s, WHO, &id, &f, NULL), RC_OK);
	}
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(
			view_orders(x.v, uids, 40, VIEW_ALL, mem, o, NULL), RC_OK);
		for (uint32_t i = 0; i < 40; i++) {
			(void)snprintf(subject, sizeof(subject), "S%u", i + 1);
			assert_int_equal(o[i].known, i % 3 != 0);
			if (o[i].known)
				assert_true(str_eq(o[i].subject, str_of(subject)));
		}
		if (round == 0) { /* a mailbox with little of the account */
			const uint32_t few[] = { 2, 3, 4 };
			struct change_copied c = { .from = (uint32_t[3]){ 0 },
				.to = (uint32_t[3]){ 0 } };
			struct view *w;

			assert_int_equal(
				change_copy(x.s, (struct store_place){ WHO, INBOX },
					ARCHIVE, few, 3, &c, NULL),
				RC_OK);
			w = open_view(x.s, WHO, ARCHIVE);
			assert_int_equal(
				view_orders(w, few, 3, VIEW_SUBJECT, mem, o, NULL),
				RC_OK);
			assert_int_equal(o[0].uid, 2);
			assert_true(str_eq(o[0].subject, STR("S3")));
			assert_false(o[2].known && o[2].uid == 3);
			view_close(&w);
		}
	}
	end(&x);
}

/* --- settled --- */

static atomic_uint syncs;

static void
count_syncs(const struct fs_event *e)
{
	if (e->op == FS_SYNC || e->op == FS_SYNC_ALL)
		atomic_fetch_add(&syncs, 1);
}

static unsigned
syncs_of_now(struct view *v)
{
	atomic_store(&syncs, 0);
	struct view_now n = now_of(v);
	view_list_drop(&n.list);
	return atomic_load(&syncs);
}

TEST(what_a_client_is_told_is_synced_once_and_only_if_it_is_new)
{
	struct seen x = begin(1);
	struct view *archive = open_view(x.s, WHO, ARCHIVE);
	const uint32_t one = 1;
	struct view_row r;

	fs_observe(count_syncs);
	assert_int_equal(syncs_of_now(x.v), 1);
	assert_int_equal(syncs_of_now(x.v), 0);
	atomic_store(&syncs, 0);
	(void)arrive(&x);
	(void)arrive(&x);
	assert_int_equal(atomic_load(&syncs), 0);
	view_rows(x.v, &one, 1, &r); /* an old one */
	assert_int_equal(atomic_load(&syncs), 0);
	assert_int_equal(row_of(x.v, 2).uid, 2); /* one that nobody was told of */
	assert_int_equal(atomic_load(&syncs), 1);
	assert_int_equal(syncs_of_now(x.v), 0);
	(void)arrive(&x);
	assert_int_equal(syncs_of_now(archive), 0); /* nothing new there */
	assert_int_equal(store_checkpoint(x.s, NULL), RC_OK);
	assert_int_equal(syncs_of_now(x.v), 0);
	atomic_store(&syncs, 0);
	assert_int_equal(store_settle(x.s, WHO, NULL), RC_OK);
	assert_true(atomic_load(&syncs) <= 1); /* the checkpoint's own mark */
	assert_int_equal(store_settle(x.s, WHO + 1, NULL), RC_OK);
	fs_observe(NULL);
	view_close(&archive);
	end(&x);
}

TEST(after_a_failed_sync_nobody_is_told_that_it_is_on_disk_though_the_next_one_succeeds)
{
	struct seen x = begin(2);
	struct view_now n = now_of(x.v);
	struct view_row r;

	view_list_drop(&n.list);
	(void)arrive(&x);
	set_flags(&x, 1, CHANGE_ADD, STORE_SEEN, STR(""));
	(void)arrive(&x);
	/* what cannot be synced, where the WAL was */
	assert_int_equal(renameat(x.data, "index/7.db-wal", x.data, "index/away"), 0);
	assert_int_equal(mkfifoat(x.data, "index/7.db-wal", 0600), 0);
	assert_int_equal(store_settle(x.s, WHO, NULL), RC_TEMP);
	assert_int_equal(renameat(x.data, "index/away", x.data, "index/7.db-wal"), 0);
	assert_int_equal(store_settle(x.s, WHO, NULL), RC_TEMP);
	assert_int_equal(view_now(x.v, &n, NULL), RC_TEMP);
	r = row_of(x.v, 4);
	assert_int_equal(r.uid, 0);
	assert_int_equal(row_of(x.v, 1).uid, 1);
	assert_int_equal(store_settle(x.s, WHO + 1, NULL), RC_OK);
	end(&x);
}

/* --- many at once --- */

enum { THREADS = 3, ROUNDS = 60 };

struct crowd {
	struct seen *x;
	atomic_uint left; /* deliveries still to come */
};

static void *
read_on(void *arg)
{
	struct crowd *c = arg;
	uint32_t uidnext = 0;
	uint64_t modseq = 0;

	while (atomic_load(&c->left) > 0) {
		struct view *v = open_view(c->x->s, WHO, INBOX);
		struct view_now n = now_of(v);
		size_t count = view_list_count(n.list);
		struct view_row rows[512];

		assert_true(n.uidnext >= uidnext && n.modseq >= modseq);
		uidnext = n.uidnext;
		modseq = n.modseq;
		assert_true(count < 512);
		view_rows(v, n.list->uids->at, count, rows);
		for (size_t i = 0; i < count; i++)
			assert_true(rows[i].uid == 0 ||
				    rows[i].uid == view_list_uid(n.list, i + 1));
		(void)view_changed(v, 1, modseq - 1, rows, 512);
		view_list_drop(&n.list);
		view_close(&v);
	}
	return NULL;
}

static void *
change_on(void *arg)
{
	struct crowd *c = arg;

	for (uint32_t i = 0; atomic_load(&c->left) > 0; i++) {
		uint32_t uid = 1 + i % 20;

		set_flags(c->x, uid, i % 2 == 0 ? CHANGE_ADD : CHANGE_REMOVE, STORE_SEEN,
			STR("crowd"));
	}
	return NULL;
}

TEST(threads_that_deliver_change_and_read_at_once_agree)
{
	struct seen x = begin(20);
	struct crowd c = { .x = &x };
	pthread_t t[THREADS];

	atomic_store(&c.left, ROUNDS);
	for (int i = 0; i < THREADS; i++)
		t[i] = thread_start("crowd", i == 0 ? change_on : read_on, &c);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		(void)arrive(&x);
		if (i % 2 == 0)
			expunge(&x, 21 + i);
		atomic_fetch_sub(&c.left, 1);
	}
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(t[i], NULL);
	as_on_disk(&x);
	sound(x.s);
	end(&x);
}

static void *
deliver_on(void *arg)
{
	struct crowd *c = arg;

	for (; atomic_load(&c->left) > 0; atomic_fetch_sub(&c->left, 1))
		(void)arrive(c->x);
	return NULL;
}

/* More than two chunks. */
TEST(a_mailbox_that_is_read_while_mail_arrives_misses_none)
{
	struct seen x = begin(1);
	struct crowd c = { .x = &x };
	pthread_t t;

	view_close(&x.v);
	assert_int_equal(
		db_exec(x.s->shards[WHO].db,
			"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
			" WHERE i < 10000) INSERT INTO mailbox_email SELECT account_id,"
			" mailbox_id, i, msgid, flags, keywords, modseq, made_modseq,"
			" saved_ms, size, received_ms, sent_s, thread_id"
			" FROM mailbox_email, n WHERE account_id = 7 AND uid = 1;"
			" UPDATE mailbox SET uidnext = 10001, messages = 10000,"
			" unseen = 10000 WHERE account_id = 7 AND mailbox_id = 1",
			NULL),
		RC_OK);
	store_close(&x.s);
	x.s = open_store(x.data);
	atomic_store(&c.left, 40);
	t = thread_start("deliver", deliver_on, &c);
	x.v = open_view(x.s, WHO, INBOX);
	(void)pthread_join(t, NULL);
	as_on_disk(&x);
	struct view_now n = now_of(x.v);
	assert_int_equal(view_list_count(n.list), 10040);
	view_list_drop(&n.list);
	end(&x);
}

/* --- older data --- */

TEST(an_index_of_the_second_version_is_read_as_it_was)
{
	FD_AUTO data = data_folder();
	struct db *db;
	struct store *s;

	assert_int_equal(fs_mkdirs(data, "index", 0700, NULL), RC_OK);
	assert_int_equal(db_open(&(struct db_want){ .dirfd = data, .path = "index/7.db" },
				 &db, NULL),
		RC_OK);
	assert_int_equal(db_migrate(db, store_schema, 2, NULL), RC_OK);
	assert_int_equal(
		db_exec(db,
			"INSERT INTO account VALUES(7, 100, 7, 3, 5, 30, 2);"
			"INSERT INTO mailbox VALUES(7, 1, 'INBOX', '', 1, 4, 3, 2, 1, 99, 1, 1);"
			"INSERT INTO email VALUES(7, 'AAAAAAAAAAAAAAAAAAA1', 10, 1000, 1, 1, 50,"
			" 77, 5, x'00', NULL, NULL, NULL), (7, 'AAAAAAAAAAAAAAAAAAA2', 20, 2000,"
			" 2, 1, 51, NULL, 5, x'00', NULL, NULL, NULL);"
			"INSERT INTO mailbox_email VALUES(7, 1, 1, 'AAAAAAAAAAAAAAAAAAA1', 1, 'k',"
			" 50, 50, 5000), (7, 1, 2, 'AAAAAAAAAAAAAAAAAAA2', 0, '', 51, 51, 5001),"
			/* a damage that must not keep us from starting */
			" (7, 9, 1, 'AAAAAAAAAAAAAAAAAAA3', 0, '', 51, 51, 5001)",
			NULL),
		RC_OK);
	db_close(&db);
	s = open_store(data);
	struct view *v = open_view(s, 7, 1);
	struct view_row a = row_of(v, 1), b = row_of(v, 2);
	assert_int_equal(a.size, 10);
	assert_int_equal(a.received_ms, 1000);
	assert_int_equal(a.saved_ms, 5000);
	assert_int_equal(a.thread, 1);
	assert_int_equal(a.sent_s, 77);
	assert_int_equal(a.flags, STORE_SEEN);
	assert_true(str_eq(a.keywords, STR("k")));
	assert_int_equal(b.thread, 2);
	assert_int_equal(b.sent_s, INT64_MIN);
	assert_int_equal(view_recent(v, false), 1);
	struct store_texts t;
	const struct msg_id *ids[] = { &a.id };
	ARENA_AUTO mem = arena_new(1 << 16);
	assert_int_equal(store_texts(s, 7, ids, 1, STORE_HEAD, mem, &t, NULL), RC_OK);
	assert_int_equal(t.trace_bytes, 1024);
	assert_false(t.known_head);
	view_close(&v);
	store_close(&s);
}
