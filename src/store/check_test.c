/* SPDX-License-Identifier: ISC */
#include "store/testing.h"

/* A store with two messages for account 7; what is broken in it must be said,
 * with the names in `words`. */
struct broken {
	int data;
	struct store *s;
	struct mail a, b;
	char path[BLOB_PATH]; /* a's file */
};

static struct broken
broken_begin(void)
{
	struct broken x = { .data = data_folder() };

	x.s = open_store(x.data);
	x.a = make_mail(x.data, "a@x", NULL);
	x.b = make_mail(x.data, "b@x", NULL);
	deliver(x.s, &x.a, 1, 7);
	deliver(x.s, &x.b, 2, 7);
	assert_int_equal(store_checkpoint(x.s, NULL), RC_OK);
	for (int i = 0; i < 2; i++) {
		char path[48];

		(void)snprintf(path, sizeof(path), "incoming/%s",
			i == 0 ? x.a.id.text : x.b.id.text);
		assert_int_equal(fs_unlink(x.data, path, NULL), RC_OK);
	}
	blob_path(7, x.a.id.text, x.path);
	sound(x.s);
	return x;
}

static void
broken_end(struct broken *x, bool digests, unsigned n, const char *words)
{
	struct damages d = check_store(x->s, digests);

	if (d.n != n || strstr(d.all, words) == NULL ||
		strstr(d.all, "account 7") == NULL || strstr(d.all, x->a.id.text) == NULL)
		fail_msg("%u damages, without \"%s\": %s", d.n, words, d.all);
	store_close(&x->s);
	buf_free(&x->a.facts);
	buf_free(&x->b.facts);
	fs_close(&x->data);
}

static void
delete_row(struct broken *x, const char *table)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "DELETE FROM %s WHERE msgid = '%s'", table,
		x->a.id.text);
	assert_int_equal(db_exec(x->s->shards[7].db, text, NULL), RC_OK);
}

TEST(a_message_without_its_file_is_named)
{
	struct broken x = broken_begin();

	assert_int_equal(fs_unlink(x.data, x.path, NULL), RC_OK);
	broken_end(&x, false, 1, "has no file");
}

TEST(a_file_without_its_row_is_named)
{
	struct broken x = broken_begin();

	delete_row(&x, "email");
	/* the file, the place in INBOX, the account's two counters */
	broken_end(&x, false, 4, "has no row");
}

TEST(a_message_that_is_in_no_mailbox_is_named)
{
	struct broken x = broken_begin();

	delete_row(&x, "mailbox_email");
	broken_end(&x, false, 3, "is in 0 mailboxes");
}

TEST(a_file_that_was_cut_is_named)
{
	struct broken x = broken_begin();

	FD_AUTO fd = openat(x.data, x.path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(fs_truncate(fd, 100, NULL), RC_OK);
	broken_end(&x, false, 1, "has 100 bytes");
}

TEST(a_changed_byte_is_found_by_its_digest)
{
	struct broken x = broken_begin();

	FD_AUTO fd = openat(x.data, x.path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(fs_pwrite(fd, STR("x"), TRACE_BLOCK + 3, NULL), RC_OK);
	assert_int_equal(check_store(x.s, false).n, 0);
	broken_end(&x, true, 1, "are not those");
}

TEST(a_database_with_a_torn_page_is_named)
{
	struct broken x = broken_begin();
	struct damages d = { 0 };
	char junk[64];
	struct stat st;

	for (unsigned i = 0; i < STORE_SHARDS; i++)
		assert_int_equal(db_checkpoint(x.s->shards[i].db, NULL), RC_OK);
	store_close(&x.s);
	assert_int_equal(unlinkat(x.data, "index/7.db-wal", 0), 0);
	memset(junk, 'x', sizeof(junk));
	FD_AUTO fd = openat(x.data, "index/7.db", O_WRONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	/* the heads of all pages but the first, which the schema is on */
	for (off_t at = 4096 * 4; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
	struct err err = { 0 };
	enum rc rc = store_open(&(struct store_want){ .data = x.data }, &x.s, &err);
	if (rc == RC_OK)
		rc = store_check(x.s, true, keep_damage, &d, &err);
	assert_true(rc != RC_OK || d.n > 0);
	assert_non_null(strstr(rc != RC_OK ? err.text : d.all, "7"));
	store_close(&x.s);
	buf_free(&x.a.facts);
	buf_free(&x.b.facts);
	fs_close(&x.data);
}

static void
change(struct broken *x, const char *sql)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%s '%s'", sql, x->a.id.text);
	assert_int_equal(db_exec(x->s->shards[7].db, text, NULL), RC_OK);
}

TEST(a_mailbox_that_says_something_else_of_a_message_is_named)
{
	static const char *const changes[] = { "size = 5", "received_ms = 5",
		"thread_id = 5", "sent_s = 5" };

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct broken x = broken_begin();
		char sql[200];

		(void)snprintf(sql, sizeof(sql),
			"UPDATE mailbox_email SET %s WHERE msgid =", changes[i]);
		change(&x, sql);
		broken_end(&x, false, 1, "is not what its row says");
	}
}

TEST(a_message_in_a_mailbox_that_is_not_there_is_named)
{
	struct broken x = broken_begin();

	change(&x, "UPDATE mailbox_email SET mailbox_id = 99 WHERE msgid =");
	/* INBOX's two counters */
	broken_end(&x, false, 3, "in a mailbox that is not there (99)");
}

TEST(a_key_to_sort_by_without_its_message_is_named)
{
	struct broken x = broken_begin();

	change(&x, "INSERT INTO email_key SELECT 7, substr(msgid, 1, 19) || '!', x'00'"
		   " FROM email WHERE msgid =");
	struct damages d = check_store(x.s, false);
	assert_int_equal(d.n, 1);
	assert_non_null(strstr(d.all, "has a key to sort by and no row"));
	change(&x, "DELETE FROM email_key WHERE msgid <>");
	change(&x,
		"INSERT INTO email_key SELECT 8, msgid, x'00' FROM email WHERE msgid =");
	d = check_store(x.s, false);
	assert_int_equal(d.n, 1);
	store_close(&x.s);
	buf_free(&x.a.facts);
	buf_free(&x.b.facts);
	fs_close(&x.data);
}
