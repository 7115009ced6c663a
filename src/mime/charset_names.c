/* SPDX-License-Identifier: ISC */
/* The allow-list.  Labels of the WHATWG Encoding standard, of Python and of mail. */
#include "mime/mime_int.h"

#define ROW(n, k, i, a)                                                 \
	{                                                               \
		STR_INIT(n), CHARSET_##k, i, STR_INIT(" " a " "), false \
	}
#define EBCDIC(n, i, a)                                                   \
	{                                                                 \
		STR_INIT(n), CHARSET_SINGLE, i, STR_INIT(" " a " "), true \
	}

/* clang-format off */
const struct charset_row charset_rows[] = {
	ROW("utf-8", UTF8, NULL, "utf8 utf unicode11utf8 unicode20utf8 xunicode20utf8 u8 cp65001 utf8mb4 csutf8"),
	ROW("us-ascii", ASCII, NULL, "usascii ascii us ansix341968 ansix341986 646 iso646us iso646irv1991 isoir6 cp367 ibm367 csascii"),
	ROW("windows-1252", SINGLE, "CP1252", "windows1252 cp1252 1252 iso88591 latin1 iso885911987 isoir100 l1 cp819 ibm819 csisolatin1 8859 iso8859 88591 win1252 ansi mswin1252"),
	ROW("windows-1250", SINGLE, "CP1250", "windows1250 cp1250 1250 win1250"),
	ROW("windows-1251", SINGLE, "CP1251", "windows1251 cp1251 1251 win1251"),
	ROW("windows-1253", SINGLE, "CP1253", "windows1253 cp1253 1253 win1253"),
	ROW("windows-1254", SINGLE, "CP1254", "windows1254 cp1254 1254 win1254 iso88599 latin5 l5 iso885991989 isoir148 csisolatin5"),
	ROW("windows-1255", SINGLE, "CP1255", "windows1255 cp1255 1255 win1255"),
	ROW("windows-1256", SINGLE, "CP1256", "windows1256 cp1256 1256 win1256"),
	ROW("windows-1257", SINGLE, "CP1257", "windows1257 cp1257 1257 win1257"),
	ROW("windows-1258", SINGLE, "CP1258", "windows1258 cp1258 1258 win1258"),
	ROW("windows-874", SINGLE, "CP874", "windows874 cp874 874 dos874 tis620 tis6200 tis62025290 tis62025291 isoir166 iso885911 iso8859112001 thai"),
	ROW("iso-8859-2", SINGLE, "ISO-8859-2", "iso88592 latin2 l2 iso885921987 isoir101 csisolatin2"),
	ROW("iso-8859-3", SINGLE, "ISO-8859-3", "iso88593 latin3 l3 iso885931988 isoir109 csisolatin3"),
	ROW("iso-8859-4", SINGLE, "ISO-8859-4", "iso88594 latin4 l4 iso885941988 isoir110 csisolatin4"),
	ROW("iso-8859-5", SINGLE, "ISO-8859-5", "iso88595 cyrillic iso885951988 isoir144 csisolatincyrillic"),
	ROW("iso-8859-6", SINGLE, "ISO-8859-6", "iso88596 iso88596i iso88596e arabic asmo708 ecma114 iso885961987 isoir127 csisolatinarabic csiso88596i csiso88596e"),
	ROW("iso-8859-7", SINGLE, "ISO-8859-7", "iso88597 greek greek8 ecma118 elot928 iso885971987 isoir126 csisolatingreek suneugreek"),
	ROW("iso-8859-8", SINGLE, "ISO-8859-8", "iso88598 iso88598i iso88598e hebrew visual logical iso885981988 isoir138 csisolatinhebrew csiso88598i csiso88598e"),
	ROW("iso-8859-10", SINGLE, "ISO-8859-10", "iso885910 latin6 l6 iso8859101992 isoir157 csisolatin6"),
	ROW("iso-8859-13", SINGLE, "ISO-8859-13", "iso885913 latin7 l7"),
	ROW("iso-8859-14", SINGLE, "ISO-8859-14", "iso885914 latin8 l8 isoceltic isoir199 iso8859141998"),
	ROW("iso-8859-15", SINGLE, "ISO-8859-15", "iso885915 latin9 l9 csisolatin9 latin0"),
	ROW("iso-8859-16", SINGLE, "ISO-8859-16", "iso885916 latin10 l10 isoir226 iso8859162001"),
	ROW("koi8-r", SINGLE, "KOI8-R", "koi8r koi8 koi cskoi8r"),
	ROW("koi8-u", SINGLE, "KOI8-U", "koi8u koi8ru cskoi8u"),
	ROW("ibm866", SINGLE, "IBM866", "ibm866 cp866 866 csibm866"),
	ROW("macintosh", SINGLE, "MACINTOSH", "macintosh mac macroman xmacroman csmacintosh"),
	ROW("x-mac-cyrillic", SINGLE, "MAC-UK", "maccyrillic xmaccyrillic macukrainian xmacukrainian"),
	ROW("x-mac-ce", SINGLE, "MAC-CENTRALEUROPE", "xmacce macce maccentraleurope maclatin2 xmaccentraleurroman"),
	ROW("viscii", SINGLE, "VISCII", "viscii viscii111 csviscii"),
	ROW("tcvn", SINGLE, "TCVN", "tcvn tcvn5712 xviettcvn5712 vntcvn"),
	ROW("ibm437", SINGLE, "IBM437", "ibm437 cp437 437 cspc8codepage437"),
	ROW("ibm737", SINGLE, "CP737", "ibm737 cp737 737"),
	ROW("ibm775", SINGLE, "CP775", "ibm775 cp775 775 cspc775baltic"),
	ROW("ibm850", SINGLE, "IBM850", "ibm850 cp850 850 cspc850multilingual"),
	ROW("ibm852", SINGLE, "IBM852", "ibm852 cp852 852 cspcp852"),
	ROW("ibm855", SINGLE, "IBM855", "ibm855 cp855 855 csibm855"),
	ROW("ibm857", SINGLE, "IBM857", "ibm857 cp857 857 csibm857"),
	ROW("ibm858", SINGLE, "IBM858", "ibm858 cp858 858 ibm00858 csibm858"),
	ROW("ibm860", SINGLE, "IBM860", "ibm860 cp860 860 csibm860"),
	ROW("ibm861", SINGLE, "IBM861", "ibm861 cp861 861 cpis csibm861"),
	ROW("ibm862", SINGLE, "IBM862", "ibm862 cp862 862 dos862 cspc862latinhebrew"),
	ROW("ibm863", SINGLE, "IBM863", "ibm863 cp863 863 csibm863"),
	ROW("ibm864", SINGLE, "IBM864", "ibm864 cp864 864 csibm864"),
	ROW("ibm865", SINGLE, "IBM865", "ibm865 cp865 865 csibm865"),
	ROW("ibm869", SINGLE, "IBM869", "ibm869 cp869 869 cpgr csibm869"),
	ROW("cp1125", SINGLE, "CP1125", "cp1125 1125 ibm1125 ruscii cp866u"),
	ROW("kz-1048", SINGLE, "RK1048", "kz1048 rk1048 strk10482002"),
	ROW("ptcp154", SINGLE, "PT154", "ptcp154 pt154 cp154 csptcp154 cyrillicasian"),
	ROW("koi8-t", SINGLE, "KOI8-T", "koi8t"),
	ROW("armscii-8", SINGLE, "ARMSCII-8", "armscii8"),
	ROW("georgian-ps", SINGLE, "GEORGIAN-PS", "georgianps"),
	ROW("hp-roman8", SINGLE, "HP-ROMAN8", "hproman8 roman8 r8 cshproman8 cp1051"),
	EBCDIC("ibm037", "IBM037", "ibm037 cp037 037 csibm037 ibm039 ebcdiccpus ebcdiccpca ebcdiccpwt ebcdiccpnl"),
	EBCDIC("ibm273", "IBM273", "ibm273 cp273 273 csibm273"),
	EBCDIC("ibm500", "IBM500", "ibm500 cp500 500 csibm500 ebcdiccpbe ebcdiccpch"),
	EBCDIC("ibm1026", "IBM1026", "ibm1026 cp1026 1026 csibm1026"),
	EBCDIC("ibm1047", "IBM1047", "ibm1047 cp1047 1047"),
	EBCDIC("ibm1140", "IBM1140", "ibm1140 cp1140 1140 ibm01140 ebcdicus37euro"),
	ROW("gb18030", GB18030, "GB18030", "gb18030 gb180302000 gb180302005 gbk cp936 936 ms936 windows936 gb2312 csgb2312 gb231280 gb23121980 csiso58gb231280 isoir58 chinese euccn eucgb2312cn cngb xgbk xmacsimpchinese csgb18030 csgbk"),
	ROW("hz-gb-2312", HZ, NULL, "hzgb2312 hz hzgb"),
	ROW("big5-hkscs", DOUBLE, "BIG5-HKSCS", "big5hkscs hkscs big5 big5tw cnbig5 csbig5 xxbig5 cp950 950 ms950 windows950 big5eten xbig5 xmactradchinese"),
	ROW("shift_jis", DOUBLE, "CP932", "shiftjis sjis xsjis csshiftjis mskanji cp932 932 ms932 windows31j windows932 cswindows31j xmacjapanese shiftjis2004"),
	ROW("euc-jp", EUC_JP, "EUC-JP-MS", "eucjp xeucjp ujis cseucpkdfmtjapanese eucjpms cp51932"),
	ROW("iso-2022-jp", ISO_2022, NULL, "iso2022jp csiso2022jp iso2022jp1 iso2022jp2 csiso2022jp2 iso2022jp3 iso2022jp2004 iso2022jpext iso2022jpms cp50220 cp50221 cp50222 50220 50221 50222 jis jis7"),
	ROW("euc-kr", DOUBLE, "UHC", "euckr cseuckr ksc56011987 ksc56011989 ksc5601 csksc56011987 ksx1001 korean isoir149 cp949 949 ms949 uhc windows949 xwindows949 cp51949 xmackorean"),
	ROW("johab", DOUBLE, "JOHAB", "johab cp1361 ms1361"),
	ROW("iso-2022-kr", ISO_2022, NULL, "iso2022kr csiso2022kr cp50225"),
	ROW("utf-16", UTF16, NULL, "utf16 u16 csutf16 ucs2 iso10646ucs2 csunicode unicode unicodefffe"),
	ROW("utf-16be", UTF16BE, NULL, "utf16be csutf16be unicodebigunmarked ucs2be cp1201"),
	ROW("utf-16le", UTF16LE, NULL, "utf16le csutf16le unicodelittleunmarked ucs2le cp1200"),
	ROW("utf-32", UTF32, NULL, "utf32 u32 csutf32 ucs4 iso10646ucs4 csucs4"),
	ROW("utf-32be", UTF32BE, NULL, "utf32be csutf32be ucs4be cp12001"),
	ROW("utf-32le", UTF32LE, NULL, "utf32le csutf32le ucs4le cp12000"),
	ROW("utf-7", UTF7, NULL, "utf7 u7 unicode11utf7 unicode20utf7 xunicode20utf7 csutf7 csunicode11utf7 cp65000"),
};
/* clang-format on */

const size_t charset_nrows = sizeof(charset_rows) / sizeof(charset_rows[0]);

_Static_assert(sizeof(charset_rows) / sizeof(charset_rows[0]) <= CHARSET_ROWS_MOST,
	"more charsets than struct charsets has room for");

enum { NAME_MOST = 40 };

const struct charset_row *
charset_find(str name)
{
	char plain[NAME_MOST + 2] = " ";
	size_t n = 1;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			continue; /* "iso8859_1", "ISO 8859-1", "utf8" */
		if (n > NAME_MOST)
			return NULL;
		plain[n++] = c;
	}
	if (n == 1)
		return NULL;
	plain[n++] = ' ';
	for (size_t i = 0; i < charset_nrows; i++) {
		str a = charset_rows[i].aliases;

		if (memmem(a.ptr, a.len, plain, n) != NULL)
			return &charset_rows[i];
	}
	return NULL;
}
