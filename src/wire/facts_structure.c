/* SPDX-License-Identifier: ISC */
/*
 * A structure: 1 byte version, 2 bytes number of parts, then the parts in order.
 * A part: 2 bytes of what it has (below), 2 bytes up, 12 bytes offsets, 8 bytes
 * lines, then the strings that are there (2-byte length each), parameters (2-byte
 * count, then name and value) and a message's envelope.  What is absent costs
 * nothing: the index keeps a row of these for every message.
 */
#include "mime/param.h"
#include "mime/tree.h"
#include "wire/facts_int.h"

enum {
	VERSION = 1,
	KIND_BITS = 3, /* a mask */
	HAS_TEXT = 1 << 2,
	HAS_STRING = 1 << 3, /* the first; the others follow */
	STRINGS = 9,
	HAS_PARAMS = 1 << 12,
	HAS_DISPOSITION_PARAMS = 1 << 13,
	HAS_KNOWN = (1 << 14) - 1,
	PART_LEAST = 24,
};

/* In the order of their bits. */
static void
strings_of(struct fact_part *p, str *out[STRINGS])
{
	out[0] = &p->type;
	out[1] = &p->subtype;
	out[2] = &p->encoding;
	out[3] = &p->id;
	out[4] = &p->description;
	out[5] = &p->md5;
	out[6] = &p->location;
	out[7] = &p->language;
	out[8] = &p->disposition;
}

/* Strings of a message may hold what a line must not: RFC 9051 could not say it. */
static void
put_short(struct buf *b, str s)
{
	s = facts_cut(s);
	buf_le(b, s.len, 2);
	if (facts_one_line(s)) {
		buf_add(b, s);
		return;
	}
	for (size_t i = 0; i < s.len; i++)
		buf_addc(
			b, facts_one_line(str_first(str_skip(s, i), 1)) ? s.ptr[i] : '?');
}

static void
put_params(struct buf *b, const struct fact_param *at, size_t n)
{
	buf_le(b, n, 2);
	for (size_t i = 0; i < n; i++) {
		put_short(b, at[i].name);
		put_short(b, at[i].value);
	}
}

static void
put_part(struct buf *b, const struct fact_part *part)
{
	struct fact_part p = *part;
	str *strings[STRINGS];
	unsigned has = (unsigned)p.kind | (p.text ? HAS_TEXT : 0);

	if (p.nparams > PARAM_MOST)
		p.nparams = PARAM_MOST;
	if (p.ndisposition > PARAM_MOST)
		p.ndisposition = PARAM_MOST;
	strings_of(&p, strings);
	for (size_t i = 0; i < STRINGS; i++)
		has |= strings[i]->len > 0 ? (unsigned)HAS_STRING << i : 0;
	has |= p.nparams > 0 ? HAS_PARAMS : 0;
	has |= p.ndisposition > 0 ? HAS_DISPOSITION_PARAMS : 0;
	buf_le(b, has, 2);
	buf_le(b, p.up, 2);
	buf_le(b, p.header_at, 4);
	buf_le(b, p.body_at, 4);
	buf_le(b, p.end, 4);
	buf_le(b, p.header_lines, 4);
	buf_le(b, p.body_lines, 4);
	for (size_t i = 0; i < STRINGS; i++)
		if (strings[i]->len > 0)
			put_short(b, *strings[i]);
	if (p.nparams > 0)
		put_params(b, p.params, p.nparams);
	if (p.ndisposition > 0)
		put_params(b, p.disposition_params, p.ndisposition);
	if (p.kind == FACT_MESSAGE)
		facts_pack_envelope(b, p.envelope);
}

/* One part by itself. */
static bool
part_plausible(const struct fact_part *p, uint64_t message_size)
{
	if (p->header_at > p->body_at || p->body_at > p->end || p->end > message_size)
		return false;
	if (p->header_lines > p->body_at - p->header_at ||
		p->body_lines > p->end - p->body_at)
		return false;
	if (p->kind > FACT_MESSAGE || (p->envelope != NULL) != (p->kind == FACT_MESSAGE))
		return false;
	return !p->text || p->kind == FACT_LEAF;
}

/*
 * Parts come in depth-first order, so those that are still open are a stack: each
 * part lies within the innermost of them that is named by `up`, behind what came
 * before it there; those further in are closed by it.
 */
static bool
tree_plausible(const struct fact_part *parts, size_t n, uint64_t message_size)
{
	struct open {
		size_t index;
		uint32_t next_at;
	} open[MIME_DEPTH + 2];
	size_t depth = 0;

	for (size_t i = 0; i < n; i++) {
		const struct fact_part *p = &parts[i];

		while (depth > 0 && open[depth - 1].index + 1 != p->up)
			depth--;
		if (!part_plausible(p, message_size) || (depth == 0) != (i == 0) ||
			(i == 0 && p->up != 0) || depth > MIME_DEPTH)
			return false;
		if (depth > 0) {
			const struct fact_part *up = &parts[open[depth - 1].index];

			if (up->kind == FACT_LEAF || p->end > up->end ||
				p->header_at < open[depth - 1].next_at ||
				(up->kind == FACT_MESSAGE &&
					open[depth - 1].index + 1 != i))
				return false;
			open[depth - 1].next_at = p->end;
		}
		open[depth++] = (struct open){ i, p->body_at };
	}
	/* a message has exactly its one part: more were refused above, fewer here */
	for (size_t i = 0; i < n; i++)
		if (parts[i].kind == FACT_MESSAGE &&
			(i + 1 == n || parts[i + 1].up != i + 1))
			return false;
	return true;
}

static void
put_all(struct buf *b, const struct fact_structure *s)
{
	buf_le(b, VERSION, 1);
	buf_le(b, s->n, 2);
	for (size_t i = 0; i < s->n && buf_ok(b); i++)
		put_part(b, &s->parts[i]);
}

void
facts_pack_structure(struct buf *b, const struct fact_structure *s)
{
	static const struct fact_structure none = { 0 };
	BUF_AUTO one = BUF(FACTS_STRUCTURE);

	/* one that its reader would refuse is none: the message has to arrive */
	if (s->n > 0 && s->n <= FACTS_PARTS && tree_plausible(s->parts, s->n, UINT32_MAX))
		put_all(&one, s);
	if (one.len > 0 && buf_ok(&one))
		buf_add(b, buf_str(&one));
	else
		put_all(b, &none);
}

static str
get_short(struct pack *p)
{
	size_t n = (size_t)pack_le(p, 2);
	str s = str_first(p->left, n);

	if (p->bad || n > FACTS_STR || n > p->left.len || !facts_one_line(s)) {
		p->bad = true;
		return (str){ 0 };
	}
	p->left = str_skip(p->left, n);
	return s;
}

static enum rc
get_params(struct pack *p, struct arena *mem, struct fact_param **out, size_t *nout)
{
	size_t n = (size_t)pack_le(p, 2);

	if (!pack_ok(p) || n == 0 || n > PARAM_MOST || n > p->left.len / 4)
		return RC_BAD;
	struct fact_param *at = arena_array(mem, n, sizeof(*at));
	if (at == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < n; i++) {
		at[i].name = get_short(p);
		at[i].value = get_short(p);
	}
	*out = at;
	*nout = n;
	return pack_ok(p) ? RC_OK : RC_BAD;
}

static enum rc
get_variable(struct pack *p, struct arena *mem, unsigned has, struct fact_part *part)
{
	str *strings[STRINGS];
	enum rc rc = RC_OK;

	strings_of(part, strings);
	for (size_t i = 0; i < STRINGS; i++) {
		if ((has & (unsigned)HAS_STRING << i) == 0)
			continue;
		*strings[i] = get_short(p);
		if (strings[i]->len == 0)
			return RC_BAD;
	}
	if ((has & HAS_PARAMS) != 0)
		rc = get_params(p, mem, &part->params, &part->nparams);
	if (rc == RC_OK && (has & HAS_DISPOSITION_PARAMS) != 0)
		rc = get_params(p, mem, &part->disposition_params, &part->ndisposition);
	if (rc != RC_OK || part->kind != FACT_MESSAGE)
		return rc;
	part->envelope = arena_new_of(mem, struct fact_envelope);
	return part->envelope == NULL ? RC_LIMIT
				      : facts_get_envelope(p, mem, part->envelope);
}

static enum rc
get_part(struct pack *p, struct arena *mem, struct fact_part *part)
{
	unsigned has = (unsigned)pack_le(p, 2);

	if ((has & ~(unsigned)HAS_KNOWN) != 0 || (has & KIND_BITS) > FACT_MESSAGE)
		return RC_BAD;
	part->kind = (enum fact_kind)(has & KIND_BITS);
	part->text = (has & HAS_TEXT) != 0;
	part->up = (uint16_t)pack_le(p, 2);
	part->header_at = (uint32_t)pack_le(p, 4);
	part->body_at = (uint32_t)pack_le(p, 4);
	part->end = (uint32_t)pack_le(p, 4);
	part->header_lines = (uint32_t)pack_le(p, 4);
	part->body_lines = (uint32_t)pack_le(p, 4);
	enum rc rc = get_variable(p, mem, has, part);
	return rc == RC_OK && !pack_ok(p) ? RC_BAD : rc;
}

enum rc
facts_unpack_structure(
	str record, uint64_t message_size, struct arena *mem, struct fact_structure *s)
{
	struct pack p = { 0 };

	if (record.len > FACTS_STRUCTURE)
		return RC_BAD;
	if (arena_copy(mem, record, &p.left) != RC_OK)
		return RC_LIMIT;
	bool known = pack_le(&p, 1) == VERSION;
	size_t n = (size_t)pack_le(&p, 2);
	if (!pack_ok(&p) || !known || n > FACTS_PARTS || n > p.left.len / PART_LEAST)
		return RC_BAD;
	struct fact_part *parts = arena_array(mem, n, sizeof(*parts));
	if (parts == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < n; i++) {
		enum rc rc = get_part(&p, mem, &parts[i]);

		if (rc != RC_OK)
			return rc;
	}
	if (!pack_done(&p) || !tree_plausible(parts, n, message_size))
		return RC_BAD;
	*s = (struct fact_structure){ n, n > 0 ? parts : NULL };
	return RC_OK;
}
