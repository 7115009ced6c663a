/* SPDX-License-Identifier: ISC */
#include "net/session.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "net/tls.h"
#include "test/client.h"
#include "test/test.h"

#define TALK(c, ...) client_talk((c), (const char *const[]){ __VA_ARGS__, NULL })

/* ---- a small protocol: words, and what the skeleton does for them ---- */

struct small {
	struct session base;
	size_t left; /* of a long answer */
	struct buf out;
	bool hasty; /* has little patience */
};

static atomic_int ended;
static atomic_uint_least64_t waiting; /* the number of the session that pauses */

static session_phase phase_words;

static enum session_step
phase_long(void *session)
{
	struct small *s = session;
	static char piece[10000];
	enum session_step step;

	if (s->base.late)
		return session_last_words(&s->base, "does not read", 1);
	step = session_room(&s->base, sizeof(piece));
	if (step != STEP_GO)
		return step;
	if (session_had_turn(&s->base, 4))
		return session_wait_for(&s->base, PARK_WRITE);
	memset(piece, 'x', sizeof(piece));
	conn_write(s->base.io->conn, (str){ piece, sizeof(piece) });
	if (--s->left == 0) {
		conn_write(s->base.io->conn, STR("\r\n"));
		s->base.phase = phase_words;
	}
	return STEP_GO;
}

static enum session_step
phase_poured(void *session)
{
	struct small *s = session;
	enum session_step step;

	if (s->base.late)
		return STEP_CLOSE;
	step = session_pour(&s->base, &s->out);
	if (step == STEP_GO)
		s->base.phase = phase_words;
	return step;
}

static enum session_step
phase_paused(void *session)
{
	struct small *s = session;

	if (s->base.late)
		abort(); /* nobody is: it was us */
	if (atomic_load(&waiting) != 0)
		return session_pause(&s->base, clock_ms() + 1);
	conn_write(s->base.io->conn, STR("woken\r\n"));
	s->base.phase = phase_words;
	return STEP_GO;
}

static enum session_step
phase_secured(void *session)
{
	struct small *s = session;

	conn_write(s->base.io->conn, STR("secured\r\n"));
	s->base.phase = phase_words;
	return STEP_GO;
}

static enum session_step
word(struct small *s, str line)
{
	struct conn *c = s->base.io->conn;

	if (str_eq(line, STR("tls"))) {
		conn_write(c, STR("go\r\n"));
		return session_starttls(&s->base, phase_secured);
	}
	if (str_eq(line, STR("long"))) {
		s->left = 400;
		s->base.phase = phase_long;
	} else if (str_eq(line, STR("pour"))) {
		s->out = BUF(4000002);
		for (size_t i = 0; i < 4000000; i++)
			buf_addc(&s->out, 'y');
		buf_addz(&s->out, "\r\n");
		s->base.phase = phase_poured;
	} else if (str_eq(line, STR("pause"))) {
		atomic_store(&waiting, s->base.io->number);
		s->base.phase = phase_paused;
	} else if (str_eq(line, STR("hurry"))) {
		session_patience(&s->base, 1);
	} else if (str_eq(line, STR("bye"))) {
		conn_write(c, STR("see you\r\n"));
		return session_last_words(&s->base, "bye", 10000);
	} else {
		conn_write(c, line);
		conn_write(c, STR("\r\n"));
	}
	return STEP_GO;
}

static enum session_step
phase_words(void *session)
{
	struct small *s = session;
	enum session_step step;
	bool long_line;
	str line;

	if (s->base.late || s->base.draining) {
		conn_write(s->base.io->conn,
			s->base.late ? STR("late\r\n") : STR("going\r\n"));
		return STEP_CLOSE;
	}
	if (session_had_turn(&s->base, SESSION_TURN))
		return session_wait_for(&s->base, PARK_READ);
	step = session_line(&s->base, 100, &line, &long_line);
	if (step != STEP_GO)
		return step;
	return word(s, long_line ? STR("too long") : line);
}

static void *
open_small(struct session_io *io, void *arg)
{
	struct small *s = session_new(io, sizeof(*s), phase_words, 60000);

	(void)arg;
	return s;
}

static void
close_small(void *session)
{
	struct small *s = session;

	buf_free(&s->out);
	session_free(&s->base, false, STR(""));
	atomic_fetch_add(&ended, 1);
}

static const struct session_kind small_kind = {
	.name = "small",
	.busy = "busy\r\n",
	.open = open_small,
	.run = session_run,
	.close = close_small,
};

struct place {
	const struct conf *conf;
	struct service *service;
	unsigned port;
};

static struct place
open_place(void)
{
	const struct session_kind *kind = &small_kind;
	struct tls *tls = client_tls_of("mx.x.test");
	struct place p;
	void *arg = NULL;

	log_least(LOG_ERROR_);
	assert_int_equal(
		conf_parse(STR("hostname = mx.x.test\n"), "test", &p.conf, NULL), RC_OK);
	assert_int_equal(service_new(p.conf, tls, 2, &p.service, NULL), RC_OK);
	tls_drop(&tls);
	int fd = client_listen(&p.port);
	service_listen(p.service, 1, &fd, &kind, &arg);
	return p;
}

static void
close_place(struct place *p)
{
	assert_true(service_drain(p->service, clock_ms() + 20000));
	service_free(&p->service);
	conf_drop(&p->conf);
}

TEST(words_come_and_go_however_many_at_once)
{
	struct place p = open_place();
	struct client c = client_connect(p.port);

	TALK(&c, "C: one", "S: one", "C> tw", "C: o", "S: two");
	for (int i = 0; i < 1000; i++)
		client_send(&c, STR("again\r\n"));
	for (int i = 0; i < 1000; i++)
		TALK(&c, "S: again");
	TALK(&c, "C: bye", "S: see you", "S: (the end)");
	client_close(&c);
	close_place(&p);
}

TEST(a_line_that_is_too_long_is_told_so)
{
	static char many[200];
	struct place p = open_place();
	struct client c = client_connect(p.port);

	memset(many, 'z', sizeof(many));
	client_send(&c, (str){ many, sizeof(many) });
	TALK(&c, "C: ", "S: too long", "C: one", "S: one");
	client_close(&c);
	close_place(&p);
}

TEST(a_long_answer_waits_for_who_reads_it_slowly)
{
	struct place p = open_place();
	struct client c = client_connect(p.port);

	TALK(&c, "C: long", "C: pour", "C: after");
	assert_int_equal(client_line(&c).len, 4000000);
	assert_int_equal(client_line(&c).len, 4000000);
	TALK(&c, "S: after");
	client_close(&c);
	close_place(&p);
}

TEST(who_is_silent_or_does_not_read_is_late_and_who_waits_for_us_is_not)
{
	struct place p = open_place();
	struct client a = client_connect(p.port), b = client_connect(p.port), c;
	uint64_t number;

	TALK(&a, "C: hurry", "S: late", "S: (the end)");
	TALK(&b, "C: hurry", "C: pause");
	while ((number = atomic_load(&waiting)) == 0)
		continue;
	atomic_store(&waiting, 0);
	service_wake(p.service, number);
	TALK(&b, "S: woken", "S: late", "S: (the end)");
	c = client_connect(p.port);
	int before = atomic_load(&ended);
	client_send(&c, STR("hurry\r\nlong\r\n"));
	while (atomic_load(&ended) == before)
		continue;
	client_close(&a);
	client_close(&b);
	client_close(&c);
	close_place(&p);
}

TEST(nothing_said_in_clear_is_heard_under_tls)
{
	struct place p = open_place();
	struct client c = client_connect(p.port);

	TALK(&c, "C> tls\r\ninjected\r\n", "S: go");
	client_tls(&c);
	TALK(&c, "S: secured", "C: one", "S: one", "C: bye", "S: see you",
		"S: (the end)");
	client_close(&c);
	close_place(&p);
}

TEST(who_is_there_when_the_service_ends_is_told)
{
	struct place p = open_place();
	struct client c = client_connect(p.port);

	TALK(&c, "C: one", "S: one");
	assert_true(service_drain(p.service, clock_ms() + 20000));
	TALK(&c, "S: going", "S: (the end)");
	client_close(&c);
	close_place(&p);
}
