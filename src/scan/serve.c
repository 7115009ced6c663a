/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "net/chan.h"
#include "scan/scan_int.h"

enum { WAIT_MS = 60 * 1000, ANSWER_MS = 10 * 1000 };

/* The scanner's whole memory for its work, kept from job to job. */
struct serving {
	int channel;
	struct arena *mem;
	struct buf answer;
	char frame[4096]; /* FACTS_SCAN is small; larger is not ours */
};

static void
answer_with(
	struct serving *s, struct chan_msg *m, bool retire, const struct scan_job *job)
{
	struct err err = { 0 };
	struct scanned got;
	unsigned how = retire ? SCAN_RETIRES : 0;
	enum rc rc = scan_message(job, NULL, s->mem, &got, &err);

	buf_clear(&s->answer);
	buf_le(&s->answer, how, 1);
	m->type = FACTS_DONE;
	if (rc == RC_OK)
		facts_pack(&s->answer, &got.facts);
	if (rc == RC_OK && !buf_ok(&s->answer))
		rc = err_set(&err, RC_LIMIT, "its facts are too many for one record");
	if (rc != RC_OK) {
		m->type = FACTS_FAILED;
		buf_clear(&s->answer);
		buf_le(&s->answer, rc == RC_LIMIT ? how | SCAN_NEVER : how, 1);
		buf_addz(&s->answer, err.text);
	}
	m->body = buf_str(&s->answer);
	m->nfds = 0;
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
	return chan_send(s->channel, &answer, clock_ms() + ANSWER_MS, NULL) == RC_OK;
}

void
scan_serve(int channel, uint64_t most)
{
	static const struct chan_msg ready = { .type = FACTS_READY };
	struct serving *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->channel = channel;
	s->mem = arena_new(SCAN_MEMORY);
	s->answer = BUF(FACTS_MOST + 1);
	if (chan_send(channel, &ready, clock_ms() + ANSWER_MS, NULL) != RC_OK)
		most = 0;
	for (uint64_t n = 1; n <= most && serve_one(s, n == most); n++)
		;
	buf_free(&s->answer);
	arena_free(&s->mem);
	free(s);
}
