/* SPDX-License-Identifier: ISC */
#include "net/conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_int.h"
#include "net/park.h"

enum {
	OUT_MOST = 256 * 1024,
	OUT_HIGH = 16 * 1024, /* more than this unread: no more of its commands */
	THROW_MOST = 1024 * 1024, /* of one line, before the peer is given up */
};

struct conn *
conn_new(int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	int flags = fcntl(fd, F_GETFL), one = 1;

	if (c == NULL)
		abort();
	if ((flags & O_NONBLOCK) == 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	/* not of a socketpair, which has no such delay */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->fd = fd;
	c->want = PARK_READ;
	c->out = BUF(OUT_MOST);
	return c;
}

/* A close with unread input makes the kernel send RST, which may overtake our
 * last words on their way through the peer's kernel: read a little first. */
static void
close_softly(int fd)
{
	char sink[4096];

	(void)shutdown(fd, SHUT_WR);
	for (int i = 0; i < 16; i++)
		if (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) <= 0)
			break;
	(void)close(fd);
}

void
conn_free(struct conn **cp)
{
	struct conn *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	if (!c->closed && conn_flush(c) == CONN_OK)
		conn_tls_end(c);
	conn_secret(c, false);
	conn_tls_free(c);
	conn_deflate_free(c);
	close_softly(c->fd);
	free(c->in);
	buf_free(&c->out);
	free(c);
}

int
conn_fd(const struct conn *c)
{
	return c->fd;
}

unsigned
conn_want(const struct conn *c)
{
	return c->want;
}

const char *
conn_why(const struct conn *c)
{
	return c->why;
}

uint64_t
conn_received(const struct conn *c)
{
	return c->received;
}

char
conn_long_end(const struct conn *c)
{
	return c->last;
}

size_t
conn_buffered(const struct conn *c)
{
	return c->end - c->at;
}

enum conn_got
conn_broken(struct conn *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->closed) {
		va_start(ap, fmt);
		(void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
		va_end(ap);
	}
	c->closed = true;
	return CONN_CLOSED;
}

bool
conn_unread(const struct conn *c)
{
	if (c->quiet || c->closed || c->shaking_hands)
		return false;
	return c->end > c->at || conn_deflate_unread(c) ||
	       (c->ssl != NULL && SSL_has_pending(c->ssl) == 1);
}

/* ---- writing ---- */

size_t
conn_room(const struct conn *c)
{
	return OUT_MOST - c->out.len;
}

void
conn_write(struct conn *c, str data)
{
	if (c->closed)
		return;
	if (c->z != NULL)
		conn_deflate_write(c, data, false);
	else
		buf_add(&c->out, data);
	if (buf_ok(&c->out))
		return;
	(void)conn_broken(c, "%d bytes written that the peer does not read", OUT_MOST);
	(void)shutdown(c->fd, SHUT_RDWR); /* so that whoever parks it is told */
}

static enum conn_got
send_plain(struct conn *c, str data, size_t *n)
{
	ssize_t sent;

	do
		sent = send(c->fd, data.ptr, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno == EAGAIN) {
		c->want = PARK_WRITE;
		return CONN_QUIET;
	}
	if (sent < 0)
		return conn_broken(c, "sending: %s", strerror(errno));
	*n = (size_t)sent;
	return CONN_OK;
}

/* Before the handshake is over what is written waits: it goes out encrypted. */
enum conn_got
conn_flush(struct conn *c)
{
	size_t n;

	if (c->closed)
		return CONN_CLOSED;
	if (c->ssl != NULL && c->shaking_hands)
		return c->out.len == 0 ? CONN_OK : CONN_FULL;
	if (conn_deflate_dirty(c))
		conn_deflate_write(c, STR(""), true);
	while (c->out.len > 0) {
		enum conn_got got = c->ssl == NULL
					    ? send_plain(c, buf_str(&c->out), &n)
					    : conn_tls_write(c, buf_str(&c->out), &n);

		if (got != CONN_OK)
			return got == CONN_QUIET ? CONN_FULL : got;
		buf_drop(&c->out, n);
	}
	if (c->last_words && !c->said_all) {
		c->said_all = true;
		conn_tls_end(c);
		(void)shutdown(c->fd, SHUT_WR);
	}
	return CONN_OK;
}

void
conn_close_later(struct conn *c)
{
	c->last_words = true;
	(void)conn_flush(c);
}

/* ---- reading ---- */

static enum conn_got
recv_plain(struct conn *c, char *out, size_t size, size_t *n)
{
	ssize_t got;

	do
		got = recv(c->fd, out, size, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN) {
		c->want = PARK_READ;
		return CONN_QUIET;
	}
	if (got < 0)
		return conn_broken(c, "receiving: %s", strerror(errno));
	if (got == 0) {
		(void)conn_flush(c); /* it may still read: printf ... | nc */
		return conn_broken(c, "closed by the peer");
	}
	*n = (size_t)got;
	return CONN_OK;
}

enum conn_got
conn_raw_read(struct conn *c, char *out, size_t size, size_t *n)
{
	return c->ssl == NULL ? recv_plain(c, out, size, n)
			      : conn_tls_read(c, out, size, n);
}

static enum conn_got
receive(struct conn *c)
{
	enum conn_got got;
	size_t n;

	if (c->closed)
		return CONN_CLOSED;
	if (c->shaking_hands)
		return CONN_QUIET;
	conn_make_room(c);
	assert(c->end < c->cap);
	got = c->z == NULL ? conn_raw_read(c, c->in + c->end, c->cap - c->end, &n)
			   : conn_deflate_read(c, c->in + c->end, c->cap - c->end, &n);
	c->quiet = got == CONN_QUIET;
	if (got != CONN_OK)
		return got;
	c->eager = n == c->cap - c->end;
	c->end += n;
	c->received += n;
	return CONN_OK;
}

/* What has been read is used up: more, or the reason why not.  Who is about to
 * wait for the peer owes it nothing. */
static enum conn_got
more(struct conn *c)
{
	enum conn_got got = receive(c), sent;
	unsigned want = c->want;

	if (got == CONN_OK || c->closed)
		return got;
	sent = conn_flush(c);
	if (sent == CONN_OK)
		c->want = want;
	return sent == CONN_OK ? CONN_QUIET : sent;
}

/* Does the peer leave so much unread that it is to read before it says more? */
static bool
stuffed(struct conn *c)
{
	return c->out.len > OUT_HIGH && conn_flush(c) == CONN_FULL &&
	       c->out.len > OUT_HIGH;
}

/* Where the first CRLF begins, from c->at on; SIZE_MAX: not here yet. */
static size_t
line_end(struct conn *c)
{
	const char *start = c->in + c->at;
	size_t n = conn_buffered(c), i = c->scanned;
	const char *lf;

	while (i < n && (lf = memchr(start + i, '\n', n - i)) != NULL) {
		i = (size_t)(lf - start);
		if (i > 0 && start[i - 1] == '\r')
			return i - 1;
		i++;
	}
	c->scanned = n;
	return SIZE_MAX;
}

/* The beginning of a line that is too long already; all but a CR, which may be
 * the first half of its end. */
static void
throw_away(struct conn *c)
{
	size_t cr = conn_buffered(c) > 0 && c->in[c->end - 1] == '\r' ? 1 : 0;
	str all = { c->in + c->at, conn_buffered(c) - cr };

	if (c->thrown == 0)
		memcpy(c->first, all.ptr, str_first(all, sizeof(c->first)).len);
	if (all.len > 0)
		c->last = all.ptr[all.len - 1];
	c->thrown += conn_buffered(c) - cr;
	c->at = c->end - cr;
	c->scanned = 0;
	if (c->thrown > THROW_MOST)
		(void)conn_broken(c, "a line without an end");
}

/* CONN_OK, CONN_LONG, or CONN_QUIET: nothing whole in the buffer. */
static enum conn_got
take_line(struct conn *c, size_t most, str *line)
{
	size_t n = line_end(c);

	if (n == SIZE_MAX) {
		size_t cr = conn_buffered(c) > 0 && c->in[c->end - 1] == '\r' ? 1 : 0;

		if (c->thrown > 0 || conn_buffered(c) - cr > most)
			throw_away(c);
		return CONN_QUIET;
	}
	bool fits = c->thrown == 0 && n <= most;
	str kept = { c->thrown == 0 ? c->in + c->at : c->first,
		c->thrown == 0 ? n : c->thrown };
	if (n > 0)
		c->last = c->in[c->at + n - 1];
	*line = fits ? kept : str_first(kept, sizeof(c->first));
	c->at += n + 2;
	c->scanned = c->thrown = 0;
	return fits ? CONN_OK : CONN_LONG;
}

enum conn_got
conn_line(struct conn *c, size_t most, str *line)
{
	enum conn_got got;

	if (most > CONN_IN_MOST - 2)
		most = CONN_IN_MOST - 2;
	if (stuffed(c))
		return CONN_FULL;
	do {
		if (c->closed)
			return CONN_CLOSED;
		if (c->at < c->end) {
			got = take_line(c, most, line);
			if (got != CONN_QUIET) {
				c->quiet = false;
				return got;
			}
		}
		got = more(c);
	} while (got == CONN_OK);
	return got;
}

bool
conn_bare_lf(const struct conn *c)
{
	size_t n = conn_buffered(c);

	return n > 0 && c->in[c->end - 1] == '\n' &&
	       (n == 1 || c->in[c->end - 2] != '\r');
}

enum conn_got
conn_bytes(struct conn *c, str *bytes)
{
	enum conn_got got;

	if (stuffed(c))
		return CONN_FULL;
	if (c->closed)
		return CONN_CLOSED;
	if (c->at == c->end && (got = more(c)) != CONN_OK)
		return got;
	*bytes = (str){ c->in + c->at, conn_buffered(c) };
	return CONN_OK;
}

void
conn_eat(struct conn *c, size_t n)
{
	assert(n <= conn_buffered(c));
	c->at += n;
	c->scanned = 0;
	c->quiet = false;
}

bool
conn_hung_up(const struct conn *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

	return c->closed || (poll(&p, 1, 0) == 1 &&
				    (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
}

void
conn_ack(struct conn *c)
{
	int one = 1;

	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

bool
conn_spoke(struct conn *c)
{
	char one;

	if (conn_buffered(c) > 0)
		return true;
	if (c->ssl != NULL || c->z != NULL) /* bytes need not be words: look inside */
		return receive(c) == CONN_OK;
	return recv(c->fd, &one, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}
