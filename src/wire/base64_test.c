/* SPDX-License-Identifier: ISC */
#include "test/test.h"
#include "wire/base64.h"

/* RFC 4648 10 */
static const struct {
	const char *plain, *text;
} pairs[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

TEST(what_is_encoded_comes_back)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		BUF_AUTO b = BUF(100), back = BUF(100);

		base64_put(&b, str_of(pairs[i].plain));
		assert_string_equal(buf_z(&b), pairs[i].text);
		assert_int_equal(base64_get(buf_str(&b), &back), RC_OK);
		assert_string_equal(buf_z(&back), pairs[i].plain);
	}
}

TEST(a_login_in_sloppy_base64_is_refused)
{
	static const char *const bad[] = { "Z", "Zg",
		"Zg=", "Zg===", "Zh==", "Zm9=", "Zg==Zg==", "=g==", "Zm 9", "Zm9v\n",
		"Zm9v*A==", "====", "Z===" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		BUF_AUTO b = BUF(100);

		buf_addz(&b, "x");
		assert_int_equal(base64_get(str_of(bad[i]), &b), RC_BAD);
		assert_int_equal(b.len, 1);
	}
}
