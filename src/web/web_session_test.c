/* SPDX-License-Identifier: ISC */
/* What is HTTP about the doors: requests, answers, limits. */
#include "base/clock.h"
#include "base/fs.h"
#include "test/test.h"
#include "web/web_guess.h"
#include "web/web_int.h"
#include "web/web_world.h"

#define GET(path) "GET " path " HTTP/1.1~Host: mail.x.test:20443~~"
#define FORM_TYPE "Content-Type: application/x-www-form-urlencoded~"

static void
check_field(const struct reply *r, const char *name, const char *value)
{
	str got = reply_field(r, name);

	if (!str_eq(got, str_of(value)))
		fail_msg("%s: \"" STR_FMT "\", wanted \"%s\"", name, STR_ARG(got), value);
}

static void
check_fields(const struct reply *r)
{
	check_field(r, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
		"form-action 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors "
		"'none'");
	check_field(r, "X-Frame-Options", "DENY");
	check_field(r, "X-Content-Type-Options", "nosniff");
	check_field(r, "Referrer-Policy", "no-referrer");
	check_field(r, "X-Robots-Tag", "noindex, nofollow");
	check_field(r, "Cross-Origin-Opener-Policy", "same-origin");
	check_field(r, "Cross-Origin-Resource-Policy", "same-origin");
	assert_true(reply_field(r, "Permissions-Policy").len > 0);
	assert_true(reply_field(r, "Date").len > 0);
	assert_true(reply_field(r, "Server").len == 0);
}

TEST(every_answer_protects_who_reads_it)
{
	static const struct {
		const char *path;
		unsigned status;
		const char *cache;
	} paths[] = {
		{ "/", 200, "no-store" },
		{ "/ca", 200, "no-store" },
		{ "/ca.crt", 200, "no-store" },
		{ "/robots.txt", 200, "no-store" },
		{ "/favicon.ico", 200, "public, max-age=86400" },
		{ "/nonesuch", 404, "no-store" },
		{ "/r/", 404, "no-store" },
		{ "/r/x/y", 404, "no-store" },
		{ "/r/nonesuch", 404, "no-store" },
		{ "/d/nonesuch", 404, "no-store" },
		{ "/ui/nonesuch.css", 404, "no-store" },
		{ "/../etc/passwd", 400, "no-store" },
	};
	struct world w;

	world_open(&w, "");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct client c = client_https(&w);
		char request[200];

		(void)snprintf(request, sizeof(request),
			"GET %s HTTP/1.1~Host: mail.x.test~~", paths[i].path);
		struct reply r = client_ask(&c, request);
		if (r.status != paths[i].status)
			fail_msg("%s: %u", paths[i].path, r.status);
		check_fields(&r);
		check_field(&r, "Cache-Control", paths[i].cache);
		check_field(&r, "Strict-Transport-Security", "max-age=2592000");
		client_close(&c);
	}
	struct client c = client_https(&w);
	atomic_store(&w.house.own_ca, true);
	struct reply r = client_ask(&c, GET("/"));
	check_field(&r, "Strict-Transport-Security", "");
	client_close(&c);
	world_close(&w);
}

TEST(a_connection_serves_many_requests_one_after_the_other)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_https(&w);
	for (int i = 0; i < 3; i++) {
		struct reply r = client_ask(&c, GET("/robots.txt"));

		assert_int_equal(r.status, 200);
		assert_true(str_eq(r.body, STR("User-agent: *\nDisallow: /\n")));
		check_field(&r, "Connection", "");
	}
	/* the errand's answer comes before that of the request behind it */
	client_send(
		&c, STR("GET /r/nonesuch HTTP/1.1\r\nHost: x\r\n\r\n"
			"HEAD /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
			"POST /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
			"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
			"GET /never HTTP/1.1\r\n"));
	assert_int_equal(client_reply(&c, false).status, 404);
	struct reply r = client_reply(&c, true);
	assert_int_equal(r.status, 200);
	check_field(&r, "Content-Length", "26");
	r = client_reply(&c, false);
	assert_int_equal(r.status, 405);
	check_field(&r, "Allow", "GET, HEAD");
	r = client_reply(&c, false);
	assert_int_equal(r.status, 200);
	check_field(&r, "Connection", "close");
	assert_true(client_ended(&c));
	client_close(&c);
	c = client_https(&w);
	r = client_ask(&c, "TRACE / HTTP/1.1~Host: x~~");
	assert_int_equal(r.status, 405);
	check_field(&r, "Allow", "GET, HEAD, POST");
	client_close(&c);
	world_close(&w);
}

TEST(a_connection_has_its_last_request)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_http(&w);
	for (int i = 1; i <= WEB_REQUESTS; i++) {
		struct reply r = client_ask(&c, GET("/"));

		assert_int_equal(r.status, 308);
		check_field(&r, "Connection", i == WEB_REQUESTS ? "close" : "");
	}
	assert_true(client_ended(&c));
	client_close(&c);
	world_close(&w);
}

#define SMUGGLED "GET /robots.txt HTTP/1.1~Host: x~~"

TEST(nothing_is_smuggled_behind_a_request)
{
	static const struct {
		const char *request;
		unsigned status;
	} cases[] = {
		/* CL.TE, TE.CL, TE.TE */
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Content-Length: 4~"
		  "Transfer-Encoding: chunked~" FORM_TYPE "~0~~" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: chunked~"
		  "Content-Length: 4~~5c~" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: chunked~"
		  "Transfer-Encoding: x~~0~~" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: xchunked~~"
		  "0~~" SMUGGLED,
			501 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding : chunked~~"
		  "0~~" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.0~Host: x~Transfer-Encoding: chunked~~"
		  "0~~" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Content-Length: 4~"
		  "Content-Length: 5~~" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Content-Length: 0, 4~~" SMUGGLED,
			400 },
		{ "GET / HTTP/1.1~Host: x~Content-Length: 36~~" SMUGGLED, 400 },
		{ "GET / HTTP/1.1~Host: x~A: b~ Content-Length: 36~~" SMUGGLED, 400 },
		{ "GET / HTTP/1.1~Host: x~Host: y~~" SMUGGLED, 400 },
		{ "GET / HTTP/1.1~~" SMUGGLED, 400 },
		{ "GET http://x/ HTTP/1.1~Host: x~~" SMUGGLED, 400 },
		{ "GET / HTTP/1.1\nHost: x\n\n", 400 },
		{ "GET / HTTP/1.1~Host: x\n~~" SMUGGLED, 400 },
		{ "GET / HTTP/1.1~Host: x~A: b\r~~" SMUGGLED, 400 },
		{ "CONNECT x:25 HTTP/1.1~Host: x~~" SMUGGLED, 405 },
		{ "PRI * HTTP/2.0~~SM~~", 505 },
		/* chunks */
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: chunked~" FORM_TYPE
		  "~3\n" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: chunked~" FORM_TYPE
		  "~0x3~abc~0~~" SMUGGLED,
			400 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: chunked~" FORM_TYPE
		  "~3;a=\n~abc~0~~" SMUGGLED,
			400 },
	};
	struct world w;

	world_open(&w, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = client_https(&w);
		struct reply r = client_ask(&c, cases[i].request);

		if (r.status != cases[i].status)
			fail_msg("\"%s\": %u", cases[i].request, r.status);
		check_field(&r, "Connection", "close");
		check_fields(&r);
		assert_true(client_ended(&c));
		client_close(&c);
	}
	world_close(&w);
}

TEST(a_body_in_chunks_is_as_good_as_one_that_was_announced)
{
	struct world w;

	world_open(&w, "");
	struct client c = client_https(&w);
	struct reply r = client_ask(&c,
		"POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: chunked~"
		"Expect: 100-continue~" FORM_TYPE "~");
	assert_int_equal(r.status, 100);
	/* no cookie: the form is not ours */
	r = client_ask(&c, "4;x=y~note~2~=a~0~A: b~~");
	assert_int_equal(r.status, 403);
	check_field(&r, "Connection", "");
	assert_int_equal(client_ask(&c, GET("/robots.txt")).status, 200);
	client_close(&c);
	world_close(&w);
}

TEST(bodies_that_are_too_long_or_no_forms_are_not_read)
{
	static const struct {
		const char *request;
		unsigned status;
	} cases[] = {
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Content-Length: 104857600~" FORM_TYPE
		  "Expect: 100-continue~~",
			413 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Content-Length: 32769~" FORM_TYPE
		  "~abc",
			413 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Transfer-Encoding: chunked~" FORM_TYPE
		  "~8001~abc",
			413 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Content-Length: 5~"
		  "Content-Type: text/plain~~note=",
			415 },
		{ "POST /r/x/appeal HTTP/1.1~Host: x~Content-Length: 5~~note=", 415 },
		{ "POST /robots.txt HTTP/1.1~Host: x~Content-Length: 5~" FORM_TYPE
		  "~note=",
			405 },
		{ "POST /nonesuch HTTP/1.1~Host: x~Content-Length: 5~" FORM_TYPE "~note=",
			404 },
	};
	struct world w;

	world_open(&w, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = client_https(&w);
		struct reply r = client_ask(&c, cases[i].request);

		if (r.status != cases[i].status)
			fail_msg("\"%s\": %u", cases[i].request, r.status);
		check_field(&r, "Connection", "close");
		assert_true(client_ended(&c));
		client_close(&c);
	}
	world_close(&w);
}

/* The answer is heard although the server has not read what was sent. */
TEST(who_sends_a_hundred_megabytes_is_told_why_not)
{
	static char lump[1 << 20];
	struct world w;

	world_open(&w, "");
	struct client c = client_http(&w);
	client_send(&c, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n"
			    "Content-Type: application/x-www-form-urlencoded\r\n\r\n"));
	client_send(&c, (str){ lump, 100000 });
	struct reply r = client_reply(&c, false);
	assert_int_equal(r.status, 405);
	for (int i = 0; i < 100; i++)
		client_send(&c, (str){ lump, sizeof(lump) });
	assert_true(client_ended(&c));
	client_close(&c);
	world_close(&w);
}

TEST(heads_have_limits)
{
	BUF_AUTO b = BUF(1 << 20);
	struct world w;

	world_open(&w, "");
	buf_addz(&b, "GET /");
	while (b.len < 9000)
		buf_addc(&b, 'x');
	buf_addz(&b, " HTTP/1.1~Host: x~~");
	struct client c = client_https(&w);
	assert_int_equal(client_ask(&c, buf_z(&b)).status, 414);
	assert_true(client_ended(&c));
	client_close(&c);
	buf_clear(&b);
	buf_addz(&b, "GET / HTTP/1.1~Host: x~");
	for (int i = 0; i < 3; i++) {
		buf_addz(&b, "A: ");
		for (int k = 0; k < 6000; k++)
			buf_addc(&b, 'x');
		buf_addz(&b, "~");
	}
	buf_addz(&b, "~");
	c = client_https(&w);
	assert_int_equal(client_ask(&c, buf_z(&b)).status, 431);
	assert_true(client_ended(&c));
	client_close(&c);
	buf_clear(&b);
	buf_addz(&b, "GET / HTTP/1.1~");
	for (int i = 0; i < 65; i++)
		buf_addz(&b, "A: b~");
	buf_addz(&b, "~");
	c = client_https(&w);
	assert_int_equal(client_ask(&c, buf_z(&b)).status, 431);
	client_close(&c);
	world_close(&w);
}

TEST(requests_may_come_byte_by_byte)
{
	static const char request[] = "GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n";
	struct world w;

	world_open(&w, "");
	struct client c = client_https(&w);
	for (size_t i = 0; i + 1 < sizeof(request); i++)
		client_send(&c, (str){ request + i, 1 });
	assert_int_equal(client_reply(&c, false).status, 200);
	client_close(&c);
	world_close(&w);
}

TEST(assets_may_be_kept_for_ever)
{
	char path[100], request[400];
	struct world w;

	world_open(&w, "");
	(void)snprintf(path, sizeof(path), "%s", ui_url("page.css"));
	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1~Host: x~~", path);
	struct client c = client_https(&w);
	struct reply r = client_ask(&c, request);
	assert_int_equal(r.status, 200);
	check_field(&r, "Content-Type", "text/css; charset=utf-8");
	check_field(&r, "Cache-Control", "public, max-age=31536000, immutable");
	check_field(&r, "Vary", "");
	assert_true(r.body.len > 0);
	(void)snprintf(request, sizeof(request),
		"GET %s HTTP/1.1~Host: x~If-None-Match: \"%s\"~~", path,
		path + strlen("/ui/"));
	r = client_ask(&c, request);
	assert_int_equal(r.status, 304);
	check_fields(&r);
	check_field(&r, "Content-Length", "");
	assert_int_equal(client_ask(&c, GET("/ui/page.css")).status, 404);
	assert_int_equal(client_ask(&c, GET("/ui/../gatepost.conf")).status, 400);
	client_close(&c);
	world_close(&w);
}

static void
put_file(struct world *w, const char *path, const char *text)
{
	assert_int_equal(
		fs_replace(w->parts.data, path, 0600, str_of(text), NULL), RC_OK);
}

TEST(port_80_answers_a_ca_and_sends_everybody_else_to_https)
{
	static const struct {
		const char *request;
		unsigned status;
		const char *what;
	} cases[] = {
		{ GET("/.well-known/acme-challenge/ab-C_1"), 200, "ab-C_1.thumb" },
		{ GET("/.well-known/acme-challenge/none"), 404, NULL },
		{ GET("/.well-known/acme-challenge/long"), 404, NULL },
		{ GET("/.well-known/acme-challenge/a.b"), 404, NULL },
		{ GET("/.well-known/acme-challenge/a%20b"), 404, NULL },
		{ GET("/r/abc?lang=de&x=%20"), 308,
			"https://mail.x.test:20443/r/abc?lang=de&x=%20" },
		{ GET("/.well-known/acme-challenge/"), 308,
			"https://mail.x.test:20443/.well-known/acme-challenge/" },
		{ "GET /r/abc HTTP/1.1~Host: evil.test~~", 308,
			"https://mail.x.test:20443/r/abc" },
		{ GET("//evil.test/x"), 308, "https://mail.x.test:20443//evil.test/x" },
		{ GET("/@evil.test"), 308, "https://mail.x.test:20443/%40evil.test" },
		{ GET("/%C3%A4%22b"), 308, "https://mail.x.test:20443/%C3%A4%22b" },
		{ GET("/?a\"b"), 400, NULL },
		{ GET("/%0d%0aSet-Cookie:%20a=b"), 400, NULL },
		{ GET("/.well-known/acme-challenge/../../keys/held.key"), 400, NULL },
		{ GET("/.well-known/acme-challenge/..%2f..%2fx"), 400, NULL },
		{ "POST / HTTP/1.1~Host: x~~", 405, NULL },
	};
	char big[1100];
	struct world w;

	world_open(&w, "");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(fs_mkdirs(w.parts.data, "acme", 0700, NULL), RC_OK);
	put_file(&w, "acme/ab-C_1", "ab-C_1.thumb");
	put_file(&w, "acme/long", big);
	put_file(&w, "x", "secret");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = client_http(&w);
		struct reply r = client_ask(&c, cases[i].request);

		if (r.status != cases[i].status)
			fail_msg("\"%s\": %u", cases[i].request, r.status);
		check_fields(&r);
		check_field(&r, "Strict-Transport-Security", "");
		check_field(&r, "Set-Cookie", "");
		if (r.status == 308)
			check_field(&r, "Location", cases[i].what);
		else if (r.status == 200)
			assert_true(str_eq(r.body, str_of(cases[i].what)));
		client_close(&c);
	}
	world_close(&w);
}

TEST(a_long_name_of_a_challenge_is_not_another_s)
{
	char path[200], request[400];
	struct world w;

	world_open(&w, "");
	assert_int_equal(fs_mkdirs(w.parts.data, "acme", 0700, NULL), RC_OK);
	(void)snprintf(path, sizeof(path), "acme/%0128d", 0);
	put_file(&w, path, "thumb");
	for (int n = 128; n < 130; n++) {
		struct client c = client_http(&w);

		(void)snprintf(request, sizeof(request),
			"GET /.well-known/acme-challenge/%0*d HTTP/1.1~Host: x~~", n, 0);
		assert_int_equal(client_ask(&c, request).status, n == 128 ? 200 : 404);
		client_close(&c);
	}
	world_close(&w);
}

TEST(our_own_ca_can_be_fetched)
{
	struct world w;

	world_open(&w, "");
	atomic_store(&w.house.own_ca, true);
	struct client c = client_https(&w);
	struct reply r = client_ask(&c, GET("/ca.crt"));
	check_field(&r, "Content-Type", "application/x-x509-ca-cert");
	assert_true(str_starts(r.body, STR("-----BEGIN CERTIFICATE-----")));
	r = client_ask(&c, GET("/ca"));
	assert_int_equal(r.status, 200);
	assert_int_equal(strlen(w.house.ca.fingerprint), 95);
	assert_true(reply_has(&r, w.house.ca.fingerprint));
	assert_true(w.house.ca.until_ms > clock_wall_ms());
	atomic_store(&w.house.own_ca, false);
	r = client_ask(&c, GET("/ca"));
	assert_false(reply_has(&r, w.house.ca.fingerprint));
	client_close(&c);
	world_close(&w);
}

TEST(a_network_that_guesses_waits_and_others_do_not)
{
	struct web_guesses *g = web_guesses_new(2);
	struct ip a, same, b, six, six_same;

	assert_true(ip_parse(STR("192.0.2.1"), &a) &&
		    ip_parse(STR("192.0.2.77"), &same) &&
		    ip_parse(STR("192.0.3.1"), &b) &&
		    ip_parse(STR("2001:db8:1:2::3"), &six) &&
		    ip_parse(STR("2001:db8:1:9::9"), &six_same));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(web_guesses_wait(g, &a, 3, 1000), 0);
		web_guesses_add(g, &a, 1000);
	}
	assert_int_equal(web_guesses_wait(g, &same, 3, 1000), 3600);
	assert_int_equal(web_guesses_wait(g, &same, 3, 1000 + GUESS_WINDOW_MS - 1), 1);
	assert_int_equal(web_guesses_wait(g, &same, 3, 1000 + GUESS_WINDOW_MS), 0);
	assert_int_equal(web_guesses_wait(g, &b, 3, 1000), 0);
	web_guesses_add(g, &six, 1000);
	assert_int_equal(web_guesses_wait(g, &six_same, 1, 1000), 3600);
	/* full: who asked longest ago makes room */
	web_guesses_add(g, &a, 2000);
	web_guesses_add(g, &b, 2000);
	assert_int_equal(web_guesses_wait(g, &six, 1, 2000), 0);
	assert_int_equal(web_guesses_wait(g, &a, 3, 2000), 3599);
	/* a new hour */
	web_guesses_add(g, &a, 1000 + GUESS_WINDOW_MS);
	assert_int_equal(web_guesses_wait(g, &a, 2, 1000 + GUESS_WINDOW_MS), 0);
	web_guesses_free(&g);
}
