/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "held/refusals.h"
#include "test/test.h"

enum { KEEP_MS = 14 * 24 * 3600 * 1000, HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static const char link_text[] = "h26r9c3r0kebpcxx4bw6r9pknc";

static struct refusals *
opened(int data, uint64_t keep_ms)
{
	struct refusals *r = NULL;
	struct err err = { .rc = RC_OK };

	if (refusals_open(&(struct refusals_want){ .data = data, .keep_ms = keep_ms }, &r,
		    &err) != RC_OK)
		fail_msg("%s", err.text);
	return r;
}

static int
folder(void)
{
	int data = -1;

	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &data, NULL), RC_OK);
	return data;
}

/* One record: recipients r0…, all refused but the first `delivered`; `apart`: a link
 * for each. */
struct record {
	uint64_t seq, time_ms;
	size_t n, delivered;
	bool apart;
	str findings;
	uint32_t flags;
	struct msg_id id, held, released;
	uint32_t released_n;
};

static struct msg_id
enter(struct refusals *r, const char *journal, struct record c)
{
	BUF_AUTO payload = BUF(JREC_MOST);
	struct jrec_rcpt rcpts[8];
	char addresses[8][16];
	struct err err = { .rc = RC_OK };
	struct jrec_message m = { .id = c.id,
		.time_ms = c.time_ms,
		.client = { .family = 4, .bytes = { 192, 0, 2, 7 } },
		.helo = STR("mail.y.test"),
		.from = STR("s@y.test"),
		.flags = c.flags,
		.size = 2000,
		.findings = c.findings,
		.nrcpts = c.n,
		.rcpts = rcpts,
		.held = c.held,
		.released = c.released,
		.released_n = c.released_n };

	if (c.time_ms == 0)
		m.time_ms = clock_wall_ms();
	if (m.id.text[0] == '\0')
		m.id = ids_message(m.time_ms);
	for (size_t i = 0; i < c.n; i++) {
		bool ok = i < c.delivered;

		(void)snprintf(addresses[i], sizeof(addresses[i]), "r%zu@x.test", i);
		rcpts[i] = (struct jrec_rcpt){ .address = str_of(addresses[i]),
			.answer = ok ? JREC_DELIVERED : JREC_REFUSED,
			.code = ok ? 250 : 550,
			.enhanced = STR("5.7.1"),
			.reason = STR("this message is spam"),
			.score = 7250,
			.has_token = !ok };
		sha256(c.apart ? str_of(addresses[i]) : str_of(link_text),
			rcpts[i].token);
	}
	jrec_put_message(&payload, &m);
	assert_true(buf_ok(&payload));
	struct journal_item item = {
		.seq = c.seq, .kind = JREC_MESSAGE, .payload = buf_str(&payload)
	};
	if (refusals_enter(r, journal, &item, 1, &err) != RC_OK)
		fail_msg("%s", err.text);
	return m.id;
}

static enum rc
count_one(const struct refusal *f, void *arg, struct err *err)
{
	(void)f;
	(void)err;
	++*(size_t *)arg;
	return RC_OK;
}

static size_t
count(struct refusals *r, enum refusal_state state)
{
	size_t n = 0;

	assert_int_equal(refusals_each(r, state, count_one, &n, NULL), RC_OK);
	return n;
}

TEST(a_link_leads_to_what_was_said_about_the_message)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);
	struct msg_id held = ids_message(1000), id;
	struct refusal f;

	id = enter(r, "gate",
		(struct record){ .seq = 1,
			.n = 3,
			.delivered = 1,
			.held = held,
			.findings = STR("GTUBE=1000.000") });
	assert_int_equal(refusals_by_token(r, str_of(link_text), mem, &f, NULL), RC_OK);
	assert_string_equal(f.id.text, id.text);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.nrcpts, 2);
	assert_true(str_eq(f.rcpts[0], STR("r1@x.test")));
	assert_true(str_eq(f.client, STR("192.0.2.7")));
	assert_true(str_eq(f.sender, STR("s@y.test")));
	assert_true(str_eq(f.reason, STR("this message is spam")));
	assert_int_equal(f.score, 7250);
	assert_true(f.held && !f.virus);
	assert_string_equal(f.held_as.text, held.text);
	assert_int_equal(f.state, REFUSAL_OPEN);
	assert_int_equal(refusals_by_token(r, STR("other"), mem, &f, NULL), RC_NONE);
	refusals_close(&r);
	(void)close(data);
}

TEST(names_are_found_as_people_write_them_and_only_if_they_are_clear)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);
	struct msg_id id = { .text = "01KAPS0000ABCDEFGHJK" };
	struct refusal f;
	struct err err;

	(void)enter(
		r, "gate", (struct record){ .seq = 1, .id = id, .n = 3, .apart = true });
	assert_int_equal(
		refusals_find(r, STR("01kaps0000abcdefghjk.3"), mem, &f, NULL), RC_OK);
	assert_int_equal(f.n, 3);
	assert_true(str_eq(f.rcpts[0], STR("r2@x.test")));
	assert_int_equal(refusals_find(r, msg_id_str(&id), mem, &f, &err), RC_BAD);
	assert_non_null(strstr(err.text, "3 links"));
	assert_int_equal(
		refusals_find(r, STR("01KAPS0000ABCDEFGHJK.4"), mem, &f, NULL), RC_NONE);
	static const char *const bad[] = { "", "x", ".", "01KAPS0000ABCDEFGHJK.",
		"01KAPS0000ABCDEFGHJK.0", "01KAPS0000ABCDEFGHJK.1x",
		"01KAPS0000ABCDEFGHJK.99999999999", "U1KAPS0000ABCDEFGHJK.1",
		"01KAPS0000ABCDEFGHJK1", NULL };
	for (const char *const *b = bad; *b != NULL; b++)
		assert_int_equal(refusals_find(r, str_of(*b), mem, &f, NULL), RC_BAD);
	id = enter(r, "gate", (struct record){ .seq = 2, .n = 2 });
	assert_int_equal(refusals_find(r, msg_id_str(&id), mem, &f, NULL), RC_OK);
	assert_int_equal(f.nrcpts, 2);
	refusals_close(&r);
	(void)close(data);
}

TEST(records_that_come_again_change_nothing)
{
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);
	struct msg_id id = ids_message(5000);
	uint64_t seq = 0;

	(void)enter(r, "gate", (struct record){ .seq = 3, .id = id, .n = 1 });
	(void)enter(r, "gate", (struct record){ .seq = 3, .id = id, .n = 1 });
	(void)enter(r, "gate", (struct record){ .seq = 9, .n = 1, .delivered = 1 });
	(void)enter(r, "house", (struct record){ .seq = 2, .n = 1, .delivered = 1 });
	assert_int_equal(count(r, 0), 1);
	assert_int_equal(refusals_applied(r, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 9);
	refusals_close(&r);
	r = opened(data, KEEP_MS); /* without a checkpoint: at least as far as the row */
	assert_int_equal(refusals_applied(r, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 3);
	(void)enter(r, "gate", (struct record){ .seq = 9, .n = 1, .delivered = 1 });
	assert_int_equal(refusals_checkpoint(r, NULL), RC_OK);
	refusals_close(&r);
	r = opened(data, KEEP_MS);
	assert_int_equal(refusals_applied(r, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 9);
	assert_int_equal(refusals_applied(r, "house", &seq, NULL), RC_OK);
	assert_int_equal(seq, 0);
	assert_int_equal(count(r, 0), 1);
	refusals_close(&r);
	(void)close(data);
}

struct order {
	uint64_t time_ms;
	struct msg_id id;
	uint32_t n;
	size_t seen;
};

static enum rc
in_order(const struct refusal *f, void *arg, struct err *err)
{
	struct order *o = arg;
	int same = strcmp(f->id.text, o->id.text);

	(void)err;
	assert_true(
		f->time_ms < o->time_ms ||
		(f->time_ms == o->time_ms && (same < 0 || (same == 0 && f->n > o->n))));
	assert_true(f->nrcpts == 1 || f->nrcpts == 2);
	*o = (struct order){ f->time_ms, f->id, f->n, o->seen + 1 };
	return RC_OK;
}

TEST(a_long_list_is_whole_and_newest_first)
{
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);
	struct order o = { .time_ms = UINT64_MAX, .id.text = "~" };
	size_t all = 0;

	for (uint64_t i = 0; i < 150; i++) {
		/* several at the same time, several links of one */
		(void)enter(r, "gate",
			(struct record){ .seq = i + 1,
				.time_ms = 7000 + i / 40 * 10,
				.n = 2,
				.apart = i % 3 == 0 });
		all += i % 3 == 0 ? 2 : 1;
	}
	assert_int_equal(refusals_each(r, 0, in_order, &o, NULL), RC_OK);
	assert_int_equal(o.seen, all);
	assert_int_equal(count(r, REFUSAL_OPEN), all);
	assert_int_equal(count(r, REFUSAL_DISMISSED), 0);
	refusals_close(&r);
	(void)close(data);
}

TEST(only_a_virus_is_called_one)
{
	static const struct {
		const char *findings;
		bool virus;
	} cases[] = {
		{ "VIRUS=1000.000(Eicar-Test-Signature)", true },
		{ "A=1.000 VIRUS=1000.000(x)", true },
		{ "VIRUS_UNSEEN=1000.000", false },
		{ "A=1.000(VIRUS=1) B=1.000", false },
		{ "A=1.000(x VIRUS=1.000)", false },
		{ "XVIRUS=1.000", false },
		{ "", false },
	};
	ARENA_AUTO mem = arena_new(1 << 20);
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct refusal f;
		struct msg_id id = enter(r, "gate",
			(struct record){ .seq = i + 1,
				.n = 1,
				.findings = str_of(cases[i].findings) });

		assert_int_equal(refusals_find(r, msg_id_str(&id), mem, &f, NULL), RC_OK);
		assert_int_equal(f.virus, cases[i].virus);
	}
	refusals_close(&r);
	(void)close(data);
}

TEST(who_looked_at_an_original_stays_written_down)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	uint64_t now = clock_wall_ms();
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);
	struct msg_id id = enter(r, "gate", (struct record){ .seq = 1, .n = 1 });
	struct refusal f;

	assert_int_equal(refusals_find(r, msg_id_str(&id), mem, &f, NULL), RC_OK);
	assert_int_equal(refusals_opened(r, &f, STR("ann"), STR("show"), NULL), RC_OK);
	assert_int_equal(refusals_opened(r, &f, STR("ben"), STR("release"), NULL), RC_OK);
	assert_int_equal(refusals_expire(r, -1, now + 100ull * DAY_MS, NULL), RC_OK);
	assert_int_equal(count(r, 0), 0);
	refusals_close(&r);
	char *text;
	size_t len;
	assert_int_equal(
		fs_read_all(data, "refusals.db-wal", 1 << 24, &text, &len, NULL), RC_OK);
	assert_true(str_find((str){ text, len }, STR("ben")) < len);
	free(text);
	(void)close(data);
}

TEST(with_nothing_kept_the_page_can_still_explain_for_a_day)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	uint64_t now = clock_wall_ms();
	int data = folder();
	struct refusals *r = opened(data, 0);
	struct msg_id id = enter(r, "gate", (struct record){ .seq = 1, .n = 1 });
	struct refusal f;

	assert_int_equal(refusals_expire(r, -1, now + 23ull * HOUR_MS, NULL), RC_OK);
	assert_int_equal(refusals_find(r, msg_id_str(&id), mem, &f, NULL), RC_OK);
	assert_false(f.held);
	assert_int_equal(refusals_expire(r, -1, now + 25ull * HOUR_MS, NULL), RC_OK);
	assert_int_equal(refusals_find(r, msg_id_str(&id), mem, &f, NULL), RC_NONE);
	refusals_close(&r);
	(void)close(data);
}

TEST(a_release_has_one_id_however_often_it_is_asked_for)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);
	struct msg_id id = enter(
		r, "gate", (struct record){ .seq = 1, .n = 2, .apart = true });
	struct msg_id first, second, again;
	struct refusal f;
	char name[REFUSAL_NAME];

	for (int i = 1; i <= 2; i++) {
		(void)snprintf(name, sizeof(name), "%s.%d", id.text, i);
		assert_int_equal(refusals_find(r, str_of(name), mem, &f, NULL), RC_OK);
		assert_int_equal(refusals_release_id(r, &f, STR("ann"),
					 i == 1 ? &first : &second, NULL),
			RC_OK);
	}
	assert_true(ids_valid(msg_id_str(&first)));
	assert_string_not_equal(first.text, second.text);
	assert_string_not_equal(first.text, id.text);
	assert_int_equal(count(r, REFUSAL_RELEASED), 0);
	(void)enter(r, "house",
		(struct record){ .seq = 1,
			.id = second,
			.n = 1,
			.delivered = 1,
			.flags = JREC_RELEASED,
			.released = id,
			.released_n = 2 });
	assert_int_equal(count(r, REFUSAL_RELEASED), 1);
	refusals_close(&r);
	r = opened(data, KEEP_MS);
	assert_int_equal(refusals_find(r, str_of(name), mem, &f, NULL), RC_OK);
	assert_int_equal(f.state, REFUSAL_RELEASED);
	assert_true(str_eq(f.decided_by, STR("ann")));
	assert_int_equal(refusals_release_id(r, &f, STR("ben"), &again, NULL), RC_OK);
	assert_string_equal(again.text, second.text);
	refusals_close(&r);
	(void)close(data);
}

TEST(a_record_that_cannot_be_read_enters_nothing)
{
	int data = folder();
	struct refusals *r = opened(data, KEEP_MS);
	struct journal_item item = {
		.seq = 1, .kind = JREC_MESSAGE, .payload = STR("garbage")
	};
	struct err err;
	uint64_t seq = 7;

	assert_int_equal(refusals_enter(r, "gate", &item, 1, &err), RC_PERM);
	assert_non_null(strstr(err.text, "record 1 of journal gate"));
	assert_int_equal(refusals_applied(r, "gate", &seq, NULL), RC_OK);
	assert_int_equal(seq, 0);
	refusals_close(&r);
	(void)close(data);
}
