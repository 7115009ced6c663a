/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/ids.h"
#include "test/test.h"

TEST(arena_stops_at_its_limit_and_is_empty_after_a_reset)
{
	ARENA_AUTO a = arena_new(1024);

	assert_non_null(arena_alloc(a, 900));
	assert_null(arena_alloc(a, 900));
	assert_null(arena_array(a, SIZE_MAX / 2, 4));
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	assert_non_null(arena_alloc(a, 900));
}

TEST(a_message_id_sorts_by_time_and_tells_it)
{
	struct msg_id a = ids_message(1000), b = ids_message(1795397280123ull);

	assert_true(ids_valid(msg_id_str(&a)));
	assert_true(strcmp(a.text, b.text) < 0);
	assert_int_equal(ids_time_ms(msg_id_str(&b)), 1795397280123ull);
	assert_false(ids_valid(STR("01ARZ3NDEKTSV4RRFFQI")));
}

TEST(base32_of_a_token_is_26_characters)
{
	unsigned char t[16] = { 0xff };
	char out[27];

	ids_base32(t, sizeof(t), out);
	assert_int_equal(strlen(out), 26);
	assert_int_equal(out[0], 'z');
}

TEST(siphash_gives_the_published_vector)
{
	uint64_t key[2] = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull };
	unsigned char in[15];

	for (unsigned char i = 0; i < sizeof(in); i++)
		in[i] = i;
	assert_int_equal(hash_sip24(key, in, sizeof(in)), 0xa129ca6149be45e5ull);
}

TEST(a_time_is_read_back_as_written)
{
	char out[CLOCK_TEXT];
	uint64_t ms;

	assert_int_equal(clock_parse(STR("2026-11-23T01:48:00Z"), &ms, NULL), RC_OK);
	clock_text(ms, out);
	assert_string_equal(out, "2026-11-23T01:48:00.000Z");
	assert_int_equal(clock_parse(STR("yesterday"), &ms, NULL), RC_BAD);
}

static bool
count_names(const char *name, void *arg)
{
	(void)name;
	++*(int *)arg;
	return true;
}

TEST(a_spooled_file_has_no_name_until_it_is_published)
{
	FD_AUTO dir = -1;
	FD_AUTO again = -1;
	struct fs_spool s;
	int names = 0;
	char got[8] = "";
	size_t n;

	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &dir, NULL), RC_OK);
	assert_int_equal(fs_spool_open(dir, 0660, &s, NULL), RC_OK);
	assert_int_equal(fs_append(s.fd, STR("hello"), NULL), RC_OK);
	assert_int_equal(fs_each(dir, ".", count_names, &names, NULL), RC_OK);
	assert_int_equal(names, 0);
	assert_int_equal(fs_spool_publish(dir, &s, "a", NULL), RC_OK);
	assert_int_equal(fs_spool_publish(dir, &s, "a", NULL), RC_BAD);
	assert_int_equal(fs_reopen_read(s.fd, &again, NULL), RC_OK);
	fs_spool_drop(dir, &s);
	assert_int_equal(fs_pread(again, got, sizeof(got), 0, &n, NULL), RC_OK);
	assert_string_equal(got, "hello");
	assert_true(write(again, "x", 1) < 0);
	assert_int_equal(fs_mkdirs(dir, "x/y/z", 0700, NULL), RC_OK);
	assert_int_equal(fs_unlink(dir, "gone", NULL), RC_NONE);
}
