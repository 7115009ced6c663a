/* SPDX-License-Identifier: ISC */
#include "scan/magic.h"

#include "scan/cms.h"
#include "scan/tnef.h"
#include "scan/zip.h"
#include "test/test.h"

TEST(a_file_is_what_its_bytes_are)
{
	static const struct {
		str bytes, name;
	} cases[] = {
		{ STR_INIT(""), STR_INIT("") },
		{ STR_INIT("\1\2\3\4"), STR_INIT("") },
		{ STR_INIT("MZ\x90\0\3\0\0\0"), STR_INIT("exe") },
		{ STR_INIT("MZ is a text"), STR_INIT("text") },
		{ STR_INIT("\x7f"
			   "ELF\2\1\1"),
			STR_INIT("elf") },
		{ STR_INIT("%PDF-1.7\n"), STR_INIT("pdf") },
		{ STR_INIT("PK\3\4 and no directory"), STR_INIT("zip") },
		{ STR_INIT("Rar!\x1a\7\1\0"), STR_INIT("rar") },
		{ STR_INIT("\x1f\x8b\x08"), STR_INIT("gz") },
		{ STR_INIT("#!/bin/sh\n"), STR_INIT("script") },
		{ STR_INIT("<!DOCTYPE html><p>"), STR_INIT("html") },
		{ STR_INIT(" \r\n\t<HTML>"), STR_INIT("html") },
		{ STR_INIT("\xef\xbb\xbf<html>"), STR_INIT("html") },
		{ STR_INIT("<?xml version='1.0'?><svg/>"), STR_INIT("svg") },
		{ STR_INIT("Hello\n"), STR_INIT("text") },
		{ STR_INIT("Received: by x\n\ty\nSubject: z\n\n"), STR_INIT("eml") },
		{ STR_INIT("Hello: you\nthere\nSubject: z\n\n"), STR_INIT("text") },
		{ STR_INIT("From a@b Mon Nov 23 10:00:00 2026\n"), STR_INIT("mbox") },
		{ STR_INIT("\xff\xfeh\0i\0"), STR_INIT("utf16") },
		{ STR_INIT("{\\rtf1"), STR_INIT("rtf") },
		{ STR_INIT("\x78\x9f\x3e\x22\1\0"), STR_INIT("tnef") },
		{ STR_INIT("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0abcd"),
			STR_INIT("lzma") },
		{ STR_INIT("\x30\x82\1\2\2"), STR_INIT("der") },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!str_eq(magic_of(cases[i].bytes)->name, cases[i].name))
			fail_msg("case %zu is " STR_FMT ", not " STR_FMT, i,
				STR_ARG(magic_of(cases[i].bytes)->name),
				STR_ARG(cases[i].name));
}

TEST(a_tar_without_a_mark_is_known_by_its_sum)
{
	static char head[512] = "file";

	memcpy(head + 148, "0000674\0", 8);
	unsigned sum = 0;
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)head[i];
	for (int i = 153; i >= 148; i--, sum /= 8)
		head[i] = (char)('0' + sum % 8);
	head[154] = 0;
	head[155] = ' ';
	assert_true(str_eq(magic_of((str){ head, 512 })->name, STR("tar")));
	head[0] = 'F';
	assert_false(str_eq(magic_of((str){ head, 512 })->name, STR("tar")));
}

TEST(what_is_said_of_a_file_and_what_it_is)
{
	static const struct {
		str bytes, type;
		bool fits;
	} cases[] = {
		{ STR_INIT("MZ\x90\0"), STR_INIT("image/png"), false },
		{ STR_INIT("MZ\x90\0"), STR_INIT("application/octet-stream"), true },
		{ STR_INIT("MZ\x90\0"), STR_INIT("text/plain"), false },
		{ STR_INIT("%PDF-1.7"), STR_INIT("application/pdf"), true },
		{ STR_INIT("PK\3\4"), STR_INIT("application/pdf"), false },
		{ STR_INIT("PK\3\4"), STR_INIT("application/pkcs7-signature"), false },
		{ STR_INIT("\x30\x82\1\2\2"), STR_INIT("application/pkcs7-signature"),
			true },
		{ STR_INIT("-----BEGIN PGP SIG"), STR_INIT("application/pgp-signature"),
			true },
		{ STR_INIT("\1\2\3"), STR_INIT("image/png"), true },
		{ STR_INIT("<svg>"), STR_INIT("image/svg+xml"), true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(magic_fits(magic_of(cases[i].bytes), cases[i].type),
			cases[i].fits);
}

TEST(names_that_hide_what_they_are)
{
	static const struct {
		str name;
		bool hides;
	} cases[] = {
		{ STR_INIT("invoice.pdf.exe"), true },
		{ STR_INIT("invoice.PDF.Js"), true },
		{ STR_INIT("invoice.pdf          .exe"), true },
		{ STR_INIT("invoice\xe2\x80\xae"
			   "fdp.exe"),
			true },
		{ STR_INIT("setup.exe"), false },
		{ STR_INIT("setup-1.2.exe"), false },
		{ STR_INIT("report.2026.pdf"), false },
		{ STR_INIT("archive.tar.gz"), false },
		{ STR_INIT(""), false },
		{ STR_INIT("."), false },
		{ STR_INIT(".exe"), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (magic_name_hides(cases[i].name) != cases[i].hides)
			fail_msg("%s", cases[i].name.ptr);
}

/* One stored file "a" with the bytes "hello", by APPNOTE.TXT. */
#define ZIP_LOCAL(flags, method, size)                                       \
	"PK\3\4\x14\0" flags "\0" method "\0\0\0\x21\0\x86\xa6\x10\x36" size \
	"\0\0\0" size "\0\0\0\1\0\0\0ahello"
#define ZIP_CENTRAL(flags, method, size)                                           \
	"PK\1\2\x14\0\x14\0" flags "\0" method "\0\0\0\x21\0\x86\xa6\x10\x36" size \
	"\0\0\0" size "\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a"
#define ZIP_END(at) "PK\5\6\0\0\0\0\1\0\1\0\x2f\0\0\0" at "\0\0\0\0\0"
#define ZIP_OK      ZIP_LOCAL("\0", "\0", "\5") ZIP_CENTRAL("\0", "\0", "\5") ZIP_END("\x24")

TEST(a_zip_is_plain_only_if_nobody_can_read_it_otherwise)
{
	static const struct {
		str bytes;
		bool plain;
	} cases[] = {
		{ STR_INIT(ZIP_OK), true },
		{ STR_INIT("GIF" ZIP_OK), false },
		{ STR_INIT(ZIP_OK "more"), false },
		{ STR_INIT(ZIP_LOCAL("\0", "\x63", "\5") ZIP_CENTRAL("\0", "\0", "\5")
				  ZIP_END("\x24")),
			false },
		{ STR_INIT(ZIP_LOCAL("\0", "\0", "\4") ZIP_CENTRAL("\0", "\0", "\5")
				  ZIP_END("\x24")),
			false },
		{ STR_INIT(ZIP_LOCAL("\0", "\0", "\5") ZIP_CENTRAL("\1", "\0", "\5")
				  ZIP_END("\x24")),
			false },
		{ STR_INIT(ZIP_LOCAL("\0", "\0", "\5") "gap" ZIP_CENTRAL("\0", "\0", "\5")
				  ZIP_END("\x27")),
			false },
		{ STR_INIT(ZIP_LOCAL("\0", "\x0e", "\5") ZIP_CENTRAL("\0", "\x0e", "\5")
				  ZIP_END("\x24")),
			false },
		{ STR_INIT(ZIP_LOCAL("\0", "\0", "\5")), false },
		{ STR_INIT(""), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (zip_is_plain(cases[i].bytes) != cases[i].plain)
			fail_msg("case %zu", i);
}

TEST(files_in_winmail_dat_are_found)
{
	static const char dat[] =
		"\x78\x9f\x3e\x22\1\0" /* level, id, length, value, sum */
		"\2\2\x90\6\0\3\0\0\0xyz\0\0"
		"\2\x10\x80\1\0\6\0\0\0a.exe\0\0\0"
		"\2\x0f\x80\6\0\4\0\0\0data\0\0"
		"\2\x0f\x80\6\0\xff\0\0\0cut";
	struct tnef_reader r;
	str name, bytes;

	tnef_begin(&r, (str){ dat, sizeof(dat) - 1 });
	assert_true(tnef_next(&r, &name, &bytes));
	assert_true(str_eq(name, STR("a.exe")) && str_eq(bytes, STR("data")));
	assert_false(r.damaged);
	assert_true(tnef_next(&r, &name, &bytes));
	assert_true(str_eq(bytes, STR("cut")) && r.damaged);
	assert_false(tnef_next(&r, &name, &bytes));
}

TEST(what_was_signed_as_a_whole_is_taken_out_in_one_piece_or_many)
{
#define OID_SIGNED "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define OID_DATA   "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	static const struct {
		str ber;
		str content;
	} cases[] = {
		{ STR_INIT("\x30\x2a" OID_SIGNED
			   "\xa0\x1d\x30\x1b\2\1\1\x31\0\x30\x14" OID_DATA
			   "\xa0\7\4\5hello"),
			STR_INIT("hello") },
		{ STR_INIT("\x30\x80" OID_SIGNED
			   "\xa0\x80\x30\x80\2\1\1\x31\0\x30\x80" OID_DATA
			   "\xa0\x80\x24\x80\4\3hel\4\2lo\0\0\0\0\0\0\0\0\0\0\0\0"),
			STR_INIT("hello") },
		{ STR_INIT("\x30\x23" OID_SIGNED
			   "\xa0\x14\x30\x12\2\1\1\x31\0\x30\x0b" OID_DATA),
			STR_INIT("") },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		LUMP_AUTO to = { 0 };

		assert_true(cms_is_signed(cases[i].ber));
		assert_int_equal(
			cms_content(cases[i].ber, &to), cases[i].content.len > 0);
		assert_true(str_eq((str){ to.data, to.len }, cases[i].content));
	}
}
