/* SPDX-License-Identifier: ISC */
#include "wire/content.h"

#include <stdlib.h>

#include "mime/html.h"
#include "mime/odd.h"
#include "test/test.h"

enum { MEM = 32 * 1024 * 1024, MESSAGE = 100 * 1024 };

static struct content_leaf leaves[] = {
	{ .flags = LEAF_ATTACHED | LEAF_ARCHIVE,
		.odd = MIME_ODD(DUP_TYPE),
		.at = 500,
		.length = 1000,
		.size = 800,
		.name = STR_INIT("r\xc3\xa9sum\xc3\xa9.zip"),
		.type = STR_INIT("application/zip"),
		.true_type = STR_INIT("zip"),
		.digest = { 1, 2, 3 } },
	{ .parent = 1,
		.depth = 1,
		.flags = LEAF_MEMBER,
		.size = 70,
		.name = STR_INIT("a/b.exe"),
		.true_type = STR_INIT("exe") },
};
static struct content_link links[] = { { LINK_HIDDEN, STR_INIT("https://x.test/?a=1"),
	STR_INIT("your bank") } };
static struct content_signature signatures[] = { { .kind = SIGNATURE_DKIM,
	.tags = STR_INIT("v=1; d=example.test"),
	.header = { 9 },
	.body = { 8 },
	.computed = true,
	.l_short = true } };
static uint64_t tokens[] = { 3, 5, UINT64_MAX };

static struct content
sample(void)
{
	struct content c = { .odd = MIME_ODD(DUP_TYPE),
		.parts = 3,
		.depth = 2,
		.html_flags = HTML_FORM,
		.links_all = 7,
		.unpacked = 870,
		.members = 1,
		.member_most = 70,
		.text_bytes = 256,
		.hidden_bytes = 256,
		.nleaves = 2,
		.leaves = leaves,
		.nlinks = 1,
		.links = links,
		.nsignatures = 1,
		.signatures = signatures,
		.ntokens = 3,
		.tokens = tokens,
		.njobs = 2,
		.jobs = { { 2 }, { 0 } },
		.text = STR("Hello\n\tyou"),
		.hidden = STR("unseen"),
		.subject = STR("about"),
		.people = STR("Ann <ann@x.test>\nben@y.test\n"),
		.search_head = STR("Subject: Hello\n\tContent-ID: 1\n"),
		.search_text = STR("all of it"),
		.search_cut = true };

	return c;
}

static enum rc
unpack(const struct buf *b, struct arena *mem, struct content *out)
{
	return content_unpack(buf_str(b), MESSAGE, mem, out);
}

TEST(what_was_found_in_a_message_arrives_unchanged)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(CONTENT_MOST);
	BUF_AUTO again = BUF(CONTENT_MOST);
	struct content c = sample(), got;

	content_pack(&b, &c);
	assert_true(buf_ok(&b));
	assert_int_equal(unpack(&b, mem, &got), RC_OK);
	assert_int_equal(got.odd, c.odd);
	assert_int_equal(got.html_flags, HTML_FORM);
	assert_int_equal(got.links_all, 7);
	assert_int_equal(got.unpacked, 870);
	assert_int_equal(got.text_bytes, 256);
	assert_int_equal(got.hidden_bytes, 256);
	assert_int_equal(got.nleaves, 2);
	assert_true(str_eq(got.leaves[0].name, leaves[0].name));
	assert_memory_equal(got.leaves[0].digest, leaves[0].digest, 32);
	assert_int_equal(got.leaves[0].at, 500);
	assert_int_equal(got.leaves[1].parent, 1);
	assert_true(str_eq(got.links[0].text, STR("your bank")));
	assert_true(got.signatures[0].computed && got.signatures[0].l_short);
	assert_int_equal(got.tokens[2], UINT64_MAX);
	assert_int_equal(got.jobs[0].leaf, 2);
	assert_true(str_eq(got.text, c.text) && str_eq(got.hidden, c.hidden));
	assert_true(str_eq(got.subject, c.subject) && str_eq(got.people, c.people));
	assert_true(str_eq(got.search_head, c.search_head) &&
		    str_eq(got.search_text, c.search_text) && got.search_cut);
	content_pack(&again, &got);
	assert_true(str_eq(buf_str(&b), buf_str(&again)));
}

TEST(every_shortened_content_is_refused)
{
	BUF_AUTO b = BUF(CONTENT_MOST);
	struct content c = sample(), got;

	content_pack(&b, &c);
	for (size_t n = 0; n < b.len; n++) {
		ARENA_AUTO mem = arena_new(MEM);

		assert_int_equal(
			content_unpack(str_first(buf_str(&b), n), MESSAGE, mem, &got),
			RC_BAD);
	}
}

/* Where the first leaf begins, and what it has where. */
enum {
	TEXT_BYTES = 49,
	HIDDEN_BYTES = 53,
	LEAVES = 59,
	PARENT = LEAVES,
	FLAGS = LEAVES + 4,
	ODD = LEAVES + 8,
	AT = LEAVES + 16,
	LENGTH = LEAVES + 20,
	SIZE = LEAVES + 24,
	NAME = LEAVES + 68
};

TEST(a_taken_over_scanner_cannot_claim_what_is_not)
{
	static const struct {
		size_t at;
		unsigned char byte;
	} bad[] = { { 0, 1 }, { 8, 0x80 }, { 16, 0x80 }, { 20, 0xff }, { 21, 0 },
		{ 32, 0xff }, { TEXT_BYTES + 2, 9 }, { TEXT_BYTES + 1, 0 },
		{ HIDDEN_BYTES + 2, 2 }, { HIDDEN_BYTES + 1, 0 }, { 57, 255 },
		{ PARENT, 1 }, { PARENT, 2 }, { FLAGS + 3, 1 }, { ODD + 7, 1 },
		{ AT + 3, 1 }, { LENGTH + 3, 1 }, { SIZE + 7, 1 }, { NAME, '\n' },
		{ NAME, 0xff }, { NAME, 0 }, { NAME, 0x7f } };
	BUF_AUTO b = BUF(CONTENT_MOST);
	struct content c = sample(), got;

	content_pack(&b, &c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		char was = b.data[bad[i].at];

		b.data[bad[i].at] = (char)bad[i].byte;
		assert_int_equal(unpack(&b, mem, &got), RC_BAD);
		b.data[bad[i].at] = was;
	}
	ARENA_AUTO mem = arena_new(MEM);
	assert_int_equal(unpack(&b, mem, &got), RC_OK);
	assert_int_equal(content_unpack(buf_str(&b), 1499, mem, &got), RC_BAD);
}

TEST(text_of_any_bytes_is_shown_and_never_costs_the_message)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(CONTENT_MOST);
	struct content c = sample(), got;

	c.text = STR("a\x1b[31m\xff\xc2\x9b\xc3\xa4\r\n\tb");
	links[0].text = STR("a\nb");
	content_pack(&b, &c);
	links[0].text = STR("your bank");
	assert_int_equal(unpack(&b, mem, &got), RC_OK);
	assert_true(str_eq(got.text, STR("a [31m? \xc3\xa4 \n\tb")));
	assert_true(str_eq(got.links[0].text, STR("a b")));
}

TEST(too_much_of_everything_still_is_a_record)
{
	static char text[2 * CONTENT_TEXT];
	static uint64_t many_tokens[2 * CONTENT_TOKENS];
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(CONTENT_MOST);
	struct content c = sample(), got;
	struct content_leaf *many = calloc(2 * CONTENT_LEAVES, sizeof(*many));
	struct content_link *urls = calloc(2 * CONTENT_LINKS, sizeof(*urls));
	struct content_signature signed_by[2 * CONTENT_SIGNATURES] = { 0 };

	memset(text, 'x', sizeof(text));
	str long_one = { text, sizeof(text) };
	for (size_t i = 0; i < 2 * CONTENT_LEAVES; i++)
		many[i] = (struct content_leaf){ .name = long_one,
			.type = long_one,
			.true_type = long_one,
			.parent = UINT16_MAX,
			.size = UINT64_MAX };
	for (size_t i = 0; i < 2 * CONTENT_LINKS; i++)
		urls[i] = (struct content_link){ 0, long_one, long_one };
	for (size_t i = 0; i < 2 * CONTENT_SIGNATURES; i++)
		signed_by[i] = (struct content_signature){ .kind = SIGNATURE_DKIM,
			.tags = str_first(long_one, 64 * 1024) };
	for (size_t i = 0; i < 2 * CONTENT_TOKENS; i++)
		many_tokens[i] = i;
	c.leaves = many;
	c.nleaves = 2 * CONTENT_LEAVES;
	c.links = urls;
	c.nlinks = 2 * CONTENT_LINKS;
	c.signatures = signed_by;
	c.nsignatures = 2 * CONTENT_SIGNATURES;
	c.tokens = many_tokens;
	c.ntokens = 2 * CONTENT_TOKENS;
	c.text = c.hidden = long_one;
	c.jobs[0].leaf = UINT16_MAX;
	content_pack(&b, &c);
	free(many);
	free(urls);
	assert_true(buf_ok(&b));
	assert_int_equal(unpack(&b, mem, &got), RC_OK);
	/* as much as there can be; who unpacks it counts on this */
	assert_true(arena_used(mem) < 6 * 1024 * 1024);
	assert_int_equal(got.nleaves, CONTENT_LEAVES);
	assert_int_equal(got.leaves[0].name.len, CONTENT_NAME);
	assert_int_equal(got.leaves[CONTENT_LEAVES - 1].name.len, 0);
	assert_int_equal(got.nlinks, 768 * 1024 / (CONTENT_URL + HTML_LINK_TEXT));
	assert_int_equal(got.nsignatures, 4);
	assert_int_equal(got.ntokens, CONTENT_TOKENS);
	assert_int_equal(got.text.len, CONTENT_TEXT);
	assert_int_equal(got.hidden.len, CONTENT_HIDDEN);
	assert_int_equal(got.jobs[0].leaf, 0);
}

TEST(tokens_come_in_order)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(CONTENT_MOST);
	uint64_t twice[] = { 1, 2, 2, 3 };
	struct content c = sample(), got;

	c.tokens = twice;
	c.ntokens = 4;
	content_pack(&b, &c);
	assert_int_equal(unpack(&b, mem, &got), RC_OK);
	assert_int_equal(got.ntokens, 2);
	c.ntokens = 2;
	buf_clear(&b);
	content_pack(&b, &c);
	for (size_t i = 0; i + 16 <= b.len; i++)
		if (memcmp(b.data + i, twice, 16) == 0)
			b.data[i + 8] = 1;
	assert_int_equal(unpack(&b, mem, &got), RC_BAD);
}
