/* SPDX-License-Identifier: ISC */
#include "store/change_int.h"
#include "store/learn.h"
#include "store/mailbox.h"
#include "store/testing.h"
#include "store/view.h"

enum { WHO = 7, DRAFTS = 2, TRASH = 5, JUNK = 6, UIDS = 40 };

static const struct store_place inbox = { WHO, INBOX_ID };

struct told {
	unsigned spam, ham;
};

static enum rc
on_lesson(
	const struct msg_id *id, bool spam, uint64_t time_ms, void *arg, struct err *err)
{
	struct told *t = arg;

	(void)err;
	assert_true(ids_valid(msg_id_str(id)));
	assert_true(time_ms > 0);
	spam ? t->spam++ : t->ham++;
	return RC_OK;
}

/* What the store remembers of the one message. */
static void
expect_lesson(struct store *s, unsigned spam, unsigned ham)
{
	struct told told = { 0 };

	assert_int_equal(store_lessons(s, WHO, on_lesson, &told, NULL), RC_OK);
	assert_int_equal(told.spam, spam);
	assert_int_equal(told.ham, ham);
}

static struct store *
store_with(int data, uint32_t n)
{
	struct store *s;

	assert_int_equal(
		store_open(&(struct store_want){ .data = data, .cache_bytes = 1 << 20 },
			&s, NULL),
		RC_OK);
	assert_int_equal(store_account_make(s, WHO, NULL), RC_OK);
	for (uint32_t i = 1; i <= n; i++) {
		struct mail m = make_mail(data, "a@x", NULL);

		deliver(s, &m, i, WHO);
		buf_free(&m.facts);
	}
	return s;
}

/* "uid:flags:keywords " of each message */
static void
show(struct store *s, uint64_t mailbox, struct buf *b)
{
	struct view *v;
	struct view_now now;
	struct view_row r;

	buf_clear(b);
	assert_int_equal(view_open(s, WHO, mailbox, &v, NULL), RC_OK);
	assert_int_equal(view_now(v, &now, NULL), RC_OK);
	for (size_t i = 1; i <= view_list_count(now.list); i++) {
		uint32_t uid = view_list_uid(now.list, i);

		view_rows(v, &uid, 1, &r);
		buf_addf(b, "%u:%u:" STR_FMT " ", uid, r.flags, STR_ARG(r.keywords));
	}
	view_list_drop(&now.list);
	view_close(&v);
}

static void
expect(struct store *s, uint64_t mailbox, const char *want)
{
	BUF_AUTO b = BUF(1 << 16);

	show(s, mailbox, &b);
	assert_string_equal(buf_z(&b), want);
}

static struct mailbox
box(struct store *s, const char *name, struct arena *mem)
{
	struct mailbox m = { 0 };

	assert_int_equal(
		mailbox_by_name(s, WHO, str_of(name), true, mem, &m, NULL), RC_OK);
	return m;
}

static uint64_t
set(struct store *s, const uint32_t *uids, size_t n, enum change_how how, unsigned flags,
	const char *keywords)
{
	struct change_flags c = {
		.how = how, .flags = flags, .keywords = str_of(keywords)
	};
	uint64_t modseq = 1;

	assert_int_equal(
		change_flags(s, inbox, uids, n, &c, &modseq, NULL, NULL, NULL), RC_OK);
	return modseq;
}

TEST(flags_and_keywords_become_what_was_asked)
{
	static const struct {
		enum change_how how;
		unsigned flags;
		const char *keywords, *after;
	} steps[] = {
		{ CHANGE_ADD, STORE_SEEN, "b", "1:1:b 2:0: " },
		{ CHANGE_ADD, STORE_FLAGGED, "a c", "1:5:a b c 2:0: " },
		{ CHANGE_ADD, 0, "B", "1:5:a b c 2:0: " },
		{ CHANGE_ADD, 0, "Z", "1:5:Z a b c 2:0: " },
		{ CHANGE_REMOVE, STORE_SEEN | STORE_DRAFT, "z C", "1:4:a b 2:0: " },
		{ CHANGE_REMOVE, 0, "nothing", "1:4:a b 2:0: " },
		{ CHANGE_SET, STORE_DELETED | 4096, "x y", "1:8:x y 2:0: " },
		{ CHANGE_SET, 0, "", "1:0: 2:0: " },
	};
	static const uint32_t one = 1;
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 2);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		(void)set(s, &one, 1, steps[i].how, steps[i].flags, steps[i].keywords);
		expect(s, INBOX_ID, steps[i].after);
		sound(s);
	}
	store_close(&s);
	s = open_store(data);
	expect(s, INBOX_ID, "1:0: 2:0: ");
	store_close(&s);
}

TEST(a_change_that_changes_nothing_is_none)
{
	static const uint32_t uids[] = { 1, 2, 9 };
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 2);
	uint64_t first = set(s, uids, 3, CHANGE_ADD, STORE_SEEN, "");

	assert_true(first > 1);
	assert_int_equal(box(s, "INBOX", mem).modseq, first);
	assert_int_equal(box(s, "INBOX", mem).unseen, 0);
	assert_int_equal(set(s, uids, 3, CHANGE_ADD, STORE_SEEN, ""), 0);
	assert_int_equal(set(s, uids + 2, 1, CHANGE_ADD, STORE_FLAGGED, ""), 0);
	assert_int_equal(set(s, uids, 0, CHANGE_ADD, STORE_FLAGGED, ""), 0);
	assert_int_equal(box(s, "INBOX", mem).modseq, first);
	uint64_t second = set(s, uids, 1, CHANGE_REMOVE, STORE_SEEN, "");
	assert_true(second > first);
	assert_int_equal(box(s, "INBOX", mem).unseen, 1);
	sound(s);
	store_close(&s);
}

TEST(what_somebody_else_changed_meanwhile_is_left_alone_and_named)
{
	static const uint32_t two = 2, all[] = { 1, 2, 3, 7 };
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 3);
	uint32_t modified[4];
	size_t n = 9;
	uint64_t modseq = 0, seen = set(s, all, 3, CHANGE_ADD, STORE_FLAGGED, "");
	struct change_flags c = { .how = CHANGE_ADD,
		.flags = STORE_SEEN,
		.keywords = STR("k"),
		.conditional = true,
		.unchanged_since = seen };

	(void)set(s, &two, 1, CHANGE_ADD, STORE_ANSWERED, "");
	assert_int_equal(
		change_flags(s, inbox, all, 4, &c, &modseq, modified, &n, NULL), RC_OK);
	assert_int_equal(n, 1);
	assert_int_equal(modified[0], 2);
	assert_true(modseq > seen);
	expect(s, INBOX_ID, "1:5:k 2:6: 3:5:k ");
	c.unchanged_since = 0; /* RFC 7162 3.1.3: nothing is as old as that */
	assert_int_equal(
		change_flags(s, inbox, all, 4, &c, &modseq, modified, &n, NULL), RC_OK);
	assert_int_equal(n, 3);
	assert_int_equal(modseq, 0);
	sound(s);
	store_close(&s);
}

/* What a reader was not told of yet would be hidden by its own change's modseq. */
TEST(a_change_says_how_new_was_what_it_found)
{
	static const uint32_t two = 2, all[] = { 1, 2, 3, 7 };
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 3);
	uint64_t modseq = 0, before[4] = { 9, 9, 9, 9 };
	uint64_t first = set(s, all, 3, CHANGE_ADD, STORE_FLAGGED, "");
	uint64_t second = set(s, &two, 1, CHANGE_ADD, STORE_ANSWERED, "");
	struct change_flags c = {
		.how = CHANGE_ADD, .flags = STORE_SEEN, .before = before
	};

	assert_int_equal(
		change_flags(s, inbox, all, 4, &c, &modseq, NULL, NULL, NULL), RC_OK);
	assert_true(modseq > second);
	assert_int_equal(before[0], first);
	assert_int_equal(before[1], second);
	assert_int_equal(before[2], first);
	assert_int_equal(before[3], 0);
	sound(s);
	store_close(&s);
}

TEST(too_many_keywords_are_refused_and_change_nothing)
{
	static const uint32_t both[] = { 1, 2 };
	BUF_AUTO b = BUF(KEYWORDS_BYTES);
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 2);
	struct change_flags c = {
		.how = CHANGE_ADD, .flags = STORE_SEEN, .keywords = STR("zz")
	};
	uint64_t modseq;

	while (b.len < KEYWORDS_BYTES - 2)
		buf_addc(&b, 'k');
	(void)set(s, both + 1, 1, CHANGE_SET, 0, buf_z(&b));
	assert_int_equal(
		change_flags(s, inbox, both, 2, &c, &modseq, NULL, NULL, NULL), RC_LIMIT);
	(void)set(s, both + 1, 1, CHANGE_SET, 0, "");
	expect(s, INBOX_ID, "1:0: 2:0: ");
	sound(s);
	store_close(&s);
}

TEST(a_list_with_holes_reaches_those_and_no_others)
{
	static const uint32_t asked[] = { 1, 2, 4, 7, 8, 9, 30, 31, 40, 4000000000u };
	static const uint32_t away[] = { 3, 8 };
	uint32_t gone[2];
	size_t n;
	uint64_t modseq;
	BUF_AUTO want = BUF(4096);
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, UIDS);

	assert_int_equal(
		change_expunge(s, inbox, away, 2, gone, &n, &modseq, NULL), RC_OK);
	assert_int_equal(n, 2);
	(void)set(s, asked + 1, 1, CHANGE_ADD, STORE_DRAFT, "other");
	(void)set(s, asked, 10, CHANGE_ADD, STORE_SEEN, "k");
	for (uint32_t uid = 1; uid <= UIDS; uid++) {
		bool hit = false;

		for (size_t i = 0; i < 10; i++)
			hit |= asked[i] == uid;
		if (uid != 3 && uid != 8)
			buf_addf(&want, "%u:%d:%s ", uid,
				(hit ? 1 : 0) + (uid == 2 ? 16 : 0),
				uid == 2 ? "k other"
				: hit    ? "k"
					 : "");
	}
	expect(s, INBOX_ID, buf_z(&want));
	sound(s);
	store_close(&s);
}

TEST(more_at_once_than_there_may_be_is_refused)
{
	static uint32_t uids[FLAGS_MOST + 1];
	struct change_copied out = { .from = uids, .to = uids };
	struct change_flags c = { .how = CHANGE_ADD, .flags = 1 };
	uint64_t modseq;
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 1);

	for (uint32_t i = 0; i <= FLAGS_MOST; i++)
		uids[i] = i + 1;
	assert_int_equal(change_flags(s, inbox, uids, FLAGS_MOST + 1, &c, &modseq, NULL,
				 NULL, NULL),
		RC_LIMIT);
	assert_int_equal(change_copy(s, inbox, DRAFTS, uids, CHANGE_MOST + 1, &out, NULL),
		RC_LIMIT);
	assert_int_equal(
		change_flags(s, inbox, uids, FLAGS_MOST, &c, &modseq, NULL, NULL, NULL),
		RC_OK);
	store_close(&s);
}

TEST(a_copy_counts_once_and_outlives_its_original)
{
	static const uint32_t uids[] = { 1, 2, 5 };
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 3);
	uint32_t from[3], to[3], gone[3];
	struct change_copied out = { .from = from, .to = to };
	struct store_usage before, after;
	uint64_t modseq;
	size_t n;

	(void)set(s, uids, 1, CHANGE_SET, STORE_SEEN, "k");
	assert_int_equal(store_usage(s, WHO, &before, NULL), RC_OK);
	assert_int_equal(change_copy(s, inbox, DRAFTS, uids, 3, &out, NULL), RC_OK);
	assert_int_equal(out.n, 2);
	assert_int_equal(out.uidvalidity, box(s, "Drafts", mem).uidvalidity);
	assert_int_equal(from[1], 2);
	assert_int_equal(to[1], 2);
	expect(s, DRAFTS, "1:1:k 2:0: ");
	assert_int_equal(box(s, "Drafts", mem).unseen, 1);
	assert_int_equal(box(s, "Drafts", mem).bytes, before.bytes / 3 * 2);
	sound(s);
	assert_int_equal(
		change_expunge(s, inbox, uids, 2, gone, &n, &modseq, NULL), RC_OK);
	assert_int_equal(store_usage(s, WHO, &after, NULL), RC_OK);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(store_checkpoint(s, NULL), RC_OK);
	sound(s);
	/* twice into the same mailbox: two rows of one message */
	assert_int_equal(change_copy(s, (struct store_place){ WHO, DRAFTS }, DRAFTS, uids,
				 1, &out, NULL),
		RC_OK);
	assert_int_equal(to[0], 3);
	assert_int_equal(change_expunge(s, (struct store_place){ WHO, DRAFTS },
				 (uint32_t[]){ 1, 2, 3 }, 3, gone, &n, &modseq, NULL),
		RC_OK);
	assert_int_equal(n, 3);
	assert_int_equal(messages_of(s, WHO), 1);
	assert_int_equal(store_checkpoint(s, NULL), RC_OK);
	sound(s);
	store_close(&s);
}

TEST(a_move_takes_along_what_is_there_and_its_old_uids_vanish)
{
	static const uint32_t uids[] = { 2, 3, 9 };
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 3);
	uint32_t from[3], to[3];
	struct change_copied out = { .from = from, .to = to };
	uint64_t modseq = 0;

	(void)set(s, uids, 1, CHANGE_SET, STORE_FLAGGED, "k");
	assert_int_equal(
		change_move(s, inbox, TRASH, uids, 3, &out, &modseq, NULL), RC_OK);
	assert_int_equal(out.n, 2);
	expect(s, INBOX_ID, "1:0: ");
	expect(s, TRASH, "1:4:k 2:0: ");
	assert_int_equal(box(s, "INBOX", mem).modseq, modseq);
	assert_int_equal(box(s, "Trash", mem).modseq, modseq);
	assert_int_equal(box(s, "Trash", mem).unseen, 2);
	sound(s);
	assert_int_equal(
		change_move(s, inbox, TRASH, uids, 3, &out, &modseq, NULL), RC_OK);
	assert_int_equal(out.n, 0);
	assert_int_equal(modseq, 0);
	store_close(&s);
}

TEST(a_move_into_the_same_mailbox_gives_new_uids)
{
	static const uint32_t uids[] = { 1, 2 };
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 3);
	uint32_t from[2], to[2];
	struct change_copied out = { .from = from, .to = to };
	uint64_t modseq;

	assert_int_equal(
		change_move(s, inbox, INBOX_ID, uids, 2, &out, &modseq, NULL), RC_OK);
	expect(s, INBOX_ID, "3:0: 4:0: 5:0: ");
	assert_int_equal(to[1], 5);
	sound(s);
	store_close(&s);
}

TEST(a_move_to_nowhere_moves_nothing)
{
	static const uint32_t one = 1;
	uint32_t from, to, gone;
	struct change_copied out = { .from = &from, .to = &to };
	struct change_flags c = { .how = CHANGE_ADD, .flags = 1 };
	uint64_t modseq;
	size_t n;
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 1);
	struct store_place none = { WHO, 99 };

	assert_int_equal(
		change_move(s, inbox, 99, &one, 1, &out, &modseq, NULL), RC_NONE);
	assert_int_equal(change_copy(s, inbox, 99, &one, 1, &out, NULL), RC_NONE);
	assert_int_equal(change_copy(s, none, INBOX_ID, &one, 1, &out, NULL), RC_NONE);
	assert_int_equal(
		change_expunge(s, none, &one, 1, &gone, &n, &modseq, NULL), RC_NONE);
	assert_int_equal(
		change_flags(s, none, &one, 1, &c, &modseq, NULL, NULL, NULL), RC_NONE);
	expect(s, INBOX_ID, "1:0: ");
	sound(s);
	store_close(&s);
}

struct vanished {
	unsigned n, sum;
};

static enum rc
on_vanished(uint32_t uid, void *arg)
{
	struct vanished *v = arg;

	v->n++;
	v->sum += uid;
	return RC_OK;
}

TEST(an_open_mailbox_sees_it_all_and_remembers_what_vanished)
{
	static const uint32_t away[] = { 1, 2, 4 };
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 5);
	uint32_t gone[3];
	struct view *v;
	struct view_now before, after;
	struct vanished left = { 0 };
	size_t n;
	uint64_t modseq, tick;

	assert_int_equal(view_open(s, WHO, INBOX_ID, &v, NULL), RC_OK);
	assert_int_equal(view_now(v, &before, NULL), RC_OK);
	tick = view_tick(v);
	assert_int_equal(
		change_expunge(s, inbox, away, 3, gone, &n, &modseq, NULL), RC_OK);
	assert_true(view_tick(v) != tick);
	assert_int_equal(view_now(v, &after, NULL), RC_OK);
	assert_int_equal(view_list_count(before.list), 5);
	assert_int_equal(view_list_count(after.list), 2);
	assert_int_equal(after.modseq, modseq);
	assert_int_equal(
		view_vanished(v, before.modseq, on_vanished, &left, NULL), RC_OK);
	assert_int_equal(left.n, 3);
	assert_int_equal(left.sum, 7);
	view_list_drop(&before.list);
	view_list_drop(&after.list);
	view_close(&v);
	store_close(&s);
}

/* All that was committed. */
static bool
is_on_disk(struct store *s)
{
	struct shard *sh = shard_of(s, WHO);

	return atomic_load(&sh->sync.synced) >= atomic_load(&sh->sync.made);
}

TEST(what_was_answered_is_on_disk)
{
	static const uint32_t uids[] = { 1, 2, 3 };
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 3);
	uint32_t from[3], to[3];
	struct change_copied out = { .from = from, .to = to };
	uint64_t modseq;
	size_t n;

	assert_false(is_on_disk(s)); /* deliveries are in the journal */
	(void)set(s, uids, 1, CHANGE_ADD, STORE_SEEN, "");
	assert_true(is_on_disk(s));
	assert_int_equal(change_copy(s, inbox, DRAFTS, uids, 1, &out, NULL), RC_OK);
	assert_true(is_on_disk(s));
	assert_int_equal(
		change_move(s, inbox, TRASH, uids, 1, &out, &modseq, NULL), RC_OK);
	assert_true(is_on_disk(s));
	assert_int_equal(
		change_expunge(s, inbox, uids + 1, 1, from, &n, &modseq, NULL), RC_OK);
	assert_true(is_on_disk(s));
	assert_int_equal(mailbox_delete(s, WHO, STR("Sent"), NULL), RC_OK);
	assert_true(is_on_disk(s));
	store_close(&s);
}

TEST(what_is_unmarked_before_an_expunge_stays)
{
	static const uint32_t three[] = { 1, 2, 3 }, two = 2;
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 3);
	uint32_t gone[3];
	uint64_t modseq;
	size_t n;

	(void)set(s, three, 3, CHANGE_ADD, STORE_DELETED, "");
	(void)set(s, &two, 1, CHANGE_REMOVE, STORE_DELETED, "");
	assert_int_equal(
		change_expunge_marked(s, inbox, three, 3, gone, &n, &modseq, NULL),
		RC_OK);
	assert_int_equal(n, 2);
	assert_int_equal(gone[0], 1);
	assert_int_equal(gone[1], 3);
	assert_int_equal(
		change_expunge_marked(s, inbox, &two, 1, gone, &n, &modseq, NULL), RC_OK);
	assert_int_equal(n, 0);
	assert_true(is_on_disk(s));
	store_close(&s);
}

TEST(what_a_reader_says_of_junk_is_learned)
{
	static const uint32_t one = 1;
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 1);
	uint32_t from, to;
	struct change_copied out = { .from = &from, .to = &to };
	uint64_t modseq;
	struct store_place junk = { WHO, JUNK };

	(void)set(s, &one, 1, CHANGE_ADD, 0, "$junk");
	expect_lesson(s, 1, 0);
	(void)set(s, &one, 1, CHANGE_ADD, STORE_SEEN, "$Junk"); /* it had that */
	(void)set(s, &one, 1, CHANGE_SET, 0, "");
	expect_lesson(s, 1, 0);
	(void)set(s, &one, 1, CHANGE_SET, 0, "$NotJunk");
	expect_lesson(s, 0, 1);
	(void)set(s, &one, 1, CHANGE_SET, 0, "");
	(void)set(s, &one, 1, CHANGE_SET, 0, "$Junk $NotJunk"); /* what is it now? */
	expect_lesson(s, 0, 1);
	assert_int_equal(
		change_move(s, inbox, JUNK, &one, 1, &out, &modseq, NULL), RC_OK);
	expect_lesson(s, 1, 0);
	assert_int_equal(change_copy(s, junk, TRASH, &one, 1, &out, NULL), RC_OK);
	assert_int_equal(change_copy(s, junk, JUNK, &one, 1, &out, NULL), RC_OK);
	expect_lesson(s, 1, 0);
	assert_int_equal(
		change_move(s, junk, INBOX_ID, &one, 1, &out, &modseq, NULL), RC_OK);
	expect_lesson(s, 0, 1);
	store_close(&s);
}

enum { HANDS = 4, ROUNDS = 25 };

static void *
shuffle(void *arg)
{
	struct store *s = arg;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t uids[UIDS], from[UIDS], to[UIDS];
		struct change_copied out = { .from = from, .to = to };
		struct change_flags c = { .how = i % 2 ? CHANGE_ADD : CHANGE_REMOVE,
			.flags = STORE_SEEN,
			.keywords = STR("k") };
		uint64_t modseq;

		for (uint32_t k = 0; k < UIDS; k++)
			uids[k] = i * 4 + k + 1;
		if (change_flags(s, inbox, uids, UIDS, &c, &modseq, NULL, NULL, NULL) !=
				RC_OK ||
			change_move(s, inbox, i % 2 ? INBOX_ID : DRAFTS, uids, 3, &out,
				&modseq, NULL) != RC_OK ||
			change_move(s, (struct store_place){ WHO, DRAFTS }, INBOX_ID,
				uids, UIDS, &out, &modseq, NULL) != RC_OK)
			abort();
	}
	return NULL;
}

TEST(many_hands_in_one_mailbox_lose_nothing)
{
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, UIDS);
	pthread_t t[HANDS];

	for (size_t i = 0; i < HANDS; i++)
		t[i] = thread_start("hand", shuffle, s);
	for (size_t i = 0; i < HANDS; i++)
		(void)pthread_join(t[i], NULL);
	assert_int_equal(messages_of(s, WHO), UIDS);
	sound(s);
	store_close(&s);
}
