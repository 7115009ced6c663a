/* SPDX-License-Identifier: ISC */
#include "wire/http_body.h"

#include "mime/utf8.h"

enum { SIZE_DIGITS = 8 };

enum {
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,
	NAME,
	VALUE,
	LINE_LF,
	END_LF,
	END
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 9112 7.1.1: of an extension or a trailer, which nobody here wants to know */
static enum rc
pass_over(struct http_chunks *c, char byte)
{
	if ((unsigned char)byte < 0x20 && byte != '\t')
		return RC_BAD;
	return byte == 0x7f || ++c->extra > HTTP_CHUNK_EXTRA ? RC_BAD : RC_OK;
}

static enum rc
read_size(struct http_chunks *c, char byte)
{
	int digit = hex_digit(byte);

	if (digit >= 0 && c->digits < SIZE_DIGITS) {
		c->digits++;
		c->left = c->left * 16 + (uint64_t)digit;
		return RC_OK;
	}
	if (c->digits == 0 || (byte != '\r' && byte != ';'))
		return RC_BAD;
	c->state = byte == '\r' ? SIZE_LF : EXTENSION;
	return byte == '\r' ? RC_OK : pass_over(c, byte);
}

static enum rc
read_name(struct http_chunks *c, char byte)
{
	if (byte == ':' && c->state == NAME)
		c->state = VALUE;
	else if (byte == ':' || byte == ' ' || byte == '\t')
		return RC_BAD;
	else
		c->state = NAME;
	return pass_over(c, byte);
}

/* Everything but data. */
static enum rc
read_byte(struct http_chunks *c, char byte)
{
	switch (c->state) {
	case SIZE:
		return read_size(c, byte);
	case EXTENSION:
	case VALUE:
		if (byte != '\r')
			return pass_over(c, byte);
		c->state = c->state == VALUE ? LINE_LF : SIZE_LF;
		return RC_OK;
	case DATA_CR:
		c->state = DATA_LF;
		return byte == '\r' ? RC_OK : RC_BAD;
	case TRAILER:
		if (byte != '\r')
			return read_name(c, byte);
		c->state = END_LF;
		return RC_OK;
	case NAME:
		return read_name(c, byte);
	default:
		break;
	}
	if (byte != '\n')
		return RC_BAD;
	c->digits = 0;
	if (c->state == SIZE_LF)
		c->state = c->left > 0 ? DATA : TRAILER;
	else if (c->state == DATA_LF)
		c->state = SIZE;
	else
		c->state = c->state == END_LF ? END : TRAILER;
	return RC_OK;
}

static enum rc
read_data(struct http_chunks *c, str in, size_t *eaten, struct buf *out)
{
	str piece = str_first(in, (size_t)c->left);

	/* not at its end, but as soon as it is said */
	if (out->len > out->limit || c->left > out->limit - out->len)
		return RC_LIMIT;
	buf_add(out, piece);
	*eaten += piece.len;
	c->left -= piece.len;
	if (c->left == 0)
		c->state = DATA_CR;
	return RC_OK;
}

enum rc
http_chunks_read(struct http_chunks *c, str in, size_t *eaten, struct buf *out)
{
	enum rc rc = RC_OK;

	*eaten = 0;
	while (rc == RC_OK && c->state != END && *eaten < in.len) {
		str rest = str_skip(in, *eaten);

		if (c->state == DATA) {
			rc = read_data(c, rest, eaten, out);
			continue;
		}
		rc = read_byte(c, rest.ptr[0]);
		++*eaten;
	}
	return rc == RC_OK && c->state == END ? RC_NONE : rc;
}

/* ---- forms ---- */

/* Into `out`, which has room for it. */
static enum rc
decode(str s, char *out, str *text)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i] == '+' ? ' ' : s.ptr[i];

		if (c == '%') {
			if (s.len - i < 3 || hex_digit(s.ptr[i + 1]) < 0 ||
				hex_digit(s.ptr[i + 2]) < 0)
				return RC_BAD;
			c = (char)(hex_digit(s.ptr[i + 1]) * 16 +
				   hex_digit(s.ptr[i + 2]));
			i += 2;
		}
		out[n++] = c;
	}
	*text = (str){ out, n };
	return utf8_valid(*text) ? RC_OK : RC_BAD;
}

/* Those of ISO 646, and U+0080 to U+009F: bytes c2 80 to c2 9f. */
static bool
has_control(str s, const char *may)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == 0xc2 && (unsigned char)s.ptr[i + 1] < 0xa0)
			return true;
		if (c == 0x7f || (c < 0x20 && (c == 0 || strchr(may, c) == NULL)))
			return true;
	}
	return false;
}

static str
lines(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n')
			continue;
		text[n++] = text[i] == '\r' ? '\n' : text[i];
	}
	return (str){ text, n };
}

static enum rc
read_pair(str one, char **room, struct http_pair *out)
{
	str name = STR(""), value = one;
	char *at;

	if (!str_cut(&value, '=', &name) || decode(name, *room, &out->name) != RC_OK ||
		has_control(out->name, ""))
		return RC_BAD;
	at = *room + out->name.len;
	if (decode(value, at, &out->value) != RC_OK || has_control(out->value, "\t\r\n"))
		return RC_BAD;
	*room = at + out->value.len;
	out->value = lines(at, out->value.len);
	return RC_OK;
}

enum rc
http_form_parse(str body, struct arena *mem, struct http_form *out)
{
	struct http_form f = { 0 };
	char *room = arena_alloc(mem, body.len + 1);
	str one;

	if (room == NULL)
		return RC_LIMIT;
	while (str_cut(&body, '&', &one)) {
		if (one.len == 0)
			continue;
		if (f.n == HTTP_PAIRS)
			return RC_LIMIT;
		if (read_pair(one, &room, &f.at[f.n]) != RC_OK)
			return RC_BAD;
		f.n++;
	}
	*out = f;
	return RC_OK;
}

str
http_form_get(const struct http_form *f, str name)
{
	str found = STR("");
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->at[i].name, name)) {
			found = f->at[i].value;
			n++;
		}
	return n == 1 ? found : STR("");
}
