/* SPDX-License-Identifier: ISC */
/* Appeals, letters and decisions that are cut off, too large, or made by who may not. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "deliver/court.h"
#include "test/test.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

/* ---- what letters say ---- */

struct search {
	struct room *r;
	uint64_t account;
	const char *what;
	size_t found, links, longest;
};

static enum rc
on_message(const struct store_message *m, void *arg, struct err *err)
{
	struct search *q = arg;
	size_t len, line = 0;
	char *text = room_text_of(q->r, q->account, &m->id, &len);

	(void)err;
	q->found += strstr(text, q->what) != NULL;
	for (const char *at = text; (at = strstr(at, "/d/")) != NULL; at++)
		q->links++;
	for (const char *at = text; *at != '\0'; at++) {
		line = *at == '\n' ? 0 : line + 1;
		q->longest = line > q->longest ? line : q->longest;
	}
	free(text);
	return RC_OK;
}

/* In how many messages of INBOX it is. */
static struct search
search(struct court *c, uint64_t account, const char *what)
{
	struct search q = { .r = &c->r, .account = account, .what = what };

	assert_int_equal(store_messages(c->r.p.store, account, STR("INBOX"), 0,
				 on_message, &q, NULL),
		RC_OK);
	return q;
}

TEST(appeals_that_are_too_long_for_one_letter_hold_up_nobody)
{
	enum { N = 120 };
	static struct sent s[N];
	static char note[APPEAL_NOTE + 1];
	struct court c;

	court_begin(&c);
	for (size_t i = 0; i < APPEAL_NOTE; i++)
		note[i] = i % 2 == 0 ? 'a' : '.';
	for (size_t i = 0; i < N; i++) {
		s[i] = room_refuse(&c.r, 0, 1);
		assert_int_equal(court_appeal(&c, &s[i], note), APPEAL_TAKEN);
	}
	clock_set_wall(clock_wall_ms() + 11 * MINUTE_MS);
	court_send(&c);
	uint64_t chief = room_postmaster(&c.r);
	assert_true(room_copies(&c.r, chief) > 1 && room_copies(&c.r, chief) < 10);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(search(&c, chief, s[i].id.text).found, 1);
	assert_int_equal(search(&c, chief, "").links, N);
	assert_true(search(&c, chief, "").longest <= 999);
	court_end(&c);
}

TEST(one_days_refusals_are_told_once_though_the_clock_is_set_back)
{
	const struct policy p = { .has_refused_mail = true, .daily = true };
	struct err err = { .rc = RC_OK };
	uint64_t now = clock_wall_ms();
	struct court c;

	court_begin(&c);
	ok(policy_set(c.r.p.directory, STR("a0@x.test"), &p, &err), &err);
	clock_set_wall(now);
	(void)room_refuse(&c.r, 0, 1);
	clock_set_wall(now + HOUR_MS);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 1);
	clock_set_wall(now + MINUTE_MS);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 1);
	court_end(&c);
}

TEST(what_was_decided_meanwhile_is_not_told)
{
	struct court c;
	struct refusal f;

	court_begin(&c);
	struct sent s = room_refuse(&c.r, 0, 1);
	assert_int_equal(court_appeal(&c, &s, "x"), APPEAL_TAKEN);
	f = room_found(&c.r, s.id.text);
	assert_int_equal(refusals_dismiss(c.r.p.refusals, &f, STR("boss"), NULL), RC_OK);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, room_postmaster(&c.r)), 0);
	court_end(&c);
}

TEST(bytes_that_are_no_text_come_as_text)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\xff\xc3z\xe2\x82", "a\ufffd\ufffdz\ufffd\ufffd" },
		{ "\xc0\xaf\xed\xa0\x80", "\ufffd\ufffd\ufffd\ufffd\ufffd" },
		{ "a\u3002test a\uff0etest", "a[.]test a[.]test" },
		{ "1\u200e2\ufeff3\xc2\x9b", "123" },
		{ "a\rb\nc\x1b[0m", "a b c [0m" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		BUF_AUTO b = BUF(1000);

		letters_defang(str_of(rows[i].in), &b);
		assert_string_equal(buf_z(&b), rows[i].out);
	}
}

/* ---- who may ---- */

TEST(who_is_gone_or_disabled_decides_no_more)
{
	const struct policy p = { .has_appeals = true, .recipient_appeals = true };
	struct err err = { .rc = RC_OK };
	struct court c;
	struct refusal f;
	char token[27];

	court_begin(&c);
	ok(policy_set(c.r.p.directory, STR("a1@x.test"), &p, &err), &err);
	struct sent s = room_refuse(&c.r, 1, 1);
	assert_int_equal(court_appeal(&c, &s, ""), APPEAL_TAKEN);
	court_send(&c);
	char *text = room_newest(&c.r, c.r.p.accounts[1]);
	court_token(text, token);
	free(text);
	ok(account_disable(c.r.p.directory, STR("a1@x.test"), true, &err), &err);
	assert_int_equal(court_decide(&c, token, true, &f, &err), RC_BAD);
	ok(account_disable(c.r.p.directory, STR("a1@x.test"), false, &err), &err);
	const struct policy none = { .has_appeals = false };
	ok(policy_set(c.r.p.directory, STR("a1@x.test"), &none, &err), &err);
	assert_int_equal(court_decide(&c, token, true, &f, &err), RC_BAD);
	assert_int_equal(court_decide(&c, token, false, &f, &err), RC_BAD);
	assert_int_equal(room_found(&c.r, s.id.text).state, REFUSAL_APPEALED);
	ok(policy_set(c.r.p.directory, STR("a1@x.test"), &p, &err), &err);
	ok(court_decide(&c, token, true, &f, &err), &err);
	court_end(&c);
}

TEST(two_domains_on_one_server_neither_see_nor_decide_for_each_other)
{
	const struct policy p = { .has_appeals = true, .recipient_appeals = true };
	str rcpts[] = { STR("a0@x.test"), STR("b@z.test"), STR("a1@x.test") };
	struct refusal f = { .n = 1, .nrcpts = 3, .rcpts = rcpts };
	const struct decider ours = { .address = STR("postmaster@x.test"),
		.role = DECIDER_POSTMASTER },
			     theirs = { .address = STR("postmaster@z.test"),
				     .role = DECIDER_POSTMASTER },
			     one = { .address = STR("a0@x.test"),
				     .role = DECIDER_RECIPIENT };
	struct err err = { .rc = RC_OK };
	struct court c;
	str *seen;
	size_t n;

	court_begin(&c);
	struct directory *d = c.r.p.directory;
	ok(domain_add(d, STR("z.test"), &err), &err);
	ok(appeal_sees(d, &ours, &f, c.r.mem, &seen, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_true(str_eq(seen[0], rcpts[0]) && str_eq(seen[1], rcpts[2]));
	ok(appeal_sees(d, &theirs, &f, c.r.mem, &seen, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_true(str_eq(seen[0], rcpts[1]));
	ok(appeal_sees(d, &one, &f, c.r.mem, &seen, &n, &err), &err);
	assert_int_equal(n, 1);
	ok(appeal_may_decide(d, &ours, &f, true, &err), &err);
	ok(policy_set(d, STR("x.test"), &p, &err), &err);
	assert_int_equal(appeal_may_decide(d, &one, &f, true, &err), RC_BAD);
	f.rcpts[1] = STR("a2@x.test");
	ok(appeal_may_decide(d, &one, &f, true, &err), &err);
	assert_int_equal(appeal_may_decide(d, &theirs, &f, true, &err), RC_BAD);
	court_end(&c);
}

TEST(both_links_of_who_is_postmaster_and_recipient_stay_good)
{
	struct err err = { .rc = RC_OK };
	struct court c;
	struct decider d[2], found;
	struct refusal f;
	char tokens[2][27];

	court_begin(&c);
	struct sent s = room_refuse(&c.r, 0, 1);
	for (size_t i = 0; i < 2; i++) {
		d[i] = (struct decider){ .id = s.id,
			.n = 1,
			.address = STR("postmaster@x.test"),
			.role = i == 0 ? DECIDER_POSTMASTER : DECIDER_RECIPIENT };
		decider_token(court_key, &d[i], tokens[i]);
		sha256(str_of(tokens[i]), d[i].token);
		ok(deciders_put(c.r.p.refusals, &d[i], 1, &err), &err);
	}
	for (size_t i = 0; i < 2; i++) {
		ok(deciders_find(
			   c.r.p.refusals, str_of(tokens[i]), c.r.mem, &found, &f, &err),
			&err);
		assert_int_equal(found.role, d[i].role);
	}
	court_end(&c);
}

/* ---- killed ---- */

static int cut_at; /* events to go; the process ends at 0 */

static void
on_event(const struct fs_event *e)
{
	(void)e;
	if (__atomic_sub_fetch(&cut_at, 1, __ATOMIC_SEQ_CST) == 0)
		_exit(9);
}

typedef void cut_fn(struct court *c, const struct sent *s, const char *token);

/* In a process of its own, which is killed at the cut'th event.  True: it got through. */
static bool
run_cut(struct court *c, int cut, cut_fn *fn, const struct sent *s, const char *token)
{
	int status = 0;

	room_close(&c->r);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct court mine = *c;

		mine.r = (struct room){ .mem = arena_new(16 << 20) };
		parts_attach(&mine.r.p, &c->r.p, c->r.path);
		room_open(&mine.r);
		court_house(&mine);
		cut_at = cut;
		fs_observe(on_event);
		fn(&mine, s, token);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9);
	room_open(&c->r);
	court_house(c);
	return WEXITSTATUS(status) == 0;
}

enum { CUTS_MOST = 400 };

static int
stride(void)
{
	return getenv("GATEPOST_POWER_ALL") != NULL ? 1 : 3;
}

static void
cut_letters(struct court *c, const struct sent *s, const char *token)
{
	const struct letters_want w = court_letters(c);
	bool more;

	(void)s;
	(void)token;
	(void)!letters_send(&w, &more, NULL);
}

TEST(a_letter_that_was_killed_anywhere_comes_once_with_a_link_that_is_good)
{
	uint64_t now = clock_wall_ms(), n = 0;
	bool through = false;
	struct court c;

	court_begin(&c);
	for (int cut = 1; !through && cut < CUTS_MOST; cut += stride()) {
		struct err err = { .rc = RC_OK };
		struct decider d;
		struct refusal f;
		char token[27];

		clock_set_wall(now + (uint64_t)cut * 10 * MINUTE_MS);
		struct sent s = room_refuse(&c.r, 0, 1);
		assert_int_equal(court_appeal(&c, &s, "x"), APPEAL_TAKEN);
		through = run_cut(&c, cut, cut_letters, NULL, NULL);
		court_send(&c);
		uint64_t chief = room_postmaster(&c.r);
		if (room_copies(&c.r, chief) != ++n)
			fail_msg("cut at event %d: %llu letters", cut,
				(unsigned long long)room_copies(&c.r, chief));
		char *text = room_newest(&c.r, chief);
		has(text, s.id.text);
		court_token(text, token);
		free(text);
		ok(deciders_find(c.r.p.refusals, str_of(token), c.r.mem, &d, &f, &err),
			&err);
		arena_reset(c.r.mem);
	}
	assert_true(through);
	assert_true(n > 10);
	court_end(&c);
}

static void
cut_appeal(struct court *c, const struct sent *s, const char *token)
{
	(void)token;
	(void)court_appeal(c, s, "x");
}

/* Taken: the refusal says so, what was written is there, and a letter comes. */
TEST(an_appeal_that_was_killed_anywhere_is_taken_whole_or_not)
{
	bool through = false;
	uint64_t n = 0;
	struct court c;

	court_begin(&c);
	for (int cut = 1; !through && cut < CUTS_MOST; cut++) {
		struct err err = { .rc = RC_OK };
		struct appeal a;

		clock_set_wall(clock_wall_ms() + 10 * MINUTE_MS);
		struct sent s = room_refuse(&c.r, 0, 1);
		through = run_cut(&c, cut, cut_appeal, &s, NULL);
		struct refusal f = room_found(&c.r, s.id.text);
		enum rc rc = appeals_get(c.r.p.refusals, &f, c.r.mem, &a, &err);
		assert_int_equal(rc == RC_OK, f.state == REFUSAL_APPEALED);
		assert_true(rc == RC_OK || !through);
		assert_int_equal(court_appeal(&c, &s, "x"),
			rc == RC_OK ? APPEAL_AGAIN : APPEAL_TAKEN);
		court_send(&c);
		assert_int_equal(room_copies(&c.r, room_postmaster(&c.r)), ++n);
		arena_reset(c.r.mem);
	}
	assert_true(through);
	court_end(&c);
}

static void
cut_uphold(struct court *c, const struct sent *s, const char *token)
{
	struct refusal f;
	struct err err;

	(void)s;
	(void)!court_decide(c, token, true, &f, &err);
}

TEST(a_decision_that_was_killed_anywhere_and_made_again_delivers_once)
{
	bool through = false;
	uint64_t n = 0;
	struct court c;

	court_begin(&c);
	for (int cut = 1; !through && cut < CUTS_MOST; cut += stride()) {
		struct err err = { .rc = RC_OK };
		struct refusal f;
		char token[27];

		clock_set_wall(clock_wall_ms() + 10 * MINUTE_MS);
		struct sent s = room_refuse(&c.r, 0, 1);
		assert_int_equal(court_appeal(&c, &s, "x"), APPEAL_TAKEN);
		court_send(&c);
		char *text = room_newest(&c.r, room_postmaster(&c.r));
		court_token(text, token);
		free(text);
		through = run_cut(&c, cut, cut_uphold, &s, token);
		ok(court_decide(&c, token, true, &f, &err), &err);
		assert_int_equal(f.state, REFUSAL_RELEASED);
		assert_int_equal(court_decide(&c, token, false, &f, &err), RC_BAD);
		if (room_copies(&c.r, c.r.p.accounts[0]) != ++n)
			fail_msg("cut at event %d", cut);
		arena_reset(c.r.mem);
	}
	assert_true(through);
	court_end(&c);
}
