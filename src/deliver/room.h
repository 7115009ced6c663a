/* SPDX-License-Identifier: ISC */
/* room: tests of what happens to refusals afterwards: an instance (testing.h) with house's own journal. */
#pragma once

#include "deliver/release.h"
#include "deliver/testing.h"

struct room {
	struct parts p;
	struct own *own;
	struct arena *mem;
	char path[256];
};

void room_open_journal(struct room *r, bool thread);
void room_open(struct room *r);
void room_close(struct room *r);
void room_start(struct room *r);
void room_clear(struct room *r);
struct sent room_mail(struct room *r, struct sent s);
struct sent room_refuse(struct room *r, size_t from, size_t n);
struct release_want room_want(struct room *r);
struct refusal room_released(struct room *r, const char *name);
enum rc room_release(
	struct room *r, const char *name, struct refusal *f, struct err *err);
void room_not_released(struct room *r, const char *name, const char *why);
struct refusal room_found(struct room *r, const char *name);
uint64_t room_copies(struct room *r, uint64_t account);
uint64_t room_postmaster(struct room *r);
/* The file of a message in a mailbox; free() it. */
char *room_text_of(
	struct room *r, uint64_t account, const struct msg_id *id, size_t *len);
char *room_newest(
	struct room *r, uint64_t account); /* the newest file of INBOX; free() it */
void room_assert_named(struct room *r, const char *what);
void room_run_sql(struct room *r, const char *sql);
