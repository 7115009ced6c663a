/* SPDX-License-Identifier: ISC */
/*
 * What FETCH says of a message without its file (RFC 9051 7.5.2).
 *
 * A message whose facts even a scanner cannot tell (past its limits, or it died of it) is
 * answered all the same, with nothing that is untrue: an envelope of NILs, an empty
 * preview, and as its structure one application/octet-stream in "binary", which is what
 * bytes are of which no more is known; its BODY[1] is then the text as it stands.
 */
#include "imap/imap_fetch_texts.h"
#include "mime/header.h"
#include "wire/imap_structure.h"

void
fetch_put_blank(struct fetch *f)
{
	if (!f->first)
		buf_addc(&f->s->out, ' ');
	f->first = false;
}

static void
put_name(struct fetch *f, str name)
{
	fetch_put_blank(f);
	buf_add(&f->s->out, name);
}

/* Did the scanner say that it never will know? */
static bool
never(struct fetch *f)
{
	const struct fetch_learnt *l = &f->learnt[f->i - f->from];

	return l->tried && l->rc != RC_TEMP;
}

static void
put_envelope(struct fetch *f)
{
	const struct store_texts *t = fetch_texts(f);
	struct fact_envelope e = { 0 };
	bool known = t->envelope.len > 0;

	if (fetch_items(f)->envelope.len > 0) {
		put_name(f, STR("ENVELOPE "));
		buf_add(&f->s->out, fetch_items(f)->envelope);
		return;
	}
	if (!known && !never(f)) {
		f->unavailable = true;
		return;
	}
	/* a record that cannot be read is as one that nobody could make */
	if (known && facts_unpack_envelope(t->envelope, f->work, &e) != RC_OK) {
		e = (struct fact_envelope){ 0 };
		known = false;
	}
	put_name(f, STR("ENVELOPE "));
	size_t at = f->s->out.len;
	imap_put_envelope(&f->s->out, &e);
	if (known)
		fetch_made(f, STORE_ITEM_ENVELOPE, at);
}

/* One part that says nothing; its header ends where that of any message does. */
static bool
unknown_structure(struct fetch *f, uint64_t bytes)
{
	struct fact_part *p = arena_new_of(f->work, struct fact_part);
	uint64_t header = fetch_header_bytes(f);

	if (p == NULL)
		return false;
	if (bytes > UINT32_MAX) /* it could not be said of a part */
		bytes = UINT32_MAX;
	header = header < bytes ? header : bytes;
	*p = (struct fact_part){ .kind = FACT_LEAF,
		.body_at = (uint32_t)header,
		.end = (uint32_t)bytes,
		.type = STR("application"),
		.subtype = STR("octet-stream"),
		.encoding = STR("binary") };
	f->structure = (struct fact_structure){ 1, p };
	return true;
}

bool
fetch_structure(struct fetch *f)
{
	const struct store_texts *t = fetch_texts(f);
	uint64_t size = f->rows[f->i].size;
	uint64_t bytes = size > t->trace_bytes ? size - t->trace_bytes : 0;

	if (f->structure.n > 0)
		return true;
	f->structure_known = t->structure.len > 0 &&
			     facts_unpack_structure(t->structure, bytes, f->work,
				     &f->structure) == RC_OK &&
			     f->structure.n > 0;
	if (f->structure_known)
		return true;
	f->structure = (struct fact_structure){ 0 };
	if (t->structure.len > 0 || never(f))
		return unknown_structure(f, bytes);
	f->unavailable = true;
	return false;
}

static void
put_structure(struct fetch *f, bool extended)
{
	if (!fetch_structure(f))
		return;
	put_name(f, extended ? STR("BODYSTRUCTURE ") : STR("BODY "));
	size_t at = f->s->out.len;
	imap_put_structure(&f->s->out, &f->structure, 0, extended);
	if (extended && f->structure_known)
		fetch_made(f, STORE_ITEM_STRUCTURE, at);
}

static void
put_bodystructure(struct fetch *f)
{
	str made = fetch_items(f)->structure;

	if (made.len == 0) {
		put_structure(f, true);
		return;
	}
	put_name(f, STR("BODYSTRUCTURE "));
	buf_add(&f->s->out, made);
}

static void
put_preview(struct fetch *f)
{
	const struct store_texts *t = fetch_texts(f);
	bool lazy = (f->want.items & ITEM_PREVIEW_LAZY) != 0;

	if (!t->known_preview && !lazy && !never(f)) {
		f->unavailable = true;
		return;
	}
	put_name(f, STR("PREVIEW "));
	if (t->known_preview || !lazy)
		imap_put_string(&f->s->out, t->preview);
	else
		buf_add(&f->s->out, STR("NIL")); /* RFC 8970 4.1 */
}

static void
put_texts(struct fetch *f)
{
	unsigned items = f->want.items;

	if ((items & ITEM_ENVELOPE) != 0)
		put_envelope(f);
	if ((items & ITEM_BODY) != 0)
		put_structure(f, false);
	if ((items & ITEM_BODYSTRUCTURE) != 0)
		put_bodystructure(f);
	if ((items & (ITEM_PREVIEW | ITEM_PREVIEW_LAZY)) != 0)
		put_preview(f);
}

static void
put_date(struct fetch *f, str name, uint64_t ms)
{
	put_name(f, name);
	imap_put_date_time(&f->s->out, ms);
}

/* RFC 8474: letters in front, so that an id is never taken for a number or NIL. */
static void
put_ids(struct fetch *f, const struct view_row *r)
{
	struct buf *b = &f->s->out;

	if ((f->want.items & ITEM_EMAILID) != 0) {
		put_name(f, STR("EMAILID (M"));
		buf_add(b, msg_id_str(&r->id));
		buf_addc(b, ')');
	}
	if ((f->want.items & ITEM_THREADID) == 0)
		return;
	if (r->thread == 0) {
		put_name(f, STR("THREADID NIL"));
		return;
	}
	put_name(f, STR("THREADID (T"));
	buf_addu(b, r->thread);
	buf_addc(b, ')');
}

static bool
is_recent(const struct imap_session *s, uint32_t uid)
{
	return !imap_rev2(s) && uid >= s->box.recent;
}

static void
put_numbers(struct fetch *f, const struct view_row *r)
{
	struct imap_session *s = f->s;
	unsigned items = f->want.items;
	bool newly = f->newly[f->i];

	/* RFC 7162 3.2.4: both, when it was this command that set \Seen */
	if (newly && (s->enabled & ENABLED_CONDSTORE) != 0)
		items |= ITEM_UID | ITEM_MODSEQ;
	if ((items & ITEM_UID) != 0) {
		put_name(f, STR("UID "));
		buf_addu(&s->out, r->uid);
	}
	if ((items & ITEM_FLAGS) != 0 || newly) {
		put_name(f, STR("FLAGS "));
		imap_put_flags(&s->out, r->flags, is_recent(s, r->uid), r->keywords);
	}
	if ((items & ITEM_MODSEQ) != 0) {
		put_name(f, STR("MODSEQ ("));
		buf_addu(&s->out, r->modseq);
		buf_addc(&s->out, ')');
	}
	if ((items & ITEM_SIZE) != 0) {
		put_name(f, STR("RFC822.SIZE "));
		buf_addu(&s->out, r->size);
	}
}

static size_t
number_of(struct fetch *f, uint32_t uid)
{
	const struct view_list *l = f->s->box.list;

	/* mostly they come one after the other */
	if (f->seq < view_list_count(l) && view_list_uid(l, f->seq + 1) == uid)
		return ++f->seq;
	return f->seq = view_list_seq(l, uid);
}

static bool
there(struct fetch *f)
{
	if (f->rows[f->i].uid == 0 ||
		(f->needs_texts && fetch_texts(f)->header_bytes == UINT32_MAX)) {
		f->gone++;
		return false;
	}
	if (f->needs_texts && f->learnt[f->i - f->from].rc == RC_NONE) {
		fetch_missing(f);
		return false;
	}
	return true;
}

bool
fetch_put_row(struct fetch *f)
{
	const struct view_row *r = &f->rows[f->i];
	struct buf *b = &f->s->out;
	unsigned items = f->want.items;

	if (!there(f))
		return false;
	f->first = true;
	f->s->cmd.within = true;
	f->structure = (struct fact_structure){ 0 };
	buf_add(b, STR("* "));
	buf_addu(b, number_of(f, r->uid));
	buf_add(b, STR(" FETCH ("));
	put_numbers(f, r);
	if ((items & ITEM_INTERNALDATE) != 0)
		put_date(f, STR("INTERNALDATE "), r->received_ms);
	if ((items & ITEM_SAVEDATE) != 0)
		put_date(f, STR("SAVEDATE "), r->saved_ms);
	if ((items & (ITEM_EMAILID | ITEM_THREADID)) != 0)
		put_ids(f, r);
	if (f->needs_texts)
		put_texts(f);
	return true;
}
