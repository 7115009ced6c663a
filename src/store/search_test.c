/* SPDX-License-Identifier: ISC */
#include "store/search.h"

#include "store/learn.h"
#include "store/search_words.h"
#include "store/testing.h"
#include "wire/sortkey.h"

static struct search *
open_search(int data)
{
	struct search *s;
	struct err err = { 0 };

	if (search_open(&(struct search_want){ .data = data, .cache_bytes = 65536 }, &s,
		    &err) != RC_OK)
		fail_msg("%s", err.text);
	return s;
}

static struct search_doc
doc(const char *id, uint64_t modseq, const char *head, const char *text)
{
	struct search_doc d = { .modseq = modseq,
		.unread = text == NULL,
		.head = str_of(head),
		.text = str_of(text) };

	(void)snprintf(d.id.text, sizeof(d.id.text), "%s", id);
	return d;
}

static void
add(struct search *s, uint64_t account, const struct search_doc *list, size_t n)
{
	assert_int_equal(
		search_add(s, &(struct search_news){ account, list, n }, 1, NULL), RC_OK);
}

static void
add_one(struct search *s, uint64_t account, const char *id, uint64_t modseq,
	const char *head, const char *text)
{
	struct search_doc d = doc(id, modseq, head, text);

	add(s, account, &d, 1);
}

enum { HEAD = 1, TEXT = 2, BOTH = 3 };

/* One message and one text, as it is written. */
static enum search_says
says(struct search *s, uint64_t account, const char *id, unsigned where,
	const char *field, const char *what)
{
	BUF_AUTO folded = BUF(4096);
	struct search_key k = { (where & HEAD) != 0, (where & TEXT) != 0, str_of(field),
		{ 0 } };
	struct msg_id at = { 0 };
	uint8_t got = 99;

	sortkey_fold(str_of(what), &folded);
	k.what = buf_str(&folded);
	(void)snprintf(at.text, sizeof(at.text), "%s", id);
	assert_int_equal(search_look(s, account, &at, 1, &k, 1, &got, NULL), RC_OK);
	return got;
}

TEST(a_piece_of_a_word_is_found_in_the_messages_of_its_own_account_only)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);

	add_one(s, 5, "A1", 10, "Subject: Hello\nFrom: anna@x.test\n",
		"the quick brown fox");
	add_one(s, 21, "B1", 11, "", "the quick red fox"); /* same shard */
	add_one(s, 5, "A2", 12, "",
		"Gr\xc3\xbc\xc3\x9f"
		"e and quick");
	assert_int_equal(says(s, 5, "A1", TEXT, "", "UIC"), SEARCH_YES);
	assert_int_equal(says(s, 5, "A2", TEXT, "", "quick"), SEARCH_YES);
	assert_int_equal(says(s, 5, "A2", TEXT, "", "brown"), SEARCH_NO);
	assert_int_equal(says(s, 5, "A2", TEXT, "", "gr\xc3\x9c\xc3\x9f"), SEARCH_YES);
	assert_int_equal(says(s, 5, "B1", TEXT, "", "quick"), SEARCH_MAYBE);
	assert_int_equal(says(s, 21, "B1", TEXT, "", "red"), SEARCH_YES);
	assert_int_equal(says(s, 5, "A1", TEXT, "", "anna"), SEARCH_NO);
	assert_int_equal(says(s, 5, "A1", BOTH, "", "anna"), SEARCH_YES);
	assert_int_equal(says(s, 5, "A1", HEAD, "", "quick"), SEARCH_NO);
	search_close(&s);
}

TEST(a_field_is_searched_alone_and_without_its_name)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);

	add_one(s, 1, "A1", 10,
		"Subject: One two\nFrom: Fred <fred@x.test>\nX-Empty: \n"
		"Subject: three\n\tContent-Type: text/plain\n",
		"body");
	assert_int_equal(says(s, 1, "A1", HEAD, "subject", "one TWO"), SEARCH_YES);
	assert_int_equal(says(s, 1, "A1", HEAD, "SUBJECT", "three"), SEARCH_YES);
	assert_int_equal(says(s, 1, "A1", HEAD, "subject", "subj"), SEARCH_NO);
	assert_int_equal(says(s, 1, "A1", HEAD, "subject", "fred"), SEARCH_NO);
	assert_int_equal(says(s, 1, "A1", HEAD, "from", "fred"), SEARCH_YES);
	assert_int_equal(says(s, 1, "A1", HEAD, "sub", "three"), SEARCH_NO);
	assert_int_equal(says(s, 1, "A1", HEAD, "", "subject: one"), SEARCH_YES);
	assert_int_equal(says(s, 1, "A1", HEAD, "", "two\nfrom"), SEARCH_NO);
	/* it is there, or it is not */
	assert_int_equal(says(s, 1, "A1", HEAD, "x-empty", ""), SEARCH_YES);
	assert_int_equal(says(s, 1, "A1", HEAD, "cc", ""), SEARCH_NO);
	/* a part's field is none of the message's */
	assert_int_equal(says(s, 1, "A1", HEAD, "content-type", ""), SEARCH_NO);
	assert_int_equal(says(s, 1, "A1", HEAD, "", "text/plain"), SEARCH_YES);
	search_close(&s);
}

TEST(several_words_in_a_text_are_never_sure)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);

	add_one(s, 1, "A1", 10, "Subject: x\n", "the quick\nbrown fox");
	assert_int_equal(says(s, 1, "A1", TEXT, "", "quick brown"), SEARCH_MAYBE);
	assert_int_equal(says(s, 1, "A1", TEXT, "", "ick br"), SEARCH_MAYBE);
	assert_int_equal(says(s, 1, "A1", TEXT, "", "quick green"), SEARCH_NO);
	assert_int_equal(says(s, 1, "A1", TEXT, "", " quick"), SEARCH_MAYBE);
	assert_int_equal(says(s, 1, "A1", TEXT, "", "quickbrown"), SEARCH_NO);
	assert_int_equal(says(s, 1, "A1", TEXT, "", ""), SEARCH_YES);
	search_close(&s);
}

TEST(what_is_not_all_there_is_never_surely_without_a_word)
{
	static char text[SEARCH_TEXT_MOST + 10];
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);
	struct search_doc d[3] = { doc("A1", 1, "", NULL), doc("A2", 2, "", "some"),
		doc("A3", 3, "", "") };

	memset(text, 'x', sizeof(text));
	d[1].cut = true;
	d[2].text = (str){ text, sizeof(text) };
	add(s, 1, d, 3);
	assert_int_equal(says(s, 1, "A1", BOTH, "", "some"), SEARCH_MAYBE);
	assert_int_equal(says(s, 1, "A2", BOTH, "", "some"), SEARCH_YES);
	assert_int_equal(says(s, 1, "A2", BOTH, "", "other"), SEARCH_MAYBE);
	assert_int_equal(says(s, 1, "A3", BOTH, "", "xxx"), SEARCH_YES);
	assert_int_equal(says(s, 1, "A3", BOTH, "", "other"), SEARCH_MAYBE);
	assert_int_equal(says(s, 1, "A4", BOTH, "", "other"), SEARCH_MAYBE);
	search_close(&s);
}

TEST(many_messages_are_looked_at_at_once_whichever_are_asked_for)
{
	static struct search_doc d[400];
	static struct msg_id ids[400];
	static uint8_t got[400 * 2];
	static const size_t steps[] = { 1, 2, 3, 7, 50, 399 };
	const struct search_key keys[2] = { { .text = true, .what = STR("NEEDLE") },
		{ .head = true, .field = STR("subject"), .what = STR("13") } };
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);

	for (size_t i = 0; i < 400; i++) {
		d[i] = doc("", i + 1, i == 13 ? "Subject: 13\n" : "Subject: none\n",
			i % 3 == 0 ? "a needle" : "hay");
		(void)snprintf(d[i].id.text, sizeof(d[i].id.text), "%03zu", 2 * i);
	}
	add(s, 3, d, 400);
	for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		size_t n = 0;

		/* every other id is nobody's */
		for (size_t i = 0; i < 800; i += steps[k])
			if (n < 400)
				(void)snprintf(
					ids[n++].text, sizeof(ids[0].text), "%03zu", i);
		assert_int_equal(search_look(s, 3, ids, n, keys, 2, got, NULL), RC_OK);
		for (size_t i = 0; i < n; i++) {
			size_t id = i * steps[k];

			assert_int_equal(got[2 * i], id % 2 != 0       ? SEARCH_MAYBE
						     : id / 2 % 3 == 0 ? SEARCH_YES
								       : SEARCH_NO);
			assert_int_equal(got[2 * i + 1], id % 2 != 0 ? SEARCH_MAYBE
							 : id == 26  ? SEARCH_YES
								     : SEARCH_NO);
		}
	}
	assert_int_equal(search_look(s, 3, ids, 0, keys, 2, got, NULL), RC_OK);
	search_close(&s);
}

TEST(a_text_is_kept_as_its_different_words)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "Hello, World-2!  hello,\r\n\thello", "HELLO,\nWORLD-2!\nHELLO\n" },
		{ "a\xc2\xa0"
		  "b\xe3\x80\x80"
		  "c",
			"A\nB\nC\n" },
		{ "caf\xc3\xa9 cafe\xcc\x81", "CAFE\xcc\x81\n" },
		{ "x\x01y\x7fx", "X\nY\n" },
		{ "\xff", "\xef\xbf\xbd\n" },
		{ "", "" },
		{ " \n", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		BUF_AUTO b = BUF(1000);

		search_words(str_of(rows[i].text), &b);
		assert_string_equal(buf_z(&b), rows[i].words);
	}
}

TEST(thousands_of_different_words_are_all_kept)
{
	BUF_AUTO text = BUF(1 << 20);
	BUF_AUTO words = BUF(1 << 20);

	for (int k = 0; k < 2; k++)
		for (int i = 0; i < 5000; i++)
			buf_addf(&text, "W%d\n", i);
	search_words(buf_str(&text), &words);
	assert_true(str_eq(buf_str(&words), str_first(buf_str(&text), text.len / 2)));
}

TEST(a_text_is_found_wherever_it_stands)
{
	static char hay[5000];
	static const char *const needles[] = { "Q", "ZEBRA", "EEEE", "EEEEB", "<A",
		"\xc3\xa9x", "E" };

	for (size_t k = 0; k < sizeof(needles) / sizeof(needles[0]); k++) {
		str what = str_of(needles[k]);

		for (size_t at = 0; at + what.len <= sizeof(hay); at += 499) {
			memset(hay, needles[k][0] == 'E' ? 'X' : 'E', sizeof(hay));
			assert_false(search_has((str){ hay, sizeof(hay) }, what) &&
				     strcmp(needles[k], "E") != 0);
			memcpy(hay + at, what.ptr, what.len);
			assert_true(search_has((str){ hay, sizeof(hay) }, what));
			assert_true(search_has((str){ hay + at, what.len }, what));
			assert_false(search_has((str){ hay + at, what.len - 1 }, what));
		}
	}
	assert_true(search_has(STR(""), STR("")));
}

TEST(a_message_is_taken_once_however_often_it_is_given)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);
	uint64_t mark;

	add_one(s, 1, "A1", 10, "", "one");
	add_one(s, 1, "A1", 10, "", "two");
	assert_int_equal(search_mark(s, 1, &mark, NULL), RC_OK);
	assert_int_equal(mark, 10);
	search_close(&s);
	s = open_search(data);
	add_one(s, 1, "A1", 10, "", "three");
	add_one(s, 1, "A2", 11, "", "four");
	assert_int_equal(says(s, 1, "A1", TEXT, "", "one"), SEARCH_YES);
	assert_int_equal(says(s, 1, "A2", TEXT, "", "four"), SEARCH_YES);
	search_close(&s);
}

TEST(what_is_gone_is_found_by_nobody)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);
	struct msg_id gone = { "A1" };
	uint64_t mark;

	add_one(s, 1, "A1", 10, "", "one");
	add_one(s, 1, "A2", 11, "", "one");
	add_one(s, 17, "B1", 10, "", "one");
	assert_int_equal(search_remove(s, 1, &gone, 1, NULL), RC_OK);
	assert_int_equal(search_remove(s, 1, &gone, 0, NULL), RC_OK);
	assert_int_equal(says(s, 1, "A1", TEXT, "", "one"), SEARCH_MAYBE);
	assert_int_equal(says(s, 1, "A2", TEXT, "", "one"), SEARCH_YES);
	assert_int_equal(search_forget(s, 1, NULL), RC_OK);
	assert_int_equal(says(s, 1, "A2", TEXT, "", "one"), SEARCH_MAYBE);
	assert_int_equal(search_mark(s, 1, &mark, NULL), RC_OK);
	assert_int_equal(mark, 0);
	assert_int_equal(says(s, 17, "B1", TEXT, "", "one"), SEARCH_YES);
	search_close(&s);
}

TEST(a_folder_of_an_older_version_is_made_anew)
{
	FD_AUTO data = data_folder();
	struct db *old;
	uint64_t mark;

	assert_int_equal(fs_mkdirs(data, "search", 0700, NULL), RC_OK);
	assert_int_equal(
		db_open(&(struct db_want){ .dirfd = data, .path = "search/1.db" }, &old,
			NULL),
		RC_OK);
	assert_int_equal(
		db_exec(old,
			"CREATE TABLE doc(id INTEGER PRIMARY KEY);"
			"CREATE TABLE mark(account_id INTEGER PRIMARY KEY, modseq);"
			"INSERT INTO mark VALUES(1, 77); PRAGMA user_version = 1",
			NULL),
		RC_OK);
	db_close(&old);
	struct search *s = open_search(data);
	assert_int_equal(search_mark(s, 1, &mark, NULL), RC_OK);
	assert_int_equal(mark, 0); /* so that everything is read again */
	add_one(s, 1, "A1", 10, "", "one");
	search_close(&s);
	s = open_search(data);
	assert_int_equal(says(s, 1, "A1", TEXT, "", "one"), SEARCH_YES);
	search_close(&s);
}

static enum rc
note_latest(
	uint64_t account, uint64_t modseq, uint64_t highest, void *arg, struct err *err)
{
	uint64_t *sum = arg;

	(void)err;
	assert_true(modseq > 0);
	assert_true(highest >= modseq);
	*sum += account;
	return RC_OK;
}

TEST(full_text_learns_what_is_new_and_fills_in_what_was_not_known)
{
	FD_AUTO data = data_folder();
	struct store *s = open_store(data);
	struct mail a = make_mail(data, "a@x", NULL), b = make_mail(data, "b@x", NULL);
	struct store_newer newer[STORE_NEWER];
	uint64_t sum = 0, first;
	size_t n;

	deliver(s, &a, 1, 7);
	deliver(s, &b, 2, 7);
	assert_int_equal(store_newer(s, 7, 0, newer, &n, NULL), RC_OK);
	assert_int_equal(n, 2);
	assert_string_equal(newer[0].id.text, a.id.text);
	first = newer[0].modseq;
	assert_int_equal(store_newer(s, 7, first, newer, &n, NULL), RC_OK);
	assert_int_equal(n, 1);
	assert_string_equal(newer[0].id.text, b.id.text);
	assert_true(newer[0].facts_missing);
	struct fact_part part = { .kind = FACT_LEAF,
		.body_at = 10,
		.end = 20,
		.type = STR("text"),
		.subtype = STR("plain"),
		.text = true };
	struct facts f = { .date_s = 5,
		.structure = { 1, &part },
		.known_preview = true,
		.preview = STR("hello there"),
		.known_head = true };
	assert_int_equal(store_learn(s, 7, &b.id, &f, NULL), RC_OK);
	assert_int_equal(store_newer(s, 7, first, newer, &n, NULL), RC_OK);
	assert_false(newer[0].facts_missing);
	assert_int_equal(store_latest(s, note_latest, &sum, NULL), RC_OK);
	assert_int_equal(sum, 7);
	store_close(&s);
	buf_free(&a.facts);
	buf_free(&b.facts);
}

TEST(mail_of_many_accounts_entered_at_once_is_found_by_its_own_people_only)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);
	const struct search_doc docs[] = { doc("A1", 4, "", "apple pear"),
		doc("B1", 9, "", "apple plum"), doc("B2", 10, "", "plum") };
	const struct search_news news[] = { { 3, &docs[0], 1 },
		{ 3 + STORE_SHARDS, &docs[1], 2 } };
	uint64_t mark;

	assert_int_equal(search_add(s, news, 2, NULL), RC_OK);
	assert_int_equal(search_add(s, news, 0, NULL), RC_OK);
	assert_int_equal(says(s, 3, "A1", TEXT, "", "apple"), SEARCH_YES);
	assert_int_equal(says(s, 3, "B1", TEXT, "", "apple"), SEARCH_MAYBE);
	assert_int_equal(says(s, 3 + STORE_SHARDS, "B2", TEXT, "", "plum"), SEARCH_YES);
	assert_int_equal(search_mark(s, 3 + STORE_SHARDS, &mark, NULL), RC_OK);
	assert_int_equal(mark, 10);
	search_close(&s);
}
