/* SPDX-License-Identifier: ISC */
#include "deliver/fulltext.h"

#include <sys/mman.h>

#include "base/thread.h"
#include "net/chan.h"
#include "store/learn.h"
#include "store/testing.h"
#include "wire/sortkey.h"

enum { LONG_MS = 20000 };

struct bench {
	int data, channel;
	struct store *store;
	struct search *search;
	struct scanners *scanners;
	pthread_t scanner;
	struct fulltext *fulltext;
};

static void
on_lost(unsigned slot, void *arg)
{
	(void)slot;
	(void)arg;
}

static void *
serve(void *arg)
{
	struct bench *b = arg;

	scan_serve(b->channel, 1000);
	fs_close(&b->channel);
	return NULL;
}

static void
start(struct bench *b)
{
	const struct fulltext_want w = { .store = b->store,
		.search = b->search,
		.scanners = b->scanners,
		.hostname = STR("mx.example.test"),
		.scanner_ms = LONG_MS,
		.unpacked = 1 << 20 };

	b->fulltext = fulltext_start(&w);
}

static void
begin(struct bench *b)
{
	const struct search_want w = { .data = data_folder(), .cache_bytes = 65536 };
	int pair[2];

	*b = (struct bench){ .data = w.data };
	b->store = open_store(b->data);
	assert_int_equal(search_open(&w, &b->search, NULL), RC_OK);
	b->scanners = scanners_new(1, on_lost, NULL);
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	b->channel = pair[1];
	scanners_channel(b->scanners, 0, pair[0]);
	scan_prepare(); /* before there are threads, as a scanner does */
	b->scanner = thread_start("scanner", serve, b);
}

static void
finish(struct bench *b)
{
	fulltext_stop(&b->fulltext);
	scanners_free(&b->scanners); /* its channel ends, and so does the scanner */
	(void)pthread_join(b->scanner, NULL);
	search_close(&b->search);
	store_close(&b->store);
	fs_close(&b->data);
}

static void
await_idle(struct bench *b)
{
	uint64_t until = clock_ms() + LONG_MS;

	while (fulltext_waiting(b->fulltext) > 0 && clock_ms() < until)
		(void)usleep(1000);
	assert_int_equal(fulltext_waiting(b->fulltext), 0);
}

/* Messages of the account that surely have it. */
static unsigned
found(struct bench *b, uint64_t account, const char *word)
{
	BUF_AUTO folded = BUF(1000);
	struct store_newer newer[STORE_NEWER];
	unsigned n = 0;
	size_t all;

	sortkey_fold(str_of(word), &folded);
	const struct search_key k = {
		.head = true, .text = true, .what = buf_str(&folded)
	};
	assert_int_equal(store_newer(b->store, account, 0, newer, &all, NULL), RC_OK);
	for (size_t i = 0; i < all; i++) {
		uint8_t says;

		assert_int_equal(search_look(b->search, account, &newer[i].id, 1, &k, 1,
					 &says, NULL),
			RC_OK);
		n += says == SEARCH_YES;
	}
	return n;
}

TEST(what_was_delivered_before_and_after_the_start_can_be_found)
{
	struct mail a, c;
	struct bench b;

	begin(&b);
	a = make_mail(b.data, "first@x", NULL);
	c = make_mail(b.data, "second@x", NULL);
	deliver(b.store, &a, 1, 7);
	start(&b);
	await_idle(&b);
	assert_int_equal(found(&b, 7, "first"), 1);
	assert_int_equal(found(&b, 7, "second"), 0);
	deliver(b.store, &c, 2, 7);
	fulltext_due(b.fulltext, 7);
	await_idle(&b);
	assert_int_equal(found(&b, 7, "second"), 1);
	assert_int_equal(found(&b, 7, "hello"), 2); /* the subject of both */
	assert_int_equal(found(&b, 8, "hello"), 0);
	finish(&b);
	buf_free(&a.facts);
	buf_free(&c.facts);
}

TEST(texts_that_were_known_when_a_message_came_are_not_asked_for_again)
{
	static char large[1 << 20];
	struct bench b;
	struct mail a;

	begin(&b);
	memset(large, 'x', sizeof(large));
	a = make_mail(b.data, "first@x", NULL);
	deliver(b.store, &a, 1, 7);
	start(&b);
	await_idle(&b); /* its facts are known now, as an APPEND's are */
	assert_int_equal(search_forget(b.search, 7, NULL), RC_OK);
	for (char i = '0'; i < '9'; i++) { /* more than may wait: the oldest go */
		struct msg_id other = a.id;

		other.text[MSG_ID_LEN - 1] = i == a.id.text[MSG_ID_LEN - 1] ? 'Z' : i;
		fulltext_offer(b.fulltext, &other, STR("other"),
			(str){ large, sizeof(large) }, false);
	}
	fulltext_offer(b.fulltext, &a.id, STR("first"), STR("elsewhere"), false);
	fulltext_due(b.fulltext, 7);
	await_idle(&b);
	assert_int_equal(found(&b, 7, "elsewhere"), 1);
	finish(&b);
	buf_free(&a.facts);
}

TEST(what_the_index_did_not_know_is_filled_in)
{
	struct store_newer newer[STORE_NEWER];
	struct bench b;
	struct mail a;
	size_t n;

	begin(&b);
	a = make_mail(b.data, "first@x", NULL);
	deliver(b.store, &a, 1, 7);
	assert_int_equal(store_newer(b.store, 7, 0, newer, &n, NULL), RC_OK);
	assert_true(newer[0].facts_missing);
	start(&b);
	await_idle(&b);
	assert_int_equal(store_newer(b.store, 7, 0, newer, &n, NULL), RC_OK);
	assert_false(newer[0].facts_missing);
	finish(&b);
	buf_free(&a.facts);
}

TEST(a_message_whose_file_is_gone_holds_nothing_up)
{
	struct bench b;
	struct mail a, c;

	begin(&b);
	a = make_mail(b.data, "first@x", NULL);
	c = make_mail(b.data, "second@x", NULL);
	deliver(b.store, &a, 1, 7);
	deliver(b.store, &c, 2, 7);
	assert_int_equal(store_expunge(b.store, 7, STR("INBOX"), 1, NULL), RC_OK);
	start(&b);
	await_idle(&b);
	assert_int_equal(found(&b, 7, "second"), 1);
	finish(&b);
	buf_free(&a.facts);
	buf_free(&c.facts);
}

TEST(the_words_of_messages_that_were_removed_go)
{
	const struct search_key k = { .text = true, .what = STR("FIRST") };
	struct bench b;
	struct mail a, c;
	uint8_t says;

	begin(&b);
	a = make_mail(b.data, "first@x", NULL);
	c = make_mail(b.data, "second@x", NULL);
	deliver(b.store, &a, 1, 7);
	start(&b);
	await_idle(&b);
	fulltext_stop(&b.fulltext);
	assert_int_equal(search_look(b.search, 7, &a.id, 1, &k, 1, &says, NULL), RC_OK);
	assert_int_equal(says, SEARCH_YES);
	assert_int_equal(store_expunge(b.store, 7, STR("INBOX"), 1, NULL), RC_OK);
	deliver(b.store, &c, 2, 7);
	start(&b);
	await_idle(&b);
	assert_int_equal(search_look(b.search, 7, &a.id, 1, &k, 1, &says, NULL), RC_OK);
	assert_int_equal(says, SEARCH_MAYBE);
	assert_int_equal(found(&b, 7, "second"), 1);
	finish(&b);
	buf_free(&a.facts);
	buf_free(&c.facts);
}

/* A message of made-up words in several parts, with what tells people's words apart. */
static void
make_text(struct buf *b, uint64_t *seed)
{
	static const char *const pieces[] = { "Hello", "world,", "caf\xc3\xa9",
		"<b>bold</b>", "&uuml;ber", "na\xc3\xafve-", "\xe6\x97\xa5\xe6\x9c\xac",
		"=C3=9F", "x=\r\n", "\r\n", " ", "\t", "\xc2\xa0", "stra\303\237e",
		"\xff" };

	buf_addz(b, "From: =?utf-8?q?J=C3=B6rg?= <joerg@x.test>\r\nSubject:");
	for (int part = 0; part < 4; part++) {
		if (part == 1)
			buf_addz(b,
				"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
				"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		if (part == 2)
			buf_addz(b, "\r\n--b\r\nContent-Type: text/html\r\n\r\n");
		if (part == 3)
			buf_addz(b,
				"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: ");
		for (int i = 0; i < 30; i++) {
			*seed = *seed * 6364136223846793005u + 1442695040888963407u;
			const char *piece = pieces[(*seed >> 33) %
						   (sizeof(pieces) / sizeof(pieces[0]) -
							   (part == 0 ? 7 : 0))];

			buf_addz(b, piece);
			if ((*seed >> 60) < 8)
				buf_addc(b, ' ');
		}
	}
	buf_addz(b, "\r\n--b--\r\n");
}

static void
compare(struct bench *b, const struct msg_id *id, const struct scan_job *job, str what,
	struct search_key k)
{
	BUF_AUTO folded = BUF(1000);
	uint8_t says;
	bool yes;

	sortkey_fold(what, &folded);
	k.what = buf_str(&folded);
	const struct scan_key s = { k.head, k.text, k.field, k.what };
	assert_int_equal(search_look(b->search, 1, id, 1, &k, 1, &says, NULL), RC_OK);
	assert_int_equal(
		scan_search(b->scanners, job, &s, 1, clock_ms() + LONG_MS, &yes, NULL),
		RC_OK);
	if ((says == SEARCH_YES && !yes) || (says == SEARCH_NO && yes))
		fail_msg("\"" STR_FMT "\" in " STR_FMT ": index %d, scanner %d",
			STR_ARG(k.what), STR_ARG(k.field), says, yes);
}

TEST(what_full_text_is_sure_of_is_what_is_in_the_message)
{
	uint64_t seed = 42;
	struct bench b;

	begin(&b);
	for (uint64_t n = 1; n <= 12; n++) {
		ARENA_AUTO mem = arena_new(4 << 20);
		BUF_AUTO text = BUF(1 << 20);
		FD_AUTO fd = memfd_create("message", 0);
		struct search_doc d = { .id = ids_message(n), .modseq = n };
		const struct search_news news = { 1, &d, 1 };
		struct scanned got;

		make_text(&text, &seed);
		assert_int_equal(fs_pwrite(fd, buf_str(&text), 0, NULL), RC_OK);
		const struct scan_job job = { fd, text.len, 0, STR("mx"), LONG_MS,
			1 << 20, SCAN_SEARCH };
		assert_int_equal(
			scan_ask(b.scanners, &job, clock_ms() + LONG_MS, mem, &got, NULL),
			RC_OK);
		d.head = got.content.search_head;
		d.text = got.content.search_text;
		assert_int_equal(search_add(b.search, &news, 1, NULL), RC_OK);
		for (int i = 0; i < 25; i++) {
			str in = i % 2 == 0 ? d.text : d.head;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			str what = str_first(
				str_skip(in, (seed >> 33) % in.len), 1 + (seed >> 60));
			compare(&b, &d.id, &job, what,
				(struct search_key){ .text = true });
			compare(&b, &d.id, &job, what,
				(struct search_key){ .head = true });
			compare(&b, &d.id, &job, what,
				(struct search_key){
					.head = true, .field = STR("subject") });
		}
	}
	fulltext_stop(&b.fulltext);
	finish(&b);
}

TEST(full_text_that_is_ahead_of_the_index_after_a_power_cut_is_made_again)
{
	struct store_newer newer[STORE_NEWER];
	struct bench b;
	struct mail a;
	size_t n;

	begin(&b);
	a = make_mail(b.data, "first@x", NULL);
	deliver(b.store, &a, 1, 7);
	assert_int_equal(store_newer(b.store, 7, 0, newer, &n, NULL), RC_OK);
	const struct search_doc lost = { .id = { "LOST" },
		.modseq = newer[0].modseq + 1000 * 1000,
		.text = STR("forgotten") };
	const struct search_news news = { 7, &lost, 1 };
	assert_int_equal(search_add(b.search, &news, 1, NULL), RC_OK);
	start(&b);
	await_idle(&b);
	assert_int_equal(found(&b, 7, "first"), 1);
	assert_int_equal(found(&b, 7, "forgotten"), 0);
	finish(&b);
	buf_free(&a.facts);
}

TEST(an_end_does_not_wait_for_a_scanner_that_hangs)
{
	uint64_t begun = clock_ms();
	struct chan_msg m = { .type = FACTS_READY };
	static char frame[4096];
	struct store_newer newer[STORE_NEWER];
	uint64_t mark;
	struct bench b;
	struct mail a;
	int pair[2];
	size_t n;

	begin(&b);
	/* in the place of one that works */
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	scanners_channel(b.scanners, 0, pair[0]);
	assert_int_equal(chan_send(pair[1], &m, clock_ms() + LONG_MS, NULL), RC_OK);
	a = make_mail(b.data, "first@x", NULL);
	deliver(b.store, &a, 1, 7);
	start(&b);
	assert_int_equal(
		chan_recv(pair[1], frame, sizeof(frame), &m, clock_ms() + LONG_MS, NULL),
		RC_OK);
	chan_close_fds(&m);
	scanners_stop(b.scanners);
	fulltext_stop(&b.fulltext);
	assert_true(clock_ms() - begun < LONG_MS / 2);
	/* it is read at the next start */
	assert_int_equal(search_mark(b.search, 7, &mark, NULL), RC_OK);
	assert_int_equal(store_newer(b.store, 7, mark, newer, &n, NULL), RC_OK);
	assert_int_equal(n, 1);
	finish(&b);
	(void)close(pair[1]);
	buf_free(&a.facts);
}
