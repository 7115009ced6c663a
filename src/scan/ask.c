/* SPDX-License-Identifier: ISC */
/* Asking for everything that is known of a message. */
#include <stdlib.h>

#include "base/fs.h"
#include "scan/scan_int.h"

struct asked {
	const struct scan_job *job;
	struct arena *mem;
	struct scanned *out;
};

static void
data_free(char **data)
{
	free(*data);
}

/* Takes the descriptors of content.jobs out of the answer: exactly these, and sealed. */
static enum rc
take_jobs(struct chan_msg *m, unsigned from, unsigned want, struct scanned *out)
{
	unsigned n = m->nfds - from;

	if (n != out->content.njobs || n > CONTENT_JOBS ||
		(n > 0 && (want & SCAN_JOBS) == 0))
		return RC_BAD;
	for (unsigned i = from; i < m->nfds; i++)
		if (!scan_is_sealed(m->fds[i]))
			return RC_BAD;
	memcpy(out->jobs, &m->fds[from], n * sizeof(out->jobs[0]));
	out->njobs = n;
	m->nfds = from;
	return RC_OK;
}

static enum rc
unpack_records(
	str facts, str content, uint64_t size, struct arena *mem, struct scanned *out)
{
	enum rc rc = facts_unpack(facts, size, mem, &out->facts);

	if (rc == RC_OK)
		rc = content_unpack(content, size, mem, &out->content);
	return rc == RC_OK ? arena_copy(mem, facts, &out->packed) : rc;
}

static enum rc
take_records(struct chan_msg *m, str rest, const struct scan_job *job, struct arena *mem,
	struct scanned *out)
{
	char *data __attribute__((cleanup(data_free))) = NULL;
	unsigned from = rest.len == 0 ? 1 : 0;
	str facts, content;

	if (m->nfds < from)
		return RC_BAD;
	if (from == 1) {
		size_t len;

		if (chan_memfd_read(m->fds[0], SCAN_RECORDS, &data, &len, NULL) != RC_OK)
			return RC_BAD;
		rest = (str){ data, len };
	}
	if (!scan_get_records(rest, &facts, &content))
		return RC_BAD;
	enum rc rc = unpack_records(facts, content, job->size - job->offset, mem, out);
	return rc == RC_OK ? take_jobs(m, from, job->want, out) : rc;
}

static enum rc
take(struct chan_msg *m, str rest, void *arg, struct err *err)
{
	struct asked *a = arg;
	struct scanned got = { 0 };
	enum rc rc = take_records(m, rest, a->job, a->mem, &got);

	if (rc == RC_BAD)
		return err_set(err, RC_BAD, "the scanner's facts cannot be true");
	if (rc != RC_OK)
		return err_set(err, RC_PERM, "no memory for a message's facts");
	*a->out = got;
	return RC_OK;
}

enum rc
scan_ask(struct scanners *s, const struct scan_job *job, uint64_t until_ms,
	struct arena *mem, struct scanned *out, struct err *err)
{
	BUF_AUTO body = BUF(32 + SCAN_HOSTNAME);
	struct asked a = { job, mem, out };
	struct scan_question q = { .type = FACTS_SCAN,
		.fd = job->fd,
		.most_ms = job->most_ms,
		.take = take,
		.arg = &a };

	/* ours to get right, and nothing that the message is to blame for */
	if (job->offset > job->size || job->hostname.len > SCAN_HOSTNAME)
		return err_set(err, RC_TEMP, "no such message");
	scan_put_job(&body, job);
	q.body = buf_str(&body);
	enum rc rc = scan_exchange(s, &q, until_ms, err);
	if (rc == RC_OK && scan_count_jobs(s, job, out, err) != RC_OK) {
		scanned_clear(out);
		rc = RC_TEMP;
		if (err != NULL)
			err->rc = rc;
	}
	return rc;
}
