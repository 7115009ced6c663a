/* SPDX-License-Identifier: ISC */
/* Refusals from the record to the mailbox: releases, notices, time and damage. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "db/db.h"
#include "deliver/notice.h"
#include "deliver/room.h"
#include "test/test.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS, CUTS_MOST = 400 };

/* --- releasing --- */

TEST(a_released_original_comes_once_to_each_as_it_was_with_one_field_more)
{
	struct room r;
	size_t len;

	room_start(&r);
	struct sent s = room_refuse(&r, 0, 2);
	struct refusal f = room_released(&r, s.id.text);

	assert_int_equal(f.nrcpts, 2);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(room_copies(&r, r.p.accounts[i]), i < 2);
	char *text = room_text_of(&r, r.p.accounts[0], &f.release_id, &len);
	const char *field = strstr(text, "X-Gatepost-Released: ");
	assert_non_null(field);
	assert_null(strstr(field + 1, "X-Gatepost-Released: "));
	assert_int_equal(strncmp(field + 21, s.id.text, MSG_ID_LEN), 0);
	assert_true(field < text + TRACE_BLOCK);
	assert_int_equal(strncmp(text + TRACE_BLOCK, "Subject: test\r\n\r\n", 17), 0);
	assert_int_equal(strncmp(text + TRACE_BLOCK + 17, s.id.text, MSG_ID_LEN), 0);
	free(text);
	parts_sound(&r.p);
	room_not_released(&r, s.id.text, "released already");
	assert_int_equal(room_copies(&r, r.p.accounts[0]), 1);
	room_close(&r);
	room_open(&r);
	room_not_released(&r, s.id.text, "released already");
	assert_int_equal(room_copies(&r, r.p.accounts[0]), 1);
	parts_sound(&r.p);
	room_clear(&r);
}

TEST(each_link_of_a_message_is_released_alone)
{
	struct room r;
	char name[REFUSAL_NAME];

	room_start(&r);
	struct sent s = room_mail(
		&r, (struct sent){ .from = 1, .n = 1, .refused = 2, .apart = true });
	room_not_released(&r, s.id.text, "say which");
	(void)snprintf(name, sizeof(name), "%s.2", s.id.text);
	struct refusal f = room_released(&r, name);
	assert_int_equal(f.nrcpts, 1);
	assert_int_equal(room_copies(&r, r.p.accounts[1]), 1);
	assert_int_equal(room_copies(&r, r.p.accounts[2]), 0);
	assert_int_equal(room_copies(&r, r.p.accounts[3]), 1);
	(void)snprintf(name, sizeof(name), "%s.1", s.id.text);
	assert_int_equal(room_found(&r, name).state, REFUSAL_OPEN);
	(void)room_released(&r, name);
	assert_int_equal(room_copies(&r, r.p.accounts[2]), 1);
	parts_sound(&r.p);
	room_clear(&r);
}

TEST(a_release_for_an_account_that_is_gone_goes_to_its_heir)
{
	struct room r;
	uint64_t id;

	room_start(&r);
	struct sent s = room_refuse(&r, 0, 2);
	assert_int_equal(
		account_remove(r.p.directory, STR("a0@x.test"), &id, NULL), RC_OK);
	(void)room_released(&r, s.id.text);
	assert_int_equal(room_copies(&r, room_postmaster(&r)), 1);
	assert_int_equal(room_copies(&r, r.p.accounts[1]), 1);
	parts_sound(&r.p);
	room_clear(&r);
}

TEST(one_recipient_does_not_learn_of_another_who_was_sent_the_same)
{
	struct room r;
	size_t len;

	room_start(&r);
	struct sent first = room_refuse(&r, 0, 1);
	struct sent s = room_mail(
		&r, (struct sent){ .from = 1, .refused = 1, .bytes_of = first.id });
	assert_string_equal(s.held.text, first.held.text);
	struct refusal f = room_released(&r, s.id.text);
	char *text = room_text_of(&r, r.p.accounts[1], &f.release_id, &len);
	char block[TRACE_BLOCK + 1];
	(void)snprintf(block, sizeof(block), "%.*s", (int)TRACE_BLOCK, text);
	assert_null(strstr(block, first.id.text));
	assert_non_null(strstr(block, s.id.text));
	free(text);
	(void)room_released(&r, first.id.text);
	assert_int_equal(room_copies(&r, r.p.accounts[0]), 1);
	parts_sound(&r.p);
	room_clear(&r);
}

TEST(an_unread_original_cannot_speak_in_our_name)
{
	static const str header = STR_INIT(
		"X-Gatepost-Released: today\r\nAuthentication-Results: other.test; spf=pass\r\n"
		"authentication-results:\r\n mx.X.test; dkim=pass\r\nx-GATEPOST-Score: -9\r\n");
	struct room r;
	size_t len;

	room_start(&r);
	struct sent s = room_mail(
		&r, (struct sent){ .refused = 1, .header = header, .unread = true });
	struct refusal f = room_released(&r, s.id.text);
	char *text = room_text_of(&r, r.p.accounts[0], &f.release_id, &len);
	static const char want[] =
		"X-xatepost-Released: today\r\nAuthentication-Results: other.test; spf=pass\r\n"
		"xuthentication-results:\r\n mx.X.test; dkim=pass\r\nx-xATEPOST-Score: -9\r\n"
		"Subject: test\r\n\r\n";
	assert_memory_equal(text + TRACE_BLOCK, want, sizeof(want) - 1);
	free(text);
	parts_sound(&r.p);
	s = room_mail(&r, (struct sent){ .refused = 1, .header = header });
	f = room_released(&r, s.id.text); /* read: renaming is gate's */
	text = room_text_of(&r, r.p.accounts[0], &f.release_id, &len);
	assert_memory_equal(text + TRACE_BLOCK, header.ptr, header.len);
	free(text);
	room_clear(&r);
}

TEST(what_cannot_be_released_says_why)
{
	struct room r;
	struct err err;
	struct refusal f;

	room_start(&r);
	struct sent s = room_refuse(&r, 0, 1);
	struct sent bare = room_mail(&r, (struct sent){ .refused = 1, .unheld = true });
	room_not_released(&r, "01KAPS0000ABCDEFGHJK", "no refusal");
	room_not_released(&r, "hello", "not the name of a refusal");
	room_not_released(&r, bare.id.text, "was not kept");
	uint8_t other[SEAL_PRIVATE], public[SEAL_PUBLIC];
	uint8_t key[SEAL_PRIVATE];
	memcpy(key, r.p.held_private, sizeof(key));
	seal_make_keys(public, other);
	memcpy(r.p.held_private, other, sizeof(other));
	assert_int_equal(room_release(&r, s.id.text, &f, &err), RC_BAD);
	memcpy(r.p.held_private, key, sizeof(key));
	struct release_want w = room_want(&r);
	w.private_key = NULL;
	assert_int_equal(
		release_run(&w, r.own, msg_id_str(&s.id), STR("tester"), r.mem, &f, &err),
		RC_BAD);
	assert_non_null(strstr(err.text, "keys/held.key"));
	f = room_found(&r, s.id.text);
	assert_int_equal(refusals_dismiss(r.p.refusals, &f, STR("boss"), NULL), RC_OK);
	room_not_released(&r, s.id.text, "dismissed");
	assert_int_equal(room_copies(&r, r.p.accounts[0]), 0);
	clock_set_wall(clock_wall_ms() + 15ull * DAY_MS);
	room_not_released(&r, s.id.text, "was over");
	room_clear(&r);
}

/* --- all at once --- */

enum { PEOPLE = 6, NAMES = 4 };

struct person {
	struct room *r;
	struct msg_id *names;
	size_t done, late; /* released, found released */
	pthread_t thread;
};

static void *
release_all(void *arg)
{
	struct person *p = arg;
	const struct release_want w = room_want(p->r);

	for (size_t i = 0; i < NAMES; i++) {
		ARENA_AUTO mem = arena_new(1 << 20);
		struct err err = { .rc = RC_OK };
		struct refusal f;
		enum rc rc = release_run(&w, p->r->own, msg_id_str(&p->names[i]),
			STR("tester"), mem, &f, &err);

		p->done += rc == RC_OK;
		p->late += rc == RC_BAD && strstr(err.text, "released already") != NULL;
	}
	return NULL;
}

TEST(many_who_release_at_the_same_time_give_one_copy)
{
	struct room r;
	struct msg_id names[NAMES];
	struct person people[PEOPLE];
	size_t done = 0, late = 0;

	room_start(&r);
	for (size_t i = 0; i < NAMES; i++)
		names[i] = room_refuse(&r, 0, 2).id;
	own_close(&r.own);
	apply_start(r.p.apply);
	room_open_journal(&r, true);
	for (size_t i = 0; i < PEOPLE; i++) {
		people[i] = (struct person){ .r = &r, .names = names };
		people[i].thread = thread_start("person", release_all, &people[i]);
	}
	for (size_t i = 0; i < 5; i++) { /* and mail comes meanwhile */
		struct sent s = { .from = 3, .n = 1, .refused = 1, .body = 100 };
		assert_int_equal(parts_send(&r.p, &s, NULL), RC_OK);
	}
	for (size_t i = 0; i < PEOPLE; i++) {
		(void)pthread_join(people[i].thread, NULL);
		done += people[i].done;
		late += people[i].late;
	}
	assert_int_equal(done, NAMES);
	assert_int_equal(late, NAMES * (PEOPLE - 1));
	assert_int_equal(room_copies(&r, r.p.accounts[0]), NAMES);
	assert_int_equal(room_copies(&r, r.p.accounts[1]), NAMES);
	room_close(&r);
	room_open(&r);
	parts_apply(&r.p);
	parts_sound(&r.p);
	room_clear(&r);
}

/* --- killed --- */

static int cut_at; /* events to go; the process ends at 0 */

static void
on_event(const struct fs_event *e)
{
	(void)e;
	if (__atomic_sub_fetch(&cut_at, 1, __ATOMIC_SEQ_CST) == 0)
		_exit(9);
}

typedef void cut_fn(struct room *r, const char *name);

/* In a process of its own, which is killed at the cut'th event.  True: it got through. */
static bool
run_cut(struct room *r, int cut, cut_fn *fn, const char *name)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct room c = { .mem = arena_new(16 << 20) };

		parts_attach(&c.p, &r->p, r->path);
		room_open(&c);
		cut_at = cut;
		fs_observe(on_event);
		fn(&c, name);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9);
	return WEXITSTATUS(status) == 0;
}

/* Every third event, or all of them. */
static int
stride(void)
{
	return getenv("GATEPOST_POWER_ALL") != NULL ? 1 : 3;
}

static void
cut_release(struct room *r, const char *name)
{
	struct refusal f;
	struct err err;

	(void)!room_release(r, name, &f, &err);
}

TEST(a_release_that_was_killed_anywhere_and_begun_again_gives_one_copy)
{
	struct room r;
	bool through = false;
	uint64_t n = 0;

	room_start(&r);
	for (int cut = 1; !through && cut < CUTS_MOST; cut += stride()) {
		struct sent s = room_refuse(&r, 0, 2);
		struct refusal f;
		struct err err;

		room_close(&r);
		through = run_cut(&r, cut, cut_release, s.id.text);
		room_open(&r);
		enum rc rc = room_release(&r, s.id.text, &f, &err);
		if (rc != RC_OK && strstr(err.text, "released already") == NULL)
			fail_msg("cut at event %d: %s", cut, err.text);
		for (size_t i = 0; i < 2; i++)
			if (room_copies(&r, r.p.accounts[i]) != n + 1)
				fail_msg("cut at event %d: %" PRIu64 " copies", cut,
					room_copies(&r, r.p.accounts[i]));
		n++;
	}
	assert_true(through);
	assert_true(n > 10);
	parts_sound(&r.p);
	room_clear(&r);
}

/* --- notices --- */

static const str lost = STR_INIT("SCANNER_LOST=1000.000");

static enum rc
tell(struct room *r, struct err *err)
{
	const struct notice_want w = { .hostname = STR("mx.x.test"),
		.directory = r->p.directory,
		.refusals = r->p.refusals,
		.own = r->own };

	return notice_send(&w, err);
}

static void
told(struct room *r)
{
	struct err err = { .rc = RC_OK };

	if (tell(r, &err) != RC_OK)
		fail_msg("%s", err.text);
}

TEST(the_postmaster_is_told_once_an_hour_what_stopped_the_scanner)
{
	struct room r;

	room_start(&r);
	(void)room_mail(&r, (struct sent){ .refused = 1,
				    .findings = STR("GTUBE=1.000(SCANNER_LOST=1)") });
	told(&r);
	assert_int_equal(room_copies(&r, room_postmaster(&r)), 0);
	struct sent s = room_mail(&r, (struct sent){ .refused = 1, .findings = lost });
	told(&r);
	told(&r);
	assert_int_equal(room_copies(&r, room_postmaster(&r)), 1);
	char *text = room_newest(&r, room_postmaster(&r));
	assert_non_null(strstr(text, s.id.text));
	assert_non_null(strstr(text, "From: Gatepost <postmaster@x.test>\r\n"));
	assert_non_null(strstr(text, "from <s@y.test>, client 192.0.2.1"));
	assert_null(strstr(text, "Subject: test"));
	free(text);
	(void)room_mail(&r, (struct sent){ .refused = 1, .findings = lost });
	(void)room_mail(
		&r, (struct sent){ .refused = 1, .findings = lost, .unheld = true });
	told(&r);
	assert_int_equal(room_copies(&r, room_postmaster(&r)), 1);
	clock_set_wall(clock_wall_ms() + HOUR_MS);
	told(&r);
	assert_int_equal(room_copies(&r, room_postmaster(&r)), 2);
	text = room_newest(&r, room_postmaster(&r));
	assert_non_null(strstr(text, "Subject: 2 messages"));
	assert_non_null(strstr(text, "not kept"));
	free(text);
	room_close(&r);
	room_open(&r);
	told(&r);
	assert_int_equal(room_copies(&r, room_postmaster(&r)), 2);
	parts_sound(&r.p);
	room_clear(&r);
}

static void
cut_notice(struct room *r, const char *name)
{
	struct err err;

	(void)name;
	(void)!tell(r, &err);
}

TEST(a_notice_that_was_killed_anywhere_comes_once)
{
	uint64_t now = clock_wall_ms(), n = 0;
	struct room r;
	bool through = false;

	room_start(&r);
	for (int cut = 1; !through && cut < CUTS_MOST; cut += stride()) {
		clock_set_wall(now + (uint64_t)cut * 2 * HOUR_MS);
		(void)room_mail(&r, (struct sent){ .refused = 1, .findings = lost });
		room_close(&r);
		through = run_cut(&r, cut, cut_notice, "");
		room_open(&r);
		told(&r);
		if (room_copies(&r, room_postmaster(&r)) != ++n)
			fail_msg("cut at event %d: %" PRIu64 " notices", cut,
				room_copies(&r, room_postmaster(&r)));
	}
	assert_true(through);
	parts_sound(&r.p);
	room_clear(&r);
}

/* --- time --- */

static bool
is_held(struct room *r, const struct sent *s)
{
	return faccessat(r->p.held_dir, s->held.text, F_OK, 0) == 0;
}

static void
expire(struct room *r)
{
	struct err err = { .rc = RC_OK };

	if (refusals_expire(r->p.refusals, r->p.held_dir, clock_wall_ms(), &err) != RC_OK)
		fail_msg("%s", err.text);
}

TEST(what_is_past_its_time_goes_and_what_is_shared_stays_until_the_last)
{
	uint64_t now = clock_wall_ms();
	struct room r;
	struct refusal f;

	room_start(&r);
	clock_set_wall(now);
	struct sent first = room_refuse(&r, 0, 1), alone = room_refuse(&r, 2, 1);
	clock_set_wall(now + 20ull * HOUR_MS);
	struct sent second = room_mail(
		&r, (struct sent){ .from = 1, .refused = 1, .bytes_of = first.id });
	assert_string_equal(second.held.text, first.held.text);
	clock_set_wall(now + 14ull * DAY_MS - 1000);
	expire(&r);
	assert_true(is_held(&r, &first) && is_held(&r, &alone));
	clock_set_wall(now + 14ull * DAY_MS + 1000);
	expire(&r);
	assert_true(is_held(&r, &first));
	assert_false(is_held(&r, &alone));
	assert_int_equal(
		refusals_find(r.p.refusals, msg_id_str(&first.id), r.mem, &f, NULL),
		RC_NONE);
	parts_sound(&r.p);
	(void)room_released(&r, second.id.text);
	clock_set_wall(now + 15ull * DAY_MS);
	expire(&r);
	assert_false(is_held(&r, &first));
	parts_sound(&r.p);
	room_clear(&r);
}

TEST(a_file_that_a_killed_gate_left_is_removed_only_when_nobody_can_name_it_any_more)
{
	uint64_t now = clock_wall_ms();
	struct room r;

	room_start(&r);
	clock_set_wall(now);
	struct sent s = room_refuse(&r, 0, 1);
	room_run_sql(&r, "DELETE FROM refusal; DELETE FROM rcpt");
	clock_set_wall(now + 24ull * HOUR_MS);
	expire(&r);
	assert_true(is_held(&r, &s));
	clock_set_wall(now + 26ull * HOUR_MS);
	expire(&r);
	assert_false(is_held(&r, &s));
	room_clear(&r);
}

TEST(a_register_that_was_lost_is_made_anew_and_what_was_released_stays_so)
{
	struct room r;

	room_start(&r);
	struct sent s = room_refuse(&r, 0, 2), open = room_refuse(&r, 3, 1);
	struct refusal was = room_released(&r, s.id.text);
	struct msg_id copy = was.release_id;
	room_close(&r);
	for (const char *const *n = (const char *const[]){ "refusals.db",
		     "refusals.db-wal", "refusals.db-shm", NULL };
		*n != NULL; n++)
		(void)unlinkat(r.p.data, *n, 0);
	room_open(&r);
	parts_apply(&r.p);
	assert_int_equal(own_settle(r.own, NULL), RC_OK);
	room_not_released(&r, s.id.text, "released already");
	was = room_found(&r, s.id.text);
	assert_string_equal(was.release_id.text, copy.text);
	assert_int_equal(room_copies(&r, r.p.accounts[0]), 1);
	(void)room_released(&r, open.id.text);
	parts_sound(&r.p);
	room_clear(&r);
}

/* --- damage, and what audit says of it --- */

TEST(a_refusal_that_is_not_in_the_register_is_named)
{
	struct room r;

	room_start(&r);
	struct sent s = room_refuse(&r, 0, 1);
	room_run_sql(&r, "DELETE FROM refusal; DELETE FROM rcpt");
	parts_audit(&r.p, false);
	room_assert_named(&r, s.id.text);
	room_assert_named(&r, "the register of refusals does not know it");
	room_clear(&r);
}

TEST(an_original_that_is_missing_or_damaged_is_named)
{
	struct room r;

	room_start(&r);
	struct sent gone = room_refuse(&r, 0, 1), cut = room_refuse(&r, 1, 1),
		    bent = room_refuse(&r, 2, 1);
	parts_sound(&r.p);
	assert_int_equal(unlinkat(r.p.held_dir, gone.held.text, 0), 0);
	int fd = openat(r.p.held_dir, cut.held.text, O_WRONLY);
	assert_int_equal(ftruncate(fd, 50), 0);
	(void)close(fd);
	parts_audit(&r.p, false);
	assert_int_equal(r.p.breaches, 2);
	room_assert_named(&r, gone.id.text);
	room_assert_named(&r, cut.held.text);
	fd = openat(r.p.held_dir, bent.held.text, O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, 900), 1);
	(void)close(fd);
	parts_audit(&r.p, true);
	room_assert_named(&r, bent.held.text);
	room_clear(&r);
}

TEST(a_file_in_held_that_belongs_to_nobody_is_named_once_it_is_old)
{
	uint64_t now = clock_wall_ms();
	struct room r;

	room_start(&r);
	clock_set_wall(now);
	struct sent s = room_refuse(&r, 0, 1);
	room_run_sql(&r, "DELETE FROM refusal; DELETE FROM rcpt; INSERT INTO mark VALUES "
			 "('expired', 9000000000000)");
	parts_sound(&r.p);
	clock_set_wall(now + 2ull * DAY_MS);
	parts_audit(&r.p, false);
	room_assert_named(&r, s.held.text);
	room_assert_named(&r, "belongs to no refusal");
	room_clear(&r);
}

TEST(a_release_that_nobody_got_or_that_nobody_noted_is_named)
{
	struct room r;

	room_start(&r);
	struct sent s = room_refuse(&r, 0, 1), other = room_refuse(&r, 1, 1);
	struct refusal f = room_found(&r, s.id.text);
	struct msg_id id;
	assert_int_equal(
		refusals_release_id(r.p.refusals, &f, STR("tester"), &id, NULL), RC_OK);
	parts_sound(&r.p); /* begun */
	room_run_sql(&r, "UPDATE released SET done_ms = 5");
	parts_audit(&r.p, false);
	room_assert_named(&r, id.text);
	room_assert_named(&r, "no mailbox has it");
	room_run_sql(&r, "UPDATE released SET done_ms = 0");
	(void)room_released(&r, other.id.text);
	parts_sound(&r.p);
	room_run_sql(&r, "UPDATE released SET done_ms = 0");
	parts_audit(&r.p, false);
	room_assert_named(&r, other.id.text);
	room_assert_named(&r, "the register says that it is open");
	room_clear(&r);
}
