/* SPDX-License-Identifier: ISC */
#include "deliver/room.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "db/db.h"
#include "test/test.h"

void
room_open_journal(struct room *r, bool thread)
{
	struct err err = { .rc = RC_OK };
	const struct own_want w = { .apply = { .data = r->p.data,
					    .directory = r->p.directory,
					    .store = r->p.store,
					    .ledger = r->p.ledger,
					    .refusals = r->p.refusals,
					    .with = thread ? r->p.apply : NULL,
					    .checkpoint_ms = 10 },
		.thread = thread };

	if (own_open(&w, &r->own, &err) != RC_OK)
		fail_msg("%s", err.text);
}

void
room_open(struct room *r)
{
	struct err err = { .rc = RC_OK };

	if (parts_open(&r->p, &err) != RC_OK)
		fail_msg("%s", err.text);
	room_open_journal(r, false);
}

void
room_close(struct room *r)
{
	own_close(&r->own);
	parts_close(&r->p);
}

void
room_start(struct room *r)
{
	*r = (struct room){ .mem = arena_new(16 << 20) };
	(void)snprintf(r->path, sizeof(r->path), "%s", test_folder());
	parts_make(&r->p, r->path, 6);
	room_open(r);
}

void
room_clear(struct room *r)
{
	clock_set_wall(0);
	own_close(&r->own);
	parts_clear(&r->p);
	arena_free(&r->mem);
}

struct sent
room_mail(struct room *r, struct sent s)
{
	struct err err = { .rc = RC_OK };

	s.body = 300;
	if (parts_send(&r->p, &s, &err) != RC_OK)
		fail_msg("%s", err.text);
	parts_apply(&r->p);
	return s;
}

struct sent
room_refuse(struct room *r, size_t from, size_t n)
{
	return room_mail(r, (struct sent){ .from = from, .refused = n });
}

struct release_want
room_want(struct room *r)
{
	return (struct release_want){ .data = r->p.data,
		.hostname = STR("mx.x.test"),
		.directory = r->p.directory,
		.refusals = r->p.refusals,
		.private_key = r->p.held_private };
}

enum rc
room_release(struct room *r, const char *name, struct refusal *f, struct err *err)
{
	const struct release_want w = room_want(r);

	arena_reset(r->mem);
	*err = (struct err){ .rc = RC_OK };
	return release_run(&w, r->own, str_of(name), STR("tester"), r->mem, f, err);
}

struct refusal
room_released(struct room *r, const char *name)
{
	struct refusal f;
	struct err err;

	if (room_release(r, name, &f, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(f.state, REFUSAL_RELEASED);
	return f;
}

void
room_not_released(struct room *r, const char *name, const char *why)
{
	struct refusal f;
	struct err err;

	assert_int_not_equal(room_release(r, name, &f, &err), RC_OK);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

struct refusal
room_found(struct room *r, const char *name)
{
	struct refusal f;

	assert_int_equal(
		refusals_find(r->p.refusals, str_of(name), r->mem, &f, NULL), RC_OK);
	return f;
}

uint64_t
room_copies(struct room *r, uint64_t account)
{
	struct store_usage u = { .messages = 0 };

	(void)!store_usage(r->p.store, account, &u, NULL);
	return u.messages;
}

uint64_t
room_postmaster(struct room *r)
{
	uint64_t id = 0;

	assert_int_equal(
		account_heir(r->p.directory, STR("postmaster"), &id, NULL), RC_OK);
	return id;
}

/* The file of a message in a mailbox; free() it. */
char *
room_text_of(struct room *r, uint64_t account, const struct msg_id *id, size_t *len)
{
	FD_AUTO fd = -1;
	uint64_t size = 0;
	char *text;

	assert_int_equal(store_open_message(r->p.store, account, id, &fd, NULL), RC_OK);
	assert_int_equal(fs_size(fd, &size, NULL), RC_OK);
	text = calloc(1, (size_t)size + 1);
	assert_int_equal(fs_pread(fd, text, (size_t)size, 0, len, NULL), RC_OK);
	return text;
}

void
room_assert_named(struct room *r, const char *what)
{
	if (strstr(r->p.damage, what) == NULL)
		fail_msg("not named: \"%s\" in \"%s\"", what, r->p.damage);
}

void
room_run_sql(struct room *r, const char *sql)
{
	struct db_want w = { .dirfd = r->p.data,
		.path = "refusals.db",
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = 65536 };
	struct db *db = NULL;
	struct err err = { .rc = RC_OK };

	if (db_open(&w, &db, &err) != RC_OK || db_exec(db, sql, &err) != RC_OK)
		fail_msg("%s: %s", sql, err.text);
	db_close(&db);
}

static enum rc
on_message(const struct store_message *m, void *arg, struct err *err)
{
	(void)err;
	*(struct msg_id *)arg = m->id;
	return RC_OK;
}

char *
room_newest(struct room *r, uint64_t account)
{
	struct msg_id id = { .text = "" };
	size_t len;

	assert_int_equal(store_messages(r->p.store, account, STR("INBOX"), 0, on_message,
				 &id, NULL),
		RC_OK);
	return room_text_of(r, account, &id, &len);
}
