/* SPDX-License-Identifier: ISC */
#include "held/held.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/thread.h"
#include "crypto/digest.h"
#include "held/held_int.h"
#include "test/test.h"

enum { MIB = 1024 * 1024 };

static const uint64_t noon = 1795435200000, hour = 3600 * 1000, day = 24 * hour;

struct room {
	int dir, file;
	uint8_t public_key[SEAL_PUBLIC], private_key[SEAL_PRIVATE];
	struct held_limits limits;
	struct held *held;
	char *text; /* of the file */
	size_t size;
};

static void
room_open(struct room *r)
{
	*r = (struct room){ .limits = { .keep_ms = 14 * day,
				    .all_bytes = 64 * MIB,
				    .network_bytes = 16 * MIB } };
	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &r->dir, NULL), RC_OK);
	r->file = memfd_create("spooled", MFD_CLOEXEC);
	seal_make_keys(r->public_key, r->private_key);
	r->held = held_open(r->dir, r->public_key, &r->limits);
}

static void
room_clear(struct room *r)
{
	held_close(&r->held);
	fs_close(&r->dir);
	fs_close(&r->file);
	free(r->text);
}

/* A start of gate. */
static void
reopen(struct room *r, uint64_t wall_ms)
{
	held_close(&r->held);
	r->held = held_open(r->dir, r->public_key, &r->limits);
	assert_int_equal(held_load(r->held, wall_ms, NULL), RC_OK);
}

/* What is spooled next: size bytes which begin with `begin`. */
static void
spool(struct room *r, const char *begin, size_t size)
{
	r->text = realloc(r->text, size);
	r->size = size;
	for (size_t i = 0; i < size; i++)
		r->text[i] = (char)('a' + i % 23);
	memcpy(r->text, begin, strlen(begin));
	assert_int_equal(ftruncate(r->file, 0), 0);
	assert_int_equal(fs_pwrite(r->file, (str){ r->text, size }, 0, NULL), RC_OK);
}

static struct held_item
item_of(const struct room *r, const char *client, uint64_t wall_ms)
{
	struct held_item i = { .id = ids_message(wall_ms),
		.wall_ms = wall_ms,
		.fd = r->file,
		.size = r->size,
		.facts = STR("facts") };

	assert_true(ip_parse(str_of(client), &i.client));
	sha256((str){ r->text, r->size }, i.digest);
	return i;
}

static enum rc
put(struct room *r, const char *client, uint64_t wall_ms, struct msg_id *as,
	struct err *err)
{
	struct held_item i = item_of(r, client, wall_ms);

	return held_put(r->held, &i, as, err);
}

static struct msg_id
hold(struct room *r, const char *client, uint64_t wall_ms)
{
	struct msg_id as;
	struct err err = { 0 };

	if (put(r, client, wall_ms, &as, &err) != RC_OK)
		fail_msg("%s", err.text);
	return as;
}

static bool
count_file(const char *name, void *arg)
{
	(void)name;
	++*(unsigned *)arg;
	return true;
}

static unsigned
files(const struct room *r)
{
	unsigned n = 0;

	assert_int_equal(fs_each(r->dir, ".", count_file, &n, NULL), RC_OK);
	return n;
}

/* The held original is what is spooled now. */
static void
assert_original(const struct room *r, const char *id, const char *facts)
{
	int out = memfd_create("original", MFD_CLOEXEC);
	struct held_about about;
	struct err err = { 0 };
	uint8_t digest[32];
	char *got_facts;
	size_t len, got;
	uint64_t size;

	if (held_get(r->dir, id, r->private_key, out, &about, &got_facts, &len, &err) !=
		RC_OK)
		fail_msg("%s", err.text);
	assert_string_equal(got_facts, facts);
	assert_int_equal(len, strlen(facts));
	assert_string_equal(about.id.text, id);
	assert_int_equal(about.size, r->size);
	sha256((str){ r->text, r->size }, digest);
	assert_memory_equal(about.digest, digest, 32);
	assert_int_equal(fs_size(out, &size, NULL), RC_OK);
	assert_int_equal(size, r->size);
	char *text = malloc(r->size);
	assert_int_equal(fs_pread(out, text, r->size, 0, &got, NULL), RC_OK);
	assert_memory_equal(text, r->text, r->size);
	free(text);
	free(got_facts);
	fs_close(&out);
}

TEST(an_original_comes_back_with_every_byte_and_its_facts)
{
	/* around a piece's end: digest and facts take 37 bytes */
	static const size_t sizes[] = { 1, 100, 1024, SEAL_PIECE - 38, SEAL_PIECE - 37,
		SEAL_PIECE - 36, SEAL_PIECE, 2 * SEAL_PIECE - 37, 300000 };
	struct room r;

	room_open(&r);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		spool(&r, "", sizes[i]);
		assert_original(&r, hold(&r, "192.0.2.1", noon).text, "facts");
	}
	room_clear(&r);
}

TEST(long_facts_and_none_come_back)
{
	struct room r;
	struct msg_id as;

	room_open(&r);
	spool(&r, "", 70000);
	char *facts = calloc(1, 150001);
	memset(facts, 'f', 150000);
	struct held_item i = item_of(&r, "2001:db8::1", noon);
	i.facts = str_of(facts);
	assert_int_equal(held_put(r.held, &i, &as, NULL), RC_OK);
	assert_original(&r, as.text, facts);
	free(facts);
	spool(&r, "", 70001);
	i = item_of(&r, "2001:db8::1", noon);
	i.facts = STR("");
	assert_int_equal(held_put(r.held, &i, &as, NULL), RC_OK);
	assert_original(&r, as.text, "");
	room_clear(&r);
}

static bool
holds(const char *file, size_t size, str what)
{
	return str_find((str){ file, size }, what) < size;
}

TEST(who_has_the_files_but_no_key_reads_nothing)
{
	struct room r;
	uint8_t digest[32], other[SEAL_PUBLIC], secret[SEAL_PRIVATE];
	char *file, *facts;
	size_t len;
	struct held_about about;

	room_open(&r);
	spool(&r, "Subject: private\r\n", 100000);
	struct msg_id id = hold(&r, "192.0.2.1", noon);
	assert_int_equal(fs_read_all(r.dir, id.text, MIB, &file, &len, NULL), RC_OK);
	assert_false(holds(file, len, STR("private")));
	assert_false(holds(file, len, STR("facts")));
	assert_false(holds(file, len, STR("abcdefghij")));
	/* nor whether it is a message that he knows */
	sha256((str){ r.text, r.size }, digest);
	assert_false(holds(file, len, (str){ (char *)digest, 8 }));
	free(file);
	seal_make_keys(other, secret);
	assert_int_equal(
		held_get(r.dir, id.text, secret, r.file, &about, &facts, &len, NULL),
		RC_BAD);
	room_clear(&r);
}

static enum rc
get(const struct room *r, const char *id)
{
	struct held_about about;
	char *facts = NULL;
	size_t len;
	int out = memfd_create("original", MFD_CLOEXEC);
	enum rc rc = held_get(
		r->dir, id, r->private_key, out, &about, &facts, &len, NULL);

	free(facts);
	fs_close(&out);
	return rc;
}

TEST(a_held_file_that_was_changed_anywhere_is_not_opened)
{
	struct room r;
	char byte;
	size_t got;
	uint64_t size;

	room_open(&r);
	spool(&r, "", 70000);
	struct msg_id id = hold(&r, "192.0.2.1", noon);
	FD_AUTO fd = openat(r.dir, id.text, O_RDWR | O_CLOEXEC);
	assert_int_equal(fs_size(fd, &size, NULL), RC_OK);
	assert_int_equal(get(&r, id.text), RC_OK);
	for (uint64_t at = 0; at < size; at += at < HELD_HEADER ? 1 : 1777) {
		assert_int_equal(fs_pread(fd, &byte, 1, at, &got, NULL), RC_OK);
		byte ^= 1;
		assert_int_equal(fs_pwrite(fd, (str){ &byte, 1 }, at, NULL), RC_OK);
		assert_int_equal(get(&r, id.text), RC_BAD);
		byte ^= 1;
		assert_int_equal(fs_pwrite(fd, (str){ &byte, 1 }, at, NULL), RC_OK);
	}
	assert_int_equal(get(&r, id.text), RC_OK);
	/* under another's name */
	struct msg_id other = ids_message(noon);
	assert_int_equal(fs_link(r.dir, id.text, r.dir, other.text, NULL), RC_OK);
	assert_int_equal(get(&r, other.text), RC_BAD);
	assert_int_equal(fs_truncate(fd, size - 1, NULL), RC_OK);
	assert_int_equal(get(&r, id.text), RC_BAD);
	assert_int_equal(get(&r, ids_message(noon).text), RC_NONE);
	assert_int_equal(get(&r, "../held"), RC_NONE);
	room_clear(&r);
}

TEST(a_campaign_of_the_same_message_is_held_once_a_day)
{
	struct room r;

	room_open(&r);
	spool(&r, "", 5000);
	struct msg_id first = hold(&r, "192.0.2.1", noon);
	for (unsigned i = 0; i < 10; i++)
		assert_string_equal(
			hold(&r, "198.51.100.7", noon + i * hour).text, first.text);
	reopen(&r, noon + 23 * hour); /* known from the files */
	assert_string_equal(hold(&r, "192.0.2.1", noon + 23 * hour).text, first.text);
	assert_int_equal(files(&r), 1);
	struct msg_id next = hold(&r, "192.0.2.1", noon + 24 * hour);
	assert_string_not_equal(next.text, first.text);
	reopen(&r, noon + 25 * hour);
	assert_string_equal(hold(&r, "192.0.2.1", noon + 25 * hour).text, next.text);
	assert_int_equal(files(&r), 2);
	/* house removed it: nothing is promised that is not there */
	assert_int_equal(held_remove(r.dir, next.text, NULL), RC_OK);
	assert_string_not_equal(hold(&r, "192.0.2.1", noon + 26 * hour).text, next.text);
	assert_int_equal(files(&r), 2);
	room_clear(&r);
}

TEST(a_short_time_of_keeping_outlives_what_is_named_again)
{
	struct room r;

	room_open(&r);
	r.limits.keep_ms = 4 * hour;
	held_set_limits(r.held, &r.limits);
	spool(&r, "", 5000);
	struct msg_id first = hold(&r, "192.0.2.1", noon);
	assert_string_equal(hold(&r, "192.0.2.1", noon + hour).text, first.text);
	assert_string_not_equal(hold(&r, "192.0.2.1", noon + 2 * hour).text, first.text);
	room_clear(&r);
}

/* Fills what one network may have with messages of 1 MiB. */
static void
refused(struct room *r, const char *client, const char *why)
{
	struct msg_id as = { "untouched" };
	struct err err = { 0 };

	assert_int_equal(put(r, client, noon, &as, &err), RC_NONE);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" does not name %s", err.text, why);
	assert_string_equal(as.text, "untouched");
}

TEST(one_network_does_not_take_the_room_of_all)
{
	struct room r;
	char begin[16];
	unsigned n = 0;

	room_open(&r);
	for (; n < 15; n++) {
		(void)snprintf(begin, sizeof(begin), "%u ", n);
		spool(&r, begin, MIB);
		(void)hold(&r, "192.0.2.1", noon);
	}
	spool(&r, "one too many", MIB);
	refused(&r, "192.0.2.77", "network");
	reopen(&r, noon);
	refused(&r, "192.0.2.77", "192.0.2.0");
	(void)hold(&r, "192.0.3.1", noon); /* others have room */
	assert_int_equal(held_sum(r.held).files, 16);
	/* and what is there already costs nothing */
	assert_int_equal(files(&r), 16);
	(void)hold(&r, "192.0.2.77", noon);
	assert_int_equal(files(&r), 16);
	room_clear(&r);
}

TEST(networks_of_version_6_are_counted_by_48_bits)
{
	struct room r;

	room_open(&r);
	r.limits.network_bytes = 8192;
	held_set_limits(r.held, &r.limits);
	spool(&r, "a", 5000);
	(void)hold(&r, "2001:db8:1:2::1", noon);
	spool(&r, "b", 5000);
	refused(&r, "2001:db8:1:ffff::1", "network");
	(void)hold(&r, "2001:db8:2::1", noon);
	room_clear(&r);
}

TEST(all_together_and_the_disk_have_limits)
{
	struct room r;

	room_open(&r);
	spool(&r, "a", 5000);
	r.limits.all_bytes = 8192;
	held_set_limits(r.held, &r.limits);
	(void)hold(&r, "192.0.2.1", noon);
	spool(&r, "b", 5000);
	refused(&r, "198.51.100.1", "all");
	r.limits.all_bytes = MIB;
	r.limits.min_free = UINT64_MAX / 2;
	held_set_limits(r.held, &r.limits);
	refused(&r, "198.51.100.1", "min_free");
	r.limits.min_free = 0;
	r.limits.keep_ms = 0;
	held_set_limits(r.held, &r.limits);
	refused(&r, "198.51.100.1", "keep");
	assert_int_equal(files(&r), 1);
	room_clear(&r);
}

TEST(what_house_removed_or_is_old_does_not_count)
{
	struct room r;

	room_open(&r);
	spool(&r, "a", 5000);
	struct msg_id a = hold(&r, "192.0.2.1", noon);
	spool(&r, "b", 9000);
	(void)hold(&r, "192.0.2.1", noon + day);
	struct held_sum sum = held_sum(r.held);
	assert_int_equal(sum.files, 2);
	assert_int_equal(sum.bytes, 8192 + 12288);
	held_minute(r.held, noon + day);
	assert_int_equal(held_sum(r.held).files, 2);
	assert_int_equal(held_remove(r.dir, a.text, NULL), RC_OK);
	held_minute(r.held, noon + day);
	assert_int_equal(held_sum(r.held).files, 1);
	assert_int_equal(held_sum(r.held).bytes, 12288);
	held_minute(r.held, noon + 16 * day);
	assert_int_equal(held_sum(r.held).files, 0);
	assert_int_equal(held_sum(r.held).bytes, 0);
	reopen(&r, noon + 16 * day);
	assert_int_equal(held_sum(r.held).files, 0);
	room_clear(&r);
}

TEST(what_is_held_before_the_folder_was_read_is_counted_once)
{
	struct room r;

	room_open(&r);
	spool(&r, "a", 5000);
	(void)hold(&r, "192.0.2.1", noon);
	held_close(&r.held);
	r.held = held_open(r.dir, r.public_key, &r.limits);
	spool(&r, "b", 5000);
	struct msg_id b = hold(&r, "192.0.2.1", noon);
	assert_int_equal(held_load(r.held, noon, NULL), RC_OK);
	assert_int_equal(held_sum(r.held).files, 2);
	assert_string_equal(hold(&r, "192.0.2.1", noon).text, b.text);
	spool(&r, "a", 5000);
	(void)hold(&r, "192.0.2.1", noon);
	assert_int_equal(files(&r), 2);
	room_clear(&r);
}

static bool
note_about(const struct held_about *a, void *arg)
{
	struct held_about *all = arg;

	assert_true(a->wall_ms >= noon);
	all[a->size == 0 ? 1 : 0] = *a;
	return true;
}

TEST(damaged_files_are_named_and_never_counted)
{
	struct held_about all[2] = { { .size = 0 } };
	struct room r;

	room_open(&r);
	spool(&r, "a", 5000);
	struct msg_id good = hold(&r, "192.0.2.1", noon), bad = ids_message(noon + 1);
	assert_int_equal(fs_replace(r.dir, bad.text, 0600, STR("x"), NULL), RC_OK);
	assert_int_equal(fs_replace(r.dir, "README", 0600, STR("x"), NULL), RC_OK);
	assert_int_equal(fs_replace(r.dir, ".tmp-1", 0600, STR("x"), NULL), RC_OK);
	assert_int_equal(fs_replace(r.dir, ".tmp-2", 0600, STR("x"), NULL), RC_OK);
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	const struct timespec fresh[2] = { { .tv_sec = (time_t)(noon / 1000) },
		{ .tv_sec = (time_t)(noon / 1000) } };
	assert_int_equal(utimensat(r.dir, ".tmp-1", old, 0), 0);
	assert_int_equal(utimensat(r.dir, ".tmp-2", fresh, 0), 0);
	assert_int_equal(held_each(r.dir, note_about, all, NULL), RC_OK);
	assert_string_equal(all[0].id.text, good.text);
	assert_int_equal(all[0].size, 5000);
	assert_string_equal(all[1].id.text, bad.text);
	assert_int_equal(all[1].wall_ms, noon + 1);
	reopen(&r, noon);
	assert_int_equal(held_sum(r.held).files, 1);
	assert_int_equal(faccessat(r.dir, ".tmp-1", F_OK, 0), -1);
	assert_int_equal(faccessat(r.dir, ".tmp-2", F_OK, 0), 0); /* being written */
	room_clear(&r);
}

/* ---- many threads ---- */

struct worker {
	pthread_t thread;
	struct held_item what;
	struct held *held;
	struct msg_id as;
	enum rc rc;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	w->rc = held_put(w->held, &w->what, &w->as, NULL);
	return NULL;
}

TEST(the_same_message_on_many_connections_is_written_once)
{
	struct worker w[16];
	struct room r;

	room_open(&r);
	spool(&r, "", 200000);
	for (unsigned i = 0; i < 16; i++) {
		w[i] = (struct worker){ .what = item_of(&r, "192.0.2.1", noon),
			.held = r.held };
		w[i].thread = thread_start("hold", work, &w[i]);
	}
	for (unsigned i = 0; i < 16; i++) {
		(void)pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].rc, RC_OK);
		assert_string_equal(w[i].as.text, w[0].as.text);
	}
	assert_int_equal(files(&r), 1);
	assert_original(&r, w[0].as.text, "facts");
	room_clear(&r);
}

/* The disk fails for whoever writes: the folder is gone. */
TEST(a_failure_leaves_nothing_and_is_not_taken_for_a_held_file)
{
	struct room r;
	struct msg_id as;

	room_open(&r);
	spool(&r, "", 5000);
	struct held_item i = item_of(&r, "192.0.2.1", noon);
	i.size++; /* the spooled file became shorter */
	assert_int_equal(held_put(r.held, &i, &as, NULL), RC_TEMP);
	assert_int_equal(files(&r), 0);
	assert_int_equal(held_sum(r.held).files, 0);
	assert_int_equal(held_sum(r.held).bytes, 0);
	assert_original(&r, hold(&r, "192.0.2.1", noon).text, "facts");
	room_clear(&r);
}
