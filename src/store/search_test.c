/* SPDX-License-Identifier: ISC */
#include "store/search.h"

#include "store/learn.h"
#include "store/search_words.h"
#include "store/testing.h"

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

static void
add(struct search *s, uint64_t account, const char *id, uint64_t modseq,
	const char *subject, const char *people, const char *body)
{
	struct search_doc d = { .modseq = modseq,
		.unread = body == NULL,
		.subject = str_of(subject),
		.people = str_of(people),
		.body = str_of(body) };

	(void)snprintf(d.id.text, sizeof(d.id.text), "%s", id);
	assert_int_equal(search_add(s, account, &d, 1, NULL), RC_OK);
}

struct got {
	char ids[4096];
	unsigned unsure;
};

static enum rc
take(const struct msg_id *id, bool sure, void *arg, struct err *err)
{
	struct got *g = arg;
	size_t used = strlen(g->ids);

	(void)err;
	(void)snprintf(g->ids + used, sizeof(g->ids) - used, "%s ", id->text);
	g->unsure += !sure;
	return RC_OK;
}

static struct got
find(struct search *s, uint64_t account, unsigned fields, const char *words)
{
	struct got g = { 0 };
	str rest = str_of(words), at[SEARCH_WORDS];
	size_t n = 0;

	while (n < SEARCH_WORDS && str_cut(&rest, ' ', &at[n]))
		n++;
	assert_int_equal(search_find(s, account, fields, at, n, take, &g, NULL), RC_OK);
	return g;
}

TEST(a_word_finds_the_messages_of_its_own_account_only)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);

	add(s, 5, "A1", 10, "Hello", "anna@x.test", "the quick brown fox");
	add(s, 21, "B1", 11, "Hello", "ben@x.test", "the quick red fox"); /* same shard */
	add(s, 5, "A2", 12, "Other", "carl@x.test",
		"Gr\xc3\xbc\xc3\x9f"
		"e and quick");
	assert_string_equal(find(s, 5, SEARCH_ALL, "quick").ids, "A1 A2 ");
	assert_string_equal(find(s, 21, SEARCH_ALL, "quick").ids, "B1 ");
	assert_string_equal(find(s, 5, SEARCH_ALL, "quick fox").ids, "A1 ");
	assert_string_equal(find(s, 5, SEARCH_SUBJECT, "quick").ids, "");
	assert_string_equal(
		find(s, 5, SEARCH_SUBJECT | SEARCH_PEOPLE, "hello").ids, "A1 ");
	assert_string_equal(find(s, 5, SEARCH_BODY,
				    "gr\xc3\xbc\xc3\x9f"
				    "e")
				    .ids,
		"A2 ");
	search_close(&s);
}

TEST(questions_cannot_be_anything_else_than_words)
{
	static const char *const rows[] = { "\"", "a\" OR body:\"b", "NEAR(", "*",
		"quick*", "body:quick", "{", "AND", "\xff\xfe", "-",
		"'; DROP TABLE doc; --", "quickly-drop (doc" };
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);

	add(s, 1, "A1", 10, "b", "", "quickly drop table doc");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str word = str_of(rows[i]);
		struct got g = { 0 };

		enum rc rc = search_find(s, 1, SEARCH_ALL, &word, 1, take, &g, NULL);
		assert_true(rc == RC_OK || rc == RC_BAD);
		assert_string_equal(g.ids, strstr(rows[i], "doc") != NULL ? "A1 " : "");
	}
	assert_string_equal(find(s, 1, SEARCH_ALL, "drop").ids, "A1 ");
	search_close(&s);
}

TEST(words_are_found_whatever_their_case_accents_or_script)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "Hello, World-2!", "hello world 2 " },
		{ "Stra\xc3\x9f"
		  "e CAF\xc3\x89 caf\x65\xcc\x81",
			"strasse cafe cafe " },
		{ "\xe6\x97\xa5\xe6\x9c\xac x", "\xe6\x97\xa5 \xe6\x9c\xac x " },
		{ "\xd0\x9f\xd0\xa0\xd0\x98", "\xd0\xbf\xd1\x80\xd0\xb8 " },
		{ "a\xe2\x80\x93"
		  "b\xff"
		  "c\xc3",
			"a b c " },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		BUF_AUTO b = BUF(1000);

		search_words(str_of(rows[i].text), &b);
		assert_string_equal(buf_z(&b), rows[i].words);
	}
}

TEST(a_message_is_taken_once_however_often_it_is_given)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);
	uint64_t mark;

	add(s, 1, "A1", 10, "one", "", "x");
	add(s, 1, "A1", 10, "one", "", "x");
	assert_int_equal(search_mark(s, 1, &mark, NULL), RC_OK);
	assert_int_equal(mark, 10);
	search_close(&s);
	s = open_search(data);
	add(s, 1, "A1", 10, "one", "", "x");
	add(s, 1, "A2", 11, "one", "", "y");
	assert_string_equal(find(s, 1, SEARCH_ALL, "one").ids, "A1 A2 ");
	search_close(&s);
}

TEST(what_could_not_be_read_is_always_named_as_unsure)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);

	add(s, 1, "A1", 10, "one", "", "x");
	add(s, 1, "A2", 11, "", "", NULL);
	struct got g = find(s, 1, SEARCH_ALL, "one");
	assert_string_equal(g.ids, "A2 A1 ");
	assert_int_equal(g.unsure, 1);
	search_close(&s);
}

TEST(more_messages_than_are_read_at_once_are_all_found)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);
	struct search_doc d[700];
	char ids[700][24];
	struct got g = { 0 };
	str word = STR("needle");

	for (size_t i = 0; i < 700; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "%03zu", i);
		d[i] = (struct search_doc){ .modseq = i + 1,
			.body = i % 2 == 0 ? STR("a needle") : STR("hay") };
		(void)snprintf(d[i].id.text, sizeof(d[i].id.text), "%s", ids[i]);
	}
	assert_int_equal(search_add(s, 3, d, 700, NULL), RC_OK);
	assert_int_equal(search_find(s, 3, SEARCH_ALL, &word, 1, take, &g, NULL), RC_OK);
	assert_int_equal(strlen(g.ids), 350 * 4);
	search_close(&s);
}

TEST(an_account_that_is_gone_is_found_by_nobody)
{
	FD_AUTO data = data_folder();
	struct search *s = open_search(data);
	uint64_t mark;

	add(s, 1, "A1", 10, "one", "", "x");
	add(s, 17, "B1", 10, "one", "", "x");
	assert_int_equal(search_forget(s, 1, NULL), RC_OK);
	assert_string_equal(find(s, 1, SEARCH_ALL, "one").ids, "");
	assert_int_equal(search_mark(s, 1, &mark, NULL), RC_OK);
	assert_int_equal(mark, 0);
	assert_string_equal(find(s, 17, SEARCH_ALL, "one").ids, "B1 ");
	/* and when there is mail again its words are not another message's */
	add(s, 1, "A2", 5, "two", "", "x");
	assert_string_equal(find(s, 1, SEARCH_ALL, "one").ids, "");
	assert_string_equal(find(s, 1, SEARCH_ALL, "two").ids, "A2 ");
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
		.preview = STR("hello there") };
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
	const struct search_doc docs[] = {
		{ .id = { "A1" }, .modseq = 4, .body = STR("apple pear") },
		{ .id = { "B1" }, .modseq = 9, .body = STR("apple plum") },
		{ .id = { "B2" }, .modseq = 10, .body = STR("plum") },
	};
	const struct search_news news[] = { { 3, &docs[0], 1 },
		{ 3 + STORE_SHARDS, &docs[1], 2 } };
	uint64_t mark;

	assert_int_equal(search_add_all(s, news, 2, NULL), RC_OK);
	assert_int_equal(search_add_all(s, news, 0, NULL), RC_OK);
	assert_string_equal(find(s, 3, SEARCH_BODY, "apple").ids, "A1 ");
	assert_string_equal(find(s, 3, SEARCH_BODY, "plum").ids, "");
	assert_string_equal(find(s, 3 + STORE_SHARDS, SEARCH_BODY, "plum").ids, "B1 B2 ");
	assert_int_equal(search_mark(s, 3 + STORE_SHARDS, &mark, NULL), RC_OK);
	assert_int_equal(mark, 10);
	search_close(&s);
}
