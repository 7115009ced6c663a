/* SPDX-License-Identifier: ISC */
/* magic, continued: office files by what is in them, and kinds of text. */
#include "mime/header.h"
#include "scan/magic_int.h"
#include "scan/zip.h"

enum { NAMES = 4096, TEXT_LOOK = 1024, HEADER_LOOK = 8192 };

/* ---- zip ---- */

enum {
	IS_WORD = 1,
	IS_EXCEL = 2,
	IS_POWERPOINT = 4,
	HAS_MACROS = 8,
	IS_JAR = 16,
	IS_APK = 32,
	IS_APPX = 64,
};

/* Names in the central directory, and what they say about all of it. */
static const struct {
	str name;
	bool begins; /* else the whole name, or its end behind a slash */
	unsigned is;
} inside[] = {
	{ STR_INIT("word/"), true, IS_WORD },
	{ STR_INIT("xl/macrosheets/"), true, IS_EXCEL | HAS_MACROS },
	{ STR_INIT("xl/"), true, IS_EXCEL },
	{ STR_INIT("ppt/"), true, IS_POWERPOINT },
	{ STR_INIT("vbaProject.bin"), false, HAS_MACROS },
	{ STR_INIT("vbaData.xml"), false, HAS_MACROS },
	{ STR_INIT("AndroidManifest.xml"), false, IS_APK },
	{ STR_INIT("META-INF/MANIFEST.MF"), true, IS_JAR },
	{ STR_INIT("AppxManifest.xml"), false, IS_APPX },
};

#define KIND(name, family)                               \
	{                                                \
		STR_INIT(name), MAGIC_##family, OPEN_ZIP \
	}

static const struct {
	unsigned is;
	struct magic magic;
} zips[] = {
	{ IS_WORD | HAS_MACROS, KIND("docx-macros", OFFICE) },
	{ IS_EXCEL | HAS_MACROS, KIND("xlsx-macros", OFFICE) },
	{ IS_POWERPOINT | HAS_MACROS, KIND("pptx-macros", OFFICE) },
	{ IS_WORD, KIND("docx", OFFICE) },
	{ IS_EXCEL, KIND("xlsx", OFFICE) },
	{ IS_POWERPOINT, KIND("pptx", OFFICE) },
	{ IS_APK, KIND("apk", PROGRAM) },
	{ IS_APPX, KIND("appx", PROGRAM) },
	{ IS_JAR, KIND("jar", PROGRAM) },
};

/* OpenDocument and EPUB: the first file is "mimetype", stored (ODF 1.3 part 2, 3.3). */
static const struct {
	str type;
	struct magic magic;
} by_mimetype[] = {
	{ STR_INIT("application/vnd.oasis.opendocument.text"), KIND("odt", OFFICE) },
	{ STR_INIT("application/vnd.oasis.opendocument.spreadsheet"),
		KIND("ods", OFFICE) },
	{ STR_INIT("application/vnd.oasis.opendocument.presentation"),
		KIND("odp", OFFICE) },
	{ STR_INIT("application/vnd.oasis.opendocument"), KIND("odf", OFFICE) },
	{ STR_INIT("application/epub+zip"), KIND("epub", OFFICE) },
};

static bool
ends_path(str name, str with)
{
	if (name.len < with.len || !str_ieq(str_skip(name, name.len - with.len), with))
		return false;
	return name.len == with.len || name.ptr[name.len - with.len - 1] == '/';
}

static unsigned
what_name_says(str name)
{
	unsigned is = 0;

	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (inside[i].begins ? str_istarts(name, inside[i].name)
				     : ends_path(name, inside[i].name))
			is |= inside[i].is;
	return is;
}

const struct magic *
magic_of_zip(str bytes, const struct magic *m)
{
	struct zip_reader r;
	struct zip_entry e;
	unsigned is = 0;
	str first = str_skip(bytes, 30);

	if (str_starts(first, STR("mimetype")))
		for (size_t i = 0; i < sizeof(by_mimetype) / sizeof(by_mimetype[0]); i++)
			if (str_starts(str_skip(first, 8), by_mimetype[i].type))
				return &by_mimetype[i].magic;
	if (!zip_begin(&r, bytes))
		return m;
	for (size_t n = 0; n < NAMES && zip_next(&r, &e); n++)
		is |= what_name_says(e.name);
	for (size_t i = 0; i < sizeof(zips) / sizeof(zips[0]); i++)
		if ((is & zips[i].is) == zips[i].is)
			return &zips[i].magic;
	return m;
}

/* ---- OLE2 ([MS-CFB]) ---- */

/* Names of streams, as the directory has them: UTF-16. */
#define OLE(stream, name, family)                                          \
	{                                                                  \
		stream, sizeof(stream) - 1,                                \
			{ STR_INIT(name), MAGIC_##family, OPEN_NOT },      \
		{                                                          \
			STR_INIT(name "-macros"), MAGIC_##family, OPEN_NOT \
		}                                                          \
	}

static const struct {
	const char *stream;
	size_t len;
	struct magic plain, macros;
} streams[] = {
	OLE("E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", "office-encrypted",
		OFFICE),
	OLE("_\0_\0s\0u\0b\0s\0t\0g\0001\0.\0", "msg", OFFICE),
	OLE("W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0", "doc", OFFICE),
	OLE("W\0o\0r\0k\0b\0o\0o\0k\0", "xls", OFFICE),
	OLE("B\0o\0o\0k\0\0\0", "xls", OFFICE),
	OLE("P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0", "ppt", OFFICE),
	OLE("V\0i\0s\0i\0o\0D\0o\0c\0", "vsd", OFFICE),
	/* the class of the root: {000C1084-0000-0000-C000-000000000046} and so on */
	OLE("\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "msi", PROGRAM),
	OLE("\x86\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "msi", PROGRAM),
};

static bool
holds(str bytes, const char *what, size_t len)
{
	return memmem(bytes.ptr, bytes.len, what, len) != NULL;
}

const struct magic *
magic_of_ole(str bytes, const struct magic *m)
{
	static const char vba[] = "_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0";

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (holds(bytes, streams[i].stream, streams[i].len))
			return holds(bytes, vba, sizeof(vba) - 1) ? &streams[i].macros
								  : &streams[i].plain;
	return m;
}

/* ---- text ---- */

#define TEXT(begins, name, family)                               \
	{                                                        \
		STR_INIT(begins),                                \
		{                                                \
			STR_INIT(name), MAGIC_##family, OPEN_NOT \
		}                                                \
	}

/* Behind blanks, in any case; for HTML see the WHATWG's MIME sniffing, 7.1. */
static const struct {
	str begins;
	struct magic magic;
} texts[] = {
	TEXT("<hta:", "hta", PROGRAM),
	TEXT("<?php", "php", PROGRAM),
	TEXT("<%", "script", PROGRAM),
	TEXT("<job", "wsf", PROGRAM),
	TEXT("<package", "wsf", PROGRAM),
	TEXT("<svg", "svg", IMAGE),
	TEXT("<!doctype svg", "svg", IMAGE),
	TEXT("<!doctype html", "html", HTML),
	TEXT("<html", "html", HTML),
	TEXT("<head", "html", HTML),
	TEXT("<script", "html", HTML),
	TEXT("<iframe", "html", HTML),
	TEXT("<body", "html", HTML),
	TEXT("<title", "html", HTML),
	TEXT("<style", "html", HTML),
	TEXT("<meta", "html", HTML),
	TEXT("<table", "html", HTML),
	TEXT("<div", "html", HTML),
	TEXT("<form", "html", HTML),
	TEXT("<font", "html", HTML),
	TEXT("<center", "html", HTML),
	TEXT("<img", "html", HTML),
	TEXT("<h1", "html", HTML),
	TEXT("<a ", "html", HTML),
	TEXT("<b>", "html", HTML),
	TEXT("<br", "html", HTML),
	TEXT("<p>", "html", HTML),
	TEXT("<p ", "html", HTML),
	TEXT("<span", "html", HTML),
	TEXT("<!--", "html", HTML),
	TEXT("@echo ", "bat", PROGRAM),
	TEXT("BEGIN:VCALENDAR", "ics", TEXT),
	TEXT("BEGIN:VCARD", "vcf", TEXT),
};

static const struct magic plain = { STR_INIT("text"), MAGIC_TEXT, OPEN_NOT };
static const struct magic wide = { STR_INIT("utf16"), MAGIC_TEXT, OPEN_NOT };
static const struct magic mail = { STR_INIT("eml"), MAGIC_TEXT, OPEN_MAIL };
static const struct magic html = { STR_INIT("html"), MAGIC_HTML, OPEN_NOT };
static const struct magic svg = { STR_INIT("svg"), MAGIC_IMAGE, OPEN_NOT };
static const struct magic xml = { STR_INIT("xml"), MAGIC_TEXT, OPEN_NOT };

static str
skip_blanks(str s)
{
	if (str_starts(s, STR("\xef\xbb\xbf")))
		s = str_skip(s, 3);
	while (s.len > 0 && memchr(" \t\r\n\f", s.ptr[0], 5) != NULL)
		s = str_skip(s, 1);
	return s;
}

static bool
is_text(str s)
{
	s = str_first(s, TEXT_LOOK);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < ' ' && memchr("\t\n\r\f\b\x1b", c, 6) == NULL)
			return false;
	}
	return s.len > 0;
}

/* Fields with nothing between them, one of them a message's. */
static bool
is_mail(str s)
{
	static const str fields[] = { STR_INIT("From"), STR_INIT("To"),
		STR_INIT("Subject"), STR_INIT("Date"), STR_INIT("Received"),
		STR_INIT("Return-Path"), STR_INIT("Message-ID"), STR_INIT("MIME-Version"),
		STR_INIT("Content-Type"), STR_INIT("Delivered-To"),
		STR_INIT("Reply-To") };
	struct header_reader r;
	struct header_field f;

	header_begin(&r, str_first(s, HEADER_LOOK));
	while (header_next(&r, &f) == HEADER_FIELD)
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (str_ieq(f.name, fields[i]))
				return true;
	return false;
}

static const struct magic *
markup(str s)
{
	str look = str_first(s, TEXT_LOOK);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (str_istarts(s, texts[i].begins))
			return &texts[i].magic;
	if (!str_istarts(s, STR("<?xml")))
		return NULL;
	if (str_ifind(look, STR("<html")) < look.len)
		return &html;
	return str_ifind(look, STR("<svg")) < look.len ? &svg : &xml;
}

const struct magic *
magic_of_text(str bytes)
{
	const struct magic *m;

	if (str_starts(bytes, STR("\xff\xfe")) || str_starts(bytes, STR("\xfe\xff")))
		return &wide;
	if (!is_text(bytes))
		return NULL;
	m = markup(skip_blanks(bytes));
	if (m != NULL)
		return m;
	return is_mail(bytes) ? &mail : &plain;
}
