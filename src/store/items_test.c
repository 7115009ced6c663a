/* SPDX-License-Identifier: ISC */
#include "store/change.h"
#include "store/items.h"
#include "store/testing.h"

enum { WHO = 7 };

#define ENVELOPE "(NIL \"hello\" NIL NIL NIL NIL NIL NIL NIL \"a@x\")"

static str
item_of(struct store *s, uint64_t account, const struct msg_id *id, enum store_item item,
	struct arena *mem)
{
	const struct msg_id *const ids[] = { id };
	str text;

	assert_int_equal(store_items(s, account, ids, 1, item, mem, &text, NULL), RC_OK);
	return text;
}

static unsigned
items_in_index(struct store *s)
{
	struct db_stmt *q = db_prepare(
		s->shards[WHO].db, "SELECT count(*) FROM email_item", NULL);

	assert_non_null(q);
	assert_int_equal(db_step(q, NULL), RC_OK);
	unsigned n = (unsigned)db_u64(q, 0);
	db_reset(q);
	return n;
}

TEST(what_fetch_sends_is_kept_with_the_message_and_goes_with_it)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail a = make_mail(data, "a@x", NULL), b = make_mail(data, "b@x", NULL);
	ARENA_AUTO mem = arena_new(1 << 20);

	deliver(s, &a, 1, WHO);
	deliver(s, &b, 2, WHO);
	assert_true(
		str_eq(item_of(s, WHO, &a.id, STORE_ITEM_ENVELOPE, mem), STR(ENVELOPE)));
	/* nothing is known of its structure */
	assert_int_equal(item_of(s, WHO, &a.id, STORE_ITEM_STRUCTURE, mem).len, 0);
	assert_int_equal(
		item_of(s, WHO + STORE_SHARDS, &a.id, STORE_ITEM_ENVELOPE, mem).len, 0);
	assert_int_equal(items_in_index(s), 2);
	assert_int_equal(store_expunge(s, WHO, STR("INBOX"), 1, NULL), RC_OK);
	assert_int_equal(item_of(s, WHO, &a.id, STORE_ITEM_ENVELOPE, mem).len, 0);
	assert_int_equal(items_in_index(s), 1);
	sound(s);
	assert_int_equal(store_account_remove(s, WHO, NULL), RC_OK);
	assert_int_equal(items_in_index(s), 0);
	buf_free(&a.facts);
	buf_free(&b.facts);
	store_close(&s);
}

TEST(items_are_kept_once_and_not_for_a_message_that_went)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail a = make_mail(data, "a@x", NULL), b = make_mail(data, "b@x", NULL);
	ARENA_AUTO mem = arena_new(1 << 20);

	deliver(s, &a, 1, WHO);
	deliver(s, &b, 2, WHO);
	/* as an index of before is: */
	assert_int_equal(
		db_exec(s->shards[WHO].db, "DELETE FROM email_item", NULL), RC_OK);
	assert_int_equal(store_expunge(s, WHO, STR("INBOX"), 2, NULL), RC_OK);
	const struct store_item_made made[] = {
		{ a.id, STORE_ITEM_ENVELOPE, STR("(one)") },
		{ a.id, STORE_ITEM_ENVELOPE, STR("(two)") },
		{ b.id, STORE_ITEM_ENVELOPE, STR("(gone)") },
	};
	assert_int_equal(store_items_keep(s, WHO, made, 3, NULL), RC_OK);
	assert_true(
		str_eq(item_of(s, WHO, &a.id, STORE_ITEM_ENVELOPE, mem), STR("(one)")));
	assert_int_equal(items_in_index(s), 1);
	sound(s);
	buf_free(&a.facts);
	buf_free(&b.facts);
	store_close(&s);
}

/* Ids of one millisecond are in any order, and those asked for in any other. */
TEST(items_and_texts_are_given_in_the_order_that_was_asked)
{
	enum { MANY = 40 };
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct mail m[MANY];
	const struct msg_id *ids[MANY];
	char name[16], says[32];
	str texts[MANY];
	struct store_texts t[MANY];

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "m%u@x", i);
		m[i] = make_mail(data, name, NULL);
		if (i % 5 != 4) /* some are not there */
			deliver(s, &m[i], i + 1, WHO);
		ids[(i * 7) % MANY] = &m[i].id;
	}
	assert_int_equal(
		store_items(s, WHO, ids, MANY, STORE_ITEM_ENVELOPE, mem, texts, NULL),
		RC_OK);
	assert_int_equal(
		store_texts(s, WHO, ids, MANY, STORE_ENVELOPE, mem, t, NULL), RC_OK);
	for (unsigned i = 0; i < MANY; i++) {
		size_t at = (i * 7) % MANY;

		(void)snprintf(says, sizeof(says), "\"m%u@x\")", i);
		assert_int_equal(
			str_find(texts[at], str_of(says)) < texts[at].len, i % 5 != 4);
		assert_int_equal(t[at].header_bytes == UINT32_MAX, i % 5 == 4);
		says[strlen(says) - 2] = '\0'; /* packed: without quotes */
		assert_int_equal(
			str_find(t[at].envelope, str_of(says + 1)) < t[at].envelope.len,
			i % 5 != 4);
		buf_free(&m[i].facts);
	}
	store_close(&s);
}
