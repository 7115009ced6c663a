/* SPDX-License-Identifier: ISC */
/* The pages behind links: what they say, and who may change something by them. */
#include <stdio.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "held/letters.h"
#include "test/test.h"
#include "web/web_world.h"

enum { HOUR_MS = 3600 * 1000 };

static struct reply
get(struct client *c, const char *path, const char *fields)
{
	char request[2000];

	(void)snprintf(request, sizeof(request),
		"GET %s HTTP/1.1~Host: mail.x.test:20443~%s~", path, fields);
	return client_ask(c, request);
}

static const char *
path_of(const char *head, const char *token, const char *tail)
{
	static char path[400];

	(void)snprintf(path, sizeof(path), "%s%s%s", head, token, tail);
	return path;
}

TEST(who_was_refused_reads_why_and_nothing_that_is_not_theirs)
{
	struct world w;

	world_open(&w, "");
	struct msg_id token = world_refuse(&w);
	struct client c = client_https(&w);
	struct reply r = get(&c, path_of("/r/", token.text, ""), "");
	assert_int_equal(r.status, 200);
	assert_true(
		str_eq(reply_field(&r, "Content-Type"), STR("text/html; charset=utf-8")));
	assert_true(str_eq(reply_field(&r, "Content-Language"), STR("en")));
	assert_true(str_eq(reply_field(&r, "Vary"), STR("Accept-Language, Cookie")));
	assert_true(reply_has(&r, "y.test") && reply_has(&r, "x.test"));
	assert_true(reply_has(&r, "action=\"/r/") && reply_has(&r, "name=\"note\""));
	assert_false(reply_has(&r, "a0@") || reply_has(&r, "s@y"));
	assert_false(reply_has(&r, "GTUBE") || reply_has(&r, "1000"));
	client_close(&c);
	world_close(&w);
}

TEST(a_link_that_scanners_open_a_hundred_times_is_as_it_was)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	struct world w;

	world_open(&w, "");
	struct msg_id token = world_refuse(&w);
	struct client c = client_https(&w);
	for (int i = 0; i < 100; i++) {
		struct reply r = get(
			&c, path_of("/r/", token.text, i % 2 ? "/appeal" : ""), "");

		assert_int_equal(r.status, i % 2 ? 303 : 200);
	}
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_OPEN);
	client_close(&c);
	world_close(&w);
}

/* Whoever sent the message chose these. */
TEST(words_of_strangers_stay_words)
{
	static const char *const senders[] = { "<script>alert(1)</script>@y.test",
		"\"><img src=x onerror=alert(1)>\"@evil\"><b>.test",
		"x@{{hostname}}.test", "x@'onmouseover='alert(1)", "" };
	struct world w;

	world_open(&w, "");
	struct client c = client_https(&w);
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		struct msg_id token = world_enter(&w, senders[i], "u@x\"><b>.test",
			"GTUBE=1.000(\"><script>) NO_SUCH=2.000 <b>=1.000");
		struct reply r = get(&c, path_of("/r/", token.text, ""), "");

		assert_int_equal(r.status, 200);
		assert_false(reply_has(&r, "<script>") || reply_has(&r, "<img src=x"));
		assert_false(reply_has(&r, "<b>") || reply_has(&r, "'onmouse"));
		assert_false(reply_has(&r, "x@mx.x") || reply_has(&r, "mx.x.test.test"));
		/* it was not held */
		assert_false(reply_has(&r, "name=\"note\""));
	}
	client_close(&c);
	world_close(&w);
}

TEST(pages_speak_the_language_of_their_reader)
{
	str tags[SENTENCES_LANGUAGES];
	struct world w;

	world_open(&w, "");
	size_t n = sentences_tags(w.sentences, tags);
	struct msg_id token = world_refuse(&w);
	struct client c = client_https(&w);
	for (size_t i = 0; i < n; i++) {
		char fields[100], lang[100];

		(void)snprintf(fields, sizeof(fields),
			"Accept-Language: xx,%.8s-ZZ;q=0.5~", tags[i].ptr);
		struct reply r = get(&c, path_of("/r/", token.text, ""), fields);
		assert_true(str_eq(reply_field(&r, "Content-Language"), tags[i]));
		assert_false(reply_has(&r, "/appeal?lang="));
		/* chosen by hand, it stays */
		(void)snprintf(lang, sizeof(lang), "?lang=%.8s", tags[i].ptr);
		r = get(&c, path_of("/r/", token.text, lang), "Accept-Language: en~");
		assert_true(str_eq(reply_field(&r, "Content-Language"), tags[i]));
		(void)snprintf(fields, sizeof(fields), "/%s/appeal?lang=%.8s", token.text,
			tags[i].ptr);
		assert_true(reply_has(&r, fields));
	}
	struct reply r = get(&c, path_of("/r/", token.text, "?lang=%22%3E%3Cb%3E"), "");
	assert_true(str_eq(reply_field(&r, "Content-Language"), STR("en")));
	assert_false(reply_has(&r, "<b>"));
	client_close(&c);
	world_close(&w);
}

TEST(who_guesses_links_waits_even_with_a_good_one)
{
	struct world w;

	world_open(&w, "guesses = 5");
	struct msg_id token = world_refuse(&w);
	struct client c = client_https(&w);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(get(&c, path_of("/r/", token.text, ""), "").status, 200);
		assert_int_equal(
			get(&c, i % 2 ? "/r/guess" : "/d/guess", "").status, 404);
	}
	struct reply r = get(&c, path_of("/r/", token.text, ""), "");
	uint64_t seconds;
	assert_int_equal(r.status, 429);
	assert_true(str_u64(reply_field(&r, "Retry-After"), 3600, &seconds));
	assert_in_range(seconds, 3500, 3600);
	assert_int_equal(get(&c, "/d/guess", "").status, 429);
	assert_int_equal(get(&c, "/", "").status, 200);
	client_close(&c);
	world_close(&w);
}

/* ---- forms ---- */

static void
add_proof(const struct form *f, unsigned bits, const char *more, char out[5000])
{
	(void)snprintf(out, 5000, "&proof=%llu%s",
		(unsigned long long)proof_of(f->stamp, bits), more);
}

TEST(an_appeal_is_taken_from_a_browser_that_did_its_work)
{
	struct world w;
	char more[5000], page[200], post[200];

	world_open(&w, "work = 8");
	struct msg_id token = world_refuse(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	struct client c = client_https(&w);
	struct form f = client_form(&c, page, "");
	assert_int_equal(strlen(f.cookie), 26);
	struct reply r = get(&c, page, "");
	str cookie = reply_field(&r, "Set-Cookie");
	assert_true(str_find(cookie, STR("; Path=/; Secure; HttpOnly; SameSite=Strict")) <
		    cookie.len);
	/* who has one keeps it */
	struct form again = client_form(&c, page, f.cookie);
	assert_string_equal(again.cookie, f.cookie);
	add_proof(&again, 8, "&note=It+was+mine.%0D%0AThanks&contact=s%40y.test", more);
	r = client_post(&c, post, &again, more);
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "on their way"));
	client_close(&c);
	world_close(&w);
}

TEST(forms_that_are_not_ours_change_nothing)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	struct world w;
	char more[5000], page[200], other_page[200], post[200], request[6000];

	world_open(&w, "work = 0");
	struct msg_id token = world_refuse(&w), other = world_refuse(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	(void)snprintf(other_page, sizeof(other_page), "/r/%s", other.text);
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	(void)snprintf(more, sizeof(more), "&note=x");
	struct client c = client_https(&w);
	struct form good = client_form(&c, page, ""), f = good;
	/* another cookie, none, one of no such form */
	f.cookie[3] = f.cookie[3] == 'a' ? 'b' : 'a';
	assert_int_equal(client_post(&c, post, &f, more).status, 403);
	f.cookie[0] = '\0';
	assert_int_equal(client_post(&c, post, &f, more).status, 403);
	/* another token, none, that of another page */
	f = good;
	f.token[strlen(f.token) - 1] ^= 1;
	assert_int_equal(client_post(&c, post, &f, more).status, 403);
	f.token[0] = '\0';
	assert_int_equal(client_post(&c, post, &f, more).status, 403);
	f = client_form(&c, other_page, good.cookie);
	assert_int_equal(client_post(&c, post, &f, more).status, 403);
	/* an hour that is not the token's */
	f = good;
	f.token[5] ^= 1;
	assert_int_equal(client_post(&c, post, &f, more).status, 403);
	/* a form of another site */
	static const char *const from[] = { "Origin: https://evil.test~",
		"Origin: http://mail.x.test:20443~", "Origin: https://mail.x.test~",
		"Origin: https://mail.x.test:20443.evil.test~",
		"Sec-Fetch-Site: cross-site~", "Sec-Fetch-Site: same-site~",
		"Sec-Fetch-Site: none~", "Origin: null~Sec-Fetch-Site: cross-site~" };
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		char body[300];

		(void)snprintf(body, sizeof(body), "token=%s", good.token);
		(void)snprintf(request, sizeof(request),
			"POST %s HTTP/1.1~Host: mail.x.test:20443~%sCookie: "
			"__Host-gatepost=%s~Content-Type: "
			"application/x-www-form-urlencoded~Content-Length: %zu~~%s",
			post, from[i], good.cookie, strlen(body), body);
		struct reply r = client_ask(&c, request);
		if (r.status != 403)
			fail_msg("%s: %u", from[i], r.status);
	}
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_OPEN);
	assert_int_equal(client_post(&c, post, &good, more).status, 200);
	client_close(&c);
	world_close(&w);
}

TEST(a_form_counts_for_half_a_day)
{
	struct world w;
	char page[200], post[200];
	uint64_t now = clock_wall_ms() / HOUR_MS * HOUR_MS;

	world_open(&w, "work = 0\nappeals_network = 100");
	struct msg_id token = world_refuse(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	struct client c = client_https(&w);
	clock_set_wall(now);
	struct form f = client_form(&c, page, "");
	clock_set_wall(now + 12 * HOUR_MS);
	assert_int_equal(client_post(&c, post, &f, "&note=x").status, 403);
	clock_set_wall(now - HOUR_MS);
	assert_int_equal(client_post(&c, post, &f, "&note=x").status, 403);
	clock_set_wall(now + 11 * HOUR_MS);
	assert_int_equal(client_post(&c, post, &f, "&note=x").status, 200);
	client_close(&c);
	world_close(&w);
}

TEST(what_is_too_long_comes_back_to_be_made_shorter)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	struct world w;
	char page[200], post[200], more[7000];

	world_open(&w, "work = 0");
	struct msg_id token = world_refuse(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	struct client c = client_https(&w);
	struct form f = client_form(&c, page, "");
	(void)snprintf(more, sizeof(more), "&contact=c&note=%%3Cb%%3E%0*d", 6001, 0);
	struct reply r = client_post(&c, post, &f, more);
	assert_int_equal(r.status, 400);
	assert_true(reply_has(&r, "&lt;b&gt;0000") && reply_has(&r, "note-wrong"));
	assert_false(reply_has(&r, "contact-wrong"));
	(void)snprintf(more, sizeof(more), "&note=x&contact=%0*d", 255, 0);
	r = client_post(&c, post, &f, more);
	assert_int_equal(r.status, 400);
	assert_true(reply_has(&r, "contact-wrong"));
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_OPEN);
	(void)snprintf(more, sizeof(more), "&note=%0*d&contact=%0*d", 6000, 0, 254, 0);
	assert_int_equal(client_post(&c, post, &f, more).status, 200);
	/* what is no form */
	assert_int_equal(client_post(&c, post, &f, "&note=%00").status, 400);
	assert_int_equal(client_post(&c, post, &f, "&note=%1b").status, 400);
	assert_int_equal(client_post(&c, post, &f, "&note=%c3").status, 400);
	client_close(&c);
	world_close(&w);
}

/* No script: a second step, not before its time. */
TEST(who_has_no_script_waits_a_little_and_loses_no_word)
{
	struct world w;
	char page[200], post[200];
	uint64_t now = clock_wall_ms();

	world_open(&w, "work = 8\nwait = 20s");
	struct msg_id token = world_refuse(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	struct client c = client_https(&w);
	clock_set_wall(now);
	struct form f = client_form(&c, page, "");
	struct reply r = client_post(
		&c, post, &f, "&proof=&note=%22mine%22%0Atoo&contact=me");
	assert_int_equal(r.status, 200);
	assert_true(
		reply_has(&r, "&quot;mine&quot;\ntoo") && reply_has(&r, "value=\"me\""));
	assert_true(reply_has(&r, "20 seconds"));
	struct form second = reply_form(&r, &f);
	assert_string_not_equal(second.stamp, f.stamp);
	clock_set_wall(now + 15000);
	r = client_post(&c, post, &second, "&second=1&note=mine&contact=me");
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "a little early"));
	struct form early = reply_form(&r, &f);
	/* the same time, not another 20 seconds */
	assert_string_equal(early.stamp, second.stamp);
	clock_set_wall(now + 60000);
	/* an old one, and one of another link, do not count */
	struct form good = early;
	early.stamp[2] ^= 1;
	assert_true(client_second(&c, post, &early));
	clock_set_wall(now + 2 * HOUR_MS);
	assert_true(client_second(&c, post, &good));
	clock_set_wall(now + 60000);
	assert_false(client_second(&c, post, &good));
	client_close(&c);
	world_close(&w);
}

TEST(a_proof_counts_for_its_link_and_its_hour)
{
	struct world w;
	char page[200], other_page[200], post[200], more[5000];
	uint64_t now = clock_wall_ms();

	world_open(&w, "work = 8");
	struct msg_id token = world_refuse(&w), other = world_refuse(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	(void)snprintf(other_page, sizeof(other_page), "/r/%s", other.text);
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	struct client c = client_https(&w);
	clock_set_wall(now);
	struct form f = client_form(&c, page, ""), of_other = f;
	struct form g = client_form(&c, other_page, f.cookie);
	(void)snprintf(of_other.stamp, sizeof(of_other.stamp), "%s", g.stamp);
	add_proof(&of_other, 8, "", more);
	assert_true(reply_waits(client_post(&c, post, &of_other, more)));
	assert_true(reply_waits(client_post(&c, post, &f, "&proof=-1")));
	assert_true(reply_waits(client_post(&c, post, &f, "&proof=x")));
	/* fewer bits in the stamp than the page was given */
	g = f;
	char *bits = strchr(strchr(g.stamp, '.') + 1, '.') + 1;
	*bits = '0';
	add_proof(&g, 0, "", more);
	assert_true(reply_waits(client_post(&c, post, &g, more)));
	add_proof(&f, 8, "", more);
	clock_set_wall(now + HOUR_MS + 60000);
	assert_true(reply_waits(client_post(&c, post, &f, more)));
	clock_set_wall(now + HOUR_MS - 60000);
	assert_false(reply_waits(client_post(&c, post, &f, more)));
	client_close(&c);
	world_close(&w);
}

/* ---- who decides ---- */

static const char decider_link[] = "0123456789abcdefghjkmnpqrs";

/* Who has the link: who and about what. */
static void
decider(struct world *w, const char *refused, const char *address, enum decider_role role)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	struct refusal f = world_refusal(w, refused, mem);
	struct decider d = {
		.id = f.id, .n = f.n, .address = str_of(address), .role = role
	};

	sha256(str_of(decider_link), d.token);
	assert_int_equal(deciders_put(w->parts.refusals, &d, 1, NULL), RC_OK);
}

static const char decider_page[] = "/d/0123456789abcdefghjkmnpqrs";

TEST(who_decides_sees_what_it_is_about)
{
	struct world w;
	char page[200], post[200];

	world_open(&w, "work = 0");
	struct msg_id token = world_refuse(&w);
	decider(&w, token.text, "postmaster@x.test", DECIDER_POSTMASTER);
	struct client c = client_https(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	struct form f = client_form(&c, page, "");
	struct reply r = client_post(&c, post, &f,
		"&note=%3Cscript%3Ealert(1)%3C%2Fscript%3E+{{hostname}}&contact=%22%3E%3Cb%3E");
	assert_true(reply_has(&r, "on their way"));
	r = get(&c, decider_page, "");
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "s@y.test") && reply_has(&r, "a0@x.test"));
	assert_true(reply_has(&r, "GTUBE=1000.000") && reply_has(&r, "192.0.2.1"));
	assert_true(
		reply_has(&r, "&lt;script&gt;alert(1)") && reply_has(&r, "{{hostname}}"));
	assert_false(reply_has(&r, "<script>") || reply_has(&r, "<b>"));
	assert_true(
		reply_has(&r, "value=\"release\"") && reply_has(&r, "value=\"dismiss\""));
	client_close(&c);
	world_close(&w);
}

TEST(a_recipient_sees_only_what_is_theirs_and_cannot_release_a_virus)
{
	struct world w;

	world_open(&w, "");
	struct sent s = {
		.refused = 2, .body = 100, .findings = STR("VIRUS=1000.000(Eicar)")
	};
	assert_int_equal(parts_send(&w.parts, &s, NULL), RC_OK);
	parts_apply(&w.parts);
	decider(&w, s.id.text, "a0@x.test", DECIDER_RECIPIENT);
	struct client c = client_https(&w);
	struct reply r = get(&c, decider_page, "");
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "a0@x.test"));
	assert_false(reply_has(&r, "a1@x.test") || reply_has(&r, "Eicar"));
	assert_false(reply_has(&r, "value=\"release\""));
	struct form f = client_form(&c, decider_page, "");
	r = client_post(&c, decider_page, &f, "&decision=release");
	assert_int_equal(r.status, 403);
	r = get(&c, path_of("/r/", s.id.text, ""), "");
	assert_true(reply_has(&r, "name=\"note\""));
	client_close(&c);
	world_close(&w);
}

TEST(a_decision_is_made_once_and_by_a_form_of_ours)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	struct world w;

	world_open(&w, "");
	struct msg_id token = world_refuse(&w);
	decider(&w, token.text, "postmaster@x.test", DECIDER_POSTMASTER);
	struct client c = client_https(&w);
	struct form f = client_form(&c, decider_page, ""), none = { 0 };
	for (int i = 0; i < 20; i++)
		assert_int_equal(get(&c, decider_page, "").status, 200);
	assert_int_equal(
		client_post(&c, decider_page, &none, "&decision=release").status, 403);
	assert_int_equal(client_post(&c, decider_page, &f, "").status, 400);
	assert_int_equal(client_post(&c, decider_page, &f, "&decision=x").status, 400);
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_OPEN);
	struct reply r = client_post(&c, decider_page, &f, "&decision=dismiss");
	assert_int_equal(r.status, 200);
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_DISMISSED);
	r = client_post(&c, decider_page, &f, "&decision=release");
	assert_int_equal(r.status, 200);
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_DISMISSED);
	r = get(&c, decider_page, "");
	assert_false(reply_has(&r, "value=\"release\""));
	assert_true(reply_has(&r, "postmaster@x.test"));
	client_close(&c);
	world_close(&w);
}

TEST(one_appeal_for_a_refusal_and_as_many_a_day_as_are_taken)
{
	struct world w;
	char page[200], post[200];
	static const struct {
		unsigned status;
		const char *said;
	} wanted[] = { { 200, "on their way" }, { 200, "told already" },
		{ 200, "on their way" }, { 200, "told already" },
		{ 429, "try again later" }, { 429, "try again later" } };

	world_open(&w, "work = 0\nappeals_network = 2");
	struct client c = client_https(&w);
	for (int i = 0; i < 3; i++) {
		struct msg_id token = world_refuse(&w);

		(void)snprintf(page, sizeof(page), "/r/%s", token.text);
		(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
		struct form f = client_form(&c, page, "");
		for (int k = 0; k < 2; k++) {
			struct reply r = client_post(&c, post, &f, "&note=x");

			assert_int_equal(r.status, wanted[2 * i + k].status);
			assert_true(reply_has(&r, wanted[2 * i + k].said));
		}
	}
	client_close(&c);
	world_close(&w);
}

TEST(what_is_not_kept_cannot_be_asked_for)
{
	struct world w;
	char page[200], post[200];

	world_open(&w, "work = 0");
	struct msg_id token = world_refuse(&w),
		      lost = world_enter(&w, "s@y.test", "a0@x.test", "");
	struct client c = client_https(&w);
	(void)snprintf(page, sizeof(page), "/r/%s", token.text);
	struct form f = client_form(&c, page, "");
	/* the page of the other has no form: its token is made by nobody */
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", lost.text);
	assert_int_equal(client_post(&c, post, &f, "").status, 403);
	/* its time is over while the page is open */
	(void)snprintf(post, sizeof(post), "/r/%s/appeal", token.text);
	clock_set_wall(clock_wall_ms() + (uint64_t)14 * 24 * HOUR_MS - HOUR_MS);
	f = client_form(&c, page, f.cookie);
	clock_set_wall(clock_wall_ms() + 2 * HOUR_MS);
	struct reply r = client_post(&c, post, &f, "&note=x");
	assert_int_equal(r.status, 410);
	assert_true(reply_has(&r, "not kept any more"));
	client_close(&c);
	world_close(&w);
}

static enum rc
count_one(const struct store_message *m, void *arg, struct err *err)
{
	(void)m;
	(void)err;
	++*(unsigned *)arg;
	return RC_OK;
}

static unsigned
mails(struct world *w)
{
	unsigned n = 0;
	enum rc rc = store_messages(w->parts.store, w->parts.accounts[0], STR("INBOX"), 0,
		count_one, &n, NULL);

	assert_true(rc == RC_OK || rc == RC_NONE);
	return n;
}

TEST(what_is_upheld_is_delivered_once)
{
	ARENA_AUTO mem = arena_new(1 << 20);
	struct world w;

	world_open(&w, "");
	struct msg_id token = world_refuse(&w);
	decider(&w, token.text, "postmaster@x.test", DECIDER_POSTMASTER);
	struct client c = client_https(&w);
	struct form f = client_form(&c, decider_page, "");
	for (int i = 0; i < 3; i++) {
		struct reply r = client_post(&c, decider_page, &f, "&decision=release");

		assert_int_equal(r.status, 200);
		assert_int_equal(mails(&w), 1);
	}
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_RELEASED);
	struct reply r = client_post(&c, decider_page, &f, "&decision=dismiss");
	assert_int_equal(r.status, 200);
	assert_int_equal(world_refusal(&w, token.text, mem).state, REFUSAL_RELEASED);
	/* and the sender can read it */
	r = get(&c, path_of("/r/", token.text, ""), "");
	assert_true(reply_has(&r, "delivered after all"));
	assert_false(reply_has(&r, "name=\"note\""));
	client_close(&c);
	world_close(&w);
}
