/* SPDX-License-Identifier: ISC */
#include "wire/clamd.h"

static bool
take_end(str *s, str end)
{
	if (s->len < end.len || !str_eq(str_skip(*s, s->len - end.len), end))
		return false;
	s->len -= end.len;
	return true;
}

/* What it scanned: "stream" or "fd[17]". */
static bool
subject(str s)
{
	uint64_t n;

	if (str_eq(s, STR("stream")))
		return true;
	return str_starts(s, STR("fd[")) && take_end(&s, STR("]")) &&
	       str_u64(str_skip(s, 3), INT32_MAX, &n);
}

/* The names of limits in clamd's errors: "INSTREAM size limit exceeded.",
 * "Size limit reached", "Heuristics.Limits.Exceeded.MaxFileSize". */
static bool
limit(str text)
{
	return str_ifind(text, STR("limit exceeded")) < text.len ||
	       str_ifind(text, STR("size limit")) < text.len ||
	       str_istarts(text, STR("Heuristics.Limits.Exceeded"));
}

static bool
printable(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return s.len > 0;
}

enum rc
clamd_answer_read(str line, struct clamd_answer *out)
{
	struct clamd_answer got = { .says = CLAMD_CLEAN };
	str text = line;
	size_t colon = str_find(line, STR(": "));

	if (!printable(line))
		return RC_BAD;
	if (str_eq(line, STR("PONG"))) {
		got.says = CLAMD_PONG;
	} else if (str_eq(line, STR("UNKNOWN COMMAND"))) {
		got = (struct clamd_answer){ CLAMD_FAILED, line };
	} else if (take_end(&text, STR(" ERROR"))) {
		got = (struct clamd_answer){ limit(text) ? CLAMD_TOO_BIG : CLAMD_FAILED,
			text };
	} else {
		if (colon == line.len || !subject(str_first(line, colon)))
			return RC_BAD;
		text = str_skip(line, colon + 2);
		if (take_end(&text, STR(" FOUND")))
			got.says = limit(text) ? CLAMD_TOO_BIG : CLAMD_FOUND;
		else if (!str_eq(text, STR("OK")))
			return RC_BAD;
		got.text = text;
		if (text.len == 0)
			return RC_BAD;
	}
	*out = got;
	return RC_OK;
}

void
clamd_setting(str line, str *name, str *value)
{
	size_t n = 0;

	line = str_trim(line);
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line = str_trim(str_first(line, line.len - 1));
	*name = *value = (str){ 0 };
	if (line.len == 0 || line.ptr[0] == '#')
		return;
	while (n < line.len && line.ptr[n] != ' ' && line.ptr[n] != '\t')
		n++;
	*name = str_first(line, n);
	*value = str_trim(str_skip(line, n));
	if (value->len >= 2 && value->ptr[0] == '"' && value->ptr[value->len - 1] == '"')
		*value = str_first(str_skip(*value, 1), value->len - 2);
}

enum rc
clamd_size(str value, uint64_t *bytes)
{
	static const str suffixes[] = { STR_INIT("k"), STR_INIT("m"), STR_INIT("g") };
	unsigned shift = 0;
	uint64_t n;

	if (value.len == 0)
		return RC_BAD;
	for (unsigned i = 0; i < 3; i++)
		if (str_ieq(str_skip(value, value.len - 1), suffixes[i])) {
			shift = 10 * (i + 1);
			value.len--;
			break;
		}
	if (!str_u64(value, UINT64_MAX >> 31, &n))
		return RC_BAD;
	*bytes = n << shift;
	return RC_OK;
}
