/* SPDX-License-Identifier: ISC */
#include "net/limit.h"
#include "test/test.h"

static struct ip
ip(const char *text)
{
	struct ip out;

	assert_true(ip_parse(str_of(text), &out));
	return out;
}

TEST(one_address_may_not_take_all_connections)
{
	struct limit *l = limit_new(10, 2, 100);
	struct ip a = ip("192.0.2.1"), b = ip("192.0.2.2");

	assert_true(limit_enter(l, &a, 0));
	assert_true(limit_enter(l, &a, 0));
	assert_false(limit_enter(l, &a, 0));
	assert_true(limit_enter(l, &b, 0));
	limit_leave(l, &a);
	assert_true(limit_enter(l, &a, 0));
	limit_change(l, 3, 100);
	assert_true(limit_enter(l, &a, 0));
	limit_free(&l);
}

TEST(a_network_of_ipv6_addresses_is_one_client)
{
	struct limit *l = limit_new(10, 1, 100);
	struct ip a = ip("2001:db8::1"), b = ip("2001:db8::ffff:2"),
		  c = ip("2001:db8:0:1::1");

	assert_true(limit_enter(l, &a, 0));
	assert_false(limit_enter(l, &b, 0));
	assert_true(limit_enter(l, &c, 0));
	limit_free(&l);
}

TEST(the_loopback_is_exempt)
{
	struct limit *l = limit_new(1, 1, 1);
	struct ip a = ip("127.0.0.1"), b = ip("::1");

	for (int i = 0; i < 10; i++) {
		assert_true(limit_enter(l, &a, 0));
		assert_true(limit_enter(l, &b, 0));
	}
	limit_leave(l, &a);
	limit_free(&l);
}

TEST(new_connections_in_a_minute_are_counted_and_forgiven)
{
	struct limit *l = limit_new(10, 1000, 6);
	struct ip a = ip("192.0.2.1");

	for (int i = 0; i < 6; i++) {
		assert_true(limit_enter(l, &a, 1000));
		limit_leave(l, &a);
	}
	assert_false(limit_enter(l, &a, 1000));
	assert_false(limit_enter(l, &a, 10999));
	assert_true(limit_enter(l, &a, 11000)); /* 6 a minute: one in 10 s */
	assert_false(limit_enter(l, &a, 11000));
	limit_leave(l, &a);
	for (int i = 0; i < 6; i++)
		assert_true(limit_enter(l, &a, 80000));
	limit_free(&l);
}

TEST(a_full_table_forgets_the_longest_idle_and_nobody_who_is_here)
{
	struct limit *l = limit_new(2, 1, 1);
	struct ip a = ip("192.0.2.1"), b = ip("192.0.2.2"), c = ip("192.0.2.3");

	assert_true(limit_enter(l, &a, 0));
	assert_true(limit_enter(l, &b, 0));
	limit_leave(l, &b);
	assert_true(limit_enter(l, &c, 0)); /* b's place */
	assert_false(limit_enter(l, &a, 0)); /* still here */
	assert_false(limit_enter(l, &b, 0)); /* everybody is here */
	limit_leave(l, &c);
	limit_leave(l, &a);
	assert_true(limit_enter(l, &b, 0));
	limit_free(&l);
}

TEST(who_is_fast_enough_never_meets_the_deadline)
{
	struct pace p = { .start_ms = 1000, .grace_ms = 60000, .per_second = 100 };

	assert_int_equal(pace_until(&p), 61000);
	p.bytes = 250;
	assert_int_equal(pace_until(&p), 63500);
	p.bytes = (uint64_t)1 << 40;
	assert_int_equal(pace_until(&p), 61000 + ((uint64_t)1 << 40) * 10);
	p.per_second = 0;
	assert_true(pace_until(&p) == UINT64_MAX);
}
