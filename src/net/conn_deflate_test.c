/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <zlib.h>

#include "net/net_fixture.h"
#include "net/net_int.h"
#include "test/test.h"

struct peer {
	z_stream in, out;
};

static void
peer_begin(struct peer *p)
{
	*p = (struct peer){ 0 };
	assert_int_equal(inflateInit2(&p->in, -15), Z_OK);
	assert_int_equal(
		deflateInit2(&p->out, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

static void
peer_end(struct peer *p)
{
	(void)inflateEnd(&p->in);
	(void)deflateEnd(&p->out);
}

/* malloc'd */
static char *
packed(struct peer *p, const char *text, size_t len, size_t *n)
{
	size_t room = len + 1000;
	char *out = malloc(room), *copy = malloc(len + 1);

	memcpy(copy, text, len);
	p->out.next_in = (Bytef *)copy;
	p->out.avail_in = (uInt)len;
	p->out.next_out = (Bytef *)out;
	p->out.avail_out = (uInt)room;
	assert_int_equal(deflate(&p->out, Z_SYNC_FLUSH), Z_OK);
	*n = room - p->out.avail_out;
	free(copy);
	return out;
}

TEST(a_compressed_client_is_understood_and_answered)
{
	struct fixture_link l = fixture_link();
	struct peer p;
	char wire[4096], plain[4096];
	size_t n;
	str line;

	peer_begin(&p);
	conn_write(l.conn, STR("OK compressed\r\n"));
	assert_true(conn_start_deflate(l.conn));
	assert_false(conn_start_deflate(l.conn));
	char *bytes = packed(&p, "a noop\r\nb noop\r\n", 16, &n);
	fixture_say(&l, (str){ bytes, 3 });
	assert_int_equal(conn_line(l.conn, 100, &line), CONN_QUIET);
	fixture_say(&l, (str){ bytes + 3, n - 3 });
	assert_int_equal(conn_line(l.conn, 100, &line), CONN_OK);
	assert_true(str_eq(line, STR("a noop")));
	assert_int_equal(conn_line(l.conn, 100, &line), CONN_OK);
	assert_true(str_eq(line, STR("b noop")));
	for (int i = 0; i < 20; i++)
		conn_write(l.conn, STR("* 1 FETCH (FLAGS (\\Seen))\r\n"));
	assert_int_equal(conn_flush(l.conn), CONN_OK);
	n = fixture_hear(&l, wire, sizeof(wire));
	assert_memory_equal(wire, "OK compressed\r\n", 15); /* what was written before */
	assert_true(n < 15 + 27 * 20 / 2);
	p.in.next_in = (Bytef *)wire + 15;
	p.in.avail_in = (uInt)n - 15;
	p.in.next_out = (Bytef *)plain;
	p.in.avail_out = sizeof(plain);
	assert_int_equal(inflate(&p.in, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(sizeof(plain) - p.in.avail_out, 27 * 20);
	free(bytes);
	peer_end(&p);
	fixture_link_close(&l);
}

/* 10 MB of blanks in 10 KB: memory stays that of the input buffer. */
TEST(a_bomb_costs_no_more_than_the_buffer)
{
	struct fixture_link l = fixture_link();
	struct peer p;
	size_t n, size = 10 * 1024 * 1024, got = 0, sent = 0;
	char *text = malloc(size);
	str some;

	peer_begin(&p);
	memset(text, ' ', size);
	char *bytes = packed(&p, text, size, &n);
	assert_true(n < 64 * 1024);
	assert_true(conn_start_deflate(l.conn));
	while (got < size) {
		enum conn_got how = conn_bytes(l.conn, &some);

		assert_true(l.conn->cap <= 64 * 1024);
		if (how == CONN_OK) {
			got += some.len;
			conn_eat(l.conn, some.len);
			continue;
		}
		assert_int_equal(how, CONN_QUIET);
		assert_true(sent < n);
		size_t part = n - sent < 1000 ? n - sent : 1000;
		fixture_say(&l, (str){ bytes + sent, part });
		sent += part;
	}
	assert_int_equal(got, size);
	assert_false(conn_deflate_unread(l.conn) && sent < n);
	free(bytes);
	free(text);
	peer_end(&p);
	fixture_link_close(&l);
}

TEST(who_does_not_compress_is_let_go)
{
	struct fixture_link l = fixture_link();
	str line;

	assert_true(conn_start_deflate(l.conn));
	fixture_say(&l, STR("a NOOP\r\nb NOOP\r\nnot compressed at all\r\n"));
	assert_int_equal(conn_line(l.conn, 100, &line), CONN_CLOSED);
	fixture_link_close(&l);
}
