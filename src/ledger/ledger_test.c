/* SPDX-License-Identifier: ISC */
#include "ledger/ledger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "db/db.h"
#include "test/test.h"

#define NOVEMBER 1795000000000ull /* 2026-11-18 */
#define DECEMBER 1796500000000ull /* 2026-12-05 */
#define DAY      (24ull * 3600 * 1000)

static int
folder(void)
{
	int fd = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct ledger *
opened(int data)
{
	struct ledger_want w = { .data = data };
	struct ledger *l = NULL;
	struct err err;

	if (ledger_open(&w, &l, &err) != RC_OK)
		fail_msg("%s", err.text);
	return l;
}

struct records {
	struct buf bytes[20];
	struct journal_item items[20];
	size_t n;
};

static void
add(struct records *r, uint64_t seq, enum jrec_kind kind)
{
	struct buf *b = &r->bytes[r->n];

	assert_true(buf_ok(b));
	r->items[r->n++] =
		(struct journal_item){ .seq = seq, .kind = kind, .payload = buf_str(b) };
}

static struct msg_id
add_message(struct records *r, uint64_t seq, uint64_t time_ms)
{
	uint64_t targets[] = { 11, 12 };
	struct jrec_rcpt rcpts[] = {
		{ .address = STR("Alice@x.test"),
			.answer = JREC_DELIVERED,
			.code = 250,
			.enhanced = STR("2.6.0"),
			.ntargets = 2,
			.targets = targets },
		{ .address = STR("bob@x.test"),
			.answer = JREC_REFUSED,
			.code = 550,
			.enhanced = STR("5.7.1"),
			.reason = STR("no"),
			.score = 7500 },
	};
	struct jrec_message m = { .id = ids_message(time_ms),
		.time_ms = time_ms,
		.size = 4321,
		.client = { .family = 4, .bytes = { 192, 0, 2, 7 } },
		.helo = STR("h.test"),
		.from = STR("s@y.test"),
		.flags = JREC_TLS,
		.findings = STR("X=1.000"),
		.nrcpts = 2,
		.rcpts = rcpts };

	r->bytes[r->n] = BUF(1 << 16);
	jrec_put_message(&r->bytes[r->n], &m);
	add(r, seq, JREC_MESSAGE);
	return m.id;
}

static void
add_other(struct records *r, uint64_t seq, uint64_t minute)
{
	struct jrec_counts c = { .minute = minute,
		.network = { .family = 4, .bytes = { 198, 51, 100 } },
		.unknown = 3,
		.relay = 1 };
	struct jrec_answered a = { .id = ids_message(1) };

	r->bytes[r->n] = BUF(1 << 16);
	if (minute != 0)
		jrec_put_counts(&r->bytes[r->n], &c);
	else
		jrec_put_answered(&r->bytes[r->n], &a);
	add(r, seq, minute != 0 ? JREC_COUNTS : JREC_ANSWERED);
}

static void
clear(struct records *r)
{
	for (size_t i = 0; i < r->n; i++)
		buf_free(&r->bytes[i]);
	r->n = 0;
}

static void
enter(struct ledger *l, struct records *r)
{
	struct err err = { .rc = RC_OK };

	if (ledger_enter(l, "gate", r->items, r->n, &err) != RC_OK)
		fail_msg("%s", err.text);
}

struct seen {
	size_t n, rcpts;
	uint64_t seq[20], ordinal[20];
	struct msg_id id;
};

static enum rc
on_row(const struct ledger_row *row, void *arg, struct err *err)
{
	struct seen *s = arg;

	(void)err;
	assert_true(str_eq(row->journal, STR("gate")));
	s->seq[s->n] = row->seq;
	s->ordinal[s->n++] = row->ordinal;
	s->rcpts += row->nrcpts;
	s->id = row->id;
	assert_int_equal(row->rcpts[0].targets[1], 12);
	assert_int_equal(row->rcpts[1].score, 7500);
	return RC_OK;
}

static struct seen
find(struct ledger *l, struct ledger_query q)
{
	struct seen s = { .n = 0 };
	struct err err = { .rc = RC_OK };

	if (ledger_find(l, &q, on_row, &s, &err) != RC_OK)
		fail_msg("%s", err.text);
	return s;
}

static void
on_damage(const char *sentence, void *arg)
{
	struct buf *b = arg;

	buf_addz(b, sentence);
	buf_addc(b, '\n');
}

static void
assert_sound(struct ledger *l)
{
	BUF_AUTO damage = BUF(4096);

	assert_int_equal(ledger_check(l, on_damage, &damage, NULL), RC_OK);
	assert_string_equal(buf_z(&damage), "");
}

TEST(what_happened_to_a_message_is_found_by_who_and_when)
{
	int data = folder();
	struct ledger *l = opened(data);
	struct records r = { .n = 0 };
	struct msg_id id = add_message(&r, 1, NOVEMBER);

	add_other(&r, 2, 0);
	(void)add_message(&r, 3, DECEMBER);
	enter(l, &r);
	struct seen s = find(l, (struct ledger_query){ .since_ms = 0 });
	assert_int_equal(s.n, 2);
	assert_int_equal(s.rcpts, 4);
	assert_int_equal(s.seq[0], 1);
	assert_int_equal(s.ordinal[1], 2);
	assert_int_equal(find(l, (struct ledger_query){ .since_ms = NOVEMBER + 1 }).n, 1);
	assert_int_equal(find(l, (struct ledger_query){ .from = STR("S@y.test") }).n, 2);
	assert_int_equal(find(l, (struct ledger_query){ .from = STR("z@y.test") }).n, 0);
	assert_int_equal(
		find(l, (struct ledger_query){ .to = STR("alice@X.test") }).n, 2);
	assert_int_equal(
		find(l, (struct ledger_query){ .to = STR("carol@x.test") }).n, 0);
	s = find(l, (struct ledger_query){ .id = msg_id_str(&id) });
	assert_int_equal(s.n, 1);
	assert_string_equal(s.id.text, id.text);
	s = find(l, (struct ledger_query){ .most = 1 });
	assert_int_equal(s.n, 1);
	assert_int_equal(s.seq[0], 3);
	assert_sound(l);
	clear(&r);
	ledger_close(&l);
	(void)close(data);
}

TEST(records_entered_again_give_no_second_row)
{
	int data = folder();
	struct ledger *l = opened(data);
	struct records r = { .n = 0 };
	uint64_t seq;

	for (uint64_t i = 1; i <= 10; i++) /* back and forth over a month's end */
		(void)add_message(&r, i, i % 3 == 0 ? DECEMBER : NOVEMBER);
	assert_int_equal(ledger_enter(l, "gate", r.items, 6, NULL), RC_OK);
	ledger_close(&l);
	l = opened(data);
	assert_int_equal(ledger_applied(l, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 6);
	enter(l, &r);
	enter(l, &r);
	assert_int_equal(ledger_applied(l, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 10);
	assert_int_equal(ledger_applied(l, "house", &seq, NULL), RC_OK);
	assert_int_equal(seq, 0);
	assert_int_equal(find(l, (struct ledger_query){ .since_ms = 0 }).n, 10);
	assert_int_equal(ledger_checkpoint(l, NULL), RC_OK);
	assert_sound(l);
	struct ledger_want w = { .data = data, .read_only = true };
	struct ledger *reader = NULL;
	assert_int_equal(ledger_open(&w, &reader, NULL), RC_OK);
	assert_int_equal(ledger_applied(reader, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 10);
	assert_int_equal(find(reader, (struct ledger_query){ .most = 4 }).n, 4);
	ledger_close(&reader);
	clear(&r);
	ledger_close(&l);
	(void)close(data);
}

TEST(a_month_that_is_just_being_made_is_empty_and_no_error)
{
	int data = folder();
	struct ledger *l = NULL, *reader = NULL;
	struct ledger_want w = { .data = data, .read_only = true };
	struct ledger_figures f;

	assert_int_equal(
		ledger_open(&(struct ledger_want){ .data = data }, &l, NULL), RC_OK);
	assert_int_equal(
		fs_replace(data, "ledger/2026-11.db", 0640, (str){ 0 }, NULL), RC_OK);
	assert_int_equal(ledger_open(&w, &reader, NULL), RC_OK);
	assert_int_equal(ledger_figures(reader, 0, &f, NULL), RC_OK);
	assert_int_equal(f.messages, 0);
	assert_int_equal(find(reader, (struct ledger_query){ .since_ms = 0 }).n, 0);
	assert_int_equal(find(reader, (struct ledger_query){ .most = 4 }).n, 0);
	assert_sound(reader);
	ledger_close(&reader);
	ledger_close(&l);
	(void)close(data);
}

static void
run(int data, const char *sql)
{
	struct db_want w = { .dirfd = data,
		.path = "ledger/2026-11.db",
		.sync = DB_SYNC_NORMAL,
		.cache_bytes = 65536 };
	struct db *db = NULL;

	assert_int_equal(db_open(&w, &db, NULL), RC_OK);
	assert_int_equal(db_exec(db, sql, NULL), RC_OK);
	db_close(&db);
}

static void
assert_damage(int data, const char *what)
{
	BUF_AUTO damage = BUF(4096);
	struct ledger *l = opened(data);

	assert_int_equal(ledger_check(l, on_damage, &damage, NULL), RC_OK);
	assert_non_null(strstr(buf_z(&damage), what));
	ledger_close(&l);
}

TEST(a_removed_row_is_named)
{
	static const struct {
		const char *sql, *named;
	} cases[] = {
		{ "DELETE FROM message WHERE seq = 2",
			"no row for message 2 of journal gate" },
		{ "DELETE FROM message WHERE seq IN (2, 3)",
			"no row for message 2 to 3 of" },
		{ "DELETE FROM message WHERE seq = 4",
			"no row for message 4 of journal gate" },
		{ "DELETE FROM rcpt WHERE seq = 1 AND n = 1",
			"1 of 2 recipients of message" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int data = folder();
		struct ledger *l = opened(data);
		struct records r = { .n = 0 };

		for (uint64_t seq = 1; seq <= 4; seq++)
			(void)add_message(&r, seq, NOVEMBER);
		enter(l, &r);
		ledger_close(&l);
		run(data, cases[i].sql);
		assert_damage(data, cases[i].named);
		clear(&r);
		(void)close(data);
	}
}

static struct ledger_figures
figures(struct ledger *l)
{
	struct ledger_figures f;

	assert_int_equal(ledger_figures(l, NOVEMBER - 5 * DAY, &f, NULL), RC_OK);
	return f;
}

TEST(addresses_go_after_their_time_and_figures_stay)
{
	int data = folder();
	struct ledger *l = opened(data);
	struct records r = { .n = 0 };
	struct ledger_figures f;

	(void)add_message(&r, 1, NOVEMBER);
	(void)add_message(&r, 2, NOVEMBER + DAY);
	add_other(&r, 3, NOVEMBER / 60000);
	add_other(&r, 4, NOVEMBER / 60000);
	(void)add_message(&r, 5, NOVEMBER + 2 * DAY);
	(void)add_message(&r, 6, DECEMBER);
	enter(l, &r);
	f = figures(l);
	assert_int_equal(f.messages, 4);
	assert_int_equal(f.delivered, 4);
	assert_int_equal(f.refused, 4);
	assert_int_equal(f.unknown, 6);
	assert_int_equal(f.relay, 2);
	assert_int_equal(ledger_age(l, NOVEMBER + 2 * DAY, DAY / 2, NULL), RC_OK);
	assert_int_equal(find(l, (struct ledger_query){ .since_ms = 0 }).n, 2);
	struct ledger_figures g = figures(l);
	assert_memory_equal(&f, &g, sizeof(f));
	assert_sound(l);
	assert_int_equal(ledger_age(l, DECEMBER, DAY, NULL), RC_OK);
	assert_int_equal(ledger_age(l, DECEMBER, DAY, NULL), RC_OK);
	assert_int_equal(find(l, (struct ledger_query){ .since_ms = 0 }).n, 1);
	g = figures(l);
	assert_memory_equal(&f, &g, sizeof(f));
	assert_sound(l);
	ledger_close(&l);
	l = opened(data);
	enter(l, &r);
	assert_sound(l);
	assert_int_equal(find(l, (struct ledger_query){ .since_ms = 0 }).n, 1);
	clear(&r);
	ledger_close(&l);
	(void)close(data);
}

TEST(a_copy_has_the_same_rows)
{
	int data = folder(), other = folder();
	struct ledger *l = opened(data);
	struct records r = { .n = 0 };

	(void)add_message(&r, 1, NOVEMBER);
	(void)add_message(&r, 2, DECEMBER);
	enter(l, &r);
	assert_int_equal(ledger_copy(l, other, NULL), RC_OK);
	ledger_close(&l);
	l = opened(other);
	assert_int_equal(find(l, (struct ledger_query){ .since_ms = 0 }).n, 2);
	assert_sound(l);
	clear(&r);
	ledger_close(&l);
	(void)close(data);
	(void)close(other);
}

TEST(a_record_that_cannot_be_read_is_named_and_nothing_is_entered)
{
	int data = folder();
	struct ledger *l = opened(data);
	struct journal_item item = {
		.seq = 1, .kind = JREC_MESSAGE, .payload = STR("garbage")
	};
	struct err err;
	uint64_t seq;

	assert_int_equal(ledger_enter(l, "gate", &item, 1, &err), RC_PERM);
	assert_non_null(strstr(err.text, "record 1 of journal gate"));
	assert_int_equal(ledger_applied(l, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 0);
	ledger_close(&l);
	(void)close(data);
}
