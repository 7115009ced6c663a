/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_digest.h"

#include "mailauth/canon.h"
#include "mailauth/tags.h"
#include "mime/header.h"

enum {
	NAMES_MOST = 1000, /* in h= */
	COMPARES_MOST = 20 * 1000 * 1000, /* of names with fields, in all signatures */
	BODIES_MOST = 64 * 1024 * 1024, /* bytes read of bodies, in all signatures */
	ARC_MOST = 50, /* RFC 8617 4.2.1 */
};

struct field {
	str name, whole; /* whole: from the name on, without the line end */
	str value;
	uint32_t taken; /* by which signature, so that each is taken once */
	uint32_t instance; /* of an ARC set; 0: of none */
};

struct body_digest { /* of each way there is, once */
	bool relaxed;
	uint64_t most, all;
	uint8_t digest[32];
};

struct digests {
	struct arena *mem;
	str body;
	size_t n;
	struct field *fields;
	struct sha256 *d;
	size_t nbodies;
	struct body_digest bodies[CONTENT_SIGNATURES];
	uint64_t bodies_read, compares;
	uint32_t turn;
};

static const struct {
	str name;
	enum signature_kind kind;
} kinds[] = {
	{ STR_INIT("DKIM-Signature"), SIGNATURE_DKIM },
	{ STR_INIT("ARC-Message-Signature"), SIGNATURE_ARC_MESSAGE },
	{ STR_INIT("ARC-Seal"), SIGNATURE_ARC_SEAL },
};

/* NULL: others have taken all the time there is.  The first one is made of any body. */
static const struct body_digest *
body_digest(struct digests *g, bool relaxed, uint64_t most)
{
	for (size_t i = 0; i < g->nbodies; i++)
		if (g->bodies[i].relaxed == relaxed && g->bodies[i].most == most)
			return &g->bodies[i];
	if (g->nbodies > 0 && g->bodies_read + g->body.len > BODIES_MOST)
		return NULL;
	g->bodies_read += g->body.len;
	struct body_digest *b = &g->bodies[g->nbodies++];
	b->relaxed = relaxed;
	b->most = most;
	b->all = canon_body(g->d, g->body, relaxed, most);
	sha256_done(g->d, b->digest);
	return b;
}

/* 3.7: the signature's own field with an empty b=, and without its line end. */
static void
add_own(struct digests *g, const struct field *f, const struct tag *b, bool relaxed)
{
	size_t before = (size_t)(f->value.ptr - f->whole.ptr) + b->at;
	size_t after = before + b->length;
	BUF_AUTO own = BUF(f->whole.len);

	buf_add(&own, str_first(f->whole, before));
	buf_add(&own, str_skip(f->whole, after));
	canon_field(g->d, buf_str(&own), relaxed, false);
}

/* 5.4.2: several of a name are taken from the bottom up; one that is not there (any
 * more) adds nothing. */
static bool
add_named(struct digests *g, str name, bool relaxed)
{
	for (size_t i = g->n; i > 0; i--) {
		struct field *f = &g->fields[i - 1];

		if (++g->compares > COMPARES_MOST)
			return false;
		if (f->taken == g->turn || !str_ieq(f->name, name))
			continue;
		f->taken = g->turn;
		canon_field(g->d, f->whole, relaxed, true);
		break;
	}
	return true;
}

static str
trim_name(str s)
{
	while (s.len > 0 && memchr(" \t\r\n", s.ptr[0], 4) != NULL)
		s = str_skip(s, 1);
	while (s.len > 0 && memchr(" \t\r\n", s.ptr[s.len - 1], 4) != NULL)
		s.len--;
	return s;
}

static bool
add_listed(struct digests *g, struct field *own, str list, bool relaxed)
{
	str name;

	/* 3.5: h= never means the signature's own field */
	own->taken = ++g->turn;
	for (size_t n = 0; str_cut(&list, ':', &name); n++)
		if (n == NAMES_MOST || !add_named(g, trim_name(name), relaxed))
			return false;
	return true;
}

/* "relaxed/simple", "simple", nothing; false: neither. */
static bool
canonicalisation(str c, bool *header, bool *body)
{
	str h = c, b = STR("");

	if (str_cut(&c, '/', &h))
		b = c;
	*header = str_ieq(h, STR("relaxed"));
	*body = str_ieq(b, STR("relaxed"));
	return (*header || h.len == 0 || str_ieq(h, STR("simple"))) &&
	       (*body || b.len == 0 || str_ieq(b, STR("simple")));
}

/* RFC 8301: rsa-sha1 must neither be made nor accepted. */
static bool
known_algorithm(str a)
{
	return str_ieq(a, STR("rsa-sha256")) || str_ieq(a, STR("ed25519-sha256"));
}

static void
sign_message(struct digests *g, struct field *f, const struct tags *t,
	struct content_signature *out)
{
	const struct tag *b = tags_find(t, STR("b")), *l = tags_find(t, STR("l"));
	uint64_t most = UINT64_MAX;
	bool header, body;

	if (b == NULL || !canonicalisation(tags_value(t, STR("c")), &header, &body) ||
		(l != NULL && !str_u64(l->value, INT64_MAX, &most)))
		return;
	const struct body_digest *done = body_digest(g, body, most);
	if (done == NULL)
		return;
	bool ok = add_listed(g, f, tags_value(t, STR("h")), header);
	add_own(g, f, b, header);
	sha256_done(g->d, out->header);
	memcpy(out->body, done->digest, sizeof(out->body));
	out->l_short = l != NULL && most < done->all;
	out->computed = ok;
}

static bool
instance_of(const struct tags *t, uint32_t *i)
{
	uint64_t n;

	if (!str_u64(tags_value(t, STR("i")), ARC_MOST, &n) || n == 0)
		return false;
	*i = (uint32_t)n;
	return true;
}

static const str arc_names[] = { STR_INIT("ARC-Authentication-Results"),
	STR_INIT("ARC-Message-Signature"), STR_INIT("ARC-Seal") };

static uint32_t
arc_instance(const struct field *f)
{
	str list = f->value, rest = f->value;
	uint32_t instance = 0;
	struct tags t;
	size_t k = 0;

	while (k < 3 && !str_ieq(f->name, arc_names[k]))
		k++;
	if (k == 3)
		return 0;
	/* an ARC-Authentication-Results is no tag list behind its first ';' */
	if (k == 0)
		(void)str_cut(&rest, ';', &list);
	return tags_read(list, &t) == RC_OK && instance_of(&t, &instance) ? instance : 0;
}

/* The field of that name and instance; NULL unless there is exactly one. */
static const struct field *
arc_field(struct digests *g, str name, uint32_t instance)
{
	const struct field *found = NULL;

	for (size_t i = 0; i < g->n; i++) {
		const struct field *f = &g->fields[i];

		if (++g->compares > COMPARES_MOST)
			return NULL;
		if (f->instance != instance || !str_ieq(f->name, name))
			continue;
		if (found != NULL)
			return NULL;
		found = f;
	}
	return found;
}

/* RFC 8617 5.1.1: all sets up to this one, each AAR, AMS, AS; relaxed; the last seal
 * with an empty b=. */
static void
sign_seal(struct digests *g, const struct field *f, const struct tags *t,
	struct content_signature *out)
{
	const struct tag *b = tags_find(t, STR("b"));
	bool whole = b != NULL && out->instance > 0;

	for (uint32_t i = 1; whole && i <= out->instance; i++)
		for (size_t k = 0; whole && k < 3; k++) {
			const struct field *at = arc_field(g, arc_names[k], i);

			whole = at != NULL && (i < out->instance || k < 2 || at == f);
			if (whole && at != f)
				canon_field(g->d, at->whole, true, true);
		}
	if (whole)
		add_own(g, f, b, true);
	sha256_done(g->d, out->header);
	out->computed = whole;
	if (!whole)
		memset(out->header, 0, sizeof(out->header));
}

static enum rc
sign(struct digests *g, struct field *f, enum signature_kind kind,
	struct content_signature *out)
{
	struct tags t;

	*out = (struct content_signature){ .kind = kind };
	enum rc rc = header_unfold(f->value, HEADER_BYTES, g->mem, &out->tags);
	if (rc != RC_OK || tags_read(f->value, &t) != RC_OK ||
		!known_algorithm(tags_value(&t, STR("a"))))
		return rc;
	if (kind != SIGNATURE_DKIM && !instance_of(&t, &out->instance))
		return rc;
	if (kind == SIGNATURE_ARC_SEAL)
		sign_seal(g, f, &t, out);
	else
		sign_message(g, f, &t, out);
	return rc;
}

static enum rc
sign_all(struct digests *g, struct content_signature *out, size_t *n)
{
	enum rc rc = RC_OK;

	*n = 0;
	for (size_t i = 0; i < g->n && *n < CONTENT_SIGNATURES && rc == RC_OK; i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (str_ieq(g->fields[i].name, kinds[k].name)) {
				rc = sign(g, &g->fields[i], kinds[k].kind, &out[*n]);
				(*n)++;
				break;
			}
	return rc;
}

/* Most mail has signatures, but a block without any is not taken apart. */
static size_t
count_fields(str block, bool *any)
{
	struct header_reader r;
	struct header_field f;
	enum header_got got;
	size_t n = 0;

	*any = false;
	header_begin(&r, block);
	while ((got = header_next(&r, &f)) == HEADER_FIELD || got == HEADER_BAD) {
		n += got == HEADER_FIELD;
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			*any = *any || str_ieq(f.name, kinds[k].name);
	}
	return n;
}

static void
take_fields(struct digests *g, str block)
{
	struct header_reader r;
	struct header_field f;
	enum header_got got;

	header_begin(&r, block);
	while ((got = header_next(&r, &f)) == HEADER_FIELD || got == HEADER_BAD) {
		if (got == HEADER_BAD)
			continue;
		struct field *to = &g->fields[g->n++];

		*to = (struct field){ .name = f.name, .value = f.value };
		to->whole = (str){ f.name.ptr,
			(size_t)(f.value.ptr + f.value.len - f.name.ptr) };
		to->instance = arc_instance(to);
	}
}

enum rc
dkim_digests(str message, size_t header_bytes, struct arena *mem,
	struct content_signature **out, size_t *n)
{
	str block = str_first(message, header_bytes);
	struct digests g = { .mem = mem, .body = str_skip(message, header_bytes) };
	bool any;
	size_t fields = count_fields(block, &any);

	*n = 0;
	*out = NULL;
	if (!any)
		return RC_OK;
	g.fields = arena_array(mem, fields, sizeof(*g.fields));
	*out = arena_array(mem, CONTENT_SIGNATURES, sizeof(**out));
	if (g.fields == NULL || *out == NULL)
		return RC_LIMIT;
	take_fields(&g, block);
	g.d = sha256_new();
	enum rc rc = sign_all(&g, *out, n);
	sha256_free(&g.d);
	return rc;
}
