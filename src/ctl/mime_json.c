/* SPDX-License-Identifier: ISC */
#include "ctl/mime_json.h"

#include <stdio.h>

#include "crypto/digest.h"
#include "ctl/ctl_int.h"
#include "ctl/scan_json.h"

enum { PATH_MOST = 512, NESTED_MOST = 4 * MIME_DEPTH };

struct writer {
	str message;
	uint64_t left; /* bytes that may still be decoded */
	struct sha256 *digest;
};

struct place {
	char path[PATH_MOST];
	bool alternate;
	unsigned nested; /* calls deep, readings of readings too */
};

static json_t *part_json(struct writer *w, const struct mime_part *p, struct place at);

static json_t *
number(size_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
value_params(const struct mime_value *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n; i++) {
		const struct mime_param *p = &v->params[i];
		json_t *one = json_object();

		put_json(one, "name", verb_json_str(p->name));
		put_json(one, "value", verb_json_str(p->value));
		put_json(one, "plain_name", verb_json_str(p->plain_name));
		put_json(one, "text", verb_json_str(p->text));
		(void)json_array_append_new(list, one);
	}
	return list;
}

struct sink {
	struct sha256 *digest;
	size_t size;
};

static enum rc
take(str piece, void *arg)
{
	struct sink *s = arg;

	sha256_add(s->digest, piece);
	s->size += piece.len;
	return RC_OK;
}

/* Its size and digest, decoded; null: too much altogether. */
static void
put_decoded(struct writer *w, const struct mime_part *p, json_t *out)
{
	str body = mime_body(w->message, p);
	struct sink s = { .digest = w->digest };
	uint8_t digest[SHA256_BYTES];
	uint64_t odd = 0;
	enum rc rc = RC_LIMIT;

	/* reading costs, also where little comes out */
	if (body.len <= w->left) {
		rc = mime_decode(p->encoding, body, w->left, take, &s, &odd);
		w->left -= body.len;
		w->left -= s.size < w->left ? s.size : w->left;
	}
	sha256_done(w->digest, digest);
	put_json(out, "decoded_size", rc == RC_OK ? number(s.size) : json_null());
	put_json(out, "sha256", rc == RC_OK ? digest_json(digest) : json_null());
	put_json(out, "odd_decoding", odd_json(odd));
}

static void
put_fields(const struct mime_part *p, json_t *out)
{
	static const char *const kinds[] = { [MIME_LEAF] = "leaf",
		[MIME_MULTIPART] = "multipart",
		[MIME_MESSAGE] = "message" };

	put_json(out, "kind", json_string(kinds[p->kind]));
	put_json(out, "header_at", number(p->header_at));
	put_json(out, "body_at", number(p->body_at));
	put_json(out, "end", number(p->end));
	put_json(out, "header_lines", number(p->header_lines));
	put_json(out, "body_lines", number(p->body_lines));
	put_json(out, "type", verb_json_str(p->type));
	put_json(out, "subtype", verb_json_str(p->subtype));
	put_json(out, "params", value_params(&p->content_type));
	put_json(out, "encoding", verb_json_str(mime_encoding_name(p->encoding)));
	put_json(out, "encoding_raw", verb_json_str(p->encoding_raw));
	put_json(out, "disposition", verb_json_str(p->disposition.value));
	put_json(out, "disposition_params", value_params(&p->disposition));
	put_json(out, "id", verb_json_str(p->id));
	put_json(out, "description", verb_json_str(p->description));
	put_json(out, "md5", verb_json_str(p->md5));
	put_json(out, "location", verb_json_str(p->location));
	put_json(out, "language", verb_json_str(p->language));
	put_json(out, "charset", verb_json_str(p->charset));
	put_json(out, "name", verb_json_str(p->name));
	put_json(out, "odd", odd_json(p->odd));
	put_json(out, "odd_around", odd_json(p->odd_around));
}

/* The number that a child of this part has before its own. */
static void
prefix_of(const char *path, char out[PATH_MOST])
{
	str s = str_of(path);

	if (s.len >= 4 && str_eq(str_skip(s, s.len - 4), STR("TEXT")))
		s.len -= s.len > 4 ? 5 : 4;
	(void)snprintf(out, PATH_MOST, STR_FMT "%s", STR_ARG(s), s.len > 0 ? "." : "");
}

/* A message's only part: "1" in it, unless it is a multipart. */
static struct place
place_of_child(
	const struct mime_part *p, const struct mime_part *child, const struct place *at)
{
	struct place to = { .alternate = at->alternate, .nested = at->nested + 1 };
	char prefix[PATH_MOST];

	prefix_of(at->path, prefix);
	if (p->kind == MIME_MESSAGE && child->kind == MIME_MULTIPART)
		(void)snprintf(to.path, sizeof(to.path), "%.500sTEXT", prefix);
	else
		(void)snprintf(
			to.path, sizeof(to.path), "%.500s%u", prefix, child->number);
	return to;
}

static void
put_inner(
	struct writer *w, const struct mime_part *p, const struct place *at, json_t *out)
{
	json_t *children = json_array(), *readings = json_array();
	struct place again = *at;

	again.alternate = true;
	again.nested++;
	if (at->nested < NESTED_MOST) {
		for (const struct mime_part *c = p->first; c != NULL; c = c->next)
			(void)json_array_append_new(
				children, part_json(w, c, place_of_child(p, c, at)));
		for (const struct mime_part *a = p->alternates; a != NULL; a = a->next)
			(void)json_array_append_new(readings, part_json(w, a, again));
	}
	put_json(out, "children", children);
	put_json(out, "alternates", readings);
}

static json_t *
part_json(struct writer *w, const struct mime_part *p, struct place at)
{
	json_t *out = json_object();

	put_json(out, "path", json_string(at.path));
	put_json(out, "reading", json_string(at.alternate ? "alternate" : "primary"));
	put_fields(p, out);
	if (p->kind == MIME_LEAF)
		put_decoded(w, p, out);
	put_inner(w, p, &at, out);
	return out;
}

json_t *
mime_json(str message, const struct mime_tree *t, uint64_t most)
{
	struct writer w = { .message = message, .left = most, .digest = sha256_new() };
	struct place top = { .alternate = false };

	(void)snprintf(top.path, sizeof(top.path), "%s",
		t->top->kind == MIME_MULTIPART ? "TEXT" : "1");
	json_t *out = part_json(&w, t->top, top);
	sha256_free(&w.digest);
	return out;
}
