/* SPDX-License-Identifier: ISC */
#include "wire/sortkey.h"

#include <assert.h>
#include <endian.h>
#include <utf8proc.h>

#include "base/hash.h"
#include "mime/utf8.h"
#include "wire/pack.h"
#include "wire/plain.h"

/* 1 byte version, 1 byte 1: a reply, 8 bytes message id, six strings with 1 byte of length,
 * 1 byte number of references and 8 bytes each. */
enum { VERSION = 1, FIXED = 10, STRINGS = 6, DECOMPOSED = 32 };

uint64_t
sortkey_hash(str id)
{
	/* The same for ever: these are on disk. */
	static const uint64_t key[2] = { 0x67617465706f7374, 0x6d6573736167652d };
	uint64_t h = hash_sip24(key, id.ptr, id.len);

	return h != 0 ? h : 1;
}

/* Most text is ASCII: as much of it as fits at once. */
static size_t
fold_ascii(str s, struct buf *out)
{
	char folded[512];
	size_t n = 0;

	for (; n < s.len && n < sizeof(folded) && (unsigned char)s.ptr[n] < 0x80; n++) {
		unsigned char c = (unsigned char)s.ptr[n];

		folded[n] = (char)(c - ((unsigned)c - 'a' < 26u ? 'a' - 'A' : 0));
	}
	buf_add(out, (str){ folded, n });
	return n;
}

/* RFC 5051 2: the titlecase character, then what it decomposes to, compatibility
 * mappings too. */
static void
fold_wide(utf8proc_int32_t c, struct buf *out)
{
	utf8proc_int32_t to[DECOMPOSED];
	/* UnicodeData.txt has no titlecase for it, utf8proc the capital of 2008. */
	utf8proc_int32_t title = c == 0xdf ? c : utf8proc_totitle(c);
	utf8proc_ssize_t n = utf8proc_decompose_char(
		title, to, DECOMPOSED, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, NULL);

	for (utf8proc_ssize_t i = 0; i < n && i < DECOMPOSED; i++) {
		char bytes[4];

		buf_add(out, (str){ bytes, utf8_put((uint32_t)to[i], bytes) });
	}
}

void
sortkey_fold(str utf8, struct buf *out)
{
	while (utf8.len > 0) {
		utf8proc_int32_t c;

		size_t run = fold_ascii(utf8, out);
		utf8 = str_skip(utf8, run);
		if (run > 0)
			continue;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)utf8.ptr,
			(utf8proc_ssize_t)(utf8.len < 4 ? utf8.len : 4), &c);
		fold_wide(n > 0 ? c : UTF8_REPLACEMENT, out);
		utf8 = str_skip(utf8, n > 0 ? (size_t)n : 1);
	}
}

static size_t
blanks(str s)
{
	size_t n = 0;

	while (n < s.len && (s.ptr[n] == ' ' || s.ptr[n] == '\t'))
		n++;
	return n;
}

/* subj-blob: its length, 0: there is none. */
static size_t
blob(str s)
{
	if (s.len == 0 || s.ptr[0] != '[')
		return 0;
	for (size_t n = 1; n < s.len && s.ptr[n] != '['; n++)
		if (s.ptr[n] == ']')
			return n + 1 + blanks(str_skip(s, n + 1));
	return 0;
}

/* subj-refwd */
static size_t
refwd(str s)
{
	size_t n = str_istarts(s, STR("re")) ? 2 : 0;

	if (str_istarts(s, STR("fw")))
		n = str_istarts(s, STR("fwd")) ? 3 : 2;
	if (n == 0)
		return 0;
	n += blanks(str_skip(s, n));
	n += blob(str_skip(s, n));
	return n < s.len && s.ptr[n] == ':' ? n + 1 : 0;
}

static str
without_trailers(str s, bool *reply)
{
	static const str fwd = STR_INIT("(fwd)");

	for (;;) {
		s = str_trim(s);
		if (s.len < fwd.len || !str_ieq(str_skip(s, s.len - fwd.len), fwd))
			return s;
		s.len -= fwd.len;
		*reply = true;
	}
}

/* Steps 3 to 5.  Blobs before a refwd go with it; others one by one, and the last only if
 * something is behind it: so each is looked at once. */
static str
without_leaders(str s, bool *reply)
{
	for (;;) {
		str rest, last;
		size_t n;

		s = str_skip(s, blanks(s));
		for (rest = last = s; (n = blob(rest)) > 0; rest = str_skip(rest, n))
			last = rest;
		n = refwd(rest);
		if (n == 0)
			return rest.len > 0 ? rest : last;
		*reply = true;
		s = str_skip(rest, n);
	}
}

void
sortkey_base(str subject, str *base, bool *reply)
{
	static const str header = STR_INIT("[fwd:");
	str s = subject;

	*reply = false;
	for (;;) {
		s = without_leaders(without_trailers(s, reply), reply);
		/* Step 6. */
		if (s.len <= header.len || !str_istarts(s, header) ||
			s.ptr[s.len - 1] != ']')
			break;
		s = str_first(str_skip(s, header.len), s.len - header.len - 1);
		*reply = true;
	}
	*base = s;
}

static void
strings_of(struct sortkey *k, str *out[STRINGS])
{
	out[0] = &k->subject;
	out[1] = &k->from;
	out[2] = &k->to;
	out[3] = &k->cc;
	out[4] = &k->display_from;
	out[5] = &k->display_to;
}

void
sortkey_pack(struct buf *b, const struct sortkey *k)
{
	struct sortkey copy = *k;
	size_t n = k->nrefs < SORTKEY_REFS ? k->nrefs : SORTKEY_REFS;
	str *strings[STRINGS];

	buf_le(b, VERSION, 1);
	buf_le(b, k->reply, 1);
	buf_le(b, k->message_id, 8);
	strings_of(&copy, strings);
	for (size_t i = 0; i < STRINGS; i++) {
		BUF_AUTO plain = BUF(2 * SORTKEY_STR);

		plain_add(&plain, plain_cut(*strings[i], SORTKEY_STR), false);
		buf_le(b, plain.len, 1);
		buf_add(b, buf_str(&plain));
	}
	buf_le(b, n, 1);
	for (size_t i = k->nrefs - n; i < k->nrefs; i++)
		buf_le(b, k->refs[i] != 0 ? k->refs[i] : 1, 8);
}

/* Views of the record; *refs: where they stand. */
static bool
parse(str record, struct sortkey *out, struct pack *refs)
{
	struct pack p = { .left = record };
	uint64_t version = pack_le(&p, 1), reply = pack_le(&p, 1);
	str *strings[STRINGS];

	*out = (struct sortkey){ .reply = reply == 1, .message_id = pack_le(&p, 8) };
	strings_of(out, strings);
	for (size_t i = 0; i < STRINGS; i++) {
		size_t n = (size_t)pack_le(&p, 1);

		if (!pack_ok(&p) || n > SORTKEY_STR || n > p.left.len)
			return false;
		*strings[i] = str_first(p.left, n);
		p.left = str_skip(p.left, n);
	}
	out->nrefs = (size_t)pack_le(&p, 1);
	*refs = p;
	return pack_ok(&p) && version == VERSION && reply <= 1 &&
	       out->nrefs <= SORTKEY_REFS && p.left.len == out->nrefs * 8;
}

bool
sortkey_ok(str record)
{
	struct sortkey k;
	struct pack p;
	str *strings[STRINGS];

	if (record.len > SORTKEY_MOST || !parse(record, &k, &p))
		return false;
	strings_of(&k, strings);
	for (size_t i = 0; i < STRINGS; i++)
		if (!plain_ok(*strings[i], false))
			return false;
	for (size_t i = 0; i < k.nrefs; i++)
		if (pack_le(&p, 8) == 0)
			return false;
	return true;
}

void
sortkey_views(str record, struct sortkey *out)
{
	const char *at = record.ptr + FIXED;
	str *strings[STRINGS];

	out->reply = record.ptr[1] == 1;
	memcpy(&out->message_id, record.ptr + 2, 8);
	out->message_id = le64toh(out->message_id);
	strings_of(out, strings);
	for (size_t i = 0; i < STRINGS; i++) {
		size_t n = (unsigned char)*at;

		*strings[i] = (str){ at + 1, n };
		at += 1 + n;
	}
	out->nrefs = (unsigned char)*at;
	out->refs = NULL;
	assert(at + 1 + 8 * out->nrefs == record.ptr + record.len);
}

void
sortkey_refs(str record, size_t n, uint64_t *out)
{
	struct pack p = { .left = str_skip(record, record.len - 8 * n) };

	for (size_t i = 0; i < n; i++)
		out[i] = pack_le(&p, 8);
}

enum rc
sortkey_unpack(str record, struct arena *mem, struct sortkey *out)
{
	struct sortkey got;

	if (!sortkey_ok(record))
		return RC_BAD;
	if (arena_copy(mem, record, &record) != RC_OK)
		return RC_LIMIT;
	sortkey_views(record, &got);
	got.refs = arena_array(mem, got.nrefs, sizeof(*got.refs));
	if (got.refs == NULL)
		return RC_LIMIT;
	sortkey_refs(record, got.nrefs, got.refs);
	*out = got;
	return RC_OK;
}
