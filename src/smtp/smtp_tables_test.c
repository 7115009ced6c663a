/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_recent.h"
#include "smtp/smtp_split.h"
#include "test/test.h"

static struct ip
ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(str_of(text), &ip));
	return ip;
}

static void
deliver(struct smtp_recent *k, const struct ip *client, uint64_t now_ms)
{
	uint8_t key[SMTP_RECENT_KEY];

	(void)smtp_recent_note(k, smtp_recent_client(client, key), now_ms);
}

static bool
is_known(struct smtp_recent *k, const struct ip *client, uint64_t now_ms)
{
	uint8_t key[SMTP_RECENT_KEY];

	return smtp_recent_times(k, smtp_recent_client(client, key), now_ms) > 0;
}

TEST(a_client_is_known_for_a_day_and_ipv6_by_its_network)
{
	struct smtp_recent *k = smtp_recent_new(SMTP_KNOWN_MOST, SMTP_KNOWN_MS);
	struct ip a = ip_of("192.0.2.1"), b = ip_of("192.0.2.2"),
		  c = ip_of("2001:db8::1"), d = ip_of("2001:db8::2");

	deliver(k, &a, 1000);
	deliver(k, &c, 1000);
	a.port = 5; /* does not matter */
	assert_true(is_known(k, &a, 2000));
	assert_true(is_known(k, &d, 2000));
	assert_false(is_known(k, &b, 2000));
	assert_true(is_known(k, &a, 999 + SMTP_KNOWN_MS));
	assert_false(is_known(k, &a, 1000 + SMTP_KNOWN_MS));
	deliver(k, &a, 1000);
	for (unsigned i = 0; i <= SMTP_KNOWN_MOST; i++) {
		b.bytes[0] = (uint8_t)(i >> 16);
		b.bytes[1] = (uint8_t)(i >> 8);
		b.bytes[2] = (uint8_t)i;
		deliver(k, &b, 2000);
	}
	assert_false(is_known(k, &a, 2000)); /* the oldest went */
	smtp_recent_free(&k);
}

static const str rcpts[] = { STR_INIT("a@x.y"), STR_INIT("b@x.y") };
static const str turned[] = { STR_INIT("b@x.y"), STR_INIT("a@x.y") };
static const enum smtp_group groups[] = { SMTP_GROUP_DELIVER, SMTP_GROUP_REFUSE };
static const uint8_t digest[32] = { 1 };

TEST(a_split_is_remembered_for_network_and_sender)
{
	struct smtp_splits *s = smtp_splits_new();
	struct smtp_split w = { ip_of("192.0.2.1"), STR("s@z"), 2, rcpts, groups,
		digest };
	struct ip near = ip_of("192.0.2.200"), far = ip_of("192.0.3.1");

	assert_int_equal(
		smtp_split_group(s, &near, STR("s@z"), rcpts[0], 0), SMTP_GROUP_NONE);
	assert_true(smtp_split_again(s, &w, 0));
	assert_int_equal(
		smtp_split_group(s, &near, STR("s@z"), rcpts[0], 1), SMTP_GROUP_DELIVER);
	assert_int_equal(
		smtp_split_group(s, &near, STR("s@z"), rcpts[1], 1), SMTP_GROUP_REFUSE);
	assert_int_equal(
		smtp_split_group(s, &near, STR("t@z"), rcpts[1], 1), SMTP_GROUP_NONE);
	assert_int_equal(
		smtp_split_group(s, &far, STR("s@z"), rcpts[1], 1), SMTP_GROUP_NONE);
	assert_int_equal(smtp_split_group(s, &near, STR("s@z"), rcpts[1], SMTP_SPLITS_MS),
		SMTP_GROUP_NONE);
	smtp_splits_free(&s);
}

TEST(a_sender_that_comes_from_everywhere_is_not_sent_round_for_ever)
{
	struct smtp_splits *s = smtp_splits_new();
	struct smtp_split w = { ip_of("192.0.2.1"), STR("s@z"), 2, rcpts, groups,
		digest };

	for (uint8_t i = 0; i < SMTP_SPLITS_TIMES; i++) {
		w.client.bytes[2] = i;
		w.rcpts = i % 2 ? turned : rcpts; /* their order is nothing */
		assert_true(smtp_split_again(s, &w, i));
	}
	assert_false(smtp_split_again(s, &w, 10));
	/* nor split at RCPT any more */
	assert_int_equal(
		smtp_split_group(s, &w.client, w.from, rcpts[0], 11), SMTP_GROUP_NONE);
	smtp_splits_free(&s);
}

TEST(after_an_hour_nothing_is_split_any_more)
{
	struct smtp_splits *s = smtp_splits_new();
	struct smtp_split w = { ip_of("192.0.2.1"), STR("s@z"), 2, rcpts, groups,
		digest };

	assert_true(smtp_split_again(s, &w, 5));
	smtp_splits_age(s, SMTP_SPLITS_MS + 5);
	assert_false(smtp_split_again(s, &w, SMTP_SPLITS_MS + 5));
	smtp_splits_age(s, SMTP_SPLITS_KEEP_MS + 5);
	assert_true(
		smtp_split_again(s, &w, SMTP_SPLITS_KEEP_MS + 5)); /* long forgotten */
	smtp_splits_free(&s);
}

TEST(transactions_split_at_rcpt_count_too)
{
	struct smtp_splits *s = smtp_splits_new();
	struct smtp_split w = { ip_of("192.0.2.1"), STR("s@z"), 2, rcpts, groups,
		digest };

	assert_true(smtp_split_again(s, &w, 0));
	for (int i = 1; i < SMTP_SPLITS_TIMES; i++)
		smtp_split_given(s, &w.client, w.from, rcpts[1], 1);
	assert_int_equal(
		smtp_split_group(s, &w.client, w.from, rcpts[0], 2), SMTP_GROUP_NONE);
	assert_false(smtp_split_again(s, &w, 2));
	smtp_splits_free(&s);
}

static unsigned
lost(struct smtp_recent *k, const uint8_t message[32], uint64_t now_ms)
{
	return smtp_recent_note(k, smtp_recent_digest(message), now_ms);
}

static unsigned
losses(struct smtp_recent *k, const uint8_t message[32], uint64_t now_ms)
{
	return smtp_recent_times(k, smtp_recent_digest(message), now_ms);
}

TEST(losses_of_a_scanner_count_for_a_day_and_until_one_reads_the_message)
{
	struct smtp_recent *k = smtp_recent_new(SMTP_KILLERS_MOST, SMTP_KILLERS_MS);
	const uint8_t a[32] = { 1 }, b[32] = { 2 };

	assert_int_equal(lost(k, a, 1000), 1);
	assert_int_equal(lost(k, b, 1000), 1);
	assert_int_equal(lost(k, a, 2000), SMTP_KILLERS_TIMES);
	assert_int_equal(losses(k, a, 2000), SMTP_KILLERS_TIMES);
	assert_int_equal(losses(k, b, 2000), 1);
	smtp_recent_forget(k, smtp_recent_digest(a));
	assert_int_equal(losses(k, a, 2000), 0);
	assert_int_equal(lost(k, b, 1000 + SMTP_KILLERS_MS), 1);
	assert_int_equal(lost(k, b, 1001 + SMTP_KILLERS_MS), 2);
	assert_int_equal(losses(k, b, 1001 + 2ull * SMTP_KILLERS_MS), 0);
	smtp_recent_free(&k);
}

TEST(killers_are_a_bounded_number_and_the_oldest_goes_first)
{
	struct smtp_recent *k = smtp_recent_new(SMTP_KILLERS_MOST, SMTP_KILLERS_MS);
	uint8_t one[32] = { 3 }, first[32] = { 1 }, second[32] = { 2 };

	(void)lost(k, first, 1);
	(void)lost(k, second, 2);
	(void)lost(k, first, 3); /* now the younger one */
	for (unsigned i = 0; i < SMTP_KILLERS_MOST - 1; i++) {
		memcpy(one + 8, &i, sizeof(i));
		(void)lost(k, one, 4);
	}
	assert_int_equal(losses(k, first, 5), 2);
	assert_int_equal(lost(k, second, 5), 1); /* had been forgotten */
	assert_int_equal(losses(k, first, 5), 0); /* made room for it */
	smtp_recent_free(&k);
}
