/* SPDX-License-Identifier: ISC */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/net_fixture.h"
#include "net/net_int.h"
#include "net/park.h"
#include "test/memory.h"
#include "test/test.h"

#define EXPECT_LINE(c, want)                                            \
	do {                                                            \
		str got_;                                               \
		assert_int_equal(conn_line((c), 1000, &got_), CONN_OK); \
		assert_int_equal(got_.len, sizeof(want) - 1);           \
		assert_memory_equal(got_.ptr, want, sizeof(want) - 1);  \
	} while (0)

static char *
many(size_t n, char c)
{
	char *p = malloc(n);

	assert_non_null(p);
	memset(p, c, n);
	return p;
}

TEST(only_crlf_ends_a_line)
{
	struct fixture_link l = fixture_link();
	str line;

	fixture_say(&l, STR("a\nb\rc\n\r\r\n\r\n\nx\r\nrest"));
	EXPECT_LINE(l.conn, "a\nb\rc\n\r");
	EXPECT_LINE(l.conn, "");
	EXPECT_LINE(l.conn, "\nx");
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_QUIET);
	assert_int_equal(conn_want(l.conn), PARK_READ);
	assert_int_equal(conn_buffered(l.conn), 4);
	fixture_link_close(&l);
}

TEST(a_line_may_come_a_byte_at_a_time)
{
	struct fixture_link l = fixture_link();
	static const char text[] = "EHLO a.example\r\n";
	str line;

	for (size_t i = 0; i + 2 < sizeof(text); i++) {
		fixture_say(&l, (str){ text + i, 1 });
		assert_int_equal(conn_line(l.conn, 1000, &line), CONN_QUIET);
		conn_rest(l.conn);
	}
	fixture_say(&l, STR("\n"));
	EXPECT_LINE(l.conn, "EHLO a.example");
	fixture_link_close(&l);
}

TEST(a_line_over_the_limit_is_thrown_away_and_the_next_one_is_read)
{
	static const struct {
		size_t len;
		enum conn_got want;
	} cases[] = {
		{ 99, CONN_OK },
		{ 100, CONN_OK },
		{ 101, CONN_LONG },
		{ 102, CONN_LONG },
		{ 5000, CONN_LONG },
		{ 150000, CONN_LONG },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture_link l = fixture_link();
		char *text = many(cases[i].len + 1, 'x');
		str line, rest = { text, cases[i].len };

		text[cases[i].len] = '\r'; /* the CR comes with the line, LF later */
		rest.len++;
		while (rest.len > 0) {
			fixture_say(&l, str_first(rest, 1000));
			rest = str_skip(rest, 1000);
			assert_int_equal(conn_line(l.conn, 100, &line), CONN_QUIET);
			assert_true(l.conn->cap <= 65536);
		}
		fixture_say(&l, STR("\nNOOP\r\n"));
		assert_int_equal(conn_line(l.conn, 100, &line), cases[i].want);
		assert_int_equal(line.len, cases[i].want == CONN_OK ? cases[i].len : 64);
		assert_memory_equal(line.ptr, text, line.len);
		EXPECT_LINE(l.conn, "NOOP");
		free(text);
		fixture_link_close(&l);
	}
}

TEST(a_line_without_an_end_ends_the_connection)
{
	struct fixture_link l = fixture_link();
	char *text = many(64000, 'x');
	enum conn_got got = CONN_QUIET;
	str line;

	for (int i = 0; i < 20 && got == CONN_QUIET; i++) {
		fixture_say(&l, (str){ text, 64000 });
		got = conn_line(l.conn, 100, &line);
	}
	assert_int_equal(got, CONN_CLOSED);
	assert_string_equal(conn_why(l.conn), "a line without an end");
	free(text);
	fixture_link_close(&l);
}

TEST(what_was_said_before_the_end_is_read_and_answered)
{
	struct fixture_link l = fixture_link();
	char heard[64];
	str line;

	fixture_say(&l, STR("one\r\ntwo\r\nhalf"));
	(void)shutdown(l.fd, SHUT_WR);
	EXPECT_LINE(l.conn, "one");
	conn_write(l.conn, STR("250 one\r\n"));
	EXPECT_LINE(l.conn, "two");
	conn_write(l.conn, STR("250 two\r\n"));
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_CLOSED);
	assert_string_equal(conn_why(l.conn), "closed by the peer");
	assert_int_equal(fixture_hear(&l, heard, sizeof(heard)), 18);
	fixture_link_close(&l);
}

TEST(bytes_and_lines_share_the_input)
{
	struct fixture_link l = fixture_link();
	str bytes;

	fixture_say(&l, STR("BDAT 5\r\nhelloNOOP\r\n"));
	EXPECT_LINE(l.conn, "BDAT 5");
	assert_int_equal(conn_bytes(l.conn, &bytes), CONN_OK);
	assert_int_equal(bytes.len, 11);
	conn_eat(l.conn, 5);
	EXPECT_LINE(l.conn, "NOOP");
	assert_int_equal(conn_bytes(l.conn, &bytes), CONN_QUIET);
	assert_int_equal(conn_received(l.conn), 19);
	fixture_link_close(&l);
}

TEST(replies_have_gone_out_before_it_is_quiet)
{
	struct fixture_link l = fixture_link();
	char heard[64];
	str line;

	fixture_say(&l, STR("NOOP\r\n"));
	EXPECT_LINE(l.conn, "NOOP");
	conn_write(l.conn, STR("250 ok\r\n"));
	assert_int_equal(fixture_hear(&l, heard, sizeof(heard)), 0);
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_QUIET);
	assert_int_equal(fixture_hear(&l, heard, sizeof(heard)), 8);
	fixture_link_close(&l);
}

static void
fill(struct conn *c, const char *text, size_t size)
{
	while (conn_flush(c) == CONN_OK)
		conn_write(c, (str){ text, size });
}

TEST(a_peer_that_does_not_read_is_full_and_gets_all_of_it_later)
{
	struct fixture_link l = fixture_link();
	char *text = many(60000, 'y'), *heard = many(60000, 0);
	size_t sent = 0, got = 0, n;

	while (conn_flush(l.conn) == CONN_OK) {
		conn_write(l.conn, (str){ text, 60000 });
		sent += 60000;
	}
	assert_int_equal(conn_want(l.conn), PARK_WRITE);
	assert_true(conn_room(l.conn) < 256 * 1024);
	do {
		while ((n = fixture_hear(&l, heard, 60000)) > 0)
			got += n;
	} while (conn_flush(l.conn) == CONN_FULL);
	while ((n = fixture_hear(&l, heard, 60000)) > 0)
		got += n;
	assert_int_equal(got, sent);
	free(text);
	free(heard);
	fixture_link_close(&l);
}

TEST(who_reads_no_replies_is_not_asked_for_more_commands)
{
	struct fixture_link l = fixture_link();
	char *text = many(60000, 'y');
	enum conn_got got = CONN_OK;
	str line;

	fill(l.conn, text, 60000);
	for (size_t i = 0; i < 2000; i++)
		memcpy(text + i * 6, "NOOP\r\n", 6);
	fixture_say(&l, (str){ text, 12000 });
	for (int i = 0; i < 2000 && got == CONN_OK; i++) {
		got = conn_line(l.conn, 1000, &line);
		if (got == CONN_OK)
			conn_write(l.conn, (str){ text, 200 });
	}
	assert_int_equal(got, CONN_FULL);
	assert_int_equal(conn_want(l.conn), PARK_WRITE);
	free(text);
	fixture_link_close(&l);
}

TEST(writing_past_the_limit_breaks_off)
{
	struct fixture_link l = fixture_link();
	char *text = many(60000, 'y');
	str line;

	fill(l.conn, text, 60000);
	for (int i = 0; i < 6; i++)
		conn_write(l.conn, (str){ text, 60000 });
	assert_int_equal(conn_flush(l.conn), CONN_CLOSED);
	assert_int_equal(conn_line(l.conn, 100, &line), CONN_CLOSED);
	free(text);
	fixture_link_close(&l);
}

TEST(at_rest_there_are_no_buffers)
{
	struct fixture_link l = fixture_link();
	str line;

	fixture_say(&l, STR("NOOP\r\nhalf a line"));
	EXPECT_LINE(l.conn, "NOOP");
	conn_write(l.conn, STR("250 ok\r\n"));
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_QUIET);
	conn_rest(l.conn);
	assert_int_equal(l.conn->cap, 11);
	assert_null(l.conn->out.data);
	fixture_say(&l, STR(".\r\n"));
	EXPECT_LINE(l.conn, "half a line.");
	conn_rest(l.conn);
	assert_null(l.conn->in);
	fixture_link_close(&l);
}

TEST(an_early_talker_is_noticed_and_nothing_is_read)
{
	struct fixture_link l = fixture_link();

	assert_false(conn_spoke(l.conn));
	fixture_say(&l, STR("EHLO x\r\n"));
	assert_true(conn_spoke(l.conn));
	assert_int_equal(conn_received(l.conn), 0);
	EXPECT_LINE(l.conn, "EHLO x");
	assert_false(conn_spoke(l.conn));
	fixture_link_close(&l);
}

/* Threads of ours block signals; here SIGPIPE would end the test program. */
TEST(a_peer_that_is_gone_is_an_answer_and_no_signal)
{
	struct tls *tls = fixture_tls();

	for (int with_tls = 0; with_tls < 2; with_tls++) {
		struct fixture_link l = fixture_link();

		if (with_tls) {
			conn_start_tls(l.conn, tls);
			fixture_handshake(&l, NULL);
		}
		(void)close(l.fd);
		l.fd = -1;
		conn_write(l.conn, STR("250 ok\r\n"));
		assert_int_equal(conn_flush(l.conn), CONN_CLOSED);
		assert_true(conn_why(l.conn)[0] != '\0');
		fixture_link_close(&l);
	}
	tls_drop(&tls);
}

TEST(commands_sent_before_the_handshake_are_never_taken_for_encrypted_ones)
{
	struct fixture_link l = fixture_link();
	struct tls *tls = fixture_tls();
	str line;

	fixture_say(&l, STR("STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n"));
	EXPECT_LINE(l.conn, "STARTTLS");
	fixture_say(&l, STR("RCPT TO:<victim@example.test>\r\n")); /* not read yet */
	conn_write(l.conn, STR("220 go\r\n"));
	conn_start_tls(l.conn, tls);
	assert_int_equal(conn_buffered(l.conn), 0);
	fixture_handshake(&l, "mx.example.test");
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_QUIET);
	assert_string_equal(conn_tls_version(l.conn), "TLS1_3");
	assert_true(strlen(conn_tls_cipher(l.conn)) > 0);
	fixture_say(&l, STR("EHLO again\r\n"));
	EXPECT_LINE(l.conn, "EHLO again");
	tls_drop(&tls);
	fixture_link_close(&l);
}

TEST(tls_is_drained_before_it_is_quiet)
{
	struct fixture_link l = fixture_link();
	struct tls *tls = fixture_tls();
	char *text = many(40000, 'z');
	str line, bytes;
	size_t got = 0;

	conn_start_tls(l.conn, tls);
	fixture_handshake(&l, NULL);
	for (int i = 0; i < 3; i++)
		fixture_say(&l, STR("NOOP\r\n"));
	for (int i = 0; i < 3; i++)
		EXPECT_LINE(l.conn, "NOOP");
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_QUIET);
	conn_rest(l.conn);
	fixture_say(&l, (str){ text, 40000 });
	while (conn_bytes(l.conn, &bytes) == CONN_OK) {
		got += bytes.len;
		conn_eat(l.conn, bytes.len);
	}
	assert_int_equal(got, 40000);
	fixture_say(&l, STR("x"));
	assert_true(conn_spoke(l.conn));
	free(text);
	tls_drop(&tls);
	fixture_link_close(&l);
}

TEST(a_tls_peer_that_does_not_read_gets_all_of_it_later)
{
	struct fixture_link l = fixture_link();
	struct tls *tls = fixture_tls();
	char *text = many(50000, 'y'), *heard = many(50000, 0);
	size_t sent = 0, got = 0, n;

	conn_start_tls(l.conn, tls);
	fixture_handshake(&l, NULL);
	while (conn_flush(l.conn) == CONN_OK) {
		conn_write(l.conn, (str){ text, 50000 });
		sent += 50000;
	}
	conn_write(l.conn, STR("more after a write that did not go through"));
	sent += strlen("more after a write that did not go through");
	conn_close_later(l.conn);
	do {
		while ((n = fixture_hear(&l, heard, 50000)) > 0)
			got += n;
	} while (conn_flush(l.conn) == CONN_FULL);
	while ((n = fixture_hear(&l, heard, 50000)) > 0)
		got += n;
	assert_int_equal(got, sent);
	assert_int_equal(SSL_get_shutdown(l.ssl), SSL_RECEIVED_SHUTDOWN);
	free(text);
	free(heard);
	tls_drop(&tls);
	fixture_link_close(&l);
}

TEST(half_a_handshake_waits_and_garbage_ends_it)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	struct tls *tls = fixture_tls();
	struct fixture_link l = fixture_link();

	conn_start_tls(l.conn, tls);
	assert_int_equal(conn_handshake(l.conn), CONN_QUIET);
	fixture_say(&l, (str){ hello, sizeof(hello) - 1 });
	assert_int_equal(conn_handshake(l.conn), CONN_QUIET);
	assert_int_equal(conn_want(l.conn), PARK_READ);
	(void)shutdown(l.fd, SHUT_WR);
	assert_int_equal(conn_handshake(l.conn), CONN_CLOSED);
	fixture_link_close(&l);

	l = fixture_link();
	conn_start_tls(l.conn, tls);
	fixture_say(&l, STR("EHLO not.a.handshake\r\n"));
	assert_int_equal(conn_handshake(l.conn), CONN_CLOSED);
	assert_true(str_starts(str_of(conn_why(l.conn)), STR("TLS handshake: ")));
	assert_false(conn_is_tls(l.conn));
	fixture_link_close(&l);
	tls_drop(&tls);
}

/* The clients of the next test, in a process of their own: their memory is not
 * what is counted. */
static void
be_clients(const int *fds, int n)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char some[256];

	for (int i = 0; i < n; i++) {
		SSL *ssl = SSL_new(ctx);

		SSL_set_fd(ssl, fds[i]);
		if (SSL_connect(ssl) != 1 || SSL_write(ssl, "NOOP\r\n", 6) != 6)
			_exit(1);
	}
	while (read(fds[0], some, sizeof(some)) > 0)
		continue; /* until our end is closed */
	_exit(0);
}

enum { RESTING = 100 };

TEST(a_resting_tls_connection_costs_at_most_20_kilobytes)
{
	struct tls *tls = fixture_tls();
	struct conn *conns[RESTING];
	int theirs[RESTING], ours[RESTING], fds[2], status;
	str line;

	for (int i = 0; i < RESTING; i++) {
		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		theirs[i] = fds[0];
		ours[i] = fds[1];
	}
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < RESTING; i++)
			(void)close(ours[i]);
		be_clients(theirs, RESTING);
	}
	size_t before = 0;
	for (int i = 0; i < RESTING; i++) {
		(void)close(theirs[i]);
		if (i == 1) /* the first one makes OpenSSL's own tables */
			before = mallinfo2().uordblks;
		conns[i] = conn_new(ours[i]);
		conn_start_tls(conns[i], tls);
		while (conn_handshake(conns[i]) == CONN_QUIET)
			continue;
		while (conn_line(conns[i], 1000, &line) == CONN_QUIET)
			continue;
		conn_write(conns[i], STR("250 ok\r\n"));
		assert_int_equal(conn_line(conns[i], 1000, &line), CONN_QUIET);
		conn_rest(conns[i]);
	}
	size_t each = (mallinfo2().uordblks - before) / (RESTING - 1);
	print_message("%zu bytes each\n", each);
	assert_true(each <= 20 * 1024);
	for (int i = RESTING - 1; i >= 0; i--)
		conn_free(&conns[i]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	tls_drop(&tls);
}

static void
say_secret(struct fixture_link *l, const struct secret *s, const char *after)
{
	char line[200] = "a LOGIN anna@x.test ";
	size_t n = strlen(line), m = strlen(after);

	secret_show(s, line + n);
	memcpy(line + n + s->len, after, m);
	fixture_say(l, (str){ line, n + s->len + m });
	secret_wiped(line, sizeof(line));
}

TEST(a_secret_is_wiped_where_the_input_is_given_back_moved_or_grows)
{
	struct fixture_link l = fixture_link();
	struct secret s = secret_new();
	char *much = many(9000, 'x');
	str line;

	conn_secret(l.conn, true);
	say_secret(&l, &s, "\r\n");
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_OK);
	assert_true(secret_in_memory(&s));
	conn_rest(l.conn);
	assert_false(secret_in_memory(&s));
	/* something is behind it when the session parks */
	say_secret(&l, &s, "\r\nhalf");
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_OK);
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_QUIET);
	conn_rest(l.conn);
	assert_false(secret_in_memory(&s));
	fixture_say(&l, STR(" a line\r\n"));
	EXPECT_LINE(l.conn, "half a line");
	/* it grows with the secret in it */
	say_secret(&l, &s, "");
	assert_int_equal(conn_line(l.conn, 20000, &line), CONN_QUIET);
	fixture_say(&l, (str){ much, 9000 });
	fixture_say(&l, STR("\r\nb"));
	assert_int_equal(conn_line(l.conn, 20000, &line), CONN_OK);
	conn_secret(l.conn, false);
	assert_false(secret_in_memory(&s));
	free(much);
	fixture_link_close(&l);
}

TEST(a_secret_under_tls_is_wiped_in_openssl_too)
{
	struct fixture_link l = fixture_link();
	struct tls *tls = fixture_tls();
	struct secret s = secret_new();
	str line;

	conn_secret(l.conn, true);
	conn_start_tls(l.conn, tls);
	fixture_handshake(&l, NULL);
	say_secret(&l, &s, "\r\n");
	SSL_free(l.ssl); /* the client has its copies too */
	l.ssl = NULL;
	assert_int_equal(conn_line(l.conn, 1000, &line), CONN_OK);
	conn_secret(l.conn, false);
	assert_false(secret_in_memory(&s));
	tls_drop(&tls);
	fixture_link_close(&l);
}
