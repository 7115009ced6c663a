/* SPDX-License-Identifier: ISC */
#include "journal/once.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"

#include "test/test.h"

static struct jrec_pending
entry(uint8_t key, uint64_t time_ms)
{
	return (struct jrec_pending){
		.id = ids_message(time_ms), .time_ms = time_ms, .once = { key }
	};
}

TEST(an_unanswered_message_that_comes_again_is_known)
{
	struct once *o = once_new();
	struct jrec_pending p = entry(1, 1000);
	struct msg_id id;

	assert_false(once_find(o, p.once, 2000, &id));
	once_add(o, &p);
	assert_true(once_find(o, p.once, 2000, &id));
	assert_string_equal(id.text, p.id.text);
	once_answered(o, &p.id);
	assert_false(once_find(o, p.once, 2000, &id));
	once_free(&o);
}

TEST(an_entry_is_forgotten_after_five_days)
{
	struct once *o = once_new();
	struct jrec_pending p = entry(1, 1000);
	struct msg_id id;

	once_add(o, &p);
	assert_false(once_find(o, p.once, 1000 + ONCE_KEEP_MS + 1, &id));
	once_free(&o);
}

TEST(the_order_of_recipients_does_not_matter_and_everything_else_does)
{
	str ab[] = { STR("a@x"), STR("b@x") }, ba[] = { STR("b@x"), STR("a@x") };
	uint8_t d1[32] = { 1 }, d2[32] = { 2 }, k1[16], k2[16];

	once_key(STR("s@y"), ab, 2, d1, k1);
	once_key(STR("s@y"), ba, 2, d1, k2);
	assert_memory_equal(k1, k2, 16);
	once_key(STR("s@y"), ab, 1, d1, k2);
	assert_memory_not_equal(k1, k2, 16);
	once_key(STR("s@z"), ab, 2, d1, k2);
	assert_memory_not_equal(k1, k2, 16);
	once_key(STR("s@y"), ab, 2, d2, k2);
	assert_memory_not_equal(k1, k2, 16);
}

TEST(what_is_unanswered_survives_a_start_and_a_new_file)
{
	struct once *o = once_new(), *again = once_new();
	struct jrec_pending p = entry(1, 1000), q = entry(2, 2000), old = entry(3, 1);
	BUF_AUTO b = BUF(1 << 20);
	struct jrec_answered a = { .id = p.id };
	BUF_AUTO mark = BUF(100);
	struct msg_id id;

	once_add(o, &old);
	once_add(o, &p);
	once_add(o, &q);
	once_head(o, ONCE_KEEP_MS + 500, &b);
	once_replay(again, JREC_PENDING, buf_str(&b));
	jrec_put_answered(&mark, &a);
	once_replay(again, JREC_ANSWERED, buf_str(&mark));
	assert_false(once_find(again, p.once, 3000, &id));
	assert_true(once_find(again, q.once, 3000, &id));
	assert_false(once_find(again, old.once, 3000, &id));
	once_free(&o);
	once_free(&again);
}

TEST(past_its_limit_the_oldest_is_forgotten)
{
	struct once *o = once_new();
	struct jrec_pending first = entry(1, 1);
	struct msg_id id;

	once_add(o, &first);
	for (uint32_t i = 0; i < 100000; i++) {
		struct jrec_pending p = entry(2, 1000);

		memcpy(p.once + 4, &i, sizeof(i));
		once_add(o, &p);
	}
	assert_false(once_find(o, first.once, 2000, &id));
	once_free(&o);
}

static void *
claim_later(void *arg)
{
	static const uint8_t key[16] = { 7 };
	struct once *o = arg;

	if (!once_claim(o, key, clock_ms() + 20000))
		abort();
	once_release(o, key);
	return NULL;
}

TEST(a_retry_waits_for_the_attempt_that_is_being_taken)
{
	static const uint8_t key[16] = { 7 }, other[16] = { 8 };
	struct once *o = once_new();

	assert_true(once_claim(o, key, 0));
	assert_false(once_claim(o, key, clock_ms() + 5));
	assert_true(once_claim(o, other, 0));
	pthread_t t = thread_start("claimer", claim_later, o);
	once_release(o, key);
	(void)pthread_join(t, NULL);
	once_release(o, other);
	once_free(&o);
}
