/* SPDX-License-Identifier: ISC */
#include "directory/guard.h"

#include <stdio.h>

#include "test/test.h"

enum { MINUTE = 60 * 1000, BLOCK = 15 * MINUTE, T0 = 1000000 };

static const struct guard_limits limits = {
	.slow_after = 3, .block_after = 20, .block_ms = BLOCK
};

#define GUARD __attribute__((cleanup(guard_free))) struct guard

static struct guard_try
from(const char *peer, const char *name)
{
	struct guard_try t = { .name = str_of(name) };

	assert_true(ip_parse(str_of(peer), &t.peer));
	return t;
}

static void
fail_times(struct guard *g, struct guard_try t, int n, uint64_t now)
{
	for (int i = 0; i < n; i++)
		guard_failed(g, &t, now);
}

static uint64_t
delay(struct guard *g, struct guard_try t, uint64_t now)
{
	struct guard_says s = guard_ask(g, &t, now);

	assert_false(s.blocked);
	return s.delay_ms;
}

static bool
blocked(struct guard *g, struct guard_try t, uint64_t now)
{
	return guard_ask(g, &t, now).blocked;
}

TEST(who_mistypes_a_few_times_waits_for_nothing_then_longer_and_longer)
{
	static const uint64_t want[] = { 0, 0, 0, 1000, 2000, 4000, 8000, 15000, 15000 };
	GUARD *g = guard_new(&limits);
	struct guard_try t = from("192.0.2.1", "a@a.test");

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(delay(g, t, T0), want[i]);
		guard_failed(g, &t, T0);
	}
}

TEST(failures_are_forgotten_one_after_the_other)
{
	GUARD *g = guard_new(&limits);
	struct guard_try t = from("192.0.2.1", "a@a.test");

	fail_times(g, t, 5, T0);
	assert_int_equal(delay(g, t, T0), 4000);
	assert_int_equal(delay(g, t, T0 + BLOCK / 5), 2000);
	assert_int_equal(delay(g, t, T0 + 2 * BLOCK / 5), 1000);
	assert_int_equal(delay(g, t, T0 + 3 * BLOCK / 5), 0);
	fail_times(g, t, 1, T0 + 4 * BLOCK / 5); /* 1 left, and this one */
	assert_int_equal(delay(g, t, T0 + 4 * BLOCK / 5), 0);
	fail_times(g, t, 1, T0 + 4 * BLOCK / 5);
	assert_int_equal(delay(g, t, T0 + 4 * BLOCK / 5), 1000);
	assert_int_equal(delay(g, t, UINT64_MAX / 2), 0);
}

TEST(who_goes_on_guessing_is_refused_for_a_while_and_then_sooner_again)
{
	GUARD *g = guard_new(&limits);
	struct guard_try t = from("192.0.2.1", "a@a.test");

	fail_times(g, t, 19, T0);
	assert_false(blocked(g, t, T0));
	guard_failed(g, &t, T0);
	struct guard_says s = guard_ask(g, &t, T0);
	assert_true(s.blocked);
	assert_int_equal(s.until_ms, T0 + BLOCK);
	assert_true(blocked(g, t, T0 + BLOCK - 1));
	assert_true(blocked(g, from("192.0.2.1", "another@a.test"), T0));
	assert_false(blocked(g, t, T0 + BLOCK));
	fail_times(g, t, 4, T0 + BLOCK);
	assert_false(blocked(g, t, T0 + BLOCK));
	guard_failed(g, &t, T0 + BLOCK);
	assert_true(blocked(g, t, T0 + BLOCK));
}

TEST(failures_within_a_short_while_count_whole)
{
	GUARD *g = guard_new(&limits);
	struct guard_try t = from("192.0.2.1", "a@a.test");

	for (uint64_t i = 0; i < 20; i++)
		fail_times(g, t, 1, T0 + i * 9000);
	assert_true(blocked(g, t, T0 + 20 * 9000 - 1));
	t = from("192.0.3.1", "b@a.test");
	for (uint64_t i = 0; i < 60; i++) /* one a minute: two of three stay */
		fail_times(g, t, 1, T0 + i * MINUTE);
	assert_true(blocked(g, t, T0 + 60 * MINUTE));
	t = from("192.0.4.1", "c@a.test");
	for (uint64_t i = 0; i < 600; i++) /* one in three minutes: for ever */
		fail_times(g, t, 1, T0 + i * BLOCK / 5);
	assert_int_equal(delay(g, t, T0 + 600 * BLOCK / 5), 0);
}

TEST(a_neighbour_is_not_punished_until_the_network_guesses)
{
	GUARD *g = guard_new(&limits);
	char text[IP_TEXT], name[32];

	fail_times(g, from("192.0.2.1", "a@a.test"), 20, T0);
	assert_int_equal(delay(g, from("192.0.2.2", "b@a.test"), T0), 0);
	for (int i = 0; i < 160; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%d", 10 + i);
		(void)snprintf(name, sizeof(name), "%d@a.test", i);
		fail_times(g, from(text, name), 1, T0);
	}
	assert_true(blocked(g, from("192.0.2.2", "b@a.test"), T0));
	assert_int_equal(delay(g, from("192.0.3.2", "b@a.test"), T0), 0);
}

TEST(the_addresses_of_an_ipv6_host_are_one_and_its_provider_is_a_network)
{
	GUARD *g = guard_new(&limits);

	for (int i = 0; i < 20; i++) {
		char text[IP_TEXT];

		(void)snprintf(text, sizeof(text), "2001:db8:1:2::%x", i);
		fail_times(g, from(text, "a@a.test"), 1, T0);
	}
	assert_true(blocked(g, from("2001:db8:1:2:ffff::1", "b@a.test"), T0));
	assert_false(blocked(g, from("2001:db8:1:3::1", "b@a.test"), T0));
	for (int i = 0; i < 160; i++) {
		char text[IP_TEXT], name[32];

		(void)snprintf(text, sizeof(text), "2001:db8:1:%x::1", 0x100 + i);
		(void)snprintf(name, sizeof(name), "%d@a.test", i);
		fail_times(g, from(text, name), 1, T0);
	}
	assert_true(blocked(g, from("2001:db8:1:3::1", "b@a.test"), T0));
	assert_false(blocked(g, from("2001:db8:2:3::1", "b@a.test"), T0));
}

/* A botnet: another address, in another network, for each guess. */
static void
guess_from_everywhere(struct guard *g, const char *name, int n, uint64_t now)
{
	for (int i = 0; i < n; i++) {
		char text[IP_TEXT];

		(void)snprintf(text, sizeof(text), "10.%d.%d.1", i / 256, i % 256);
		fail_times(g, from(text, name), 1, now);
	}
}

TEST(guessing_at_one_account_from_everywhere_is_slowed_and_refused)
{
	GUARD *g = guard_new(&limits);

	guess_from_everywhere(g, "a@a.test", 15, T0);
	assert_int_equal(delay(g, from("203.0.113.1", "a@a.test"), T0), 1000);
	guess_from_everywhere(g, "a@a.test", 85, T0);
	assert_true(blocked(g, from("203.0.113.1", "a@a.test"), T0));
	assert_int_equal(delay(g, from("203.0.113.1", "b@a.test"), T0), 0);
}

TEST(where_somebody_logged_in_he_does_not_pay_for_what_others_do)
{
	GUARD *g = guard_new(&limits);
	struct guard_try home = from("203.0.113.1", "a@a.test");

	guard_passed(g, &home, T0);
	guess_from_everywhere(g, "a@a.test", 200, T0);
	fail_times(g, from("203.0.113.1", "b@a.test"), 20, T0);
	fail_times(g, from("203.0.113.1", "b@a.test"), 20, T0);
	assert_true(blocked(g, from("203.0.113.1", "c@a.test"), T0));
	assert_int_equal(delay(g, home, T0), 0);
	/* but for what he does himself there */
	fail_times(g, home, 4, T0);
	assert_int_equal(delay(g, home, T0), 2000);
	fail_times(g, home, 16, T0);
	assert_true(blocked(g, home, T0));
}

TEST(a_device_with_an_old_password_shuts_nobody_else_out)
{
	GUARD *g = guard_new(&limits);
	struct guard_try home = from("203.0.113.1", "a@a.test");

	guard_passed(g, &home, T0);
	fail_times(g, home, 200, T0);
	assert_int_equal(delay(g, from("203.0.113.1", "b@a.test"), T0), 0);
	assert_int_equal(delay(g, from("203.0.113.9", "a@a.test"), T0), 0);
	guard_passed(g, &home, T0); /* it was told the new one */
	assert_int_equal(delay(g, home, T0), 0);
}

TEST(a_success_pays_for_no_guesses_at_other_accounts)
{
	GUARD *g = guard_new(&limits);
	struct guard_try own = from("203.0.113.1", "own@a.test");

	for (int i = 0; i < 20; i++) {
		guard_passed(g, &own, T0);
		fail_times(g, from("203.0.113.1", "a@a.test"), 1, T0);
	}
	assert_true(blocked(g, from("203.0.113.1", "a@a.test"), T0));
}

TEST(a_place_is_known_for_thirty_days)
{
	const uint64_t day = 24ULL * 60 * MINUTE;
	GUARD *g = guard_new(&limits);
	struct guard_try home = from("203.0.113.1", "a@a.test");

	guard_passed(g, &home, T0);
	guess_from_everywhere(g, "a@a.test", 100, T0 + 29 * day);
	assert_false(blocked(g, home, T0 + 29 * day));
	guess_from_everywhere(g, "a@a.test", 100, T0 + 31 * day);
	assert_true(blocked(g, home, T0 + 31 * day));
}

TEST(an_attacker_with_a_million_addresses_pushes_out_no_one_but_his_own)
{
	GUARD *g = guard_new(&limits);
	struct guard_try home = from("203.0.113.1", "a@a.test");
	struct guard_try bad = from("198.51.100.1", "b@a.test");

	guard_passed(g, &home, T0);
	fail_times(g, bad, 20, T0);
	for (unsigned i = 0; i < 1000000; i++) {
		struct guard_try t = { .peer = { .family = 6 }, .name = STR("c@a.test") };

		/* a /32: 65,536 networks, some addresses in each */
		t.peer.bytes[0] = 0x20;
		memcpy(t.peer.bytes + 4, &i, sizeof(i));
		guard_failed(g, &t, T0);
	}
	assert_true(blocked(g, bad, T0));
	assert_int_equal(delay(g, home, T0), 0);
}

TEST(a_user_with_many_places_pushes_out_only_his_own)
{
	GUARD *g = guard_new(&limits);
	struct guard_try home = from("203.0.113.1", "a@a.test");
	struct guard_try last;
	char text[IP_TEXT];

	guard_passed(g, &home, T0);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 256, i % 256);
		last = from(text, "rover@a.test");
		guard_passed(g, &last, T0 + 1 + (uint64_t)i);
	}
	guess_from_everywhere(g, "a@a.test", 100, T0 + 2000);
	guess_from_everywhere(g, "rover@a.test", 100, T0 + 2000);
	assert_false(blocked(g, last, T0 + 2000));
	assert_true(blocked(g, from("10.0.0.0", "rover@a.test"), T0 + 2000));
	assert_false(blocked(g, home, T0 + 2000));
}

enum { PEOPLE = 60000 }; /* nearly as many as there is room for */

/* Behind one address, which is refused to whom it does not know. */
static struct guard_try
neighbour(int i, char name[32])
{
	(void)snprintf(name, 32, "%d@a.test", i);
	return from("203.0.113.1", name);
}

static int
known(struct guard *g)
{
	char name[32];
	int n = 0;

	for (int i = 0; i < PEOPLE; i++)
		n += !blocked(g, neighbour(i, name), T0);
	return n;
}

TEST(a_user_with_many_places_leaves_half_of_a_full_row_to_others)
{
	static const char *const rovers[] = { "x@b.test", "y@b.test", "z@b.test" };
	GUARD *g = guard_new(&limits);
	char text[IP_TEXT], name[32];

	for (int i = 0; i < PEOPLE; i++) {
		struct guard_try t = neighbour(i, name);

		guard_passed(g, &t, T0);
	}
	fail_times(g, from("203.0.113.1", "nobody@a.test"), 20, T0);
	int before = known(g);
	assert_true(before > PEOPLE * 3 / 4);
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 256, i % 256);
		struct guard_try t = from(text, rovers[i % 3]);
		guard_passed(g, &t, T0 + 1 + (uint64_t)i);
	}
	assert_true(before - known(g) <= 3 * 8);
}

TEST(a_proxy_of_ours_is_not_shut_out_but_the_name_counts)
{
	GUARD *g = guard_new(&limits);
	struct guard_try t = { .name = STR("a@a.test") };

	for (int i = 0; i < 99; i++)
		guard_failed(g, &t, T0);
	assert_false(blocked(g, t, T0));
	guard_failed(g, &t, T0);
	assert_true(blocked(g, t, T0));
	t.name = STR("b@a.test");
	assert_int_equal(delay(g, t, T0), 0);
	guard_passed(g, &t, T0);
}
