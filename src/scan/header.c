/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "mime/address.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/msgid.h"
#include "mime/utf8.h"
#include "scan/scan_int.h"

/* What IMAP servers say for an address without a domain: an empty host would
 * mean a group (RFC 9051 7.5.2). */
#define NO_DOMAIN "MISSING_DOMAIN"

struct look {
	struct arena *mem;
	struct facts *f;
	str hostname;
	str in_reply_to, references; /* unfolded, whole */
	size_t addresses; /* so far, in all lists */
	bool seen[16]; /* by row of the table below */
};

struct row;
typedef enum rc take_fn(struct look *l, const struct row *row, str value);

static take_fn take_text, take_date, take_message_id, take_reply, take_references,
	take_from, take_list, take_nothing;

/* The fields that are looked at.  `again` is what a second one is; fields with
 * `merge` are taken each time, of the others the first counts. */
static const struct row {
	str name;
	take_fn *take;
	size_t where; /* in struct fact_envelope */
	uint32_t again;
	bool merge;
} rows[] = {
#define AT(member) offsetof(struct fact_envelope, member)
	{ STR_INIT("From"), take_from, AT(from), FACT_DUP_FROM, false },
	{ STR_INIT("Date"), take_date, AT(date), FACT_DUP_DATE, false },
	{ STR_INIT("Subject"), take_text, AT(subject), FACT_DUP_SUBJECT, false },
	{ STR_INIT("Message-ID"), take_message_id, AT(message_id), FACT_DUP_MESSAGE_ID,
		false },
	{ STR_INIT("To"), take_list, AT(to), FACT_DUP_TO, true },
	{ STR_INIT("Cc"), take_list, AT(cc), FACT_DUP_TO, true },
	{ STR_INIT("Bcc"), take_list, AT(bcc), 0, true },
	{ STR_INIT("Sender"), take_list, AT(sender), FACT_DUP_TO, false },
	{ STR_INIT("Reply-To"), take_list, AT(reply_to), FACT_DUP_TO, false },
	{ STR_INIT("In-Reply-To"), take_reply, AT(in_reply_to), FACT_DUP_TO, false },
	{ STR_INIT("References"), take_references, 0, 0, false },
	{ STR_INIT("Content-Type"), take_nothing, 0, FACT_DUP_MIME, false },
	{ STR_INIT("Content-Transfer-Encoding"), take_nothing, 0, FACT_DUP_MIME, false },
	{ STR_INIT("MIME-Version"), take_nothing, 0, FACT_DUP_MIME, false },
#undef AT
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void *
member(struct look *l, const struct row *row)
{
	return (char *)&l->f->envelope + row->where;
}

static enum rc
take_nothing(struct look *l, const struct row *row, str value)
{
	(void)l;
	(void)row;
	(void)value;
	return RC_OK;
}

static enum rc
take_text(struct look *l, const struct row *row, str value)
{
	return header_unfold(value, FACTS_STR, l->mem, (str *)member(l, row));
}

static enum rc
take_date(struct look *l, const struct row *row, str value)
{
	enum rc rc = take_text(l, row, value);

	l->f->flags &= ~(uint32_t)FACT_NO_DATE;
	if (rc == RC_OK && mail_date_parse(l->f->envelope.date, &l->f->date_s) != RC_OK)
		l->f->flags |= FACT_BAD_DATE;
	return rc;
}

static enum rc
take_message_id(struct look *l, const struct row *row, str value)
{
	enum rc rc = take_text(l, row, value);

	if (l->f->envelope.message_id.len > 0)
		l->f->flags &= ~(uint32_t)FACT_NO_MESSAGE_ID;
	return rc;
}

static enum rc
take_reply(struct look *l, const struct row *row, str value)
{
	enum rc rc = header_unfold(value, HEADER_BYTES, l->mem, &l->in_reply_to);

	*(str *)member(l, row) = str_first(l->in_reply_to, FACTS_STR);
	return rc;
}

static enum rc
take_references(struct look *l, const struct row *row, str value)
{
	(void)row;
	return header_unfold(value, HEADER_BYTES, l->mem, &l->references);
}

/* RFC 9051 7.5.2: a group's begin has its name as the mailbox, its end nothing. */
static struct fact_address
fact_of(const struct address *a)
{
	switch (a->kind) {
	case ADDRESS_GROUP:
		return (struct fact_address){ .mailbox = a->name };
	case ADDRESS_BOX:
		return (struct fact_address){ a->name, a->local,
			a->domain.len > 0 ? a->domain : STR(NO_DOMAIN) };
	case ADDRESS_GROUP_END:
		break;
	}
	return (struct fact_address){ 0 };
}

/* Lists grow by doubling, so that a thousand To fields do not fill the memory. */
static enum rc
list_room(struct arena *mem, struct fact_list *list, size_t n)
{
	size_t cap = 1;

	while (cap < list->n)
		cap *= 2;
	if (list->n > 0 && n <= cap)
		return RC_OK;
	while (cap < n)
		cap *= 2;
	struct fact_address *at = arena_array(mem, cap, sizeof(*at));
	if (at == NULL)
		return RC_LIMIT;
	if (list->n > 0)
		memcpy(at, list->at, list->n * sizeof(*at));
	list->at = at;
	return RC_OK;
}

/* Adds to what the list already holds: further To fields are shown too. */
static enum rc
take_list(struct look *l, const struct row *row, str value)
{
	struct fact_list *list = member(l, row);
	struct address_list parsed;
	str plain;

	if (header_unfold(value, HEADER_BYTES, l->mem, &plain) != RC_OK ||
		address_parse(plain, FACTS_ADDRESSES - l->addresses, l->mem, &parsed) !=
			RC_OK ||
		list_room(l->mem, list, list->n + parsed.n) != RC_OK)
		return RC_LIMIT;
	for (size_t i = 0; i < parsed.n; i++)
		list->at[list->n++] = fact_of(&parsed.at[i]);
	l->addresses += parsed.n;
	return RC_OK;
}

static bool
has_address(const struct fact_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].mailbox.len > 0 && list->at[i].host.len > 0 &&
			!str_eq(list->at[i].host, STR(NO_DOMAIN)))
			return true;
	return false;
}

static enum rc
take_from(struct look *l, const struct row *row, str value)
{
	enum rc rc = take_list(l, row, value);

	l->f->flags &= ~(uint32_t)FACT_NO_FROM;
	if (rc == RC_OK && !has_address(&l->f->envelope.from))
		l->f->flags |= FACT_BAD_FROM;
	return rc;
}

/* RFC 8601 2.2: blanks and comments, then the authserv-id, a token or quoted. */
static str
authserv_id(str v)
{
	size_t depth = 0, n = 0;

	for (; v.len > 0; v = str_skip(v, 1)) {
		char c = v.ptr[0];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '\\' && depth > 0)
			v = str_skip(v, 1);
		else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n')
			break;
	}
	if (v.len > 0 && v.ptr[0] == '"') {
		v = str_skip(v, 1);
		while (n < v.len && v.ptr[n] != '"')
			n++;
		return str_first(v, n);
	}
	while (n < v.len && memchr(" \t\r\n;(", v.ptr[n], 6) == NULL)
		n++;
	return str_first(v, n);
}

static bool
forged(const struct look *l, const struct header_field *f)
{
	if (str_istarts(f->name, STR("X-Gatepost-")))
		return true;
	if (!str_ieq(f->name, STR("Authentication-Results")))
		return false;
	str id = authserv_id(f->value);
	/* RFC 1034 3.1: a dot at the end makes no other name. */
	if (id.len > 0 && id.ptr[id.len - 1] == '.')
		id.len--;
	return str_ieq(id, l->hostname);
}

/* What cannot be noted could not be renamed: too much of it is a limit. */
static void
note_forged(struct look *l, const struct header_field *f)
{
	struct facts *facts = l->f;

	if (facts->nforged == FACTS_FORGED)
		facts->flags |= FACT_HEADER_LIMIT;
	else
		facts->forged[facts->nforged++] = (uint32_t)f->offset;
}

static enum rc
look_at(struct look *l, const struct header_field *f)
{
	if (str_ieq(f->name, STR("Received"))) {
		l->f->received++;
		return RC_OK;
	}
	if (forged(l, f)) {
		note_forged(l, f);
		return RC_OK;
	}
	for (size_t i = 0; i < ROWS; i++) {
		if (!str_ieq(f->name, rows[i].name))
			continue;
		if (l->seen[i]) {
			l->f->flags |= rows[i].again;
			if (!rows[i].merge)
				return RC_OK;
		}
		l->seen[i] = true;
		return rows[i].take(l, &rows[i], f->value);
	}
	return RC_OK;
}

static enum rc
look_at_all(struct look *l, str block)
{
	struct header_reader r;
	struct header_field f;

	header_begin(&r, block);
	for (;;) {
		enum rc rc = RC_OK;

		switch (header_next(&r, &f)) {
		case HEADER_FIELD:
			rc = look_at(l, &f);
			break;
		case HEADER_BAD:
			l->f->flags |= FACT_BAD_LINE;
			break;
		case HEADER_TOO_MANY:
			l->f->flags |= FACT_HEADER_LIMIT;
			return RC_OK;
		case HEADER_END:
			if (!r.ended)
				l->f->flags |= FACT_NO_BODY_LINE;
			return RC_OK;
		}
		if (rc != RC_OK)
			return rc;
	}
}

/* References, then those of In-Reply-To that are not yet among them. */
static enum rc
join_refs(struct look *l)
{
	struct msgid_list refs, reply;
	struct facts *f = l->f;

	if (msgid_parse(l->references, FACTS_REFS, l->mem, &refs) != RC_OK ||
		msgid_parse(l->in_reply_to, FACTS_REFS, l->mem, &reply) != RC_OK)
		return RC_LIMIT;
	f->refs = arena_array(l->mem, refs.n + reply.n, sizeof(*f->refs));
	if (f->refs == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < refs.n; i++)
		f->refs[f->nrefs++] = refs.at[i];
	for (size_t i = 0; i < reply.n; i++) {
		size_t k = 0;

		while (k < f->nrefs && !str_eq(f->refs[k], reply.at[i]))
			k++;
		if (k == f->nrefs)
			f->refs[f->nrefs++] = reply.at[i];
	}
	/* The last ones are kept. */
	size_t drop = f->nrefs > FACTS_REFS ? f->nrefs - FACTS_REFS : 0;
	f->refs += drop;
	f->nrefs -= drop;
	return RC_OK;
}

enum rc
scan_header(str block, str hostname, struct arena *mem, struct facts *f, struct err *err)
{
	struct look l = { .mem = mem, .f = f, .hostname = hostname };

	f->flags |= FACT_NO_FROM | FACT_NO_DATE | FACT_NO_MESSAGE_ID;
	f->header_bytes = (uint32_t)block.len;
	f->forged = arena_array(mem, FACTS_FORGED, sizeof(*f->forged));
	if (block.len > 0 && memchr(block.ptr, '\0', block.len) != NULL)
		f->flags |= FACT_NUL;
	if (!utf8_valid(block))
		f->flags |= FACT_RAW_8BIT;
	if (f->forged == NULL || look_at_all(&l, block) != RC_OK ||
		join_refs(&l) != RC_OK)
		return err_set(
			err, RC_LIMIT, "the header needs more memory than a scanner has");
	return RC_OK;
}
