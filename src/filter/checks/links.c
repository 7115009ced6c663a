/* SPDX-License-Identifier: ISC */
/*
 * Links that do not lead where they say.  Honest newsletters count clicks by way of
 * another host, so a text that names one and leads to another alone refuses nothing.
 */
#include "filter/checks/checks.h"

#include "base/ip.h"

struct link_parts {
	str userinfo, host; /* without port; "" if it has none */
	bool has_userinfo;
};

/* The authority of RFC 3986 3.2, as browsers read it: '\' for '/', any number of them. */
static bool
link_read(str url, struct link_parts *out)
{
	str rest = url, authority;
	size_t n = 0, at = SIZE_MAX;

	*out = (struct link_parts){ 0 };
	if (!str_istarts(rest, STR("http:")) && !str_istarts(rest, STR("https:")) &&
		!str_istarts(rest, STR("ftp:")))
		return false;
	rest = str_skip(rest, str_find(rest, STR(":")) + 1);
	while (rest.len > 0 && (rest.ptr[0] == '/' || rest.ptr[0] == '\\'))
		rest = str_skip(rest, 1);
	while (n < rest.len && memchr("/\\?#", rest.ptr[n], 4) == NULL)
		n++;
	authority = str_first(rest, n);
	for (size_t i = 0; i < authority.len; i++)
		if (authority.ptr[i] == '@')
			at = i;
	if (at != SIZE_MAX) {
		out->has_userinfo = true;
		out->userinfo = str_first(authority, at);
		authority = str_skip(authority, at + 1);
	}
	out->host = authority;
	if (authority.len > 0 && authority.ptr[0] == '[')
		out->host = str_first(authority, str_find(authority, STR("]")) + 1);
	else
		out->host = str_first(authority, str_find(authority, STR(":")));
	while (out->host.len > 0 && out->host.ptr[out->host.len - 1] == '.')
		out->host.len--;
	return out->host.len > 0;
}

/* Dotted, or a number by itself in decimal or hexadecimal: browsers take them all. */
static bool
is_address(str host)
{
	struct ip ip;
	bool digits = host.len > 0;

	if (host.len > 0 && host.ptr[0] == '[')
		return true;
	for (size_t i = 0; i < host.len; i++)
		digits &= (host.ptr[i] >= '0' && host.ptr[i] <= '9') ||
			  host.ptr[i] == '.';
	return digits || ip_parse(host, &ip) ||
	       (str_istarts(host, STR("0x")) && str_find(host, STR(".")) == host.len);
}

static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* "www.bank.example" or "https://bank.example/login": what the text says the link leads
 * to.  Only a text that is one such word: a sentence that names a host is none. */
static str
host_shown(str text)
{
	struct link_parts parts;
	str word = str_trim(text), last;
	size_t n = 0;

	if (str_find(word, STR(" ")) < word.len || str_find(word, STR("\n")) < word.len ||
		str_find(word, STR("@")) < word.len)
		return STR("");
	if (link_read(word, &parts))
		return parts.host;
	while (n < word.len && is_host_char(word.ptr[n]))
		n++;
	if (n < word.len && word.ptr[n] != '/')
		return STR("");
	word = str_first(word, n);
	last = word;
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] == '.')
			last = str_skip(word, i + 1);
	/* "Version 2.0" and "report.pdf" are no hosts; "www." says that it is one */
	if (last.len == word.len || last.len < 2 || !str_istarts(word, STR("www.")))
		return STR("");
	return word;
}

/* The last two labels, or three where the last two are short (co.uk).  Without a list of
 * public suffixes that is wrong for some, in favour of the message. */
static str
site_of(str host)
{
	enum { SHORT = 6 };
	size_t dots = 0;

	for (size_t i = host.len; i > 0; i--) {
		dots += host.ptr[i - 1] == '.';
		if (dots == 3 ||
			(dots == 2 && host.ptr[i - 1] == '.' && host.len - i > SHORT))
			return str_skip(host, i);
	}
	return host;
}

/* "www.a.test" is within "a.test". */
static bool
is_within(str host, str other)
{
	return host.len > other.len && host.ptr[host.len - other.len - 1] == '.' &&
	       str_ieq(str_skip(host, host.len - other.len), other);
}

static bool
leads_elsewhere(const struct content_link *link)
{
	struct link_parts parts;
	str shown = host_shown(link->text);

	return shown.len > 0 && link_read(link->url, &parts) &&
	       !str_ieq(site_of(shown), site_of(parts.host)) &&
	       !is_within(shown, parts.host) && !is_within(parts.host, shown);
}

static bool
leads_to_address(const struct content_link *link)
{
	struct link_parts parts;

	return link_read(link->url, &parts) && is_address(parts.host);
}

/* https://bank.example@evil.example/ */
static bool
has_userinfo(const struct content_link *link)
{
	struct link_parts parts;

	return link_read(link->url, &parts) && parts.has_userinfo;
}

static bool
is_punycode(const struct content_link *link)
{
	struct link_parts parts;
	str rest, label;

	if (!link_read(link->url, &parts))
		return false;
	rest = parts.host;
	while (str_cut(&rest, '.', &label))
		if (str_istarts(label, STR("xn--")))
			return true;
	return false;
}

static enum rc
look(const struct check *c, const struct evidence *e, struct findings *f,
	bool (*is)(const struct content_link *))
{
	for (size_t i = 0; e->content != NULL && i < e->content->nlinks; i++) {
		const struct content_link *link = &e->content->links[i];

		if ((link->flags & (LINK_IMAGE | LINK_HIDDEN)) != 0 || !is(link))
			continue;
		finding_add(f, c, STR(""));
		break;
	}
	return RC_OK;
}

#define CHECK(name_, run_, is_)                                              \
	static enum rc run_(const struct check *c, const struct evidence *e, \
		struct findings *f, struct err *err)                         \
	{                                                                    \
		(void)err;                                                   \
		return look(c, e, f, is_);                                   \
	}
CHECK(LINK_TEXT, run_text, leads_elsewhere)
CHECK(LINK_ADDRESS, run_address, leads_to_address)
CHECK(LINK_USERINFO, run_userinfo, has_userinfo)
CHECK(LINK_PUNYCODE, run_punycode, is_punycode)

const struct check check_link_text = { STR_INIT("LINK_TEXT"), GROUP_LINKS, CHECK_CHEAP,
	1000, "A link whose text is another address than it leads to.", run_text };

const struct check check_link_address = { STR_INIT("LINK_ADDRESS"), GROUP_LINKS,
	CHECK_CHEAP, 1500, "A link to a host without a name.", run_address };

const struct check check_link_userinfo = { STR_INIT("LINK_USERINFO"), GROUP_LINKS,
	CHECK_CHEAP, 2000,
	"A link with something that looks like its host in front of it.", run_userinfo };

const struct check check_link_punycode = { STR_INIT("LINK_PUNYCODE"), GROUP_LINKS,
	CHECK_CHEAP, 300, "A link to a host with letters beyond ASCII.", run_punycode };
