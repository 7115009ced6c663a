/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/web_int.h"

static web_phase phase_body, phase_work, phase_errand, phase_linger;

enum web_step
web_wait(struct web_session *s, unsigned want, uint64_t until_ms)
{
	s->want = want;
	s->until_ms = until_ms;
	return WEB_PARK;
}

static enum web_step
gone(struct web_session *s)
{
	s->why = conn_why(s->io->conn);
	return WEB_CLOSE;
}

/* What was of one request goes before the next. */
static void
forget(struct web_session *s)
{
	buf_free(&s->body);
	buf_free(&s->head);
	buf_free(&s->answer.page);
	arena_free(&s->mem);
	s->q = NULL;
	s->route = NULL;
	s->head_bytes = s->sent = 0;
	s->left = 0;
	s->unread = s->full = false;
	s->cookie[0] = '\0';
	s->part = s->chosen = STR("");
	s->answer = (struct web_answer){ .page = BUF(WEB_PAGE) };
	s->body = BUF(WEB_FORM);
	s->head = BUF(HTTP_HEAD_MOST);
	s->chunks = (struct http_chunks){ 0 };
}

/* ---- the answer ---- */

static enum web_step
answer(struct web_session *s)
{
	s->late = false; /* that was the request's */
	if (s->draining || ++s->requests >= WEB_REQUESTS || !s->q->keep)
		s->closing = true;
	web_put_head(s, &s->head);
	if (!buf_ok(&s->head))
		abort();
	s->limit_ms = clock_ms() + WEB_SEND_MS;
	s->phase = web_phase_send;
	return WEB_GO;
}

/* What is not understood, or not waited for, ends the connection (RFC 9112 9.6). */
static enum web_step
refuse(struct web_session *s, unsigned status)
{
	s->closing = s->unread = true;
	web_pick_language(s);
	web_error(s, status, STR(""));
	return answer(s);
}

static str
unsent(const struct web_session *s)
{
	if (s->sent < s->head.len)
		return str_skip(buf_str(&s->head), s->sent);
	if (s->q->method == HTTP_HEAD)
		return STR("");
	return str_skip(s->answer.body, s->sent - s->head.len);
}

static enum web_step
answered(struct web_session *s)
{
	if (!s->closing) {
		forget(s);
		s->limit_ms = clock_ms() + WEB_IDLE_MS;
		s->phase = web_phase_head;
		return WEB_GO;
	}
	conn_close_later(s->io->conn);
	s->limit_ms = clock_ms() + (s->unread ? WEB_LINGER_MS : WEB_STALL_MS);
	s->left = WEB_LINGER;
	s->phase = phase_linger;
	return WEB_GO;
}

/* A piece where there is room for one; a peer that does not read costs no thread. */
enum web_step
web_phase_send(struct web_session *s)
{
	uint64_t now = clock_ms(), stall = now + WEB_STALL_MS;
	str rest = unsent(s);

	if (s->late) {
		s->why = "too slow in reading";
		return WEB_CLOSE;
	}
	if (rest.len == 0)
		return answered(s);
	if (conn_room(s->io->conn) < 2 * WEB_PIECE) {
		if (conn_flush(s->io->conn) == CONN_CLOSED)
			return gone(s);
		if (conn_room(s->io->conn) < 2 * WEB_PIECE)
			return web_wait(
				s, PARK_WRITE, stall < s->limit_ms ? stall : s->limit_ms);
	}
	rest = str_first(rest, WEB_PIECE);
	conn_write(s->io->conn, rest);
	s->sent += rest.len;
	return WEB_GO;
}

/* A close with bytes unread would make the peer's kernel throw our answer away: what is on its
 * way is read, for a moment (RFC 9112 9.6). */
static enum web_step
phase_linger(struct web_session *s)
{
	enum conn_got got = CONN_OK;
	str bytes;

	if (s->late)
		return WEB_CLOSE;
	if (conn_flush(s->io->conn) == CONN_FULL)
		return web_wait(s, PARK_WRITE, s->limit_ms);
	if (!s->unread)
		return WEB_CLOSE;
	while (s->left > 0 && (got = conn_bytes(s->io->conn, &bytes)) == CONN_OK) {
		size_t n = str_first(bytes, (size_t)s->left).len;

		conn_eat(s->io->conn, n);
		s->left -= n;
		if (++s->turn > WEB_TURN)
			return web_wait(s, PARK_READ, s->limit_ms);
	}
	if (s->left == 0 || got == CONN_CLOSED)
		return WEB_CLOSE;
	return web_wait(s, PARK_READ, s->limit_ms);
}

/* ---- the work ---- */

static void
work(void *arg)
{
	struct web_session *s = arg;

	(s->q->method == HTTP_POST ? s->route->post : s->route->get)(s);
}

static enum web_step
phase_errand(struct web_session *s)
{
	/* it ends by itself, and nobody else is served by this session meanwhile */
	s->late = false;
	if (!errand_done(&s->errand))
		return web_wait(s, PARK_NOTHING, clock_ms() + WEB_IDLE_MS);
	return answer(s);
}

static enum web_step
phase_work(struct web_session *s)
{
	if (!s->route->waits) {
		work(s);
		return answer(s);
	}
	if (!errand_start(&s->errand, s->house->errands, s->io, work, s)) {
		web_error(s, 503, STR(""));
		return answer(s);
	}
	s->phase = phase_errand;
	return WEB_GO;
}

/* ---- the body ---- */

static enum rc
take_body(struct web_session *s, str bytes, size_t *eaten)
{
	if (s->q->chunked)
		return http_chunks_read(&s->chunks, bytes, eaten, &s->body);
	bytes = str_first(bytes, (size_t)s->left);
	buf_add(&s->body, bytes);
	s->left -= bytes.len;
	*eaten = bytes.len;
	return s->left == 0 ? RC_NONE : RC_OK;
}

static enum web_step
phase_body(struct web_session *s)
{
	size_t eaten = 0;
	str bytes;
	enum rc rc;

	if (s->late)
		return refuse(s, 408);
	if (++s->turn > WEB_TURN)
		return web_wait(s, PARK_READ, s->limit_ms);
	switch (conn_bytes(s->io->conn, &bytes)) {
	case CONN_OK:
		break;
	case CONN_QUIET:
	case CONN_FULL:
		return web_wait(s, conn_want(s->io->conn), s->limit_ms);
	case CONN_LONG:
	case CONN_CLOSED:
		return gone(s);
	}
	rc = take_body(s, bytes, &eaten);
	conn_eat(s->io->conn, eaten);
	if (rc == RC_NONE) {
		s->unread = false;
		s->phase = phase_work;
	} else if (rc != RC_OK) {
		return refuse(s, rc == RC_LIMIT ? 413 : 400);
	}
	return WEB_GO;
}

/* The media type, parameters aside (RFC 9110 8.3.1). */
static bool
is_form(const struct http_request *q)
{
	str type = http_get(q, STR("Content-Type")), head = STR("");

	return str_cut(&type, ';', &head) &&
	       str_ieq(str_trim(head), STR("application/x-www-form-urlencoded"));
}

/* The head has been read. */
static enum web_step
take_request(struct web_session *s)
{
	unsigned status;

	s->left = s->q->length;
	s->unread = s->q->chunked || s->left > 0;
	web_pick_language(s);
	status = web_route(s);
	if (status == 0 && s->left > WEB_FORM)
		status = 413;
	if (status == 0 && s->unread && !is_form(s->q))
		status = 415;
	if (status != 0 && s->unread)
		return refuse(s, status);
	if (status != 0) {
		web_error(s, status, STR(""));
		return answer(s);
	}
	s->phase = s->unread ? phase_body : phase_work;
	s->limit_ms = clock_ms() + WEB_BODY_MS;
	if (s->q->expects)
		conn_write(s->io->conn, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	return WEB_GO;
}

/* ---- the head ---- */

static void
begin(struct web_session *s)
{
	if (s->mem != NULL)
		return;
	s->mem = arena_new(WEB_MEM);
	s->q = arena_new_of(s->mem, struct http_request);
	if (s->q == NULL)
		abort();
	s->q->mem = s->mem;
	s->limit_ms = clock_ms() + WEB_HEAD_MS;
}

static enum web_step
take_line(struct web_session *s, str line)
{
	bool first = s->head_bytes == 0;
	unsigned status;

	begin(s);
	s->head_bytes += line.len + 2;
	if (s->head_bytes > HTTP_HEAD_MOST || arena_copy(s->mem, line, &line) != RC_OK)
		return refuse(s, 431);
	if (line.len == 0 && !first) {
		status = http_end(s->q);
		return status == 0 ? take_request(s) : refuse(s, status);
	}
	status = first ? http_begin(s->q, line) : http_field(s->q, line);
	return status == 0 ? WEB_GO : refuse(s, status);
}

/* A line that ends in a bare LF will never end for us (RFC 9112 2.2 would let it). */
static bool
ends_in_lf(struct conn *c)
{
	str bytes;

	return conn_buffered(c) > 0 && conn_bytes(c, &bytes) == CONN_OK &&
	       memchr(bytes.ptr, '\n', bytes.len) != NULL;
}

static enum web_step
incomplete(struct web_session *s)
{
	if (conn_buffered(s->io->conn) > 0)
		begin(s);
	if (ends_in_lf(s->io->conn)) {
		s->closing = true;
		return refuse(s, 400);
	}
	return web_wait(s, conn_want(s->io->conn), s->limit_ms);
}

enum web_step
web_phase_head(struct web_session *s)
{
	str line;

	if (s->mem == NULL && (s->late || s->draining)) {
		s->why = s->late ? "silence" : "going down";
		return WEB_CLOSE;
	}
	if (s->late)
		return refuse(s, 408);
	if (++s->turn > WEB_TURN)
		return web_wait(s, PARK_READ, s->limit_ms);
	switch (conn_line(s->io->conn, HTTP_LINE_MOST, &line)) {
	case CONN_OK:
		return take_line(s, line);
	case CONN_LONG:
		begin(s);
		return refuse(s, s->head_bytes == 0 ? 414 : 431);
	case CONN_QUIET:
		return incomplete(s);
	case CONN_FULL:
		return web_wait(s, conn_want(s->io->conn), s->limit_ms);
	case CONN_CLOSED:
		break;
	}
	return gone(s);
}

/* ---- the kind ---- */

static struct web_session *
open_session(struct session_io *io, void *arg, const struct web_route *routes)
{
	struct web_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->io = io;
	s->house = arg;
	s->conf = io->conf;
	s->routes = routes;
	s->phase = web_phase_head;
	forget(s);
	s->limit_ms = clock_ms() + WEB_HEAD_MS;
	return s;
}

static void *
open_https(struct session_io *io, void *arg)
{
	return open_session(io, arg, web_routes);
}

static void *
open_http(struct session_io *io, void *arg)
{
	struct web_session *s = open_session(io, arg, web_plain_routes);

	s->plain = true;
	return s;
}

static void
close_session(void *session)
{
	struct web_session *s = session;
	char client[IP_TEXT];

	errand_wait(&s->errand);
	ip_text(&s->io->peer, client);
	log_debug("msg=\"end\" door=%s client=%s requests=%u why=\"%s\"",
		s->plain ? "http" : "https", client, s->requests,
		s->why == NULL ? "" : s->why);
	forget(s);
	free(s);
}

static enum session_next
run_session(void *session, enum park_why why, struct session_wait *wait)
{
	struct web_session *s = session;
	enum web_step step;

	s->late = why == PARK_LATE;
	s->draining = s->draining || why == PARK_SHAKEN;
	s->turn = 0;
	do
		step = s->phase(s);
	while (step == WEB_GO);
	if (step == WEB_CLOSE)
		return SESSION_CLOSE;
	*wait = (struct session_wait){ .want = s->want, .until_ms = s->until_ms };
	return SESSION_PARK;
}

const struct session_kind https_kind = {
	.name = "https",
	.busy = "",
	.tls_at_once = true,
	.open = open_https,
	.run = run_session,
	.close = close_session,
};

const struct session_kind http_kind = {
	.name = "http",
	.busy = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	.open = open_http,
	.run = run_session,
	.close = close_session,
};
