/* SPDX-License-Identifier: ISC */
#include "net/proxy2.h"

#include <netinet/in.h>

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum { HEAD = 16, VERSION = 2, LOCAL = 0, PROXY = 1, TCP4 = 0x11, TCP6 = 0x21 };

static unsigned
be16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static struct ip
ip4(const unsigned char *addr, const unsigned char *port)
{
	struct ip ip = { .family = 4, .port = (uint16_t)be16(port) };

	memcpy(ip.bytes, addr, 4);
	return ip;
}

/* By way of a sockaddr, which knows IPv4-mapped addresses. */
static struct ip
ip6(const unsigned char *addr, const unsigned char *port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct ip ip;

	memcpy(&in6.sin6_addr, addr, 16);
	in6.sin6_port = htons((uint16_t)be16(port));
	ip_from_sockaddr((const struct sockaddr *)&in6, &ip);
	return ip;
}

/* 2.2: a header for an address family is at least as long as its addresses. */
static enum rc
addresses(unsigned family, const unsigned char *p, size_t len, struct ip *from,
	struct ip *to)
{
	if (family == TCP4) {
		if (len < 12)
			return RC_BAD;
		*from = ip4(p, p + 8);
		*to = ip4(p + 4, p + 10);
	} else if (family == TCP6) {
		if (len < 36)
			return RC_BAD;
		*from = ip6(p, p + 32);
		*to = ip6(p + 16, p + 34);
	}
	return RC_OK;
}

enum rc
proxy2_parse(str bytes, size_t *used, struct ip *from, struct ip *to)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	size_t sig = bytes.len < sizeof(signature) ? bytes.len : sizeof(signature);

	if (sig > 0 && memcmp(bytes.ptr, signature, sig) != 0)
		return RC_BAD;
	if (bytes.len < HEAD)
		return RC_NONE;
	size_t len = be16(p + 14);
	unsigned command = p[12] & 0x0f;
	if (p[12] >> 4 != VERSION || command > PROXY || HEAD + len > PROXY2_MOST)
		return RC_BAD;
	if (bytes.len < HEAD + len)
		return RC_NONE;
	if (command != LOCAL && addresses(p[13], p + HEAD, len, from, to) != RC_OK)
		return RC_BAD;
	*used = HEAD + len;
	return RC_OK;
}
