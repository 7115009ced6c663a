/* SPDX-License-Identifier: ISC */
#include "ctl/scan_json.h"

#include <stdlib.h>

#include "ctl/ctl_int.h"
#include "mime/html.h"
#include "mime/odd.h"
#include "mime/word.h"
#include "wire/imap_structure.h"

enum { IMAP_MOST = 8 * 1024 * 1024 };

struct bit {
	uint64_t bit;
	const char *name;
};

#define BIT(prefix, name, word)       \
	{                             \
		prefix##_##name, word \
	}

static const struct bit fact_bits[] = {
	BIT(FACT, NO_FROM, "no_from"),
	BIT(FACT, NO_DATE, "no_date"),
	BIT(FACT, BAD_FROM, "bad_from"),
	BIT(FACT, BAD_DATE, "bad_date"),
	BIT(FACT, DUP_FROM, "dup_from"),
	BIT(FACT, DUP_DATE, "dup_date"),
	BIT(FACT, DUP_SUBJECT, "dup_subject"),
	BIT(FACT, DUP_MESSAGE_ID, "dup_message_id"),
	BIT(FACT, DUP_TO, "dup_to"),
	BIT(FACT, DUP_MIME, "dup_mime"),
	BIT(FACT, NUL, "nul"),
	BIT(FACT, BAD_LINE, "bad_line"),
	BIT(FACT, NO_BODY_LINE, "no_body_line"),
	BIT(FACT, HEADER_LIMIT, "header_limit"),
	BIT(FACT, GTUBE, "gtube"),
	BIT(FACT, RAW_8BIT, "raw_8bit"),
	BIT(FACT, NO_MESSAGE_ID, "no_message_id"),
	{ 0, NULL },
};

static const struct bit leaf_bits[] = {
	BIT(LEAF, HIDDEN, "hidden"),
	BIT(LEAF, ALTERNATE, "alternate"),
	BIT(LEAF, EMBEDDED, "embedded"),
	BIT(LEAF, MEMBER, "member"),
	BIT(LEAF, ARCHIVE, "archive"),
	BIT(LEAF, ENCRYPTED, "encrypted"),
	BIT(LEAF, UNOPENED, "unopened"),
	BIT(LEAF, ATTACHED, "attached"),
	BIT(LEAF, IN_MESSAGE, "in_message"),
	BIT(LEAF, TEXT, "text"),
	BIT(LEAF, FOREIGN, "foreign"),
	{ 0, NULL },
};

static const struct bit link_bits[] = {
	BIT(LINK, HIDDEN, "hidden"),
	BIT(LINK, IMAGE, "image"),
	BIT(LINK, FORM, "form"),
	BIT(LINK, PLAIN, "plain"),
	{ 0, NULL },
};

static const struct bit html_bits[] = {
	BIT(HTML, SCRIPT, "script"),
	BIT(HTML, FORM, "form"),
	BIT(HTML, IFRAME, "iframe"),
	BIT(HTML, OBJECT, "object"),
	BIT(HTML, REMOTE, "remote"),
	BIT(HTML, REFRESH, "refresh"),
	BIT(HTML, PASSWORD, "password"),
	BIT(HTML, BASE, "base"),
	BIT(HTML, HIDDEN, "hidden"),
	BIT(HTML, EVENTS, "events"),
	{ 0, NULL },
};

void
put_json(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		abort();
}

static void
append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		abort();
}

static json_t *
bits_json(uint64_t set, const struct bit *bits)
{
	json_t *names = json_array();

	for (; bits->name != NULL; bits++)
		if ((set & bits->bit) != 0)
			append(names, json_string(bits->name));
	return names;
}

json_t *
odd_json(uint64_t odd)
{
	json_t *names = json_array();

	for (int i = 0; i < MIME_ODD_BITS; i++)
		if ((odd & (UINT64_C(1) << i)) != 0)
			append(names, verb_json_str(mime_odd_name((enum mime_odd_bit)i)));
	return names;
}

json_t *
digest_json(const uint8_t digest[32])
{
	static const char hex[] = "0123456789abcdef";
	char text[64];

	for (size_t i = 0; i < 32; i++) {
		text[2 * i] = hex[digest[i] >> 4];
		text[2 * i + 1] = hex[digest[i] & 15];
	}
	return json_stringn(text, sizeof(text));
}

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* --- facts --- */

struct words {
	struct charsets *cs;
	struct arena *mem;
};

static json_t *
decoded(const struct words *w, str raw)
{
	uint64_t odd = 0;
	str out;

	if (mime_words(raw, w->cs, FACTS_STR, w->mem, &out, &odd) != RC_OK)
		return json_null();
	return verb_json_str(out);
}

static json_t *
field_json(str s)
{
	return s.ptr == NULL ? json_null() : verb_json_str(s);
}

static json_t *
list_json(const struct words *w, const struct fact_list *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct fact_address *a = &l->at[i];
		json_t *one = json_object();

		put_json(one, "name", decoded(w, a->name));
		put_json(one, "name_raw", verb_json_str(a->name));
		put_json(one, "mailbox", verb_json_str(a->mailbox));
		put_json(one, "host", verb_json_str(a->host));
		append(list, one);
	}
	return list;
}

static json_t *
envelope_json(const struct words *w, const struct fact_envelope *e)
{
	json_t *all = json_object();

	put_json(all, "date", field_json(e->date));
	put_json(all, "subject",
		e->subject.ptr == NULL ? json_null() : decoded(w, e->subject));
	put_json(all, "subject_raw", field_json(e->subject));
	put_json(all, "from", list_json(w, &e->from));
	put_json(all, "sender", list_json(w, &e->sender));
	put_json(all, "reply_to", list_json(w, &e->reply_to));
	put_json(all, "to", list_json(w, &e->to));
	put_json(all, "cc", list_json(w, &e->cc));
	put_json(all, "bcc", list_json(w, &e->bcc));
	put_json(all, "in_reply_to", field_json(e->in_reply_to));
	put_json(all, "message_id", field_json(e->message_id));
	return all;
}

json_t *
facts_json(const struct facts *f, struct charsets *cs, struct arena *mem)
{
	const struct words w = { cs, mem };
	json_t *all = json_object(), *refs = json_array(), *forged = json_array();

	for (size_t i = 0; i < f->nrefs; i++)
		append(refs, verb_json_str(f->refs[i]));
	for (size_t i = 0; i < f->nforged; i++)
		append(forged, number(f->forged[i]));
	put_json(all, "flags", bits_json(f->flags, fact_bits));
	put_json(all, "received", number(f->received));
	put_json(all, "header_bytes", number(f->header_bytes));
	put_json(all, "date_s",
		f->date_s == INT64_MIN ? json_null() : json_integer(f->date_s));
	put_json(all, "envelope", envelope_json(&w, &f->envelope));
	put_json(all, "references", refs);
	put_json(all, "forged", forged);
	put_json(all, "preview",
		f->known_preview ? verb_json_str(f->preview) : json_null());
	return all;
}

json_t *
imap_json(const struct facts *f)
{
	BUF_AUTO b = BUF(IMAP_MOST);
	json_t *all = json_object();

	imap_put_envelope(&b, &f->envelope);
	put_json(all, "envelope", verb_json_str(buf_str(&b)));
	for (int extended = 0; extended < 2; extended++) {
		buf_clear(&b);
		if (f->structure.n > 0)
			imap_put_structure(&b, &f->structure, 0, extended != 0);
		put_json(all, extended != 0 ? "bodystructure" : "body",
			f->structure.n > 0 && buf_ok(&b) ? verb_json_str(buf_str(&b))
							 : json_null());
	}
	return all;
}

/* --- content --- */

static json_t *
leaf_json(const struct content_leaf *l)
{
	static const uint8_t none[32];
	json_t *one = json_object();

	put_json(one, "parent", l->parent == 0 ? json_null() : number(l->parent - 1u));
	put_json(one, "depth", number(l->depth));
	put_json(one, "flags", bits_json(l->flags, leaf_bits));
	put_json(one, "odd", odd_json(l->odd));
	put_json(one, "at", number(l->at));
	put_json(one, "length", number(l->length));
	put_json(one, "size", number(l->size));
	put_json(one, "name", verb_json_str(l->name));
	put_json(one, "type", verb_json_str(l->type));
	put_json(one, "true_type", verb_json_str(l->true_type));
	put_json(one, "sha256",
		memcmp(l->digest, none, sizeof(none)) == 0 ? json_null()
							   : digest_json(l->digest));
	return one;
}

static json_t *
links_json(const struct content *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->nlinks; i++) {
		json_t *one = json_object();

		put_json(one, "url", verb_json_str(c->links[i].url));
		put_json(one, "text", verb_json_str(c->links[i].text));
		put_json(one, "flags", bits_json(c->links[i].flags, link_bits));
		append(list, one);
	}
	return list;
}

static json_t *
signatures_json(const struct content *c)
{
	static const char *const kinds[] = { [SIGNATURE_DKIM] = "dkim",
		[SIGNATURE_ARC_MESSAGE] = "arc_message",
		[SIGNATURE_ARC_SEAL] = "arc_seal" };
	json_t *list = json_array();

	for (size_t i = 0; i < c->nsignatures; i++) {
		const struct content_signature *s = &c->signatures[i];
		json_t *one = json_object();

		put_json(one, "kind", json_string(kinds[s->kind]));
		put_json(one, "instance", number(s->instance));
		put_json(one, "tags", verb_json_str(s->tags));
		put_json(one, "computed", json_boolean(s->computed));
		put_json(one, "header_sha256", digest_json(s->header));
		put_json(one, "body_sha256", digest_json(s->body));
		put_json(one, "l_short", json_boolean(s->l_short));
		append(list, one);
	}
	return list;
}

json_t *
content_json(const struct content *c, bool text)
{
	json_t *all = json_object(), *leaves = json_array();

	for (size_t i = 0; i < c->nleaves; i++)
		append(leaves, leaf_json(&c->leaves[i]));
	put_json(all, "odd", odd_json(c->odd));
	put_json(all, "parts", number(c->parts));
	put_json(all, "depth", number(c->depth));
	put_json(all, "html", bits_json(c->html_flags, html_bits));
	put_json(all, "unpacked", number(c->unpacked));
	put_json(all, "members", number(c->members));
	put_json(all, "archive_depth", number(c->archive_depth));
	put_json(all, "member_most", number(c->member_most));
	put_json(all, "leaves", leaves);
	put_json(all, "links_all", number(c->links_all));
	put_json(all, "links", links_json(c));
	put_json(all, "signatures", signatures_json(c));
	put_json(all, "tokens", number(c->ntokens));
	put_json(all, "text_bytes", number(c->text_bytes));
	put_json(all, "hidden_bytes", number(c->hidden_bytes));
	if (text) {
		put_json(all, "text", verb_json_str(c->text));
		put_json(all, "hidden", verb_json_str(c->hidden));
	}
	return all;
}
