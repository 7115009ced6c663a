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
	char frame[4096]; /* FACTS_SCAN is small; larger is not ours */
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

static void
answer_with(
	struct serving *s, struct chan_msg *m, bool retire, const struct scan_job *job)
{
	struct err err = { 0 };
	struct scanned got = { 0 };
	unsigned how = retire ? SCAN_RETIRES : 0;
	enum rc rc = scan_message(job, s->cs, s->mem, &got, &err);

	buf_clear(&s->answer);
	buf_le(&s->answer, how, 1);
	m->type = FACTS_DONE;
	m->nfds = 0;
	if (rc == RC_OK)
		rc = pack_answer(s, &got, m, &err);
	if (rc == RC_OK) {
		memcpy(&m->fds[m->nfds], got.jobs, got.njobs * sizeof(got.jobs[0]));
		m->nfds += got.njobs;
	} else {
		scanned_clear(&got);
		m->type = FACTS_FAILED;
		buf_clear(&s->answer);
		buf_le(&s->answer, rc == RC_LIMIT ? how | SCAN_NEVER : how, 1);
		buf_addz(&s->answer, err.text);
	}
	m->body = buf_str(&s->answer);
}

/* One job; false when the channel is of no more use. */
static bool
serve_one(struct serving *s, bool last)
{
	struct scan_job job;
	struct chan_msg m;
	enum rc rc;

	do
		rc = chan_recv(s->channel, s->frame, sizeof(s->frame), &m,
			clock_ms() + WAIT_MS, NULL);
	while (rc == RC_NONE);
	if (rc != RC_OK)
		return false;
	if (m.type != FACTS_SCAN || m.nfds != 1 || scan_get_job(m.body, &job) != RC_OK) {
		chan_close_fds(&m);
		return false;
	}
	struct chan_msg answer = { .id = m.id };
	job.fd = m.fds[0];
	answer_with(s, &answer, last, &job);
	arena_reset(s->mem);
	chan_close_fds(&m);
	rc = chan_send(s->channel, &answer, clock_ms() + ANSWER_MS, NULL);
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
