/* SPDX-License-Identifier: ISC */
#include "wire/smtp_path.h"

#include "base/ip.h"

enum { LABEL_MOST = 63 };

static unsigned
at(str s, size_t i)
{
	return i < s.len ? (unsigned char)s.ptr[i] : 0;
}

static bool
is_let_dig(unsigned c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

/* RFC 5322 3.2.3 */
static bool
is_atext(unsigned c)
{
	return is_let_dig(c) || (c != 0 && strchr("!#$%&'*+-/=?^`{|}~", (int)c) != NULL);
}

/* How many bytes the lead byte announces, and the bounds of the second. */
static size_t
utf8_shape(unsigned lead, unsigned *low, unsigned *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : lead == 0xc2 ? 0xa0 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

size_t
smtp_utf8_length(str s)
{
	unsigned low, high;

	if (at(s, 0) < 0x80)
		return s.len > 0 ? 1 : 0;
	size_t n = utf8_shape(at(s, 0), &low, &high);
	if (n == 0 || s.len < n || at(s, 1) < low || at(s, 1) > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (at(s, i) < 0x80 || at(s, i) > 0xbf)
			return 0;
	return n;
}

static size_t
label_length(str s)
{
	size_t n = 0;

	while (n < s.len) {
		unsigned c = at(s, n);
		size_t step = c >= 0x80 ? smtp_utf8_length(str_skip(s, n))
			      : is_let_dig(c) || (c == '-' && n > 0) ? 1
								     : 0;

		if (step == 0)
			break;
		n += step;
	}
	return n > LABEL_MOST || (n > 0 && at(s, n - 1) == '-') ? 0 : n;
}

/* RFC 5321 4.1.3; there is no tag but IPv6 */
static size_t
literal_length(str s)
{
	size_t end = str_find(s, STR("]"));
	struct ip ip;

	if (end == s.len || end < 2)
		return 0;
	str inside = { s.ptr + 1, end - 1 };
	bool six = str_istarts(inside, STR("IPv6:"));
	if (six)
		inside = str_skip(inside, 5);
	if (!ip_parse(inside, &ip) || (ip.family == 6) != six)
		return 0;
	return end + 1;
}

size_t
smtp_domain_length(str s)
{
	size_t n = 0;

	if (at(s, 0) == '[')
		return literal_length(s);
	for (;;) {
		size_t label = label_length(str_skip(s, n));

		if (label == 0)
			return 0;
		n += label;
		if (at(s, n) != '.')
			break;
		n++;
	}
	return n > SMTP_DOMAIN_MOST ? 0 : n;
}

bool
smtp_is_domain(str s)
{
	return s.len > 0 && smtp_domain_length(s) == s.len;
}

static void
keep(struct smtp_path *p, str bytes)
{
	/* what is kept is never longer than the path, and that was measured */
	if (bytes.len > SMTP_PATH_MOST - p->plain_len)
		return;
	memcpy(p->plain + p->plain_len, bytes.ptr, bytes.len);
	p->plain_len += bytes.len;
	if ((unsigned char)bytes.ptr[0] >= 0x80)
		p->utf8 = true;
}

static size_t
dot_string(str s, struct smtp_path *p)
{
	size_t n = 0;
	bool dot = true; /* the last was one, or it is the beginning */

	while (n < s.len) {
		unsigned c = at(s, n);
		size_t step = c >= 0x80 ? smtp_utf8_length(str_skip(s, n)) : 1;

		if (step == 0 || (c < 0x80 && !is_atext(c) && c != '.'))
			break;
		if (c == '.' && dot)
			return 0;
		dot = c == '.';
		keep(p, (str){ s.ptr + n, step });
		n += step;
	}
	return dot ? 0 : n;
}

/* RFC 5321 4.1.2 Quoted-string, with RFC 6531's non-ASCII */
static size_t
quoted_string(str s, struct smtp_path *p)
{
	size_t n = 1;

	while (n < s.len && at(s, n) != '"') {
		size_t step = smtp_utf8_length(str_skip(s, n));

		if (at(s, n) == '\\') {
			n++;
			if (at(s, n) >= 0x7f)
				return 0;
		}
		if (step == 0 || at(s, n) < ' ' || at(s, n) == 0x7f)
			return 0;
		keep(p, (str){ s.ptr + n, step });
		n += step;
	}
	return n < s.len && n > 1 ? n + 1 : 0;
}

/* RFC 5321 4.1.2 A-d-l: "@a,@b:" before the mailbox, to be ignored */
static bool
skip_route(str *s)
{
	str left = *s;

	if (at(left, 0) != '@')
		return true;
	for (;;) {
		if (at(left, 0) != '@')
			return false;
		left = str_skip(left, 1);
		size_t n = smtp_domain_length(left);
		if (n == 0)
			return false;
		unsigned after = at(left, n);
		left = str_skip(left, n + 1);
		if (after == ':')
			break;
		if (after != ',')
			return false;
	}
	*s = left;
	return true;
}

/* Local-part "@" ( Domain / address-literal ); its length or 0. */
static size_t
mailbox(str s, struct smtp_path *p)
{
	size_t n = at(s, 0) == '"' ? quoted_string(s, p) : dot_string(s, p);

	if (n == 0 || at(s, n) != '@')
		return 0;
	str domain = str_skip(s, n + 1);
	size_t len = smtp_domain_length(domain);
	if (len == 0)
		return 0;
	p->domain = str_first(domain, len);
	p->literal = domain.ptr[0] == '[';
	keep(p, STR("@"));
	keep(p, p->domain);
	for (size_t i = 0; i < len; i++)
		p->utf8 = p->utf8 || (unsigned char)domain.ptr[i] >= 0x80;
	return n + 1 + len;
}

static size_t
inside(str s, unsigned allow, struct smtp_path *p)
{
	static const str postmaster = STR_INIT("postmaster");

	if ((allow & SMTP_ALLOW_POSTMASTER) && str_istarts(s, postmaster) &&
		at(s, postmaster.len) == '>') {
		keep(p, postmaster);
		return postmaster.len;
	}
	return mailbox(s, p);
}

enum rc
smtp_path_read(str *rest, unsigned allow, struct smtp_path *out)
{
	struct smtp_path p = { 0 };
	str s = *rest;
	size_t n = 0;

	if (at(s, 0) != '<')
		return RC_BAD;
	s = str_skip(s, 1);
	if (!skip_route(&s))
		return RC_BAD;
	bool null = (allow & SMTP_ALLOW_NULL) && at(s, 0) == '>' &&
		    s.ptr == rest->ptr + 1;
	if (!null && (n = inside(s, allow, &p)) == 0)
		return RC_BAD;
	if (at(s, n) != '>')
		return RC_BAD;
	if (n + 2 > SMTP_PATH_MOST) /* the brackets count */
		return RC_LIMIT;
	p.text = null ? STR("") : str_first(s, n);
	p.plain[p.plain_len] = '\0';
	*rest = str_skip(s, n + 1);
	*out = p;
	return RC_OK;
}
