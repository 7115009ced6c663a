/* SPDX-License-Identifier: ISC */
#include "imap/imap_section.h"

/* The k-th part directly within the one with this index, from 1; NULL: there is none. */
static const struct fact_part *
child(const struct fact_structure *s, size_t index, uint32_t k)
{
	for (size_t i = index + 1; i < s->n && s->parts[i].up > index; i++)
		if (s->parts[i].up == index + 1 && --k == 0)
			return &s->parts[i];
	return NULL;
}

/* Number k within a message whose only part has this index: of a multipart that
 * one's k-th part, else 1 is the part itself. */
static const struct fact_part *
in_message(const struct fact_structure *s, size_t index, uint32_t k)
{
	if (s->parts[index].kind == FACT_MULTIPART)
		return child(s, index, k);
	return k == 1 ? &s->parts[index] : NULL;
}

static const struct fact_part *
find(const struct fact_structure *s, const uint32_t *number, size_t depth)
{
	const struct fact_part *p;

	if (s == NULL || s->n == 0 || number[0] == 0)
		return NULL;
	p = in_message(s, 0, number[0]);
	for (size_t i = 1; i < depth && p != NULL; i++) {
		size_t index = (size_t)(p - s->parts);

		if (number[i] == 0 || p->kind == FACT_LEAF)
			return NULL;
		p = p->kind == FACT_MULTIPART ? child(s, index, number[i])
					      : in_message(s, index + 1, number[i]);
	}
	return p;
}

static bool
of_message(
	const struct imap_layout *l, enum imap_section_kind kind, struct imap_span *out)
{
	uint64_t body = (uint64_t)l->trace + l->header;

	if (body > l->size)
		body = l->size;
	*out = (struct imap_span){ .at = 0, .end = l->size };
	switch (kind) {
	case SECTION_ALL:
		return true;
	case SECTION_HEADER:
	case SECTION_FIELDS:
	case SECTION_FIELDS_NOT:
		out->end = body;
		return true;
	case SECTION_TEXT:
		out->at = body;
		return true;
	case SECTION_MIME:
		break;
	}
	return false;
}

static bool
of_part(const struct imap_layout *l, const struct fact_part *p,
	enum imap_section_kind kind, struct imap_span *out)
{
	/* a message's header is that of the one part that it has */
	bool of_its_message = kind != SECTION_ALL && kind != SECTION_MIME;
	const struct fact_part *q = p;

	if (of_its_message && p->kind != FACT_MESSAGE)
		return false;
	if (of_its_message)
		q = p + 1;
	*out = (struct imap_span){ .at = q->header_at, .end = q->body_at, .part = p };
	if (kind == SECTION_ALL || kind == SECTION_TEXT) {
		out->at = q->body_at;
		out->end = q->end;
	}
	out->at += l->trace;
	out->end += l->trace;
	/* 1.MIME of a message with a single part is the message's header */
	if (q == l->structure->parts && kind == SECTION_MIME)
		out->at = 0;
	return out->end <= l->size;
}

bool
imap_section_span(
	const struct imap_layout *l, const struct imap_section *s, struct imap_span *out)
{
	const struct fact_part *p;

	if (s->depth == 0)
		return of_message(l, s->kind, out);
	p = find(l->structure, s->part, s->depth);
	return p != NULL && of_part(l, p, s->kind, out);
}

void
imap_section_partial(
	const struct imap_section *s, uint64_t bytes, uint64_t *first, uint64_t *count)
{
	*first = 0;
	*count = bytes;
	if (!s->partial)
		return;
	*first = s->first < bytes ? s->first : bytes;
	*count = s->count < bytes - *first ? s->count : bytes - *first;
}
