/* SPDX-License-Identifier: ISC */
/* What readers ask of a scanner: a part, a text in another charset, a search. */
#include "base/fs.h"
#include "mime/utf8.h"
#include "scan/scan_int.h"

enum { JOB = 64 + SCAN_HOSTNAME };

static bool
is_job(const struct scan_job *job)
{
	return job->offset <= job->size && job->hostname.len <= SCAN_HOSTNAME;
}

/* ---- a part ---- */

struct part_asked {
	uint64_t most;
	int *fd;
	uint64_t *size;
};

static enum rc
take_part(struct chan_msg *m, str rest, void *arg, struct err *err)
{
	struct part_asked *a = arg;
	struct pack p = { .left = rest };
	uint64_t said = pack_le(&p, 8), size;

	if (!pack_done(&p) || said > a->most || m->nfds != 1 ||
		!scan_is_sealed(m->fds[0]) || fs_size(m->fds[0], &size, NULL) != RC_OK ||
		size != said)
		return err_set(err, RC_BAD, "the scanner's part cannot be true");
	*a->fd = m->fds[0];
	*a->size = size;
	m->nfds = 0;
	return RC_OK;
}

enum rc
scan_part(struct scanners *s, const struct scan_job *job, uint64_t at, uint64_t end,
	str encoding, uint64_t until_ms, int *fd, uint64_t *size, struct err *err)
{
	BUF_AUTO body = BUF(JOB + FACTS_STR);
	struct part_asked a = {
		job->most_unpacked > 0 ? job->most_unpacked : SCAN_UNPACKED, fd, size
	};
	struct scan_question q = { .type = FACTS_PART,
		.fd = job->fd,
		.most_ms = job->most_ms,
		.may_be_unknown = true,
		.take = take_part,
		.arg = &a };

	if (!is_job(job) || at > end || end > job->size)
		return err_set(err, RC_TEMP, "no such part");
	if (encoding.len > FACTS_STR)
		return err_set(err, RC_NONE, "an encoding that nobody knows");
	if (end - at > SIZE_MAX / 2)
		return err_set(err, RC_PERM, "the part is longer than is decoded");
	scan_put_job(&body, job);
	scan_put_part(&body, &(struct scan_part_of){ at, end, encoding });
	q.body = buf_str(&body);
	return scan_exchange(s, &q, until_ms, err);
}

/* ---- a text ---- */

struct text_asked {
	struct arena *mem;
	str *out;
};

static enum rc
take_text(struct chan_msg *m, str rest, void *arg, struct err *err)
{
	struct text_asked *a = arg;

	if (m->nfds > 0 || !utf8_valid(rest))
		return err_set(err, RC_BAD, "the scanner's text cannot be true");
	return arena_copy(a->mem, rest, a->out) == RC_OK
		       ? RC_OK
		       : err_set(err, RC_PERM, "no memory for a text");
}

enum rc
scan_convert(struct scanners *s, str charset, str bytes, uint64_t until_ms,
	struct arena *mem, str *out, struct err *err)
{
	BUF_AUTO body = BUF(8 + SCAN_CHARSET + SCAN_CONVERT);
	struct text_asked a = { mem, out };
	struct scan_question q = { .type = FACTS_CONVERT,
		.fd = -1,
		.may_be_unknown = true,
		.take = take_text,
		.arg = &a };

	if (charset.len > SCAN_CHARSET)
		return err_set(err, RC_NONE, "a charset that nobody knows");
	if (bytes.len > SCAN_CONVERT)
		return err_set(err, RC_PERM, "the text is longer than is converted");
	scan_put_convert(&body, charset, bytes);
	q.body = buf_str(&body);
	return scan_exchange(s, &q, until_ms, err);
}

/* ---- a search ---- */

struct search_asked {
	size_t n;
	bool *yes;
};

static enum rc
take_search(struct chan_msg *m, str rest, void *arg, struct err *err)
{
	struct search_asked *a = arg;
	bool good = m->nfds == 0 && rest.len == a->n;

	for (size_t i = 0; i < a->n && good; i++)
		good = (unsigned char)rest.ptr[i] <= 1;
	if (!good)
		return err_set(err, RC_BAD, "what the scanner found cannot be true");
	for (size_t i = 0; i < a->n; i++)
		a->yes[i] = rest.ptr[i] == 1;
	return RC_OK;
}

enum rc
scan_search(struct scanners *s, const struct scan_job *job, const struct scan_key *keys,
	size_t n, uint64_t until_ms, bool *yes, struct err *err)
{
	BUF_AUTO body = BUF(JOB + SCAN_QUESTION);
	struct search_asked a = { n, yes };
	struct scan_question q = { .type = FACTS_SEARCH,
		.fd = job->fd,
		.most_ms = job->most_ms,
		.take = take_search,
		.arg = &a };

	if (!is_job(job))
		return err_set(err, RC_TEMP, "no such message");
	if (n > SCAN_KEYS)
		return err_set(err, RC_PERM, "more keys than are looked for");
	scan_put_job(&body, job);
	scan_put_keys(&body, keys, n);
	if (!buf_ok(&body))
		return err_set(err, RC_PERM, "the keys are too long");
	q.body = buf_str(&body);
	return scan_exchange(s, &q, until_ms, err);
}
