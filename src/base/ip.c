/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

bool
ip_parse(str text, struct ip *out)
{
	char z[INET6_ADDRSTRLEN + 1];
	struct ip ip = { 0 };

	if (!str_z(text, z, sizeof(z)))
		return false;
	if (inet_pton(AF_INET, z, ip.bytes) == 1)
		ip.family = 4;
	else if (inet_pton(AF_INET6, z, ip.bytes) == 1)
		ip.family = 6;
	else
		return false;
	*out = ip;
	return true;
}

void
ip_text(const struct ip *ip, char out[IP_TEXT])
{
	out[0] = '\0';
	if (ip->family != 0)
		(void)inet_ntop(
			ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, out, IP_TEXT);
}

void
ip_from_sockaddr(const struct sockaddr *sa, struct ip *out)
{
	struct ip ip = { 0 };

	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		ip.family = 4;
		memcpy(ip.bytes, &in.sin_addr, 4);
		ip.port = ntohs(in.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		ip.port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			ip.family = 4;
			memcpy(ip.bytes, in6.sin6_addr.s6_addr + 12, 4);
		} else {
			ip.family = 6;
			memcpy(ip.bytes, &in6.sin6_addr, 16);
		}
	}
	*out = ip;
}

socklen_t
ip_to_sockaddr(const struct ip *ip, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (ip->family == 4) {
		struct sockaddr_in in = { .sin_family = AF_INET,
			.sin_port = htons(ip->port) };

		memcpy(&in.sin_addr, ip->bytes, 4);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(ip->port) };

	memcpy(&in6.sin6_addr, ip->bytes, 16);
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return (ip->family == 4 && ip->bytes[0] == 127) ||
	       (ip->family == 6 && memcmp(ip->bytes, one, 16) == 0);
}

bool
ip_same(const struct ip *a, const struct ip *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

static void
mask(struct ip *ip, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			ip->bytes[i] = (uint8_t)(ip->bytes[i] & (0xff00u >> keep));
	}
	ip->port = 0;
}

struct ip
ip_network(const struct ip *ip)
{
	struct ip net = *ip;

	mask(&net, ip->family == 4 ? 24 : 64);
	return net;
}

struct ip
ip_site(const struct ip *ip)
{
	struct ip net = *ip;

	mask(&net, ip->family == 4 ? 24 : 48);
	return net;
}

bool
ip_in_list(const struct ip *ip, str list)
{
	str item, addr;

	while (str_cut(&list, ' ', &item)) {
		struct ip net, of = *ip;
		uint64_t bits;

		if (!str_cut(&item, '/', &addr) || !ip_parse(addr, &net) ||
			net.family != ip->family)
			continue;
		if (!str_u64(item, net.family == 4 ? 32 : 128, &bits))
			bits = net.family == 4 ? 32 : 128;
		mask(&net, (unsigned)bits);
		mask(&of, (unsigned)bits);
		if (ip_same(&net, &of))
			return true;
	}
	return false;
}
