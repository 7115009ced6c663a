/* SPDX-License-Identifier: ISC */
#include "base/ids.h"
#include "crypto/password.h"
#include "test/test.h"

TEST(a_password_matches_its_hash_and_no_other_does)
{
	char hash[PASSWORD_TEXT], again[PASSWORD_TEXT];

	assert_int_equal(password_hash(STR("correct horse"), hash, NULL), RC_OK);
	assert_int_equal(password_hash(STR("correct horse"), again, NULL), RC_OK);
	assert_true(str_starts(str_of(hash), STR("$y$j9T$")));
	assert_string_not_equal(hash, again);
	assert_true(password_matches(STR("correct horse"), str_of(hash)));
	assert_false(password_matches(STR("correct horsf"), str_of(hash)));
	assert_false(password_matches(STR(""), str_of(hash)));
	assert_false(password_matches(STR("correct horse"), STR("")));
	assert_false(password_matches(STR("correct horse"), STR("$y$")));
	assert_false(password_matches(STR("correct horse"), str_first(str_of(hash), 50)));
}

TEST(a_password_typed_composed_or_decomposed_is_the_same)
{
	char hash[PASSWORD_TEXT];

	assert_int_equal(password_hash(STR("caf\xc3\xa9"), hash, NULL), RC_OK);
	assert_true(password_matches(STR("cafe\xcc\x81"), str_of(hash)));
}

TEST(what_cannot_be_typed_again_is_no_password)
{
	static char large[PASSWORD_MOST + 1];
	char hash[PASSWORD_TEXT];
	struct err err;

	memset(large, 'x', sizeof(large));
	assert_int_equal(password_hash(STR(""), hash, &err), RC_BAD);
	assert_int_equal(password_hash(STR("a\nb"), hash, &err), RC_BAD);
	assert_int_equal(password_hash(STR("a\0b"), hash, &err), RC_BAD);
	assert_int_equal(password_hash(STR("\xff\xfe"), hash, &err), RC_BAD);
	assert_int_equal(
		password_hash((str){ large, sizeof(large) }, hash, &err), RC_BAD);
	assert_non_null(strstr(err.text, "longer"));
}

/* RFC 7677 3's exchange: user "user", password "pencil". */
TEST(scram_keys_are_those_of_the_rfc)
{
	/* base64 W22ZaJ0SNY7soEsUEjb6gQ== */
	static const char salt[16] =
		"\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36"
		"\xfa\x81";
	struct scram s;
	char hex[65];

	assert_int_equal(
		scram_derive(STR("pencil"), (str){ salt, 16 }, 4096, &s, NULL), RC_OK);
	ids_hex(s.stored_key, sizeof(s.stored_key), hex);
	assert_string_equal(
		hex, "586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6");
	ids_hex(s.server_key, sizeof(s.server_key), hex);
	assert_string_equal(
		hex, "c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5");
	assert_int_equal(
		scram_derive(STR("pencil"), STR("short"), 4096, &s, NULL), RC_BAD);
}

TEST(an_app_password_matches_however_it_is_typed)
{
	char secret[APP_SECRET], typed[40];
	uint8_t digest[32];

	app_secret_make(secret, digest);
	assert_int_equal(strlen(secret), 20);
	assert_true(app_secret_matches(str_of(secret), digest));
	(void)snprintf(typed, sizeof(typed), "%.5s-%.5s %.5s-%s", secret, secret + 5,
		secret + 10, secret + 15);
	for (char *c = typed; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 32);
	assert_true(app_secret_matches(str_of(typed), digest));
	secret[3] = secret[3] == 'a' ? 'b' : 'a';
	assert_false(app_secret_matches(str_of(secret), digest));
	assert_false(app_secret_matches(STR("0123456789012345678901"), digest));
}
