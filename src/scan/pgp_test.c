/* SPDX-License-Identifier: ISC */
#include "scan/pgp.h"

#include "test/test.h"

TEST(packets_of_all_lengths_are_taken_apart)
{
	static const struct {
		str bytes;
		unsigned tag;
		str body, rest;
	} rows[] = {
		{ STR_INIT("\xcb\x03"
			   "abcX"),
			11, STR_INIT("abc"), STR_INIT("X") },
		{ STR_INIT("\xcb\xff\0\0\0\x02"
			   "abX"),
			11, STR_INIT("ab"), STR_INIT("X") },
		/* in pieces: 2, 1, and the last one of 2 */
		{ STR_INIT("\xcb\xe1"
			   "ab\xe0"
			   "c\x02"
			   "deX"),
			11, STR_INIT("abcde"), STR_INIT("X") },
		{ STR_INIT("\xac\x02"
			   "abX"),
			11, STR_INIT("ab"), STR_INIT("X") },
		{ STR_INIT("\xad\0\x02"
			   "abX"),
			11, STR_INIT("ab"), STR_INIT("X") },
		{ STR_INIT("\xa3\x01rest"), 8, STR_INIT("\x01rest"), STR_INIT("") },
		/* longer than it is */
		{ STR_INIT("\xcb\x20"
			   "abc"),
			11, STR_INIT("abc"), STR_INIT("") },
		{ STR_INIT("\xcb\xef"
			   "abc"),
			11, STR_INIT("abc"), STR_INIT("") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		LUMP_AUTO joined = { 0 };
		struct pgp_packet p;
		str rest = rows[i].bytes;

		assert_true(pgp_next(&rest, &p, &joined));
		assert_int_equal(p.tag, rows[i].tag);
		assert_true(str_eq(p.body, rows[i].body));
		assert_true(str_eq(rest, rows[i].rest));
	}
}

TEST(what_is_no_packet_ends_the_message)
{
	static const str rows[] = { STR_INIT(""), STR_INIT("\xcb"), STR_INIT("text"),
		STR_INIT("\x7f\x01") };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		LUMP_AUTO joined = { 0 };
		struct pgp_packet p;
		str rest = rows[i];

		assert_false(pgp_next(&rest, &p, &joined));
	}
	assert_false(pgp_is_open(STR("\x85\x01\x0c\x03 encrypted")));
	assert_true(pgp_is_open(STR("\xa3\x01 deflated bytes")));
	assert_true(pgp_is_open(STR("\xcb\x0e"
				    "b\0\0\0\0\0 and text")));
}

TEST(armor_is_found_within_a_text_and_more_than_once)
{
	str text = STR(
		"hello\r\n-----BEGIN PGP MESSAGE-----\r\nVersion: 1\r\n\r\nAAAA\r\n"
		"-----END PGP MESSAGE-----\r\nand\n-----BEGIN PGP MESSAGE-----\n\nBBBB\n");
	size_t at = 0;
	str base64;

	assert_true(pgp_armored(text, &at, &base64));
	assert_true(str_starts(base64, STR("AAAA")));
	assert_true(str_find(base64, STR("END")) == base64.len);
	assert_true(pgp_armored(text, &at, &base64));
	assert_true(str_starts(base64, STR("BBBB")));
	assert_false(pgp_armored(text, &at, &base64));
}

TEST(a_literal_packet_has_a_name_and_a_file)
{
	str name, file;

	assert_true(pgp_literal(STR("b\x03"
				    "abc\0\0\0\0file"),
		&name, &file));
	assert_true(str_eq(name, STR("abc")) && str_eq(file, STR("file")));
	assert_false(pgp_literal(STR("b\x0f"
				     "abc"),
		&name, &file));
}
