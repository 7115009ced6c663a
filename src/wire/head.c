/* SPDX-License-Identifier: ISC */
#include "wire/head.h"

#include "mime/header.h"
#include "wire/pack.h"

/*
 * 1 byte version, 2 bytes number of fields; then each: 2 bytes length and the field's
 * bytes, or, with NAME_ONLY in the length, its name.  A header whose names alone
 * do not fit is an empty record.
 */
enum { VERSION = 1, NAME_ONLY = 0x8000, LENGTH = 2 };

/* What the trace block may hold, which is not here; or what is long and never looked at. */
static bool
never_kept(str name)
{
	static const str names[] = { STR_INIT("Received"), STR_INIT("DKIM-Signature"),
		STR_INIT("Authentication-Results"), STR_INIT("Return-Path") };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_ieq(name, names[i]))
			return true;
	return str_istarts(name, STR("ARC-")) || str_istarts(name, STR("X-Gatepost-"));
}

static bool
can_be_kept(const struct head_field *f)
{
	return f->bytes.len > 0 && f->bytes.len <= HEAD_FIELD && !never_kept(f->name);
}

void
head_pack(struct buf *b, const struct head *h)
{
	size_t names = 0, room;

	for (size_t i = 0; i < h->n && names <= HEAD_MOST; i++)
		names += LENGTH + h->fields[i].name.len;
	if (h->n > HEAD_FIELDS || names + 1 + LENGTH > HEAD_MOST)
		return;
	room = HEAD_MOST - 1 - LENGTH - names;
	buf_le(b, VERSION, 1);
	buf_le(b, h->n, LENGTH);
	for (size_t i = 0; i < h->n; i++) {
		const struct head_field *f = &h->fields[i];
		bool keep = can_be_kept(f) && f->bytes.len - f->name.len <= room;
		str s = keep ? f->bytes : f->name;

		room -= keep ? f->bytes.len - f->name.len : 0;
		buf_le(b, s.len | (keep ? 0u : (unsigned)NAME_ONLY), LENGTH);
		buf_add(b, s);
	}
}

/* The name that stands at the beginning (RFC 5322 3.6.8). */
static str
name_at(str bytes)
{
	size_t n = 0;

	while (n < bytes.len && bytes.ptr[n] > ' ' && bytes.ptr[n] < 0x7f &&
		bytes.ptr[n] != ':')
		n++;
	return str_first(bytes, n);
}

/* Is that the one field that these bytes are, and nothing else?  As header_next() has it: a
 * name, blanks, a colon (4.5), and no line but the first begins without a blank. */
static bool
one_field(str bytes, str name)
{
	size_t n = name.len;

	while (n < bytes.len && (bytes.ptr[n] == ' ' || bytes.ptr[n] == '\t'))
		n++;
	if (name.len == 0 || n == bytes.len || bytes.ptr[n] != ':')
		return false;
	for (;;) {
		const char *lf = memchr(bytes.ptr + n, '\n', bytes.len - n);

		if (lf == NULL || lf + 1 == bytes.ptr + bytes.len)
			return true;
		if (lf[1] != ' ' && lf[1] != '\t')
			return false;
		n = (size_t)(lf - bytes.ptr) + 1;
	}
}

static bool
is_name(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || s.ptr[i] == ':')
			return false;
	return s.len > 0;
}

/* Of its bytes only the name has been looked at. */
static bool
next_unseen(struct pack *p, struct head_field *f)
{
	uint64_t length = pack_le(p, LENGTH);
	size_t n = length & (NAME_ONLY - 1);
	str s = str_first(p->left, n);

	if (!pack_ok(p) || s.len != n)
		return false;
	p->left = str_skip(p->left, n);
	*f = (struct head_field){ .name = s };
	if ((length & NAME_ONLY) != 0)
		return is_name(s);
	f->bytes = s;
	f->name = name_at(s);
	return f->name.len > 0;
}

static bool
is_kept(const struct head_field *f)
{
	return one_field(f->bytes, f->name) && can_be_kept(f);
}

static bool
next_field(struct pack *p, struct head_field *f)
{
	return next_unseen(p, f) && (f->bytes.len == 0 || is_kept(f));
}

static bool
begin(struct pack *p, str record, size_t *n)
{
	*p = (struct pack){ .left = record };
	if (record.len > HEAD_MOST || pack_le(p, 1) != VERSION)
		return false;
	*n = (size_t)pack_le(p, LENGTH);
	return pack_ok(p) && *n <= HEAD_FIELDS;
}

enum rc
head_unpack(str record, struct arena *mem, struct head *out)
{
	struct pack p;
	struct head got;

	if (!begin(&p, record, &got.n))
		return RC_BAD;
	got.fields = arena_array(mem, got.n, sizeof(*got.fields));
	if (got.fields == NULL || arena_copy(mem, p.left, &p.left) != RC_OK)
		return RC_LIMIT;
	for (size_t i = 0; i < got.n; i++)
		if (!next_field(&p, &got.fields[i]))
			return RC_BAD;
	if (!pack_done(&p))
		return RC_BAD;
	*out = got;
	return RC_OK;
}

static bool
among(str name, const str *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name.len == names[i].len && str_ieq(name, names[i]))
			return true;
	return false;
}

/* RFC 5322 2.2: the last line of a cut header may lack its end. */
static void
put_field(struct buf *b, str bytes)
{
	buf_add(b, bytes);
	if (bytes.ptr[bytes.len - 1] != '\n')
		buf_add(b, STR("\r\n"));
}

/* False: it cannot be said from here. */
static bool
put_all(struct buf *b, str record, const str *names, size_t n, bool not )
{
	struct head_field f;
	struct pack p;
	size_t fields;

	if (!begin(&p, record, &fields))
		return false;
	for (size_t i = 0; i < fields; i++) {
		if (!next_unseen(&p, &f))
			return false;
		if (among(f.name, names, n) == not )
			continue;
		if (f.bytes.len == 0 || !is_kept(&f))
			return false;
		put_field(b, f.bytes);
	}
	buf_add(b, STR("\r\n"));
	return pack_done(&p);
}

bool
head_put(struct buf *b, str record, const str *names, size_t n, bool not )
{
	size_t before = b->len;

	for (size_t i = 0; !not &&i < n; i++)
		if (never_kept(names[i]))
			return false;
	if (put_all(b, record, names, n, not ))
		return true;
	b->len = before;
	return false;
}

void
head_put_block(struct buf *b, str block, const str *names, size_t n, bool not )
{
	struct header_reader r;
	struct header_field f;

	header_begin(&r, block);
	for (;;) {
		enum header_got got = header_next(&r, &f);

		if (got == HEADER_END || got == HEADER_TOO_MANY)
			break;
		if (got == HEADER_FIELD && among(f.name, names, n) != not )
			put_field(
				b, str_first(str_skip(block, f.offset), r.at - f.offset));
	}
	buf_add(b, STR("\r\n"));
}
