/* SPDX-License-Identifier: ISC */
#include "wire/pop3.h"

static str
without_blanks(str s)
{
	while (s.len > 0 && s.ptr[0] == ' ')
		s = str_skip(s, 1);
	return s;
}

/* PASS and APOP may have octets that are no ASCII (RFC 6856 2.2), nothing has controls. */
static bool
is_printable(str s)
{
	return str_printable(s) == s.len;
}

enum rc
pop3_parse(str line, struct pop3_cmd *out)
{
	struct pop3_cmd c = { .rest = line };
	str left;

	if (!is_printable(line) || !str_cut(&c.rest, ' ', &c.word) || c.word.len == 0 ||
		str_has_8bit(c.word))
		return RC_BAD;
	if (line.len > (str_ieq(c.word, STR("AUTH")) ? POP3_AUTH_MOST : POP3_LINE_MOST))
		return RC_BAD;
	left = without_blanks(c.rest);
	if (left.len > 0) {
		str_cut(&left, ' ', &c.args[c.nargs++]);
		left = without_blanks(left);
	}
	/* whatever is behind the second is in it: then it is no number, and one too many */
	if (left.len > 0)
		c.args[c.nargs++] = left;
	*out = c;
	return RC_OK;
}

bool
pop3_number(str s, uint32_t *out)
{
	uint64_t n;

	if (!str_u64(s, UINT32_MAX, &n) || n == 0)
		return false;
	*out = (uint32_t)n;
	return true;
}
