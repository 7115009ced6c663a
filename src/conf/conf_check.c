/* SPDX-License-Identifier: ISC */
#include "conf/conf_int.h"

#include "base/clock.h"
#include "base/ip.h"

/* A host name of RFC 952 and 1123 2.1 (A-labels for other scripts). */
static bool
is_host(str name)
{
	str rest = name, label;
	bool some = false;

	while (str_cut(&rest, '.', &label)) {
		some = true;
		if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
			label.ptr[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++) {
			char c = label.ptr[i];

			if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				    (c >= '0' && c <= '9') || c == '-'))
				return false;
		}
	}
	return some && name.len <= 253 && name.ptr[name.len - 1] != '.';
}

static enum rc
check_host(const char *key, str name, struct err *err)
{
	if (is_host(name))
		return RC_OK;
	return err_set(err, RC_BAD, "%s = \"%s\" is not a host name", key, name.ptr);
}

static enum rc
check_addresses(const char *key, str list, bool networks, struct err *err)
{
	str one;

	while (str_cut(&list, ' ', &one)) {
		str rest = one, address;
		struct ip ip;
		uint64_t bits = 0;

		if (str_empty(one))
			continue;
		(void)str_cut(&rest, '/', &address);
		if (!ip_parse(address, &ip) ||
			(address.len < one.len &&
				(!networks || !str_u64(rest, ip.family == 4 ? 32 : 128,
						      &bits))))
			return err_set(err, RC_BAD,
				"%s: \"" STR_FMT "\" is not an address", key,
				STR_ARG(one));
	}
	return RC_OK;
}

static enum rc
check_resolver(str text, struct err *err)
{
	str rest = text, address;
	struct ip ip;
	uint64_t port;

	if (str_empty(text))
		return RC_OK;
	(void)str_cut(&rest, '@', &address);
	if (!ip_parse(address, &ip) ||
		(address.len < text.len && (!str_u64(rest, 65535, &port) || port == 0)))
		return err_set(err, RC_BAD, "[dns] resolver = \"%s\" is not ADDRESS@PORT",
			text.ptr);
	return RC_OK;
}

static enum rc
check_test(const struct conf_test *t, struct err *err)
{
	uint64_t ms;

	if (!str_empty(t->now) && clock_parse(t->now, &ms, err) != RC_OK)
		return err_wrap(err, "[test] now");
	return RC_OK;
}

enum rc
conf_check(const struct conf *c, struct err *err)
{
	enum rc rc = check_host("hostname", c->server.hostname, err);

	if (rc == RC_OK && !str_empty(c->server.link_host))
		rc = check_host("link_host", c->server.link_host, err);
	if (rc == RC_OK)
		rc = check_addresses("listen", c->server.listen, false, err);
	if (rc == RC_OK)
		rc = check_addresses(
			"trusted_proxies", c->server.trusted_proxies, true, err);
	if (rc == RC_OK)
		rc = check_resolver(c->dns.resolver, err);
	if (rc == RC_OK)
		rc = check_test(&c->test, err);
	return rc;
}
