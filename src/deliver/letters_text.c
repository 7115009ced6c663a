/* SPDX-License-Identifier: ISC */
/* Strangers' words in letters, without links. */
#include "deliver/letters.h"

#include "mime/utf8.h"

static bool
is_word(char c)
{
	unsigned char u = (unsigned char)c;

	return (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') ||
	       (u >= 'A' && u <= 'Z') || u >= 0x80;
}

/* Marks that turn the order of what follows round (Unicode UAX 9: embeddings, overrides and
 * isolates), those that are not seen, and line ends that are none to us.  Their length, 0: something else. */
static size_t
turns_text(str s)
{
	static const str marks[] = { STR_INIT("\u202a"), STR_INIT("\u202b"),
		STR_INIT("\u202c"), STR_INIT("\u202d"), STR_INIT("\u202e"),
		STR_INIT("\u2066"), STR_INIT("\u2067"), STR_INIT("\u2068"),
		STR_INIT("\u2069"), STR_INIT("\u2028"), STR_INIT("\u2029"),
		STR_INIT("\u200b"), STR_INIT("\u200e"), STR_INIT("\u200f"),
		STR_INIT("\u061c"), STR_INIT("\ufeff") };

	if ((unsigned char)s.ptr[0] < 0x80)
		return 0;
	/* the controls from U+0080 on */
	if (s.len > 1 && s.ptr[0] == '\xc2' && (unsigned char)s.ptr[1] < 0xa0)
		return 2;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (str_starts(s, marks[i]))
			return marks[i].len;
	return 0;
}

/* Bytes of the character at the front; 0: it is none. */
static size_t
whole(str s)
{
	static const uint8_t lengths[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3,
		4 };
	size_t n = lengths[(unsigned char)s.ptr[0] >> 4];

	return n <= s.len && utf8_valid(str_first(s, n)) ? n : 0;
}

/* RFC 3490 3.1: what stands for a dot in a domain. */
static bool
is_wide_dot(str c)
{
	return str_eq(c, STR("\u3002")) || str_eq(c, STR("\uff0e")) ||
	       str_eq(c, STR("\uff61"));
}

/* A dot between two words, also one of another script, a colon before "//", the tt of http: what programs make links of. */
static size_t
defang_one(str line, size_t at, struct buf *out)
{
	str s = str_skip(line, at);
	size_t n = turns_text(s);

	if (n > 0)
		return n;
	if (str_istarts(s, STR("http"))) {
		buf_addz(out, "hxxp");
		return 4;
	}
	if (str_starts(s, STR("://")) || str_starts(s, STR(":\\\\"))) {
		buf_addz(out, "[:]//");
		return 3;
	}
	if ((unsigned char)s.ptr[0] >= 0x80) {
		n = whole(s);
		if (n == 0)
			buf_addz(out, "\ufffd");
		else if (is_wide_dot(str_first(s, n)))
			buf_addz(out, "[.]");
		else
			buf_add(out, str_first(s, n));
		return n == 0 ? 1 : n;
	}
	if (s.ptr[0] == '.' && at > 0 && s.len > 1 && is_word(line.ptr[at - 1]) &&
		is_word(s.ptr[1]))
		buf_addz(out, "[.]");
	else
		buf_addc(out, (unsigned char)s.ptr[0] < ' ' || s.ptr[0] == 0x7f
				      ? ' '
				      : s.ptr[0]);
	return 1;
}

void
letters_defang(str line, struct buf *out)
{
	for (size_t at = 0; at < line.len;)
		at += defang_one(line, at, out);
}
