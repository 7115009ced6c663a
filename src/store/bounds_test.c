/* SPDX-License-Identifier: ISC */
/* What a reader can make the store keep has an end, and so has every counter. */
#include "store/change_int.h"
#include "store/mailbox_int.h"
#include "store/testing.h"
#include "store/view_int.h"
#include "wire/sortkey.h"

enum { WHO = 7, OTHER = 23 }; /* of one shard */

static struct store *
new_store(int data)
{
	struct store *s = open_store(data);

	assert_int_equal(store_account_make(s, WHO, NULL), RC_OK);
	return s;
}

static void
fill(struct store *s, int data, unsigned n)
{
	static uint64_t seq;

	for (unsigned i = 0; i < n; i++) {
		struct mail m = make_mail(data, "a@x", NULL);

		deliver(s, &m, ++seq, WHO);
		buf_free(&m.facts);
	}
}

static void
sql(struct store *s, const char *text)
{
	struct err err = { 0 };

	if (db_exec(shard_of(s, WHO)->db, text, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static uint64_t
number(struct store *s, const char *text)
{
	struct db_stmt *q = db_prepare(shard_of(s, WHO)->db, text, NULL);
	uint64_t n = 0;

	assert_non_null(q);
	if (db_step(q, NULL) == RC_OK)
		n = db_u64(q, 0);
	db_reset(q);
	return n;
}

static enum rc
copy(struct store *s, uint64_t from, uint64_t to, uint32_t uid)
{
	uint32_t was, is;
	struct change_copied out = { .from = &was, .to = &is };

	return change_copy(s, (struct store_place){ WHO, from }, to, &uid, 1, &out, NULL);
}

static enum rc
move(struct store *s, uint64_t from, uint64_t to, uint32_t uid)
{
	uint32_t was, is;
	uint64_t modseq;
	struct change_copied out = { .from = &was, .to = &is };

	return change_move(
		s, (struct store_place){ WHO, from }, to, &uid, 1, &out, &modseq, NULL);
}

/* The counters say that it is nearly full. */
TEST(copying_a_mailbox_onto_itself_again_and_again_has_an_end)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	uint64_t left;

	fill(s, data, 2);
	sql(s, "UPDATE mailbox SET messages = 999999 WHERE account_id = 7 AND mailbox_id = 1");
	assert_int_equal(copy(s, 1, 1, 1), RC_OK);
	assert_int_equal(copy(s, 1, 1, 1), RC_LIMIT);
	assert_int_equal(copy(s, 1, 2, 1), RC_OK);
	assert_int_equal(move(s, 2, 1, 1), RC_LIMIT);
	assert_int_equal(move(s, 1, 1, 1), RC_OK); /* none more */
	assert_int_equal(
		change_room(s, (struct store_place){ WHO, 1 }, &left, NULL), RC_OK);
	assert_int_equal(left, 0);
	/* in all */
	sql(s, "UPDATE mailbox SET messages = 999999 WHERE account_id = 7 AND mailbox_id = 3;"
	       "UPDATE mailbox SET messages = 1999999 WHERE account_id = 7 AND mailbox_id = 4");
	assert_int_equal(
		change_room(s, (struct store_place){ WHO, 2 }, &left, NULL), RC_OK);
	assert_int_equal(left, 1);
	assert_int_equal(copy(s, 1, 2, 2), RC_OK);
	assert_int_equal(copy(s, 1, 2, 2), RC_LIMIT);
	assert_int_equal(move(s, 1, 2, 2), RC_OK);
	/* a deleted mailbox still has its messages */
	assert_int_equal(mailbox_delete(s, WHO, STR("Archive"), NULL), RC_OK);
	assert_int_equal(copy(s, 1, 2, 3), RC_LIMIT);
	/* what was accepted is delivered */
	fill(s, data, 1);
	store_close(&s);
}

TEST(subscriptions_of_deleted_mailboxes_have_an_end)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);

	sql(s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
	       " INSERT INTO subscribed_name SELECT 7, 'n' || i FROM n");
	assert_int_equal(mailbox_subscribe(s, WHO, STR("n1"), true, NULL), RC_OK);
	assert_int_equal(mailbox_create(s, WHO, STR("a"), STR(""), NULL, NULL), RC_OK);
	assert_int_equal(mailbox_create(s, WHO, STR("b"), STR(""), NULL, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("a"), true, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("b"), true, NULL), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("b"), NULL), RC_LIMIT);
	assert_int_equal(mailbox_rename(s, WHO, STR("b"), STR("c"), NULL), RC_LIMIT);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("d"), true, NULL), RC_LIMIT);
	/* neither of these is one more */
	assert_int_equal(mailbox_subscribe(s, WHO, STR("n1"), true, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("INBOX"), true, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("b"), false, NULL), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("b"), NULL), RC_OK);
	assert_int_equal(number(s, "SELECT count(*) FROM subscribed_name"), 10000);
	store_close(&s);
}

/* In one transaction, a large one needed all memory of it and held everybody else up. */
TEST(mail_that_comes_while_inbox_is_renamed_stays_in_it)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct inbox_move m = { 0 };
	bool more = true;

	fill(s, data, CHANGE_MOST + 1);
	assert_int_equal(mailbox_empty_inbox(s, WHO, STR("old"), &m, &more, NULL), RC_OK);
	assert_true(more);
	fill(s, data, 1);
	while (more)
		assert_int_equal(
			mailbox_empty_inbox(s, WHO, STR("old"), &m, &more, NULL), RC_OK);
	assert_int_equal(
		number(s, "SELECT messages FROM mailbox WHERE mailbox_id = 1"), 1);
	assert_int_equal(number(s, "SELECT messages FROM mailbox WHERE mailbox_id = 7"),
		CHANGE_MOST + 1);
	sound(s);
	store_close(&s);
}

/* A UID of 2^32 does not exist, and 1 would stand for another message. */
TEST(a_delivery_after_the_last_uid_goes_elsewhere)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct view *v;
	struct view_now now;
	uint64_t left;

	sql(s, "UPDATE mailbox SET uidnext = 4294967294 WHERE account_id = 7 AND mailbox_id = 1");
	assert_int_equal(view_open(s, WHO, 1, &v, NULL), RC_OK);
	fill(s, data, 3);
	assert_int_equal(view_now(v, &now, NULL), RC_OK);
	assert_int_equal(view_list_count(now.list), 1);
	assert_int_equal(now.uidnext, UINT32_MAX);
	view_list_drop(&now.list);
	view_close(&v);
	assert_int_equal(
		number(s, "SELECT count(*) FROM mailbox_email WHERE mailbox_id = 7"
			  " AND uid IN (1, 2)"),
		2);
	assert_int_equal(
		number(s, "SELECT messages FROM mailbox WHERE name = 'INBOX 2'"), 2);
	fill(s, data, 1);
	assert_int_equal(
		number(s, "SELECT messages FROM mailbox WHERE name = 'INBOX 2'"), 3);
	/* and copies are refused */
	assert_int_equal(copy(s, 7, 1, 1), RC_LIMIT);
	assert_int_equal(
		change_room(s, (struct store_place){ WHO, 1 }, &left, NULL), RC_OK);
	assert_int_equal(left, 0);
	sound(s);
	store_close(&s);
}

static enum rc
note_uid(uint32_t uid, void *arg)
{
	*(uint32_t *)arg += uid;
	return RC_OK;
}

/* What happened while older data was missing nobody knows: a client that comes back must be told of
 * every UID that is not there, or it keeps messages that are nowhere. */
TEST(after_old_data_was_put_back_a_client_is_told_of_messages_that_are_lost)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct view *v;
	struct view_now was, now;
	uint32_t sum = 0;

	fill(s, data, 2);
	assert_int_equal(view_open(s, WHO, 1, &v, NULL), RC_OK);
	assert_int_equal(view_now(v, &was, NULL), RC_OK);
	view_close(&v);
	store_close(&s);
	s = open_store(data);
	assert_int_equal(store_renew(s, NULL), RC_OK);
	assert_int_equal(view_open(s, WHO, 1, &v, NULL), RC_OK);
	assert_int_equal(view_now(v, &now, NULL), RC_OK);
	assert_int_equal(view_vanished(v, was.modseq, note_uid, &sum, NULL), RC_NONE);
	assert_int_equal(view_vanished(v, now.modseq, note_uid, &sum, NULL), RC_OK);
	assert_int_equal(sum, 0);
	view_list_drop(&was.list);
	view_list_drop(&now.list);
	view_close(&v);
	store_close(&s);
}

/* As if so many had left long ago, each at a time of its own. */
static void
remember_left(struct store *s, unsigned mailbox, unsigned n)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
		" INSERT INTO expunged SELECT 7, %u, i, i, 'x' FROM n;"
		" REPLACE INTO expunged_known VALUES(7, %u, %u, 0)",
		n, mailbox, mailbox, n);
	sql(s, text);
}

TEST(what_left_is_not_remembered_without_end)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct view *v;
	uint32_t sum = 0;
	uint64_t since;

	fill(s, data, 2);
	sql(s, "UPDATE mailbox_email SET uid = uid + 100000; UPDATE mailbox SET uidnext = 100003"
	       " WHERE mailbox_id = 1");
	remember_left(s, 1, 50000);
	assert_int_equal(view_open(s, WHO, 1, &v, NULL), RC_OK);
	assert_int_equal(view_vanished(v, 49990, note_uid, &sum, NULL), RC_OK);
	assert_int_equal(sum, 10 * 49990 + 55);
	sum = 0;
	assert_int_equal(move(s, 1, 2, 100001), RC_OK);
	assert_true(number(s, "SELECT count(*) FROM expunged") < 50000);
	since = number(s, "SELECT min(modseq) FROM expunged");
	assert_int_equal(view_vanished(v, since - 2, note_uid, &sum, NULL), RC_NONE);
	assert_int_equal(view_vanished(v, since - 1, note_uid, &sum, NULL), RC_OK);
	assert_int_equal(number(s, "SELECT n FROM expunged_known WHERE mailbox_id = 1"),
		number(s, "SELECT count(*) FROM expunged WHERE mailbox_id = 1"));
	/* many mailboxes share */
	for (unsigned i = 10; i < 20; i++)
		remember_left(s, i, 40000);
	assert_int_equal(move(s, 1, 2, 100002), RC_OK);
	assert_int_equal(
		number(s, "SELECT n FROM expunged_known WHERE mailbox_id = 1"), 1000);
	view_close(&v);
	store_close(&s);
}

TEST(mailboxes_that_come_and_go_leave_nothing_for_ever)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);

	sql(s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
	       " INSERT INTO mailbox_gone SELECT 7, i, i FROM n");
	fill(s, data, 1);
	assert_int_equal(mailbox_create(s, WHO, STR("a"), STR(""), NULL, NULL), RC_OK);
	assert_int_equal(copy(s, 1, 7, 1), RC_OK);
	assert_int_equal(move(s, 7, 1, 1), RC_OK);
	assert_int_equal(number(s, "SELECT count(*) FROM expunged"), 1);
	assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_OK);
	assert_int_equal(number(s, "SELECT count(*) FROM expunged"), 0);
	assert_int_equal(number(s, "SELECT count(*) FROM expunged_known"), 0);
	assert_int_equal(number(s, "SELECT count(*) FROM mailbox_gone"), 10000);
	store_close(&s);
}

/* A UID is told together with the mailbox that was asked for, whose it would not be. */
TEST(the_uid_of_mail_that_went_elsewhere_is_not_told)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	struct store_apply a = delivery(&m, 100, WHO);
	uint32_t uid = 77;

	assert_int_equal(mailbox_delete(s, WHO, STR("Junk"), NULL), RC_OK);
	a.what.mailbox = 6;
	a.what.uid = &uid;
	assert_int_equal(store_deliver(s, "gate", &a, 1, 100, NULL), RC_OK);
	assert_int_equal(
		number(s, "SELECT messages FROM mailbox WHERE mailbox_id = 1"), 1);
	assert_int_equal(uid, 0);
	buf_free(&m.facts);
	store_close(&s);
}

/* Each had a key of its own: a few thousand bytes, a million times. */
TEST(copies_of_a_message_share_what_they_are_sorted_by)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct view_order *orders = arena_array(mem, 1000, sizeof(*orders));
	uint32_t *uids = arena_array(mem, 1000, sizeof(*uids)), was, is;
	struct change_copied out = { .from = &was, .to = &is };
	BUF_AUTO key = BUF(SORTKEY_MOST);
	char subject[200];
	struct view *v;
	size_t before;

	memset(subject, 'X', sizeof(subject));
	sortkey_pack(&key, &(struct sortkey){ .subject = { subject, sizeof(subject) } });
	fill(s, data, 1);
	struct db_stmt *q = db_prepare(shard_of(s, WHO)->db,
		"INSERT INTO email_key SELECT 7, msgid, ? FROM email", NULL);
	db_bind_blob(q, 1, buf_str(&key));
	assert_int_equal(db_run(q, NULL), RC_OK);
	sql(s, "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
	       " INSERT INTO mailbox_email(account_id, mailbox_id, uid, msgid, flags, keywords,"
	       " modseq, made_modseq, saved_ms, size, received_ms, thread_id)"
	       " SELECT 7, 1, i, msgid, 0, '', 5, 5, 5, 100, 5, 1 FROM n, email;"
	       "UPDATE mailbox SET messages = 1000, uidnext = 1001 WHERE mailbox_id = 1");
	for (uint32_t i = 0; i < 1000; i++)
		uids[i] = i + 1;
	assert_int_equal(view_open(s, WHO, 1, &v, NULL), RC_OK);
	before = atomic_load(&v->bytes);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			view_orders(v, uids, 1000, VIEW_SUBJECT, mem, orders, NULL),
			RC_OK);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(orders[i].known && orders[i].subject.len == sizeof(subject));
	assert_true(atomic_load(&v->bytes) - before < 2 * sizeof(subject));
	/* the others keep theirs */
	assert_int_equal(change_move(s, (struct store_place){ WHO, 1 }, 2, uids, 1, &out,
				 &(uint64_t){ 0 }, NULL),
		RC_OK);
	assert_int_equal(
		view_orders(v, uids + 1, 999, VIEW_SUBJECT, mem, orders, NULL), RC_OK);
	assert_true(orders[998].known && orders[998].subject.ptr[199] == 'X');
	view_close(&v);
	store_close(&s);
}

TEST(what_was_removed_long_ago_is_forgotten)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);

	fill(s, data, 1);
	sql(s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
	       " INSERT INTO gone SELECT 7 + 16 * (i % 3), printf('m%06d', i), i FROM n;"
	       "INSERT INTO lesson SELECT account_id, msgid, 1, modseq FROM gone;"
	       "INSERT INTO lesson SELECT account_id, msgid, 1, 5 FROM email");
	assert_int_equal(store_forget(s, 9990, NULL), RC_OK);
	assert_int_equal(number(s, "SELECT count(*) FROM gone"), 11);
	assert_int_equal(number(s, "SELECT min(modseq) FROM gone"), 9990);
	/* what was said of a message that is there stays */
	assert_int_equal(number(s, "SELECT count(*) FROM lesson"), 12);
	assert_int_equal(store_forget(s, UINT64_MAX, NULL), RC_OK);
	assert_int_equal(number(s, "SELECT count(*) FROM gone"), 11);
	store_close(&s);
}
