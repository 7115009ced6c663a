/* SPDX-License-Identifier: ISC */
/* Appeals, decisions and letters about them. */
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "deliver/court.h"
#include "test/test.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

TEST(an_appeal_is_told_to_the_postmaster_whose_decision_releases_once)
{
	struct court c;
	struct refusal f;
	struct err err;
	char token[27];

	court_begin(&c);
	struct sent s = room_refuse(&c.r, 0, 1);
	uint64_t chief = room_postmaster(&c.r);
	assert_int_equal(
		court_appeal(&c, &s, "It was an invoice.\nSee http://a.example/x"),
		APPEAL_TAKEN);
	assert_int_equal(room_found(&c.r, s.id.text).state, REFUSAL_APPEALED);
	assert_int_equal(court_appeal(&c, &s, "again"), APPEAL_AGAIN);
	court_send(&c);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, chief), 1);
	char *text = room_newest(&c.r, chief);
	has(text, "  > It was an invoice.\r\n  > See hxxp[:]//a[.]example/x\r\n");
	has(text, "https://mx.x.test:20443/d/");
	assert_null(strstr(text, "http://"));
	court_token(text, token);
	free(text);
	ok(court_decide(&c, token, true, &f, &err), &err);
	assert_int_equal(f.state, REFUSAL_RELEASED);
	assert_true(str_starts(f.decided_by, STR("postmaster@")));
	ok(court_decide(&c, token, true, &f, &err), &err);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 1);
	assert_int_equal(court_decide(&c, token, false, &f, &err), RC_BAD);
	assert_int_equal(court_appeal(&c, &s, "late"), APPEAL_DECIDED);
	court_end(&c);
}

TEST(a_dismissed_appeal_stays_dismissed)
{
	struct court c;
	struct refusal f;
	struct err err;
	char token[27];

	court_begin(&c);
	struct sent s = room_refuse(&c.r, 0, 1);
	assert_int_equal(court_appeal(&c, &s, ""), APPEAL_TAKEN);
	court_send(&c);
	char *text = room_newest(&c.r, room_postmaster(&c.r));
	court_token(text, token);
	free(text);
	ok(court_decide(&c, token, false, &f, &err), &err);
	assert_int_equal(f.state, REFUSAL_DISMISSED);
	ok(court_decide(&c, token, false, &f, &err), &err);
	assert_int_equal(court_decide(&c, token, true, &f, &err), RC_BAD);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 0);
	assert_int_equal(
		court_decide(&c, "0123456789abcdefghjkmnpqrs", true, &f, &err), RC_NONE);
	court_end(&c);
}

TEST(recipients_are_asked_where_the_policy_says_so_but_never_about_a_virus)
{
	struct court c;
	struct refusal f;
	struct err err = { .rc = RC_OK };
	const struct policy p = { .has_appeals = true, .recipient_appeals = true };
	char token[27];

	court_begin(&c);
	ok(policy_set(c.r.p.directory, STR("x.test"), &p, &err), &err);
	struct sent s = room_refuse(&c.r, 1, 1);
	struct sent v = room_mail(&c.r,
		(struct sent){
			.from = 2, .refused = 1, .findings = STR("VIRUS=1000.000") });
	assert_int_equal(court_appeal(&c, &s, ""), APPEAL_TAKEN);
	assert_int_equal(court_appeal(&c, &v, ""), APPEAL_TAKEN);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, room_postmaster(&c.r)), 2);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[1]), 1);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[2]), 0);
	char *text = room_newest(&c.r, c.r.p.accounts[1]);
	court_token(text, token);
	free(text);
	ok(court_decide(&c, token, true, &f, &err), &err);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[1]), 2);
	/* a page that a recipient got in a daily letter */
	struct decider d = {
		.id = v.id, .n = 1, .address = STR("a2@x.test"), .role = DECIDER_RECIPIENT
	};
	decider_token(court_key, &d, token);
	sha256(str_of(token), d.token);
	ok(deciders_put(c.r.p.refusals, &d, 1, &err), &err);
	assert_int_equal(court_decide(&c, token, true, &f, &err), RC_BAD);
	has(err.text, "only the postmaster");
	court_end(&c);
}

TEST(appeals_have_limits_by_network_and_by_sender_domain)
{
	struct court c;

	court_begin(&c);
	struct sent s[4];
	for (size_t i = 0; i < 4; i++)
		s[i] = room_refuse(&c.r, i, 1);
	c.house.limits.network = 2;
	assert_int_equal(court_appeal(&c, &s[0], ""), APPEAL_TAKEN);
	assert_int_equal(court_appeal(&c, &s[1], ""), APPEAL_TAKEN);
	assert_int_equal(court_appeal(&c, &s[2], ""), APPEAL_MANY);
	c.house.limits =
		(struct appeal_limits){ .network = 100, .domain = 2, .all = 100 };
	assert_int_equal(court_appeal(&c, &s[2], ""), APPEAL_MANY);
	c.house.limits =
		(struct appeal_limits){ .network = 100, .domain = 100, .all = 2 };
	assert_int_equal(court_appeal(&c, &s[2], ""), APPEAL_MANY);
	clock_set_wall(clock_wall_ms() + DAY_MS + MINUTE_MS);
	assert_int_equal(court_appeal(&c, &s[2], ""), APPEAL_TAKEN);
	clock_set_wall(clock_wall_ms() + 15ull * DAY_MS);
	assert_int_equal(court_appeal(&c, &s[3], ""), APPEAL_GONE);
	court_end(&c);
}

TEST(from_the_eleventh_appeal_of_an_hour_on_they_come_in_one_letter)
{
	struct court c;
	struct sent s[14];

	court_begin(&c);
	for (size_t i = 0; i < 14; i++)
		s[i] = room_refuse(&c.r, i % 6, 1);
	for (size_t i = 0; i < 14; i++) {
		assert_int_equal(court_appeal(&c, &s[i], "x"), APPEAL_TAKEN);
		court_send(&c);
	}
	uint64_t chief = room_postmaster(&c.r);
	assert_int_equal(room_copies(&c.r, chief), 10);
	clock_set_wall(clock_wall_ms() + HOUR_MS + MINUTE_MS);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, chief), 11);
	char *text = room_newest(&c.r, chief);
	for (size_t i = 10; i < 14; i++)
		has(text, s[i].id.text);
	assert_null(strstr(text, s[9].id.text));
	free(text);
	court_end(&c);
}

TEST(who_wants_it_hears_once_a_day_of_what_was_refused_for_him)
{
	struct court c;
	struct err err = { .rc = RC_OK };
	const struct policy p = { .has_refused_mail = true, .daily = true };

	court_begin(&c);
	ok(policy_set(c.r.p.directory, STR("a0@x.test"), &p, &err), &err);
	struct sent s = room_refuse(&c.r, 0, 2), t = room_refuse(&c.r, 0, 1);
	(void)room_released(&c.r, t.id.text);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 2); /* and the released */
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[1]), 0);
	char *text = room_newest(&c.r, c.r.p.accounts[0]);
	has(text, "/d/");
	assert_null(strstr(text, t.id.text));
	free(text);
	(void)s;
	court_send(&c);
	clock_set_wall(clock_wall_ms() + HOUR_MS);
	(void)room_refuse(&c.r, 0, 1);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 2);
	clock_set_wall(clock_wall_ms() + DAY_MS);
	court_send(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 3);
	clock_set_wall(clock_wall_ms() + DAY_MS + HOUR_MS);
	court_send(&c); /* nothing was refused: no letter */
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 3);
	court_end(&c);
}

static void
defangs(const char *line, const char *want)
{
	BUF_AUTO b = BUF(1000);

	letters_defang(str_of(line), &b);
	assert_string_equal(buf_z(&b), want);
}

TEST(a_strangers_words_make_no_link_and_cannot_turn_text_round)
{
	defangs("see HTTPS://a.test/b.html.", "see hxxpS[:]//a[.]test/b[.]html.");
	defangs("www.a.test a@b.test", "www[.]a[.]test a@b[.]test");
	defangs("ftp://x", "ftp[:]//x");
	defangs("a\u202eb\u2028c\td", "abc d");
	defangs("1.5 and so. On", "1[.]5 and so. On");
}
