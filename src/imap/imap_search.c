/* SPDX-License-Identifier: ISC */
/* SEARCH, and the way of every search: imap_query.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "imap/imap_query.h"

enum { TMP_MEM = 64 * 1024 * 1024, FULL_POOL_MS = 50 };

/* ---- its end ---- */

static void
end(struct imap_session *s)
{
	struct query *q = s->cmd.state;

	view_list_drop(&q->list);
	arena_free(&q->mem);
	arena_free(&q->tmp);
}

static void
set_saved(struct imap_session *s, uint32_t *uids, size_t n)
{
	free(s->box.saved);
	s->box.saved = uids;
	s->box.nsaved = n;
	s->box.has_saved = true;
}

static void
save_nothing(struct imap_session *s, const struct query *q)
{
	if ((q->is.wants & RETURN_SAVE) != 0)
		set_saved(s, NULL, 0);
}

enum query_did
query_failed(struct imap_session *s, struct query *q, enum rc rc, const struct err *err)
{
	save_nothing(s, q);
	(void)imap_failed(s, rc, err);
	return QUERY_DONE;
}

enum query_did
query_no(struct imap_session *s, struct query *q, const char *code, const char *text)
{
	save_nothing(s, q);
	(void)imap_no(s, code, text);
	return QUERY_DONE;
}

enum query_did
query_away(
	struct imap_session *s, struct query *q, void (*fn)(void *arg), query_step *then)
{
	q->session = s;
	q->rc = RC_OK;
	q->err = (struct err){ 0 };
	if (errand_start(&s->errand, s->house->errands, s->io, fn, q))
		q->step = then;
	else /* the same step again */
		s->wake_ms = clock_ms() + FULL_POOL_MS;
	return QUERY_WAIT;
}

enum query_did
query_work(
	struct imap_session *s, struct query *q, void (*fn)(void *arg), query_step *then)
{
	if (q->n > QUERY_WORK)
		return query_away(s, q, fn, then);
	q->rc = RC_OK;
	fn(q);
	q->step = then;
	return QUERY_GO;
}

/* ---- the answer ---- */

static int
by_uid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
save(struct imap_session *s, const struct query *q, const uint32_t *order)
{
	struct result_part p = result_chosen(
		q->is.wants, q->is.partial_from, q->is.partial_to, q->n);
	uint32_t *uids = calloc(p.to - p.from + 3, sizeof(*uids));
	size_t n = 0, unique = 0;

	if (uids == NULL)
		abort();
	for (size_t i = p.from; i < p.to; i++)
		uids[n++] = q->uids[order == NULL ? i : order[i]];
	if (p.min)
		uids[n++] = q->uids[order == NULL ? 0 : order[0]];
	if (p.max)
		uids[n++] = q->uids[order == NULL ? q->n - 1 : order[q->n - 1]];
	if (order != NULL || p.min || p.max)
		qsort(uids, n, sizeof(*uids), by_uid);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || uids[i] != uids[unique - 1])
			uids[unique++] = uids[i];
	set_saved(s, uids, unique);
}

static enum query_did
put(struct imap_session *s, struct query *q)
{
	if (!result_put(&q->result, &s->out, QUERY_PUT))
		return QUERY_TURN;
	(void)imap_ok(s, NULL, "that is all");
	return QUERY_DONE;
}

static bool
in_order(const struct query *q, const uint32_t *order, uint32_t **numbers,
	uint64_t **modseqs)
{
	uint32_t *n = arena_array(q->mem, q->n + 1, sizeof(*n));
	uint64_t *m = q->modseqs == NULL ? NULL
					 : arena_array(q->mem, q->n + 1, sizeof(*m));

	if (n == NULL || (m == NULL && q->modseqs != NULL))
		return false;
	for (size_t i = 0; i < q->n; i++) {
		n[i] = (*numbers)[order[i]];
		if (m != NULL)
			m[i] = q->modseqs[order[i]];
	}
	*numbers = n;
	*modseqs = m;
	return true;
}

enum query_did
query_answer(struct imap_session *s, struct query *q, enum result_form form,
	const uint32_t *order)
{
	uint32_t *numbers = s->cmd.uid ? q->uids : q->seqs;
	uint64_t *modseqs = q->modseqs;

	if (order != NULL && !in_order(q, order, &numbers, &modseqs))
		return query_no(s, q, "LIMIT", "too many messages");
	if ((q->is.wants & RETURN_SAVE) != 0)
		save(s, q, order);
	q->result = (struct result){ .form = form,
		.tag = s->cmd.tag,
		.uid = s->cmd.uid,
		.wants = q->is.wants,
		.partial_from = q->is.partial_from,
		.partial_to = q->is.partial_to,
		.n = q->n,
		.numbers = numbers,
		.modseqs = modseqs };
	q->step = put;
	return QUERY_GO;
}

/* IMAP4rev2 has no SEARCH response (RFC 9051 7.3.4). */
static enum query_did
found(struct imap_session *s, struct query *q)
{
	return query_answer(s, q,
		q->is.extended || imap_rev2(s) ? RESULT_ESEARCH : RESULT_SEARCH, NULL);
}

/* ---- looking at messages ---- */

/* The first one is all that was asked for. */
static bool
enough(const struct query *q)
{
	return q->found == found && q->n > 0 &&
	       (q->is.wants & ~(unsigned)RETURN_SAVE) == RETURN_MIN;
}

static enum query_did
look_at_slice(struct imap_session *s, struct query *q)
{
	struct query_slice *l = &q->slice;
	bool open = false;

	if (q->seq > q->to || enough(q)) {
		q->step = q->found;
		return QUERY_GO;
	}
	l->seq = q->seq;
	l->n = q->to - q->seq + 1 < l->room ? q->to - q->seq + 1 : l->room;
	for (size_t i = 0; i < l->n; i++)
		l->uids[i] = view_list_uid(q->list, l->seq + i);
	view_rows(s->box.view, l->uids, l->n, l->rows);
	for (size_t i = 0; i < l->n; i++) {
		l->asks[i] = (struct match_row){ .row = &l->rows[i],
			.seq = l->seq + i,
			.recent = l->uids[i] >= s->box.recent };
		/* what is gone, and the client was not told yet */
		l->says[i] = l->rows[i].uid == 0
				     ? TRI_NO
				     : (uint8_t)match_row(q->match, &l->asks[i]);
		open |= l->says[i] == TRI_MAYBE;
	}
	q->seq += l->n;
	if (!open)
		return query_slice_done(s, q);
	q->step = query_slice_days;
	return QUERY_GO;
}

enum query_did
query_slice_done(struct imap_session *s, struct query *q)
{
	struct query_slice *l = &q->slice;

	(void)s;
	for (size_t i = 0; i < l->n; i++) {
		if (l->says[i] != TRI_YES)
			continue;
		q->seqs[q->n] = (uint32_t)(l->seq + i);
		q->uids[q->n] = l->uids[i];
		if (q->modseqs != NULL)
			q->modseqs[q->n] = l->rows[i].modseq;
		if (q->note != NULL)
			q->note(q, q->n, &l->rows[i]);
		q->n++;
	}
	q->step = look_at_slice;
	return QUERY_GO;
}

/* ---- its beginning ---- */

static bool
make_slice(struct query *q)
{
	struct query_slice *l = &q->slice;

	l->room = q->nkeys > 0 || match_asks_sent_day(q->match) ? QUERY_TEXT_SLICE
								: QUERY_SLICE;
	/* with thousands of keys a message may take milliseconds */
	l->room /= 1 + match_steps(q->match) / QUERY_FEW_KEYS;
	l->room += l->room == 0;
	l->uids = arena_array(q->mem, l->room, sizeof(*l->uids));
	l->rows = arena_array(q->mem, l->room, sizeof(*l->rows));
	l->asks = arena_array(q->mem, l->room, sizeof(*l->asks));
	l->says = arena_array(q->mem, l->room, 1);
	l->texts = arena_array(q->mem, l->room, q->nkeys + 1);
	l->open = arena_array(q->mem, l->room, sizeof(*l->open));
	return l->uids != NULL && l->rows != NULL && l->asks != NULL && l->says != NULL &&
	       l->texts != NULL && l->open != NULL;
}

static bool
make_room(struct query *q)
{
	size_t most = q->to >= q->seq ? q->to - q->seq + 1 : 0;

	q->seqs = arena_array(q->mem, most + 1, sizeof(*q->seqs));
	q->uids = arena_array(q->mem, most + 1, sizeof(*q->uids));
	if (q->is.uses_modseq)
		q->modseqs = arena_array(q->mem, most + 1, sizeof(*q->modseqs));
	for (size_t i = 0; i < IMAP_SORTS; i++) {
		if (!q->wants_number[i])
			continue;
		q->numbers[i] = arena_array(q->mem, most + 1, sizeof(*q->numbers[i]));
		if (q->numbers[i] == NULL)
			return false;
	}
	return q->seqs != NULL && q->uids != NULL &&
	       (q->modseqs != NULL || !q->is.uses_modseq);
}

static enum query_did
start(struct imap_session *s, struct query *q)
{
	struct err err = { 0 };
	enum rc rc = match_fold(q->match, &err);

	if (rc != RC_OK)
		return query_failed(s, q, rc, &err);
	q->nkeys = match_keys(q->match, &q->keys);
	match_range(q->match, q->list, &q->seq, &q->to);
	if (!make_room(q) || !make_slice(q))
		return query_no(s, q, "LIMIT", "too many messages to search");
	q->step = look_at_slice;
	return QUERY_GO;
}

static enum query_did
prepare(struct imap_session *s, struct query *q)
{
	size_t count = view_list_count(q->list);
	struct match_with with = { .count = count,
		.last_uid = count == 0 ? 0 : view_list_uid(q->list, count),
		.nsaved = s->box.has_saved ? s->box.nsaved : 0,
		.saved = s->box.saved,
		.now_ms = clock_wall_ms() };
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if (q->is.uses_modseq)
		rc = imap_enable_condstore(s, &err);
	if (rc == RC_OK)
		rc = match_new(q->is.program, &with, q->mem, &q->match, &err);
	if (rc != RC_OK)
		return query_failed(s, q, rc, &err);
	return query_charset(s, q, start);
}

static bool
begin(struct imap_session *s, query_parse *parse, void (*ready)(struct query *q),
	query_step *then)
{
	struct imap_lex *x = &s->cmd.x;
	struct query *q;
	struct imap_query is;

	if (!lex_sp(x) || !parse(x, &is) || !lex_end(x)) {
		(void)imap_bad(s);
		return false;
	}
	q = arena_new_of(s->cmd.mem, struct query);
	if (q == NULL) {
		(void)imap_no(s, "LIMIT", "no memory for a search");
		return false;
	}
	q->is = is;
	q->mem = arena_new(IMAP_RESULT_MEM);
	q->tmp = arena_new(TMP_MEM);
	q->list = view_list_keep(s->box.list);
	q->step = prepare;
	q->found = then;
	if (ready != NULL)
		ready(q);
	s->cmd.state = q;
	s->cmd.end = end;
	return true;
}

enum imap_did
query_run(struct imap_session *s, query_parse *parse, void (*ready)(struct query *q),
	query_step *then)
{
	uint64_t until = clock_ms() + QUERY_TURN_MS;
	struct query *q;

	if (s->cmd.state == NULL && !begin(s, parse, ready, then))
		return IMAP_DONE;
	q = s->cmd.state;
	do {
		arena_reset(q->tmp);
		switch (q->step(s, q)) {
		case QUERY_GO:
			break;
		case QUERY_TURN:
			return IMAP_MORE;
		case QUERY_WAIT:
			return IMAP_WAIT;
		case QUERY_DONE:
			return IMAP_DONE;
		}
	} while (clock_ms() < until);
	return IMAP_MORE;
}

enum imap_did
cmd_search(struct imap_session *s)
{
	return query_run(s, lex_search, NULL, found);
}
