/* SPDX-License-Identifier: ISC */
#include "wire/http.h"

#include "test/test.h"
#include "wire/http_put.h"

/* Lines separated by "|", the last one empty. */
static unsigned
read_head(struct http_request *q, str head)
{
	unsigned status;
	str line = STR("");

	(void)str_cut(&head, '|', &line);
	status = http_begin(q, line);
	while (status == 0 && str_cut(&head, '|', &line))
		status = http_field(q, line);
	return status == 0 ? http_end(q) : status;
}

static unsigned
status_of(str head)
{
	ARENA_AUTO mem = arena_new(HTTP_HEAD_MOST);
	struct http_request q = { .mem = mem };

	return read_head(&q, head);
}

TEST(a_request_is_read)
{
	ARENA_AUTO mem = arena_new(HTTP_HEAD_MOST);
	struct http_request q = { .mem = mem };

	assert_int_equal(read_head(&q, STR("POST /r/%C3%A4b+c?lang=de&x HTTP/1.1|"
					   "HOST: mx.x.test:20443|content-length:  12\t|"
					   "Cookie: a=1; b=2; a=3;c=\"4\"|X:|"
					   "Expect: 100-Continue")),
		0);
	assert_int_equal(q.method, HTTP_POST);
	assert_true(str_eq(q.target, STR("/r/%C3%A4b+c?lang=de&x")));
	assert_true(str_eq(q.path, STR("/r/\xc3\xa4"
				       "b+c")));
	assert_true(str_eq(q.query, STR("lang=de&x")));
	assert_true(str_eq(q.host, STR("mx.x.test:20443")));
	assert_true(q.keep && q.expects && q.has_length && !q.chunked);
	assert_int_equal(q.minor, 1);
	assert_int_equal(q.length, 12);
	assert_int_equal(q.nfields, 5);
	assert_true(str_eq(http_get(&q, STR("Content-Length")), STR("12")));
	assert_true(str_empty(http_get(&q, STR("x"))));
	assert_true(str_empty(http_get(&q, STR("y"))));
	assert_true(str_eq(http_cookie(&q, STR("b")), STR("2")));
	assert_true(str_eq(http_cookie(&q, STR("c")), STR("\"4\"")));
	assert_true(str_empty(http_cookie(&q, STR("a"))));
	assert_true(str_empty(http_cookie(&q, STR("B"))));
}

TEST(the_connection_stays_only_where_both_sides_say_so)
{
	static const struct {
		str head;
		bool keep;
	} cases[] = {
		{ STR_INIT("GET / HTTP/1.1|Host: x"), true },
		{ STR_INIT("GET / HTTP/1.0|Host: x"), false },
		{ STR_INIT("GET / HTTP/1.0|Host: x|Connection: keep-alive"), false },
		{ STR_INIT("GET / HTTP/1.1|Host: x|Connection: close"), false },
		{ STR_INIT("GET / HTTP/1.1|Host: x|Connection: TE , Close"), false },
		{ STR_INIT("GET / HTTP/1.1|Host: x|Connection: a|Connection: close"),
			false },
		{ STR_INIT("GET / HTTP/1.1|Host: x|Connection: closed"), true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(HTTP_HEAD_MOST);
		struct http_request q = { .mem = mem };

		assert_int_equal(read_head(&q, cases[i].head), 0);
		assert_int_equal(q.keep, cases[i].keep);
		assert_false(q.expects);
	}
}

#define GET  "GET / HTTP/1.1|Host: x|"
#define POST "POST / HTTP/1.1|Host: x|"

static const struct {
	str head;
	unsigned status;
} heads[] = {
	{ STR_INIT(GET), 0 },
	{ STR_INIT("HEAD / HTTP/1.1|Host: x"), 0 },
	{ STR_INIT(POST), 0 },
	/* the request line: RFC 9112 3 */
	{ STR_INIT(""), 400 },
	{ STR_INIT("GET /"), 400 },
	{ STR_INIT("GET / HTTP/1.1 |Host: x"), 400 },
	{ STR_INIT(" GET / HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET  / HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /  HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET\t/ HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET / HTTP/1.1\r|Host: x"), 400 },
	{ STR_INIT("GET / HTTP/1.1\nHost: x|Host: x"), 400 },
	{ STR_INIT("GET / http/1.1|Host: x"), 400 },
	{ STR_INIT("GET / HTTP/1,1|Host: x"), 400 },
	{ STR_INIT("GET / HTTP/11.1|Host: x"), 400 },
	{ STR_INIT("GET / HTTP/x.1|Host: x"), 400 },
	{ STR_INIT("GET / HTTP/2.0|Host: x"), 505 },
	{ STR_INIT("GET / HTTP/0.9|Host: x"), 505 },
	{ STR_INIT("GET / HTTP/1.2|Host: x"), 505 },
	{ STR_INIT("PRI * HTTP/2.0"), 505 },
	{ STR_INIT("get / HTTP/1.1|Host: x"), 501 },
	{ STR_INIT("BREW / HTTP/1.1|Host: x"), 501 },
	{ STR_INIT("PUT / HTTP/1.1|Host: x"), 405 },
	{ STR_INIT("TRACE / HTTP/1.1|Host: x"), 405 },
	{ STR_INIT("CONNECT x.test:25 HTTP/1.1|Host: x"), 405 },
	{ STR_INIT("G(T / HTTP/1.1|Host: x"), 400 },
	/* targets */
	{ STR_INIT("GET * HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET http://x/ HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET x.test:443 HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET ?x HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /a#b HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /?a#b HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /a/../b HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /.. HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /./x HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /%2e%2E/x HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /.%2e HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /a%2Fb HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /a%5cb HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /a\\b HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /%00 HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /%0d%0aSet-Cookie:a HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /%7f HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /% HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /%4 HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /%4g HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /%C0%AF HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /\xc3\xa4 HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /?\xc3\xa4 HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /<x> HTTP/1.1|Host: x"), 400 },
	{ STR_INIT("GET /...a/..b/c. HTTP/1.1|Host: x"), 0 },
	{ STR_INIT("GET //x HTTP/1.1|Host: x"), 0 },
	{ STR_INIT("GET /?%zz&[a]={b} HTTP/1.1|Host: x"), 0 },
	/* fields: RFC 9112 5 */
	{ STR_INIT(GET "A : b"), 400 },
	{ STR_INIT(GET " A: b"), 400 },
	{ STR_INIT(GET "A: b| folded"), 400 },
	{ STR_INIT(GET "A: b|\tfolded: c"), 400 },
	{ STR_INIT(GET ": b"), 400 },
	{ STR_INIT(GET "A"), 400 },
	{ STR_INIT(GET "A: b\rc"), 400 },
	{ STR_INIT(GET "A: b\nC: d"), 400 },
	{ STR_INIT(GET "A: b\0c"), 400 },
	{ STR_INIT(GET "A: b\x7f"), 400 },
	{ STR_INIT(GET "\xc3\xa4: b"), 400 },
	{ STR_INIT(GET "A(: b"), 400 },
	{ STR_INIT(GET "A:\tb\xc3\xa4\t"), 0 },
	/* Host: RFC 9112 3.2 */
	{ STR_INIT("GET / HTTP/1.1|"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host:"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: x|host: x"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a b"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a/b"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: u@b"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a,b"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a:"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a:0"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a:65536"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a:8x"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: a:8:9"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: [::1"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: []"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: [::g]"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: [::1]x"), 400 },
	{ STR_INIT("GET / HTTP/1.1|Host: [::1]:443"), 0 },
	{ STR_INIT("GET / HTTP/1.1|Host: 192.0.2.1"), 0 },
	/* how long the body is: RFC 9112 6.3 */
	{ STR_INIT(POST "Content-Length: 5"), 0 },
	{ STR_INIT(POST "Content-Length: 5|Content-Length: 5"), 400 },
	{ STR_INIT(POST "Content-Length: 5, 5"), 400 },
	{ STR_INIT(POST "Content-Length: +5"), 400 },
	{ STR_INIT(POST "Content-Length: -5"), 400 },
	{ STR_INIT(POST "Content-Length: 0x5"), 400 },
	{ STR_INIT(POST "Content-Length: 5 5"), 400 },
	{ STR_INIT(POST "Content-Length:"), 400 },
	{ STR_INIT(POST "Content-Length: 18446744073709551616"), 400 },
	{ STR_INIT(POST "Content-Length: 5|Transfer-Encoding: chunked"), 400 },
	{ STR_INIT(POST "Transfer-Encoding: chunked|Content-Length: 5"), 400 },
	{ STR_INIT(POST "Transfer-Encoding: chunked|Content-Length: 0"), 400 },
	{ STR_INIT(POST "Transfer-Encoding: Chunked"), 0 },
	{ STR_INIT(POST "Transfer-Encoding: chunked|Transfer-Encoding: chunked"), 400 },
	{ STR_INIT(POST "Transfer-Encoding: chunked|Transfer-Encoding: x"), 400 },
	{ STR_INIT(POST "Transfer-Encoding: gzip, chunked"), 501 },
	{ STR_INIT(POST "Transfer-Encoding: chunked, identity"), 501 },
	{ STR_INIT(POST "Transfer-Encoding: xchunked"), 501 },
	{ STR_INIT(POST "Transfer-Encoding: \x0b"
			"chunked"),
		400 },
	{ STR_INIT(POST "Transfer-Encoding: \"chunked\""), 501 },
	{ STR_INIT(POST "Transfer-Encoding:"), 501 },
	{ STR_INIT(POST "Transfer_Encoding: chunked"), 0 },
	{ STR_INIT("POST / HTTP/1.0|Host: x|Transfer-Encoding: chunked"), 400 },
	{ STR_INIT(GET "Content-Length: 5"), 400 },
	{ STR_INIT(GET "Content-Length: 0"), 0 },
	{ STR_INIT(GET "Transfer-Encoding: chunked"), 400 },
	/* RFC 9110 10.1.1 */
	{ STR_INIT(POST "Expect: the-unexpected"), 417 },
	{ STR_INIT(POST "Expect: 100-continue|Expect: 100-continue"), 417 },
};

TEST(nothing_that_two_programs_read_differently_is_taken)
{
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		unsigned status = status_of(heads[i].head);

		if (status != heads[i].status)
			fail_msg("\"%s\": %u, wanted %u", heads[i].head.ptr, status,
				heads[i].status);
	}
}

TEST(a_continue_is_only_waited_for_where_something_comes)
{
	static const struct {
		str head;
		bool expects;
	} cases[] = {
		{ STR_INIT(POST "Content-Length: 5|Expect: 100-continue"), true },
		{ STR_INIT(POST "Transfer-Encoding: chunked|Expect: 100-continue"),
			true },
		{ STR_INIT(POST "Expect: 100-continue"), false },
		{ STR_INIT("POST / HTTP/1.0|Host: x|Content-Length: 5|"
			   "Expect: 100-continue"),
			false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ARENA_AUTO mem = arena_new(HTTP_HEAD_MOST);
		struct http_request q = { .mem = mem };

		assert_int_equal(read_head(&q, cases[i].head), 0);
		assert_int_equal(q.expects, cases[i].expects);
	}
}

TEST(long_lines_and_many_of_them_are_refused)
{
	ARENA_AUTO mem = arena_new(HTTP_HEAD_MOST);
	ARENA_AUTO tiny = arena_new(16);
	struct http_request q = { .mem = mem };
	BUF_AUTO line = BUF(HTTP_LINE_MOST + 1);

	buf_addz(&line, "GET /");
	while (line.len < HTTP_LINE_MOST - 9)
		buf_addc(&line, 'x');
	buf_addz(&line, " HTTP/1.1");
	assert_int_equal(http_begin(&q, buf_str(&line)), 0);
	buf_addc(&line, 'x');
	assert_int_equal(http_begin(&q, buf_str(&line)), 414);
	q.mem = tiny;
	line.len = HTTP_LINE_MOST;
	assert_int_equal(http_begin(&q, buf_str(&line)), 414);
	q.mem = mem;
	assert_int_equal(http_begin(&q, STR("GET / HTTP/1.1")), 0);
	for (size_t i = 0; i < HTTP_FIELDS; i++)
		assert_int_equal(http_field(&q, STR("A: b")), 0);
	assert_int_equal(http_field(&q, STR("A: b")), 431);
	q.nfields = 0;
	memset(line.data, 'a', HTTP_LINE_MOST + 1);
	line.data[1] = ':';
	line.len = HTTP_LINE_MOST;
	assert_int_equal(http_field(&q, buf_str(&line)), 0);
	line.len = HTTP_LINE_MOST + 1;
	assert_int_equal(http_field(&q, buf_str(&line)), 431);
}

TEST(pages_are_in_a_language_that_the_reader_asked_for)
{
	static const str offered[] = { STR_INIT("en"), STR_INIT("de"), STR_INIT("fr"),
		STR_INIT("pt-BR"), STR_INIT("pt"), STR_INIT("zh-Hant") };
	static const struct {
		str accept;
		size_t at;
	} cases[] = {
		{ STR_INIT(""), 0 },
		{ STR_INIT("de"), 1 },
		{ STR_INIT("DE-at"), 1 },
		{ STR_INIT("dex"), 0 },
		{ STR_INIT("de-AT,en;q=0.9"), 1 },
		{ STR_INIT("xx,fr;q=0.5,de;q=0.6"), 1 },
		{ STR_INIT("fr;q=0.5, de;q=0.5"), 2 },
		{ STR_INIT("fr ; q=0.5,de;q=0.501"), 1 },
		{ STR_INIT("de;q=0,fr;q=0.001"), 2 },
		{ STR_INIT("de;q=0"), 0 },
		{ STR_INIT("de;q=1.001,fr"), 2 },
		{ STR_INIT("de;q=2,fr;q=0.1"), 2 },
		{ STR_INIT("de;q=x,fr;q=0.1"), 2 },
		{ STR_INIT("de;q=,fr;q=0.1"), 2 },
		{ STR_INIT("de;x=1,fr;q=0.1"), 2 },
		{ STR_INIT("*"), 0 },
		{ STR_INIT("*,de;q=0.5"), 0 },
		{ STR_INIT("*;q=0.1,de;q=0.5"), 1 },
		{ STR_INIT("pt-br-x-a"), 3 },
		{ STR_INIT("pt-PT"), 4 },
		{ STR_INIT("pt"), 4 },
		{ STR_INIT("zh"), 5 },
		{ STR_INIT(",,;,; ;q=1,de"), 1 },
		{ STR_INIT("x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x"
			   ",de"),
			1 },
		{ STR_INIT("x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x"
			   ",x,de"),
			0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_language(cases[i].accept, offered, 6) != cases[i].at)
			fail_msg("%s", cases[i].accept.ptr);
	assert_int_equal(http_language(STR("de"), offered, 0), 0);
}

TEST(heads_of_answers_are_written)
{
	BUF_AUTO b = BUF(1000);

	http_put_status(&b, 404, 784111777000);
	http_put_number(&b, "Content-Length", 12);
	buf_addz(&b, "X: ");
	http_put_path(&b, STR("/a b/\xc3\xa4?#%~\"<"));
	buf_addz(&b, "\r\n");
	http_put_field(&b, "Vary", STR("Cookie"));
	http_put_end(&b);
	assert_string_equal(buf_z(&b), "HTTP/1.1 404 Not Found\r\n"
				       "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
				       "Content-Length: 12\r\n"
				       "X: /a%20b/%C3%A4%3F%23%25~%22%3C\r\n"
				       "Vary: Cookie\r\n\r\n");
	assert_string_equal(http_reason(299), "");
}
