/* SPDX-License-Identifier: ISC */
#include "wire/imap_lex_int.h"

#include "mime/utf8.h"

enum { CTL = 0x20, DEL = 0x7f };

bool
lex_is_atom(unsigned c)
{
	/* atom-specials: "(" ")" "{" SP CTL list-wildcards quoted-specials resp-specials */
	return c > CTL && c < DEL && strchr("(){%*\"\\]", (int)c) == NULL;
}

bool
lex_is_astring(unsigned c)
{
	return c == ']' || lex_is_atom(c);
}

static bool
is_list_char(unsigned c)
{
	return c == '%' || c == '*' || lex_is_astring(c);
}

static bool
is_tag(unsigned c)
{
	return c != '+' && lex_is_astring(c);
}

struct imap_lex
imap_lex(str command, bool utf8, struct arena *mem)
{
	return (struct imap_lex){ .all = command, .utf8 = utf8, .mem = mem };
}

bool
lex_end(struct imap_lex *x)
{
	return x->at == x->all.len || lex_wanted(x, "the end of the command");
}

bool
lex_peek(const struct imap_lex *x, char c)
{
	return x->at < x->all.len && x->all.ptr[x->at] == c;
}

bool
lex_sp(struct imap_lex *x)
{
	return lex_peek(x, ' ') ? lex_took(x, 1) : lex_wanted(x, "a blank");
}

static const char *
name_of(char c)
{
	static const struct {
		char c;
		const char *name;
	} names[] = {
		{ '(', "an opening parenthesis" },
		{ ')', "a closing parenthesis" },
		{ '[', "an opening bracket" },
		{ ']', "a closing bracket" },
		{ '<', "'<'" },
		{ '>', "'>'" },
		{ '"', "a quote" },
		{ ':', "a colon" },
		{ '.', "a dot" },
		{ '-', "a hyphen" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].c == c)
			return names[i].name;
	return "another character";
}

bool
lex_char(struct imap_lex *x, char c)
{
	return lex_peek(x, c) ? lex_took(x, 1) : lex_wanted(x, name_of(c));
}

/* How many characters in front are of a class. */
static size_t
run(const struct imap_lex *x, bool (*is)(unsigned c))
{
	size_t n = 0;

	while (x->at + n < x->all.len && is((unsigned char)x->all.ptr[x->at + n]))
		n++;
	return n;
}

static bool
take(struct imap_lex *x, bool (*is)(unsigned c), const char *what, str *out)
{
	size_t n = run(x, is);

	if (n == 0)
		return lex_wanted(x, what);
	*out = str_first(lex_rest(x), n);
	return lex_took(x, n);
}

bool
lex_word(struct imap_lex *x, str word)
{
	if (!str_istarts(lex_rest(x), word) || lex_is_atom(lex_at(x, word.len)))
		return lex_wanted(x, "another word");
	return lex_took(x, word.len);
}

bool
lex_atom(struct imap_lex *x, str *out)
{
	return take(x, lex_is_atom, "an atom", out);
}

bool
lex_tag(struct imap_lex *x, str *out)
{
	return take(x, is_tag, "a tag", out);
}

/* A run of characters, or a string; "~" begins both. */
static bool
run_or_string(struct imap_lex *x, bool (*is)(unsigned c), str *out)
{
	bool literal8 = lex_at(x, 0) == '~' && lex_at(x, 1) == '{';

	return !literal8 && is(lex_at(x, 0)) ? take(x, is, "a string", out)
					     : lex_string(x, out);
}

bool
lex_astring(struct imap_lex *x, str *out)
{
	return run_or_string(x, lex_is_astring, out);
}

bool
lex_list_mailbox(struct imap_lex *x, str *out)
{
	return run_or_string(x, is_list_char, out);
}

/* Of a quoted string's inside, without its backslashes. */
static bool
unescape(struct imap_lex *x, str inside, str *out)
{
	char *p = arena_alloc(x->mem, inside.len);
	size_t n = 0;

	if (p == NULL)
		return lex_wanted(x, "a shorter command");
	for (size_t i = 0; i < inside.len; i++) {
		if (inside.ptr[i] == '\\')
			i++;
		p[n++] = inside.ptr[i];
	}
	*out = (str){ p, n };
	return true;
}

/* RFC 9051 9: a backslash only before quoted-specials, no CR, LF or NUL; RFC 6855 3: 8-bit
 * only where the client said that it speaks UTF-8. */
static bool
quoted(struct imap_lex *x, str *out)
{
	bool escaped = false, wide = false;
	str rest = str_skip(lex_rest(x), 1);
	size_t n = 0;

	for (; n < rest.len && rest.ptr[n] != '"'; n++) {
		char c = rest.ptr[n];

		if (c == '\\') {
			escaped = true;
			if (++n == rest.len ||
				(rest.ptr[n] != '"' && rest.ptr[n] != '\\'))
				return lex_wanted(x,
					"a backslash before a quote or a backslash only");
		} else if (c == '\r' || c == '\n' || c == '\0') {
			return lex_wanted(x, "a quoted string within its line");
		}
		wide = wide || (unsigned char)c > DEL;
	}
	if (n >= rest.len)
		return lex_wanted(x, "the end of a quoted string");
	str inside = str_first(rest, n);
	if (wide && (!x->utf8 || !utf8_valid(inside)))
		return lex_wanted(
			x, x->utf8 ? "UTF-8" : "a literal for what is not ASCII");
	if (escaped && !unescape(x, inside, &inside))
		return false;
	*out = inside;
	return lex_took(x, n + 2);
}

/* Length and size of "{5+}\r\n", where that is all of what stands here; 0: it does not. */
static size_t
announced(str s, uint64_t *bytes)
{
	size_t n = s.len > 0 && s.ptr[0] == '~', digits;

	if (n >= s.len || s.ptr[n++] != '{')
		return 0;
	for (digits = n; n < s.len && lex_is_digit((unsigned char)s.ptr[n]);)
		n++;
	if (!str_u64((str){ s.ptr + digits, n - digits }, INT64_MAX, bytes))
		return 0;
	n += n < s.len && s.ptr[n] == '+';
	if (!str_starts(str_skip(s, n), STR("}\r\n")))
		return 0;
	return n + 3;
}

static bool
literal(struct imap_lex *x, str *out)
{
	uint64_t bytes;
	size_t n = announced(lex_rest(x), &bytes);

	if (n == 0 || bytes > x->all.len - x->at - n)
		return lex_wanted(x, "a literal");
	str s = { x->all.ptr + x->at + n, bytes };
	if (bytes > 0 && memchr(s.ptr, '\0', s.len) != NULL) /* CHAR8 is %x01-ff */
		return lex_wanted(x, "a literal without NUL");
	*out = s;
	return lex_took(x, n + bytes);
}

bool
lex_string(struct imap_lex *x, str *out)
{
	if (lex_peek(x, '"'))
		return quoted(x, out);
	if (lex_peek(x, '{') || lex_peek(x, '~'))
		return literal(x, out);
	return lex_wanted(x, "a string");
}

bool
lex_nstring(struct imap_lex *x, str *out, bool *nil)
{
	*nil = lex_word(x, STR("NIL"));
	if (*nil) {
		*out = (str){ 0 };
		return true;
	}
	size_t start = x->at;
	return lex_string(x, out) || lex_wanted_all(x, start, "a string or NIL");
}

static bool
number(struct imap_lex *x, uint64_t most, const char *what, uint64_t *out)
{
	size_t n = 0;

	while (lex_is_digit(lex_at(x, n)))
		n++;
	if (!str_u64(str_first(lex_rest(x), n), most, out))
		return lex_wanted(x, what);
	return lex_took(x, n);
}

bool
lex_number(struct imap_lex *x, uint32_t *out)
{
	uint64_t n;

	if (!number(x, UINT32_MAX, "a number", &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

bool
lex_nz_number(struct imap_lex *x, uint32_t *out)
{
	if (lex_peek(x, '0')) /* digit-nz *DIGIT */
		return lex_wanted(x, "a number from 1");
	return lex_number(x, out);
}

bool
lex_number64(struct imap_lex *x, uint64_t *out)
{
	return number(x, INT64_MAX, "a number", out);
}

bool
lex_partial(struct imap_lex *x, int64_t *from, int64_t *to)
{
	size_t start = x->at;
	int64_t sign = lex_peek(x, '-') ? -1 : 1;
	uint32_t a, b;

	/* of the same sign: first from first, or last from last */
	x->at += sign < 0;
	if (!lex_nz_number(x, &a) || !lex_char(x, ':') ||
		(sign < 0 && !lex_char(x, '-')) || !lex_nz_number(x, &b))
		return lex_back(x, start);
	*from = sign * (int64_t)a;
	*to = sign * (int64_t)b;
	return true;
}

enum rc
imap_line_literal(str line, struct imap_literal *out)
{
	size_t open = line.len;
	uint64_t bytes;

	if (line.len == 0 || line.ptr[line.len - 1] != '}')
		return RC_NONE;
	/* '}' alone may end an atom, '{' may not be in one */
	while (open > 0 && line.ptr[open - 1] != '{' &&
		lex_is_atom((unsigned char)line.ptr[open - 1]))
		open--;
	if (open == 0 || line.ptr[open - 1] != '{')
		return RC_NONE;
	str inside = { line.ptr + open, line.len - open - 1 };
	bool plus = inside.len > 0 && inside.ptr[inside.len - 1] == '+';
	if (!str_u64(str_first(inside, inside.len - plus), INT64_MAX, &bytes))
		return RC_BAD;
	*out = (struct imap_literal){ .bytes = bytes,
		.wait = !plus,
		.binary = open > 1 && line.ptr[open - 2] == '~' };
	return RC_OK;
}
