/* SPDX-License-Identifier: ISC */
#include "test/test.h"
#include "wire/smtp_trace.h"

static char longest[2000];

static str
long_name(char c, size_t n)
{
	memset(longest, c, sizeof(longest));
	return (str){ longest, n };
}

/* TRACE_BLOCK bytes of whole header fields, lines at most 998 long. */
static void
assert_block(const char *block)
{
	str left = { block, TRACE_BLOCK };
	bool first = true;

	while (left.len > 0) {
		size_t n = str_find(left, STR("\r\n"));

		assert_true(n < left.len && n > 0 && n <= 998);
		str line = str_first(left, n);
		assert_int_equal(str_find(line, STR("\r")), line.len);
		assert_int_equal(str_find(line, STR("\n")), line.len);
		if (line.ptr[0] == '\t')
			assert_false(first);
		else
			assert_true(str_starts(line, STR("Return-Path: <")) ||
				    str_starts(line, STR("Received: from ")) ||
				    str_starts(line, STR("X-Gatepost-Score: ")) ||
				    str_starts(line, STR("X-Gatepost-Released: ")) ||
				    str_starts(line, STR("X-Gatepost-Pad: .")));
		left = str_skip(left, n + 2);
		first = false;
	}
}

static bool
has(const char *block, str what)
{
	return str_find((str){ block, TRACE_BLOCK }, what) < TRACE_BLOCK;
}

static const struct smtp_trace usual = {
	.from = STR_INIT("a@example.org"),
	.helo = STR_INIT("mail.example.org"),
	.hostname = STR_INIT("mx.example.com"),
	.id = STR_INIT("01KAPS0000ABCDEFGHJK"),
	.rcpt = STR_INIT("b@example.com"),
	.tls_version = STR_INIT("TLS1_3"),
	.tls_cipher = STR_INIT("TLS_AES_256_GCM_SHA384"),
	.client = { .family = 4, .bytes = { 192, 0, 2, 1 } },
	.esmtp = true,
	.wall_ms = 1795398480000ull,
	.has_score = true,
	.score = -1250,
	.findings = STR_INIT("A=1.000 B=-2.250"),
};

TEST(the_trace_block_reads_like_mail)
{
	char b[TRACE_BLOCK];

	smtp_trace_block(&usual, b);
	assert_block(b);
	assert_true(has(b,
		STR("Return-Path: <a@example.org>\r\n"
		    "Received: from mail.example.org ([192.0.2.1])\r\n"
		    "\tby mx.example.com (Gatepost) with ESMTPS\r\n\tid 01KAPS0000ABCDEFGHJK\r\n"
		    "\t(TLS1_3 TLS_AES_256_GCM_SHA384)\r\n\tfor <b@example.com>;\r\n\t")));
	assert_true(has(b, STR("X-Gatepost-Score: -1.250 A=1.000 B=-2.250\r\n")));
}

TEST(the_protocol_is_named_as_rfc_3848_wants)
{
	static const struct {
		bool esmtp, utf8, tls;
		str with;
	} cases[] = {
		{ false, false, false, STR_INIT(" with SMTP\r") },
		{ true, false, false, STR_INIT(" with ESMTP\r") },
		{ true, false, true, STR_INIT(" with ESMTPS\r") },
		{ true, true, false, STR_INIT(" with UTF8SMTP\r") },
		{ true, true, true, STR_INIT(" with UTF8SMTPS\r") },
	};
	char b[TRACE_BLOCK];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_trace t = usual;

		t.esmtp = cases[i].esmtp;
		t.utf8 = cases[i].utf8;
		if (!cases[i].tls)
			t.tls_version = t.tls_cipher = STR("");
		smtp_trace_block(&t, b);
		assert_block(b);
		assert_true(has(b, cases[i].with));
	}
}

TEST(the_longest_values_there_can_be_still_make_a_block)
{
	char b[TRACE_BLOCK];

	for (unsigned i = 0; i < 64; i++) {
		struct smtp_trace t = usual;

		t.client = (struct ip){ .family = 6 };
		memset(t.client.bytes, 0xfe, 16);
		t.utf8 = true;
		if (i & 1)
			t.from = long_name('x', 256);
		if (i & 2)
			t.helo = long_name('x', 255);
		if (i & 4)
			t.hostname = long_name('x', 255);
		if (i & 8)
			t.rcpt = long_name('x', 254);
		if (i & 16)
			t.findings = long_name('x', 2000);
		if (i & 32)
			t.score = INT32_MIN;
		smtp_trace_block(&t, b);
		assert_block(b);
		assert_true(has(b, STR("\tid 01KAPS0000ABCDEFGHJK")));
		t.has_score = false;
		smtp_trace_block(&t, b);
		assert_block(b);
	}
}

TEST(every_length_leaves_room_for_padding_or_none)
{
	char b[TRACE_BLOCK], findings[1000];

	for (size_t n = 0; n < sizeof(findings); n++) {
		struct smtp_trace t = usual;

		for (size_t i = 0; i < n; i++)
			findings[i] = i % 7 == 6 ? ' ' : 'f';
		t.findings = (str){ findings, n };
		smtp_trace_block(&t, b);
		assert_block(b);
	}
}

TEST(a_helo_name_cannot_break_the_header)
{
	struct smtp_trace t = usual;
	char b[TRACE_BLOCK];

	t.helo = STR("a;(b)\"c\\[x");
	smtp_trace_block(&t, b);
	assert_block(b);
	assert_true(has(b, STR("from a??b??c??x ([")));
	t.helo = STR("[IPv6:2001:db8::1]");
	smtp_trace_block(&t, b);
	assert_true(has(b, STR("from [IPv6:2001:db8::1] ([")));
}

static size_t
count(const char *block, str what)
{
	str left = { block, TRACE_BLOCK };
	size_t n = 0;

	for (size_t at; (at = str_find(left, what)) < left.len; n++)
		left = str_skip(left, at + what.len);
	return n;
}

static const str released = STR_INIT(
	"X-Gatepost-Released: 01KAPS0000ABCDEFGHJK.4294967295; Mon, 23 Nov 2026 01:48:00 +0000");

TEST(a_field_can_be_added_and_the_others_stay)
{
	char before[TRACE_BLOCK], b[TRACE_BLOCK];

	smtp_trace_block(&usual, before);
	memcpy(b, before, sizeof(b));
	assert_true(smtp_trace_add(b, released));
	assert_block(b);
	assert_int_equal(count(b, released), 1);
	size_t fields = str_find((str){ before, TRACE_BLOCK }, STR("X-Gatepost-Pad"));
	assert_memory_equal(b, before, fields);
}

TEST(a_field_fits_into_the_fullest_block)
{
	char b[TRACE_BLOCK];

	for (unsigned i = 0; i < 64; i++)
		for (size_t n = 0; n < 1000; n += 13) {
			struct smtp_trace t = usual;
			char findings[1000];

			t.client = (struct ip){ .family = 6 };
			memset(t.client.bytes, 0xfe, 16);
			if (i & 1)
				t.from = long_name('x', 256);
			if (i & 2)
				t.helo = long_name('x', 255);
			if (i & 4)
				t.hostname = long_name('x', 255);
			if (i & 8)
				t.rcpt = long_name('x', 254);
			if (i & 16)
				t.score = INT32_MIN;
			t.has_score = (i & 32) == 0;
			for (size_t k = 0; k < n; k++)
				findings[k] = k % 9 == 8 ? ' ' : 'f';
			t.findings = (str){ findings, n };
			smtp_trace_block(&t, b);
			assert_true(smtp_trace_add(b, released));
			assert_block(b);
			assert_int_equal(count(b, released), 1);
			assert_int_equal(count(b, STR(";\r\n\t")), 1);
			assert_int_equal(
				count(b, STR("X-Gatepost-Score: ")), t.has_score);
		}
}

TEST(what_is_no_block_of_ours_is_left_alone)
{
	char b[TRACE_BLOCK], zeros[TRACE_BLOCK] = { 0 };

	memset(b, 0, sizeof(b));
	assert_false(smtp_trace_add(b, released));
	assert_memory_equal(b, zeros, sizeof(b));
	smtp_trace_block(&usual, b);
	assert_false(smtp_trace_add(b, long_name('x', SMTP_TRACE_FIELD + 1)));
	b[TRACE_BLOCK - 1] = ' ';
	assert_false(smtp_trace_add(b, released));
}

TEST(only_the_names_of_our_own_fields_at_the_beginning_of_a_line_are_renamed)
{
	static const struct {
		str bytes;
		int letter; /* -1: nothing is to be changed */
	} rows[] = {
		{ STR_INIT("\nX-Gatepost-Score: 1"), 2 },
		{ STR_INIT("\nx-gATEPOST-"), 2 },
		{ STR_INIT("\rX-Gatepost-"), 2 },
		{ STR_INIT("\nAuthentication-Results: x"), 0 },
		{ STR_INIT("\naUTHENTICATION-rESULTS"), 0 },
		{ STR_INIT("\nX-Gatepost"), -1 },
		{ STR_INIT("\nAuthentication-Result"), -1 },
		{ STR_INIT("\nX-Other: 1"), -1 },
		{ STR_INIT("\n X-Gatepost-Score: 1"), -1 },
		{ STR_INIT(" X-Gatepost-Score: 1"), -1 },
		{ STR_INIT("X-Gatepost-Score: 1"), -1 },
		{ STR_INIT("\n"), -1 },
		{ STR_INIT(""), -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t letter = 99;
		bool is = smtp_trace_forged(rows[i].bytes, &letter);

		assert_int_equal(is ? (int)letter : -1, rows[i].letter);
	}
}
