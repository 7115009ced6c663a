/* SPDX-License-Identifier: ISC */
/* THREAD (RFC 5256): the algorithms are in imap_threads.h. */
#include "imap/imap_order.h"
#include "imap/imap_query.h"

static void
note(struct query *q, size_t i, const struct view_row *row)
{
	q->numbers[0][i] = order_signed(query_sent(row));
}

static void
keep(struct query *q, size_t i, const struct view_order *o)
{
	q->messages[i] = (struct thread_message){ .id = o->message_id,
		.subject = o->subject,
		.nrefs = (uint32_t)o->nrefs,
		.refs = o->refs,
		.reply = o->reply };
}

static void
make_threads(void *arg)
{
	struct query *q = arg;
	struct order_key date = { .numbers = q->numbers[0] };

	q->rc = order_sort(&date, 1, q->n, q->mem, q->order, &q->err);
	if (q->rc == RC_OK && q->is.thread == THREAD_REFERENCES)
		q->rc = threads_by_references(
			q->messages, q->order, q->n, q->mem, &q->threads, &q->err);
	else if (q->rc == RC_OK)
		q->rc = threads_by_subject(
			q->messages, q->order, q->n, q->mem, &q->threads, &q->err);
}

static enum query_did
put(struct imap_session *s, struct query *q)
{
	if (!threads_put(&q->threads, s->cmd.uid ? q->uids : q->seqs, &s->out, QUERY_PUT))
		return QUERY_TURN;
	(void)imap_ok(s, NULL, "that is all");
	return QUERY_DONE;
}

static enum query_did
made(struct imap_session *s, struct query *q)
{
	if (q->rc != RC_OK)
		return query_failed(s, q, q->rc, &q->err);
	q->step = put;
	return QUERY_GO;
}

static enum query_did
thread(struct imap_session *s, struct query *q)
{
	return query_work(s, q, make_threads, made);
}

static enum query_did
found(struct imap_session *s, struct query *q)
{
	q->messages = arena_array(q->mem, q->n + 1, sizeof(*q->messages));
	q->order = arena_array(q->mem, q->n + 1, sizeof(*q->order));
	if (q->messages == NULL || q->order == NULL)
		return query_no(s, q, "LIMIT", "too many messages to thread");
	unsigned want = q->is.thread == THREAD_REFERENCES ? VIEW_SUBJECT | VIEW_REFS
							  : VIEW_SUBJECT;

	return query_keys(s, q, want, keep, thread);
}

static void
ready(struct query *q)
{
	q->note = note;
	q->wants_number[0] = true;
}

enum imap_did
cmd_thread(struct imap_session *s)
{
	return query_run(s, lex_thread, ready, found);
}
