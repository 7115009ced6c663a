/* SPDX-License-Identifier: ISC */
#include "base/arena.h"
#include "test/test.h"
#include "wire/facts.h"

enum { MEM = 4 * 1024 * 1024, MESSAGE = 100 * 1024 };

static struct fact_param charset = { STR_INIT("charset"), STR_INIT("utf-8") };
static struct fact_param name = { STR_INIT("filename"), STR_INIT("a.pdf") };
static struct fact_address alice = { STR_INIT("Alice"), STR_INIT("alice"),
	STR_INIT("example.test") };
static struct fact_envelope inner;

/* multipart/mixed of a text, and a message with a text. */
static void
sample(struct fact_part out[4])
{
	inner = (struct fact_envelope){ .subject = STR("inner"), .from = { 1, &alice } };
	out[0] = (struct fact_part){ .kind = FACT_MULTIPART,
		.body_at = 100,
		.end = 1000,
		.header_lines = 5,
		.body_lines = 30,
		.type = STR("multipart"),
		.subtype = STR("mixed") };
	out[1] = (struct fact_part){ .up = 1,
		.header_at = 110,
		.body_at = 150,
		.end = 300,
		.header_lines = 2,
		.body_lines = 3,
		.type = STR("text"),
		.subtype = STR("plain"),
		.nparams = 1,
		.params = &charset,
		.text = true };
	out[2] = (struct fact_part){ .kind = FACT_MESSAGE,
		.up = 1,
		.header_at = 310,
		.body_at = 400,
		.end = 900,
		.type = STR("message"),
		.subtype = STR("rfc822"),
		.disposition = STR("attachment"),
		.ndisposition = 1,
		.disposition_params = &name,
		.envelope = &inner };
	out[3] = (struct fact_part){ .up = 3,
		.header_at = 400,
		.body_at = 500,
		.end = 900,
		.type = STR("text"),
		.subtype = STR("plain"),
		.text = true };
}

static enum rc
around(struct fact_part *parts, size_t n, struct arena *mem, struct fact_structure *got)
{
	BUF_AUTO b = BUF(FACTS_STRUCTURE);
	BUF_AUTO again = BUF(FACTS_STRUCTURE);
	struct fact_structure s = { n, parts };

	facts_pack_structure(&b, &s);
	assert_true(buf_ok(&b));
	enum rc rc = facts_unpack_structure(buf_str(&b), MESSAGE, mem, got);
	if (rc != RC_OK)
		return rc;
	facts_pack_structure(&again, got);
	assert_true(str_eq(buf_str(&b), buf_str(&again)));
	return RC_OK;
}

TEST(the_parts_of_a_message_arrive_unchanged)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct fact_structure got;
	struct fact_part parts[4];

	sample(parts);
	assert_int_equal(around(parts, 4, mem, &got), RC_OK);
	assert_int_equal(got.n, 4);
	assert_int_equal(got.parts[0].kind, FACT_MULTIPART);
	assert_int_equal(got.parts[0].header_lines, 5);
	assert_true(str_eq(got.parts[1].params[0].value, STR("utf-8")));
	assert_true(got.parts[1].text && !got.parts[2].text);
	assert_int_equal(got.parts[2].end, 900);
	assert_true(str_eq(got.parts[2].disposition, STR("attachment")));
	assert_true(str_eq(got.parts[2].disposition_params[0].name, STR("filename")));
	assert_true(str_eq(got.parts[2].envelope->from.at[0].mailbox, STR("alice")));
	assert_int_equal(got.parts[3].up, 3);
}

/* A writer that is itself, packing what no writer packs. */
static enum rc
lie(void (*change)(struct fact_part *), size_t at)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(FACTS_STRUCTURE);
	struct fact_structure got;
	struct fact_part parts[4];

	sample(parts);
	change(&parts[at]);
	facts_pack_structure(&b, &(struct fact_structure){ 4, parts });
	enum rc rc = facts_unpack_structure(buf_str(&b), MESSAGE, mem, &got);
	return rc == RC_OK && got.n == 0 ? RC_NONE : rc;
}

static void
header_behind_body(struct fact_part *p)
{
	p->header_at = p->body_at + 1;
}

static void
body_behind_end(struct fact_part *p)
{
	p->body_at = p->end + 1;
}

static void
past_parent(struct fact_part *p)
{
	p->end = 100 * 1000;
}

static void
over_sibling(struct fact_part *p)
{
	p->header_at = 299;
}

static void
forwards(struct fact_part *p)
{
	p->up = 4;
}

static void
in_a_leaf(struct fact_part *p)
{
	p->up = 2;
}

static void
itself(struct fact_part *p)
{
	p->up = 0;
}

static void
many_lines(struct fact_part *p)
{
	p->body_lines = p->end;
}

static void
text_message(struct fact_part *p)
{
	p->text = true;
}

TEST(a_tree_that_cannot_be_is_not_sent)
{
	assert_int_equal(lie(header_behind_body, 1), RC_NONE);
	assert_int_equal(lie(body_behind_end, 3), RC_NONE);
	assert_int_equal(lie(past_parent, 3), RC_NONE);
	assert_int_equal(lie(over_sibling, 2), RC_NONE);
	assert_int_equal(lie(forwards, 2), RC_NONE);
	assert_int_equal(lie(in_a_leaf, 2), RC_NONE);
	assert_int_equal(lie(itself, 2), RC_NONE);
	assert_int_equal(lie(many_lines, 1), RC_NONE);
	assert_int_equal(lie(text_message, 2), RC_NONE);
}

/* Where the fixed numbers of the second part lie in the record of sample(). */
static size_t
second_part(const struct buf *b)
{
	struct fact_structure one;
	struct fact_part parts[4];
	BUF_AUTO first = BUF(FACTS_STRUCTURE);

	sample(parts);
	one = (struct fact_structure){ 1, parts };
	facts_pack_structure(&first, &one);
	assert_true(first.len < b->len);
	return first.len;
}

TEST(a_taken_over_scanner_cannot_point_outside_the_message)
{
	/* offset in the part, byte: has, up, header_at, body_at, end, lines */
	static const struct {
		size_t at;
		unsigned char byte;
	} bad[] = { { 1, 0x80 }, { 0, 0x03 }, { 2, 2 }, { 2, 0 }, { 3, 9 }, { 5, 0x80 },
		{ 7, 1 }, { 9, 0x10 }, { 11, 1 }, { 13, 0x10 }, { 15, 1 }, { 17, 0x10 },
		{ 21, 0x10 }, { 25, 0xff }, { 26, '\n' }, { 27, 0 } };
	BUF_AUTO b = BUF(FACTS_STRUCTURE);
	struct fact_part parts[4];
	struct fact_structure got;

	sample(parts);
	facts_pack_structure(&b, &(struct fact_structure){ 4, parts });
	size_t second = second_part(&b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		char was = b.data[second + bad[i].at];

		b.data[second + bad[i].at] = (char)bad[i].byte;
		assert_int_equal(
			facts_unpack_structure(buf_str(&b), MESSAGE, mem, &got), RC_BAD);
		b.data[second + bad[i].at] = was;
	}
	ARENA_AUTO mem = arena_new(MEM);
	assert_int_equal(facts_unpack_structure(buf_str(&b), MESSAGE, mem, &got), RC_OK);
	assert_int_equal(facts_unpack_structure(buf_str(&b), 999, mem, &got), RC_BAD);
}

TEST(every_shortened_structure_is_refused)
{
	BUF_AUTO b = BUF(FACTS_STRUCTURE);
	struct fact_part parts[4];
	struct fact_structure got;

	sample(parts);
	facts_pack_structure(&b, &(struct fact_structure){ 4, parts });
	for (size_t n = 0; n < b.len; n++) {
		ARENA_AUTO mem = arena_new(MEM);

		assert_int_equal(facts_unpack_structure(
					 str_first(buf_str(&b), n), MESSAGE, mem, &got),
			RC_BAD);
	}
}

TEST(a_name_with_a_line_end_does_not_cost_the_structure)
{
	static struct fact_param evil = { STR_INIT("name"), STR_INIT("a\r\n* BYE") };
	ARENA_AUTO mem = arena_new(MEM);
	struct fact_structure got;
	struct fact_part parts[4];

	sample(parts);
	parts[1].params = &evil;
	assert_int_equal(around(parts, 4, mem, &got), RC_OK);
	assert_true(str_eq(got.parts[1].params[0].value, STR("a??* BYE")));
}

TEST(too_many_parts_give_no_structure_but_a_record)
{
	static struct fact_part many[FACTS_PARTS + 1];
	ARENA_AUTO mem = arena_new(MEM);
	struct fact_structure got;

	many[0] = (struct fact_part){ .kind = FACT_MULTIPART, .end = 90000 };
	for (uint32_t i = 1; i <= FACTS_PARTS; i++)
		many[i] = (struct fact_part){
			.up = 1, .header_at = i, .body_at = i, .end = i
		};
	assert_int_equal(around(many, FACTS_PARTS, mem, &got), RC_OK);
	assert_int_equal(got.n, FACTS_PARTS);
	assert_int_equal(around(many, FACTS_PARTS + 1, mem, &got), RC_OK);
	assert_int_equal(got.n, 0);
}

TEST(a_structure_past_its_share_is_left_out)
{
	static char text[FACTS_STR];
	ARENA_AUTO mem = arena_new(MEM);
	struct fact_structure got;
	struct fact_part parts[4];
	struct fact_param params[8];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < 8; i++)
		params[i] = (struct fact_param){ STR("p"), { text, sizeof(text) } };
	sample(parts);
	parts[1].params = params;
	parts[1].nparams = 7;
	assert_int_equal(around(parts, 4, mem, &got), RC_OK);
	assert_int_equal(got.n, 4);
	parts[1].nparams = 8;
	assert_int_equal(around(parts, 4, mem, &got), RC_OK);
	assert_int_equal(got.n, 0);
}

TEST(deep_nesting_is_held_to_the_parsers_depth)
{
	enum { DEEP = 80 };
	struct fact_part parts[DEEP];
	ARENA_AUTO mem = arena_new(MEM);
	struct fact_structure got;

	for (uint16_t i = 0; i < DEEP; i++)
		parts[i] =
			(struct fact_part){ .kind = FACT_MULTIPART, .up = i, .end = 100 };
	assert_int_equal(around(parts, 65, mem, &got), RC_OK);
	assert_int_equal(got.n, 65);
	assert_int_equal(around(parts, 66, mem, &got), RC_OK);
	assert_int_equal(got.n, 0);
	assert_int_equal(around(parts, DEEP, mem, &got), RC_OK);
	assert_int_equal(got.n, 0);
}
