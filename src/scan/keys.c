/* SPDX-License-Identifier: ISC */
/* What the index keeps of a header: its fields as they stand, and what SORT and THREAD
 * compare. */
#include "mime/header.h"
#include "mime/msgid.h"
#include "mime/word.h"
#include "scan/scan_int.h"
#include "wire/head.h"
#include "wire/plain.h"
#include "wire/smtp_trace.h"
#include "wire/sortkey.h"

struct making {
	struct charsets *cs;
	struct arena *mem;
	struct facts *f;
	struct head head;
	size_t forged; /* of f->forged, the next one */
	str references, in_reply_to; /* raw; the first of each */
};

/* As the gate will write it: one letter is another. */
static enum rc
renamed(struct making *k, const struct header_field *f, str *name)
{
	char before_name[1 + SMTP_TRACE_NAME] = "\n";
	str looked_at = str_first(f->name, SMTP_TRACE_NAME);
	size_t letter;

	if (looked_at.len > 0)
		memcpy(before_name + 1, looked_at.ptr, looked_at.len);
	if (!smtp_trace_forged((str){ before_name, 1 + looked_at.len }, &letter))
		return RC_OK;
	char *copy = arena_alloc(k->mem, f->name.len);
	if (copy == NULL)
		return RC_LIMIT;
	memcpy(copy, f->name.ptr, f->name.len);
	copy[letter] = 'x';
	*name = (str){ copy, f->name.len };
	return RC_OK;
}

static enum rc
keep_field(struct making *k, str block, const struct header_field *f, size_t end)
{
	struct head_field *to = &k->head.fields[k->head.n++];

	*to = (struct head_field){ f->name,
		str_first(str_skip(block, f->offset), end - f->offset) };
	if (k->forged == k->f->nforged || k->f->forged[k->forged] != f->offset)
		return RC_OK;
	k->forged++;
	to->bytes = (str){ 0 };
	return renamed(k, f, &to->name);
}

static void
note_references(struct making *k, const struct header_field *f)
{
	if (k->references.ptr == NULL && str_ieq(f->name, STR("References")))
		k->references = f->value;
	if (k->in_reply_to.ptr == NULL && str_ieq(f->name, STR("In-Reply-To")))
		k->in_reply_to = f->value;
}

/* One field more than are kept says that there are too many. */
static enum rc
gather(struct making *k, str block, bool traced)
{
	struct header_reader r;
	struct header_field f;
	enum header_got got;
	enum rc rc = RC_OK;

	k->head.fields = arena_array(k->mem, HEAD_FIELDS + 2, sizeof(*k->head.fields));
	if (k->head.fields == NULL)
		return RC_LIMIT;
	/* so that nobody takes the fields that follow for all there are */
	if (traced)
		k->head.fields[k->head.n++].name = STR("X-Gatepost-Pad");
	header_begin(&r, block);
	while (rc == RC_OK &&
		((got = header_next(&r, &f)) == HEADER_FIELD || got == HEADER_BAD)) {
		if (got == HEADER_BAD)
			continue;
		note_references(k, &f);
		if (k->head.n <= HEAD_FIELDS)
			rc = keep_field(k, block, &f, r.at);
	}
	return rc;
}

static enum rc
put_head(struct making *k)
{
	BUF_AUTO b = BUF(HEAD_MOST);

	head_pack(&b, &k->head);
	return arena_copy(k->mem, buf_str(&b), &k->f->head);
}

/* Folded and cut, from any bytes. */
static enum rc
folded(struct making *k, str s, str *out)
{
	BUF_AUTO b = BUF(16 * SORTKEY_STR);

	sortkey_fold(plain_cut(s, SORTKEY_STR), &b);
	return arena_copy(k->mem, buf_str(&b), out);
}

/* RFC 5256 2.1 (1): blanks of any kind and number are one space. */
static enum rc
subject(struct making *k, struct sortkey *key)
{
	uint64_t odd = 0;
	size_t n = 0;
	str text, base;

	if (mime_words(k->f->envelope.subject, k->cs, FACTS_STR, k->mem, &text, &odd) !=
		RC_OK)
		return RC_LIMIT;
	char *one = arena_alloc(k->mem, text.len + 1);
	if (one == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i] == '\t' ? ' ' : text.ptr[i];

		if (c != ' ' || n == 0 || one[n - 1] != ' ')
			one[n++] = c;
	}
	sortkey_base((str){ one, n }, &base, &key->reply);
	return folded(k, base, &key->subject);
}

static enum rc
mailbox(struct making *k, const struct fact_list *l, str *out)
{
	return l->n == 0 ? RC_OK : folded(k, l->at[0].mailbox, out);
}

/* RFC 5957 3 */
static enum rc
display(struct making *k, const struct fact_list *l, str *out)
{
	BUF_AUTO b = BUF(2 * FACTS_STR + 1);
	uint64_t odd = 0;
	str name;

	if (l->n == 0)
		return RC_OK;
	const struct fact_address *a = &l->at[0];
	if (mime_words(a->name, k->cs, FACTS_STR, k->mem, &name, &odd) != RC_OK)
		return RC_LIMIT;
	if (name.len > 0)
		return folded(k, name, out);
	buf_add(&b, a->mailbox);
	if (a->mailbox.len > 0 && a->host.len > 0) {
		buf_addc(&b, '@');
		buf_add(&b, a->host);
	}
	return folded(k, buf_str(&b), out);
}

/* RFC 5256 REFERENCES (1): In-Reply-To's first, where References has none. */
static enum rc
references(struct making *k, struct sortkey *key)
{
	struct msgid_list ids = { 0 };
	str plain;

	if (header_unfold(k->references, HEADER_BYTES, k->mem, &plain) != RC_OK ||
		msgid_parse(plain, SORTKEY_REFS, k->mem, &ids) != RC_OK)
		return RC_LIMIT;
	if (ids.n == 0) {
		if (header_unfold(k->in_reply_to, HEADER_BYTES, k->mem, &plain) !=
				RC_OK ||
			msgid_parse(plain, SORTKEY_REFS, k->mem, &ids) != RC_OK)
			return RC_LIMIT;
		ids.n = ids.n > 1 ? 1 : ids.n;
	}
	key->refs = arena_array(k->mem, ids.n, sizeof(*key->refs));
	if (key->refs == NULL)
		return RC_LIMIT;
	for (; key->nrefs < ids.n; key->nrefs++)
		key->refs[key->nrefs] = sortkey_hash(ids.at[key->nrefs]);
	if (msgid_parse(k->f->envelope.message_id, 1, k->mem, &ids) != RC_OK)
		return RC_LIMIT;
	key->message_id = ids.n > 0 ? sortkey_hash(ids.at[0]) : 0;
	return RC_OK;
}

static enum rc
put_sortkey(struct making *k)
{
	const struct fact_envelope *e = &k->f->envelope;
	BUF_AUTO b = BUF(SORTKEY_MOST);
	struct sortkey key = { 0 };

	if (subject(k, &key) != RC_OK || mailbox(k, &e->from, &key.from) != RC_OK ||
		mailbox(k, &e->to, &key.to) != RC_OK ||
		mailbox(k, &e->cc, &key.cc) != RC_OK ||
		display(k, &e->from, &key.display_from) != RC_OK ||
		display(k, &e->to, &key.display_to) != RC_OK ||
		references(k, &key) != RC_OK)
		return RC_LIMIT;
	sortkey_pack(&b, &key);
	return arena_copy(k->mem, buf_str(&b), &k->f->sortkey);
}

enum rc
scan_keys(str block, bool traced, struct charsets *cs, struct arena *mem, struct facts *f,
	struct err *err)
{
	struct making k = { .cs = cs, .mem = mem, .f = f };

	if (gather(&k, block, traced) != RC_OK || put_head(&k) != RC_OK ||
		put_sortkey(&k) != RC_OK)
		return err_set(
			err, RC_LIMIT, "the header needs more memory than a scanner has");
	f->known_head = true;
	return RC_OK;
}
