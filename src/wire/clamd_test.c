/* SPDX-License-Identifier: ISC */
#include "wire/clamd.h"

#include "test/test.h"

TEST(no_answer_is_taken_for_clean_but_ok)
{
	static const struct {
		str line;
		enum rc rc;
		enum clamd_says says;
		str text;
	} cases[] = {
		{ STR_INIT("stream: OK"), RC_OK, CLAMD_CLEAN, STR_INIT("OK") },
		{ STR_INIT("fd[10]: OK"), RC_OK, CLAMD_CLEAN, STR_INIT("OK") },
		{ STR_INIT("fd[5]: Eicar-Test-Signature FOUND"), RC_OK, CLAMD_FOUND,
			STR_INIT("Eicar-Test-Signature") },
		{ STR_INIT("stream: A(44d8:68) FOUND"), RC_OK, CLAMD_FOUND,
			STR_INIT("A(44d8:68)") },
		{ STR_INIT("stream: OK FOUND"), RC_OK, CLAMD_FOUND, STR_INIT("OK") },
		{ STR_INIT("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND"), RC_OK,
			CLAMD_TOO_BIG,
			STR_INIT("Heuristics.Limits.Exceeded.MaxFileSize") },
		{ STR_INIT("INSTREAM size limit exceeded. ERROR"), RC_OK, CLAMD_TOO_BIG,
			STR_INIT("INSTREAM size limit exceeded.") },
		{ STR_INIT("fd[5]: Size limit reached ERROR"), RC_OK, CLAMD_TOO_BIG,
			STR_INIT("fd[5]: Size limit reached") },
		{ STR_INIT("Error condition on fd[5] ERROR"), RC_OK, CLAMD_FAILED,
			STR_INIT("Error condition on fd[5]") },
		{ STR_INIT("UNKNOWN COMMAND"), RC_OK, CLAMD_FAILED,
			STR_INIT("UNKNOWN COMMAND") },
		{ STR_INIT("PONG"), RC_OK, CLAMD_PONG, STR_INIT("") },
		{ STR_INIT(""), RC_BAD },
		{ STR_INIT("OK"), RC_BAD },
		{ STR_INIT(": OK"), RC_BAD },
		{ STR_INIT("stream: "), RC_BAD },
		{ STR_INIT("stream: OK "), RC_BAD },
		{ STR_INIT("stream:OK"), RC_BAD },
		{ STR_INIT("stream: ok"), RC_BAD },
		{ STR_INIT("stream:  FOUND"), RC_BAD },
		{ STR_INIT("fd[]: OK"), RC_BAD },
		{ STR_INIT("fd[x]: OK"), RC_BAD },
		{ STR_INIT("/tmp/x: OK"), RC_BAD },
		{ STR_INIT("stream: OK\nx"), RC_BAD },
		{ STR_INIT("HTTP/1.1 200 OK"), RC_BAD },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct clamd_answer a = { 0 };

		assert_int_equal(clamd_answer_read(cases[i].line, &a), cases[i].rc);
		assert_int_equal(a.says, cases[i].says);
		assert_true(str_eq(a.text, cases[i].text));
	}
}

TEST(settings_of_clamd_are_read_with_their_units)
{
	static const struct {
		const char *value;
		enum rc rc;
		uint64_t want;
	} cases[] = {
		{ "25M", RC_OK, 25 << 20 },
		{ "10k", RC_OK, 10240 },
		{ "0", RC_OK, 0 },
		{ "123", RC_OK, 123 },
		{ "1G", RC_OK, 1 << 30 },
		{ "M", RC_BAD },
		{ "", RC_BAD },
		{ "-1", RC_BAD },
		{ "1 M", RC_BAD },
		{ "99999999999999999999", RC_BAD },
	};
	str name, value;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = 0;

		assert_int_equal(clamd_size(str_of(cases[i].value), &got), cases[i].rc);
		assert_int_equal(got, cases[i].want);
	}
	clamd_setting(STR("  MaxFileSize \t \"25M\" \r"), &name, &value);
	assert_true(str_eq(name, STR("MaxFileSize")) && str_eq(value, STR("25M")));
	clamd_setting(STR("# MaxFileSize 1"), &name, &value);
	assert_true(name.len == 0);
	clamd_setting(STR("Foreground"), &name, &value);
	assert_true(str_eq(name, STR("Foreground")) && value.len == 0);
}
