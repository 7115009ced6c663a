/* SPDX-License-Identifier: ISC */
/* Values of parameters as people see them. */
#include "mime/param_int.h"
#include "mime/utf8.h"
#include "mime/word.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum rc
param_percent(str s, struct arena *mem, str *out)
{
	char *to;
	size_t n = 0;

	if (s.len == 0 || memchr(s.ptr, '%', s.len) == NULL) {
		*out = s;
		return RC_OK;
	}
	to = arena_alloc(mem, s.len);
	if (to == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < s.len; i++) {
		int high = s.ptr[i] == '%' && i + 2 < s.len ? hex(s.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex(s.ptr[i + 2]) : -1;

		to[n++] = low >= 0 ? (char)(high << 4 | low) : s.ptr[i];
		i += low >= 0 ? 2 : 0;
	}
	*out = (str){ to, n };
	return RC_OK;
}

static bool
plain(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || (unsigned char)s.ptr[i] >= 0x7f ||
			(s.ptr[i] == '=' && i + 1 < s.len && s.ptr[i + 1] == '?'))
			return false;
	return true;
}

/* In these an ASCII byte is what it is. */
static bool
ascii_based(str charset)
{
	return charset.len == 0 || str_ieq(charset, STR("utf-8")) ||
	       str_ieq(charset, STR("us-ascii")) ||
	       str_istarts(charset, STR("iso-8859-")) ||
	       str_istarts(charset, STR("windows-"));
}

/* Folding goes, other controls become '?'. */
static enum rc
one_line(str s, struct arena *mem, str *out)
{
	char *to = arena_alloc(mem, s.len + 1);
	size_t n = 0;

	if (to == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '\r' || c == '\n')
			continue;
		to[n++] = c == '\t' ? ' ' : c < ' ' || c == 0x7f ? '?' : s.ptr[i];
	}
	*out = (str){ to, n };
	return RC_OK;
}

/* RFC 2231: the charset is said. */
static enum rc
converted(str charset, str bytes, struct charsets *cs, struct arena *mem, str *out,
	uint64_t *odd)
{
	BUF_AUTO b = BUF(PARAM_VALUE);

	charset_to_utf8(cs, charset, bytes, &b, odd);
	return one_line(buf_str(&b), mem, out);
}

enum rc
param_text(str charset, str bytes, struct charsets *cs, struct arena *mem, str *out,
	uint64_t *odd)
{
	str line;

	if (plain(bytes) && (cs == NULL || ascii_based(charset))) {
		*out = bytes;
		return RC_OK;
	}
	if (charset.len > 0 && cs != NULL)
		return converted(charset, bytes, cs, mem, out, odd);
	if (one_line(bytes, mem, &line) != RC_OK)
		return RC_LIMIT;
	if (charset.len > 0 && utf8_valid(line)) {
		*out = line;
		return RC_OK;
	}
	if (str_find(line, STR("=?")) < line.len)
		*odd |= MIME_ODD(PARAM_WORD);
	return mime_words(line, cs, PARAM_VALUE, mem, out, odd);
}
