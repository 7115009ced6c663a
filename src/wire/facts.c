/* SPDX-License-Identifier: ISC */
#include "wire/facts.h"

#include <assert.h>

#include "wire/facts_int.h"
#include "wire/head.h"
#include "wire/plain.h"
#include "wire/sortkey.h"

/*
 * Fixed part: flags, received, header_bytes (4 each), date_s (8).  Then the
 * envelope: four strings (of a field that is there but empty the length is
 * UINT32_MAX); six lists, each a 2-byte count and three strings an
 * address.  Then 2 bytes and the references, 2 bytes and the forged offsets.
 * Then, unless neither is known: a string that is the structure (facts_structure.c),
 * 1 byte (1: a preview) and the preview, a string.  Then, if they are known, head and
 * sort keys, a string each, as wire/head.h and wire/sortkey.h have them.
 *
 * Every variable part has its own share of the record, so that a message with
 * many addresses does not cost it its references.  Reader and writer use the
 * same shares: whatever is accepted can be written again as it was.
 */
enum {
	FIXED = 20,
	LISTS = 6,
	ADDRESS_SHARE = 96 * 1024, /* all lists together */
	REFS_SHARE = 24 * 1024,
	RECEIVED_MOST = 1 << 20,
};

static_assert(FIXED + 4 * (4 + FACTS_STR) + LISTS * 2 + ADDRESS_SHARE + 2 + REFS_SHARE +
			      2 + FACTS_FORGED * 4 + 4 + FACTS_STRUCTURE + 1 + 4 +
			      FACTS_PREVIEW + 4 + HEAD_MOST + 4 + SORTKEY_MOST <=
		      FACTS_MOST,
	"the shares fit into the record");

/* In place of a length. */
static const uint32_t THERE_BUT_EMPTY = UINT32_MAX;
static const uint32_t FLAGS_KNOWN = (FACT_NO_MESSAGE_ID << 1) - 1;

/* The years that a Date can name: 0 to 9999. */
static const int64_t DATE_LEAST = -62167219200, DATE_MOST = 253402300799;

static bool
date_fits(int64_t s)
{
	return s == INT64_MIN || (s >= DATE_LEAST && s <= DATE_MOST);
}

str
facts_cut(str s)
{
	return plain_cut(s, FACTS_STR);
}

static void
put_cut(struct buf *b, str s)
{
	pack_put_str(b, facts_cut(s));
}

/* RFC 9051 7.5.2 tells a field that is there but empty from one that is not. */
static void
put_field(struct buf *b, str s)
{
	if (s.ptr != NULL && s.len == 0)
		buf_le(b, THERE_BUT_EMPTY, 4);
	else
		put_cut(b, s);
}

static size_t
address_size(const struct fact_address *a)
{
	return 12 + facts_cut(a->name).len + facts_cut(a->mailbox).len +
	       facts_cut(a->host).len;
}

struct room {
	size_t addresses, bytes;
};

static void
put_list(struct buf *b, const struct fact_list *l, struct room *room)
{
	size_t n = 0;

	for (; n < l->n && room->addresses > 0; n++) {
		size_t size = address_size(&l->at[n]);

		if (size > room->bytes)
			break;
		room->bytes -= size;
		room->addresses--;
	}
	buf_le(b, n, 2);
	for (size_t i = 0; i < n; i++) {
		put_cut(b, l->at[i].name);
		put_cut(b, l->at[i].mailbox);
		put_cut(b, l->at[i].host);
	}
}

void
facts_pack_envelope(struct buf *b, const struct fact_envelope *e)
{
	struct room room = { FACTS_ADDRESSES, ADDRESS_SHARE };
	const struct fact_list *lists[LISTS] = { &e->from, &e->sender, &e->reply_to,
		&e->to, &e->cc, &e->bcc };

	put_field(b, e->date);
	put_field(b, e->subject);
	put_field(b, e->in_reply_to);
	put_field(b, e->message_id);
	for (size_t i = 0; i < LISTS; i++)
		put_list(b, lists[i], &room);
}

/* The last references are those that threads need. */
static void
put_refs(struct buf *b, const struct facts *f)
{
	size_t first = f->nrefs, room = REFS_SHARE;

	while (first > 0 && f->nrefs - first < FACTS_REFS) {
		size_t size = 4 + facts_cut(f->refs[first - 1]).len;

		if (size > room)
			break;
		room -= size;
		first--;
	}
	buf_le(b, f->nrefs - first, 2);
	for (size_t i = first; i < f->nrefs; i++)
		put_cut(b, f->refs[i]);
}

/* RFC 8970 3.1: characters, not bytes.  Of valid UTF-8, so these are FACTS_PREVIEW
 * bytes at most. */
static str
preview_cut(str s)
{
	size_t n = 0, characters = 0;

	for (; n < s.len; n++)
		if (((unsigned char)s.ptr[n] & 0xc0) != 0x80 &&
			++characters > FACTS_PREVIEW / 4)
			break;
	return str_first(s, n);
}

static void
put_shown(struct buf *b, const struct facts *f)
{
	BUF_AUTO structure = BUF(FACTS_STRUCTURE);
	BUF_AUTO preview = BUF(2 * FACTS_PREVIEW);

	facts_pack_structure(&structure, &f->structure);
	bool known = buf_str(&structure).len > FACTS_NO_STRUCTURE;
	if (!known && !f->known_preview && !f->known_head)
		return;
	pack_put_str(b, buf_str(&structure));
	buf_le(b, f->known_preview, 1);
	if (f->known_preview)
		plain_add(&preview, plain_cut(f->preview, FACTS_PREVIEW), false);
	pack_put_str(b, preview_cut(buf_str(&preview)));
	if (!f->known_head)
		return;
	/* both were packed by their own writers, which know their limits */
	assert(f->head.len <= HEAD_MOST && f->sortkey.len <= SORTKEY_MOST);
	pack_put_str(b, f->head);
	pack_put_str(b, f->sortkey);
}

void
facts_pack(struct buf *b, const struct facts *f)
{
	size_t nforged = f->nforged < FACTS_FORGED ? f->nforged : FACTS_FORGED;

	buf_le(b, f->flags & FLAGS_KNOWN, 4);
	buf_le(b, f->received < RECEIVED_MOST ? f->received : RECEIVED_MOST, 4);
	buf_le(b, f->header_bytes, 4);
	buf_le(b, (uint64_t)(date_fits(f->date_s) ? f->date_s : INT64_MIN), 8);
	facts_pack_envelope(b, &f->envelope);
	put_refs(b, f);
	buf_le(b, nforged, 2);
	for (size_t i = 0; i < nforged; i++)
		buf_le(b, f->forged[i], 4);
	put_shown(b, f);
}

bool
facts_one_line(str s)
{
	return s.len == 0 || (memchr(s.ptr, '\0', s.len) == NULL &&
				     memchr(s.ptr, '\r', s.len) == NULL &&
				     memchr(s.ptr, '\n', s.len) == NULL);
}

static str
get_str(struct pack *p)
{
	str s = pack_str(p, FACTS_STR);

	if (!facts_one_line(s))
		p->bad = true;
	return s;
}

static str
get_field(struct pack *p)
{
	struct pack ahead = *p;

	if (pack_le(&ahead, 4) == THERE_BUT_EMPTY && pack_ok(&ahead)) {
		*p = ahead;
		return STR("");
	}
	str s = get_str(p);
	return s.len > 0 ? s : (str){ 0 };
}

/* Lists may come from a record that goes away: the caller's copy is looked at. */
static enum rc
get_list(struct pack *p, struct arena *mem, struct room *room, struct fact_list *l)
{
	size_t n = (size_t)pack_le(p, 2), before = p->left.len;

	if (!pack_ok(p) || n > room->addresses || n > p->left.len / 12)
		return RC_BAD;
	struct fact_address *at = arena_array(mem, n, sizeof(*at));
	if (at == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < n; i++) {
		at[i].name = get_str(p);
		at[i].mailbox = get_str(p);
		at[i].host = get_str(p);
	}
	if (!pack_ok(p) || before - p->left.len > room->bytes)
		return RC_BAD;
	room->bytes -= before - p->left.len;
	room->addresses -= n;
	*l = (struct fact_list){ n, at };
	return RC_OK;
}

enum rc
facts_get_envelope(struct pack *p, struct arena *mem, struct fact_envelope *e)
{
	struct room room = { FACTS_ADDRESSES, ADDRESS_SHARE };
	struct fact_list *lists[LISTS] = { &e->from, &e->sender, &e->reply_to, &e->to,
		&e->cc, &e->bcc };

	e->date = get_field(p);
	e->subject = get_field(p);
	e->in_reply_to = get_field(p);
	e->message_id = get_field(p);
	for (size_t i = 0; i < LISTS; i++) {
		enum rc rc = get_list(p, mem, &room, lists[i]);

		if (rc != RC_OK)
			return rc;
	}
	return pack_ok(p) ? RC_OK : RC_BAD;
}

static enum rc
get_refs(struct pack *p, struct arena *mem, struct facts *f)
{
	size_t n = (size_t)pack_le(p, 2), before = p->left.len;

	if (!pack_ok(p) || n > FACTS_REFS || n > p->left.len / 4)
		return RC_BAD;
	f->refs = arena_array(mem, n, sizeof(*f->refs));
	if (f->refs == NULL)
		return RC_LIMIT;
	f->nrefs = n;
	for (size_t i = 0; i < n; i++)
		f->refs[i] = get_str(p);
	return pack_ok(p) && before - p->left.len <= REFS_SHARE ? RC_OK : RC_BAD;
}

/* Gate writes at these offsets: they lie in the header block and ascend. */
static enum rc
get_forged(struct pack *p, struct arena *mem, struct facts *f)
{
	size_t n = (size_t)pack_le(p, 2);

	if (!pack_ok(p) || n > FACTS_FORGED || n > p->left.len / 4)
		return RC_BAD;
	f->forged = arena_array(mem, n, sizeof(*f->forged));
	if (f->forged == NULL)
		return RC_LIMIT;
	f->nforged = n;
	for (size_t i = 0; i < n; i++) {
		f->forged[i] = (uint32_t)pack_le(p, 4);
		if (f->forged[i] >= f->header_bytes ||
			(i > 0 && f->forged[i] <= f->forged[i - 1]))
			return RC_BAD;
	}
	return RC_OK;
}

static enum rc
get_head(struct pack *p, struct arena *mem, struct facts *f)
{
	struct head head;
	struct sortkey key;
	enum rc rc;

	f->known_head = !pack_done(p);
	if (!f->known_head)
		return RC_OK;
	f->head = pack_str(p, HEAD_MOST);
	f->sortkey = pack_str(p, SORTKEY_MOST);
	if (!pack_done(p))
		return RC_BAD;
	rc = f->head.len == 0 ? RC_OK : head_unpack(f->head, mem, &head);
	return rc == RC_OK ? sortkey_unpack(f->sortkey, mem, &key) : rc;
}

/* One way to say each thing: whatever is accepted is written again as it was. */
static enum rc
get_shown(struct pack *p, uint64_t message_size, struct arena *mem, struct facts *f)
{
	if (pack_done(p))
		return RC_OK; /* a record of before, or nothing is known */
	str structure = pack_str(p, FACTS_STRUCTURE);
	uint64_t known = pack_le(p, 1);
	f->preview = pack_str(p, FACTS_PREVIEW);
	if (!pack_ok(p) || known > 1 || (known == 0 && f->preview.len > 0) ||
		!plain_ok(f->preview, false) ||
		preview_cut(f->preview).len != f->preview.len)
		return RC_BAD;
	f->known_preview = known == 1;
	enum rc rc = facts_unpack_structure(structure, message_size, mem, &f->structure);
	if (rc == RC_OK)
		rc = get_head(p, mem, f);
	if (rc == RC_OK && f->structure.n == 0 && !f->known_preview && !f->known_head)
		return RC_BAD;
	return rc;
}

enum rc
facts_unpack(str record, uint64_t message_size, struct arena *mem, struct facts *f)
{
	struct facts got = { 0 };
	struct pack p;
	enum rc rc;

	if (record.len > FACTS_MOST)
		return RC_BAD;
	if (arena_copy(mem, record, &p.left) != RC_OK)
		return RC_LIMIT;
	p.bad = false;
	got.flags = (uint32_t)pack_le(&p, 4);
	got.received = (uint32_t)pack_le(&p, 4);
	got.header_bytes = (uint32_t)pack_le(&p, 4);
	got.date_s = (int64_t)pack_le(&p, 8);
	if (!pack_ok(&p) || (got.flags & ~FLAGS_KNOWN) != 0 ||
		got.received > RECEIVED_MOST || got.header_bytes > message_size ||
		!date_fits(got.date_s))
		return RC_BAD;
	rc = facts_get_envelope(&p, mem, &got.envelope);
	if (rc == RC_OK)
		rc = get_refs(&p, mem, &got);
	if (rc == RC_OK)
		rc = get_forged(&p, mem, &got);
	if (rc == RC_OK)
		rc = get_shown(&p, message_size, mem, &got);
	if (rc == RC_OK)
		*f = got;
	return rc;
}

enum rc
facts_unpack_envelope(str record, struct arena *mem, struct fact_envelope *e)
{
	struct fact_envelope got = { 0 };
	struct pack p = { 0 };
	enum rc rc;

	if (record.len > FACTS_MOST)
		return RC_BAD;
	if (arena_copy(mem, record, &p.left) != RC_OK)
		return RC_LIMIT;
	rc = facts_get_envelope(&p, mem, &got);
	if (rc == RC_OK && !pack_done(&p))
		rc = RC_BAD;
	if (rc == RC_OK)
		*e = got;
	return rc;
}
