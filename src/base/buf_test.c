/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "test/test.h"

TEST(buf_refuses_past_its_limit_and_says_so_once_asked)
{
	BUF_AUTO b = BUF(4);

	buf_add(&b, STR("abc"));
	assert_true(buf_ok(&b));
	buf_add(&b, STR("de"));
	assert_false(buf_ok(&b));
	buf_add(&b, STR("x")); /* sticky: nothing more gets in */
	assert_true(str_eq(buf_str(&b), STR("abc")));
}

TEST(buf_formats_text_longer_than_its_small_buffer)
{
	BUF_AUTO b = BUF(1000);

	buf_addf(&b, "%0500d", 7);
	assert_int_equal(b.len, 500);
	assert_int_equal(b.data[499], '7');
	assert_string_equal(buf_z(&b) + 498, "07");
}

TEST(buf_writes_the_digits_of_any_number)
{
	BUF_AUTO b = BUF(100);

	buf_addu(&b, 0);
	buf_addc(&b, ' ');
	buf_addu(&b, 10);
	buf_addc(&b, ' ');
	buf_addu(&b, UINT64_MAX);
	assert_string_equal(buf_z(&b), "0 10 18446744073709551615");
}

TEST(buf_writes_little_endian)
{
	BUF_AUTO b = BUF(8);

	buf_le(&b, 0x0102030405, 5);
	assert_memory_equal(b.data, "\5\4\3\2\1", 5);
}
