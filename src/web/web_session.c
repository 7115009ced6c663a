/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "web/web_int.h"

static session_phase phase_head, phase_body, phase_work, phase_errand, phase_send,
	phase_linger;

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

static enum session_step
answer(struct web_session *s)
{
	s->base.late = false; /* that was the request's */
	if (s->base.draining || ++s->requests >= WEB_REQUESTS || !s->q->keep)
		s->closing = true;
	web_put_head(s, &s->head);
	if (!buf_ok(&s->head))
		abort();
	s->send_by_ms = clock_ms() + WEB_SEND_MS;
	s->base.phase = phase_send;
	return STEP_GO;
}

/* What is not understood, or not waited for, ends the connection (RFC 9112 9.6). */
static enum session_step
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

static enum session_step
answered(struct web_session *s)
{
	if (s->closing && !s->unread)
		return session_last_words(&s->base, "answered", WEB_STALL_MS);
	if (s->closing) {
		conn_close_later(s->base.io->conn);
		session_patience(&s->base, WEB_LINGER_MS);
		s->left = WEB_LINGER;
		s->base.phase = phase_linger;
		return STEP_GO;
	}
	forget(s);
	session_patience(&s->base, WEB_IDLE_MS);
	s->base.phase = phase_head;
	return STEP_GO;
}

/* A piece where there is room for one; a peer that does not read costs no thread. */
static enum session_step
phase_send(void *session)
{
	struct web_session *s = session;
	enum session_step step;
	str rest = unsent(s);

	if (s->base.late) {
		s->base.why = "too slow in reading";
		return STEP_CLOSE;
	}
	if (rest.len == 0)
		return answered(s);
	session_patience(&s->base, WEB_STALL_MS);
	if (s->base.until_ms > s->send_by_ms)
		s->base.until_ms = s->send_by_ms;
	step = session_room(&s->base, WEB_PIECE);
	if (step != STEP_GO)
		return step;
	rest = str_first(rest, WEB_PIECE);
	conn_write(s->base.io->conn, rest);
	s->sent += rest.len;
	return STEP_GO;
}

/* A close with bytes unread would make the peer's kernel throw our answer away: what is on its
 * way is read, for a moment (RFC 9112 9.6). */
static enum session_step
phase_linger(void *session)
{
	struct web_session *s = session;
	enum session_step step;
	str bytes;

	s->base.why = "refused";
	if (s->base.late || s->left == 0)
		return STEP_CLOSE;
	if (session_had_turn(&s->base, WEB_TURN))
		return session_wait_for(&s->base, PARK_READ);
	step = session_bytes(&s->base, &bytes);
	if (step != STEP_GO)
		return step;
	bytes = str_first(bytes, (size_t)s->left);
	conn_eat(s->base.io->conn, bytes.len);
	s->left -= bytes.len;
	return STEP_GO;
}

/* ---- the work ---- */

static void
work(void *arg)
{
	struct web_session *s = arg;

	(s->q->method == HTTP_POST ? s->route->post : s->route->get)(s);
}

/* It ends by itself, within deadlines of its own. */
static enum session_step
phase_errand(void *session)
{
	struct web_session *s = session;

	if (!errand_done(&s->errand))
		return session_await(&s->base, clock_ms());
	return answer(s);
}

static enum session_step
phase_work(void *session)
{
	struct web_session *s = session;

	if (!s->route->waits) {
		work(s);
		return answer(s);
	}
	if (!errand_start(&s->errand, s->house->errands, s->base.io, work, s)) {
		web_error(s, 503, STR(""));
		return answer(s);
	}
	s->base.phase = phase_errand;
	return STEP_GO;
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

static enum session_step
phase_body(void *session)
{
	struct web_session *s = session;
	enum session_step step;
	size_t eaten = 0;
	str bytes;

	if (s->base.late)
		return refuse(s, 408);
	if (session_had_turn(&s->base, WEB_TURN))
		return session_wait_for(&s->base, PARK_READ);
	step = session_bytes(&s->base, &bytes);
	if (step != STEP_GO)
		return step;
	enum rc rc = take_body(s, bytes, &eaten);
	conn_eat(s->base.io->conn, eaten);
	if (rc != RC_OK && rc != RC_NONE)
		return refuse(s, rc == RC_LIMIT ? 413 : 400);
	if (rc == RC_NONE) {
		s->unread = false;
		s->base.phase = phase_work;
	}
	return STEP_GO;
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
static enum session_step
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
	s->base.phase = s->unread ? phase_body : phase_work;
	session_patience(&s->base, WEB_BODY_MS);
	if (s->q->expects)
		conn_write(s->base.io->conn, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	return STEP_GO;
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
	session_patience(&s->base, WEB_HEAD_MS);
}

static enum session_step
take_line(struct web_session *s, str line)
{
	bool first = s->head_bytes == 0;
	unsigned status;

	s->head_bytes += line.len + 2;
	if (s->head_bytes > HTTP_HEAD_MOST || arena_copy(s->mem, line, &line) != RC_OK)
		return refuse(s, 431);
	if (line.len == 0 && !first) {
		status = http_end(s->q);
		return status == 0 ? take_request(s) : refuse(s, status);
	}
	status = first ? http_begin(s->q, line) : http_field(s->q, line);
	return status == 0 ? STEP_GO : refuse(s, status);
}

/* Part of a line, or nothing.  One that ends in a bare LF would never end for us (RFC 9112 2.2
 * would let it). */
static enum session_step
incomplete(struct web_session *s)
{
	struct conn *c = s->base.io->conn;
	str bytes;

	if (conn_buffered(c) == 0)
		return STEP_PARK;
	begin(s);
	if (conn_bytes(c, &bytes) == CONN_OK && bytes.len > 0 &&
		str_find(bytes, STR("\r\n")) == bytes.len &&
		memchr(bytes.ptr, '\n', bytes.len) != NULL)
		return refuse(s, 400);
	return session_wait(&s->base);
}

static enum session_step
phase_head(void *session)
{
	struct web_session *s = session;
	enum session_step step;
	bool too_long;
	str line;

	if (s->mem == NULL && (s->base.late || s->base.draining)) {
		s->base.why = s->base.late ? "silence" : "going down";
		return STEP_CLOSE;
	}
	if (s->base.late)
		return refuse(s, 408);
	if (session_had_turn(&s->base, WEB_TURN))
		return session_wait_for(&s->base, PARK_READ);
	step = session_line(&s->base, HTTP_LINE_MOST, &line, &too_long);
	if (step == STEP_PARK)
		return incomplete(s);
	if (step != STEP_GO)
		return step;
	begin(s);
	if (too_long)
		return refuse(s, s->head_bytes == 0 ? 414 : 431);
	return take_line(s, line);
}

/* ---- the kind ---- */

static struct web_session *
open_session(struct session_io *io, void *arg, const struct web_route *routes)
{
	struct web_session *s = session_new(io, sizeof(*s), phase_head, WEB_HEAD_MS);

	s->house = arg;
	s->conf = io->conf;
	s->routes = routes;
	forget(s);
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
	BUF_AUTO about = BUF(40);

	errand_wait(&s->errand);
	buf_addf(&about, " requests=%u", s->requests);
	forget(s);
	session_free(&s->base, false, buf_str(&about));
}

const struct session_kind https_kind = {
	.name = "https",
	.busy = "",
	.tls_at_once = true,
	.open = open_https,
	.run = session_run,
	.close = close_session,
};

const struct session_kind http_kind = {
	.name = "http",
	.busy = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	.open = open_http,
	.run = session_run,
	.close = close_session,
};
