/* SPDX-License-Identifier: ISC */
#include "scan/magic.h"

#include "scan/cms.h"
#include "scan/magic_int.h"

#define ROW(at, bytes, name, family, open)                          \
	{                                                           \
		at, STR_INIT(bytes),                                \
		{                                                   \
			STR_INIT(name), MAGIC_##family, OPEN_##open \
		}                                                   \
	}

/* The first that fits counts.  Sources: the formats' own specifications. */
static const struct signature {
	size_t at;
	str bytes;
	struct magic is;
} signatures[] = {
	ROW(0, "PK\3\4", "zip", ARCHIVE, ZIP),
	ROW(0, "PK\5\6", "zip", ARCHIVE, ZIP),
	ROW(0, "PK\7\10PK\3\4", "zip", ARCHIVE, ZIP),
	ROW(0, "PK00PK\3\4", "zip", ARCHIVE, ZIP),
	ROW(0, "%PDF-", "pdf", PDF, NOT),
	ROW(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", OFFICE, NOT),
	ROW(0, "\x89PNG\r\n\x1a\n", "png", IMAGE, NOT),
	ROW(0, "\xff\xd8\xff", "jpeg", IMAGE, NOT),
	ROW(0, "GIF87a", "gif", IMAGE, NOT),
	ROW(0, "GIF89a", "gif", IMAGE, NOT),
	ROW(0, "\x1f\x8b", "gz", ARCHIVE, GZ),
	ROW(0, "Rar!\x1a\7\0", "rar", ARCHIVE, RAR),
	ROW(0, "Rar!\x1a\7\1\0", "rar", ARCHIVE, RAR5),
	ROW(0, "RE~^", "rar", ARCHIVE, UNABLE),
	ROW(0, "7z\xbc\xaf\x27\x1c", "7z", ARCHIVE, 7Z),
	ROW(0, "BZh", "bz2", ARCHIVE, BZ2),
	ROW(0,
		"\xfd"
		"7zXZ\0",
		"xz", ARCHIVE, XZ),
	ROW(0, "\x28\xb5\x2f\xfd", "zst", ARCHIVE, ZSTD),
	ROW(0, "\x04\x22\x4d\x18", "lz4", ARCHIVE, LZ4),
	ROW(0, "\x02\x21\x4c\x18", "lz4", ARCHIVE, LZ4),
	ROW(0, "LZIP", "lz", ARCHIVE, LZIP),
	ROW(0, "\x1f\x9d", "z", ARCHIVE, COMPRESS),
	ROW(0, "MSCF\0\0\0\0", "cab", ARCHIVE, CAB),
	ROW(0, "ISc(", "cab", ARCHIVE, UNABLE),
	ROW(0, "xar!", "xar", ARCHIVE, XAR),
	ROW(0, "!<arch>\n", "ar", ARCHIVE, AR),
	ROW(0, "WARC/", "warc", ARCHIVE, WARC),
	ROW(0, "070701", "cpio", ARCHIVE, CPIO),
	ROW(0, "070702", "cpio", ARCHIVE, CPIO),
	ROW(0, "070707", "cpio", ARCHIVE, CPIO),
	ROW(0, "\xc7\x71", "cpio", ARCHIVE, CPIO),
	ROW(0, "\x71\xc7", "cpio", ARCHIVE, CPIO),
	ROW(257, "ustar", "tar", ARCHIVE, TAR),
	ROW(2, "-lh", "lha", ARCHIVE, LHA),
	ROW(2, "-lz", "lha", ARCHIVE, LHA),
	ROW(0x8001, "CD001", "iso", ARCHIVE, ISO),
	ROW(0x8801, "CD001", "iso", ARCHIVE, ISO),
	ROW(0x9001, "CD001", "iso", ARCHIVE, ISO),
	ROW(0x8001, "BEA01", "iso", ARCHIVE, UNABLE),
	ROW(0, "\x60\xea", "arj", ARCHIVE, UNABLE),
	ROW(7, "**ACE**", "ace", ARCHIVE, UNABLE),
	ROW(0, "ALZ\1", "alz", ARCHIVE, UNABLE),
	ROW(0, "EGGA", "egg", ARCHIVE, UNABLE),
	ROW(20, "\xdc\xa7\xc4\xfd", "zoo", ARCHIVE, UNABLE),
	ROW(0, "UDA/", "uda", ARCHIVE, UNABLE),
	ROW(0, "LRZI", "lrz", ARCHIVE, UNABLE),
	ROW(0, "\x89LZO\0\r\n\x1a\n", "lzo", ARCHIVE, UNABLE),
	ROW(0, "SZDD\x88\xf0\x27\x33", "szdd", ARCHIVE, UNABLE),
	ROW(0, "KWAJ\x88\xf0\x27\xd1", "kwaj", ARCHIVE, UNABLE),
	ROW(0, "SIT!", "sit", ARCHIVE, UNABLE),
	ROW(0, "StuffIt ", "sit", ARCHIVE, UNABLE),
	ROW(0, "MSWIM\0\0\0", "wim", ARCHIVE, UNABLE),
	ROW(0, "hsqs", "squashfs", ARCHIVE, UNABLE),
	ROW(0, "\xed\xab\xee\xdb", "rpm", ARCHIVE, UNABLE),
	ROW(0, "conectix", "vhd", ARCHIVE, UNABLE),
	ROW(0, "vhdxfile", "vhdx", ARCHIVE, UNABLE),
	ROW(0, "QFI\xfb", "qcow", ARCHIVE, UNABLE),
	ROW(0, "KDMV", "vmdk", ARCHIVE, UNABLE),
	ROW(0, "ITSF", "chm", PROGRAM, NOT),
	ROW(0,
		"\x7f"
		"ELF",
		"elf", PROGRAM, NOT),
	ROW(0, "\xfe\xed\xfa\xce", "macho", PROGRAM, NOT),
	ROW(0, "\xfe\xed\xfa\xcf", "macho", PROGRAM, NOT),
	ROW(0, "\xce\xfa\xed\xfe", "macho", PROGRAM, NOT),
	ROW(0, "\xcf\xfa\xed\xfe", "macho", PROGRAM, NOT),
	ROW(0, "\xca\xfe\xba\xbe", "class", PROGRAM, NOT), /* or a fat Mach-O */
	ROW(0, "dex\n", "dex", PROGRAM, NOT),
	ROW(0, "\0asm", "wasm", PROGRAM, NOT),
	ROW(0, "#!", "script", PROGRAM, NOT),
	ROW(0, "L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "lnk", PROGRAM, NOT),
	ROW(0, "[InternetShortcut", "url", PROGRAM, NOT),
	ROW(0, "[Desktop Entry]", "desktop", PROGRAM, NOT),
	ROW(0, "regf", "hive", PROGRAM, NOT),
	ROW(0, "Windows Registry Editor", "reg", PROGRAM, NOT),
	ROW(0, "REGEDIT4", "reg", PROGRAM, NOT),
	ROW(0, "\x78\x9f\x3e\x22", "tnef", OTHER, TNEF),
	ROW(0, "{\\rt", "rtf", OFFICE, NOT),
	ROW(0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "one",
		OFFICE, NOT),
	ROW(0, "Salted__", "openssl", OTHER, NOT),
	ROW(0, "age-encryption.org/", "age", OTHER, NOT),
	ROW(0, "-----BEGIN PGP", "pgp", SEALED, NOT),
	ROW(0, "-----BEGIN PKCS7", "cms", SEALED, NOT),
	ROW(0, "-----BEGIN CMS", "cms", SEALED, NOT),
	ROW(0, "BM", "bmp", IMAGE, NOT),
	ROW(0, "II*\0", "tiff", IMAGE, NOT),
	ROW(0, "MM\0*", "tiff", IMAGE, NOT),
	ROW(0, "\0\0\1\0", "ico", IMAGE, NOT),
	ROW(0, "8BPS", "psd", IMAGE, NOT),
	ROW(8, "WEBP", "webp", IMAGE, NOT),
	ROW(4, "ftypheic", "heic", IMAGE, NOT),
	ROW(4, "ftypavif", "avif", IMAGE, NOT),
	ROW(4, "ftypmif1", "heic", IMAGE, NOT),
	ROW(4, "ftyp", "mp4", MEDIA, NOT),
	ROW(0, "\xd7\xcd\xc6\x9a", "wmf", IMAGE, NOT),
	ROW(40, " EMF", "emf", IMAGE, NOT),
	ROW(0, "ID3", "mp3", MEDIA, NOT),
	ROW(0, "\xff\xfb", "mp3", MEDIA, NOT),
	ROW(0, "\xff\xf3", "mp3", MEDIA, NOT),
	ROW(0, "OggS", "ogg", MEDIA, NOT),
	ROW(0, "fLaC", "flac", MEDIA, NOT),
	ROW(8, "WAVE", "wav", MEDIA, NOT),
	ROW(8, "AVI ", "avi", MEDIA, NOT),
	ROW(0, "\x1a\x45\xdf\xa3", "mkv", MEDIA, NOT),
	ROW(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv", MEDIA, NOT),
	ROW(0, "FWS", "swf", PROGRAM, NOT),
	ROW(0, "CWS", "swf", PROGRAM, NOT),
	ROW(0, "ZWS", "swf", PROGRAM, NOT),
	ROW(0, "SQLite format 3", "sqlite", OTHER, NOT),
	ROW(0, "wOFF", "woff", OTHER, NOT),
	ROW(0, "!BDN", "pst", OFFICE, NOT),
	ROW(0, "\0\1\0\0Standard Jet", "mdb", OFFICE, NOT),
	ROW(0, "\0\1\0\0Standard ACE", "accdb", OFFICE, NOT),
	ROW(0, "%!PS", "ps", PROGRAM, NOT),
	ROW(0, "From ", "mbox", TEXT, MBOX),
};

static const struct magic unknown = { STR_INIT(""), MAGIC_UNKNOWN, OPEN_NOT };
static const struct magic tar = { STR_INIT("tar"), MAGIC_ARCHIVE, OPEN_TAR };
static const struct magic lzma = { STR_INIT("lzma"), MAGIC_ARCHIVE, OPEN_LZMA };
static const struct magic cms = { STR_INIT("p7m"), MAGIC_OTHER, OPEN_CMS };
static const struct magic der = { STR_INIT("der"), MAGIC_OTHER, OPEN_NOT };
static const struct magic exe = { STR_INIT("exe"), MAGIC_PROGRAM, OPEN_NOT };

static bool
at(str s, size_t offset, str what)
{
	return s.len >= offset + what.len && s.ptr[offset] == what.ptr[0] &&
	       memcmp(s.ptr + offset, what.ptr, what.len) == 0;
}

/* A tar of before POSIX has only its header's sum. */
bool
magic_is_tar(str s)
{
	unsigned long sum = 0, said = 0;
	const unsigned char *p = (const unsigned char *)s.ptr;

	if (s.len < 512 || p[0] == 0 || (p[148 + 4] != ' ' && (p[148 + 4] & 0xf8) != '0'))
		return false;
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	for (size_t i = 148; i < 156; i++)
		if (p[i] >= '0' && p[i] <= '7')
			said = said * 8 + (p[i] - '0');
	return sum == said;
}

/* LZMA alone: properties, a dictionary's size, the size or all ones (lzma.txt). */
static bool
is_lzma(str s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	if (s.len < 18 || p[0] != 0x5d || p[1] != 0 || p[2] != 0 || p[13] != 0)
		return false;
	for (size_t i = 10; i < 13; i++)
		if (p[i] != p[9] || (p[i] != 0 && p[i] != 0xff))
			return false;
	return true;
}

/* MZ alone is also how a text may begin. */
static bool
is_exe(str s)
{
	uint32_t pe;

	if (!at(s, 0, STR("MZ")) && !at(s, 0, STR("ZM")))
		return false;
	if (s.len < 0x40)
		return s.len > 2 && memchr(s.ptr, 0, s.len) != NULL;
	memcpy(&pe, s.ptr + 0x3c, sizeof(pe));
	return memchr(s.ptr, 0, 0x40) != NULL || at(s, pe, STR("PE\0\0"));
}

/* A sequence with a length of more than a byte (X.690 8.1.3). */
static bool
is_der(str s)
{
	return s.len > 4 && s.ptr[0] == 0x30 && (unsigned char)s.ptr[1] >= 0x80 &&
	       (unsigned char)s.ptr[1] <= 0x84;
}

static const struct magic *
signed_as(str bytes)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		if (at(bytes, signatures[i].at, signatures[i].bytes))
			return &signatures[i].is;
	return NULL;
}

const struct magic *
magic_of(str bytes)
{
	const struct magic *m = signed_as(bytes);

	if (m != NULL && m->open == OPEN_ZIP)
		return magic_of_zip(bytes, m);
	if (m != NULL && str_eq(m->name, STR("ole")))
		return magic_of_ole(bytes, m);
	if (m != NULL)
		return m;
	if (is_exe(bytes))
		return &exe;
	if (is_der(bytes))
		return cms_is_signed(bytes) ? &cms : &der;
	if (magic_is_tar(bytes))
		return &tar;
	if (is_lzma(bytes))
		return &lzma;
	m = magic_of_text(bytes);
	return m != NULL ? m : &unknown;
}

/* ---- against what was said ---- */

static const struct {
	str type; /* how it begins */
	unsigned families; /* that fit */
} said[] = {
#define F(family) (1u << MAGIC_##family)
	{ STR_INIT("image/"), F(IMAGE) | F(TEXT) | F(HTML) /* SVG */ },
	{ STR_INIT("audio/"), F(MEDIA) | F(TEXT) },
	{ STR_INIT("video/"), F(MEDIA) },
	{ STR_INIT("text/html"), F(HTML) | F(TEXT) },
	{ STR_INIT("text/"), F(TEXT) | F(HTML) | F(SEALED) | F(OFFICE) /* text/rtf */ },
	{ STR_INIT("message/"), F(TEXT) | F(HTML) | F(SEALED) },
	{ STR_INIT("application/pdf"), F(PDF) },
	{ STR_INIT("application/zip"), F(ARCHIVE) | F(OFFICE) },
	{ STR_INIT("application/x-zip"), F(ARCHIVE) | F(OFFICE) },
	{ STR_INIT("application/msword"), F(OFFICE) | F(TEXT) | F(HTML) },
	{ STR_INIT("application/rtf"), F(OFFICE) },
	{ STR_INIT("application/vnd.ms-"), F(OFFICE) | F(TEXT) | F(HTML) | F(OTHER) },
	{ STR_INIT("application/vnd.openxmlformats"), F(OFFICE) },
	{ STR_INIT("application/vnd.oasis"), F(OFFICE) },
	{ STR_INIT("application/json"), F(TEXT) },
	{ STR_INIT("application/ics"), F(TEXT) },
	/* virus scanners step over signatures, so nothing else may be in their place */
	{ STR_INIT("application/pgp-encrypted"), F(TEXT) | F(SEALED) | F(OTHER) },
	{ STR_INIT("application/pgp-"), F(SEALED) | F(OTHER) },
	{ STR_INIT("application/pkcs7-"), F(SEALED) | F(OTHER) },
	{ STR_INIT("application/x-pkcs7-"), F(SEALED) | F(OTHER) },
#undef F
};

bool
magic_fits(const struct magic *m, str type)
{
	if (m->family == MAGIC_UNKNOWN)
		return true;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (str_istarts(type, said[i].type))
			return (said[i].families & 1u << m->family) != 0;
	return true;
}

/* What Windows runs, and what people take for a document. */
static const char *const runs[] = { "exe", "com", "scr", "pif", "bat", "cmd", "js", "jse",
	"vbs", "vbe", "wsf", "wsh", "hta", "lnk", "msi", "ps1", "cpl", "jar", "reg",
	"url", "iso", "img", "vhd", "chm", NULL };

static bool
is_one_of(str s, const char *const *list)
{
	for (; *list != NULL; list++)
		if (str_ieq(s, str_of(*list)))
			return true;
	return false;
}

/* The last extension, and *rest the name in front of its dot. */
static str
extension(str name, str *rest)
{
	size_t i = name.len;

	while (i > 0 && name.ptr[i - 1] != '.' && name.ptr[i - 1] != '/')
		i--;
	*rest = (str){ 0 };
	if (i == 0 || name.ptr[i - 1] != '.')
		return (str){ 0 };
	*rest = str_first(name, i - 1);
	return str_skip(name, i);
}

bool
magic_name_hides(str name)
{
	static const str tricks[] = { /* U+202A…E, U+2066…9: the order is not the order */
		STR_INIT("\xe2\x80\xaa"), STR_INIT("\xe2\x80\xab"),
		STR_INIT("\xe2\x80\xad"), STR_INIT("\xe2\x80\xae"),
		STR_INIT("\xe2\x81\xa6"), STR_INIT("\xe2\x81\xa7"), STR_INIT("          ")
	};
	str rest, before, last = extension(name, &rest);

	for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++)
		if (str_find(name, tricks[i]) < name.len)
			return true;
	if (!is_one_of(str_trim(last), runs))
		return false;
	str second = extension(str_trim(rest), &before);
	return second.len >= 2 && second.len <= 5 && before.len > 0 &&
	       (second.ptr[0] < '0' || second.ptr[0] > '9') && !is_one_of(second, runs);
}
