/* SPDX-License-Identifier: ISC */
/* The preview alone, for whoever wants no content. */
#include "scan/lump.h"
#include "scan/scan_int.h"
#include "scan/text.h"

enum { LOOK = 64 * 1024 }; /* bytes of a text */

static enum rc
keep(str piece, void *arg)
{
	return lump_add(arg, piece) ? RC_OK : RC_LIMIT;
}

static enum rc
preview_of(
	struct texts *t, str body, const struct mime_part *p, struct arena *mem, str *out)
{
	LUMP_AUTO bytes = { 0 };
	uint64_t odd = 0;

	body = str_first(body, LOOK);
	if (p->encoding != MIME_IDENTITY) {
		/* what would be longer is cut, which is as good here */
		if (mime_decode(p->encoding, body, 2 * LOOK, keep, &bytes, &odd) != RC_OK)
			return RC_OK;
		body = (str){ bytes.data, bytes.len };
	}
	enum rc rc = texts_read(
		t, body, p->charset, str_ieq(p->subtype, STR("html")), true, &odd);
	return rc == RC_OK ? text_preview(str_skip(buf_str(&t->text), t->from), mem, out)
			   : rc;
}

static void
texts_end(struct texts **tp)
{
	texts_free(tp);
}

enum rc
scan_preview(str message, const struct mime_tree *tree, struct charsets *cs,
	struct arena *mem, struct facts *f)
{
	struct texts *t __attribute__((cleanup(texts_end))) = texts_new(cs, mem, false);
	enum rc rc = RC_OK;

	for (const struct mime_part *p = tree->top; p != NULL && f->preview.len == 0;
		p = mime_next(p)) {
		if (p->kind != MIME_LEAF || !str_ieq(p->type, STR("text")) ||
			p->name.len > 0 ||
			str_ieq(p->disposition.value, STR("attachment")))
			continue;
		rc = preview_of(t, mime_body(message, p), p, mem, &f->preview);
		if (rc != RC_OK)
			return rc;
	}
	return rc;
}
