/* SPDX-License-Identifier: ISC */
#include <malloc.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/chan.h"
#include "scan/scan_int.h"
#include "scan/unpack.h"

enum { WAIT_MS = 60 * 1000, ANSWER_MS = 10 * 1000 };

/* The scanner's whole memory for its work, kept from job to job. */
struct serving {
	int channel;
	struct charsets *cs;
	struct arena *mem;
	struct buf facts, content, answer;
	char frame[CHAN_HEADER + CHAN_MOST];
};

static struct charsets *prepared;

enum { KEEP = 8 * 1024 * 1024, GROW = 512 * 1024 };

void
scan_prepare(void)
{
	/* what a message needed is not given back after each: that costs more than most
	 * of the work */
	(void)mallopt(M_TRIM_THRESHOLD, KEEP);
	(void)mallopt(M_TOP_PAD, GROW);
	unpack_prepare();
	if (prepared == NULL)
		prepared = charsets_new();
}

/* Both records behind the byte, or in a memfd where that is too long for a frame. */
static enum rc
pack_answer(
	struct serving *s, const struct scanned *got, struct chan_msg *m, struct err *err)
{
	enum rc rc = RC_OK;
	int fd;

	buf_clear(&s->facts);
	buf_clear(&s->content);
	facts_pack(&s->facts, &got->facts);
	content_pack(&s->content, &got->content);
	scan_put_records(&s->answer, buf_str(&s->facts), buf_str(&s->content));
	if (!buf_ok(&s->facts) || !buf_ok(&s->content) || !buf_ok(&s->answer))
		return err_set(err, RC_LIMIT, "its facts are too many for one record");
	if (s->answer.len > CHAN_MOST) {
		rc = chan_memfd("facts", str_skip(buf_str(&s->answer), 1), &fd, err);
		s->answer.len = 1;
		if (rc == RC_OK)
			m->fds[m->nfds++] = fd;
	}
	return rc;
}

/* One function for each kind of question: its answer behind the byte in s->answer. */
typedef enum rc answer_fn(
	struct serving *s, const struct chan_msg *q, struct chan_msg *m, struct err *err);

/* Whoever asks so is none of ours: there is no answer, and the channel ends. */
static enum rc
not_understood(struct chan_msg *m)
{
	m->type = 0;
	return RC_BAD;
}

static enum rc
answer_scan(
	struct serving *s, const struct chan_msg *q, struct chan_msg *m, struct err *err)
{
	struct scanned got = { 0 };
	struct scan_job job;
	enum rc rc = scan_get_job(q->body, &job);

	if (rc != RC_OK)
		return not_understood(m);
	job.fd = q->fds[0];
	rc = scan_message(&job, s->cs, s->mem, &got, err);
	if (rc == RC_OK)
		rc = pack_answer(s, &got, m, err);
	if (rc != RC_OK) {
		scanned_clear(&got);
		return rc;
	}
	memcpy(&m->fds[m->nfds], got.jobs, got.njobs * sizeof(got.jobs[0]));
	m->nfds += got.njobs;
	return RC_OK;
}

static enum rc
answer_part(
	struct serving *s, const struct chan_msg *q, struct chan_msg *m, struct err *err)
{
	struct pack p = { .left = q->body };
	struct scan_part_of part;
	struct scan_job job;

	if (scan_take_job(&p, &job) != RC_OK || scan_get_part(&p, &part) != RC_OK)
		return not_understood(m);
	job.fd = q->fds[0];
	enum rc rc = scan_do_part(&job, &part, s->mem, &s->answer, &m->fds[0], err);
	m->nfds = rc == RC_OK;
	return rc;
}

static enum rc
answer_convert(
	struct serving *s, const struct chan_msg *q, struct chan_msg *m, struct err *err)
{
	str charset, bytes;

	if (scan_get_convert(q->body, &charset, &bytes) != RC_OK)
		return not_understood(m);
	return scan_do_convert(charset, bytes, s->cs, &s->answer, err);
}

static enum rc
answer_search(
	struct serving *s, const struct chan_msg *q, struct chan_msg *m, struct err *err)
{
	struct pack p = { .left = q->body };
	struct scan_key keys[SCAN_KEYS];
	struct scan_job job;
	size_t n;

	if (scan_take_job(&p, &job) != RC_OK || scan_get_keys(&p, keys, &n) != RC_OK)
		return not_understood(m);
	job.fd = q->fds[0];
	return scan_do_search(&job, keys, n, s->cs, s->mem, &s->answer, err);
}

static const struct question {
	uint16_t type;
	unsigned nfds;
	answer_fn *answer;
} questions[] = {
	{ FACTS_SCAN, 1, answer_scan },
	{ FACTS_PART, 1, answer_part },
	{ FACTS_CONVERT, 0, answer_convert },
	{ FACTS_SEARCH, 1, answer_search },
};

static const struct question *
question_of(const struct chan_msg *q)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (q->type == questions[i].type && q->nfds == questions[i].nfds)
			return &questions[i];
	return NULL;
}

static void
answer_with(struct serving *s, const struct question *how, const struct chan_msg *q,
	struct chan_msg *m, bool retire)
{
	struct err err = { 0 };
	unsigned first = retire ? SCAN_RETIRES : 0;

	buf_clear(&s->answer);
	buf_le(&s->answer, first, 1);
	m->type = FACTS_DONE;
	enum rc rc = how->answer(s, q, m, &err);
	if (rc != RC_OK && m->type != 0) {
		first |= rc == RC_LIMIT ? SCAN_NEVER : 0;
		first |= rc == RC_NONE ? SCAN_UNKNOWN : 0;
		chan_close_fds(m);
		m->nfds = 0;
		m->type = FACTS_FAILED;
		buf_clear(&s->answer);
		buf_le(&s->answer, first, 1);
		buf_addz(&s->answer, err.text);
	}
	m->body = buf_str(&s->answer);
}

/* One job; false when the channel is of no more use. */
static bool
serve_one(struct serving *s, bool last)
{
	struct chan_msg m;
	enum rc rc;

	do
		rc = chan_recv(s->channel, s->frame, sizeof(s->frame), &m,
			clock_ms() + WAIT_MS, NULL);
	while (rc == RC_NONE);
	if (rc != RC_OK)
		return false;
	const struct question *how = question_of(&m);
	struct chan_msg answer = { .id = m.id };
	if (how != NULL)
		answer_with(s, how, &m, &answer, last);
	arena_reset(s->mem);
	chan_close_fds(&m);
	rc = answer.type == 0
		     ? RC_BAD
		     : chan_send(s->channel, &answer, clock_ms() + ANSWER_MS, NULL);
	chan_close_fds(&answer);
	return rc == RC_OK;
}

void
scan_serve(int channel, uint64_t most)
{
	static const struct chan_msg ready = { .type = FACTS_READY };
	struct serving *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->channel = channel;
	s->cs = prepared != NULL ? prepared : charsets_new();
	s->mem = arena_new(SCAN_MEMORY);
	s->facts = BUF(FACTS_MOST);
	s->content = BUF(CONTENT_MOST);
	s->answer = BUF(1 + SCAN_RECORDS);
	if (chan_send(channel, &ready, clock_ms() + ANSWER_MS, NULL) != RC_OK)
		most = 0;
	for (uint64_t n = 1; n <= most && serve_one(s, n == most); n++)
		;
	buf_free(&s->facts);
	buf_free(&s->content);
	buf_free(&s->answer);
	arena_free(&s->mem);
	if (s->cs != prepared)
		charsets_free(&s->cs);
	free(s);
}
