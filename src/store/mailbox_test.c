/* SPDX-License-Identifier: ISC */
#include "store/mailbox_int.h"
#include "store/testing.h"
#include "store/view.h"

enum { WHO = 7 };

static struct store *
new_store(int data)
{
	struct store *s = open_store(data);

	assert_int_equal(store_account_make(s, WHO, NULL), RC_OK);
	return s;
}

static enum rc
make(struct store *s, const char *name)
{
	uint64_t id;

	return mailbox_create(s, WHO, str_of(name), STR(""), &id, NULL);
}

static enum rc
rename_to(struct store *s, const char *from, const char *to)
{
	return mailbox_rename(s, WHO, str_of(from), str_of(to), NULL);
}

/* All names, "+" where subscribed, but for those made with the account. */
static void
expect(struct store *s, const char *want)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	BUF_AUTO b = BUF(1 << 16);
	struct mailbox *list;
	str *lost;
	size_t n;

	assert_int_equal(mailbox_list(s, WHO, false, mem, &list, &n, NULL), RC_OK);
	for (size_t i = 0; i < n; i++)
		if (list[i].id > 6)
			buf_addf(&b, STR_FMT "%s ", STR_ARG(list[i].name),
				list[i].subscribed ? "+" : "");
	assert_int_equal(mailbox_lost_subscriptions(s, WHO, mem, &lost, &n, NULL), RC_OK);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "(" STR_FMT ") ", STR_ARG(lost[i]));
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

TEST(a_mailbox_is_made_once_and_only_under_a_name_that_can_be)
{
	static const struct {
		const char *name;
		enum rc rc;
	} names[] = {
		{ "a", RC_OK },
		{ "a", RC_BAD },
		{ "a/b/c", RC_OK },
		{ "a/b", RC_OK },
		{ "inbox", RC_BAD },
		{ "Sent", RC_BAD },
		{ "sent", RC_OK },
		{ "", RC_PERM },
		{ "/", RC_PERM },
		{ "/a", RC_PERM },
		{ "x/", RC_PERM },
		{ "x//y", RC_PERM },
		{ "x\ny", RC_PERM },
		{ "M\xc3\xbcll", RC_OK },
		{ "a b", RC_OK },
	};
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	char deep[200] = "", wide[1002];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(make(s, names[i].name), names[i].rc);
	for (size_t i = 0; i < 66; i += 2)
		memcpy(deep + i, i < 64 ? "d/" : "d", 2);
	assert_int_equal(make(s, deep), RC_PERM);
	deep[63] = '\0';
	assert_int_equal(make(s, deep), RC_OK);
	memset(wide, 'w', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	assert_int_equal(make(s, wide), RC_PERM);
	sound(s);
	store_close(&s);
}

TEST(ids_and_uidvalidities_are_never_used_again)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct mailbox *list, first, second;
	size_t n;

	assert_int_equal(make(s, "a"), RC_OK);
	first = box(s, "a", mem);
	assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_OK);
	assert_int_equal(mailbox_prune(s, UINT32_MAX * 4000ull, NULL), RC_OK);
	store_close(&s);
	s = open_store(data);
	assert_int_equal(make(s, "a"), RC_OK);
	second = box(s, "a", mem);
	assert_true(second.id > first.id);
	assert_true(second.uidvalidity > first.uidvalidity);
	/* nor those that a power cut took back: they follow the clock */
	clock_set_wall(clock_wall_ms() + 1000 * 1000);
	assert_int_equal(make(s, "b"), RC_OK);
	assert_true(box(s, "b", mem).uidvalidity >= clock_wall_ms() / 1000 - 10);
	clock_set_wall(0);
	assert_int_equal(mailbox_delete(s, WHO, STR("b"), NULL), RC_OK);
	/* not even two that were made together: a name may come to another one */
	assert_int_equal(mailbox_list(s, WHO, false, mem, &list, &n, NULL), RC_OK);
	assert_int_equal(n, 7);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(list[i].uidvalidity, list[k].uidvalidity);
	store_close(&s);
}

TEST(there_is_one_mailbox_for_each_use)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	uint64_t id;
	str as;

	assert_int_equal(
		mailbox_create(s, WHO, STR("Out"), STR("\\Sent"), &id, NULL), RC_PERM);
	assert_int_equal(
		mailbox_create(s, WHO, STR("Out"), STR("\\Odd"), &id, NULL), RC_PERM);
	assert_int_equal(mailbox_delete(s, WHO, STR("Sent"), NULL), RC_OK);
	assert_int_equal(
		mailbox_create(s, WHO, STR("Out"), STR("\\Sent"), &id, NULL), RC_OK);
	assert_string_equal(box(s, "Out", mem).special.ptr, "\\Sent");
	assert_int_equal(mailbox_restore(s, WHO, STR("Sent"), mem, &as, NULL), RC_OK);
	assert_int_equal(box(s, "Sent", mem).special.len, 0);
	/* and where its use is free again, it is used so again */
	assert_int_equal(mailbox_delete(s, WHO, STR("Trash"), NULL), RC_OK);
	assert_int_equal(mailbox_restore(s, WHO, STR("Trash"), mem, &as, NULL), RC_OK);
	assert_string_equal(box(s, "Trash", mem).special.ptr, "\\Trash");
	store_close(&s);
}

TEST(what_is_below_a_name_moves_with_it)
{
	static const struct {
		const char *from, *to;
		enum rc rc;
		const char *after;
	} steps[] = {
		{ "a", "a/x", RC_PERM, "a a b a/b a/b/c a0 q/r " },
		{ "a", "a", RC_BAD, "a a b a/b a/b/c a0 q/r " },
		{ "a", "a0", RC_BAD, "a a b a/b a/b/c a0 q/r " },
		{ "none", "z", RC_NONE, "a a b a/b a/b/c a0 q/r " },
		{ "a", "x/", RC_PERM, "a a b a/b a/b/c a0 q/r " },
		{ "a", "INBOX", RC_BAD, "a a b a/b a/b/c a0 q/r " },
		{ "a", "z", RC_OK, "a b a0 q/r z z/b z/b/c " },
		{ "q", "p", RC_OK,
			"a b a0 p/r z z/b z/b/c " }, /* a level of a name only */
		{ "z/b", "r", RC_OK, "a b a0 p/r r r/c z " },
		{ "r", "p/r", RC_BAD, "a b a0 p/r r r/c z " },
		{ "r", "INBOX/r", RC_OK, "INBOX/r INBOX/r/c a b a0 p/r z " },
	};
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);

	for (const char *const *n = (const char *const[]){ "a", "a b", "a/b", "a/b/c",
		     "a0", "q/r", NULL };
		*n != NULL; n++)
		assert_int_equal(make(s, *n), RC_OK);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(rename_to(s, steps[i].from, steps[i].to), steps[i].rc);
		expect(s, steps[i].after);
	}
	sound(s);
	store_close(&s);
}

TEST(names_that_come_to_others_of_the_same_move_do_not_collide)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);

	assert_int_equal(make(s, "a/b"), RC_OK);
	assert_int_equal(make(s, "a/b/b"), RC_OK);
	assert_int_equal(make(s, "a/b/b/z"), RC_OK);
	assert_int_equal(make(s, "a/b/z"), RC_OK);
	assert_int_equal(rename_to(s, "a/b", "a"), RC_OK);
	expect(s, "a a/b a/b/z a/z ");
	assert_int_equal(make(s, "c/z"), RC_OK);
	assert_int_equal(rename_to(s, "a", "c"), RC_BAD); /* c/z is there */
	expect(s, "a a/b a/b/z a/z c/z ");
	store_close(&s);
}

TEST(a_name_that_would_be_too_long_below_moves_nothing)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	char name[900];

	memset(name, 'n', sizeof(name));
	memcpy(name, "a/", 2);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(make(s, "a"), RC_OK);
	assert_int_equal(make(s, name), RC_OK);
	memset(name, 'm', 200);
	name[200] = '\0';
	assert_int_equal(rename_to(s, "a", name), RC_PERM);
	assert_int_equal(rename_to(s, "a", "b"), RC_OK);
	store_close(&s);
}

TEST(renaming_inbox_moves_its_mail_and_leaves_it)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct mailbox inbox;
	uint32_t from[40], to[40], uids[40];
	struct change_copied out = { .from = from, .to = to };

	fill(s, data, 40);
	/* more than one round: 40, and 40 copies of each */
	for (uint32_t i = 0; i < 40; i++)
		uids[i] = i + 1;
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(change_copy(s, (struct store_place){ WHO, INBOX_ID },
					 INBOX_ID, uids, 40, &out, NULL),
			RC_OK);
	assert_int_equal(make(s, "INBOX/below"), RC_OK);
	inbox = box(s, "INBOX", mem);
	assert_int_equal(inbox.messages, 1640);
	assert_int_equal(rename_to(s, "inbox", "old/2026"), RC_OK);
	assert_int_equal(box(s, "INBOX", mem).messages, 0);
	assert_int_equal(box(s, "INBOX", mem).id, inbox.id);
	assert_int_equal(box(s, "INBOX", mem).uidvalidity, inbox.uidvalidity);
	assert_int_equal(box(s, "INBOX", mem).uidnext, 1641);
	assert_int_equal(box(s, "old/2026", mem).messages, 1640);
	assert_int_equal(box(s, "old/2026", mem).unseen, 1640);
	assert_int_equal(box(s, "old/2026", mem).modseq, box(s, "INBOX", mem).modseq);
	expect(s, "INBOX/below old/2026 ");
	assert_int_equal(rename_to(s, "INBOX", "old/2026"), RC_BAD);
	assert_int_equal(messages_of(s, WHO), 40);
	sound(s);
	store_close(&s);
}

struct seen_gone {
	struct buf b;
	unsigned n;
};

static enum rc
on_gone(uint64_t id, str name, uint64_t deleted_ms, uint64_t messages, void *arg,
	struct err *err)
{
	struct seen_gone *g = arg;

	(void)err;
	assert_true(id > 0 && deleted_ms > 0);
	buf_addf(&g->b, STR_FMT ":%" PRIu64 " ", STR_ARG(name), messages);
	g->n++;
	return RC_OK;
}

static void
expect_gone(struct store *s, const char *want)
{
	struct seen_gone g = { .b = BUF(4096) };

	assert_int_equal(mailbox_gone(s, WHO, on_gone, &g, NULL), RC_OK);
	assert_string_equal(buf_z(&g.b), want);
	buf_free(&g.b);
}

TEST(a_deleted_mailbox_comes_back_with_its_mail)
{
	static const uint32_t uids[] = { 1, 2 };
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	uint32_t from[2], to[2];
	struct change_copied out = { .from = from, .to = to };
	struct mailbox was, is;
	struct view *v;
	struct view_now now;
	uint64_t modseq;
	str as;

	fill(s, data, 3);
	assert_int_equal(make(s, "a"), RC_OK);
	was = box(s, "a", mem);
	assert_int_equal(change_move(s, (struct store_place){ WHO, INBOX_ID }, was.id,
				 uids, 2, &out, &modseq, NULL),
		RC_OK);
	assert_int_equal(view_open(s, WHO, was.id, &v, NULL), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_OK);
	assert_int_equal(view_now(v, &now, NULL), RC_OK);
	assert_true(now.gone);
	view_list_drop(&now.list);
	view_close(&v);
	assert_int_equal(view_open(s, WHO, was.id, &v, NULL), RC_NONE);
	assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_NONE);
	expect(s, "");
	expect_gone(s, "a:2 ");
	assert_int_equal(messages_of(s, WHO), 3);
	sound(s);
	store_close(&s);
	s = open_store(data);
	assert_int_equal(mailbox_restore(s, WHO, STR("a"), mem, &as, NULL), RC_OK);
	assert_string_equal(as.ptr, "a");
	is = box(s, "a", mem);
	assert_int_equal(is.id, was.id);
	assert_int_equal(is.uidvalidity, was.uidvalidity);
	assert_int_equal(is.messages, 2);
	assert_int_equal(is.uidnext, 3);
	assert_true(is.modseq > modseq);
	assert_int_equal(view_open(s, WHO, was.id, &v, NULL), RC_OK);
	view_close(&v);
	expect_gone(s, "");
	assert_int_equal(mailbox_restore(s, WHO, STR("a"), mem, &as, NULL), RC_NONE);
	sound(s);
	store_close(&s);
}

TEST(a_mailbox_comes_back_beside_a_new_one_of_its_name)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	str as;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(make(s, "a"), RC_OK);
		assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_OK);
	}
	assert_int_equal(make(s, "a"), RC_OK);
	assert_int_equal(mailbox_restore(s, WHO, STR("a"), mem, &as, NULL), RC_OK);
	assert_string_equal(as.ptr, "a (restored)");
	assert_int_equal(mailbox_restore(s, WHO, STR("a"), mem, &as, NULL), RC_OK);
	assert_string_equal(as.ptr, "a (restored 2)");
	/* its name free, but the level above deleted: it is a part of the name */
	assert_int_equal(make(s, "p"), RC_OK);
	assert_int_equal(make(s, "p/q"), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("p/q"), NULL), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("p"), NULL), RC_OK);
	assert_int_equal(mailbox_restore(s, WHO, STR("p/q"), mem, &as, NULL), RC_OK);
	expect(s, "a a (restored 2) a (restored) p/q ");
	expect_gone(s, "p:0 a:0 ");
	assert_int_equal(mailbox_delete(s, WHO, STR("inbox"), NULL), RC_PERM);
	store_close(&s);
}

TEST(a_subscription_stays_when_its_mailbox_goes)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	str as;

	assert_int_equal(make(s, "a"), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("a"), true, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("a"), true, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("never"), true, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("x//y"), true, NULL), RC_PERM);
	expect(s, "a+ (never) ");
	assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_OK);
	expect(s, "(a) (never) ");
	assert_int_equal(make(s, "never"), RC_OK);
	expect(s, "never+ (a) ");
	assert_int_equal(mailbox_restore(s, WHO, STR("a"), mem, &as, NULL), RC_OK);
	expect(s, "a+ never+ ");
	/* deleted unsubscribed, and its name subscribed afterwards */
	assert_int_equal(make(s, "z"), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("z"), NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("z"), true, NULL), RC_OK);
	assert_int_equal(mailbox_restore(s, WHO, STR("z"), mem, &as, NULL), RC_OK);
	expect(s, "a+ never+ z+ ");
	assert_int_equal(mailbox_subscribe(s, WHO, STR("z"), false, NULL), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("z"), NULL), RC_OK);
	/* the old name was not said to be let go of, the new one must be seen */
	assert_int_equal(rename_to(s, "a", "b"), RC_OK);
	expect(s, "b+ never+ (a) ");
	assert_int_equal(mailbox_subscribe(s, WHO, STR("a"), false, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("never"), false, NULL), RC_OK);
	assert_int_equal(mailbox_subscribe(s, WHO, STR("nobody"), false, NULL), RC_OK);
	expect(s, "b+ never ");
	store_close(&s);
}

TEST(what_was_deleted_long_ago_goes_for_good_and_nothing_else)
{
	static const uint32_t uids[] = { 1, 2 };
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	uint32_t from[2], to[2];
	struct change_copied out = { .from = from, .to = to };
	uint64_t id, modseq, now = clock_wall_ms();
	str as;

	fill(s, data, 2);
	for (const char *const *name = (const char *const[]){ "old", "new", NULL };
		*name != NULL; name++) {
		assert_int_equal(
			mailbox_create(s, WHO, str_of(*name), STR(""), &id, NULL), RC_OK);
		assert_int_equal(change_copy(s, (struct store_place){ WHO, INBOX_ID }, id,
					 uids, 1, &out, NULL),
			RC_OK);
		clock_set_wall(now + (**name == 'o' ? 0 : MAILBOX_KEPT_MS));
		assert_int_equal(mailbox_delete(s, WHO, str_of(*name), NULL), RC_OK);
	}
	assert_int_equal(mailbox_prune(s, now, NULL), RC_OK);
	expect_gone(s, "new:1 old:1 ");
	assert_int_equal(mailbox_prune(s, now + 60000, NULL), RC_OK);
	expect_gone(s, "new:1 ");
	assert_int_equal(mailbox_restore(s, WHO, STR("old"), mem, &as, NULL), RC_NONE);
	assert_int_equal(messages_of(s, WHO), 2);
	sound(s);
	/* the last mailbox of a message: its file goes too */
	assert_int_equal(mailbox_create(s, WHO, STR("last"), STR(""), &id, NULL), RC_OK);
	assert_int_equal(change_move(s, (struct store_place){ WHO, INBOX_ID }, id,
				 uids + 1, 1, &out, &modseq, NULL),
		RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("last"), NULL), RC_OK);
	assert_int_equal(messages_of(s, WHO), 2);
	assert_int_equal(mailbox_prune(s, UINT32_MAX * 4000ull, NULL), RC_OK);
	assert_int_equal(messages_of(s, WHO), 1);
	assert_int_equal(store_checkpoint(s, NULL), RC_OK);
	expect_gone(s, "");
	sound(s);
	clock_set_wall(0);
	store_close(&s);
}

TEST(an_account_has_so_many_mailboxes_and_deleted_ones_without_mail_make_room)
{
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	struct shard *sh = shard_of(s, WHO);

	assert_int_equal(make(s, "a"), RC_OK);
	assert_int_equal(mailbox_delete(s, WHO, STR("a"), NULL), RC_OK);
	assert_int_equal(
		db_exec(sh->db,
			"WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n"
			" WHERE i < 10092) INSERT INTO mailbox SELECT 7, i, 'm' || i, '', 0,"
			" 1, 1, 0, 0, 1, 1, 1, 1 FROM n",
			NULL),
		RC_OK);
	assert_int_equal(make(s, "b"), RC_OK);
	expect_gone(s, "");
	assert_int_equal(make(s, "c"), RC_LIMIT);
	assert_int_equal(rename_to(s, "INBOX", "d"), RC_LIMIT);
	assert_int_equal(mailbox_delete(s, WHO, STR("b"), NULL), RC_OK);
	assert_int_equal(make(s, "c"), RC_OK);
	store_close(&s);
}

/* As prune does it, up to a crash after the first round. */
TEST(a_large_mailbox_goes_in_rounds_and_is_sound_between_them)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	FD_AUTO data = data_folder();
	struct store *s = new_store(data);
	uint32_t uids[50], from[50], to[50];
	struct change_copied out = { .from = from, .to = to };

	fill(s, data, 50);
	for (uint32_t i = 0; i < 50; i++)
		uids[i] = i + 1;
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(change_copy(s, (struct store_place){ WHO, INBOX_ID },
					 INBOX_ID, uids, 50, &out, NULL),
			RC_OK);
	assert_int_equal(rename_to(s, "INBOX", "large"), RC_OK);
	assert_int_equal(box(s, "large", mem).messages, 1550);
	assert_int_equal(mailbox_delete(s, WHO, STR("large"), NULL), RC_OK);
	sound(s);
	assert_int_equal(
		mailbox_prune_round(s, WHO, 7, UINT32_MAX * 4000ull, NULL), RC_OK);
	sound(s);
	expect_gone(s, "large:526 ");
	assert_int_equal(mailbox_prune(s, UINT32_MAX * 4000ull, NULL), RC_OK);
	sound(s);
	expect_gone(s, "");
	assert_int_equal(messages_of(s, WHO), 0);
	store_close(&s);
}
