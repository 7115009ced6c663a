/* SPDX-License-Identifier: ISC */
/* Appeals, decisions and letters about them. */
#include "deliver/appeal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "deliver/letters.h"
#include "deliver/room.h"
#include "say/ui.h"
#include "test/test.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

static const uint8_t token_key[TOKEN_KEY] = { 1, 2, 3 };

struct court {
	struct room r;
	struct appeal_house house;
	struct sentences *sentences;
	struct templates *templates;
	const struct conf *conf;
};

static void
ok(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

static void
begin(struct court *c, const char *settings)
{
	struct err err = { .rc = RC_OK };

	room_start(&c->r);
	c->house = (struct appeal_house){ .release = room_want(&c->r),
		.own = c->r.own,
		.limits = { .network = 100, .domain = 100, .all = 100 } };
	ok(sentences_new(ui_texts, ui_ntexts, &c->sentences, &err), &err);
	ok(templates_new(ui_pages, ui_npages, c->sentences, &c->templates, &err), &err);
	ok(conf_parse(str_of(settings), "test", &c->conf, &err), &err);
}

static void
end(struct court *c)
{
	conf_drop(&c->conf);
	templates_free(&c->templates);
	sentences_free(&c->sentences);
	parts_sound(&c->r.p);
	room_clear(&c->r);
}

static const char plain[] = "hostname = mx.x.test\nport_offset = 20000\n";

static struct letters_want
letters_of(struct court *c)
{
	return (struct letters_want){ .conf = c->conf,
		.directory = c->r.p.directory,
		.refusals = c->r.p.refusals,
		.own = c->r.own,
		.sentences = c->sentences,
		.templates = c->templates,
		.token_key = token_key };
}

static void
send_letters(struct court *c)
{
	const struct letters_want w = letters_of(c);
	struct err err = { .rc = RC_OK };
	bool more = true;

	while (more)
		ok(letters_send(&w, &more, &err), &err);
}

static enum appeal_end
appeal(struct court *c, const struct sent *s, const char *note)
{
	struct refusal f = room_found(&c->r, s->id.text);
	struct appeal a = { .time_ms = clock_wall_ms(),
		.note = str_of(note),
		.contact = STR("me@y.test"),
		.language = STR("en"),
		.client = { .family = 4, .bytes = { 192, 0, 2, 9 } } };
	struct err err = { .rc = RC_OK };
	enum appeal_end end = APPEAL_MANY;

	ok(appeal_make(&c->house, &f, &a, &end, &err), &err);
	return end;
}

static void
has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, text);
}

static void
token_in(const char *text, char out[27])
{
	const char *at = strstr(text, "/d/");

	assert_non_null(at);
	(void)snprintf(out, 27, "%s", at + 3);
}

static enum rc
decide(struct court *c, const char *token, bool uphold, struct refusal *f,
	struct err *err)
{
	*err = (struct err){ .rc = RC_OK };
	return appeal_decide(&c->house, str_of(token), uphold, c->r.mem, f, err);
}

TEST(an_appeal_is_told_to_the_postmaster_whose_decision_releases_once)
{
	struct court c;
	struct refusal f;
	struct err err;
	char token[27];

	begin(&c, plain);
	struct sent s = room_refuse(&c.r, 0, 1);
	uint64_t chief = room_postmaster(&c.r);
	assert_int_equal(appeal(&c, &s, "It was an invoice.\nSee http://a.example/x"),
		APPEAL_TAKEN);
	assert_int_equal(room_found(&c.r, s.id.text).state, REFUSAL_APPEALED);
	assert_int_equal(appeal(&c, &s, "again"), APPEAL_AGAIN);
	send_letters(&c);
	send_letters(&c);
	assert_int_equal(room_copies(&c.r, chief), 1);
	char *text = room_newest(&c.r, chief);
	has(text, "  > It was an invoice.\r\n  > See hxxp[:]//a[.]example/x\r\n");
	has(text, "https://mx.x.test:20443/d/");
	assert_null(strstr(text, "http://"));
	token_in(text, token);
	free(text);
	ok(decide(&c, token, true, &f, &err), &err);
	assert_int_equal(f.state, REFUSAL_RELEASED);
	assert_true(str_starts(f.decided_by, STR("postmaster@")));
	ok(decide(&c, token, true, &f, &err), &err);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 1);
	assert_int_equal(decide(&c, token, false, &f, &err), RC_BAD);
	assert_int_equal(appeal(&c, &s, "late"), APPEAL_DECIDED);
	end(&c);
}

TEST(a_dismissed_appeal_stays_dismissed)
{
	struct court c;
	struct refusal f;
	struct err err;
	char token[27];

	begin(&c, plain);
	struct sent s = room_refuse(&c.r, 0, 1);
	assert_int_equal(appeal(&c, &s, ""), APPEAL_TAKEN);
	send_letters(&c);
	char *text = room_newest(&c.r, room_postmaster(&c.r));
	token_in(text, token);
	free(text);
	ok(decide(&c, token, false, &f, &err), &err);
	assert_int_equal(f.state, REFUSAL_DISMISSED);
	ok(decide(&c, token, false, &f, &err), &err);
	assert_int_equal(decide(&c, token, true, &f, &err), RC_BAD);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 0);
	assert_int_equal(
		decide(&c, "0123456789abcdefghjkmnpqrs", true, &f, &err), RC_NONE);
	end(&c);
}

TEST(recipients_are_asked_where_the_policy_says_so_but_never_about_a_virus)
{
	struct court c;
	struct refusal f;
	struct err err = { .rc = RC_OK };
	const struct policy p = { .has_appeals = true, .recipient_appeals = true };
	char token[27];

	begin(&c, plain);
	ok(policy_set(c.r.p.directory, STR("x.test"), &p, &err), &err);
	struct sent s = room_refuse(&c.r, 1, 1);
	struct sent v = room_mail(&c.r,
		(struct sent){
			.from = 2, .refused = 1, .findings = STR("VIRUS=1000.000") });
	assert_int_equal(appeal(&c, &s, ""), APPEAL_TAKEN);
	assert_int_equal(appeal(&c, &v, ""), APPEAL_TAKEN);
	send_letters(&c);
	assert_int_equal(room_copies(&c.r, room_postmaster(&c.r)), 2);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[1]), 1);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[2]), 0);
	char *text = room_newest(&c.r, c.r.p.accounts[1]);
	token_in(text, token);
	free(text);
	ok(decide(&c, token, true, &f, &err), &err);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[1]), 2);
	/* a page that a recipient got in a daily letter */
	struct decider d = {
		.id = v.id, .n = 1, .address = STR("a2@x.test"), .role = DECIDER_RECIPIENT
	};
	decider_token(token_key, &d, token);
	sha256(str_of(token), d.token);
	ok(deciders_put(c.r.p.refusals, &d, 1, &err), &err);
	assert_int_equal(decide(&c, token, true, &f, &err), RC_BAD);
	has(err.text, "only the postmaster");
	end(&c);
}

TEST(appeals_have_limits_by_network_and_by_sender_domain)
{
	struct court c;

	begin(&c, plain);
	struct sent s[4];
	for (size_t i = 0; i < 4; i++)
		s[i] = room_refuse(&c.r, i, 1);
	c.house.limits.network = 2;
	assert_int_equal(appeal(&c, &s[0], ""), APPEAL_TAKEN);
	assert_int_equal(appeal(&c, &s[1], ""), APPEAL_TAKEN);
	assert_int_equal(appeal(&c, &s[2], ""), APPEAL_MANY);
	c.house.limits =
		(struct appeal_limits){ .network = 100, .domain = 2, .all = 100 };
	assert_int_equal(appeal(&c, &s[2], ""), APPEAL_MANY);
	c.house.limits =
		(struct appeal_limits){ .network = 100, .domain = 100, .all = 2 };
	assert_int_equal(appeal(&c, &s[2], ""), APPEAL_MANY);
	clock_set_wall(clock_wall_ms() + DAY_MS + MINUTE_MS);
	assert_int_equal(appeal(&c, &s[2], ""), APPEAL_TAKEN);
	clock_set_wall(clock_wall_ms() + 15ull * DAY_MS);
	assert_int_equal(appeal(&c, &s[3], ""), APPEAL_GONE);
	end(&c);
}

TEST(from_the_eleventh_appeal_of_an_hour_on_they_come_in_one_letter)
{
	struct court c;
	struct sent s[14];

	begin(&c, plain);
	for (size_t i = 0; i < 14; i++)
		s[i] = room_refuse(&c.r, i % 6, 1);
	for (size_t i = 0; i < 14; i++) {
		assert_int_equal(appeal(&c, &s[i], "x"), APPEAL_TAKEN);
		send_letters(&c);
	}
	uint64_t chief = room_postmaster(&c.r);
	assert_int_equal(room_copies(&c.r, chief), 10);
	clock_set_wall(clock_wall_ms() + HOUR_MS + MINUTE_MS);
	send_letters(&c);
	assert_int_equal(room_copies(&c.r, chief), 11);
	char *text = room_newest(&c.r, chief);
	for (size_t i = 10; i < 14; i++)
		has(text, s[i].id.text);
	assert_null(strstr(text, s[9].id.text));
	free(text);
	end(&c);
}

TEST(who_wants_it_hears_once_a_day_of_what_was_refused_for_him)
{
	struct court c;
	struct err err = { .rc = RC_OK };
	const struct policy p = { .has_refused_mail = true, .daily = true };

	begin(&c, plain);
	ok(policy_set(c.r.p.directory, STR("a0@x.test"), &p, &err), &err);
	struct sent s = room_refuse(&c.r, 0, 2), t = room_refuse(&c.r, 0, 1);
	(void)room_released(&c.r, t.id.text);
	send_letters(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 2); /* and the released */
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[1]), 0);
	char *text = room_newest(&c.r, c.r.p.accounts[0]);
	has(text, "/d/");
	assert_null(strstr(text, t.id.text));
	free(text);
	(void)s;
	send_letters(&c);
	clock_set_wall(clock_wall_ms() + HOUR_MS);
	(void)room_refuse(&c.r, 0, 1);
	send_letters(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 2);
	clock_set_wall(clock_wall_ms() + DAY_MS);
	send_letters(&c);
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 3);
	clock_set_wall(clock_wall_ms() + DAY_MS + HOUR_MS);
	send_letters(&c); /* nothing was refused: no letter */
	assert_int_equal(room_copies(&c.r, c.r.p.accounts[0]), 3);
	end(&c);
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

TEST(letters_are_set_in_72_columns_and_quotes_stay_quotes)
{
	BUF_AUTO b = BUF(10000), in = BUF(10000);
	str left, line;

	for (size_t i = 0; i < 40; i++)
		buf_addz(&in, i == 0 ? "  > wörter" : " wörter");
	buf_addz(&in, "\n");
	for (size_t i = 0; i < 1500; i++)
		buf_addc(&in, 'x');
	letters_wrap(buf_str(&in), &b);
	left = buf_str(&b);
	for (size_t n = 0; str_cut(&left, '\n', &line); n++) {
		assert_true(line.len <= 998);
		if (line.ptr[0] == ' ')
			assert_true(
				str_starts(line, STR("  > w")) && line.len <= 72 + 12);
	}
}
