/* SPDX-License-Identifier: ISC */
#include "wire/jrec.h"

#include "wire/facts.h"
#include "wire/pack.h"

/*
 * Layout, version 1 (everything little endian, strings with a 32-bit length):
 *
 *	message   version, id, time, client, helo, from, flags, size, digest, once,
 *	          findings, recipients (count, each with its targets), facts,
 *	          held, released (each a byte, then an id if it is 1), its number;
 *	          records of before end behind facts
 *	answered  version, id
 *	counts    version, minute, network, four counters
 *	pending   version, count, each: id, time, once
 *	append    version, account, mailbox, the mailbox and UID of what it replaces, count,
 *	          each: id, size, digest, time, flags, trace block's bytes, keywords, facts
 */
enum {
	VERSION = 1,
	LINE = 2048,
	ENHANCED = 16,
	FINDINGS = 16 * 1024,
	PENDING = 44,
	FLAGS = 31
};

static void
put_ip(struct buf *b, const struct ip *ip)
{
	buf_le(b, ip->family, 1);
	buf_add(b, (str){ (const char *)ip->bytes, sizeof(ip->bytes) });
	buf_le(b, ip->port, 2);
}

static void
get_ip(struct pack *p, struct ip *ip)
{
	ip->family = (uint8_t)pack_le(p, 1);
	pack_bytes(p, ip->bytes, sizeof(ip->bytes));
	ip->port = (uint16_t)pack_le(p, 2);
	if (ip->family != 0 && ip->family != 4 && ip->family != 6)
		p->bad = true;
}

static void
put_id(struct buf *b, const struct msg_id *id)
{
	buf_add(b, (str){ id->text, MSG_ID_LEN });
}

static void
get_id(struct pack *p, struct msg_id *id)
{
	pack_bytes(p, id->text, MSG_ID_LEN);
	id->text[MSG_ID_LEN] = '\0';
	if (!ids_valid((str){ id->text, MSG_ID_LEN }))
		p->bad = true;
}

/* An id, or "" for none. */
static void
put_some_id(struct buf *b, const struct msg_id *id)
{
	bool there = id->text[0] != '\0';

	buf_le(b, there, 1);
	if (there)
		put_id(b, id);
}

static void
get_some_id(struct pack *p, struct msg_id *id)
{
	uint64_t there = pack_le(p, 1);

	*id = (struct msg_id){ "" };
	if (there > 1)
		p->bad = true;
	if (there == 1)
		get_id(p, id);
}

static void
put_bytes(struct buf *b, const uint8_t *bytes, size_t n)
{
	buf_add(b, (str){ (const char *)bytes, n });
}

static void
put_rcpt(struct buf *b, const struct jrec_rcpt *r)
{
	pack_put_str(b, r->address);
	buf_le(b, r->answer, 1);
	buf_le(b, r->code, 2);
	pack_put_str(b, r->enhanced);
	pack_put_str(b, str_first(r->reason, JREC_REASON));
	buf_le(b, (uint32_t)r->score, 4);
	buf_le(b, r->has_token, 1);
	if (r->has_token)
		put_bytes(b, r->token, sizeof(r->token));
	buf_le(b, r->ntargets, 4);
	for (size_t i = 0; i < r->ntargets; i++)
		buf_le(b, r->targets[i], 8);
}

static enum rc
get_rcpt(struct pack *p, struct arena *mem, struct jrec_rcpt *r)
{
	r->address = pack_str(p, LINE);
	r->answer = (enum jrec_answer)pack_le(p, 1);
	r->code = (uint16_t)pack_le(p, 2);
	r->enhanced = pack_str(p, ENHANCED);
	r->reason = pack_str(p, JREC_REASON);
	r->score = (int32_t)(uint32_t)pack_le(p, 4);
	r->has_token = pack_le(p, 1) != 0;
	if (r->has_token)
		pack_bytes(p, r->token, sizeof(r->token));
	r->ntargets = (size_t)pack_le(p, 4);
	if (!pack_ok(p) || r->answer < JREC_DELIVERED || r->answer > JREC_NOT_NOW ||
		r->ntargets > JREC_TARGETS || r->ntargets > p->left.len / 8 ||
		(r->ntargets > 0 && r->answer != JREC_DELIVERED))
		return RC_BAD;
	r->targets = arena_array(mem, r->ntargets, sizeof(uint64_t));
	if (r->targets == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < r->ntargets; i++)
		r->targets[i] = pack_le(p, 8);
	return RC_OK;
}

void
jrec_put_message(struct buf *b, const struct jrec_message *m)
{
	buf_le(b, VERSION, 1);
	put_id(b, &m->id);
	buf_le(b, m->time_ms, 8);
	put_ip(b, &m->client);
	pack_put_str(b, str_first(m->helo, LINE));
	pack_put_str(b, str_first(m->from, LINE));
	buf_le(b, m->flags, 4);
	buf_le(b, m->size, 8);
	put_bytes(b, m->digest, sizeof(m->digest));
	put_bytes(b, m->once, sizeof(m->once));
	pack_put_str(b, str_first(m->findings, FINDINGS));
	buf_le(b, m->nrcpts, 4);
	for (size_t i = 0; i < m->nrcpts; i++)
		put_rcpt(b, &m->rcpts[i]);
	pack_put_str(b, m->facts);
	put_some_id(b, &m->held);
	put_some_id(b, &m->released);
	buf_le(b, m->released_n, 4);
}

static void
get_envelope(struct pack *p, struct jrec_message *m)
{
	if (pack_le(p, 1) != VERSION)
		p->bad = true;
	get_id(p, &m->id);
	m->time_ms = pack_le(p, 8);
	get_ip(p, &m->client);
	m->helo = pack_str(p, LINE);
	m->from = pack_str(p, LINE);
	m->flags = (uint32_t)pack_le(p, 4);
	m->size = pack_le(p, 8);
	pack_bytes(p, m->digest, sizeof(m->digest));
	pack_bytes(p, m->once, sizeof(m->once));
	m->findings = pack_str(p, FINDINGS);
	m->nrcpts = (size_t)pack_le(p, 4);
}

enum rc
jrec_get_message(str payload, struct arena *mem, struct jrec_message *m)
{
	struct pack p = { .left = payload };
	struct jrec_message got = { .size = 0 };
	enum rc rc;

	get_envelope(&p, &got);
	if (!pack_ok(&p) || got.nrcpts > JREC_RCPTS || got.size > INT64_MAX ||
		got.time_ms > INT64_MAX)
		return RC_BAD;
	got.rcpts = arena_array(mem, got.nrcpts, sizeof(*got.rcpts));
	if (got.rcpts == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < got.nrcpts; i++)
		if ((rc = get_rcpt(&p, mem, &got.rcpts[i])) != RC_OK)
			return rc;
	got.facts = pack_str(&p, FACTS_MOST);
	if (p.left.len > 0) {
		get_some_id(&p, &got.held);
		get_some_id(&p, &got.released);
		got.released_n = (uint32_t)pack_le(&p, 4);
	}
	if (!pack_done(&p))
		return RC_BAD;
	*m = got;
	return RC_OK;
}

void
jrec_put_answered(struct buf *b, const struct jrec_answered *a)
{
	buf_le(b, VERSION, 1);
	put_id(b, &a->id);
}

enum rc
jrec_get_answered(str payload, struct jrec_answered *a)
{
	struct pack p = { .left = payload };
	struct jrec_answered got;

	if (pack_le(&p, 1) != VERSION)
		return RC_BAD;
	get_id(&p, &got.id);
	if (!pack_done(&p))
		return RC_BAD;
	*a = got;
	return RC_OK;
}

void
jrec_put_counts(struct buf *b, const struct jrec_counts *c)
{
	buf_le(b, VERSION, 1);
	buf_le(b, c->minute, 8);
	put_ip(b, &c->network);
	buf_le(b, c->unknown, 4);
	buf_le(b, c->relay, 4);
	buf_le(b, c->full, 4);
	buf_le(b, c->other, 4);
}

enum rc
jrec_get_counts(str payload, struct jrec_counts *c)
{
	struct pack p = { .left = payload };
	struct jrec_counts got;

	if (pack_le(&p, 1) != VERSION)
		return RC_BAD;
	got.minute = pack_le(&p, 8);
	get_ip(&p, &got.network);
	got.unknown = (uint32_t)pack_le(&p, 4);
	got.relay = (uint32_t)pack_le(&p, 4);
	got.full = (uint32_t)pack_le(&p, 4);
	got.other = (uint32_t)pack_le(&p, 4);
	if (!pack_done(&p) || got.minute > INT64_MAX / 60000)
		return RC_BAD;
	*c = got;
	return RC_OK;
}

void
jrec_put_pending(struct buf *b, const struct jrec_pending *p, size_t n)
{
	buf_le(b, VERSION, 1);
	buf_le(b, n, 4);
	for (size_t i = 0; i < n; i++) {
		put_id(b, &p[i].id);
		buf_le(b, p[i].time_ms, 8);
		put_bytes(b, p[i].once, sizeof(p[i].once));
	}
}

enum rc
jrec_get_pending(str payload, struct arena *mem, struct jrec_pending **out, size_t *n)
{
	struct pack p = { .left = payload };
	uint64_t version = pack_le(&p, 1);
	size_t count = (size_t)pack_le(&p, 4);

	if (!pack_ok(&p) || version != VERSION || p.left.len % PENDING != 0 ||
		count != p.left.len / PENDING)
		return RC_BAD;
	struct jrec_pending *all = arena_array(mem, count, sizeof(*all));
	if (all == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < count; i++) {
		get_id(&p, &all[i].id);
		all[i].time_ms = pack_le(&p, 8);
		pack_bytes(&p, all[i].once, sizeof(all[i].once));
	}
	if (!pack_done(&p))
		return RC_BAD;
	*out = all;
	*n = count;
	return RC_OK;
}

static size_t
item_bytes(const struct jrec_append_item *i)
{
	return MSG_ID_LEN + 8 + sizeof(i->digest) + 8 + 4 + 4 + 4 + i->keywords.len + 4;
}

static void
put_item(struct buf *b, const struct jrec_append_item *i, size_t *room)
{
	bool fits = i->facts.len <= *room && i->facts.len <= FACTS_MOST;

	put_id(b, &i->id);
	buf_le(b, i->size, 8);
	put_bytes(b, i->digest, sizeof(i->digest));
	buf_le(b, i->received_ms, 8);
	buf_le(b, i->flags, 4);
	buf_le(b, i->trace_bytes, 4);
	pack_put_str(b, i->keywords);
	pack_put_str(b, fits ? i->facts : STR(""));
	*room -= fits ? i->facts.len : 0;
}

void
jrec_put_append(struct buf *b, const struct jrec_append *a)
{
	size_t fixed = 1 + 8 + 8 + 8 + 4 + 4, room;

	for (size_t i = 0; i < a->n; i++)
		fixed += item_bytes(&a->items[i]);
	room = fixed < JREC_MOST ? JREC_MOST - fixed : 0;
	buf_le(b, VERSION, 1);
	buf_le(b, a->account, 8);
	buf_le(b, a->mailbox, 8);
	buf_le(b, a->replaces_mailbox, 8);
	buf_le(b, a->replaces, 4);
	buf_le(b, a->n, 4);
	for (size_t i = 0; i < a->n; i++)
		put_item(b, &a->items[i], &room);
}

static void
get_item(struct pack *p, struct jrec_append_item *i)
{
	get_id(p, &i->id);
	i->size = pack_le(p, 8);
	pack_bytes(p, i->digest, sizeof(i->digest));
	i->received_ms = pack_le(p, 8);
	i->flags = (uint32_t)pack_le(p, 4);
	i->trace_bytes = (uint32_t)pack_le(p, 4);
	i->keywords = pack_str(p, JREC_KEYWORDS);
	i->facts = pack_str(p, FACTS_MOST);
	if (i->size > INT64_MAX || i->received_ms > INT64_MAX || i->flags > FLAGS ||
		(i->trace_bytes != 0 && i->trace_bytes != TRACE_BLOCK) ||
		i->trace_bytes > i->size)
		p->bad = true;
}

enum rc
jrec_get_append(str payload, struct arena *mem, struct jrec_append *a)
{
	struct pack p = { .left = payload };
	uint64_t version = pack_le(&p, 1);
	struct jrec_append got = { .account = pack_le(&p, 8) };

	got.mailbox = pack_le(&p, 8);
	got.replaces_mailbox = pack_le(&p, 8);
	got.replaces = (uint32_t)pack_le(&p, 4);
	got.n = (size_t)pack_le(&p, 4);
	if (!pack_ok(&p) || version != VERSION || payload.len > JREC_MOST || got.n == 0 ||
		got.n > JREC_APPENDED || got.account == 0 || got.account > INT64_MAX ||
		got.mailbox > INT64_MAX || got.replaces_mailbox > INT64_MAX)
		return RC_BAD;
	got.items = arena_array(mem, got.n, sizeof(*got.items));
	if (got.items == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < got.n; i++)
		get_item(&p, &got.items[i]);
	if (!pack_done(&p))
		return RC_BAD;
	*a = got;
	return RC_OK;
}
