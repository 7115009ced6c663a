/* SPDX-License-Identifier: ISC */
/* uuencode and yEnc, and finding what is embedded in a text. */
#include "mime/decode.h"

#include "mime/mime_int.h"

/* "begin 644 name"; the name, or ptr NULL. */
static str
uu_begin(str line)
{
	str s = str_skip(line, 6), none = { 0 };
	size_t digits = 0;

	if (!str_istarts(line, STR("begin ")))
		return none;
	while (s.len > 0 && s.ptr[0] == ' ')
		s = str_skip(s, 1);
	while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '7')
		digits++;
	if (digits < 3 || digits > 6 || digits == s.len || s.ptr[digits] != ' ')
		return none;
	s = str_trim(str_skip(s, digits));
	return s.len > 0 ? s : none;
}

static bool
uu_char(char c)
{
	return c >= ' ' && c <= '`';
}

static uint32_t
uu_value(str line, size_t at)
{
	/* what is not there were blanks that got lost */
	return at < line.len ? ((uint32_t)(uint8_t)line.ptr[at] - ' ') & 63 : 0;
}

static void
uu_line(str line, struct pour *p, uint64_t *odd)
{
	size_t n = uu_value(line, 0), groups = (n + 2) / 3;

	/* One more is the checksum of some encoders. */
	if (line.len > 2 + groups * 4 || line.len < 1 + (n * 4 + 2) / 3)
		*odd |= MIME_ODD(BAD_EMBEDDED);
	for (size_t g = 0; g < groups && pour_ok(p); g++, n -= n < 3 ? n : 3) {
		size_t at = 1 + g * 4;
		uint32_t v = uu_value(line, at) << 18 | uu_value(line, at + 1) << 12 |
			     uu_value(line, at + 2) << 6 | uu_value(line, at + 3);

		pour_c(p, (char)(v >> 16));
		if (n > 1)
			pour_c(p, (char)(v >> 8 & 0xff));
		if (n > 2)
			pour_c(p, (char)(v & 0xff));
	}
}

static str
past_begin(str in)
{
	for (str rest = in, line; rest.len > 0;) {
		line = take_line(&rest);
		if (uu_begin(line).ptr != NULL)
			return rest;
	}
	return in;
}

void
decode_uu(str in, struct pour *p, uint64_t *odd)
{
	in = past_begin(in);
	while (in.len > 0 && pour_ok(p)) {
		str line = take_line(&in);

		if (str_eq(str_trim(line), STR("end")))
			return;
		if (line.len == 0)
			continue;
		if (!uu_char(line.ptr[0])) {
			*odd |= MIME_ODD(BAD_EMBEDDED);
			continue;
		}
		for (size_t i = 1; i < line.len; i++)
			if (!uu_char(line.ptr[i]))
				*odd |= MIME_ODD(BAD_EMBEDDED);
		uu_line(line, p, odd);
	}
}

/* yEnc 1.3: 42 is added to each byte, '=' stands before those that are 64 more. */
void
decode_yenc(str in, struct pour *p, uint64_t *odd)
{
	while (in.len > 0 && pour_ok(p)) {
		str line = take_line(&in);

		if (str_starts(line, STR("=yend")))
			return;
		if (str_starts(line, STR("=y")))
			continue;
		for (size_t i = 0; i < line.len; i++) {
			uint8_t c = (uint8_t)line.ptr[i];

			if (c == '=' && i + 1 == line.len) {
				*odd |= MIME_ODD(BAD_EMBEDDED);
				break;
			}
			if (c == '\r')
				continue;
			if (c == '=')
				c = (uint8_t)((uint8_t)line.ptr[++i] - 64);
			pour_c(p, (char)(uint8_t)(c - 42));
		}
	}
}

static const str BINHEX = STR_INIT("(This file must be converted with BinHex");

/* Does this line begin one? */
static bool
begins(str line, struct mime_embedded *out)
{
	struct mime_embedded e = { .name = { 0 } };

	if (line.len < 6)
		return false;
	switch (line.ptr[0]) {
	case 'b':
	case 'B':
		e.how = MIME_UUENCODE;
		if (str_istarts(line, STR("begin-base64 "))) {
			e.how = MIME_BASE64;
			line = str_skip(line, 13);
			(void)str_cut(&line, ' ', &e.name);
			e.name = str_trim(line);
		} else
			e.name = uu_begin(line);
		if (e.name.ptr == NULL)
			return false;
		break;
	case '=':
		if (!str_starts(line, STR("=ybegin ")))
			return false;
		e.how = MIME_YENC;
		/* the last, because it may have blanks */
		e.name = str_trim(str_skip(line, str_find(line, STR(" name=")) + 6));
		break;
	case '(':
		if (!str_istarts(line, BINHEX))
			return false;
		e.how = MIME_BINHEX;
		break;
	default:
		return false;
	}
	*out = e;
	return true;
}

/* Is this line its end? */
static bool
ends(enum mime_encoding how, str line)
{
	line = str_trim(line);
	if (how == MIME_UUENCODE)
		return str_eq(line, STR("end"));
	if (how == MIME_YENC)
		return str_starts(line, STR("=yend"));
	if (how == MIME_BASE64)
		return str_eq(line, STR("===="));
	return line.len > 1 && line.ptr[line.len - 1] == ':';
}

static void
find_end(str rest, struct mime_embedded *e)
{
	const char *from = rest.ptr;

	e->body = rest;
	while (rest.len > 0) {
		const char *at = rest.ptr;
		str line = take_line(&rest);
		struct mime_embedded other;

		if (ends(e->how, line)) {
			e->whole = true;
			if (e->how == MIME_BINHEX) /* its ':' belongs to it */
				at = line.ptr + line.len;
			e->body.len = (size_t)(at - from);
			return;
		}
		if (begins(line, &other) && other.how == e->how) {
			e->body.len = (size_t)(at - from);
			return;
		}
	}
}

bool
mime_embedded_next(str text, size_t *at, struct mime_embedded *out)
{
	str rest = str_skip(text, *at);

	while (rest.len > 0) {
		str line = take_line(&rest);

		if (!begins(line, out))
			continue;
		*at = text.len - rest.len;
		find_end(rest, out);
		return true;
	}
	*at = text.len;
	return false;
}
