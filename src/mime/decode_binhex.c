/* SPDX-License-Identifier: ISC */
/* BinHex 4.0 (RFC 1741 2): six bits a letter, runs, and in them a header and forks. */
#include "mime/mime_int.h"

static const char alphabet[] = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ["
			       "`abcdefhijklmpqr";

enum {
	RUN = 0x90,
	/* behind the name: version, type, creator, flags, two lengths, checksum */
	HEADER = 1 + 4 + 4 + 2 + 4 + 4 + 2,
	HEADER_LENGTH = 1 + 4 + 4 + 2, /* of the data fork, in it */
};

struct binhex {
	struct pour *out;
	size_t at; /* bytes of the header that were read, from the name's length on */
	size_t name_len;
	uint32_t data_len, data; /* of the fork; how much of it came */
	uint8_t last;
	bool run; /* a RUN came; its count follows */
	bool ended;
};

/* n times an unpacked byte. */
static void
unpacked(struct binhex *b, uint8_t c, unsigned n)
{
	b->last = c;
	for (; n > 0 && !b->ended && pour_ok(b->out); n--) {
		size_t at = b->at++;

		if (at == 0)
			b->name_len = c;
		else if (at <= b->name_len + HEADER) {
			size_t field = at - 1 - b->name_len;

			if (at > b->name_len && field >= HEADER_LENGTH &&
				field < HEADER_LENGTH + 4)
				b->data_len = b->data_len << 8 | c;
		} else if (b->data < b->data_len) {
			b->data++;
			pour_c(b->out, (char)c);
		} else
			b->ended = true;
	}
}

static void
packed(struct binhex *b, uint8_t c)
{
	if (b->run) {
		b->run = false;
		if (c == 0)
			unpacked(b, RUN, 1);
		else
			unpacked(b, b->last, c - 1u);
	} else if (c == RUN)
		b->run = true;
	else
		unpacked(b, c, 1);
}

/* Behind the ':' that begins a line; all of it, if there is none. */
static str
begin(str in)
{
	for (str rest = in; rest.len > 0;) {
		str line = take_line(&rest);

		if (line.len > 1 && line.ptr[0] == ':')
			return str_skip(in, (size_t)(line.ptr + 1 - in.ptr));
	}
	return in;
}

void
decode_binhex(str in, struct pour *p, uint64_t *odd)
{
	struct binhex b = { .out = p };
	uint32_t bits = 0;
	unsigned have = 0;

	for (in = begin(in); in.len > 0 && in.ptr[0] != ':' && !b.ended && pour_ok(p);
		in = str_skip(in, 1)) {
		const char *at = memchr(alphabet, in.ptr[0], 64);

		if (at == NULL) {
			if (memchr(" \t\r\n", in.ptr[0], 4) == NULL)
				*odd |= MIME_ODD(BAD_EMBEDDED);
			continue;
		}
		bits = (bits << 6 | (uint32_t)(at - alphabet)) & 0xffffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		packed(&b, (uint8_t)(bits >> have & 0xff));
	}
	if (b.at <= b.name_len + HEADER || b.data < b.data_len)
		*odd |= MIME_ODD(BAD_EMBEDDED);
}
