/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include "scan/hunt.h"
#include "scan/scan_int.h"
#include "test/test.h"
#include "wire/sortkey.h"

enum { LONG_MS = 20 * 1000, MEM = 1024 * 1024, TRACE = 7 };

static const char message[] =
	"trace\r\n"
	"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= und mehr\r\nX-Empty:\r\n"
	"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
	"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n"
	"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nSch=F6n\r\nund=20gut\r\n"
	"--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/html\r\n\r\n"
	"PHA+S2lsaTxiPm1hbjwvYj5kc2NoYXJvPC9wPg==\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ndeep\r\n--b--\r\n";

struct bench {
	struct scanners *set;
	pthread_t thread;
	int channel, file;
	unsigned lost;
	struct scan_job job;
	const struct chan_msg *lie; /* what to answer with instead of serving */
};

static void
count_lost(unsigned slot, void *arg)
{
	struct bench *b = arg;

	(void)slot;
	b->lost++;
}

static void *
serve(void *arg)
{
	struct bench *b = arg;
	static char frame[CHAN_HEADER + CHAN_MOST];
	struct chan_msg m = { .type = FACTS_READY };

	if (b->lie == NULL)
		scan_serve(b->channel, 1000);
	else if (chan_send(b->channel, &m, clock_ms() + LONG_MS, NULL) == RC_OK &&
		 chan_recv(b->channel, frame, sizeof(frame), &m, clock_ms() + LONG_MS,
			 NULL) == RC_OK) {
		struct chan_msg answer = *b->lie;

		chan_close_fds(&m);
		answer.id = m.id;
		(void)!chan_send(b->channel, &answer, clock_ms() + LONG_MS, NULL);
	}
	fs_close(&b->channel);
	return NULL;
}

static void
begin_with(struct bench *b, str bytes, const struct chan_msg *lie)
{
	int pair[2];

	*b = (struct bench){ .lie = lie };
	b->set = scanners_new(1, count_lost, b);
	b->file = memfd_create("message", 0);
	assert_int_equal(fs_pwrite(b->file, bytes, 0, NULL), RC_OK);
	b->job = (struct scan_job){ b->file, bytes.len, TRACE, STR("mx.example.test"),
		LONG_MS, 1 << 20 };
	scan_prepare(); /* before there are threads, as a scanner does */
	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	b->channel = pair[1];
	b->thread = thread_start("scanner", serve, b);
	scanners_channel(b->set, 0, pair[0]);
}

static void
begin(struct bench *b)
{
	begin_with(b, (str){ message, sizeof(message) - 1 }, NULL);
}

static void
finish(struct bench *b)
{
	scanners_free(&b->set);
	(void)pthread_join(b->thread, NULL);
	fs_close(&b->file);
}

static enum rc
part(struct bench *b, const char *from, const char *to, const char *encoding, char *out,
	size_t room)
{
	size_t at = (size_t)(strstr(message, from) - message);
	size_t end = (size_t)(strstr(message + at, to) - message);
	struct err err = { 0 };
	uint64_t size = 77;
	size_t got = 0;
	FD_AUTO fd = -1;
	enum rc rc = scan_part(b->set, &b->job, at, end, str_of(encoding),
		clock_ms() + LONG_MS, &fd, &size, &err);

	memset(out, 0, room);
	if (rc != RC_OK) {
		assert_true(err.text[0] != '\0' && err.rc == rc);
		assert_int_equal(fd, -1);
		return rc;
	}
	assert_true(size < room);
	assert_int_equal(fs_pread(fd, out, room - 1, 0, &got, NULL), RC_OK);
	assert_int_equal(got, size);
	assert_true(scan_is_sealed(fd));
	return rc;
}

TEST(a_part_comes_decoded)
{
	struct bench b;
	char out[200];

	begin(&b);
	assert_int_equal(
		part(&b, "Sch=", "\r\n--b", "Quoted-Printable", out, 200), RC_OK);
	assert_string_equal(out, "Sch\xf6n\r\nund gut");
	assert_int_equal(part(&b, "PHA+", "\r\n--b", "base64", out, 200), RC_OK);
	assert_string_equal(out, "<p>Kili<b>man</b>dscharo</p>");
	assert_int_equal(part(&b, "Subject: inner", "deep", "7bit", out, 200), RC_OK);
	assert_string_equal(out, "Subject: inner\r\n\r\n");
	assert_int_equal(part(&b, "trace", "Subj", "", out, 200), RC_OK);
	assert_string_equal(out, "trace\r\n");
	assert_int_equal(part(&b, "deep", "deep", "base64", out, 200), RC_OK);
	assert_string_equal(out, "");
	assert_int_equal(b.lost, 0);
	finish(&b);
}

TEST(a_part_that_cannot_be_decoded_is_said_to_be_so)
{
	struct bench b;
	char out[200];
	uint64_t size;
	int fd;

	begin(&b);
	assert_int_equal(part(&b, "PHA+", "\r\n--b", "x-secret", out, 200), RC_NONE);
	b.job.most_unpacked = 10;
	assert_int_equal(part(&b, "PHA+", "\r\n--b", "base64", out, 200), RC_PERM);
	assert_int_equal(part(&b, "PHA+", "\r\n--b", "7bit", out, 200), RC_PERM);
	assert_int_equal(scan_part(b.set, &b.job, 0, sizeof(message), STR(""),
				 clock_ms() + LONG_MS, &fd, &size, NULL),
		RC_TEMP);
	assert_int_equal(scan_part(b.set, &b.job, 9, 8, STR(""), clock_ms() + LONG_MS,
				 &fd, &size, NULL),
		RC_TEMP);
	assert_int_equal(b.lost, 0);
	finish(&b);
}

static enum rc
convert(struct bench *b, const char *charset, str bytes, str *out, struct arena *mem)
{
	return scan_convert(
		b->set, str_of(charset), bytes, clock_ms() + LONG_MS, mem, out, NULL);
}

TEST(a_text_of_any_charset_becomes_utf8)
{
	static const struct {
		const char *charset, *bytes, *utf8;
	} rows[] = {
		{ "UTF-8", "\xc3\xa9", "\u00e9" },
		{ "us-ascii", "plain", "plain" },
		{ "ISO-8859-1", "\xe9", "\u00e9" },
		{ "iso-8859-2", "\xb1", "\u0105" },
		{ "windows-1251", "\xcf", "\u041f" },
		{ "KOI8-R", "\xd0\xd2\xc9", "\u043f\u0440\u0438" },
		{ "ISO-2022-JP", "\x1b$B$\"\x1b(B", "\u3042" },
		{ "GB18030", "\xd6\xd0", "\u4e2d" },
		{ "Big5", "\xa4\xa4", "\u4e2d" },
		{ "EUC-KR", "\xb0\xa1", "\uac00" },
		{ "Shift_JIS", "\x82\xa0", "\u3042" },
		{ "UTF-8", "", "" },
	};
	ARENA_AUTO mem = arena_new(MEM);
	struct bench b;

	begin(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str out = { 0 };

		assert_int_equal(
			convert(&b, rows[i].charset, str_of(rows[i].bytes), &out, mem),
			RC_OK);
		assert_true(str_eq(out, str_of(rows[i].utf8)));
	}
	assert_int_equal(b.lost, 0);
	finish(&b);
}

TEST(a_text_that_is_not_of_its_charset_is_not_guessed_at)
{
	static char longer[SCAN_CONVERT + 1];
	ARENA_AUTO mem = arena_new(MEM);
	struct bench b;
	str out;

	begin(&b);
	memset(longer, '\xe9', sizeof(longer));
	assert_int_equal(convert(&b, "x-nonesuch", STR("a"), &out, mem), RC_NONE);
	assert_int_equal(convert(&b, "", STR("a"), &out, mem), RC_NONE);
	assert_int_equal(convert(&b, "UTF-8", STR("\xe9"), &out, mem), RC_NONE);
	assert_int_equal(convert(&b, "US-ASCII", STR("\xe9"), &out, mem), RC_NONE);
	assert_int_equal(convert(&b, "iso-8859-7", STR("\xff"), &out, mem), RC_NONE);
	assert_int_equal(
		convert(&b, "iso-8859-1", (str){ longer, SCAN_CONVERT + 1 }, &out, mem),
		RC_PERM);
	assert_int_equal(
		convert(&b, "iso-8859-1", (str){ longer, SCAN_CONVERT }, &out, mem),
		RC_OK);
	assert_int_equal(out.len, 2 * SCAN_CONVERT);
	assert_int_equal(b.lost, 0);
	finish(&b);
}

static bool
has(struct bench *b, unsigned where, const char *field, const char *what)
{
	BUF_AUTO folded = BUF(4096);
	struct scan_key k[2] = { { .head = (where & 1) != 0,
					 .text = (where & 2) != 0,
					 .field = str_of(field) },
		{ .text = true, .what = STR("NOWHERE") } };
	bool yes[2] = { false, true };

	sortkey_fold(str_of(what), &folded);
	k[0].what = buf_str(&folded);
	assert_int_equal(
		scan_search(b->set, &b->job, k, 2, clock_ms() + LONG_MS, yes, NULL),
		RC_OK);
	assert_false(yes[1]);
	return yes[0];
}

TEST(a_search_sees_all_of_a_message_as_people_read_it)
{
	struct bench b;

	begin(&b);
	assert_true(has(&b, 1, "subject", "gr\u00fc\u00dfe UND"));
	assert_true(has(&b, 1, "", "subject: gr\u00fc"));
	assert_false(has(&b, 1, "subject", "subject"));
	assert_false(has(&b, 1, "subject", "inner"));
	assert_false(has(&b, 1, "from", ""));
	assert_true(has(&b, 1, "X-EMPTY", ""));
	assert_false(has(&b, 1, "x-empty", "a"));
	assert_true(has(&b, 1, "", "charset=iso"));
	assert_false(has(&b, 1, "content-type", "iso"));
	assert_false(has(&b, 2, "", "charset=iso"));
	assert_true(has(&b, 2, "", "sch\u00f6n"));
	assert_true(has(&b, 2, "", "sch\u00f6n\r\nund gut"));
	assert_false(has(&b, 2, "", "sch\u00f6n und"));
	assert_true(has(&b, 2, "", "<b>man"));
	assert_true(has(&b, 2, "", "kilimandscharo"));
	assert_true(has(&b, 2, "", "subject: inner"));
	assert_true(has(&b, 2, "", "deep"));
	assert_true(has(&b, 2, "", ""));
	assert_false(has(&b, 2, "", "preamble"));
	assert_false(has(&b, 2, "", "mehr"));
	assert_true(has(&b, 3, "", "mehr"));
	assert_false(has(&b, 1, "", "trace")); /* no field */
	assert_int_equal(b.lost, 0);
	finish(&b);
}

TEST(a_search_finds_what_lies_far_back_and_across_what_is_read_at_once)
{
	BUF_AUTO bytes = BUF(4 << 20);
	struct bench b;

	buf_addz(&bytes, "trace\r\n\r\n");
	while (bytes.len < 3 << 20)
		buf_addz(&bytes, "nothing to be seen here, \xc3\xa9 neither\r\n");
	buf_addz(&bytes, "a need");
	for (int i = 0; i < 1500; i++)
		buf_addz(&bytes, "le\xc3\xa9");
	begin_with(&b, buf_str(&bytes), NULL);
	assert_true(has(&b, 2, "", "needle\u00e9le"));
	assert_true(has(&b, 2, "", "neither\r\nnothing"));
	assert_false(has(&b, 2, "", "needlele"));
	finish(&b);
}

TEST(pieces_of_a_text_are_found_wherever_it_is_parted)
{
	static char text[70 * 1024];
	const struct scan_key key = { .text = true, .what = STR("NEEDLE") };

	for (size_t at = 32 * 1024 - 10; at < 32 * 1024 + 4; at++) {
		struct hunt h;

		memset(text, 'x', sizeof(text));
		memcpy(text + at, "needle", 6);
		hunt_begin(&h, &key, 1);
		hunt_text(&h, (str){ text, at + 5 });
		assert_int_equal(h.left, 1);
		hunt_text(&h, (str){ text, sizeof(text) });
		assert_int_equal(h.left, 0);
		hunt_clear(&h);
	}
}

static int
memfd_of(str bytes, bool seal)
{
	int fd = memfd_create("lie", MFD_ALLOW_SEALING);

	assert_int_equal(fs_pwrite(fd, bytes, 0, NULL), RC_OK);
	if (seal)
		assert_int_equal(fcntl(fd, F_ADD_SEALS,
					 F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW),
			0);
	return fd;
}

TEST(a_part_that_a_scanner_lies_about_is_not_taken)
{
	FD_AUTO sealed = memfd_of(STR("hello"), true);
	FD_AUTO loose = memfd_of(STR("hello"), false);
	const struct chan_msg lies[] = {
		{ .type = FACTS_DONE, .body = STR("\0\5\0\0\0\0\0\0\0") },
		{ .type = FACTS_DONE,
			.body = STR("\0\6\0\0\0\0\0\0\0"),
			.fds = { sealed },
			.nfds = 1 },
		{ .type = FACTS_DONE,
			.body = STR("\0\5\0\0\0\0\0\0"),
			.fds = { sealed },
			.nfds = 1 },
		{ .type = FACTS_DONE,
			.body = STR("\0\5\0\0\0\0\0\0\0"),
			.fds = { loose },
			.nfds = 1 },
		{ .type = FACTS_DONE,
			.body = STR("\0\5\0\0\0\0\0\0\0"),
			.fds = { sealed, sealed },
			.nfds = 2 },
		{ .type = FACTS_FAILED, .body = STR("\4"), .fds = { sealed }, .nfds = 1 },
		{ .type = FACTS_READY, .body = STR("\0") },
		{ .type = FACTS_DONE },
		{ .type = FACTS_DONE, .body = STR("\10") },
	};
	char out[200];
	struct bench b;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		begin_with(&b, (str){ message, sizeof(message) - 1 }, &lies[i]);
		assert_int_equal(part(&b, "deep", "\r\n--b", "", out, 200), RC_BAD);
		assert_int_equal(b.lost, 1);
		finish(&b);
	}
}

TEST(what_a_scanner_says_it_found_or_read_is_looked_at)
{
	FD_AUTO sealed = memfd_of(STR("hello"), true);
	const struct chan_msg lies[] = {
		{ .type = FACTS_DONE, .body = STR("\0\1\2") },
		{ .type = FACTS_DONE, .body = STR("\0\1") },
		{ .type = FACTS_DONE, .body = STR("\0\1\1\1") },
		{ .type = FACTS_DONE,
			.body = STR("\0\1\1"),
			.fds = { sealed },
			.nfds = 1 },
		{ .type = FACTS_FAILED, .body = STR("\4unknown") },
	};
	const struct chan_msg text = { .type = FACTS_DONE, .body = STR("\0\xff") };
	const struct scan_key keys[2] = { { .text = true }, { .text = true } };
	ARENA_AUTO mem = arena_new(MEM);
	bool yes[2] = { false, false };
	struct bench b;
	str out;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		begin_with(&b, (str){ message, sizeof(message) - 1 }, &lies[i]);
		assert_int_equal(scan_search(b.set, &b.job, keys, 2, clock_ms() + LONG_MS,
					 yes, NULL),
			RC_BAD);
		assert_false(yes[0] || yes[1]);
		assert_int_equal(b.lost, 1);
		finish(&b);
	}
	begin_with(&b, STR("a message"), &text);
	assert_int_equal(convert(&b, "UTF-8", STR("a"), &out, mem), RC_BAD);
	finish(&b);
}

TEST(questions_that_are_none_are_not_answered)
{
	struct scan_key keys[SCAN_KEYS] = { { .head = true,
		.field = STR("a"),
		.what = STR("x\r\ny") } },
			got[SCAN_KEYS];
	BUF_AUTO b = BUF(4096);
	struct scan_part_of p = { 5, 4, STR("") };
	struct pack at;
	size_t n;

	scan_put_keys(&b, keys, 1);
	at = (struct pack){ .left = buf_str(&b) };
	assert_int_equal(scan_get_keys(&at, got, &n), RC_OK);
	assert_true(n == 1 && got[0].head && !got[0].text &&
		    str_eq(got[0].what, STR("x\ny")));
	for (size_t i = 0; i < b.len; i++) {
		at = (struct pack){ .left = str_first(buf_str(&b), i) };
		assert_int_equal(scan_get_keys(&at, got, &n), RC_BAD);
	}
	b.data[0] = SCAN_KEYS + 1;
	at = (struct pack){ .left = buf_str(&b) };
	assert_int_equal(scan_get_keys(&at, got, &n), RC_BAD);
	buf_clear(&b);
	scan_put_part(&b, &p);
	at = (struct pack){ .left = buf_str(&b) };
	assert_int_equal(scan_get_part(&at, &p), RC_BAD);
}
