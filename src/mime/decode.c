/* SPDX-License-Identifier: ISC */
#include "mime/decode.h"

#include "mime/mime_int.h"

void
pour_flush(struct pour *p)
{
	size_t n = p->n;

	p->n = 0;
	if (p->rc != RC_OK || n == 0)
		return;
	bool over = n > p->left;

	if (over)
		n = (size_t)p->left;
	p->left -= n;
	if (n > 0)
		p->rc = p->to((str){ p->piece, n }, p->arg);
	if (p->rc == RC_OK && over)
		p->rc = RC_LIMIT;
}

void
pour(struct pour *p, str s)
{
	while (s.len > 0 && pour_ok(p)) {
		if (p->n == POUR_PIECE)
			pour_flush(p);
		str now = str_first(s, POUR_PIECE - p->n);

		memcpy(p->piece + p->n, now.ptr, now.len);
		p->n += now.len;
		s = str_skip(s, now.len);
	}
}

str
take_line(str *rest)
{
	str line;

	(void)str_cut(rest, '\n', &line);
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Base64's letters; what is none: foreign, url-safe (RFC 4648 5), blank, padding. */
enum { F = 0x80, U, B, P };

static const uint8_t letters[256] = {
	/* clang-format off */
	  F,   F,   F,   F,   F,   F,   F,   F,   F,   B,   B,   F,   F,   B,   F,   F,
	  F,   F,   F,   F,   F,   F,   F,   F,   F,   F,   F,   F,   F,   F,   F,   F,
	  B,   F,   F,   F,   F,   F,   F,   F,   F,   F,   F,  62,   F,   U,   F,  63,
	 52,  53,  54,  55,  56,  57,  58,  59,  60,  61,   F,   F,   F,   P,   F,   F,
	  F,   0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,  13,  14,
	 15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,   F,   F,   F,   F,   U,
	  F,  26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,
	 41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,   F,   F,   F,   F,   F,
	[128 ... 255] = F,
	/* clang-format on */
};

int
base64_value(char c)
{
	uint8_t v = letters[(uint8_t)c];

	if (v == P)
		return BASE64_PADDING;
	return v < F ? v : -1;
}

struct base64 {
	struct pour *out;
	uint32_t bits;
	unsigned have; /* letters of the group */
	bool strict; /* RFC 2045's letters only, the end at its padding */
	bool joined; /* padding does not end a group */
	bool padded; /* the group was ended by padding, of which this much is missing */
	unsigned missing;
	bool bad, ended;
};

/* Groups of four, while nothing else comes; how many bytes of in were read. */
static size_t
whole_groups(str in, struct pour *p)
{
	const uint8_t *s = (const uint8_t *)in.ptr, *from = s;
	size_t groups = in.len / 4, room = (POUR_PIECE - p->n) / 3;
	char *to = p->piece + p->n;

	if (groups > room)
		groups = room;
	for (; groups > 0; groups--, s += 4, to += 3) {
		uint32_t a = letters[s[0]], b = letters[s[1]], c = letters[s[2]],
			 d = letters[s[3]];

		if (((a | b | c | d) & F) != 0)
			break;
		uint32_t v = a << 18 | b << 12 | c << 6 | d;

		to[0] = (char)(v >> 16);
		to[1] = (char)(v >> 8 & 0xff);
		to[2] = (char)(v & 0xff);
	}
	p->n = (size_t)(to - p->piece);
	return (size_t)(s - from);
}

/* What a group that is not whole holds. */
static void
part_of_group(struct base64 *b)
{
	if (b->have >= 2)
		pour_c(b->out, (char)(b->bits >> (b->have == 2 ? 4 : 10) & 0xff));
	if (b->have == 3)
		pour_c(b->out, (char)(b->bits >> 2 & 0xff));
	b->have = 0;
	b->bits = 0;
}

static void
padding(struct base64 *b)
{
	if (b->have >= 2 && !b->joined) {
		b->missing = 3 - b->have;
		b->padded = true;
		part_of_group(b);
	} else if (b->padded && b->missing > 0)
		b->missing--;
	else
		b->bad = true; /* where no group has begun, or just */
	b->ended = b->strict && b->padded && b->missing == 0;
}

static void
letter(struct base64 *b, unsigned v)
{
	if (b->padded)
		b->bad = true; /* it goes on behind the padding */
	b->ended = b->strict && b->padded;
	b->padded = false;
	if (b->ended)
		return;
	b->bits = (b->bits << 6 | v) & 0xffffff;
	if (++b->have < 4)
		return;
	pour_c(b->out, (char)(b->bits >> 16));
	pour_c(b->out, (char)(b->bits >> 8 & 0xff));
	pour_c(b->out, (char)(b->bits & 0xff));
	b->have = 0;
	b->bits = 0;
}

static void
base64_byte(struct base64 *b, uint8_t c)
{
	uint8_t v = letters[c];

	if (v == U) {
		b->bad = true;
		if (!b->strict && !b->joined)
			v = c == '-' ? 62 : 63;
	}
	if (v < F)
		letter(b, v);
	else if (v == P)
		padding(b);
	else if (v == F)
		b->bad = true;
}

static void
decode_base64(str in, struct base64 *b, uint64_t *odd)
{
	while (in.len > 0 && pour_ok(b->out) && !b->ended) {
		if (b->out->n + 3 > POUR_PIECE)
			pour_flush(b->out);
		if (b->have == 0 && !b->padded)
			in = str_skip(in, whole_groups(in, b->out));
		/* a line end, or up to the next whole group */
		for (unsigned i = 0; i < 4 && in.len > 0 && !b->ended; i++) {
			base64_byte(b, (uint8_t)in.ptr[0]);
			in = str_skip(in, 1);
			if (b->have == 0 && !b->padded && in.len > 0 &&
				letters[(uint8_t)in.ptr[0]] < F)
				break;
		}
	}
	if (b->have != 0 || (b->padded && b->missing > 0))
		b->bad = true;
	part_of_group(b);
	for (; in.len > 0 && !b->bad; in = str_skip(in, 1))
		b->bad = letters[(uint8_t)in.ptr[0]] != B &&
			 letters[(uint8_t)in.ptr[0]] != P;
	if (b->bad)
		*odd |= MIME_ODD(BAD_BASE64);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c & ~0x20);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A line without its end.  True: its end is soft (RFC 2045 6.7 (5)). */
static bool
qp_line(str line, struct pour *p, uint64_t *odd)
{
	size_t whole = line.len;

	/* (3): blanks there were added on the way */
	while (line.len > 0 && blank(line.ptr[line.len - 1]))
		line.len--;
	bool trimmed = line.len < whole;

	while (line.len > 0) {
		const char *eq = memchr(line.ptr, '=', line.len);
		size_t n = eq == NULL ? line.len : (size_t)(eq - line.ptr);

		pour(p, str_first(line, n));
		if (eq == NULL)
			return false;
		line = str_skip(line, n + 1);
		if (line.len == 0) {
			if (trimmed)
				*odd |= MIME_ODD(BAD_QP);
			return true;
		}
		int high = hex(line.ptr[0]), low = line.len > 1 ? hex(line.ptr[1]) : -1;

		if (high < 0 || low < 0) {
			*odd |= MIME_ODD(BAD_QP);
			pour_c(p, '=');
			continue;
		}
		pour_c(p, (char)(high << 4 | low));
		line = str_skip(line, 2);
	}
	return false;
}

static void
decode_qp(str in, struct pour *p, uint64_t *odd)
{
	const char *lf = NULL; /* the next one; not looked for again at each CR */

	if (str_has_8bit(in))
		*odd |= MIME_ODD(UNENCODED);
	while (in.len > 0 && pour_ok(p)) {
		if (lf == NULL || lf < in.ptr) {
			lf = memchr(in.ptr, '\n', in.len);
			if (lf == NULL)
				lf = in.ptr + in.len;
		}
		size_t n = (size_t)(lf - in.ptr), end = n < in.len ? 1 : 0;
		const char *cr = memchr(in.ptr, '\r', n);

		if (cr != NULL) {
			end = cr + 1 == lf ? 1 + end : 1;
			n = (size_t)(cr - in.ptr);
		}
		if (!qp_line(str_first(in, n), p, odd))
			pour(p, str_first(str_skip(in, n), end));
		in = str_skip(in, n + end);
	}
}

enum rc
mime_decode(enum mime_encoding how, str in, uint64_t most, mime_sink_fn *to, void *arg,
	uint64_t *odd)
{
	struct pour p;

	p.to = to;
	p.arg = arg;
	p.left = most;
	p.rc = RC_OK;
	p.n = 0;
	switch (how) {
	case MIME_BASE64:
		decode_base64(in, &(struct base64){ .out = &p }, odd);
		break;
	case MIME_BASE64_STRICT:
		decode_base64(in, &(struct base64){ .out = &p, .strict = true }, odd);
		break;
	case MIME_BASE64_JOINED:
		decode_base64(in, &(struct base64){ .out = &p, .joined = true }, odd);
		break;
	case MIME_QP:
		decode_qp(in, &p, odd);
		break;
	case MIME_UUENCODE:
		decode_uu(in, &p, odd);
		break;
	case MIME_YENC:
		decode_yenc(in, &p, odd);
		break;
	case MIME_BINHEX:
		decode_binhex(in, &p, odd);
		break;
	case MIME_IDENTITY:
	case MIME_ENCODINGS:
		pour(&p, in);
	}
	pour_flush(&p);
	return p.rc;
}

static const struct {
	str name;
	enum mime_encoding how;
} names[] = {
	/* the first of each is its name */
	{ STR_INIT("7bit"), MIME_IDENTITY },
	{ STR_INIT("8bit"), MIME_IDENTITY },
	{ STR_INIT("binary"), MIME_IDENTITY },
	{ STR_INIT("base64"), MIME_BASE64 },
	{ STR_INIT("base64"), MIME_BASE64_STRICT },
	{ STR_INIT("base64"), MIME_BASE64_JOINED },
	{ STR_INIT("quoted-printable"), MIME_QP },
	{ STR_INIT("x-uuencode"), MIME_UUENCODE },
	{ STR_INIT("x-uue"), MIME_UUENCODE },
	{ STR_INIT("uuencode"), MIME_UUENCODE },
	{ STR_INIT("uue"), MIME_UUENCODE },
	{ STR_INIT("x-yenc"), MIME_YENC },
	{ STR_INIT("yenc"), MIME_YENC },
	{ STR_INIT("mac-binhex40"), MIME_BINHEX },
	{ STR_INIT("x-binhex40"), MIME_BINHEX },
	{ STR_INIT("binhex"), MIME_BINHEX },
};

/* Past blanks, comments (RFC 5322 3.2.2) and quotes; *beside: there was more than
 * blanks. */
static str
skip_around(str s, bool *beside)
{
	size_t depth = 0;

	for (; s.len > 0; s = str_skip(s, 1)) {
		char c = s.ptr[0];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '\\' && depth > 0)
			s = str_skip(s, 1);
		else if (depth == 0 && (uint8_t)c > ' ' && c != '"' && c != '\'')
			break;
		if ((uint8_t)c > ' ' || (c != ' ' && c != '\t' && c != '\r' && c != '\n'))
			*beside = true;
	}
	return s;
}

static bool
token_char(char c)
{
	return (uint8_t)c > ' ' && (uint8_t)c < 0x7f &&
	       memchr("()<>@,;:\\\"/[]?='", c, 16) == NULL;
}

enum mime_encoding
mime_encoding_read(str raw, uint64_t *odd)
{
	bool beside = false;
	str s = skip_around(raw, &beside), token = s;

	token.len = 0;
	while (token.len < s.len && token_char(s.ptr[token.len]))
		token.len++;
	s = skip_around(str_skip(s, token.len), &beside);
	if (beside || s.len > 0)
		*odd |= MIME_ODD(BAD_ENCODING);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_ieq(token, names[i].name))
			return names[i].how;
	if (token.len > 0)
		*odd |= MIME_ODD(BAD_ENCODING);
	return MIME_IDENTITY;
}

str
mime_encoding_name(enum mime_encoding how)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].how == how)
			return names[i].name;
	return STR("");
}
