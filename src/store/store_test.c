/* SPDX-License-Identifier: ISC */
#include <grp.h>
#include <sys/wait.h>

#include "store/testing.h"

struct listing {
	unsigned n;
	struct store_message last;
	uint64_t threads[16];
	char subject[64];
};

static enum rc
list_one(const struct store_message *m, void *arg, struct err *err)
{
	struct listing *l = arg;
	ARENA_AUTO mem = arena_new(1 << 16);
	struct fact_envelope e;

	(void)err;
	l->last = *m;
	if (l->n < 16)
		l->threads[l->n] = m->thread;
	l->n++;
	if (facts_unpack_envelope(m->envelope, mem, &e) == RC_OK)
		(void)str_z(e.subject, l->subject, sizeof(l->subject));
	return RC_OK;
}

static struct listing
list(struct store *s, uint64_t account, const char *mailbox)
{
	struct listing l = { 0 };

	assert_int_equal(
		store_messages(s, account, str_of(mailbox), 0, list_one, &l, NULL),
		RC_OK);
	return l;
}

static enum rc
name_mailbox(const struct store_mailbox *m, void *arg, struct err *err)
{
	struct buf *b = arg;

	(void)err;
	buf_addf(b, STR_FMT "%s" STR_FMT " %" PRIu64 "/%" PRIu64 "; ", STR_ARG(m->name),
		m->special.len > 0 ? " " : "", STR_ARG(m->special), m->messages,
		m->unseen);
	return RC_OK;
}

struct shown {
	size_t parts;
	bool known;
	char preview[64];
};

static enum rc
show_one(const struct store_message *m, void *arg, struct err *err)
{
	struct shown *s = arg;
	ARENA_AUTO mem = arena_new(1 << 16);
	struct fact_structure got = { 0 };

	(void)err;
	if (m->structure.len > 0)
		assert_int_equal(
			facts_unpack_structure(m->structure, m->size, mem, &got), RC_OK);
	*s = (struct shown){ .parts = got.n, .known = m->known_preview };
	(void)str_z(m->preview, s->preview, sizeof(s->preview));
	return RC_OK;
}

TEST(a_mailbox_is_listed_with_parts_and_previews_without_opening_files)
{
	static struct fact_part part = { .body_at = 20,
		.end = 60,
		.type = STR_INIT("text"),
		.subtype = STR_INIT("plain"),
		.text = true };
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail old = make_mail(data, "a@x", NULL),
		    fresh = make_mail(data, "b@x", NULL);
	struct facts f = { .date_s = INT64_MIN,
		.header_bytes = 20,
		.structure = { 1, &part },
		.known_preview = true,
		.preview = STR("Gr\xc3\xbc\xc3\x9f dich") };
	struct shown got;

	deliver(s, &old, 1, 7);
	buf_clear(&fresh.facts);
	facts_pack(&fresh.facts, &f);
	deliver(s, &fresh, 2, 7);
	assert_int_equal(
		store_messages(s, 7, STR("INBOX"), 1, show_one, &got, NULL), RC_OK);
	assert_int_equal(got.parts, 0);
	assert_false(got.known);
	assert_int_equal(
		store_messages(s, 7, STR("INBOX"), 2, show_one, &got, NULL), RC_OK);
	assert_int_equal(got.parts, 1);
	assert_true(got.known);
	assert_string_equal(got.preview, "Gr\xc3\xbc\xc3\x9f dich");
	buf_free(&old.facts);
	buf_free(&fresh.facts);
	store_close(&s);
}

TEST(a_delivered_message_is_in_the_inbox_as_it_was_sent)
{
	FD_AUTO data = data_folder();
	FD_AUTO fd = -1;
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	char got[4096];
	size_t n;

	deliver(s, &m, 1, 7);
	struct listing l = list(s, 7, "inbox");
	assert_int_equal(l.n, 1);
	assert_string_equal(l.subject, "hello");
	assert_int_equal(l.last.uid, 1);
	assert_int_equal(l.last.size, m.size);
	assert_int_equal(l.last.flags, 0);
	assert_memory_equal(l.last.digest, m.digest, 32);
	assert_string_equal(l.last.id.text, m.id.text);
	assert_int_equal(store_open_message(s, 7, &m.id, &fd, NULL), RC_OK);
	assert_int_equal(fs_pread(fd, got, sizeof(got), 0, &n, NULL), RC_OK);
	assert_int_equal(n, m.size);
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(a_message_applied_twice_is_there_once)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	struct store_apply both[2] = { delivery(&m, 5, 7), delivery(&m, 5, 7) };
	uint64_t seq;

	/* two recipients of one message that lead to one account */
	assert_int_equal(store_deliver(s, "gate", both, 2, 5, NULL), RC_OK);
	assert_int_equal(messages_of(s, 7), 1);
	deliver(s, &m, 5, 7);
	assert_int_equal(store_applied(s, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 5);
	assert_int_equal(store_applied(s, "house", &seq, NULL), RC_OK);
	assert_int_equal(seq, 0);
	/* a crash: the next process applies it again */
	store_close(&s);
	s = open_store(data);
	assert_int_equal(store_applied(s, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 0);
	deliver(s, &m, 5, 7);
	assert_int_equal(messages_of(s, 7), 1);
	assert_int_equal(list(s, 7, "INBOX").n, 1);
	/* after a checkpoint it knows */
	assert_int_equal(store_checkpoint(s, NULL), RC_OK);
	store_close(&s);
	s = open_store(data);
	assert_int_equal(store_applied(s, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 5);
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(fifty_recipients_share_one_file)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	struct store_apply all[50];
	char path[BLOB_PATH];
	struct stat st;

	for (uint64_t i = 0; i < 50; i++)
		all[i] = delivery(&m, 1, 100 + i);
	assert_int_equal(store_deliver(s, "gate", all, 50, 1, NULL), RC_OK);
	for (uint64_t i = 0; i < 50; i++) {
		assert_int_equal(messages_of(s, 100 + i), 1);
		blob_path(100 + i, m.id.text, path);
		assert_int_equal(fstatat(data, path, &st, 0), 0);
		assert_int_equal(st.st_nlink, 51);
	}
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(a_message_whose_header_cannot_be_read_is_delivered_all_the_same)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	struct store_apply a = delivery(&m, 1, 7);

	a.what.facts = STR("not facts at all");
	assert_int_equal(store_deliver(s, "gate", &a, 1, 1, NULL), RC_OK);
	assert_int_equal(list(s, 7, "INBOX").n, 1);
	assert_int_equal(list(s, 7, "INBOX").last.envelope.len, 0);
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(a_message_whose_file_is_nowhere_is_named_and_holds_up_nobody)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail gone = make_mail(data, "a@x", NULL), m = make_mail(data, "b@x", NULL);
	struct store_apply all[3] = { delivery(&gone, 1, 7), delivery(&m, 2, 7),
		delivery(&m, 2, 8) };
	struct err err = { 0 };
	char path[48];

	(void)snprintf(path, sizeof(path), "incoming/%s", gone.id.text);
	assert_int_equal(fs_unlink(data, path, NULL), RC_OK);
	assert_int_equal(store_deliver(s, "gate", all, 3, 2, &err), RC_PERM);
	assert_non_null(strstr(err.text, gone.id.text));
	assert_int_equal(messages_of(s, 7), 1);
	assert_int_equal(messages_of(s, 8), 1);
	assert_int_equal(store_deliver(s, "gate", all, 3, 2, &err), RC_OK);
	sound(s);
	buf_free(&m.facts);
	buf_free(&gone.facts);
	store_close(&s);
}

TEST(a_journal_record_that_names_a_path_reaches_no_other_file)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	struct store_apply a[2] = { delivery(&m, 1, 7), delivery(&m, 1, 7) };

	(void)snprintf(
		a[0].what.id.text, sizeof(a[0].what.id.text), "../../../etc/passwd");
	assert_int_equal(store_deliver(s, "gate", a, 2, 1, NULL), RC_PERM);
	a[0] = delivery(&m, 2, UINT64_MAX);
	assert_int_equal(store_deliver(s, "gate", a, 1, 2, NULL), RC_PERM);
	assert_int_equal(messages_of(s, 7), 1);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(an_answer_is_in_the_thread_of_its_question)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	const char *ids[5][2] = { { "q@x", NULL }, { "other@x", NULL }, { "a@x", "q@x" },
		{ "b@x", "never-came@x" }, { "never-came@x", NULL } };

	for (uint64_t i = 0; i < 5; i++) {
		struct mail m = make_mail(data, ids[i][0], ids[i][1]);

		deliver(s, &m, i + 1, 7);
		buf_free(&m.facts);
	}
	struct listing l = list(s, 7, "INBOX");
	assert_int_equal(l.n, 5);
	assert_int_equal(l.threads[2], l.threads[0]);
	assert_int_not_equal(l.threads[1], l.threads[0]);
	assert_int_equal(l.threads[4], l.threads[3]);
	assert_int_not_equal(l.threads[3], l.threads[0]);
	store_close(&s);
}

TEST(how_full_an_account_is_follows_what_comes_and_goes)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail a = make_mail(data, "a@x", NULL), b = make_mail(data, "b@x", NULL);
	struct store_usage u;

	assert_int_equal(store_usage(s, 7, &u, NULL), RC_NONE);
	assert_int_equal(store_account_make(s, 7, NULL), RC_OK);
	assert_int_equal(store_account_make(s, 7, NULL), RC_OK);
	assert_int_equal(store_usage(s, 7, &u, NULL), RC_OK);
	assert_int_equal(u.bytes, 0);
	deliver(s, &a, 1, 7);
	deliver(s, &b, 2, 7);
	assert_int_equal(store_usage(s, 7, &u, NULL), RC_OK);
	assert_int_equal(u.bytes, a.size + b.size);
	assert_int_equal(u.messages, 2);
	BUF_AUTO names = BUF(1000);
	assert_int_equal(store_mailboxes(s, 7, name_mailbox, &names, NULL), RC_OK);
	assert_string_equal(buf_z(&names),
		"INBOX 2/2; Drafts \\Drafts 0/0; Sent \\Sent 0/0; "
		"Archive \\Archive 0/0; Trash \\Trash 0/0; Junk \\Junk 0/0; ");
	assert_int_equal(store_expunge(s, 7, STR("INBOX"), 1, NULL), RC_OK);
	assert_int_equal(store_usage(s, 7, &u, NULL), RC_OK);
	assert_int_equal(u.bytes, b.size);
	assert_int_equal(u.messages, 1);
	sound(s);
	buf_free(&a.facts);
	buf_free(&b.facts);
	store_close(&s);
}

TEST(what_its_reader_removed_is_gone_and_does_not_come_back)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	char path[BLOB_PATH];
	bool gone = true;

	assert_int_equal(store_has(s, 7, &m.id, &gone, NULL), RC_NONE);
	assert_false(gone);
	deliver(s, &m, 1, 7);
	assert_int_equal(store_has(s, 7, &m.id, &gone, NULL), RC_OK);
	assert_int_equal(store_expunge(s, 7, STR("INBOX"), 9, NULL), RC_NONE);
	assert_int_equal(store_expunge(s, 7, STR("Nowhere"), 1, NULL), RC_NONE);
	assert_int_equal(store_expunge(s, 7, STR("inbox"), 1, NULL), RC_OK);
	assert_int_equal(store_has(s, 7, &m.id, &gone, NULL), RC_NONE);
	assert_true(gone);
	/* the file stays until the row's end is surely on disk */
	blob_path(7, m.id.text, path);
	assert_true(there(data, path));
	sound(s);
	assert_int_equal(store_checkpoint(s, NULL), RC_OK);
	assert_false(there(data, path));
	sound(s);
	store_close(&s);
	s = open_store(data);
	struct store_apply again = delivery(&m, 3, 7);
	assert_int_equal(store_deliver(s, "house", &again, 1, 3, NULL), RC_OK);
	assert_int_equal(messages_of(s, 7), 0);
	assert_int_equal(list(s, 7, "INBOX").n, 0);
	struct mail next = make_mail(data, "b@x", NULL);
	deliver(s, &next, 4, 7);
	assert_int_equal(list(s, 7, "INBOX").last.uid, 2); /* a UID is never used again */
	sound(s);
	buf_free(&m.facts);
	buf_free(&next.facts);
	store_close(&s);
}

TEST(a_crash_before_the_file_of_a_removed_message_went_is_finished_at_start)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	char path[BLOB_PATH];

	deliver(s, &m, 1, 7);
	assert_int_equal(store_expunge(s, 7, STR("INBOX"), 1, NULL), RC_OK);
	store_close(&s);
	blob_path(7, m.id.text, path);
	assert_true(there(data, path));
	s = open_store(data);
	assert_false(there(data, path));
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(a_link_that_the_power_cut_took_is_made_again)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	char path[BLOB_PATH];

	deliver(s, &m, 1, 7);
	store_close(&s);
	blob_path(7, m.id.text, path);
	assert_int_equal(fs_unlink(data, path, NULL), RC_OK);
	s = open_store(data);
	assert_int_equal(check_store(s, false).n, 1);
	deliver(s, &m, 1, 7); /* the journal, from the last checkpoint */
	sound(s);
	assert_int_equal(messages_of(s, 7), 1);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(a_file_linked_before_the_crash_is_no_obstacle)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	char path[48];

	assert_int_equal(blob_link(data, 7, &m.id, NULL), RC_OK);
	sound(s); /* it waits in incoming/ */
	(void)snprintf(path, sizeof(path), "incoming/%s", m.id.text);
	assert_int_equal(fs_unlink(data, path, NULL), RC_OK);
	deliver(s, &m, 1, 7);
	assert_int_equal(messages_of(s, 7), 1);
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(a_removed_account_leaves_nothing_and_touches_no_other)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);

	deliver(s, &m, 1, 7);
	deliver(s, &m, 2, 7 + STORE_SHARDS);
	assert_int_equal(store_account_remove(s, 7, NULL), RC_OK);
	assert_false(there(data, "accounts/7"));
	struct store_usage u;
	assert_int_equal(store_usage(s, 7, &u, NULL), RC_NONE);
	assert_int_equal(messages_of(s, 7 + STORE_SHARDS), 1);
	assert_int_equal(store_account_remove(s, 7, NULL), RC_OK);
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

TEST(a_copy_of_the_index_opens_and_holds_the_same)
{
	FD_AUTO data = data_folder();
	FD_AUTO other = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);

	deliver(s, &m, 1, 7);
	assert_int_equal(store_checkpoint(s, NULL), RC_OK);
	assert_int_equal(store_copy(s, other, NULL), RC_OK);
	store_close(&s);
	s = open_store(other);
	assert_int_equal(messages_of(s, 7), 1);
	uint64_t seq = 0;
	assert_int_equal(store_applied(s, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 1);
	assert_int_equal(check_store(s, false).n, 1); /* its file was not copied */
	buf_free(&m.facts);
	store_close(&s);
}

enum { THREADS = 4, EACH = 60 };

struct worker {
	struct store *s;
	const struct mail *mail;
	uint64_t first;
	const char *journal;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; i < EACH; i++) {
		struct store_apply a[2] = { delivery(w->mail, i + 1, w->first + i % 3),
			delivery(w->mail, i + 1, w->first + i) };
		uint64_t seq;
		bool gone;

		if (store_deliver(w->s, w->journal, a, 2, i + 1, NULL) != RC_OK ||
			store_has(w->s, w->first + i, &w->mail->id, &gone, NULL) !=
				RC_OK ||
			store_applied(w->s, w->journal, &seq, NULL) != RC_OK ||
			seq != i + 1)
			abort();
		if (i % 16 == 0 && store_checkpoint(w->s, NULL) != RC_OK)
			abort();
	}
	return NULL;
}

TEST(threads_that_deliver_at_once_lose_nothing)
{
	static const char *const journals[THREADS] = { "gate", "house", "a", "b" };
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail m = make_mail(data, "a@x", NULL);
	struct worker w[THREADS];
	pthread_t t[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ s, &m, 1 + i * 1000, journals[i] };
		t[i] = thread_start("deliver", work, &w[i]);
	}
	sound(s); /* while they are at it */
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(t[i], NULL);
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < EACH; k++)
			assert_int_equal(messages_of(s, 1 + i * 1000 + k), 1);
	sound(s);
	buf_free(&m.facts);
	store_close(&s);
}

static void
as_nobody(int data, const char *absolute)
{
	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		_exit(2);
	if (access(absolute, F_OK) == 0)
		_exit(3); /* the test would prove nothing */
	if (fs_mkdirs(data, "incoming", 0700, NULL) != RC_OK)
		_exit(4);
	struct mail m = make_mail(data, "a@x", NULL);
	struct store *s = open_store(data);
	deliver(s, &m, 1, 7);
	sound(s);
	if (store_checkpoint(s, NULL) != RC_OK ||
		store_account_remove(s, 7, NULL) != RC_OK)
		_exit(5);
	store_close(&s);
	_exit(0);
}

TEST(a_store_works_below_folders_its_process_may_not_traverse)
{
	char closed[300], absolute[320];
	int status;

	if (geteuid() != 0)
		skip();
	(void)snprintf(closed, sizeof(closed), "%s/closed", test_folder());
	(void)snprintf(absolute, sizeof(absolute), "%s/data", closed);
	assert_int_equal(mkdir(closed, 0700), 0);
	assert_int_equal(mkdir(absolute, 0700), 0);
	assert_int_equal(chown(absolute, 65534, 65534), 0);
	FD_AUTO data = open(absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t child = fork();
	if (child == 0)
		as_nobody(data, absolute);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}
