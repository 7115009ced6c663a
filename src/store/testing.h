/* SPDX-License-Identifier: ISC */
/* testing: a data folder with messages in incoming/, for store's tests. */
#pragma once

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "store/store_int.h"
#include "test/test.h"
#include "wire/facts.h"
#include "wire/jrec.h"

/* Another message of journal number `seq`, for the account: spools the file
 * the first time an id is used. */
struct mail {
	struct msg_id id;
	uint8_t digest[32];
	uint64_t size;
	struct buf facts;
};

static inline int
data_folder(void)
{
	int fd;

	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &fd, NULL), RC_OK);
	assert_int_equal(fs_mkdirs(fd, "incoming", 0700, NULL), RC_OK);
	return fd;
}

static inline struct store *
open_store(int data)
{
	struct store *s;
	struct err err = { 0 };

	if (store_open(&(struct store_want){ .data = data, .cache_bytes = 65536 }, &s, &err) !=
		RC_OK)
		fail_msg("%s", err.text);
	return s;
}

/* A message with this Message-ID, referring to that one (may be NULL). */
static inline struct mail
make_mail(int data, const char *message_id, const char *ref)
{
	struct mail m = { .id = ids_message(clock_wall_ms()), .facts = BUF(FACTS_MOST) };
	char text[TRACE_BLOCK + 200], path[48];
	str refs[1] = { str_of(ref) };
	struct facts f = { .date_s = INT64_MIN, .header_bytes = 40,
		.envelope = { .subject = STR("hello"), .message_id = str_of(message_id) },
		.nrefs = ref != NULL, .refs = refs };
	FD_AUTO fd = -1;

	memset(text, '.', TRACE_BLOCK);
	int n = snprintf(text + TRACE_BLOCK, 200, "Subject: hello\r\n\r\n%s %s\r\n", m.id.text,
		message_id);
	m.size = TRACE_BLOCK + (uint64_t)n;
	sha256((str){ text + TRACE_BLOCK, (size_t)n }, m.digest);
	(void)snprintf(path, sizeof(path), "incoming/%s", m.id.text);
	assert_int_equal(fs_open(data, path, O_WRONLY | O_CREAT, 0600, &fd, NULL), RC_OK);
	assert_int_equal(fs_append(fd, (str){ text, m.size }, NULL), RC_OK);
	facts_pack(&m.facts, &f);
	return m;
}

static inline struct store_apply
delivery(const struct mail *m, uint64_t seq, uint64_t account)
{
	struct store_apply a = { .seq = seq, .what = { .account = account, .id = m->id,
		.size = m->size, .trace_bytes = TRACE_BLOCK, .received_ms = 1795397280123, .facts = buf_str(&m->facts) } };

	memcpy(a.what.digest, m->digest, sizeof(a.what.digest));
	return a;
}

static inline void
deliver(struct store *s, const struct mail *m, uint64_t seq, uint64_t account)
{
	struct store_apply a = delivery(m, seq, account);
	struct err err = { 0 };

	if (store_deliver(s, "gate", &a, 1, seq, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static inline uint64_t
messages_of(struct store *s, uint64_t account)
{
	struct store_usage u = { 0 };

	assert_int_equal(store_usage(s, account, &u, NULL), RC_OK);
	return u.messages;
}

static inline bool
there(int data, const char *path)
{
	return faccessat(data, path, F_OK, 0) == 0;
}

struct damages {
	unsigned n;
	char all[4096];
};

static inline void
keep_damage(const char *sentence, void *arg)
{
	struct damages *d = arg;
	size_t used = strlen(d->all);

	d->n++;
	(void)snprintf(d->all + used, sizeof(d->all) - used, "%s\n", sentence);
}

static inline struct damages
check_store(struct store *s, bool digests)
{
	struct damages d = { 0 };
	struct err err = { 0 };

	if (store_check(s, digests, keep_damage, &d, &err) != RC_OK)
		fail_msg("%s", err.text);
	return d;
}

/* Nothing may be wrong. */
static inline void
sound(struct store *s)
{
	struct damages d = check_store(s, true);

	if (d.n != 0)
		fail_msg("%s", d.all);
}
