/* SPDX-License-Identifier: ISC */
/* Appeals in the register: their limits, registers of before there were any, what is kept. */
#include "held/appeals.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "db/db.h"
#include "held/letters.h"
#include "refusals_sql.h"
#include "test/test.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static const uint64_t keep_ms = 14ull * DAY_MS;

struct desk {
	int data;
	struct refusals *r;
	struct arena *mem;
	uint64_t seq;
};

static void
open_desk(struct desk *d)
{
	struct err err = { .rc = RC_OK };
	const struct refusals_want w = { .data = d->data, .keep_ms = keep_ms };

	if (refusals_open(&w, &d->r, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static void
begin(struct desk *d)
{
	*d = (struct desk){ .data = -1, .mem = arena_new(1 << 20) };
	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &d->data, NULL), RC_OK);
}

static void
end(struct desk *d)
{
	clock_set_wall(0);
	refusals_close(&d->r);
	arena_free(&d->mem);
	(void)close(d->data);
}

/* Mail from 198.51.X.1 that says it is from `from` was refused and held. */
static struct refusal
refused(struct desk *d, uint8_t net, const char *from)
{
	BUF_AUTO payload = BUF(JREC_MOST);
	struct refusal f;
	struct jrec_rcpt rcpt = { .address = STR("a@x.test"),
		.answer = JREC_REFUSED,
		.code = 550,
		.enhanced = STR("5.7.1"),
		.has_token = true };
	struct jrec_message m = { .id = ids_message(clock_wall_ms()),
		.time_ms = clock_wall_ms(),
		.client = { .family = 4, .bytes = { 198, 51, net, 1 } },
		.from = str_of(from),
		.nrcpts = 1,
		.rcpts = &rcpt };

	m.held = m.id;
	sha256(msg_id_str(&m.id), rcpt.token);
	jrec_put_message(&payload, &m);
	struct journal_item item = {
		.seq = ++d->seq, .kind = JREC_MESSAGE, .payload = buf_str(&payload)
	};
	assert_int_equal(refusals_enter(d->r, "gate", &item, 1, NULL), RC_OK);
	assert_int_equal(refusals_find(d->r, msg_id_str(&m.id), d->mem, &f, NULL), RC_OK);
	return f;
}

static enum appeal_end
appeal(struct desk *d, const struct refusal *f, uint8_t net,
	const struct appeal_limits *l)
{
	const struct appeal a = { .time_ms = clock_wall_ms(),
		.note = STR("n"),
		.client = { .family = 4, .bytes = { 203, 0, net, 1 } } };
	const struct decider boss = { .id = f->id,
		.n = f->n,
		.address = STR("postmaster@x.test"),
		.role = DECIDER_POSTMASTER };
	enum appeal_end before, now;

	assert_int_equal(appeals_may(d->r, f, &a, l, &before, NULL), RC_OK);
	assert_int_equal(appeals_put(d->r, f, &a, &boss, 1, l, &now, NULL), RC_OK);
	assert_int_equal(before, now);
	return now;
}

TEST(who_writes_anothers_domain_into_spam_uses_up_his_own_appeals)
{
	const struct appeal_limits l = { .network = 10, .domain = 2, .all = 1000 };
	struct desk d;
	struct refusal f;

	begin(&d);
	open_desk(&d);
	for (uint8_t i = 0; i < 4; i++) {
		f = refused(&d, 7, "forged@Victim.test");
		assert_int_equal(
			appeal(&d, &f, i, &l), i < 2 ? APPEAL_TAKEN : APPEAL_MANY);
	}
	f = refused(&d, 8, "really@victim.test");
	assert_int_equal(appeal(&d, &f, 9, &l), APPEAL_TAKEN);
	end(&d);
}

TEST(one_network_cannot_use_up_what_is_for_all)
{
	const struct appeal_limits l = { .network = 1000, .domain = 1000, .all = 10 };
	struct desk d;
	struct refusal f;

	begin(&d);
	open_desk(&d);
	for (uint8_t i = 0; i < 8; i++) {
		f = refused(&d, 7, "s@spam.test");
		assert_int_equal(
			appeal(&d, &f, 1, &l), i < 5 ? APPEAL_TAKEN : APPEAL_MANY);
	}
	f = refused(&d, 7, "s@spam.test");
	assert_int_equal(appeal(&d, &f, 2, &l), APPEAL_MANY);
	for (uint8_t i = 0; i < 6; i++) {
		f = refused(&d, (uint8_t)(10 + i), "s@good.test");
		assert_int_equal(appeal(&d, &f, (uint8_t)(10 + i), &l),
			i < 5 ? APPEAL_TAKEN : APPEAL_MANY);
	}
	end(&d);
}

static void
run_sql(struct desk *d, const char *const sql[], unsigned n)
{
	const struct db_want w = { .dirfd = d->data,
		.path = "refusals.db",
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = 65536,
		.mode = 0600 };
	struct db *db = NULL;
	struct err err = { .rc = RC_OK };

	if (db_open(&w, &db, &err) != RC_OK || db_migrate(db, sql, n, &err) != RC_OK)
		fail_msg("%s", err.text);
	db_close(&db);
}

static void
change(struct desk *d, const char *sql)
{
	const struct db_want w = { .dirfd = d->data,
		.path = "refusals.db",
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = 65536 };
	struct db *db = NULL;
	struct err err = { .rc = RC_OK };

	if (db_open(&w, &db, &err) != RC_OK || db_exec(db, sql, &err) != RC_OK)
		fail_msg("%s", err.text);
	db_close(&db);
}

TEST(a_register_of_before_there_were_appeals_keeps_its_refusals)
{
	const struct appeal_limits l = { .network = 10, .domain = 10, .all = 10 };
	char sql[1000];
	struct desk d;
	struct refusal f;
	uint64_t now = clock_wall_ms();

	begin(&d);
	run_sql(&d, refusals_schema, 1);
	(void)snprintf(sql, sizeof(sql),
		"INSERT INTO refusal VALUES ('01KAPS0000ABCDEFGHJK', 1, x'00', 1, %llu, %llu, "
		"%llu, 0, '', '192.0.2.1', 'h', 's@y.test', '', '', 0, 5, 0, "
		"'01KAPS0000ABCDEFGHJK'); INSERT INTO rcpt VALUES ('01KAPS0000ABCDEFGHJK', 1, 0, "
		"'a@x.test'); INSERT INTO notice VALUES ('01KAPS0000ABCDEFGHJM', 5, 1)",
		(unsigned long long)now, (unsigned long long)(now + DAY_MS),
		(unsigned long long)(now + DAY_MS));
	change(&d, sql);
	open_desk(&d);
	assert_int_equal(
		refusals_find(d.r, STR("01KAPS0000ABCDEFGHJK"), d.mem, &f, NULL), RC_OK);
	assert_int_equal(f.nrcpts, 1);
	assert_int_equal(appeal(&d, &f, 1, &l), APPEAL_TAKEN);
	end(&d);
}

static void
count_untrue(str sentence, void *arg)
{
	(void)sentence;
	++*(size_t *)arg;
}

static size_t
untrue(struct desk *d, uint64_t wall_ms)
{
	size_t n = 0;

	assert_int_equal(
		letters_audit(d->r, wall_ms, true, count_untrue, &n, NULL), RC_OK);
	return n;
}

TEST(an_appeal_without_its_refusal_and_a_letter_that_is_stuck_are_named)
{
	const struct appeal_limits l = { .network = 10, .domain = 10, .all = 10 };
	uint64_t now = clock_wall_ms();
	static struct letter letter;
	struct desk d;
	struct refusal f;

	begin(&d);
	open_desk(&d);
	f = refused(&d, 1, "s@y.test");
	assert_int_equal(appeal(&d, &f, 1, &l), APPEAL_TAKEN);
	assert_int_equal(untrue(&d, now), 0);
	assert_int_equal(untrue(&d, now + 2ull * DAY_MS), 1);
	assert_int_equal(letters_next(d.r, now, d.mem, &letter, NULL), RC_OK);
	assert_int_equal(untrue(&d, now), 0);
	assert_int_equal(untrue(&d, now + 2 * HOUR_MS), 1);
	change(&d, "UPDATE refusal SET state = 1");
	assert_int_equal(untrue(&d, now), 1);
	change(&d, "DELETE FROM refusal");
	assert_int_equal(untrue(&d, now), 1);
	change(&d, "DELETE FROM appeal; DELETE FROM letter");
	assert_int_equal(untrue(&d, now), 1);
	end(&d);
}

static uint64_t
rows_of(struct desk *d, const char *sql)
{
	const struct db_want w = { .dirfd = d->data,
		.path = "refusals.db",
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = 65536 };
	struct db *db = NULL;
	uint64_t n;

	assert_int_equal(db_open(&w, &db, NULL), RC_OK);
	struct db_stmt *q = db_prepare(db, sql, NULL);
	assert_non_null(q);
	assert_int_equal(db_step(q, NULL), RC_OK);
	n = db_u64(q, 0);
	db_reset(q);
	db_close(&db);
	return n;
}

TEST(what_was_said_and_who_decides_goes_with_the_refusal)
{
	const struct appeal_limits l = { .network = 10, .domain = 10, .all = 10 };
	uint64_t now = clock_wall_ms();
	static struct letter letter;
	struct desk d;
	struct refusal f;

	begin(&d);
	open_desk(&d);
	f = refused(&d, 1, "s@y.test");
	assert_int_equal(appeal(&d, &f, 1, &l), APPEAL_TAKEN);
	assert_int_equal(letters_next(d.r, now, d.mem, &letter, NULL), RC_OK);
	const struct decider who = {
		.id = f.id, .n = 1, .address = STR("a@x.test"), .role = 2
	};
	assert_int_equal(deciders_put(d.r, &who, 1, NULL), RC_OK);
	assert_int_equal(letters_drop(d.r, &letter.message, NULL), RC_OK);
	static const char all[] =
		"SELECT (SELECT COUNT(*) FROM appeal) + (SELECT COUNT(*) FROM "
		"decider) + (SELECT COUNT(*) FROM letter_about)";
	assert_int_equal(refusals_expire(d.r, -1, now + keep_ms - DAY_MS, NULL), RC_OK);
	assert_int_equal(rows_of(&d, all), 3);
	assert_int_equal(refusals_expire(d.r, -1, now + keep_ms + DAY_MS, NULL), RC_OK);
	assert_int_equal(rows_of(&d, all), 0);
	end(&d);
}

TEST(twenty_thousand_rows_of_a_day_and_their_pages_take_one_sync_each)
{
	enum { ROWS = 20000 };
	struct decider *rows = calloc(ROWS, sizeof(*rows));
	struct desk d;
	uint64_t began;

	assert_non_null(rows);
	begin(&d);
	open_desk(&d);
	for (uint32_t i = 0; i < ROWS; i++)
		rows[i] = (struct decider){ .id = ids_message(clock_wall_ms()),
			.n = 1,
			.address = STR("a@x.test"),
			.role = DECIDER_RECIPIENT };
	began = clock_ms();
	assert_int_equal(
		letters_daily_put(d.r, rows, ROWS, clock_wall_ms(), NULL), RC_OK);
	assert_int_equal(deciders_put(d.r, rows, ROWS, NULL), RC_OK);
	print_message("%llu ms\n", (unsigned long long)(clock_ms() - began));
	assert_int_equal(rows_of(&d, "SELECT COUNT(*) FROM decider"), ROWS);
	free(rows);
	end(&d);
}
