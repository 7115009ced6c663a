/* SPDX-License-Identifier: ISC */
#include "store/marks.h"

#include "store/change_int.h"
#include "store/mailbox.h"
#include "store/testing.h"
#include "store/view.h"

enum { WHO = 7, DRAFTS = 2 };

static const struct store_place inbox = { WHO, INBOX_ID };

static void
expect_same(const struct mark *a, const struct mark *b)
{
	for (size_t i = 0; i < MARKS_BLOCK; i++) {
		assert_int_equal(a[i].set, b[i].set);
		assert_int_equal(a[i].flags, b[i].flags);
		assert_int_equal(a[i].modseq, b[i].modseq);
		assert_true(str_eq(a[i].keywords, b[i].keywords));
	}
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

TEST(flags_are_read_as_they_were_written)
{
	static const char *const words[] = { "", "$Forwarded", "a", "a b", "\xc3\xa4" };
	uint32_t seed = 1;

	for (unsigned round = 0; round < 2000; round++) {
		struct mark was[MARKS_BLOCK] = { 0 }, is[MARKS_BLOCK];
		BUF_AUTO b = BUF(1 << 20);
		unsigned likely = next(&seed) % 5, alike = next(&seed) % 5;

		for (size_t i = 0; i < MARKS_BLOCK; i++) {
			if (i > 0 && next(&seed) % 4 < alike) {
				was[i] = was[i - 1];
				continue;
			}
			if (next(&seed) % 4 >= likely)
				continue;
			was[i] = (struct mark){ .set = true,
				.flags = next(&seed) % 32,
				.keywords = str_of(words[next(&seed) % 5]),
				.modseq = (uint64_t)next(&seed) << next(&seed) % 38 };
		}
		marks_pack(was, &b);
		assert_true(marks_unpack(buf_str(&b), is));
		expect_same(was, is);
		/* cut off anywhere it is another state or damaged, and read to its end only */
		for (size_t n = 0; n < b.len && round < 50; n++)
			(void)!marks_unpack(str_first(buf_str(&b), n), is);
	}
}

TEST(a_damaged_row_of_flags_is_not_taken_for_flags)
{
	static const struct {
		const char *what;
		str data;
	} rows[] = {
		{ "nothing", STR_INIT("") },
		{ "another form", STR_INIT("\2\0") },
		{ "a word that is longer than the row", STR_INIT("\1\1\5ab") },
		{ "more words than messages", STR_INIT("\1\xff\1") },
		{ "half a run", STR_INIT("\1\0\0\1\1") },
		{ "an empty run", STR_INIT("\1\0\0\0\1\2") },
		{ "a run past the block", STR_INIT("\1\0\177\2\1\2") },
		{ "a gap past the block", STR_INIT("\1\0\x81\1\1\1\2") },
		{ "keywords that are not there", STR_INIT("\1\0\0\1\x20\2") },
		{ "a number without end",
			STR_INIT("\1\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1") },
	};
	struct mark at[MARKS_BLOCK];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (marks_unpack(rows[i].data, at))
			fail_msg("%s was taken", rows[i].what);
}

static struct store *
store_with(int data, uint32_t n)
{
	struct store *s = open_store(data);

	assert_int_equal(store_account_make(s, WHO, NULL), RC_OK);
	for (uint32_t i = 1; i <= n; i++) {
		struct mail m = make_mail(data, "a@x", NULL);

		deliver(s, &m, i, WHO);
		buf_free(&m.facts);
	}
	return s;
}

static void
mark(struct store *s, uint32_t first, uint32_t last, unsigned flags, const char *keywords)
{
	struct change_flags c = {
		.how = CHANGE_SET, .flags = flags, .keywords = str_of(keywords)
	};
	uint32_t uids[FLAGS_MOST];
	uint64_t modseq;
	size_t n = 0;

	for (uint32_t uid = first; uid <= last; uid++)
		uids[n++] = uid;
	assert_int_equal(
		change_flags(s, inbox, uids, n, &c, &modseq, NULL, NULL, NULL), RC_OK);
}

/* "uid:flags:keywords:modseq ", from the index. */
static void
show(struct store **sp, int data, uint64_t mailbox, struct buf *b)
{
	struct view *v;
	struct view_now now;
	struct view_row r;

	store_close(sp);
	*sp = open_store(data);
	assert_int_equal(view_open(*sp, WHO, mailbox, &v, NULL), RC_OK);
	assert_int_equal(view_now(v, &now, NULL), RC_OK);
	for (size_t i = 1; i <= view_list_count(now.list); i++) {
		uint32_t uid = view_list_uid(now.list, i);

		view_rows(v, &uid, 1, &r);
		buf_addf(b, "%u:%u:" STR_FMT " ", uid, r.flags, STR_ARG(r.keywords));
	}
	view_list_drop(&now.list);
	view_close(&v);
}

static uint64_t
rows_of_marks(struct store *s)
{
	struct db_stmt *q = db_prepare(
		shard_of(s, WHO)->db, "SELECT count(*) FROM mailbox_mark", NULL);
	uint64_t n;

	assert_int_equal(db_step(q, NULL), RC_OK);
	n = db_u64(q, 0);
	db_reset(q);
	return n;
}

TEST(flags_over_many_rows_are_there_after_a_restart)
{
	BUF_AUTO want = BUF(1 << 16);
	BUF_AUTO is = BUF(1 << 16);
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 300);

	mark(s, 100, 270, STORE_SEEN, "a b");
	mark(s, 128, 128, STORE_FLAGGED, "");
	mark(s, 299, 300, STORE_SEEN | STORE_DELETED, "a");
	for (uint32_t uid = 1; uid <= 300; uid++)
		buf_addf(&want, "%u:%s ", uid,
			uid == 128                 ? "4:"
			: uid >= 100 && uid <= 270 ? "1:a b"
			: uid >= 299               ? "9:a"
						   : "0:");
	show(&s, data, INBOX_ID, &is);
	assert_string_equal(buf_z(&is), buf_z(&want));
	sound(s);
	store_close(&s);
}

TEST(flags_go_with_a_message_and_their_rows_with_the_last_one)
{
	static const uint32_t part[] = { 2, 3 };
	uint32_t from[300], to[300], all[298];
	struct change_copied out = { .from = from, .to = to };
	uint64_t modseq;
	BUF_AUTO is = BUF(1 << 16);
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 300);

	mark(s, 1, 300, STORE_FLAGGED, "k");
	assert_int_equal(rows_of_marks(s), 3);
	assert_int_equal(
		change_move(s, inbox, DRAFTS, part, 2, &out, &modseq, NULL), RC_OK);
	assert_int_equal(rows_of_marks(s), 3);
	show(&s, data, DRAFTS, &is);
	assert_string_equal(buf_z(&is), "1:4:k 2:4:k ");
	for (uint32_t i = 0; i < 298; i++)
		all[i] = i == 0 ? 1 : i + 3;
	assert_int_equal(
		change_move(s, inbox, DRAFTS, all, 298, &out, &modseq, NULL), RC_OK);
	assert_int_equal(rows_of_marks(s), 0);
	sound(s);
	store_close(&s);
}

TEST(a_store_that_is_renewed_gives_every_flag_a_new_modseq)
{
	uint64_t before = 0;
	FD_AUTO data = data_folder();
	struct store *s = store_with(data, 200);
	struct view *v;
	struct view_row r;

	mark(s, 1, 150, STORE_FLAGGED, "k");
	for (uint32_t uid = 1; uid <= 200; uid++) {
		if (uid == 1 || uid == 101) {
			if (uid == 101)
				assert_int_equal(store_renew(s, NULL), RC_OK);
			store_close(&s);
			s = open_store(data);
		}
		assert_int_equal(view_open(s, WHO, INBOX_ID, &v, NULL), RC_OK);
		view_rows(v, &uid, 1, &r);
		if (uid <= 100 && r.modseq > before)
			before = r.modseq;
		if (uid > 100)
			assert_true(r.modseq > before);
		assert_int_equal(r.flags, uid <= 150 ? STORE_FLAGGED : 0);
		view_close(&v);
	}
	store_close(&s);
}
