/* SPDX-License-Identifier: ISC */
/*
 * ip: an address and port as a small value.  IPv4 is kept as IPv4; an
 * IPv4-mapped IPv6 address becomes IPv4.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

enum { IP_TEXT = 64 };

struct ip {
	uint8_t family;		/* 0 none, 4 or 6 */
	uint8_t bytes[16];	/* network order; IPv4 in the first four */
	uint16_t port;
};

bool ip_parse(str text, struct ip *out);		/* "192.0.2.1", "2001:db8::1"; port 0 */
void ip_text(const struct ip *ip, char out[IP_TEXT]);	/* without the port */
void ip_from_sockaddr(const struct sockaddr *sa, struct ip *out);
socklen_t ip_to_sockaddr(const struct ip *ip, struct sockaddr_storage *out);
bool ip_is_loopback(const struct ip *ip);
bool ip_same(const struct ip *a, const struct ip *b);	/* ports aside */
struct ip ip_network(const struct ip *ip);		/* /24 or /64, port 0 */
struct ip ip_site(const struct ip *ip);			/* /24 or /48, port 0: one customer's */
/* Is ip in the space-separated list of addresses and ADDRESS/BITS? */
bool ip_in_list(const struct ip *ip, str list);
