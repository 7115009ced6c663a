/* SPDX-License-Identifier: ISC */
#include "scan/tnef.h"

enum {
	SIGNATURE_AND_KEY = 6,
	HEAD = 9, /* level, id, length */
	CHECKSUM = 2,
	ATT_BODY = 0x0002800c,
	ATT_MESSAGE_PROPS = 0x00069003,
	ATT_ATTACH_TITLE = 0x00018010,
	ATT_ATTACH_DATA = 0x0006800f,
	ATT_ATTACH_METAFILE = 0x00068011,
	ATT_ATTACH_RENDERING = 0x00069002,
	ATT_ATTACH_PROPS = 0x00069005,
};

static uint32_t
le32(str s, size_t at)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v |= (uint32_t)(unsigned char)s.ptr[at + i] << (8 * i);
	return v;
}

void
tnef_begin(struct tnef_reader *r, str bytes)
{
	*r = (struct tnef_reader){ .left = str_skip(bytes, SIGNATURE_AND_KEY) };
}

bool
tnef_next(struct tnef_reader *r, str *name, str *bytes)
{
	while (r->left.len >= HEAD) {
		uint32_t id = le32(r->left, 1), length = le32(r->left, 5);
		str rest = str_skip(r->left, HEAD), value = str_first(rest, length);

		r->damaged |= value.len < length;
		r->left = str_skip(rest, (size_t)length + CHECKSUM);
		*name = (str){ 0 };
		*bytes = value;
		switch (id) {
		case ATT_ATTACH_RENDERING:
			r->title = (str){ 0 };
			break;
		case ATT_ATTACH_TITLE:
			r->title = str_first(value, str_find(value, STR("\0")));
			break;
		case ATT_ATTACH_DATA:
		case ATT_ATTACH_METAFILE:
			*name = r->title;
			return true;
		case ATT_BODY:
		case ATT_MESSAGE_PROPS:
		case ATT_ATTACH_PROPS:
			return true;
		default:
			break;
		}
	}
	return false;
}
