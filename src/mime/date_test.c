/* SPDX-License-Identifier: ISC */
#include "mime/date.h"

#include "test/test.h"

TEST(dates_table)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "Tue, 14 Nov 2023 22:13:20 +0000", 1700000000 },
		{ "14 Nov 2023 22:13 +0000", 1699999980 },
		{ "Tue, 14 Nov 2023 23:13:20 +0100 (CET)", 1700000000 },
		{ "Tue,14 Nov 2023 17:13:20 EST", 1700000000 },
		{ "14 Nov 23 22:13:20 GMT", 1700000000 },
		{ "14 Nov 123 22:13:20 Z", 1700000000 },
		{ "Fri, 21 Nov 97 09:55:06 -0600", 880127706 },
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706 },
		{ "Tue Nov 14 22:13:20 2023", 1700000000 },
		{ "Tue Nov 14 22:13:20 UTC 2023", 1700000000 },
		{ "14-Nov-2023 22:13:20", 1700000000 },
		{ "2023-11-14T22:13:20.125Z", 1700000000 },
		{ "2023-11-14 23:13:20+01:00", 1700000000 },
		{ "November 14, 2023 10:13:20 PM", 1700000000 },
		{ "29 Feb 2024 00:00:00 +0000", 1709164800 },
		{ "1 Jan 1970 00:00:00 +0000", 0 },
		{ "31 Dec 2016 23:59:60 +0000", 1483228800 },
		{ "29 Feb 2023 00:00:00 +0000", INT64_MIN },
		{ "32 Jan 2023 00:00:00 +0000", INT64_MIN },
		{ "14 Nov 2023 25:00:00 +0000", INT64_MIN },
		{ "14 Nov 2023 22:13:20 +0099", INT64_MIN },
		{ "1 Jan 0000 00:00:00 +0100", INT64_MIN },
		{ "14 Nov 2023 22:13:20 +0030", 1699998200 },
		{ "14 Nov 2023 22:13:20 -03", 1700010800 },
		{ "yesterday", INT64_MIN },
		{ "", INT64_MIN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = INT64_MIN;

		(void)!mail_date_parse(str_of(cases[i].text), &got);
		if (got != cases[i].want)
			print_message("%s\n", cases[i].text);
		assert_int_equal(got, cases[i].want);
	}
}
