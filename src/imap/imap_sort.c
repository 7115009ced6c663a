/* SPDX-License-Identifier: ISC */
/* SORT (RFC 5256, 5957, ESORT RFC 5267 3), and the keys that THREAD needs as well. */
#include "base/clock.h"
#include "base/fs.h"
#include "imap/imap_order.h"
#include "imap/imap_query.h"
#include "store/learn.h"

enum {
	FACTS_MEM = 16 * 1024 * 1024,
	LEARN_MS = 10 * 1000, /* of a command; full text learns the rest in its time */
};

/* RFC 5256 2.2 */
int64_t
query_sent(const struct view_row *row)
{
	return row->sent_s == INT64_MIN ? (int64_t)(row->received_ms / 1000)
					: row->sent_s;
}

/* ---- keys from the index ---- */

static query_step learn;

/* Of messages that have gone meanwhile the keys are empty. */
static enum query_did
read_keys(struct imap_session *s, struct query *q)
{
	size_t n = q->n - q->ordered < QUERY_SLICE ? q->n - q->ordered : QUERY_SLICE;
	struct view_order *orders = arena_array(q->tmp, n + 1, sizeof(*orders));
	struct err err = { 0 };

	if (n == 0) {
		q->step = q->nunknown > 0 ? learn : q->keyed;
		return QUERY_GO;
	}
	if (orders == NULL)
		return query_no(s, q, "LIMIT", "too many messages to sort");
	enum rc rc = view_orders(s->box.view, q->uids + q->ordered, n, q->keys_wanted,
		q->mem, orders, &err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		size_t at = q->ordered + i;

		if (orders[i].uid != 0 && !orders[i].known && !q->learning &&
			q->nunknown < QUERY_LEARN)
			q->unknown[q->nunknown++] = q->uids[at];
		q->keep(q, at, &orders[i]);
	}
	if (rc != RC_OK)
		return query_failed(s, q, rc, &err);
	q->ordered += n;
	return QUERY_GO;
}

enum query_did
query_keys(struct imap_session *s, struct query *q, unsigned wanted, query_keep *keep,
	query_step *then)
{
	q->keys_wanted = wanted;
	q->keep = keep;
	q->keyed = then;
	q->ordered = 0;
	q->unknown = arena_array(q->mem, QUERY_LEARN, sizeof(*q->unknown));
	if (q->unknown == NULL)
		return query_no(s, q, "LIMIT", "too many messages to sort");
	q->step = read_keys;
	return QUERY_GO;
}

/* ---- keys that a scanner has to say: messages of older versions, or from a backup ---- */

static void
learn_one(struct query *q, const struct view_row *row, struct err *err)
{
	const struct imap_session *s = q->session;
	const struct msg_id *id = &row->id, *const ids[] = { id };
	ARENA_AUTO mem = arena_new(FACTS_MEM);
	struct scanned got = { 0 };
	struct store_texts texts;
	struct scan_job job;
	FD_AUTO fd = -1;

	q->rc = query_job(q, id, &fd, &job, err);
	if (q->rc == RC_OK)
		q->rc = store_texts(
			s->house->store, s->account, ids, 1, 0, mem, &texts, err);
	if (q->rc != RC_OK)
		return;
	job.offset = texts.trace_bytes;
	q->rc = scan_ask(
		s->house->scanners, &job, clock_ms() + 2 * job.most_ms, mem, &got, err);
	if (q->rc == RC_OK)
		q->rc = store_learn(s->house->store, s->account, id, &got.facts, err);
	scanned_clear(&got);
}

/* What cannot be read stays without keys. */
static void
learn_some(void *arg)
{
	struct query *q = arg;
	uint64_t until = clock_ms() + QUERY_ERRAND_MS;
	struct view_row row;

	while (q->learnt < q->nunknown && clock_ms() < until && q->rc != RC_TEMP) {
		view_rows(q->session->box.view, &q->unknown[q->learnt++], 1, &row);
		if (row.uid != 0)
			learn_one(q, &row, &q->err);
	}
}

static enum query_did
have_learnt(struct imap_session *s, struct query *q)
{
	(void)s;
	/* sorted with what is known is better than not at all */
	if (q->rc != RC_TEMP && q->learnt < q->nunknown && clock_ms() < q->learn_until) {
		q->step = learn;
		return QUERY_GO;
	}
	q->nunknown = 0;
	q->ordered = 0;
	q->step = read_keys;
	return QUERY_GO;
}

static enum query_did
learn(struct imap_session *s, struct query *q)
{
	if (!q->learning)
		q->learn_until = clock_ms() + LEARN_MS;
	q->learning = true;
	return query_away(s, q, learn_some, have_learnt);
}

/* ---- SORT ---- */

static bool
is_number(enum imap_sort_key key)
{
	return key == SORT_ARRIVAL || key == SORT_DATE || key == SORT_SIZE;
}

static void
note(struct query *q, size_t i, const struct view_row *row)
{
	for (size_t k = 0; k < q->is.nsort; k++) {
		enum imap_sort_key key = q->is.sort[k].key;

		if (key == SORT_ARRIVAL)
			q->numbers[k][i] = row->received_ms / 1000;
		else if (key == SORT_DATE)
			q->numbers[k][i] = order_signed(query_sent(row));
		else if (key == SORT_SIZE)
			q->numbers[k][i] = row->size;
	}
}

static str
string_of(const struct view_order *o, enum imap_sort_key key)
{
	switch (key) {
	case SORT_CC:
		return o->cc;
	case SORT_FROM:
		return o->from;
	case SORT_SUBJECT:
		return o->subject;
	case SORT_TO:
		return o->to;
	case SORT_DISPLAYFROM:
		return o->display_from;
	case SORT_DISPLAYTO:
		return o->display_to;
	case SORT_ARRIVAL:
	case SORT_DATE:
	case SORT_SIZE:
		break;
	}
	return STR("");
}

static unsigned
wanted(enum imap_sort_key key)
{
	static const unsigned wants[] = { [SORT_CC] = VIEW_CC,
		[SORT_FROM] = VIEW_FROM,
		[SORT_SUBJECT] = VIEW_SUBJECT,
		[SORT_TO] = VIEW_TO,
		[SORT_DISPLAYFROM] = VIEW_DISPLAY_FROM,
		[SORT_DISPLAYTO] = VIEW_DISPLAY_TO };

	return (size_t)key < sizeof(wants) / sizeof(wants[0]) ? wants[key] : 0;
}

static void
keep(struct query *q, size_t i, const struct view_order *o)
{
	for (size_t k = 0; k < q->is.nsort; k++)
		if (q->strings[k] != NULL)
			q->strings[k][i] = string_of(o, q->is.sort[k].key);
}

static void
put_in_order(void *arg)
{
	struct query *q = arg;
	struct order_key keys[IMAP_SORTS];

	for (size_t k = 0; k < q->is.nsort; k++)
		keys[k] = (struct order_key){ .reverse = q->is.sort[k].reverse,
			.numbers = q->numbers[k],
			.strings = q->strings[k] };
	q->rc = order_sort(keys, q->is.nsort, q->n, q->mem, q->order, &q->err);
}

static enum query_did
sorted(struct imap_session *s, struct query *q)
{
	if (q->rc != RC_OK)
		return query_failed(s, q, q->rc, &q->err);
	return query_answer(
		s, q, q->is.extended ? RESULT_ESEARCH : RESULT_SORT, q->order);
}

static enum query_did
sort(struct imap_session *s, struct query *q)
{
	return query_work(s, q, put_in_order, sorted);
}

static enum query_did
found(struct imap_session *s, struct query *q)
{
	unsigned want = 0;

	q->order = arena_array(q->mem, q->n + 1, sizeof(*q->order));
	if (q->order == NULL)
		return query_no(s, q, "LIMIT", "too many messages to sort");
	for (size_t k = 0; k < q->is.nsort; k++) {
		if (is_number(q->is.sort[k].key))
			continue;
		want |= wanted(q->is.sort[k].key);
		q->strings[k] = arena_array(q->mem, q->n + 1, sizeof(*q->strings[k]));
		if (q->strings[k] == NULL)
			return query_no(s, q, "LIMIT", "too many messages to sort");
	}
	if (want != 0)
		return query_keys(s, q, want, keep, sort);
	q->step = sort;
	return QUERY_GO;
}

static void
ready(struct query *q)
{
	q->note = note;
	for (size_t k = 0; k < q->is.nsort; k++)
		q->wants_number[k] = is_number(q->is.sort[k].key);
}

enum imap_did
cmd_sort(struct imap_session *s)
{
	return query_run(s, lex_sort, ready, found);
}
