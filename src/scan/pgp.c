/* SPDX-License-Identifier: ISC */
#include "scan/pgp.h"

#define BEGIN "-----BEGIN PGP MESSAGE"
#define END   "-----END PGP"

static bool
line_cut(str *rest, str *line)
{
	if (!str_cut(rest, '\n', line))
		return false;
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

bool
pgp_armored(str text, size_t *at, str *base64)
{
	str rest = str_skip(text, *at), line;
	size_t begin = str_find(rest, STR(BEGIN));

	if (begin == rest.len)
		return false;
	rest = str_skip(rest, begin);
	(void)line_cut(&rest, &line);
	/* header lines, up to an empty one; some leave that out */
	for (str next = rest; line_cut(&next, &line); rest = next)
		if (str_find(line, STR(": ")) == line.len && str_trim(line).len > 0)
			break;
	*base64 = str_first(rest, str_find(rest, STR(END)));
	*at = base64->len == 0 ? text.len
			       : (size_t)(base64->ptr + base64->len - text.ptr);
	return base64->len > 0;
}

static uint64_t
big(str s, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && i < s.len; i++)
		v = v << 8 | (unsigned char)s.ptr[i];
	return v;
}

/* 4.2.2: the length of an old packet; indeterminate is the rest. */
static uint64_t
old_length(str *rest, unsigned kind)
{
	size_t n = kind == 3 ? 0 : (size_t)1 << kind;
	uint64_t length = kind == 3 ? UINT64_MAX : big(*rest, n);

	*rest = str_skip(*rest, n);
	return length;
}

/* 4.2.1; *more: a piece, and another length follows it. */
static uint64_t
new_length(str *rest, bool *more)
{
	unsigned o = (unsigned)big(*rest, 1);
	uint64_t length;

	*more = o >= 224 && o < 255;
	if (o < 192 || *more) {
		length = *more ? UINT64_C(1) << (o & 31) : o;
		*rest = str_skip(*rest, 1);
	} else if (o < 224) {
		length = ((o - 192u) << 8) + big(str_skip(*rest, 1), 1) + 192;
		*rest = str_skip(*rest, 2);
	} else {
		length = big(str_skip(*rest, 1), 4);
		*rest = str_skip(*rest, 5);
	}
	return length;
}

static str
take(str *rest, uint64_t length)
{
	str s = str_first(*rest, length < rest->len ? (size_t)length : rest->len);

	*rest = str_skip(*rest, s.len);
	return s;
}

bool
pgp_next(str *rest, struct pgp_packet *out, struct lump *joined)
{
	unsigned first = (unsigned)big(*rest, 1);
	bool more;

	if (rest->len < 2 || (first & 0x80) == 0)
		return false;
	*rest = str_skip(*rest, 1);
	if ((first & 0x40) == 0) {
		out->tag = first >> 2 & 15;
		out->body = take(rest, old_length(rest, first & 3));
		return true;
	}
	out->tag = first & 63;
	uint64_t length = new_length(rest, &more);
	out->body = take(rest, length);
	joined->len = 0;
	for (bool piece = more; piece; piece = more && rest->len > 0) {
		if (joined->len == 0 && !lump_add(joined, out->body))
			return false;
		length = new_length(rest, &more);
		if (!lump_add(joined, take(rest, length)))
			return false;
		out->body = (str){ joined->data, joined->len };
	}
	return true;
}

bool
pgp_is_open(str bytes)
{
	unsigned first = (unsigned)big(bytes, 1);
	unsigned tag = (first & 0x40) != 0 ? first & 63 : first >> 2 & 15;
	size_t behind = 1;

	if ((first & 0x80) == 0 || bytes.len < 8)
		return false;
	if ((first & 0x40) == 0)
		behind += (first & 3) == 3 ? 0 : (size_t)1 << (first & 3);
	else
		behind += (unsigned char)bytes.ptr[1] == 255 ? 5
			  : (unsigned char)bytes.ptr[1] >= 192 &&
					  (unsigned char)bytes.ptr[1] < 224
				  ? 2
				  : 1;
	unsigned then = (unsigned)big(str_skip(bytes, behind), 1);
	switch (tag) {
	case PGP_COMPRESSED:
		return then <= PGP_BZIP2;
	case PGP_LITERAL:
		return then == 'b' || then == 't' || then == 'u' || then == 'm';
	case 4: /* one-pass signature, of version 3 or 6 */
		return then == 3 || then == 6;
	default:
		return false;
	}
}

bool
pgp_literal(str body, str *name, str *file)
{
	size_t n = (size_t)big(str_skip(body, 1), 1);

	if (body.len < 6 + n)
		return false;
	*name = str_first(str_skip(body, 2), n);
	*file = str_skip(body, 6 + n);
	return true;
}
