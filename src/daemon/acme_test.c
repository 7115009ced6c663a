/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "daemon/acme_int.h"
#include "test/test.h"

static const char about[] = "https://ca.test/dir mx.test";

TEST(a_ca_is_asked_less_and_less_often_while_it_says_no)
{
	static const unsigned hours[] = { 1, 1, 2, 4, 8, 16, 24, 24, 24 };

	for (unsigned n = 0; n < sizeof(hours) / sizeof(hours[0]); n++)
		assert_int_equal(acme_delay_ms(n), hours[n] * 3600000ull);
	assert_int_equal(acme_delay_ms(UINT32_MAX), 24 * 3600000ull);
}

TEST(what_came_of_a_try_is_known_after_a_restart)
{
	struct acme_state s = { .tried_ms = 5, .next_ms = 7, .failures = 3 }, got;
	int fd = open(test_folder(), O_RDONLY | O_DIRECTORY);

	(void)snprintf(s.said, sizeof(s.said), "the CA: \"no\" = no");
	(void)snprintf(s.got, sizeof(s.got), "https://other.test/dir");
	acme_state_read(fd, str_of(about), &got);
	assert_true(!got.same && got.next_ms == 0);
	assert_int_equal(mkdirat(fd, "acme", 0700), 0);
	assert_int_equal(acme_state_write(fd, str_of(about), &s, NULL), RC_OK);
	acme_state_read(fd, str_of(about), &got);
	assert_true(got.same);
	assert_int_equal(got.tried_ms, 5);
	assert_int_equal(got.next_ms, 7);
	assert_int_equal(got.failures, 3);
	assert_string_equal(got.said, s.said);
	assert_string_equal(got.got, s.got);
	acme_state_read(fd, STR("https://ca.test/dir mx.test imap.test"), &got);
	assert_false(got.same);
	fs_close(&fd);
}

TEST(a_damaged_state_only_means_another_try)
{
	static const char *const texts[] = { "", "\n\n", "next", "next -1\n",
		"next 1 2\n", "next 99999999999999999999999\n", "failures x\nabout\n",
		"\xff\xfe\n" };
	int fd = open(test_folder(), O_RDONLY | O_DIRECTORY);
	struct acme_state got;

	assert_int_equal(mkdirat(fd, "acme", 0700), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(
			fs_replace(fd, "acme/state", 0600, str_of(texts[i]), NULL),
			RC_OK);
		acme_state_read(fd, str_of(about), &got);
		assert_false(got.same);
		assert_int_equal(got.next_ms, 0);
		assert_int_equal(got.failures, 0);
	}
	fs_close(&fd);
}

static void
sentence(const char *said, const char *expected)
{
	BUF_AUTO out = BUF(2000);

	acme_sentence(str_of(said), &out);
	assert_string_equal(buf_z(&out), expected);
}

TEST(a_refusal_of_the_ca_is_told_in_its_own_words)
{
	sentence(
		"uacme: challenge https://x failed with status invalid\n"
		"uacme: the server reported the following error:\n{\n"
		"    \"type\": \"urn:ietf:params:acme:error:connection\",\n"
		"    \"detail\": \"Get \\\"http://x\\\": refused\",\n    \"status\": 400\n}\n"
		"uacme: failed to authorize order\n",
		"Get \"http://x\": refused");
	sentence("uacme: curl_get: GET https://x failed: Couldn't connect to server\n"
		 "uacme: failed to fetch directory at https://x\n",
		"failed to fetch directory at https://x (Couldn't connect to server)");
	sentence("", "uacme failed and said nothing");
	sentence("\"detail\": \"", "\"detail\": \"");
	sentence("\"detail\": \"\\\\\"\nuacme: no\n",
		"no"); /* never empty: that is success */
	sentence("\"detail\": \"ends in \\", "ends in ");
}

TEST(a_challenge_of_a_hostile_ca_stays_in_its_folder)
{
	static const char *const tokens[] = { "..", ".", "a/b", "/etc/passwd", "", "a.b",
		"a b", "a\n", "t\xc3\xa9" };
	int fd = open(test_folder(), O_RDONLY | O_DIRECTORY);
	char begin[] = "begin", done[] = "done", type[] = "http-01", name[] = "mx.test";
	char good[] = "good-Token_1", auth[] = "good-Token_1.print", bad[32];
	char *text;
	size_t len;

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		(void)snprintf(bad, sizeof(bad), "%s", tokens[i]);
		assert_int_equal(
			acme_hook(
				fd, 5, (char *[]){ begin, type, name, bad, auth }, NULL),
			RC_BAD);
		assert_int_equal(
			acme_hook(fd, 5, (char *[]){ done, type, name, bad, auth }, NULL),
			RC_BAD);
	}
	assert_int_equal(
		acme_hook(fd, 4, (char *[]){ begin, type, name, good }, NULL), RC_BAD);
	assert_int_equal(
		acme_hook(fd, 5, (char *[]){ begin, type, name, good, auth }, NULL),
		RC_OK);
	assert_int_equal(fs_read_all(fd, good, 100, &text, &len, NULL), RC_OK);
	assert_string_equal(text, auth);
	free(text);
	assert_int_equal(
		acme_hook(fd, 5, (char *[]){ done, type, name, good, auth }, NULL),
		RC_OK);
	assert_int_equal(fs_read_all(fd, good, 100, &text, &len, NULL), RC_NONE);
	fs_close(&fd);
}
