/* SPDX-License-Identifier: ISC */
#include "scan/cms.h"

/* X.690 8.1: tags as one byte, with the bit for "constructed". */
enum {
	INTEGER = 0x02,
	OCTETS = 0x04,
	OID = 0x06,
	SEQUENCE = 0x30,
	SET = 0x31,
	OCTETS_IN_PIECES = 0x24,
	EXPLICIT_0 = 0xa0,
	CONSTRUCTED = 0x20,
};

static const str signed_data = STR_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");

struct element {
	unsigned tag;
	str content;
};

/* The length (8.1.3); false: not to be read.  *open: it has none. */
static bool
take_length(str *s, size_t *n, bool *open)
{
	size_t count;

	*open = false;
	*n = 0;
	if (s->len == 0)
		return false;
	unsigned char c = (unsigned char)s->ptr[0];
	*s = str_skip(*s, 1);
	if (c < 0x80) {
		*n = c;
		return true;
	}
	*open = c == 0x80;
	count = c & 0x7f;
	if (count > 4 || count > s->len)
		return false;
	for (size_t i = 0; i < count; i++)
		*n = *n << 8 | (unsigned char)s->ptr[i];
	*s = str_skip(*s, count);
	return true;
}

/* The next element of *s; what is cut off counts as far as it is there. */
static bool
take(str *s, struct element *e, unsigned depth)
{
	size_t n;
	bool open;

	if (s->len < 2 || depth == CMS_DEPTH)
		return false;
	e->tag = (unsigned char)s->ptr[0];
	*s = str_skip(*s, 1);
	if ((e->tag & 0x1f) == 0x1f || !take_length(s, &n, &open))
		return false;
	if (!open) {
		e->content = str_first(*s, n);
		*s = str_skip(*s, n);
		return true;
	}
	str rest = *s;
	struct element in;
	if ((e->tag & CONSTRUCTED) == 0)
		return false;
	while (!str_starts(rest, STR("\0\0")) && take(&rest, &in, depth + 1))
		;
	e->content = str_first(*s, s->len - rest.len);
	*s = str_skip(rest, 2);
	return true;
}

static bool
take_tag(str *s, unsigned tag, str *content)
{
	struct element e;

	if (!take(s, &e, 0) || e.tag != tag)
		return false;
	*content = e.content;
	return true;
}

static bool
add_octets(str s, struct lump *to, unsigned depth)
{
	struct element e;

	while (s.len > 0 && take(&s, &e, depth)) {
		if (e.tag == OCTETS && !lump_add(to, e.content))
			return false;
		if (e.tag == OCTETS_IN_PIECES && !add_octets(e.content, to, depth + 1))
			return false;
	}
	return true;
}

bool
cms_is_signed(str bytes)
{
	return bytes.len > 16 && (unsigned char)bytes.ptr[0] == SEQUENCE &&
	       str_find(str_first(bytes, 24), signed_data) <= 8;
}

bool
cms_content(str bytes, struct lump *to)
{
	str in, type, skipped;

	/* ContentInfo, SignedData, EncapsulatedContentInfo (RFC 5652 3, 5.1, 5.2) */
	if (!take_tag(&bytes, SEQUENCE, &in) || !take_tag(&in, OID, &type) ||
		!str_eq(type, signed_data) || !take_tag(&in, EXPLICIT_0, &in) ||
		!take_tag(&in, SEQUENCE, &in) || !take_tag(&in, INTEGER, &skipped) ||
		!take_tag(&in, SET, &skipped) || !take_tag(&in, SEQUENCE, &in) ||
		!take_tag(&in, OID, &type) || !take_tag(&in, EXPLICIT_0, &in))
		return false;
	return add_octets(in, to, 0) && to->len > 0;
}
