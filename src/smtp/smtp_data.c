/* SPDX-License-Identifier: ISC */
/*
 * DATA and BDAT: the message goes into its file as it comes, 64 KiB at a time,
 * behind a trace block that is there from the first byte, because scanners that
 * see the whole file must see a mail.  Whatever is wrong with it, it is read to its end, so
 * that client and server agree on where the next command begins.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "smtp/smtp_int.h"
#include "wire/smtp_trace.h"

enum { SPOOL_MODE = 0660, HELD = 64 * 1024, HOLDERS_MOST = 128 };

/* Sessions in the process that hold back HELD bytes of memory. */
static atomic_uint holders;

static const struct smtp_reply go_ahead = { 354, NULL, "end with <CRLF>.<CRLF>" },
			       needs_bdat = { 503, "5.5.1",
				       "BODY=BINARYMIME needs BDAT" }, /* RFC 3030 3 */
	unsynchronized = { 503, "5.5.0",
		"improper pipelining: wait for the reply to DATA", .close = true },
			       no_spool = { 451, "4.3.0",
				       "the message cannot be kept at the moment" },
			       bad_chunk = { 501, "5.5.4",
				       "say BDAT size, or BDAT size LAST",
				       .close = true },
			       no_mail = { 503, "5.5.1", "MAIL and RCPT come first" };

static void
release(struct smtp_spool *p)
{
	if (p->held == NULL)
		return;
	free(p->held);
	p->held = NULL;
	p->nheld = p->undigested = 0;
	(void)atomic_fetch_sub(&holders, 1);
}

void
smtp_spool_drop(struct smtp_session *s)
{
	struct smtp_spool *p = &s->spool;

	release(p);
	fs_spool_drop(s->gate->incoming, &p->file);
	sha256_free(&p->digest);
	smtp_verdict_free(&s->verdict);
	*p = (struct smtp_spool){ .file.fd = -1 };
}

static void
note_failure(struct smtp_session *s, enum rc rc)
{
	if (rc == RC_LIMIT)
		atomic_store(&s->gate->full, (unsigned)(clock_ms() / 1000));
}

/* ---- bytes to the disk ---- */

static bool
is_refused(const struct smtp_session *s)
{
	const struct smtp_spool *p = &s->spool;

	return p->too_large || p->failed != RC_OK ||
	       ((p->text.bare_cr || p->text.bare_lf) && !p->text.normalize && !p->binary);
}

/* Gives the disk and the memory back; the rest of the message is read only. */
static void
give_up(struct smtp_session *s)
{
	release(&s->spool);
	fs_spool_drop(s->gate->incoming, &s->spool.file);
}

/* Everything held goes into the file. */
static void
flush(struct smtp_session *s)
{
	struct smtp_spool *p = &s->spool;
	str held = { p->held, p->nheld };

	if (held.len == 0)
		return;
	if (!is_refused(s)) {
		sha256_add(p->digest, str_skip(held, p->undigested));
		p->nheld = p->undigested = 0;
		p->failed = fs_append(p->file.fd, held, NULL);
		note_failure(s, p->failed);
	}
	if (is_refused(s))
		give_up(s);
}

/* Pieces are small and most messages are, but each write has its price. */
static void
hold(struct smtp_session *s, str bytes)
{
	struct smtp_spool *p = &s->spool;

	while (bytes.len > 0 && p->file.fd >= 0) {
		if (p->held == NULL) {
			p->held = malloc(HELD);
			if (p->held == NULL)
				abort();
			(void)atomic_fetch_add(&holders, 1);
		}
		str part = str_first(bytes, HELD - p->nheld);

		memcpy(p->held + p->nheld, part.ptr, part.len);
		p->nheld += part.len;
		bytes = str_skip(bytes, part.len);
		if (p->nheld == HELD)
			flush(s);
	}
}

static void
keep(struct smtp_session *s, str bytes)
{
	struct smtp_spool *p = &s->spool;

	p->size += bytes.len;
	if (p->size > s->conf->smtp.max_size)
		p->too_large = true;
	if (is_refused(s))
		give_up(s);
	hold(s, bytes);
}

/* The place of the trace block, until the verdict is known. */
static void
hold_trace(struct smtp_session *s)
{
	char block[TRACE_BLOCK];
	struct smtp_trace t;

	smtp_verdict_trace(s->verdict, &t);
	smtp_trace_block(&t, block);
	hold(s, (str){ block, sizeof(block) });
	s->spool.undigested = sizeof(block);
}

/* The whole message is there. */
static enum session_step
received(struct smtp_session *s)
{
	flush(s);
	release(&s->spool);
	return smtp_received(s);
}

/* How much of it belonged to the message. */
static size_t
keep_text(struct smtp_session *s, str bytes)
{
	str in = bytes, piece;

	while (smtp_data_next(&s->spool.text, &in, &piece))
		keep(s, piece);
	return bytes.len - in.len;
}

/* ---- phases ---- */

/* NULL: the message may come. */
static const struct smtp_reply *
begin(struct smtp_session *s, enum smtp_data_mode mode)
{
	struct smtp_spool *p = &s->spool;
	const struct conf_smtp *c = &s->conf->smtp;

	*p = (struct smtp_spool){ .file.fd = -1, .text.mode = mode };
	p->wall_ms = clock_wall_ms();
	p->id = ids_message(p->wall_ms);
	s->verdict = smtp_verdict_new(s);
	enum rc rc = fs_spool_open(s->gate->incoming, SPOOL_MODE, &p->file, NULL);
	if (rc != RC_OK) {
		note_failure(s, rc);
		smtp_spool_drop(s);
		return rc == RC_LIMIT ? &smtp_limit : &no_spool;
	}
	p->digest = sha256_new();
	p->text.normalize = c->bare_newline == CONF_NEWLINE_NORMALIZE;
	p->binary = mode == SMTP_DATA_CHUNKS && s->txn.body == SMTP_BODY_BINARYMIME;
	p->pace = (struct pace){ .start_ms = clock_ms(),
		.grace_ms = c->data_grace,
		.per_second = c->data_rate };
	p->open = true;
	hold_trace(s);
	return NULL;
}

/* Before it may wait: many that are slow must not take the memory. */
static void
ease(struct smtp_session *s)
{
	if (atomic_load(&holders) <= HOLDERS_MOST)
		return;
	flush(s);
	release(&s->spool);
}

static enum session_step
wait_for_bytes(struct smtp_session *s, unsigned want)
{
	uint64_t silent = clock_ms() + s->conf->smtp.data_timeout;
	uint64_t pace = pace_until(&s->spool.pace);

	ease(s);
	s->base.until_ms = pace < silent ? pace : silent;
	return session_wait_for(&s->base, want);
}

static enum session_step
take_bytes(struct smtp_session *s, str *bytes)
{
	enum session_step step = session_bytes(&s->base, bytes);

	return step == STEP_PARK ? wait_for_bytes(s, conn_want(s->base.io->conn)) : step;
}

/* Having read a lot, let others go first: what is unread comes back at once. */
static enum session_step
next_turn(struct smtp_session *s)
{
	enum { READS_A_TURN = 16 };

	return session_had_turn(&s->base, READS_A_TURN) ? wait_for_bytes(s, PARK_READ)
							: STEP_GO;
}

static enum session_step
phase_data(void *session)
{
	struct smtp_session *s = session;
	str bytes;

	if (s->base.late)
		return smtp_late(s);
	enum session_step step = take_bytes(s, &bytes);
	if (step != STEP_GO)
		return step;
	size_t used = keep_text(s, bytes);
	conn_eat(s->base.io->conn, used);
	s->spool.pace.bytes += used;
	if (s->spool.text.done)
		return received(s);
	return next_turn(s);
}

struct smtp_reply
smtp_data(struct smtp_session *s, str args)
{
	(void)args;
	if (s->txn.body == SMTP_BODY_BINARYMIME)
		return needs_bdat;
	if (conn_buffered(s->base.io->conn) > 0) /* RFC 2920 3.1: the last of its group */
		return unsynchronized;
	const struct smtp_reply *failed = begin(s, SMTP_DATA_DOTS);
	if (failed != NULL)
		return *failed;
	s->base.phase = phase_data;
	return go_ahead;
}

static enum session_step
chunk_over(struct smtp_session *s)
{
	struct smtp_spool *p = &s->spool;
	static const struct smtp_reply ok = { 250, "2.0.0", "chunk received" };

	s->base.phase = smtp_phase_command;
	if (p->chunk_refused != NULL) {
		struct smtp_reply r = *p->chunk_refused;

		p->chunk_refused = NULL;
		return smtp_answer(s, &r);
	}
	if (!p->last) {
		ease(s);
		return smtp_answer(s, &ok);
	}
	str owed = p->binary ? STR("") : smtp_data_end(&p->text);
	if (owed.len > 0)
		keep(s, owed);
	return received(s);
}

static enum session_step
phase_chunk(void *session)
{
	struct smtp_session *s = session;
	struct smtp_spool *p = &s->spool;
	str bytes;

	if (s->base.late)
		return smtp_late(s);
	if (p->chunk_left == 0)
		return chunk_over(s);
	enum session_step step = take_bytes(s, &bytes);
	if (step != STEP_GO)
		return step;
	bytes = str_first(bytes, p->chunk_left);
	if (p->chunk_refused == NULL && p->binary)
		keep(s, bytes);
	else if (p->chunk_refused == NULL)
		(void)keep_text(s, bytes);
	conn_eat(s->base.io->conn, bytes.len);
	p->pace.bytes += bytes.len;
	p->chunk_left -= bytes.len;
	return next_turn(s);
}

/* RFC 3030 2: octets follow the command at once, so they are taken whatever the
 * answer will be; and after a chunk that failed all are refused until RSET. */
struct smtp_reply
smtp_bdat(struct smtp_session *s, str args)
{
	struct smtp_spool *p = &s->spool;
	const struct conf_smtp *c = &s->conf->smtp;
	const struct smtp_reply *refused = NULL;
	uint64_t size;
	bool last;

	if (!smtp_bdat_read(args, &size, &last))
		return bad_chunk; /* nobody knows where the next command begins */
	if (s->state == SMTP_RCPT)
		p->chunk_failed = refused = begin(s, SMTP_DATA_CHUNKS);
	else if (s->state != SMTP_CHUNKS || !p->open)
		/* a sender may go by the last answer: a passing fault stays one */
		refused = s->state == SMTP_CHUNKS && p->chunk_failed != NULL
				  ? p->chunk_failed
				  : &no_mail;
	if (refused != NULL)
		p->pace = (struct pace){ .start_ms = clock_ms(),
			.grace_ms = c->data_grace,
			.per_second = c->data_rate };
	if (s->state == SMTP_RCPT)
		s->state = SMTP_CHUNKS;
	p->chunk_refused = refused;
	p->chunk_left = size;
	p->last = last;
	s->base.phase = phase_chunk;
	return (struct smtp_reply){ 0 };
}
