/* SPDX-License-Identifier: ISC */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "crypto/digest.h"
#include "net/chan.h"
#include "scan/scan_int.h"
#include "scan/text.h"
#include "scan/tokens.h"
#include "test/test.h"

enum { BIG = 64 * 1024 * 1024 };

static struct charsets *charsets;

struct look {
	struct arena *mem;
	struct scanned got;
	enum rc rc;
	struct err err;
};

static struct look
look_for(unsigned want, str message, uint64_t most)
{
	struct look l = { .mem = arena_new(SCAN_MEMORY) };
	FD_AUTO fd = memfd_create("message", 0);
	struct scan_job job = { .fd = fd,
		.size = message.len,
		.hostname = STR("mx.example.test"),
		.most_unpacked = most,
		.want = want };

	if (charsets == NULL)
		charsets = charsets_new();
	assert_int_equal(fs_pwrite(fd, message, 0, NULL), RC_OK);
	l.rc = scan_message(&job, charsets, l.mem, &l.got, &l.err);
	return l;
}

static struct look
look(str message, uint64_t most)
{
	return look_for(
		SCAN_CONTENT | SCAN_TEXT | SCAN_JOBS | SCAN_TOKENS, message, most);
}

static void
look_end(struct look *l)
{
	scanned_clear(&l->got);
	arena_free(&l->mem);
}

#define LOOK_AUTO __attribute__((cleanup(look_end))) struct look

static const struct content_leaf no_leaf;

static const struct content_leaf *
leaf_named(const struct look *l, const char *name)
{
	for (size_t i = 0; i < l->got.content.nleaves; i++)
		if (str_eq(l->got.content.leaves[i].name, str_of(name)))
			return &l->got.content.leaves[i];
	fail_msg("no leaf is called %s", name);
	return &no_leaf;
}

static bool
has_digest(const struct look *l, str bytes)
{
	uint8_t digest[SHA256_BYTES];

	sha256(bytes, digest);
	for (size_t i = 0; i < l->got.content.nleaves; i++)
		if (memcmp(l->got.content.leaves[i].digest, digest, sizeof(digest)) == 0)
			return true;
	return false;
}

/* Is it among what the virus scanner gets? */
static bool
has_job(const struct look *l, str bytes)
{
	for (unsigned i = 0; i < l->got.njobs; i++) {
		char *data;
		size_t len;

		assert_int_equal(
			chan_memfd_read(l->got.jobs[i], BIG, &data, &len, NULL), RC_OK);
		bool found = memmem(data, len, bytes.ptr, bytes.len) != NULL;
		free(data);
		if (found)
			return true;
	}
	return false;
}

static void
add_base64(struct buf *b, str s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.len; i += 3) {
		unsigned v = 0;
		size_t n = s.len - i < 3 ? s.len - i : 3;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)s.ptr[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_addc(b, k > n ? '=' : digits[v >> (18 - 6 * k) & 63]);
		if (i % 57 == 54)
			buf_add(b, STR("\r\n"));
	}
	buf_add(b, STR("\r\n"));
}

#define HEAD                                                                 \
	"From: Alice <alice@example.test>\r\nTo: bob@example.test\r\n"       \
	"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@x.test>\r\n" \
	"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMIME-Version: 1.0\r\n"

/* A message with one attachment. */
static void
attach(struct buf *b, str bytes, const char *name)
{
	buf_add(b, STR(HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
			    "--b\r\nContent-Type: text/plain\r\n\r\nHello there\r\n"
			    "--b\r\nContent-Type: application/octet-stream\r\n"
			    "Content-Transfer-Encoding: base64\r\n"
			    "Content-Disposition: attachment; filename="));
	buf_addf(b, "\"%s\"\r\n\r\n", name);
	add_base64(b, bytes);
	buf_add(b, STR("--b--\r\n"));
}

static struct look
look_attached(str bytes, const char *name, uint64_t most)
{
	BUF_AUTO b = BUF(BIG);

	attach(&b, bytes, name);
	return look(buf_str(&b), most);
}

/* An archive with one file, or a stream; in b. */
static void
pack(struct buf *b, const char *format, const char *filter, const char *name, str bytes)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	size_t cap = 2 * bytes.len + 1024 * 1024, used = 0;
	char *out = malloc(cap);

	assert_non_null(out);
	if (format == NULL)
		assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
	else
		assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
	if (filter != NULL)
		assert_true(archive_write_add_filter_by_name(a, filter) >= ARCHIVE_WARN);
	assert_int_equal(archive_write_open_memory(a, out, cap, &used), ARCHIVE_OK);
	archive_entry_set_pathname(e, name);
	archive_entry_set_size(e, (int64_t)bytes.len);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
	assert_int_equal(archive_write_data(a, bytes.ptr, bytes.len), (int)bytes.len);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_entry_free(e);
	(void)archive_write_free(a);
	buf_clear(b);
	buf_add(b, (str){ out, used });
	assert_true(buf_ok(b));
	free(out);
}

#define EVIL "this is what a virus scanner would find, if it were shown to it"

TEST(nothing_beside_the_message_itself_is_scanned_of_an_ordinary_one)
{
	BUF_AUTO zip = BUF(BIG);

	pack(&zip, "zip", NULL, "report.txt", STR(EVIL));
	LOOK_AUTO l = look_attached(buf_str(&zip), "report.zip", 0);
	assert_int_equal(l.rc, RC_OK);
	assert_int_equal(l.got.njobs, 0);
	assert_int_equal(l.got.content.odd, 0);
	const struct content_leaf *zipped = leaf_named(&l, "report.zip"),
				  *inside = leaf_named(&l, "report.txt");
	assert_true(str_eq(zipped->true_type, STR("zip")));
	assert_true((zipped->flags & LEAF_ARCHIVE) != 0);
	assert_true((inside->flags & LEAF_MEMBER) != 0);
	assert_int_equal(inside->parent, zipped - l.got.content.leaves + 1);
	assert_int_equal(inside->size, sizeof(EVIL) - 1);
	assert_true(has_digest(&l, STR(EVIL)));
	assert_int_equal(l.got.content.members, 1);
	assert_int_equal(l.got.content.archive_depth, 1);
}

TEST(a_message_in_facts_text_people_and_preview)
{
	LOOK_AUTO l = look_attached(STR("x"), "a.bin", 0);

	assert_int_equal(l.rc, RC_OK);
	assert_int_equal(l.got.facts.structure.n, 3);
	assert_int_equal(l.got.facts.structure.parts[2].up, 1);
	assert_true(l.got.facts.known_preview);
	assert_true(str_eq(l.got.facts.preview, STR("Hello there")));
	assert_true(str_eq(l.got.content.subject, STR("Gr\xc3\xbc\xc3\x9f"
						      "e")));
	assert_true(str_eq(
		l.got.content.people, STR("Alice alice@example.test\nbob@example.test")));
	assert_true(str_find(l.got.content.text, STR("Hello there")) == 0);
}

TEST(what_is_in_archives_of_every_kind_is_found)
{
	static const struct {
		const char *format, *filter, *type;
		bool to_clamd;
	} cases[] = {
		{ "zip", NULL, "zip", false },
		{ "7zip", NULL, "7z", true },
		{ "ustar", NULL, "tar", false },
		{ "pax", NULL, "tar", false },
		{ "v7tar", NULL, "tar", false },
		{ "newc", NULL, "cpio", true },
		{ "odc", NULL, "cpio", true },
		{ "arbsd", NULL, "ar", true },
		{ "xar", NULL, "xar", true },
		{ "iso9660", NULL, "iso", true },
		{ NULL, "gzip", "gz", false },
		{ NULL, "bzip2", "bz2", true },
		{ NULL, "xz", "xz", true },
		{ NULL, "lzma", "lzma", true },
		{ NULL, "zstd", "zst", true },
		{ NULL, "lz4", "lz4", true },
		{ NULL, "lzip", "lz", true },
		{ NULL, "compress", "z", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_AUTO b = BUF(BIG);

		pack(&b, cases[i].format, cases[i].filter, "a.txt", STR(EVIL));
		LOOK_AUTO l = look_attached(buf_str(&b), "some.file", 0);
		assert_int_equal(l.rc, RC_OK);
		const struct content_leaf *leaf = leaf_named(&l, "some.file");
		if (!has_digest(&l, STR(EVIL)) ||
			!str_eq(leaf->true_type, str_of(cases[i].type)) ||
			has_job(&l, STR(EVIL)) != cases[i].to_clamd)
			fail_msg("%s, %d leaves, %u jobs", cases[i].type,
				(int)l.got.content.nleaves, l.got.njobs);
	}
}

TEST(something_behind_a_compressed_file_does_not_hide_it)
{
	static const char *const filters[] = { "gzip", "bzip2", "xz", "lzma", "zstd",
		"lz4", "lzip" };

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		BUF_AUTO b = BUF(BIG);

		pack(&b, NULL, filters[i], "a", STR(EVIL));
		buf_add(&b, STR("something else"));
		LOOK_AUTO l = look_attached(buf_str(&b), "some.file", 0);
		assert_int_equal(l.rc, RC_OK);
		if (!has_digest(&l, STR(EVIL)))
			fail_msg("%s", filters[i]);
	}
}

TEST(a_binary_file_between_lines_of_text_goes_to_the_virus_scanner)
{
	LOOK_AUTO l = look(
		STR(HEAD "Content-Type: application/pdf\r\n\r\n%PDF-1.4\n" EVIL), 0);

	assert_int_equal(l.rc, RC_OK);
	assert_true(has_job(&l, STR(EVIL)));
}

TEST(an_archive_is_refused_where_unpacking_it_would_never_end)
{
	enum { MOST = 8 * 1024 * 1024 };
	BUF_AUTO b = BUF(BIG), c = BUF(BIG);
	char *zeros = calloc(1, MOST + 1);

	assert_non_null(zeros);
	pack(&b, NULL, "gzip", "a", (str){ zeros, MOST + 1 });
	free(zeros);
	assert_true(b.len < 64 * 1024);
	LOOK_AUTO l = look_attached(buf_str(&b), "a.gz", MOST);
	assert_int_equal(l.rc, RC_LIMIT);
	assert_true(l.err.text[0] != '\0');
	/* zips within each other */
	pack(&b, "zip", NULL, "a", STR(EVIL));
	for (int depth = 1; depth <= 9; depth++) {
		LOOK_AUTO deep = look_attached(buf_str(&b), "a.zip", 0);

		assert_int_equal(deep.rc, depth > 8 ? RC_LIMIT : RC_OK);
		buf_clear(&c);
		buf_add(&c, buf_str(&b));
		pack(&b, "zip", NULL, "a.zip", buf_str(&c));
	}
}

TEST(a_file_that_only_begins_like_a_compressed_one_is_not_refused)
{
	static const str bytes = STR_INIT(
		"\x1f\x9d\xff and nothing of the kind behind it, "
		"whatever its first bytes may be");
	LOOK_AUTO l = look_attached(bytes, "a.bin", 0);

	assert_int_equal(l.rc, RC_OK);
	assert_true((leaf_named(&l, "a.bin")->flags & LEAF_UNOPENED) != 0);
}

TEST(a_mail_in_an_archive_is_taken_apart_like_any_other)
{
	BUF_AUTO zip = BUF(BIG);

	pack(&zip, "zip", NULL, "m",
		STR("Subject: x\r\nContent-Type: text/plain\r\n\r\n"
		    "begin 644 run.exe\r\n#0V%T\r\n`\r\nend\r\n"));
	LOOK_AUTO l = look_attached(buf_str(&zip), "mail.zip", 0);
	assert_int_equal(l.rc, RC_OK);
	assert_true((leaf_named(&l, "run.exe")->flags & LEAF_EMBEDDED) != 0);
	assert_true(has_digest(&l, STR("Cat")));
}

static void
wrap_in_yenc(struct buf *b, str bytes)
{
	buf_addz(b, "=ybegin line=128 size=9 name=a\r\n");
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)(bytes.ptr[i] + 42);

		if (c == 0 || c == '\r' || c == '\n' || c == '=' || c == '.') {
			buf_addc(b, '=');
			c = (unsigned char)(c + 64);
		}
		buf_addc(b, (char)c);
	}
	buf_addz(b, "\r\n=yend size=9\r\n");
}

TEST(files_in_texts_in_files_in_texts_have_an_end)
{
	BUF_AUTO b = BUF(BIG), c = BUF(BIG);

	buf_addz(&b, "innermost");
	for (int depth = 1; depth <= 33; depth++) {
		buf_clear(&c);
		buf_add(&c, buf_str(&b));
		buf_clear(&b);
		wrap_in_yenc(&b, buf_str(&c));
		LOOK_AUTO l = look_attached(buf_str(&b), "a.txt", 0);

		assert_int_equal(l.rc, depth > 32 ? RC_LIMIT : RC_OK);
		assert_true(l.rc != RC_OK || has_digest(&l, STR("innermost")));
	}
}

/* clamd would take its time for each. */
TEST(more_beginnings_of_files_than_anybody_writes_are_refused)
{
	for (unsigned more = 0; more < 2; more++) {
		BUF_AUTO b = BUF(BIG);

		buf_addz(&b, HEAD "Content-Type: multipart/mixed; boundary=b\r\n");
		for (unsigned part = 0; part < 2; part++) {
			buf_addz(&b, "\r\n--b\r\n\r\n");
			for (unsigned i = 0; i < 5000 + part * more; i++)
				buf_addz(&b, "begin 644 a\r\n");
		}
		buf_addz(&b, "\r\n--b--\r\n");
		LOOK_AUTO l = look(buf_str(&b), 0);
		assert_int_equal(l.rc, more == 0 ? RC_OK : RC_LIMIT);
	}
}

TEST(a_mailbox_of_many_small_mails_costs_as_much_as_they_do)
{
	enum { MOST = 1024 * 1024 };
	BUF_AUTO b = BUF(BIG);

	for (unsigned n = 1; n <= 1100; n++) {
		buf_addz(&b, "From a@x.test Tue Nov 14 22:13:20 2023\nTo: b\n\nhi\n\n");
		if (n != 900 && n != 1100)
			continue;
		LOOK_AUTO l = look_attached(buf_str(&b), "a.mbox", MOST);

		assert_int_equal(l.rc, n == 900 ? RC_OK : RC_LIMIT);
	}
}

/* What abuse@ takes although it is infected is in messages, not in any file. */
TEST(only_what_is_attached_as_a_message_lies_within_one)
{
	static const str mail = STR_INIT("Subject: x\r\nContent-Type: text/plain\r\n\r\n"
					 "begin 644 run.exe\r\n#0V%T\r\n`\r\nend\r\n");
	static const char *const types[] = { "message/rfc822", "message/global",
		"message/partial", "application/octet-stream" };
	LOOK_AUTO file = look_attached(mail, "mail.eml", 0);

	assert_int_equal(leaf_named(&file, "run.exe")->flags & LEAF_IN_MESSAGE, 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		BUF_AUTO b = BUF(BIG);

		buf_addf(&b,
			HEAD "Content-Type: %s; name=a.eml\r\n"
			     "Content-Transfer-Encoding: base64\r\n\r\n",
			types[i]);
		add_base64(&b, mail);
		LOOK_AUTO l = look(buf_str(&b), 0);
		assert_int_equal(l.rc, RC_OK);
		assert_int_equal(
			(leaf_named(&l, "run.exe")->flags & LEAF_IN_MESSAGE) != 0, i < 2);
	}
}

TEST(what_a_strict_reader_would_not_have_found_goes_to_the_virus_scanner)
{
	static const str cases[] = {
		/* the encoding is said twice */
		STR_INIT(HEAD
			"Content-Transfer-Encoding: 7bit\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n"
			"dGhpcyBpcyB3aGF0IGEgdmlydXMgc2Nhbm5lciB3b3VsZCBmaW5kLCBpZiBpdCB3ZXJlIHNo\r\n"
			"b3duIHRvIGl0\r\n"),
		/* padding in the middle: some end there */
		STR_INIT(HEAD
			"Content-Transfer-Encoding: base64\r\n\r\n"
			"dGhpcyBpcyB3aGF0IGEgdmlydXMgc2Nhbm5lciB3b3VsZCBmaW5kLCBpZiBpdCB3ZXJlIHNo\r\n"
			"b3duIHRvIGl0eA==AAAABBBBCCCC\r\n"),
		/* a whole message in base64 */
		STR_INIT(HEAD
			"Content-Type: message/rfc822\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n"
			"U3ViamVjdDogeAoKdGhpcyBpcyB3aGF0IGEgdmlydXMgc2Nhbm5lciB3b3VsZCBmaW5kLCBp\r\n"
			"ZiBpdCB3ZXJlIHNob3duIHRvIGl0Cg==\r\n"),
		/* UTF-16 */
		STR_INIT(HEAD
			"Content-Type: text/plain; charset=utf-16le\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n"
			"dABoAGkAcwAgAGkAcwAgAHcAaABhAHQAIABhACAAdgBpAHIAdQBzACAAcwBjAGEAbgBuAGUA\r\n"
			"cgAgAHcAbwB1AGwAZAAgAGYAaQBuAGQALAAgAGkAZgAgAGkAdAAgAHcAZQByAGUAIABzAGgA\r\n"
			"bwB3AG4AIAB0AG8AIABpAHQA\r\n"),
		/* a data URL */
		STR_INIT(HEAD
			"Content-Type: text/html\r\n\r\n<a href=\"data:text/plain;base64,"
			"dGhpcyBpcyB3aGF0IGEgdmlydXMgc2Nhbm5lciB3b3VsZCBmaW5kLCBpZiBpdCB3ZXJlIHNo"
			"b3duIHRvIGl0\">x</a>\r\n"),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		LOOK_AUTO l = look(cases[i], 0);

		assert_int_equal(l.rc, RC_OK);
		if (!has_job(&l, STR(EVIL)))
			fail_msg("case %zu: %u jobs", i, l.got.njobs);
	}
}

TEST(a_thousand_odd_parts_are_all_scanned_with_few_descriptors)
{
	BUF_AUTO b = BUF(BIG);

	buf_add(&b, STR(HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"));
	for (int i = 0; i < 1000; i++)
		buf_addf(&b,
			"--b\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n\r\n"
			"this is part %d\r\n",
			i);
	buf_add(&b, STR("--b--\r\n"));
	LOOK_AUTO l = look(buf_str(&b), 0);
	assert_int_equal(l.rc, RC_OK);
	assert_true(l.got.njobs > 1 && l.got.njobs < CONTENT_JOBS);
	assert_true(has_job(&l, STR("this is part 0")));
	assert_true(has_job(&l, STR("this is part 999")));
	/* the last one is a tar file */
	char *data;
	size_t len, n = 0;
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	assert_int_equal(
		chan_memfd_read(l.got.jobs[l.got.njobs - 1], BIG, &data, &len, NULL),
		RC_OK);
	(void)archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_memory(a, data, len), ARCHIVE_OK);
	while (archive_read_next_header(a, &e) == ARCHIVE_OK)
		n++;
	(void)archive_read_free(a);
	free(data);
	assert_int_equal(n + l.got.njobs - 1, 1000);
}

/* Every reading may have most of it in front of its parts. */
TEST(what_stands_beside_the_parts_counts_as_well)
{
	enum { LONG = 300 * 1024 };
	BUF_AUTO b = BUF(BIG);

	buf_add(&b, STR(HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"));
	while (b.len < LONG)
		buf_add(&b, STR("nothing that anybody would look at\r\n"));
	buf_add(&b, STR("--b\r\n\r\nhello\r\n--b--\r\n"));
	LOOK_AUTO l = look(buf_str(&b), 2 * LONG);
	assert_int_equal(l.rc, RC_OK);
	assert_true(has_job(&l, STR("nothing that anybody would look at")));
	LOOK_AUTO less = look(buf_str(&b), LONG / 2);
	assert_int_equal(less.rc, RC_LIMIT);
}

TEST(the_spam_test_string_is_found_in_what_is_decoded)
{
	BUF_AUTO b = BUF(BIG);

	buf_add(&b, STR(HEAD "Content-Type: text/plain\r\n"
			     "Content-Transfer-Encoding: base64\r\n\r\n"));
	add_base64(&b, STR("x " GTUBE " y"));
	LOOK_AUTO l = look(buf_str(&b), 0);
	assert_int_equal(l.rc, RC_OK);
	assert_true((l.got.facts.flags & FACT_GTUBE) != 0);
}

TEST(links_are_found_in_plain_text)
{
	LOOK_AUTO l = look(STR(HEAD "\r\nSee https://a.test/x?y=1, (http://b.test/).\r\n"
				    "www.c.test and mailto:x@y or awww.d.test ://z\r\n"),
		0);
	const struct content *c = &l.got.content;

	assert_int_equal(l.rc, RC_OK);
	assert_int_equal(c->nlinks, 3);
	assert_true(str_eq(c->links[0].url, STR("https://a.test/x?y=1")));
	assert_true(str_eq(c->links[1].url, STR("http://b.test/")));
	assert_true(str_eq(c->links[2].url, STR("www.c.test")));
	assert_int_equal(c->links[0].flags, LINK_PLAIN);
}

TEST(what_the_gate_needs_comes_without_texts_and_words)
{
	static const str page = STR_INIT("Content-Type: text/html\r\n\r\nSeen by all "
					 "<a href=\"https://a.test/\">here</a>"
					 "<p style=\"display: none\">and by nobody");
	LOOK_AUTO all = look(page, 0);
	LOOK_AUTO gate = look_for(SCAN_CONTENT | SCAN_JOBS, page, 0);
	const struct content *a = &all.got.content, *g = &gate.got.content;

	assert_int_equal(all.rc, RC_OK);
	assert_int_equal(gate.rc, RC_OK);
	assert_true(a->text.len > 0 && a->hidden.len > 0 && a->ntokens > 0);
	assert_true(g->text.len == 0 && g->hidden.len == 0 && g->ntokens == 0);
	assert_int_equal(g->text_bytes, a->text.len);
	assert_int_equal(g->hidden_bytes, a->hidden.len);
	assert_int_equal(g->html_flags, a->html_flags);
	assert_int_equal(g->nlinks, 1);
	assert_true(str_eq(gate.got.facts.preview, all.got.facts.preview));
}

/* What was learned is kept under these numbers: they must never change. */
TEST(words_have_the_same_tokens_forever)
{
	static uint64_t got[CONTENT_TOKENS], other[CONTENT_TOKENS];
	struct tokens *t = tokens_new();

	tokens_words(t, TOKEN_TEXT, STR("Hello, HELLO w\xc3\x96rld! a"));
	assert_int_equal(tokens_done(t, got), 2);
	assert_true(got[0] < got[1]);
	assert_true(got[0] == UINT64_C(0x2b3519d73acc93e0));
	tokens_free(&t);
	t = tokens_new();
	tokens_words(t, TOKEN_TEXT, STR("w\xc3\xb6rld hello"));
	assert_int_equal(tokens_done(t, other), 2);
	assert_memory_equal(got, other, 2 * sizeof(got[0]));
	tokens_words(t, TOKEN_SUBJECT, STR("hello"));
	tokens_words(t, TOKEN_TEXT, STR("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"));
	assert_int_equal(tokens_count(t), 5);
	tokens_free(&t);
}

TEST(more_words_than_are_kept_stay_sorted_and_once)
{
	static uint64_t got[CONTENT_TOKENS];
	struct tokens *t = tokens_new();
	char word[32];

	for (int i = 0; i < 3 * CONTENT_TOKENS; i++) {
		int n = snprintf(word, sizeof(word), "word%d word%d", i, i);

		tokens_words(t, TOKEN_TEXT, (str){ word, (size_t)n });
	}
	assert_int_equal(tokens_done(t, got), CONTENT_TOKENS);
	for (size_t i = 1; i < CONTENT_TOKENS; i++)
		assert_true(got[i - 1] < got[i]);
	tokens_free(&t);
}
