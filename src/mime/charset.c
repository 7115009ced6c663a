/* SPDX-License-Identifier: ISC */
#include "mime/charset.h"

#include "mime/mime_int.h"
#include "mime/utf8.h"

enum { PIECE = 2048 };

static const uint32_t BAD = UINT32_MAX;
static const uint32_t NOTHING = UINT32_MAX - 1; /* a shift, no character */

/* Which set a pair of ISO 2022 is taken from. */
enum g0 { G0_ASCII, G0_KANA, G0_JIS, G0_JIS0212, G0_KSC, G0_GB };

struct reader {
	const struct charsets *cs;
	const struct single_table *single;
	const struct double_table *pairs;
	struct buf *out;
	uint64_t odd;
	enum g0 g0;
	bool shifted; /* SO; "~{"; within UTF-7's base64 */
	uint32_t bits, high; /* UTF-7: bits not used up, a surrogate that waits */
	unsigned have;
	size_t n;
	char piece[PIECE];
};

/* One character of bytes that are not empty: how many they were. */
typedef size_t next_fn(struct reader *r, const uint8_t *p, size_t len, uint32_t *c);

struct charsets *
charsets_new(void)
{
	struct charsets *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	charset_tables_fill(c);
	c->jp = c->pairs[charset_find(STR("euc-jp")) - charset_rows];
	c->kr = c->pairs[charset_find(STR("euc-kr")) - charset_rows];
	c->cn = c->pairs[charset_find(STR("gb18030")) - charset_rows];
	return c;
}

void
charsets_free(struct charsets **cp)
{
	struct charsets *c = *cp;

	if (c == NULL)
		return;
	for (size_t i = 0; i < charset_nrows; i++) {
		free(c->single[i]);
		free(c->pairs[i]);
	}
	free(c->jis0212);
	free(c);
	*cp = NULL;
}

bool
charset_known(str name)
{
	return charset_find(name) != NULL;
}

str
charset_canonical(str name)
{
	const struct charset_row *row = charset_find(name);

	return row == NULL ? STR("") : row->name;
}

/* As much as there is room for. */
static void
add(struct buf *out, str s)
{
	if (out->over)
		return;
	str fits = utf8_first(s, out->limit - out->len);

	buf_add(out, fits);
	if (fits.len < s.len)
		out->over = true;
}

static void
flush(struct reader *r)
{
	add(r->out, (str){ r->piece, r->n });
	r->n = 0;
}

static void
put(struct reader *r, uint32_t c)
{
	if (c == NOTHING)
		return;
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		r->odd |= MIME_ODD(BAD_CHARSET);
		c = UTF8_REPLACEMENT;
	}
	if (r->n + 4 > PIECE)
		flush(r);
	r->n += utf8_put(c, r->piece + r->n);
}

static uint32_t
pair(const struct double_table *t, uint8_t lead, uint8_t trail)
{
	unsigned l = lead - (unsigned)PAIR_LEAD, k = trail - (unsigned)PAIR_TRAIL;

	if (t == NULL || l >= PAIR_LEADS || k >= PAIR_TRAILS)
		return BAD;
	uint32_t u = t->pair[l][k];

	if ((t->plane2[l][k / 8] >> k % 8 & 1) != 0)
		return 0x20000 | u;
	return u == CHAR_NONE ? BAD : u;
}

static size_t
next_single(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	(void)len;
	*c = r->single->at[p[0]];
	if (*c == CHAR_NONE)
		*c = BAD;
	return 1;
}

/* As the WHATWG has it: a byte of ASCII that ends nothing stands for itself. */
static size_t
next_double(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	*c = r->pairs->single[p[0]];
	if (*c < CHAR_LEAD)
		return 1;
	if (*c == CHAR_LEAD && len > 1) {
		*c = pair(r->pairs, p[0], p[1]);
		if (*c != BAD || p[1] >= 0x80)
			return 2;
	}
	*c = BAD;
	return 1;
}

static uint32_t
gb_four(const struct charsets *cs, const uint8_t *p)
{
	uint32_t n = ((p[0] - 0x81u) * 10 + p[1] - 0x30u) * 1260 + (p[2] - 0x81u) * 10 +
		     p[3] - 0x30u;
	size_t low = 0, high = cs->ngb;

	if (n >= 189000) /* 90 30 81 30: from U+10000 on */
		return 0x10000 + n - 189000;
	if (n >= 39420)
		return BAD;
	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (cs->gb[mid].linear <= n)
			low = mid;
		else
			high = mid;
	}
	if (cs->ngb == 0 || cs->gb[low].c >= CHAR_LEAD)
		return BAD;
	return cs->gb[low].c + n - cs->gb[low].linear;
}

static size_t
next_gb(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	if (p[0] < 0x81 || len < 2 || p[1] < 0x30 || p[1] > 0x39)
		return next_double(r, p, len, c);
	if (p[0] != 0xff && len >= 4 && p[2] >= 0x81 && p[2] <= 0xfe && p[3] >= 0x30 &&
		p[3] <= 0x39) {
		*c = gb_four(r->cs, p);
		if (*c <= 0x10ffff)
			return 4;
	}
	*c = BAD;
	return 1;
}

static size_t
next_eucjp(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	if (p[0] == 0x8e && len > 1 && p[1] >= 0xa1 && p[1] <= 0xdf) {
		*c = 0xff61u + p[1] - 0xa1u;
		return 2;
	}
	if (p[0] == 0x8f && len > 2 && p[1] >= 0xa1 && p[2] >= 0xa1) {
		*c = pair(r->cs->jis0212, p[1], p[2]);
		return 3;
	}
	return next_double(r, p, len, c);
}

static const struct {
	str sequence;
	enum g0 g0;
} escapes[] = {
	/* ISO-2022-JP-1, -2, -3 and -KR */
	{ STR_INIT("(B"), G0_ASCII }, { STR_INIT("(J"), G0_ASCII },
	{ STR_INIT("(H"), G0_ASCII }, { STR_INIT("(I"), G0_KANA },
	{ STR_INIT("$@"), G0_JIS }, { STR_INIT("$B"), G0_JIS }, { STR_INIT("$A"), G0_GB },
	{ STR_INIT("$(D"), G0_JIS0212 }, { STR_INIT("$(C"), G0_KSC },
	{ STR_INIT("$(O"), G0_JIS }, { STR_INIT("$(Q"), G0_JIS },
	{ STR_INIT("$)C"), G0_ASCII }, /* for SO */
};

static size_t
escape(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	str s = { (const char *)p + 1, len - 1 };

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (str_starts(s, escapes[i].sequence)) {
			r->g0 = escapes[i].g0;
			*c = NOTHING;
			return 1 + escapes[i].sequence.len;
		}
	*c = BAD;
	return 1;
}

static const struct double_table *
g0_table(const struct reader *r)
{
	if (r->shifted || r->g0 == G0_KSC)
		return r->cs->kr;
	if (r->g0 == G0_JIS0212)
		return r->cs->jis0212;
	return r->g0 == G0_GB ? r->cs->cn : r->cs->jp;
}

static size_t
next_2022(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	uint8_t b = p[0];

	if (b == 0x1b)
		return escape(r, p, len, c);
	if (b == 0x0e || b == 0x0f) {
		r->shifted = b == 0x0e;
		*c = NOTHING;
		return 1;
	}
	if (b == '\n')
		r->shifted = false;
	*c = b;
	if (b >= 0xa1 && b <= 0xdf) /* CP50220: eight bits for half-width katakana */
		*c = 0xff61u + b - 0xa1u;
	else if (b >= 0x80)
		*c = BAD;
	else if (b > 0x20 && b < 0x60 && r->g0 == G0_KANA && !r->shifted)
		*c = 0xff61u + b - 0x21u;
	else if (b > 0x20 && b < 0x7f && (r->shifted || r->g0 > G0_KANA)) {
		if (len > 1 && p[1] > 0x20 && p[1] < 0x7f) {
			*c = pair(g0_table(r), b | 0x80, p[1] | 0x80);
			return 2;
		}
		*c = BAD;
	}
	return 1;
}

/* RFC 1843 */
static size_t
next_hz(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	*c = NOTHING;
	if (p[0] == '~' && len > 1 && memchr("{}\n~", p[1], 4) != NULL) {
		if (p[1] == '{' || p[1] == '}')
			r->shifted = p[1] == '{';
		if (p[1] == '~')
			*c = '~';
		return 2;
	}
	*c = p[0];
	if (p[0] == '\n')
		r->shifted = false;
	if (p[0] >= 0x80 && len > 1) {
		*c = pair(r->cs->cn, p[0], p[1]);
		return 2;
	}
	if (r->shifted && len > 1 && p[0] > 0x20 && p[1] > 0x20) {
		*c = pair(r->cs->cn, p[0] | 0x80, p[1] | 0x80);
		return 2;
	}
	if (p[0] >= 0x80)
		*c = BAD;
	return 1;
}

/* A UTF-16 code unit. */
static uint32_t
unit(struct reader *r, uint32_t u)
{
	uint32_t high = r->high;

	r->high = 0;
	if (high != 0 && u >= 0xdc00 && u <= 0xdfff)
		return 0x10000 + ((high - 0xd800) << 10) + (u - 0xdc00);
	if (high != 0)
		put(r, BAD);
	if (u >= 0xd800 && u <= 0xdbff) {
		r->high = u;
		return NOTHING;
	}
	return u;
}

static size_t
next_utf16be(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	*c = len < 2 ? BAD : unit(r, (uint32_t)p[0] << 8 | p[1]);
	return 2;
}

static size_t
next_utf16le(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	*c = len < 2 ? BAD : unit(r, (uint32_t)p[1] << 8 | p[0]);
	return 2;
}

static size_t
next_utf32be(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	(void)r;
	*c = len < 4 ? BAD
		     : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
			       p[3];
	if (*c > 0x10ffff)
		*c = BAD;
	return 4;
}

static size_t
next_utf32le(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	uint8_t other[4] = { 0 };

	for (size_t i = 0; i < 4 && i < len; i++)
		other[3 - i] = p[i];
	return next_utf32be(r, other, len, c);
}

static int
sextet(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' || c == ',' ? 63 : -1;
}

/* RFC 2152 */
static size_t
next_utf7(struct reader *r, const uint8_t *p, size_t len, uint32_t *c)
{
	int v = sextet(p[0]);

	*c = NOTHING;
	if (!r->shifted && p[0] == '+') {
		if (len > 1 && p[1] == '-') {
			*c = '+';
			return 2;
		}
		r->shifted = true;
		r->bits = r->have = 0;
		return 1;
	}
	if (r->shifted && v >= 0) {
		r->bits = (r->bits << 6 | (uint32_t)v) & 0x3fffff;
		r->have += 6;
		if (r->have >= 16) {
			r->have -= 16;
			*c = unit(r, r->bits >> r->have & 0xffff);
		}
		return 1;
	}
	if (r->shifted) {
		r->shifted = false;
		if (r->high != 0)
			put(r, unit(r, NOTHING));
		if (p[0] == '-')
			return 1;
	}
	*c = p[0] < 0x80 ? p[0] : BAD;
	return 1;
}

static next_fn *const nexts[] = {
	[CHARSET_SINGLE] = next_single,
	[CHARSET_DOUBLE] = next_double,
	[CHARSET_GB18030] = next_gb,
	[CHARSET_EUC_JP] = next_eucjp,
	[CHARSET_ISO_2022] = next_2022,
	[CHARSET_HZ] = next_hz,
	[CHARSET_UTF16BE] = next_utf16be,
	[CHARSET_UTF16LE] = next_utf16le,
	[CHARSET_UTF32BE] = next_utf32be,
	[CHARSET_UTF32LE] = next_utf32le,
	[CHARSET_UTF7] = next_utf7,
};

/* Bytes at the front that are the same in every charset of the plain kind. */
static size_t
same_run(str s)
{
	size_t n = 0;

	while (n < s.len &&
		(((uint8_t)s.ptr[n] >= 0x20 && (uint8_t)s.ptr[n] < 0x7f) ||
			s.ptr[n] == '\n' || s.ptr[n] == '\r' || s.ptr[n] == '\t'))
		n++;
	return n;
}

static void
convert(struct reader *r, enum charset_kind kind, bool plain, str s)
{
	while (s.len > 0 && !r->out->over) {
		size_t run = plain ? same_run(s) : 0;
		uint32_t c;

		if (run > 16) {
			flush(r);
			add(r->out, str_first(s, run));
			s = str_skip(s, run);
			continue;
		}
		do {
			size_t n = nexts[kind](r, (const uint8_t *)s.ptr, s.len, &c);

			put(r, c);
			s = str_skip(s, n);
		} while (s.len > 0 && run-- > 1);
	}
	if (r->high != 0)
		put(r, BAD);
	flush(r);
}

static void
utf8(struct buf *out, str s, uint64_t *odd)
{
	while (s.len > 0 && !out->over) {
		size_t n = utf8_run(s);

		add(out, str_first(s, n));
		s = str_skip(s, n);
		if (s.len == 0)
			return;
		*odd |= MIME_ODD(BAD_CHARSET);
		add(out, STR("\xef\xbf\xbd"));
		/* its lead byte and those that may belong to it */
		uint8_t lead = (uint8_t)s.ptr[0];
		size_t most = lead >= 0xf0 && lead < 0xf5   ? 3
			      : lead >= 0xe0 && lead < 0xf0 ? 2
							    : 1;

		for (n = 1; n < most && n < s.len && ((uint8_t)s.ptr[n] & 0xc0) == 0x80;)
			n++;
		s = str_skip(s, n);
	}
}

/* A byte order mark is taken from the front. */
static enum charset_kind
mark(str *s, bool *found)
{
	static const struct {
		str mark;
		enum charset_kind kind;
	} marks[] = {
		{ STR_INIT("\xef\xbb\xbf"), CHARSET_UTF8 },
		{ STR_INIT("\xff\xfe\0\0"), CHARSET_UTF32LE },
		{ STR_INIT("\0\0\xfe\xff"), CHARSET_UTF32BE },
		{ STR_INIT("\xff\xfe"), CHARSET_UTF16LE },
		{ STR_INIT("\xfe\xff"), CHARSET_UTF16BE },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (str_starts(*s, marks[i].mark)) {
			*s = str_skip(*s, marks[i].mark.len);
			*found = true;
			return marks[i].kind;
		}
	*found = false;
	return CHARSET_ASCII;
}

/* UTF-16 and UTF-32 without a mark: the zeros of what is ASCII tell. */
static enum charset_kind
byte_order(enum charset_kind kind, str s)
{
	size_t step = kind == CHARSET_UTF16 ? 2 : 4, first = 0, last = 0;

	for (size_t i = 0; i + step <= s.len && i < 1024; i += step) {
		first += s.ptr[i] == 0;
		last += s.ptr[i + step - 1] == 0;
	}
	if (kind == CHARSET_UTF16)
		return first > last ? CHARSET_UTF16BE : CHARSET_UTF16LE;
	return first > last ? CHARSET_UTF32BE : CHARSET_UTF32LE;
}

static bool
is_wide(enum charset_kind kind)
{
	return kind >= CHARSET_UTF16;
}

static enum charset_kind
family(enum charset_kind kind)
{
	if (kind >= CHARSET_UTF16 && kind <= CHARSET_UTF16LE)
		return CHARSET_UTF16;
	if (kind >= CHARSET_UTF32 && kind <= CHARSET_UTF32LE)
		return CHARSET_UTF32;
	return kind == CHARSET_ASCII ? CHARSET_UTF8 : kind;
}

/* False: there is no table for it. */
static bool
tables(struct reader *r, const struct charset_row *row, enum charset_kind kind)
{
	static const struct charsets none;
	size_t i = (size_t)(row - charset_rows);

	if (r->cs == NULL) {
		r->cs = &none;
		if (kind == CHARSET_ISO_2022 || kind == CHARSET_HZ)
			return false;
	}
	r->single = r->cs->single[i];
	r->pairs = r->cs->pairs[i];
	if (kind == CHARSET_SINGLE)
		return r->single != NULL;
	if (kind == CHARSET_DOUBLE || kind == CHARSET_GB18030 || kind == CHARSET_EUC_JP)
		return r->pairs != NULL;
	return true;
}

/* ISO-8859-1, when there are no tables. */
static void
latin1(struct reader *r, str s)
{
	for (; s.len > 0 && !r->out->over; s = str_skip(s, 1))
		put(r, (uint8_t)s.ptr[0]);
	flush(r);
}

static void
by_row(const struct charsets *cs, const struct charset_row *row, enum charset_kind kind,
	str s, struct buf *out, uint64_t *odd)
{
	struct reader r = { .cs = cs, .out = out };

	if (!tables(&r, row, kind)) {
		if (!str_eq(row->name, STR("windows-1252")))
			*odd |= MIME_ODD(UNKNOWN_CHARSET);
		latin1(&r, s);
		return;
	}
	if (kind == CHARSET_UTF16 || kind == CHARSET_UTF32)
		kind = byte_order(kind, s);
	bool plain = (kind == CHARSET_SINGLE && !row->foreign) ||
		     kind == CHARSET_DOUBLE || kind == CHARSET_GB18030 ||
		     kind == CHARSET_EUC_JP;

	convert(&r, kind, plain, s);
	*odd |= r.odd;
}

void
charset_to_utf8(struct charsets *c, str name, str bytes, struct buf *out, uint64_t *odd)
{
	const struct charset_row *row = charset_find(name);
	enum charset_kind kind = row == NULL ? CHARSET_ASCII : row->kind;
	bool marked;
	enum charset_kind by_mark = mark(&bytes, &marked);

	if (row == NULL && name.len > 0)
		*odd |= MIME_ODD(UNKNOWN_CHARSET);
	if (marked) {
		if (row != NULL && family(kind) != family(by_mark))
			*odd |= MIME_ODD(CHARSET_CONFLICT);
		kind = by_mark;
	}
	if (is_wide(kind) || (row != NULL && row->foreign))
		*odd |= MIME_ODD(WIDE_CHARSET);
	if (kind == CHARSET_ASCII && utf8_valid(bytes)) {
		if (row != NULL && str_has_8bit(bytes))
			*odd |= MIME_ODD(BAD_CHARSET);
		kind = CHARSET_UTF8;
	}
	if (kind == CHARSET_UTF8) {
		utf8(out, bytes, odd);
		return;
	}
	if (kind == CHARSET_ASCII) {
		if (row != NULL)
			*odd |= MIME_ODD(BAD_CHARSET);
		row = charset_find(STR("windows-1252"));
		kind = CHARSET_SINGLE;
	}
	by_row(c, row == NULL ? charset_rows : row, kind, bytes, out, odd);
}
