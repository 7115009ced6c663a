/* SPDX-License-Identifier: ISC */
/* The primary tree as facts: what IMAP's BODYSTRUCTURE is made of. */
#include "scan/scan_int.h"

/* An early end of what would not be kept anyway: about what it takes when packed. */
struct making {
	str message;
	struct arena *mem;
	struct fact_structure *out;
	size_t bytes;
	uint16_t around[MIME_DEPTH + 2]; /* by depth: 1 + the part's index */
};

/* Views into the message do not outlive it. */
static bool
keep(struct making *m, str *s)
{
	m->bytes += s->len;
	return s->len == 0 || arena_copy(m->mem, *s, s) == RC_OK;
}

static enum rc
params(struct making *m, const struct mime_value *v, size_t *n, struct fact_param **out)
{
	if (v->n == 0)
		return RC_OK;
	*out = arena_array(m->mem, v->n, sizeof(**out));
	if (*out == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < v->n; i++) {
		const struct mime_param *p = &v->params[i];

		if (p->name.len == 0) /* IMAP shows nothing of it */
			continue;
		(*out)[*n] = (struct fact_param){ p->name, p->value };
		if (!keep(m, &(*out)[*n].name) || !keep(m, &(*out)[*n].value))
			return RC_LIMIT;
		m->bytes += 4;
		++*n;
	}
	return RC_OK;
}

static size_t
list_bytes(const struct fact_list *l)
{
	size_t n = 2;

	for (size_t i = 0; i < l->n; i++)
		n += 12 + l->at[i].name.len + l->at[i].mailbox.len + l->at[i].host.len;
	return n;
}

static enum rc
envelope(struct making *m, const struct mime_part *p, struct fact_part *f)
{
	struct facts inner = { .date_s = INT64_MIN };
	const struct mime_part *child = p->first;

	f->envelope = arena_new_of(m->mem, struct fact_envelope);
	if (f->envelope == NULL)
		return RC_LIMIT;
	if (child == NULL)
		return RC_OK;
	str block = str_first(str_skip(m->message, child->header_at),
		child->body_at - child->header_at);
	enum rc rc = scan_header(block, STR(""), m->mem, &inner, NULL);
	*f->envelope = inner.envelope;
	const struct fact_envelope *e = f->envelope;
	m->bytes += e->date.len + e->subject.len + e->in_reply_to.len +
		    e->message_id.len + list_bytes(&e->from) + list_bytes(&e->sender) +
		    list_bytes(&e->reply_to) + list_bytes(&e->to) + list_bytes(&e->cc) +
		    list_bytes(&e->bcc);
	return rc;
}

static enum rc
one(struct making *m, const struct mime_part *p)
{
	static const enum fact_kind kinds[] = { [MIME_LEAF] = FACT_LEAF,
		[MIME_MULTIPART] = FACT_MULTIPART,
		[MIME_MESSAGE] = FACT_MESSAGE };
	struct fact_part *f = &m->out->parts[m->out->n];

	*f = (struct fact_part){ .kind = kinds[p->kind],
		.up = p->depth == 0 ? 0 : m->around[p->depth - 1],
		.header_at = (uint32_t)p->header_at,
		.body_at = (uint32_t)p->body_at,
		.end = (uint32_t)p->end,
		.header_lines = p->header_lines,
		.body_lines = p->body_lines,
		.type = p->type,
		.subtype = p->subtype,
		.encoding = mime_encoding_shown(p),
		.id = p->id,
		.description = p->description,
		.md5 = p->md5,
		.location = p->location,
		.language = p->language,
		.disposition = p->disposition.value,
		.text = str_ieq(p->type, STR("text")) };
	m->around[p->depth] = (uint16_t)++m->out->n;
	m->bytes += 24;
	if (!keep(m, &f->type) || !keep(m, &f->subtype) || !keep(m, &f->encoding) ||
		!keep(m, &f->id) || !keep(m, &f->description) || !keep(m, &f->md5) ||
		!keep(m, &f->location) || !keep(m, &f->language) ||
		!keep(m, &f->disposition))
		return RC_LIMIT;
	if (params(m, &p->content_type, &f->nparams, &f->params) != RC_OK ||
		params(m, &p->disposition, &f->ndisposition, &f->disposition_params) !=
			RC_OK)
		return RC_LIMIT;
	return p->kind == MIME_MESSAGE ? envelope(m, p, f) : RC_OK;
}

enum rc
scan_structure(str message, const struct mime_tree *tree, struct arena *mem,
	struct fact_structure *out)
{
	struct fact_structure got = { 0 };
	struct making m = { .message = message, .mem = mem, .out = &got };
	size_t n = 0;

	*out = (struct fact_structure){ 0 };
	for (const struct mime_part *p = tree->top; p != NULL; p = mime_next(p))
		if (++n > FACTS_PARTS || p->depth > MIME_DEPTH)
			return RC_OK;
	got.parts = arena_array(mem, n, sizeof(*got.parts));
	if (got.parts == NULL)
		return RC_LIMIT;
	for (const struct mime_part *p = tree->top; p != NULL; p = mime_next(p)) {
		if (one(&m, p) != RC_OK)
			return RC_LIMIT;
		if (m.bytes > FACTS_STRUCTURE)
			return RC_OK;
	}
	*out = got;
	return RC_OK;
}
