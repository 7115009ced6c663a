/* SPDX-License-Identifier: ISC */
/*
 * FETCH and UID FETCH (RFC 9051 6.4.5; doc/fetch.md): the order of work, slice by slice.
 * How it begins is in imap_fetch_begin.c, what is said of a message in imap_fetch_row.c
 * and imap_fetch_body.c.
 */
#include "base/fs.h"
#include "base/log.h"
#include "imap/imap_fetch_texts.h"

/* ---- the windows of a slice ---- */

static enum fetch_got
next_message(struct fetch *f)
{
	fs_close(&f->fd);
	if (arena_used(f->work) > FETCH_WORK_ENOUGH)
		arena_reset(f->work);
	f->i++;
	return FETCH_ON;
}

static enum fetch_got
step_messages(struct fetch *f)
{
	size_t end = f->needs_texts ? f->loaded : f->nrows;

	while (f->i < end && !imap_full(f->s)) {
		if ((f->needs_file && !fetch_open(f)) || !fetch_put_row(f)) {
			next_message(f);
			continue;
		}
		if (f->want.nsections > 0) {
			f->section = 0;
			f->step = fetch_sections;
			return FETCH_ON;
		}
		fetch_end_row(f);
	}
	if (f->i == end) {
		if (f->needs_texts)
			fetch_keep_made(f);
		f->step = fetch_rows;
	}
	return FETCH_ON;
}

void
fetch_end_row(struct fetch *f)
{
	/* an answer has one item at least */
	if (f->first) {
		fetch_put_blank(f);
		buf_add(&f->s->out, STR("UID "));
		buf_addu(&f->s->out, f->rows[f->i].uid);
	}
	buf_add(&f->s->out, STR(")\r\n"));
	f->s->cmd.within = false;
	f->told++;
	(void)next_message(f);
	f->step = step_messages;
}

/* Texts of the next rows; fewer at a time where they are long. */
static enum fetch_got
step_texts(struct fetch *f)
{
	struct imap_session *s = f->s;
	struct err err = { 0 };
	enum rc rc;
	size_t n;

	for (;;) {
		rc = fetch_load(f, &n, &err);
		if (rc != RC_LIMIT || n == 1)
			break;
		f->window = n / 2;
		f->narrow = true;
	}
	if (rc != RC_OK) {
		(void)imap_failed(s, rc, &err);
		f->failed = true;
		return FETCH_END;
	}
	f->loaded = f->from + n;
	memset(f->learnt, 0, n * sizeof(*f->learnt));
	f->step = fetch_unknown(f) ? fetch_learn : step_messages;
	return FETCH_ON;
}

void
fetch_learnt(struct fetch *f)
{
	f->step = step_messages;
}

/* ---- slices ---- */

/* The next rows of the UIDs that were asked for. */
static void
rows_listed(struct fetch *f)
{
	size_t n = f->n - f->at < f->room ? f->n - f->at : f->room, i;
	uint64_t bytes = 0;

	view_rows(f->s->box.view, f->uids + f->at, n, f->rows);
	for (i = 0; i < n && (!f->sets_seen || bytes < FETCH_SEEN_BYTES); i++) {
		if (f->rows[i].uid == 0) {
			f->gone++;
			continue;
		}
		bytes += f->rows[i].size;
		if (f->nrows != i)
			f->rows[f->nrows] = f->rows[i];
		f->nrows++;
	}
	f->at += i;
}

/* The next rows that have changed, of those that were asked for. */
static void
rows_changed(struct fetch *f)
{
	size_t got = view_changed(
		f->s->box.view, f->next, f->want.changed, f->rows, f->room);
	uint64_t bytes = 0;
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; i < got && (!f->sets_seen || bytes < FETCH_SEEN_BYTES); i++) {
		last = f->rows[i].uid;
		while (f->at < f->n && f->uids[f->at] < last)
			f->at++;
		if (f->at == f->n || f->uids[f->at] != last)
			continue;
		bytes += f->rows[i].size;
		if (f->nrows != i)
			f->rows[f->nrows] = f->rows[i];
		f->nrows++;
	}
	if (got == 0 || last == UINT32_MAX)
		f->at = f->n;
	else
		f->next = last + 1;
}

/*
 * \Seen is set before the messages are told, so that the answer can have the flags; a client
 * that is cut off in between has some messages seen that it has not read, FETCH_SEEN_BYTES
 * of them at most.  Where the disk does not take it reading goes on.
 */
static void
set_seen(struct fetch *f)
{
	struct imap_session *s = f->s;
	const struct change_flags c = { .how = CHANGE_ADD, .flags = STORE_SEEN };
	struct store_place at = { s->account, view_mailbox(s->box.view) };
	uint32_t uids[FETCH_SLICE];
	uint64_t modseq = 0;
	struct err err = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < f->nrows; i++) {
		f->newly[i] = (f->rows[i].flags & STORE_SEEN) == 0;
		if (f->newly[i])
			uids[n++] = f->rows[i].uid;
	}
	if (n == 0)
		return;
	enum rc rc = change_flags(
		s->house->store, at, uids, n, &c, &modseq, NULL, NULL, &err);
	if (rc != RC_OK) {
		log_warn("msg=\"messages are not marked as seen\" why=\"%s\"", err.text);
		memset(f->newly, 0, f->room * sizeof(*f->newly));
		return;
	}
	if (modseq > 0)
		imap_told(s, modseq);
	for (size_t i = 0; i < f->nrows; i++)
		if (f->newly[i])
			view_rows(s->box.view, &(uint32_t){ f->rows[i].uid }, 1,
				&f->rows[i]);
}

enum fetch_got
fetch_rows(struct fetch *f)
{
	if (f->i < f->nrows) { /* the next window of the same slice */
		f->from = f->i;
		f->step = step_texts;
		return FETCH_ON;
	}
	f->nrows = f->i = f->from = 0;
	if (f->at == f->n)
		return FETCH_END;
	if (f->want.has_changed)
		rows_changed(f);
	else
		rows_listed(f);
	if (f->sets_seen)
		set_seen(f);
	if (f->nrows > 0)
		f->step = f->needs_texts ? step_texts : step_messages;
	return FETCH_ON;
}

/* ---- the end ---- */

/*
 * Messages that others expunged are not told: what was answered is true, so it is
 * OK, as RFC 5530 has it in its example; but NO (RFC 2180 4.1.3) where nothing at all was
 * there to be told.  With UIDs it is no matter (RFC 9051 6.4.9).
 */
static enum imap_did
finish(struct fetch *f)
{
	struct imap_session *s = f->s;

	if (f->failed)
		return IMAP_DONE;
	if (f->unknown_cte)
		return imap_no(s, "UNKNOWN-CTE", "a part is encoded in no known way");
	if (f->corrupt)
		return imap_no(s, "CORRUPTION", "the file of a message is not as it was");
	if (f->unavailable)
		return imap_no(
			s, "UNAVAILABLE", "not all could be found out at the moment");
	if (f->gone > 0 && f->exact && f->told == 0)
		return imap_no(s, "EXPUNGEISSUED", "the messages have been expunged");
	if (f->gone > 0 && f->exact)
		return imap_ok(s, "EXPUNGEISSUED", "some messages have been expunged");
	return imap_ok(s, NULL, "FETCH completed");
}

enum imap_did
cmd_fetch(struct imap_session *s)
{
	struct fetch *f = s->cmd.state;

	if (f == NULL && (f = fetch_begin(s)) == NULL)
		return IMAP_DONE;
	while (!imap_full(s) && buf_ok(&s->out)) {
		switch (f->step(f)) {
		case FETCH_ON:
			break;
		case FETCH_WAIT:
			return IMAP_WAIT;
		case FETCH_END:
			return finish(f);
		}
	}
	return IMAP_MORE;
}
