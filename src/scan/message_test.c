/* SPDX-License-Identifier: ISC */
#include "scan/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "test/test.h"
#include "wire/head.h"
#include "wire/sortkey.h"

enum { MEM = 16 * 1024 * 1024, STEP = 64 * 1024 };

#define GTUBE                          \
	"XJS*C4JDBQADN1.NSBN3*2IDNEN*" \
	"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

static int
file_of(str bytes)
{
	int fd = memfd_create("message", 0);

	assert_true(fd >= 0);
	assert_int_equal(fs_pwrite(fd, bytes, 0, NULL), RC_OK);
	return fd;
}

static struct facts
scan(struct arena *mem, str bytes, uint32_t offset)
{
	FD_AUTO fd = file_of(bytes);
	struct scan_job job = { fd, bytes.len, offset, STR("mx.example.test") };
	struct scanned got;

	assert_int_equal(scan_message(&job, NULL, mem, &got, NULL), RC_OK);
	return got.facts;
}

TEST(a_plain_message_tells_who_when_and_about_what)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct facts f = scan(mem,
		STR("trace\r\n"
		    "Received: from a\r\n\tby b\r\nRECEIVED: from b\r\n"
		    "From: Alice <alice@example.test>\r\nTo: g: bob@x.test;, root\r\n"
		    "Subject: one\r\n two\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		    "Message-ID: <m@x>\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <b@x> <c@x>\r\n"
		    "\r\nbody\r\n"),
		7);
	const struct fact_list *to = &f.envelope.to;

	assert_int_equal(f.flags, 0);
	assert_int_equal(f.received, 2);
	assert_int_equal(f.date_s, 1700000000);
	assert_true(str_eq(f.envelope.subject, STR("one two")));
	assert_true(str_eq(f.envelope.message_id, STR("<m@x>")));
	assert_true(str_eq(f.envelope.from.at[0].name, STR("Alice")));
	assert_int_equal(to->n, 4);
	assert_true(str_eq(to->at[0].mailbox, STR("g")) && to->at[0].host.len == 0);
	assert_true(str_eq(to->at[1].host, STR("x.test")));
	assert_true(to->at[2].mailbox.len == 0 && to->at[2].host.len == 0);
	assert_true(str_eq(to->at[3].mailbox, STR("root")) && to->at[3].host.len > 0);
	assert_int_equal(f.nrefs, 3);
	assert_true(str_eq(f.refs[2], STR("c@x")));
	assert_int_equal(f.header_bytes, 234);
	assert_true(f.known_preview && str_eq(f.preview, STR("body")));
	assert_int_equal(f.structure.n, 1);
}

TEST(the_index_gets_header_fields_and_what_is_sorted_by)
{
	static const str wanted[] = { STR_INIT("subject"), STR_INIT("from") };
	static const str ours[] = { STR_INIT("X-xatepost-Score") };
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO out = BUF(4096);
	struct facts f = scan(mem,
		STR("trace\r\n"
		    "X-Gatepost-Score: 0\r\nReceived: by a\r\n"
		    "Authentication-Results: mx.example.test; spf=pass\r\n"
		    "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.test>, b@x.test\r\n"
		    "To: root@y.test\r\nSUBJECT: Re: [list]\r\n\t=?utf-8?q?caf=C3=A9?=  x\r\n"
		    "Message-ID: <m@x>\r\nReferences: none\r\n"
		    "In-Reply-To: <b@x> <c@x>\r\n\r\nbody\r\n"),
		7);
	struct sortkey k;
	struct head h;

	assert_true(f.known_head);
	assert_int_equal(head_unpack(f.head, mem, &h), RC_OK);
	assert_int_equal(h.n, 10);
	assert_true(str_eq(h.fields[1].name, STR("X-xatepost-Score")));
	assert_int_equal(h.fields[1].bytes.len, 0);
	assert_true(str_eq(h.fields[3].name, STR("xuthentication-Results")));
	assert_true(head_put(&out, f.head, wanted, 2, false));
	assert_string_equal(buf_z(&out),
		"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.test>, b@x.test\r\n"
		"SUBJECT: Re: [list]\r\n\t=?utf-8?q?caf=C3=A9?=  x\r\n\r\n");
	assert_false(head_put(&out, f.head, ours, 1, false));
	assert_false(head_put(&out, f.head, wanted, 2, true)); /* the trace block */
	assert_int_equal(sortkey_unpack(f.sortkey, mem, &k), RC_OK);
	assert_true(k.reply && str_eq(k.subject, STR("CAFE\xcc\x81 X")));
	assert_true(str_eq(k.from, STR("JOERG")) && str_eq(k.to, STR("ROOT")));
	assert_true(str_eq(k.display_from, STR("JO\xcc\x88RG")));
	assert_true(str_eq(k.display_to, STR("ROOT@Y.TEST")));
	assert_int_equal(k.cc.len, 0);
	assert_int_equal(k.nrefs, 1);
	assert_true(k.refs[0] == sortkey_hash(STR("b@x")));
	assert_true(k.message_id == sortkey_hash(STR("m@x")));
}

TEST(without_a_trace_block_all_fields_are_there_to_be_asked_for)
{
	static const str not [] = { STR_INIT("to") };
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO out = BUF(4096);
	struct facts f = scan(
		mem, STR("To: a\nSubject: x\nno field\nReferences: <r@x> <s@x>\n"), 0);
	struct sortkey k;

	assert_true(head_put(&out, f.head, not, 1, true));
	assert_string_equal(buf_z(&out), "Subject: x\nReferences: <r@x> <s@x>\n\r\n");
	assert_int_equal(sortkey_unpack(f.sortkey, mem, &k), RC_OK);
	assert_int_equal(k.nrefs, 2);
	assert_true(k.message_id == 0 && !k.reply);
}

TEST(a_header_of_too_many_fields_leaves_it_to_the_file)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(1 << 20);
	struct sortkey k;

	for (int i = 0; i < 700; i++)
		buf_addz(&b, "X: 1\r\n");
	buf_addz(&b, "References: <a@x>\r\n\r\n");
	struct facts f = scan(mem, buf_str(&b), 0);
	assert_true(f.known_head);
	assert_int_equal(f.head.len, 0);
	assert_int_equal(sortkey_unpack(f.sortkey, mem, &k), RC_OK);
	assert_int_equal(k.nrefs, 1);
}

TEST(structural_faults_table)
{
	static const struct {
		str header;
		uint32_t flags;
	} cases[] = {
#define FINE "From: a@x\nDate: 14 Nov 2023 22:13:20 +0000\nMessage-ID: <m@x>\n"
		{ STR_INIT(FINE "\n"), 0 },
		{ STR_INIT(""), FACT_NO_FROM | FACT_NO_DATE | FACT_NO_MESSAGE_ID |
					FACT_NO_BODY_LINE },
		{ STR_INIT(FINE), FACT_NO_BODY_LINE },
		{ STR_INIT(FINE "From: b@x\n\n"), FACT_DUP_FROM },
		{ STR_INIT(FINE "date: b\n\n"), FACT_DUP_DATE },
		{ STR_INIT(FINE "message-id : <b@x>\n\n"), FACT_DUP_MESSAGE_ID },
		{ STR_INIT(FINE "Subject: a\nSubject: b\n\n"), FACT_DUP_SUBJECT },
		{ STR_INIT(FINE "To: a@x\nTo: b@x\n\n"), FACT_DUP_TO },
		{ STR_INIT(FINE "Cc: a@x\nTo: b@x\n\n"), 0 },
		{ STR_INIT(FINE "Content-Type: a\nContent-type: b\n\n"), FACT_DUP_MIME },
		{ STR_INIT(FINE "X: a\0b\n\n"), FACT_NUL },
		{ STR_INIT(FINE "no field\n\n"), FACT_BAD_LINE },
		{ STR_INIT(FINE "X: \xe4\n\n"), FACT_RAW_8BIT },
		{ STR_INIT(FINE "X: \xc3\xa4\n\n"), 0 },
		{ STR_INIT("From: nobody\nDate: never\nMessage-ID: <m@x>\n\n"),
			FACT_BAD_FROM | FACT_BAD_DATE },
		{ STR_INIT(FINE "\nFrom: b@x\n"), 0 },
#undef FINE
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);

		assert_int_equal(scan(mem, cases[i].header, 0).flags, cases[i].flags);
	}
}

TEST(nobody_else_can_write_results_in_our_name)
{
	static const struct {
		str field;
		bool forged;
	} cases[] = {
		{ STR_INIT("Authentication-Results: mx.example.test; spf=pass"), true },
		{ STR_INIT("authentication-results :\r\n MX.Example.Test;spf=pass"),
			true },
		{ STR_INIT("Authentication-Results: (a(b)\\)) \"mx.example.test\" 1; x"),
			true },
		{ STR_INIT("Authentication-Results: mx.example.test."), true },
		{ STR_INIT("Authentication-Results: mx.example.test(x)"), true },
		{ STR_INIT("Authentication-Results: other.test; mx.example.test"),
			false },
		{ STR_INIT("Authentication-Results: (mx.example.test"), false },
		{ STR_INIT("X-Gatepost-Score: -100"), true },
		{ STR_INIT("x-gatepost-: y"), true },
		{ STR_INIT("X-Gatepos-Score: 1"), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		char text[256];
		int n = snprintf(text, sizeof(text), "A: b\r\n" STR_FMT "\r\n\r\n",
			STR_ARG(cases[i].field));
		struct facts f = scan(mem, (str){ text, (size_t)n }, 0);

		assert_int_equal(f.nforged, cases[i].forged);
		if (cases[i].forged)
			assert_int_equal(f.forged[0], 6);
	}
}

TEST(more_forged_fields_than_can_be_renamed_are_a_limit)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(64 * 1024);

	for (size_t i = 0; i <= FACTS_FORGED; i++)
		buf_add(&b, STR("X-Gatepost-A: b\n"));
	buf_add(&b, STR("\n"));
	struct facts f = scan(mem, buf_str(&b), 0);
	assert_int_equal(f.nforged, FACTS_FORGED);
	assert_true(f.flags & FACT_HEADER_LIMIT);
}

TEST(gtube_is_found_wherever_it_stands_between_two_reads)
{
	static char text[3 * STEP];

	for (size_t at = STEP - 80; at <= STEP + 10; at++) {
		ARENA_AUTO mem = arena_new(MEM);

		memset(text, 'x', sizeof(text));
		memcpy(text, "A: b\n\n", 6);
		memcpy(text + at, GTUBE, sizeof(GTUBE) - 1);
		assert_true(scan(mem, (str){ text, sizeof(text) }, 0).flags & FACT_GTUBE);
		text[at + 5]++;
		assert_false(
			scan(mem, (str){ text, sizeof(text) }, 0).flags & FACT_GTUBE);
	}
	ARENA_AUTO mem = arena_new(MEM);
	memcpy(text + sizeof(text) - sizeof(GTUBE) + 1, GTUBE, sizeof(GTUBE) - 1);
	assert_true(scan(mem, (str){ text, sizeof(text) }, 0).flags & FACT_GTUBE);
}

TEST(a_long_header_is_read_to_its_end_and_a_longer_one_refused)
{
	static const struct {
		size_t filler;
		bool limit;
	} cases[] = { { STEP - 1, false }, { 900 * 1024, false }, { 1100 * 1024, true } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		BUF_AUTO b = BUF(4 * 1024 * 1024);

		while (b.len < cases[i].filler)
			buf_add(&b,
				STR("X-Filler: 0123456789012345678901234567890123456789"
				    "0123456789012345678901234567890123456789012345678\n"));
		buf_add(&b, STR("Subject: at the end\n\n"));
		size_t end = b.len;
		buf_add(&b, STR("body"));
		struct facts f = scan(mem, buf_str(&b), 0);
		assert_int_equal((f.flags & FACT_HEADER_LIMIT) != 0, cases[i].limit);
		if (!cases[i].limit) {
			assert_int_equal(f.header_bytes, end);
			assert_true(str_eq(f.envelope.subject, STR("at the end")));
		}
	}
}

/* Each of these once cost memory for every separator. */
TEST(headers_made_to_exhaust_the_scanner_still_give_facts)
{
	static const str fields[] = {
		STR_INIT("To: ,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"),
		STR_INIT("To: a@b\n"), STR_INIT("Cc: a:;b:;c:;d:;e:;f:;g:;h:;i:;j:;\n"),
		STR_INIT("References: <a@b> <a@b> <a@b>\n"),
		STR_INIT("To: a,b,(((((((((((\n")
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		BUF_AUTO b = BUF(2 * 1024 * 1024);

		for (size_t n = 0; n < 9999 && b.len < 1000 * 1024; n++)
			buf_add(&b, fields[i]);
		buf_add(&b, STR("\n"));
		(void)scan(mem, buf_str(&b), 0);
		assert_true(arena_used(mem) < 4 * 1024 * 1024);
	}
}

TEST(a_file_shorter_than_said_is_not_scanned_as_if_whole)
{
	ARENA_AUTO mem = arena_new(MEM);
	FD_AUTO fd = file_of(STR("A: b\n\n"));
	struct scan_job job = { fd, 100, 0, STR("mx.example.test") };
	struct scanned got;
	struct err err = { 0 };

	assert_int_equal(scan_message(&job, NULL, mem, &got, &err), RC_TEMP);
}

static void
scan_suite_folder(const char *path, size_t *count)
{
	DIR *d = opendir(path);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char name[1024];
		char *data;
		size_t len;

		(void)snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			scan_suite_folder(name, count);
		if (!str_starts(str_of(strrchr(e->d_name, '.')), STR(".eml")))
			continue;
		assert_int_equal(
			fs_read_all(AT_FDCWD, name, 64 << 20, &data, &len, NULL), RC_OK);
		ARENA_AUTO mem = arena_new(MEM);
		BUF_AUTO b = BUF(FACTS_MOST);
		struct facts f = scan(mem, (str){ data, len }, 0), again;
		facts_pack(&b, &f);
		assert_true(buf_ok(&b));
		assert_int_equal(facts_unpack(buf_str(&b), len, mem, &again), RC_OK);
		free(data);
		(*count)++;
	}
	(void)closedir(d);
}

TEST(public_messages_give_facts)
{
	const char *suites = getenv("GATEPOST_SUITES");
	char path[512];
	size_t count = 0;

	if (suites == NULL) {
		print_message("SKIPPED: GATEPOST_SUITES is not set\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/mime", suites);
	scan_suite_folder(path, &count);
	assert_true(count > 50);
}
