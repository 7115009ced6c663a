/* SPDX-License-Identifier: ISC */
#include "wire/jrec.h"

#include "test/test.h"
#include "wire/facts.h"

/* What records of before did not have. */
enum { TAIL = 1 + MSG_ID_LEN + 1 + MSG_ID_LEN + 4 };

static uint64_t targets[] = { 7, 9 };

static void
message(struct jrec_message *m, struct jrec_rcpt r[2])
{
	r[0] = (struct jrec_rcpt){ .address = STR("a@x.test"),
		.answer = JREC_DELIVERED,
		.code = 250,
		.enhanced = STR("2.6.0"),
		.score = -1500,
		.ntargets = 2,
		.targets = targets };
	r[1] = (struct jrec_rcpt){ .address = STR("b@x.test"),
		.answer = JREC_REFUSED,
		.code = 550,
		.enhanced = STR("5.7.1"),
		.reason = STR("it has a virus"),
		.has_token = true,
		.token = { 1, 2, 3 } };
	*m = (struct jrec_message){ .id = ids_message(1000),
		.time_ms = 1234567890123,
		.client = { .family = 4, .bytes = { 192, 0, 2, 1 }, .port = 4321 },
		.helo = STR("peer.test"),
		.from = STR("s@y.test"),
		.flags = JREC_TLS,
		.size = 5000,
		.digest = { 9 },
		.once = { 8 },
		.findings = STR("VIRUS=100.000"),
		.nrcpts = 2,
		.rcpts = r,
		.facts = STR("opaque"),
		.held = ids_message(2000),
		.released = ids_message(3000),
		.released_n = 4 };
}

TEST(every_answer_of_a_message_can_be_read_back)
{
	BUF_AUTO b = BUF(JREC_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct jrec_rcpt r[2];
	struct jrec_message m, got;

	message(&m, r);
	jrec_put_message(&b, &m);
	assert_true(buf_ok(&b));
	assert_int_equal(jrec_get_message(buf_str(&b), mem, &got), RC_OK);
	assert_string_equal(got.id.text, m.id.text);
	assert_int_equal(got.time_ms, m.time_ms);
	assert_true(ip_same(&got.client, &m.client));
	assert_int_equal(got.client.port, 4321);
	assert_true(str_eq(got.helo, m.helo) && str_eq(got.from, m.from));
	assert_int_equal(got.size, 5000);
	assert_memory_equal(got.digest, m.digest, 32);
	assert_memory_equal(got.once, m.once, 16);
	assert_int_equal(got.nrcpts, 2);
	assert_int_equal(got.rcpts[0].score, -1500);
	assert_int_equal(got.rcpts[0].targets[1], 9);
	assert_int_equal(got.rcpts[1].answer, JREC_REFUSED);
	assert_true(str_eq(got.rcpts[1].reason, r[1].reason));
	assert_true(got.rcpts[1].has_token && !got.rcpts[0].has_token);
	assert_memory_equal(got.rcpts[1].token, r[1].token, 32);
	assert_true(str_eq(got.facts, m.facts));
	assert_string_equal(got.held.text, m.held.text);
	assert_string_equal(got.released.text, m.released.text);
	assert_int_equal(got.released_n, 4);
}

TEST(records_of_a_version_that_held_nothing_can_be_read)
{
	BUF_AUTO b = BUF(JREC_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct jrec_rcpt r[2];
	struct jrec_message m, got;

	message(&m, r);
	jrec_put_message(&b, &m);
	assert_int_equal(
		jrec_get_message(str_first(buf_str(&b), b.len - TAIL), mem, &got), RC_OK);
	assert_true(str_eq(got.facts, m.facts));
	assert_string_equal(got.held.text, "");
	assert_string_equal(got.released.text, "");
	assert_int_equal(got.released_n, 0);
}

TEST(most_records_hold_and_release_nothing)
{
	BUF_AUTO b = BUF(JREC_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct jrec_rcpt r[2];
	struct jrec_message m, got;

	message(&m, r);
	m.held = m.released = (struct msg_id){ "" };
	jrec_put_message(&b, &m);
	assert_int_equal(jrec_get_message(buf_str(&b), mem, &got), RC_OK);
	assert_string_equal(got.held.text, "");
	assert_string_equal(got.released.text, "");
	b.data[b.len - 6] = 2;
	assert_int_equal(jrec_get_message(buf_str(&b), mem, &got), RC_BAD);
}

TEST(a_record_that_is_cut_anywhere_is_damage)
{
	BUF_AUTO b = BUF(JREC_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct jrec_rcpt r[2];
	struct jrec_message m, got;

	message(&m, r);
	jrec_put_message(&b, &m);
	for (size_t n = 0; n < b.len; n++)
		if (n != b.len - TAIL) /* which is a whole record of before */
			assert_int_equal(
				jrec_get_message((str){ b.data, n }, mem, &got), RC_BAD);
	buf_addc(&b, 'x');
	assert_int_equal(jrec_get_message(buf_str(&b), mem, &got), RC_BAD);
}

TEST(targets_of_a_refused_recipient_are_damage)
{
	BUF_AUTO b = BUF(JREC_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct jrec_rcpt r[2];
	struct jrec_message m, got;

	message(&m, r);
	r[0].answer = JREC_NOT_NOW;
	jrec_put_message(&b, &m);
	assert_int_equal(jrec_get_message(buf_str(&b), mem, &got), RC_BAD);
}

TEST(small_records_can_be_read_back)
{
	BUF_AUTO b = BUF(JREC_MOST);
	struct jrec_answered a = { .id = ids_message(5) }, a2;
	struct jrec_counts c = { .minute = 77,
		.network = { .family = 6, .bytes = { 0x20 } },
		.unknown = 1,
		.relay = 2,
		.full = 3,
		.other = 4 },
			   c2;

	jrec_put_answered(&b, &a);
	assert_int_equal(jrec_get_answered(buf_str(&b), &a2), RC_OK);
	assert_string_equal(a.id.text, a2.id.text);
	assert_int_equal(jrec_get_answered(str_first(buf_str(&b), 5), &a2), RC_BAD);
	buf_clear(&b);
	jrec_put_counts(&b, &c);
	assert_int_equal(jrec_get_counts(buf_str(&b), &c2), RC_OK);
	assert_true(c2.minute == c.minute && ip_same(&c2.network, &c.network));
	assert_true(c2.unknown == 1 && c2.relay == 2 && c2.full == 3 && c2.other == 4);
	assert_int_equal(jrec_get_counts(str_skip(buf_str(&b), 1), &c2), RC_BAD);
}

TEST(messages_without_an_answer_survive_a_new_file)
{
	BUF_AUTO b = BUF(JREC_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct jrec_pending p[2] = { { .id = ids_message(5),
					     .time_ms = 6,
					     .once = { 7 } },
		{ .id = ids_message(8), .time_ms = 9, .once = { 10 } } },
			    *q;
	size_t n;

	jrec_put_pending(&b, p, 2);
	assert_int_equal(jrec_get_pending(buf_str(&b), mem, &q, &n), RC_OK);
	assert_int_equal(n, 2);
	assert_string_equal(q[1].id.text, p[1].id.text);
	assert_int_equal(q[1].time_ms, 9);
	assert_memory_equal(q[0].once, p[0].once, 16);
	b.data[1] = 3;
	assert_int_equal(jrec_get_pending(buf_str(&b), mem, &q, &n), RC_BAD);
}

static void
append(struct jrec_append *a, struct jrec_append_item items[2])
{
	items[0] = (struct jrec_append_item){ .id = ids_message(5),
		.size = 77,
		.digest = { 1, 2 },
		.received_ms = 1234567890123,
		.flags = 17,
		.keywords = STR("$Junk work"),
		.facts = STR("opaque") };
	items[1] = (struct jrec_append_item){
		.id = ids_message(6), .size = 2000, .trace_bytes = TRACE_BLOCK
	};
	*a = (struct jrec_append){ .account = 7,
		.mailbox = 8,
		.replaces_mailbox = 9,
		.replaces = 10,
		.n = 2,
		.items = items };
}

TEST(what_a_reader_appended_can_be_read_back)
{
	BUF_AUTO b = BUF(JREC_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct jrec_append_item items[2];
	struct jrec_append a, got;

	append(&a, items);
	jrec_put_append(&b, &a);
	assert_true(buf_ok(&b));
	assert_int_equal(jrec_get_append(buf_str(&b), mem, &got), RC_OK);
	assert_true(got.account == 7 && got.mailbox == 8 && got.n == 2);
	assert_true(got.replaces_mailbox == 9 && got.replaces == 10);
	assert_string_equal(got.items[0].id.text, items[0].id.text);
	assert_int_equal(got.items[0].size, 77);
	assert_memory_equal(got.items[0].digest, items[0].digest, 32);
	assert_int_equal(got.items[0].received_ms, 1234567890123);
	assert_int_equal(got.items[0].flags, 17);
	assert_int_equal(got.items[0].trace_bytes, 0);
	assert_true(str_eq(got.items[0].keywords, STR("$Junk work")));
	assert_true(str_eq(got.items[0].facts, STR("opaque")));
	assert_string_equal(got.items[1].id.text, items[1].id.text);
	assert_int_equal(got.items[1].trace_bytes, TRACE_BLOCK);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(jrec_get_append((str){ b.data, n }, mem, &got), RC_BAD);
}

TEST(an_append_of_what_cannot_be_is_damage)
{
	struct jrec_append_item items[2];
	struct jrec_append a, got;

	for (int i = 0; i < 5; i++) {
		BUF_AUTO b = BUF(JREC_MOST);
		ARENA_AUTO mem = arena_new(1 << 20);

		append(&a, items);
		items[0].flags = i == 0 ? 32 : 0;
		items[0].trace_bytes = i == 1 ? 5 : 0;
		items[1].size = i == 2 ? 100 : 2000;
		a.n = i == 3 ? 0 : 2;
		a.account = i == 4 ? 0 : 7;
		jrec_put_append(&b, &a);
		assert_int_equal(jrec_get_append(buf_str(&b), mem, &got), RC_BAD);
	}
}

TEST(a_hundred_messages_with_long_headers_still_fit_into_a_record)
{
	BUF_AUTO b = BUF(JREC_MOST);
	BUF_AUTO keywords = BUF(JREC_KEYWORDS);
	BUF_AUTO facts = BUF(FACTS_MOST);
	ARENA_AUTO mem = arena_new(1 << 20);
	static struct jrec_append_item items[JREC_APPENDED];
	struct jrec_append a, got;

	append(&a, items);
	while (keywords.len < JREC_KEYWORDS)
		buf_addc(&keywords, 'k');
	while (facts.len < FACTS_MOST)
		buf_addc(&facts, 'f');
	for (size_t i = 0; i < JREC_APPENDED; i++) {
		items[i] = items[0];
		items[i].keywords = buf_str(&keywords);
		items[i].facts = i == 2 ? STR("short") : buf_str(&facts);
	}
	a.n = JREC_APPENDED;
	a.items = items;
	jrec_put_append(&b, &a);
	assert_true(buf_ok(&b));
	assert_int_equal(jrec_get_append(buf_str(&b), mem, &got), RC_OK);
	assert_int_equal(got.items[0].facts.len, FACTS_MOST);
	assert_int_equal(got.items[1].facts.len, 0);
	assert_int_equal(got.items[2].facts.len, 5);
	assert_int_equal(got.items[99].keywords.len, JREC_KEYWORDS);
}
