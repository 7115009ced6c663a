/* SPDX-License-Identifier: ISC */
#include "mime/header.h"

#include <stdlib.h>

#include "test/test.h"

enum { MEM = 64 * 1024 };

static str
unfold(struct arena *mem, const char *raw, size_t most)
{
	str out;

	assert_int_equal(header_unfold(str_of(raw), most, mem, &out), RC_OK);
	return out;
}

TEST(fields_are_read_as_clients_read_them)
{
	static const struct {
		enum header_got got;
		str name, value;
		size_t offset;
	} want[] = {
		{ HEADER_FIELD, STR_INIT("From"), STR_INIT(" a@b"), 0 },
		{ HEADER_FIELD, STR_INIT("Subject"),
			STR_INIT(" one\r\n two\r\n\t\r\n three"), 11 },
		{ HEADER_BAD, STR_INIT(""), STR_INIT("no field at all"), 42 },
		{ HEADER_FIELD, STR_INIT("To"), STR_INIT(""), 66 },
		{ HEADER_FIELD, STR_INIT("X-Lf"), STR_INIT(" y"), 73 },
		{ HEADER_END, STR_INIT(""), STR_INIT(""), 0 },
	};
	struct header_reader r;
	struct header_field f;

	header_begin(
		&r, STR("From: a@b\r\nSubject: one\r\n two\r\n\t\r\n three\r\n"
			"no field at all\r\n more\r\nTo \t:\r\nX-Lf: y\n\nbody: no\r\n"));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(header_next(&r, &f), want[i].got);
		if (want[i].got == HEADER_END)
			break;
		assert_true(str_eq(f.name, want[i].name));
		assert_true(str_eq(f.value, want[i].value));
		assert_int_equal(f.offset, want[i].offset);
	}
	assert_true(r.ended);
}

TEST(a_block_without_an_empty_line_ends_with_the_bytes)
{
	struct header_reader r;
	struct header_field f;

	header_begin(&r, STR("A: b"));
	assert_int_equal(header_next(&r, &f), HEADER_FIELD);
	assert_true(str_eq(f.value, STR(" b")));
	assert_int_equal(header_next(&r, &f), HEADER_END);
	assert_false(r.ended);
}

TEST(the_end_of_the_block_is_found_wherever_reading_was_interrupted)
{
	static const str cases[] = { STR_INIT("A: b\r\n\r\nbody"),
		STR_INIT("A: b\n\nbody"), STR_INIT("\r\nbody"), STR_INIT("\nbody"),
		STR_INIT("A: b\r\n c\r\n\r\n") };
	static const size_t want[] = { 8, 6, 2, 1, 12 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t cut = 0; cut < want[i]; cut++) {
			size_t early = header_block_length(str_first(cases[i], cut), 0);

			assert_int_equal(early, 0);
			assert_int_equal(header_block_length(cases[i], cut), want[i]);
		}
	assert_int_equal(header_block_length(STR("A: b\r\n \r\nc: d\r\n"), 0), 0);
}

TEST(ten_thousand_fields_are_enough)
{
	static char block[4 * (HEADER_FIELDS + 1)];
	struct header_reader r;
	struct header_field f;

	for (size_t i = 0; i < sizeof(block); i += 4)
		memcpy(block + i, "a:b\n", 4);
	header_begin(&r, (str){ block, sizeof(block) });
	for (size_t i = 0; i < HEADER_FIELDS; i++)
		assert_int_equal(header_next(&r, &f), HEADER_FIELD);
	assert_int_equal(header_next(&r, &f), HEADER_TOO_MANY);
}

TEST(unfolding_table)
{
	static const struct {
		const char *raw, *want;
		size_t most;
	} cases[] = {
		{ " plain ", "plain", 100 },
		{ " a\r\n b", "a b", 100 },
		{ " a\n\tb", "a\tb", 100 },
		{ "\r\n \r\n a\r\n ", "a", 100 },
		{ "a\rb", "a?b", 100 },
		{ " 123456", "123", 3 },
		{ "", "", 10 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);

		assert_true(str_eq(
			unfold(mem, cases[i].raw, cases[i].most), str_of(cases[i].want)));
	}
}
