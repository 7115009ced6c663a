/* SPDX-License-Identifier: ISC */
/* What readers append: from the spool to the UID, and what is left when it goes wrong. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "deliver/append.h"
#include "deliver/testing.h"
#include "test/test.h"

enum { THREADS = 6, EACH = 8 };

struct room {
	struct parts p;
	struct own *own;
	uint64_t account, drafts, inbox;
};

static void
must(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

static void
open_journal(struct room *r, bool thread)
{
	struct err err = { .rc = RC_OK };
	const struct own_want w = { .apply = { .data = r->p.data,
					    .directory = r->p.directory,
					    .store = r->p.store,
					    .ledger = r->p.ledger,
					    .refusals = r->p.refusals,
					    .with = r->p.apply,
					    .checkpoint_ms = 60 * 1000 },
		.thread = thread };

	must(own_open(&w, &r->own, &err), &err);
}

static enum rc
find(const struct store_mailbox *m, void *arg, struct err *err)
{
	struct room *r = arg;

	(void)err;
	if (str_eq(m->name, STR("Drafts")))
		r->drafts = m->id;
	if (str_eq(m->name, STR("INBOX")))
		r->inbox = m->id;
	return RC_OK;
}

static void
start(struct room *r, bool thread)
{
	struct err err = { .rc = RC_OK };

	*r = (struct room){ .own = NULL };
	parts_make(&r->p, test_folder(), 3);
	must(parts_open(&r->p, &err), &err);
	r->account = r->p.accounts[0];
	must(store_account_make(r->p.store, r->account, &err), &err);
	must(store_mailboxes(r->p.store, r->account, find, r, &err), &err);
	assert_true(r->drafts != 0 && r->inbox != 0);
	open_journal(r, thread);
}

static void
clear(struct room *r)
{
	own_close(&r->own);
	parts_clear(&r->p);
}

/* A message in a file of incoming/, as a session leaves it. */
static struct append_item
item(struct room *r, str text, struct fs_spool *file)
{
	struct append_item i = {
		.file = file, .size = text.len, .received_ms = 1234567890000
	};
	struct err err = { .rc = RC_OK };

	must(fs_spool_open(own_incoming(r->own), 0660, file, &err), &err);
	must(fs_append(file->fd, text, &err), &err);
	sha256(text, i.digest);
	return i;
}

static uint32_t
append_one(struct room *r, uint64_t mailbox, str text)
{
	struct fs_spool file;
	struct append_item i = item(r, text, &file);
	struct append a = {
		.account = r->account, .mailbox = mailbox, .n = 1, .items = &i
	};
	struct err err = { .rc = RC_OK };
	uint32_t uidvalidity;

	must(own_append(r->own, &a, &uidvalidity, &err), &err);
	assert_int_equal(file.fd, -1);
	return i.uid;
}

struct seen {
	unsigned n, flags[100];
	uint64_t uid[100], size[100], received_ms[100];
	struct msg_id id[100];
};

static enum rc
look(const struct store_message *m, void *arg, struct err *err)
{
	struct seen *s = arg;

	(void)err;
	assert_true(s->n < 100);
	s->uid[s->n] = m->uid;
	s->size[s->n] = m->size;
	s->received_ms[s->n] = m->received_ms;
	s->id[s->n] = m->id;
	s->flags[s->n++] = m->flags;
	return RC_OK;
}

static struct seen
in_mailbox(struct room *r, const char *name)
{
	struct seen s = { .n = 0 };
	struct err err = { .rc = RC_OK };
	enum rc rc = store_messages(
		r->p.store, r->account, str_of(name), 0, look, &s, &err);

	if (rc != RC_NONE)
		must(rc, &err);
	return s;
}

static bool
count_name(const char *name, void *arg)
{
	*(unsigned *)arg += name[0] != '.';
	return true;
}

static unsigned
waiting_files(struct room *r)
{
	unsigned n = 0;
	struct err err = { .rc = RC_OK };

	must(fs_each(r->p.data, "incoming", count_name, &n, &err), &err);
	return n;
}

/* Its thread has ended: audit and it would share the ledger's handles. */
static void
sound(struct room *r)
{
	own_close(&r->own);
	parts_sound(&r->p);
}

/* --- */

TEST(what_a_reader_appends_is_there_with_flags_and_time_and_the_uid_it_is_told)
{
	struct room r;
	struct fs_spool files[3];
	struct append_item items[3];
	struct err err = { .rc = RC_OK };
	uint32_t uidvalidity = 0;
	char got[32];
	size_t n;
	int fd;

	start(&r, true);
	items[0] = item(&r, STR("Subject: a\r\n\r\nbare\nline"), &files[0]);
	items[1] = item(&r, STR("b"), &files[1]);
	items[2] = item(&r, STR("ccc"), &files[2]);
	items[1].flags = STORE_SEEN | STORE_DRAFT;
	items[1].keywords = STR("$work red");
	items[2].received_ms = 5000;
	struct append a = {
		.account = r.account, .mailbox = r.drafts, .n = 3, .items = items
	};
	must(own_append(r.own, &a, &uidvalidity, &err), &err);
	assert_true(uidvalidity != 0);
	struct seen s = in_mailbox(&r, "Drafts");
	assert_int_equal(s.n, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(items[i].uid, i + 1);
		assert_int_equal(s.uid[i], i + 1);
		assert_int_equal(s.size[i], items[i].size);
		assert_string_equal(s.id[i].text, items[i].id.text);
		assert_int_equal(files[i].fd, -1);
	}
	assert_int_equal(s.flags[0], 0);
	assert_int_equal(s.flags[1], STORE_SEEN | STORE_DRAFT);
	assert_int_equal(s.received_ms[0], 1234567890000);
	assert_int_equal(s.received_ms[2], 5000);
	assert_int_equal(in_mailbox(&r, "INBOX").n, 0);
	must(store_open_message(r.p.store, r.account, &s.id[0], &fd, &err), &err);
	must(fs_pread(fd, got, sizeof(got), 0, &n, &err), &err);
	fs_close(&fd);
	assert_true(str_eq((str){ got, n }, STR("Subject: a\r\n\r\nbare\nline")));
	assert_int_equal(append_one(&r, r.drafts, STR("next")), 4);
	sound(&r);
	clear(&r);
}

TEST(a_mailbox_that_is_not_there_gets_nothing_and_nothing_is_left)
{
	struct room r;
	struct fs_spool files[2];
	struct append_item items[2];
	struct err err = { .rc = RC_OK };
	uint32_t uidvalidity;

	start(&r, true);
	items[0] = item(&r, STR("one"), &files[0]);
	items[1] = item(&r, STR("two"), &files[1]);
	struct append a = {
		.account = r.account, .mailbox = 4711, .n = 2, .items = items
	};
	assert_int_equal(own_append(r.own, &a, &uidvalidity, &err), RC_NONE);
	assert_int_equal(files[0].fd, -1);
	assert_int_equal(files[1].fd, -1);
	assert_int_equal(waiting_files(&r), 0);
	clear(&r);
}

/* A record of a mailbox that is deleted before it is applied. */
static void
commit_record(struct room *r, const char *journal, uint64_t mailbox, str text)
{
	BUF_AUTO record = BUF(JREC_MOST);
	struct journal_want w = { .incoming = r->p.incoming };
	struct journal *j;
	struct err err = { .rc = RC_OK };
	struct jrec_append_item i = {
		.id = ids_message(clock_wall_ms()), .size = text.len, .received_ms = 1000
	};
	const struct jrec_append a = {
		.account = r->account, .mailbox = mailbox, .n = 1, .items = &i
	};
	FD_AUTO fd = -1;
	FD_AUTO dir = -1;
	char path[40];

	sha256(text, i.digest);
	(void)snprintf(path, sizeof(path), "incoming/%s", i.id.text);
	must(fs_open(r->p.data, path, O_WRONLY | O_CREAT | O_EXCL, 0660, &fd, &err),
		&err);
	must(fs_append(fd, text, &err), &err);
	(void)futimens(fd, (struct timespec[2]){ { 1000, 0 }, { 1000, 0 } });
	jrec_put_append(&record, &a);
	(void)snprintf(path, sizeof(path), "journal/%s", journal);
	must(fs_open_dir(r->p.data, path, &dir, &err), &err);
	w.dirfd = dir;
	must(journal_open(&w, &j, &err), &err);
	must(journal_commit(j, JREC_APPEND, buf_str(&record), true, NULL, &err), &err);
	journal_close(&j);
}

TEST(a_mailbox_that_goes_before_its_message_comes_leaves_it_to_inbox)
{
	struct room r;
	struct seen s;

	start(&r, true);
	(void)append_one(&r, r.drafts, STR("first"));
	own_close(&r.own);
	commit_record(&r, "house", 4711, STR("the last words"));
	/* an hour old, and no sweep takes what a record names */
	parts_audit(&r.p, false);
	assert_int_equal(r.p.breaches, 0);
	parts_audit(&r.p, true);
	assert_int_equal(r.p.breaches, 0);
	open_journal(&r, true);
	assert_int_equal(own_settle(r.own, NULL), RC_OK);
	s = in_mailbox(&r, "INBOX");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.size[0], 14);
	sound(&r);
	clear(&r);
}

TEST(the_process_that_strangers_talk_to_chooses_no_mailbox)
{
	struct room r;
	struct err err = { .rc = RC_OK };

	start(&r, true);
	journal_close(&r.p.journal);
	commit_record(&r, "gate", r.drafts, STR("smuggled"));
	assert_int_equal(apply_all(r.p.apply, 1, &err), RC_PERM);
	assert_int_equal(in_mailbox(&r, "Drafts").n, 0);
	parts_audit(&r.p, false);
	assert_non_null(strstr(r.p.damage, "only house writes"));
	clear(&r);
}

static bool
remove_name(const char *name, void *arg)
{
	struct room *r = arg;
	char path[64];

	(void)snprintf(path, sizeof(path), "incoming/%.40s", name);
	return name[0] == '.' || fs_unlink(r->p.data, path, NULL) == RC_OK;
}

static bool
spoil(const char *name, void *arg)
{
	struct room *r = arg;
	char path[64];
	FD_AUTO fd = -1;

	(void)snprintf(path, sizeof(path), "incoming/%.40s", name);
	return name[0] == '.' ||
	       (fs_open(r->p.data, path, O_WRONLY, 0, &fd, NULL) == RC_OK &&
		       fs_pwrite(fd, STR("X"), 0, NULL) == RC_OK);
}

TEST(audit_names_an_appended_message_that_is_nowhere)
{
	struct room r;
	struct err err = { .rc = RC_OK };

	start(&r, true);
	own_close(&r.own);
	commit_record(&r, "house", r.drafts, STR("lost"));
	assert_int_equal(waiting_files(&r), 1);
	must(fs_each(r.p.data, "incoming", remove_name, &r, &err), &err);
	parts_audit(&r.p, false);
	assert_int_equal(r.p.breaches, 1);
	assert_non_null(strstr(r.p.damage, "is not in it and not in incoming/"));
	clear(&r);
}

TEST(verify_names_a_waiting_message_whose_bytes_changed)
{
	struct room r;
	struct err err = { .rc = RC_OK };

	start(&r, true);
	own_close(&r.own);
	commit_record(&r, "house", r.drafts, STR("as it came"));
	must(fs_each(r.p.data, "incoming", spoil, &r, &err), &err);
	parts_audit(&r.p, true);
	assert_int_equal(r.p.breaches, 1);
	assert_non_null(strstr(r.p.damage, "is not what was accepted"));
	clear(&r);
}

TEST(what_replaces_another_takes_its_place_at_once)
{
	struct room r;
	struct fs_spool file;
	struct append_item i;
	struct err err = { .rc = RC_OK };
	uint32_t uidvalidity;
	struct seen s;

	start(&r, true);
	(void)append_one(&r, r.drafts, STR("old"));
	(void)append_one(&r, r.drafts, STR("other"));
	i = item(&r, STR("new words"), &file);
	struct append a = { .account = r.account,
		.mailbox = r.drafts,
		.n = 1,
		.items = &i,
		.replaces_mailbox = r.drafts,
		.replaces = 1 };
	must(own_append(r.own, &a, &uidvalidity, &err), &err);
	assert_int_equal(i.uid, 3);
	s = in_mailbox(&r, "Drafts");
	assert_int_equal(s.n, 2);
	assert_int_equal(s.uid[0], 2);
	assert_int_equal(s.uid[1], 3);
	sound(&r);
	clear(&r);
}

struct one_of_many {
	struct room *r;
	unsigned number;
	uint32_t uids[EACH];
};

static void *
append_many(void *arg)
{
	struct one_of_many *m = arg;

	for (unsigned i = 0; i < EACH; i++) {
		char text[40];

		(void)snprintf(text, sizeof(text), "%u.%u", m->number, i);
		m->uids[i] = append_one(m->r, m->r->inbox, str_of(text));
	}
	return NULL;
}

TEST(each_of_many_at_once_is_told_the_uid_of_its_own_message)
{
	struct room r;
	pthread_t threads[THREADS];
	struct one_of_many many[THREADS];
	bool taken[THREADS * EACH + 1] = { false };
	struct seen s;

	start(&r, true);
	for (unsigned i = 0; i < THREADS; i++) {
		many[i] = (struct one_of_many){ .r = &r, .number = i };
		assert_int_equal(
			pthread_create(&threads[i], NULL, append_many, &many[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	s = in_mailbox(&r, "INBOX");
	assert_int_equal(s.n, THREADS * EACH);
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < EACH; k++) {
			uint32_t uid = many[i].uids[k];
			char want[40], got[40];
			struct err err = { .rc = RC_OK };
			size_t n;
			int fd;

			assert_true(uid >= 1 && uid <= THREADS * EACH && !taken[uid]);
			taken[uid] = true;
			(void)snprintf(want, sizeof(want), "%u.%u", i, k);
			must(store_open_message(
				     r.p.store, r.account, &s.id[uid - 1], &fd, &err),
				&err);
			must(fs_pread(fd, got, sizeof(got), 0, &n, &err), &err);
			fs_close(&fd);
			assert_true(str_eq((str){ got, n }, str_of(want)));
		}
	sound(&r);
	clear(&r);
}

TEST(a_stopped_instance_appends_within_the_call)
{
	struct room r;

	start(&r, false);
	assert_int_equal(append_one(&r, r.drafts, STR("one")), 1);
	assert_int_equal(append_one(&r, r.drafts, STR("two")), 2);
	assert_int_equal(in_mailbox(&r, "Drafts").n, 2);
	sound(&r);
	clear(&r);
}
