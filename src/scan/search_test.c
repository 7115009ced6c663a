/* SPDX-License-Identifier: ISC */
#include "scan/scan.h"

#include <sys/mman.h>

#include "base/fs.h"
#include "test/test.h"

enum { MEM = 32 * 1024 * 1024 };

static struct content
scan_behind(struct arena *mem, str bytes, uint32_t offset)
{
	FD_AUTO fd = memfd_create("message", 0);
	struct scan_job job = { fd, bytes.len, offset, STR("mx.example.test"),
		.want = SCAN_SEARCH };
	struct charsets *cs = charsets_new();
	struct scanned got;

	assert_int_equal(fs_pwrite(fd, bytes, 0, NULL), RC_OK);
	assert_int_equal(scan_message(&job, cs, mem, &got, NULL), RC_OK);
	charsets_free(&cs);
	return got.content;
}

static struct content
scan(struct arena *mem, str bytes)
{
	return scan_behind(mem, bytes, 0);
}

static void
assert_text(str got, const char *expected)
{
	BUF_AUTO b = BUF(1 << 20);

	buf_add(&b, got);
	assert_string_equal(buf_z(&b), expected);
}

TEST(fields_are_searched_as_people_read_them)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content c = scan(mem,
		STR("Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n and =?utf-8?b?w6Q=?=\r\n"
		    "no field\r\nX-Any : thing\r\nFrom: =?utf-8?q?J=C3=B6rg?= <j@x.test>\r\n"
		    "\r\nbody\r\n"));

	assert_text(c.search_head, "Subject: Gr\u00fc\u00dfe and \u00e4\nX-Any: thing\n"
				   "From: J\u00f6rg <j@x.test>\n");
	assert_text(c.search_text, "body\n\n");
	assert_false(c.search_cut);
}

TEST(addresses_are_searched_as_they_were_written_and_as_an_envelope_has_them)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content c = scan(mem,
		STR("From: <fred (c)@ (d) x.test>\r\nTo: ann@x.test (Ann), \"O'Neil,\r\n P\" "
		    "<pat@x.test>\r\nCc: G : a@x.test,b@x.test;\r\nBcc: Bob <b@x.test>, c\r\n"
		    "Reply-To: =?utf-8?q?J=C3=B6rg?= <j@x.test>\r\n\r\n"));

	assert_text(c.search_head,
		"From: <fred (c)@ (d) x.test>\n:From: d <fred@x.test>\n"
		"To: ann@x.test (Ann), \"O'Neil, P\" <pat@x.test>\n"
		":To: Ann <ann@x.test>, O'Neil, P <pat@x.test>\n"
		"Cc: G : a@x.test,b@x.test;\n:Cc: G: <a@x.test>, <b@x.test>;\n"
		"Bcc: Bob <b@x.test>, c\n:Bcc: Bob <b@x.test>, <c>\n"
		"Reply-To: J\u00f6rg <j@x.test>\n");
}

TEST(the_trace_block_is_part_of_the_header_without_its_dots)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content c = scan_behind(mem,
		STR("Received: by us\r\nX-Gatepost-Pad: ...\r\nSubject: x\r\n\r\nb"), 38);

	assert_text(c.search_head, "Received: by us\nX-Gatepost-Pad: \nSubject: x\n");
	assert_text(c.search_text, "b\n");
}

TEST(texts_of_all_parts_are_searched_and_attached_messages_with_their_fields)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content c = scan(mem,
		STR("Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
		    "--b\r\nContent-Type: text/plain; charset=koi8-r\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=D0=D2=C9\r\n"
		    "--b\r\nContent-Type: text/html\r\n\r\n<p>a&uml;b</p>\r\n"
		    "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
		    "\r\naGVsbG8=\r\n"
		    "--b\r\nContent-Type: message/rfc822\r\n\r\n"
		    "Subject: inner\r\n\r\ninnermost\r\n"
		    "--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n"
		    "--b--\r\nepilogue\r\n"));

	assert_text(c.search_head,
		"Content-Type: multipart/mixed; boundary=b\n"
		"\tContent-Type: text/plain; charset=koi8-r\n"
		"\tContent-Transfer-Encoding: quoted-printable\n"
		"\tContent-Type: text/html\n\tContent-Type: image/png\n"
		"\tContent-Transfer-Encoding: base64\n\tContent-Type: message/rfc822\n"
		"\tContent-Type: message/delivery-status\n");
	assert_text(c.search_text,
		"\u043f\u0440\u0438\n<p>a&uml;b</p>\na\u00a8b\nSubject: inner\n"
		"innermost\nAction: failed\n");
}

TEST(what_is_more_than_is_kept_is_said_to_be)
{
	ARENA_AUTO mem = arena_new(MEM);
	BUF_AUTO b = BUF(4 << 20);

	buf_addz(&b, "Content-Transfer-Encoding: base64\r\n\r\n");
	while (b.len < 2 << 20)
		buf_addz(&b, "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n");
	struct content c = scan(mem, buf_str(&b));
	assert_true(c.search_text.len > CONTENT_SEARCH_TEXT * 9 / 10);
	assert_true(c.search_cut);
	buf_clear(&b);
	while (b.len < 100 * 1024)
		buf_addz(&b, "X-Field: something\r\n");
	c = scan(mem, buf_str(&b));
	assert_int_equal(c.search_head.len, CONTENT_SEARCH_HEAD);
	assert_true(c.search_cut);
	while (b.len < 2 << 20)
		buf_addz(&b, "X-Field: something\r\n");
	c = scan(mem, buf_str(&b)); /* more than anybody reads */
	assert_int_equal(c.search_head.len, 0);
	assert_true(c.search_cut);
}
