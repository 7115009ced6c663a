/* SPDX-License-Identifier: ISC */
/* What a search cannot see in rows: the day that Date names, and texts. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "imap/imap_query.h"
#include "mime/date.h"

enum { DAYS_AT_ONCE = 32, DAY_S = 24 * 60 * 60 };

/* Those that were open are asked again, with what is known now. */
static size_t
ask_again(struct query *q)
{
	struct query_slice *l = &q->slice;
	size_t open = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->says[i] == TRI_MAYBE) {
			l->says[i] = (uint8_t)match_row(q->match, &l->asks[i]);
			open += l->says[i] == TRI_MAYBE;
		}
	return open;
}

/* ---- days ---- */

static void
set_day(struct query *q, size_t i, str envelope)
{
	struct match_row *ask = &q->slice.asks[i];
	int64_t s = ask->row->sent_s;
	struct fact_envelope e;

	ask->knows_sent_day = true;
	if (envelope.len > 0 && facts_unpack_envelope(envelope, q->tmp, &e) == RC_OK &&
		mail_date_day(e.date, &ask->sent_day) == RC_OK)
		return;
	ask->sent_day = s / DAY_S - (s % DAY_S < 0);
}

static enum rc
read_days(struct imap_session *s, struct query *q, const size_t *at, size_t n,
	struct err *err)
{
	const struct msg_id *ids[DAYS_AT_ONCE];
	struct store_texts texts[DAYS_AT_ONCE];

	arena_reset(q->tmp);
	for (size_t i = 0; i < n; i++)
		ids[i] = &q->slice.rows[at[i]].id;
	enum rc rc = store_texts(
		s->house->store, s->account, ids, n, STORE_ENVELOPE, q->tmp, texts, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		set_day(q, at[i], texts[i].envelope);
	return rc;
}

static query_step look_into_full_text;

enum query_did
query_slice_days(struct imap_session *s, struct query *q)
{
	struct query_slice *l = &q->slice;
	size_t at[DAYS_AT_ONCE], n = 0;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; match_asks_sent_day(q->match) && i < l->n; i++) {
		if (l->says[i] == TRI_MAYBE && l->rows[i].sent_s != INT64_MIN)
			at[n++] = i;
		if (n == DAYS_AT_ONCE || (n > 0 && i + 1 == l->n)) {
			rc = read_days(s, q, at, n, &err);
			n = 0;
		}
		if (rc != RC_OK)
			return query_failed(s, q, rc, &err);
	}
	q->step = ask_again(q) == 0 || q->nkeys == 0 ? query_slice_done
						     : look_into_full_text;
	return QUERY_GO;
}

/* ---- full text ---- */

struct by_id {
	struct msg_id id;
	uint32_t at;
};

static int
compare_ids(const void *a, const void *b)
{
	const struct by_id *x = a, *y = b;

	return memcmp(x->id.text, y->id.text, sizeof(x->id.text));
}

static uint8_t
tri_of(uint8_t says)
{
	return says == SEARCH_YES ? TRI_YES : says == SEARCH_NO ? TRI_NO : TRI_MAYBE;
}

/* Some of the keys about some messages, each of which may be there more than once. */
static enum rc
look(struct imap_session *s, struct query *q, const struct by_id *open, size_t n,
	size_t first_key, struct err *err)
{
	size_t nkeys = q->nkeys - first_key < SEARCH_KEYS ? q->nkeys - first_key
							  : SEARCH_KEYS;
	struct msg_id *ids = arena_array(q->tmp, n, sizeof(*ids));
	uint8_t *says = arena_array(q->tmp, n, nkeys);
	size_t unique = 0, k = 0;

	if (ids == NULL || says == NULL)
		return err_set(err, RC_LIMIT, "too much for one search");
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_ids(&open[i], &open[i - 1]) != 0)
			ids[unique++] = open[i].id;
	enum rc rc = search_look(s->house->search, s->account, ids, unique,
		q->keys + first_key, nkeys, says, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		k += i > 0 && compare_ids(&open[i], &open[i - 1]) != 0;
		uint8_t *out = &q->slice.texts[open[i].at * q->nkeys + first_key];
		for (size_t j = 0; j < nkeys; j++)
			out[j] = tri_of(says[k * nkeys + j]);
	}
	return rc;
}

static query_step read_open_ones;

static enum query_did
look_into_full_text(struct imap_session *s, struct query *q)
{
	struct query_slice *l = &q->slice;
	struct by_id *open = arena_array(q->tmp, l->n, sizeof(*open));
	struct err err = { 0 };
	enum rc rc = RC_OK;
	size_t n = 0;

	if (open == NULL)
		return query_no(s, q, "LIMIT", "too much for one search");
	memset(l->texts, TRI_MAYBE, l->n * q->nkeys);
	for (uint32_t i = 0; i < l->n; i++) {
		l->asks[i].texts = &l->texts[i * q->nkeys];
		if (l->says[i] == TRI_MAYBE)
			open[n++] = (struct by_id){ l->rows[i].id, i };
	}
	qsort(open, n, sizeof(*open), compare_ids);
	for (size_t k = 0; k < q->nkeys && rc == RC_OK && s->house->search != NULL;
		k += SEARCH_KEYS)
		rc = look(s, q, open, n, k, &err);
	/* derived data: without it the messages themselves are looked at */
	if (rc != RC_OK)
		log_warn("msg=\"full text could not be asked\" why=\"%s\"", err.text);
	l->nopen = l->read = 0;
	(void)ask_again(q);
	for (uint32_t i = 0; i < l->n; i++)
		if (l->says[i] == TRI_MAYBE)
			l->open[l->nopen++] = i;
	q->step = l->nopen == 0 ? query_slice_done : read_open_ones;
	return QUERY_GO;
}

/* ---- the messages themselves, on an errand's thread ---- */

enum rc
query_job(const struct query *q, const struct msg_id *id, int *fd, struct scan_job *job,
	struct err *err)
{
	const struct imap_session *s = q->session;
	struct stat st;

	*job = (struct scan_job){ .fd = -1,
		.hostname = s->conf->server.hostname,
		.most_ms = s->conf->limits.scanner_timeout,
		.most_unpacked = s->conf->limits.scanner_unpacked };
	if (s->house->scanners == NULL)
		return err_set(err, RC_TEMP, "there is no scanner");
	enum rc rc = store_open_message(s->house->store, s->account, id, fd, err);
	if (rc == RC_OK && fstat(*fd, &st) != 0)
		return err_errno(err, "a message's file");
	if (rc != RC_OK)
		return rc;
	job->fd = *fd;
	job->size = (uint64_t)st.st_size;
	return RC_OK;
}

/* The keys that are open for a message, at most SCAN_KEYS of them. */
static enum rc
read_keys(struct query *q, const struct scan_job *job, uint8_t *texts, struct err *err)
{
	struct scan_key keys[SCAN_KEYS];
	size_t which[SCAN_KEYS], n = 0;
	bool yes[SCAN_KEYS];
	enum rc rc = RC_BAD;

	for (size_t k = 0; k < q->nkeys && n < SCAN_KEYS; k++)
		if (texts[k] == TRI_MAYBE) {
			const struct search_key *key = &q->keys[k];

			keys[n] = (struct scan_key){ key->head, key->text, key->field,
				key->what };
			which[n++] = k;
		}
	if (n == 0)
		return RC_NONE;
	/* RC_BAD may have been the scanner's bad day: once more */
	for (int i = 0; i < 2 && rc == RC_BAD; i++)
		rc = scan_search(q->session->house->scanners, job, keys, n,
			clock_ms() + 2 * job->most_ms, yes, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		texts[which[i]] = yes[i] ? TRI_YES : TRI_NO;
	return rc;
}

/* RC_TEMP: not now; of what cannot be read no key is true.  The trace block in front of the
 * message is part of what clients see as its header. */
static enum rc
read_message(struct query *q, uint32_t at, struct err *err)
{
	struct scan_job job;
	uint8_t *texts = &q->slice.texts[at * q->nkeys];
	FD_AUTO fd = -1;
	enum rc rc = query_job(q, &q->slice.rows[at].id, &fd, &job, err);

	while (rc == RC_OK)
		rc = read_keys(q, &job, texts, err);
	if (rc == RC_TEMP)
		return rc;
	for (size_t k = 0; k < q->nkeys; k++)
		if (texts[k] == TRI_MAYBE)
			texts[k] = TRI_NO;
	return RC_OK;
}

static void
read_some(void *arg)
{
	struct query *q = arg;
	struct query_slice *l = &q->slice;
	uint64_t until = clock_ms() + QUERY_ERRAND_MS;

	while (q->rc == RC_OK && l->read < l->nopen && clock_ms() < until) {
		q->rc = read_message(q, l->open[l->read], &q->err);
		l->read += q->rc == RC_OK;
	}
}

static enum query_did
have_read(struct imap_session *s, struct query *q)
{
	if (q->rc != RC_OK && ++q->tries > QUERY_TRIES)
		return query_failed(s, q, q->rc, &q->err);
	if (q->rc != RC_OK) {
		s->wake_ms = clock_ms() + QUERY_PAUSE_MS;
		q->step = read_open_ones;
		return QUERY_WAIT;
	}
	q->tries = 0;
	if (q->slice.read < q->slice.nopen) {
		q->step = read_open_ones;
		return QUERY_GO;
	}
	(void)ask_again(q);
	q->step = query_slice_done;
	return QUERY_GO;
}

static enum query_did
read_open_ones(struct imap_session *s, struct query *q)
{
	return query_away(s, q, read_some, have_read);
}
