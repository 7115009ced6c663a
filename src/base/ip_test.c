/* SPDX-License-Identifier: ISC */
#include "base/ip.h"
#include "test/test.h"

static struct ip
ip_of(const char *text)
{
	struct ip ip = { 0 };

	assert_true(ip_parse(str_of(text), &ip));
	return ip;
}

TEST(an_address_is_found_in_a_list_of_networks)
{
	static const struct {
		const char *ip;
		str list;
		bool in;
	} cases[] = {
		{ "192.0.2.7", STR_INIT("192.0.2.0/24"), true },
		{ "192.0.3.7", STR_INIT("192.0.2.0/24"), false },
		{ "192.0.2.7", STR_INIT("10.0.0.1 192.0.2.7"), true },
		{ "192.0.2.7", STR_INIT("192.0.2.6"), false },
		{ "2001:db8::1", STR_INIT("2001:db8::/33"), true },
		{ "2001:db8:8000::1", STR_INIT("2001:db8::/33"), false },
		{ "127.0.0.1", STR_INIT("::1"), false },
		{ "127.0.0.1", STR_INIT("nonsense 0.0.0.0/0"), true },
		{ "127.0.0.1", STR_INIT(""), false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = ip_of(cases[i].ip);

		assert_int_equal(ip_in_list(&ip, cases[i].list), cases[i].in);
	}
}

TEST(a_mapped_address_is_the_ipv4_address_it_means)
{
	struct ip v6 = ip_of("::ffff:192.0.2.1"), got;
	struct sockaddr_storage ss;
	char text[IP_TEXT];

	(void)ip_to_sockaddr(&v6, &ss);
	ip_from_sockaddr((const struct sockaddr *)&ss, &got);
	ip_text(&got, text);
	assert_string_equal(text, "192.0.2.1");
}

TEST(neighbours_share_a_network)
{
	struct ip a = ip_network(
		&(struct ip){ .family = 4, .bytes = { 192, 0, 2, 1 }, .port = 9 });
	struct ip b = ip_of("2001:db8::1:0:0:1"), c = ip_network(&b);
	char text[IP_TEXT];

	ip_text(&a, text);
	assert_string_equal(text, "192.0.2.0");
	assert_int_equal(a.port, 0);
	ip_text(&c, text);
	assert_string_equal(text, "2001:db8::");
}
