/* SPDX-License-Identifier: ISC */
/*
 * The canonical form of addresses.  Which bytes may stand in RCPT is the SMTP
 * grammar's affair; what comes here is unquoted, so a local part may hold
 * anything visible, '@' and spaces too (RFC 5321 4.1.2).
 */
#include <idn2.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "directory/directory_int.h"

static bool
plain_ascii(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

static enum rc
lower(str s, struct arena *mem, str *out)
{
	char *p = arena_alloc(mem, s.len + 1);

	if (p == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < s.len; i++)
		p[i] = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + 32)
							  : s.ptr[i];
	*out = (str){ p, s.len };
	return RC_OK;
}

/* Letters, digits, hyphens (and underscores, which live hosts have) in labels of
 * 1 to 63, no hyphen at either end: RFC 1123 2.1, RFC 5321 4.1.2. */
static bool
host_name(str name)
{
	str label;
	size_t labels = 0;

	if (name.len == 0 || name.len > DOMAIN_MOST || name.ptr[name.len - 1] == '.')
		return false;
	while (str_cut(&name, '.', &label)) {
		if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
			label.ptr[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++) {
			char c = label.ptr[i];

			if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
				c != '-' && c != '_')
				return false;
		}
		labels++;
	}
	return labels > 0;
}

static enum rc
not_a_domain(struct err *err, str domain)
{
	return err_set(err, RC_BAD, "\"" STR_FMT "\" is not a domain name",
		STR_ARG(str_first(domain, 100)));
}

/* IDNA 2008 to A-labels (RFC 5891), case-mapped as UTS 46 says. */
static enum rc
to_a_labels(str domain, struct arena *mem, str *out, struct err *err)
{
	char z[4 * DOMAIN_MOST + 1];
	char *ace = NULL;
	enum rc rc;

	if (!str_z(domain, z, sizeof(z)) ||
		idn2_lookup_u8((const uint8_t *)z, (uint8_t **)&ace,
			IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return not_a_domain(err, domain);
	rc = lower(str_of(ace), mem, out);
	idn2_free(ace);
	return rc;
}

enum rc
domain_canonical(str domain, struct arena *mem, str *canonical, struct err *err)
{
	str name;
	enum rc rc;

	if (domain.len == 0 || domain.len > 4 * DOMAIN_MOST)
		return not_a_domain(err, domain);
	if (plain_ascii(domain) && str_ifind(domain, STR("xn--")) == domain.len)
		rc = lower(domain, mem, &name);
	else
		rc = to_a_labels(domain, mem, &name, err);
	if (rc == RC_LIMIT)
		return err_set(err, RC_LIMIT, "the domain name is too long");
	if (rc != RC_OK)
		return rc;
	if (!host_name(name))
		return not_a_domain(err, domain);
	*canonical = name;
	return RC_OK;
}

/* What cannot be seen, or breaks lines, is in no name. */
static bool
visible(str s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;

	for (size_t i = 0; i < s.len;) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(
			p + i, (utf8proc_ssize_t)(s.len - i), &c);

		if (n <= 0)
			return false;
		switch ((int)utf8proc_category(c)) {
		case UTF8PROC_CATEGORY_CC:
		case UTF8PROC_CATEGORY_CS:
		case UTF8PROC_CATEGORY_CO:
		case UTF8PROC_CATEGORY_ZL:
		case UTF8PROC_CATEGORY_ZP:
			return false;
		default:
			break;
		}
		i += (size_t)n;
	}
	return true;
}

/* Composed, case-folded (Unicode 5.18), composed again: folding may undo it. */
static enum rc
fold(str local, struct arena *mem, str *out, struct err *err)
{
	uint8_t *folded = NULL;
	utf8proc_ssize_t n;
	enum rc rc;

	if (!visible(local))
		return err_set(
			err, RC_BAD, "the part before @ is not visible UTF-8 text");
	if (plain_ascii(local))
		return lower(local, mem, out);
	n = utf8proc_map((const uint8_t *)local.ptr, (utf8proc_ssize_t)local.len, &folded,
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
	if (n < 0)
		return err_set(err, RC_BAD, "the part before @ is not UTF-8 text");
	rc = arena_copy(mem, (str){ (const char *)folded, (size_t)n }, out);
	free(folded);
	return rc;
}

enum rc
address_split(str address, struct arena *mem, struct address *out, struct err *err)
{
	struct address a = { 0 };
	size_t at = address.len;
	size_t plus;
	enum rc rc;

	while (at > 0 && address.ptr[at - 1] != '@')
		at--;
	if (at == 0)
		return err_set(err, RC_BAD,
			"\"" STR_FMT "\" is not an address: it has no @",
			STR_ARG(str_first(address, 100)));
	rc = domain_canonical(str_skip(address, at), mem, &a.domain, err);
	if (rc != RC_OK)
		return rc;
	str local = str_first(address, at - 1);
	if (local.len == 0 || local.len > LOCAL_MOST + 1 + TAG_MOST)
		return err_set(err, RC_BAD, "the part before @ is empty or too long");
	if ((rc = fold(local, mem, &local, err)) != RC_OK)
		return rc == RC_LIMIT ? err_set(err, RC_LIMIT, "the address is too long")
				      : rc;
	/* "+x@" is a name, not a tag of nobody */
	plus = str_find(str_skip(local, 1), STR("+")) + 1;
	a.local = str_first(local, plus);
	a.tag = str_skip(local, plus + 1);
	if (a.local.len > LOCAL_MOST || a.tag.len > TAG_MOST)
		return err_set(err, RC_BAD, "the part before @ is longer than %d bytes",
			LOCAL_MOST);
	*out = a;
	return RC_OK;
}

enum rc
address_join(str local, str tag, str domain, struct arena *mem, str *out)
{
	size_t plus = tag.len > 0 ? tag.len + 1 : 0;
	size_t len = local.len + plus + 1 + domain.len;
	char *p = arena_alloc(mem, len + 1);

	if (p == NULL)
		return RC_LIMIT;
	memcpy(p, local.ptr, local.len);
	if (plus > 0) {
		p[local.len] = '+';
		memcpy(p + local.len + 1, tag.ptr, tag.len);
	}
	p[local.len + plus] = '@';
	memcpy(p + local.len + plus + 1, domain.ptr, domain.len);
	*out = (str){ p, len };
	return RC_OK;
}

enum rc
address_canonical(
	str address, struct arena *mem, str *canonical, str *tag, struct err *err)
{
	struct address a;
	str joined;
	enum rc rc = address_split(address, mem, &a, err);

	if (rc != RC_OK)
		return rc;
	rc = address_join(a.local, (str){ 0 }, a.domain, mem, &joined);
	if (rc != RC_OK)
		return err_set(err, rc, "the address is too long");
	*canonical = joined;
	if (tag != NULL)
		*tag = a.tag;
	return RC_OK;
}

/* RFC 5321's dot-string, with RFC 6531's UTF-8. */
bool
address_dot_string(str local)
{
	static const char specials[] = "()<>[]:;@\\,\" ";
	char before = '.';

	for (size_t i = 0; i < local.len; i++) {
		char c = local.ptr[i];

		if (memchr(specials, c, sizeof(specials) - 1) != NULL ||
			(c == '.' && before == '.'))
			return false;
		before = c;
	}
	return local.len > 0 && before != '.';
}
