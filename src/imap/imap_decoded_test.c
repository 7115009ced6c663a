/* SPDX-License-Identifier: ISC */
#include "imap/imap_decoded.h"
#include "test/test.h"

TEST(clients_that_read_slowly_do_not_fill_the_memory_and_one_account_leaves_room_for_others)
{
	assert_true(decoded_take(1, 30, 100));
	assert_true(decoded_take(1, 20, 100));
	assert_false(decoded_take(1, 1, 100));
	assert_true(decoded_take(1, 0, 100));
	assert_true(decoded_take(2, 50, 100));
	assert_false(decoded_take(3, 1, 100));
	decoded_give(1, 20);
	assert_true(decoded_take(3, 20, 100));
	assert_false(decoded_take(3, UINT64_MAX, 100));
	decoded_give(1, 30);
	assert_false(decoded_take(2, 1, 100));
	decoded_give(1, 0);
	decoded_give(2, 50);
	decoded_give(3, 20);
	assert_true(decoded_take(2, 50, 100));
	decoded_give(2, 50);
}
