/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "db/db.h"
#include "deliver/deliver_int.h"
#include "deliver/testing.h"
#include "test/test.h"

static void
start(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	parts_make(p, test_folder(), 12);
	if (parts_open(p, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static void
again(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	parts_close(p);
	if (parts_open(p, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static struct sent
send_to(struct parts *p, size_t from, size_t n, size_t refused, uint32_t flags)
{
	struct sent s = {
		.from = from, .n = n, .refused = refused, .body = 100, .flags = flags
	};
	struct err err = { .rc = RC_OK };

	if (parts_send(p, &s, &err) != RC_OK)
		fail_msg("%s", err.text);
	return s;
}

static uint64_t
messages(struct parts *p, uint64_t account)
{
	struct store_usage u = { .messages = 0 };

	if (store_usage(p->store, account, &u, NULL) != RC_OK)
		return 0;
	return u.messages;
}

static bool
waits(struct parts *p, const struct sent *s)
{
	return faccessat(p->incoming, s->id.text, F_OK, 0) == 0;
}

TEST(each_recipient_gets_one_copy_and_refused_ones_none)
{
	struct parts p;

	start(&p);
	struct sent s = send_to(&p, 0, 5, 3, 0);
	(void)send_to(&p, 0, 1, 0, JREC_AGAIN);
	(void)send_to(&p, 0, 0, 2, 0);
	parts_apply(&p);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(messages(&p, p.accounts[i]), i < 5 ? 1 : 0);
	assert_true(waits(&p, &s));
	assert_int_equal(apply_checkpoint(p.apply, NULL), RC_OK);
	assert_false(waits(&p, &s));
	parts_sound(&p);
	again(&p);
	assert_int_equal(apply_position(p.apply), 3);
	parts_apply(&p);
	assert_int_equal(messages(&p, p.accounts[0]), 1);
	parts_sound(&p);
	parts_clear(&p);
}

TEST(what_was_accepted_for_a_removed_account_goes_to_postmaster)
{
	struct parts p;
	uint64_t id, heir;

	start(&p);
	(void)send_to(&p, 0, 2, 0, 0);
	assert_int_equal(account_remove(p.directory, STR("a0@x.test"), &id, NULL), RC_OK);
	assert_int_equal(account_heir(p.directory, STR("a0@x.test"), &heir, NULL), RC_OK);
	parts_apply(&p);
	assert_int_equal(messages(&p, heir), 1);
	assert_int_equal(messages(&p, p.accounts[1]), 1);
	parts_sound(&p);
	parts_clear(&p);
}

TEST(an_account_that_becomes_full_is_told)
{
	struct parts p;

	start(&p);
	assert_int_equal(
		account_quota(p.directory, STR("a3@x.test"), true, 2000, NULL), RC_OK);
	(void)send_to(&p, 3, 1, 0, 0);
	parts_apply(&p);
	assert_int_equal(p.crossed, 0);
	(void)send_to(&p, 3, 1, 0, 0);
	parts_apply(&p);
	assert_int_equal(p.crossed, p.accounts[3]);
	parts_clear(&p);
}

TEST(the_thread_applies_what_is_announced)
{
	struct parts p;

	start(&p);
	apply_start(p.apply);
	uint64_t last = 0;
	for (int i = 0; i < 20; i++)
		last = send_to(&p, 0, 3, 0, 0).seq;
	for (int i = 0; i < 2000 && apply_position(p.apply) < last; i++)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	assert_int_equal(apply_position(p.apply), last);
	parts_sound(&p);
	again(&p);
	assert_int_equal(messages(&p, p.accounts[2]), 20);
	parts_sound(&p);
	parts_clear(&p);
}

static void
make_old(struct parts *p, const char *name)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	assert_int_equal(utimensat(p->incoming, name, old, 0), 0);
}

static void
put_file(struct parts *p, const char *name, bool old)
{
	int fd = openat(p->incoming, name, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
	if (old)
		make_old(p, name);
}

TEST(files_nobody_was_promised_are_swept_and_no_others)
{
	struct parts p;

	start(&p);
	struct sent s = send_to(&p, 0, 1, 0, 0);
	struct msg_id orphan = ids_message(1000), young = ids_message(2000);

	make_old(&p, s.id.text);
	put_file(&p, orphan.text, true);
	put_file(&p, young.text, false);
	put_file(&p, ".tmp-1", true);
	again(&p);
	assert_true(waits(&p, &s));
	assert_int_not_equal(faccessat(p.incoming, orphan.text, F_OK, 0), 0);
	assert_int_not_equal(faccessat(p.incoming, ".tmp-1", F_OK, 0), 0);
	assert_int_equal(faccessat(p.incoming, young.text, F_OK, 0), 0);
	parts_apply(&p);
	parts_sound(&p);
	parts_clear(&p);
}

static bool settled, removed_unsettled;

static void
watch(const struct fs_event *e)
{
	settled = settled || e->op == FS_SYNC_ALL;
	if (e->op == FS_UNLINK && ids_valid(str_of(e->name)) && !settled)
		removed_unsettled = true;
}

/* A backlog older than an hour, or a clock that jumped: the hourly sweep comes
 * between its delivery and the next checkpoint. */
TEST(the_sweep_takes_no_file_that_a_power_cut_would_need_again)
{
	struct parts p;

	start(&p);
	struct sent s = send_to(&p, 0, 1, 0, 0);
	parts_apply(&p);
	make_old(&p, s.id.text);
	settled = removed_unsettled = false;
	struct apply_want w = { .data = p.data,
		.store = p.store,
		.ledger = p.ledger,
		.refusals = p.refusals };
	fs_observe(watch);
	assert_int_equal(apply_sweep(&w, NULL), RC_OK);
	fs_observe(NULL);
	assert_false(waits(&p, &s));
	assert_false(removed_unsettled);
	parts_sound(&p);
	parts_clear(&p);
}

/* A gate that was killed leaves records which can be read and were never synced. */
TEST(what_an_ended_journal_holds_is_durable_before_it_is_applied)
{
	uint64_t last = 0;
	struct parts p;

	start(&p);
	(void)send_to(&p, 0, 1, 0, 0);
	settled = false;
	fs_observe(watch);
	assert_int_equal(apply_ended(p.apply, &last, NULL), RC_OK);
	fs_observe(NULL);
	assert_int_equal(last, 1);
	assert_true(settled);
	parts_clear(&p);
}

/* --- damage, and what audit says of it --- */

static void
run_sql(struct parts *p, const char *path, const char *sql)
{
	struct db_want w = { .dirfd = p->data,
		.path = path,
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = 65536 };
	struct db *db = NULL;
	struct err err;

	assert_int_equal(db_open(&w, &db, NULL), RC_OK);
	if (db_exec(db, sql, &err) != RC_OK)
		fail_msg("%s", err.text);
	db_close(&db);
}

static void
assert_named(struct parts *p, const char *what)
{
	if (strstr(p->damage, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, p->damage);
}

/* Six messages to two accounts each, applied and checkpointed. */
static void
filled(struct parts *p, struct sent s[6])
{
	start(p);
	for (size_t i = 0; i < 6; i++)
		s[i] = send_to(p, 0, 2, 1, 0);
	parts_apply(p);
	assert_int_equal(apply_checkpoint(p->apply, NULL), RC_OK);
	parts_sound(p);
}

TEST(audit_names_a_removed_file)
{
	struct parts p;
	struct sent s[6];
	char path[100];
	struct tm tm;
	time_t t;

	filled(&p, s);
	t = (time_t)(ids_time_ms(msg_id_str(&s[2].id)) / 1000);
	(void)gmtime_r(&t, &tm);
	(void)snprintf(path, sizeof(path), "accounts/%" PRIu64 "/%04d%02d/%s",
		p.accounts[1], tm.tm_year + 1900, tm.tm_mon + 1, s[2].id.text);
	assert_int_equal(unlinkat(p.data, path, 0), 0);
	parts_audit(&p, false);
	assert_named(&p, s[2].id.text);
	parts_clear(&p);
}

TEST(audit_names_a_removed_index_row)
{
	struct parts p;
	struct sent s[6];
	char path[32], sql[200];

	filled(&p, s);
	(void)snprintf(
		path, sizeof(path), "index/%" PRIu64 ".db", p.accounts[0] % STORE_SHARDS);
	(void)snprintf(sql, sizeof(sql),
		"DELETE FROM mailbox_email WHERE msgid = '%s'; DELETE FROM email WHERE msgid = '%s';",
		s[3].id.text, s[3].id.text);
	run_sql(&p, path, sql);
	again(&p);
	parts_audit(&p, false);
	assert_named(&p, s[3].id.text);
	assert_named(&p, "accepted for a0@x.test, is not in the mailbox of a0@x.test");
	parts_clear(&p);
}

TEST(audit_names_a_removed_ledger_row)
{
	struct parts p;
	struct sent s[6];
	char path[64] = "ledger/", sql[100];

	filled(&p, s);
	time_t t = time(NULL);
	struct tm tm;
	(void)gmtime_r(&t, &tm);
	(void)snprintf(path, sizeof(path), "ledger/%04d-%02d.db", tm.tm_year + 1900,
		tm.tm_mon + 1);
	(void)snprintf(
		sql, sizeof(sql), "DELETE FROM message WHERE id = '%s'", s[4].id.text);
	run_sql(&p, path, sql);
	again(&p);
	parts_audit(&p, false);
	assert_named(&p, s[4].id.text);
	assert_named(&p, "is not in the ledger");
	assert_named(&p, "no row for message 5 of journal gate");
	parts_clear(&p);
}

static void
spoil_journal(struct parts *p, uint64_t at, size_t n)
{
	static const char zeros[4096];
	int fd = openat(p->folder, "0000000000000001.log", O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, zeros, n, (off_t)at), n);
	(void)close(fd);
}

TEST(audit_names_a_journal_record_that_was_zeroed)
{
	struct parts p;
	struct sent s[6];

	filled(&p, s);
	spoil_journal(&p, 41, 60);
	parts_audit(&p, false);
	assert_named(&p, "journal gate: record 1 (file 0000000000000001.log");
	parts_clear(&p);
}

TEST(audit_names_a_journal_file_that_is_gone)
{
	struct parts p;

	start(&p);
	parts_close(&p);
	p.roll_bytes = 900;
	again(&p);
	for (size_t i = 0; i < 6; i++)
		(void)send_to(&p, 0, 2, 1, 0);
	parts_apply(&p);
	assert_int_equal(apply_checkpoint(p.apply, NULL), RC_OK);
	parts_sound(&p);
	char name[40];
	(void)snprintf(name, sizeof(name), "%016d.log", 3);
	if (unlinkat(p.folder, name, 0) != 0) {
		(void)snprintf(name, sizeof(name), "%016d.log", 4);
		assert_int_equal(unlinkat(p.folder, name, 0), 0);
	}
	parts_audit(&p, false);
	assert_named(&p, "is missing or damaged, and a later file is there");
	parts_clear(&p);
}

static bool
remove_file(const char *name, void *arg)
{
	(void)unlinkat(*(int *)arg, name, 0);
	return true;
}

TEST(mail_goes_on_when_the_ledger_and_old_journals_are_lost)
{
	FD_AUTO ledger = -1;
	struct parts p;

	start(&p);
	parts_close(&p);
	p.roll_bytes = 900;
	again(&p);
	for (size_t i = 0; i < 6; i++)
		(void)send_to(&p, 0, 2, 1, 0);
	parts_apply(&p);
	assert_int_equal(apply_checkpoint(p.apply, NULL), RC_OK);
	journal_trim(p.journal, apply_position(p.apply), 0);
	parts_close(&p);
	assert_int_equal(fs_open_dir(p.data, "ledger", &ledger, NULL), RC_OK);
	assert_int_equal(fs_each(ledger, ".", remove_file, &ledger, NULL), RC_OK);
	again(&p);
	uint64_t before = messages(&p, p.accounts[0]);
	(void)send_to(&p, 0, 2, 1, 0);
	parts_apply(&p);
	assert_int_equal(messages(&p, p.accounts[0]), before + 1);
	parts_clear(&p);
}

TEST(a_journal_without_its_end_is_named_and_nothing_new_is_passed_over)
{
	struct parts p;
	struct sent s[6];
	struct err err;

	filled(&p, s);
	parts_close(&p);
	int fd = openat(p.folder, "0000000000000001.log", O_WRONLY);
	assert_int_equal(ftruncate(fd, 500), 0);
	(void)close(fd);
	again(&p);
	parts_audit(&p, false);
	assert_named(&p, "its end is missing");
	assert_int_equal(apply_all(p.apply, UINT64_MAX, &err), RC_PERM);
	assert_non_null(strstr(err.text, "its end is damaged or missing"));
	parts_clear(&p);
}

TEST(a_file_that_waits_and_is_gone_is_named)
{
	struct parts p;

	start(&p);
	struct sent s = send_to(&p, 0, 1, 0, 0), other = send_to(&p, 1, 1, 0, 0);

	assert_int_equal(unlinkat(p.incoming, s.id.text, 0), 0);
	parts_audit(&p, false);
	assert_named(&p, s.id.text);
	assert_named(&p, "not in incoming/");
	parts_apply(&p); /* the other is delivered all the same */
	assert_int_equal(messages(&p, p.accounts[1]), 1);
	parts_audit(&p, false);
	assert_named(&p, s.id.text);
	assert_null(strstr(p.damage, other.id.text));
	parts_clear(&p);
}

TEST(verify_names_a_file_whose_bytes_changed)
{
	struct parts p;

	start(&p);
	struct sent s = send_to(&p, 0, 1, 0, 0);
	int fd = openat(p.incoming, s.id.text, O_WRONLY);

	assert_int_equal(pwrite(fd, "X", 1, TRACE_BLOCK + 3), 1);
	(void)close(fd);
	parts_audit(&p, true);
	assert_named(&p, s.id.text);
	parts_apply(&p);
	parts_audit(&p, true);
	assert_named(&p, s.id.text);
	parts_clear(&p);
}

TEST(something_refused_that_lies_in_a_mailbox_is_named)
{
	struct parts p;

	start(&p);
	struct sent s = send_to(&p, 0, 1, 1, 0);
	struct store_apply a = { .seq = 1,
		.what = { .account = p.accounts[1], .id = s.id, .size = 1 } };
	assert_int_equal(store_deliver(p.store, "other", &a, 1, 1, NULL), RC_OK);
	parts_apply(&p);
	parts_audit(&p, false);
	assert_named(&p, "was not accepted for a1@x.test and is in that mailbox");
	parts_clear(&p);
}
