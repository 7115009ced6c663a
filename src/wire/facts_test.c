/* SPDX-License-Identifier: ISC */
#include "wire/facts.h"

#include "base/arena.h"
#include "test/test.h"
#include "wire/head.h"
#include "wire/sortkey.h"

enum { MEM = 4 * 1024 * 1024, MESSAGE = 100 * 1024 };

static struct fact_address alice = { STR_INIT("Alice"), STR_INIT("alice"),
	STR_INIT("example.test") };

static struct facts
sample(void)
{
	static str refs[] = { STR_INIT("a@example.test"), STR_INIT("b@example.test") };
	static uint32_t forged[] = { 10, 300 };
	struct facts f = { .flags = FACT_DUP_FROM | FACT_GTUBE,
		.received = 3,
		.header_bytes = 400,
		.date_s = 1700000000,
		.nrefs = 2,
		.refs = refs,
		.nforged = 2,
		.forged = forged };

	f.envelope.subject = STR("hello");
	f.envelope.date = STR("Tue, 14 Nov 2023 22:13:20 +0000");
	f.envelope.message_id = STR("<m@example.test>");
	f.envelope.from = (struct fact_list){ 1, &alice };
	f.envelope.to = (struct fact_list){ 1, &alice };
	return f;
}

static enum rc
unpack(const struct buf *b, uint64_t size, struct arena *mem, struct facts *out)
{
	return facts_unpack(buf_str(b), size, mem, out);
}

TEST(what_the_scanner_saw_arrives_unchanged)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	BUF_AUTO again = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	facts_pack(&b, &f);
	assert_true(buf_ok(&b));
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_int_equal(got.flags, f.flags);
	assert_int_equal(got.date_s, f.date_s);
	assert_true(str_eq(got.envelope.subject, STR("hello")));
	assert_int_equal(got.envelope.to.n, 1);
	assert_true(str_eq(got.envelope.to.at[0].host, STR("example.test")));
	assert_true(str_eq(got.refs[1], STR("b@example.test")));
	assert_int_equal(got.forged[1], 300);
	facts_pack(&again, &got);
	assert_true(str_eq(buf_str(&b), buf_str(&again)));
}

TEST(every_shortened_record_is_refused)
{
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	facts_pack(&b, &f);
	for (size_t n = 0; n < b.len; n++) {
		ARENA_AUTO mem = arena_new(MEM);

		assert_int_equal(
			facts_unpack(str_first(buf_str(&b), n), MESSAGE, mem, &got),
			RC_BAD);
	}
}

TEST(a_taken_over_scanner_cannot_make_gate_write_outside_the_header)
{
	static const uint32_t bad[][2] = { { 10, 400 }, { 300, 300 }, { 300, 10 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		BUF_AUTO b = BUF(FACTS_MOST);
		uint32_t forged[2] = { bad[i][0], bad[i][1] };
		struct facts f = sample(), got;

		f.forged = forged;
		facts_pack(&b, &f);
		assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
	}
}

TEST(a_header_longer_than_the_message_is_refused)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	facts_pack(&b, &f);
	assert_int_equal(unpack(&b, 399, mem, &got), RC_BAD);
}

TEST(strings_that_would_break_a_line_are_refused)
{
	static const str bad[] = { STR_INIT("a\r\nX: y"), STR_INIT("a\nb"),
		STR_INIT("a\0b") };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		BUF_AUTO b = BUF(FACTS_MOST);
		struct facts f = sample(), got;

		f.envelope.subject = bad[i];
		facts_pack(&b, &f);
		assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
	}
}

TEST(unknown_flags_are_refused)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	facts_pack(&b, &f);
	b.data[3] = (char)0x80;
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
}

TEST(a_message_with_too_much_of_everything_still_has_facts)
{
	static char text[2 * FACTS_STR];
	static struct fact_address many[2 * FACTS_ADDRESSES];
	static str refs[2 * FACTS_REFS];
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < 2 * FACTS_ADDRESSES; i++)
		many[i] = alice;
	for (size_t i = 0; i < 2 * FACTS_REFS; i++)
		refs[i] = i % 2 == 0 ? STR("even@x") : STR("odd@x");
	f.envelope.date = f.envelope.subject = f.envelope.in_reply_to =
		f.envelope.message_id = (str){ text, sizeof(text) };
	f.envelope.to = (struct fact_list){ 2 * FACTS_ADDRESSES, many };
	f.nrefs = 2 * FACTS_REFS;
	f.refs = refs;
	facts_pack(&b, &f);
	assert_true(buf_ok(&b));
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_int_equal(got.envelope.subject.len, FACTS_STR);
	assert_int_equal(got.envelope.from.n, 1);
	assert_int_equal(got.envelope.to.n, FACTS_ADDRESSES - 1);
	assert_int_equal(got.nrefs, FACTS_REFS);
	assert_true(str_eq(got.refs[FACTS_REFS - 1], STR("odd@x")));
}

TEST(a_cut_does_not_split_a_character)
{
	static char text[FACTS_STR + 2];
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	memset(text, 'x', sizeof(text));
	memcpy(text + FACTS_STR - 1, "\xc3\xa4", 2);
	f.envelope.subject = (str){ text, sizeof(text) };
	facts_pack(&b, &f);
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_int_equal(got.envelope.subject.len, FACTS_STR - 1);
}

TEST(the_index_reads_back_the_envelope_alone)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample();
	struct fact_envelope e;

	facts_pack_envelope(&b, &f.envelope);
	assert_int_equal(facts_unpack_envelope(buf_str(&b), mem, &e), RC_OK);
	assert_true(str_eq(e.message_id, STR("<m@example.test>")));
	assert_int_equal(
		facts_unpack_envelope(str_first(buf_str(&b), b.len - 1), mem, &e),
		RC_BAD);
	buf_addc(&b, 'x');
	assert_int_equal(facts_unpack_envelope(buf_str(&b), mem, &e), RC_BAD);
}

TEST(structure_and_preview_travel_with_the_facts)
{
	static struct fact_part text = { .body_at = 400,
		.end = 500,
		.type = STR_INIT("text"),
		.subtype = STR_INIT("plain"),
		.text = true };
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	BUF_AUTO again = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	f.structure = (struct fact_structure){ 1, &text };
	f.known_preview = true;
	f.preview = STR("Dear all");
	facts_pack(&b, &f);
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_int_equal(got.structure.n, 1);
	assert_int_equal(got.structure.parts[0].end, 500);
	assert_true(got.known_preview && str_eq(got.preview, STR("Dear all")));
	facts_pack(&again, &got);
	assert_true(str_eq(buf_str(&b), buf_str(&again)));
	assert_int_equal(unpack(&b, 499, mem, &got), RC_BAD);
	b.data[b.len - 1] = '\n';
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
}

TEST(a_record_of_before_has_neither_structure_nor_preview)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	facts_pack(&b, &f);
	size_t before = b.len;
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_int_equal(got.structure.n, 0);
	assert_false(got.known_preview);
	buf_clear(&b);
	f.known_preview = true; /* known to be empty is something else */
	facts_pack(&b, &f);
	assert_true(b.len > before);
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_true(got.known_preview);
	assert_int_equal(got.preview.len, 0);
}

TEST(header_fields_and_sort_keys_travel_with_the_facts)
{
	struct head_field fields[] = { { STR("A"), STR("A: 1\r\n") } };
	struct head h = { 1, fields };
	struct sortkey k = { .subject = STR("HELLO") };
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO head = BUF(HEAD_MOST);
	BUF_AUTO key = BUF(SORTKEY_MOST);
	BUF_AUTO b = BUF(FACTS_MOST);
	BUF_AUTO again = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	head_pack(&head, &h);
	sortkey_pack(&key, &k);
	f.known_head = true;
	f.head = buf_str(&head);
	f.sortkey = buf_str(&key);
	for (int i = 0; i < 3; i++) {
		buf_clear(&b);
		buf_clear(&again);
		f.known_preview = i == 1;
		f.head.len = i == 2 ? 0 : head.len; /* too many fields for a record */
		facts_pack(&b, &f);
		assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
		assert_true(got.known_head && got.known_preview == (i == 1));
		assert_true(str_eq(got.head, f.head) && str_eq(got.sortkey, f.sortkey));
		facts_pack(&again, &got);
		assert_true(str_eq(buf_str(&b), buf_str(&again)));
	}
	b.data[b.len - key.len] = 9; /* a version that nobody knows */
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
	b.data[b.len - key.len] = 1;
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	b.len--;
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
	f.head = STR("nonsense");
	buf_clear(&b);
	facts_pack(&b, &f);
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
}

TEST(a_preview_has_256_characters_and_no_control_characters)
{
	static char text[300 * 2];
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	memcpy(text + 20, "\r\n", 2);
	text[30] = (char)0xff;
	f.known_preview = true;
	f.preview = (str){ text, sizeof(text) };
	facts_pack(&b, &f);
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	/* two blanks for CR and LF, '?' for 0xff and for the half behind it */
	assert_int_equal(got.preview.len, 2 * 256 - 4);
	assert_true(str_eq(str_first(str_skip(got.preview, 20), 2), STR("  ")));
	b.data[b.len - 1] = '\n';
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_BAD);
}

TEST(an_empty_subject_is_not_a_missing_one)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	f.envelope.subject = STR("");
	f.envelope.in_reply_to = (str){ 0 };
	facts_pack(&b, &f);
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_true(got.envelope.subject.ptr != NULL && got.envelope.subject.len == 0);
	assert_true(got.envelope.in_reply_to.ptr == NULL);
}

TEST(the_most_facts_there_can_be_fit_where_the_index_is_written)
{
	enum { EACH = 256, PARTS = 60 };
	static char text[FACTS_STR];
	static struct fact_param empty[EACH];
	static struct fact_part parts[PARTS];
	static struct fact_address many[FACTS_ADDRESSES];
	ARENA_AUTO mem = arena_new(3 * 1024 * 1024 / 2);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = sample(), got;

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < FACTS_ADDRESSES; i++)
		many[i] = (struct fact_address){ .host = { text, 80 } };
	for (uint16_t i = 0; i < PARTS; i++)
		parts[i] = (struct fact_part){ .kind = i == 0 ? FACT_MULTIPART
							      : FACT_LEAF,
			.up = i > 0,
			.end = i == 0 ? 100 : 0,
			.nparams = EACH,
			.params = empty };
	f.envelope.date = f.envelope.subject = f.envelope.in_reply_to =
		f.envelope.message_id = (str){ text, sizeof(text) };
	f.envelope.from = (struct fact_list){ 0 };
	f.envelope.to = (struct fact_list){ FACTS_ADDRESSES, many };
	f.structure = (struct fact_structure){ PARTS, parts };
	facts_pack(&b, &f);
	assert_int_equal(unpack(&b, MESSAGE, mem, &got), RC_OK);
	assert_int_equal(got.structure.n, PARTS);
	assert_true(got.envelope.to.n > FACTS_ADDRESSES * 9 / 10);
}
