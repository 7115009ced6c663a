/* SPDX-License-Identifier: ISC */
#include "scan/zip.h"

enum { LOCAL = 30, CENTRAL = 46, END = 22, COMMENT = 65535 };

static uint32_t
le(str s, size_t at, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)(unsigned char)s.ptr[at + i] << (8 * i);
	return v;
}

static bool
signature(str s, size_t at, const char *what, size_t room)
{
	return at <= s.len && s.len - at >= room && memcmp(s.ptr + at, what, 4) == 0;
}

/* The end record: the one whose comment reaches to the end of the bytes, else the last. */
static bool
find_end(str bytes, size_t *at)
{
	size_t least = bytes.len > END + COMMENT ? bytes.len - END - COMMENT : 0;
	bool found = false;

	if (bytes.len < END)
		return false;
	for (size_t end = bytes.len - END + 1; end > least;) {
		const char *p = memrchr(bytes.ptr + least, 'P', end - least);

		if (p == NULL)
			break;
		end = (size_t)(p - bytes.ptr);
		if (!signature(bytes, end, "PK\5\6", END))
			continue;
		bool fits = end + END + le(bytes, end + 20, 2) == bytes.len;
		if (fits || !found)
			*at = end;
		found = true;
		if (fits)
			break;
	}
	return found;
}

bool
zip_begin(struct zip_reader *r, str bytes)
{
	size_t end;

	*r = (struct zip_reader){ .bytes = bytes };
	if (!find_end(bytes, &end))
		return false;
	size_t size = le(bytes, end + 12, 4), offset = le(bytes, end + 16, 4);
	size_t comment = le(bytes, end + 20, 2), left = bytes.len - end - END;
	r->entries = le(bytes, end + 10, 2);
	r->behind = left > comment ? left - comment : 0;
	r->overlong = r->entries == 0xffff || size == UINT32_MAX || offset == UINT32_MAX;
	r->end = end;
	if (size <= end && offset <= end - size &&
		(size == 0 || signature(bytes, end - size, "PK\1\2", CENTRAL))) {
		r->at = end - size;
		r->base = end - size - offset;
		return true;
	}
	r->at = offset;
	return offset <= end && signature(bytes, offset, "PK\1\2", CENTRAL);
}

bool
zip_next(struct zip_reader *r, struct zip_entry *e)
{
	str b = str_first(r->bytes, r->end);
	size_t at = r->at;

	if (!signature(b, at, "PK\1\2", CENTRAL))
		return false;
	size_t name = le(b, at + 28, 2), extra = le(b, at + 30, 2),
	       comment = le(b, at + 32, 2);
	if (b.len - at - CENTRAL < name + extra + comment)
		return false;
	*e = (struct zip_entry){ .name = { b.ptr + at + CENTRAL, name },
		.flags = (uint16_t)le(b, at + 8, 2),
		.method = (uint16_t)le(b, at + 10, 2),
		.crc = le(b, at + 16, 4),
		.packed = le(b, at + 20, 4),
		.size = le(b, at + 24, 4),
		.header = at,
		.local = r->base + le(b, at + 42, 4) };
	r->at = at + CENTRAL + name + extra + comment;
	return true;
}

/* The local header says the same; *end is behind the entry's data. */
static bool
agrees(str b, const struct zip_entry *e, size_t *end)
{
	size_t at = e->local;

	if (!signature(b, at, "PK\3\4", LOCAL))
		return false;
	size_t name = le(b, at + 26, 2), extra = le(b, at + 28, 2);
	size_t data = at + LOCAL + name + extra;
	bool streamed = (e->flags & ZIP_STREAMED) != 0;
	uint32_t crc = le(b, at + 14, 4), packed = le(b, at + 18, 4),
		 size = le(b, at + 22, 4);
	if (name != e->name.len || data > b.len || b.len - data < e->packed ||
		memcmp(b.ptr + at + LOCAL, e->name.ptr, name) != 0 ||
		le(b, at + 6, 2) != e->flags || le(b, at + 8, 2) != e->method)
		return false;
	*end = data + e->packed;
	return (crc == e->crc || (streamed && crc == 0)) &&
	       (packed == e->packed || (streamed && packed == 0)) &&
	       (size == e->size || (streamed && size == 0));
}

/* A streamed entry's sizes stand behind its data (4.3.9), with or without a mark. */
static bool
descriptor(str b, size_t from, size_t to)
{
	size_t n = to - from;

	return n == 12 || (n == 16 && signature(b, from, "PK\7\10", 16)) || n == 20 ||
	       (n == 24 && signature(b, from, "PK\7\10", 24));
}

static bool
known_method(const struct zip_entry *e)
{
	return e->method == 0 || e->method == 8 || e->method == 9 || e->method == 12;
}

bool
zip_is_plain(str bytes)
{
	struct zip_reader r;
	struct zip_entry e;
	size_t covered = 0, from = 0;
	bool streamed = false;
	unsigned n = 0;

	if (!zip_begin(&r, bytes) || r.overlong || r.base != 0 || r.behind != 0)
		return false;
	size_t directory = r.at;
	for (; zip_next(&r, &e); n++) {
		if (e.local < covered ||
			(e.local > covered &&
				!(streamed && descriptor(bytes, covered, e.local))))
			return false;
		from = covered;
		if (!known_method(&e) || !agrees(bytes, &e, &covered) || covered <= from)
			return false;
		/* a stored file has nothing that would tell its end */
		streamed = (e.flags & ZIP_STREAMED) != 0;
		if (streamed && e.method == 0)
			return false;
	}
	return n == r.entries && r.at == r.end &&
	       (covered == directory ||
		       (streamed && descriptor(bytes, covered, directory)));
}

static void
put_le(char *to, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (char)(v >> (8 * i));
}

/* flags, method, time, date, checksum, both sizes stand in the same order in both */
static void
put_both(char *copy, const struct zip_entry *e, const struct zip_entry *is)
{
	char *heads[] = { copy + e->header + 8, copy + e->local + 6 };

	for (unsigned i = 0; i < 2; i++) {
		put_le(heads[i], is->flags & ~(uint32_t)(ZIP_ENCRYPTED | ZIP_STREAMED),
			2);
		put_le(heads[i] + 2, is->method, 2);
		put_le(heads[i] + 8, is->crc, 4);
		put_le(heads[i] + 12, is->packed, 4);
		put_le(heads[i] + 16, is->size, 4);
	}
}

void
zip_agree(str bytes, enum zip_truth truth, char *copy)
{
	struct zip_reader r;
	struct zip_entry e;

	if (!zip_begin(&r, bytes))
		return;
	while (zip_next(&r, &e)) {
		struct zip_entry is = e;
		size_t at = e.local;

		if (!signature(bytes, at, "PK\3\4", LOCAL))
			continue;
		if (truth == ZIP_LOCAL) {
			is.flags = (uint16_t)le(bytes, at + 6, 2);
			is.method = (uint16_t)le(bytes, at + 8, 2);
			is.crc = le(bytes, at + 14, 4);
			is.packed = le(bytes, at + 18, 4);
			is.size = le(bytes, at + 22, 4);
		}
		put_both(copy, &e, &is);
	}
}

bool
zip_is_encrypted(str bytes)
{
	struct zip_reader r;
	struct zip_entry e;

	if (!zip_begin(&r, bytes))
		return false;
	while (zip_next(&r, &e))
		if ((e.flags & ZIP_ENCRYPTED) != 0)
			return true;
	return false;
}
