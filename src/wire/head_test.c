/* SPDX-License-Identifier: ISC */
#include "wire/head.h"

#include <stdlib.h>

#include "test/test.h"

#define FIELDS(...) \
	(const str[]){ __VA_ARGS__ }, sizeof((const str[]){ __VA_ARGS__ }) / sizeof(str)

static void
pack_of(struct buf *record, const struct head_field *fields, size_t n)
{
	struct head h = { n, (struct head_field *)(uintptr_t)fields };

	head_pack(record, &h);
}

static struct head_field
field(const char *name, const char *bytes)
{
	return (struct head_field){ str_of(name), str_of(bytes) };
}

static void
assert_bytes(const struct buf *b, const char *expected)
{
	char *got = calloc(1, b->len + 1);

	assert_non_null(got);
	if (b->len > 0)
		memcpy(got, b->data, b->len);
	assert_string_equal(got, expected);
	free(got);
}

TEST(header_fields_come_as_they_were_sent_and_in_their_order)
{
	const struct head_field fields[] = {
		field("Subject", "Subject: one\r\n\ttwo\r\n"),
		field("FROM", "FROM : fred@example.org\r\n"),
		field("subject", "subject:again\r\n"),
		field("Date", "Date: never"),
	};
	BUF_AUTO record = BUF(HEAD_MOST);
	BUF_AUTO out = BUF(4096);

	pack_of(&record, fields, 4);
	assert_true(head_put(&out, buf_str(&record),
		FIELDS(STR("SUBJECT"), STR("from"), STR("Cc")), false));
	assert_bytes(&out, "Subject: one\r\n\ttwo\r\nFROM : fred@example.org\r\n"
			   "subject:again\r\n\r\n");
	buf_clear(&out);
	assert_true(head_put(&out, buf_str(&record), FIELDS(STR("To")), false));
	assert_bytes(&out, "\r\n");
	buf_clear(&out);
	assert_true(head_put(&out, buf_str(&record), FIELDS(STR("subject")), true));
	assert_bytes(&out, "FROM : fred@example.org\r\nDate: never\r\n\r\n");
}

TEST(what_is_not_kept_is_asked_of_the_file)
{
	char longer[HEAD_FIELD + 2] = "X-Long: ";
	memset(longer + 8, 'a', sizeof(longer) - 9);
	const struct head_field fields[] = {
		field("Subject", "Subject: one\r\n"),
		field("X-Long", longer),
		field("Received", "Received: by us\r\n"),
		field("X-xatepost-Score", ""),
	};
	BUF_AUTO record = BUF(HEAD_MOST);
	BUF_AUTO out = BUF(4096);

	pack_of(&record, fields, 4);
	buf_add(&out, STR("before"));
	assert_false(head_put(&out, buf_str(&record), FIELDS(STR("x-long")), false));
	assert_false(
		head_put(&out, buf_str(&record), FIELDS(STR("X-xatepost-score")), false));
	assert_false(head_put(&out, buf_str(&record), FIELDS(STR("subject")), true));
	assert_bytes(&out, "before");
	buf_clear(&out);
	assert_true(head_put(&out, buf_str(&record), FIELDS(STR("subject")), false));
	assert_bytes(&out, "Subject: one\r\n\r\n");
	buf_clear(&out);
	assert_true(head_put(&out, buf_str(&record),
		FIELDS(STR("x-long"), STR("received"), STR("x-xatepost-score")), true));
	assert_bytes(&out, "Subject: one\r\n\r\n");
}

TEST(fields_of_the_trace_block_are_never_said_to_be_missing)
{
	static const str names[] = { STR_INIT("received"), STR_INIT("DKIM-Signature"),
		STR_INIT("ARC-Seal"), STR_INIT("X-Gatepost-Score"),
		STR_INIT("authentication-results"), STR_INIT("RETURN-PATH") };
	const struct head_field fields[] = { field("Subject", "Subject: one\r\n") };
	BUF_AUTO record = BUF(HEAD_MOST);
	BUF_AUTO out = BUF(4096);

	pack_of(&record, fields, 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(head_put(&out, buf_str(&record), &names[i], 1, false));
}

TEST(a_header_that_is_too_long_keeps_the_names_of_the_rest)
{
	static char texts[10][HEAD_FIELD];
	struct head_field fields[10];
	BUF_AUTO record = BUF(HEAD_MOST);
	BUF_AUTO out = BUF(4096);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct head h;

	for (size_t i = 0; i < 10; i++) {
		memset(texts[i], 'a', HEAD_FIELD);
		memcpy(texts[i], "N0: ", 4);
		texts[i][1] = (char)('0' + i);
		memcpy(texts[i] + HEAD_FIELD - 2, "\r\n", 2);
		fields[i] = (struct head_field){ { texts[i], 2 },
			{ texts[i], HEAD_FIELD } };
	}
	pack_of(&record, fields, 10);
	assert_true(buf_ok(&record));
	assert_int_equal(head_unpack(buf_str(&record), mem, &h), RC_OK);
	assert_int_equal(h.n, 10);
	assert_int_equal(h.fields[6].bytes.len, HEAD_FIELD);
	assert_int_equal(h.fields[9].bytes.len, 0);
	assert_true(str_eq(h.fields[9].name, STR("N9")));
	assert_false(head_put(&out, buf_str(&record), FIELDS(STR("n9")), false));
}

TEST(too_many_fields_are_asked_of_the_file)
{
	struct head_field fields[HEAD_FIELDS + 1];
	BUF_AUTO record = BUF(HEAD_MOST);
	BUF_AUTO out = BUF(4096);
	ARENA_AUTO mem = arena_new(1 << 20);
	struct head h;

	for (size_t i = 0; i <= HEAD_FIELDS; i++)
		fields[i] = field("A", "A:\n");
	pack_of(&record, fields, HEAD_FIELDS);
	assert_true(head_put(&out, buf_str(&record), FIELDS(STR("B")), false));
	buf_clear(&record);
	pack_of(&record, fields, HEAD_FIELDS + 1);
	assert_int_equal(record.len, 0);
	assert_false(head_put(&out, buf_str(&record), FIELDS(STR("B")), false));
	assert_int_equal(head_unpack(buf_str(&record), mem, &h), RC_BAD);
}

TEST(a_record_of_header_fields_that_lies_is_not_believed)
{
	static const str bad[] = {
		STR_INIT("\1\1\0\4\0A:\n\n"), /* an empty line ends a header */
		STR_INIT("\1\1\0\10\0A:\nB: 1\n"), /* two fields */
		STR_INIT("\1\1\0\2\0A\n"), /* none */
		STR_INIT("\1\1\0\2\200A:"), /* no name */
		STR_INIT("\1\1\0\0\200"),
		STR_INIT("\1\1\0\0\0"),
		STR_INIT("\1\1\0\12\0Received:\n"), /* not kept */
		STR_INIT("\1\1\0\3\0A:"), /* shorter */
		STR_INIT("\1\1\0\3\0A:\n?"), /* longer */
		STR_INIT("\1\365\1\3\0A:\n"),
		STR_INIT("\2\1\0\3\0A:\n"),
		STR_INIT(""),
	};
	ARENA_AUTO mem = arena_new(1 << 20);
	BUF_AUTO out = BUF(4096);
	struct head h;

	assert_int_equal(head_unpack(STR("\1\1\0\3\0A:\n"), mem, &h), RC_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(head_unpack(bad[i], mem, &h), RC_BAD);
		assert_false(head_put(&out, bad[i], NULL, 0, true));
		assert_int_equal(out.len, 0);
	}
}

TEST(a_header_block_gives_the_same_fields)
{
	static const str block = STR_INIT(
		"Received: by us\r\nno field at all\r\n"
		"Subject: one\r\n two\r\nTo: you\r\n\r\nA: body");
	BUF_AUTO out = BUF(4096);

	head_put_block(
		&out, block, FIELDS(STR("subject"), STR("RECEIVED"), STR("a")), false);
	assert_bytes(&out, "Received: by us\r\nSubject: one\r\n two\r\n\r\n");
	buf_clear(&out);
	head_put_block(&out, block, FIELDS(STR("subject")), true);
	assert_bytes(&out, "Received: by us\r\nTo: you\r\n\r\n");
	buf_clear(&out);
	head_put_block(&out, str_first(block, 45), NULL, 0, true);
	assert_bytes(&out, "Received: by us\r\nSubject: on\r\n\r\n");
}
